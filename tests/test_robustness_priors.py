"""Verdicts under other ropes and priors: against refits, exact weights and ArviZ's own numbers."""

from dataclasses import replace

import arviz as az
import kinds
import numpy as np
import pandas as pd
import pytest

from bayesem.errors import ConvergenceWarning, PropositionError
from bayesem.fitting import fit as fit_model
from bayesem.pointwise import compute_log_likelihood
from bayesem.prior_scaling import scaled
from bayesem.robustness import priors
from bayesem.robustness.power_scaling import with_pooled
from bayesem.robustness.priors import _pulled, sensitivity
from bayesem.robustness.reweighting import Moved, Refits, under_prior
from bayesem.sampling.convergence import Convergence
from bayesem.verdicts import Verdicts, assess


@pytest.fixture(scope="module")
def complete():
    return kinds.fit_of("complete")


def _b(fit):
    return fit.draws["posterior"]["b"].to_numpy()


def test_weights_are_the_ratio_of_the_path_priors(complete):
    """Normal densities written down once more, on the sampled paths in home units."""
    spec = complete.spec
    x = complete.draws["sampled_posterior"]["x"].to_numpy()
    log = 0.0
    for k, p in enumerate(spec.parameters):
        if p.variable == "path":
            mu, sd = p.prior.args
            log = log + 0.5 * ((x[..., k] - mu) / sd) ** 2 * (1 - 1 / 0.5**2)
    weights = np.exp(log - log.max())
    expected = (weights * _b(complete)).sum() / weights.sum()
    moved = under_prior(complete, 0.5)
    assert moved.way == "reweighted"
    assert moved.pareto_k < 0.7
    sd = _b(complete).std()
    assert abs(_b(moved.fit).mean() - expected) < 0.02 * sd
    assert expected < _b(complete).mean()  # towards 0
    spread = [
        np.quantile(np.abs(f.draws["prior"]["b"]), [0.25, 0.5, 0.75]) for f in (moved.fit, complete)
    ]
    np.testing.assert_allclose(spread[0], spread[1] / 2, rtol=0.08)


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_weights_agree_with_a_refit(complete, factor):
    """Means and probabilities of two claims, in Monte-Carlo standard errors of both."""
    near = under_prior(complete, factor).fit
    again = under_prior(complete, factor, refits=Refits(when=True, seed=5))
    assert again.way == "refit"
    claims = {"P1": "ab > c", "P2": "a > 0.4"}
    tables = [assess(claims, f).table for f in (near, again.fit)]
    gap = tables[0]["probability"] - tables[1]["probability"]
    assert (gap.abs() < 4 * np.hypot(tables[0]["mcse"], tables[1]["mcse"])).all()
    error = np.hypot(float(az.mcse(_b(near))), float(az.mcse(_b(again.fit))))
    assert abs(_b(near).mean() - _b(again.fit).mean()) < 4 * error
    assert tables[0]["prior_probability"].to_numpy() == pytest.approx(
        tables[1]["prior_probability"].to_numpy(), abs=4 * np.sqrt(0.5 / 10_000)
    )


def test_a_verdict_that_leans_on_the_prior_is_said_in_words(complete):
    """Pr = .98 as fitted; path priors of sd .05 pull a below the threshold."""
    edge = float(np.quantile(complete.draws["posterior"]["a"], 0.02))
    claims = {"H2b": f"a > {edge:.4f}", "H1": "b > 0"}
    found = sensitivity(assess(claims, complete), prior=(0.1,), rope=())
    row = found.table.set_index(["name", "factor"]).loc[("H2b", 0.1)]
    assert row["verdict_as_fitted"] == "supported"
    assert row["verdict"] == "refuted"
    assert bool(row["moves"])
    assert row["way"] == "refit"  # so different a prior cannot be reached by weights
    assert np.isnan(row["pareto_k"])
    said = [s for s in found.sentences if s.startswith("H2b")]
    assert said == ["H2b is supported at the priors as fitted and refuted when the priors of "
                    "paths and interactions are 0.1 times as wide."]  # fmt: skip
    assert "supported        Pr" in str(found)
    assert max(len(line) for line in str(found).splitlines()) <= 90
    assert "<li>H2b" in found._repr_html_()


def test_uneven_weights_without_a_refit_are_withheld(complete):
    found = sensitivity(assess({"P": "c > 0"}, complete), prior=(0.05,), rope=(), refit=False)
    row = found.table.iloc[-1]
    assert row["pareto_k"] > 0.7
    assert row["verdict"] == "withheld"
    assert not row["moves"]


