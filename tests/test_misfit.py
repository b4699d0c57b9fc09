"""Residuals and predictive checks: against other routes, planted misfit and known truths."""

import kinds
import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter
from scipy.stats import ks_2samp, kurtosis, skew

from bayesem.decomposition import standardise
from bayesem.errors import NotAvailableError
from bayesem.figures import plot_residuals
from bayesem.fitting import fit
from bayesem.goodness import checking
from bayesem.goodness.checking import predictive_checks
from bayesem.goodness.discrepancy import sample_of
from bayesem.goodness.misfit import correlations, residuals
from bayesem.goodness.replicates import replicated_answers, replicated_estimates
from bayesem.incomplete import saturated
from bayesem.simulation import simulate

TWO = "F =~ x1 + x2 + x3 + x4; G =~ y1 + y2 + y3 + y4; F ~~ G"


@pytest.fixture(scope="module")
def planted():
    """A fit of a model that leaves a residual correlation of x2 and y3 out (0.5 in truth)."""
    data = simulate(TWO + "; x2 ~~ r*y3", 300, {"r": 0.25}, seed=2)
    return fit(TWO, data, draws=500, tune=500, seed=1, progress=False)


# -- residuals -----------------------------------------------------------------------------


def test_observed_and_implied_are_the_samples_and_the_models():
    found = kinds.fit_of("complete")
    table = residuals(found).set_index(["lhs", "op", "rhs"])
    y = pd.DataFrame(found.data.values, columns=list(found.data.names))
    assert table.loc[("x1", "~~", "m2"), "observed"] == pytest.approx(y["x1"].corr(y["m2"]))
    assert table.loc[("y2", "~1", ""), "observed"] == pytest.approx(y["y2"].mean())
    std = standardise(found.matrices(), found.table)
    loadings = std.Lambda[..., [0, 1], 0]
    implied = (loadings[..., 0] * loadings[..., 1]).mean()
    assert table.loc[("x1", "~~", "x2"), "implied"] == pytest.approx(implied)
    gap = table["observed"] - table["implied"]
    pairs = table.index.get_level_values("op") == "~~"
    np.testing.assert_allclose(table["residual"][pairs], gap[pairs], atol=1e-12)
    unit = y["y2"].std(ddof=0)
    assert table.loc[("y2", "~1", ""), "residual"] == pytest.approx(
        gap[("y2", "~1", "")] / unit, rel=1e-9
    )
    assert ("size", "~1", "") not in table.index  # conditioned on
    assert pairs.sum() == 45


def test_replicated_moments_are_those_of_replicated_cases():
    """Wishart draws against data sets drawn case by case, `size` held."""
    found = kinds.fit_of("complete")
    sample = sample_of(found)
    _, mu, S = replicated_estimates(found, sample, draws=None, seed=1)
    slow = saturated(replicated_answers(found, sample, draws=1000, seed=2))
    for i, j in ((0, 1), (2, 7), (5, 9), (3, 3)):
        assert ks_2samp(S[:, i, j], slow.Sigma[:, i, j]).pvalue > 0.001
    assert ks_2samp(mu[:, 4], slow.mu[:, 4]).pvalue > 0.001
    np.testing.assert_allclose(S[:, 9, 9], sample.S[9, 9], rtol=1e-9)


def test_planted_correlation_is_found(planted):
    """The pair with a residual correlation stands out, and its p is extreme."""
    table = residuals(planted)
    pairs = table[table["op"] == "~~"]
    worst = pairs.iloc[pairs["residual"].abs().argmax()]
    assert (worst["lhs"], worst["rhs"]) == ("x2", "y3")
    assert worst["lower"] > 0
    assert worst["p"] < 0.01
    outside = (pairs["lower"] > 0) | (pairs["upper"] < 0)
    extreme = (pairs["p"] < 0.025) | (pairs["p"] > 0.975)
    assert (outside == extreme).mean() > 0.95


