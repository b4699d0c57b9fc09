"""Simulated and replicated data, against moments worked out by hand or by another formula."""

import warnings

import numpy as np
import pandas as pd
import pytest

from bayesem.data import Moments
from bayesem.errors import ConstraintError, DataError, ModelError, PriorError
from bayesem.model import read_model
from bayesem.posterior import Fit
from bayesem.preparation import prepare
from bayesem.simulation import (
    _wishart,
    predictive,
    prior_predictive,
    replicate,
    replicated_moments,
    simulate,
    square_root,
)

MEDIATION = """
X =~ x1 + x2 + x3
M =~ m1 + m2 + m3
M ~ a*X
y ~ b*M + c*X
ab := a*b
"""
TRUTH = {
    "a": 0.4, "b": 0.5, "y ~ X": -0.2, "X =~ x2": 0.8, "X =~ x3": 1.2, "M =~ m2": 1.1,
    "M =~ m3": 0.9, "X ~~ X": 1.5, "M ~~ M": 0.6, "x1 ~~ x1": 0.3, "y ~~ y": 0.7, "y ~1": 2.0,
}  # fmt: skip
BIG = 400_000


def test_huge_sample_has_the_covariances_of_wrights_rules():
    """Covariances by tracing paths, without a matrix in sight."""
    data = simulate(MEDIATION, BIG, TRUTH, seed=1)
    S = data.cov()
    var_x, var_m = 1.5, 0.4**2 * 1.5 + 0.6
    cov_xm = 0.4 * 1.5
    expected = {
        ("x1", "x1"): var_x + 0.3,
        ("x2", "x3"): 0.8 * 1.2 * var_x,
        ("x2", "m3"): 0.8 * 0.9 * cov_xm,
        ("m2", "m3"): 1.1 * 0.9 * var_m,
        ("x2", "y"): 0.8 * (0.5 * cov_xm - 0.2 * var_x),
        ("m2", "y"): 1.1 * (0.5 * var_m - 0.2 * cov_xm),
        ("y", "y"): 0.25 * var_m + 0.04 * var_x - 0.2 * cov_xm + 0.7,
    }
    for (i, j), value in expected.items():
        se = np.sqrt((S.loc[i, i] * S.loc[j, j] + value**2) / BIG)
        assert abs(S.loc[i, j] - value) < 4 * se, (i, j)
    assert abs(data["y"].mean() - 2.0) < 4 * np.sqrt(S.loc["y", "y"] / BIG)
    assert abs(data["m1"].mean()) < 4 * np.sqrt(S.loc["m1", "m1"] / BIG)


def test_truth_is_recorded_whole_and_can_be_given_back():
    data = simulate(MEDIATION, 50, {"a": 0.4}, seed=3)
    truth = data.attrs["truth"]
    assert data.attrs["synthetic"] is True
    assert truth["a"] == truth["M ~ X"] == 0.4
    assert truth["ab"] == pytest.approx(0.4 * truth["b"])
    assert truth["X =~ x1"] == 1.0
    again = simulate(MEDIATION, 50, truth, seed=3)
    pd.testing.assert_frame_equal(data, again)


def test_same_seed_same_data_and_other_seed_other_data():
    one, two = (simulate(MEDIATION, 30, seed=s) for s in (1, 2))
    pd.testing.assert_frame_equal(one, simulate(MEDIATION, 30, seed=1))
    assert not np.allclose(one, two)


@pytest.mark.parametrize(
    "text",
    [
        MEDIATION,
        "f =~ x1 + x2 + x3; g =~ x4 + x5 + x6; h =~ f + g + z1; x1 ~~ x4",
        "f =~ x1 + x2 + x3; f ~ w1 + w2; y ~ f + w1",
    ],
)
def test_declared_values_describe_one_population_in_both_metrics(text):
    marker, unit = (simulate(text, 40, seed=5, identify=i) for i in ("marker", "unit"))
    np.testing.assert_allclose(marker, unit, rtol=0, atol=1e-12)


def test_declared_values_in_the_unit_metric():
    truth = simulate(
        "f =~ x1 + x2; g =~ x3 + x4; y ~ f + w; x1 ~~ x3", 20, seed=1, identify="unit"
    ).attrs["truth"]
    assert truth["f =~ x1"] == 0.7
    assert truth["x2 ~~ x2"] == pytest.approx(0.51)
    assert truth["f ~~ g"] == pytest.approx(0.3)
    assert truth["x1 ~~ x3"] == pytest.approx(0.1 * 0.51)
    assert truth["y ~ w"] == pytest.approx(0.3)
    assert (truth["w ~~ w"], truth["w ~1"], truth["f ~~ f"]) == (1, 0, 1)


def test_codebook_gives_the_units_and_answers_are_rounded():
    model = read_model("alliance_mediation")
    plain = simulate(model, 20_000, seed=1)
    assert plain.attrs["truth"]["rsc1 ~1"] == 5.5
    assert abs(plain["rsc1"].std() - 2.25) < 4 * 2.25 / np.sqrt(2 * 20_000)
    answers = simulate(model, 200, seed=1, answers=True)
    assert set(np.unique(answers)) <= set(range(1, 11))
    assert prepare(model, answers).data.synthetic


