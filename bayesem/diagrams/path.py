"""The path diagram of a structural equation model."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from bayesem.diagrams.arcs import with_tables
from bayesem.diagrams.blocks import Direction, Sizes
from bayesem.diagrams.drawing import Look, draw, text_width
from bayesem.diagrams.elements import Diagram, diagram_of
from bayesem.diagrams.estimates import Estimate, estimates, explained
from bayesem.diagrams.flow import rank_of
from bayesem.diagrams.labels import Label, place_labels
from bayesem.diagrams.layout import Layout, lay_out
from bayesem.diagrams.texts import Texts, texts_of
from bayesem.errors import ModelError, did_you_mean
from bayesem.figures.sheet import NARROW, WIDE, style, target_of, written
from bayesem.model import Model, read_model
from bayesem.partable import ParameterTable, parameter_table
from bayesem.simulation import families_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Page", "page_of", "plot_path"]

type Scale = Literal["std.all", "raw"]
type Intervals = Literal["all", "paths", "none"]

MARGIN = 0.08  # inches on either side
LEAST_GAP = 0.42  # inches between layers beside the widest label
DOWN_GAP = 0.75


@dataclass(frozen=True, slots=True)
class Page:
    """A diagram with everything that stands on it and where."""

    diagram: Diagram
    table: ParameterTable
    numbers: Mapping[int, Estimate] | None
    texts: Texts
    sizes: Sizes
    layout: Layout
    labels: tuple[Label, ...]
    width: float


def plot_path(
    fit: Any, path: str | Path | None = None, *, scale: Scale = "std.all", prob: float = 0.95,
    indicators: bool = True, intervals: Intervals = "paths", residuals: bool = False,
    r2: bool = False, controls: Literal["lists", "arrows", "none"] = "lists",
    names: Mapping[str, str] | None = None, width: float | None = None,
) -> "Figure":  # fmt: skip
    target = target_of(path)
    with style():
        page = page_of(fit, scale=scale, prob=prob, indicators=indicators, intervals=intervals,
                       r2=r2, names=names, width=width)  # fmt: skip
        figure = draw(page, Look(scale, prob, residuals), [] if page.numbers is None else [fit])
        return written(figure, target)


def page_of(
    fit: Any, *, scale: Scale = "std.all", prob: float = 0.95, indicators: bool = True,
    intervals: Intervals = "paths", r2: bool = False, names: Mapping[str, str] | None = None,
    width: float | None = None,
) -> Page:  # fmt: skip
    model, table, fitted = _read(fit)
    diagram = diagram_of(model, table, indicators=indicators)
    diagram = with_tables(diagram, rank_of(diagram))
    rows = tuple(e.row for e in diagram.edges)
    numbers = estimates(fit, rows, standardized=scale == "std.all", prob=prob) if fitted else None
    shares = explained(fit) if r2 and fitted else {}
    said = dict(names or {})
    tries: list[tuple[float, Direction, bool]] = [
        (NARROW, "right", False), (WIDE, "right", False), (WIDE, "right", True),
        (WIDE, "down", True),
    ]  # fmt: skip
    tries = [t for t in tries if width is None or t[0] == width]
    for wide, direction, stacked in tries:
        texts = texts_of(diagram, table, numbers, said, shares, intervals=intervals, stacked=stacked)
        sizes = texts.sizes(diagram, text_width)
        layout = _fitted(diagram, sizes, direction, wide - 2 * MARGIN)
        if layout.width <= wide - 2 * MARGIN + 1e-6:
            break
    labels = place_labels(layout, sizes.labels)
    return Page(diagram, table, numbers, texts, sizes, layout, labels, max(wide, layout.width + 2 * MARGIN))


def _fitted(diagram: Diagram, sizes: Sizes, direction: Direction, room: float) -> Layout:
    structural = [e.row for e in diagram.of("path", "product", "moderation")]
    widest = max((sizes.labels[r][0] for r in structural if r in sizes.labels), default=0.2)
    gap = widest + LEAST_GAP if direction == "right" else DOWN_GAP
    layout = lay_out(diagram, sizes, direction, width=room, gap=gap)
    return layout


def _read(source: Any) -> tuple[Model, ParameterTable, bool]:
    if isinstance(source, str | Path):
        source = read_model(source)
    if isinstance(source, Model):
        return source, parameter_table(source, families=families_of(source, None)), False
    return source.model, source.table, True
