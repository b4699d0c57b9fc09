"""Evidence carried over: against products of normal densities and plain odds."""

from dataclasses import replace

import numpy as np
import pytest
from fake_fits import fake_fit, moments, normal_grid
from scipy.stats import norm

import bayesem as sem
from bayesem.carrying.regressions import equations_of, regressions
from bayesem.carrying.sources import OrderEvidence, PathEvidence
from bayesem.decomposition import standardise
from bayesem.partable import parameter_table
from bayesem.robustness.reweighting import GOOD_K

EQUATIONS = (("M", ("X",)), ("Y", ("M", "X")))


def fit_of(a: float, b: float, c: float, sd: float = 0.1, **more):
    """Posterior normal about these paths, prior normal(0, 0.5)."""
    draws = {
        k: normal_grid(m, sd, seed=i) for i, (k, m) in enumerate({"a": a, "b": b, "c": c}.items())
    }
    prior = {k: normal_grid(0, 0.3, seed=10 + i) for i, k in enumerate("abc")}
    return fake_fit(draws, prior, **more)


def evidence(mean=(0.4, 0.1, 0.2), sd=0.1, **more) -> PathEvidence:
    return PathEvidence("other", EQUATIONS, ("a", "b", "c"), np.array(mean), np.eye(3) * sd**2, 190,
                        **more)  # fmt: skip


HERE = fit_of(0.3, 0.2, 0.1)
CLAIMS = {"A": "a > 0.3", "B": "b > 0", "both": "a > 0.3 and b > 0.2", "null": "null(std(c))"}


# --- weights ------------------------------------------------------------------------------------


@pytest.mark.parametrize("relevance", [0.25, 0.5, 1.0])
def test_a_power_of_a_normal_likelihood(relevance: float) -> None:
    """Normal times normal is normal: precisions 100 and 100 r add up."""
    table = sem.carry(HERE, CLAIMS, {"e": evidence()}, relevance=(relevance,)).table
    found = table[table["relevance"] == relevance].set_index("name")
    precision = 100 + 100 * relevance
    sd = precision**-0.5
    mean = {k: (100 * m + 100 * relevance * e) / precision
            for k, m, e in (("a", 0.3, 0.4), ("b", 0.2, 0.1), ("c", 0.1, 0.2))}  # fmt: skip
    above = {k: norm.sf({"a": 0.3, "b": 0}[k], mean[k], sd) for k in "ab"}
    inside = norm.cdf(0.1, mean["c"], sd) - norm.cdf(-0.1, mean["c"], sd)
    expected = {"A": above["a"], "B": above["b"], "null": inside,
                "both": above["a"] * norm.sf(0.2, mean["b"], sd)}  # fmt: skip
    for name, p in expected.items():
        assert abs(found.loc[name, "probability"] - p) < 4 * found.loc[name, "mcse"] + 0.004
    assert (found["pareto_k"] < GOOD_K).all()


def test_without_is_what_assess_says() -> None:
    table = sem.carry(HERE, CLAIMS, {"e": evidence()}).table
    plain = table[table["evidence"] == "without"].set_index("name")
    known = sem.assess(CLAIMS, HERE).table.set_index("name")
    for column in ("probability", "prior_probability", "bayes_factor", "mcse"):
        np.testing.assert_allclose(plain[column], known[column], rtol=1e-12)
    assert (plain["verdict"] == known["verdict"]).all()
    assert (plain["relevance"] == 0).all()


def test_bayes_factors_are_odds_against_the_prior_s() -> None:
    row = sem.carry(HERE, {"A": "a > 0.3"}, {"e": evidence()}, relevance=(1,)).table.iloc[-1]
    p, c = row["probability"], row["prior_probability"]
    assert row["bayes_factor"] == pytest.approx((p / (1 - p)) / (c / (1 - c)), rel=1e-9)


def test_an_order_multiplies_the_odds() -> None:
    """Weights e^(r f) where the claim holds, 1 elsewhere."""
    order = OrderEvidence("counts", "share(x) > share(y)", "a > 0.35", np.log(3.0), 0.01, 112)
    table = sem.carry(HERE, {"A": "a > 0.35"}, {"o": order}, relevance=(0.5, 1)).table
    p = table["probability"]
    odds = p / (1 - p)
    assert odds.iloc[1] / odds.iloc[0] == pytest.approx(3**0.5, rel=1e-6)
    assert odds.iloc[2] / odds.iloc[0] == pytest.approx(3, rel=1e-6)


