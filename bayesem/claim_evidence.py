"""From draws to evidence: how often a claim and its parts hold, and how surely."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from bayesem.arrays import Floats
from bayesem.claim_kinds import rope_width
from bayesem.claims_evaluation import (
    AnyScope,
    Form,
    difference,
    holds,
    null_value,
    standardised_difference,
)
from bayesem.decision import Evidence, attainable_null
from bayesem.grammar.statements import And, Call, Comparison, Not, Or, expression_text
from bayesem.propositions import Rule
from bayesem.shares import shares

__all__ = ["measure", "without_prior"]


type Counted = Callable[[np.ndarray], tuple[Floats, Floats]]
type Spread = Callable[[np.ndarray], Floats]


def _sd(values: np.ndarray) -> Floats:
    return np.asarray(values.std((0, 1), ddof=1))


def measure(
    form: Form,
    posterior: AnyScope,
    prior: AnyScope,
    rule: Rule,
    *,
    counted: Counted = shares,
    spread: Spread = _sd,
) -> tuple[Evidence, np.ndarray, np.ndarray]:
    """Evidence for a claim, and its truth in every posterior and every prior draw.

    Parameters
    ----------
    form : Comparison, Call, Not, And or Or
        What `bayesem.claims_evaluation.normal_form` returned.
    posterior, prior : Scope
    rule : Rule
        For the widths of its ropes.
    counted : callable
        Share of draws in which something holds, with its error.
    spread : callable
        Sd over the draws of a value.

    Returns
    -------
    Evidence, (chain, draw, ...) bool array, (chain, draw) bool array
        Posteriors can come in batches, along the axes behind ``draw``.
    """
    if not isinstance(form, And | Or):
        return _atom(form, posterior, prior, rule, counted, spread)
    measured = [
        measure(p, posterior, prior, rule, counted=counted, spread=spread)  # type: ignore[arg-type]
        for p in form.parts
    ]
    parts = tuple(evidence for evidence, _, _ in measured)
    joined = np.logical_and if isinstance(form, And) else np.logical_or
    truth = joined.reduce([t for _, t, _ in measured])
    base = joined.reduce([b for _, _, b in measured])
    kind = "all" if isinstance(form, And) else "any"
    limits = [part.attainable for part in parts]
    limit = np.fmin.reduce(limits) if kind == "all" else np.maximum.reduce(limits)
    evidence = Evidence(
        kind,  # type: ignore[arg-type]
        *_shares(truth, base, counted),
        draws=_draws(truth),
        prior_draws=base.size,
        attainable=np.asarray(limit),
        parts=parts,
        text=expression_text(form),
        by_model=all(part.by_model for part in parts),
    )
    return evidence, truth, base


def without_prior(evidence: Evidence) -> Evidence:
    """The same evidence where no prior can be held against the data."""
    parts = tuple(without_prior(part) for part in evidence.parts)
    return replace(evidence, prior=np.array(np.nan), parts=parts)


def _atom(
    atom: Any, posterior: AnyScope, prior: AnyScope, rule: Rule, counted: Counted, spread: Spread
) -> tuple[Evidence, np.ndarray, np.ndarray]:
    truth, base = holds(atom, posterior, rule), holds(atom, prior, rule)
    decided = _constant(atom, posterior) and _constant(atom, prior)
    mass, mass_error = np.array(np.nan), np.array(0.0)
    limit = np.array(np.nan)
    match atom:
        case Comparison():
            gap = None if decided else standardised_difference(atom, posterior, rule)
            if gap is not None:
                mass, mass_error = counted(np.abs(gap[0]) < gap[1])
        case Call():
            width = rope_width(atom, posterior.table, rule)
            limit = attainable_null(spread(null_value(atom, posterior)), width)
    evidence = Evidence(
        "comparison" if isinstance(atom, Comparison) else "null",
        *_shares(truth, base, counted),
        rope_mass=mass,
        rope_mcse=mass_error,
        draws=_draws(truth),
        prior_draws=base.size,
        attainable=limit,
        text=expression_text(atom),
        by_model=decided,
    )
    return evidence, truth, base


def _draws(truth: np.ndarray) -> int:
    return int(truth.shape[0] * truth.shape[1])


def _constant(atom: Any, scope: AnyScope) -> bool:
    inner = atom.part if isinstance(atom, Not) else atom
    value = difference(inner, {}, scope)
    return value is not None and np.ptp(value) == 0


def _shares(
    truth: np.ndarray, base: np.ndarray, counted: Counted
) -> tuple[Floats, Floats, Floats, Floats]:
    """Probability, prior probability, and the Monte-Carlo errors of both.

    Prior draws are independent, so their error is binomial.
    """
    p, error = counted(truth)
    c = np.asarray(base.mean())
    inside = np.sqrt(c * (1 - c) / base.size)
    return p, c, error, np.asarray(np.where((c > 0) & (c < 1), inside, 1 / base.size))
