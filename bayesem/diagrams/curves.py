"""Points of lines: where they leave a node, rounded corners, arcs, and places along them."""

import math
from collections.abc import Sequence
from itertools import pairwise

from bayesem.diagrams.blocks import Box

__all__ = ["along", "arc", "length", "meets", "rounded", "spline", "toward"]

type Point = tuple[float, float]

RADIUS = 0.12
STEPS = 24
FINE = 40  # of a piece of a spline


def toward(box: Box, point: Point, *, ellipse: bool) -> Point:
    """Where the line from a box's centre to a point crosses its outline."""
    du, dv = point[0] - box.u, point[1] - box.v
    if du == dv == 0:
        return box.u, box.v
    if ellipse:
        scale = 1 / math.hypot(du / box.hu, dv / box.hv)
    else:
        scale = min(box.hu / abs(du) if du else math.inf, box.hv / abs(dv) if dv else math.inf)
    return box.u + du * min(scale, 1.0), box.v + dv * min(scale, 1.0)


def arc(start: Point, out: Point, end: Point, into: Point, steps: int = STEPS) -> list[Point]:
    """A cubic curve; ``out`` and ``into`` are its inner control points."""
    found = []
    for k in range(steps + 1):
        t = k / steps
        a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3
        found.append(
            (
                a * start[0] + b * out[0] + c * into[0] + d * end[0],
                a * start[1] + b * out[1] + c * into[1] + d * end[1],
            )
        )
    return found


def spline(stops: Sequence[Point]) -> list[Point]:
    """A smooth line through points, from left to right, that leaves and arrives level.

    Examples
    --------
    >>> spline([(0, 0), (1, 1)])[::20]
    [(0.0, 0.0), (0.5, 0.5), (1.0, 1.0)]
    """
    found = [(float(stops[0][0]), float(stops[0][1]))]
    for a, b in pairwise(stops):
        middle = (a[0] + b[0]) / 2
        found += arc(a, (middle, a[1]), (b[0], b[1]), (middle, b[1]), FINE)[1:]
    return found


def rounded(points: Sequence[Point]) -> list[Point]:
    """A line with rounded corners."""
    found = [points[0]]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        a, b = math.dist(before, corner), math.dist(corner, after)
        if min(a, b) < 1e-6:
            continue
        r, s = min(RADIUS, a / 2), min(RADIUS, b / 2)
        first = _between(corner, before, r / a)
        last = _between(corner, after, s / b)
        found += arc(first, _between(first, corner, 0.6), last, _between(last, corner, 0.6), 6)
    found.append(points[-1])
    return found


def _between(a: Point, b: Point, t: float) -> Point:
    return a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t


def length(points: Sequence[Point]) -> float:
    """Of a line, inches."""
    return sum(math.dist(a, b) for a, b in pairwise(points))


def along(points: Sequence[Point], distance: float) -> Point:
    """The point at some distance from the start of a line.

    Examples
    --------
    >>> along([(0, 0), (2, 0), (2, 2)], 3)
    (2.0, 1.0)
    """
    left = distance
    for a, b in pairwise(points):
        step = math.dist(a, b)
        if step >= left and step > 0:
            t = max(left, 0.0) / step
            return float(a[0] + (b[0] - a[0]) * t), float(a[1] + (b[1] - a[1]) * t)
        left -= step
    return points[-1]


def meets(points: Sequence[Point], u: float) -> Point:
    """The point of a line at which it first reaches a depth ``u``; its end if it never does."""
    for a, b in pairwise(points):
        if min(a[0], b[0]) <= u <= max(a[0], b[0]) and a[0] != b[0]:
            return _between(a, b, (u - a[0]) / (b[0] - a[0]))
    return points[-1]
