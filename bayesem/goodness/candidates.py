"""Parameters that a model fixes at 0 and that might be freed, one by one."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bayesem.arrays import Floats, Ints
from bayesem.matrices import Matrices
from bayesem.partable import ParameterTable
from bayesem.variables import reach, structure

__all__ = ["Candidate", "candidates", "moment_slopes", "scores", "standardisers"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A cell of one matrix that is 0 in the model.

    Attributes
    ----------
    lhs, op, rhs : str
        As lavaan writes the parameter.
    kind : str
        ``loading path correlation``.
    matrix : str
        ``Lambda Beta Psi Theta``.
    i, j : int
    """

    lhs: str
    op: str
    rhs: str
    kind: str
    matrix: str
    i: int
    j: int


def candidates(table: ParameterTable) -> tuple[Candidate, ...]:
    """Cross-loadings, residual correlations, omitted paths and covariances of factors.

    Paths that would close a feedback loop are left out, and so is what concerns only predictors
    that are conditioned on. Whether the data can tell a candidate is not asked here.
    """
    return (*_loadings(table), *_residuals(table), *_paths(table), *_covariances(table))


def _open(table: ParameterTable, matrix: str, i: int, j: int) -> bool:
    """Whether a cell is 0: not mentioned, or fixed there."""
    row = table.cell(matrix, i, j)
    return row is None or row.value == 0


def _own(table: ParameterTable) -> list[int]:
    """Indicators with a residual of their own: not those that stand among the factors."""
    return [k for k, v in enumerate(table.indicators) if v not in table.phantoms]


def _loadings(table: ParameterTable) -> Iterator[Candidate]:
    first = [k for k in range(len(table.latent)) if any(
        r.matrix == "Lambda" and r.j == k for r in table.rows)]  # fmt: skip
    for k in first:
        for i in _own(table):
            if _open(table, "Lambda", i, k):
                yield Candidate(
                    table.factors[k], "=~", table.indicators[i], "loading", "Lambda", i, k
                )


def _residuals(table: ParameterTable) -> Iterator[Candidate]:
    own = _own(table)
    for a, i in enumerate(own):
        for j in own[a + 1 :]:
            if _open(table, "Theta", i, j):
                names = table.indicators[i], table.indicators[j]
                yield Candidate(names[0], "~~", names[1], "correlation", "Theta", i, j)


def _free_factors(table: ParameterTable) -> list[int]:
    return [k for k, v in enumerate(table.factors) if v not in table.fixed_x]


def _paths(table: ParameterTable) -> Iterator[Candidate]:
    leads = reach(structure(table))
    for i in _free_factors(table):
        for j, source in enumerate(table.factors):
            if i != j and not leads[j, i] and _open(table, "Beta", i, j):
                yield Candidate(table.factors[i], "~", source, "path", "Beta", i, j)


def _covariances(table: ParameterTable) -> Iterator[Candidate]:
    free = _free_factors(table)
    variance = {r.i for r in table.rows if r.matrix == "Psi" and r.i == r.j and r.value != 0}
    for a, i in enumerate(free):
        for j in free[a + 1 :]:
            if {i, j} <= variance and _open(table, "Psi", i, j):
                names = table.factors[i], table.factors[j]
                yield Candidate(names[0], "~~", names[1], "correlation", "Psi", i, j)


def standardisers(found: tuple[Candidate, ...], M: Matrices) -> Floats:
    """What a raw candidate is multiplied by to be standardised, (..., candidate).

    Loadings and paths by the sd of the source over that of the target (std.all), covariances by the
    residual sds (a residual correlation).
    """
    Phi = np.sqrt(np.diagonal(M.Phi, axis1=-2, axis2=-1))
    sd = np.sqrt(np.diagonal(M.Sigma, axis1=-2, axis2=-1))
    residual = {
        name: np.sqrt(np.diagonal(getattr(M, name), axis1=-2, axis2=-1))
        for name in ("Psi", "Theta")
    }

    def one(c: Candidate) -> Floats:
        if c.kind == "correlation":
            return np.asarray(1 / (residual[c.matrix][..., c.i] * residual[c.matrix][..., c.j]))
        return np.asarray(Phi[..., c.j] / (sd if c.matrix == "Lambda" else Phi)[..., c.i])

    return np.stack([one(c) for c in found], -1)


def moment_slopes(found: tuple[Candidate, ...], M: Matrices) -> tuple[Floats, Floats]:
    """Derivatives of the implied moments by each candidate at one point.

    Returns
    -------
    dmu : (candidate, indicator) array
    dSigma : (candidate, indicator, indicator_bis) array
    """
    LA, LPhi, mean = M.Lambda @ M.A, M.Lambda @ M.Phi, M.factor_mean
    half = np.zeros((len(found), *M.Theta.shape))
    dmu = np.zeros((len(found), len(M.nu)))
    for k, c in enumerate(found):
        if c.matrix == "Theta":
            half[k, c.i, c.j] = 1
        elif c.matrix == "Psi":
            half[k] = np.outer(LA[:, c.i], LA[:, c.j])
        elif c.matrix == "Lambda":
            half[k, c.i] = LPhi[:, c.j]
            dmu[k, c.i] = mean[c.j]
        else:
            half[k] = np.outer(LA[:, c.i], LPhi[:, c.j])
            dmu[k] = LA[:, c.i] * mean[c.j]
    return dmu, half + half.mT


def scores(found: tuple[Candidate, ...], M: Matrices, g: Floats, G: Floats) -> Floats:
    r"""Derivatives of the log-likelihood by each candidate at 0, (draw, candidate).

    Parameters
    ----------
    found : tuple of Candidate
    M : Matrices
        (draw, ...).
    g : (draw, indicator) array
        :math:`d\ell/d\mu`.
    G : (draw, indicator, indicator_bis) array
        :math:`d\ell/d\Sigma`, both triangles counted.
    """
    LA, LPhi, mean = M.Lambda @ M.A, M.Lambda @ M.Phi, M.factor_mean
    by = {
        "Theta": 2 * G,
        "Psi": 2 * LA.mT @ G @ LA,
        "Lambda": 2 * G @ LPhi + g[..., :, None] * mean[..., None, :],
        "Beta": 2 * LA.mT @ G @ LPhi + (LA.mT @ g[..., None]) * mean[..., None, :],
    }
    out = np.empty((len(g), len(found)))
    for name, values in by.items():
        where = [k for k, c in enumerate(found) if c.matrix == name]
        rows: Ints = np.array([found[k].i for k in where], np.int64)
        cols: Ints = np.array([found[k].j for k in where], np.int64)
        out[:, where] = values[:, rows, cols]
    return out
