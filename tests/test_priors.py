"""Prior families against PyMC's densities, and prior draws against known distributions."""

import numpy as np
import pymc as pm
import pytest
from scipy import stats
from texts import DEMOCRACY, HOLZINGER
from zoo import ZOO

from bayesem.errors import PriorError
from bayesem.fitting import graph
from bayesem.kernels.densities import log_prior
from bayesem.kernels.linear import log_posterior
from bayesem.kernels.pack import pack, unconstrained
from bayesem.posterior import named_draws, reported_matrices
from bayesem.preparation import prepare
from bayesem.priordraws import draw_prior, lkj_correlations
from bayesem.priors import FAMILIES, Prior, prior_from

EXAMPLES = {
    "normal": (0.3, 1.7), "halfnormal": (1.3,), "uniform": (-1.0, 2.0), "gamma": (2.0, 3.0),
    "inversegamma": (3.0, 2.0), "exponential": (1.5,), "lognormal": (0.2, 0.8), "beta": (2.0, 3.0),
    "studentt": (4.0, 0.2, 1.5), "halfstudentt": (4.0, 1.5), "cauchy": (0.1, 0.7),
    "halfcauchy": (1.2,), "laplace": (0.4, 1.1), "truncatednormal": (0.7, 0.4, 0.0, np.inf),
}  # fmt: skip


def test_every_family_is_tried():
    assert set(EXAMPLES) == set(FAMILIES) - {"flat", "lkj"}


@pytest.mark.parametrize("family", EXAMPLES)
def test_density_equals_scipy_and_pymc(family):
    """To 1e-12 of scipy; PyMC keeps some constants (log 2) in single precision."""
    prior = Prior(family, EXAMPLES[family])
    names = FAMILIES[family].arguments
    theirs = getattr(pm, FAMILIES[family].pymc).dist(
        **dict(zip(names, map(np.float64, prior.args), strict=True))
    )
    code, a, b, c, constant = prior.kernel()
    for x in (0.15, 0.5, 0.93):
        value, slope = log_prior(code, x, a, b, c)
        assert value + constant == pytest.approx(
            float(pm.logp(theirs, np.float64(x)).eval()), abs=1e-7
        )
        assert value + constant == pytest.approx(_scipy_density(prior, x), abs=1e-12)
        h = 1e-6
        up, down = (log_prior(code, x + s * h, a, b, c)[0] for s in (1, -1))
        assert slope == pytest.approx((up - down) / (2 * h), rel=1e-6, abs=1e-6)


def _scipy_density(prior, x):
    """The same density, written down once more."""
    a = prior.args
    match prior.family:
        case "halfstudentt":
            return np.log(2) + stats.t(a[0], 0, a[1]).logpdf(x)
        case "truncatednormal":
            inside = stats.norm(a[0], a[1]).cdf(a[3]) - stats.norm(a[0], a[1]).cdf(a[2])
            return stats.norm(a[0], a[1]).logpdf(x) - np.log(inside)
    frozen = {
        "normal": lambda: stats.norm(a[0], a[1]), "halfnormal": lambda: stats.halfnorm(0, a[0]),
        "uniform": lambda: stats.uniform(a[0], a[1] - a[0]),
        "gamma": lambda: stats.gamma(a[0], scale=1 / a[1]),
        "inversegamma": lambda: stats.invgamma(a[0], scale=a[1]),
        "exponential": lambda: stats.expon(scale=1 / a[0]),
        "lognormal": lambda: stats.lognorm(a[1], scale=np.exp(a[0])),
        "beta": lambda: stats.beta(*a), "studentt": lambda: stats.t(*a),
        "cauchy": lambda: stats.cauchy(*a), "halfcauchy": lambda: stats.halfcauchy(0, a[0]),
        "laplace": lambda: stats.laplace(*a),
    }  # fmt: skip
    return float(frozen[prior.family]().logpdf(x))


@pytest.mark.parametrize("family", EXAMPLES)
def test_draws_follow_the_density(family):
    """Kolmogorov-Smirnov against the density's own integral."""
    prior = Prior(family, EXAMPLES[family])
    x = np.sort(prior.draw(np.random.default_rng(1), 4000))
    code, a, b, c, constant = prior.kernel()
    low, high = np.quantile(x, [0.02, 0.98])
    grid = np.linspace(low, high, 4001)
    density = np.exp([log_prior(code, g, a, b, c)[0] + constant for g in grid])
    mass = np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(grid))])
    inside = x[(x >= low) & (x <= high)]
    p = stats.kstest(inside, lambda t: np.interp(t, grid, mass / mass[-1])).pvalue
    assert p > 1e-4
    assert mass[-1] == pytest.approx(0.96, abs=0.02)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (pm.Normal.dist(1, 2), Prior("normal", (1.0, 2.0))),
        (pm.Gamma.dist(2, 3), Prior("gamma", (2.0, 3.0))),
        (pm.Exponential.dist(2), Prior("exponential", (2.0,))),
        (pm.HalfNormal.dist(2), Prior("halfnormal", (2.0,))),
        (pm.StudentT.dist(nu=4, mu=0, sigma=2), Prior("studentt", (4.0, 0.0, 2.0))),
        (pm.Uniform.dist(-1, 2), Prior("uniform", (-1.0, 2.0))),
        ("normal(1, 2)", Prior("normal", (1.0, 2.0))),
    ],
)
def test_pymc_distributions_are_recognised(source, expected):
    found = prior_from(source, "path", where="it")
    assert (found.family, found.args) == (expected.family, pytest.approx(expected.args))


