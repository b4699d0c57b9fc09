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
    if numbers is None:
        found += [Entry("none", text) for text in _unseen(page)]
    if diagram.zeros:
        found.append(Entry("none", f"{_parameters(diagram.zeros)} fixed at 0 not drawn."))
    if diagram.hidden:
        found.append(Entry("none", f"{_parameters(diagram.hidden)} of indicators or controls not drawn."))
    return found


def _parameters(count: int) -> str:
    return f"{count} parameter{'s' * (count > 1)}"


def _unseen(page: "Page") -> list[str]:
    """In words, what stands in tables where there are numbers."""
    content = page.content
    kinds = [("tabled", "covaries with")]
    kinds += [("listed", "leads to")] if content.listing == "table" else []
    found = []
    for kind, verb in kinds:
        near: dict[str, list[str]] = {}
        for e in content.diagram.edges:
            if e.kind == kind:
                near.setdefault(e.source, []).append(content.names.get(e.target, e.target))
        same: dict[str, list[str]] = {}
        for name, others in near.items():
            same.setdefault(", ".join(others), []).append(content.names.get(name, name))
        said = "; ".join(f"{' and '.join(v)} {verb if len(v) == 1 else verb.replace('s ', ' ')} {k}"
                         for k, v in same.items())  # fmt: skip
        found += [f"Not drawn: {said}."] if said else []
    return found


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
    """Entries with their places, line by line; long texts are broken."""
    lines: list[list[tuple[Entry, float]]] = [[]] if notes else []
    x, room = 0.0, paper - 0.16
    for entry in (part for whole in notes for part in _broken(whole, room, measure)):
        width = measure(entry.text, NUMBER) + (SAMPLE + 0.06 if entry.sample != "none" else 0.0)
        if lines[-1] and x + width > room:
            lines.append([])
            x = 0.0
        lines[-1].append((entry, x))
        x += width + GAP
    return lines


def _broken(entry: Entry, room: float, measure: Measure) -> list[Entry]:
    """A note of several lines, one entry each."""
    if entry.sample != "none" or measure(entry.text, NUMBER) <= room:
        return [entry]
    lines = [""]
    for word in entry.text.split(" "):
        more = f"{lines[-1]} {word}".strip()
        if measure(more, NUMBER) <= room:
            lines[-1] = more
        else:
            lines.append(word)
    return [Entry("none", line) for line in lines]


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
        axes.add_patch(FancyArrowPatch((x, y + 0.035), (x + SAMPLE, y + 0.035), arrowstyle="<|-|>",
                       connectionstyle="arc3,rad=-0.35", mutation_scale=6, lw=0.9, color=GREY,
                       shrinkA=0, shrinkB=0))  # fmt: skip
    elif sample == "moderation":
        axes.plot([x, x + SAMPLE - 0.05], [y, y], color=INK, lw=0.9)
        axes.plot(x + SAMPLE - 0.05, y, "o", color=INK, ms=4.2)
    else:
        style |= {"ls": DASHES} if sample == "dashed" else {}
        style |= {"color": ORANGE} if sample == "negative" else {}
        axes.plot([x, x + SAMPLE], [y, y], solid_capstyle="butt", **style)
