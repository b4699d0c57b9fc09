"""Simulated products and outcomes of other families, against moments worked out by hand."""

import math

import numpy as np
import pytest
import xarray as xr
from scipy.integrate import quad
from scipy.stats import norm
from test_scoring import at

from bayesem.casedraws import draw_values, expected_value
from bayesem.errors import ModelError
from bayesem.families import Bernoulli, Lognormal, NegativeBinomial, Normal, Poisson, Weibull
from bayesem.preparation import prepare
from bayesem.scoring import log_expected
from bayesem.simulation import predictive, prior_predictive, simulate

BIG = 200_000
MODERATED = """
f =~ x1 + x2 + x3
g =~ x4 + x5 + x6
h =~ x7 + x8 + x9
h ~ a*f + b*g + w*f:g
"""
UNIT = {"a": 0.3, "b": 0.2, "w": 0.4, "f ~~ g": 0.5}


def close(values, expected, sigmas=4.5):
    """A mean within its standard error of what it should be."""
    values = np.asarray(values, float)
    assert abs(values.mean() - expected) < sigmas * values.std() / np.sqrt(len(values))


# -- products ------------------------------------------------------------------------------


def test_a_product_leaves_isserlis_moments():
    """Third moments of normal variables, and the mean that a product brings."""
    d = simulate(MODERATED, BIG, UNIT, seed=1, identify="unit")
    t = d.attrs["truth"]
    lf, lg, lh = t["f =~ x1"], t["g =~ x4"], t["h =~ x7"]
    close(d["x7"], lh * 0.4 * 0.5)
    close((d["x7"] - d["x7"].mean()) * d["x1"] * d["x4"], lh * lf * lg * 0.4 * (1 + 0.5**2))
    close(d["x7"] * d["x1"], lh * lf * (0.3 + 0.2 * 0.5))


def test_factors_of_a_product_deviate_from_their_means_and_observed_parts_do_not():
    """y = w (f - E f) m + ..., with f's mean moved by a covariate and m's by its own."""
    text = "f =~ x1 + x2 + x3; f ~ c*m; y ~ b*f + d*m + w*f:m"
    truth = {"c": 0.5, "m ~1": 2.0, "m ~~ m": 1.0, "f ~~ f": 1.0, "y ~~ y": 0.3,
             "b": 0.4, "d": 0.0, "w": 0.3, "y ~1": 0.0}  # fmt: skip
    d = simulate(text, BIG, truth, seed=2)
    # E y = b E f + w Cov(f, m) = .4 * 1 + .3 * .5
    close(d["y"], 0.4 + 0.3 * 0.5)
    # Given m, f - E f has mean c (m - 2): E(y | m) = b c m + w c (m - 2) m
    line = 0.4 * 0.5 * d["m"] + 0.3 * 0.5 * (d["m"] - 2) * d["m"]
    close(d["y"] - line, 0.0)
    close((d["y"] - line) * (d["m"] - 2), 0.0)


def test_a_product_of_what_depends_on_a_product():
    text = MODERATED + "k =~ x10 + x11 + x12; k ~ v*h:f"
    d = simulate(text, BIG, {**UNIT, "v": 0.5}, seed=3, identify="unit")
    # h = .3 f + .2 g + .4 f g + e deviates from its linear mean 0: E(h f) = .3 + .2 * .5
    close(d["x10"], d.attrs["truth"]["k =~ x10"] * 0.5 * (0.3 + 0.2 * 0.5))


def test_declared_coefficient_of_a_product_in_the_unit_metric():
    t = simulate(MODERATED, 20, seed=1, identify="unit").attrs["truth"]
    assert t["w"] == t["h ~ f:g"] == pytest.approx(0.1)
    given = simulate(MODERATED, 20, {"h ~ g:f": 0.2}, seed=1).attrs["truth"]
    assert given["w"] == 0.2
    both = [simulate(MODERATED, 20, seed=1, identify=i) for i in ("unit", "marker")]
    np.testing.assert_allclose(*both, atol=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        MODERATED + "g ~ h",
        "f =~ x1 + x2 + x3; e ~ f; f ~ e",
    ],
)
def test_a_circle_through_a_product_or_an_outcome(text):
    with pytest.raises(ModelError, match="depends on itself"):
        simulate(text, 100, families={"e": "bernoulli"} if "e ~" in text else None)


# -- outcomes ------------------------------------------------------------------------------

ETA = np.random.default_rng(1).normal(0.4, 0.8, BIG)
M, V = 0.4, 0.64


