"""Paths of several models, row by row: what a forest of them holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayesem.arrays import Floats
from bayesem.counts.fit import refuse_counts
from bayesem.decomposition import standardise, standardised_value
from bayesem.errors import DataError
from bayesem.posterior import cell

__all__ = ["Paths", "fits_by_name", "paths_of"]

#: More models than this cannot be told apart on one axis.
MOST = 5
#: The inner interval; the outer one is the caller's.
INNER = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """Posterior of every path in every model.

    Attributes
    ----------
    models : tuple of str
    rows : tuple of (outcome, predictor)
        Of all models, in the order of their equations; a product is written ``FIN:DC``.
    mean : (model, row) array
        Missing where a model does not have the path.
    inner, outer : (model, row, 2) arrays
        Ends of the central intervals.
    above : (model, row) array
        Share of the draws above 0.
    prob : float
        Mass of the outer intervals.
    """

    models: tuple[str, ...]
    rows: tuple[tuple[str, str], ...]
    mean: Floats
    inner: Floats
    outer: Floats
    above: Floats
    prob: float

    @property
    def span(self) -> tuple[float, float]:
        """Ends of an axis that holds all intervals and 0."""
        low, high = np.nanmin(self.outer), np.nanmax(self.outer)
        room = 0.04 * max(high - low, 1e-6)
        return float(min(low, 0) - room), float(max(high, 0) + room)

    def part(self, chosen: Sequence[int]) -> "Paths":
        """Some of the rows."""
        at = list(chosen)
        return Paths(
            self.models, tuple(self.rows[k] for k in at), self.mean[:, at], self.inner[:, at],
            self.outer[:, at], self.above[:, at], self.prob,
        )  # fmt: skip


def fits_by_name(fits: Any) -> dict[str, Any]:
    """One fit, or several by name, as a mapping."""
    known = {str(k): v for k, v in fits.items()} if isinstance(fits, Mapping) else {"": fits}
    if not known:
        raise DataError("there are no fits to draw.", hint="Give `sem.fit(...)` or {name: fit}.")
    if len(known) > MOST:
        raise DataError(f"{len(known)} models cannot be told apart.", hint=f"Give {MOST} at most.")
    for fit in known.values():
        if getattr(fit, "draws", None) is None:
            raise DataError(
                f"a fit is a {type(fit).__name__}.",
                hint="Give what `sem.fit(...)` or `sem.load(path)` returns, or {name: fit}.",
            )
        refuse_counts(fit, "Draw their shares with `plot_shares`.")
    return known


def paths_of(fits: Mapping[str, Any], *, standardized: bool, prob: float) -> Paths:
    """Means and intervals of the paths of all models, (model, row)."""
    if not 0 < prob < 1:
        raise DataError(f"prob is {prob}.", hint="The mass of an interval lies between 0 and 1.")
    each = [_draws(fit, standardized=standardized) for fit in fits.values()]
    rows = _in_order([row for one in each for row in one])
    if not rows:
        raise DataError("these models have no paths.", hint="`Y ~ X` would be one.")
    shape = (len(fits), len(rows))
    mean, above = np.full(shape, np.nan), np.full(shape, np.nan)
    inner, outer = np.full((*shape, 2), np.nan), np.full((*shape, 2), np.nan)
    for k, one in enumerate(each):
        for row, values in one.items():
            j = rows.index(row)
            mean[k, j], above[k, j] = values.mean(), (values > 0).mean()
            inner[k, j], outer[k, j] = (_ends(values, p) for p in (min(INNER, prob), prob))
    return Paths(tuple(fits), rows, mean, inner, outer, above, prob)


def _in_order(rows: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Each row once, equations together, in order of first appearance."""
    outcomes = list(dict.fromkeys(outcome for outcome, _ in rows))
    return tuple(sorted(dict.fromkeys(rows), key=lambda row: outcomes.index(row[0])))


def _draws(fit: Any, *, standardized: bool) -> dict[tuple[str, str], Floats]:
    """All draws of the paths of one model; those that are fixed at 0 are left out."""
    matrices = fit.matrices()
    if standardized:
        matrices = standardise(matrices, fit.table)
    rows = [r for r in fit.table.rows if r.op == "~" and r.value != 0]
    values = (standardised_value(r, matrices) if standardized else cell(matrices, r) for r in rows)
    return {(r.lhs, r.rhs): np.asarray(v).ravel() for r, v in zip(rows, values, strict=True)}


def _ends(values: Floats, prob: float) -> Floats:
    return np.quantile(values, [(1 - prob) / 2, (1 + prob) / 2])
