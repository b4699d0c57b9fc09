"""The log-density of the prior at given parameter values, by kind of parameter.

Power scaling (ArviZ's ``psense``) asks how the posterior changes when the prior, or one kind of it,
is made a little stronger or weaker, and needs the prior's density in every draw. The formulae here
are the textbook ones, summed up by kind; the compiled kernels have their own, and the two agree.
"""

from typing import Any

import numpy as np
from scipy import special

from bayesem.arrays import VARIABLES, Floats
from bayesem.priors import Prior
from bayesem.spec import Block, Spec

__all__ = ["log_density", "log_prior_by_kind"]

_ROOT = 0.5 * np.log(2 * np.pi)


def log_prior_by_kind(spec: Spec, x: Floats) -> dict[str, Floats]:
    """Log-density of the prior, one summand for each kind of parameter.

    Parameters
    ----------
    spec : Spec
    x : (..., q) array
        Sampled values in home units, within their bounds.

    Returns
    -------
    dict of str to (...) array
        Keys are variables of the posterior: ``loading path interaction residual_sd factor_sd
        correlation covariance intercept factor_mean shape``, as far as the model has such
        parameters with a prior. Their sum is the log-density of the parameters themselves (no
        Jacobian of the sampler's transforms). Of a block of correlations that is not full, and of a
        prior cut off by a bound that its family does not know, the constant is left out. Improper
        priors contribute 0.

    Examples
    --------
    >>> from bayesem.preparation import prepare
    >>> import pandas as pd
    >>> data = pd.DataFrame({"u": [0.0, 1.0, 2.0, 4.0, 3.0], "y": [0.0, 1.0, 3.0, 4.0, 5.0]})
    >>> spec = prepare("y ~ u", data, priors={"paths": "normal(0, 1)"}).spec
    >>> parts = log_prior_by_kind(spec, np.ones(len(spec.parameters)))
    >>> sorted(parts), round(float(parts["path"]), 4)
    (['intercept', 'path', 'residual_sd'], -1.4189)
    """
    values = spec.values(x)
    kinds = [*(p.variable for p in spec.parameters), *(d.variable for d in spec.derived)]
    zero: Floats = np.zeros(x.shape[:-1])
    found: dict[str, Floats] = {}
    for k, prior in spec.priors:
        found[kinds[k]] = found.get(kinds[k], zero) + _of_value(spec, prior, values, k)
    for block in spec.blocks:
        found["correlation"] = found.get("correlation", zero) + _of_block(spec, block, x)
    return {kind: found[kind] for kind in VARIABLES if kind in found}


def log_density(prior: Prior, t: Any) -> Floats:
    """Log-density of a prior at values of the quantity that it is a density of.

    Parameters
    ----------
    prior : Prior
        Of a built-in family, or a PyMC distribution.
    t : (...) array
        Inside the family's support.

    Examples
    --------
    >>> round(float(log_density(Prior("gamma", (2.0, 3.0)), 1.0)), 6)
    -0.802775
    """
    a, t = prior.args, np.asarray(t, float)
    match prior.family:
        case "flat":
            return np.zeros_like(t)
        case "normal":
            return _normal(t, a[0], a[1])
        case "halfnormal":
            return np.asarray(np.log(2) + _normal(t, 0.0, a[0]))
        case "truncatednormal":
            low, high = (a[2] - a[0]) / a[1], (a[3] - a[0]) / a[1]
            return np.asarray(_normal(t, a[0], a[1]) - _log_mass(low, high))
        case "uniform":
            return np.full_like(t, -np.log(a[1] - a[0]))
        case "gamma":
            return _gamma(t, a[0], a[1])
        case "exponential":
            return np.asarray(np.log(a[0]) - a[0] * t)
        case "inversegamma":  # of 1/t a gamma, and d(1/t)/dt = 1/t^2
            return np.asarray(_gamma(1 / t, a[0], a[1]) - 2 * np.log(t))
        case "lognormal":
            return np.asarray(_normal(np.log(t), a[0], a[1]) - np.log(t))
        case "beta" if prior.mark == "cor":  # stretched from (0, 1) to (-1, 1)
            return np.asarray(_beta((1 + t) / 2, a[0], a[1]) - np.log(2))
        case "beta":
            return _beta(t, a[0], a[1])
        case "studentt":
            return _student(t, a[0], a[1], a[2])
        case "halfstudentt":
            return np.asarray(np.log(2) + _student(t, a[0], 0.0, a[1]))
        case "cauchy":
            return _student(t, 1.0, a[0], a[1])
        case "halfcauchy":
            return np.asarray(np.log(2) + _student(t, 1.0, 0.0, a[0]))
        case "laplace":
            return np.asarray(-np.abs(t - a[0]) / a[1] - np.log(2 * a[1]))
    return _of_graph(prior, t)


