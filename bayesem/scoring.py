"""Where each case stands on each factor: the posterior of factor scores."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.stats import norm

from bayesem.arrays import Floats
from bayesem.data import Answers
from bayesem.errors import NotAvailableError, SamplingError
from bayesem.families import NORMAL, Family
from bayesem.kernels.outcome import CENSORED, MISSING, OBSERVED, expected_values
from bayesem.kernels.plan import INNER, grid
from bayesem.matrices import Matrices, implied_covariance
from bayesem.posterior import Fit
from bayesem.sampling.convergence import stamped
from bayesem.simulation import BATCH, flat_draws, square_root

__all__ = ["conditional", "log_expected", "scores"]


def scores(
    fit: Fit, *, draws: int | None = None, prob: float = 0.95, seed: int = 0
) -> pd.DataFrame:
    r"""Posterior of every case's factor scores.

    Given the parameters, the factors of a case with observed cells :math:`o` are normal with mean
    :math:`E\eta + \Phi\Lambda_o^\top \Sigma_{oo}^{-1} (y_o - \mu_o)`. Parameters are averaged over
    the posterior, so the intervals hold the uncertainty of the scores and of the parameters.

    One outcome of another family (a 0/1 column, say) informs the scores, too: each draw's random
    score gets the weight :math:`p(z | \eta, y, \theta) / p(z | y, \theta)`, and everything in the
    table is a weighted average over draws.

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
        distribution. ``mean`` and ``sd`` are averages of exact conditional moments (without
        outcomes of other families).

    Raises
    ------
    NotAvailableError
        If the fit rests on moments: there are no cases; or if the model has products of factors or
        several outcomes of other families.

    References
    ----------
    .. [1] Lee (2007), *Structural Equation Modeling: A Bayesian Approach*, ch. 4.
    """
    if not isinstance(fit.data, Answers):
        raise NotAvailableError(
            "factor scores need answers case by case, and this fit rests on moments.",
            hint="Fit the raw data.",
        )
    _refuse(fit)
    matrices = flat_draws(fit, draws)
    if len(matrices.nu) < 2:
        raise SamplingError("one draw has no spread.", hint="Use at least 2 draws.")
    latent = len(fit.table.latent)
    n = fit.data.n
    out = np.empty((4, n, latent))
    rng = np.random.default_rng(seed)
    tail = (1 - prob) / 2
    for rows, mean, covariance in _by_pattern(fit, matrices):
        here, spread = mean[..., :latent], covariance[:, :latent, :latent]
        random = here + rng.standard_normal(here.shape) @ square_root(spread)
        if fit.table.outcomes:
            weights = _weights(fit, matrices, rows, random, mean, covariance)
            out[:, rows] = _weighted(random, weights, tail)
            continue
        within = np.einsum("dkk->dk", spread).mean(0)
        out[0, rows] = here.mean(0)
        out[1, rows] = np.sqrt(here.var(0, ddof=1) + within)
        out[2:, rows] = np.quantile(random, [tail, 1 - tail], axis=0)
    table = pd.DataFrame({
        "case": np.repeat(fit.data.index.to_numpy(), latent),
        "factor": np.tile(np.array(fit.table.latent, object), n),
    })  # fmt: skip
    for name, column in zip(("mean", "sd", "lower", "upper"), out, strict=True):
        table[name] = column.ravel()
    return stamped(table, fit)


def _refuse(fit: Fit) -> None:
    table = fit.table
    what = "products of factors" if table.products else ""
    if not what and len(table.outcomes) > 1:
        what = "several outcomes of other families"
    if what:
        raise NotAvailableError(
            f"factor scores of a model with {what} are not available.",
            hint="Fit the measurement part alone, and score that.",
        )


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
    stats = fit.spec.stats
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
            yield rows, mean, covariance


def _rows(M: Matrices, seen: np.ndarray) -> Matrices:
    Theta = M.Theta[:, seen][:, :, seen]
    return replace(M, Lambda=M.Lambda[:, seen], Theta=Theta, nu=M.nu[:, seen])


def _mean_error(fit: Fit, M: Matrices) -> Floats:
    """Means that are not modelled have a flat prior: they are the sample's, with this error."""
    inner = [fit.table.factors.index(x) for x in fit.table.fixed_x]
    Psi = M.Psi.copy()
    Psi[:, inner] = 0
    Psi[:, :, inner] = 0
    return np.asarray(implied_covariance(M.Lambda, M.Beta, Psi, M.Theta)) / fit.n


# -- one outcome of another family ---------------------------------------------------------


def _weights(
    fit: Fit, M: Matrices, rows: np.ndarray, random: Floats, mean: Floats, covariance: Floats
) -> Floats:
    """Weight of each random score, (draw, case): what the outcome says for it, 1 on average."""
    assert isinstance(fit.data, Answers)
    outcome, latent = fit.table.outcomes[0], random.shape[-1]
    k = outcome.factor
    z, censored = fit.data.outcomes[rows, 0], fit.data.censored[rows, 0]
    shape = np.ascontiguousarray(M.shape[:, 0])
    inner = covariance[:, :latent, :latent]
    weights = np.linalg.pinv(inner, hermitian=True) @ covariance[:, :latent, k, None]
    at = mean[..., k] + ((random - mean[..., :latent]) @ weights)[..., 0]
    before = np.broadcast_to(covariance[:, k, k, None], at.shape)
    after = before - (covariance[:, None, k, :latent] @ weights)[..., 0]
    log = log_expected(outcome.family, at, after, z, censored, shape)
    log -= log_expected(outcome.family, mean[..., k], before, z, censored, shape)
    return np.where(np.isnan(z), 1.0, np.exp(log))


def _weighted(random: Floats, weights: Floats, tail: float) -> Floats:
    """Mean, sd and quantiles of weighted draws, (4, case, factor)."""
    share = (weights / weights.sum(0))[..., None]
    mean = (share * random).sum(0)
    sd = np.sqrt((share * (random - mean) ** 2).sum(0))
    order = np.argsort(random, axis=0)
    below = np.cumsum(np.take_along_axis(np.broadcast_to(share, random.shape), order, 0), 0)
    ends = [
        np.take_along_axis(random, np.take_along_axis(order, _first(below, p), 0), 0)[0]
        for p in (tail, 1 - tail)
    ]
    return np.stack([mean, sd, *ends])


def _first(below: Floats, p: float) -> np.ndarray:
    """Position of the first draw whose cumulative share reaches ``p``."""
    return np.minimum((below < p).sum(0), len(below) - 1)[None]


def log_expected(
    family: Family, m: Floats, v: Floats, z: Floats, censored: np.ndarray, shape: Floats
) -> Floats:
    """Log of an outcome's density, averaged over a normal linear predictor, (draw, case).

    Factorials of counts, which depend on nothing that is estimated, are left out.

    Parameters
    ----------
    family : Family
    m, v : (draw, case) arrays
        Mean and variance of the linear predictor, its own residual included.
    z, censored : (case,) arrays
        ``z`` is NaN where the outcome is missing; its log-density is 0 there.
    shape : (draw,) array
    """
    m, v = np.ascontiguousarray(m), np.maximum(v, 1e-300)
    if family.code == NORMAL:
        return np.asarray(norm.logpdf(z, m, np.sqrt(v)))
    status = np.where(np.isnan(z), MISSING, np.where(censored, CENSORED, OBSERVED))
    nodes, logw = grid(1, INNER)
    return np.asarray(
        expected_values(family.code, m, v, z, status, shape, nodes.ravel(), logw), float
    )
