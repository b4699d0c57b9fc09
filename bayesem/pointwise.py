"""Log-likelihood of every case at every draw: what comparison by cases rests on.

It is marginal: factors are integrated out, so that a case stands for a new case. Predictors that
are conditioned on are conditioned on here, too.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import xarray as xr

from bayesem.arrays import Floats, spaced
from bayesem.casewise import split
from bayesem.counts.fit import refuse_counts
from bayesem.data import Answers
from bayesem.errors import NotAvailableError
from bayesem.incomplete import log_likelihoods_by_case
from bayesem.kernels.pack import pack
from bayesem.matrices import Matrices
from bayesem.posterior import Fit, in_home_units, on_real_line
from bayesem.spec import Spec

__all__ = [
    "case_log_likelihood",
    "compute_log_likelihood",
    "log_likelihoods",
    "refuse_caseless",
    "total_log_likelihoods",
]

#: Numbers held at once.
BATCH = 4_000_000


def compute_log_likelihood(fit: Fit) -> xr.DataTree:
    """Add the log-likelihood of every case at every draw to ``fit.draws``.

    Parameters
    ----------
    fit : Fit

    Returns
    -------
    xarray.DataTree
        ``fit.draws``, now with a group ``log_likelihood``: ``y`` (chain, draw, case), all observed
        cells of a case together, factors integrated out. What ``arviz.loo``, ``arviz.compare`` and
        ``arviz.psense_summary`` take. The group's size is cases x draws x 8 bytes.

    Raises
    ------
    NotAvailableError
        If there are no cases (moments), the means are not modelled, or the likelihood of a case
        has no closed form or exact quadrature.
    """
    if "log_likelihood" not in fit.draws:
        posterior = fit.draws["posterior"]
        shape = (posterior.sizes["chain"], posterior.sizes["draw"])
        values = log_likelihoods(fit)
        fit.draws["log_likelihood"] = xr.DataTree(
            xr.Dataset(
                {"y": (("chain", "draw", "case"), values.reshape(*shape, -1))},
                coords={
                    "chain": posterior["chain"],
                    "draw": posterior["draw"],
                    "case": np.arange(values.shape[-1]),
                },
            )
        )
    return fit.draws


def log_likelihoods(fit: Fit, draws: int | None = None) -> Floats:
    """Log-likelihood of every case, factors integrated out.

    Parameters
    ----------
    fit : Fit
    draws : int, optional
        Evenly spaced posterior draws to use; all by default.

    Returns
    -------
    (draw, case) array
        Chain by chain. 0 for a case without any answer.

    Raises
    ------
    NotAvailableError
        See :func:`compute_log_likelihood`.
    """
    refuse_caseless(fit)
    if "log_likelihood" in fit.draws:
        values = fit.draws["log_likelihood"]["y"].transpose("chain", "draw", "case").to_numpy()
        values = values.reshape(-1, values.shape[-1])
        return values if draws is None else values[spaced(len(values), min(draws, len(values)))]
    u = on_real_line(fit)
    x = in_home_units(fit)
    u, x = u.reshape(-1, u.shape[-1]), x.reshape(-1, x.shape[-1])
    if draws is not None:
        chosen = spaced(len(u), min(draws, len(u)))
        u, x = u[chosen], x[chosen]
    assert isinstance(fit.data, Answers)
    return case_log_likelihood(fit.spec, fit.data, u, x)


def total_log_likelihoods(fit: Fit) -> Floats:
    """Log-likelihood of all data together at every draw, (chain, draw); of moments, too."""
    u = on_real_line(fit)
    if fit.spec.cases is not None:
        return log_likelihoods(fit).sum(1).reshape(u.shape[:2])
    from bayesem.kernels.linear import log_posteriors

    array, flat = pack(fit.spec), np.ascontiguousarray(u.reshape(-1, u.shape[-1]))
    values = log_posteriors(array, flat, True) - log_posteriors(array, flat, False)
    return np.asarray(values + fit.spec.constant).reshape(u.shape[:2])


def refuse_caseless(fit: Fit) -> None:
    """Refuse fits whose likelihood is not a product over cases."""
    refuse_counts(fit, "There are no cases to leave out: references cluster in informants.")
    if not isinstance(fit.data, Answers):
        raise NotAvailableError(
            "this fit rests on moments: there are no cases, so nothing can be said case by case.",
            hint="Compare fits of moments by `evidence`; or fit the raw data.",
        )
    if not fit.spec.stats.use_mean:
        raise NotAvailableError(
            "the means of this fit are not modelled, so its cases are not independent of each "
            "other given the parameters.",
            hint="Fit with means=True (the default).",
        )


def case_log_likelihood(spec: Spec, data: Answers, u: Floats, x: Floats) -> Floats:
    """Log-likelihood of every case at some points.

    Parameters
    ----------
    spec : Spec
    data : Answers
        The specification's, or other cases of the same model.
    u, x : (draw, q) arrays
        The points on the real line, and in home units within their bounds.

    Returns
    -------
    (draw, case) array
    """
    if spec.cases is None:
        out = _normal(spec.matrices(x), data.values, spec.stats.location())
    else:
        out = casewise_likelihood(replace(spec, cases=data), u)(u)
    if spec.table.fixed_x:
        y = [spec.table.indicators.index(v) for v in spec.table.fixed_x]
        k = [spec.table.factors.index(v) for v in spec.table.fixed_x]
        mean, S = spec.base.alpha[k], spec.base.Psi[np.ix_(k, k)]
        out = out - _density(data.values[:, y], mean[None], S[None])
    return out


def _normal(M: Matrices, values: Floats, location: Floats) -> Floats:
    """Multivariate normal log-densities (draw, case), by pattern of observed cells."""
    Sigma, mu = M.Sigma, M.mu - location
    y = values - location  # large intercepts cost no digits
    if np.isnan(y).any():
        return log_likelihoods_by_case(y, mu, Sigma)
    out = np.zeros((len(mu), len(y)))
    patterns, which = np.unique(~np.isnan(y), axis=0, return_inverse=True)
    for k, seen in enumerate(patterns):
        rows = np.flatnonzero(which.ravel() == k)
        step = max(1, BATCH // (int(seen.sum()) * (len(rows) + int(seen.sum())) + 1))
        for at in range(0, len(mu) if seen.any() else 0, step):
            part = slice(at, at + step)
            S = Sigma[part][:, seen][:, :, seen]
            out[part, rows] = _density(y[np.ix_(rows, seen)], mu[part][:, seen], S)
    return out


def _density(y: Floats, mu: Floats, Sigma: Floats) -> Floats:
    """Log-densities (draw, case) of y (case, k) at mu (draw, k), Sigma (draw, k, k)."""
    L = np.linalg.cholesky(Sigma)
    half = np.linalg.inv(L)
    z = half @ y.T - (half @ mu[..., None])
    logdet = np.log(np.einsum("dkk->dk", L)).sum(-1)
    constant = 0.5 * y.shape[1] * np.log(2 * np.pi)
    return np.asarray(-0.5 * np.einsum("dkn,dkn->dn", z, z) - logdet[:, None] - constant)


def casewise_likelihood(spec: Spec, around: Floats) -> Callable[[Floats], Floats]:
    """Log-likelihood of every case where cases are integrated one by one, ready to be called.

    Parameters
    ----------
    spec : Spec
        With cases.
    around : (draw, q) array
        Points of the posterior, on the real line: there the nodes have to be exact.

    Returns
    -------
    callable
        From points (draw, q) to (draw, case); minus infinity where the density is 0.

    Raises
    ------
    NotAvailableError
        If the likelihood of a case has neither closed form nor exact quadrature.
    """
    from bayesem.kernels.moderated import by_case_of
    from bayesem.kernels.plan import QUADRATURE, section
    from bayesem.sampling.forms import MOST_NODES, enough_nodes

    assert spec.cases is not None
    parts = split(spec.table)
    if parts.reason:
        raise NotAvailableError(
            f"the likelihood of a case is not available here, because {parts.reason}.",
            hint="Compare models without that part.",
        )
    nodes, _ = enough_nodes(spec, parts, list(around[spaced(len(around), min(3, len(around)))]))
    if nodes is None:
        raise NotAvailableError(
            f"the likelihood of a case is an integral over {parts.dimensions} factors, which "
            f"no more than {MOST_NODES} nodes (32 for one factor) bring to the needed exactness.",
            hint="Compare models with fewer products.",
        )
    part = section(spec.table, spec.cases, form=QUADRATURE, nodes=nodes)
    array, cases = np.concatenate([pack(spec), part.array]), spec.cases.n

    def call(u: Floats) -> Floats:
        out = np.empty((len(u), cases))
        out[:, part.order] = by_case_of(array, u)
        return out

    return call
