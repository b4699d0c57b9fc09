"""Leave-one-out: against refits, against numbers made another way, and its refusals."""

import kinds
import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm, t

import bayesem as sem
from bayesem.comparison.importance import Sampled, mcse_of_mean, smoothed
from bayesem.comparison.leave_one_out import influences, loo, sampled_of
from bayesem.comparison.left_out import score_all
from bayesem.comparison.same_cases import _given, conditional_log_likelihoods
from bayesem.comparison.units import Units, units_of
from bayesem.distribution import Runner
from bayesem.errors import DataError, NotAvailableError

SYNTHETIC = "SYNTHETIC DATA: these rows were generated, not observed"


def exact(fit, cases, **options):
    """Elpd and Monte-Carlo error of single cases by refits in this process."""
    units = units_of(fit, None)
    parts = score_all(fit, units, [np.array([k]) for k in cases], Runner(7, workers=0, **options))
    assert not any(p.failed for p in parts)
    return np.array([p.elpd[0] for p in parts]), np.array([p.mcse[0] for p in parts])


def agree(found, fit, cases, limit=3.0):
    """Within ``limit`` combined Monte-Carlo errors, case by case."""
    elpd, mcse = exact(fit, cases)
    gap = np.abs(found.elpd_i.to_numpy()[cases] - elpd)
    error = np.hypot(found.mcse_i.to_numpy()[cases], mcse)
    assert (error < 0.2).all()  # errors so large that everything agrees would show nothing
    assert (gap < limit * error).all(), (gap / error).round(2)


# -- against refits ------------------------------------------------------------------------


def test_two_cases_against_refits():
    """The case that matters most, and one that does not stand out."""
    fit = kinds.fit_of("complete")
    found = loo(fit)
    order = np.argsort(found.elpd_i.to_numpy())
    agree(found, fit, [int(order[0]), int(order[100])])


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["complete", "missing"])
def test_twenty_cases_against_refits(kind):
    """The five with the largest Pareto k, the five least expected, and ten others."""
    fit = kinds.fit_of(kind)
    found = loo(fit, moment_match=False, exact=False)
    by_k, by_elpd = np.argsort(-found.pareto_k.to_numpy()), np.argsort(found.elpd_i.to_numpy())
    others = np.random.default_rng(0).permutation(fit.data.n)
    cases = list(dict.fromkeys([*by_k[:5], *by_elpd[:5], *others]))[:20]
    agree(found, fit, [int(c) for c in cases])


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["interaction", "outcome"])
def test_five_cases_of_casewise_models_against_refits(kind):
    fit = kinds.fit_of(kind)
    found = loo(fit)
    agree(found, fit, [int(c) for c in np.argsort(found.elpd_i.to_numpy())[:5]])


# -- what happens to large k -----------------------------------------------------------------


@pytest.fixture(scope="module")
def outlier():
    """A regression whose last case lies far out in x and y, so that it decides the slope."""
    data = kinds.data_of("complete")[["x1", "y1", "size"]].copy()
    data.loc[199] = [10.0, -2.0, 0.0]
    return sem.fit("y1 ~ x1 + size", data, draws=500, tune=500, seed=1, progress=False)


def test_large_k_is_mended_by_moments_and_by_refits(outlier):
    plain = loo(outlier, moment_match=False, exact=False)
    assert plain.pareto_k.to_numpy()[199] > plain.good_k
    assert plain.k_bad == 1
    assert plain.warning
    moved = loo(outlier, exact=False)
    assert str(moved.way.to_numpy()[199]) == "moment matching"
    assert moved.influence_pareto_k.to_numpy()[199] == plain.pareto_k.to_numpy()[199]
    again = loo(outlier, moment_match=False, workers=0)
    assert str(again.way.to_numpy()[199]) == "exact refit"
    assert again.k_bad == 0
    # Student's t is the predictive density under flat priors, which the default ones are next to
    data = outlier.data.values[:, [outlier.data.names.index(v) for v in ("y1", "x1", "size")]]
    X = np.column_stack([np.ones(200), data[:, 1:]])
    y, X, new = data[:199, 0], X[:199], X[199]
    b, rss = np.linalg.lstsq(X, y)[:2]
    sd = np.sqrt(rss[0] / 196 * (1 + new @ np.linalg.solve(X.T @ X, new)))
    exact_value = t(196, new @ b, sd).logpdf(data[199, 0])
    for found in (moved, again):
        error = found.mcse_i.to_numpy()[199]
        assert error < 0.5
        assert abs(found.elpd_i.to_numpy()[199] - exact_value) < 3 * error
    rest = np.arange(199)
    assert (again.elpd_i.to_numpy()[rest] == plain.elpd_i.to_numpy()[rest]).all()
    assert again.elpd == pytest.approx(again.elpd_i.to_numpy().sum())
    assert "exact refit 1, importance sampling 199" in str(again)


