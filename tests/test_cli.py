"""The command line: exit codes, one clear message, files that are read and written."""

import json

import numpy as np
import pandas as pd
import pytest

from bayesem.answers_file import read_csv
from bayesem.cli import main
from bayesem.cli.registry import COMMANDS
from bayesem.errors import DataError
from bayesem.generator import generate
from bayesem.model import read_model
from bayesem.studying import priors_from

STUDY = "alliance_mediation"
SHORT = ["--draws", "10", "--tune", "20"]


def leave(argv):
    """Exit code of a command that argparse ends."""
    with pytest.raises(SystemExit) as stop:
        main(argv)
    return stop.value.code


# --- help and mistakes ----------------------------------------------------------------------------


@pytest.mark.parametrize("command", [command.name for command in COMMANDS])
def test_help_teaches(command, capsys):
    assert leave([command, "--help"]) == 0
    out = capsys.readouterr().out
    assert f"\n  bayesem {command}" in out.partition("Example")[2]
    assert max(map(len, out.splitlines())) <= 80


def test_version(capsys):
    assert leave(["--version"]) == 0
    assert capsys.readouterr().out.startswith("bayesem ")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["rnu"], "Did you mean `run`?"),
        ([], "required: COMMAND"),
        (["run"], "required: STUDY"),
        (["run", STUDY, "--draws", "0"], "not at least 1"),
        (["run", STUDY, "--chains", "x"], "invalid"),
    ],
)
def test_mistakes_in_the_command(argv, message, capsys):
    assert leave(argv) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["run", "alliance_mediaton"], "Did you mean `alliance_mediation`?"),
        (["run", STUDY, "--variant", "no_aliance"], "has no variant"),
        (["run", STUDY, "--data", "nowhere.csv"], "no file `nowhere.csv`"),
        (["run", STUDY, "--priors", "paths~normal"], "is no prior"),
        (["rebuild", STUDY, "Q", "--out", "S.csv"], "no reading `Q`"),
        (["rebuild", STUDY, "T", "--out", "no/such/folder/S.csv"], "no/such/folder"),
        (["simulate", "nothing", "--n", "9", "--out", "x.csv"], "There is no study"),
        (
            ["simulate", STUDY, "--n", "90", "--out", "x.csv", "--set", "H1=true"],
            "declares no truth",
        ),
        (["simulate", "export_strategy", "--n", "9", "--out", "x.csv", "--set", "P2"], "sets no"),
        (["run", "export_strategy", "--set", "P2=wrong"], "P2 is made `wrong`"),
        (["run", STUDY, "--set", "H1=true"], "nothing is drawn"),
        (["assess", "nowhere.nc", STUDY], "nowhere.nc"),
        (["fit", "f =~ ", "--data", "nowhere.csv"], ""),
    ],
)
def test_bad_input_is_one_message(argv, message, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert main(argv) == 2
    err = capsys.readouterr().err
    assert message in err
    assert "Traceback" not in err


# --- answers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"a;b\n1;2\n", "semicolons"),
        (b"a\tb\n1\t2\n", "tabs"),
        (b'a,b\n"1,5",2\n', "line 2: column `a` holds '1,5', a decimal comma"),
        (b"a,b\n1,5,2\n", "line 2: 3 cells under 2 names"),
        (b"a,b\n1\n", "line 2: 1 cells under 2 names"),
        (b"a,a\n1,2\n", "column `a` stands 2 times"),
        (b"1,2\n3,4\n", "numbers in its first row"),
        (b"a,b\n", "no answers"),
        (b"a,b\n\xff\xfe,2\n", "not text in UTF-8"),
        (b"PK\x03\x04\0\0", "not text in UTF-8"),
    ],
)
def test_csv_is_refused_with_its_reason(content, message, tmp_path):
    path = tmp_path / "answers.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_csv(path)


def test_csv_that_is_no_file(tmp_path):
    with pytest.raises(DataError, match="no file"):
        read_csv(tmp_path / "nowhere.csv")
    with pytest.raises(DataError, match="is a folder"):
        read_csv(tmp_path)


def test_csv_is_read_as_it_stands(tmp_path):
    path = tmp_path / "answers.csv"
    path.write_bytes(b"\xef\xbb\xbfa,b\r\n1,2.5\r\n,NA\r\n\r\n")
    data = read_csv(path)
    assert list(data.columns) == ["a", "b"]
    np.testing.assert_array_equal(data.to_numpy(), [[1, 2.5], [np.nan, np.nan]])
    assert not data.attrs.get("synthetic", False)


def test_priors_as_text():
    assert priors_from([]) is None
    assert priors_from(["blavaan"]) == "blavaan"
    assert priors_from(["f =~ x=normal(0, sigma=1)"]) == {"f =~ x": "normal(0, sigma=1)"}


# --- files ----------------------------------------------------------------------------------------


