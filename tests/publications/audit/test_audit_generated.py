"""Generated papers (SYNTHETIC): honest ones come back clean, planted errors are found.

The rates over a thousand papers are in `tests/calibration/audit_rates.py`.
"""

import numpy as np
import pytest
from generated_papers import ERRORS, bare, codebook, paper, plant

from bayesem.errors import StudyError
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


def verdicts(made, folder, *, rebuild=False):
    (folder / "paper.sem").write_text(made.graph)
    (folder / "paper.toml").write_text(codebook(made))
    return audit(folder / "paper.toml", rebuild=rebuild)


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


def test_a_graph_names_the_codebook_beside_it(tmp_path):
    made = paper(2002, 3)
    table = verdicts(made, tmp_path)
    same = audit(tmp_path / "paper.sem", rebuild=False)
    assert same["item"].tolist() == table["item"].tolist()
    (tmp_path / "lonely.sem").write_text(made.graph)
    with pytest.raises(StudyError, match="has no codebook beside it"):
        audit(tmp_path / "lonely.sem")


@pytest.mark.parametrize("digits", [2, 3])
@pytest.mark.parametrize(("column", "path", "factor"), [("cr", 0, 1.4), ("est", 1, 1.6)])
def test_a_misprint_has_a_probability_where_a_rebuild_is_possible(
    tmp_path, column, path, factor, digits
):
    """One number far off in a paper that a rebuild can invert: its cell, and no other, is accused."""
    made = paper(2003, digits)
    for name in ("weights_text", "sobel"):
        made.tables.pop(name)
    row = made.tables["weights"]["rows"][path]
    row[column] = type(row[column])(row[column].value * factor, digits)
    table = verdicts(made, tmp_path, rebuild=True)
    cells = table[table["check"] == "rebuild"].set_index("item")["misprint"]
    assert list(cells.index[cells > 0.5]) == [f"{row['lhs']} ~ {row['rhs']}: {column}"]


def test_without_a_graph_what_needs_one_is_not_checkable(tmp_path):
    made = paper(2000, 3)
    (tmp_path / "alone.toml").write_text(codebook(made))
    table = audit(tmp_path / "alone.toml")
    df = table[table["check"] == "df from the graph"].iloc[0]
    assert df["verdict"] == "not checkable"
    assert "there is no graph" in df["remedy"]
    assert not (table["verdict"] == "inconsistent").any()
    assert table[table["check"] == "rebuild"].iloc[0]["verdict"] == "not checkable"