def test_refits_say_so_when_they_cannot_be_done(outlier, monkeypatch):
    from bayesem.comparison import left_out

    def fails(*_, **__):
        raise DataError("no.")

    monkeypatch.setattr(left_out, "refit", fails)
    found = loo(outlier, moment_match=False, workers=0)
    assert str(found.way.to_numpy()[199]) == "no refit"
    assert found.k_bad == 1


# -- the numbers themselves ------------------------------------------------------------------


def test_errors_are_those_of_repetition():
    """Normal mean, draws independent: spread of the elpd over 80 runs against the stated error."""
    rng = np.random.default_rng(3)
    y = rng.normal(size=8)
    units = Units("case", tuple(range(8)), np.arange(8))
    elpd, stated, each, stated_each = [], [], [], []
    for _ in range(80):
        mu = rng.normal(y.mean(), 1 / np.sqrt(8), (4, 60, 1))
        sampled = Sampled(mu, norm.logpdf(y, mu, 1.0))
        found, _, _ = smoothed(sampled, units)
        elpd.append(found.elpd)
        each.append(found.elpd_i.to_numpy())
        stated_each.append(mcse_of_mean(influences(found, sampled)))
        together = influences(found, sampled).sum(0)
        stated.append(together.std() / np.sqrt(sampled.draws))
    # the sd of 80 values has a relative error of 8%
    assert np.std(elpd) / np.mean(stated) == pytest.approx(1, abs=4 * 0.08)
    ratio = np.std(each, axis=0) / np.mean(stated_each, axis=0)
    assert ratio.mean() == pytest.approx(1, abs=0.2)


def test_elpd_is_the_closed_form_where_there_is_one():
    """Normal mean with known variance: p(y_i | others) is normal."""
    rng = np.random.default_rng(5)
    y = rng.normal(size=30)
    units = Units("case", tuple(range(30)), np.arange(30))
    mu = rng.normal(y.mean(), 1 / np.sqrt(30), (4, 1000, 1))
    sampled = Sampled(mu, norm.logpdf(y, mu, 1.0))
    found, _, _ = smoothed(sampled, units)
    others = (y.sum() - y) / 29
    exact_i = norm.logpdf(y, others, np.sqrt(1 + 1 / 29))
    gap = found.elpd_i.to_numpy() - exact_i
    assert np.abs(gap / mcse_of_mean(influences(found, sampled))).max() < 4


def test_the_log_likelihood_is_conditional_on_fixed_predictors():
    """Against scipy: joint density of all observed variables less that of `size`."""
    fit = kinds.fit_of("complete")
    sampled = sampled_of(fit, units_of(fit, None), draws=8)
    M = fit.matrices()
    names = list(fit.table.indicators)
    y = fit.data.values
    at = names.index("size")
    for chain in range(4):
        for k, draw in enumerate((0, 499)):
            Sigma, mu = M.Sigma[chain, draw], M.mu[chain, draw]
            joint = multivariate_normal(mu, Sigma).logpdf(y)
            given = norm.logpdf(y[:, at], mu[at], np.sqrt(Sigma[at, at]))
            assert sampled.values[chain, k] == pytest.approx(joint - given, abs=1e-8)


