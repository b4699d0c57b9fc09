"""A page of a path diagram on matplotlib: the headline, the drawing, tables and the legend."""

from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from bayesem.diagrams.legend import draw_legend, entries, legend_height
from bayesem.diagrams.marks import draw_label, draw_line, draw_list, draw_node
from bayesem.diagrams.tables import BETWEEN, Grid, draw_grid, grids, shelves
from bayesem.figures.sheet import BOLD, sheet, stamp

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bayesem.diagrams.page import Page

__all__ = ["Look", "draw", "page_height", "text_width"]

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


def page_height(page: "Page", fit: Any) -> float:
    """Height of drawing, tables and legend before any reduction, inches."""
    judged = fit is not None and fit.converged
    notes = entries(page, judged=judged, fitted=fit is not None)
    tables = shelves(grids(page, text_width), page.paper)
    under = sum(_height(row) + SPACE for row in tables)
    return page.height + under + legend_height(notes, page.paper, text_width) + 2 * SPACE


def draw(page: "Page", look: Look, fit: Any) -> "Figure":
    """Draw a page; ``fit`` is None for a model alone."""
    judged = fit is not None and fit.converged
    tables = shelves(grids(page, text_width), page.paper)
    notes = entries(page, judged=judged, fitted=fit is not None)
    height = page_height(page, fit)
    fits = [] if fit is None else [fit]
    figure = sheet(page.paper * page.scale, height * page.scale, _headline(look, page), fits)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, height * page.scale / figure.get_figheight()), label="diagram")
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
    if page.scale != 1.0:
        for text in axes.texts:
            text.set_fontsize(float(text.get_fontsize()) * page.scale)
    stamp(figure, fits)
    return figure


def _below(
    axes: Any,
    page: "Page",
    tables: list[list[Grid]],
    notes: list[Any],
    left: float,
    *,
    judged: bool,
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


def _headline(look: Look, page: "Page") -> list[str]:
    """The model's name, and what the numbers are."""
    numbers = page.content.numbers is not None
    between = "" if page.content.intervals == "none" else f", {100 * look.prob:.3g}% intervals"
    what = f"Posterior means ({look.scale}){between}" if numbers else "Structure of the model"
    whole = [look.name, what] if look.name else [what]
    return [line for text in whole for line in wrap(text, int(page.paper * page.scale / BOLD) - 1)]
