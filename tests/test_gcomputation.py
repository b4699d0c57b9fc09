"""Means, interventions and risks against simulated structural equations and closed forms."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from fake_fits import normal_grid
from product_fits import matrices_of, product_fit, simulate, table_of
from scipy.special import expit
from scipy.stats import norm

from bayesem.claim_kinds import kind_of
from bayesem.claims_evaluation import evaluate, scope
from bayesem.errors import NotAvailableError, PropositionError
from bayesem.families import read_families
from bayesem.gcomputation import contrast, covariates, expectation, intervention
from bayesem.grammar.claims import parse_claim
from bayesem.implied import implied, implied_moments
from bayesem.responses import log_mean, moments, respond
from bayesem.verdicts import assess

CASES = 400_000
FAMILIES = ("bernoulli", "logit", "lognormal", "weibull", "poisson", "negative_binomial")

#: A mediated, moderated outcome with a control that reaches everything.
TEXT = """
X =~ x1 + x2 + x3
Z =~ z1 + z2 + z3
M =~ m1 + m2 + m3
Y =~ y1 + y2 + y3
X ~ g*size
Z ~ h*size
X ~~ r*Z
M ~ a1*X + a2*Z + a3*X:Z
Y ~ b*M + c*X + d*Z + w*X:Z + k*M:size + q*X:X
u ~ e*M + f*Y + s*size
"""
TRUTH = {
    "g": 0.4, "h": 0.2, "r": 0.3, "a1": 0.5, "a2": 0.2, "a3": 0.25, "b": 0.4, "c": 0.3, "d": 0.1,
    "w": 0.2, "k": 0.1, "q": 0.05, "e": 0.3, "f": 0.2, "s": 0.2, "size ~1": 1.0,
    "size ~~ size": 1.5, "u ~1": -0.3,
}  # fmt: skip

#: Linear but for the outcome.
LINEAR = """
X =~ x1 + x2 + x3
M =~ m1 + m2 + m3
X ~ g*size + t*sector
M ~ a*X + h*size
u ~ b*M + c*X + s*size
"""
SLOPES = {"g": 0.4, "t": -0.3, "a": 0.5, "h": 0.2, "b": 0.6, "c": 0.3, "s": 0.25, "u ~1": -0.4}
POPULATION = SLOPES | {
    "size ~1": 1.0, "size ~~ size": 1.5, "sector ~1": 0.4, "sector ~~ sector": 0.24,
    "size ~~ sector": 0.1,
}  # fmt: skip


def argument(claim):
    return parse_claim(f"{claim} > 0").left.args[0]


def first(matrices):
    return matrices.map(lambda a: a[0, 0])


def ask(fit, claim, rows=None):
    """Answer of one call, by the functions that claims are evaluated with."""
    node = parse_claim(f"{claim} > 0").left
    model = implied(fit.table, fit.matrices())
    if node.name in ("mean", "do"):
        ask_ = expectation if node.name == "mean" else intervention
        return ask_(node.args[0], model, rows)
    return contrast(node.name, node.args[0], model, rows)


def agree(answer, sample, sigmas=4):
    error = np.hypot(sample.std() / np.sqrt(len(sample)), answer.error.flat[0])
    assert abs(answer.value.flat[0] - sample.mean()) < sigmas * error, (
        answer.value.flat[0], sample.mean(), error,
    )  # fmt: skip


# --- families -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*FAMILIES, "normal"])
def test_families_have_the_moments_of_what_they_draw(name):
    """Mean, variance and the covariance with the predictor (Stein's lemma), by simulation."""
    family = read_families({"u": name}, {"u": None})["u"]
    rng, m, v, shape = np.random.default_rng(3), 0.4, 0.7, np.array(0.3)
    eta = m + np.sqrt(v) * rng.standard_normal(500_000)
    y = respond(family, eta, rng.uniform(size=eta.shape), shape)
    mean, variance, slope = moments(family, np.array(m), np.array(v), shape)
    z = (y.mean() - mean) / (y.std() / np.sqrt(len(y)))
    assert abs(z) < 4
    assert variance == pytest.approx(y.var(), rel=0.05)
    assert slope == pytest.approx(np.cov(eta, y)[0, 1] / v, rel=0.03)
    if name != "normal":
        logs = log_mean(family, np.array(m), np.array(v), shape)
        assert np.exp(logs) == pytest.approx(float(mean), rel=1e-12)


def test_logit_mean_by_quadrature():
    """Against a dense sum, for narrow and wide predictors."""
    x = np.linspace(-12, 12, 200_001)
    for m, v in ((0.0, 0.0), (0.3, 0.01), (0.0, 0.5), (-2.0, 3.0), (4.0, 10.0), (-1.0, 90.0)):
        dense = np.sum(expit(m + np.sqrt(v) * x) * norm.pdf(x)) * (x[1] - x[0])
        family = read_families({"u": "logit"}, {"u": None})["u"]
        found = np.exp(log_mean(family, np.array(m), np.array(v), np.array(0.0)))
        assert found == pytest.approx(dense, abs=1e-6)


# --- interventions against the structural equations ---------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("put", [{"X": 1.0}, {"X": -1.0, "Z": 1.0}, {"M": 1.0}, {"size": 2.0}])
def test_do_is_the_mean_of_simulated_cases(family, put):
    truth = TRUTH | ({"u shape": 0.4} if family in ("weibull", "negative_binomial") else {})
    fit = product_fit(TEXT, truth, families={"u": family}, shape=(1, 2))
    model = implied(fit.table, fit.matrices())
    conditions = ", ".join(f"{name} = {value:g}" for name, value in put.items())
    levels = {
        fit.table.factors.index(k): model.level(fit.table.factors.index(k), v)[0, 0]
        for k, v in put.items()
    }
    rng = np.random.default_rng([11, len(put), int(10 * sum(put.values()) + 50)])
    eta, y = simulate(fit.table, first(fit.matrices()), CASES, rng, put=levels)
    agree(ask(fit, f"do(u | {conditions})"), y["u"])
    agree(ask(fit, f"do(Y | {conditions})"), eta[:, fit.table.factors.index("Y")])


def test_levels_are_implied_sds_from_implied_means():
    """Those of a simulated population, the product's share and shift included."""
    fit = product_fit(TEXT, TRUTH, families={"u": "bernoulli"})
    model = implied(fit.table, fit.matrices())
    eta, _ = simulate(fit.table, first(fit.matrices()), 1_000_000, np.random.default_rng(2))
    for name in ("X", "Z", "M"):
        k = fit.table.factors.index(name)
        assert model.mean[0, 0, k] == pytest.approx(eta[:, k].mean(), abs=0.006)
        assert model.sd[0, 0, k] == pytest.approx(eta[:, k].std(), rel=0.004)
        at = model.level(k, 1.5)[0, 0]
        assert at == pytest.approx(eta[:, k].mean() + 1.5 * eta[:, k].std(), abs=0.012)
    size = fit.table.factors.index("size")
    assert model.level(size, 1.5)[0, 0] == 1.5


def test_probit_intervention_in_closed_form():
    """Phi(m / sqrt(v)) with the residuals of M and u in v, worked out by hand."""
    fit = product_fit(LINEAR, POPULATION, families={"u": "bernoulli"})
    t = POPULATION
    sd_x = np.sqrt(1 + t["g"] ** 2 * 1.5 + t["t"] ** 2 * 0.24 + 2 * t["g"] * t["t"] * 0.1)
    mean_x = t["g"] * 1.0 + t["t"] * 0.4
    x = mean_x + sd_x
    m = t["u ~1"] + (t["b"] * t["a"] + t["c"]) * x + (t["b"] * t["h"] + t["s"]) * 1.0
    v = 1 + t["b"] ** 2 + (t["b"] * t["h"] + t["s"]) ** 2 * 1.5
    found = ask(fit, "do(u | X = 1)")
    assert found.value[0, 0] == pytest.approx(norm.cdf(m / np.sqrt(v)), abs=1e-12)
    assert found.error[0, 0] == 0


def test_covariates_have_the_samples_distribution():
    rng = np.random.default_rng(5)
    rows = {"size": rng.exponential(size=300), "sector": rng.integers(0, 2, 300).astype(float)}
    fit = product_fit(LINEAR, POPULATION, families={"u": "bernoulli"}, rows=rows)
    t = POPULATION
    found = covariates(fit)
    assert fit.table.fixed_x == ("size", "sector")
    np.testing.assert_array_equal(found, np.stack([rows["size"], rows["sector"]], 1))
    x = implied(fit.table, fit.matrices()).level(0, 1.0)[0, 0]
    total = (t["b"] * t["a"] + t["c"]) * x + (t["b"] * t["h"] + t["s"]) * rows["size"]
    by_row = norm.cdf((t["u ~1"] + total) / np.sqrt(1 + t["b"] ** 2))
    assert ask(fit, "do(u | X = 1)", found).value[0, 0] == pytest.approx(by_row.mean(), abs=1e-12)
    everyone = np.array([POPULATION["g"], POPULATION["t"]]) @ found.T
    m = t["u ~1"] + (t["b"] * t["a"] + t["c"]) * everyone
    m += (t["b"] * t["h"] + t["s"]) * rows["size"]
    v = 1 + t["b"] ** 2 + (t["b"] * t["a"] + t["c"]) ** 2
    assert ask(fit, "mean(u)", found).value[0, 0] == pytest.approx(
        norm.cdf(m / np.sqrt(v)).mean(), abs=1e-12
    )
    set_too = ask(fit, "do(u | X = 1, size = 2)", found).value[0, 0]
    only = t["u ~1"] + (t["b"] * t["a"] + t["c"]) * x + (t["b"] * t["h"] + t["s"]) * 2
    assert set_too == pytest.approx(norm.cdf(only / np.sqrt(1 + t["b"] ** 2)), abs=1e-12)


def test_covariates_in_products_are_drawn_from_the_sample():
    rng = np.random.default_rng(6)
    rows = {"size": rng.exponential(size=211) * 1.2}
    fit = product_fit(TEXT, TRUTH, families={"u": "logit"}, shape=(1, 2), rows=rows)
    found = covariates(fit)
    x = implied(fit.table, fit.matrices()).level(0, 1.0)[0, 0]
    size = fit.table.factors.index("size")
    cases = 211 * 2000
    eta, y = simulate(
        fit.table, first(fit.matrices()), cases, rng, put={0: x}, x={size: np.tile(rows["size"], 2000)}
    )  # fmt: skip
    agree(ask(fit, "do(u | X = 1)", found), y["u"])
    agree(ask(fit, "do(Y | X = 1)", found), eta[:, fit.table.factors.index("Y")])


def test_more_rows_than_needed_are_thinned_evenly():
    rows = {"size": np.arange(5001.0), "sector": np.zeros(5001)}
    fit = product_fit(LINEAR, POPULATION, families={"u": "bernoulli"}, rows=rows)
    found = covariates(fit)
    assert found.shape == (2000, 2)
    assert found[:, 0].mean() == pytest.approx(2500, abs=1)


def test_without_rows_predictors_are_normal():
    fit = product_fit(LINEAR, POPULATION, families={"u": "bernoulli"})
    assert covariates(fit) is None


# --- conditional means --------------------------------------------------------------------------


def near(eta, position, value, width=0.03):
    return np.abs(eta[:, position] - value) < width


@pytest.mark.parametrize(
    ("claim", "outcome", "known"),
    [
        ("mean(u | X = 1)", "u", {"X": 1.0}),
        ("mean(Y | X = 1)", "Y", {"X": 1.0}),
        ("mean(u | X = -1)", "u", {"X": -1.0}),
        ("mean(X | Z = 1)", "X", {"Z": 1.0}),
        ("mean(M | size = 2)", "M", {"size": 2.0}),
    ],
)
def test_mean_is_that_of_cases_near_the_condition(claim, outcome, known):
    """Nothing adjusted: cases of the simulated population whose X is near the value."""
    fit = product_fit(TEXT, TRUTH, families={"u": "bernoulli"}, shape=(1, 2))
    model = implied(fit.table, fit.matrices())
    rng = np.random.default_rng(21)
    eta, y = simulate(fit.table, first(fit.matrices()), 1_500_000, rng)
    kept = np.ones(len(eta), bool)
    for name, value in known.items():
        k = fit.table.factors.index(name)
        kept &= near(eta, k, model.level(k, value)[0, 0])
    values = y["u"] if outcome == "u" else eta[:, fit.table.factors.index(outcome)]
    agree(ask(fit, claim), values[kept])


def test_mean_given_two_is_the_normal_regression():
    fit = product_fit(LINEAR, POPULATION, families={"u": "bernoulli"})
    M = first(fit.matrices())
    mean, Phi = M.factor_mean, M.Phi
    names = fit.table.factors
    at, y = [names.index("X"), names.index("size")], names.index("u")
    values = np.array([mean[at[0]] + np.sqrt(Phi[at[0], at[0]]), 2.0])
    gain = np.linalg.solve(Phi[np.ix_(at, at)], Phi[at, y])
    m = mean[y] + gain @ (values - mean[at])
    v = Phi[y, y] - gain @ Phi[at, y]
    found = ask(fit, "mean(u | X = 1, size = 2)").value[0, 0]
    assert found == pytest.approx(norm.cdf(m / np.sqrt(v)), abs=1e-12)


def test_mean_given_what_follows_from_a_continuous_outcome():
    """An observed mediator with the normal family is linear on the way to the condition, too."""
    text = "X =~ x1 + x2 + x3\nW =~ w1 + w2 + w3\nm ~ a*X\nW ~ b*m + c*X"
    fit = product_fit(text, {"a": 0.8, "b": 0.5, "c": 0.3}, families={"m": "normal"})
    total = 0.8 * 0.5 + 0.3
    variance = total**2 + 0.25 + 1
    found = ask(fit, "mean(X | W = 1)").value[0, 0]
    assert found == pytest.approx(total / np.sqrt(variance))
    assert ask(fit, "do(W | X = 1)").value[0, 0] == pytest.approx(total)


def test_mean_and_do_differ_by_confounding():
    """Where a control raises both X and u, the two are not the same, and each is right."""
    text = "X =~ x1 + x2 + x3\nX ~ g*size\nu ~ s*size"
    truth = {"g": 0.8, "s": 0.7, "size ~~ size": 1.0}
    fit = product_fit(text, truth, families={"u": "bernoulli"})
    with pytest.raises(PropositionError, match="`X` does not lead to `u`"):
        ask(fit, "do(u | X = 1)")
    r = 0.8 / np.sqrt(1.64)
    expected = norm.cdf(0.7 * r / np.sqrt(1 + 0.49 * (1 - r**2)))
    assert ask(fit, "mean(u | X = 1)").value[0, 0] == pytest.approx(expected, abs=1e-12)


# --- contrasts ----------------------------------------------------------------------------------


def test_contrasts_are_those_of_two_interventions():
    fit = product_fit(LINEAR, POPULATION, families={"u": "logit"})
    high, low = (ask(fit, f"do(u | X = {x})").value for x in (1, -1))
    np.testing.assert_allclose(ask(fit, "risk_ratio(u ~ X | 1, -1)").value, high / low)
    np.testing.assert_allclose(ask(fit, "risk_difference(u ~ X | 1, -1)").value, high - low)


@pytest.mark.parametrize("family", ["lognormal", "weibull"])
def test_time_ratio_is_the_ratio_of_medians(family):
    truth = POPULATION | ({"u shape": 0.6} if family == "weibull" else {})
    fit = product_fit(LINEAR, truth, families={"u": family})
    model = implied(fit.table, fit.matrices())
    t = POPULATION
    found = ask(fit, "time_ratio(u ~ X | 1, -1)").value[0, 0]
    assert found == pytest.approx(np.exp((t["b"] * t["a"] + t["c"]) * 2 * model.sd[0, 0, 0]))
    medians = []
    for x in (1.0, -1.0):
        rng = np.random.default_rng(31)
        put = {0: model.level(0, x)[0, 0]}
        medians.append(
            np.median(simulate(fit.table, first(fit.matrices()), CASES, rng, put=put)[1]["u"])
        )
    assert found == pytest.approx(medians[0] / medians[1], rel=0.01)


def test_mean_times_of_two_interventions():
    """A ratio of mean times is the time ratio, too, since X only shifts the log time."""
    fit = product_fit(LINEAR, POPULATION | {"u shape": 0.6}, families={"u": "weibull"})
    ratio = ask(fit, "do(u | X = 1)").value / ask(fit, "do(u | X = -1)").value
    np.testing.assert_allclose(ratio, ask(fit, "time_ratio(u ~ X | 1, -1)").value)


# --- outcomes that mediate ----------------------------------------------------------------------

MEDIATED = "X =~ x1 + x2 + x3\nu ~ a*X\nv ~ b*u + c*X"
THROUGH = {"a": 0.8, "b": 1.1, "c": 0.3, "u ~1": -0.2, "v ~1": -0.5}


def test_binary_mediator_by_enumeration():
    fit = product_fit(
        MEDIATED, THROUGH, families={"u": "bernoulli", "v": "bernoulli"}, shape=(1, 3)
    )
    a, b, c, i, j = (THROUGH[k] for k in ("a", "b", "c", "u ~1", "v ~1"))

    def exact(x):
        p = norm.cdf(i + a * x)
        return p * norm.cdf(j + b + c * x) + (1 - p) * norm.cdf(j + c * x)

    for x in (1, -1, 0.3):
        found = ask(fit, f"do(v | X = {x})")
        assert found.error.max() < 2e-3
        np.testing.assert_allclose(found.value, exact(x), atol=4e-3)
    found = ask(fit, "risk_difference(v ~ X | 1, -1)")
    assert abs(found.value[0, 0] - (exact(1) - exact(-1))) < 4 * found.error[0, 0] + 1e-4
    put = ask(fit, "do(v | u = 1, X = 1)")
    np.testing.assert_allclose(put.value, norm.cdf(j + b + c), atol=1e-12)
    rd = ask(fit, "risk_difference(v ~ u | 1, 0)").value
    marginal = norm.cdf((j + b) / np.sqrt(1 + c**2)) - norm.cdf(j / np.sqrt(1 + c**2))
    np.testing.assert_allclose(rd, marginal, atol=1e-12)


@pytest.mark.parametrize("family", FAMILIES)
def test_mediators_of_any_family_by_simulation(family):
    truth = (
        THROUGH
        | {"b": 0.3}
        | ({"u shape": 0.4} if family in ("weibull", "negative_binomial") else {})
    )
    fit = product_fit(MEDIATED, truth, families={"u": family, "v": "logit"}, shape=(1, 2))
    rng = np.random.default_rng(41)
    _, y = simulate(fit.table, first(fit.matrices()), CASES, rng, put={0: 1.0})
    agree(ask(fit, "do(v | X = 1)"), y["v"])
    eta, y = simulate(fit.table, first(fit.matrices()), 1_000_000, rng)
    agree(ask(fit, "mean(v | X = 1)"), y["v"][near(eta, 0, 1.0)])


def test_implied_moments_hold_mediating_outcomes():
    """Second moments behind an outcome, against simulation (Stein's lemma inside)."""
    text = "X =~ x1 + x2 + x3\nW =~ w1 + w2 + w3\nu ~ a*X\nW ~ b*u + c*X"
    truth = {"a": 0.8, "b": 0.9, "c": 0.5, "u ~1": -0.2}
    for family in FAMILIES:
        more = {"u shape": 0.4} if family in ("weibull", "negative_binomial") else {}
        more |= {"u ~~ u": 0.2} if family == "lognormal" else {}
        scale = 0.4 if family not in ("bernoulli", "logit") else 0.9
        fit = product_fit(text, truth | {"b": scale} | more, families={"u": family})
        mean, Phi = implied_moments(fit.table, fit.matrices())
        eta, _ = simulate(fit.table, first(fit.matrices()), 400_000, np.random.default_rng(8))
        k = fit.table.factors.index("W")
        assert mean[0, 0, k] == pytest.approx(eta[:, k].mean(), abs=0.015), family
        assert Phi[0, 0, k, k] == pytest.approx(eta[:, k].var(), rel=0.04), family
        assert Phi[0, 0, k, 0] == pytest.approx(np.cov(eta[:, k], eta[:, 0])[0, 1], rel=0.02), (
            family
        )


def test_continuous_mediator_that_a_product_explains():
    """Its observed value is its linear predictor, so everything is in closed form."""
    text = "X =~ x1 + x2 + x3\nZ =~ z1 + z2 + z3\nX ~~ r*Z\nm ~ a*X + w*X:Z\nv ~ b*m + c*X"
    truth = {"r": 0.3, "a": 0.5, "w": 0.3, "b": 0.7, "c": 0.2, "m ~1": 0.4}
    fit = product_fit(text, truth, families={"v": "lognormal"}, shape=(1, 2))
    eta, y = simulate(
        fit.table, first(fit.matrices()), CASES, np.random.default_rng(9), put={0: 1.0}
    )
    agree(ask(fit, "do(v | X = 1)"), y["v"])
    found = ask(fit, "do(m | X = 1)")
    np.testing.assert_allclose(found.value, 0.4 + 0.5, atol=1e-12)
    agree(found, eta[:, fit.table.factors.index("m")])
    found = ask(fit, "mean(m | X = 1)")
    np.testing.assert_allclose(found.value, 0.4 + 0.5 + 0.3 * 0.3, atol=1e-12)
    assert found.error.max() == 0


# --- properties ---------------------------------------------------------------------------------


def rescaled(M, table, s):
    """The same population with every latent factor measured in other units."""
    s = np.concatenate([s, np.ones(len(table.factors) - len(s))])
    to, a, b = ([getattr(p, k) for p in table.products] for k in ("to", "first", "second"))
    return replace(
        M,
        Lambda=M.Lambda / s, Beta=M.Beta * s[:, None] / s, Psi=M.Psi * s[:, None] * s,
        alpha=M.alpha * s, omega=M.omega * s[to] / (s[a] * s[b]),
    )  # fmt: skip


def test_answers_do_not_depend_on_the_units_of_factors():
    fit = product_fit(TEXT, TRUTH, families={"u": "logit"}, shape=(1, 2))
    M = rescaled(fit.matrices(), fit.table, np.array([2.0, 0.4, 1.7, 0.9]))
    other = replace(fit, both={"posterior": M, "prior": M})
    for claim in (
        "do(u | X = 1)",
        "do(u | M = -1, Z = 1)",
        "mean(u | X = 1)",
        "risk_ratio(u ~ Y | 1, 0)",
    ):
        np.testing.assert_allclose(ask(fit, claim).value, ask(other, claim).value, rtol=1e-9)
    np.testing.assert_allclose(
        0.9 * ask(fit, "do(Y | X = 1)").value, ask(other, "do(Y | X = 1)").value
    )


def test_draws_are_independent_of_each_other(monkeypatch):
    """Together, one by one, or in chunks: the same numbers."""
    rng = np.random.default_rng(17)
    many = {k: v + 0.1 * rng.standard_normal((2, 5)) for k, v in TRUTH.items() if k in "abcdw"}
    fit = product_fit(TEXT, TRUTH | many, families={"u": "bernoulli"}, shape=(2, 5))
    together = ask(fit, "do(u | X = 1)").value
    one = {k: v[1:2, 3:4] for k, v in many.items()}
    alone = product_fit(TEXT, TRUTH | one, families={"u": "bernoulli"}, shape=(1, 1))
    np.testing.assert_allclose(ask(alone, "do(u | X = 1)").value[0, 0], together[1, 3], rtol=1e-12)
    monkeypatch.setattr("bayesem.interventions.BUDGET", 10_000)
    np.testing.assert_allclose(ask(fit, "do(u | X = 1)").value, together, rtol=1e-12)


def test_stated_error_is_the_error(monkeypatch):
    """Over many seeds the deviations from a fine answer have the stated size."""
    fit = product_fit(TEXT, TRUTH, families={"u": "bernoulli"})
    monkeypatch.setattr("bayesem.interventions.POINTS", 2**15)
    exact = ask(fit, "do(u | X = 1)").value[0, 0]
    monkeypatch.setattr("bayesem.interventions.POINTS", 128)
    off, stated = [], []
    for seed in range(60):
        monkeypatch.setattr("bayesem.interventions.SEED", seed)
        found = ask(fit, "do(u | X = 1)")
        off.append(found.value[0, 0] - exact)
        stated.append(found.error[0, 0])
    rms = np.sqrt(np.mean(np.square(off)))
    assert rms == pytest.approx(np.sqrt(np.mean(np.square(stated))), rel=0.35)
    assert rms < 1e-3


def test_feedback_settles_or_is_missing():
    """A linear loop by its power series; one that explodes has no expectation."""
    text = "F =~ x1 + x2 + x3\nG =~ y1 + y2 + y3\nF ~ a*G + c*z\nG ~ b*F + d*w"
    truth = {"a": 0.5, "b": np.array([[0.8, 2.5]]), "c": 0.3, "d": 0.2, "z ~1": 1.0, "w ~1": 2.0}
    fit = product_fit(text, truth, shape=(1, 2))
    found = ask(fit, "mean(F)").value
    f = g = 0.0
    for _ in range(200):
        f, g = 0.5 * g + 0.3, 0.8 * f + 0.4
    assert found[0, 0] == pytest.approx(f)
    assert np.isnan(found[0, 1])
    cut = ask(fit, "do(F | G = 0)").value  # G set: no loop is left
    G = implied(fit.table, fit.matrices()).level(1, 0.0)
    np.testing.assert_allclose(cut[0, 0], 0.5 * G[0, 0] + 0.3)


# --- in claims ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def draws():
    """Posterior and prior draws of the path to a binary outcome."""
    posterior = {
        **POPULATION,
        "c": normal_grid(0.5, 0.1, seed=1),
        "b": normal_grid(0.3, 0.1, seed=2),
    }
    prior = {**POPULATION, "c": normal_grid(0.0, 0.5, seed=3), "b": normal_grid(0.0, 0.5, seed=4)}
    return product_fit(LINEAR, posterior, families={"u": "bernoulli"}, shape=(4, 1000), prior=prior)


@pytest.mark.parametrize(
    "claim",
    ["risk_ratio(u ~ X | 1, -1) > 1.5", "risk_difference(u ~ X | 1, -1) > 0.2",
     "do(u | X = 1) > do(u | X = -1) + 0.1", "mean(u | X = 1) > 0.5", "mean(u) < 0.5"],
)  # fmt: skip
def test_claims_weigh_both_groups_of_draws(draws, claim):
    row = assess({"P": claim}, draws).table.iloc[0]
    tree = parse_claim(claim)
    for group, column in (("posterior", "probability"), ("prior", "prior_probability")):
        own = scope(draws, group)
        gap = evaluate(tree.left, own) - evaluate(tree.right, own)
        truth = gap > 0 if tree.op == ">" else gap < 0
        assert row[column] == truth.mean()
        assert 0 < row["prior_probability"] < 1
        if group == "posterior":
            assert row["estimate"] == pytest.approx(gap.mean())


def test_risks_have_the_rope_that_the_rule_declares(draws):
    claim = {"P": "null(risk_difference(u ~ X | 1, -1))"}
    with pytest.raises(PropositionError, match="is a probability, for which the rule has no rope"):
        assess(claim, draws)
    difference = evaluate(parse_claim("risk_difference(u ~ X | 1, -1) > 0").left, scope(draws))
    row = assess(claim, draws, rope={"probability": 0.3}).table.iloc[0]
    assert row["probability"] == (np.abs(difference) < 0.3).mean()
    row = assess(
        {"P": "risk_difference(u ~ X | 1, -1) > 0"}, draws, rope={"probability": 0.3}
    ).table.iloc[0]
    assert row["rope_mass"] == (np.abs(difference) < 0.3).mean()
    row = assess(
        {"P": "do(u | X = 1) > do(u | X = -1)"}, draws, rope={"probability": 0.3}
    ).table.iloc[0]
    assert row["rope_mass"] == (np.abs(difference) < 0.3).mean()
    ratio = assess({"P": "risk_ratio(u ~ X | 1, -1) > 2.3"}, draws).table.iloc[0]
    assert np.isnan(ratio["rope_mass"])


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("risk_difference(u ~ X | 1, -1)", "probability"),
        ("risk_ratio(u ~ X | 1, -1)", "no scale"),
        ("mean(u | X = 1)", "probability"),
        ("do(u | X = 1) - do(u | X = 0)", "probability"),
        ("2*mean(u | X = 1)", "probability"),
        ("mean(u | X = 1)*do(u | X = 1)", "no scale"),
        ("mean(u | X = 1) + a", "no scale"),
        ("mean(M | X = 1)", "no scale"),
        ("max(mean(u), 0.5)", "probability"),
        ("a", "path"),
    ],
)
def test_kinds(draws, text, kind):
    assert kind_of(parse_claim(f"{text} > 0").left, draws.table) == kind


