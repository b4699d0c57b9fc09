"""Log-likelihoods that take sampled factor scores as known: the same cases again, not new cases."""

from dataclasses import replace

import numpy as np

from bayesem.arrays import Floats, Ints
from bayesem.data import Answers
from bayesem.errors import NotAvailableError
from bayesem.matrices import Matrices
from bayesem.posterior import Fit, reported_matrices
from bayesem.scoring import conditional
from bayesem.simulation import BATCH, square_root

__all__ = ["conditional_log_likelihoods"]

#: Share of an answer's variance below which scores are said to fix it.
CERTAIN = 1e-10


def conditional_log_likelihoods(fit: Fit, x: Floats, seed: int) -> Floats:
    r"""Log-density of each case's answers given its factor scores, :math:`p(y_i | \eta_i, \theta)`.

    Scores are drawn from :math:`p(\eta_i | y_i, \theta)` at each draw. Predictors that the fit
    conditions on are known, too; an observed variable that the model explains counts as an answer.

    Parameters
    ----------
    fit : Fit
        Of raw answers, with modelled means.
    x : (draw, q) array
        Sampled values in home units.
    seed : int

    Returns
    -------
    (draw, case) array

    Raises
    ------
    NotAvailableError
        If scores cannot be drawn in closed form (products of factors, outcomes of other families),
        or an indicator has no residual variance of its own, so that scores fix its answers.

    References
    ----------
    .. [1] Merkle, Furr & Rabe-Hesketh (2019), Psychometrika 84, 802-829.
    """
    if fit.spec.cases is not None:
        raise NotAvailableError(
            "criteria that are conditional on factor scores are not available for models with "
            "products of factors or outcomes of other families.",
            hint="Use the marginal criterion (the default), which speaks of new cases.",
        )
    assert isinstance(fit.data, Answers)
    M = reported_matrices(fit.spec, x)
    location = fit.spec.stats.location()
    y, mu = fit.data.values - location, M.mu - location
    out = np.zeros((len(x), fit.data.n))
    rng = np.random.default_rng([seed, 2])
    patterns, which = np.unique(~np.isnan(y), axis=0, return_inverse=True)
    for k, seen in enumerate(patterns):
        rows = np.flatnonzero(which.ravel() == k)
        for part in _parts(len(x), len(rows) * len(seen) + len(seen) ** 2 if seen.any() else 0):
            some = _observed(M.map(lambda a, part=part: a[part]), seen)  # type: ignore[misc]
            out[part, rows] = _pattern(
                fit, some, y[np.ix_(rows, seen)], mu[part][:, seen], seen, rng
            )
    return out


def _parts(total: int, each: int) -> list[slice]:
    step = max(1, BATCH // each) if each else total
    return [slice(at, at + step) for at in range(0, total, step)] if each else []


def _observed(M: Matrices, seen: np.ndarray) -> Matrices:
    Theta = M.Theta[:, seen][:, :, seen]
    return replace(M, Lambda=M.Lambda[:, seen], Theta=Theta, nu=M.nu[:, seen])


def _pattern(
    fit: Fit, M: Matrices, y: Floats, mu: Floats, seen: np.ndarray, rng: np.random.Generator
) -> Floats:
    """Cases with the same observed cells, (draw, case)."""
    latent = np.arange(len(fit.table.latent))
    fixed = [fit.table.indicators.index(name) for name in fit.table.fixed_x]
    known = np.isin(np.flatnonzero(seen), fixed)
    mean, covariance = conditional(M, y, mu)
    at = mean[..., latent]
    scores = at + rng.standard_normal(at.shape) @ square_root(covariance[:, latent][:, :, latent])
    return _given(M, y, mu, scores, latent, known)


def _given(
    M: Matrices, y: Floats, mu: Floats, scores: Floats, latent: Ints, known: np.ndarray
) -> Floats:
    """Normal density of the answers that are not known, given those that are and the scores."""
    answers = ~known
    Phi = M.Phi
    cross = M.Lambda @ Phi[:, :, latent]
    Sigma = M.Lambda @ Phi @ M.Lambda.mT + M.Theta
    Szz = _joined(
        Phi[:, latent][:, :, latent],
        cross[:, known].mT,
        cross[:, known],
        Sigma[:, known][:, :, known],
    )
    Syz = np.concatenate([cross[:, answers], Sigma[:, answers][:, :, known]], -1)
    W = Syz @ np.linalg.pinv(Szz, hermitian=True)
    C = Sigma[:, answers][:, :, answers] - W @ Syz.mT
    centre = (M.A @ M.alpha[..., None])[..., 0][:, None, latent]
    z = np.concatenate(
        [
            scores - centre,
            np.broadcast_to(y[:, known] - mu[:, None, known], (*scores.shape[:2], known.sum())),
        ],
        -1,
    )
    residual = y[None, :, answers] - mu[:, None, answers] - z @ W.mT
    own = np.einsum("dkk->dk", C) / np.einsum("dkk->dk", Sigma[:, answers][:, :, answers])
    if not (own > CERTAIN).all():
        raise NotAvailableError(
            "an indicator has no residual variance of its own, so factor scores fix its answers "
            "and their density is infinite.",
            hint="Use the marginal criterion (the default).",
        )
    return log_normal(residual, C)


def _joined(a: Floats, b: Floats, c: Floats, d: Floats) -> Floats:
    return np.concatenate([np.concatenate([a, b], -1), np.concatenate([c, d], -1)], -2)


def log_normal(residual: Floats, C: Floats) -> Floats:
    """Log-density of residuals (draw, case, k) under covariances (draw, k, k)."""
    L = np.linalg.cholesky(C)
    z = residual @ np.linalg.inv(L).mT
    logdet = np.log(np.einsum("dkk->dk", L)).sum(-1)
    k = residual.shape[-1]
    return np.asarray(-0.5 * (z**2).sum(-1) - logdet[:, None] - 0.5 * k * np.log(2 * np.pi))