def test_declared_values_meet_constraints():
    text = "f =~ x1 + x2 + x3; y ~ a*f + b*w; z ~ d*f; a > b; d == 2*a"
    truth = simulate(text, 20, seed=1).attrs["truth"]
    assert truth["a"] > truth["b"]
    assert truth["d"] == pytest.approx(2 * truth["a"])
    with pytest.raises(ConstraintError, match="break this constraint"):
        simulate(text, 20, {"a": 0.1, "b": 0.3})


@pytest.mark.parametrize(
    ("truth", "message"),
    [
        ({"aa": 0.3}, "Did you mean `a`"),
        ({"M =~ x2": 0.3}, "no label or parameter"),
        ({"X =~ x1": 2.0}, "fixed at 1 to give its factor a scale"),
        ({"a": np.nan}, "finite number"),
        ({"a": "0.3"}, "finite number"),
        ({"x1 ~~ x1": -1}, "variance `x1 ~~ x1`"),
        ({"a": 0.3, "M ~ X": 0.4}, "two values"),
        ({"ab": 0.9}, "its definition gives"),
    ],
)
def test_truth_that_makes_no_sense(truth, message):
    with pytest.raises(ModelError, match=message):
        simulate(MEDIATION, 50, truth)


def test_truth_that_is_no_population():
    with pytest.raises(ModelError, match=r"factors not positive definite.*\n.*`f` and `g`"):
        simulate("f =~ x1 + x2; g =~ x3 + x4", 50, {"f ~~ g": 3.0})
    with pytest.raises(ModelError, match="gain of 1"):
        simulate("f =~ x1 + x2; g =~ x3 + x4; f ~ a*g; g ~ b*f", 50, {"a": 2.0, "b": 0.5})


@pytest.mark.parametrize("n", [7, 0, -1, 2.5, True])
def test_too_few_cases(n):
    with pytest.raises(DataError, match="at least 8"):
        simulate(MEDIATION, n)


def test_answers_need_a_scale():
    with pytest.raises(ModelError, match="codebook"):
        simulate(MEDIATION, 50, answers=True)


# -- prior predictive ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def plain_data() -> pd.DataFrame:
    """Four columns, some cells missing."""
    data = simulate("f =~ x1 + x2 + x3; y ~ f", 40, seed=2)
    data.iloc[3, 1] = data.iloc[7, 3] = np.nan
    return data


def test_prior_predictive_has_the_analytic_moments(plain_data):
    """With every variance known: var y = E[lambda**2] + E[theta**2] + var nu, by hand."""
    priors = {
        "f =~ x1": "normal(0.5, 0.2)", "f =~ x2": "normal(0.8, 0.1)", "x1 ~1": "normal(3, 0.5)",
        "x1 ~~ x1": "gamma(9, 10)", "x2 ~~ x2": "halfnormal(1)",
    }  # fmt: skip
    draws = 4000
    tree = prior_predictive(
        "f =~ x1 + x2 + x3", plain_data[["x1", "x2", "x3"]], draws=draws, identify="unit",
        priors=priors, seed=1,
    )  # fmt: skip
    assert set(tree.children) == {"prior", "prior_predictive"}
    y = tree["prior_predictive"]["y"].to_numpy()[0]
    assert y.shape == (draws, 40, 3)
    x1 = y[..., 0]
    means, seconds = x1.mean(1), ((x1 - 3) ** 2).mean(1)
    variance = 0.5**2 + 0.2**2 + (9 * 10) / 100 + 0.5**2  # E[s**2] = a (a + 1) / b**2
    assert abs(means.mean() - 3) < 4 * means.std() / np.sqrt(draws)
    assert abs(seconds.mean() - variance) < 4 * seconds.std() / np.sqrt(draws)
    product = np.nanmean((x1 - 3) * y[..., 1], axis=1)  # E[lambda1 lambda2] = 0.5 * 0.8
    assert abs(product.mean() - 0.4) < 4 * product.std() / np.sqrt(draws)


def test_prior_predictive_keeps_missing_cells_and_names(plain_data):
    tree = prior_predictive("f =~ x1 + x2 + x3; y ~ b*f", plain_data, draws=20, seed=1)
    y = tree["prior_predictive"]["y"]
    missing = np.isnan(plain_data.to_numpy())
    assert (np.isnan(y.to_numpy()) == missing).all()
    assert tree["prior"]["b"].sizes == {"chain": 1, "draw": 20}


def test_prior_predictive_refuses_what_it_cannot_draw(plain_data):
    with pytest.raises(PriorError, match="improper"):
        prior_predictive("f =~ x1 + x2 + x3", plain_data, priors="flat")
    with pytest.raises(DataError, match="draws"):
        prior_predictive("f =~ x1 + x2 + x3", plain_data, draws=0)


# -- replicated data -----------------------------------------------------------------------


def _standard_errors_off(samples, expected):
    error = samples.std(0, ddof=1) / np.sqrt(len(samples))
    return np.abs(samples.mean(0) - expected) / np.where(error > 0, error, np.inf)


