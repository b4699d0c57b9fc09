"""Covariances that are too many to draw, as a triangle of numbers under the diagram."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayesem.diagrams.estimates import Estimate, number
from bayesem.diagrams.flow import rank_of
from bayesem.diagrams.marks import bold
from bayesem.diagrams.texts import NUMBER, Measure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayesem.diagrams.page import Page

__all__ = ["Grid", "draw_grid", "grids"]

ROW = 0.135  # inches from line to line
TITLE = 0.17


@dataclass(frozen=True, slots=True)
class Grid:
    """A triangle of numbers.

    Attributes
    ----------
    title : str
    names : tuple of str
    cells : mapping of (int, int) to (str, int)
        Text and row of the parameter table, by positions, the larger first.
    numbers : mapping of int to Estimate
    first, column : float
        Widths of the names and of each further column, inches.
    """

    title: str
    names: tuple[str, ...]
    cells: Mapping[tuple[int, int], tuple[str, int]]
    numbers: Mapping[int, Estimate]
    first: float
    column: float

    @property
    def height(self) -> float:
        """Of the whole, inches."""
        return TITLE + ROW * (len(self.names) + 1.1)


def grids(page: "Page", measure: Measure) -> list[Grid]:
    """A grid for every layer whose covariances are not drawn; none for a model without a fit."""
    content = page.content
    if content.numbers is None:
        return []
    rank = rank_of(content.diagram)
    found = []
    for layer in sorted({rank[e.source] for e in content.diagram.of("tabled")}):
        mine = [e for e in content.diagram.of("tabled") if rank[e.source] == layer]
        used = {v for e in mine for v in (e.source, e.target)}
        names = tuple(n for n in content.diagram.nodes if n in used)
        at = {n: k for k, n in enumerate(names)}
        keys = {e.row: tuple(sorted((at[e.source], at[e.target]), reverse=True)) for e in mine}
        shown = tuple(content.names.get(n, n) for n in names)
        first = max(measure(f"{k + 1}  {n}", NUMBER) for k, n in enumerate(shown)) + 0.12
        room = (page.paper - 0.16 - first) / max(len(names) - 1, 1)
        cells, column = _cells(page, keys, room, measure)  # type: ignore[arg-type]
        explained = {e.target for e in content.diagram.of("path", "listed", "loading")} & used
        what = "Residual correlations" if explained else "Correlations"
        found.append(Grid(what, shown, cells, content.numbers, first, column))
    return found


def _cells(
    page: "Page", keys: Mapping[int, tuple[int, int]], room: float, measure: Measure
) -> tuple[dict[tuple[int, int], tuple[str, int]], float]:
    """Texts with intervals where they fit, and the width of a column."""
    numbers = page.content.numbers or {}
    short = {row: number(numbers[row].mean) for row in keys}
    full = {row: f"{short[row]} [{number(e.lower)}, {number(e.upper)}]"
            for row, e in numbers.items() if row in keys}  # fmt: skip
    for choice in [short] if page.content.intervals == "none" else [full, short]:
        width = max(measure(t, NUMBER) * 1.06 for t in choice.values()) + 0.1
        if width <= room:
            break
    return {keys[row]: (text, row) for row, text in choice.items()}, max(width, 0.3)


def draw_grid(axes: "Axes", grid: Grid, corner: tuple[float, float], *, judged: bool) -> None:
    """Draw a grid with its upper left corner at a place."""
    x, y = corner
    axes.text(x, y + 0.07, grid.title, size=NUMBER, va="center", style="italic")
    ends = [x + grid.first + grid.column * (k + 1) for k in range(len(grid.names) - 1)]
    top = y + TITLE + ROW / 2
    for k, end in enumerate(ends):
        axes.text(end - 0.05, top, str(k + 1), size=NUMBER, ha="right", va="center")
    axes.plot([x, ends[-1]], [top + ROW * 0.55] * 2, color="black", lw=0.5)
    for i, name in enumerate(grid.names):
        line = top + ROW * (i + 1.15)
        axes.text(x, line, f"{i + 1}  {name}", size=NUMBER, va="center", parse_math=False)
        for j in range(i):
            text, row = grid.cells.get((i, j), ("\N{EN DASH}", -1))
            weight = "bold" if bold(grid.numbers.get(row), judged=judged) else "normal"
            gid = f"tabled {row}" if row >= 0 else None
            axes.text(ends[j] - 0.05, line, text, size=NUMBER, ha="right", va="center",
                      weight=weight, parse_math=False, gid=gid)  # fmt: skip
