"""What a path diagram shows: the nodes and edges of a parameter table, before they have places."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from bayesem.model import Model
from bayesem.partable import ParameterTable, Row

__all__ = ["Diagram", "Edge", "Node", "diagram_of"]

type Shape = Literal["factor", "observed", "product"]
type Kind = Literal[
    "loading", "path", "moderation", "product", "covariance", "listed", "tabled", "residual"
]

#: An observed predictor of more variables than this is listed beside each of them.
MOST_TARGETS = 3


@dataclass(frozen=True, slots=True)
class Node:
    """An ellipse (factor), a box (observed) or a disc (product of two variables)."""

    name: str
    shape: Shape


@dataclass(frozen=True, slots=True)
class Edge:
    """One parameter that the diagram shows.

    Attributes
    ----------
    row : int
        Its position in the table's rows.
    kind : str
        ``listed``: in a box beside its target; ``tabled``: in a table under the diagram;
        ``residual``: a variance that is not explained, from a node to itself.
    source, target : str
    onto : int or None
        Of a moderation: the row of the path that it acts on.
    """

    row: int
    kind: Kind
    source: str
    target: str
    onto: int | None = None


@dataclass(frozen=True, slots=True)
class Diagram:
    """Nodes and edges.

    Attributes
    ----------
    nodes : mapping of str to Node
    edges : tuple of Edge
    parents : mapping of str to str
        What measures only, below what it measures.
    ties : tuple of (str, str)
        A product and one of its variables: lines without a parameter.
    zeros, hidden : int
        Parameters fixed at 0, and left out because the indicators are.
    """

    nodes: dict[str, Node]
    edges: tuple[Edge, ...]
    parents: dict[str, str]
    ties: tuple[tuple[str, str], ...]
    zeros: int = 0
    hidden: int = 0

    def of(self, *kinds: Kind) -> Iterator[Edge]:
        """Edges of some kinds."""
        return (e for e in self.edges if e.kind in kinds)

    def root(self, name: str) -> str:
        """The node at the top of what a node belongs to."""
        while name in self.parents:
            name = self.parents[name]
        return name

    @property
    def roots(self) -> tuple[str, ...]:
        """Nodes with places of their own; the others stand beside them."""
        return tuple(n for n in self.nodes if n not in self.parents)


def diagram_of(
    model: Model, table: ParameterTable, *, indicators: bool = True, lists: bool = True,
    residuals: bool = False,
) -> Diagram:  # fmt: skip
    """The nodes and edges of a model.

    Parameters
    ----------
    model : Model
        As written: what was added to it at the fit is not drawn.
    table : ParameterTable
    indicators : bool
        Whether observed variables that only measure are drawn.
    lists : bool
        Whether observed predictors of many variables are listed beside each.
    residuals : bool
        Whether the variances of what is explained are edges, too.
    """
    kept, zeros = _shown(model, table)
    edges = [_edge(table, k) for k in kept]
    hidden = 0
    if not indicators:
        gone = _only_measures(model, edges)
        some = [e for e in edges if not gone & {e.source, e.target}]
        edges, hidden = some, len(edges) - len(some)
    edges, ties = _with_products(edges, table.rows)
    if lists:
        edges = _with_lists(edges, table)
    names = _names(model, edges, ties, indicators=indicators)
    listed = {e.source for e in edges if e.kind == "listed"}
    nodes = {n: Node(n, _shape(n, table, ties)) for n in names if n not in listed}
    if residuals:
        edges = [*edges, *_residuals(edges, table, nodes)]
    return Diagram(nodes, tuple(edges), _parents(edges, ties), ties, zeros, hidden)


def _shown(model: Model, table: ParameterTable) -> tuple[list[int], int]:
    """Positions of the rows that are edges, and the number of those fixed at 0."""
    written = {(s.lhs, s.term.name) for s in model.parsed.statements if s.op == "=~"}
    found, zeros = [], 0
    for k, row in enumerate(table.rows):
        edge = row.op == "~" or (row.op == "=~" and (row.lhs, row.rhs) in written)
        edge = edge or (row.op == "~~" and row.lhs != row.rhs and not row.frozen)
        if edge and row.value != 0:
            found.append(k)
        zeros += bool(edge and row.value == 0 and row.user)
    return found, zeros


def _edge(table: ParameterTable, k: int) -> Edge:
    row = table.rows[k]
    if row.op == "=~":
        return Edge(k, "loading", row.lhs, row.rhs)
    if row.op == "~~":
        return Edge(k, "covariance", row.lhs, row.rhs)
    return Edge(k, "product" if row.matrix == "omega" else "path", row.rhs, row.lhs)


def _only_measures(model: Model, edges: Sequence[Edge]) -> set[str]:
    """Observed variables without a path of their own."""
    used = {v for e in edges if e.kind == "path" for v in (e.source, e.target)}
    used |= {v for e in edges if e.kind == "product" for v in (*e.source.split(":"), e.target)}
    measures = {e.target for e in edges if e.kind == "loading"}
    return (measures - used) & set(model.observed)


def _with_products(
    edges: Sequence[Edge], rows: Sequence[Row]
) -> tuple[list[Edge], tuple[tuple[str, str], ...]]:
    """Products become arrows onto a path where there is one to act on, and nodes elsewhere."""
    paths = {(e.source, e.target): e.row for e in edges if e.kind == "path"}
    found, ties = [], dict[tuple[str, str], None]()
    for e in edges:
        if e.kind != "product":
            found.append(e)
            continue
        first, second = e.source.split(":")
        pairs = [] if first == second else [(first, second), (second, first)]
        pair = next((p for p in pairs if (p[1], e.target) in paths), None)
        if pair is None:
            ties |= {(e.source, v): None for v in (first, second)}
            found.append(e)
        else:
            onto = paths[pair[1], e.target]
            found.append(Edge(e.row, "moderation", pair[0], e.target, onto))
    return found, tuple(ties)


def _with_lists(edges: Sequence[Edge], table: ParameterTable) -> list[Edge]:
    """Mark the paths of observed predictors that lead nearly everywhere."""
    latent = set(table.latent)
    counts = Counter(e.source for e in edges if e.kind == "path" and e.source not in latent)
    paths = {e.target for e in edges if e.kind in ("path", "loading")}
    others = {v for e in edges if e.kind in ("covariance", "moderation", "product", "loading")
              for v in (e.source, e.target)}  # fmt: skip
    acted_on = {e.onto for e in edges}
    acted = {e.source for e in edges if e.row in acted_on}
    measures = {e.target for e in edges if e.kind == "loading"} - latent
    onto_measures = {e.source for e in edges if e.kind == "path" and e.target in measures}
    many = {v for v, n in counts.items() if n > MOST_TARGETS}
    many -= paths | (others - paths) | acted | onto_measures
    return [
        Edge(e.row, "listed", e.source, e.target)
        if e.kind == "path" and e.source in many
        else e
        for e in edges
    ]  # fmt: skip


def _residuals(edges: Sequence[Edge], table: ParameterTable, nodes: Collection[str]) -> list[Edge]:
    explained = {e.target for e in edges if e.kind != "covariance"} & set(nodes)
    return [
        Edge(k, "residual", row.lhs, row.lhs)
        for k, row in enumerate(table.rows)
        if row.op == "~~" and row.lhs == row.rhs in explained and row.value != 0
    ]


def _names(
    model: Model, edges: Iterable[Edge], ties: Sequence[tuple[str, str]], *, indicators: bool
) -> dict[str, None]:
    """Names of nodes in the model's order; a product stands after its variables."""
    used = {v for e in edges for v in (e.source, e.target)} | {v for pair in ties for v in pair}
    alone = set(model.variables if indicators else model.factors)
    names = [v for v in model.variables if v in used | alone]
    return dict.fromkeys([*names, *(product for product, _ in ties)])


def _shape(name: str, table: ParameterTable, ties: Sequence[tuple[str, str]]) -> Shape:
    if any(name == product for product, _ in ties):
        return "product"
    return "factor" if name in table.latent else "observed"


def _parents(edges: Sequence[Edge], ties: Sequence[tuple[str, str]]) -> dict[str, str]:
    """What each node hangs on: the first factor that it measures, unless it has paths itself."""
    factors = {e.source for e in edges if e.kind == "loading"}
    own = {v for e in edges if e.kind in ("path", "listed", "product", "moderation")
           for v in (e.source, e.target)}  # fmt: skip
    own |= {part for _, part in ties}
    sources = {e.source for e in edges if e.kind in ("path", "moderation")}
    found: dict[str, str] = {}
    for e in edges:
        free = e.target not in own if e.target in factors else e.target not in sources
        if e.kind == "loading" and free:
            found.setdefault(e.target, e.source)
    return found | {product: part for product, part in reversed(ties)}