def test_wishart_has_its_mean_and_variance():
    Q = np.array([[2.0, 0.6], [0.6, 1.0]])
    W = _wishart(np.broadcast_to(Q, (20_000, 2, 2)), 9, np.random.default_rng(1))
    assert _standard_errors_off(W.reshape(-1, 4), 9 * Q.ravel()).max() < 4
    spread = (W[:, 0, 1] - 9 * 0.6) ** 2
    assert _standard_errors_off(spread, 9 * (0.6**2 + 2.0 * 1.0)) < 4


def test_root_of_a_singular_matrix():
    Q = np.array([[1.0, 1.0], [1.0, 1.0]])
    np.testing.assert_allclose(square_root(Q) @ square_root(Q), Q, atol=1e-12)


@pytest.mark.parametrize("means", [True, False])
def test_moments_are_replicated_as_answers_would_be(means):
    """Two routes to the distribution of S and ybar given the held predictors: cases and Wishart."""
    text = "f =~ x1 + x2 + x3; f ~ w1 + w2; y ~ f + w1"
    data = simulate(text, 25, seed=4)
    cov = data.cov()
    moments = Moments(cov, 25, data.mean() if means else None)
    raw, short = (prepare(text, d, means=means, check=False) for d in (data, moments))
    q = len(raw.spec.parameters)
    x = np.broadcast_to(np.where(["~~" in n for n in raw.spec.names], 0.7, 0.4), (6000, q))
    x = np.where([p.variable == "correlation" for p in raw.spec.parameters], 0.1, x)
    rng = np.random.default_rng(8)
    M = raw.spec.matrices(x)
    np.testing.assert_allclose(M.Sigma[0], short.spec.matrices(x).Sigma[0], atol=1e-10)
    y = replicate(raw.spec, raw.data, M, rng, about=False)["y"].to_numpy()[0]
    centred = y - y.mean(1, keepdims=True)
    by_cases = centred.mT @ centred / 24
    assert raw.table.indicators[3:5] == ("w1", "w2")
    assert raw.table.factors[1:3] == ("w1", "w2")
    S, ybar = replicated_moments(short.spec, moments, M, rng)
    for power in (1, 2):
        both = [(a.reshape(6000, -1)) ** power for a in (by_cases, S)]
        gap = both[0].mean(0) - both[1].mean(0)
        error = np.sqrt(sum(b.var(0, ddof=1) for b in both) / 6000)
        assert (np.abs(gap) / np.maximum(error, 1e-8)).max() < 4.2
    fixed = cov.loc[["w1", "w2"], ["w1", "w2"]].to_numpy()
    np.testing.assert_allclose(S[:, 3:5, 3:5], np.broadcast_to(fixed, (6000, 2, 2)), atol=1e-10)
    np.testing.assert_allclose(y[:, :, 3], np.broadcast_to(data["w1"], (6000, 25)))
    if means:
        assert ybar is not None
        np.testing.assert_allclose(ybar[:, 3], data["w1"].mean())
        gap = y.mean(1).mean(0) - ybar.mean(0)
        assert (np.abs(gap) < 4.2 * np.sqrt(2 * ybar.var(0) / 6000) + 1e-9).all()
        np.testing.assert_allclose(y.mean(1).std(0), ybar.std(0), rtol=0.05, atol=1e-9)
    else:
        assert ybar is None


def test_predictive_reproduces_the_implied_moments(democracy: Fit):
    """Mean and variance of replicated means, by the law of total variance over the same draws."""
    tree = predictive(democracy, draws=1000, seed=3)
    y = tree["posterior_predictive"]["y"].to_numpy()[0]
    assert y.shape == (1000, 75, 11)
    chosen = np.linspace(0, 3999, 1000).round().astype(int)
    M = democracy.matrices()
    mu, Sigma = M.mu.reshape(-1, 11)[chosen], M.Sigma.reshape(-1, 11, 11)[chosen]
    error = np.sqrt(np.einsum("dii->di", Sigma).mean(0) / 75 / 1000)
    assert (np.abs(y.mean((0, 1)) - mu.mean(0)) < 4 * error).all()
    S = np.einsum("dci,dcj->dij", y - mu[:, None], y - mu[:, None]) / 75
    off = _standard_errors_off((S - Sigma).reshape(1000, -1), 0)
    assert off.max() < 4.5
    np.testing.assert_array_equal(
        tree["observed_data"]["y"].to_numpy(), democracy.draws["observed_data"]["y"].to_numpy()
    )
    again = predictive(democracy, draws=1000, seed=3)
    np.testing.assert_array_equal(again["posterior_predictive"]["y"].to_numpy()[0], y)


def test_arviz_takes_the_predictive(democracy: Fit):
    azp = pytest.importorskip("arviz_plots")
    tree = predictive(democracy, draws=20)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        azp.plot_ppc_dist(tree, backend="none")


def test_predictive_refuses_more_draws_than_there_are(democracy: Fit):
    with pytest.raises(DataError, match="posterior has 4000"):
        predictive(democracy, draws=4001)
