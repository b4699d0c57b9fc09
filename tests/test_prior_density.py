"""The prior's log-density by kind: against the compiled kernel, scipy and PyMC."""

import kinds
import numpy as np
import pymc as pm
import pytest
from scipy import stats
from test_priors import EXAMPLES, _scipy_density
from zoo import ZOO

from bayesem.arrays import VARIABLES
from bayesem.kernels.linear import log_posteriors
from bayesem.kernels.pack import pack, unconstrained
from bayesem.prior_density import log_density, log_prior_by_kind
from bayesem.priordraws import draw_prior
from bayesem.priors import Prior


@pytest.mark.parametrize("name", ZOO)
def test_kinds_sum_to_the_kernels_prior(name):
    """On every specimen, at draws from its own prior, without the likelihood's constant."""
    spec = ZOO[name].prepared().spec
    x = draw_prior(spec, 64, np.random.default_rng(1))
    parts = log_prior_by_kind(spec, x)
    whole = log_posteriors(pack(spec, jacobian=False), unconstrained(spec, x), False)
    np.testing.assert_allclose(sum(parts.values()), whole - spec.constant, atol=1e-8, rtol=1e-12)
    assert set(parts) <= {p.variable for p in (*spec.parameters, *spec.derived)}


@pytest.mark.parametrize("family", EXAMPLES)
def test_family_equals_scipy(family):
    prior = Prior(family, EXAMPLES[family])
    points = np.array([0.15, 0.5, 0.93])
    expected = [_scipy_density(prior, t) for t in points]
    np.testing.assert_allclose(log_density(prior, points), expected, atol=1e-12)


def test_truncation_far_in_a_tail_keeps_its_digits():
    """Mass .5 erfc(z/sqrt 2) of a window eight sds away, on either side."""
    expected = stats.norm.logpdf(8.5) - stats.norm.logsf(8)
    for side, bounds in ((1, (8.0, np.inf)), (-1, (-np.inf, -8.0))):
        prior = Prior("truncatednormal", (0.0, 1.0, *bounds))
        assert float(log_density(prior, side * 8.5)) == pytest.approx(expected, abs=1e-10)


def test_stretched_beta_integrates_to_one():
    grid = np.linspace(-1 + 1e-6, 1 - 1e-6, 200_001)
    density = np.exp(log_density(Prior("beta", (2.0, 3.0), "cor"), grid))
    assert np.trapezoid(density, grid) == pytest.approx(1, abs=1e-6)


def test_a_pymc_distribution_of_ones_own():
    prior = Prior("graph", (), graph=pm.SkewNormal.dist(mu=0.1, sigma=0.7, alpha=3.0))
    points = np.array([[-0.4, 0.2], [0.9, 1.4]])
    expected = stats.skewnorm(3.0, 0.1, 0.7).logpdf(points)
    np.testing.assert_allclose(log_density(prior, points), expected, atol=1e-6)


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_a_fit_keeps_its_prior_by_kind(kind):
    """The group's variables sum to what the kernel says of the same draws."""
    fit = kinds.fit_of(kind)
    group = fit.draws["log_prior"].to_dataset()
    assert set(group.data_vars) <= set(VARIABLES)
    whole = sum(group.data_vars.values()).to_numpy().ravel()
    u = fit.draws["unconstrained_posterior"]["u"].to_numpy()
    kernel = log_posteriors(pack(fit.spec, jacobian=False), u.reshape(-1, u.shape[-1]), False)
    np.testing.assert_allclose(whole, kernel - fit.spec.constant, atol=1e-8)