def test_integrals_are_computed_once(draws, monkeypatch):
    calls = []
    real = contrast

    def counted(*args):
        calls.append(args[0])
        return real(*args)

    monkeypatch.setattr("bayesem.claims_evaluation.contrast", counted)
    assess({"P": "risk_ratio(u ~ X | 1, -1) > 1", "Q": "risk_ratio(u ~ X | 1, -1) > 2.3"}, draws)
    assert len(calls) == 2  # posterior and prior


def test_extreme_prior_draws_give_numbers():
    """Both risks may underflow; their ratio is still a number."""
    truth = POPULATION | {
        "u ~1": np.array([[-80.0, 80.0, 0.0]]),
        "c": np.array([[30.0, -30.0, 500.0]]),
    }
    fit = product_fit(LINEAR, truth, families={"u": "bernoulli"}, shape=(1, 3))
    assert not np.isnan(ask(fit, "risk_ratio(u ~ X | 1, -1)").value).any()
    fit = product_fit(LINEAR, truth, families={"u": "logit"}, shape=(1, 3))
    assert not np.isnan(ask(fit, "risk_ratio(u ~ X | 1, -1)").value).any()


ERRORS = [
    ("mean(q | X = 1)", PropositionError, "`q` is not a factor"),
    ("mean(u | q = 1)", PropositionError, "`q` is not a factor"),
    ("do(u | q = 1)", PropositionError, "`q` is not a factor"),
    ("mean(u | X = 1/0)", PropositionError, "is not a finite number"),
    ("do(X | M = 1)", PropositionError, "`M` does not lead to `X`"),
    ("risk_ratio(M ~ X | 1, -1)", PropositionError, "`M` is no binary outcome"),
    ("risk_difference(size ~ X | 1, -1)", PropositionError, "`size` is no binary outcome"),
    ("risk_ratio(u ~ u | 1, -1)", PropositionError, "both the outcome and set"),
    ("risk_ratio(u ~ q | 1, -1)", PropositionError, "`q` is not a factor"),
    ("time_ratio(u ~ X | 1, -1)", PropositionError, "`u` is no time"),
    ("std(risk_ratio(u ~ X | 1, -1))", PropositionError, "has no standardised value"),
    ("std(mean(M | X = 1))", PropositionError, "has no standardised value"),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "error", "message"), ERRORS)
