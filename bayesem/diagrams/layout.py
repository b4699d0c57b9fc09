"""Places for everything in a path diagram: a pure function of the diagram and its text sizes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bayesem.diagrams.arcs import arcs
from bayesem.diagrams.blocks import Block, Box, Direction, Sizes
from bayesem.diagrams.curves import Point, along, length, meets, rounded, toward
from bayesem.diagrams.elements import Diagram, Edge
from bayesem.diagrams.flow import Flow, flow_of

__all__ = ["Layout", "Route", "lay_out"]

#: A corner is made only where the layer is so much deeper than the node, inches.
DEEPER = 0.2
#: Where along a gap a moderation meets its path; the second one elsewhere.
MEETS = (0.5, 0.34, 0.66, 0.26, 0.74, 0.42, 0.58)
WIDEST_GAP = 2.3


@dataclass(frozen=True, slots=True)
class Route:
    """The line of one parameter, or of a tie (row -1)."""

    row: int
    kind: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """Places on a page, inches from its upper left corner, y downwards.

    Attributes
    ----------
    boxes : mapping of str to Box
        ``u`` and ``v`` are x and y here.
    lists : mapping of str to Box
    routes : tuple of Route
    width, height : float
    """

    boxes: Mapping[str, Box]
    lists: Mapping[str, Box]
    routes: tuple[Route, ...]
    width: float
    height: float


def lay_out(
    diagram: Diagram, sizes: Sizes, direction: Direction, *, width: float | None, gap: float
) -> Layout:
    """Place nodes and lines.

    Parameters
    ----------
    diagram : Diagram
    sizes : Sizes
    direction : {"right", "down"}
        In which the paths lead.
    width : float or None
        Of the page, which a layout from left to right fills; None for no more than is needed.
    gap : float
        Least distance between layers, inches.

    Returns
    -------
    Layout
        Wider than ``width`` where it does not fit.
    """
    room = None if width is None or direction == "right" else width
    flow = flow_of(diagram, sizes, direction, room)
    wide = gap
    if direction == "right" and width is not None and len(flow.layers) > 1:
        first = _page(diagram, flow, gap, direction)
        wide = gap + max(width - first.width, 0.0) / (len(flow.layers) - 1)
        wide = min(wide, max(WIDEST_GAP, gap))
    page = _page(diagram, flow, wide, direction)
    if room is not None and page.width > room and flow.breadth > room - 0.5:
        slim = flow_of(diagram, sizes, direction, room - (page.width - room))
        page = _page(diagram, slim, gap, direction)
    return page


def _page(diagram: Diagram, flow: Flow, gap: float, direction: Direction) -> Layout:
    """Boxes and routes at one distance between layers, moved into the page."""
    depth = _depths(flow, gap)
    boxes, lists = _boxes(flow, depth)
    routes = _routes(diagram, flow, depth, boxes, gap)
    routes += arcs(diagram, flow, boxes)
    routes += _residuals(diagram, flow, boxes)
    done = tuple(Route(r, k, tuple(p)) for r, k, p in routes)
    return _on_page(Layout(boxes, lists, done, 0.0, 0.0), direction)


def _depths(flow: Flow, gap: float) -> list[tuple[float, float, float]]:
    """Start, centre and end of every layer along the flow."""
    found, u = [], 0.0
    for layer in flow.layers:
        mine = [flow.blocks[n].u for n in layer if n in flow.blocks]
        before = max((b for b, _ in mine), default=0.0)
        behind = max((b for _, b in mine), default=0.0)
        found.append((u, u + before, u + before + behind))
        u += before + behind + gap
    return found


def _boxes(
    flow: Flow, depth: Sequence[tuple[float, float, float]]
) -> tuple[dict[str, Box], dict[str, Box]]:
    boxes, lists = {}, {}
    for root, block in flow.blocks.items():
        u, v = depth[flow.rank[root]][1], flow.across[root]
        for b in block.boxes:
            boxes[b.name] = replace(b, u=u + b.u, v=v + b.v)
        if block.list_box is not None:
            b = block.list_box
            lists[root] = replace(b, u=u + b.u, v=v + b.v)
    return boxes, lists


type _Draft = tuple[int, str, list[Point]]


def _routes(
    diagram: Diagram, flow: Flow, depth: Sequence[tuple[float, float, float]],
    boxes: Mapping[str, Box], gap: float,
) -> list[_Draft]:  # fmt: skip
    """All lines but covariances, (row, kind, points)."""
    ellipses = {n for n, node in diagram.nodes.items() if node.shape != "observed"}
    ends = _port_places(diagram, flow, boxes, ellipses)
    done: dict[int, _Draft] = {}
    for e in diagram.of("path", "product", "loading"):
        if e.row in flow.stops and diagram.root(e.source) != diagram.root(e.target):
            points = _through(e, diagram, flow, depth, boxes, ends, ellipses)
        else:
            points = _straight(boxes[e.source], boxes[e.target], e, ellipses)
        done[e.row] = (e.row, e.kind, points)
    met: dict[int, int] = {}
    for e in diagram.of("moderation"):
        onto = e.onto if e.onto is not None else -1
        k = met[onto] = met.get(onto, -1) + 1
        done[e.row] = _onto(e, k, done[onto][2], diagram, flow, depth, boxes, ends, gap)
    ties = [(-1, "tie", _tie(boxes[p], boxes[v])) for p, v in diagram.ties]
    return [*done.values(), *ties]


def _straight(source: Box, target: Box, edge: Edge, ellipses: set[str]) -> list[Point]:
    """A straight line; to what measures the node, to the middle of its inner side."""
    beyond = (source.u - target.u) * target.out[0] + (source.v - target.v) * target.out[1] > 0
    side = 1 if beyond else -1
    end = (target.u + side * target.out[0] * target.hu, target.v + side * target.out[1] * target.hv)
    if edge.kind != "loading" or target.out == (0, 0):
        end = toward(target, (source.u, source.v), ellipse=target.name in ellipses)
    return [toward(source, end, ellipse=source.name in ellipses), end]


def _residuals(diagram: Diagram, flow: Flow, boxes: Mapping[str, Box]) -> list[_Draft]:
    """Short arrows from outside: at the outer side of what measures, at a corner of the others."""
    found: list[_Draft] = []
    for e in diagram.of("residual"):
        b = boxes[e.target]
        side = flow.sides.get(e.target)
        if side is None:
            end = (b.u + b.out[0] * b.hu, b.v + b.out[1] * b.hv)
            start = (end[0] + b.out[0] * 0.32, end[1] + b.out[1] * 0.32)
        else:
            down = 1 if side == "up" or flow.blocks[e.target].list_box else -1
            start = (b.u + 0.3 * b.hu, b.v + down * (b.hv + 0.24))
            end = toward(b, start, ellipse=diagram.nodes[e.target].shape == "factor")
        found.append((e.row, e.kind, [start, end]))
    return found


def _tie(product: Box, part: Box) -> list[Point]:
    return [toward(part, (product.u, product.v), ellipse=True),
            toward(product, (part.u, part.v), ellipse=True)]  # fmt: skip


type _Ends = dict[tuple[int, bool], Point]


def _port_places(
    diagram: Diagram, flow: Flow, boxes: Mapping[str, Box], ellipses: set[str]
) -> _Ends:
    """Where lines leave (row, True) and reach (row, False) the roots, apart from each other."""
    sides: dict[tuple[str, int], list[tuple[float, int, bool]]] = {}
    for e in diagram.of("path", "loading", "product", "moderation"):
        a, b = diagram.root(e.source), diagram.root(e.target)
        if e.row not in flow.stops or a == b:
            continue
        chain = [a, *flow.stops[e.row], b]
        step = 1 if flow.rank[b] >= flow.rank[a] else -1
        if e.source == a:
            sides.setdefault((a, step), []).append((flow.across[chain[1]], e.row, True))
        if e.target == b and e.kind != "moderation":
            sides.setdefault((b, -step), []).append((flow.across[chain[-2]], e.row, False))
    found: _Ends = {}
    for (name, sign), mine in sides.items():
        box = boxes[name]
        for k, (_, row, leaves) in enumerate(sorted(mine)):
            s = 0.78 * ((2 * k + 1) / len(mine) - 1)
            hu = box.hu * (1 - s * s) ** 0.5 if name in ellipses else box.hu
            found[row, leaves] = (box.u + sign * hu, box.v + s * box.hv)
    return found


def _through(
    e: Edge, diagram: Diagram, flow: Flow, depth: Sequence[tuple[float, float, float]],
    boxes: Mapping[str, Box], ends: _Ends, ellipses: set[str],
) -> list[Point]:  # fmt: skip
    """A line from layer to layer."""
    a, b = diagram.root(e.source), diagram.root(e.target)
    step = 1 if flow.rank[b] >= flow.rank[a] else -1
    middle: list[Point] = []
    for k, name in enumerate(flow.stops[e.row], 1):
        low, _, high = depth[flow.rank[a] + step * k]
        v = flow.across[name]
        middle += [(low, v), (high, v)] if step > 0 else [(high, v), (low, v)]
    first, last = ends.get((e.row, True)), ends.get((e.row, False))
    if first is None:
        near = middle[0] if middle else last or (boxes[e.target].u, boxes[e.target].v)
        first = toward(boxes[e.source], near, ellipse=e.source in ellipses)
    else:
        middle = [*_corner(first, depth[flow.rank[a]], step), *middle]
    if last is None:
        middle += _round(boxes[e.target], boxes[b], depth[flow.rank[b]], flow.blocks[b])
        last = toward(boxes[e.target], (middle or [first])[-1], ellipse=e.target in ellipses)
    else:
        middle += _corner(last, depth[flow.rank[b]], -step)
    return rounded([first, *middle, last])


def _round(target: Box, root: Box, depth: tuple[float, float, float], block: Block) -> list[Point]:
    """Corners of a way round a block, to the outer side of what measures its root."""
    if target.out[1]:
        v = target.v + target.out[1] * (target.hv + 0.14)
        return [(depth[0], v), (target.u, v)]
    if target.out[0] > 0:
        below = target.v >= root.v
        v = root.v + block.v[1] + 0.08 if below else root.v - block.v[0] - 0.08
        u = target.u + target.hu + 0.16
        return [(depth[0], v), (u, v), (u, target.v)]
    return []


def _corner(port: Point, depth: tuple[float, float, float], step: int) -> list[Point]:
    """Go straight through the layer where other blocks are much deeper than the node."""
    edge = depth[2] if step > 0 else depth[0]
    return [(edge, port[1])] if abs(edge - port[0]) > DEEPER else []


def _onto(
    e: Edge, k: int, path: list[Point], diagram: Diagram, flow: Flow,
    depth: Sequence[tuple[float, float, float]], boxes: Mapping[str, Box], ends: _Ends, gap: float,
) -> _Draft:  # fmt: skip
    """A moderation: from its node to a point of the path, in the gap that both pass."""
    a = diagram.root(e.source)
    stops = flow.stops[e.row]
    layer = flow.rank[a] + len(stops)
    if layer >= flow.rank[diagram.root(e.target)]:
        layer = flow.rank[diagram.root(e.target)] - 1
    t = MEETS[k % len(MEETS)]
    point = meets(path, depth[layer][2] + t * gap)
    if point == path[-1]:
        point = along(path, t * length(path))
    middle: list[Point] = []
    for j, name in enumerate(stops, 1):
        low, _, high = depth[flow.rank[a] + j]
        middle += [(low, flow.across[name]), (high, flow.across[name])]
    first = ends.get((e.row, True)) or toward(boxes[e.source], (middle or [point])[0], ellipse=True)
    if e.source == a and layer >= flow.rank[a]:
        middle = [*_corner(first, depth[flow.rank[a]], 1), *middle]
    return e.row, e.kind, rounded([first, *middle, point])


def _on_page(layout: Layout, direction: Direction) -> Layout:
    """Turn (u, v) to (x, y) and move everything so that the page starts at 0."""
    flat = direction == "right"

    def turned(b: Box) -> Box:
        if flat:
            return b
        return replace(b, u=b.v, v=b.u, hu=b.hv, hv=b.hu, out=(b.out[1], b.out[0]))

    boxes = {n: turned(b) for n, b in layout.boxes.items()}
    lists = {n: turned(b) for n, b in layout.lists.items()}
    routes = [replace(r, points=tuple(p if flat else (p[1], p[0]) for p in r.points))
              for r in layout.routes]  # fmt: skip
    every = [*boxes.values(), *lists.values()]
    points = [p for r in routes for p in r.points]
    x = min([b.u - b.hu for b in every] + [p[0] for p in points])
    y = min([b.v - b.hv for b in every] + [p[1] for p in points])
    right = max([b.u + b.hu for b in every] + [p[0] for p in points])
    bottom = max([b.v + b.hv for b in every] + [p[1] for p in points])

    def moved(b: Box) -> Box:
        return replace(b, u=b.u - x, v=b.v - y)

    return Layout(
        {n: moved(b) for n, b in boxes.items()},
        {n: moved(b) for n, b in lists.items()},
        tuple(replace(r, points=tuple((p - x, q - y) for p, q in r.points)) for r in routes),
        right - x,
        bottom - y,
    )
