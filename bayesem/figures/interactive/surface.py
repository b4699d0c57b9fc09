"""A response surface to turn round, with its interval under the pointer."""

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import numpy as np

from bayesem.arrays import Floats
from bayesem.figures.interactive.page import DIVERGING, tuned
from bayesem.figures.response import Response

__all__ = ["surface_figure"]

#: Points along each side.
POINTS = 25


def surface_figure(
    go: Any, found: Response, reach: float, rings: Sequence[tuple[Floats, Floats]],
    far: Callable[[Floats, Floats], Any],
) -> Any:  # fmt: skip
    """The posterior mean over predictor and moderator, with rings that hold shares of the cases.

    Parameters
    ----------
    go : module
    found : Response
    reach : float
        How many sds from the means.
    rings : sequence of (x, w)
        The inner one dotted, the outer one dashed.
    far : callable
        Which points of a grid, (w, x), lie outside the cases.
    """
    x, w = (c + np.linspace(-reach, reach, POINTS) * s for c, s in
            zip(found.centre, found.spread, strict=True))  # fmt: skip
    draws = np.array([[found.height(a, b).ravel() for a in x] for b in w])
    mean, (low, high) = draws.mean(-1), np.quantile(draws, [0.025, 0.975], axis=-1)
    top = float(np.abs(mean).max()) or 1.0
    names = [escape(found.unit(k)) for k in (0, 1)]
    outcome = escape(found.outcome_unit)
    said = np.where(far(x, w), "<br>extrapolated", "")
    more = np.stack([low.astype(object), high, said], -1)
    hover = (
        f"{names[0]} %{{x:.2f}}<br>{names[1]} %{{y:.2f}}<br><b>{outcome} %{{z:.2f}}</b> "
        "[%{customdata[0]:.2f}, %{customdata[1]:.2f}]%{customdata[2]}<extra></extra>"
    )
    surface = go.Surface(
        x=x, y=w, z=mean, customdata=more, hovertemplate=hover, colorscale=DIVERGING, cmin=-top,
        cmax=top, colorbar={"title": {"text": outcome}, "len": 0.5},
        contours={"z": {"show": True, "color": "#666666", "width": 1}},
    )  # fmt: skip
    lines = [
        go.Scatter3d(x=u, y=v, z=np.diag(found.heights(u, v)) + 0.004 * top, mode="lines",
                     line={"color": "black", "width": 5, "dash": dash}, hoverinfo="skip",
                     showlegend=False)
        for (u, v), dash in zip(rings, ("dot", "dash"), strict=True)
    ]  # fmt: skip
    axes = {"xaxis": names[0], "yaxis": names[1], "zaxis": outcome}
    scene: dict[str, Any] = {k: {"title": {"text": text}} for k, text in axes.items()}
    scene |= {"camera": {"eye": {"x": -1.3, "y": -1.3, "z": 0.8}}}
    return tuned(go.Figure([surface, *lines]), height=700, scene=scene,
                 margin={"l": 10, "t": 80, "b": 0})  # fmt: skip
