"""APA tables: numbers of the functions behind them, rules, escapes, failed chains."""

from dataclasses import replace

import kinds
import pandas as pd
import pytest

import bayesem as sem
from bayesem.errors import ModelError
from bayesem.reporting.markup import WITHHELD
from bayesem.sampling.convergence import Convergence


@pytest.fixture(scope="module")
def fit():
    return kinds.fit_of("moments")


@pytest.mark.parametrize(
    "kind", ["loadings", "paths", "covariances", "means", "defined", "effects", "reliability",
             "validity"]
)  # fmt: skip
def test_every_kind_in_html_and_latex(fit, kind):
    made = sem.apa_table(fit, kind, number=3, ascii_only=True)
    latex, page = made.as_latex(), made.as_raw_html()
    assert "Table 3" in latex
    assert "Table 3" in page
    assert latex.isascii()
    assert r"\toprule" in latex
    assert r"\bottomrule" in latex
    assert "|" not in latex.partition(r"\begin{tabular*}")[2].partition("\n")[0]  # no vertical rule


def test_numbers_are_those_of_the_functions(fit):
    row = sem.summary(fit).query("label == 'b'").iloc[0]
    std = sem.summary(fit, standardized=True).query("label == 'b'").iloc[0]
    latex = sem.apa_table(fit, "paths", ascii_only=True).as_latex()
    line = next(line for line in latex.splitlines() if line.startswith("Y \\textasciitilde{} M") or "& b &" in line)  # fmt: skip
    for value in (row["mean"], row["sd"], std["mean"]):
        assert f"{value:.3f}" in line
    assert f"[{row['lower']:.3f}, {row['upper']:.3f}]" in line


def test_verdicts_and_frames(fit):
    verdicts = sem.assess({"P1": "a > 0 and b > 0"}, fit)
    assert "supported" in sem.apa_table(verdicts).as_raw_html()
    frame = pd.DataFrame({"<b>x_1</b>": [1.5, -2.25], "y": ["<script>", "a & b_c"]})
    made = sem.apa_table(frame, title="My <i>title</i> & more")
    page, latex = made.as_raw_html(), made.as_latex()
    assert "<script>" not in page
    assert "<i>title" not in page
    assert r"a \& b\_c" in latex
    assert "\N{MINUS SIGN}2.250" in page


def test_a_failed_fit_is_marked_and_gives_no_verdict(fit):
    failed = replace(fit, convergence=Convergence(False, ("bad",), fit.convergence.table))
    assert WITHHELD in sem.apa_table(failed, "paths").as_raw_html()
    assert WITHHELD not in sem.apa_table(fit, "paths").as_raw_html()
    page = sem.apa_table(sem.assess({"P1": "a > 0"}, failed)).as_raw_html()
    assert "withheld" in page
    assert ">.999" not in page.replace("&gt;", ">").replace("not converged", "")


def test_unknown_kinds_are_refused(fit):
    with pytest.raises(ModelError, match="no kind of table 'effcts'") as refusal:
        sem.apa_table(fit, "effcts")
    assert "`effects`" in refusal.value.hint
    with pytest.raises(ModelError, match="not of a int"):
        sem.apa_table(3)
