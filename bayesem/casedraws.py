"""Cases as a model brings them about: residuals, factors and their products, outcomes.

A product, and an outcome that predicts something, are drawn once all that they depend on is there;
what they add then travels on along the paths. So every value is drawn once, in one sweep.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

import numpy as np

from bayesem.arrays import Floats
from bayesem.errors import ModelError
from bayesem.families import (
    LOGIT,
    LOGNORMAL,
    NEGATIVE_BINOMIAL,
    NORMAL,
    POISSON,
    PROBIT,
    WEIBULL,
    Family,
)
from bayesem.matrices import Matrices
from bayesem.partable import ParameterTable, twin_of

__all__ = [
    "draw_factors",
    "draw_values",
    "expected_value",
    "median_time",
    "observed_columns",
    "twins",
]

#: Linear predictors above these are drawn at them: counts would have no digits, times no number.
HIGHEST, LARGEST = 40.0, 600.0


@dataclass(frozen=True, slots=True)
class _Step:
    """A product or an outcome: what it is read from, and the factor that it adds to (or -1)."""

    product: int
    outcome: int
    source: tuple[int, ...]
    to: int


def twins(table: ParameterTable) -> dict[int, int]:
    """Factor that holds the observed value of an outcome that predicts something, by outcome."""
    names = {k: twin_of(outcome.name) for k, outcome in enumerate(table.outcomes)}
    return {k: table.factors.index(v) for k, v in names.items() if v in table.factors}


def draw_factors(
    table: ParameterTable, M: Matrices, zeta: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Factors and observed values of outcomes, given the residuals.

    Parameters
    ----------
    table : ParameterTable
    M : Matrices
        Batched over leading axes, or not.
    zeta : (..., case, factor) array
        Residuals; those of observed outcomes that predict something are not read.
    rng : numpy.random.Generator

    Returns
    -------
    (..., case, factor) array, (..., case, outcome) array

    Raises
    ------
    ModelError
        If a product, or an outcome that is not normal, depends on itself around a circle.
    """
    A, alpha, inner = M.A, M.alpha.copy(), list(twins(table).values())
    mean = (A @ M.alpha[..., None])[..., None, :, 0]
    push = zeta.copy()
    alpha[..., inner] = 0
    push[..., inner] = 0
    eta = (alpha[..., None, :] + push) @ np.swapaxes(A, -1, -2)
    observed = np.empty((*eta.shape[:-1], len(table.outcomes)))
    for step in _steps(table):
        if step.product >= 0:
            value = M.omega[..., step.product, None] * _product(table, step.product, eta, mean)
        else:
            shape = M.shape[..., step.outcome, None]
            family = table.outcomes[step.outcome].family
            value = draw_values(family, eta[..., step.source[0]], shape, rng)
            observed[..., step.outcome] = value
        if step.to >= 0:
            eta += value[..., None] * A[..., None, :, step.to]
    return eta, observed


def _product(table: ParameterTable, k: int, eta: Floats, mean: Floats) -> Floats:
    """Latent parts as deviations from their linear mean, observed ones as they are."""
    (a, raw_a), (b, raw_b) = table.products[k].parts
    first = eta[..., a] if raw_a else eta[..., a] - mean[..., a]
    return first * (eta[..., b] if raw_b else eta[..., b] - mean[..., b])


def _steps(table: ParameterTable) -> list[_Step]:
    """Products and outcomes, each after what it depends on."""
    after = twins(table)
    steps = [_Step(k, -1, (p.first, p.second), p.to) for k, p in enumerate(table.products)]
    steps += [_Step(-1, k, (o.factor,), after.get(k, -1)) for k, o in enumerate(table.outcomes)]
    reached = _reachable(table)
    needs = {
        k: [j for j, o in enumerate(steps) if o.to >= 0 and reached[step.source, o.to].any()]
        for k, step in enumerate(steps)
    }
    try:
        return [steps[k] for k in TopologicalSorter(needs).static_order()]
    except CycleError as circle:
        name = table.factors[steps[circle.args[1][0]].to]
        raise ModelError(
            f"`{name}` depends on itself through a product or an outcome that is not normal.",
            hint="Such a circle states no distribution; take one of its paths out.",
            label=name,
        ) from None


