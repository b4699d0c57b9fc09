"""The graph's observed variable: cases or moments, with density and random draws."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bayesem.arrays import LINEAR, MATRICES, Floats
from bayesem.casedraws import draw_factors
from bayesem.casewise import split
from bayesem.data import Answers, Moments
from bayesem.kernels.op import loglik
from bayesem.kernels.plan import QUADRATURE, section
from bayesem.matrices import Matrices, implied_covariance, implied_mean
from bayesem.spec import Spec

__all__ = ["observe"]

#: Nodes by dimension in the graph's quadrature, by the number of dimensions.
GRAPH_NODES = (1, 12, 8, 6, 5)


def observe(spec: Spec, data: Answers | Moments, home: dict[str, Any]) -> None:
    """Add the observed variable to the model in context.

    Parameters
    ----------
    spec : Spec
    data : Answers or Moments
    home : dict
        The six matrices, as PyTensor variables.
    """
    M = [home[name] for name in LINEAR]
    if spec.cases is not None:
        _observe_cases(spec, spec.cases, home)
    elif isinstance(data, Answers):
        _observe_answers(spec, data, M)
    else:
        _observe_moments(spec, data, M)


def _observe_answers(spec: Spec, data: Answers, M: list[Any]) -> None:
    count, where = spec.stats.indices()
    mask = ~np.isnan(data.values)
    rows = _pattern_rows(spec, mask)

    def logp(value: Any, _: Any, *matrices: Any) -> Any:
        statistics = _statistics(spec, value, rows)
        total = loglik(list(matrices), statistics, count, where, use_mean=spec.stats.use_mean)
        return total + spec.constant

    random = _case_sampler(spec, data)
    pm.modelcontext(None).add_coords({"case": np.arange(data.n)})
    pm.CustomDist(
        "y", np.zeros(data.n), *M, logp=logp, random=random,
        signature="(n),(p,m),(m,m),(m,m),(p,p),(p),(m)->(n,p)",
        observed=np.where(mask, data.values, 0.0), dims=("case", "indicator"),
        class_name="LinearSEM",
    )  # fmt: skip


def _observe_cases(spec: Spec, cases: Answers, home: dict[str, Any]) -> None:
    """Answers and outcomes of cases whose late factors are integrated by nodes."""
    from bayesem.kernels.cases_op import cases_likelihood

    nodes = GRAPH_NODES[min(split(spec.table).dimensions, len(GRAPH_NODES) - 1)]
    part = section(spec.table, cases, form=QUADRATURE, nodes=nodes)
    shapes = [getattr(spec.base, name).shape for name in MATRICES]
    outcomes = [o.name for o in spec.table.outcomes]

    def logp(value: Any, _: Any, __: Any, *matrices: Any) -> Any:
        return cases_likelihood(list(matrices), shapes, part) + spec.constant

    def random(_: Any, __: Any, *matrices: Floats, rng: Any = None, size: Any = None) -> Floats:
        given: dict[str, Any] = dict(zip(MATRICES, matrices, strict=True))
        return _new_cases(spec, cases, Matrices(**given, products=spec.table.products), rng)

    names = [*spec.table.indicators, *outcomes]
    observed = np.concatenate([cases.values, cases.outcomes], 1)
    pm.modelcontext(None).add_coords({"case": np.arange(cases.n), "observed": names})
    pm.CustomDist(
        "y", np.zeros(cases.n), np.zeros(len(names)), *(home[name] for name in MATRICES),
        logp=logp, random=random,
        signature="(n),(l),(p,m),(m,m),(m,m),(p,p),(p),(m),(k),(o)->(n,l)",
        observed=np.nan_to_num(observed), dims=("case", "observed"), class_name="CasewiseSEM",
    )  # fmt: skip


def _new_cases(spec: Spec, cases: Answers, M: Matrices, rng: np.random.Generator) -> Floats:
    """Answers and outcomes of as many cases; predictors that are conditioned on keep theirs."""
    table = spec.table
    normal = np.random.Generator.standard_normal
    zeta = normal(rng, (cases.n, len(table.factors))) @ _root(M.Psi)
    for x in table.fixed_x:
        at = table.factors.index(x)
        zeta[:, at] = cases.values[:, table.indicators.index(x)] - M.alpha[at]
    eta, outcomes = draw_factors(table, M, zeta, rng)
    y = M.nu + eta @ M.Lambda.T + normal(rng, cases.values.shape) @ _root(M.Theta)
    return np.concatenate([y, outcomes], 1)


def _root(covariance: Floats) -> Floats:
    """Symmetric root of a positive semidefinite matrix."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T)


