"""What a network's figure shows, as data: factors, paths, moderated paths, and whose they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bayesem import studies
from bayesem.diagrams.columns import Columns
from bayesem.figures.sheet import BLUE, GREEN, GREY, ORANGE, WIDE
from bayesem.inclusion import Origins, origins
from bayesem.model import Model
from bayesem.summaries import summary

__all__ = [
    "BOX",
    "EACH",
    "NOBODY",
    "ROW",
    "Graph",
    "Key",
    "graph_of",
    "sizes",
    "step_of",
    "tall_of",
    "values_of",
]

ROW, BOX, TALL, EACH = 0.44, 0.68, 0.30, 0.135  # inches: a row, a box, and an arrow's share of it
#: By study in the order of inclusion: colour and line; then what no study has.
LOOKS = ((BLUE, "-"), (GREEN, (0, (5, 1.5))), (ORANGE, (0, (5, 1.2, 1, 1.2))))
NOBODY = (GREY, (0, (1, 1.2)))

type Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Graph:
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


def graph_of(model: Model) -> Graph:
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
    return Graph(nodes, tuple(edges), tuple(moderations), whose)


def values_of(fitted: Sequence[Any]) -> dict[tuple[str, ...], tuple[float, float, float]]:
    """Standardised mean and interval by outcome and (sorted) predictors."""
    found = {}
    for fit in fitted:
        table = summary(fit, standardized=True)
        for row in table[table["op"] == "~"].to_dict("records"):
            key = (str(row["lhs"]), *sorted(str(row["rhs"]).split(":")))
            found[key] = (float(row["mean"]), float(row["lower"]), float(row["upper"]))
    return found


def sizes(graph: Graph) -> dict[str, float]:
    """Rows that a box takes: those with many arrows are taller."""
    return {n: max(1.0, (tall_of(graph, n) + 0.14) / ROW) for n in graph.nodes}


def tall_of(graph: Graph, name: str) -> float:
    into = sum(y == name for _, y in graph.edges)
    out = sum(x == name for x, _ in graph.edges) + sum(m == name for m, _ in graph.moderations)
    return max(TALL, EACH * max(into, out))


def step_of(layout: Columns) -> float:
    """Inches from one column to the next."""
    return (WIDE - 0.3 - BOX) / max(layout.columns - 1, 1)
