"""PPP and indices of fit: against blavaan, lavaan, brute force and closed forms."""

import json
import warnings
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import kinds
import numpy as np
import pytest
from scipy.stats import ks_2samp, multivariate_normal
from texts import DEMOCRACY, HOLZINGER

from bayesem import incomplete
from bayesem.comparison.criteria import information_criteria
from bayesem.errors import ConvergenceWarning, DataError, ModelError, NotAvailableError
from bayesem.fitting import fit
from bayesem.goodness import discrepancy as D_of
from bayesem.goodness import incremental, noncentrality, table
from bayesem.goodness.baseline import independence
from bayesem.goodness.discrepancy import deviance, implied_moments, replicated, sample_of
from bayesem.goodness.effective import effective_parameters
from bayesem.goodness.information import moment_scores
from bayesem.goodness.ppp import exceedance, pivotal_discrepancies
from bayesem.goodness.replicates import replicated_answers
from bayesem.goodness.srmr import srmr
from bayesem.goodness.table import INDICES, fit_indices
from bayesem.kernels.pack import constrained
from bayesem.pointwise import log_likelihoods
from bayesem.posterior import reported_matrices
from bayesem.preparation import prepare
from bayesem.sampling.starts import maximum
from bayesem.simulation import flat_draws

GOLDEN = json.loads((Path(__file__).parent / "golden" / "fit.json").read_text())
MODELS = {
    "a_HS_means": (HOLZINGER, "holzinger_data", "HS0_null_means"),
    "b_PD_means": (DEMOCRACY, "democracy_data", "PD0_null_means"),
}


@pytest.fixture(scope="module")
def reference(request):
    """Our fits of blavaan's models, with baselines, under its priors."""
    found = {}
    for name, (text, data, null) in MODELS.items():
        data = request.getfixturevalue(data)
        mine = fit(text, data, priors="blavaan", draws=1000, seed=5, progress=False)
        found[name] = mine, independence(mine, sample_of(mine), seed=6), null
    return found


@pytest.fixture(scope="module")
def baseline():
    """The independence model beside the complete data."""
    found = kinds.fit_of("complete")
    return independence(found, sample_of(found), seed=0)


def _at_maximum(name, request):
    """What the discrepancy reads, at lavaan's estimates."""
    text, data, _ = MODELS[name]
    ready = prepare(text, request.getfixturevalue(data), priors="flat")
    holder = SimpleNamespace(data=ready.data, table=ready.table, spec=ready.spec)
    u = maximum(ready.spec, jacobian=False).u
    return (
        holder,
        sample_of(holder),
        reported_matrices(ready.spec, constrained(ready.spec, u[None])),
    )


# -- against other programs ----------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_discrepancy_and_srmr_at_the_maximum_are_lavaans(name, request):
    holder, sample, M = _at_maximum(name, request)
    mu, Sigma = implied_moments(holder, M, sample)
    D = D_of.discrepancy(sample.S, sample.mu, mu, Sigma, sample.weight)
    golden = GOLDEN["lavaan"][name]["measures"]
    assert D[0] == pytest.approx(golden["chisq"], abs=1e-4)
    assert sample.log_likelihood == pytest.approx(golden["unrestricted.logl"], abs=1e-6)
    apart = np.diag(np.diag(sample.S))[None]
    D0 = D_of.discrepancy(sample.S, sample.mu, sample.mu[None], apart, sample.weight)
    assert D0[0] == pytest.approx(golden["baseline.chisq"], abs=1e-6)
    found = srmr(sample.S, Sigma, (sample.mu, mu), sample.held)
    assert found[0] == pytest.approx(golden["srmr"], abs=1e-5)


def _chisq(measures, saturated):
    """blavaan's mean discrepancy: its mean deviance plus twice the saturated log-likelihood."""
    return measures["dic"] - measures["p_dic"] + 2 * saturated


#: What blavaan's 3,000 draws are worth for the log-likelihood, cautiously.
ESS = 1000
#: And our 4,000.
OURS = 1500