def test_the_error_of_an_order_s_factor_is_in_the_probability_s() -> None:
    """By the delta method p (1 - p) times that of the log odds, beside the draws' own."""
    rows = []
    for error in (0.0, 0.2):
        order = OrderEvidence("c", "share(x) > share(y)", "a > 0.35", np.log(3.0), error, 112)
        rows.append(sem.carry(HERE, {"A": "a > 0.35"}, {"o": order}, relevance=0.5).table.iloc[-1])
    p = rows[0]["probability"]
    expected = np.hypot(rows[0]["mcse"], 0.5 * 0.2 * p * (1 - p))
    assert rows[1]["mcse"] == pytest.approx(expected, rel=1e-9)
    assert rows[1]["mcse"] > 2 * rows[0]["mcse"]


def test_what_is_attainable_is_under_the_weights() -> None:
    table = sem.carry(HERE, {"null": "null(std(c))"}, {"e": evidence()}, relevance=1).table
    expected = [2 * norm.cdf(0.1 / sd) - 1 for sd in (0.1, 200**-0.5)]
    assert table["attainable"].tolist() == pytest.approx(expected, abs=0.015)


def test_where_all_draws_agree_the_bound_is_by_what_they_are_worth() -> None:
    high = fit_of(0.8, 0.2, 0.1)
    table = sem.carry(high, {"A": "a > 0.3"}, {"e": evidence((0.9, 0.1, 0.2))}, relevance=1).table
    prior = table["prior_probability"] / (1 - table["prior_probability"])
    assert (table["probability"] == 1).all()
    assert table["ess"][1] < 3000
    np.testing.assert_allclose(table["bayes_factor"] * prior, table["ess"] - 1, rtol=1e-9)


def test_several_are_shown_alone_and_together() -> None:
    order = OrderEvidence("counts", "share(x) > share(y)", "b > 0", np.log(2.0), 0.01, 112)
    found = sem.carry(HERE, {"A": "a > 0.3"}, {"e": evidence(), "o": order}, relevance=(1,))
    assert list(found.table["evidence"]) == ["without", "e", "o", "together"]
    p = found.table["probability"]
    assert p[3] == pytest.approx(p[1], abs=0.01)  # b says nothing on a
    assert "together 1" in str(found)
    assert list(found.paths["path"]) == ["M ~ X", "Y ~ M", "Y ~ X"]
    assert found.paths["here_mean"].tolist() == pytest.approx([0.3, 0.2, 0.1], abs=0.01)


def test_what_contradicts_the_draws_is_refused() -> None:
    far = sem.carry(HERE, {"A": "a > 0.3"}, {"e": evidence((-0.6, -0.6, -0.6), 0.03)})
    rows = far.table[far.table["evidence"] == "e"]
    refused = rows[rows["pareto_k"] > GOOD_K]
    assert len(refused)
    assert (refused["verdict"] == "refused").all()
    assert refused[["probability", "bayes_factor"]].isna().all(None)
    assert any("is refused" in note for note in far.notes)
    assert "refused" in str(far)


def test_chains_that_failed_give_no_verdict() -> None:
    bad = replace(HERE, converged=False)
    table = sem.carry(bad, {"A": "a > 0"}, {"e": evidence()}).table
    assert (table["verdict"] == "withheld").all()


# --- what is handed on --------------------------------------------------------------------------


def test_the_study_s_own_prior_is_taken_out() -> None:
    found = sem.path_evidence(fit_of(0.4, 0.1, 0.2))
    keep = 1 / (1 / 0.01 - 1 / 0.09)
    assert found.table["mean"].tolist() == pytest.approx(
        [m / 0.01 * keep for m in (0.4, 0.1, 0.2)], abs=0.004
    )
    assert found.table["sd"].tolist() == pytest.approx([keep**0.5] * 3, rel=0.03)
    assert found.equations == EQUATIONS
    assert found.labels == ("a", "b", "c")


def test_readings_are_a_mixture_by_weight() -> None:
    one = fit_of(0.2, 0.2, 0.2, data=moments(reading="T", weight=0.75))
    other = fit_of(0.6, 0.2, 0.2, data=moments(reading="D", weight=0.25))
    found = sem.path_evidence({"T": one, "D": [other, other]})
    mean, variance = 0.3, 0.01 + 0.75 * 0.25 * 0.4**2
    keep = 1 / (1 / variance - 1 / 0.09)
    assert found.mean[0] == pytest.approx(mean / variance * keep, abs=0.02)


def test_factors_are_renamed_and_it_is_said() -> None:
    found = sem.path_evidence(fit_of(0.4, 0.1, 0.2), rename={"M": "NET", "Y": "EP"})
    assert found.equations == (("NET", ("X",)), ("EP", ("NET", "X")))
    assert found.assumes == ("M = NET", "Y = EP")
    with pytest.raises(sem.PropositionError, match="`NET` is no factor of the model that paths"):
        sem.carry(HERE, {"A": "a > 0"}, {"e": found})


