"""Generated papers (SYNTHETIC): honest ones come back clean, planted errors are found.

The rates over a thousand papers are in `tests/calibration/audit_rates.py`.
"""

import numpy as np
import pytest
from generated_papers import ERRORS, bare, codebook, paper, plant

from bayesem.publications.audit.report import audit

SEEDS = range(2000, 2010)
#: What no table of these papers can reveal: items' variances, and correlations of factors.
HIDDEN = {"alpha off by .02 to .10", "correlation of factors off by .1 to .3"}
#: Found only where the error is larger than the rounding of what it is compared with.
PARTLY = {
    "estimate: one digit mistyped", "critical ratio: one digit mistyped",
    "loading off by .03 to .20", "AGFI off by .01 to .03", "CFI off by .01 to .03",
    "RMSEA off by .005 to .015", "n wrong, no counts or regression printed",
    "mean: one digit mistyped", "standard deviation: one digit mistyped",
    "text: percentage mistyped", "percentage: one digit mistyped", "R2: one digit mistyped",
}  # fmt: skip


def verdicts(made, folder):
    (folder / "paper.sem").write_text(made.graph)
    (folder / "paper.toml").write_text(codebook(made))
    return audit(folder / "paper.toml", rebuild=False)


@pytest.mark.parametrize("digits", [2, 3])
def test_honest_papers_come_back_clean(tmp_path, digits):
    for seed in SEEDS:
        for made in (paper(seed, digits), bare(paper(seed, digits))):
            table = verdicts(made, tmp_path)
            wrong = table[table["verdict"] == "inconsistent"]
            assert wrong.empty, wrong[["item", "printed", "recomputed", "where"]]
            assert (table["verdict"] == "consistent").sum() > 50


@pytest.mark.parametrize("kind", [k for k in ERRORS if k not in HIDDEN | PARTLY])
def test_errors_that_rounding_cannot_hide_are_found(tmp_path, kind):
    tried = 0
    for seed in SEEDS:
        planted = plant(paper(seed, 3), kind, np.random.default_rng(seed))
        if planted is None:
            continue
        tried += 1
        assert (verdicts(planted[0], tmp_path)["verdict"] == "inconsistent").any(), seed
        if tried == 3:
            break
    assert tried


def test_the_remedy_is_the_number_that_was_there(tmp_path):
    """An inflated AVE: what is recomputed is what stood there."""
    made = paper(2001, 3)
    planted = plant(made, "AVE inflated by .05 to .25", np.random.default_rng(1))[0]
    table = verdicts(planted, tmp_path)
    wrong = table[table["check"] == "AVE from loadings"]
    wrong = wrong[wrong["verdict"] == "inconsistent"].iloc[0]
    old = {r["factor"]: str(r["ave"]) for r in made.tables["reliability"]["rows"]}
    assert wrong["recomputed"] == pytest.approx(float(old[wrong["item"].split()[-1]]), abs=1e-3)


def test_without_a_graph_what_needs_one_is_not_checkable(tmp_path):
    made = paper(2000, 3)
    (tmp_path / "alone.toml").write_text(codebook(made))
    table = audit(tmp_path / "alone.toml")
    df = table[table["check"] == "df from the graph"].iloc[0]
    assert df["verdict"] == "not checkable"
    assert "there is no graph" in df["remedy"]
    assert not (table["verdict"] == "inconsistent").any()
    assert table[table["check"] == "rebuild"].iloc[0]["verdict"] == "not checkable"
