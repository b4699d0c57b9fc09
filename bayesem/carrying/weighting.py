"""How much each draw counts under the evidence of another study."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from bayesem.arrays import Floats
from bayesem.carrying.regressions import regressions
from bayesem.carrying.sources import OrderEvidence, PathEvidence
from bayesem.claim_evidence import Counted
from bayesem.claims_evaluation import Scope, holds, normal_form
from bayesem.grammar.claims import parse_claim
from bayesem.grammar.statements import And, Or
from bayesem.posterior import Fit
from bayesem.propositions import Rule
from bayesem.robustness.reweighting import GOOD_K
from bayesem.shares import shares

__all__ = ["Evidence", "Weighted", "counter", "log_factor", "weigh"]

#: Fewer different weights than this are not smoothed.
FEW: Final = 20

type Evidence = PathEvidence | OrderEvidence


@dataclass(frozen=True, slots=True, eq=False)
class Weighted:
    """Draws under some evidence: their weights, how long their tail is, and what to call it."""

    evidence: str
    relevance: float
    weights: Floats | None
    k: float


def log_factor(one: Evidence, fit: Fit, posterior: Scope) -> Floats:
    """Log-likelihood of the evidence at every draw, up to a constant, (chain, draw)."""
    if isinstance(one, OrderEvidence):
        return np.asarray(one.log_factor * _holds(one.claim, posterior))
    gap = regressions(fit.table, posterior.matrices, one.equations) - one.mean
    precision = np.linalg.inv(one.covariance)
    return np.asarray(-0.5 * np.einsum("...i,ij,...j->...", gap, precision, gap))


def _holds(claim: str, posterior: Scope) -> Floats:
    """Whether a claim is true in every draw, as 1 and 0."""
    form = normal_form(parse_claim(claim), {})
    return _true(form, posterior).astype(float)


def _true(form: Any, posterior: Scope) -> np.ndarray:
    if isinstance(form, And | Or):
        joined = np.logical_and if isinstance(form, And) else np.logical_or
        return np.asarray(joined.reduce([_true(part, posterior) for part in form.parts]))
    return holds(form, posterior, Rule())


def weigh(name: str, log: Floats, power: float) -> Weighted:
    """Smoothed weights (chain, draw) that sum to 1, and their Pareto k."""
    from arviz_stats.base import array_stats

    ratio = power * log.ravel()
    if len(np.unique(ratio)) < FEW:  # of orders alone: bounded weights have no tail
        smoothed, k = ratio, 0.0
    else:
        smoothed, k = array_stats.psislw(-ratio)
    raw = np.exp(smoothed - smoothed.max())
    weights = (raw / raw.sum()).reshape(log.shape)
    return Weighted(name, power, weights if k <= GOOD_K else None, float(k))


def counter(weights: Floats | None) -> Counted:
    """Weighted shares; their error is that of independent draws, times what autocorrelation adds to
    the error of the plain share."""
    if weights is None:
        return shares
    squared = weights**2

    def counted(truth: np.ndarray) -> tuple[Floats, Floats]:
        plain, error = shares(truth)
        size = truth.shape[0] * truth.shape[1]
        independent = np.sqrt(np.maximum(plain * (1 - plain), 1 / size) / size)
        stretch = np.maximum(error / independent, 1.0)
        p, squares = (np.tensordot(w, truth, axes=2) for w in (weights, squared))
        p = np.where(plain == 1, 1.0, np.where(plain == 0, 0.0, np.clip(p, 0, 1)))
        spread = squares * (1 - p) ** 2 + np.maximum(squared.sum() - squares, 0) * p**2
        return np.asarray(p), np.asarray(np.maximum(stretch * np.sqrt(spread), 1 / size))

    return counted
