"""The plain misfit of a reading: how near one solution can come to all trusted numbers at once."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from bayesem.arrays import Floats
from bayesem.publications.design import Standardised, standardised
from bayesem.publications.information import path_errors
from bayesem.publications.likelihood import baseline_interval, targets
from bayesem.publications.printed import Publication, Reading

__all__ = ["Closest", "closest"]

#: Tolerances: of an estimate, and of a critical ratio (observed against expected information).
ESTIMATE, RATIO = 0.01, 0.03
STEP = 1e-6
IMPOSSIBLE = 1e3


@dataclass(frozen=True, slots=True, eq=False)
class Closest:
    """The solution with the smallest squared misfit.

    Attributes
    ----------
    misfit : float
        Sum of squares, in units of the tolerances.
    solution : Standardised
        With one leading axis of length 1.
    baseline : float
    estimates, ratios : (path,) arrays
        As implied.
    log_units : (factor,) array
        The last one is zero, and all are where estimates are standardised.
    """

    misfit: float
    solution: Standardised
    baseline: float
    estimates: Floats
    ratios: Floats
    log_units: Floats


def closest(publication: Publication, reading: Reading, *, start: float) -> Closest:
    """Fit paths, correlations and units to estimates (1%), critical ratios (3%) and baseline.

    The baseline's tolerance is a quarter of the interval that TLI and CFI allow. Loadings are as
    printed and the first indicators are the markers.

    Parameters
    ----------
    publication : Publication
    reading : Reading
    start : float
        Correlation of the exogenous factors to start from; its sign usually decides which of two
        solutions is found.
    """
    design = publication.design
    k, c = len(design.paths), len(design.correlations)
    units = 0 if reading.standardised else len(design.factors) - 1
    paths, log_units = _guess(publication, reading)
    first = np.concatenate([paths, np.full(c, np.arctanh(start)), log_units[:units]])

    def residuals(at: Floats) -> Floats:
        return _residuals(publication, reading, at[None])[0]

    def jacobian(at: Floats) -> Floats:
        step = STEP * np.eye(len(at))
        both = _residuals(publication, reading, np.concatenate([at + step, at - step]))
        return ((both[: len(at)] - both[len(at) :]) / (2 * STEP)).T

    rows = len(_residuals(publication, reading, first[None])[0])
    method = "lm" if rows >= len(first) else "trf"
    found = least_squares(residuals, first, jacobian, method=method, max_nfev=300)
    solution, baseline, estimates, ratios = _implied(publication, reading, found.x[None])
    log_units = np.zeros(len(design.factors))
    log_units[:units] = found.x[k + c :]
    return Closest(2 * found.cost, solution, float(baseline[0]), estimates[0], ratios[0], log_units)


def _guess(publication: Publication, reading: Reading) -> tuple[Floats, Floats]:
    """Paths by their critical ratios over the root of n, and units that go with the estimates."""
    design = publication.design
    estimates, ratios = zip(*(targets(evidence) for evidence in reading.evidence), strict=True)
    sizes = [0.3 if ratio is None else abs(ratio) / np.sqrt(publication.n) for ratio in ratios]
    signs = [-1.0 if estimate < 0 else 1.0 for estimate in estimates]
    paths = np.clip(sizes, 0.02, 0.5) * signs
    if reading.standardised:
        return np.clip(estimates, -0.6, 0.6), np.zeros(len(design.factors))
    wanted = np.log(np.maximum(np.abs(estimates), 1e-3) / np.abs(paths))
    contrast = np.zeros((len(paths), len(design.factors)))
    np.add.at(contrast, (range(len(paths)), list(design.to)), 1.0)
    np.add.at(contrast, (range(len(paths)), list(design.origin)), -1.0)
    log_units = np.linalg.lstsq(contrast, wanted, rcond=None)[0]
    return paths, log_units - log_units[-1]


def _implied(
    publication: Publication, reading: Reading, at: Floats
) -> tuple[Standardised, Floats, Floats, Floats]:
    design = publication.design
    k, c = len(design.paths), len(design.correlations)
    paths, r = at[:, :k], np.tanh(at[:, k : k + c])
    loadings = np.tile([value for value, _ in publication.loadings], (len(at), 1))
    solution = standardised(design, loadings, paths, r)
    log_units = np.zeros((len(at), len(design.factors)))
    log_units[:, : at.shape[1] - k - c] = at[:, k + c :]
    ratio = np.exp(log_units[:, list(design.to)] - log_units[:, list(design.origin)])
    with np.errstate(all="ignore"):
        errors = path_errors(design, solution, design.markers("first"), publication.n - 1)
        baseline = publication.chisq - (publication.n - 1) * solution.log_determinant(design)
    possible = (solution.psi > 0).all(-1)[:, None]
    return solution, baseline, paths * ratio, np.where(possible, paths / errors, np.nan)


def _residuals(publication: Publication, reading: Reading, at: Floats) -> Floats:
    _, baseline, estimates, ratios = _implied(publication, reading, at)
    columns = []
    for j, evidence in enumerate(reading.evidence):
        estimate, ratio = targets(evidence)
        columns.append((estimates[:, j] - estimate) / (ESTIMATE * max(abs(estimate), ESTIMATE)))
        if ratio is not None:
            columns.append((ratios[:, j] - ratio) / (RATIO * max(abs(ratio), RATIO)))
    interval = baseline_interval(publication)
    if interval is not None:
        wide = max((interval[1] - interval[0]) / 4, 1.0)
        columns.append((baseline - sum(interval) / 2) / wide)
    found = np.column_stack(columns)
    return np.where(np.isfinite(found), found, IMPOSSIBLE)
