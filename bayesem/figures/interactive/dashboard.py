"""Propositions to open in a browser: what each says and rests on stands under the pointer."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from textwrap import wrap
from typing import Any

import numpy as np

from bayesem.arrays import Floats
from bayesem.figures.densities import READINGS, Curves, curves, ticks_of
from bayesem.figures.interactive.page import WIDTH, clear, tuned
from bayesem.figures.panels import Panel
from bayesem.figures.sheet import GREY, SKY
from bayesem.rounding import LIGHT

__all__ = ["Tile", "dashboard_figure"]

ACROSS = 3  # panels beside each other
DASHES = ("solid", "dash", "dashdot", "dot", "longdash")  # of readings, in plotly's words
PLOT, LINE = 150, 17  # pixels of a panel, and of a line of text


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """One proposition of a dashboard.

    Attributes
    ----------
    name, verdict, numbers : str
    told : str
        Its sentence and its claim, to show under the pointer.
    panel : Panel or None
        None where no posterior may be shown; ``label`` says why.
    label : str
        Of the axis.
    colour : str
    filled : bool
        Whether the posterior is dark where the claim holds.
    """

    name: str
    verdict: str
    numbers: str
    told: str
    panel: Panel | None
    label: str
    colour: str
    filled: bool


def dashboard_figure(go: Any, tiles: Sequence[Tile]) -> Any:
    """A panel for each proposition, three beside each other.

    Parameters
    ----------
    go : module
    tiles : sequence of Tile
    """
    from plotly.subplots import make_subplots

    across = min(ACROSS, len(tiles))
    down = -(-len(tiles) // across)
    titles = [_title(tile, across) for tile in tiles]
    labels = [_lines(tile.label, across) for tile in tiles]
    between = 40 + LINE * (_deepest(titles) + _deepest(labels))
    tall = PLOT * down + between * (down - 1)
    figure = make_subplots(down, across, subplot_titles=titles, horizontal_spacing=0.05,
                           vertical_spacing=between / tall)  # fmt: skip
    legend: dict[str, dict[str, Any]] = {}
    for k, (tile, label) in enumerate(zip(tiles, labels, strict=True)):
        at = {"row": k // across + 1, "col": k % across + 1}
        figure.update_yaxes(visible=False, rangemode="tozero", **at)
        axis = {"title": {"text": label, "font": {"size": 12}}, **at}
        if tile.panel is None:
            figure.update_xaxes(showticklabels=False, showgrid=False, zeroline=False, **axis)
            figure.add_trace(go.Scatter(x=[0], y=[0], mode="markers", marker={"opacity": 0},
                                        showlegend=False, hoverinfo="skip"), **at)  # fmt: skip
            continue
        found = curves(tile.panel)
        figure.add_traces(_traces(go, tile, tile.panel, found, legend), at["row"], at["col"])
        ticks = _ticks(found.x) if tile.panel.ratio else {}
        figure.update_xaxes(zeroline=False, **ticks, **axis)
        for edge in tile.panel.limits:
            figure.add_vline(edge, line={"color": "black", "width": 1}, **at)
        if tile.panel.rope is not None:
            low, high = tile.panel.rope
            figure.add_vrect(low, high, fillcolor="#e6e6e6", line_width=0, layer="below", **at)
    for name, line in legend.items():  # of all panels, whose lines have the colours of verdicts
        figure.add_trace(go.Scatter(x=[None], y=[None], mode="lines", name=escape(name), line=line))
    figure.update_annotations(font={"size": 13})
    over, under = 90 + LINE * _deepest(titles), 70 + LINE * _deepest(labels)
    return tuned(
        figure, height=over + tall + under, margin={"l": 20, "r": 20, "t": over, "b": under},
        legend={"orientation": "h", "y": 0, "yref": "container", "yanchor": "bottom"},
    )  # fmt: skip


def _title(tile: Tile, across: int) -> str:
    wide = WIDTH // across // 7
    lines = [f"<b>{escape(tile.name)}</b>: {escape(tile.verdict)}"]
    lines += [escape(line) for line in wrap(tile.numbers, wide)]
    return "<br>".join(lines)


def _deepest(texts: Sequence[str]) -> int:
    """Lines of the longest text."""
    return max(text.count("<br>") + 1 for text in texts)


def _lines(text: str, across: int) -> str:
    return "<br>".join(escape(line) for line in wrap(text, WIDTH // across // 7))


def _ticks(x: Floats) -> dict[str, Any]:
    """A logarithmic axis with plain numbers."""
    ticks = ticks_of(x)
    return {"type": "log", "tickvals": ticks, "ticktext": [f"{t:g}" for t in ticks]}


def _traces(
    go: Any, tile: Tile, panel: Panel, found: Curves, legend: dict[str, dict[str, Any]]
) -> list[Any]:
    """Densities of a panel; what is new among them goes into the legend."""
    said = f"<b>{escape(tile.name)}: {escape(tile.verdict)}</b><br>{tile.told}<extra></extra>"
    every = []

    def area(y: Floats, share: float) -> None:
        every.append(
            go.Scatter(x=found.x, y=y, mode="lines", fill="tozeroy", line={"width": 0},
                       fillcolor=clear(tile.colour, share), showlegend=False, hovertemplate=said)
        )  # fmt: skip

    def line(y: Floats, name: str, colour: str, dash: str = "solid", shown: str = "") -> None:
        look = {"color": colour, "dash": dash, "width": 1.6}
        legend.setdefault(name, look | {"color": shown or colour})
        every.append(
            go.Scatter(x=found.x, y=y, mode="lines", name=escape(name), showlegend=False, line=look,
                       hovertemplate=said)
        )  # fmt: skip

    if found.prior is not None:
        line(found.prior, "prior", GREY, "dash")
    if found.mixed is None:
        for k, (name, _, y) in enumerate(found.readings):
            line(y, str(name), READINGS[k % len(READINGS)][0], DASHES[k % len(DASHES)])
        return every
    if tile.filled:
        holds = panel.claimed(found.x)
        area(np.where(holds, found.mixed, 0.0), 0.45)
        area(np.where(holds, 0.0, found.mixed), 0.12)
    pooled = len(found.readings) > 1
    for _, share, y in found.readings if pooled else ():
        if share >= LIGHT:
            line(y, "each reading", SKY, "dot")
    line(found.mixed, "all readings" if pooled else "posterior", tile.colour, shown="black")
    return every