@pytest.mark.parametrize(
    ("family", "shape", "mean"),
    [
        (Normal(), 0.0, M),
        (Bernoulli(), 0.0, norm.cdf(M / 0.8)),
        (Lognormal(), 0.0, math.exp(M + V / 2)),
        (Weibull(), 0.6, math.exp(M + V / 2) * math.gamma(1.6)),
        (Poisson(), 0.0, math.exp(M + V / 2)),
        (NegativeBinomial(), 0.7, math.exp(M + V / 2)),
        (Bernoulli("logit"), 0.0,
         quad(lambda x: norm.pdf(x, M, 0.8) / (1 + math.exp(-x)), -8, 8)[0]),
    ],
    ids=lambda v: getattr(v, "name", ""),
)  # fmt: skip
def test_the_mean_of_an_outcome(family, shape, mean):
    z = draw_values(family, ETA, shape, np.random.default_rng(2))
    close(z, mean)
    assert expected_value(family, M, V, shape) == pytest.approx(mean, rel=1e-6)


def test_spread_of_times_and_counts():
    rng = np.random.default_rng(3)
    log = np.log(draw_values(Weibull(), np.full(BIG, 0.3), 0.6, rng))
    close(log, 0.3 - 0.6 * np.euler_gamma)  # minimum Gumbel
    close((log - 0.3 + 0.6 * np.euler_gamma) ** 2, 0.36 * math.pi**2 / 6)
    count = draw_values(NegativeBinomial(), np.full(BIG, math.log(3)), 0.5, rng)
    close((count - 3) ** 2, 3 + 0.5 * 9)


@pytest.mark.parametrize(
    ("family", "shape", "values"),
    [
        (Bernoulli(), 0.0, [0.0, 1.0]),
        (Bernoulli("logit"), 0.0, [0.0, 1.0]),
        (Poisson(), 0.0, range(60)),
        (NegativeBinomial(), 0.7, range(400)),
    ],
    ids=lambda v: getattr(v, "name", ""),
)
def test_densities_are_those_that_are_drawn_from(family, shape, values):
    """Shares of values, up to the factor that the density leaves out."""
    rng = np.random.default_rng(4)
    z = np.array(list(values))
    drawn = draw_values(family, ETA, shape, rng)
    one = np.ones((1, len(z)))
    log = log_expected(family, M * one, V * one, z, np.zeros(len(z), bool), np.array([shape]))[0]
    if family.is_count:
        log = log - [math.lgamma(k + 1) for k in z]
    assert np.exp(log).sum() == pytest.approx(1, abs=1e-3)
    for value, p in zip(z[:6], np.exp(log)[:6], strict=True):
        close(drawn == value, p)


def test_outcomes_in_a_model():
    """Shares and moments through the structure, residual correlation and mediation included."""
    text = "f =~ x1 + x2 + x3; e ~ d*f; t ~ r*f; e ~~ t; y ~ b*e"
    truth = {"f ~~ f": 1.0, "d": 0.6, "e ~1": 0.5, "r": 0.3, "t ~1": 1.0, "t ~~ t": 0.25,
             "e ~~ t": 0.2, "b": 0.7, "y ~1": 0.1, "y ~~ y": 1.0}  # fmt: skip
    d = simulate(text, BIG, truth, seed=5, families={"e": "bernoulli", "t": "lognormal"})
    assert list(d.columns) == ["x1", "x2", "x3", "e", "t", "y"]
    sd = math.sqrt(1 + 0.36)
    close(d["e"], norm.cdf(0.5 / sd))
    close(np.log(d["t"]), 1.0)
    # Cov(log t, e) = Cov(log t, eta_e) phi(.5 / sd) / sd
    close((np.log(d["t"]) - 1) * d["e"], (0.6 * 0.3 + 0.2) * norm.pdf(0.5 / sd) / sd)
    close(d.loc[d["e"] == 1, "y"], 0.8)
    close(d.loc[d["e"] == 0, "y"], 0.1)
    again = simulate(text, 50, d.attrs["truth"], families={"e": "bernoulli", "t": "lognormal"})
    assert again.attrs["truth"] == d.attrs["truth"]


def test_censored_times():
    families = {"t": Weibull(censored="waiting")}
    d = simulate("f =~ x1 + x2 + x3; t ~ f", BIG, {"t shape": 0.6}, seed=6, families=families)
    assert list(d.columns) == ["x1", "x2", "x3", "t", "waiting"]
    assert set(d["waiting"]) == {0.0, 1.0}
    t = d.attrs["truth"]
    assert t["t shape"] == 0.6
    # Pr(T > C) for log T = eta + .6 G, log C normal about log(2) above the log of T's median
    variance = t["t ~ f"] ** 2 * t["f ~~ f"]
    centre = math.log(2) + 0.6 * math.log(math.log(2))

    def survives(x):
        return math.exp(-math.exp(x / 0.6)) * norm.pdf(x, centre, math.sqrt(0.25 + variance))

    close(d["waiting"], quad(survives, -8, 8)[0])
    with pytest.raises(ModelError, match="the model uses it"):
        simulate("f =~ x1 + x2 + x3; t ~ f + waiting", 50, families=families)