def _reachable(table: ParameterTable) -> np.ndarray:
    """Whether factor i is factor j or depends on it along paths, (factor, factor_bis)."""
    edges = np.eye(len(table.factors), dtype=bool)
    for row in table.rows:
        if row.matrix == "Beta" and row.value != 0:
            edges[row.i, row.j] = True
    for _ in range(max(1, len(edges).bit_length())):
        edges = edges @ edges
    return edges


def draw_values(
    family: Family, eta: Floats, shape: Floats | float, rng: np.random.Generator
) -> Floats:
    """Observed values at linear predictors; a normal residual is part of the predictor already.

    Parameters
    ----------
    family : Family
    eta : array
    shape : array or float
        Scale of a Weibull's log time, overdispersion of a negative binomial; else unused.
    rng : numpy.random.Generator

    Examples
    --------
    >>> from bayesem.families import Bernoulli
    >>> draw_values(Bernoulli(), np.array([-0.1, 0.2]), 0.0, np.random.default_rng(1)).tolist()
    [0.0, 1.0]
    """
    if family.code == NORMAL:
        return eta.copy()
    if family.code == PROBIT:
        return (eta > 0).astype(float)
    if family.code == LOGIT:
        return (rng.logistic(size=eta.shape) < eta).astype(float)
    if family.code == LOGNORMAL:
        return np.exp(np.minimum(eta, LARGEST))
    if family.code == WEIBULL:
        return np.exp(np.minimum(eta, LARGEST)) * rng.standard_exponential(eta.shape) ** shape
    mean = np.exp(np.minimum(eta, HIGHEST))
    if family.code == NEGATIVE_BINOMIAL:
        mean = mean * rng.standard_gamma(1 / shape, eta.shape) * shape
        mean = np.minimum(mean, math.exp(HIGHEST))
    return rng.poisson(mean).astype(float)


def expected_value(family: Family, mean: float, variance: float, shape: float) -> float:
    """Mean of an outcome whose linear predictor, its normal residual included, is normal.

    Examples
    --------
    >>> from bayesem.families import Bernoulli, Lognormal
    >>> expected_value(Bernoulli(), 0.0, 1.5, 0.0), expected_value(Lognormal(), 0.0, 0.0, 0.0)
    (0.5, 1.0)
    """
    if family.code == NORMAL:
        return mean
    if family.code == PROBIT:
        return 0.5 * math.erfc(-mean / math.sqrt(2 * variance))
    if family.code == LOGIT:
        return sum(w / (1 + math.exp(-mean - x * math.sqrt(variance))) for x, w in _nodes())
    expected = math.exp(mean + variance / 2)
    known = family.code in (LOGNORMAL, POISSON, NEGATIVE_BINOMIAL)
    return expected if known else expected * math.gamma(1 + shape)


def _nodes() -> Iterator[tuple[float, float]]:
    """Gauss-Hermite nodes and weights of the standard normal distribution."""
    x, w = np.polynomial.hermite_e.hermegauss(40)
    return zip(x.tolist(), (w / w.sum()).tolist(), strict=True)


def median_time(family: Family, eta: float, shape: float) -> float:
    """Median of a time at a linear predictor."""
    unit = math.log(2) ** shape if family.shaped else 1.0
    return math.exp(eta) * unit


def observed_columns(
    table: ParameterTable, outcomes: Floats, limits: Mapping[str, Floats]
) -> dict[str, Floats]:
    """Columns of the outcomes: times up to their limits, with what says that they are censored.

    Parameters
    ----------
    table : ParameterTable
    outcomes : (case, outcome) array
    limits : mapping of str to (case,) array
        When each case was last seen, by outcome.
    """
    columns: dict[str, Floats] = {}
    for outcome, values in zip(table.outcomes, outcomes.T, strict=True):
        limit = limits.get(outcome.name)
        columns[outcome.name] = values if limit is None else np.minimum(values, limit)
        if limit is not None and outcome.family.censored is not None:
            columns[outcome.family.censored] = (values > limit).astype(float)
    return columns
