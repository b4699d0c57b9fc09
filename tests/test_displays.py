"""What a notebook shows of fits, verdicts and figures."""

import re
import warnings
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from fake_fits import fake_fit, moments, normal_grid

import bayesem as sem

FAILED = {
    "converged": False,
    "convergence": SimpleNamespace(ok=False, reasons=("R-hat 1.2",), __str__=lambda _: "failed"),
}


@pytest.fixture(scope="module")
def small():
    """A regression, with chains too short to be believed."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=60)
    data = pd.DataFrame({"x": x, "y": 0.5 * x + rng.normal(size=60)})
    return sem.fit("y ~ a*x\nb := 2*a", data, draws=100, tune=200, seed=1, progress=False)


def mediation(a=0.4, **more):
    draws = {
        k: normal_grid(v, 0.08, seed=i)
        for i, (k, v) in enumerate({"a": a, "b": 0.3, "c": 0.05}.items())
    }
    prior = {k: normal_grid(0, 0.5, seed=i + 9) for i, k in enumerate("abc")}
    return fake_fit(draws, prior, **more)


def rows(page):
    return re.findall(r"<tr>.*?</tr>", page, re.S)


# --- fits ---------------------------------------------------------------------------------------


def test_a_fit_shows_its_paths_first_and_all_else_on_request(small):
    page = small._repr_html_()
    first, more = page.split("<details>")
    table = sem.summary(small)
    row = table[table["op"] == "~"].iloc[0]
    assert f"{row['mean']:.3f}" in first
    assert "<td>:=</td>" in first
    assert "<td>~~</td>" not in first
    assert "<td>~~</td>" in more
    assert "NaN" not in page


def test_failed_chains_are_red_and_warn_nobody_twice(small):
    assert not small.converged
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        page = small._repr_html_()
    assert re.search(r'<b style="color:#c00000">NOT CONVERGED', page)


def test_names_in_a_fit_are_escaped(small):
    odd = replace(small, notes=("<script>alert(1)</script>",))
    assert "<script>" not in odd._repr_html_()


def test_what_is_printed_is_a_text_and_not_its_memory(small):
    assert repr(small) == str(small)
    verdicts = sem.assess({"P": "a > 0"}, mediation())
    assert repr(verdicts) == str(verdicts)
    counts = sem.fit_counts({"one": {"x": 3, "y": 1}, "two": {"z": 2}}, draws=100, seed=1)
    assert repr(counts) == str(counts)


# --- verdicts -----------------------------------------------------------------------------------


def test_verdicts_show_what_stands_in_the_table():
    verdicts = sem.assess({"P": "a > 0 and b > 0.3", "Q": "c > 0"}, mediation())
    lines = rows(verdicts._repr_html_())[1:]
    for line, (_, row) in zip(lines, verdicts.table.iterrows(), strict=True):
        assert f"<strong>{row['name']}</strong>" in line
        assert f">{row['verdict']}</strong>" in line
        assert f"{row['probability']:.3f}" in line


def test_no_number_of_failed_chains_is_shown():
    page = sem.assess({"P": "a > 0", "Q": "c > 0"}, replace(mediation(), **FAILED))._repr_html_()
    assert "NOT CONVERGED: no verdict on P, Q." in page
    body = "".join(rows(page)[1:])
    assert ">withheld</em>" in body
    assert not re.search(r"0\.\d|&gt;\.999|supported|\d{2,}\.", body.replace("R-hat 1.2", ""))


def test_verdicts_withheld_for_more_draws_are_pale():
    verdicts = sem.assess({"P": "c > -0.0816"}, mediation())
    assert verdicts.table["verdict"].tolist() == ["withheld"]
    page = verdicts._repr_html_()
    assert "NOT CONVERGED" not in page
    assert "color:#888" in page


def test_a_sentence_stands_once_beside_all_readings(tmp_path):
    path = tmp_path / "p.toml"
    path.write_text('[P]\nsays = "the <b>sentence</b>"\nclaim = "a > 0"\n')
    fits = {
        n: mediation(a=a, data=moments(reading=n, weight=1.0)) for n, a in (("T", 0.5), ("D", 0.1))
    }
    page = sem.assess(sem.read_propositions(path), fits)._repr_html_()
    assert page.count("the &lt;b&gt;sentence&lt;/b&gt;") == 1
    assert 'rowspan="3"' in page
    cells = [len(re.findall("<td", line)) for line in rows(page)[1:]]
    assert cells == [9, 7, 7]


def test_generated_data_are_named_above_the_table():
    page = sem.assess({"P": "a > 0"}, mediation(data=moments(synthetic=True)))._repr_html_()
    assert page.index("SYNTHETIC DATA") < page.index("<table")
    assert page.count("SYNTHETIC DATA") == 1


# --- figures ------------------------------------------------------------------------------------


def test_figures_show_themselves_at_their_size():
    figure = sem.plot_forest(mediation())
    picture, size = figure._repr_png_()
    assert picture.startswith(b"\x89PNG")
    assert size["width"] == round(figure.get_figwidth() * 96)
    assert len(picture) < 60_000


def test_ipython_takes_the_picture():
    from IPython.core.formatters import DisplayFormatter

    data, metadata = DisplayFormatter().format(sem.plot_forest(mediation()))
    assert "image/png" in data
    assert metadata["image/png"]["width"] in (336, 672)
