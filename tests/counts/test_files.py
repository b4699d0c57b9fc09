"""Tables of theme counts are read strictly, and say what is wrong and where."""

from pathlib import Path

import pytest

from bayesem.counts.fit import fit_counts
from bayesem.counts.table import count_model
from bayesem.errors import DataError, PriorError, PropositionError, StudyError
from bayesem.propositions import read_propositions
from bayesem.verdicts import assess

GOOD = """[study]
title = "t"
[counts]
total = 9
informants = 2
[counts.themes.a]
x = 3
y = 1
[counts.themes.b]
z = 2
[counts.texts]
x = "the first"
"""


def test_the_paper_s_table(table):
    assert table.counts.tolist() == [11, 9, 18, 14, 20, 15, 7, 6, 12]
    assert (table.listed, table.total, table.left_out, table.informants) == (112, 284, 172, 7)
    assert list(table.themes) == ["initiation", "work", "relations", "companions", "social_capital"]
    assert set(table.texts) == {*table.themes, *table.subthemes}


def test_a_file_of_one_s_own(tmp_path: Path):
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    found = count_model(path)
    assert found.counts.tolist() == [3, 1, 2]
    assert (found.left_out, found.informants, found.texts["x"]) == (3, 2, "the first")
    assert len(found.sha256) == 64


@pytest.mark.parametrize(
    ("old", "new", "message", "line"),
    [
        ("y = 1", "y = -1", "`y` is -1, not a whole number of at least 0", 8),
        ("y = 1", "y = 1.5", "`y` is 1.5, not a whole number", 8),
        ("y = 1", "y = true", "`y` is True, not a whole number", 8),
        ("y = 1", 'y = "1"', "`y` is '1', not a whole number", 8),
        ("total = 9", "total = 5", "`total` is 5, and the sub-themes sum to 6", 4),
        ("informants = 2", "informants = 0", "`informants` is 0", 5),
        ("informants = 2", "informant = 2", "Unknown key `informant`", 5),
        ("z = 2", "x = 2", "`x` names two things", 10),
        ("z = 2", "a = 2", "`a` names two things", 10),
        ("z = 2", "other = 2", "`other` stands for what a table leaves out", 10),
        ("z = 2", '"z-z" = 2', "`z-z` cannot stand in a claim", 10),
        ("z = 2", "and = 2", "`and` cannot stand in a claim", 10),
        ("z = 2\n", "", "The theme `b` has no sub-themes", 9),
        ('x = "the first"', 'w = "?"', "`w` is neither a theme nor a sub-theme", 12),
        ('x = "the first"', "x = 1", "`x` is no text", 12),
    ],
)
def test_a_table_that_cannot_be(tmp_path: Path, old, new, message, line):
    path = tmp_path / "mine.toml"
    assert GOOD.count(old) == 1
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(StudyError) as caught:
        count_model(path)
    assert message in caught.value.message
    assert caught.value.span.where.startswith(f"{path}:{line}:")


@pytest.mark.parametrize(
    ("themes", "message"),
    [
        ({"a": {"x": 0, "y": 0}}, "No sub-theme has a reference"),
        ({"a": {"x": 3}}, "one sub-theme, so its share is 1"),
        ({}, "There are no themes"),
        ({"a": 3}, "has no sub-themes"),
        ({"a": {"x": 10**12, "y": 1}}, "not a whole number"),
    ],
)
def test_a_mapping_that_cannot_be(themes, message):
    with pytest.raises(DataError, match=message):
        count_model(themes)


def test_what_is_no_table():
    with pytest.raises(StudyError, match="has no theme counts"):
        count_model("alliance_mediation")
    with pytest.raises(StudyError, match="There is no study"):
        count_model("facilitated_aliance")
    with pytest.raises(DataError, match="theme counts are a list"):
        count_model([1, 2])
    with pytest.raises(DataError, match="beside a file"):
        count_model("facilitated_alliance", total=300)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"design_effect": 0.5}, DataError, "the design effect is 0.5"),
        ({"design_effect": float("nan")}, DataError, "the design effect is nan"),
        ({"others": "drop"}, DataError, "others is 'drop'"),
        ({"prior": "flatt"}, PriorError, "the prior of shares is 'flatt'"),
        ({"prior": 0.0}, PriorError, "the prior of shares is 0.0"),
        ({"method": "gibbs"}, DataError, "method is 'gibbs'"),
        ({"chains": 1}, DataError, "chains is 1"),
        ({"seed": -1}, DataError, "seed is -1"),
    ],
)
def test_arguments_that_cannot_be(table, arguments, error, message):
    with pytest.raises(error, match=message):
        fit_counts(table, **arguments)


def test_nothing_is_left_out_to_be_other():
    with pytest.raises(DataError, match="leaves no reference out"):
        fit_counts({"a": {"x": 3, "y": 1}}, others="other")


@pytest.mark.parametrize(
    ("claim", "message", "hint"),
    [
        (
            "share(trsut) > 0.1",
            "`trsut` is neither a theme nor a sub-theme",
            "Did you mean `trust`",
        ),
        ("a > 0", "`a` is of a survey's model", "compares shares"),
        ("null(a)", "`a` is of a survey's model", "compares shares"),
        ("total(BRIDGE -> ALLY) > 0", "is of a survey's model", "compares shares"),
        ("share(trust) > g1", "`g1` is of a survey's model", "compares shares"),
        ("std(share(trust)) > 0", "no standardised value", "as it is"),
        ("share(trust | phase = before) > 0", "cannot be read off a table", "code-by-segment"),
        ("null(share(trust))", "for which the rule has no rope", "There are ropes for"),
        ("null(share(trust)/share(roles))", "has no standardised scale", "There are ropes for"),
    ],
)
def test_claims_that_counts_cannot_answer(counted, claim, message, hint):
    with pytest.raises(PropositionError) as caught:
        assess({"P": claim}, counted)
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_a_claim_can_only_need_what_is_known(tmp_path: Path):
    path = tmp_path / "p.toml"
    path.write_text('[T]\nsays = "s"\nclaim = "share(a) > 0"\nneeds = "segment"\n')
    with pytest.raises(PropositionError, match="No claim can need `segment`") as caught:
        read_propositions(path)
    assert caught.value.hint == "Did you mean `segments`?"
    assert caught.value.span.where == f"{path}:4:1"
