"""A network's figure on an axes in inches: arrows, moderators, numbers and boxes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesem.arrays import Floats
from bayesem.diagrams.boxes import box
from bayesem.diagrams.columns import Columns
from bayesem.diagrams.curves import spline
from bayesem.diagrams.labels import roomiest
from bayesem.diagrams.network_graph import BOX, EACH, ROW, Graph, Key, tall_of
from bayesem.figures.sheet import PURPLE, WIDE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Drawing", "draw", "frame"]

DIGIT, HIGH = 0.034, 0.06  # half a character's width and half a line's height in a number
TEXT = 7.5
DARK = "#8E3A6E"  # of the moderators' purple, dark enough for text


@dataclass(slots=True)
class Drawing:
    """A graph on an axes in inches, with what is taken up already."""

    axis: "Axes"
    graph: Graph
    layout: Columns
    values: Mapping[tuple[str, ...], tuple[float, float, float]]
    step: float
    taken: list[tuple[float, float, float, float]] = field(default_factory=list)

    def centre(self, name: str) -> tuple[float, float]:
        x, y = self.layout.at[name]
        return self.place(x, y)

    def place(self, x: float, y: float) -> tuple[float, float]:
        return BOX / 2 + 0.05 + x * self.step, y * ROW

    def passage(self, x: float, y: float) -> tuple[tuple[float, float], ...]:
        """Both ends of a way through a column, level so that no box of it is touched."""
        u, v = self.place(x, y)
        return (u - BOX / 2, v), (u + BOX / 2, v)


def frame(drawing: Drawing) -> None:
    drawing.axis.set_axis_off()
    drawing.axis.set_aspect("equal")
    drawing.axis.set_xlim(0, WIDE - 0.2)
    drawing.axis.set_ylim(-0.05, drawing.layout.height * ROW + 0.05)


def draw(drawing: Drawing) -> None:
    graph = drawing.graph
    for name in graph.nodes:
        x, y = drawing.centre(name)
        drawing.taken.append((x, y, BOX / 2, tall_of(graph, name) / 2))
    starts, ends = _ports(drawing)
    points: dict[Key, Floats] = {}
    for edge in graph.edges:
        bends = [stop for at in drawing.layout.bends[edge] for stop in drawing.passage(*at)]
        points[edge] = np.array(spline([starts[edge], *bends, ends[edge]]))
    arms = {(m, e): _arm(starts[m, *e], points[e]) for m, e in graph.moderations}  # type: ignore[index]
    for edge in graph.edges:
        _arrow(drawing, edge, points[edge])
    for (_, edge), arm in arms.items():
        _moderator(drawing, arm, points[edge])
    every: dict[Any, Floats] = {**points, **arms}
    shortest = sorted(every.items(), key=lambda item: float(np.ptp(item[1], axis=0).sum()))
    for key, own in shortest:  # these have least room for a number
        others = [p for k, p in every.items() if k != key]
        _number(drawing, key, own, others)
    for name in graph.nodes:
        _box(drawing, name)


def _ports(drawing: Drawing) -> tuple[dict[Any, tuple[float, float]], dict[Any, Any]]:
    """Where arrows leave and reach boxes: spread over the side, in the order of their ends."""
    graph, layout = drawing.graph, drawing.layout
    starts: dict[Any, tuple[float, float]] = {}
    ends: dict[Any, tuple[float, float]] = {}
    for name in graph.nodes:
        mine = [e for e in graph.edges if e[0] == name]
        first = {e: (layout.bends[e][:1] or (layout.at[e[1]],))[0][1] for e in mine}
        out: list[tuple[float, Any]] = [(first[e], e) for e in mine]
        out += [((layout.at[e[0]][1]), (m, *e)) for m, e in graph.moderations if m == name]
        into = [e for e in graph.edges if e[1] == name]
        last = [((layout.bends[e][-1:] or (layout.at[e[0]],))[0][1], e) for e in into]
        starts |= _side(drawing, name, [k for _, k in sorted(out)], 1)
        ends |= _side(drawing, name, [k for _, k in sorted(last)], -1)
    return starts, ends


def _side(
    drawing: Drawing, name: str, keys: Sequence[Any], side: int
) -> dict[Any, tuple[float, float]]:
    x, y = drawing.centre(name)
    tall = tall_of(drawing.graph, name)
    spread = (np.arange(len(keys)) + 0.5) / max(len(keys), 1) - 0.5
    room = min(tall - 0.06, EACH * len(keys))
    return {k: (x + side * BOX / 2, y + float(s) * room) for k, s in zip(keys, spread, strict=True)}


def _arm(start: tuple[float, float], edge: Floats) -> Floats:
    """From a moderator to the nearest part of the path that lies to its right."""
    right = edge[(edge[:, 0] > start[0] + 0.25) & (edge[:, 0] < edge[-1, 0] - 0.25)]
    free = right if len(right) else edge[int(0.2 * len(edge)) : int(0.8 * len(edge))]
    near = free[int(np.argmin(np.abs(free - start).sum(1)))]
    return np.array(spline([start, (float(near[0]), float(near[1]))]))


def _arrow(drawing: Drawing, edge: Key, points: Floats) -> None:
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path as Line

    colour, line = drawing.graph.look(drawing.graph.whose.paths.get((edge[1], edge[0]), ()))
    drawing.axis.add_patch(
        FancyArrowPatch(path=Line(points), arrowstyle="-|>,head_width=1.6,head_length=3.2",
                        color=colour, ls=line, lw=1.0, shrinkA=0, shrinkB=0, zorder=2)
    )  # fmt: skip


def _moderator(drawing: Drawing, arm: Floats, edge: Floats) -> None:
    drawing.axis.plot(arm[:, 0], arm[:, 1], color=PURPLE, lw=0.8, zorder=1)
    drawing.axis.plot(*arm[-1], "o", color=PURPLE, ms=4, zorder=4)


def _number(drawing: Drawing, key: Any, own: Floats, others: Sequence[Floats]) -> None:
    """The estimate of a path or a product, where it has most room."""
    moderated = isinstance(key[1], tuple)
    to, parts = (key[1][1], (key[0], key[1][0])) if moderated else (key[1], (key[0],))
    value = drawing.values.get((to, *sorted(parts)))
    if value is None:
        return
    mean, low, high = value
    inside = low <= 0 <= high
    shown = f"{mean:.2f}".replace("-", "\N{MINUS SIGN}").replace("0.", ".")
    half = (DIGIT * len(shown), HIGH)
    x, y = roomiest(own, others, drawing.taken, half)
    drawing.taken.append((x, y, *half))
    colour = "0.45" if inside else DARK if moderated else "black"
    drawing.axis.text(
        x, y, shown, size=TEXT, ha="center", va="center", color=colour, zorder=6,
        weight="normal" if inside else "bold",
        bbox={"boxstyle": "square,pad=0.08", "fc": "white", "ec": "none"},
    )  # fmt: skip


def _box(drawing: Drawing, name: str) -> None:
    graph = drawing.graph
    mine = graph.whose.variables.get(name, ())
    x, y = drawing.centre(name)
    tall = tall_of(graph, name)
    colour, _ = graph.look(mine)
    kind = graph.whose.studies.index(mine[0]) if mine else 0
    box(drawing.axis, (x, y), (BOX, tall), kind, colour, double=len(mine) > 1)
    letters = graph.letters(mine)
    shift = 0.055 if letters else 0.0
    drawing.axis.text(x, y + shift, name, size=8, weight="bold", ha="center", va="center", zorder=8)
    if letters:
        drawing.axis.text(x, y - 0.085, letters, size=6.5, ha="center", va="center", zorder=8)
