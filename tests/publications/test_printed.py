"""Malformed codebooks: each fault is named with its file and line."""

from pathlib import Path

import numpy as np
import pytest

from bayesem.errors import BayesemError, StudyError
from bayesem.model import read_model
from bayesem.publications import publication

MODEL = """X =~ x1 + x2 + x3
Y =~ y1 + y2 + y3
Y ~ a*X
"""
BOOK = """[study]
title = "A small study"
n = 120

[printed.loadings]
digits = 2
rows = [
    { lhs = "X", op = "=~", rhs = "x1", est = 0.80 },
    { lhs = "X", op = "=~", rhs = "x2", est = 0.70 },
    { lhs = "X", op = "=~", rhs = "x3", est = 0.60 },
    { lhs = "Y", op = "=~", rhs = "y1", est = 0.75 },
    { lhs = "Y", op = "=~", rhs = "y2", est = 0.65 },
    { lhs = "Y", op = "=~", rhs = "y3", est = 0.70 },
]

[printed.weights]
digits = 3
rows = [
    { lhs = "Y", op = "~", rhs = "X", est = 0.402, cr = 3.905, p = "***" },
]

[printed.fit]
digits = 3
chisq = 9.120
"""
READING = """
[readings.R]
assumes = "Numbers belong to their labels."
est = "weight"
paths.a = ["weights.1"]
aside = ["a.p"]
"""


def write(folder: Path, text: str) -> Path:
    (folder / "small.sem").write_text(MODEL)
    (folder / "small.toml").write_text(text)
    return folder / "small.sem"


def test_a_small_study_is_read(tmp_path: Path) -> None:
    known = publication(write(tmp_path, BOOK + READING))
    assert (known.n, known.chisq) == (120, 9.12)
    assert known.loadings[0] == (0.8, 0.005)
    cells = known.readings[0].evidence[0].cells
    assert [(c.kind, c.aside) for c in cells] == [("est", False), ("cr", False), ("p", True)]
    est, ratio, stars = cells
    np.testing.assert_allclose([est.low, est.high], [0.4015, 0.4025])
    np.testing.assert_allclose([ratio.low, ratio.high], [3.9045, 3.9055])
    assert stars.low == pytest.approx(3.2905, abs=1e-4)  # p < .001
    assert hash(known) == hash(publication(tmp_path / "small.sem"))


def test_without_readings_each_row_belongs_to_its_label(tmp_path: Path) -> None:
    known = publication(write(tmp_path, BOOK))
    assert [reading.name for reading in known.readings] == ["printed"]
    assert known.readings[0].evidence[0].cells[0].value == 0.402
    assert known.readings[0].relabelled == 0