def test_template(tmp_path, capsys):
    argv = ["template", STUDY, "--out", str(tmp_path / "survey")]
    assert main(argv) == 0
    header = pd.read_csv(tmp_path / "survey" / f"{STUDY}.csv")
    book = pd.read_csv(tmp_path / "survey" / f"{STUDY}_codebook.csv")
    assert tuple(header.columns) == read_model(STUDY).observed == tuple(book["column"])
    assert len(header) == 0
    assert len(book) == 21
    assert set(book["highest"]) == {10.0}
    assert main(argv) == 2
    assert "exists already" in capsys.readouterr().err
    assert main([*argv, "--force"]) == 0


def test_template_of_a_time(tmp_path):
    """What says that a time is censored has to be filled in; the scale is that of answers alone."""
    assert main(["template", "export_strategy:time", "--out", str(tmp_path)]) == 0
    header = pd.read_csv(tmp_path / "export_strategy_time.csv")
    book = pd.read_csv(tmp_path / "export_strategy_time_codebook.csv", index_col="column")
    assert list(header.columns[-2:]) == ["years", "still_waiting"]
    assert "exporting" not in header
    assert book.loc[["size", "sector", "years", "still_waiting"], "highest"].isna().all()
    assert book.loc["ep1", "highest"] == 10
    assert book.loc["years", "family"] == "lognormal"


def test_studies(capsys):
    assert main(["studies"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(STUDY)
    assert "4 factors, 21 columns" in out
    assert [line for line in out.splitlines() if line.startswith("export_strategy")] == [
        "export_strategy"
    ]
    assert "benchmark, moderated, mediated" in out
    assert "runs on synthetic answers from a declared truth" in out


def test_rebuild_writes_a_correlation_matrix(tmp_path, capsys):
    path = tmp_path / "S.csv"
    assert main(["rebuild", STUDY, "T", "--out", str(path), "--json", "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["indicators"] == list(read_model(STUDY).observed)
    assert err == ""
    S = pd.read_csv(path, index_col=0)
    assert list(S.index) == list(S.columns) == list(read_model(STUDY).observed)
    np.testing.assert_allclose(np.diag(S), 1)
    assert np.linalg.eigvalsh(S.to_numpy()).min() > 0


def test_simulate_fit_assess(tmp_path, capsys):
    data, kept = tmp_path / "answers.csv", tmp_path / "fit.nc"
    assert main(["simulate", STUDY, "--n", "150", "--out", str(data)]) == 0
    assert read_csv(data).attrs["synthetic"]
    assert main(["fit", STUDY, "--data", str(data), "--out", str(kept), "-q", *SHORT]) == 1
    assert main(["assess", str(kept), STUDY]) == 1
    variant = ["--variant", "rsc_mediated"]  # all models at once: tests/test_study_models.py
    assert main(["run", STUDY, "--data", str(data), "--quiet", *variant, *SHORT]) == 1
    out, err = capsys.readouterr()
    assert "NOT CONVERGED" in out
    assert "SYNTHETIC" in out
    assert "did NOT converge" in out
    assert err == ""


def test_simulate_from_a_declared_truth(tmp_path, capsys):
    path = tmp_path / "x.csv"
    argv = ["simulate", "export_strategy", "--n", "60", "--out", str(path)]
    assert main([*argv, "--set", "P2=reversed", "--set", "P1=false"]) == 0
    raw, data = pd.read_csv(path), read_csv(path)
    assert set(raw["synthetic"]) == {1}
    assert data.attrs["synthetic"]
    assert tuple(data.columns) == read_model("export_strategy").observed
    expected = generate(
        "export_strategy", 60, propositions={"P2": "reversed", "P1": "false"}, seed=1
    )
    np.testing.assert_allclose(data, expected)
    assert data.loc[data["exporting"] == 0, "ep1"].isna().all()
    assert main(["simulate", "export_strategy:time", "--n", "60", "--out", str(path)]) == 0
    assert list(read_csv(path).columns[-2:]) == ["years", "still_waiting"]
    assert main([*argv, "--continuous"]) == 0
    assert read_csv(path)["dinf1"].nunique() == 60
    assert "60 SYNTHETIC rows" in capsys.readouterr().out


def test_run_as_json(tmp_path, capsys):
    argv = ["run", STUDY, "--readings", "T", "D", "--draws-of-matrix", "1", "--json", *SHORT]
    assert main([*argv, "--save", str(tmp_path / "fits")]) == 1
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert [row["reading"] for row in found["readings"]] == ["T", "D"]
    assert {row["verdict"] for row in found["verdicts"]} == {"withheld"}
    assert sorted(p.name for p in (tmp_path / "fits").iterdir()) == ["D-1.nc", "T-1.nc"]
    assert "1/2 reading T, matrix 1 of 1" in err
