"""All scores sampled: gradient, density by a second route, integral over scores, and posterior."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from independent.single import single_interaction
from scipy import stats
from scipy.special import logsumexp

from bayesem.errors import NotAvailableError
from bayesem.families import (
    LOGIT,
    LOGNORMAL,
    NEGATIVE_BINOMIAL,
    NORMAL,
    POISSON,
    PROBIT,
    Lognormal,
)
from bayesem.kernels.allscores_plan import _coordinates, target_of_scores
from bayesem.kernels.linear import log_posterior
from bayesem.kernels.pack import constrained, pack, unconstrained
from bayesem.kernels.target import target_of
from bayesem.preparation import Prepared, prepare
from bayesem.sampling.engine import sample_kernel
from bayesem.sampling.starts import maximum, overdispersed, rough_point, whitened

N = 40


def _answers(rng: np.random.Generator, name: str, factor: np.ndarray) -> dict[str, np.ndarray]:
    noise = rng.normal(0, 0.7, (3, len(factor)))
    return {f"{name}{k + 1}": 5 + w * factor + noise[k] for k, w in enumerate((1.0, 0.8, 1.2))}


@cache
def _data() -> pd.DataFrame:
    """Answers to factors X, Z, Y, W, D, E, F, and observed variables of all sorts."""
    rng = np.random.default_rng(11)
    X, Z, e1, e2, m = rng.normal(size=(5, N))
    Z = 0.4 * X + Z
    Y = 0.5 * X + 0.3 * Z + 0.4 * X * Z + e1
    W = 0.4 * Y + 0.3 * Y * Z + e2
    DC = 0.3 * X + rng.normal(size=N)
    D, E, F = DC + 0.5 * rng.normal(size=(3, N))
    factors = {"x": X, "z": Z, "y": Y, "w": W, "d": D, "e": E, "f": F}
    columns = {k: v for name, f in factors.items() for k, v in _answers(rng, name, f).items()}
    time = np.exp(0.5 * X - 0.3 * Z + rng.normal(size=N))
    columns |= {
        "m": 3 + m + 0.2 * X,
        "o": 1 + 0.5 * X + 0.3 * X * Z + rng.normal(size=N),
        "b": (0.3 + X + 0.5 * X * Z + rng.normal(size=N) > 0).astype(float),
        "time": np.minimum(time, 2.0),
        "waiting": (time > 2.0).astype(float),
        "wait": np.exp(0.3 * Z + np.log(rng.exponential(size=N))),
        "count": rng.poisson(np.exp(0.2 + 0.4 * X + 0.2 * X * Z)).astype(float),
        "many": rng.poisson(np.exp(0.5 + 0.4 * Z) * rng.gamma(2.0, 0.5, N)).astype(float),
    }
    return pd.DataFrame(columns)


def _holed(*names: str, share: float = 0.15) -> pd.DataFrame:
    data, rng = _data().copy(), np.random.default_rng(3)
    for name in names:
        data.loc[rng.uniform(size=N) < share, name] = np.nan
    return data


@dataclass(frozen=True)
class Case:
    """A model, its data and the arguments of its fit; nodes by dimension where it is integrated."""

    text: str
    families: Mapping[str, Any] = field(default_factory=dict)
    holes: tuple[str, ...] = ()
    nodes: int = 0
    priors: Mapping[str, str] | None = None


_XZ = "X =~ x1 + x2 + x3\nZ =~ z1 + z2 + z3\n"
_Y, _W = "Y =~ y1 + y2 + y3\n", "W =~ w1 + w2 + w3\n"
_DC = "D =~ d1 + d2 + d3\nE =~ e1 + e2 + e3\nF =~ f1 + f2 + f3\nDC =~ D + E + F\n"
CASES = {
    "interaction": Case(_XZ + _Y + "Y ~ X + Z + X:Z", nodes=12),
    "quadratic": Case("X =~ x1 + x2 + x3\n" + _Y + "Y ~ X + X:X", nodes=24),
    "observed moderator": Case("X =~ x1 + x2 + x3\n" + _Y + "Y ~ X + m + X:m", nodes=20),
    "second order": Case(_DC + "Z =~ z1 + z2 + z3\n" + _Y + "Y ~ DC + Z + DC:Z"),
    "observed outcome": Case(_XZ + "o ~ X + Z + X:Z", nodes=24),
    "two outcomes": Case(
        _XZ + "b ~ X + Z + X:Z\ntime ~ X + Z + X:Z",
        {"b": "bernoulli", "time": Lognormal(censored="waiting")},
    ),
    "all families": Case(
        _XZ + "b ~ X\no ~ X + X:X\ntime ~ X + b\nwait ~ Z\ncount ~ X + X:Z\nmany ~ Z + count",
        {
            "b": "logit", "time": Lognormal(censored="waiting"), "wait": "weibull",
            "count": "poisson", "many": "negative_binomial",
        },
        priors={"wait shape": "gamma(2, 2)", "many shape": "gamma(2, 2)"},
    ),
    "Poisson": Case(_XZ + "count ~ X + Z + X:Z", {"count": "poisson"}, nodes=24),
    "censored time": Case(
        _XZ + "time ~ X + Z + X:Z", {"time": Lognormal(censored="waiting")}, nodes=24
    ),
    "missing cells": Case(
        _XZ + _Y + "Y ~ X + Z + m + X:Z\nx1 ~~ x2\nb ~ X",
        {"b": "bernoulli"},
        ("x1", "x2", "x3", "z2", "y3", "m", "b"),
        nodes=10,
    ),
    "nested": Case(_XZ + _Y + _W + "Y ~ X + Z + X:Z\nW ~ Y + Z + Y:Z"),
    "tied residuals": Case(
        _XZ + _Y + "Y ~ X + Z\nb ~ X + Y + X:Z\nb ~~ Y", {"b": "bernoulli"}, nodes=12
    ),
    "tied time": Case(
        _XZ + _Y + "Y ~ X + Z\ntime ~ X + X:Z\ntime ~~ Y",
        {"time": Lognormal(censored="waiting")},
        nodes=12,
    ),
    "feedback": Case(_XZ + _Y + _W + "Y ~ W + X + X:Z\nW ~ Y + Z", nodes=8),
    "indicator with a path": Case(_XZ + _Y + "Y ~ X + Z + X:Z\nm ~ X\nx1 ~ m", nodes=12),
}  # fmt: skip


@cache
def _prepared(name: str) -> Prepared:
    case = CASES[name]
    data = _holed(*case.holes) if case.holes else _data()
    return prepare(case.text, data, families=case.families, priors=case.priors, check=False)


@cache
def _point(name: str) -> np.ndarray:
    """A point on the real line away from the guess, where correlations and loops are admissible."""
    spec, rng = _prepared(name).spec, np.random.default_rng(2)
    model, centre = pack(spec), unconstrained(spec, rough_point(spec))
    while True:
        u = centre + rng.normal(0, 0.1, centre.shape)
        for k, p in enumerate(spec.parameters):
            if p.variable == "interaction":
                u[k] = 0.3 * rng.choice([-1, 1]) * rng.uniform(0.5, 1)
        if np.isfinite(log_posterior(model, u, False)[0]):
            return u


def _matrices(name: str) -> Any:
    """Those that the coordinates are made from: near the point, not at it."""
    spec = _prepared(name).spec
    return spec.matrices(0.2 * rough_point(spec) + 0.8 * constrained(spec, _point(name)))


def _target(name: str, cases: Any = None) -> Any:
    spec = _prepared(name).spec
    if cases is not None:
        spec = replace(spec, cases=cases)
    return spec, target_of_scores(spec, _matrices(name))


def _rows(cases: Any, rows: Any) -> Any:
    return replace(
        cases, values=cases.values[rows], index=cases.index[rows],
        outcomes=cases.outcomes[rows], censored=cases.censored[rows],
    )  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_gradient_equals_differences(name):
    """Every parameter and every score by central differences, to 1e-6 of the largest."""
    _, target = _target(name)
    rng = np.random.default_rng(4)
    u = np.concatenate([_point(name), rng.normal(0, 0.5, target.scores)])
    value, gradient = target.density(target.array, u)
    assert np.isfinite(value)

    def slope(d: np.ndarray, h: float) -> float:
        up, down = (target.density(target.array, u + s * h * d)[0] for s in (1, -1))
        return (up - down) / (2 * h)

    numeric = np.array([(4 * slope(d, 2e-4) - slope(d, 4e-4)) / 3 for d in np.eye(u.size)])
    q = target.parameters
    for part in (slice(None, q), slice(q, None)):
        gap = np.abs(numeric[part] - gradient[part]).max()
        assert gap < 1e-6 * np.abs(gradient[part]).max()


@pytest.mark.parametrize("name", CASES)
def test_density_equals_densities_written_out(name):
    """Answers, residuals and outcomes by scipy's densities at the same scores."""
    spec, target = _target(name)
    u = np.concatenate([_point(name), np.random.default_rng(5).normal(0, 0.7, target.scores)])
    prior = log_posterior(pack(spec), u[: target.parameters], False)[0] - spec.constant
    ours = target.density(target.array, u)[0] - prior
    theirs = _written_out(name, spec, u[target.parameters :]) + spec.constant
    assert ours == pytest.approx(theirs, rel=1e-9)