@pytest.mark.parametrize("name", MODELS)
def test_discrepancies_agree_with_blavaan(name, reference):
    """Mean discrepancy of model and baseline within 4 combined Monte-Carlo errors."""
    mine, base, null = reference[name]
    sample = sample_of(mine)
    for model, golden in ((mine, name), (base, null)):
        D = deviance(model, sample_of(model), flat_draws(model, None)) + 2 * sample.log_likelihood
        theirs = _chisq(GOLDEN["blavaan"][golden]["measures"], sample.log_likelihood)
        error = D.std() * np.sqrt(1 / ESS + 1 / OURS)
        assert abs(D.mean() - theirs) < 4 * error, (golden, D.mean(), theirs, error)


@pytest.mark.parametrize("name", MODELS)
def test_indices_agree_with_blavaan(name, reference, monkeypatch):
    """Given blavaan's own p_loo, every index within 4 Monte-Carlo errors in mean and sd.

    blavaan's p_loo is itself a Monte-Carlo number: the two parameterisations of the same
    Holzinger-Swineford model have 33.49 and 32.37. Ours is compared below.
    """
    mine, base, null = reference[name]
    theirs = {k: GOLDEN["blavaan"][k]["measures"]["p_loo"] for k in (name, null)}
    monkeypatch.setattr(
        table, "effective_parameters", lambda f, kind: theirs[name if f is mine else null]
    )
    found = fit_indices(mine, baseline=base)
    golden = GOLDEN["blavaan"][name]["indices"]
    for index, row in golden.items():
        error = row["sd"] * np.sqrt(1 / ESS + 1 / OURS)
        assert abs(found.loc[index, "mean"] - row["mean"]) < 4 * error, (index, found.loc[index])
        assert found.loc[index, "sd"] == pytest.approx(row["sd"], rel=4 * np.sqrt(1 / ESS))
    ppp = GOLDEN["blavaan"][name]["measures"]["ppp"]
    error = np.hypot(found.attrs["ppp"]["mcse"], np.sqrt(0.25 / ESS))
    assert abs(found.loc["PPP", "mean"] - ppp) < 4 * error


@pytest.mark.parametrize("name", MODELS)
def test_effective_parameters_agree_with_blavaan(name, reference):
    """Within 4 errors, that of 3,000 draws judged by the spread of ours over chains."""
    mine, base, null = reference[name]
    log = log_likelihoods(mine).reshape(4, -1, mine.n)
    by_chain = log.var(1, ddof=1).sum(1).std(ddof=1) + 0.15
    criteria = information_criteria(mine)["value"]
    for kind in ("loo", "waic", "dic"):
        theirs = GOLDEN["blavaan"][name]["measures"][f"p_{kind}"]
        assert abs(criteria[f"p_{kind}"] - theirs) < 4 * by_chain, (kind, criteria, theirs)
    ours, theirs = effective_parameters(base, "loo"), GOLDEN["blavaan"][null]["measures"]["p_loo"]
    assert abs(ours - theirs) < 4 * by_chain
    assert effective_parameters(mine, "loo") == pytest.approx(criteria["p_loo"])


# -- the saturated model -------------------------------------------------------------------


def _holes(rng, n=60, p=4, share=0.15):
    y = rng.normal(size=(n, p)) @ rng.normal(size=(p, p)) + 3
    y[rng.uniform(size=y.shape) < share] = np.nan
    return y[~np.isnan(y).all(1)]


def test_likelihood_of_missing_cells_is_the_casewise_one():
    rng = np.random.default_rng(1)
    y = _holes(rng)
    mu = rng.normal(3, 1, (3, 4))
    A = rng.normal(size=(3, 4, 6))
    Sigma = A @ A.mT
    found = incomplete.expected(y, mu, Sigma).log_likelihood
    cases = incomplete.log_likelihoods_by_case(np.vstack([y, np.full(4, np.nan)]), mu, Sigma)
    assert (cases[:, -1] == 0).all()
    for k in range(3):
        each = []
        for row in y:
            o = ~np.isnan(row)
            each.append(multivariate_normal(mu[k, o], Sigma[k][np.ix_(o, o)]).logpdf(row[o]))
        np.testing.assert_allclose(cases[k, :-1], each, atol=1e-9)
        assert found[k] == pytest.approx(sum(each), abs=1e-8)