def test_each_reading_has_its_own_pareto_k(monkeypatch):
    """Where one reading's weights are too uneven, its verdict is withheld, and the mixture's."""
    fit = kinds.fit_of("moments")
    uneven = {"T": 0.3, "B": 0.8}
    monkeypatch.setattr(
        priors, "under_prior",
        lambda fit, *_: Moved(fit, "reweighted", uneven[fit.data.reading]),
    )  # fmt: skip
    fits = {k: replace(fit, data=replace(fit.data, reading=k, weight=0.5)) for k in uneven}
    found = sensitivity(assess({"P": "a > 0"}, fits), prior=(0.5,), rope=(), refit=False)
    rows = found.table[found.table["factor"] == 0.5].set_index("reading")
    assert rows["pareto_k"].to_dict() == {"T": 0.3, "B": 0.8, "pooled": 0.8}
    assert rows["verdict"].to_dict() == {"T": "supported", "B": "withheld", "pooled": "withheld"}


def test_ropes_of_another_width(complete):
    """|std(c)| is inside half of the rope, and in twice of it, as often as the draws say."""
    from bayesem.claims_evaluation import evaluate, scope
    from bayesem.grammar.claims import parse_claim

    verdicts = assess({"N": "null(std(c))", "P": "a > 0"}, complete, rope={"path": 0.2})
    found = sensitivity(verdicts, prior=(), rope=(0.5, 1.5, 3.0))
    here = scope(complete)
    std = evaluate(parse_claim("std(c) > 0").left, here)
    rows = found.table.query("name == 'N'").set_index(["scaled", "factor"])["probability"]
    for factor, width in ((0.5, 0.1), (1.5, 0.3), (3.0, 0.6)):
        assert rows["rope", factor] == (np.abs(std) < width).mean()
    assert rows["prior", 1.0] == (np.abs(std) < 0.2).mean()
    assert any(
        s.startswith("N is undecided at the stated ropes and supported when the ropes are 1.5")
        for s in found.sentences
    )
    assert "rope x 0.5, 1.5: the same" in str(found)  # a > 0 is far from either


def test_the_rule_that_was_overridden_stays(complete):
    edge = float(np.quantile(complete.draws["posterior"]["c"], 0.03))
    verdicts = assess({"P": f"c > {edge}"}, complete, prob=0.99)
    found = sensitivity(verdicts, rope=(1.0,), prior=(1.0,))
    assert set(found.table["verdict"]) == set(verdicts.table["verdict"]) == {"undecided"}
    assert found.table["probability"].nunique() == 1


# --- power scaling ------------------------------------------------------------------------------


def test_parameters_equal_arviz(complete):
    """The likelihood's total from the kernel, against ArviZ's sum of the cases' densities."""
    compute_log_likelihood(complete)
    theirs = az.psense_summary(complete.draws, round_to=12)
    found = sensitivity(assess({"P": "a > 0"}, complete), rope=(), prior=())
    ours = found.parameters.set_index("parameter")
    assert list(ours.index) == list(theirs.index)
    for column in ("prior", "likelihood"):
        np.testing.assert_allclose(ours[column], theirs[column].astype(float), atol=1e-9)


def test_claims_by_difference_and_by_probability(complete):
    """A slope is what weights p(theta)^.01 do to the probability, per doubling."""
    verdicts = assess({"D": "a > 0.45", "B": "a > 0.45 and b > 0.3"}, complete)
    found = sensitivity(verdicts, rope=(), prior=()).claims.set_index("name")
    assert found["quantity"].tolist() == ["difference", "probability"]
    a, b = (complete.draws["posterior"][n].to_numpy() for n in "ab")
    log = sum(v.to_numpy() for v in complete.draws["log_prior"].data_vars.values())
    for name, truth in (("D", a > 0.45), ("B", (a > 0.45) & (b > 0.3))):
        p = []
        for power in (-0.001, 0.001):
            w = np.exp(power * (log - log.mean()))
            p.append((w * truth).sum() / w.sum())
        slope = (p[1] - p[0]) / (np.log2(1.001) - np.log2(0.999))
        assert found.loc[name, "slope"] == pytest.approx(slope, rel=1e-3)
    assert found.loc["B", "prior"] == pytest.approx(abs(found.loc["B", "slope"]), rel=1e-12)
    tree = complete.draws
    assert found.loc["D", "prior"] == pytest.approx(
        float(az.psense(tree, var_names=["a"], group="prior")["a"]), abs=1e-9
    )


def test_a_prior_against_the_data_is_named():
    """A path near .45 under normal(-.5, .1)."""
    fit = fit_model(
        kinds.LINEAR, kinds.data_of("complete"), priors={"a": "normal(-0.5, 0.1)"}, draws=400,
        tune=400, seed=2, progress=False,
    )  # fmt: skip
    found = sensitivity(assess({"A": "a > 0"}, fit), rope=(), prior=())
    row = found.claims.iloc[0]
    assert row["prior"] > 0.05
    assert row["diagnosis"] == "prior and data disagree"
    assert any("prior is informative for A" in s for s in found.sentences)