@pytest.mark.parametrize(
    ("truth", "message"),
    [
        ({"t shape": 0.0}, "`t shape` the value 0"),
        ({"e ~~ e": 2.0}, "fixed at 1"),
        ({"e shape": 1.0}, "no label or parameter"),
        ({"e (observed) ~~ e (observed)": 1.0}, "no label or parameter"),
    ],
)
def test_truth_that_no_outcome_has(truth, message):
    text = "f =~ x1 + x2 + x3; e ~ f; t ~ f + e"
    with pytest.raises(ModelError, match=message):
        simulate(text, 50, truth, families={"e": "bernoulli", "t": "weibull"})


# -- predictive ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ready():
    """A mediating 0/1 outcome, a censored time and a product, some cells missing."""
    text = """
    f =~ x1 + x2 + x3
    g =~ x4 + x5 + x6
    y ~ f + size
    t ~ f + g + y + w*f:g
    """
    families = {"y": "bernoulli", "t": Lognormal(censored="waiting")}
    data = simulate(text, 80, seed=7, families=families)
    data.loc[3, "t"] = np.nan
    data.loc[3, "waiting"] = np.nan
    data.loc[4, "x1"] = np.nan
    return prepare(text, data, families=families, check=False), data, (text, families)


def test_replicated_outcomes(ready):
    prepared, data, _ = ready
    x = np.where(["~~" in n for n in prepared.spec.names], 0.8, 0.4)
    x = np.where([p.variable == "correlation" for p in prepared.spec.parameters], 0.2, x)
    fit = at(prepared, x, 600)
    fit.draws["observed_data"] = observed(prepared)
    tree = predictive(fit, draws=600, seed=1)
    new = tree["posterior_predictive"]
    assert set(new.data_vars) == {"y", "y (outcome)", "t"}
    assert new["t"].dims == ("chain", "draw", "case")
    assert np.isnan(new["t"].to_numpy()[0, :, 3]).all()
    assert np.isnan(new["y"].to_numpy()[0, :, 4, 0]).all()
    assert new.attrs["held_fixed"] == "size"
    seen = tree["observed_data"]
    np.testing.assert_array_equal(seen["y (outcome)"], data["y"])
    event = tree["constant_data"]["t"].to_numpy()
    np.testing.assert_array_equal(event == 0, data["waiting"] == 1)
    # the 0/1 outcome, case by case: a probit of f and size
    M = prepared.spec.matrices(x)
    k = prepared.table.outcomes[0].factor
    size = prepared.table.factors.index("size")
    f = prepared.table.factors.index("f")
    mean = M.alpha[k] + M.Beta[k, size] * data["size"].to_numpy()
    sd = math.sqrt(M.Psi[k, k] + M.Beta[k, f] ** 2 * M.Psi[f, f])
    p = norm.cdf(mean / sd)
    share = new["y (outcome)"].to_numpy()[0].mean(0)
    assert (np.abs(share - p) < 4.5 * np.sqrt(p * (1 - p) / 600)).all()
    # the time follows the new 0/1 value, not the observed one
    t = np.log(new["t"].to_numpy()[0])
    z = new["y (outcome)"].to_numpy()[0]
    twin = prepared.table.indicators.index("y (observed)")
    np.testing.assert_array_equal(new["y"].to_numpy()[0, ..., twin], z)
    # its coefficient, and what f does beside it
    assert np.nanmean(t[z == 1]) - np.nanmean(t[z == 0]) > 0.4


def observed(prepared):
    data = prepared.data
    names = list(prepared.table.indicators)
    return xr.DataTree(
        xr.Dataset({"y": (("case", "indicator"), data.values)}, {"indicator": names})
    )


def test_prior_predictive_of_outcomes(ready):
    _, data, (text, families) = ready
    tree = prior_predictive(text, data, families=families, draws=30, seed=1)
    new = tree["prior_predictive"]
    assert new["y (outcome)"].shape == (1, 30, 80)
    assert set(np.unique(new["y (outcome)"])) == {0.0, 1.0}
    assert (new["t"].to_numpy()[0][:, :3] > 0).all()
    assert tree["prior"]["w"].shape == (1, 30)


def test_data_of_an_outcome_can_be_fitted(ready):
    prepared, data, _ = ready
    assert prepared.data.censored[:, 1].sum() == (data["waiting"] == 1).sum()
