"""Maximum likelihood of a design, by Fisher scoring: what the authors' program did."""

from dataclasses import dataclass

import numpy as np

from bayesem.arrays import Floats
from bayesem.errors import DataError
from bayesem.publications.design import Design, Standardised
from bayesem.publications.information import directions, expected_information, score

__all__ = ["Maximum", "discrepancy", "gfi", "maximum_likelihood"]

STEPS = 200
TOLERANCE = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class Maximum:
    """The maximum-likelihood solution in the metric of the markers.

    Attributes
    ----------
    parameters : (parameter,) array
        Free loadings, residual variances, paths, factor (residual) variances, covariances.
    errors : (parameter,) array
        Standard errors from the expected information.
    gradient : (parameter,) array
        Of the discrepancy; zero at the solution.
    Sigma : (indicator, indicator_bis) array
    paths : slice
        Where the paths stand among the parameters.
    chisq : float
        (n - 1) times the discrepancy.
    solution : Standardised
    """

    parameters: Floats
    errors: Floats
    gradient: Floats
    Sigma: Floats
    paths: slice
    chisq: float
    solution: Standardised


@dataclass(frozen=True, slots=True, eq=False)
class _Point:
    loadings: Floats
    Phi: Floats
    total: Floats
    Beta: Floats
    Sigma: Floats


def discrepancy(Sigma: Floats, S: Floats) -> float:
    r"""Wishart discrepancy :math:`\ln|\Sigma| + \mathrm{tr}(S\Sigma^{-1}) - \ln|S| - p`.

    Examples
    --------
    >>> float(round(discrepancy(np.eye(2), 2 * np.eye(2)), 6))
    0.613706
    """
    fitted, seen = np.linalg.slogdet(Sigma), np.linalg.slogdet(S)
    if fitted[0] <= 0 or seen[0] <= 0:
        return np.inf
    return float(fitted[1] + np.trace(np.linalg.solve(Sigma, S)) - seen[1] - len(S))


def gfi(Sigma: Floats, S: Floats) -> float:
    r"""Goodness-of-fit index, :math:`1 - \mathrm{tr}(PS-I)^2/\mathrm{tr}(PS)^2`."""
    ratio = np.linalg.solve(Sigma, S)
    rest = ratio - np.eye(len(S))
    return float(1 - np.trace(rest @ rest) / np.trace(ratio @ ratio))


def maximum_likelihood(
    design: Design, S: Floats, n: int, markers: tuple[int, ...] | None = None
) -> Maximum:
    """Fit a design to a covariance matrix with divisor n - 1.

    Raises
    ------
    DataError
        If scoring does not reach a maximum.
    """
    held = design.markers("first") if markers is None else markers
    scale = np.sqrt(np.diag(S))
    R = S / np.outer(scale, scale)
    at = _climb(design, R, held)
    point = _point(design, at, held)
    moves = directions(design, point.loadings, point.Phi, point.total, held)
    P = np.linalg.inv(point.Sigma)
    errors = np.sqrt(np.diag(np.linalg.inv(expected_information(P, moves, n - 1))))
    units = _units(design, scale, held)
    return Maximum(
        at * units,
        errors * units,
        score(P, R, moves) / units,
        point.Sigma * np.outer(scale, scale),
        moves.paths,
        (n - 1) * discrepancy(point.Sigma, R),
        _standardise(design, point),
    )


def _climb(design: Design, R: Floats, markers: tuple[int, ...]) -> Floats:
    at = _start(design, R, markers)
    value = discrepancy(_point(design, at, markers).Sigma, R)
    for _ in range(STEPS):
        point = _point(design, at, markers)
        moves = directions(design, point.loadings, point.Phi, point.total, markers)
        P = np.linalg.inv(point.Sigma)
        gradient = score(P, R, moves)
        if np.abs(gradient).max() < TOLERANCE:
            return at
        step = np.linalg.solve(expected_information(P, moves, 2.0), gradient)
        at, value, moved = _shorten(design, R, markers, at, step, value)
        if not moved:
            break
    if np.abs(gradient).max() < 1e-7:
        return at
    raise DataError(
        "maximum likelihood does not converge on this covariance matrix.",
        hint="Check the signs of the items and that each factor has correlated indicators.",
    )


def _shorten(
    design: Design, R: Floats, markers: tuple[int, ...], at: Floats, step: Floats, value: float
) -> tuple[Floats, float, bool]:
    for k in range(30):
        tried = at - step / 2**k
        new = discrepancy(_point(design, tried, markers).Sigma, R)
        if np.isfinite(new) and new <= value + 1e-13:
            return tried, new, True
    return at, value, False


def _start(design: Design, R: Floats, markers: tuple[int, ...]) -> Floats:
    """Loadings with the sign that each item has beside its marker; no paths."""
    p, k = len(design.indicators), len(design.paths)
    signs = [np.sign(R[i, markers[b]]) or 1.0 for i, b in enumerate(design.block)]
    free = [signs[i] for i in range(p) if i not in markers]
    m, c = len(design.factors), len(design.correlations)
    return np.concatenate([free, np.full(p, 0.5), np.zeros(k), np.full(m, 0.5), np.zeros(c)])


def _point(design: Design, at: Floats, markers: tuple[int, ...]) -> _Point:
    p, m, k = len(design.indicators), len(design.factors), len(design.paths)
    free = [i for i in range(p) if i not in markers]
    cut = np.cumsum([len(free), p, k, m])
    loading, theta, path, psi, covariance = np.split(at, cut)
    loadings, Beta, Psi = np.ones(p), np.zeros((m, m)), np.diag(psi)
    loadings[free] = loading
    Beta[list(design.to), list(design.origin)] = path
    for c, (i, j) in enumerate(design.correlations):
        Psi[i, j] = Psi[j, i] = covariance[c]
    total = np.linalg.inv(np.eye(m) - Beta)
    Phi = total @ Psi @ total.T
    block = list(design.block)
    Sigma = np.outer(loadings, loadings) * Phi[np.ix_(block, block)] + np.diag(theta)
    return _Point(loadings, Phi, total, Beta, Sigma)


def _units(design: Design, scale: Floats, markers: tuple[int, ...]) -> Floats:
    """What turns parameters for correlations into parameters for covariances."""
    own = scale[list(markers)]
    free = [i for i in range(len(scale)) if i not in markers]
    loading = scale[free] / own[[design.block[i] for i in free]]
    path = own[list(design.to)] / own[list(design.origin)]
    covariance = [own[i] * own[j] for i, j in design.correlations]
    return np.concatenate([loading, scale**2, path, own**2, covariance])


def _standardise(design: Design, point: _Point) -> Standardised:
    sd = np.sqrt(np.diag(point.Phi))
    loadings = point.loadings * sd[list(design.block)] / np.sqrt(np.diag(point.Sigma))
    ratio = sd[None, :] / sd[:, None]
    Phi = point.Phi / np.outer(sd, sd)
    Beta = point.Beta * ratio
    residual = np.eye(len(sd)) - Beta
    psi = np.diag(residual @ Phi @ residual.T)
    return Standardised(loadings, Beta, Phi, point.total * ratio, psi)
