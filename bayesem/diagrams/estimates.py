"""The numbers that stand on a path diagram."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayesem.arrays import Floats
from bayesem.decomposition import explained_draws, standardise, standardised_value
from bayesem.posterior import cell
from bayesem.variables import display_name

__all__ = ["Estimate", "estimates", "explained", "number"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """Posterior of one parameter.

    Attributes
    ----------
    mean, lower, upper : float
        Standardised or raw.
    probability : float
        Of the more probable sign; 1 where the parameter is fixed.
    size : float
        Absolute mean on the standardised scale, which sets the width of the line.
    fixed : bool
        Whether every draw is the same.
    """

    mean: float
    lower: float
    upper: float
    probability: float
    size: float
    fixed: bool


def estimates(
    fit: Any, rows: tuple[int, ...], *, standardized: bool, prob: float
) -> dict[int, Estimate]:
    """Estimates by row of the parameter table.

    Parameters
    ----------
    fit : Fit
    rows : tuple of int
        Which.
    standardized : bool
        std.all (:func:`bayesem.decomposition.standardised_value`), or raw.
    prob : float
        Mass of the equal-tailed interval.
    """
    matrices = fit.matrices()
    std = standardise(matrices, fit.table)
    found = {}
    for k in rows:
        row = fit.table.rows[k]
        scaled = np.ravel(standardised_value(row, std))
        values = scaled if standardized else np.ravel(cell(matrices, row))
        found[k] = _estimate(values, scaled, prob)
    return found


def _estimate(values: Floats, scaled: Floats, prob: float) -> Estimate:
    tail = (1 - prob) / 2
    lower, upper = np.quantile(values, [tail, 1 - tail])
    mean = float(values.mean())
    fixed = bool(np.ptp(values) <= 1e-12 * max(1.0, abs(mean)))
    sign = float(max((values > 0).mean(), (values < 0).mean()))
    return Estimate(mean, float(lower), float(upper), sign, float(abs(scaled.mean())), fixed)


def explained(fit: Any) -> Mapping[str, float]:
    """Posterior mean of the explained variance of every predicted variable, by the user's name."""
    table = fit.table
    names = {n: display_name(table, k) for k, n in enumerate(table.factors)}
    return {
        names.get(name, name): float(share.mean())
        for name, kind, share in explained_draws(table, fit.matrices())
        if kind == "factor" and np.isfinite(share).all()
    }


def number(value: float) -> str:
    """Two decimals, without the zero before the point.

    Examples
    --------
    >>> number(0.304), number(-0.304), number(-0.001), number(12.3456), number(123456)
    ('.30', '−.30', '.00', '12.3', '123456')
    """
    size = abs(value)
    text = f"{size:.2f}" if size < 9.995 else f"{size:.1f}" if size < 99.95 else f"{size:.0f}"
    text = text.removeprefix("0") if text.startswith("0.") else text
    return text if float(text) == 0 or value >= 0 else f"\N{MINUS SIGN}{text}"