def test_the_log_likelihood_with_a_product():
    """Given Z all else is normal: a fine grid over Z and scipy's density, for a few cases."""
    fit = kinds.fit_of("interaction")
    values = sampled_of(fit, units_of(fit, None), draws=4).values[0, 0]
    M = fit.matrices().map(lambda a: a[0, 0])
    x, z, y = (fit.table.factors.index(name) for name in ("X", "Z", "Y"))
    psi = M.Psi
    points = np.linspace(-9, 9, 1201) * np.sqrt(psi[z, z])
    for i in (0, 50, 199):
        total = np.empty(len(points))
        for k, at in enumerate(points):
            mean_x = psi[x, z] / psi[z, z] * at
            var_x = psi[x, x] - psi[x, z] ** 2 / psi[z, z]
            slope = M.Beta[y, x] + M.omega[0] * at
            mean, cov = np.zeros(3), np.zeros((3, 3))
            mean[[x, z, y]] = mean_x, at, slope * mean_x + M.Beta[y, z] * at
            cov[x, x], cov[y, y] = var_x, slope**2 * var_x + psi[y, y]
            cov[x, y] = cov[y, x] = slope * var_x
            S = M.Lambda @ cov @ M.Lambda.T + M.Theta
            density = multivariate_normal(M.nu + M.Lambda @ mean, S).logpdf(fit.data.values[i])
            total[k] = density + norm.logpdf(at, 0, np.sqrt(psi[z, z]))
        expected = np.log(np.exp(total - total.max()).sum() * (points[1] - points[0])) + total.max()
        assert values[i] == pytest.approx(expected, abs=2e-3)


def test_thinned_draws_stay_in_their_chains():
    fit = kinds.fit_of("missing")
    few = loo(fit, draws=400, exact=False)
    every = loo(fit, exact=False)
    assert few.n_samples == 400
    assert every.n_samples == 2000
    assert abs(few.elpd - every.elpd) < 4 * np.hypot(few.mcse, every.mcse)


# -- groups ------------------------------------------------------------------------------------


def test_groups_of_one_case_are_cases():
    fit = kinds.fit_of("complete")
    one = loo(fit, exact=False, moment_match=False)
    same = loo(fit, by=[f"c{k:03}" for k in range(200)], exact=False, moment_match=False)
    assert same.unit == "group"
    assert same.elpd == pytest.approx(one.elpd, abs=1e-9)


def test_a_group_is_left_out_as_a_whole():
    """Two groups of 3 against a refit without them; the joint density is not the cases' sum."""
    fit = kinds.fit_of("complete")
    label = np.arange(200) // 3
    found = loo(fit, by=label, exact=False)
    assert found.n_data_points == 67
    units = units_of(fit, label)
    part = score_all(fit, units, [np.array([5])], Runner(1, workers=0))[0]
    gap = abs(found.elpd_i.to_numpy()[5] - part.elpd[0])
    assert gap < 3 * np.hypot(found.mcse_i.to_numpy()[5], part.mcse[0])
    assert "left out by group: 67 groups" in str(found)


@pytest.mark.parametrize(
    ("by", "message"),
    [
        ([1, 2, 3], "`by` has 3 labels, and the fit has 200 cases"),
        ([None] * 200, "`by` is missing for case 0"),
        ([1] * 200, "`by` has one group only"),
        ("region", "`by` is 'region', which is not an observed variable of the model"),
    ],
)
def test_labels_that_will_not_do(by, message):
    with pytest.raises(DataError, match=message):
        loo(kinds.fit_of("complete"), by=by)


def test_a_variable_of_the_model_can_be_the_label():
    fit = kinds.fit_of("outcome")
    assert loo(fit, by="bought", draws=100).n_data_points == 2


# -- conditional on scores -----------------------------------------------------------------------


