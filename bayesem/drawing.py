"""New cases at given matrices, drawn as the model says that they come about."""

import numpy as np

from bayesem.arrays import Floats
from bayesem.data import Answers
from bayesem.families import LOGIT, NEGATIVE_BINOMIAL, NORMAL, POISSON, PROBIT, WEIBULL
from bayesem.matrices import Matrices
from bayesem.partable import Outcome, ParameterTable, twin_of

__all__ = ["draw_cases", "draw_outcome"]


def draw_cases(
    table: ParameterTable, cases: Answers, M: Matrices, rng: np.random.Generator
) -> Floats:
    """Answers and outcomes of as many cases as were observed.

    Parameters
    ----------
    table : ParameterTable
    cases : Answers
        Predictors that are conditioned on keep their values.
    M : Matrices
        Without leading axes.
    rng : numpy.random.Generator

    Returns
    -------
    (case, indicator + outcome) array
    """
    n, m = cases.n, len(table.factors)
    zeta = rng.standard_normal((n, m)) @ _root(M.Psi).T
    linear = np.linalg.solve(np.eye(m) - M.Beta, M.alpha)
    held = {table.factors.index(x): table.indicators.index(x) for x in table.fixed_x}
    outcomes = {o.factor: k for k, o in enumerate(table.outcomes)}
    eta, drawn = np.zeros((n, m)), np.zeros((n, len(outcomes)))
    for k in _order(table):
        eta[:, k] = M.alpha[k] + eta @ M.Beta[k] + zeta[:, k]
        for omega, p in zip(M.omega, table.products, strict=True):
            if p.to == k:
                a, b = (eta[:, at] - (0 if raw else linear[at]) for at, raw in p.parts)
                eta[:, k] += omega * a * b
        if k in held:
            eta[:, k] = cases.values[:, held[k]]
        if k in outcomes:
            at = outcomes[k]
            drawn[:, at] = draw_outcome(table.outcomes[at], eta[:, k], float(M.shape[at]), rng)
            twin = twin_of(table.outcomes[at].name)
            if twin in table.factors:
                eta[:, table.factors.index(twin)] = drawn[:, at]
    y = M.nu + eta @ M.Lambda.T + rng.standard_normal((n, len(M.nu))) @ _root(M.Theta).T
    return np.concatenate([y, drawn], 1)


def draw_outcome(
    outcome: Outcome, eta: Floats, shape: Floats | float, rng: np.random.Generator
) -> Floats:
    """Values of an outcome at its linear predictor (its normal residual included)."""
    match outcome.family.code:
        case code if code == PROBIT:
            return (eta > 0).astype(float)
        case code if code == LOGIT:
            return (rng.uniform(size=eta.shape) < 1 / (1 + np.exp(-eta))).astype(float)
        case code if code == NORMAL:
            return eta
        case code if code == WEIBULL:
            return np.exp(eta) * rng.exponential(size=eta.shape) ** shape
        case code if code == POISSON:
            return rng.poisson(np.exp(np.minimum(eta, 40))).astype(float)
        case code if code == NEGATIVE_BINOMIAL:
            mean = np.exp(np.minimum(eta, 40))
            return rng.poisson(mean * rng.gamma(1 / shape, shape, eta.shape)).astype(float)
    return np.exp(eta)


def _order(table: ParameterTable) -> list[int]:
    """Positions of the factors, causes first; feedback loops cannot be drawn one by one."""
    from graphlib import TopologicalSorter

    before: dict[int, set[int]] = {k: set() for k in range(len(table.factors))}
    for r in table.rows:
        if r.matrix == "Beta" and r.value != 0:
            before[r.i].add(r.j)
    for p in table.products:
        before[p.to] |= {p.first, p.second}
    for o in table.outcomes:
        if twin_of(o.name) in table.factors:
            before[table.factors.index(twin_of(o.name))].add(o.factor)
    return list(TopologicalSorter(before).static_order())


def _root(covariance: Floats) -> Floats:
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0)))
