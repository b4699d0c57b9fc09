"""Codebooks that were badly transcribed: one error each, with file and line. And odd papers."""

import json

import pytest

import bayesem as sem
from bayesem.cli import main
from bayesem.errors import StudyError

HEAD = '[study]\ntitle = "A paper"\nn = 100\n'
BAD = {
    # what is wrong: text after the head, line of the file, parts of the message
    "a loading above 1": (
        '[printed.loadings]\nrows = [\n    { lhs = "F", op = "=~", rhs = "x1", est = 1.02 },\n]\n',
        6, ("`est` is 1.02", "between -1 and 1"),
    ),
    "text where a number belongs": (
        '[printed.weights]\nrows = [\n    { lhs = "Y", op = "~", rhs = "X", est = "0.3", cr = 2.1 },\n]\n',
        6, ("`est` is '0.3', no number",),
    ),
    "an unknown column": (
        '[printed.weights]\nrows = [\n    { lhs = "Y", op = "~", rhs = "X", esst = 0.3 },\n]\n',
        6, ("Unknown column `esst`", "`est`?"),
    ),
    "an unknown kind": (
        '[printed.one]\nkind = "pahts"\n', 5, ("no kind 'pahts'", "`paths`?"),
    ),
    "a p above 1": (
        '[printed.w]\nrows = [\n    { lhs = "Y", op = "~", rhs = "X", p = 1.2 },\n]\n',
        6, ("`p` is 1.2", "between 0 and 1"),
    ),
    "stars that mean nothing": (
        '[printed.w]\nrows = [\n    { lhs = "Y", op = "~", rhs = "X", p = "****" },\n]\n',
        6, ("`p` is '****'", '"< .001"'),
    ),
    "a negative error": (
        '[printed.w]\nrows = [\n    { lhs = "Y", op = "~", rhs = "X", se = -0.1 },\n]\n',
        6, ("`se` is -0.1, not above 0",),
    ),
    "a percentage above 100": (
        '[printed.t]\nkind = "frequencies"\nrows = [\n'
        '    { characteristic = "age", group = "a", frequency = 3, percentage = 300.0 },\n]\n',
        7, ("no percentage",),
    ),
    "half a case": (
        '[printed.t]\nkind = "frequencies"\nrows = [\n'
        '    { characteristic = "age", group = "a", frequency = 3.5 },\n]\n',
        7, ("`frequency` is 3.5, no count",),
    ),
    "a row without its name": (
        '[printed.reliability]\nrows = [\n    { ave = 0.5 },\n]\n', 6, ("has no `factor`",),
    ),
    "an AVE of 71 percent": (
        '[printed.reliability]\nrows = [\n    { factor = "F", ave = 71.0 },\n]\n',
        6, ("not between 0 and 1",),
    ),
    "a triangle with a hole": (
        '[printed.correlations]\nnames = ["A", "B"]\nrows = [[1.0], [0.3]]\n',
        6, ("row 2 has not 2 numbers",),
    ),
    "a sentence about no table": (
        '[[printed.text]]\nitem = "n"\nvalue = 100\nwhere = "p. 1"\nof = "sampel.kept"\n'
        "[printed.sample]\nkept = 100\n", 8, ("names no table", "`sample`?"),
    ),
    "a sentence without a place": (
        '[[printed.text]]\nitem = "n"\nvalue = 100\n', 4, ("has no `where`",),
    ),
    "a date that is none": (
        '[printed.history]\nkind = "dates"\nrows = [\n    { event = "sent", date = "May 3" },\n]\n',
        7, ("no date", "2026-05-11"),
    ),
    "no numbers that are finite": (
        '[printed.w]\nrows = [\n    { lhs = "Y", op = "~", rhs = "X", est = nan },\n]\n',
        6, ("no finite number",),
    ),
    "digits that are none": (
        '[printed.fit]\ndigits = "two"\nchisq = 3.2\n', 5, ("`digits` is 'two'",),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_errors_give_file_and_line(tmp_path, name):
    text, line, says = BAD[name]
    path = tmp_path / "paper.toml"
    path.write_text(HEAD + text)
    with pytest.raises(StudyError) as caught:
        sem.audit(path)
    message = str(caught.value)
    assert f"paper.toml:{line}:" in message, message
    for part in says:
        assert part in message


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ("[printed.fit]\nchisq = 30.1\ndf = 20\nrmsea = 0.071\n", 3),
        (
            '[printed.t]\nkind = "frequencies"\nrows = [\n'
            '    { characteristic = "a", group = "b", frequency = 3, percentage = 30.0 },\n]\n', 3,
        ),
        ('[printed.descriptives]\nrows = [\n    { name = "x", mean = 3.2, sd = 1.0 },\n]\n', 3),
    ],
)  # fmt: skip
def test_a_missing_n_is_missed_where_it_is_needed(tmp_path, table, line):
    path = tmp_path / "paper.toml"
    path.write_text('[study]\ntitle = "A paper"\n' + table)
    with pytest.raises(StudyError, match="`n` is missing") as caught:
        sem.audit(path)
    assert f"paper.toml:{line}:" in str(caught.value)


