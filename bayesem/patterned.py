r"""Correlation matrices with a pattern of zeros, drawn exactly: the onion with layers left open.

Variables are added one by one, those with few free correlations first. The free correlations of a
new variable lie inside an ellipsoid (:mod:`bayesem.correlations`), and the density of the whole is
:math:`\det(R)^{\eta-1} = \prod_i (1-q_i)^{\eta-1}`, where :math:`q_i` is how far out in its
ellipsoid a row lies. What a row's ellipsoid holds depends on the rows before it. Where a row is
full, that is a power of their :math:`1-q_i` and goes into how these are drawn; where it has
zeros, it is :math:`\sqrt{\det R_{FS}/\det R_S} \le 1`, F being the free places and S the zeros, and
draws are kept with that probability. So the draws are independent and exact, and matrices of ten
variables, of which next to none of a cube's points are admissible, come at once.

References
----------
.. [1] Lewandowski, Kurowicka & Joe (2009), Generating random correlation matrices based on vines
   and extended onion method. *Journal of Multivariate Analysis* 100, section 3.2.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bayesem.arrays import Floats
from bayesem.correlations import Member

__all__ = ["draw_patterned", "log_patterned_mass"]

#: Batches after which a pattern counts as hopeless, and after which it does if none was kept.
ROUNDS, IN_VAIN = 400, 50
LEAST = 256


@dataclass(frozen=True, slots=True)
class _Row:
    """One variable's turn: the earlier ones it goes with, those it does not, and the power of
    ``1 - q`` that its place is drawn by."""

    variable: int
    free: tuple[int, ...]
    zero: tuple[int, ...]
    power: float


def draw_patterned(
    members: Sequence[Member], order: int, eta: float, size: int, rng: np.random.Generator
) -> Floats:
    """Free correlations with density proportional to ``det(R) ** (eta - 1)``.

    Parameters
    ----------
    members : sequence of (parameter, row, column)
        The free places.
    order : int
        Number of variables.
    eta : float
        Above 0; 1 is uniform over the admissible matrices.
    size : int
    rng : numpy.random.Generator

    Returns
    -------
    (size, k) array
        In the order of ``members``; missing where a pattern is too tight to be met.
    """
    rows = _rows(members, order, eta)
    out = np.full((size, len(members)), np.nan)
    done = 0
    for batch in range(1, ROUNDS + 1):
        R, keep = _propose(rows, max(size, LEAST), rng)
        kept = R[rng.uniform(size=len(keep)) < keep][: size - done]
        for a, (_, i, j) in enumerate(members):
            out[done : done + len(kept), a] = kept[:, i, j]
        done += len(kept)
        if done == size or (done == 0 and batch == IN_VAIN):
            break
    return out


def log_patterned_mass(
    members: Sequence[Member], order: int, eta: float, size: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Log integral of ``det(R) ** (eta - 1)`` over the free correlations, and its standard error.

    Parameters
    ----------
    members, order, eta
        As in :func:`draw_patterned`.
    size : int
        Draws by which the share that is kept is estimated; all are kept where the zeros are nested.
    rng : numpy.random.Generator
    """
    rows = _rows(members, order, eta)
    balls = sum(_log_ball(len(row.free), row.power) for row in rows if row.free)
    _, keep = _propose(rows, size, rng)
    mean = float(keep.mean())
    return balls + math.log(mean), float(keep.std(ddof=1)) / math.sqrt(size) / mean


def _rows(members: Sequence[Member], order: int, eta: float) -> list[_Row]:
    """Variables in turn, those with the fewest free correlations first."""
    pairs = {frozenset(pair) for _, *pair in members}
    degree = [sum(v in pair for pair in pairs) for v in range(order)]
    turn = sorted(range(order), key=lambda v: (degree[v], v))
    free = [tuple(u for u in turn[:a] if {u, v} in pairs) for a, v in enumerate(turn)]
    full = [a > 0 and len(f) == a for a, f in enumerate(free)]
    return [
        _Row(v, free[a], tuple(u for u in turn[:a] if u not in free[a]),
             eta - 1 + sum(full[a + 1 :]) / 2)
        for a, v in enumerate(turn)
    ]  # fmt: skip


def _propose(rows: Sequence[_Row], size: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Matrices (size, order, order), and the probability with which each is to be kept."""
    R = np.broadcast_to(np.eye(len(rows)), (size, len(rows), len(rows))).copy()
    keep = np.ones(size)
    for row in rows:
        if not row.free:
            continue
        F, S = list(row.free), list(row.zero)
        earlier = [*F, *S]
        inverse = np.linalg.inv(_part(R, earlier))[:, : len(F), : len(F)]
        C = np.linalg.cholesky(inverse)
        if S:  # volume of the ellipsoid against that of the ball
            keep *= np.exp(-np.log(np.einsum("nii->ni", C)).sum(1))
        w = _in_ball(len(F), row.power, size, rng)
        r = np.linalg.solve(C.mT, w[..., None])[..., 0]
        R[:, row.variable, F] = R[:, F, row.variable] = r
    return R, keep


def _part(R: Floats, at: list[int]) -> Floats:
    return R[:, at][:, :, at]


def _in_ball(k: int, power: float, size: int, rng: np.random.Generator) -> Floats:
    """Points of the unit ball with density proportional to ``(1 - |w|^2) ** power``, (size, k)."""
    direction = rng.standard_normal((size, k))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    return direction * np.sqrt(rng.beta(k / 2, power + 1, size))[:, None]


def _log_ball(k: int, power: float) -> float:
    """Log integral of ``(1 - |w|^2) ** power`` over the unit ball of k dimensions."""
    half = k / 2
    return half * math.log(math.pi) + math.lgamma(power + 1) - math.lgamma(half + power + 1)
