"""How much each draw counts under the evidence of another study."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from bayesem.arrays import Floats
from bayesem.carrying.regressions import regressions
from bayesem.carrying.sources import OrderEvidence, PathEvidence
from bayesem.claim_evidence import Counted, Spread
from bayesem.claims_evaluation import Scope, holds, normal_form
from bayesem.grammar.claims import parse_claim
from bayesem.grammar.statements import And, Or
from bayesem.posterior import Fit
from bayesem.propositions import Rule
from bayesem.robustness.reweighting import GOOD_K
from bayesem.shares import shares

__all__ = ["Evidence", "Piece", "Weighted", "counter", "piece", "spread", "weigh"]

#: Fewer different weights than this are not smoothed.
FEW: Final = 20

type Evidence = PathEvidence | OrderEvidence


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """One study's log-likelihood at every draw, and its standard error, both (chain, draw)."""

    log: Floats
    error: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Weighted:
    """Draws under some evidence: their weights, how long their tail is, and what to call it."""

    evidence: str
    relevance: float
    weights: Floats | None = None
    k: float = 0.0
    #: What a standard error of each piece would add to the logs of the weights.
    errors: tuple[Floats, ...] = ()

    @property
    def size(self) -> float:
        """Draws that the weights are worth."""
        return np.inf if self.weights is None else float(1 / (self.weights**2).sum())


def piece(one: Evidence, fit: Fit, posterior: Scope) -> Piece:
    """Log-likelihood of the evidence at every draw, up to a constant."""
    if isinstance(one, OrderEvidence):
        true = _holds(one.claim, posterior)
        return Piece(one.log_factor * true, one.mcse * true)
    gap = regressions(fit.table, posterior.matrices, one.equations) - one.mean
    precision = np.linalg.inv(one.covariance)
    log = np.asarray(-0.5 * np.einsum("...i,ij,...j->...", gap, precision, gap))
    return Piece(log, np.zeros_like(log))


def _holds(claim: str, posterior: Scope) -> Floats:
    """Whether a claim is true in every draw, as 1 and 0."""
    form = normal_form(parse_claim(claim), {})
    return _true(form, posterior).astype(float)


def _true(form: Any, posterior: Scope) -> np.ndarray:
    if isinstance(form, And | Or):
        joined = np.logical_and if isinstance(form, And) else np.logical_or
        return np.asarray(joined.reduce([_true(part, posterior) for part in form.parts]))
    return holds(form, posterior, Rule())


def weigh(name: str, pieces: Sequence[Piece], power: float) -> Weighted:
    """Smoothed weights (chain, draw) that sum to 1, and their Pareto k."""
    from arviz_stats.base import array_stats

    log = power * np.sum([one.log for one in pieces], axis=0)
    ratio = log.ravel()
    if len(np.unique(ratio)) < FEW:  # of orders alone: bounded weights have no tail
        smoothed, k = ratio, 0.0
    else:
        smoothed, k = array_stats.psislw(-ratio)
    raw = np.exp(smoothed - smoothed.max())
    weights = (raw / raw.sum()).reshape(log.shape)
    errors = tuple(power * one.error for one in pieces if one.error.any())
    return Weighted(name, power, weights if k <= GOOD_K else None, float(k), errors)


def counter(one: Weighted) -> Counted:
    """Weighted shares; their error is that of independent draws, times what autocorrelation adds to
    the error of the plain share, and what the errors of the evidence add."""
    if one.weights is None:
        return shares
    weights, squared = one.weights, one.weights**2

    def counted(truth: np.ndarray) -> tuple[Floats, Floats]:
        plain, error = shares(truth)
        size = truth.shape[0] * truth.shape[1]
        independent = np.sqrt(np.maximum(plain * (1 - plain), 1 / size) / size)
        stretch = np.maximum(error / independent, 1.0)
        p, squares = (np.tensordot(w, truth, axes=2) for w in (weights, squared))
        p = np.where(plain == 1, 1.0, np.where(plain == 0, 0.0, np.clip(p, 0, 1)))
        apart = squares * (1 - p) ** 2 + np.maximum(squared.sum() - squares, 0) * p**2
        handed = [_slope(weights * e, truth, p) ** 2 for e in one.errors]
        whole = np.sqrt(stretch**2 * apart + np.sum(handed, axis=0))
        return np.asarray(p), np.asarray(np.maximum(whole, 1 / one.size))

    return counted


def _slope(weighted: Floats, truth: np.ndarray, p: Floats) -> Floats:
    """What a share gains when the logs of the weights do: the covariance of the two."""
    return np.asarray(np.tensordot(weighted, truth, axes=2) - p * weighted.sum())


def spread(one: Weighted) -> Spread:
    """Weighted sd over the draws."""

    def found(values: np.ndarray) -> Floats:
        if one.weights is None:
            return np.asarray(values.std((0, 1), ddof=1))
        mean = np.tensordot(one.weights, values, axes=2)
        return np.asarray(np.sqrt(np.tensordot(one.weights, (values - mean) ** 2, axes=2)))

    return found