def test_em_ends_where_the_likelihood_is_flat():
    """The gradient by mean and covariance vanishes, and every set is treated for itself."""
    rng = np.random.default_rng(2)
    y = _holes(rng)
    other = y + np.where(np.isnan(y), np.nan, rng.normal(size=y.shape))
    both = incomplete.saturated(np.stack([y, other]))
    for k, values in enumerate((y, other)):
        alone = incomplete.saturated(values[None])
        assert alone.log_likelihood[0] == pytest.approx(both.log_likelihood[k], abs=1e-5)
        sample = SimpleNamespace(complete=False, y=values, weight=float(len(values)))
        g, G = moment_scores(sample, alone.mu, alone.Sigma)
        scale = np.sqrt(np.diag(alone.Sigma[0]))
        assert np.abs(g[0] * scale).max() < 0.05
        assert np.abs(G[0] * np.outer(scale, scale)).max() < 0.05


def test_moment_scores_are_the_gradient():
    """Central differences of the log-likelihood, complete and missing."""
    rng = np.random.default_rng(3)
    y = _holes(rng)
    sample = SimpleNamespace(complete=False, y=y, weight=float(len(y)))
    mu, A = rng.normal(3, 1, (1, 4)), rng.normal(size=(1, 4, 6))
    Sigma = A @ A.mT
    g, G = moment_scores(sample, mu, Sigma)
    h = 1e-5
    for i in range(4):
        e = h * np.eye(4)[i]
        ends = [incomplete.expected(y, mu + s * e, Sigma).log_likelihood[0] for s in (1, -1)]
        assert g[0, i] == pytest.approx((ends[0] - ends[1]) / (2 * h), rel=1e-5, abs=1e-4)
        for j in range(i + 1):
            E = np.zeros((4, 4))
            E[i, j] = E[j, i] = h
            ends = [incomplete.expected(y, mu, Sigma + s * E).log_likelihood[0] for s in (1, -1)]
            slope = (ends[0] - ends[1]) / (2 * h)
            both = G[0, i, j] * (1 if i == j else 2)
            assert both == pytest.approx(slope, rel=1e-4, abs=1e-3)


def test_saturated_likelihood_given_x_is_that_of_the_regressions():
    """Conditioned on `size`, the saturated model is a multivariate regression."""
    sample = sample_of(kinds.fit_of("complete"))
    assert list(np.array(sample.names)[sample.held]) == ["size"]
    x = np.column_stack([np.ones(len(sample.y)), sample.y[:, sample.held]])
    z = sample.y[:, ~sample.held]
    e = z - x @ np.linalg.lstsq(x, z, rcond=None)[0]
    total = multivariate_normal(np.zeros(z.shape[1]), e.T @ e / len(e)).logpdf(e).sum()
    assert sample.log_likelihood == pytest.approx(total, abs=1e-7)
    assert sample.moments == 9 * 10 // 2 + 9 + 9  # covariances, means, regressions on size


@pytest.mark.parametrize("kind", ["complete", "missing"])
def test_deviance_is_that_of_the_cases(kind):
    found = kinds.fit_of(kind)
    D = deviance(found, sample_of(found), flat_draws(found, None))
    np.testing.assert_allclose(D, -2 * log_likelihoods(found).sum(1), rtol=0, atol=1e-6)


# -- posterior predictive p ----------------------------------------------------------------


def test_replicated_discrepancy_is_pivotal():
    """Cases drawn from the posterior, `size` held, have the known distribution at every draw."""
    found = kinds.fit_of("complete")
    sample = sample_of(found)
    y = replicated_answers(found, sample, draws=1000, seed=3)
    mu, Sigma = implied_moments(found, flat_draws(found, 1000), sample)
    drawn = replicated(y, mu, Sigma)
    known = pivotal_discrepancies(10, 1, sample.weight, np.random.default_rng(4))
    assert ks_2samp(drawn, known).pvalue > 0.001
    wrong = pivotal_discrepancies(10, 0, sample.weight, np.random.default_rng(4))
    assert ks_2samp(drawn, wrong).pvalue < 1e-3


