"""The examples run as their first lines say, and are short enough to be read."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import bayesem as sem

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
SCRIPTS = {
    "p1_digital_capability": ("P1", "P1_performance", "P1_benchmark"),
    "p2_financing": ("P2", "P2_pure", "P2_asymmetry"),
    "p3_compliance": ("P3", "P3_chain"),
    "p4_networks": ("P4", "P4_time"),
    "p5_innovation": ("P5", "P5_more"),
    "ecosystem": ("ecosystem_moderates", "ecosystem_mediates"),
}


def run(name, *arguments):
    command = [sys.executable, str(EXAMPLES / f"{name}.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


@pytest.fixture
def here(monkeypatch, capsys):
    """Runs a script in this process, which spares the imports: its exit code and what it printed."""

    def start(name, *arguments):
        path = EXAMPLES / f"{name}.py"
        monkeypatch.syspath_prepend(str(EXAMPLES))
        monkeypatch.setattr(sys, "argv", [str(path), *arguments])
        with pytest.raises(SystemExit) as stop:
            runpy.run_path(str(path), run_name="__main__")
        return stop.value.code, *capsys.readouterr()

    return start


def check(done, name, figure):
    """Every proposition has its line, data are named synthetic, and the figure is there."""
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    for claim in SCRIPTS[name]:
        assert re.search(rf"^{claim}  +(withheld|undecided|supported|refuted|practically null)|"
                         rf"^{claim}$", done.stdout, re.MULTILINE), claim  # fmt: skip
    assert "SYNTHETIC DATA" in done.stdout
    assert figure.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_are_short_and_keep_their_figure(name):
    lines = (EXAMPLES / f"{name}.py").read_text().splitlines()
    assert len(lines) < 60
    if name.startswith("p"):  # the ecosystem's is drawn from three long fits, on request
        assert (EXAMPLES / "figures" / f"{name}.png").is_file()


@pytest.mark.parametrize("name", SCRIPTS)
def test_first_line_is_the_help(name, here):
    code, out, _ = here(name, "--help")
    assert code == 0
    first = (EXAMPLES / f"{name}.py").read_text().splitlines()[0].strip('"')
    assert first in out
    assert f"examples/{name}.py [answers.csv]" in out


def test_the_networks_first_lines_are_its_help(here):
    """Asking for help starts no fit."""
    code, out, _ = here("export_network", "--help")
    assert code == 0
    assert (EXAMPLES / "export_network.py").read_text().splitlines()[0].strip('"') in out


def test_a_whole_run(tmp_path):
    figure = tmp_path / "figure.png"
    done = run("p3_compliance", "--n", 300, "--draws", 250, "--figure", figure)
    check(done, "p3_compliance", figure)
    assert "the part that explains ACC" in done.stdout
    assert "exporters only; selection into exporting assumed ignorable" in done.stdout
    assert "The equation of exporting is not in this part" in done.stdout


@pytest.mark.slow
def test_answers_of_ones_own(tmp_path):
    data = sem.generate("export_strategy", 200, propositions={"P5": "reversed"}, seed=3)
    data.attrs.clear()
    data.to_csv(tmp_path / "answers.csv", index=False)
    figure = tmp_path / "figure.png"
    done = run("p5_innovation", tmp_path / "answers.csv", "--draws", 250, "--figure", figure)
    assert done.returncode == 0, done.stderr
    assert "SYNTHETIC" not in done.stdout
    assert "200 cases" in done.stdout
    assert figure.is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["none.csv"], "There is no file `none.csv`"), (["--set", "P9=true"], "`P9`"),
     (["--n", "0"], "n is 0"), (["--set", "P3"], "sets no proposition")],
)  # fmt: skip
def test_bad_input_gets_one_message(arguments, message, here):
    code, _, said = here("p3_compliance", *arguments)
    assert code == 2
    assert message in said


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in SCRIPTS if name != "p3_compliance"])
def test_every_script_runs(name, tmp_path):
    figure = tmp_path / "figure.png"
    check(run(name, "--n", 250, "--draws", 100, "--figure", figure), name, figure)


@pytest.mark.slow
def test_selection_moves_the_probabilities(tmp_path):
    figure = tmp_path / "figure.png"
    done = run("p2_financing", "--selection", "--n", 250, "--draws", 100, "--figure", figure)
    check(done, "p2_financing", figure)
    assert re.search(r"reading +0 \(ignorable\) +0\.20 +0\.40", done.stdout)
