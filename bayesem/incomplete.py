r"""Normal answers with missing cells, many data sets at once.

With :math:`P = \Sigma^{-1}`, the missing cells m of a pattern have the conditional mean
:math:`\mu_m - P_{mm}^{-1} P_{mo} (y_o - \mu_o)` and covariance :math:`P_{mm}^{-1}`. One inverse of
the whole matrix and one of the small block of each pattern give everything: deviations z completed
by their conditional means satisfy :math:`z' P z = z_o' \Sigma_{oo}^{-1} z_o`, and
:math:`\ln|\Sigma_{oo}| = \ln|\Sigma| + \ln|P_{mm}|`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bayesem.arrays import Floats, Ints
from bayesem.errors import SamplingError

__all__ = ["Expected", "Saturated", "expected", "log_likelihoods_by_case", "saturated"]

#: Numbers held at once.
BATCH = 4_000_000
#: A further step of EM that gains less than this ends it.
TOLERANCE = 1e-7
MOST_STEPS = 5_000


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """What missing cells are expected to add, given a mean and a covariance.

    Attributes
    ----------
    log_likelihood : (set,) array
        Of the observed cells.
    cases : int
        With any answer.
    first : (set, indicator) array
        Expected sum of deviations from the mean.
    second : (set, indicator, indicator_bis) array
        Expected sum of their outer products.
    """

    log_likelihood: Floats
    cases: int
    first: Floats
    second: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Saturated:
    """The best that any normal distribution does on each data set.

    Attributes
    ----------
    mu : (set, indicator) array
    Sigma : (set, indicator, indicator_bis) array
    log_likelihood : (set,) array
    """

    mu: Floats
    Sigma: Floats
    log_likelihood: Floats


def expected(y: Floats, mu: Floats, Sigma: Floats) -> Expected:
    """Expected sufficient statistics and log-likelihood.

    Parameters
    ----------
    y : (set, case, indicator) or (case, indicator) array
        NaN where a cell is missing: the same cells in every set.
    mu : (set, indicator) array
    Sigma : (set, indicator, indicator_bis) array

    Returns
    -------
    Expected
    """
    sets, p = mu.shape
    n = y.shape[-2]
    parts = [
        _expected(y[part] if y.ndim == 3 else y, mu[part], Sigma[part])
        for part in _chunks(sets, n * p)
    ]
    log, first, second = (np.concatenate(column) for column in zip(*parts, strict=True))
    seen = ~np.isnan(y if y.ndim == 2 else y[0])
    return Expected(log, int(seen.any(1).sum()), first, second)


def log_likelihoods_by_case(y: Floats, mu: Floats, Sigma: Floats) -> Floats:
    """Log-likelihood of the observed cells of every case, (set, case); 0 for a case without any.

    Parameters
    ----------
    y : (case, indicator) array
        NaN where a cell is missing.
    mu : (set, indicator) array
    Sigma : (set, indicator, indicator_bis) array
    """
    return np.concatenate([_by_case(y, mu[part], Sigma[part]) for part in _chunks(len(mu), y.size)])


def saturated(y: Floats) -> Saturated:
    """Maximum-likelihood mean and covariance: closed form, or EM where cells are missing.

    Parameters
    ----------
    y : (set, case, indicator) array
        NaN where a cell is missing: the same cells in every set.

    Raises
    ------
    SamplingError
        If EM does not settle: some pair of variables is hardly ever observed together.

    References
    ----------
    .. [1] Dempster, Laird & Rubin (1977), *Journal of the Royal Statistical Society B* 39, 1-38.
    """
    seen = ~np.isnan(y[0])
    y = y[:, seen.any(1)]
    complete = bool(seen[seen.any(1)].all())
    mu = np.nanmean(y, axis=1)
    if complete:
        Sigma = _covariance(y, mu)
        return Saturated(mu, Sigma, expected(y, mu, Sigma).log_likelihood)
    # deviations of missing cells count 0 at the start, so the matrix is positive definite
    Sigma = _covariance(np.where(np.isnan(y), mu[:, None], y), mu)
    return _climb(y, mu, Sigma)


def _climb(y: Floats, mu: Floats, Sigma: Floats) -> Saturated:
    """EM; sets that have settled drop out."""
    mu, Sigma = mu.copy(), Sigma.copy()
    log = np.full(len(y), -np.inf)
    left = np.arange(len(y))
    for _ in range(MOST_STEPS):
        found = expected(y[left], mu[left], Sigma[left])
        gain = found.log_likelihood - log[left]
        log[left] = found.log_likelihood
        shift = found.first / found.cases
        mu[left] += shift
        Sigma[left] = found.second / found.cases - shift[:, :, None] * shift[:, None, :]
        left = left[~(gain < TOLERANCE)]
        if not len(left):
            return Saturated(mu, Sigma, log)
    raise SamplingError(
        f"the saturated model's likelihood is still rising after {MOST_STEPS} steps of EM.",
        hint="Some variables are hardly ever observed together; leave out those with the most "
        "missing cells.",
    )


def _expected(y: Floats, mu: Floats, Sigma: Floats) -> tuple[Floats, Floats, Floats]:
    P, z = np.linalg.inv(Sigma), y - mu[:, None]
    more, log = np.zeros_like(Sigma), np.zeros(len(mu))
    for rows, m, C, constant in _completed(z, P, Sigma):
        log += len(rows) * constant
        more[:, m[:, None], m] += len(rows) * C
    z = z[:, ~np.isnan(z[0]).any(1)]
    outer = z.mT @ z
    log -= 0.5 * np.einsum("sij,sij->s", P, outer)
    return log, z.sum(1), outer + more


def _by_case(y: Floats, mu: Floats, Sigma: Floats) -> Floats:
    P, z = np.linalg.inv(Sigma), y - mu[:, None]
    log = np.zeros(z.shape[:2])
    for rows, _, _, constant in _completed(z, P, Sigma):
        log[:, rows] = constant[:, None]
    z = np.nan_to_num(z)  # a case without any answer
    return np.asarray(log - 0.5 * np.einsum("snp,snp->sn", z @ P, z))


def _completed(z: Floats, P: Floats, Sigma: Floats) -> Iterator[tuple[Ints, Ints, Floats, Floats]]:
    """Fill deviations in, pattern by pattern, with their conditional means.

    Yields the cases of a pattern, its missing cells, their conditional covariance (set, missing,
    missing), and what each case adds to the log-likelihood besides its squares (set,).
    """
    logdet = np.linalg.slogdet(Sigma)[1]
    for missing, rows in _patterns(z[0]):
        m, o = np.flatnonzero(missing), np.flatnonzero(~missing)
        constant = -0.5 * (len(o) * np.log(2 * np.pi) + logdet)
        C = np.linalg.inv(P[:, m[:, None], m])
        if len(m):
            W = C @ P[:, m[:, None], o]
            z[:, rows[:, None], m] = -z[:, rows[:, None], o] @ W.mT
            constant = constant + 0.5 * np.linalg.slogdet(C)[1]
        yield rows, m, C, constant


def _patterns(z: Floats) -> Iterator[tuple[np.ndarray, Ints]]:
    """Missing cells of each pattern, and its cases; cases without any answer are left out."""
    patterns, which = np.unique(np.isnan(z), axis=0, return_inverse=True)
    for k, missing in enumerate(patterns):
        if not missing.all():
            yield missing, np.flatnonzero(which.ravel() == k)


def _covariance(y: Floats, mu: Floats) -> Floats:
    z = y - mu[:, None]
    return np.asarray(z.mT @ z / y.shape[1])


def _chunks(total: int, each: int) -> Iterator[slice]:
    step = max(1, BATCH // max(each, 1))
    return (slice(k, k + step) for k in range(0, total, step))