def test_pivotal_without_means_is_the_wisharts():
    rng = np.random.default_rng(5)
    p, n = 4, 40
    y = rng.normal(size=(4000, n, p))
    z = y - y.mean(1, keepdims=True)
    S = z.mT @ z / (n - 1)
    zero = np.zeros((4000, p))
    D = D_of.discrepancy(S, zero, zero, np.broadcast_to(np.eye(p), S.shape), n - 1.0)
    known = pivotal_discrepancies(p, 0, n - 1.0, rng, use_mean=False)
    assert ks_2samp(D, known).pvalue > 0.001


def test_exceedance_counts():
    assert exceedance(np.array([0.0, 2.0, 9.0]), np.array([3.0, 1.0, 2.0])).tolist() == [
        1.0, pytest.approx(1 / 3), 0.0,
    ]  # fmt: skip


def test_ppp_of_complete_data_equals_replication_of_cases(monkeypatch):
    """The two ways to the same p, in Monte-Carlo errors."""
    found = kinds.fit_of("complete")
    quick = fit_indices(found, indices=["PPP"])
    sample = sample_of(found)
    y = replicated_answers(found, sample, draws=1000, seed=8)
    mu, Sigma = implied_moments(found, flat_draws(found, 1000), sample)
    D = D_of.discrepancy(sample.S, sample.mu, mu, Sigma, sample.weight)
    slow = (replicated(y, mu, Sigma) > D).mean()
    error = np.hypot(quick.attrs["ppp"]["mcse"], np.sqrt(slow * (1 - slow) / 1000))
    assert abs(quick.loc["PPP", "mean"] - slow) < 4 * error


def test_ppp_with_missing_cells_is_that_of_nearly_complete_data():
    """EM on both sides: taking 8% of the cells away must not make the model look wrong or right."""
    both = [fit_indices(kinds.fit_of(k), indices=["PPP"]) for k in ("complete", "missing")]
    assert abs(both[0].loc["PPP", "mean"] - both[1].loc["PPP", "mean"]) < 0.25
    assert 0.02 < both[1].loc["PPP", "mean"] < 0.98
    assert "500 data sets" in both[1].attrs["ppp"]["how"]


def test_wrong_model_has_a_small_ppp():
    """Two factors made one."""
    data = kinds.data_of("complete")
    one = fit("F =~ x1 + x2 + x3 + y1 + y2 + y3", data, draws=300, tune=500, seed=1, progress=False)
    found = fit_indices(one, indices=["PPP", "BSRMR"])
    assert found.loc["PPP", "mean"] < 0.001
    assert found.attrs["bsrmr"]["p"] < 0.01
    assert found.attrs["bsrmr"]["at_mean"] > 0.1


@pytest.mark.parametrize("kind", ["interaction", "outcome"])
def test_ppp_without_a_chi_square(kind):
    """PPP and BSRMR stand, drawn case by case; the rest is refused by name."""
    found = kinds.fit_of(kind)
    with pytest.raises(NotAvailableError, match="BRMSEA, BGammaHat, adjBGammaHat, BMc, BCFI"):
        fit_indices(found)
    few = fit_indices(found, indices=("PPP", "BSRMR"), draws=200)
    assert list(few.index) == ["PPP", "BSRMR"]
    assert 0.02 < few.loc["PPP", "mean"] < 0.98
    assert few.attrs["ppp"]["how"].startswith("200")


# -- the table -----------------------------------------------------------------------------


def test_table_has_the_public_form(baseline):
    found = kinds.fit_of("complete")
    x = fit_indices(found, baseline=baseline, prob=0.9)
    assert tuple(x.index) == INDICES
    assert list(x.columns) == ["mean", "sd", "lower", "upper"]
    assert x.loc["PPP", ["sd", "lower", "upper"]].isna().all()
    assert x.drop("PPP").notna().all(axis=None)
    assert "depend on that arbitrary pairing" in x.attrs["notes"][-1]
    wide = fit_indices(found, prob=0.99, indices=["BGammaHat"])
    assert wide.loc["BGammaHat", "lower"] < x.loc["BGammaHat", "lower"]
    # by hand, from the draws
    sample = sample_of(found)
    D = deviance(found, sample, flat_draws(found, None)) + 2 * sample.log_likelihood
    nc, df = np.maximum(D - 63, 0), 63 - x.attrs["p_d_value"]
    assert x.loc["BRMSEA", "mean"] == pytest.approx(np.sqrt(nc / (df * 200)).mean(), rel=1e-10)


