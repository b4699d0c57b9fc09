"""Which way indicators and outcomes run, as the sample says.

A factor points where its marker does, because that loading is positive. A search that starts from
positive loadings everywhere does not find a reverse-coded indicator's side by itself: with such a
marker it ends where the marker measures nothing. The same happens where a count or another outcome
that tells a factor more than its indicators do falls with it, and the search starts as if it rose.
"""

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from bayesem.arrays import Floats
from bayesem.data import Answers
from bayesem.families import LOGNORMAL, NEGATIVE_BINOMIAL, POISSON, WEIBULL
from bayesem.partable import Outcome, Row
from bayesem.spec import Spec

__all__ = [
    "Contrary",
    "contrary_markers",
    "direction_notes",
    "falling_paths",
    "reversed_loadings",
]

COUNTS, TIMES = (POISSON, NEGATIVE_BINOMIAL), (LOGNORMAL, WEIBULL)


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


def falling_paths(spec: Spec) -> frozenset[str]:
    """Names of the paths by which outcomes of other families seem to fall.

    By least squares of the outcome, on its predictor's scale, on the mean of what measures each
    factor: its indicators, or those of the factors below it.
    """
    if spec.cases is None:
        return frozenset()
    names, against = set(), reversed_loadings(spec)
    for k, outcome in enumerate(spec.table.outcomes):
        into = ("Beta", outcome.factor, "~")
        rows = [r for r in spec.table.rows if (r.matrix, r.i, r.op) == into]
        found = {r.name: _measured(spec, spec.cases, r.j, against) for r in rows}
        seen = {name: x for name, x in found.items() if x is not None}
        if not seen:
            continue
        y = _on_its_scale(spec.cases.outcomes[:, k], outcome)
        X = np.column_stack([*seen.values()])[np.isfinite(y)]
        y = y[np.isfinite(y)]
        slopes = np.linalg.lstsq(X - X.mean(0), y - y.mean(), rcond=None)[0]
        names |= {name for name, slope in zip(seen, slopes, strict=True) if slope < 0}
    return frozenset(names)


def _measured(
    spec: Spec, cases: Answers, factor: int, against: Collection[str]
) -> Floats | None:  # fmt: skip
    """The mean of what measures a factor by case, turned its marker's way, in its own sds.

    Of a factor of factors it is the mean of theirs. None where nothing measures it.
    """
    rows = [r for r in spec.table.rows if (r.matrix, r.j) == ("Lambda", factor)]
    if rows:
        at = [r.i for r in rows]
        z = (cases.values[:, at] - spec.stats.location()[at]) / spec.stats.scale()[at]
        z = z * np.array([-1.0 if r.name in against else 1.0 for r in rows])
        known = np.isfinite(z)
        return np.asarray(np.where(known, z, 0.0).sum(1) / np.maximum(known.sum(1), 1))
    below = [r for r in spec.table.rows if (r.matrix, r.j, r.op) == ("Beta", factor, "=~")]
    parts = [_measured(spec, cases, r.i, against) for r in below]
    found = np.array([part for part in parts if part is not None])
    if not len(found):
        return None
    found /= found.std(axis=1, keepdims=True)
    turn = np.where(found @ found[0] < 0, -1.0, 1.0)
    return np.asarray((turn[:, None] * found).mean(0))


def _on_its_scale(y: Floats, outcome: Outcome) -> Floats:
    """An outcome about where its linear predictor is: logarithms of counts and times."""
    if outcome.family.code in COUNTS:
        return np.asarray(np.log(y + 0.5))
    return np.asarray(np.log(y)) if outcome.family.code in TIMES else y


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
