"""Which way indicators run, as the sample's correlations with their factor's marker say.

A factor points where its marker does, because that loading is positive. A search that starts from
positive loadings everywhere does not find a reverse-coded indicator's side by itself: with such a
marker it ends where the marker measures nothing.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bayesem.arrays import Floats
from bayesem.partable import Row
from bayesem.spec import Spec

__all__ = ["Contrary", "contrary_markers", "direction_notes", "reversed_loadings"]


@dataclass(frozen=True, slots=True)
class Contrary:
    """A marker that runs against the other indicators of its factor; their mean correlation."""

    marker: str
    factor: str
    correlation: float


def reversed_loadings(spec: Spec) -> frozenset[str]:
    """Names of the loadings whose indicator runs clearly against its factor's marker.

    Clearly is a correlation below minus two standard errors of zero. A variable that is its own
    factor, and one without variance in common cases, is never among them.
    """
    names = set()
    for marker, others, r in _by_factor(spec):
        names |= {row.name for row, x in zip(others, r, strict=True) if x < _limit(spec)}
        names.discard(marker.name)
    return frozenset(names)


def contrary_markers(spec: Spec) -> tuple[Contrary, ...]:
    """The markers that run clearly against most indicators of their factors."""
    return tuple(
        Contrary(marker.rhs, marker.lhs, float(r.mean()))
        for marker, _, r in _by_factor(spec)
        if r.mean() < _limit(spec) and np.median(r) < 0
    )


def direction_notes(spec: Spec) -> list[str]:
    """What a reader of the fit has to know of such markers."""
    return [
        f"`{c.marker}` comes first in `{c.factor}` and runs against its other indicators (mean "
        f"correlation {c.correlation:.2f}), so that `{c.factor}` is turned round: high means "
        f"little of what the others measure. Recode `{c.marker}`, or let another come first"
        for c in contrary_markers(spec)
    ]


def _limit(spec: Spec) -> float:
    return -2 / math.sqrt(spec.stats.cases)


def _by_factor(spec: Spec) -> Iterator[tuple[Row, list[Row], Floats]]:
    """Each factor's marker, its other indicators, and their correlations with the marker."""
    scale = spec.stats.scale()
    R = spec.stats.covariance() / np.outer(scale, scale)
    above = {p.name for p in spec.parameters if p.variable == "loading" and p.lower >= 0}
    for j in range(len(spec.table.factors)):
        rows = [r for r in spec.table.rows if (r.matrix, r.j) == ("Lambda", j) and r.op == "=~"]
        held = [r for r in rows if r.name in above or (r.value is not None and r.value > 0)]
        others = [r for r in rows if r.free and r.name not in above]
        if held and others:
            yield held[0], others, R[held[0].i, [r.i for r in others]]
