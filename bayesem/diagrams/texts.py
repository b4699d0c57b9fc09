"""Every text of a diagram with its size: what the layout has to find room for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from textwrap import wrap
from typing import Literal

from bayesem.diagrams.blocks import Sizes
from bayesem.diagrams.elements import Diagram
from bayesem.diagrams.estimates import Estimate, number
from bayesem.partable import ParameterTable

__all__ = ["NAME", "NUMBER", "SMALL", "Texts", "name_lines", "texts_of"]

#: Points: names of factors, of observed variables, numbers.
NAME, SMALL, NUMBER = 8.5, 7.5, 7.0
LINE = 1.25  # of the type's size, from one line to the next
WIDEST = 0.9  # inches: longer names do not widen the others
OUTSIDE = 0.45  # inches of a residual beyond an indicator, with its number
LONGEST = 14  # characters of a line of a name

type Intervals = Literal["all", "paths", "none"]
type Measure = Callable[[str, float], float]


@dataclass(frozen=True, slots=True)
class Texts:
    """What is written where.

    Attributes
    ----------
    names : mapping of str to tuple of str
        Lines of each node.
    labels : mapping of int to tuple of str
        Lines by row of the parameter table.
    lists : mapping of str to tuple of (str, int)
        Lines by target, each with its row.
    """

    names: Mapping[str, tuple[str, ...]]
    labels: Mapping[int, tuple[str, ...]]
    lists: Mapping[str, tuple[tuple[str, int], ...]]

    def sizes(self, diagram: Diagram, measure: Measure, *, close: bool = False) -> Sizes:
        """Room for everything, inches; ``measure`` is of a text at a size in points.

        Where all is to stand ``close``, factors are no wider than their names.
        """
        nodes = {n: _node(lines, diagram, n, measure) for n, lines in self.names.items()}
        nodes = nodes if close else _alike(nodes, diagram)
        labels = {
            row: (max(measure(t, NUMBER) for t in lines) * 1.03 + 0.04, _height(len(lines), NUMBER))
            for row, lines in self.labels.items()
        }
        lists = {
            n: (max(measure(t, NUMBER) for t, _ in lines) * 1.08 + 0.1,
                _height(len(lines), NUMBER) + 0.06)
            for n, lines in self.lists.items()
        }  # fmt: skip
        outside = OUTSIDE if any(diagram.of("residual")) else 0.0
        return Sizes(nodes, labels, lists, outside, close)


def _height(lines: int, size: float) -> float:
    return (lines - 1) * size * LINE / 72 + size * 1.12 / 72


def _node(
    lines: tuple[str, ...], diagram: Diagram, name: str, measure: Measure
) -> tuple[float, float]:
    shape = diagram.nodes[name].shape
    size = NAME if shape == "factor" else SMALL
    w, h = max(measure(t, size) for t in lines), _height(len(lines), size)
    if shape == "factor":
        return max(w * 1.15 + 0.12, 0.52), max(h * 1.35 + 0.13, 0.33)
    if shape == "product":
        return max(w * 1.15 + 0.1, 0.3), max(h * 1.2 + 0.08, 0.22)
    if name in diagram.parents:
        return w + 0.09, h + 0.035
    return max(w + 0.16, 0.4), h + 0.13


def _alike(
    nodes: Mapping[str, tuple[float, float]], diagram: Diagram
) -> dict[str, tuple[float, float]]:
    """Factors of one width where names allow it, and boxes of one width below each factor."""
    found = dict(nodes)
    for parent in {*diagram.parents.values(), None}:
        alike = [
            n for n in nodes
            if diagram.nodes[n].shape == ("factor" if parent is None else "observed")
            and (parent is None or diagram.parents.get(n) == parent)
        ]  # fmt: skip
        common = min(max((nodes[n][0] for n in alike), default=0.0), WIDEST)
        found |= {n: (max(nodes[n][0], common), nodes[n][1]) for n in alike}
    return found


def texts_of(
    diagram: Diagram, table: ParameterTable, numbers: Mapping[int, Estimate] | None,
    names: Mapping[str, str], shares: Mapping[str, float], *, intervals: Intervals, stacked: bool,
    lists: bool = True,
) -> Texts:  # fmt: skip
    """All texts of a diagram.

    Parameters
    ----------
    numbers : mapping of int to Estimate, or None
        None for a model without a fit: its labels and fixed values are shown.
    names : mapping of str to str
        What nodes are called on the page.
    shares : mapping of str to float
        Explained variance to write below a name.
    intervals : {"all", "paths", "none"}
    stacked : bool
        Whether an interval stands below its mean, not beside it.
    lists : bool
        Whether listed paths have boxes beside their targets.
    """
    shown = {
        n: (*name_lines(names.get(n, n)), *([f"R² {number(shares[n])}"] if n in shares else []))
        for n in diagram.nodes
    }
    labels, beside = {}, dict[str, list[tuple[str, int]]]()
    for e in diagram.edges:
        minor = e.kind in ("loading", "residual")
        full = intervals == "all" or (intervals == "paths" and not minor)
        lines = _label(e.row, table, numbers, full=full)
        if e.kind == "listed":
            text = " ".join([*name_lines(names.get(e.source, e.source), 40), *lines])
            beside.setdefault(e.target, []).append((text, e.row))
        elif e.kind != "tabled" and lines:
            labels[e.row] = tuple(lines) if stacked else (" ".join(lines),)
    if numbers is None:
        beside = {n: _joined(v) for n, v in beside.items()}
    return Texts(shown, labels, {n: tuple(v) for n, v in beside.items()} if lists else {})


def _joined(lines: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Names without numbers, several on a line."""
    found: list[tuple[str, int]] = []
    for text, row in lines:
        if found and len(found[-1][0]) + len(text) <= LONGEST:
            found[-1] = (f"{found[-1][0]}, {text}", found[-1][1])
        else:
            found.append((text, row))
    return found


def _label(
    row: int, table: ParameterTable, numbers: Mapping[int, Estimate] | None, *, full: bool
) -> list[str]:
    """Mean and interval, or what a model without a fit says of the parameter."""
    if numbers is None:
        r = table.rows[row]
        value = "" if r.value is None or r.marker else f"{r.value:g}"
        return [
            t for t in (f"{r.label} = {value}" if r.label and value else r.label or value,) if t
        ]
    e = numbers[row]
    interval = f"[{number(e.lower)}, {number(e.upper)}]"
    return [number(e.mean), *([interval] if full and not e.fixed else [])]


def name_lines(name: str, longest: int = LONGEST) -> tuple[str, ...]:
    """A name broken at spaces, dots and underscores, or anywhere if it has none.

    Examples
    --------
    >>> name_lines("export_business_performance")
    ('export_', 'business_', 'performance')
    >>> name_lines("relational social capital")
    ('relational', 'social capital')
    """
    if len(name) <= longest:
        return (name,)
    for mark in "._":
        name = name.replace(mark, mark + "\N{ZERO WIDTH SPACE} ")
    lines = wrap(name, longest + 1, break_on_hyphens=False) or [name]
    return tuple(t.replace("\N{ZERO WIDTH SPACE} ", "").replace("\N{ZERO WIDTH SPACE}", "")
                 for t in lines)  # fmt: skip
