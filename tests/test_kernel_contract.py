"""Kernel, PyMC graph, casewise density and differences agree, for every model in the zoo."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from scipy.stats import multivariate_normal, wishart
from zoo import ZOO

from bayesem.arrays import LINEAR
from bayesem.casewise import split
from bayesem.data import Answers
from bayesem.graph_data import GRAPH_NODES
from bayesem.graphs import graph_of
from bayesem.kernels.gaussian import gaussian_loglik
from bayesem.kernels.linear import log_posteriors
from bayesem.kernels.op import loglik
from bayesem.kernels.pack import constrained, pack, unconstrained
from bayesem.kernels.plan import COVER, QUADRATURE
from bayesem.kernels.target import target_of
from bayesem.matrices import implied_covariance, implied_mean
from bayesem.sampling.starts import rough_point

POINTS = 3


def _target(spec, form=QUADRATURE):
    """The density that the graph has, with as many nodes."""
    nodes = 1 if spec.cases is None else GRAPH_NODES[split(spec.table).dimensions]
    return target_of(spec, form=form, nodes=nodes)


def _points(spec):
    """Random points where the density is positive."""
    rng = np.random.default_rng(5)
    target, centre = _target(spec), unconstrained(spec, rough_point(spec))
    found = []
    while len(found) < POINTS:
        u = centre + rng.normal(0, 0.15, centre.shape)
        if np.isfinite(target.density(target.array, u)[0]):
            found.append(u)
    return found


def _by_variable(spec, graph, vector):
    """A vector in the kernel's order, split into the graph's value variables."""
    parts = []
    for value in graph.value_vars:
        rv = graph.values_to_rvs[value]
        names = graph.coords[graph.named_vars_to_dims[rv.name][0]]
        base = rv.name.removeprefix("unit_")
        where = [
            next(
                k
                for k, p in enumerate(spec.parameters)
                if p.name == n
                and (
                    base == "parameters" or base == p.variable or base.startswith(f"{p.variable}_")
                )
            )
            for n in names
        ]
        parts.append(vector[where])
    return parts


@pytest.mark.parametrize("name", ZOO)
def test_kernel_equals_graph(name):
    """Log-density and gradient agree to 1e-10 relative at random points."""
    ready = ZOO[name].prepared()
    graph = graph_of(ready.spec, ready.data)
    logp = graph.logp()
    f = pytensor.function(
        graph.value_vars, [logp, *pytensor.grad(logp, graph.value_vars)], mode="FAST_COMPILE"
    )
    target = _target(ready.spec)
    q = len(ready.spec.parameters)
    order = np.concatenate(_by_variable(ready.spec, graph, np.arange(q)))
    assert sorted(order) == list(range(q))
    for u in _points(ready.spec):
        value, gradient = target.density(target.array, u)
        theirs, *parts = f(*_by_variable(ready.spec, graph, u))
        assert value == pytest.approx(float(theirs), rel=1e-10)
        gap = np.abs(np.concatenate(parts) - gradient[order]).max()
        assert gap <= 1e-10 * np.abs(gradient).max()


@pytest.mark.parametrize("name", ZOO)
def test_gradient_equals_differences(name):
    """Central differences of the log-posterior, along random directions."""
    spec = ZOO[name].prepared().spec
    rng, h = np.random.default_rng(1), 1e-5
    for form in (QUADRATURE,) if spec.cases is None else (QUADRATURE, COVER):
        target = _target(spec, form)
        u = np.concatenate([_points(spec)[0], rng.normal(size=target.scores)])
        gradient = target.density(target.array, u)[1]
        for _ in range(8):
            d = rng.normal(size=u.shape)
            d[target.parameters :] *= 0.1
            up, down = (target.density(target.array, u + s * h * d)[0] for s in (1, -1))
            assert (up - down) / (2 * h) == pytest.approx(gradient @ d, rel=2e-6, abs=1e-5)


@pytest.mark.parametrize("name", [k for k, s in ZOO.items() if not s.casewise])
def test_likelihood_equals_casewise_density(name):
    """The likelihood part of the kernel against scipy's densities, case by case."""
    ready = ZOO[name].prepared()
    spec = ready.spec
    target = _target(spec)
    for u in _points(spec):
        ll = target.density(target.array, u)[0] - log_posteriors(pack(spec), u[None], False)[0]
        M = spec.matrices(constrained(spec, u))
        assert ll + spec.constant == pytest.approx(_oracle(ready, M), rel=1e-9)


