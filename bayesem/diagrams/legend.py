"""What the lines of a path diagram mean, in words under it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from bayesem.diagrams.elements import Edge
from bayesem.diagrams.flow import rank_of
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
        plain = numbers is None or not page.content.standardized
        what = "covariance" if plain else "correlation"
        found.append(Entry("covariance", f"{what} (of residuals where explained)"))
    if numbers is None:
        found += [Entry("none", text) for text in _unseen(page)]
    if diagram.zeros:
        found.append(Entry("none", f"{_parameters(diagram.zeros)} fixed at 0 not drawn."))
    if diagram.hidden:
        found.append(
            Entry("none", f"{_parameters(diagram.hidden)} of indicators or controls not drawn.")
        )
    return found


def _parameters(count: int) -> str:
    return f"{count} parameter{'s' * (count > 1)}"


def _unseen(page: "Page") -> list[str]:
    """In words, what stands in tables where there are numbers."""
    content, found = page.content, list[str]()
    rank = rank_of(content.diagram)
    tabled = list(content.diagram.of("tabled"))
    for layer in sorted({rank[e.source] for e in tabled}):
        mine = [e for e in tabled if rank[e.source] == layer]
        names = list(dict.fromkeys(v for e in mine for v in (e.source, e.target)))
        if len(mine) == len(names) * (len(names) - 1) / 2:
            said = f"every two of {_called(names, page)} covary"
        else:
            said = _said(_grouped(mine, page), "covaries with", "covary with")
        found.append(f"Not drawn: {said}.")
    if content.listing == "table":
        said = _said(_grouped(list(content.diagram.of("listed")), page), "leads to", "lead to")
        found += [f"Not drawn: {said}."] if said else []
    return found


def _said(pairs: Sequence[tuple[str, str]], one: str, several: str) -> str:
    return "; ".join(f"{a} {several if ' and ' in a else one} {b}" for a, b in pairs)


def _called(names: Sequence[str], page: "Page") -> str:
    return ", ".join(page.content.names.get(n, n) for n in names)


def _grouped(edges: Sequence[Edge], page: "Page") -> list[tuple[str, str]]:
    """Sources with the same targets together."""
    near: dict[str, list[str]] = {}
    for e in edges:
        near.setdefault(e.source, []).append(e.target)
    same: dict[str, list[str]] = {}
    for name, others in near.items():
        same.setdefault(_called(others, page), []).append(_called([name], page))
    return [(" and ".join(v), k) for k, v in same.items()]


def _judged(page: "Page") -> list[Entry]:
    diagram, numbers = page.content.diagram, page.content.numbers or {}
    least = f"{LEAST:.2f}".removeprefix("0")
    found = [
        Entry("solid", f"Pr(sign) ≥ {least}"),
        Entry("dashed", f"Pr(sign) < {least}"),
        Entry("width", "standardised size"),
    ]
    drawn = [
        numbers[e.row].mean for e in diagram.edges if e.kind not in ("listed", "tabled", "loading")
    ]
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
