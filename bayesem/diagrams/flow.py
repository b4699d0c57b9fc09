"""Which layer every root and every long line takes, in which order, and where across."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bayesem.diagrams.blocks import Block, Direction, Side, Sizes, block_of, uv
from bayesem.diagrams.elements import Diagram, Edge
from bayesem.diagrams.layers import align, ordered, passed, ranks

__all__ = ["Flow", "flow_of", "rank_of"]

#: Free space around a block, and around a line that passes through a layer, inches.
APART, LANE, WIDE_LANE = 0.13, 0.09, 0.22
CLOSE = 0.85  # of these, where all stands close
THIN = 0.03
BESIDE = 0.26  # of a line of covariance that stays visible, inches


@dataclass(frozen=True, slots=True)
class Flow:
    """Layers with their order and places across.

    Attributes
    ----------
    rank : mapping of str to int
        The layer of each root.
    layers : tuple of tuple of str
        Roots, and stops of long lines.
    stops : mapping of int to tuple of str
        Names of the stops that the line of a row makes, from its source on.
    blocks : mapping of str to Block
    sides : mapping of str to Side
    across : mapping of str to float
        Places of roots and stops, inches.
    breadth : float
    """

    rank: Mapping[str, int]
    layers: tuple[tuple[str, ...], ...]
    stops: Mapping[int, tuple[str, ...]]
    blocks: Mapping[str, Block]
    sides: Mapping[str, Side]
    across: Mapping[str, float]
    breadth: float


def flow_of(diagram: Diagram, sizes: Sizes, direction: Direction, breadth: float | None) -> Flow:
    """Find layers, order and places.

    Parameters
    ----------
    breadth : float or None
        Room across the flow, inches; None for as little as does.
    """
    roots = diagram.roots
    lines = _lines(diagram)
    rank = rank_of(diagram)
    count = max(rank.values(), default=0) + 1
    layers: list[list[str]] = [[n for n in roots if rank[n] == k] for k in range(count)]
    stops, pairs = _stops(lines, rank, layers, diagram)
    order = ordered(layers, pairs)
    sides = _sides(order, rank, diagram, count)
    ports = _ports(lines, rank)
    blocks = {n: block_of(n, diagram, sizes, sides[n], direction, ports.get(n, 0)) for n in roots}
    reach = {n: (THIN, THIN) for layer in order for n in layer} | {
        n: b.v for n, b in blocks.items()
    }
    lane = LANE if direction == "right" else WIDE_LANE  # labels are wider than high
    share = CLOSE if sizes.close else 1.0
    gap = {n: share * (APART if n in blocks else lane) for n in reach}
    joined = _joined(diagram, blocks, sizes, direction)

    def apart(a: str, b: str) -> float:
        free = reach[a][1] + reach[b][0] + max(gap[a], gap[b])
        return max(free, joined.get(frozenset((a, b)), 0.0))

    least = max((_breadth(layer, reach, apart) for layer in order if layer), default=0.0)
    room = least if breadth is None else max(breadth, least)
    across = align(order, pairs, reach, apart, room)
    return Flow(rank, tuple(map(tuple, order)), stops, blocks, sides, across, room)


def rank_of(diagram: Diagram) -> dict[str, int]:
    """The layer of each root."""
    lines = _lines(diagram)
    pairs = [(a, b) for e, a, b in lines if e.kind != "moderation" and a != b]
    found = ranks(diagram.roots, pairs)
    guests = _guests(diagram)
    if guests and not any(found.values()):
        return {n: int(n not in guests) for n in found}
    return found


def _guests(diagram: Diagram) -> set[str]:
    """Roots that only share the indicators of others, as the factors of a bifactor model do."""
    hosts = set(diagram.parents.values())
    shared = {e.source for e in diagram.of("loading")} - hosts
    return shared & set(diagram.roots)


def _lines(diagram: Diagram) -> list[tuple[Edge, str, str]]:
    """Directed edges with the roots that they join, without loadings of what hangs elsewhere."""
    found = []
    for e in diagram.of("path", "loading", "product", "moderation"):
        a, b = diagram.root(e.source), diagram.root(e.target)
        if e.kind == "loading" and b != e.target:
            continue
        found.append((e, a, b))
    return found


def _stops(
    lines: Sequence[tuple[Edge, str, str]], rank: Mapping[str, int], layers: list[list[str]],
    diagram: Diagram,
) -> tuple[dict[int, tuple[str, ...]], list[tuple[str, str]]]:  # fmt: skip
    """Break long lines at every layer that they pass; adds the stops to the layers."""
    stops: dict[int, tuple[str, ...]] = {}
    pairs: list[tuple[str, str]] = []
    sources = {e.row: a for e, a, _ in lines}
    for e, a, b in lines:
        end = rank[b]
        if e.kind == "moderation" and e.onto is not None:
            end = min(max(rank[a], rank[sources[e.onto]]) + 1, rank[b])
        stops[e.row] = names = passed(layers, str(e.row), rank[a], end)
        last = b if end == rank[b] else _stop_at(e, stops, end)
        chain = [a, *names, *([last] if last else [])]
        pairs += [(x, y) for x, y in pairwise(chain) if x != y]
    at = {n: k for k, layer in enumerate(layers) for n in layer}
    return stops, [(x, y) for x, y in pairs if abs(at[x] - at[y]) == 1]


def _stop_at(edge: Edge, stops: Mapping[int, tuple[str, ...]], layer: int) -> str | None:
    """The stop of the path that a moderation acts on."""
    mine = stops.get(edge.onto if edge.onto is not None else -1, ())
    return mine[0] if mine else None


def _sides(
    order: Sequence[Sequence[str]], rank: Mapping[str, int], diagram: Diagram, count: int
) -> dict[str, Side]:
    """Indicators stand before the first layer, behind the last and, between, outwards."""
    found: dict[str, Side] = {}
    guests = _guests(diagram) if count == 2 and not any(diagram.of("path", "product")) else set()
    for k, layer in enumerate(order):
        for j, n in enumerate(layer):
            if n not in rank:
                continue
            middle: Side = "up" if j < (len(layer) - 1) / 2 else "down"
            found[n] = "back" if k == 0 or guests else "front" if k == count - 1 else middle
    return found


def _ports(lines: Sequence[tuple[Edge, str, str]], rank: Mapping[str, int]) -> dict[str, int]:
    """The larger number of lines at either side of each root."""
    count: dict[tuple[str, bool], int] = {}
    for e, a, b in lines:
        ahead = rank[b] >= rank[a]
        ends = [(a, ahead)] + ([(b, not ahead)] if e.kind != "moderation" else [])
        for end in ends:
            count[end] = count.get(end, 0) + 1
    return {n: max(count.get((n, True), 0), count.get((n, False), 0)) for n, _ in count}


def _joined(
    diagram: Diagram, blocks: Mapping[str, Block], sizes: Sizes, direction: Direction
) -> dict[frozenset[str], float]:
    """Distances of roots that leave room for the label of their covariance."""
    found = {}
    for e in diagram.of("covariance"):
        if e.source in blocks and e.target in blocks and e.row in sizes.labels:
            _, label = uv(sizes.labels[e.row], direction)
            nodes = blocks[e.source].boxes[0].hv + blocks[e.target].boxes[0].hv
            found[frozenset((e.source, e.target))] = nodes + 2 * label + BESIDE
    return found


def _breadth(
    layer: Sequence[str], reach: Mapping[str, tuple[float, float]],
    apart: Callable[[str, str], float],
) -> float:  # fmt: skip
    inner = sum(apart(a, b) for a, b in pairwise(layer))
    return reach[layer[0]][0] + inner + reach[layer[-1]][1]
