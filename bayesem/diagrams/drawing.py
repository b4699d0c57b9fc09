"""Path diagrams on matplotlib: nodes, lines, labels, tables and the legend."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bayesem.diagrams.blocks import Box
from bayesem.diagrams.layout import Route
from bayesem.diagrams.texts import LINE, NAME, NUMBER, SMALL
from bayesem.figures.sheet import BLUE, GREY, ORANGE, sheet, stamp

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bayesem.diagrams.path import Page

MARGIN = 0.08
INK = "#222222"
LEAST = 0.95


@dataclass(frozen=True, slots=True)
class Look:
    scale: str
    prob: float
    residuals: bool


def text_width(text: str, size: float) -> float:
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    w, _, _ = text_to_path.get_text_width_height_descent(text, FontProperties(size=size), False)
    return float(w) / 72


def draw(page: "Page", look: Look, fits: list[Any]) -> "Figure":
    lay = page.layout
    height = lay.height + 0.2
    figure = sheet(page.width, height, ["title"], fits)
    top = figure.get_figheight()
    axes = figure.add_axes((0, 0, 1, height / top))
    axes.set_axis_off()
    left = (page.width - lay.width) / 2
    axes.set_xlim(-left, page.width - left)
    axes.set_ylim(lay.height + 0.1, -0.1)
    for r in lay.routes:
        _line(axes, r, page)
    for n, b in lay.boxes.items():
        _node(axes, b, page)
    for n, b in lay.lists.items():
        _list(axes, n, b, page)
    for label in page.labels:
        axes.text(label.x, label.y, "\n".join(page.texts.labels[label.row]), size=NUMBER, ha="center", va="center", linespacing=1.0, parse_math=False, bbox=dict(boxstyle="square,pad=0.1", fc="white", ec="none"), zorder=3)
    stamp(figure, fits)
    return figure


def _line(axes, r: Route, page):
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path as P

    e = page.numbers[r.row] if page.numbers and r.row >= 0 else None
    lw = 0.9 if e is None else 0.6 + 2 * min(e.size, 1)
    ls = "-" if e is None or e.probability >= LEAST else (0, (4, 2))
    colour = INK if e is None else BLUE if e.mean >= 0 else ORANGE
    if r.kind == "loading":
        colour = GREY
    st = {"covariance": "<|-|>", "tie": "-", "moderation": "-|>"}.get(r.kind, "-|>")
    axes.add_patch(FancyArrowPatch(path=P(r.points), arrowstyle=st, mutation_scale=6 + lw, lw=lw, ls=ls, color=colour, shrinkA=0, shrinkB=0, zorder=1, joinstyle="miter"))
    if r.kind == "moderation":
        axes.plot(*r.points[-1], "o", color=colour, ms=4.5, zorder=4)


def _node(axes, b: Box, page):
    from matplotlib.patches import Ellipse, Rectangle

    shape = page.diagram.nodes[b.name].shape
    if shape == "observed":
        axes.add_patch(Rectangle((b.u - b.hu, b.v - b.hv), 2 * b.hu, 2 * b.hv, fc="white", ec=INK, lw=0.8, zorder=2))
    else:
        axes.add_patch(Ellipse((b.u, b.v), 2 * b.hu, 2 * b.hv, fc="#F2F2F2", ec=INK, lw=1.0, zorder=2))
    axes.text(b.u, b.v, "\n".join(page.texts.names[b.name]), size=NAME if shape == "factor" else SMALL, ha="center", va="center", rotation=90 if b.turned else 0, parse_math=False, zorder=3, linespacing=1.1)


def _list(axes, n, b, page):
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle((b.u - b.hu, b.v - b.hv), 2 * b.hu, 2 * b.hv, fc="white", ec=GREY, lw=0.6, zorder=2))
    for k, (t, row) in enumerate(page.texts.lists[n]):
        axes.text(b.u - b.hu + 0.05, b.v - b.hv + 0.03 + NUMBER * (0.56 + k * LINE) / 72, t, size=NUMBER, va="center", zorder=3)
