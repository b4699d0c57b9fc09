"""A study's factors as one graph, in columns by causal order: which study each part comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesem import studies
from bayesem.arrays import Floats
from bayesem.figures.boxes import box
from bayesem.figures.curves import Curve, curve, roomiest
from bayesem.figures.layering import Layout, layered
from bayesem.figures.sheet import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    WIDE,
    sheet,
    stamp,
    style,
    target_of,
    written,
)
from bayesem.inclusion import Origins, origins
from bayesem.model import Model, read_model
from bayesem.summaries import summary

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_network"]

ROW, BOX, TALL, EACH = 0.44, 0.68, 0.30, 0.135  # inches: a row, a box, and an arrow's share of it
DIGIT, HIGH = 0.034, 0.06  # half a character's width and half a line's height in a number
TEXT = 7.5
DARK = "#8E3A6E"  # of the moderators' purple, dark enough for text
OWN = "ours"
#: By study in the order of inclusion: colour and line; then what no study has.
LOOKS = ((BLUE, "-"), (GREEN, (0, (5, 1.5))), (ORANGE, (0, (5, 1.2, 1, 1.2))))
NOBODY = (GREY, (0, (1, 1.2)))

type Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Graph:
    """What is drawn: nodes, paths, and which path each moderator acts on."""

    nodes: tuple[str, ...]
    edges: tuple[Key, ...]
    moderations: tuple[tuple[str, Key], ...]
    whose: Origins

    def look(self, mine: Sequence[str]) -> tuple[str, Any]:
        """Colour and line of what comes from these studies."""
        if not self.whose.studies:
            return "black", "-"
        return LOOKS[self.whose.studies.index(mine[0]) % len(LOOKS)] if mine else NOBODY

    def letters(self, mine: Sequence[str]) -> str:
        return " ".join("ABCDEFGH"[self.whose.studies.index(s)] for s in mine)


@dataclass(slots=True)
class _Drawing:
    """A graph on an axes in inches, with what is taken up already."""

    axis: "Axes"
    graph: _Graph
    layout: Layout
    values: Mapping[tuple[str, ...], tuple[float, float, float]]
    step: float
    curves: dict[Key, Curve] = field(default_factory=dict)
    taken: list[tuple[float, float, float, float]] = field(default_factory=list)

    def centre(self, name: str) -> tuple[float, float]:
        x, y = self.layout.at[name]
        return self.place(x, y)

    def place(self, x: float, y: float) -> tuple[float, float]:
        return BOX / 2 + 0.05 + x * self.step, y * ROW


def plot_network(fit: Any, path: str | Path | None = None) -> "Figure":
    """Draw the factors of a model as one graph, causes left of effects.

    Parameters
    ----------
    fit : Fit, Model or str
        Of a fit every path carries its standardised posterior mean, grey where the central 95%
        interval includes 0; of a model, or a study's name, the bare graph is drawn.
    path : str or Path, optional
        As in :func:`bayesem.plot_verdict`.

    Returns
    -------
    matplotlib.figure.Figure
        A product of two factors is an arrow from the first onto the other's path, ended by a dot.
        Where the study's propositions include other studies', boxes and lines say whose each part
        is, by letter, shape, line and colour. Indicators, factors below others, observed predictors
        and covariances are not drawn.

    Raises
    ------
    NotAvailableError
        If matplotlib is not installed.
    DataError
        For a path that cannot be written.
    """
    target = target_of(path)
    model = _model(fit)
    fitted = [] if model is fit or isinstance(fit, str) else [fit]
    graph = _graph(model)
    layout = layered(graph.nodes, graph.edges, _sizes(graph))
    with style():
        figure = sheet(WIDE, layout.height * ROW + 0.75, [_headline(model, fitted)], fitted)
        axis = figure.subplots()
        drawing = _Drawing(axis, graph, layout, _values(fitted), _step(layout))
        _frame(drawing)
        _draw(drawing)
        _legend(figure, graph, bool(fitted))
        stamp(figure, fitted)
        return written(figure, target)


# --- what is drawn --------------------------------------------------------------------------------


def _model(fit: Any) -> Model:
    if isinstance(fit, str):
        return read_model(fit)
    return fit if isinstance(fit, Model) else fit.model  # type: ignore[no-any-return]


def _graph(model: Model) -> _Graph:
    statements = [s for s in model.parsed.statements if s.op == "~"]
    below = {s.term.name for s in model.parsed.statements if s.op == "=~"}
    explained = {s.lhs for s in statements}
    shown = [v for v in model.variables if v in model.factors or v in explained]
    nodes = tuple(v for v in shown if v not in below)
    paths = [s for s in statements if s.term.fixed != 0 and s.lhs in nodes]
    edges = [(s.term.name, s.lhs) for s in paths if len(s.term.factors) == 1]
    edges = [e for e in edges if e[0] in nodes]
    products = [(s.term.factors, s.lhs) for s in paths if len(s.term.factors) > 1]
    moderations = [
        (first, (second, y))
        for (first, second), y in products
        if first in nodes and (second, y) in edges
    ]
    whose = origins(str(model.name)) if model.name in studies.own() else Origins((), {}, {})
    return _Graph(nodes, tuple(edges), tuple(moderations), whose)


def _values(fitted: Sequence[Any]) -> dict[tuple[str, ...], tuple[float, float, float]]:
    """Standardised mean and interval by outcome and (sorted) predictors."""
    found = {}
    for fit in fitted:
        table = summary(fit, standardized=True)
        for row in table[table["op"] == "~"].to_dict("records"):
            key = (str(row["lhs"]), *sorted(str(row["rhs"]).split(":")))
            found[key] = (float(row["mean"]), float(row["lower"]), float(row["upper"]))
    return found


def _headline(model: Model, fitted: Sequence[Any]) -> str:
    name = model.name or "model"
    if not fitted:
        return f"{name}: factors and paths"
    return f"{name}: standardised posterior means, n = {fitted[0].n}"


def _sizes(graph: _Graph) -> dict[str, float]:
    """Rows that a box takes: those with many arrows are taller."""
    return {n: max(1.0, (_tall(graph, n) + 0.14) / ROW) for n in graph.nodes}


def _tall(graph: _Graph, name: str) -> float:
    into = sum(y == name for _, y in graph.edges)
    out = sum(x == name for x, _ in graph.edges) + sum(m == name for m, _ in graph.moderations)
    return max(TALL, EACH * max(into, out))


def _step(layout: Layout) -> float:
    """Inches from one column to the next."""
    return (WIDE - 0.3 - BOX) / max(layout.columns - 1, 1)


# --- drawing --------------------------------------------------------------------------------------


def _frame(drawing: _Drawing) -> None:
    drawing.axis.set_axis_off()
    drawing.axis.set_aspect("equal")
    drawing.axis.set_xlim(0, WIDE - 0.2)
    drawing.axis.set_ylim(-0.05, drawing.layout.height * ROW + 0.05)


def _draw(drawing: _Drawing) -> None:
    graph = drawing.graph
    for name in graph.nodes:
        x, y = drawing.centre(name)
        drawing.taken.append((x, y, BOX / 2, _tall(graph, name) / 2))
    starts, ends = _ports(drawing)
    for edge in graph.edges:
        bends = [drawing.place(*at) for at in drawing.layout.bends[edge]]
        drawing.curves[edge] = curve([starts[edge], *bends, ends[edge]])
    points = {e: c.points for e, c in drawing.curves.items()}
    arms = {(m, e): _arm(starts[m, *e], points[e]) for m, e in graph.moderations}  # type: ignore[index]
    for edge in graph.edges:
        _arrow(drawing, edge)
    for (_, edge), arm in arms.items():
        _moderator(drawing, arm, points[edge])
    every: dict[Any, Floats] = {**points, **arms}
    for key, own in every.items():
        others = [p for k, p in every.items() if k != key]
        _number(drawing, key, own, others)
    for name in graph.nodes:
        _box(drawing, name)


def _ports(drawing: _Drawing) -> tuple[dict[Any, tuple[float, float]], dict[Any, Any]]:
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
    drawing: _Drawing, name: str, keys: Sequence[Any], side: int
) -> dict[Any, tuple[float, float]]:
    x, y = drawing.centre(name)
    tall = _tall(drawing.graph, name)
    spread = (np.arange(len(keys)) + 0.5) / max(len(keys), 1) - 0.5
    room = min(tall - 0.06, EACH * len(keys))
    return {k: (x + side * BOX / 2, y + float(s) * room) for k, s in zip(keys, spread, strict=True)}


def _arm(start: tuple[float, float], edge: Floats) -> Floats:
    """From a moderator to the nearest part of the path that lies to its right."""
    inner = edge[int(0.2 * len(edge)) : int(0.8 * len(edge))]
    right = inner[inner[:, 0] > start[0] + 0.25]
    free = right if len(right) else inner
    near = free[int(np.argmin(np.abs(free - start).sum(1)))]
    return curve([start, (float(near[0]), float(near[1]))]).points


def _arrow(drawing: _Drawing, edge: Key) -> None:
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path as Line

    colour, line = drawing.graph.look(drawing.graph.whose.paths.get((edge[1], edge[0]), ()))
    vertices = drawing.curves[edge].vertices
    codes = [Line.MOVETO, *[Line.CURVE4] * (len(vertices) - 1)]
    drawing.axis.add_patch(
        FancyArrowPatch(path=Line(vertices, codes), arrowstyle="-|>,head_width=1.6,head_length=3.2",
                        color=colour, ls=line, lw=1.0, shrinkA=0, shrinkB=0, zorder=2)
    )  # fmt: skip


def _moderator(drawing: _Drawing, arm: Floats, edge: Floats) -> None:
    drawing.axis.plot(arm[:, 0], arm[:, 1], color=PURPLE, lw=0.8, zorder=1)
    drawing.axis.plot(*arm[-1], "o", color=PURPLE, ms=4, zorder=4)


def _number(drawing: _Drawing, key: Any, own: Floats, others: Sequence[Floats]) -> None:
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


def _box(drawing: _Drawing, name: str) -> None:
    graph = drawing.graph
    mine = graph.whose.variables.get(name, ())
    x, y = drawing.centre(name)
    tall = _tall(graph, name)
    colour, _ = graph.look(mine)
    kind = graph.whose.studies.index(mine[0]) if mine else 0
    box(drawing.axis, (x, y), (BOX, tall), kind, colour, double=len(mine) > 1)
    letters = graph.letters(mine)
    shift = 0.055 if letters else 0.0
    drawing.axis.text(x, y + shift, name, size=8, weight="bold", ha="center", va="center", zorder=8)
    if letters:
        drawing.axis.text(x, y - 0.085, letters, size=6.5, ha="center", va="center", zorder=8)


def _legend(figure: "Figure", graph: _Graph, fitted: object) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=graph.look((s,))[0], ls=graph.look((s,))[1], lw=1.2,
               label=f"{'ABCDEFGH'[k]}  {s}")
        for k, s in enumerate(graph.whose.studies)
    ]  # fmt: skip
    if graph.whose.studies:
        handles.append(Line2D([], [], color=NOBODY[0], ls=NOBODY[1], lw=1.2, label="no study's"))
    if graph.moderations:
        handles.append(
            Line2D([], [], color=PURPLE, lw=0.8, marker="o", ms=4, label="moderates a path")
        )
    if fitted:
        handles.append(
            Line2D([], [], ls="none", marker="$.0$", color="0.45", ms=8,
                   label="grey number: 95% interval includes 0")
        )  # fmt: skip
    if handles:
        figure.legend(handles=handles, loc="outside lower left", ncols=3, fontsize=8,
                      handlelength=2.6, columnspacing=1.2, borderaxespad=0.2)  # fmt: skip