def test_baseline_leaves_out_what_is_conditioned_on(baseline):
    """Nothing depends on `size` in the baseline, so its likelihood given `size` is the same."""
    found = kinds.fit_of("complete")
    sample, base = sample_of(found), baseline
    assert "size" not in base.table.indicators
    assert len(base.spec.parameters) == 18
    D0 = deviance(base, sample_of(base), flat_draws(base, None)) + 2 * sample.log_likelihood
    # at the maximum: N ln|R| of y given x, and the regressions on x
    z = sample.y[:, ~sample.held]
    apart = -0.5 * sample.weight * (np.log(2 * np.pi * z.var(0)) + 1).sum()
    least = 2 * (sample.log_likelihood - apart)
    assert D0.min() > least
    assert D0.mean() == pytest.approx(least + 18, abs=1.5)  # one per parameter, weak priors


def test_baseline_of_other_data_is_refused(baseline):
    found = kinds.fit_of("complete")
    with pytest.raises(DataError, match="other answers"):
        fit_indices(kinds.fit_of("missing"), baseline=baseline)
    with pytest.raises(DataError, match="not by both"):
        fit_indices(found, baseline=kinds.fit_of("interaction"))


def test_no_incremental_index_prefers_the_baseline_itself(baseline):
    x = fit_indices(baseline, baseline=baseline)
    assert x.loc[["BCFI", "BTLI", "BNFI"], "mean"].abs().max() < 1e-12


def test_unknown_index_criterion_and_moments_are_refused():
    found = kinds.fit_of("complete")
    with pytest.raises(ModelError, match="`CFI` is no index"):
        fit_indices(found, indices=["CFI"])
    with pytest.raises(ModelError, match="p_d is 'bic'"):
        fit_indices(found, p_d="bic")
    with pytest.raises(NotAvailableError, match="perfectly by construction"):
        fit_indices(kinds.fit_of("moments"))


def test_without_means_only_dic_has_its_parameters():
    data = kinds.data_of("complete")
    found = fit("X =~ x1 + x2 + x3 + m1", data, means=False, draws=300, seed=1, progress=False)
    with pytest.raises(NotAvailableError, match="needs the likelihood of every case"):
        fit_indices(found)
    x = fit_indices(found, p_d="dic")
    assert x.attrs["moments"] == 10
    assert x.attrs["p_d_value"] == pytest.approx(8, abs=1.0)


def test_saturated_model_has_no_degrees_of_freedom():
    data = kinds.data_of("complete")
    found = fit("X =~ x1 + x2 + x3", data, draws=300, seed=1, progress=False)
    x = fit_indices(found, indices=["PPP"])
    assert 0.3 < x.loc["PPP", "mean"] < 0.7


def test_failed_chains_are_stamped():
    found = kinds.fit_of("complete")
    bad = replace(found, convergence=replace(found.convergence, ok=False, reasons=("R-hat",)))
    assert not bad.converged
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        x = fit_indices(bad, indices=["PPP"])
    assert any(w.category is ConvergenceWarning for w in caught)
    assert "R-hat" in x.attrs["convergence"]


def test_kernels_at_round_numbers():
    nc = noncentrality.noncentrality(np.array([40.0, 104.0]), 54)
    assert nc.tolist() == [0.0, 50.0]
    assert noncentrality.brmsea(nc, 20.0, 250.0).tolist() == [0.0, pytest.approx(0.1)]
    gamma = noncentrality.gamma_hat(nc, 9, 250.0)
    assert gamma[1] == pytest.approx(9 / 9.4)
    assert noncentrality.adjusted_gamma_hat(gamma, 54, 20.0)[1] == pytest.approx(
        1 - 2.7 * (1 - 9 / 9.4)
    )
    assert noncentrality.mc(nc, 250.0)[1] == pytest.approx(np.exp(-0.1))
    assert incremental.bnfi(np.array(130.0), np.array(1018.0), 30.0, 18.0) == pytest.approx(0.9)
    assert incremental.btli(np.array(54.0), np.array(918.0), 54, 30.0, 18.0) == pytest.approx(1.0)