@pytest.mark.slow
def test_right_model_is_seldom_marked():
    """Twelve data sets from the model: at most 5% of the 336 intervals exclude 0."""
    marked = 0
    for seed in range(12):
        data = simulate(TWO, 150, seed=100 + seed)
        found = fit(TWO, data, draws=250, tune=300, seed=seed, progress=False)
        pairs = residuals(found).query("op == '~~'")
        marked += int(((pairs["lower"] > 0) | (pairs["upper"] < 0)).sum())
    assert marked <= 0.05 * 336


def test_missing_cells_take_the_saturated_estimate():
    """EM's correlations, not those of pairs of cases; and close to the complete data's."""
    found = kinds.fit_of("missing")
    table = residuals(found, draws=200).query("op == '~~'")
    S = saturated((found.data.values - np.nanmean(found.data.values, 0))[None]).Sigma[0]
    R = correlations(S)
    assert table.iloc[0]["observed"] == pytest.approx(R[1, 0], abs=1e-6)
    complete = residuals(kinds.fit_of("complete")).query("op == '~~'")
    both = table.merge(complete, on=["lhs", "rhs"])
    assert (both["observed_x"] - both["observed_y"]).abs().max() < 0.1
    assert (both["sd_x"] > 0.9 * both["sd_y"]).all()


@pytest.mark.parametrize("kind", ["interaction", "outcome"])
def test_continuous_part_of_casewise_models(kind):
    table = residuals(kinds.fit_of(kind), draws=200)
    assert table["p"].between(0.001, 0.999).mean() > 0.9
    assert "bought" not in {*table["lhs"], *table["rhs"]}
    assert table.attrs["replicated"] == 200


def test_moments_have_no_residuals():
    found = kinds.fit_of("moments")
    with pytest.raises(NotAvailableError, match="residuals of a fit of moments say nothing"):
        residuals(found)
    with pytest.raises(NotAvailableError, match="predictive checks of a fit of moments"):
        predictive_checks(found)


def test_map_of_residuals_is_drawn(planted, tmp_path):
    figure = plot_residuals(planted, tmp_path / "map.png")
    assert (tmp_path / "map.png").stat().st_size > 10_000
    texts = [t.get_text() for t in figure.axes[0].texts]
    assert len(texts) == 28
    bold = [t.get_text() for t in figure.axes[0].texts if t.get_weight() == "bold"]
    table = residuals(planted).query("op == '~~'")
    worst = table["residual"].abs().max()
    assert f"+{worst:.2f}".replace("+0.", "+.") in bold
    assert "SYNTHETIC DATA" in [t.get_text() for t in figure.texts]
    plain = plot_residuals(kinds.fit_of("complete"))
    assert len(plain.axes[0].texts) < 28  # ten variables: only the marked cells


# -- predictive checks ---------------------------------------------------------------------


def test_features_are_those_of_scipy_and_pandas():
    found = kinds.fit_of("missing")
    table = predictive_checks(found, draws=50).set_index(["variable", "with", "statistic"])
    y = pd.DataFrame(found.data.values, columns=list(found.data.names))
    x = y["x1"].dropna()
    wanted = {
        "mean": x.mean(), "sd": x.std(), "skewness": skew(x), "kurtosis": kurtosis(x),
        "minimum": x.min(), "maximum": x.max(),
    }  # fmt: skip
    for name, value in wanted.items():
        assert table.loc[("x1", "", name), "observed"] == pytest.approx(value)
    assert table.loc[("x2", "y1", "correlation"), "observed"] == pytest.approx(
        y["x2"].corr(y["y1"])
    )
    assert ("size", "", "mean") not in table.index
    assert (table["lower"] <= table["mean"]).all()
    assert (table["mean"] <= table["upper"]).all()