def test_density_given_scores():
    """Residuals of indicators are independent here: a product of normals, for given scores."""
    fit = kinds.fit_of("complete")
    M = fit.matrices().map(lambda a: a[0, :3])
    names = list(fit.table.indicators)
    y = fit.data.values
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(3, 200, 3))
    known = np.array([v == "size" for v in names])
    found = _given(M, y, M.mu, scores, np.arange(3), known)
    for d in range(3):
        mean = M.nu[d] + scores[d] @ M.Lambda[d][:, :3].T
        sd = np.sqrt(np.diag(M.Theta[d]))
        expected = norm.logpdf(y[:, ~known], mean[:, ~known], sd[~known]).sum(1)
        assert found[d] == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("kind", ["complete", "missing"])
def test_conditional_likelihood_on_average(kind):
    """E over scores of the conditional log-density, per draw, in closed form for each indicator."""
    fit = kinds.fit_of(kind)
    x = fit.draws["sampled_posterior"]["x"].to_numpy()[0, :1]
    sampled = conditional_log_likelihoods(fit, np.repeat(x, 400, axis=0), 1).mean(0)
    M = fit.matrices().map(lambda a: a[0, 0])
    Phi, Lambda, y = M.Phi, M.Lambda, fit.data.values
    centre = M.A @ M.alpha
    for i in range(0, 200, 25):
        seen = ~np.isnan(y[i])
        L = Lambda[seen]
        W = np.linalg.solve(L @ Phi @ L.T + M.Theta[np.ix_(seen, seen)], L @ Phi)
        score = centre + (y[i, seen] - M.mu[seen]) @ W
        V = Phi - Phi @ L.T @ W
        total, spread = 0.0, 0.0
        for row, name in enumerate(fit.table.indicators):
            if name == "size" or not seen[row]:
                continue
            theta = M.Theta[row, row]
            r = y[i, row] - M.nu[row] - Lambda[row] @ score
            v = Lambda[row] @ V @ Lambda[row]
            total += norm.logpdf(r, 0, np.sqrt(theta)) - v / (2 * theta)
            spread += np.sqrt(v / theta**2 * r**2 + 0.5 * (v / theta) ** 2)
        assert abs(sampled[i] - total) < 4 * spread / np.sqrt(400)


def test_conditional_is_named_and_not_mended():
    found = loo(kinds.fit_of("complete"), conditional=True)
    assert found.conditional
    assert "same cases again, not new cases" in str(found)
    with pytest.raises(NotAvailableError, match="cannot be left out exactly where its own factor"):
        loo(kinds.fit_of("complete"), conditional=True, exact=True)
    with pytest.raises(NotAvailableError, match="conditional on factor scores are not available"):
        loo(kinds.fit_of("interaction"), conditional=True)


def test_scores_that_fix_their_answers():
    fit = kinds.fit_of("complete")
    M = fit.matrices().map(lambda a: a[0, :1].copy())
    M.Theta[:, 0, 0] = 0.0
    known = np.array([v == "size" for v in fit.table.indicators])
    with pytest.raises(NotAvailableError, match="an indicator has no residual variance"):
        _given(M, fit.data.values, M.mu, np.zeros((1, 200, 3)), np.arange(3), known)


# -- kinds of fits ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["interaction", "outcome"])
def test_casewise_models(kind):
    """Weights only, unless asked; moments can be matched there, too."""
    fit = kinds.fit_of(kind)
    found = loo(fit, draws=400)
    assert set(found.way.to_numpy()) == {"importance sampling"}
    assert SYNTHETIC in str(found)
    assert 5 < found.p < 60
    forced = loo(fit, draws=400, moment_match=True, by=np.arange(200) // 20, exact=False)
    assert "moment matching" in set(forced.way.to_numpy())


def test_moments_are_refused():
    with pytest.raises(NotAvailableError, match="this fit rests on moments: there are no cases"):
        loo(kinds.fit_of("moments"))


def test_a_fit_that_did_not_converge_says_so():
    fit = sem.fit("y1 ~ x1", kinds.data_of("complete"), draws=25, tune=100, seed=1, progress=False)
    assert not fit.converged
    with pytest.warns(sem.ConvergenceWarning):
        found = loo(fit)
    assert "NOT CONVERGED" in str(found)