# --- kinds, readings, refusals ------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", ["moments", *(pytest.param(k, marks=pytest.mark.slow) for k in kinds.KINDS[1:4])]
)
def test_every_kind_of_fit(kind):
    found = sensitivity(assess(kinds.CLAIMS[kind], kinds.fit_of(kind)), prior=(0.7,), rope=(2.0,))
    assert found.table["way"].unique().tolist() == ["as fitted", "same draws", "reweighted"]
    assert found.claims[["prior", "likelihood"]].notna().all(axis=None)
    assert not found.notes


def test_readings_are_pooled_as_they_were(complete):
    other = replace(complete, draws=under_prior(complete, 0.5).fit.draws)
    other.draws["log_prior"] = complete.draws["log_prior"]
    other.draws["unconstrained_posterior"] = complete.draws["unconstrained_posterior"]
    verdicts = assess({"P": "ab > c"}, {"one": complete, "two": [complete, other]})
    found = sensitivity(verdicts, rope=(), prior=(0.8,))
    assert found.table["reading"].tolist() == ["one", "two"] * 2
    assert found.claims["reading"].tolist() == ["one", "two"]
    assert "P (two)" in str(found)


def claims_by_reading(prior, slope):
    """Sensitivities of a claim under two readings."""
    return pd.DataFrame({
        "name": "P", "reading": ["heavy", "light"], "quantity": "difference", "prior": prior,
        "likelihood": 0.1, "slope": slope, "diagnosis": ["" if p < 0.05 else "x" for p in prior],
    })  # fmt: skip


def test_a_light_reading_does_not_speak_for_all():
    weights = {"heavy": 0.96, "light": 0.04}
    found = with_pooled(claims_by_reading([0.02, 0.15], [0.01, -0.2]), weights)
    pooled = found[found["reading"] == "pooled"].iloc[0]
    assert pooled["prior"] == pytest.approx(0.96 * 0.02 + 0.04 * 0.15)
    assert pooled["slope"] == pytest.approx(0.96 * 0.01 - 0.04 * 0.2)
    assert pooled["diagnosis"] == ""
    (said,) = _pulled(found, weights)
    assert (
        said == "The prior is informative for P only under light (weight 0.04); pooled it is not."
    )
    (said,) = _pulled(with_pooled(claims_by_reading([0.2, 0.01], [0.1, -0.2]), weights), weights)
    assert said.startswith("The prior is informative for P (power-scaling sensitivity 0.19)")
    assert said.endswith("a more concentrated prior makes it more probable.")
    alone = claims_by_reading([0.02, 0.15], [0.01, -0.2])
    assert with_pooled(alone, {}) is alone
    (said,) = _pulled(alone, {})
    assert "informative for P under light (power-scaling" in said


def test_priors_without_a_scale_are_left_out():
    fit = fit_model(
        kinds.LINEAR, kinds.data_of("complete"), priors={"paths": "uniform(-2, 2)"}, draws=300,
        tune=300, seed=2, progress=False,
    )  # fmt: skip
    found = sensitivity(assess({"P": "a > 0"}, fit), rope=(2.0,), prior=(0.5,))
    assert found.table["way"].tolist() == ["as fitted", "same draws", "not available"]
    assert "has no scale apart from its location" in found.notes[0]
    assert "not available" in str(found)


def test_chains_that_did_not_converge_withhold_everything(complete):
    bad = replace(
        complete, convergence=Convergence(False, ("R-hat 1.2",), complete.convergence.table)
    )
    with pytest.warns(ConvergenceWarning):
        found = sensitivity(assess({"P": "a > 0"}, bad), rope=(2.0,), prior=(0.7,))
    assert set(found.table["verdict"]) == {"withheld"}
    assert not found.table["moves"].any()


def test_refusals(complete):
    verdicts = assess({"P": "a > 0"}, complete)
    with pytest.raises(PropositionError, match="prior has the factor 0"):
        sensitivity(verdicts, prior=(0,))
    with pytest.raises(PropositionError, match=r"(?s)kinds has 'paths'.*Did you mean `path`"):
        sensitivity(verdicts, kinds=("paths",))
    with pytest.raises(PropositionError, match="in a list"):
        sensitivity(verdicts, kinds="path")
    idle = sensitivity(verdicts, kinds=("shape",), prior=(2.0,), rope=())
    assert idle.notes == ("No parameter of the model is a shape: its priors stay as they are.",)
    assert idle.table["probability"].nunique() == 1
    with pytest.raises(PropositionError, match="come without their propositions"):
        sensitivity(Verdicts(verdicts.table, verdicts.parts, ()))
    with pytest.raises(PropositionError, match="verdicts are a dict"):
        sensitivity({})
    assert scaled(complete, 1.0).spec.priors == complete.spec.priors