def test_skewed_answers_are_seen():
    data = simulate(TWO, 300, seed=4)
    data["x1"] = np.exp(data["x1"])
    found = fit(TWO, data, draws=300, tune=400, seed=1, progress=False)
    table = predictive_checks(found, draws=200).set_index(["variable", "statistic"])
    assert table.loc[("x1", "skewness"), "p"] == 0.0
    assert table.loc[("x1", "maximum"), "p"] < 0.02
    assert 0.2 < table.loc[("x1", "mean"), "p"] < 0.8
    assert 0.02 < table.loc[("y1", "skewness"), "p"] < 0.98


def test_ends_of_the_scale_are_counted():
    """A codebook's scale of 1 to 10: shares that would be rounded to its ends."""
    y = np.array([1.0, 1.4, 1.6, 10.0, 9.6, 9.4, 5.0, np.nan])
    features = {k: v for k, v, _ in checking._shape(y, np.tile(y, (3, 1)), (1.0, 10.0))}
    assert features["share at floor"] == pytest.approx(2 / 7)
    assert features["share at ceiling"] == pytest.approx(2 / 7)


def test_share_of_ones():
    found = kinds.fit_of("outcome")
    table = predictive_checks(found, draws=200)
    row = table[(table["variable"] == "bought") & (table["statistic"] == "share of 1")].iloc[0]
    assert row["observed"] == pytest.approx(found.data.outcomes.mean())
    assert 0.1 < row["p"] < 0.9
    assert ((table["variable"] == "x1") & (table["with"] == "bought")).any()


def test_survival_is_lifelines():
    rng = np.random.default_rng(6)
    t, c = rng.weibull(1.5, 300).round(2), rng.exponential(1.2, 300).round(2)
    z, event = np.minimum(t, c), t <= c
    times, survival = checking._kaplan_meier(z, event)
    theirs = KaplanMeierFitter().fit(z, event)
    last = np.append(times[1:] != times[:-1], True)
    np.testing.assert_allclose(
        survival[last], theirs.survival_function_at_times(times[last]).to_numpy(), atol=1e-12
    )
    found = {k: v for k, v, _ in checking._times(z, t[None], ~event, rng)}
    assert found["median time"] == pytest.approx(theirs.median_survival_time_)


def test_share_censored_of_the_true_model_is_the_observed_one():
    """Replicates of the truth are cut off as often as the data were, in standard errors."""
    rng = np.random.default_rng(7)
    n, sets = 400, 300
    t, c = rng.lognormal(0, 1, n), rng.lognormal(0.5, 0.7, n)
    new = rng.lognormal(0, 1, (sets, n))
    z, censored = np.minimum(t, c), t > c
    found = {k: (v, r) for k, v, r in checking._times(z, new, censored, rng)}
    share, values = found["share censored"]
    assert share == pytest.approx(censored.mean())
    assert abs(values.mean() - share) < 4 * np.sqrt(share * (1 - share) / n)
    longer = {k: r for k, _, r in checking._times(z, 3 * new, censored, rng)}
    assert (longer["share censored"] > share).all()


def test_half_never_reached_takes_the_lower_quartile():
    rng = np.random.default_rng(8)
    z = np.concatenate([rng.uniform(0, 1, 40), np.full(60, 1.0)])
    censored = np.arange(100) >= 40
    names = [k for k, _, _ in checking._times(z, rng.uniform(0, 3, (5, 100)), censored, rng)]
    assert names == ["lower quartile of time", "share censored"]


def test_counts_have_zeros_and_dispersion():
    from bayesem.families import NegativeBinomial
    from bayesem.partable import Outcome

    rng = np.random.default_rng(9)
    z, new = rng.poisson(1.5, 200).astype(float), rng.poisson(1.5, (400, 200)).astype(float)
    outcome = Outcome("visits", 0, NegativeBinomial())
    found = {k: (v, r) for k, v, r in checking._outcome(outcome, z, new, np.zeros(200, bool), rng)}
    assert found["share of 0"][0] == (z == 0).mean()
    assert found["variance / mean"][0] == pytest.approx(z.var(ddof=1) / z.mean())
    assert abs(found["variance / mean"][1].mean() - 1) < 4 * np.sqrt(2 / 200 / 400)
