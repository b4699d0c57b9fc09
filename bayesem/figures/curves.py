"""Smooth arrows through given points, and where along them a label has room."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from bayesem.arrays import Floats

__all__ = ["Curve", "curve", "roomiest"]

POINTS = 40
#: Inches between a label and either end of its curve: the arrowhead stays in sight.
CLEAR = 0.09


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A chain of cubic Bezier pieces that leaves and arrives level.

    Attributes
    ----------
    vertices : (3 k + 1, 2) array
        Start, then two handles and an end for each piece.
    points : (point, 2) array
        Evenly spaced in each piece.
    """

    vertices: Floats
    points: Floats


def curve(stops: Sequence[tuple[float, float]]) -> Curve:
    """Lay a curve through points, from left to right.

    Examples
    --------
    >>> curve([(0, 0), (1, 1)]).points[[0, -1]].tolist()
    [[0.0, 0.0], [1.0, 1.0]]
    """
    at = np.asarray(stops, float)
    reach = 0.5 * np.diff(at[:, 0])[:, None] * np.array([[1.0, 0.0]])
    vertices, points = [at[:1]], []
    t = np.linspace(0, 1, POINTS)[:, None]
    for a, b, d in zip(at[:-1], at[1:], reach, strict=True):
        one, two = a + d, b - d
        vertices += [one[None], two[None], b[None]]
        points.append(
            (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * one + 3 * (1 - t) * t**2 * two + t**3 * b
        )
    return Curve(np.concatenate(vertices), np.concatenate(points))


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
    candidates = _clear(own, half[0] + CLEAR)
    scale = np.array(half)
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


def _clear(own: Floats, distance: float) -> Floats:
    """The part of a curve that lies so far from both ends; its middle where it is too short."""
    far = [np.abs(own[:, 0] - end[0]) >= distance for end in (own[0], own[-1])]
    inner = own[far[0] & far[1]]
    return inner if len(inner) else own[len(own) // 2 : len(own) // 2 + 1]
