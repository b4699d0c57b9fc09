"""Claims on shares go to counts, claims on labels to surveys, by one rule and one table."""

import numpy as np
import pytest
from fake_fits import fake_fit, normal_grid

import bayesem as sem
from bayesem.claim_kinds import kind_of
from bayesem.counts.fit import fit_counts
from bayesem.errors import PropositionError
from bayesem.grammar.claims import categories, parse_claim
from bayesem.grammar.statements import expression_text
from bayesem.verdicts import assess

STUDY = "facilitated_alliance"


@pytest.fixture(scope="module")
def survey():
    draws = {
        k: normal_grid(m, 0.1, seed=s)
        for s, (k, m) in enumerate({"a": 0.5, "b": 0.3, "c": 0.0}.items())
    }
    prior = {k: normal_grid(0, 0.5, seed=9 + s) for s, k in enumerate("abc")}
    return fake_fit(draws, prior)


def test_the_study_s_verdicts(counted):
    found = assess(STUDY, counted)
    verdicts = found.table.set_index("name")["verdict"]
    assert verdicts["N2_wide"] == "supported"
    assert set(verdicts[["N1", "N2", "N3", "N3_relations", "N4"]]) == {"undecided"}
    assert set(verdicts[["T1", "T2", "T3"]]) == {"not testable"}
    assert "F1, F2, F3, F4, F5, F6, F7" in " ".join(found.notes)
    assert "Supported claims: 1 of 6." in " ".join(found.notes)


def test_a_row_that_cannot_be_answered_says_what_would_answer_it(counted):
    found = assess(STUDY, counted)
    row = found.table.set_index("name").loc["T1"]
    assert "code-by-segment table" in row["reason"]
    assert np.isnan(row["probability"])
    assert np.isnan(row["bayes_factor"])
    text = str(found)
    assert "T1                      not testable\n" in text
    assert "nan" not in text
    assert max(map(len, text.splitlines())) <= 80


def test_both_kinds_of_fit_together(counted, survey):
    claims = {
        "L": "a > 0",
        "S": "share(bringing) > share(mediation)",
        "T": "S and share(trust) > 0.05",
    }
    found = assess(claims, {"survey": survey, "counts": counted})
    rows = found.table.set_index("name")["reading"].to_dict()
    assert rows == {"L": "survey", "S": "counts", "T": "counts"}
    assert not any("no pooled row" in note for note in found.notes)
    alone = assess({"S": claims["S"]}, counted).table
    assert found.table.set_index("name").loc["S", "probability"] == alone["probability"][0]


def test_one_claim_on_both_is_refused(counted, survey):
    with pytest.raises(PropositionError, match="of a survey's model"):
        assess({"P": "a > 0 and share(trust) > 0.1"}, {"survey": survey, "counts": counted})


def test_design_effects_as_readings_of_one_table(table):
    fits = {f"d{d}": fit_counts(table, design_effect=d, seed=1) for d in (1, 4)}
    found = assess({"P": "share(initiation) > share(mediation)"}, fits).table
    assert list(found["reading"]) == ["d1", "d4"]
    assert list(found["verdict"]) == ["supported", "undecided"]


def test_shares_are_a_kind_with_a_rope_of_its_own():
    kinds = {
        "share(a)": "share", "share(a) + share(b)": "share", "2*share(a)": "share",
        "share(a)/share(b)": "no scale", "share(a)*share(b)": "no scale", "share(a) + 0.1": "share",
        "max(share(a), share(b))": "share", "share(a) + risk_difference(Y ~ X | 1, 0)": "no scale",
    }  # fmt: skip
    for text, kind in kinds.items():
        assert kind_of(parse_claim(f"{text} > 0").left, None) == kind, text


def test_a_share_within_a_phase_reads_back():
    text = "share(trust | phase = conflict) > share(trust)"
    claim = parse_claim(text)
    assert expression_text(claim) == text
    assert parse_claim(expression_text(claim)) == claim
    assert [name for name, _ in categories(claim)] == ["trust", "trust"]
    for wrong in ("share(trust | phase)", "share(trust | phase = )", "share(trust | phase = 1)"):
        with pytest.raises(PropositionError):
            parse_claim(f"{wrong} > 0")


def test_synthetic_counts_are_labelled(table):
    fit = fit_counts(table, synthetic=True, draws=100, seed=1)
    assert "SYNTHETIC" in fit.notes[0]
    assert "SYNTHETIC" in assess({"P": "share(trust) > 0.1"}, fit).notes[0]


@pytest.mark.parametrize("name", ["summary", "effects", "loo", "influence", "sensitivity"])
def test_what_is_for_surveys_says_what_to_do_instead(counted, name):
    claims = {"P": "share(trust) > 0.1"}
    calls = {
        "summary": lambda: sem.summary(counted),
        "effects": lambda: sem.effects(counted),
        "loo": lambda: sem.loo(counted),
        "influence": lambda: sem.influence(counted, claims),
        "sensitivity": lambda: sem.sensitivity(assess(claims, counted)),
    }
    with pytest.raises(sem.NotAvailableError, match="these are theme counts") as caught:
        calls[name]()
    assert caught.value.hint


def test_a_verdict_on_counts_is_drawn(counted):
    pytest.importorskip("matplotlib")
    found = assess(STUDY, counted)
    figure = sem.plot_verdict(found, "N2")
    assert "N2: undecided" in figure.texts[0].get_text()
    with pytest.raises(PropositionError, match="`T1` is not testable, so there is nothing to draw"):
        sem.plot_verdict(found, "T1")
