"""Factor scores against closed forms and the joint normal of factors and answers."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.special import gammaln, logsumexp
from scipy.stats import nbinom, norm, poisson, weibull_min

from bayesem.data import Moments
from bayesem.errors import DataError, NotAvailableError
from bayesem.families import POISSON, Lognormal, NegativeBinomial, Poisson, Weibull
from bayesem.posterior import Fit, Settings
from bayesem.preparation import Prepared, prepare
from bayesem.sampling.convergence import Convergence
from bayesem.scoring import log_expected, scores
from bayesem.simulation import simulate

ONE = "f =~ x1 + x2 + x3"


def at(ready: Prepared, x: np.ndarray, draws: int = 4000) -> Fit:
    """A fit all of whose draws are one point, or the rows of ``x``."""
    x = np.broadcast_to(x, (draws, len(ready.spec.parameters)))[None]
    coords = {"parameter": list(ready.spec.names)}
    data = xr.Dataset({"x": (("chain", "draw", "parameter"), x)}, coords=coords)
    tree = xr.DataTree.from_dict({"sampled_posterior": data})
    verdict = Convergence(True, (), pd.DataFrame())
    return Fit(
        ready.model, ready.data, tree, ready.table, ready.spec, verdict, {}, Settings(), ready.notes
    )


def point(ready: Prepared, truth: dict[str, float]) -> np.ndarray:
    """Sampled values from raw ones (unit metric, no correlations)."""
    raw = np.array([truth[name] for name in ready.spec.names])
    return np.where(["~~" in n for n in ready.spec.names], np.sqrt(np.abs(raw)), raw)


@pytest.fixture(scope="module")
def one():
    truth = {
        "f =~ x1": 0.9, "f =~ x2": 0.6, "f =~ x3": 1.3, "x1 ~~ x1": 0.5, "x2 ~~ x2": 1.1,
        "x3 ~~ x3": 0.4, "x1 ~1": 10.0, "x2 ~1": -3.0, "x3 ~1": 100.0,
    }  # fmt: skip
    data = simulate(ONE, 60, truth, seed=1, identify="unit")
    data.index = [f"firm {k}" for k in range(60)]
    data.iloc[4, 1] = data.iloc[5, 0] = data.iloc[5, 2] = np.nan
    return data, truth


def regression_scores(data, truth):
    """Thurstone's weights for one factor: sums over the observed cells, no matrix."""
    L, T, nu = (
        np.array([truth[k.format(v)] for v in data.columns])
        for k in ("f =~ {}", "{0} ~~ {0}", "{} ~1")
    )
    seen = ~np.isnan(data.to_numpy())
    information = (seen * L**2 / T).sum(1)
    weighted = np.nansum((data.to_numpy() - nu) * L / T, axis=1)
    return weighted / (1 + information), 1 / np.sqrt(1 + information)


def test_one_factor_at_fixed_parameters_is_the_regression_score(one):
    data, truth = one
    ready = prepare(ONE, data, identify="unit", check=False)
    table = scores(at(ready, point(ready, truth)), seed=2)
    mean, sd = regression_scores(data, truth)
    np.testing.assert_allclose(table["mean"], mean, atol=1e-9)
    np.testing.assert_allclose(table["sd"], sd, rtol=1e-9)
    assert list(table["case"]) == list(data.index)
    assert list(table.columns) == ["case", "factor", "mean", "sd", "lower", "upper"]
    # The quantile of S normal draws has standard error sqrt(p (1 - p) / S) / density.
    error = np.sqrt(0.025 * 0.975 / 4000) / 0.0584
    off = (table["lower"] - (mean - 1.959964 * sd)) / sd / error
    assert off.abs().max() < 4.5
    assert abs(off.mean()) < 4 / np.sqrt(60)


def test_shifted_data_shift_nothing(one):
    """Scores are of deviations: 1,000 added to every column moves the means, not the scores."""
    data, truth = one
    moved = truth | {f"{v} ~1": truth[f"{v} ~1"] + 1000 for v in data.columns}
    tables = []
    for d, t in ((data, truth), (data + 1000, moved)):
        ready = prepare(ONE, d, identify="unit", check=False)
        tables.append(scores(at(ready, point(ready, t), 50)))
    np.testing.assert_allclose(tables[0]["mean"], tables[1]["mean"], atol=1e-9)


