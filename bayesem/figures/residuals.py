"""Where a model misses the correlations of its indicators, as a map."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayesem.arrays import Floats
from bayesem.figures.sheet import (
    BLUE,
    GREY,
    NARROW,
    ORANGE,
    WIDE,
    sheet,
    stamp,
    style,
    target_of,
    written,
)
from bayesem.goodness.misfit import residuals

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_residuals"]

#: Up to so many indicators a narrow sheet does, and each cell holds its number.
FEW = 9
#: The colour scale ends here at the least, so that noise does not look like misfit.
LEAST = 0.10


def plot_residuals(
    fit: Any, path: str | Path | None = None, *, prob: float = 0.95, seed: int = 0
) -> "Figure":
    """Draw the residual correlations of all pairs of indicators.

    Orange where the sample's correlation is above the implied one, blue where it is below; a sign
    marks the pairs whose interval of observed less replicated correlation excludes 0. Lines part
    the indicators of different factors. Up to nine indicators each cell holds its number, and those
    of such pairs are bold.

    Parameters
    ----------
    fit : Fit
        Of raw answers.
    path : str or Path, optional
        Where to save: ``.pdf``, ``.svg`` or ``.png``.
    prob : float
        Mass of the intervals.
    seed : int
        Of replicated data.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    NotAvailableError
        If the fit rests on moments, or matplotlib is not installed.
    DataError
        For a path that cannot be written.
    """
    target = target_of(path)
    table = residuals(fit, prob=prob, seed=seed)
    pairs = table[table["op"] == "~~"]
    names = _in_order(fit, pairs)
    values, marked = _matrices(pairs, names)
    count = int(np.nansum(np.tril(marked, -1)))
    few = len(names) <= FEW
    head = [
        "Residual correlations: observed less implied",
        f"{'Bold' if few else 'Signed'} cells: the {prob:.0%} interval of observed less replicated "
        f"excludes 0 ({count} of {len(pairs)} pairs).",
    ]
    with style():
        figure = sheet(NARROW if few else WIDE, 2.8 if few else 6.2, head, [fit])
        _draw(figure, values, marked, names, _breaks(fit, names), numbers=few)
        stamp(figure, [fit])
        return written(figure, target)


def _in_order(fit: Any, pairs: pd.DataFrame) -> list[str]:
    known = {*pairs["lhs"], *pairs["rhs"]}
    return [v for v in fit.table.indicators if v in known]


def _matrices(pairs: pd.DataFrame, names: list[str]) -> tuple[Floats, np.ndarray]:
    """Residuals (lower triangle; the rest is missing) and which intervals exclude 0."""
    p = len(names)
    at = {v: k for k, v in enumerate(names)}
    values, marked = np.full((p, p), np.nan), np.zeros((p, p), bool)
    rows, cols = (pairs[c].map(at).to_numpy() for c in ("rhs", "lhs"))
    values[rows, cols] = pairs["residual"]
    marked[rows, cols] = (pairs["lower"] > 0) | (pairs["upper"] < 0)
    return values, marked


def _breaks(fit: Any, names: list[str]) -> list[int]:
    """Positions at which the indicators of another factor begin."""
    home: dict[str, str] = {}
    for row in fit.table.rows:
        if row.op == "=~" and row.matrix == "Lambda":
            home.setdefault(row.rhs, row.lhs)
    return [k for k in range(1, len(names)) if home.get(names[k]) != home.get(names[k - 1])]


def _draw(
    figure: "Figure", values: Floats, marked: np.ndarray, names: list[str], breaks: list[int],
    *, numbers: bool,
) -> None:  # fmt: skip
    from matplotlib.colors import LinearSegmentedColormap

    axes = figure.subplots()
    p = len(names)
    top = max(LEAST, np.ceil(np.nanmax(np.abs(values)) * 20) / 20)
    colours = LinearSegmentedColormap.from_list("residual", [BLUE, "white", ORANGE])
    colours.set_bad((0, 0, 0, 0))
    shown = np.where(np.tri(p, k=-1, dtype=bool), values, np.nan)[1:, :-1]
    image = axes.imshow(shown, cmap=colours, vmin=-top, vmax=top)
    size = min(9.0, 72 * 5.0 / p * 0.75) if not numbers else 9.0
    axes.set_xticks(range(p - 1), names[:-1], rotation=90, size=size)
    axes.set_yticks(range(p - 1), names[1:], size=size)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    for k in breaks:
        axes.plot([-0.5, k - 0.5], [k - 1.5] * 2, color=GREY, linewidth=0.8)
        axes.plot([k - 0.5] * 2, [k - 1.5, p - 1.5], color=GREY, linewidth=0.8)
    _write(axes, values, marked, top, numbers=numbers, size=size)
    bar = figure.colorbar(image, ax=axes, shrink=0.6, aspect=25, pad=0.02)
    bar.outline.set_visible(False)  # type: ignore[operator]
    bar.set_label("residual correlation")


def _write(
    axes: "Axes", values: Floats, marked: np.ndarray, top: float, *, numbers: bool, size: float
) -> None:
    """Numbers of all cells, or signs of the marked ones."""
    for i, j in np.argwhere(np.tri(len(values), k=-1)).tolist():
        value = values[i, j]
        if np.isnan(value) or not (numbers or marked[i, j]):
            continue
        number = f"{abs(value):.2f}".lstrip("0")
        sign = "" if number == ".00" else "+" if value > 0 else "\N{MINUS SIGN}"
        text = sign + (number if numbers else "")
        dark = value < -0.75 * top or value > 0.9 * top
        colour = "white" if dark else "black"
        axes.text(j, i - 1, text, ha="center", va="center", color=colour,
                  size=7.5 if numbers else size + 2,
                  weight="bold" if marked[i, j] else "normal")  # fmt: skip
