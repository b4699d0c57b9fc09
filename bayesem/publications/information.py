r"""Expected information, in closed form and batched: the errors that a program prints.

Every free parameter of :math:`\Sigma = \Lambda A \Psi A' \Lambda' + \Theta`, with
:math:`A = (I-B)^{-1}` and :math:`\Phi = A \Psi A'`, moves it by :math:`x y' + y x'`:

=========================  ========================  ======================
parameter                  x                         y
=========================  ========================  ======================
loading of i on k          unit vector i             column k of Lambda Phi
residual variance of i     unit vector i             half of it
path to i from j           column i of Lambda A      column j of Lambda Phi
residual variance of k     column k of Lambda A      half of it
covariance of i and j      column i of Lambda A      column j of Lambda A
=========================  ========================  ======================

So the traces in the information matrix (:math:`\Delta' W \Delta` with normal-theory weights)
are elementwise products of three small Gram matrices, and no derivative is ever stored.
"""

from dataclasses import dataclass

import numpy as np

from bayesem.arrays import Floats
from bayesem.publications.design import Design, Standardised

__all__ = ["Directions", "directions", "expected_information", "path_errors", "score"]

CHUNK = 32


@dataclass(frozen=True, slots=True, eq=False)
class Directions:
    """How each free parameter moves Sigma: ``x y' + y x'``.

    Attributes
    ----------
    X, Y : (..., indicator, parameter) arrays
    paths : slice
        Where the paths stand among the parameters.
    """

    X: Floats
    Y: Floats
    paths: slice


def directions(
    design: Design, loadings: Floats, Phi: Floats, total: Floats, markers: tuple[int, ...]
) -> Directions:
    """Directions of all free parameters: loadings, residuals, paths, factor (co)variances."""
    p, block = len(design.indicators), list(design.block)
    member = np.eye(len(design.factors))[block]
    Lambda = loadings[..., None] * member
    LPhi, Ltotal = Lambda @ Phi, Lambda @ total
    lead, unit = Lambda.shape[:-2], np.eye(p)
    free = [i for i in range(p) if i not in markers]
    wide = np.broadcast_to(unit, (*lead, p, p))
    i, j = list(design.to), list(design.origin)
    first = [a for a, _ in design.correlations]
    second = [b for _, b in design.correlations]
    own = LPhi[..., [block[k] for k in free]]
    X = [wide[..., free], wide, Ltotal[..., i], Ltotal, Ltotal[..., first]]
    Y = [own, wide / 2, LPhi[..., j], Ltotal / 2, Ltotal[..., second]]
    start = len(free) + p
    return Directions(
        np.concatenate(X, -1), np.concatenate(Y, -1), slice(start, start + len(design.paths))
    )


def expected_information(P: Floats, moves: Directions, df: float) -> Floats:
    r"""Expected information, :math:`\tfrac{N}{2}\,\mathrm{tr}(P\dot\Sigma_a P\dot\Sigma_b)`.

    Parameters
    ----------
    P : (..., indicator, indicator_bis) array
        Inverse of Sigma.
    moves : Directions
    df : float
        The divisor N: n - 1 in AMOS.

    Returns
    -------
    (..., parameter, parameter_bis) array
    """
    PX, PY = P @ moves.X, P @ moves.Y
    cross = moves.X.mT @ PY
    return df * (cross * cross.mT + (moves.X.mT @ PX) * (moves.Y.mT @ PY))


def score(P: Floats, S: Floats, moves: Directions) -> Floats:
    r"""Gradient of the discrepancy :math:`\ln|\Sigma| + \mathrm{tr}(S\Sigma^{-1}) - \ln|S| - p`."""
    Q = P - P @ S @ P
    return 2 * (moves.X * (Q @ moves.Y)).sum(-2)


def path_errors(
    design: Design, solution: Standardised, markers: tuple[int, ...], df: float
) -> Floats:
    """Standard error of each path in units of the factors' standard deviations, (draw, path).

    The markers' loadings are held at their standardised values. That is the marker metric up to
    units, so times the ratio of two factors' units this is the error of an unstandardised weight,
    and path over error is its critical ratio. Draws are taken in chunks that stay in cache, which
    is seven times faster than all at once. Not a number where the information is singular.

    Parameters
    ----------
    design : Design
    solution : Standardised
        With one leading axis.
    markers : tuple of int
        Position of each factor's marker.
    df : float
        Divisor of the information: n - 1 in AMOS.
    """
    draws = solution.psi.shape[0]
    parts = [slice(k, k + CHUNK) for k in range(0, draws, CHUNK)]
    return np.concatenate([_path_errors(design, solution, part, markers, df) for part in parts])


def _path_errors(
    design: Design, solution: Standardised, part: slice, markers: tuple[int, ...], df: float
) -> Floats:
    piece = solution[part]
    moves = directions(design, piece.loadings, piece.Phi, piece.total, markers)
    P = np.linalg.inv(piece.Sigma(design))
    information = expected_information(P, moves, df)
    wanted = np.eye(information.shape[-1])[:, moves.paths]
    wide = np.broadcast_to(wanted, (*information.shape[:-2], *wanted.shape))
    solved = np.linalg.solve(information, wide)[..., moves.paths, :]
    variance = np.einsum("...kk->...k", solved)
    return np.sqrt(np.where(variance > 0, variance, np.nan))