def test_without_means_the_centre_is_the_sample_mean(one):
    """Means out: deviations from the sample's, with the error that a flat prior leaves."""
    data, truth = one
    whole = data.dropna()
    ready = prepare(ONE, whole, identify="unit", means=False, check=False)
    table = scores(at(ready, point(ready, truth), 50))
    centred = truth | {f"{v} ~1": whole[v].mean() for v in whole.columns}
    mean, sd = regression_scores(whole, centred)
    np.testing.assert_allclose(table["mean"], mean, atol=1e-9)
    # w' Sigma w / n with w = Sigma^-1 Lambda: the explained part of the factor's variance, over n.
    np.testing.assert_allclose(table["sd"], np.sqrt(sd**2 + (1 - sd**2) / len(whole)), rtol=1e-9)


def test_parameters_vary_so_variances_add(one):
    """Law of total variance between two points of the parameters."""
    data, truth = one
    other = truth | {"f =~ x1": 1.4, "x1 ~1": 9.0}
    ready = prepare(ONE, data, identify="unit", check=False)
    x = np.repeat([point(ready, truth), point(ready, other)], 2000, axis=0)
    table = scores(at(ready, x))
    (m1, s1), (m2, s2) = regression_scores(data, truth), regression_scores(data, other)
    np.testing.assert_allclose(table["mean"], (m1 + m2) / 2, atol=1e-9)
    total = (s1**2 + s2**2) / 2 + (m1 - m2) ** 2 / 4 * 4000 / 3999
    np.testing.assert_allclose(table["sd"], np.sqrt(total), rtol=1e-9)


def test_structure_and_observed_predictors_inform_scores():
    """Against the joint normal of (eta, y) conditioned by a precision matrix: another formula."""
    text = "f =~ x1 + x2 + x3; g =~ x4 + x5; g ~ f + w; z ~ g"
    data = simulate(text, 50, seed=3)
    ready = prepare(text, data, identify="unit", check=False)
    x = np.where(["~~" in n for n in ready.spec.names], 0.8, 0.5)
    x = np.where([p.variable == "correlation" for p in ready.spec.parameters], 0.0, x)
    table = scores(at(ready, x, 10))
    M = ready.spec.matrices(x)
    joint = np.block([[M.Phi, M.Phi @ M.Lambda.T], [M.Lambda @ M.Phi, M.Sigma]])
    keep = [0, 1, *range(len(M.Phi), len(joint))]
    P = np.linalg.inv(joint[np.ix_(keep, keep)])
    centre = (M.A @ M.alpha)[:2]
    y = data[list(ready.table.indicators)].to_numpy() - M.mu
    expected = centre - (np.linalg.solve(P[:2, :2], P[:2, 2:]) @ y.T).T
    shown = table["mean"].to_numpy().reshape(-1, 2)
    np.testing.assert_allclose(shown, expected, atol=1e-8)
    sd = np.sqrt(np.diag(np.linalg.inv(P[:2, :2])))
    np.testing.assert_allclose(table["sd"].to_numpy().reshape(-1, 2), np.tile(sd, (50, 1)))
    assert list(table["factor"][:2]) == ["f", "g"]


def test_an_empty_case_has_the_populations_distribution(one):
    data, truth = one
    empty = data.copy()
    empty.iloc[0] = np.nan
    ready = prepare(ONE, empty, identify="unit", check=False)
    first = scores(at(ready, point(ready, truth))).iloc[0]
    assert first["mean"] == 0
    assert first["sd"] == pytest.approx(1)


def test_real_fit_scores(democracy: Fit):
    table = scores(democracy, draws=400, seed=1)
    assert len(table) == 75 * 3
    pd.testing.assert_frame_equal(table, scores(democracy, draws=400, seed=1))
    wide = table.pivot(index="case", columns="factor", values="mean")
    assert list(wide.index) == list(democracy.data.index)
    # Mean squares of scores and conditional variances add up to about the factor's variance.
    Phi = democracy.matrices().Phi.mean((0, 1))
    within = table.groupby("factor", sort=False)["sd"].apply(lambda s: (s**2).mean())
    total = wide[list(democracy.table.latent)].var(ddof=0).to_numpy() + within.to_numpy()
    np.testing.assert_allclose(total, np.diag(Phi), rtol=0.15)
    assert (table["lower"] < table["mean"]).all()
    assert (table["mean"] < table["upper"]).all()