def _written_out(name: str, spec: Any, t: np.ndarray) -> float:
    table, cases = spec.table, spec.cases
    seen = ~np.isnan(cases.values)
    patterns, which = np.unique(seen, axis=0, return_inverse=True)
    order = np.argsort(which.ravel(), kind="stable")
    values = np.where(seen, cases.values, 0.0)[order]
    opened, centre, root, logdet = _coordinates(
        table, patterns, np.sort(which.ravel()), values, _matrices(name)
    )
    M, m = spec.matrices(constrained(spec, _point(name))), len(table.factors) - len(table.outcomes)
    mean = np.linalg.solve(np.eye(m) - M.Beta[:m, :m], M.alpha[:m])
    used, total = np.flatnonzero(opened.any(0)), 0.0
    t = t.reshape(len(used), -1).T
    total += cases.n * np.linalg.slogdet(np.eye(m) - M.Beta[:m, :m])[1]
    for i, row in enumerate(order):
        g = np.sort(which.ravel())[i]
        eta = centre[:, i].copy()
        eta[used] += root[g] @ t[i]
        closed = ~opened[g, used]
        total += logdet[g] + stats.norm.logpdf(t[i][closed]).sum()
        answered = [
            k for k, y in enumerate(table.indicators)
            if y not in table.phantoms and seen[row, k]
        ]  # fmt: skip
        expected = M.nu + M.Lambda[:, :m] @ eta
        if answered:
            total += stats.multivariate_normal(
                expected[answered], M.Theta[np.ix_(answered, answered)]
            ).logpdf(cases.values[row, answered])
        predicted = M.alpha + M.Beta[:, :m] @ eta
        for w, p in zip(M.omega, table.products, strict=True):
            parts = [eta[at] - (0.0 if raw else mean[at]) for at, raw in p.parts]
            predicted[p.to] += w * parts[0] * parts[1]
        zeta = eta - predicted[:m]
        total += stats.multivariate_normal(np.zeros(m), M.Psi[:m, :m]).logpdf(zeta)
        for k, outcome in enumerate(table.outcomes):
            o, z = outcome.factor, cases.outcomes[row, k]
            if np.isnan(z):
                continue
            c = np.linalg.solve(M.Psi[:m, :m], M.Psi[:m, o])
            total += _outcome(
                outcome.family.code, z, cases.censored[row, k], predicted[o] + c @ zeta,
                M.Psi[o, o] - c @ M.Psi[:m, o], M.shape[k],
            )  # fmt: skip
    return total


