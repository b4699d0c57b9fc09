"""A page of a path diagram on matplotlib: the headline, the drawing, tables and the legend."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bayesem.diagrams.legend import draw_legend, entries, legend_height
from bayesem.diagrams.marks import draw_label, draw_line, draw_list, draw_node
from bayesem.diagrams.tables import BETWEEN, Grid, draw_grid, grids, shelves
from bayesem.figures.sheet import sheet, stamp

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bayesem.diagrams.page import Page

__all__ = ["Look", "draw", "text_width"]

SPACE = 0.12  # inches between drawing, tables and legend


@dataclass(frozen=True, slots=True)
class Look:
    """What the headline says: the model's name, the scale and the intervals' mass."""

    name: str | None
    scale: str
    prob: float


def text_width(text: str, size: float) -> float:
    """Width of a text at a size in points, inches, in the figures' type."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(size=size)
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width) / 72


def draw(page: "Page", look: Look, fit: Any) -> "Figure":
    """Draw a page; ``fit`` is None for a model alone."""
    judged = fit is not None and fit.converged
    tables = shelves(grids(page, text_width), page.paper)
    notes = entries(page, judged=judged, fitted=fit is not None)
    under = sum(_height(row) + SPACE for row in tables) + legend_height(notes, page.paper, text_width)
    height = page.height + under + 2 * SPACE
    fits = [] if fit is None else [fit]
    figure = sheet(page.paper, height, [_headline(look, page)], fits)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, height / figure.get_figheight()), label="diagram")
    axes.set_axis_off()
    left = (page.paper - page.width) / 2
    axes.set_xlim(-left, page.paper - left)
    axes.set_ylim(height - SPACE / 2, -SPACE / 2)
    for route in page.layout.routes:
        draw_line(axes, route, page, judged=judged)
    for name, box in page.layout.boxes.items():
        draw_node(axes, name, box, page)
    for name, box in page.layout.lists.items():
        draw_list(axes, name, box, page, judged=judged)
    for label in page.labels:
        draw_label(axes, label, page)
    _below(axes, page, tables, notes, -left, judged=judged)
    stamp(figure, fits)
    return figure


def _below(
    axes: Any, page: "Page", tables: list[list[Grid]], notes: list[Any], left: float, *, judged: bool
) -> None:
    y = page.height + SPACE
    for shelf in tables:
        x = left + 0.08
        for table in shelf:
            draw_grid(axes, table, (x, y), judged=judged)
            x += table.width + BETWEEN
        y += _height(shelf) + SPACE
    draw_legend(axes, notes, (left + 0.08, y), page.paper, text_width)


def _height(shelf: list[Grid]) -> float:
    return max(table.height for table in shelf)


def _headline(look: Look, page: "Page") -> str:
    name = look.name or "Path diagram"
    if page.content.numbers is None:
        return f"{name}: the model's structure"
    scale = "standardised" if look.scale == "std.all" else "raw"
    between = "" if page.content.intervals == "none" else f" and {100 * look.prob:.3g}% intervals"
    return f"{name}: {scale} posterior means{between}"
