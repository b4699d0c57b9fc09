"""The casewise likelihood against definitions that share nothing with the kernel."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import gammaln
from zoo import ZOO

from bayesem.casewise import cover_of, split
from bayesem.families import (
    LOGIT,
    LOGNORMAL,
    NEGATIVE_BINOMIAL,
    NORMAL,
    POISSON,
    PROBIT,
    WEIBULL,
)
from bayesem.kernels.linear import log_posteriors
from bayesem.kernels.pack import constrained, pack, unconstrained
from bayesem.kernels.target import target_of
from bayesem.partable import twin_of
from bayesem.sampling.starts import rough_point

CASEWISE = [name for name, s in ZOO.items() if s.casewise]


def density(code, z, eta, sd, shape, censored):
    """Density of an outcome at a linear predictor without its own residual."""
    if code == PROBIT:
        return stats.norm.cdf(np.where(z > 0.5, 1, -1) * eta)
    if code == LOGIT:
        return 1 / (1 + np.exp(-np.where(z > 0.5, 1, -1) * eta))
    if code == NORMAL:
        return stats.norm.pdf(z, eta, sd)
    if code == LOGNORMAL:
        log = np.log(z)
        return stats.norm.sf(log, eta, sd) if censored else stats.norm.pdf(log, eta, sd) / z
    if code == WEIBULL:
        law = stats.weibull_min(1 / shape, scale=np.exp(eta))
        return law.sf(z) if censored else law.pdf(z)
    if code == POISSON:
        return np.exp(z * eta - np.exp(eta) - gammaln(z + 1))
    assert code == NEGATIVE_BINOMIAL
    return stats.nbinom.pmf(z, 1 / shape, 1 / (1 + shape * np.exp(eta)))


def brute_force(ready, M, points=33, inner=80):
    """Sum over cases of log p, by a dense grid over the cover's *prior*, dense covariances.

    Given the cover's scores the model is a linear SEM with other paths; the outcome's linear
    predictor, without its residual, is one more variable of it.
    """
    table, data = ready.table, ready.data
    m = len(table.factors)
    linear = np.linalg.solve(np.eye(m) - M.Beta, M.alpha)
    latent = [at for at, raw in cover_of(table) if not raw]
    raw = [at for at, is_raw in cover_of(table) if is_raw]
    A = np.linalg.inv(np.eye(m) - M.Beta)
    x, w = np.polynomial.hermite_e.hermegauss(points)
    t, wt = np.polynomial.hermite_e.hermegauss(inner)
    w, wt = np.log(w / w.sum()), wt / wt.sum()
    grid, logw = np.zeros((1, 0)), np.zeros(1)
    if latent:
        axes = (np.meshgrid(*[a] * len(latent), indexing="ij") for a in (x, w))
        grid, logw = (np.array(a).reshape(len(latent), -1).T for a in axes)
        logw = logw.sum(1)
    Psi = M.Psi.copy()
    residual = {}
    for o in table.outcomes:  # its own residual is integrated where its value is known
        if not np.delete(Psi[o.factor], o.factor).any():
            residual[o.factor] = np.sqrt(Psi[o.factor, o.factor])
            Psi[o.factor, o.factor] = 0
    Phi = A @ M.Psi @ A.T
    V = Phi[np.ix_(latent, latent)]
    L = np.linalg.cholesky(V) if latent else np.zeros((0, 0))
    total = 0.0
    for i in range(data.n):
        seen = np.flatnonzero(~np.isnan(data.values[i]))
        values = []
        for node, lw in zip(grid, logw, strict=True):
            score = dict(zip(latent, L @ node, strict=True))  # deviations from the linear mean
            for at in raw:
                score[at] = data.values[i, table.indicators.index(table.factors[at])]
            Beta, alpha = M.Beta.copy(), M.alpha.copy()
            for omega, q in zip(M.omega, table.products, strict=True):
                (a, _), (b, raw_b) = q.parts if q.first in score else q.parts[::-1]
                Beta[q.to, b] += omega * score[a]
                alpha[q.to] -= 0 if raw_b else omega * score[a] * linear[b]
            Ai = np.linalg.inv(np.eye(m) - Beta)
            F = [k for k in latent]
            mean, cov = Ai @ alpha, Ai @ Psi @ Ai.T
            if F:  # condition every factor on the cover
                target = np.array([linear[k] + score[k] for k in F])
                gain = cov[:, F] @ np.linalg.inv(cov[np.ix_(F, F)])
                mean = mean + gain @ (target - mean[F])
                cov = cov - gain @ cov[F]
            Lam = M.Lambda[seen]
            mu, S = M.nu[seen] + Lam @ mean, Lam @ cov @ Lam.T + M.Theta[np.ix_(seen, seen)]
            y = data.values[i, seen]
            v = lw + stats.multivariate_normal(mu, S).logpdf(y)
            gain = cov @ Lam.T @ np.linalg.inv(S)
            eta, spread = mean + gain @ (y - mu), cov - gain @ Lam @ cov
            wanted = [
                (k, o) for k, o in enumerate(table.outcomes) if not np.isnan(data.outcomes[i, k])
            ]
            normal = [(k, o) for k, o in wanted if o.family.code == NORMAL]
            for k, o in normal:  # exact observations, one after the other
                at, s2 = o.factor, residual[o.factor] ** 2
                var = spread[at, at] + s2
                v += stats.norm(eta[at], np.sqrt(var)).logpdf(data.outcomes[i, k])
                g = spread[:, at] / var
                eta, spread = (
                    eta + g * (data.outcomes[i, k] - eta[at]),
                    spread - np.outer(g, spread[at]),
                )
            for k, o in wanted:
                if o.family.code == NORMAL:
                    continue
                at = o.factor
                own = residual.get(at)
                nodes = eta[at] + np.sqrt(max(spread[at, at], 0)) * t
                f = density(o.family.code, data.outcomes[i, k], nodes,
                            own, M.shape[k], data.censored[i, k]) if own is not None else None  # fmt: skip
                if (
                    f is None
                ):  # the residual is part of the predictor: a probit correlated with others
                    assert o.family.code == PROBIT
                    sign = 1 if data.outcomes[i, k] > 0.5 else -1
                    v += stats.norm.logcdf(sign * eta[at] / np.sqrt(spread[at, at]))
                else:
                    v += np.log(wt @ f)
            values.append(v)
        top = max(values)
        total += top + np.log(np.exp(np.array(values) - top).sum())
    where = [table.indicators.index(x) for x in table.fixed_x]
    if where:
        Sigma = M.Lambda @ Phi @ M.Lambda.T + M.Theta
        law = stats.multivariate_normal(
            (M.nu + M.Lambda @ linear)[where], Sigma[np.ix_(where, where)]
        )
        total -= law.logpdf(data.values[:, where]).sum()
    return total


def few(ready, n=4):
    """The same model on a few cases, so that the dense grid is affordable."""
    from dataclasses import replace

    data = ready.data
    rows = slice(0, n)
    small = replace(
        data, values=data.values[rows], outcomes=data.outcomes[rows],
        censored=data.censored[rows], index=data.index[rows],
    )  # fmt: skip
    return replace(ready, data=small, spec=replace(ready.spec, cases=small))


@pytest.mark.parametrize("name", CASEWISE)
def test_likelihood_equals_brute_force(name):
    """Dense covariances on a grid over the prior of the cover, another outcome density."""
    ready = few(ZOO[name].prepared())
    spec = ready.spec
    nodes = {0: 1, 1: 24, 2: 14}[split(spec.table).dimensions]
    target = target_of(spec, nodes=nodes)
    rng = np.random.default_rng(2)
    u = unconstrained(spec, rough_point(spec)) + rng.normal(0, 0.1, len(spec.parameters))
    ours = target.density(target.array, u)[0] - log_posteriors(pack(spec), u[None], False)[0]
    # the constant holds the density of all rows' predictors: take the few rows' own instead
    theirs = brute_force(ready, spec.matrices(constrained(spec, u)))
    where = [spec.table.indicators.index(x) for x in spec.table.fixed_x]
    if where:
        M = spec.matrices(constrained(spec, u))
        linear = M.nu + M.Lambda @ np.linalg.solve(np.eye(M.Beta.shape[0]) - M.Beta, M.alpha)
        Phi = M.A @ M.Psi @ M.A.T
        Sigma = M.Lambda @ Phi @ M.Lambda.T + M.Theta
        law = stats.multivariate_normal(linear[where], Sigma[np.ix_(where, where)])
        ours -= law.logpdf(ready.data.values[:, where]).sum()
    assert ours == pytest.approx(theirs, abs=2e-5)


def test_cover_takes_observed_factors_first():
    """A product with an observed part costs no dimension."""
    table = ZOO["product with an observed variable"].prepared().table
    latent = [at for at, raw in cover_of(table) if not raw]
    raw = [table.factors[at] for at, is_raw in cover_of(table) if is_raw]
    assert len(latent) == 1
    assert raw == ["size"]


def test_twins_are_conditioned_on():
    """The observed value of a mediating outcome is a predictor with the sample's moments."""
    table = ZOO["mediating probit"].prepared().table
    assert twin_of("bought") in table.fixed_x
