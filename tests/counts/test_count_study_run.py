"""The study runs on its counts, on segments, or beside answers; the page says which."""

import json

import pandas as pd
import pytest

from bayesem import study_counts
from bayesem.campaigns.interviews import interviews
from bayesem.cli import main
from bayesem.counts.fit import fit_counts
from bayesem.errors import StudyError
from bayesem.figures import plot_shares
from bayesem.generator import generate
from bayesem.study_record import record
from bayesem.studying import run_study

STUDY = "facilitated_alliance"
SURVEY = [f"F{k}" for k in range(1, 8)]


@pytest.fixture(scope="module")
def ran():
    """The study on Table 1, with few futures."""
    with pytest.MonkeyPatch.context() as patch:
        few = {"replicates": 40, "draws": 200, "most": 8}
        patch.setattr(study_counts, "interviews", lambda *a, **k: interviews(*a, **k, **few))
        return run_study(STUDY, seed=1)


def test_claims_on_a_survey_wait(ran):
    rows = ran.verdicts.table.set_index("name")
    assert set(rows.loc[SURVEY, "verdict"]) == {"needs survey data"}
    assert rows.loc["N2_wide", "verdict"] == "supported"
    assert rows.loc["T1", "verdict"] == "not testable"
    assert list(rows.index) == [p.name for p in ran.propositions]
    assert ran.converged
    assert not ran.fits


def test_the_page(ran):
    text = str(ran)
    assert max(map(len, text.splitlines())) <= 80
    assert "nan" not in text.replace("Nannan", "")
    words = " ".join(text.split())
    for said in (
        "112 references to 9 sub-themes, of 284 that were coded",
        "172 left out against the claim",
        "172 of 284 references coded are not in the table",
        "N2_wide (supported) is undecided at design effect 4",
        "two-level models do not exist yet",
        "not testable from the table; what would make it so",
        "over 8",
    ):
        assert said in words, said
    assert "SYNTHETIC" not in text


def test_the_record_is_json(ran):
    found = json.loads(json.dumps(record(ran), allow_nan=False))
    assert found["counts"]["themes"]["work"] == {"roles": 18, "coordination": 14}
    assert len(found["counts"]["sensitivity"]) == 6 * 8
    assert {v["verdict"] for v in found["verdicts"][:7]} == {"needs survey data"}


def test_on_segments(rows):
    result = run_study(STUDY, segments=rows.assign(synthetic=1), seed=1)
    text = " ".join(str(result).split())
    assert "Verdicts on SYNTHETIC segments" in text
    assert "Shares by phase" in text
    assert "not testable" not in text
    assert max(map(len, str(result).splitlines())) <= 80
    json.dumps(record(result), allow_nan=False)


def test_segments_are_for_counts(rows):
    with pytest.raises(StudyError, match="takes no segments here"):
        run_study("alliance_mediation", segments=rows)
    with pytest.raises(StudyError, match="takes no segments here"):
        run_study(STUDY, segments=rows, n=50)


@pytest.mark.slow
def test_generated_answers_and_real_counts_do_not_mix():
    result = run_study(STUDY, n=60, draws=10, tune=10, chains=2)
    assert result.counts is None
    assert set(result.verdicts.table["name"]) == set(SURVEY)
    assert "about the theme counts, which are real: N1, N2" in " ".join(str(result).split())


@pytest.mark.slow
def test_answers_beside_counts(monkeypatch):
    few = {"replicates": 40, "draws": 200, "most": 8}
    monkeypatch.setattr(study_counts, "interviews", lambda *a, **k: interviews(*a, **k, **few))
    answers = generate(STUDY, 60, seed=1)
    answers.attrs = {}  # as if they were observed
    result = run_study(STUDY, data=answers, draws=10, tune=10, chains=2)
    rows = result.verdicts.table.set_index("name")
    assert set(rows.loc[SURVEY, "verdict"]) == {"withheld"}
    assert rows.loc["N2_wide", "verdict"] == "supported"
    text = str(result)
    assert max(map(len, text.splitlines())) <= 80
    assert "Enterprises of a community count as independent" in " ".join(text.split())
    json.dumps(record(result), allow_nan=False)


def test_the_command(tmp_path, rows, capsys):
    path = tmp_path / "codes.csv"
    rows.drop(columns="informant").to_csv(path, index=False)
    assert main(["run", STUDY, "--segments", str(path), "--quiet"]) == 2
    assert "no column `informant`" in capsys.readouterr().err


def test_the_survey_s_generator():
    data = generate(STUDY, 4000, seed=1)
    assert data.attrs["synthetic"]
    assert data["prior_ties"].mean() == pytest.approx(1.0, abs=0.07)
    assert (data["prior_ties"] == 0).mean() == pytest.approx(0.368, abs=0.03)
    assert pd.Series(data["br1"]).between(1, 10).all()
    names = {"F1": "g1", "F7": "j6"}
    for name, label in names.items():
        for state, value in (("true", 1), ("false", 0), ("reversed", -1)):
            drawn = generate(STUDY, 20, propositions={name: state}, seed=1)
            sign = drawn.attrs["truth"][label]
            assert (sign > 0) - (sign < 0) == value


def test_shares_are_drawn(tmp_path, table, phased):
    pytest.importorskip("matplotlib")
    fits = [fit_counts(table, design_effect=d, draws=500, seed=1) for d in (1, 2, 4)]
    figure = plot_shares(fits, tmp_path / "s.png")
    labels = [t.get_text().replace("\n", " ") for t in figure.axes[0].get_yticklabels()]
    assert "Support between members" in labels
    assert len(labels) == 13
    assert (tmp_path / "s.png").stat().st_size > 10_000
    synthetic = plot_shares(phased)
    assert any(t.get_text() == "SYNTHETIC DATA" for t in synthetic.texts)
    with pytest.raises(Exception, match="cannot be told apart"):
        plot_shares([*fits, fits[0]])
    with pytest.raises(Exception, match="different themes"):
        plot_shares([fits[0], fit_counts({"a": {"x": 1, "y": 2}}, draws=100)])
