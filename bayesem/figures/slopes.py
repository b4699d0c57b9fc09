"""A slope over its moderator, and the lines that it stands for."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesem.arrays import Floats
from bayesem.conditional import condition_values, conditional_slope
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
from bayesem.grammar.claims import parse_moderation
from bayesem.implied import Implied, implied
from bayesem.moderation import johnson_neyman
from bayesem.variables import in_own_units, locate, moderators

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_slopes"]


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
        As in :func:`plot_verdict`.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    NotAvailableError
        If matplotlib is not installed.
    PropositionError
        For a text that cannot be read, or a moderator without a product in that equation.
    DataError
        For a path that cannot be written.

    References
    ----------
    .. [1] Johnson & Neyman (1936), *Statistical Research Memoirs* 1, 57-93.
    .. [2] Aiken & West (1991), *Multiple Regression: Testing and Interpreting Interactions*.
    """
    target = target_of(path)
    surface = _surface(fit, slope)
    low, high = (surface.centre[1] + k * surface.spread[1] for k in (-2, 2))
    table = johnson_neyman(fit, slope, low=low, high=high)
    with style():
        figure = sheet(WIDE, 2.7, [_region_text(surface, table)], [fit])
        left, right = figure.subplots(1, 2)
        _draw_slope(left, surface, table)
        _draw_lines(right, surface)
        stamp(figure, [fit])
        return written(figure, target)


@dataclass(frozen=True, slots=True, eq=False)
class _Surface:
    """An outcome over a predictor and its moderator, in the units of claims.

    ``at`` holds further moderators; ``centre`` and ``spread`` are of predictor and moderator, 0 and
    1 for factors.
    """

    model: Implied
    outcome: str
    names: tuple[str, str]
    to: int
    sources: tuple[int, int]
    at: Mapping[int, Any]
    centre: tuple[float, float]
    spread: tuple[float, float]

    def slope(self, which: int, values: tuple[float, float]) -> Floats:
        """Slope on predictor (0) or moderator (1) where the two have these values."""
        source = self.sources[which]
        known = moderators(self.model.table, self.to, source)
        here = {k: self.model.deviation(k, v) for k, v in zip(self.sources, values, strict=True)}
        at = {k: v for k, v in {**self.at, **here}.items() if k in known}
        return conditional_slope(self.model, self.to, source, at)

    def height(self, x: float, w: float) -> Floats:
        """The outcome less its value where both are at their means.

        The equation is of second degree, so that a slope halfway gives the rise exactly.
        """
        x0, w0 = self.centre
        rise = (w - w0) * self.slope(1, (x0, (w0 + w) / 2))
        return rise + (x - x0) * self.slope(0, ((x0 + x) / 2, w))


def _surface(fit: Any, text: str) -> _Surface:
    argument, moderator = parse_moderation(text)
    model = implied(fit.table, fit.matrices())
    table = model.table
    to = locate(table, argument.outcome, argument.span)
    source = locate(table, argument.predictor, argument.span, predicts=True)
    over = locate(table, moderator.text, moderator.span, predicts=True)
    held = condition_values(model, argument.conditions, argument.span)
    scales = [_scale(model, k) for k in (source, over)]
    return _Surface(
        model, argument.outcome, (argument.predictor, moderator.text), to, (source, over), held,
        (scales[0][0], scales[1][0]), (scales[0][1], scales[1][1]),
    )  # fmt: skip


def _scale(model: Implied, position: int) -> tuple[float, float]:
    """Mean and sd in the units of claims, in which a factor has 0 and 1."""
    if position < len(model.table.latent):
        return 0.0, 1.0
    return float(model.mean[..., position].mean()), float(model.sd[..., position].mean())


def _region_text(surface: _Surface, table: Any) -> str:
    """Where the interval excludes 0, in words."""
    x, w = surface.names
    low, high = table["at"].iloc[0], table["at"].iloc[-1]
    found = []
    for start, stop, sign in table.attrs["regions"]:
        word = "positive" if sign > 0 else "negative"
        where = {
            (True, True): "throughout",
            (True, False): f"below {stop:.2f}",
            (False, True): f"above {start:.2f}",
        }.get((start == low, stop == high), f"from {start:.2f} to {stop:.2f}")
        found.append(f"{word} {where}")
    said = "; ".join(found) or "0 lies inside the 95% interval throughout"
    return f"{surface.outcome} on {x} by {w}: {said}".replace(" -", " \N{MINUS SIGN}")


def _draw_slope(axis: "Axes", surface: _Surface, table: Any) -> None:
    x, w = surface.names
    for start, stop, _ in table.attrs["regions"]:
        axis.axvspan(start, stop, color="0.9", lw=0, zorder=0)
    axis.axhline(0, color="black", lw=0.8)
    axis.fill_between(table["at"], table["lower"], table["upper"], color=BLUE, alpha=0.3, lw=0)
    axis.plot(table["at"], table["mean"], color=BLUE)
    axis.set_xlim(table["at"].iloc[0], table["at"].iloc[-1])
    axis.set_xlabel(_unit(surface, w, surface.sources[1]))
    axis.set_ylabel(f"slope of {surface.outcome} on {x}")
    axis.set_title("Slope with 95% interval; shaded: excludes 0")


def _draw_lines(axis: "Axes", surface: _Surface) -> None:
    grid = surface.centre[0] + np.linspace(-2, 2, 21) * surface.spread[0]
    looks = ((-1, ORANGE, (0, (4, 1.5))), (0, GREY, (0, (1, 1))), (1, BLUE, "-"))
    for k, colour, dash in looks:
        w = surface.centre[1] + k * surface.spread[1]
        draws = np.stack([surface.height(x, w).ravel() for x in grid])
        middle, (low, high) = draws.mean(1), np.quantile(draws, [0.025, 0.975], axis=1)
        if k:
            axis.fill_between(grid, low, high, color=colour, alpha=0.13, lw=0)
        name = "at its mean" if k == 0 else f"{k:+d} sd".replace("-", "\N{MINUS SIGN}")
        axis.plot(grid, middle, color=colour, ls=dash, label=f"{surface.names[1]} {name}")
    axis.set_xlim(grid[0], grid[-1])
    axis.set_xlabel(_unit(surface, surface.names[0], surface.sources[0]))
    own = surface.to in in_own_units(surface.model.table)
    axis.set_ylabel(surface.outcome + ("" if own else " (sd)"))
    handles, labels = axis.get_legend_handles_labels()
    axis.legend(handles[::-1], labels[::-1], loc="best", handlelength=2.2)
    axis.set_title(f"{surface.outcome} over {surface.names[0]}; 95% bands at ±1 sd")


def _unit(surface: _Surface, name: str, position: int) -> str:
    own = position in in_own_units(surface.model.table)
    return name if own else f"{name} (sd from its mean)"
