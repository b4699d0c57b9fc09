"""A diagram with everything that stands on it: which form fits the page, and where labels go."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from bayesem.diagrams.arcs import with_tables
from bayesem.diagrams.blocks import Box, Direction, Sizes
from bayesem.diagrams.elements import Diagram, diagram_of
from bayesem.diagrams.estimates import Estimate, estimates, explained
from bayesem.diagrams.flow import rank_of
from bayesem.diagrams.labels import Label, place_labels
from bayesem.diagrams.layout import Layout, lay_out
from bayesem.diagrams.texts import Intervals, Measure, Texts, texts_of
from bayesem.errors import DataError
from bayesem.model import Model
from bayesem.partable import ParameterTable

__all__ = ["MARGIN", "NARROW", "WIDE", "Content", "Page", "content_of", "page_of", "reduced"]

NARROW, WIDE = 3.5, 7.0
MARGIN = 0.06  # inches on either side
#: Between layers, inches: beside the widest label, and where the paths lead downwards.
LEAST_GAP, DOWN_GAP = 0.3, 0.72
#: More paths of controls than this stand in a table, not beside their targets.
MOST_LISTED = 8
#: Type is reduced to this share of its size at the least.
SMALLEST = 0.75
TALLEST = 9.7  # inches, with tables and legend

type Controls = Literal["auto", "lists", "table", "arrows", "none"]
type Listing = Literal["lists", "table"]
#: Paper, direction, whether labels have lines of their own, and whether all stands close.
type Try = tuple[float, Direction, bool, bool]


@dataclass(frozen=True, slots=True)
class Content:
    """What is to be shown.

    Attributes
    ----------
    diagram : Diagram
    table : ParameterTable
    numbers : mapping of int to Estimate, or None
        By row of the table; None without a fit.
    names, shares : mapping
        Names and explained variances to write into nodes.
    intervals : {"all", "paths", "none"}
    standardized : bool
        Whether covariances are correlations.
    listing : {"lists", "table"}
        Where the paths of predictors that lead nearly everywhere stand.
    """

    diagram: Diagram
    table: ParameterTable
    numbers: Mapping[int, Estimate] | None
    names: Mapping[str, str]
    shares: Mapping[str, float]
    intervals: Intervals
    standardized: bool
    listing: Listing


@dataclass(frozen=True, slots=True)
class Page:
    """A content with texts and places, inches from the upper left corner of the drawing.

    Attributes
    ----------
    width, height : float
        Of the drawing, labels included.
    paper : float
        Width of the page before it is reduced.
    scale : float
        By which everything is reduced to fit, as a photocopier does.
    """

    content: Content
    texts: Texts
    layout: Layout
    labels: tuple[Label, ...]
    width: float
    height: float
    paper: float
    scale: float = 1.0


def content_of(
    model: Model, table: ParameterTable, fit: Any, *, standardized: bool, prob: float,
    indicators: bool, intervals: Intervals, residuals: bool, r2: bool, controls: Controls,
    names: Mapping[str, str],
) -> Content:  # fmt: skip
    """Choose what is shown; ``fit`` is None for a model alone."""
    diagram = diagram_of(
        model, table, indicators=indicators, lists=controls != "arrows", residuals=residuals
    )
    if controls == "none":
        kept = tuple(e for e in diagram.edges if e.kind != "listed")
        diagram = replace(
            diagram, edges=kept, hidden=diagram.hidden + len(diagram.edges) - len(kept)
        )
    diagram = with_tables(diagram, rank_of(diagram))
    rows = tuple(e.row for e in diagram.edges)
    numbers = None
    if fit is not None:
        numbers = estimates(fit, rows, standardized=standardized, prob=prob)
    shares = explained(fit) if r2 and fit is not None else {}
    many = len(list(diagram.of("listed"))) > MOST_LISTED
    listing: Listing = "table" if controls == "table" or (controls == "auto" and many) else "lists"
    return Content(diagram, table, numbers, names, shares, intervals, standardized, listing)


def page_of(
    content: Content, measure: Measure, width: float | None, *, larger: float = 1.0
) -> Page:
    """The first form that fits: rightwards on a narrow or wide page, or else downwards.

    Parameters
    ----------
    content : Content
    measure : callable
        Width of a text at a size in points, inches.
    width : float or None
        Of the page, 3.5 or 7 inches; None for whichever suits. What fits neither is reduced to
        7 inches, but not to less than three quarters; what does not fit then has a wider page.

    larger : float
        A page so much larger, reduced to 7 inches again, for a model that would be too high.

    Raises
    ------
    DataError
        If nothing fits the width that was asked for.
    """
    forms: list[Try] = [
        (NARROW, "right", False, False), (NARROW, "right", True, False),
        (NARROW, "down", True, False),
        (WIDE, "right", False, False), (WIDE, "right", True, False), (WIDE, "down", True, False),
    ]  # fmt: skip
    if width is None:
        forms = [forms[0], forms[3], forms[4], forms[2], forms[5]]
    best: Page | None = None
    forms = [f for f in forms if width in (None, f[0])]
    forms.append((*forms[-1][:3], True))
    for paper, direction, stacked, close in forms:
        if larger > 1 and paper == NARROW:
            continue
        page = _formed(content, measure, (paper * larger, direction, stacked, close))
        if page.width <= page.paper - 2 * MARGIN + 1e-6:
            return replace(page, scale=1 / larger)
        if paper != NARROW or width is not None:
            best = page if best is None or page.width < best.width else best
    if best is None or (width is not None and larger == 1):
        raise DataError(
            f"the diagram does not fit on a page {width:g} inches wide.",
            hint="Leave `width` out, or use `indicators=False` or `intervals='none'`.",
        )
    paper = best.width + 2 * MARGIN
    return replace(best, paper=paper, scale=max(WIDE / paper, SMALLEST))


def reduced(page: Page, content: Content, measure: Measure, height: float) -> Page:
    """The page, or a larger one to be reduced where ``height`` inches are more than paper has."""
    if page.paper * page.scale < WIDE - 1e-6 or height * page.scale <= TALLEST:
        return page
    larger = min(height / TALLEST, 1 / SMALLEST)
    return page_of(content, measure, WIDE, larger=larger) if larger * page.scale > 1 else page


def _formed(content: Content, measure: Measure, form: Try) -> Page:
    """Lay out, label, and lay out again with less room if labels go beyond the page."""
    paper, direction, stacked, close = form
    texts = texts_of(content.diagram, content.table, content.numbers, content.names,
                     content.shares, intervals=content.intervals, stacked=stacked,
                     lists=content.listing == "lists")  # fmt: skip
    sizes = texts.sizes(content.diagram, measure, close=close)
    room = paper - 2 * MARGIN
    page = _placed(content, texts, sizes, direction, room, paper)
    for _ in range(2):
        beyond = page.width - (paper - 2 * MARGIN)
        if beyond <= 1e-6 or page.layout.width > room + 1e-6:
            break
        room -= beyond + 0.01
        page = _placed(content, texts, sizes, direction, room, paper)
    return page


def _placed(
    content: Content, texts: Texts, sizes: Sizes, direction: Direction, room: float, paper: float
) -> Page:
    diagram = content.diagram
    structural = [e.row for e in diagram.of("path", "product", "moderation")]
    widest = max((sizes.labels[r][0] for r in structural if r in sizes.labels), default=0.2)
    gap = widest + LEAST_GAP if direction == "right" else DOWN_GAP
    layout = lay_out(diagram, sizes, direction, width=room, gap=gap)
    labels = place_labels(layout, sizes.labels)
    return _bounded(Page(content, texts, layout, labels, layout.width, layout.height, paper))


def _bounded(page: Page) -> Page:
    """Move everything so that labels outside the layout are on the page, too."""
    x = min([0.0, *(k.x - k.w / 2 for k in page.labels)])
    y = min([0.0, *(k.y - k.h / 2 for k in page.labels)])
    right = max([page.layout.width, *(k.x + k.w / 2 for k in page.labels)])
    bottom = max([page.layout.height, *(k.y + k.h / 2 for k in page.labels)])

    def moved(b: Box) -> Box:
        return replace(b, u=b.u - x, v=b.v - y)

    layout = replace(
        page.layout,
        boxes={n: moved(b) for n, b in page.layout.boxes.items()},
        lists={n: moved(b) for n, b in page.layout.lists.items()},
        routes=tuple(replace(r, points=tuple((p - x, q - y) for p, q in r.points))
                     for r in page.layout.routes),
    )  # fmt: skip
    labels = tuple(replace(k, x=k.x - x, y=k.y - y) for k in page.labels)
    return replace(page, layout=layout, labels=labels, width=right - x, height=bottom - y)