def _outcome(code: int, z: float, censored: bool, m: float, v: float, shape: float) -> float:
    """Log-density of one value at the predictor's mean ``m``; ``v`` of the normal families."""
    sd = np.sqrt(max(v, 0.0))
    if code == NORMAL:
        return stats.norm.logpdf(z, m, sd)
    if code == PROBIT:
        return stats.norm.logcdf((2 * z - 1) * m / sd)
    if code == LOGIT:
        return stats.bernoulli.logpmf(z, 1 / (1 + np.exp(-m)))
    if code == LOGNORMAL:
        family = stats.lognorm(sd, scale=np.exp(m))
        return family.logsf(z) if censored else family.logpdf(z)
    if code == POISSON:
        return stats.poisson.logpmf(z, np.exp(m))
    if code == NEGATIVE_BINOMIAL:
        return stats.nbinom.logpmf(z, 1 / shape, 1 / (1 + shape * np.exp(m)))
    return stats.weibull_min.logpdf(z, 1 / shape, scale=np.exp(m))


@pytest.mark.parametrize("name", [k for k, case in CASES.items() if case.nodes])
def test_integral_over_scores_is_the_likelihood(name):
    """Gauss-Hermite over every distance equals the kernel that integrates, case by case."""
    cases, nodes = _prepared(name).spec.cases, CASES[name].nodes
    whole = np.isnan(cases.values).sum(1)
    for row in (0, 1, int(whole.argmax())):
        few = _rows(cases, [row])
        spec, target = _target(name, few)
        q, d = target.parameters, target.scores
        x, w = np.polynomial.hermite_e.hermegauss(nodes)
        logw = np.log(w / w.sum()) + 0.5 * x**2 + 0.5 * np.log(2 * np.pi)
        index = np.array(list(product(range(nodes), repeat=d)))
        u = np.tile(_point(name), (len(index), 1))
        U = np.concatenate([u, x[index]], 1)
        values = np.array([target.density(target.array, row)[0] for row in U])
        mine = logsumexp(values + logw[index].sum(1))
        exact = target_of(spec, form=1, nodes=40)
        assert exact.scores == 0
        theirs = exact.density(exact.array, U[0, :q])[0]
        assert mine == pytest.approx(theirs, abs=2e-5)