def test_without_printed_numbers_there_is_nothing_to_check(tmp_path):
    path = tmp_path / "paper.toml"
    path.write_text(HEAD)
    with pytest.raises(StudyError, match="has no `\\[printed\\]` part"):
        sem.audit(path)
    with pytest.raises(StudyError, match="There is no file"):
        sem.audit(tmp_path / "other.toml")


def test_a_table_that_no_check_knows_is_listed(tmp_path):
    path = tmp_path / "paper.toml"
    path.write_text(HEAD + "[printed.relaibility]\nrows = []\n")
    table = sem.audit(path, rebuild=False)
    assert table["verdict"].tolist() == ["not checkable"]
    assert "`reliability`?" in table["remedy"].iloc[0]


ODD = """
[printed.pls]
where = "Table 4"
rows = [
    { lhs = "Y", op = "~", rhs = "X", std = 0.412, t = 5.210, p = 0.000, result = "supported" },
    { lhs = "Y", op = "~", rhs = "M", std = 0.101, t = 1.310, p = 0.095, result = "not supported" },
]
[printed.regression]
where = "Table 5"
rows = [{ outcome = "Y", R2 = 0.250, adj_R2 = 0.235, F = 16.17, df1 = 2, df2 = 97, p = 0.000 }]
[printed.descriptives]
where = "Table 2"
n = 20
items = 1
scale = [1, 5]
rows = [
    { name = "x", mean = 3.45, sd = 1.10 },
    { name = "y", mean = 3.47, sd = 1.10 },
    { name = "z", mean = 4.90, sd = 1.50 },
]
[printed.correlations]
where = "Table 3"
names = ["A", "B", "C"]
rows = [[1.0], [0.90, 1.0], [-0.60, 0.60, 1.0]]
[printed.effects]
where = "Table 6"
rows = [{ lhs = "Y", rhs = "X", direct = 0.30, indirect = 0.12, total = 0.40 }]
"""


def test_a_paper_of_another_kind(tmp_path):
    """Bootstrapped t, a regression, GRIM, an impossible matrix, effects that do not add up."""
    path = tmp_path / "paper.toml"
    path.write_text(HEAD + ODD)
    table = sem.audit(path, rebuild=False)
    wrong = table[table["verdict"] == "inconsistent"].set_index("item")
    assert set(wrong.index) == {
        "Y ~ M: p", "y: mean", "z: SD", "correlations of 3 variables: smallest eigenvalue", "Y ~ X: total",
    } | set(wrong[wrong["check"] == "GRIMMER"].index)  # fmt: skip
    assert "one-tailed" in wrong.loc["Y ~ M: p", "remedy"]
    assert "3.45 or 3.50" in wrong.loc["y: mean", "remedy"]
    assert "r(" in wrong.loc["correlations of 3 variables: smallest eigenvalue", "remedy"]
    good = table[table["item"].isin(["x: mean", "Y: F", "Y: adjusted R2", "Y: p of F"])]
    assert set(good["verdict"]) == {"consistent"}


def test_the_command(tmp_path, capsys):
    path = tmp_path / "paper.toml"
    path.write_text(HEAD + ODD)
    assert main(["audit", str(path), "--quick", "--all"]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert "Inconsistent\n" in out
    assert "Consistent\n" in out
    assert main(["audit", str(path), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert {"item", "printed", "recomputed", "verdict", "difference", "where"} <= set(record["findings"][0])  # fmt: skip
    path.write_text(HEAD + BAD["a loading above 1"][0])
    assert main(["audit", str(path)]) == 2
    assert "paper.toml:6:" in capsys.readouterr().err


@pytest.mark.parametrize("study", ["alliance_mediation", "export_strategy", "facilitated_alliance"])
def test_pages_of_the_studies_fit_80_columns(study, capsys):
    assert main(["audit", study, "--quick"]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
