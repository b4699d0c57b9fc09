"""Places for the labels of lines: on their own line, clear of nodes and of each other."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bayesem.arrays import Floats
from bayesem.diagrams.blocks import Box
from bayesem.diagrams.curves import Point, along, length
from bayesem.diagrams.layout import Layout, Route

__all__ = ["Label", "place_labels", "roomiest"]

#: Shares of a line's length at which a label may stand, the best first.
SHARES = tuple(sorted((k / 40 for k in range(4, 37)), key=lambda t: abs(t - 0.42)))
CLEAR = 0.015  # inches around a label
HEAD = 0.1  # inches that an arrowhead takes, and the least to either end of a curve
DOT = 0.05


@dataclass(frozen=True, slots=True)
class Label:
    """Where the label of a row stands: centre and size, inches, and whether it left its line."""

    row: int
    x: float
    y: float
    w: float
    h: float
    away: bool = False


def place_labels(
    layout: Layout, sizes: Mapping[int, tuple[float, float]], obstacles: Sequence[Box] = ()
) -> tuple[Label, ...]:
    """Place a label for every route that has one.

    Parameters
    ----------
    layout : Layout
    sizes : mapping of int to (float, float)
        Width and height by row, inches.
    obstacles : sequence of Box
        Further things to stay clear of.

    Returns
    -------
    tuple of Label
        None overlaps a node, a list, a dot of a moderation or another label.
    """
    taken = [_edges(b) for b in (*layout.boxes.values(), *layout.lists.values(), *obstacles)]
    dots = [r.points[-1] for r in layout.routes if r.kind == "moderation"]
    taken += [(x - DOT, y - DOT, x + DOT, y + DOT) for x, y in dots]
    lines = _segments(layout.routes)
    found = []
    mine = [r for r in layout.routes if r.row in sizes]
    for route in sorted(
        mine, key=lambda r: (r.kind not in ("loading", "residual"), length(r.points), r.row)
    ):
        label = _place(route, sizes[route.row], taken, lines, layout)
        taken.append(
            (label.x - label.w / 2 - CLEAR, label.y - label.h / 2 - CLEAR,
             label.x + label.w / 2 + CLEAR, label.y + label.h / 2 + CLEAR)
        )  # fmt: skip
        found.append(label)
    return tuple(found)


def _edges(b: Box) -> tuple[float, float, float, float]:
    return b.u - b.hu - CLEAR, b.v - b.hv - CLEAR, b.u + b.hu + CLEAR, b.v + b.hv + CLEAR


def _segments(routes: Sequence[Route]) -> tuple[Floats, np.ndarray]:
    """All straight pieces, (piece, 4), and the row of each."""
    pieces, rows = [], []
    for r in routes:
        for a, b in zip(r.points, r.points[1:], strict=False):
            pieces.append((*a, *b))
            rows.append(r.row)
    return np.array(pieces, float).reshape(-1, 4), np.array(rows, int)


def _place(
    route: Route, size: tuple[float, float], taken: Sequence[tuple[float, float, float, float]],
    lines: tuple[Floats, np.ndarray], layout: Layout,
) -> Label:  # fmt: skip
    """The best free place on the line; else the nearest free one around its middle."""
    boxes = np.array(taken, float).reshape(-1, 4)
    w, h = size
    total = length(route.points)
    best: tuple[float, Point] | None = None
    for rank, share in enumerate(_shares(route, size, total)):
        x, y = along(route.points, share * total)
        if _hit(boxes, x, y, w, h):
            continue
        cost = 0.02 * rank + _crossed(lines, route.row, x, y, w, h)
        if best is None or cost < best[0]:
            best = (cost, (x, y))
        if best[0] <= 0.02 * (rank + 1):
            break
    if best is not None:
        return Label(route.row, *best[1], w, h)
    return Label(route.row, *_around(along(route.points, total / 2), boxes, w, h), w, h, away=True)


def _shares(route: Route, size: tuple[float, float], total: float) -> Sequence[float]:
    """Of a loading, just before its arrowhead, so that the labels of a stack are in line."""
    if route.kind == "residual":
        return (0.0, 0.1, 0.25, 0.4)
    if route.kind == "covariance":
        return sorted(SHARES, key=lambda t: abs(t - 0.5))
    if route.kind != "loading" or total == 0:
        return SHARES
    (x0, y0), (x1, y1) = route.points[-2], route.points[-1]
    flat = abs(x1 - x0) >= abs(y1 - y0)
    cosine = max(abs(x1 - x0) if flat else abs(y1 - y0), 1e-9) / max(total, 1e-9)
    back = (size[0 if flat else 1] / 2 + HEAD) / max(cosine, 0.2)
    return [1 - back / total, *SHARES] if back < total else SHARES


def _hit(boxes: Floats, x: float, y: float, w: float, h: float) -> bool:
    x0, y0, x1, y1 = boxes.T
    overlap = (x0 < x + w / 2) & (x1 > x - w / 2) & (y0 < y + h / 2) & (y1 > y - h / 2)
    return bool(overlap.any())


def _crossed(
    lines: tuple[Floats, np.ndarray], row: int, x: float, y: float, w: float, h: float
) -> float:
    """How many other lines the label would cover."""
    pieces, rows = lines
    x0, y0, x1, y1 = pieces.T
    near = (np.minimum(x0, x1) < x + w / 2) & (np.maximum(x0, x1) > x - w / 2)
    near &= (np.minimum(y0, y1) < y + h / 2) & (np.maximum(y0, y1) > y - h / 2) & (rows != row)
    if not near.any():
        return 0.0
    a, owners = pieces[near], rows[near]
    corners = np.array([(x + i * w / 2, y + j * h / 2) for i in (-1, 1) for j in (-1, 1)])
    side = (a[:, None, 2] - a[:, None, 0]) * (corners[None, :, 1] - a[:, None, 1]) - (
        a[:, None, 3] - a[:, None, 1]
    ) * (corners[None, :, 0] - a[:, None, 0])
    inside = (side.max(1) > 0) & (side.min(1) < 0)
    return float(len(set(owners[inside].tolist())))


def _around(start: Point, boxes: Floats, w: float, h: float) -> Point:
    """The nearest free place: rings of growing radius."""
    step = 0.06
    for ring in range(1, 400):
        for k in range(8 * ring):
            angle = 2 * np.pi * k / (8 * ring)
            x, y = start[0] + step * ring * np.cos(angle), start[1] + step * ring * np.sin(angle)
            if not _hit(boxes, x, y, w, h):
                return float(x), float(y)
    return start


def roomiest(
    own: Floats,
    others: Iterable[Floats],
    boxes: Sequence[tuple[float, float, float, float]],
    half: tuple[float, float],
) -> tuple[float, float]:
    """The point of a curve about which a label of a half-width and half-height has most room.

    Parameters
    ----------
    own : (point, 2) array
    others : iterable of (point, 2) arrays
        What the label shall keep clear of.
    boxes : sequence of (x, y, half-width, half-height)
        Nodes and labels that it must not touch.
    half : (float, float)
    """
    scale = np.array(half)
    candidates = _clear(own, scale + HEAD)
    cloud = np.concatenate([*others, np.full((1, 2), 1e6)])
    near = np.abs(candidates[:, None] - cloud[None]) / scale
    room = near.max(-1).min(-1)
    room = np.minimum(room, 2.5)
    for x, y, w, h in boxes:
        gap = np.abs(candidates - (x, y)) - (w, h) - scale
        touching = (gap < 0).all(-1)
        room = np.where(touching, room - 10, room)
    middle = np.abs(np.linspace(-1, 1, len(candidates)))
    best = int(np.argmax(room - 0.3 * middle))
    return float(candidates[best, 0]), float(candidates[best, 1])


def _clear(own: Floats, distance: Floats) -> Floats:
    """The part of a curve so far across or along from both ends; its middle if it is too short."""
    far = [(np.abs(own - end) >= distance).any(1) for end in (own[0], own[-1])]
    inner = own[far[0] & far[1]]
    return inner if len(inner) else own[len(own) // 2 : len(own) // 2 + 1]
