"""Information criteria: WAIC, DIC with its parts, and LOO on the same scale."""

from typing import Any

import numpy as np
import pandas as pd

from bayesem.arrays import Floats
from bayesem.comparison.importance import mcse_of_mean, smoothed
from bayesem.comparison.leave_one_out import influences, sampled_of
from bayesem.comparison.units import units_of
from bayesem.errors import NotAvailableError
from bayesem.kernels.gaussian import gaussian_loglik
from bayesem.matrices import Matrices
from bayesem.pointwise import refuse_caseless, total_log_likelihoods
from bayesem.posterior import Fit
from bayesem.sampling.convergence import stamped

__all__ = ["information_criteria"]

_NO_DIC = (
    "no DIC: products of factors and outcomes of other families have no log-likelihood at mean "
    "matrices in closed form"
)
_CONDITIONAL = "CONDITIONAL on sampled factor scores: same cases again, not new cases"
_MEAN = "DIC at the posterior mean of the reported loadings, paths, (co)variances and intercepts"


def information_criteria(
    fit: Fit, *, conditional: bool = False, draws: int | None = None, seed: int = 0
) -> pd.DataFrame:
    r"""WAIC, DIC and LOO with their parts, on the deviance scale and as elpd.

    :math:`p_{waic} = \sum_i Var(\ln p(y_i|\theta))` and :math:`p_{dic} = 2 (\ln p(y|\bar\theta) -
    E \ln p(y|\theta))`, :math:`\bar\theta` the posterior mean of what the summary reports (so it
    depends on the metric: variances and covariances, in the metric of ``identify``, as blavaan
    does). Each criterion is -2 times its elpd.

    Parameters
    ----------
    fit : Fit
    conditional : bool
        Take sampled factor scores as known: the same cases again, not new cases. No DIC then.
    draws : int, optional
        Evenly spaced posterior draws to use for WAIC and LOO; all by default.
    seed : int
        Of sampled scores.

    Returns
    -------
    DataFrame
        Index ``measure``: ``elpd_waic p_waic waic se_waic elpd_loo p_loo looic se_loo k_bad logl
        Dbar Dhat p_dic dic``; columns ``value mcse`` (Monte-Carlo standard error, where one is
        known; the error of ``Dhat``, of second order, is left out of those of DIC). ``logl`` is the
        log-likelihood at the mean, ``Dhat`` -2 times it, ``Dbar`` the mean deviance. What does not
        exist for a fit is left out, and ``attrs["notes"]`` says why. LOO is by weighting alone;
        :func:`bayesem.loo` mends large k.

    Raises
    ------
    NotAvailableError
        If neither cases nor a log-likelihood at the mean exist.

    References
    ----------
    .. [1] Watanabe (2010), Journal of Machine Learning Research 11, 3571-3594.
    .. [2] Spiegelhalter, Best, Carlin & van der Linde (2002), JRSS B 64, 583-639.
    .. [3] Merkle, Furr & Rabe-Hesketh (2019), Psychometrika 84, 802-829.
    """
    rows: dict[str, tuple[float, float]] = {}
    notes: list[str] = []
    try:
        rows |= _by_case(fit, conditional=conditional, draws=draws, seed=seed)
    except NotAvailableError as error:
        if conditional or fit.spec.cases is not None:
            raise
        notes.append(f"no WAIC and LOO: {error.message}")
    if conditional:
        notes.append(_CONDITIONAL)
    elif fit.spec.cases is not None:
        notes.append(_NO_DIC)
    else:
        rows |= _dic(fit)
        notes.append(_MEAN)
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["value", "mcse"])
    table.index.name = "measure"
    stamped(table, fit)
    table.attrs["notes"] = (*table.attrs["notes"], *notes)
    table.attrs["conditional"] = conditional
    return table


def _by_case(fit: Fit, **options: Any) -> dict[str, tuple[float, float]]:
    refuse_caseless(fit)
    units = units_of(fit, None)
    sampled = sampled_of(fit, units, **options)
    found = smoothed(sampled, units)[0]
    n = np.sqrt(units.size)
    values, top = sampled.flat, sampled.flat.max(0)
    relative = np.exp(values - top)
    lppd_i, relative = np.log(relative.mean(0)) + top, relative / relative.mean(0)
    # what each draw moves: of the mean likelihoods, their variances, the weighted likelihoods
    by_lppd, by_spread = relative.sum(1), ((values - values.mean(0)) ** 2).sum(1)
    by_elpd = influences(found, sampled).sum(0).ravel()

    def error(series: Floats) -> float:
        return float(mcse_of_mean(series.reshape(1, *sampled.values.shape[:2]))[0])

    spread = values.var(0, ddof=1)
    waic_i, loo_i = lppd_i - spread, found.elpd_i.to_numpy()
    waic_error, loo_error = error(by_lppd - by_spread), error(by_elpd)
    return {
        "elpd_waic": (waic_i.sum(), waic_error),
        "p_waic": (spread.sum(), error(by_spread)),
        "waic": (-2 * waic_i.sum(), 2 * waic_error),
        "se_waic": (2 * n * waic_i.std(), np.nan),
        "elpd_loo": (loo_i.sum(), loo_error),
        "p_loo": ((lppd_i - loo_i).sum(), error(by_lppd - by_elpd)),
        "looic": (-2 * loo_i.sum(), 2 * loo_error),
        "se_loo": (2 * n * loo_i.std(), np.nan),
        "k_bad": (float((found.pareto_k > found.good_k).sum()), np.nan),
    }


def _dic(fit: Fit) -> dict[str, tuple[float, float]]:
    values = total_log_likelihoods(fit)
    logl, mean = log_likelihood_at_mean(fit), float(values.mean())
    error = float(mcse_of_mean(values[None])[0])
    p = 2 * (logl - mean)
    return {
        "logl": (logl, np.nan), "Dbar": (-2 * mean, 2 * error), "Dhat": (-2 * logl, np.nan),
        "p_dic": (p, 2 * error), "dic": (-2 * logl + 2 * p, 4 * error),
    }  # fmt: skip


def log_likelihood_at_mean(fit: Fit) -> float:
    """Log-likelihood of all data at the posterior mean of the reported matrices."""
    M: Matrices = fit.matrices().map(lambda a: np.ascontiguousarray(a.mean((0, 1))))
    stats = fit.spec.stats
    value = gaussian_loglik(
        M.Lambda, M.Beta, M.Psi, M.Theta, M.nu, M.alpha, *stats.indices(), stats.n, stats.ybar,
        stats.S, stats.use_mean,
    )[0]  # fmt: skip
    return float(value + fit.spec.constant)