def test_coordinates_do_not_change_the_likelihood():
    """The same integral around other matrices."""
    cases = _rows(_prepared("quadratic").spec.cases, [3])
    spec = replace(_prepared("quadratic").spec, cases=cases)
    x, w = np.polynomial.hermite_e.hermegauss(40)
    logw = np.log(w / w.sum()) + 0.5 * x**2 + 0.5 * np.log(2 * np.pi)
    found = []
    for shift in (0.0, 0.15):
        target = target_of_scores(
            spec, spec.matrices(constrained(spec, _point("quadratic") + shift))
        )
        values = [
            target.density(target.array, np.concatenate([_point("quadratic"), [a, b]]))[0] + v + w
            for a, v in zip(x, logw, strict=True)
            for b, w in zip(x, logw, strict=True)
        ]
        found.append(logsumexp(values))
    assert found[0] == pytest.approx(found[1], abs=1e-6)


@pytest.mark.parametrize(
    "text, families, words",
    [
        (
            _XZ + "b ~ X\ntime ~ X\nb ~~ time",
            {"b": "bernoulli", "time": "lognormal"},
            "two outcomes",
        ),
        (_XZ + _Y + "Y ~ X + Z + X:Z\ny1 ~~ 0*y1", {}, "fixed at 0"),
        (_XZ + _Y + "Y ~ X + Z + X:Z\nX ~~ 0*X", {}, "fixed at 0"),
        (_XZ + _Y + _W + "Y ~ X + W:Z\nW ~ Y + Z", {}, "feeds back"),
    ],
)
def test_what_cannot_be_sampled_is_refused(text, families, words):
    """With the reason, before anything is compiled."""
    spec = prepare(text, _data(), families=families, check=False).spec
    with pytest.raises(NotAvailableError, match=words):
        target_of_scores(spec, spec.matrices(rough_point(spec)))


