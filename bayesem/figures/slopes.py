"""A slope over its moderator, and the lines that it stands for."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesem.figures.interactive.page import write_page
from bayesem.figures.interactive.slopes import slopes_figure
from bayesem.figures.response import Response, response
from bayesem.figures.sheet import (
    BLUE,
    GREY,
    ORANGE,
    WIDE,
    sheet,
    stamp,
    style,
    target_of,
    written,
)
from bayesem.moderation import johnson_neyman

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_slopes"]

MOVED = (
    "Bands are 95% intervals; grey: the slope's excludes 0. Move the slider to set the moderator."
)


def plot_slopes(fit: Any, slope: str, path: str | Path | None = None) -> "Figure":
    """Draw a slope over its moderator, and the lines that it stands for.

    On the left the slope with its central 95% interval, from 2 sds below the moderator's mean to 2
    above; the band under it marks where the interval excludes 0 (Johnson and Neyman). On the right
    what the outcome's equation says over the predictor where the moderator is 1 sd below its mean,
    at it, and 1 sd above, all else at its mean: a rise or fall from where both are at their means.
    Factors count in sds, and observed variables in their own units. Curves in the
    equation show as curves.

    Parameters
    ----------
    fit : Fit
    slope : str
        ``"EP ~ DC | FIN"``, as :func:`bayesem.slopes` takes it.
    path : str or Path, optional
        As in :func:`plot_verdict`; or ``.html``, with a slider for the moderator.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    NotAvailableError
        If matplotlib (or for ``.html`` plotly) is not installed.
    PropositionError
        For a text that cannot be read, or a moderator without a product in that equation.
    DataError
        For a path that cannot be written.

    References
    ----------
    .. [1] Johnson & Neyman (1936), *Statistical Research Memoirs* 1, 57-93.
    .. [2] Aiken & West (1991), *Multiple Regression: Testing and Interpreting Interactions*.
    """
    target = target_of(path, interactive=True)
    found = response(fit, slope)
    low, high = (found.centre[1] + k * found.spread[1] for k in (-2, 2))
    table = johnson_neyman(fit, slope, low=low, high=high)
    head = [_region_text(found, table)]
    target = write_page(target, [*head, MOVED], [fit], lambda go: slopes_figure(go, found, table))
    with style():
        figure = sheet(WIDE, 2.7, head, [fit])
        left, right = figure.subplots(1, 2)
        _draw_slope(left, found, table)
        _draw_lines(right, found)
        stamp(figure, [fit])
        return written(figure, target)


def _region_text(found: Response, table: Any) -> str:
    """Where the interval excludes 0, in words."""
    x, w = found.names
    low, high = table["at"].iloc[0], table["at"].iloc[-1]
    regions = []
    for start, stop, sign in table.attrs["regions"]:
        word = "positive" if sign > 0 else "negative"
        where = {
            (True, True): "throughout",
            (True, False): f"below {stop:.2f}",
            (False, True): f"above {start:.2f}",
        }.get((start == low, stop == high), f"from {start:.2f} to {stop:.2f}")
        regions.append(f"{word} {where}")
    said = "; ".join(regions) or "0 lies inside the 95% interval throughout"
    return f"{found.outcome} on {x} by {w}: {said}".replace(" -", " \N{MINUS SIGN}")


def _draw_slope(axis: "Axes", found: Response, table: Any) -> None:
    for start, stop, _ in table.attrs["regions"]:
        axis.axvspan(start, stop, color="0.9", lw=0, zorder=0)
    axis.axhline(0, color="black", lw=0.8)
    axis.fill_between(table["at"], table["lower"], table["upper"], color=BLUE, alpha=0.3, lw=0)
    axis.plot(table["at"], table["mean"], color=BLUE)
    axis.set_xlim(table["at"].iloc[0], table["at"].iloc[-1])
    axis.set_xlabel(found.unit(1))
    axis.set_ylabel(f"slope of {found.outcome} on {found.names[0]}")
    axis.set_title("Slope with 95% interval; shaded: excludes 0")


def _draw_lines(axis: "Axes", found: Response) -> None:
    grid = found.centre[0] + np.linspace(-2, 2, 21) * found.spread[0]
    looks = ((-1, ORANGE, (0, (4, 1.5))), (0, GREY, (0, (1, 1))), (1, BLUE, "-"))
    for k, colour, dash in looks:
        w = found.centre[1] + k * found.spread[1]
        draws = np.stack([found.height(x, w).ravel() for x in grid])
        middle, (low, high) = draws.mean(1), np.quantile(draws, [0.025, 0.975], axis=1)
        if k:
            axis.fill_between(grid, low, high, color=colour, alpha=0.13, lw=0)
        name = "at its mean" if k == 0 else f"{k:+d} sd".replace("-", "\N{MINUS SIGN}")
        axis.plot(grid, middle, color=colour, ls=dash, label=f"{found.names[1]} {name}")
    axis.set_xlim(grid[0], grid[-1])
    axis.set_xlabel(found.unit(0))
    axis.set_ylabel(found.outcome_unit)
    handles, labels = axis.get_legend_handles_labels()
    axis.legend(handles[::-1], labels[::-1], loc="best", handlelength=2.2)
    axis.set_title(f"{found.outcome} over {found.names[0]}; 95% bands at ±1 sd")
