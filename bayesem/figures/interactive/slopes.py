"""A slope over its moderator, and the line that it stands for at a moderator moved by hand."""

from html import escape
from typing import Any

import numpy as np

from bayesem.figures.interactive.page import clear, tuned
from bayesem.figures.response import Response
from bayesem.figures.sheet import BLUE, GREY, ORANGE

__all__ = ["slopes_figure"]

#: Sds of the moderator at which the slider stops, and points of a line.
STOPS, POINTS = np.linspace(-2, 2, 17), 21


def slopes_figure(go: Any, found: Response, table: Any) -> Any:
    """On the left the slope, on the right the outcome over the predictor; a slider moves both.

    Parameters
    ----------
    go : module
    found : Response
    table : DataFrame
        From :func:`bayesem.johnson_neyman`.
    """
    figure = go.Figure(_slope(go, found, table))
    fixed = len(figure.data)
    for k, stop in enumerate(STOPS):
        figure.add_traces(_line(go, found, table, float(stop), shown=k == len(STOPS) // 2))
    each = (len(figure.data) - fixed) // len(STOPS)
    centre, spread = found.centre[1], found.spread[1]
    steps = [
        {"method": "restyle", "label": f"{centre + stop * spread:.2f}",
         "args": [{"visible": [True] * fixed + [j // each == k for j in range(each * len(STOPS))]}]}
        for k, stop in enumerate(STOPS)
    ]  # fmt: skip
    held = [{"type": "rect", "xref": "x", "yref": "paper", "x0": low, "x1": high, "y0": 0, "y1": 1,
             "fillcolor": "#e6e6e6", "layer": "below", "line": {"width": 0}}
            for low, high, _ in table.attrs["regions"]]  # fmt: skip
    moderator = escape(found.unit(1))
    return tuned(
        figure, height=560, shapes=held, showlegend=False,
        xaxis={"domain": [0, 0.45], "title": {"text": moderator}},
        yaxis={"title": {"text": f"slope of {escape(found.outcome)} on {escape(found.names[0])}"}},
        xaxis2={"domain": [0.57, 1], "anchor": "y2", "title": {"text": escape(found.unit(0))}},
        yaxis2={"anchor": "x2", "title": {"text": escape(found.outcome_unit)}},
        margin={"l": 70, "t": 100},
        sliders=[{"active": len(STOPS) // 2, "steps": steps, "pad": {"t": 60},
                  "currentvalue": {"prefix": f"{moderator}: "}}],
    )  # fmt: skip


def _band(go: Any, x: Any, low: Any, high: Any, colour: str, **more: Any) -> Any:
    return go.Scatter(
        x=[*x, *x[::-1]], y=[*high, *low[::-1]], fill="toself", fillcolor=clear(colour, 0.25),
        line={"width": 0}, mode="lines", hoverinfo="skip", **more,
    )  # fmt: skip


def _slope(go: Any, found: Response, table: Any) -> list[Any]:
    x, mean = table["at"].to_numpy(), table["mean"].to_numpy()
    low, high = table["lower"].to_numpy(), table["upper"].to_numpy()
    hover = f"{escape(found.unit(1))} %{{x:.2f}}<br><b>slope %{{y:.3f}}</b>"
    line = go.Scatter(
        x=x, y=mean, mode="lines", line={"color": BLUE}, customdata=np.stack([low, high], -1),
        hovertemplate=hover + " [%{customdata[0]:.3f}, %{customdata[1]:.3f}]<extra></extra>",
    )  # fmt: skip
    zero = go.Scatter(x=x[[0, -1]], y=[0, 0], mode="lines", line={"color": GREY, "width": 1},
                      hoverinfo="skip")  # fmt: skip
    return [zero, _band(go, x, low, high, BLUE), line]


def _line(go: Any, found: Response, table: Any, stop: float, *, shown: bool) -> list[Any]:
    """The line at one value of the moderator, its band, and the point on the left."""
    w = found.centre[1] + stop * found.spread[1]
    x = found.centre[0] + np.linspace(-2, 2, POINTS) * found.spread[0]
    draws = np.stack([found.height(a, w).ravel() for a in x])
    mean, (low, high) = draws.mean(1), np.quantile(draws, [0.025, 0.975], axis=1)
    right = {"xaxis": "x2", "yaxis": "y2", "visible": shown}
    hover = f"{escape(found.unit(0))} %{{x:.2f}}<br><b>{escape(found.outcome_unit)} %{{y:.3f}}</b>"
    line = go.Scatter(
        x=x, y=mean, mode="lines", line={"color": ORANGE}, customdata=np.stack([low, high], -1),
        hovertemplate=hover + " [%{customdata[0]:.3f}, %{customdata[1]:.3f}]<extra></extra>",
        **right,
    )  # fmt: skip
    point = go.Scatter(
        x=[w], y=[float(np.interp(w, table["at"], table["mean"]))], mode="markers", visible=shown,
        marker={"color": ORANGE, "size": 11}, hoverinfo="skip",
    )  # fmt: skip
    return [_band(go, x, low, high, ORANGE, **right), line, point]
