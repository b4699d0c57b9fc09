"""Numbers in tables under a diagram, where lines for them would be a thicket."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayesem.diagrams.elements import Edge
from bayesem.diagrams.estimates import Estimate, number
from bayesem.diagrams.flow import rank_of
from bayesem.diagrams.marks import bold
from bayesem.diagrams.texts import NUMBER, Measure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayesem.diagrams.page import Page

__all__ = ["Grid", "draw_grid", "grids", "shelves"]

ROW = 0.13  # inches from line to line
TITLE = 0.15
BETWEEN = 0.25


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of numbers.

    Attributes
    ----------
    title : str
    rows, heads : tuple of str
        Names of rows and columns.
    cells : mapping of (int, int) to (str, int)
        Text and row of the parameter table, by row and column.
    numbers : mapping of int to Estimate
    first, column : float
        Widths of the names and of each further column, inches.
    """

    title: str
    rows: tuple[str, ...]
    heads: tuple[str, ...]
    cells: Mapping[tuple[int, int], tuple[str, int]]
    numbers: Mapping[int, Estimate]
    first: float
    column: float

    @property
    def height(self) -> float:
        """Of the whole, inches."""
        return TITLE + ROW * (len(self.rows) + 1.2)

    @property
    def width(self) -> float:
        """Of the whole, inches."""
        return self.first + self.column * len(self.heads)


def grids(page: "Page", measure: Measure) -> list[Grid]:
    """Every table of a page; none for a model without a fit, which has no numbers."""
    content = page.content
    if content.numbers is None:
        return []
    rank = rank_of(content.diagram)
    layers = sorted({rank[e.source] for e in content.diagram.of("tabled")})
    found = [_triangle(page, layer, rank, measure) for layer in layers]
    if content.listing == "table" and any(content.diagram.of("listed")):
        found.append(_controls(page, measure))
    return found


def _triangle(page: "Page", layer: int, rank: Mapping[str, int], measure: Measure) -> Grid:
    """Correlations among the nodes of a layer."""
    diagram, names = page.content.diagram, page.content.names
    mine = [e for e in diagram.of("tabled") if rank[e.source] == layer]
    used = {v for e in mine for v in (e.source, e.target)}
    order = [n for n in diagram.nodes if n in used]
    at = {n: k for k, n in enumerate(order)}
    places = {}
    for e in mine:
        i, j = sorted((at[e.source], at[e.target]), reverse=True)
        places[e.row] = (i, j)
    explained = {e.target for e in diagram.of("path", "listed", "loading")} & used
    what = "correlations" if page.content.standardized else "covariances"
    title = f"Residual {what}" if explained else what.capitalize()
    rows = tuple(f"{k + 1}  {names.get(n, n)}" for k, n in enumerate(order))
    last = max(j for _, j in places.values())
    return _grid(page, title, rows, [str(k + 1) for k in range(last + 1)], places, measure)


def _controls(page: "Page", measure: Measure) -> Grid:
    """Paths of predictors that lead nearly everywhere."""
    content = page.content
    edges: list[Edge] = list(content.diagram.of("listed"))
    heads = list(dict.fromkeys(e.source for e in edges))
    targets = {e.target for e in edges}
    order = [n for n in content.diagram.nodes if n in targets]
    places = {e.row: (order.index(e.target), heads.index(e.source)) for e in edges}
    called = content.names
    rows = tuple(called.get(n, n) for n in order)
    shown = [called.get(n, n) for n in heads]
    return _grid(page, "Paths from controls", rows, shown, places, measure)


def _grid(
    page: "Page", title: str, rows: tuple[str, ...], heads: Sequence[str],
    places: Mapping[int, tuple[int, int]], measure: Measure,
) -> Grid:  # fmt: skip
    """With intervals where they fit."""
    numbers = page.content.numbers or {}
    first = max(measure(n, NUMBER) for n in rows) + 0.1
    room = (page.paper - 0.16 - first) / max(len(heads), 1)
    short = {row: number(numbers[row].mean) for row in places}
    full = {row: f"{text} [{number(numbers[row].lower)}, {number(numbers[row].upper)}]"
            for row, text in short.items()}  # fmt: skip
    for texts in [short] if page.content.intervals == "none" else [full, short]:
        wide = [measure(t, NUMBER) * 1.07 for t in texts.values()]
        column = max([0.2, *wide, *(measure(h, NUMBER) for h in heads)]) + 0.1
        if column <= room:
            break
    cells = {place: (texts[row], row) for row, place in places.items()}
    return Grid(title, rows, tuple(heads), cells, numbers, first, column)


def shelves(tables: Sequence[Grid], paper: float) -> list[list[Grid]]:
    """Tables side by side where they fit."""
    found: list[list[Grid]] = []
    for table in tables:
        used = sum(t.width + BETWEEN for t in found[-1]) if found else paper
        if used + table.width <= paper - 0.16:
            found[-1].append(table)
        else:
            found.append([table])
    return found


def draw_grid(axes: "Axes", grid: Grid, corner: tuple[float, float], *, judged: bool) -> None:
    """Draw a table with its upper left corner at a place."""
    x, y = corner
    axes.text(x, y + 0.06, grid.title, size=NUMBER, va="center", style="italic")
    ends = [x + grid.first + grid.column * (k + 1) for k in range(len(grid.heads))]
    top = y + TITLE + ROW / 2
    for head, end in zip(grid.heads, ends, strict=True):
        axes.text(end - 0.05, top, head, size=NUMBER, ha="right", va="center", parse_math=False)
    axes.plot([x, ends[-1]], [top + ROW * 0.55] * 2, color="black", lw=0.5)
    for i, name in enumerate(grid.rows):
        line = top + ROW * (i + 1.15)
        axes.text(x, line, name, size=NUMBER, va="center", parse_math=False)
        for j, end in enumerate(ends):
            if (i, j) in grid.cells:
                text, row = grid.cells[i, j]
                weight = "bold" if bold(grid.numbers.get(row), judged=judged) else "normal"
                axes.text(end - 0.05, line, text, size=NUMBER, ha="right", va="center",
                          weight=weight, parse_math=False, gid=f"tabled {row}")  # fmt: skip
