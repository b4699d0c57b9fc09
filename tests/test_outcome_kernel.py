"""The mean of an outcome's density over a normal linear predictor, against fine grids."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.special import gammaln, logsumexp

from bayesem.families import LOGIT, NEGATIVE_BINOMIAL, POISSON, WEIBULL
from bayesem.kernels.outcome import CENSORED, OBSERVED, expected, log_rising
from bayesem.kernels.plan import INNER, grid

NODES, LOGW = (a.ravel() for a in grid(1, INNER))
SHAPES = {
    LOGIT: (1.0,),
    POISSON: (1.0,),
    NEGATIVE_BINOMIAL: (0.02, 0.2, 1.0, 4.0),
    WEIBULL: (0.1, 0.5, 1.0, 2.0),
}
VALUES = {
    LOGIT: (0, 1),
    POISSON: (0, 1, 7, 60, 700),
    NEGATIVE_BINOMIAL: (0, 1, 7, 60, 700),
    WEIBULL: (0.01, 0.5, 3.0, 80.0),
}
CODES = pytest.mark.parametrize("code", list(VALUES))


def ours(code, m, v, z, status, shape):
    return expected(code, m, v, float(z), status, shape, float(gammaln(z + 1)), NODES, LOGW)


def density(code, eta, z, status, shape):
    """Written with SciPy's distributions."""
    if code == LOGIT:
        return stats.bernoulli.logpmf(z, 1 / (1 + np.exp(-eta)))
    if code == POISSON:
        return stats.poisson.logpmf(z, np.exp(eta))
    if code == NEGATIVE_BINOMIAL:
        r = 1 / shape
        return stats.nbinom.logpmf(z, r, r / (r + np.exp(eta)))
    times = stats.weibull_min(1 / shape, scale=np.exp(eta))
    return times.logsf(z) if status == CENSORED else times.logpdf(z)


def by_grid(code, m, v, z, status, shape):
    """The trapezoidal rule on 40,001 points, wide enough for prior and density."""
    sd = math.sqrt(v)
    level = m if code == LOGIT else math.log(max(z, 0.5))
    x = np.linspace(min(m, level) - 14 * sd, max(m, level) + 14 * sd, 40_001)
    with np.errstate(all="ignore"):
        log = density(code, x, z, status, shape) + stats.norm.logpdf(x, m, sd)
    return logsumexp(log[np.isfinite(log)]) + math.log(x[1] - x[0])


def settings(code, variances):
    for z in VALUES[code]:
        for shape in SHAPES[code]:
            for status in (OBSERVED, CENSORED) if code == WEIBULL else (OBSERVED,):
                for m in (-3.0, 0.0, 2.0, 5.0):
                    for v in variances:
                        yield m, v, z, status, shape


@CODES
def test_value_equals_a_fine_grid(code):
    """Counts of 700 and predictors of sd 2 included; further out than exp(-20) is not held to it."""
    seen = 0
    for case in settings(code, (0.01, 0.1, 0.5, 1.0, 4.0)):
        exact = by_grid(code, *case)
        if exact > -20:
            seen += 1
            assert ours(code, *case)[0] == pytest.approx(exact, abs=3e-4), case
    assert seen > 30


@CODES
def test_derivatives_equal_differences(code):
    """By m, v and shape; where two ways of integrating meet, differences say nothing."""
    h = 1e-4
    for m, v, z, status, shape in settings(code, (0.01, 0.1, 0.5)):
        value, *slopes = ours(code, m, v, z, status, shape)
        assert np.isfinite([value, *slopes]).all(), (m, v, z, status, shape)
        if value < -20 or (code == WEIBULL and abs(v / (4 * shape**2) - 1) < 0.01):
            continue
        moved = [
            [ours(code, m + s * h, v, z, status, shape)[0] for s in (1, -1)],
            [ours(code, m, v * (1 + s * h), z, status, shape)[0] for s in (1, -1)],
            [ours(code, m, v, z, status, shape * (1 + s * h))[0] for s in (1, -1)],
        ]
        steps = (h, h * v, h * shape)
        for slope, (high, low), step in zip(slopes, moved, steps, strict=True):
            assert slope == pytest.approx((high - low) / (2 * step), rel=2e-3, abs=2e-3), (m, v, z)


@pytest.mark.parametrize(("r", "z"), [(1e-3, 5), (0.5, 700), (3.0, 2), (9.9, 1), (12.0, 400)])
def test_log_rising_equals_the_product(r, z):
    value, slope = log_rising(r, float(z))
    factors = r + np.arange(z)
    assert value == pytest.approx(math.fsum(np.log(factors)), rel=1e-13)
    assert slope == pytest.approx(math.fsum(1 / factors), rel=1e-12)


def test_log_rising_of_a_large_start_loses_nothing():
    value, slope = log_rising(1e9, 3.0)
    assert value == pytest.approx(3 * math.log(1e9) + 3e-9, rel=1e-15)
    assert slope == pytest.approx(3e-9, rel=1e-8)


@CODES
def test_far_from_the_data_values_are_finite_or_nothing(code):
    """What a sampler meets in its first steps: no value is NaN, none is above 0 where it cannot be."""
    for m in (-200.0, -40.0, 40.0, 200.0):
        for v in (1e-6, 0.3, 50.0):
            for z in VALUES[code]:
                for shape in SHAPES[code]:
                    found = ours(code, m, v, z, OBSERVED, shape)
                    assert not np.isnan(found).any(), (m, v, z, shape)
                    if code != WEIBULL:
                        assert found[0] <= 1e-6