def _pattern_rows(spec: Spec, mask: np.ndarray) -> list[np.ndarray]:
    return [np.flatnonzero((mask == pattern).all(1)) for pattern in spec.stats.observed]


def _statistics(spec: Spec, value: Any, rows: list[np.ndarray]) -> list[Any]:
    """Sufficient statistics of the observed value, by pattern, as a graph (constants fold)."""
    n, means, scatters = [], [], []
    for pattern, where in zip(spec.stats.observed, rows, strict=True):
        seen = pattern.astype(float)
        part = value[where] * seen
        mean = part.mean(0)
        centred = (part - mean) * seen
        divisor = len(where) if spec.stats.use_mean else len(where) - 1
        n.append(float(divisor))
        means.append(mean)
        scatters.append(centred.T @ centred / divisor)
    return [np.array(n), pt.stack(means), pt.stack(scatters)]


def _case_sampler(spec: Spec, data: Answers) -> Callable[..., Floats]:
    """New cases; predictors that are conditioned on keep their values."""
    x = [spec.table.indicators.index(v) for v in spec.table.fixed_x]
    y = [k for k in range(len(spec.table.indicators)) if k not in x]

    def random(_: Any, *matrices: Floats, rng: Any = None, size: Any = None) -> Floats:
        Lambda, Beta, Psi, Theta, nu, alpha = matrices
        Sigma = implied_covariance(Lambda, Beta, Psi, Theta)
        mu = implied_mean(Lambda, Beta, nu, alpha)
        out = np.array(data.values)
        mean, cov = np.broadcast_to(mu[y], (data.n, len(y))), Sigma[np.ix_(y, y)]
        if x:
            slope = np.linalg.solve(Sigma[np.ix_(x, x)], Sigma[np.ix_(x, y)])
            mean = mean + (data.values[:, x] - mu[x]) @ slope
            cov = cov - Sigma[np.ix_(y, x)] @ slope
        out[:, y] = mean + rng.standard_normal((data.n, len(y))) @ np.linalg.cholesky(cov).T
        return out

    return random


def _observe_moments(spec: Spec, data: Moments, M: list[Any]) -> None:
    count, where = spec.stats.indices()
    names = list(spec.table.indicators)
    cov = data.cov.loc[names, names].to_numpy(float)
    with_mean = spec.stats.use_mean
    mean = np.zeros(len(names))
    if with_mean and data.mean is not None:
        mean = data.mean.loc[names].to_numpy(float)
    n = float(spec.stats.cases)

    def logp(value: Any, _: Any, *matrices: Any) -> Any:
        ybar, S = value[0], value[1:]
        scale = (n - 1) / float(spec.stats.n[0])
        if data.mean is not None and not with_mean:
            scale = 1.0
        statistics = [spec.stats.n, ybar[None], (S * scale)[None]]
        total = loglik(list(matrices), statistics, count, where, use_mean=with_mean)
        return total + spec.constant

    def random(_: Any, *matrices: Floats, rng: Any = None, size: Any = None) -> Floats:
        from scipy import stats

        Lambda, Beta, Psi, Theta, nu, alpha = matrices
        Sigma = implied_covariance(Lambda, Beta, Psi, Theta)
        S = np.atleast_2d(stats.wishart(df=int(n) - 1, scale=Sigma / (n - 1)).rvs(random_state=rng))
        mu = implied_mean(Lambda, Beta, nu, alpha) if with_mean else np.zeros(len(names))
        noise = (
            np.linalg.cholesky(Sigma / n) @ rng.standard_normal(len(names)) if with_mean else 0.0
        )
        return np.vstack([mu + noise, S])

    pm.modelcontext(None).add_coords({"moment": ["mean", *names]})
    pm.CustomDist(
        "moments", np.zeros(len(names) + 1), *M, logp=logp, random=random,
        signature="(k),(p,m),(m,m),(m,m),(p,p),(p),(m)->(k,p)", observed=np.vstack([mean, cov]),
        dims=("moment", "indicator"), class_name="LinearSEMMoments",
    )  # fmt: skip
