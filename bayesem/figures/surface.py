"""An outcome over a predictor and its moderator at once, as a map with its contours."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import chi2

from bayesem.arrays import Floats
from bayesem.figures.interactive.page import write_page
from bayesem.figures.interactive.surface import surface_figure
from bayesem.figures.response import Response, response
from bayesem.figures.sheet import BLUE, NARROW, ORANGE, sheet, stamp, style, target_of, written
from bayesem.implied import implied_moments
from bayesem.moderation import slopes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_surface"]

#: Sds from the mean to which the map goes, and points along each side.
REACH, POINTS = 2.5, 61
#: Shares of the cases that the two ellipses hold; outside the larger one the map is veiled.
HELD = (0.5, 0.95)
LEVELS = 9
TURNED = (
    "Posterior mean less that at both means, with its 95% interval under the pointer. "
    "Rings hold 50% and 95% of the cases; outside is extrapolated."
)


def plot_surface(fit: Any, slope: str, path: str | Path | None = None) -> "Figure":
    """Draw what an outcome's equation says over a predictor and its moderator.

    Colours and contours are the posterior mean of the outcome less its value where both are at
    their means, all else at its mean: orange above, blue below. The dotted and the dashed ellipse
    hold 50% and 95% of the cases; outside the latter the map is veiled and hatched, because
    what stands there is extrapolated. Factors count in sds, observed variables in their own units.

    Parameters
    ----------
    fit : Fit
    slope : str
        ``"EP ~ DC | FIN"``, as :func:`bayesem.slopes` takes it: ``DC`` across and ``FIN`` up.
    path : str or Path, optional
        As in :func:`plot_verdict`; or ``.html``: a surface to turn round in a browser, with means
        and intervals under the pointer.

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

    Notes
    -----
    Where a case stands on a factor is not known, so the ellipses are the model's own: those of a
    normal distribution with the implied correlation of the two (posterior mean), and of an observed
    variable with the sample's moments. How uncertain the surface is, :func:`plot_slopes` shows.
    """
    target = target_of(path, interactive=True)
    slopes(fit, slope)  # refuses what has no product
    found = response(fit, slope)
    x, w = (c + np.linspace(-REACH, REACH, POINTS) * s for c, s in
            zip(found.centre, found.spread, strict=True))  # fmt: skip
    head = [
        f"{found.outcome} over {found.names[0]} and {found.names[1]}",
        "Posterior mean less that at both means. Ellipses hold 50% and 95% of the cases; "
        "hatched: extrapolated.",
    ]
    r = _correlation(found)
    rings = [_ring(found, r, chi2.ppf(held, 2)) for held in HELD]
    target = write_page(
        target, [head[0], TURNED], [fit],
        lambda go: surface_figure(
            go, found, REACH, rings, lambda *at: _distance(found, r, *at) > chi2.ppf(HELD[1], 2)
        ),
    )  # fmt: skip
    with style():
        figure = sheet(NARROW, 3.1, head, [fit])
        axis = figure.subplots()
        _draw(axis, x, w, found.heights(x, w))
        _draw_cases(axis, x, w, _distance(found, r, x, w))
        axis.set_xlabel(found.unit(0))
        axis.set_ylabel(found.unit(1))
        axis.set_title(found.outcome_unit)
        stamp(figure, [fit])
        return written(figure, target)


def _correlation(found: Response) -> float:
    """That of predictor and moderator, its posterior mean."""
    _, Phi = implied_moments(found.model.table, found.model.matrices)
    one, two = found.sources
    return float((Phi[..., one, two] / np.sqrt(Phi[..., one, one] * Phi[..., two, two])).mean())


def _ring(found: Response, r: float, squared: float) -> tuple[Floats, Floats]:
    """Points around the middle of the cases, all at one squared distance from it."""
    t = np.linspace(0, 2 * np.pi, 121)
    u, v = np.cos(t), r * np.cos(t) + np.sqrt(1 - r**2) * np.sin(t)
    (x0, w0), (sx, sw) = found.centre, found.spread
    return x0 + sx * np.sqrt(squared) * u, w0 + sw * np.sqrt(squared) * v


def _distance(found: Response, r: float, x: Floats, w: Floats) -> Floats:
    """Squared distance from the middle of the cases, (w, x), a chi-square of two degrees."""
    (x0, w0), (sx, sw) = found.centre, found.spread
    u, v = np.meshgrid((x - x0) / sx, (w - w0) / sw)
    return np.asarray((u**2 - 2 * r * u * v + v**2) / (1 - r**2))


def _draw(axis: "Axes", x: Floats, w: Floats, height: Floats) -> None:
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.ticker import MaxNLocator

    colours = LinearSegmentedColormap.from_list("rise", [BLUE, "white", ORANGE])
    top = float(np.abs(height).max()) or 1.0
    levels = MaxNLocator(LEVELS, steps=[1, 2, 5, 10]).tick_values(height.min(), height.max())
    axis.contourf(x, w, height, levels, cmap=colours, vmin=-top, vmax=top)
    dashes = ["--" if level < -1e-9 else "-" for level in levels]
    widths = [1.2 if abs(level) < 1e-9 else 0.6 for level in levels]
    lines = axis.contour(x, w, height, levels, colors="black", linewidths=widths, linestyles=dashes)
    texts = axis.clabel(lines, fmt=lambda v: f"{v + 0.0:.3g}".replace("-", "\N{MINUS SIGN}"))
    for text in texts:
        if not _inside(text.get_position(), x, w):
            text.remove()
            continue
        text.set_fontsize(8)
        text.set_bbox({"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 0.6})
        text.set_zorder(6)


def _inside(at: tuple[float, float], x: Floats, w: Floats) -> bool:
    """Whether a label stands clear of the edges, which would cut it."""
    return all(0.06 < (v - c[0]) / (c[-1] - c[0]) < 0.94 for v, c in zip(at, (x, w), strict=True))


def _draw_cases(axis: "Axes", x: Floats, w: Floats, distance: Floats) -> None:
    inner, outer = chi2.ppf(HELD, 2)
    most = max(float(distance.max()), outer * 1.001)
    import matplotlib as mpl

    with mpl.rc_context({"hatch.linewidth": 0.4, "hatch.color": "0.35"}):
        axis.contourf(x, w, distance, [outer, most], colors=["white"], alpha=0.6, zorder=3)
        axis.contourf(x, w, distance, [outer, most], colors="none", hatches=["////"], zorder=3)
    axis.contour(x, w, distance, [inner, outer], colors="black", linestyles=[":", (0, (5, 2))],
                 linewidths=1.4, zorder=4)  # fmt: skip