@pytest.mark.parametrize("name", ["interaction", "all families"])
def test_far_points_are_refused_quietly(name, capfd):
    """Where numbers overflow the density is 0 and nothing is raised."""
    _, target = _target(name)
    rng = np.random.default_rng(0)
    for scale in (5.0, 50.0, 800.0):
        for _ in range(10):
            value, gradient = target.density(target.array, rng.normal(0, scale, target.size))
            assert not value > 1e12
            assert gradient.shape == (target.size,)
    assert "Error" not in capfd.readouterr().err


def test_what_the_sampler_calls_is_the_density_in_white():
    """The compiled entries against the density on the real line and its chain rule."""
    _, target = _target("interaction")
    q, rng = target.parameters, np.random.default_rng(1)
    spread = np.eye(q) + 0.1 * rng.normal(size=(q, q))
    array = target.whiten(target.array, _point("interaction"), spread)
    z = 0.1 * rng.normal(size=target.size)
    u = np.concatenate([_point("interaction") + spread @ z[:q], z[q:]])
    np.testing.assert_allclose(target.from_white(array, z), u, rtol=1e-12)
    value, gradient = target.density(array, u)
    gradient[:q] = spread.T @ gradient[:q]
    white = target.white(array, z)
    assert white[0] == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(white[1], gradient, rtol=1e-9, atol=1e-9)
    grad, out, point = np.empty(z.size), np.empty(1), np.empty(q)
    double = target.logp_entry.ctypes.argtypes[1]

    def at(x: np.ndarray) -> Any:
        return x.ctypes.data_as(double)

    assert target.logp_entry.ctypes(z.size, at(z), at(grad), at(out), at(array)) == 0
    assert out[0] == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(grad, gradient, rtol=1e-9, atol=1e-9)
    target.expand_entry.ctypes(z.size, q, at(z), at(point), at(array))
    np.testing.assert_allclose(point, u[:q], rtol=1e-12)


def _drawn(target: Any, mode: Any, draws: int) -> Any:
    """Means, their Monte-Carlo errors, and the raw draws."""
    import arviz as az

    model = whitened(target, mode)
    raw = sample_kernel(
        target, model, lambda s: overdispersed(target, model, mode, np.random.default_rng(s)),
        draws=draws, tune=500, chains=2, cores=2, seed=8, target_accept=0.9, progress=False,
    )  # fmt: skip
    ess = np.array([float(az.ess(raw.u[:, :, k])) for k in range(target.parameters)])
    flat = raw.u.reshape(-1, target.parameters)
    return flat.mean(0), flat.std(0) / np.sqrt(ess), raw


def test_posterior_means_equal_those_of_quadrature():
    """One interaction, n = 150, sampled both ways: means within 4 Monte-Carlo errors."""
    data, _ = single_interaction(150, w=0.3, seed=3)
    spec = prepare(CASES["interaction"].text, data).spec
    exact = target_of(spec, form=1, nodes=8)
    mode = maximum(spec, target=exact)
    scores = target_of_scores(spec, spec.matrices(constrained(spec, mode.u)))
    mean, error, _ = _drawn(exact, mode, 600)
    other, other_error, raw = _drawn(scores, mode, 600)
    assert raw.statistics["diverging"].sum() == 0
    assert np.abs((mean - other) / np.hypot(error, other_error)).max() < 4
