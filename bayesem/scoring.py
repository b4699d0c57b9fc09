"""Where each case stands on each factor: the posterior of factor scores."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from bayesem.arrays import Floats
from bayesem.data import Answers
from bayesem.errors import NotAvailableError, SamplingError
from bayesem.matrices import Matrices, implied_covariance
from bayesem.posterior import Fit
from bayesem.sampling.convergence import stamped
from bayesem.simulation import BATCH, flat_draws, square_root

__all__ = ["conditional", "scores"]


def scores(
    fit: Fit, *, draws: int | None = None, prob: float = 0.95, seed: int = 0
) -> pd.DataFrame:
    r"""Posterior of every case's factor scores.

    Given the parameters, the factors of a case with observed cells :math:`o` are normal with mean
    :math:`E\eta + \Phi\Lambda_o^\top \Sigma_{oo}^{-1} (y_o - \mu_o)`. Parameters are averaged over
    the posterior, so the intervals hold the uncertainty of the scores and of the parameters.

    Parameters
    ----------
    fit : Fit
        Of raw answers.
    draws : int, optional
        Evenly spaced posterior draws to use; all by default.
    prob : float
        Mass of the equal-tailed interval.
    seed : int
        Of the random scores behind the intervals.

    Returns
    -------
    DataFrame
        ``case factor mean sd lower upper``, a row per case and factor, in the reported metric;
        ``case`` is the data's own row name. A case without any answer has the population's
        distribution. ``mean`` and ``sd`` are averages of exact conditional moments.

    Raises
    ------
    NotAvailableError
        If the fit rests on moments: there are no cases.

    References
    ----------
    .. [1] Lee (2007), *Structural Equation Modeling: A Bayesian Approach*, ch. 4.
    """
    if not isinstance(fit.data, Answers):
        raise NotAvailableError(
            "factor scores need answers case by case, and this fit rests on moments.",
            hint="Fit the raw data.",
        )
    matrices = flat_draws(fit, draws)
    if len(matrices.nu) < 2:
        raise SamplingError("one draw has no spread.", hint="Use at least 2 draws.")
    latent = len(fit.table.latent)
    n = fit.data.n
    out = np.empty((4, n, latent))
    rng = np.random.default_rng(seed)
    tail = (1 - prob) / 2
    for rows, mean, covariance in _by_pattern(fit, matrices):
        z = rng.standard_normal(mean.shape)
        random = mean + z @ square_root(covariance)
        within = np.einsum("dkk->dk", covariance).mean(0)
        out[0, rows] = mean.mean(0)
        out[1, rows] = np.sqrt(mean.var(0, ddof=1) + within)
        out[2:, rows] = np.quantile(random, [tail, 1 - tail], axis=0)
    table = pd.DataFrame({
        "case": np.repeat(fit.data.index.to_numpy(), latent),
        "factor": np.tile(np.array(fit.table.latent, object), n),
    })  # fmt: skip
    for name, column in zip(("mean", "sd", "lower", "upper"), out, strict=True):
        table[name] = column.ravel()
    return stamped(table, fit)


def conditional(
    matrices: Matrices, y: Floats, mu: Floats, mean_error: Floats | None = None
) -> tuple[Floats, Floats]:
    """Mean (draw, case, factor) and covariance (draw, factor, factor_bis) of the factors of cases.

    Parameters
    ----------
    matrices : Matrices
        (draw, ...), rows of Lambda and Theta of the observed cells only.
    y : (case, indicator) array
    mu : (draw, indicator) array
        Expected answers.
    mean_error : (draw, indicator, indicator_bis) array, optional
        Covariance of the error of ``mu``.
    """
    Phi = matrices.Phi
    centre = (matrices.A @ matrices.alpha[..., None])[..., 0][:, None]
    cross = matrices.Lambda @ Phi
    W = np.linalg.solve(cross @ matrices.Lambda.mT + matrices.Theta, cross)
    mean = centre + y @ W - mu[:, None] @ W
    covariance = Phi - cross.mT @ W
    if mean_error is not None:
        covariance = covariance + W.mT @ mean_error @ W
    return np.asarray(mean), np.asarray(covariance)


def _by_pattern(fit: Fit, M: Matrices) -> Iterator[tuple[np.ndarray, Floats, Floats]]:
    """Rows of cases with the same observed cells, with their scores' moments, a few at a time."""
    assert isinstance(fit.data, Answers)
    stats, latent = fit.spec.stats, len(fit.table.latent)
    # Deviations from the sample's means keep large intercepts from costing digits.
    location = stats.location()
    y = fit.data.values - location
    mu = M.mu - location if stats.use_mean else np.zeros_like(M.nu)
    error = None if stats.use_mean else _mean_error(fit, M)
    patterns, which = np.unique(~np.isnan(y), axis=0, return_inverse=True)
    step = max(1, BATCH // (len(M.nu) * M.Beta.shape[-1]))
    for k, seen in enumerate(patterns):
        some = _rows(M, seen)
        within = None if error is None else error[:, seen][:, :, seen]
        cases = np.flatnonzero(which.ravel() == k)
        for start in range(0, len(cases), step):
            rows = cases[start : start + step]
            mean, covariance = conditional(some, y[np.ix_(rows, seen)], mu[:, seen], within)
            yield rows, mean[..., :latent], covariance[:, :latent, :latent]


def _rows(M: Matrices, seen: np.ndarray) -> Matrices:
    Theta = M.Theta[:, seen][:, :, seen]
    return Matrices(M.Lambda[:, seen], M.Beta, M.Psi, Theta, M.nu[:, seen], M.alpha)


def _mean_error(fit: Fit, M: Matrices) -> Floats:
    """Means that are not modelled have a flat prior: they are the sample's, with this error."""
    inner = [fit.table.factors.index(x) for x in fit.table.fixed_x]
    Psi = M.Psi.copy()
    Psi[:, inner] = 0
    Psi[:, :, inner] = 0
    return np.asarray(implied_covariance(M.Lambda, M.Beta, Psi, M.Theta)) / fit.n
