"""What a family makes of a normal linear predictor: means, variances and random values.

``m`` and ``v`` are mean and variance of the linear predictor, the normal residual of probit and
lognormal outcomes included. Everything is elementwise and broadcasts.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from scipy.special import expit, gammaln, log_ndtr

from bayesem.arrays import Floats
from bayesem.families import (
    LOGIT,
    NEGATIVE_BINOMIAL,
    NORMAL,
    POISSON,
    PROBIT,
    WEIBULL,
    Family,
)

__all__ = ["link_variance", "log_mean", "log_time", "moments", "respond"]

#: Largest exponent, so that an impossible prior draw is large and not infinite.
LARGEST: Final = 700.0

#: Largest log mean of a count that is drawn.
MOST: Final = 30.0

type Function = Callable[[Floats], Floats]


def log_mean(family: Family, m: Floats, v: Floats, shape: Floats) -> Floats:
    """Log of the expected value of a binary outcome, a time or a count.

    Parameters
    ----------
    family : Family
    m, v : arrays
        Mean and variance of the linear predictor.
    shape : array
        The family's further parameter; ignored where it has none.

    Examples
    --------
    >>> from bayesem.families import Bernoulli, Weibull
    >>> float(np.exp(log_mean(Bernoulli(), np.array(0.0), np.array(2.0), np.array(0.0))).round(12))
    0.5
    >>> float(np.exp(log_mean(Weibull(), np.array(0.0), np.array(0.0), np.array(1.0))).round(12))
    1.0
    """
    if family.code == PROBIT:
        return np.asarray(log_ndtr(m / np.sqrt(v)))
    if family.code == LOGIT:
        return _average(expit, m, v)
    beyond = gammaln(1 + shape) if family.code == WEIBULL else 0.0
    return np.asarray(m + v / 2 + beyond)


def log_time(family: Family, m: Floats, shape: Floats) -> Floats:
    """Expected log of a time."""
    return np.asarray(m - np.euler_gamma * shape if family.code == WEIBULL else m)


def moments(family: Family, m: Floats, v: Floats, shape: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean and variance of an outcome, and its regression on its linear predictor.

    By Stein's lemma the covariance of the outcome with any variable that is jointly normal with
    the linear predictor is that variable's covariance with the predictor times the third.
    """
    if family.code == NORMAL:
        return m, v, np.ones_like(m)
    mean = np.exp(np.minimum(log_mean(family, m, v, shape), LARGEST))
    if family.code == PROBIT:
        slope = np.exp(-0.5 * m**2 / v) / np.sqrt(2 * np.pi * v)
        return mean, mean * (1 - mean), slope
    if family.code == LOGIT:
        slope = np.exp(_average(lambda eta: np.asarray(expit(eta) * expit(-eta)), m, v))
        return mean, mean * (1 - mean), slope
    spread = np.exp(np.minimum(v, LARGEST / 2))
    if family.code == WEIBULL:
        spread = spread * np.exp(gammaln(1 + 2 * shape) - 2 * gammaln(1 + shape))
    within = {POISSON: mean, NEGATIVE_BINOMIAL: mean + shape * mean**2 * spread}
    return mean, mean**2 * (spread - 1) + within.get(family.code, 0.0), mean


def link_variance(family: Family, m: Floats, v: Floats, shape: Floats) -> Floats:
    """Variance that the family adds to its linear predictor, on the predictor's scale.

    That of the standard logistic, of a Weibull's log time, and for a count with mean M the
    variance ln(1 + 1/M + dispersion) of a lognormal variable with the count's mean and variance.

    References
    ----------
    .. [1] McKelvey & Zavoina (1975), *Journal of Mathematical Sociology* 4, 103-120.
    .. [2] Nakagawa, Johnson & Schielzeth (2017), *J. R. Soc. Interface* 14, 20170213.
    """
    if family.code == LOGIT:
        return np.full_like(m, np.pi**2 / 3)
    if family.code == WEIBULL:
        return np.asarray(shape**2 * np.pi**2 / 6)
    if family.is_count:
        rare = np.exp(np.clip(-m - v / 2, -LARGEST, LARGEST))
        more = shape if family.code == NEGATIVE_BINOMIAL else 0.0
        return np.asarray(np.log1p(rare + more))
    return np.zeros_like(m)


def respond(family: Family, eta: Floats, u: Floats, shape: Floats) -> Floats:
    """Outcomes at known linear predictors (residual included) from uniform numbers."""
    from scipy.stats import nbinom, poisson

    if family.code == NORMAL:
        return eta
    if family.code == PROBIT:
        return np.asarray(eta > 0, float)
    if family.code == LOGIT:
        return np.asarray(u < expit(eta), float)
    if family.code == WEIBULL:
        eta = eta + shape * np.log(-np.log1p(-u))
    if family.is_time:
        return np.exp(np.minimum(eta, LARGEST))
    mean = np.exp(np.minimum(eta, MOST))
    if family.code == POISSON:
        return np.asarray(poisson.ppf(u, mean))
    return np.asarray(nbinom.ppf(u, 1 / shape, 1 / (1 + shape * mean)))


def _average(function: Function, m: Floats, v: Floats) -> Floats:
    """Log of the mean of a positive function of the linear predictor."""
    m, sd = np.broadcast_arrays(m, np.sqrt(v))
    total = np.zeros(m.shape)
    for node, weight in zip(*_rule(float(sd.max(initial=0.0))), strict=True):
        total += weight * function(m + sd * node)
    return np.log(np.maximum(total, np.finfo(float).tiny))


def _rule(sd: float) -> tuple[Floats, Floats]:
    """A trapezoid rule for the mean of a logistic function over a normal with at most this sd.

    With step h its error falls as exp(-2 pi**2 / (sd h)), by the poles of the logistic function,
    and as exp(-2 pi**2 / h**2), by the normal density; the steps here keep both near 1e-7.
    """
    if sd == 0:
        return np.zeros(1), np.ones(1)
    half = int(np.ceil(6 / np.clip(1.2 / sd, 0.02, 1.1)))
    nodes = np.linspace(-6, 6, 2 * half + 1)
    weights = np.exp(-0.5 * nodes**2)
    return nodes, weights / weights.sum()
