r"""Correlation matrices with a pattern of zeros, laid out on a cube.

Going through the variables of a block in order, the correlations of a new variable with the earlier
ones are admissible exactly inside an ellipsoid, :math:`r_F^\top (R^{-1})_{FF}\, r_F < 1`, where R
holds the earlier variables and F the free places. Scaling it to a ball and the ball to a cube gives
smooth coordinates in (-1, 1) without walls, whatever the pattern; for a full matrix they are
partial correlations (Lewandowski, Kurowicka & Joe 2009).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["Member", "from_cube", "rows_of", "to_cube"]

type Member = tuple[int, int, int]


def rows_of(members: Sequence[Member], order: int) -> list[tuple[list[int], list[int]]]:
    """By variable: positions among the members of its free correlations, and their columns."""
    rows: list[tuple[list[int], list[int]]] = [([], []) for _ in range(order)]
    sortable = sorted((max(i, j), min(i, j), k) for k, (_, i, j) in enumerate(members))
    for row, column, k in sortable:
        rows[row][0].append(k)
        rows[row][1].append(column)
    return rows


def from_cube(z: Any, members: Sequence[Member], order: int, *, xp: Any = np) -> tuple[Any, Any]:
    """Correlations from coordinates in the cube.

    Parameters
    ----------
    z : (..., k) array
        In (-1, 1), in the order of ``members``.
    members : sequence of (parameter, row, column)
        The free places.
    order : int
        Number of variables.
    xp : module, default numpy
        Pass ``pytensor.tensor`` (without leading axes) to build a graph.

    Returns
    -------
    r : (..., k) array
    log_jacobian : (...) array
        Log absolute determinant of dr/dz.
    """
    found: list[Any] = [None] * len(members)
    places: dict[tuple[int, int], Any] = {}
    log_jacobian = xp.zeros_like(z[..., 0])
    for i, (which, columns) in enumerate(rows_of(members, order)):
        if not which:
            continue
        C = _factor(places, i, columns, z, xp)
        w, rest = [], xp.ones_like(z[..., 0])
        for k in which:
            w.append(z[..., k] * xp.sqrt(rest))
            log_jacobian = log_jacobian + 0.5 * xp.log(rest)
            rest = rest - w[-1] ** 2
        r = (xp.linalg.inv(C).mT @ xp.stack(w, -1)[..., None])[..., 0]
        for a, (k, column) in enumerate(zip(which, columns, strict=True)):
            found[k] = places[i, column] = r[..., a]
            log_jacobian = log_jacobian - xp.log(C[..., a, a])
    return xp.stack(found, -1), log_jacobian


def to_cube(r: Any, members: Sequence[Member], order: int, *, xp: Any = np) -> Any:
    """The inverse of :func:`from_cube`, (..., k) to (..., k)."""
    found: list[Any] = [None] * len(members)
    places = {(max(i, j), min(i, j)): r[..., k] for k, (_, i, j) in enumerate(members)}
    for i, (which, columns) in enumerate(rows_of(members, order)):
        if not which:
            continue
        C = _factor(places, i, columns, r, xp)
        here = xp.stack([r[..., k] for k in which], -1)
        w = (C.mT @ here[..., None])[..., 0]
        rest = xp.ones_like(r[..., 0])
        for a, k in enumerate(which):
            found[k] = w[..., a] / xp.sqrt(rest)
            rest = rest - w[..., a] ** 2
    return xp.stack(found, -1)


def _factor(places: Any, i: int, columns: list[int], like: Any, xp: Any) -> Any:
    """Cholesky factor of the free part of the inverse of the earlier variables' correlations."""
    one, zero = xp.ones_like(like[..., 0]), xp.zeros_like(like[..., 0])
    rows = [
        xp.stack(
            [one if a == b else places.get((max(a, b), min(a, b)), zero) for b in range(i)], -1
        )
        for a in range(i)
    ]
    inverse = xp.linalg.inv(xp.stack(rows, -2))
    free = inverse[..., columns, :][..., :, columns]
    return xp.linalg.cholesky(free)
