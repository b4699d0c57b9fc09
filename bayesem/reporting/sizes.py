"""How large what a claim compares is, on the scale on which its rope lies."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayesem.claim_counts import speaks_of_counts
from bayesem.claims_evaluation import scope
from bayesem.errors import BayesemError
from bayesem.figures.assessed import claim_of, fits_of
from bayesem.figures.panels import Panel, leaves, panel_of
from bayesem.grammar.statements import Comparison, Number
from bayesem.verdicts import POOLED, Verdicts

__all__ = ["Size", "size_of"]

ENDS = (0.025, 0.975)


@dataclass(frozen=True, slots=True)
class Size:
    """What one comparison compares.

    Attributes
    ----------
    kind : str
        ``estimate`` of one quantity held against 0, or ``difference`` of two sides.
    scale : str
        ``standardised``, where ropes lie; ``raw`` where there is none; ``shares`` of theme counts.
    mean, lower, upper : float
        Posterior mean and ends of the central 95% interval.
    rope : float or None
        Half-width of the rope that the verdict used.
    sign : bool
        Whether the claim asks for a sign alone.
    """

    kind: str
    scale: str
    mean: float
    lower: float
    upper: float
    rope: float | None
    sign: bool

    @property
    def relative(self) -> float:
        """Width of the interval by the size of the estimate."""
        return (self.upper - self.lower) / max(abs(self.mean), 1e-12)


def size_of(row: pd.Series, verdicts: Verdicts) -> Size | None:
    """The size behind a row; None for a claim of several parts, and for ``null(x)``."""
    if pd.isna(row["estimate"]):
        return None
    raw = Size("difference", "raw", row["estimate"], row["lower"], row["upper"], None, False)
    try:
        form, rule = claim_of(verdicts, str(row["name"]))
        parts = list(leaves(form))
    except BayesemError:
        return raw
    if len(parts) != 1 or not isinstance(parts[0], Comparison):
        return raw
    readings = _readings(row, verdicts)
    panel = panel_of(parts[0], rule, readings, None)
    counts = speaks_of_counts(parts[0])
    return _measured(row, panel, parts[0], "shares" if counts else "standardised")


def _readings(row: pd.Series, verdicts: Verdicts) -> list[Any]:
    rows = verdicts.table[verdicts.table["name"] == row["name"]]
    alone = row.get("reading")
    rows = rows[rows["reading"] == alone] if alone not in (None, POOLED) else rows
    found = fits_of(verdicts, rows)
    return [(name, weight, tuple(map(scope, fits))) for name, weight, fits in found]


def _measured(row: pd.Series, panel: Panel, part: Comparison, scale: str) -> Size:
    numbers = [side.value for side in (part.left, part.right) if isinstance(side, Number)]
    single = numbers == [0]
    kind = "estimate" if single else "difference"
    if panel.rope is None or panel.threshold is None:
        return Size(kind, "raw", row["estimate"], row["lower"], row["upper"], None, single)
    draws = [x - panel.threshold for _, _, x in panel.posterior]
    each = [1.0 if w is None else w for _, w, _ in panel.posterior]
    values = np.concatenate(draws)
    weights = np.concatenate(
        [np.full(d.size, w / d.size) for d, w in zip(draws, each, strict=True)]
    )
    low, high = np.quantile(values, ENDS, weights=weights, method="inverted_cdf")
    half = (panel.rope[1] - panel.rope[0]) / 2
    mean = float(np.average(values, weights=weights))
    return Size(kind, scale, mean, float(low), float(high), half, single or not numbers)
