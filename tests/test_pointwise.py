"""Log-likelihoods by case against the total, single cases, and scipy."""

from dataclasses import replace

import kinds
import numpy as np
import pytest
from scipy.stats import multivariate_normal
from zoo import ZOO

from bayesem.casewise import split
from bayesem.data import Moments
from bayesem.errors import DataError, NotAvailableError
from bayesem.kernels.linear import log_posteriors
from bayesem.kernels.pack import constrained, pack
from bayesem.kernels.target import target_of
from bayesem.pointwise import case_log_likelihood, compute_log_likelihood, log_likelihoods
from bayesem.posterior import Fit
from bayesem.refitting import prepared, refit, renew
from bayesem.sampling.forms import enough_nodes
from bayesem.sampling.starts import rough_point, unconstrained
from bayesem.storage import save


def total(spec, u):
    """The kernel's log-likelihood at one point."""
    nodes = 1
    if spec.cases is not None:
        nodes, _ = enough_nodes(spec, split(spec.table), [u])
    target = target_of(spec, nodes=nodes)
    prior = log_posteriors(pack(spec), u[None], False)[0]
    return target.density(target.array, u)[0] - prior + spec.constant


WITH_CASES = sorted(
    name for name, one in ZOO.items()
    if not isinstance(one.data, Moments) and one.arguments.get("means", True)
)  # fmt: skip


@pytest.mark.parametrize("name", WITH_CASES)
def test_cases_add_up_to_the_total(name):
    ready = ZOO[name].prepared()
    spec = ready.spec
    u = unconstrained(spec, rough_point(spec))
    u = u + 0.05 * np.random.default_rng(0).standard_normal(len(u))
    U = u[None]
    if spec.cases is not None and (why := split(ready.table).reason):
        with pytest.raises(NotAvailableError, match="likelihood of a case is not available"):
            case_log_likelihood(spec, ready.data, U, constrained(spec, U))
        assert why
        return
    cases = case_log_likelihood(spec, ready.data, U, constrained(spec, U))[0]
    assert cases.shape == (ready.data.n,)
    assert cases.sum() == pytest.approx(total(spec, u), rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("kind", ["complete", "missing", "interaction", "outcome"])
def test_a_case_alone(kind):
    """Each case's density is that of data which hold only it; so `renew` keeps the model."""
    fit = kinds.fit_of(kind)
    u = fit.draws["unconstrained_posterior"]["u"].to_numpy()[0, :2]
    both = log_likelihoods(fit)[:2]
    for i in (0, 7, 150):
        one = renew(fit, rows=[i])
        assert [total(one.spec, v) for v in u] == pytest.approx(both[:, i], abs=1e-4)


def test_missing_cells_against_scipy():
    fit = kinds.fit_of("missing")
    M = fit.matrices().map(lambda a: a.reshape(-1, *a.shape[2:])[5])
    k = fit.table.indicators.index("size")
    y = fit.data.values
    at = fit.table.factors.index("size")
    x = multivariate_normal(M.alpha[at], M.Psi[at, at])
    for i in (0, 3, 40):
        seen = ~np.isnan(y[i])
        whole = multivariate_normal(M.mu[seen], M.Sigma[np.ix_(seen, seen)]).logpdf(y[i, seen])
        expected = whole - x.logpdf(y[i, k])
        assert log_likelihoods(fit)[5, i] == pytest.approx(expected, abs=1e-9)


def test_group_for_arviz():
    fit = kinds.fit_of("complete")
    tree = compute_log_likelihood(fit)
    assert tree is fit.draws
    assert dict(tree["log_likelihood"]["y"].sizes) == {"chain": 4, "draw": 500, "case": 200}
    some = log_likelihoods(fit, draws=50)
    assert np.array_equal(some[0], log_likelihoods(fit)[0])
    assert np.array_equal(some[-1], log_likelihoods(fit)[-1])


def test_refusals():
    with pytest.raises(NotAvailableError, match="rests on moments: there are no cases"):
        log_likelihoods(kinds.fit_of("moments"))
    with pytest.raises(DataError, match="cannot be left out of moments"):
        renew(kinds.fit_of("moments"), rows=[0])


def test_a_refit_is_not_saved(tmp_path):
    fit = kinds.fit_of("complete")
    part = replace(fit, settings=renew(fit, rows=np.arange(100)).settings)
    with pytest.raises(NotAvailableError, match="carried over from another fit"):
        save(part, tmp_path / "part.nc")


def test_refit_keeps_the_priors():
    fit = kinds.fit_of("complete")
    half = renew(fit, rows=np.arange(100))
    assert half.spec.parameters == fit.spec.parameters
    assert half.spec.stats.cases == 100
    again = refit(fit, rows=np.arange(200), seed=fit.settings.seed)
    assert isinstance(again, Fit)
    assert "prior" not in again.draws
    new, old = (f.draws["posterior"]["a"].to_numpy() for f in (again, fit))
    assert np.array_equal(new, old)
    assert prepared(fit).settings == fit.settings