@pytest.mark.parametrize(
    ("family", "value", "censored"),
    [
        ("bernoulli", 1.0, False), ("bernoulli", 0.0, False), ("logit", 1.0, False),
        ("lognormal", 3.0, False), ("lognormal", 3.0, True), ("weibull", 3.0, False),
        ("weibull", 3.0, True), ("poisson", 4.0, False), ("negative_binomial", 0.0, False),
    ],
)  # fmt: skip
def test_an_outcome_informs_the_score(family, value, censored):
    """Against the posterior on a grid, with densities from scipy."""
    text = "f =~ x1 + x2 + x3; z ~ b*f"
    kinds = {"lognormal": Lognormal("c"), "weibull": Weibull("c")}
    families = {"z": kinds.get(family, family)}
    data = simulate(text, 30, seed=1, families=families)
    data.loc[0, "z"] = value
    data.loc[0, "c"] = float(censored)
    data.loc[1, "z"] = data.loc[1, "c"] = np.nan
    ready = prepare(text, data, identify="unit", families=families, check=False)
    x = np.where(["~~" in n for n in ready.spec.names], 0.8, 0.9)
    table = scores(at(ready, x, 20_000), seed=3)
    grid = np.linspace(-6, 6, 2001)
    y = data.loc[0, ["x1", "x2", "x3"]].to_numpy(float)
    log = norm.logpdf(grid) + norm.logpdf(y[:, None], 0.9 + 0.9 * grid, 0.8).sum(0)
    eta = 0.9 + 0.9 * grid
    log += {
        "bernoulli": lambda: norm.logcdf(eta if value else -eta),
        "logit": lambda: -np.log1p(np.exp(-eta)),
        "lognormal": lambda: (norm.logsf if censored else norm.logpdf)(np.log(value), eta, 0.8),
        "weibull": lambda: (weibull_min.logsf if censored else weibull_min.logpdf)(
            value, 1 / 0.9, scale=np.exp(eta)
        ),
        "poisson": lambda: poisson.logpmf(value, np.exp(eta)),
        "negative_binomial": lambda: nbinom.logpmf(value, 1 / 0.9, 1 / (1 + 0.9 * np.exp(eta))),
    }[family]()
    share = np.exp(log - log.max())
    share /= share.sum()
    mean = (share * grid).sum()
    sd = np.sqrt((share * (grid - mean) ** 2).sum())
    row = table.iloc[0]
    assert abs(row["mean"] - mean) < 0.03 * sd
    assert row["sd"] == pytest.approx(sd, rel=0.03)
    ends = np.interp([0.025, 0.975], share.cumsum(), grid)
    np.testing.assert_allclose([row["lower"], row["upper"]], ends, atol=0.1 * sd)


@pytest.mark.parametrize("count", [0.0, 7.0, 150.0, 900.0])
@pytest.mark.parametrize("family", [Poisson(), NegativeBinomial()], ids=lambda f: f.name)
def test_large_counts_are_averaged_where_they_are_likely(family, count):
    """Against a dense grid: nodes on the predictor's prior miss the likely predictors by far."""
    m, v, shape = np.array([[0.5]]), np.array([[0.3]]), np.array([0.4])
    found = log_expected(family, m, v, np.array([count]), np.zeros(1, bool), shape)
    eta = np.linspace(-8, 12, 200_001)
    log = norm.logpdf(eta, 0.5, np.sqrt(0.3)) + (
        poisson.logpmf(count, np.exp(eta))
        if family.code == POISSON
        else nbinom.logpmf(count, 1 / 0.4, 1 / (1 + 0.4 * np.exp(eta)))
    )
    expected = logsumexp(log) + np.log(eta[1] - eta[0]) + gammaln(count + 1)
    assert found[0, 0] == pytest.approx(expected, abs=1e-6)


def test_scores_that_are_not_available():
    text = "f =~ x1 + x2 + x3; g =~ x4 + x5 + x6; h =~ x7 + x8 + x9; h ~ f + g + f:g"
    ready = prepare(text, simulate(text, 60, seed=1), identify="unit", check=False)
    with pytest.raises(NotAvailableError, match="products of factors"):
        scores(at(ready, np.full(len(ready.spec.names), 0.5), 10))
    text, families = "f =~ x1 + x2 + x3; z ~ f; t ~ f", {"z": "bernoulli", "t": "poisson"}
    data = simulate(text, 60, seed=1, families=families)
    ready = prepare(text, data, identify="unit", families=families, check=False)
    with pytest.raises(NotAvailableError, match="several outcomes"):
        scores(at(ready, np.full(len(ready.spec.names), 0.5), 10))


def test_moments_have_no_cases(one):
    data, truth = one
    whole = data.dropna()
    moments = Moments(whole.cov(), len(whole), whole.mean())
    ready = prepare(ONE, moments, identify="unit", check=False)
    with pytest.raises(NotAvailableError, match="moments"):
        scores(at(ready, point(ready, truth)))


def test_too_many_draws(democracy: Fit):
    with pytest.raises(DataError, match="4000"):
        scores(democracy, draws=5000)