LAST = '    { lhs = "Y", op = "=~", rhs = "y3", est = 0.70 },\n'
FAULTS = [
    ("n = 120\n", "", "number of cases `n` is missing", 1),
    ("n = 120", "n = 6", "6 cases are too few for 6 items", 3),
    ("est = 0.80", "est = 1.08", "loading of `x1` is 1.08", 8),
    ("est = 0.80", 'est = "0,80"', "`est` is '0,80', not a number", 8),
    ("est = 0.80", "est = nan", "`est` is nan, not a finite number", 8),
    ('"x2", est = 0.70', '"x2", est = true', "`est` is True", 9),
    ('rhs = "x3"', 'rhs = "x33"', "`x33` is no item", 10),
    ('rhs = "x3"', 'rhs = "x2"', "`x2` has two loadings", 10),
    ('"Y", op = "=~", rhs = "y1"', '"X", op = "=~", rhs = "y1"', "`y1` measures `Y`", 11),
    ('"=~", rhs = "y3", est = 0.70 },', '"=~", rhs = "y2", est = 0.65 },', "two loadings", 13),
    (LAST, "", "no loading is printed for `y3`", 5),
    ('rhs = "X", est', 'rhs = "Z", est', "no path `Y ~ Z`", 19),
    ("cr = 3.905", 'cr = "3.9*"', "`cr` is '3.9*', not a number", 19),
    ('p = "***"', "p = 1.4", "p is 1.4; it lies between 0 and 1", 19),
    ('p = "***"', 'p = "**"', "`p` is '**', not a number", 19),
    ("cr = 3.905", "se = -0.1", "a standard error is -0.1", 19),
    ("chisq = 9.120", "gfi = 0.97", "neither `chisq` nor `cmin_df`", 22),
    ("chisq = 9.120", "chisq = -3", "chi-square is -3", 24),
    ("digits = 3\nchisq", "digits = 3.5\ntli = 0.98\nchisq", "`digits` is 3.5", 23),
    ('"weights.1"', '"weights.2"', "has rows 1 to 1", 29),
    ('"weights.1"', '"weight.1"', "names no table with paths", 29),
    ("paths.a =", "paths.b =", "no path labelled `b`", 29),
    ('aside = ["a.p"]', 'aside = ["a.z"]', "names 'a.z', which is no cell", 30),
    ('aside = ["a.p"]', 'aside = ["a.est"]', "nothing printed gives the estimate of `a`", 29),
    ('est = "weight"', 'est = "beta"', "`est` is 'beta'", 28),
    ('est = "weight"', 'correlation = "up"', "`correlation` is 'up'", 28),
    ('est = "weight"', 'estt = "weight"', "`estt` is no part of a reading", 28),
    ('assumes = "Numbers belong to their labels."\n', "", "does not say what it `assumes`", 26),
    ("est = 0.402", "coefficient = 0.103, est = 0.402", "does not say what `coefficient`", 26),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message", "line"), FAULTS)
def test_faults_are_named_with_their_line(
    tmp_path: Path, old: str, new: str, message: str, line: int
) -> None:
    text = BOOK + READING
    assert old in text
    source = write(tmp_path, text.replace(old, new, 1))
    with pytest.raises(BayesemError) as caught:
        publication(source)
    assert message in str(caught.value)
    assert f"small.toml:{line}:" in str(caught.value)


def test_two_rows_for_one_path_need_a_reading(tmp_path: Path) -> None:
    row = '    { lhs = "Y", op = "~", rhs = "X", est = 0.402, cr = 3.905, p = "***" },\n'
    source = write(tmp_path, BOOK.replace(row, row + row.replace("0.402", "0.310")))
    with pytest.raises(StudyError, match=r"rows 1 and 2 .* are both for `a`") as caught:
        publication(source)
    assert "small.toml:20:" in str(caught.value)


def test_the_alliance_study_repeats_itself_faithfully() -> None:
    """Tables and text that print the same numbers are transcribed alike."""
    model = read_model("alliance_mediation")
    assert model.codebook is not None
    printed = model.codebook.printed
    assert printed["reliability"]["rows"] == printed["reliability_text"]["rows"]
    for key in ("chisq", "gfi", "agfi", "tli", "cfi", "rmsea", "cmin_df", "p"):
        assert printed["fit"][key] == printed["fit_text"][key]
    total = sum(
        row["frequency"]
        for row in printed["demographics"]["rows"]
        if row["characteristic"] == "income"
    )
    assert total == printed["demographics"]["total"] == model.codebook.n
    weights, errors = (printed[t]["rows"] for t in ("regression_weights", "hypotheses"))
    pairs = {0: 4, 2: 2, 3: 3, 4: 0}  # every ratio returns an error of Table 4 but the second
    for i, j in pairs.items():
        ratio = weights[i]["est"] / weights[i]["cr"]
        assert ratio == pytest.approx(errors[j]["coefficient"], abs=5e-4)
    assert weights[1]["est"] / weights[1]["cr"] == pytest.approx(0.115, abs=5e-4)


def test_every_reading_uses_each_row_once() -> None:
    known = publication("alliance_mediation")
    assert len(known.readings) == 21
    for reading in known.readings:
        for table in ("regression_weights", "hypotheses"):
            rows = {c.row for e in reading.evidence for c in e.cells if c.table == table}
            assert rows == {1, 2, 3, 4, 5}
        for evidence in reading.evidence:
            est, ratio, se = (
                next(c for c in evidence.cells if c.kind == kind) for kind in ("est", "cr", "se")
            )
            if evidence.label != "c1":
                assert est.value / ratio.value == pytest.approx(se.value, abs=5e-4)
