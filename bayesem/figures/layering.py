"""A directed graph in columns by causal order: pure arithmetic, no drawing.

After Sugiyama: every node as late as its effects allow, so that causes stand beside what they act
on; arrows over several columns pass through empty slots; the order within columns makes few
crossings; heights follow neighbours. Arrows that close a circle are left out of the order.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

__all__ = ["Layout", "columns_of", "layered"]

type Edge = tuple[str, str]
SWEEPS = 24
#: Height of an empty slot beside a node's, which is 1.
SLOT = 0.45


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything stands.

    Attributes
    ----------
    at : mapping of str to (float, float)
        Column, and height from the bottom in nodes, of every node.
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


@dataclass(slots=True)
class _Grid:
    """Columns of nodes and slots while they are being ordered."""

    columns: list[list[str]]
    before: dict[str, list[str]] = field(default_factory=dict)
    after: dict[str, list[str]] = field(default_factory=dict)
    slots: set[str] = field(default_factory=set)


def columns_of(nodes: Sequence[str], edges: Iterable[Edge]) -> dict[str, int]:
    """The column of every node: as late as its effects allow, causes before effects.

    Examples
    --------
    >>> columns_of("abcd", [("a", "b"), ("b", "c"), ("d", "c")])
    {'a': 0, 'b': 1, 'c': 2, 'd': 1}
    """
    effects: dict[str, list[str]] = {n: [] for n in nodes}
    for cause, effect in _forward(nodes, edges):
        effects[cause].append(effect)
    left: dict[str, int] = {}

    def steps(node: str) -> int:
        if node not in left:
            left[node] = 1 + max((steps(e) for e in effects[node]), default=-1)
        return left[node]

    longest = max((steps(n) for n in nodes), default=0)
    return {n: longest - steps(n) for n in nodes}


def layered(
    nodes: Sequence[str], edges: Sequence[Edge], sizes: Mapping[str, float] | None = None
) -> Layout:
    """Place nodes in columns and arrows between them.

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
    column = columns_of(nodes, edges)
    grid, chains = _grid(nodes, edges, column)
    _order(grid)
    height, total = _heights(grid, sizes or {})
    where = {n: (float(c), height[n]) for c, names in enumerate(grid.columns) for n in names}
    bends = {edge: tuple(where[s] for s in chain) for edge, chain in chains.items()}
    return Layout({n: where[n] for n in nodes}, bends, len(grid.columns), total)


def _forward(nodes: Sequence[str], edges: Iterable[Edge]) -> list[Edge]:
    """Edges without those that lead back along a path, met depth first."""
    out: dict[str, list[str]] = {n: [] for n in nodes}
    for cause, effect in edges:
        out[cause].append(effect)
    state: dict[str, int] = {}
    kept: list[Edge] = []

    def visit(node: str) -> None:
        state[node] = 1
        for effect in out[node]:
            if state.get(effect) == 1:
                continue
            kept.append((node, effect))
            if effect not in state:
                visit(effect)
        state[node] = 2

    for node in nodes:
        if node not in state:
            visit(node)
    return kept


def _grid(
    nodes: Sequence[str], edges: Sequence[Edge], column: Mapping[str, int]
) -> tuple[_Grid, dict[Edge, tuple[str, ...]]]:
    """Nodes by column, with a slot in every column that an arrow passes."""
    grid = _Grid([[] for _ in range(max(column.values(), default=0) + 1)])
    for n in nodes:
        grid.columns[column[n]].append(n)
    chains: dict[Edge, tuple[str, ...]] = {}
    for cause, effect in edges:
        if column[cause] >= column[effect]:
            chains[cause, effect] = ()
            continue
        passed = range(column[cause] + 1, column[effect])
        slots = tuple(f"{cause}>{effect}@{c}" for c in passed)
        for c, slot in zip(passed, slots, strict=True):
            grid.columns[c].append(slot)
        grid.slots.update(slots)
        chains[cause, effect] = slots
        stops = (cause, *slots, effect)
        for one, other in pairwise(stops):
            grid.after.setdefault(one, []).append(other)
            grid.before.setdefault(other, []).append(one)
    return grid, chains


def _order(grid: _Grid) -> None:
    """Reorder columns by the mean place of neighbours, then by swaps; keep the best."""
    best, fewest = [list(c) for c in grid.columns], _crossings(grid)
    for sweep in range(SWEEPS):
        forth = sweep % 2 == 0
        indices = range(len(grid.columns))
        for c in indices if forth else reversed(indices):
            _by_neighbours(grid, c, grid.before if forth else grid.after)
        _swap(grid)
        now = _crossings(grid)
        if now < fewest:
            best, fewest = [list(c) for c in grid.columns], now
    grid.columns = best


def _by_neighbours(grid: _Grid, c: int, side: Mapping[str, list[str]]) -> None:
    place = {n: k / max(len(col) - 1, 1) for col in grid.columns for k, n in enumerate(col)}

    def middle(n: str) -> float:
        near = side.get(n, [])
        return sum(place[m] for m in near) / len(near) if near else place[n]

    grid.columns[c] = sorted(grid.columns[c], key=middle)


def _swap(grid: _Grid) -> None:
    """Exchange neighbours in a column while that saves crossings."""
    better = True
    while better:
        better = False
        for col in grid.columns:
            for k in range(len(col) - 1):
                now = _crossings(grid)
                col[k], col[k + 1] = col[k + 1], col[k]
                if _crossings(grid) < now:
                    better = True
                else:
                    col[k], col[k + 1] = col[k + 1], col[k]


def _crossings(grid: _Grid) -> int:
    place = {n: k for col in grid.columns for k, n in enumerate(col)}
    count = 0
    for col in grid.columns[:-1]:
        ends = [(place[n], place[m]) for n in col for m in grid.after.get(n, [])]
        count += sum(
            (a - c) * (b - d) < 0 for i, (a, b) in enumerate(ends) for c, d in ends[i + 1 :]
        )
    return count


def _heights(grid: _Grid, sizes: Mapping[str, float]) -> tuple[dict[str, float], float]:
    """Heights by node and slot: columns are centred, then drawn towards their neighbours."""
    every = [n for col in grid.columns for n in col]
    size = {n: SLOT if n in grid.slots else sizes.get(n, 1.0) for n in every}
    total = max((sum(size[n] for n in col) for col in grid.columns), default=1.0)
    y: dict[str, float] = {}
    for col in grid.columns:
        slack = (total - sum(size[n] for n in col)) / (len(col) + 1)
        at = slack
        for n in col:
            y[n] = at + size[n] / 2
            at += size[n] + slack
    for _ in range(SWEEPS):
        for col in grid.columns:
            _settle(col, y, size, total, grid)
    return y, total


def _settle(
    col: Sequence[str], y: dict[str, float], size: Mapping[str, float], total: float, grid: _Grid
) -> None:
    """Move each part of a column to the mean of its neighbours, as far as the others let it."""
    for k, n in enumerate(col):
        near = [y[m] for m in (*grid.before.get(n, []), *grid.after.get(n, []))]
        if not near:
            continue
        low = y[col[k - 1]] + (size[col[k - 1]] + size[n]) / 2 if k else size[n] / 2
        last = k + 1 == len(col)
        high = total - size[n] / 2 if last else y[col[k + 1]] - (size[col[k + 1]] + size[n]) / 2
        y[n] = min(max(sum(near) / len(near), low), max(high, low))
