"""What the lines of a path diagram mean, in words under it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from bayesem.diagrams.marks import DASHES, INK, LEAST, line_width
from bayesem.diagrams.texts import NUMBER, Measure
from bayesem.figures.sheet import BLUE, GREY, ORANGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayesem.diagrams.page import Page

__all__ = ["Entry", "draw_legend", "entries", "legend_height"]

type Sample = Literal["solid", "dashed", "width", "negative", "moderation", "covariance", "none"]

SAMPLE, GAP, ROW = 0.3, 0.16, 0.15  # inches


@dataclass(frozen=True, slots=True)
class Entry:
    """A sample of a line and its meaning."""

    sample: Sample
    text: str


def entries(page: "Page", *, judged: bool, fitted: bool) -> list[Entry]:
    """What the legend of a page says: only what occurs there."""
    diagram, numbers = page.content.diagram, page.content.numbers
    kinds = {e.kind for e in diagram.edges}
    found = list[Entry]()
    if judged and numbers:
        found += _judged(page)
    if "moderation" in kinds:
        found.append(Entry("moderation", "moderates that path"))
    if "covariance" in kinds:
        found.append(Entry("covariance", "covariance" if numbers is None else "correlation"))
    if numbers is None and "tabled" in kinds:
        found += [Entry("none", text) for text in _pairs(page)]
    notes = [(diagram.zeros, "fixed at 0"), (diagram.hidden, "of what is left out")]
    found += [Entry("none", f"Not drawn: {n} parameter{'s' * (n > 1)} {why}.") for n, why in notes if n]
    return found


def _pairs(page: "Page") -> list[str]:
    """Which nodes covary, of those whose curves are not drawn."""
    content = page.content
    near: dict[str, list[str]] = {}
    for e in content.diagram.of("tabled"):
        near.setdefault(e.source, []).append(e.target)
    every = {frozenset((e.source, e.target)) for e in content.diagram.of("tabled")}
    called = content.names
    found = []
    for a, others in near.items():
        shown = ", ".join(called.get(n, n) for n in others)
        found.append(f"{called.get(a, a)} with {shown}")
    return [f"{len(every)} covariances not drawn: {'; '.join(found)}."]


def _judged(page: "Page") -> list[Entry]:
    diagram, numbers = page.content.diagram, page.content.numbers or {}
    least = f"{LEAST:.2f}".removeprefix("0")
    found = [
        Entry("solid", f"Pr(sign) ≥ {least}"),
        Entry("dashed", f"Pr(sign) < {least}"),
        Entry("width", "small to large (standardised)"),
    ]
    drawn = [numbers[e.row].mean for e in diagram.edges if e.kind not in ("listed", "tabled", "loading")]
    if any(m < 0 for m in drawn):
        found.append(Entry("negative", "negative"))
    if any(e.kind in ("listed", "tabled") for e in diagram.edges):
        found.append(Entry("none", f"Bold in lists and tables: Pr(sign) ≥ {least}."))
    return found


def _lines(notes: list[Entry], paper: float, measure: Measure) -> list[list[tuple[Entry, float]]]:
    """Entries with their places, line by line."""
    lines: list[list[tuple[Entry, float]]] = [[]] if notes else []
    x = 0.0
    for entry in notes:
        width = measure(entry.text, NUMBER) + (SAMPLE + 0.06 if entry.sample != "none" else 0.0)
        if lines[-1] and x + width > paper - 0.16:
            lines.append([])
            x = 0.0
        lines[-1].append((entry, x))
        x += width + GAP
    return lines


def legend_height(notes: list[Entry], paper: float, measure: Measure) -> float:
    """Inches."""
    return ROW * len(_lines(notes, paper, measure))


def draw_legend(
    axes: "Axes", notes: list[Entry], corner: tuple[float, float], paper: float, measure: Measure
) -> None:
    """Draw the legend with its upper left corner at a place."""
    for k, line in enumerate(_lines(notes, paper, measure)):
        y = corner[1] + ROW * (k + 0.5)
        for entry, x in line:
            start = corner[0] + x
            if entry.sample != "none":
                _sample(axes, entry.sample, start, y)
                start += SAMPLE + 0.06
            axes.text(start, y, entry.text, size=NUMBER, va="center", color=INK, gid="legend")


def _sample(axes: "Axes", sample: Sample, x: float, y: float) -> None:
    from matplotlib.patches import FancyArrowPatch, Polygon

    style: Any = {"lw": line_width(0.4), "color": BLUE}
    if sample == "width":
        axes.add_patch(Polygon([(x, y), (x + SAMPLE, y - 0.018), (x + SAMPLE, y + 0.018)],
                               fc=BLUE, ec="none"))  # fmt: skip
    elif sample == "covariance":
        axes.add_patch(FancyArrowPatch((x, y + 0.03), (x + SAMPLE, y + 0.03), arrowstyle="<|-|>",
                       connectionstyle="arc3,rad=0.35", mutation_scale=6, lw=0.9, color=GREY,
                       shrinkA=0, shrinkB=0))  # fmt: skip
    elif sample == "moderation":
        axes.plot([x, x + SAMPLE - 0.05], [y, y], color=INK, lw=0.9)
        axes.plot(x + SAMPLE - 0.05, y, "o", color=INK, ms=4.2)
    else:
        style |= {"ls": DASHES} if sample == "dashed" else {}
        style |= {"color": ORANGE} if sample == "negative" else {}
        axes.plot([x, x + SAMPLE], [y, y], solid_capstyle="butt", **style)