def test_unusual_distribution_is_kept_as_a_graph():
    found = prior_from(pm.SkewNormal.dist(0, 1, 3), "path", where="it")
    assert not found.builtin


def test_density_of_a_variance_carries_its_jacobian():
    """A prior on the variance, sampled as a standard deviation, integrates to 1 over it."""
    spec = prepare("y ~ x", _line(), priors={"y ~~ y": "gamma(2, 1)[var]"}).spec
    k = spec.names.index("y ~~ y")
    model, u = pack(spec, jacobian=False), unconstrained(spec, np.full(len(spec.parameters), 0.5))
    sds = np.linspace(1e-3, 6, 4000)
    values = []
    for sd in sds:
        u[k] = np.log(sd)
        values.append(log_posterior(model, u, False)[0])
    u[k] = np.log(1.0)
    reference = log_posterior(model, u, False)[0] - np.log(2 * stats.gamma(2).pdf(1.0))
    assert np.trapezoid(np.exp(np.array(values) - reference), sds) == pytest.approx(1, abs=1e-3)


def _line():
    import pandas as pd

    rng = np.random.default_rng(0)
    x = rng.normal(size=50)
    return pd.DataFrame({"x": x, "y": x + rng.normal(size=50)})


@pytest.mark.parametrize(("d", "eta"), [(2, 1.0), (4, 1.0), (4, 2.0), (7, 1.0)])
def test_lkj_marginals(d, eta):
    """Each correlation of an LKJ matrix is a stretched Beta(eta - 1 + d/2)."""
    R = lkj_correlations(d, eta, 6000, np.random.default_rng(2))
    shape = eta - 1 + d / 2
    for i, j in ((0, 1), (0, d - 1), (d - 2, d - 1)):
        p = stats.kstest(R[:, i, j], stats.beta(shape, shape, loc=-1, scale=2).cdf).pvalue
        assert p > 1e-4
    assert np.linalg.eigvalsh(R)[:, 0].min() > 0


@pytest.mark.parametrize(
    "name",
    ["democracy", "holzinger", "holzinger, shared covariance", "democracy, ordered paths",
     "holzinger, own priors"],
)  # fmt: skip
def test_graph_and_package_draw_the_same_prior(name):
    """pm.sample_prior_predictive on the graph against the package's own prior draws."""
    ready = ZOO[name].prepared()
    with ZOO_graph(name):
        theirs = pm.sample_prior_predictive(
            800,
            random_seed=1,
            var_names=_names(ready.spec),
            compile_kwargs={"mode": "FAST_COMPILE"},
        )["prior"]
    ours = named_draws(ready.spec, draw_prior(ready.spec, 4000, np.random.default_rng(4))[None])
    for variable in _names(ready.spec):
        a = theirs[variable].to_numpy().reshape(800, -1)
        b = ours[variable].to_numpy().reshape(4000, -1)
        for k in range(a.shape[1]):
            assert stats.ks_2samp(a[:, k], b[:, k]).pvalue > 1e-5, (variable, k)


def ZOO_graph(name):
    specimen = ZOO[name]
    return graph(specimen.text, specimen.data, **specimen.arguments)


def _names(spec):
    return [v for v in ("loading", "path", "residual_sd", "correlation", *spec.table.labels)
            if v in spec.table.labels or any(r.free and r.kind == v for r in spec.table.rows)]  # fmt: skip


@pytest.mark.parametrize("name", ["democracy", "holzinger", "democracy, blavaan"])
def test_prior_draws_are_positive_definite(name):
    spec = ZOO[name].prepared().spec
    M = reported_matrices(spec, draw_prior(spec, 2000, np.random.default_rng(0)))
    for matrix in (M.Theta, M.Psi, M.Sigma):
        assert np.linalg.eigvalsh(matrix)[:, 0].min() > -1e-10


def test_default_prior_does_not_depend_on_the_marker(democracy_data):
    """The log-density at matching points is that of the unit metric, whatever the marker."""
    moved = DEMOCRACY.replace("dem60 =~ y1 + y2 + y3 + y4", "dem60 =~ y3 + y1 + y2 + y4")
    specs = [prepare(t, democracy_data).spec for t in (DEMOCRACY, moved)]
    std = []
    from bayesem.decomposition import standardise

    for spec in specs:
        draws = reported_matrices(spec, draw_prior(spec, 20_000, np.random.default_rng(8)))
        k = spec.table.factors.index("dem60"), spec.table.factors.index("ind60")
        std.append(standardise(draws).Beta[:, k[0], k[1]])
    assert stats.ks_2samp(*std).pvalue > 1e-4
    assert np.mean(np.abs(std[0]) < 0.1) == pytest.approx(np.mean(np.abs(std[1]) < 0.1), abs=0.02)


def test_flat_prior_cannot_be_drawn(democracy_data):
    spec = prepare(HOLZINGER.replace("x", "y").replace("y9", "x1"), _nine(), priors="flat").spec
    with pytest.raises(PriorError, match="improper"):
        draw_prior(spec, 10, np.random.default_rng(0))


def _nine():
    import pandas as pd

    rng = np.random.default_rng(0)
    f = rng.normal(size=(200, 3))
    y = np.repeat(f, 3, axis=1) + rng.normal(size=(200, 9))
    return pd.DataFrame(y, columns=[*(f"y{k}" for k in range(1, 9)), "x1"])
