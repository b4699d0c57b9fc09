"""The parts of a path diagram on matplotlib: lines, nodes, lists and labels."""

import math
from typing import TYPE_CHECKING, Any

from bayesem.diagrams.blocks import Box
from bayesem.diagrams.estimates import Estimate
from bayesem.diagrams.labels import Label
from bayesem.diagrams.layout import Route
from bayesem.diagrams.texts import LINE, NAME, NUMBER, SMALL
from bayesem.figures.sheet import BLUE, GREY, ORANGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayesem.diagrams.page import Page

__all__ = ["DASHES", "INK", "LEAST", "bold", "draw_label", "draw_line", "draw_list", "draw_node",
           "line_width"]  # fmt: skip

INK = "#222222"
FACTOR = "#F3F3F3"
#: A sign is taken as known from this probability on.
LEAST = 0.95
DASHES = (0, (3.5, 2))
PLAIN = 0.9
HEADS = {"covariance": "<|-|>", "tie": "-"}


def line_width(size: float) -> float:
    """Points, for an absolute standardised estimate.

    Examples
    --------
    >>> line_width(0), line_width(0.5), line_width(3)
    (0.6, 1.6, 2.6)
    """
    return 0.6 + 2.0 * min(size, 1.0)


def bold(estimate: Estimate | None, *, judged: bool) -> bool:
    """Whether a number in a list or table is set in bold."""
    return bool(judged and estimate and not estimate.fixed and estimate.probability >= LEAST)


def _look(route: Route, page: "Page", *, judged: bool) -> tuple[str, float, Any]:
    """Colour, width and dashes of a line."""
    numbers = page.content.numbers
    if not judged or numbers is None or route.row < 0:
        return (GREY if route.kind in ("loading", "residual", "tie") else INK), PLAIN, "-"
    e = numbers[route.row]
    dashes = "-" if e.fixed or e.probability >= LEAST else DASHES
    if route.kind == "residual":
        return GREY, PLAIN, "-"
    grey = route.kind == "loading"
    width = line_width(e.size) * (0.55 if grey else 1.0)
    return (GREY if grey else BLUE if e.mean >= 0 else ORANGE), width, dashes


def draw_line(axes: "Axes", route: Route, page: "Page", *, judged: bool) -> None:
    """The line of a parameter; a moderation ends in a dot on the path it acts on."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    colour, width, dashes = _look(route, page, judged=judged)
    shaft = FancyArrowPatch(
        path=Path(route.points), arrowstyle="-", lw=width, ls=dashes, color=colour,
        shrinkA=0, shrinkB=0, zorder=1, capstyle="butt", gid=f"{route.kind} {route.row}",
    )  # fmt: skip
    axes.add_patch(shaft)
    for style, points in _heads(route):
        head = FancyArrowPatch(
            path=Path(points), arrowstyle=style, mutation_scale=6.0 + 1.2 * width, lw=0.4,
            color=colour, shrinkA=0, shrinkB=0, zorder=1.5,
        )  # fmt: skip
        axes.add_patch(head)
    if route.kind == "moderation":
        axes.plot(*route.points[-1], "o", color=colour, ms=4.2, zorder=1.6, gid=f"dot {route.row}")


def _heads(route: Route) -> list[tuple[str, Any]]:
    """Undashed heads, each at the end of a short piece of the line."""
    if route.kind == "tie":
        return []
    end = list(route.points[-2:])
    if route.kind == "moderation":
        far = max(math.dist(*end), 1e-9)
        end[1] = tuple(b + (a - b) * min(0.03 / far, 0.5) for a, b in zip(*end, strict=True))
    start = route.points[1::-1]
    return [("-|>", end), *([("-|>", start)] if route.kind == "covariance" else [])]


def draw_node(axes: "Axes", name: str, box: Box, page: "Page") -> None:
    """An ellipse, box or disc with its name."""
    from matplotlib.patches import Ellipse, Rectangle

    shape = page.content.diagram.nodes[name].shape
    size = NAME if shape == "factor" else SMALL
    patch: Any
    if shape == "observed":
        corner = (box.u - box.hu, box.v - box.hv)
        patch = Rectangle(corner, 2 * box.hu, 2 * box.hv, fc="white", ec=INK, lw=0.7, zorder=2)
    else:
        fill = FACTOR if shape == "factor" else "white"
        patch = Ellipse((box.u, box.v), 2 * box.hu, 2 * box.hv, fc=fill, ec=INK, lw=0.9, zorder=2)
    patch.set_gid(f"node {name}")
    axes.add_patch(patch)
    axes.text(
        box.u, box.v, "\n".join(page.texts.names[name]), size=size, ha="center", va="center",
        rotation=90 if box.turned else 0, linespacing=1.1, parse_math=False, zorder=3,
        gid=f"name {name}", color=INK,
    )  # fmt: skip


def draw_list(axes: "Axes", name: str, box: Box, page: "Page", *, judged: bool) -> None:
    """The box of predictors beside a node, and one arrow for all of them."""
    from matplotlib.patches import FancyArrowPatch, Rectangle

    from bayesem.diagrams.curves import toward

    corner = (box.u - box.hu, box.v - box.hv)
    axes.add_patch(Rectangle(corner, 2 * box.hu, 2 * box.hv, fc="white", ec=GREY, lw=0.6,
                             zorder=2, gid=f"list {name}"))  # fmt: skip
    numbers = page.content.numbers or {}
    for k, (text, row) in enumerate(page.texts.lists[name]):
        y = corner[1] + 0.03 + NUMBER * (0.56 + k * LINE) / 72
        weight = "bold" if bold(numbers.get(row), judged=judged) else "normal"
        axes.text(corner[0] + 0.05, y, text, size=NUMBER, va="center_baseline", weight=weight,
                  zorder=3, parse_math=False, gid=f"listed {row}")  # fmt: skip
    node = page.layout.boxes[name]
    x = min(max(node.u, box.u - box.hu + 0.04), box.u + box.hu - 0.04)
    y = min(max(node.v, box.v - box.hv), box.v + box.hv)
    ellipse = page.content.diagram.nodes[name].shape != "observed"
    end = toward(node, (x, y), ellipse=ellipse)
    axes.add_patch(FancyArrowPatch((x, y), end, arrowstyle="-|>", mutation_scale=7, lw=0.6,
                                   color=GREY, shrinkA=0, shrinkB=0, zorder=1.5))  # fmt: skip


def draw_label(axes: "Axes", label: Label, page: "Page") -> None:
    """The number of a line, on a white ground."""
    axes.text(
        label.x, label.y, "\n".join(page.texts.labels[label.row]), size=NUMBER, ha="center",
        va="center", linespacing=1.0, parse_math=False, zorder=3, gid=f"label {label.row}",
        bbox={"boxstyle": "square,pad=0.12", "fc": "white", "ec": "none"}, color=INK,
    )  # fmt: skip
