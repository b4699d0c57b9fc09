"""A graph of plain nodes in columns by causal order, with the bends of long arrows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bayesem.diagrams.layers import align, ordered, passed, ranks

__all__ = ["Columns", "layered"]

type Edge = tuple[str, str]
#: Height of an empty slot beside a node's, which is 1.
SLOT = 0.45


@dataclass(frozen=True, slots=True)
class Columns:
    """Where everything stands.

    Attributes
    ----------
    at : mapping of str to (float, float)
        Column, and height in nodes, of every node.
    bends : mapping of (str, str) to tuple of (float, float)
        Points that an arrow passes between its ends.
    columns : int
    height : float
        In nodes.
    """

    at: Mapping[str, tuple[float, float]]
    bends: Mapping[Edge, tuple[tuple[float, float], ...]]
    columns: int
    height: float


def layered(
    nodes: Sequence[str], edges: Sequence[Edge], sizes: Mapping[str, float] | None = None
) -> Columns:
    """Place nodes in columns, as late as their effects allow, and arrows between them.

    Parameters
    ----------
    nodes : sequence of str
    edges : sequence of (str, str)
        Cause, effect.
    sizes : mapping of str to float, optional
        Height that a node takes; 1 for those not named.

    Examples
    --------
    >>> found = layered("abc", [("a", "b"), ("b", "c"), ("a", "c")])
    >>> [found.at[n][0] for n in "abc"], len(found.bends["a", "c"])
    ([0.0, 1.0, 2.0], 1)
    """
    column = ranks(nodes, edges, late=True)
    count = max(column.values(), default=0) + 1
    layers = [[n for n in nodes if column[n] == k] for k in range(count)]
    slots: dict[Edge, tuple[str, ...]] = dict.fromkeys(edges, ())
    pairs: list[Edge] = []
    for a, b in edges:
        if column[a] < column[b]:  # an arrow that closes a circle goes straight
            slots[a, b] = passed(layers, f"{a}>{b}", column[a], column[b])
            pairs += pairwise((a, *slots[a, b], b))
    order = ordered(layers, pairs)
    half = {n: SLOT / 2 for layer in order for n in layer}
    half |= {n: (sizes or {}).get(n, 1.0) / 2 for n in nodes}
    total = max(sum(2 * half[n] for n in layer) for layer in order)
    y = align(order, pairs, {n: (h, h) for n, h in half.items()},
              lambda a, b: half[a] + half[b], total)  # fmt: skip
    where = {n: (float(k), y[n]) for k, layer in enumerate(order) for n in layer}
    bends = {edge: tuple(where[s] for s in mine) for edge, mine in slots.items()}
    return Columns({n: where[n] for n in nodes}, bends, count, total)