def _of_value(spec: Spec, prior: Prior, values: Floats, k: int) -> Floats:
    """Density of one sampled value whose prior may be on a function of it."""
    v = values[..., k]
    match prior.mark:
        case "var":
            return np.asarray(log_density(prior, v**2) + np.log(2 * v))
        case "prec":
            return np.asarray(log_density(prior, v**-2.0) + np.log(2) - 3 * np.log(v))
        case "cov":
            term = next(t for t in spec.terms if t.source == k)
            sds = [values[..., at] for at in (term.first, term.second) if at >= 0]
            scale = np.prod(np.stack([np.ones_like(v), *sds]), 0)
            return np.asarray(log_density(prior, v * scale) + np.log(scale))
    return log_density(prior, v)


def _of_block(spec: Spec, block: Block, x: Floats) -> Floats:
    """``(eta - 1) log det R`` with its constant where that is known."""
    if block.eta == 1:
        return np.full(x.shape[:-1], -block.log_normaliser)
    R = _block_correlations(spec, block, x)
    return np.asarray((block.eta - 1) * np.linalg.slogdet(R)[1] - block.log_normaliser)


def _block_correlations(spec: Spec, block: Block, x: Floats) -> Floats:
    """Correlations of a block's residuals, (..., node, node)."""
    if block.full or block.cube:  # its members are correlations, and all there are
        order = len(block.nodes)
        R = np.broadcast_to(np.eye(order), (*x.shape[:-1], order, order)).copy()
        for k, i, j in block.members:
            R[..., i, j] = R[..., j, i] = x[..., k]
        return R
    nodes = list(block.nodes)
    M = getattr(spec.matrices(x), block.matrix)[..., nodes, :][..., nodes]
    sd = np.sqrt(np.diagonal(M, axis1=-2, axis2=-1))
    return np.asarray(M / (sd[..., :, None] * sd[..., None, :]))


def _of_graph(prior: Prior, t: Floats) -> Floats:
    """Density of a PyMC distribution outside the built-in families."""
    import pymc as pm
    import pytensor.tensor as pt

    point = pt.dvector("point")
    density = pm.logp(prior.graph, point)
    return np.asarray(density.eval({point: t.ravel()}, mode="FAST_COMPILE")).reshape(t.shape)


def _normal(t: Any, mu: float, sigma: float) -> Floats:
    return np.asarray(-0.5 * ((t - mu) / sigma) ** 2 - np.log(sigma) - _ROOT)


def _gamma(t: Any, shape: float, rate: float) -> Floats:
    constant = shape * np.log(rate) - special.gammaln(shape)
    return np.asarray(special.xlogy(shape - 1, t) - rate * t + constant)


def _beta(t: Any, a: float, b: float) -> Floats:
    inside = special.xlogy(a - 1, t) + special.xlog1py(b - 1, -t)
    return np.asarray(inside - special.betaln(a, b))


def _student(t: Any, nu: float, mu: float, sigma: float) -> Floats:
    z = (t - mu) / sigma
    half = special.gammaln((nu + 1) / 2) - special.gammaln(nu / 2)
    return np.asarray(
        half - 0.5 * np.log(nu * np.pi) - np.log(sigma) - (nu + 1) / 2 * np.log1p(z**2 / nu)
    )


def _log_mass(low: float, high: float) -> float:
    """Log of the standard normal probability between two points, in either tail."""
    if low > 0:
        low, high = -high, -low
    return float(special.log_ndtr(high) + np.log1p(-np.exp(_less(low, high))))


def _less(low: float, high: float) -> float:
    return float(special.log_ndtr(low) - special.log_ndtr(high))
