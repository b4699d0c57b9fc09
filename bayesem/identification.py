"""A rank check before sampling that names the parameters it cannot tell apart."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from bayesem.arrays import Floats
from bayesem.errors import IdentificationError
from bayesem.matrices import Matrices
from bayesem.spec import Parameter, Spec

__all__ = ["check_identification", "moment_jacobian"]

#: Singular values below this share of the largest count as zero; differences err by about 1e-9.
TOLERANCE = 1e-6


def moment_jacobian(spec: Spec, x: Floats) -> Floats:
    """Derivatives of the implied moments by the sampled parameters.

    Parameters
    ----------
    spec : Spec
    x : (q,) array
        In home units.

    Returns
    -------
    (moment, q) array
        Central differences; rows are the lower triangle of Sigma and, if modelled, mu, in units of
        the implied sds, or a column in small units would hide all others. Products
        are left out: what they add is identified where their factors are. Linear predictors of
        outcomes count as indicators without a variance of their own, unless it is estimated.
    """
    step = 1e-5 * np.maximum(np.abs(x), 1e-2)
    points = x + np.concatenate([np.diag(step), -np.diag(step)])
    matrices = _linear(spec, spec.matrices(points))
    Sigma = matrices.Sigma
    rows, cols = np.tril_indices(Sigma.shape[-1])
    kept = np.isin(rows, _without_variance(spec), invert=True) | (rows != cols)
    rows, cols = rows[kept], cols[kept]
    sd = _sds(Sigma)
    moments = Sigma[:, rows, cols] / (sd[rows] * sd[cols])
    if spec.stats.use_mean:
        moments = np.concatenate([moments, matrices.mu / sd], -1)
    up, down = np.split(moments, 2)
    return ((up - down) / (2 * step[:, None])).T


def _sds(Sigma: Floats) -> Floats:
    """One scale for each variable, over all points; 1 where there is none."""
    variance = np.diagonal(Sigma, axis1=-2, axis2=-1).mean(0)
    usable = np.isfinite(variance) & (variance > 0)
    return np.sqrt(np.where(usable, variance, 1.0))


def _linear(spec: Spec, M: Matrices) -> Matrices:
    """The linear part, with linear predictors of outcomes as further indicators."""
    outcomes = spec.table.outcomes
    if not spec.table.casewise:
        return M
    lead, p, m = M.nu.shape[:-1], M.Lambda.shape[-2], M.Lambda.shape[-1]
    rows = np.zeros((*lead, len(outcomes), m))
    for k, outcome in enumerate(outcomes):
        rows[..., k, outcome.factor] = 1
    Theta = np.zeros((*lead, p + len(outcomes), p + len(outcomes)))
    Theta[..., :p, :p] = M.Theta
    nu = np.concatenate([M.nu, np.zeros((*lead, len(outcomes)))], -1)
    return replace(M, Lambda=np.concatenate([M.Lambda, rows], -2), Theta=Theta, nu=nu, products=())


def _without_variance(spec: Spec) -> list[int]:
    p = len(spec.table.indicators)
    return [p + k for k, o in enumerate(spec.table.outcomes) if o.family.residual is not None]


def check_identification(
    spec: Spec, x: Floats, *, seed: int = 0, known: Collection[str] = ()
) -> None:
    """Raise if some parameters cannot be told apart by any data.

    Parameters
    ----------
    spec : Spec
    x : (q,) array
        A typical point, in home units; the rank is taken at random points around it, so that a
        path that happens to be 0 does not count.
    known : collection of str
        Parameters that their priors identify: they count as given, at their place in ``x``.

    Raises
    ------
    IdentificationError
        Naming the parameters that move the implied moments in the same direction.
    """
    rng = np.random.default_rng(seed)
    given = {p.name for p in spec.parameters if p.variable in ("interaction", "shape")} | {*known}
    asked = np.array([p.name not in given for p in spec.parameters], bool)
    held = np.array([p.name in known for p in spec.parameters], bool)
    null = None
    for _ in range(3):
        point = np.where(held, x, _jittered(spec, x, rng))
        try:
            J = moment_jacobian(spec, point)[:, asked]
        except np.linalg.LinAlgError:
            continue
        scale = np.linalg.norm(J, axis=0)
        if not np.isfinite(J).all():
            continue
        dead = scale < 1e-12 * max(float(scale.max()), 1e-300)
        _, values, rows = np.linalg.svd(J / np.where(dead, 1.0, scale), full_matrices=True)
        rank = int((values > TOLERANCE * values[0]).sum())
        if rank == asked.sum():
            return
        candidate = np.zeros((len(rows) - rank, len(x)))
        candidate[:, asked] = rows[rank:]
        if null is None or len(candidate) < len(null):
            null = candidate
    if null is not None:
        raise _error(spec, null)
    raise IdentificationError(
        "the model implies no finite moments: a fixed value is too large, or a feedback loop has "
        "a gain of exactly 1.",
        hint="Change the fixed values.",
    )


def _jittered(spec: Spec, x: Floats, rng: np.random.Generator) -> Floats:
    lower = np.array([p.lower for p in spec.parameters])
    upper = np.array([p.upper for p in spec.parameters])
    point = x * (1 + rng.uniform(-0.2, 0.2, len(x))) + rng.uniform(0.03, 0.12, len(x)) * np.where(
        np.isfinite(lower) & np.isfinite(upper), 1.0, np.maximum(np.abs(x), 0.3)
    )
    return np.clip(point, np.where(np.isfinite(lower), lower + 1e-3, -np.inf), upper - 1e-3)


def _error(spec: Spec, null: Floats) -> IdentificationError:
    involved = _involved(null)
    named = [spec.parameters[k] for k in involved]
    listed = ", ".join(f"`{p.name}`" for p in named[:8])
    more = f" and {len(named) - 8} more" if len(named) > 8 else ""
    span = next(
        (r.span for p in named for r in spec.table.rows if r.name == p.name and r.span), None
    )
    if len(named) == 1:
        message = f"{listed} changes nothing that the data could show."
    else:
        message = (
            f"{listed}{more} move the implied moments in the same direction: no data can tell them "
            f"apart ({len(null)} parameter{'s' if len(null) > 1 else ''} too many)."
        )
    return IdentificationError(message, hint=_advice(spec, named), span=span)


def _involved(null: Floats) -> list[int]:
    """The parameters of one unidentified direction, the sparsest that the null space offers."""
    weights = np.sqrt((null**2).sum(0)) if len(null) > 1 else np.abs(null[0])
    if len(null) > 1:
        # rotate so that one direction avoids as many parameters as it can: start from the largest
        k = int(np.argmax(weights))
        direction = null.T @ null[:, k]
        weights = np.abs(direction)
    order = np.argsort(-weights)
    return [int(k) for k in order if weights[k] > 0.02 * weights.max()]


def _advice(spec: Spec, named: list[Parameter]) -> str:
    table = spec.table
    for factor in table.latent:
        mine = {r.name for r in table.rows if r.op == "=~" and r.lhs == factor}
        variance = f"{factor} ~~ {factor}"
        names = {p.name for p in named}
        if variance in names and names & mine:
            first = next(r for r in table.rows if r.op == "=~" and r.lhs == factor)
            return (
                f"The scale of `{factor}` is free. Fix one of them: `{factor} =~ 1*{first.rhs}` "
                f"or `{factor} ~~ 1*{factor}`."
            )
        if len(mine) == 1 and names & mine:
            only = next(r.rhs for r in table.rows if r.op == "=~" and r.lhs == factor)
            return (
                f"`{factor}` has only 1 indicator. Say how much error that has (lavaan: none, "
                f"`{only} ~~ 0*{only}`), or measure `{factor}` by more."
            )
        if len(mine) < 3 and names & mine:
            return (
                f"`{factor}` has only {len(mine)} indicators. Give it "
                "equal loadings (one label), fix a residual variance, or measure it by more."
            )
    return "Fix one of them, set two equal with one label, or take a path out."