def test_regressions_of_the_study_itself_are_its_standardised_paths() -> None:
    model = sem.read_model(
        "X =~ x1+x2+x3; Z =~ z1+z2+z3; M =~ m1+m2+m3; Y =~ y1+y2+y3; M ~ X + Z; Y ~ M + X + Z"
    )
    data = sem.simulate(model, 80, seed=1)
    from bayesem.posterior import reported_matrices
    from bayesem.preparation import prepare
    from bayesem.priordraws import draw_prior

    spec = prepare(model, data).spec
    x = draw_prior(spec, 50, np.random.default_rng(0))[None]
    matrices = reported_matrices(spec, x)
    equations = equations_of(spec.table)
    found = regressions(spec.table, matrices, equations)
    Beta = standardise(matrices, spec.table).Beta
    at = spec.table.factors.index
    pairs = [(at(y), at(z)) for y, zs in equations for z in zs]
    np.testing.assert_allclose(found, np.stack([Beta[..., i, j] for i, j in pairs], -1), atol=1e-9)


# --- what is refused ----------------------------------------------------------------------------


def test_raw_paths_are_not_carried() -> None:
    with pytest.raises(sem.NotAvailableError, match="unstandardised paths are not carried over"):
        sem.path_evidence(fit_of(0.4, 0.1, 0.2), standardized=False)
    with pytest.raises(sem.NotAvailableError, match="raw ones are not carried over"):
        sem.carry(HERE, {"A": "a > 0"}, {"e": evidence(standardized=False)})


@pytest.mark.parametrize("relevance", [0, -0.5, 1.5, True, "much", float("nan")])
def test_a_relevance_is_above_0_and_at_most_1(relevance) -> None:
    with pytest.raises(sem.PropositionError, match="a relevance is"):
        sem.carry(HERE, {"A": "a > 0"}, {"e": evidence()}, relevance=(relevance,))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("X =~ a+b+c; Y =~ d+e+f; Y ~ X + z", "an observed variable"),
        ("X =~ a+b+c; Y =~ d+e+f; Y ~ 0.5*X", "a fixed path"),
        ("X =~ a+b+c; Y =~ d+e+f; Z =~ g+h+i; Y ~ X; Z ~ X; Y ~~ Z", "a correlated residual"),
        ("X =~ a+b+c; Y =~ d+e+f; Z =~ g+h+i; Y ~ Z; Z ~ Y + X", "feedback"),
    ],
)
def test_paths_that_are_no_regressions_are_refused(text: str, what: str) -> None:
    table = parameter_table(sem.read_model(text), identify="unit")
    with pytest.raises(sem.NotAvailableError, match=what):
        equations_of(table)


def test_a_study_that_did_not_converge_hands_nothing_on() -> None:
    with pytest.raises(sem.SamplingError, match="did not converge"):
        sem.path_evidence(replace(fit_of(0.4, 0.1, 0.2), converged=False))


def test_no_evidence() -> None:
    with pytest.raises(sem.PropositionError, match="no evidence to carry"):
        sem.carry(HERE, {"A": "a > 0"}, {})
    with pytest.raises(sem.PropositionError, match="`e` is a float"):
        sem.carry(HERE, {"A": "a > 0"}, {"e": 0.3})


# --- counts -------------------------------------------------------------------------------------


def test_counts_favour_an_order() -> None:
    """9 references against 7: the odds of a Beta(10, 8) above one half."""
    from scipy.stats import beta

    fit = sem.fit_counts("facilitated_alliance", draws=20_000, seed=1)
    found = sem.order_evidence(fit, "share(bringing) > share(mediation)", "a > b")
    p = beta.sf(0.5, 10, 8)
    assert np.exp(found.log_factor) == pytest.approx(p / (1 - p), rel=0.06)
    assert found.n == 112
    weak = sem.fit_counts("facilitated_alliance", design_effect=4, draws=20_000, seed=1)
    less = sem.order_evidence(weak, "share(bringing) > share(mediation)", "a > b")
    assert 0 < less.log_factor < found.log_factor


def test_an_order_is_of_shares_and_bears_on_a_model() -> None:
    fit = sem.fit_counts("facilitated_alliance", draws=1000, seed=1)
    with pytest.raises(sem.PropositionError, match="shall be a claim on shares"):
        sem.order_evidence(fit, "a > b", "a > b")
    with pytest.raises(sem.PropositionError, match="only bounded"):
        sem.order_evidence(fit, "share(support) > share(trust)*0.01", "a > b")