def _oracle(ready, M):
    """Log-likelihood without any of the package's shortcuts."""
    data, spec = ready.data, ready.spec
    Sigma, mu = M.Sigma, M.mu
    if not isinstance(data, Answers):
        names = list(ready.table.indicators)
        S, n = data.cov.loc[names, names].to_numpy(), data.n
        scatter = wishart(df=n - 1, scale=Sigma).logpdf((n - 1) * S)
        if data.mean is None:
            return scatter
        ybar = data.mean.loc[names].to_numpy()
        whole = -0.5 * n * (len(S) * np.log(2 * np.pi) + np.linalg.slogdet(Sigma)[1])
        P, d = np.linalg.inv(Sigma), ybar - mu
        return whole - 0.5 * ((n - 1) * np.trace(P @ S) + n * d @ P @ d)
    y = data.values
    if not spec.stats.use_mean:  # a flat mean integrated out
        n, p = y.shape
        centred = y - y.mean(0)
        kernel = multivariate_normal(np.zeros(p), Sigma).logpdf(centred).sum()
        return kernel + 0.5 * p * np.log(2 * np.pi / n) + 0.5 * np.linalg.slogdet(Sigma)[1]
    total = 0.0
    for row in y:
        o = np.flatnonzero(~np.isnan(row))
        if o.size:
            total += multivariate_normal(mu[o], Sigma[np.ix_(o, o)]).logpdf(row[o])
    x = [ready.table.indicators.index(v) for v in ready.table.fixed_x]
    if x:
        total -= multivariate_normal(mu[x], Sigma[np.ix_(x, x)]).logpdf(y[:, x]).sum()
    return total


def test_operation_gradient_equals_pytensors_own():
    """The Op's hand-written gradient against PyTensor's gradient of the plain formula."""
    rng = np.random.default_rng(0)
    p, m, n = 6, 2, 40
    symbols = [pt.dmatrix(k) for k in LINEAR[:4]] + [pt.dvector(k) for k in LINEAR[4:]]
    y = rng.normal(size=(n, p))
    ybar, S = y.mean(0), np.cov(y.T, bias=True)
    Sigma = implied_covariance(*symbols[:4], xp=pt)
    d = ybar - implied_mean(symbols[0], symbols[1], symbols[4], symbols[5], xp=pt)
    plain = (
        -0.5
        * n
        * (
            p * np.log(2 * np.pi)
            + pt.linalg.slogdet(Sigma)[1]
            + pt.trace(pt.linalg.inv(Sigma) @ (S + pt.outer(d, d)))
        )
    )
    count, where = np.array([p]), np.arange(p)[None]
    op = loglik(symbols, [np.array([float(n)]), ybar[None], S[None]], count, where, use_mean=True)
    functions = [
        pytensor.function(symbols, [v, *pytensor.grad(v, symbols)], mode="FAST_COMPILE")
        for v in (plain, op)
    ]
    Beta = np.array([[0.0, 0.2], [0.5, 0.0]])
    W = rng.normal(size=(p, p))
    point = [
        rng.normal(size=(p, m)), Beta, np.array([[1.0, 0.3], [0.3, 2.0]]),
        np.eye(p) + 0.05 * W @ W.T, rng.normal(size=p), rng.normal(size=m),
    ]  # fmt: skip
    ours, theirs = functions[1](*point), functions[0](*point)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10)
    direct = gaussian_loglik(*point, count, where, np.array([float(n)]), ybar[None], S[None], True)
    assert direct[0] == pytest.approx(float(theirs[0]), rel=1e-12)


def test_cost_does_not_grow_with_cases():
    """The array that the kernel reads has the same length for 75 and for 7,500 cases."""
    small = ZOO["democracy"]
    import pandas as pd

    big = pd.concat([small.data] * 100, ignore_index=True)
    sizes = [len(pack(type(small)(small.text, d).prepared().spec)) for d in (small.data, big)]
    assert sizes[0] == sizes[1]


@pytest.mark.parametrize("name", ZOO)
def test_far_points_are_refused_quietly(name, capfd):
    """Where numbers overflow or a matrix is singular, the kernel says so and raises nothing."""
    spec = ZOO[name].prepared().spec
    target, rng = _target(spec), np.random.default_rng(0)
    for scale in (5.0, 50.0, 800.0):
        for _ in range(40):
            u = rng.normal(0, scale, len(spec.parameters))
            value, gradient = target.density(target.array, u)
            assert not value > 1e12
            assert gradient.shape == (len(spec.parameters),)
    assert "Error" not in capfd.readouterr().err
