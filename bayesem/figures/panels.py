"""What stands on the axis of a panel: one comparison of a claim, in every draw."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayesem.arrays import Floats
from bayesem.claim_kinds import rope_width
from bayesem.claims_evaluation import (
    FLIPPED,
    Scope,
    evaluate,
    null_value,
    standardised_difference,
)
from bayesem.grammar.statements import And, Binary, Call, Comparison, Not, Or, expression_text
from bayesem.propositions import Rule

__all__ = ["Panel", "Reading", "leaves", "panel_of"]

RATIOS = ("risk_ratio", "time_ratio")
#: ``a > b`` is ``b < a``.
_MIRRORED = {op: (">" if "<" in op else "<") + op[1:] for op in FLIPPED}


#: Name and weight of a reading, and what its fits know; a reading without a name is the only one.
type Reading = tuple[str | None, float | None, tuple[Scope, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """What one comparison of a claim looks like.

    Attributes
    ----------
    title, label : str
        The part as written, and what stands on the axis.
    posterior : tuple of (name, weight, draws)
        By reading.
    prior : array or None
    threshold : float or None
        Where the claim begins to hold; None for ``null(x)``, which holds inside the rope.
    rope : (float, float) or None
    above, inside : bool
        On which side of the threshold the claim holds, or whether it does inside the rope.
    ratio : bool
        Whether the axis is logarithmic.
    """

    title: str
    label: str
    posterior: tuple[tuple[str | None, float | None, Floats], ...]
    prior: Floats | None
    threshold: float | None
    rope: tuple[float, float] | None
    above: bool = True
    inside: bool = True
    ratio: bool = False

    @property
    def limits(self) -> tuple[float, ...]:
        """Where the claim begins to hold or ceases to."""
        return (self.rope or ()) if self.threshold is None else (self.threshold,)

    def claimed(self, x: Floats) -> np.ndarray:
        """Where on the axis the claim holds."""
        if self.threshold is None:
            low, high = self.rope or (0.0, 0.0)
            return np.asarray(((x > low) & (x < high)) == self.inside)
        return np.asarray((x > self.threshold) == self.above)


def leaves(form: Any) -> Iterator[Any]:
    """The comparisons of a claim, however they are joined."""
    if not isinstance(form, And | Or):
        yield form
        return
    for part in form.parts:
        yield from leaves(part)


def panel_of(part: Any, rule: Rule, readings: Sequence[Reading], prior: Scope | None) -> Panel:
    """One comparison on every posterior; all stand on one axis, which suits them all."""
    every = [s for _, _, mine in readings for s in mine] + ([prior] if prior else [])
    view = _null_view(part, rule, every[0]) or _comparison_view(part, rule, every)
    return Panel(
        expression_text(part), view.label,
        tuple((n, w, np.concatenate([view.values(s).ravel() for s in mine]))
              for n, w, mine in readings),
        view.values(prior).ravel() if prior else None,
        view.threshold, view.rope, view.above, view.inside, view.ratio,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """How a comparison is laid on an axis."""

    part: Any
    rule: Rule
    label: str
    threshold: float | None
    rope: tuple[float, float] | None
    standard: bool
    above: bool = True
    inside: bool = True
    ratio: bool = False

    def values(self, scope: Scope) -> Floats:
        """What stands on the axis, in every draw."""
        if self.threshold is None:
            return null_value(_inner(self.part), scope)
        if self.standard:
            found = standardised_difference(self.part, scope, self.rule)
            assert found is not None
            return found[0] + self.threshold
        return _raw(self.part, scope)


def _inner(part: Any) -> Any:
    return part.part if isinstance(part, Not) else part


def _null_view(part: Any, rule: Rule, scope: Scope) -> View | None:
    call = _inner(part)
    if not isinstance(call, Call):
        return None
    width = rope_width(call, scope.table, rule)
    label = expression_text(call.args[0])
    return View(part, rule, label, None, (-width, width), True, inside=call is part)


def _comparison_view(part: Comparison, rule: Rule, scopes: Sequence[Scope]) -> View:
    part = _turned(part, scopes[0])
    above = part.op in (">", ">=")
    bound = _constant(part.right, scopes[0])
    left = expression_text(part.left)
    label = left if bound is not None else expression_text(Binary("-", part.left, part.right))
    at = 0.0 if bound is None else bound
    found = [standardised_difference(part, s, rule) for s in scopes]
    gaps = [_raw(part, s) - at for s in scopes]
    known = [(f[0], f[1], gap) for f, gap in zip(found, gaps, strict=True) if f is not None]
    # the rope is on the standardised axis, which serves only where it tells the same truth
    if len(known) == len(scopes) and all(np.array_equal(d > 0, g > 0) for d, _, g in known):
        width = known[0][1]
        written = all(np.allclose(d, g) for d, _, g in known)
        label += "" if written else " (standardised)"
        return View(part, rule, label, at, (at - width, at + width), True, above)
    ratio = isinstance(part.left, Call) and part.left.name in RATIOS and at > 0
    return View(part, rule, label, at, None, False, above, ratio=ratio)


def _turned(part: Comparison, scope: Scope) -> Comparison:
    """With what varies on the left: ``0 < a`` becomes ``a > 0``."""
    if _constant(part.left, scope) is None or _constant(part.right, scope) is not None:
        return part
    return Comparison(_MIRRORED[part.op], part.right, part.left, part.span)


def _constant(node: Any, scope: Scope) -> float | None:
    value = np.asarray(evaluate(node, scope))
    return float(value) if value.ndim == 0 else None


def _raw(part: Comparison, scope: Scope) -> Floats:
    """The left side where the right one is a number, else left minus right."""
    left = evaluate(part.left, scope)
    gap = left if _constant(part.right, scope) is not None else left - evaluate(part.right, scope)
    return np.broadcast_to(gap, scope.shape)
