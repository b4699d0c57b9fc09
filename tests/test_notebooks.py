"""The notebooks run, say what they said when they were committed, and are fit to be read."""

import importlib.util
import re
import time
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest

import bayesem as sem

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "examples" / "notebooks"
NAMES = (
    "alliance_mediation",
    "coming_from_amos_smartpls_lavaan",
    "export_network",
    "export_strategy",
    "facilitated_alliance",
)
#: What must come out again; the numbers may differ in their last digits between machines.
WORDS = re.compile(
    r"SYNTHETIC DATA|NOT CONVERGED|converged|supported|refuted|undecided|withheld|not testable|"
    r"practically null"
)


def read(name):
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def script():
    spec = importlib.util.spec_from_file_location(
        "execute_notebooks", ROOT / "examples" / "execute_notebooks.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def said(cell):
    """The words of a cell's outputs, and how many figures it shows."""
    texts, figures = [], 0
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        texts += [output.get("text", ""), data.get("text/plain", ""), data.get("text/html", "")]
        figures += "image/png" in data
    return WORDS.findall("\n".join(texts)), figures


@pytest.mark.parametrize("name", NAMES)
def test_notebook_runs_and_says_the_same(name):
    start = time.perf_counter()
    fresh = script().executed(FOLDER / f"{name}.ipynb")
    kept = read(name)
    assert len(fresh.cells) == len(kept.cells)
    for new, old in zip(fresh.cells, kept.cells, strict=True):
        assert new.source == old.source
        assert said(new) == said(old), new.source
    print(f"{name}: {time.perf_counter() - start:.0f} seconds")


def test_all_notebooks_are_tested():
    assert tuple(sorted(p.stem for p in FOLDER.glob("*.ipynb"))) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_kept_outputs_are_whole_small_and_nobodys(name):
    path = FOLDER / f"{name}.ipynb"
    assert path.stat().st_size < 300_000
    text, notebook = path.read_text(), read(name)
    code = [c for c in notebook.cells if c.cell_type == "code"]
    assert [c.execution_count for c in code] == list(range(1, len(code) + 1))
    assert not any(o.output_type == "error" for c in code for o in c.outputs)
    assert not any(o.get("name") == "stderr" for c in code for o in c.outputs)
    assert not re.search(r"/(tmp|home|root|work|Users)/", text)
    assert 'execution": {' not in text  # no times


GENERATED = ["coming_from_amos_smartpls_lavaan", "export_network", "export_strategy"]


@pytest.mark.parametrize("name", GENERATED)
def test_generated_data_are_named_first_and_beside_every_verdict(name):
    notebook = read(name)
    assert "synthetic" in notebook.cells[0].source
    shown = [o.data["text/html"] for c in notebook.cells for o in c.get("outputs", [])
             if "Rule: supported" in o.get("data", {}).get("text/html", "")]  # fmt: skip
    assert shown
    assert all("SYNTHETIC DATA" in page for page in shown)


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name):
    for cell in read(name).cells:
        if cell.cell_type == "markdown":
            for target in re.findall(r"\]\(([^)#]+)\)", cell.source):
                assert (FOLDER / target).exists(), target


def test_the_scripts_of_the_five_propositions_are_linked():
    source = "".join(c.source for c in read("export_strategy").cells)
    scripts = sorted(p.name for p in (ROOT / "examples").glob("p[1-5]_*.py"))
    assert len(scripts) == 5
    assert all(f"(../{name})" in source for name in scripts)


def test_an_unknown_notebook_is_named(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["execute_notebooks.py", "none"])
    with pytest.raises(SystemExit) as stop:
        script().main()
    assert stop.value.code == 2
    assert "there is no notebook 'none'. There are: alliance_mediation" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(("reading", "weight"), [("T", 0.633), ("D", 0.179)])
def test_kept_matrices_are_the_rebuilt_ones(reading, weight):
    [moments] = sem.rebuild("alliance_mediation", reading, seed=1)
    kept = pd.read_csv(FOLDER / f"alliance_{reading}.csv", index_col=0)
    assert np.abs(kept.to_numpy() - moments.cov.to_numpy()).max() < 1e-5
    assert list(kept) == list(moments.cov)
    assert moments.weight == pytest.approx(weight, abs=6e-4)
