"""Curves of covariances, and which of them stand in a table because curves would be a thicket."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from bayesem.diagrams.blocks import Box
from bayesem.diagrams.curves import Point, arc, rounded
from bayesem.diagrams.elements import Diagram, Edge
from bayesem.diagrams.flow import Flow

__all__ = ["arcs", "with_tables"]

#: More covariances among the nodes of one layer than this are printed as a table, or across layers.
MOST_ARCS, MOST_ALONE, MOST_ACROSS = 3, 10, 6
ACROSS, NONE = -1, -2
#: Inches from the drawing to the first line round it, and to each further one.
FIRST_LANE, LANES = 0.2, 0.13


def with_tables(diagram: Diagram, rank: Mapping[str, int]) -> Diagram:
    """Mark covariances that are too many to draw: among roots of a layer, or across layers.

    Parameters
    ----------
    rank : mapping of str to int
        The layer of each root.
    """
    counts = Counter(where for e in diagram.of("covariance") if (where := _where(e, rank)) != NONE)
    most = MOST_ALONE if max(rank.values(), default=0) == 0 else MOST_ARCS
    full = {k for k, n in counts.items() if n > (MOST_ACROSS if k == ACROSS else most)}
    edges = tuple(
        replace(e, kind="tabled") if e.kind == "covariance" and _where(e, rank) in full else e
        for e in diagram.edges
    )
    return replace(diagram, edges=edges)


def _where(edge: Edge, rank: Mapping[str, int]) -> int:
    """The layer of both roots, ``ACROSS`` for those of two, ``NONE`` for what is no root."""
    if edge.source not in rank or edge.target not in rank:
        return NONE
    one, other = rank[edge.source], rank[edge.target]
    return one if one == other else ACROSS


def arcs(
    diagram: Diagram, flow: Flow, boxes: Mapping[str, Box]
) -> list[tuple[int, str, list[Point]]]:
    """The curve of every covariance that is drawn, (row, kind, points)."""
    found: list[tuple[int, str, list[Point]]] = []
    whole = _bounds(boxes)
    lane = 0
    for e in diagram.of("covariance"):
        a, b = boxes[e.source], boxes[e.target]
        roots = e.source in flow.rank and e.target in flow.rank
        if roots and flow.rank[e.source] == flow.rank[e.target]:
            points = _beside(a, b, flow)
        elif a.out != b.out and (0, 0) not in (a.out, b.out):
            points = _lane(a, b, whole, FIRST_LANE + LANES * lane)
            lane += 1
        else:
            points = _outside(a, b, flow)
        found.append((e.row, e.kind, points))
    return found


def _bounds(boxes: Mapping[str, Box]) -> tuple[float, float, float, float]:
    every = list(boxes.values())
    return (min(b.u - b.hu for b in every), min(b.v - b.hv for b in every),
            max(b.u + b.hu for b in every), max(b.v + b.hv for b in every))  # fmt: skip


def _lane(a: Box, b: Box, whole: tuple[float, float, float, float], away: float) -> list[Point]:
    """Round the whole drawing, between indicators that look in different directions."""
    across = next((x.out[1] for x in (a, b) if x.out[1]), -1)
    v = whole[1] - away if across < 0 else whole[3] + away

    def way(box: Box) -> list[Point]:
        start = (box.u + box.out[0] * box.hu, box.v + box.out[1] * box.hv)
        if box.out[1] == across:
            return [start, (box.u, v)]
        side = box.out[0]
        u = (whole[0] - away if side < 0 else whole[2] + away) if side else whole[2] + away
        turn = [] if side else [(box.u, start[1] + box.out[1] * away)]
        return [start, *turn, (u, (turn or [start])[-1][1]), (u, v)]

    return rounded([*way(a), *reversed(way(b))])


def _beside(a: Box, b: Box, flow: Flow) -> list[Point]:
    """Between two roots of a layer: neighbours directly, others round those between."""
    if a.v > b.v:
        a, b = b, a
    layer = flow.layers[flow.rank[a.name]]
    roots = [n for n in layer if n in flow.rank]
    i, j = roots.index(a.name), roots.index(b.name)
    alone, last = len(flow.layers) == 1, flow.rank[a.name] == len(flow.layers) - 1
    sign = 1 if alone or last else -1
    s, t = a.v + 0.9 * a.hv, b.v - 0.9 * b.hv
    if j - i == 1:
        lean = 0.1 + 0.12 * (t - s)
        start, end = (a.u + sign * 0.4 * a.hu, s), (b.u + sign * 0.4 * b.hu, t)
        return arc(start, (start[0] + sign * lean, s + (t - s) * 0.3), end,
                   (end[0] + sign * lean, t - (t - s) * 0.3))  # fmt: skip
    between = max(flow.blocks[n].boxes[0].hu for n in roots[i : j + 1])
    out = (between + 0.14 + 0.3 * (j - i - 1)) / 0.75
    start = (a.u + sign * 0.75 * a.hu, a.v + 0.66 * a.hv)
    end = (b.u + sign * 0.75 * b.hu, b.v - 0.66 * b.hv)
    return arc(start, (a.u + sign * out, s), end, (b.u + sign * out, t))


def _outside(a: Box, b: Box, flow: Flow) -> list[Point]:
    """Leave both nodes where they look outwards; roots leave away from what measures them."""
    far = ((a.u - b.u) ** 2 + (a.v - b.v) ** 2) ** 0.5
    reach = min(0.16 + 0.32 * far, 1.1)
    up = -1 if (a.v + b.v) / 2 < flow.breadth / 2 else 1
    away = {"down": -1, "up": 1}
    (p, m), (q, n) = (
        _leave(x, reach, away.get(flow.sides.get(x.name, "back"), up)) for x in (a, b)
    )
    return arc(p, m, q, n)


def _leave(box: Box, reach: float, up: int) -> tuple[Point, Point]:
    """The point on a box's outer side, and the control point before it."""
    x, y = box.out if box.out != (0, 0) else (0, up)
    start = (box.u + x * box.hu, box.v + y * box.hv)
    return start, (start[0] + x * reach, start[1] + y * reach)
