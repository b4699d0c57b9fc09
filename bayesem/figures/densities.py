"""Prior and posterior of one comparison, drawn as densities."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import gaussian_kde

from bayesem.arrays import Floats
from bayesem.figures.panels import Panel
from bayesem.figures.sheet import BLUE, CHARACTER, GREEN, GREY, ORANGE, PURPLE, SKY
from bayesem.rounding import LIGHT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["READINGS", "Curves", "axis_range", "curves", "density", "draw", "room", "ticks_of"]

READINGS = ((BLUE, "-"), (ORANGE, "--"), (GREEN, "-."), (PURPLE, ":"), (SKY, (0, (6, 1))))


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """Densities of one comparison over points x.

    Attributes
    ----------
    x : array
    prior : array or None
        None where nothing was believed of it, or where the model fixes it.
    readings : tuple of (name, share, density)
        By reading; the share of its weight, 1 where readings have none.
    mixed : array or None
        Over all readings by weight, or of the only one; None where readings stay apart.
    """

    x: Floats
    prior: Floats | None
    readings: tuple[tuple[str | None, float, Floats], ...]
    mixed: Floats | None


def curves(panel: Panel) -> Curves:
    """The densities that a panel shows."""
    x = axis_range(panel)
    told = panel.prior is not None and np.ptp(panel.prior) > 1e-9
    prior = density(panel.prior, x, log=panel.ratio) if told else None  # type: ignore[arg-type]
    lines = [density(values, x, log=panel.ratio) for _, _, values in panel.posterior]
    weights = [w for _, w, _ in panel.posterior]
    weighed = all(w is not None for w in weights)
    total = sum(w or 0.0 for w in weights) if weighed else 1.0
    shares = [(w or 0.0) / total if weighed else 1.0 for w in weights]
    mixed = None
    if len(lines) == 1 or weighed:
        mixed = np.asarray(sum(s * y for s, y in zip(shares, lines, strict=True)))
    each = zip((name for name, *_ in panel.posterior), shares, lines, strict=True)
    return Curves(x, prior, tuple(each), mixed)


def draw(axis: "Axes", panel: Panel, *, colour: str = BLUE, filled: bool = True) -> None:
    """Posterior, prior, threshold and rope of one comparison.

    ``filled`` says that the posterior is dark where the claim holds.
    """
    axis.set_yticks([])
    axis.spines["left"].set_visible(False)
    if panel.rope is not None:
        axis.axvspan(*panel.rope, color="0.9", lw=0, label="practically null (ROPE)", zorder=0)
    for at in panel.limits:
        axis.axvline(at, color="black", lw=0.8, label="threshold")
    found = curves(panel)
    x = found.x
    if found.prior is not None:
        axis.plot(x, found.prior, color=GREY, ls=(0, (3, 2)), lw=1.1, label="prior")
    _draw_posteriors(axis, panel, found, colour, filled=filled)
    axis.set_xlim(x[0], x[-1])
    axis.set_ylim(bottom=0)
    if panel.ratio:
        _ratio_axis(axis, x)
    else:
        axis.locator_params(axis="x", nbins=5)


def _draw_posteriors(
    axis: "Axes", panel: Panel, found: Curves, colour: str, *, filled: bool
) -> None:
    x = found.x
    if found.mixed is None:
        for k, (name, _, y) in enumerate(found.readings):
            own, dash = READINGS[k % len(READINGS)]
            axis.plot(x, y, color=own, ls=dash, label=str(name))
        return
    pooled = len(found.readings) > 1
    for _, share, y in found.readings if pooled else ():
        if share >= LIGHT:  # by its weight; those that count for nothing would hide the rest
            axis.plot(x, y, color=SKY, lw=0.7 + share, ls=(0, (4, 1)), label="each reading")
    if filled:
        _fill(axis, panel, x, found.mixed, colour)
    axis.plot(x, found.mixed, color=colour, label="all readings" if pooled else "posterior")


def _fill(axis: "Axes", panel: Panel, x: Floats, y: Floats, colour: str) -> None:
    holds = panel.claimed(x)
    axis.fill_between(x, y, where=holds, color=colour, alpha=0.45, lw=0, label="claim holds")
    axis.fill_between(x, y, where=~holds, color=colour, alpha=0.12, lw=0, label="claim fails")


def axis_range(panel: Panel) -> Floats:
    """Points that span the posterior, the threshold, the rope, and the prior's middle."""
    change = np.log if panel.ratio else np.asarray
    draws = [change(values) for _, _, values in panel.posterior]
    ends = [np.quantile(values, [0.001, 0.999]) for values in draws]
    marks = [] if panel.threshold is None else [change(panel.threshold)]
    marks += [*(panel.rope or ())]
    low, high = min([*(e[0] for e in ends), *marks]), max([*(e[1] for e in ends), *marks])
    room = max(high - low, 1e-6)
    if panel.prior is not None:
        first, last = np.quantile(change(panel.prior), [0.03, 0.97])
        low, high = max(min(low, first), low - 3 * room), min(max(high, last), high + 3 * room)
    x = np.linspace(low - 0.03 * (high - low), high + 0.03 * (high - low), 401)
    return np.asarray(np.exp(x) if panel.ratio else x)


def density(values: Floats, x: Floats, *, log: bool) -> Floats:
    """A kernel estimate at x; of the logarithm where the axis is logarithmic."""
    if log:
        values, x = np.log(values), np.log(x)
    sd, iqr = values.std(ddof=1), float(np.subtract(*np.quantile(values, [0.75, 0.25])))
    if sd < 1e-9 * max(1.0, np.abs(values).max()):  # a parameter that the model fixes
        return np.asarray(np.where(np.abs(x - values[0]) == np.abs(x - values[0]).min(), 1.0, 0.0))
    spread = min(sd, iqr / 1.35) if iqr > 0 else sd
    return np.asarray(gaussian_kde(values, 1.06 * spread / sd * len(values) ** -0.2)(x))


def _ratio_axis(axis: "Axes", x: Floats) -> None:
    """A logarithmic axis with plain numbers."""
    axis.set_xscale("log")
    ticks = ticks_of(x)
    axis.set_xticks(ticks, [f"{t:g}" for t in ticks])
    axis.set_xticks([], minor=True)


def ticks_of(x: Floats) -> list[float]:
    """Where a logarithmic axis is marked."""
    return [t for t in (0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100) if x[0] <= t <= x[-1]]


def room(axis: "Axes") -> int:
    """How many characters stand beside each other over a panel."""
    width = axis.get_figure(root=True).get_figwidth()  # type: ignore[union-attr]
    columns = axis.get_gridspec().ncols  # type: ignore[union-attr]
    return int(width / columns / CHARACTER) - 2