def test_errors_say_what_is_wrong(claim, error, message):
    fit = product_fit(LINEAR, POPULATION, families={"u": "bernoulli"})
    with pytest.raises(error, match=message):
        evaluate(parse_claim(f"{claim} > 0").left, scope(fit))


def test_conditions_that_are_not_normal_are_refused():
    fit = product_fit(MEDIATED, THROUGH, families={"u": "bernoulli", "v": "bernoulli"})
    with pytest.raises(NotAvailableError, match="given `u` is not available") as caught:
        ask(fit, "mean(v | u = 1)")
    assert "do(v | u = 1)" in str(caught.value)
    fit = product_fit(TEXT, TRUTH, families={"u": "bernoulli"})
    with pytest.raises(NotAvailableError, match="`M` depends on products of factors"):
        ask(fit, "mean(u | M = 1)")


def test_a_comparison_of_comparisons_is_refused():
    with pytest.raises(PropositionError, match="comparison of two claims"):
        parse_claim("(mean(u | X = 1) > 0) > (mean(u | X = 0) > 0)")


def test_a_fit_of_moments_without_means_compares_deviations():
    """Without modelled means, a factor's mean is a deviation from its mean."""
    _, table = table_of("X =~ x1 + x2 + x3\nM =~ m1 + m2 + m3\nM ~ a*X")
    M = matrices_of(table, {"a": 0.4})
    model = implied(table, M)
    fit = SimpleNamespace(table=table, matrices=lambda: M)
    assert ask(fit, "mean(M | X = 1)").value[0, 0] == pytest.approx(0.4)
    assert ask(fit, "do(M | X = -2)").value[0, 0] == pytest.approx(-0.8)
    assert model.sd[0, 0, 1] == pytest.approx(np.sqrt(1.16))
