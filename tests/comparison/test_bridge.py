"""Evidence against closed forms, a second method, and the mass of cut priors."""

import kinds
import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats
from scipy.special import logsumexp
from texts import HOLZINGER
from zoo import ZOO, Specimen

import bayesem as sem
from bayesem.comparison.bridge import _bridge, log_densities
from bayesem.errors import PriorError, SamplingError
from bayesem.fitting import fit
from bayesem.kernels.linear import log_posteriors
from bayesem.kernels.pack import pack, unconstrained
from bayesem.prior_mass import log_prior_mass
from bayesem.priordraws import draw_prior

RNG = np.random.default_rng(4)
N = 60
DATA = pd.DataFrame({"x": RNG.normal(size=N), "w": RNG.normal(size=N)})
DATA["y"] = 1 + 0.5 * DATA["x"] + RNG.normal(size=N)
DATA["v"] = 0.3 * DATA["y"] + RNG.normal(size=N)


def fitted(text, **arguments):
    return fit(text, DATA, draws=1000, tune=500, seed=2, progress=False, **arguments)


def test_known_covariance():
    """Means with normal priors: the data are jointly normal."""
    found = sem.evidence(
        fitted(
            "y ~~ 1*y\nv ~~ 2*v\ny ~~ 0.5*v\ny ~ 1\nv ~ 1", priors={"intercepts": "normal(0, 2)"}
        )
    )
    Sigma = np.array([[1, 0.5], [0.5, 2]])
    whole = np.kron(np.eye(N), Sigma) + np.kron(np.ones((N, N)), 4 * np.eye(2))
    exact = stats.multivariate_normal(np.zeros(2 * N), whole).logpdf(
        DATA[["y", "v"]].to_numpy().ravel()
    )
    assert found.log_evidence == pytest.approx(exact, abs=0.1)
    assert found.log_evidence == pytest.approx(exact, abs=4 * found.mcse + 1e-3)


def test_regression():
    """Coefficients integrated out in closed form, the residual's sd by quadrature."""
    made = fitted(
        "y ~ x + w\ny ~ 1",
        priors={
            "paths": "normal(0, 0.7)",
            "intercepts": "normal(0, 2)",
            "residual_sd": "gamma(2, 2)",
        },
    )
    X = np.column_stack([np.ones(N), DATA["x"], DATA["w"]])
    V = X @ np.diag([4, 0.49, 0.49]) @ X.T

    def log_joint(sd):
        normal = stats.multivariate_normal(np.zeros(N), V + sd**2 * np.eye(N)).logpdf(DATA["y"])
        return normal + stats.gamma(2, scale=0.5).logpdf(sd)

    top = log_joint(1.0)
    area, _ = integrate.quad(lambda sd: np.exp(log_joint(sd) - top), 0.4, 3)
    found = sem.evidence(made)
    assert found.log_evidence == pytest.approx(top + np.log(area), abs=0.1)
    assert found.log_evidence == pytest.approx(top + np.log(area), abs=4 * found.mcse + 1e-3)


def test_political_democracy_by_importance_sampling(democracy):
    """A multivariate t around the draws, 120,000 points, in the place of the bridge."""
    u = democracy.draws["unconstrained_posterior"]["u"].to_numpy()
    flat = u.reshape(-1, u.shape[-1])
    q = stats.multivariate_t(flat.mean(0), np.cov(flat.T) * 0.9, df=25, seed=3)
    points = q.rvs(120_000)
    weights = log_densities(democracy.spec, flat)(points) - q.logpdf(points)
    weights = weights[np.isfinite(weights)]
    second = logsumexp(weights) - np.log(len(points))
    share = np.exp(weights - logsumexp(weights))
    assert 1 / (share**2).sum() > 500
    mass, _ = log_prior_mass(democracy.spec)
    found = sem.evidence(democracy)
    assert found.mcse < 0.1
    assert found.log_evidence == pytest.approx(second - mass, abs=0.3)


@pytest.mark.parametrize("kind", ["complete", "interaction", "outcome"])
def test_halves_and_seeds_agree(kind):
    one, two = (sem.evidence(kinds.fit_of(kind), seed=s, draws=400) for s in (0, 1))
    spread = np.hypot(one.mcse, two.mcse)
    assert abs(one.log_evidence - two.log_evidence) < 4 * spread
    assert 0 < one.mcse < 0.2


def test_moments_say_as_much_as_complete_answers():
    raw, moments = (sem.evidence(kinds.fit_of(k)) for k in ("complete", "moments"))
    assert moments.log_evidence == pytest.approx(raw.log_evidence, abs=4 * raw.mcse)


VARIANCES = Specimen(
    HOLZINGER, ZOO["holzinger"].data,
    {"priors": {"x1 ~~ x1": "normal(0.5, 0.4)[var]", "x2 ~~ x2": "cauchy(1, 2)[prec]",
                "x3 ~~ x3": "studentt(4, 0.5, 1)"}},
)  # fmt: skip
CUT = sorted(
    name for name, one in ZOO.items()
    if one.arguments.get("priors") not in ("flat",) and not one.casewise
)  # fmt: skip


@pytest.mark.parametrize("name", ["cut at 0", *CUT])
def test_mass_of_the_prior_by_a_bridge(name):
    """The kernel's prior integrates to what the share of admissible proposals says."""
    spec = (ZOO | {"cut at 0": VARIANCES})[name].prepared().spec
    if not spec.builtin or any(p.prior and p.prior.family == "flat" for p in spec.parameters):
        with pytest.raises(PriorError):
            log_prior_mass(spec)
        return
    mass, error = log_prior_mass(spec, size=100_000)
    rng = np.random.default_rng(1)
    u = unconstrained(spec, draw_prior(spec, 12_000, rng)).reshape(4, -1, len(spec.parameters))
    array = pack(spec)
    value, mcse = _bridge(
        lambda v: log_posteriors(array, v, False) - spec.constant, u[:, :1000], u[:, 1000:], rng
    )
    assert value == pytest.approx(mass, abs=4 * np.hypot(error, mcse) + 1e-6)
    assert mcse < 0.3


def test_refusals():
    with pytest.raises(PriorError, match="is improper"):
        sem.evidence(fitted("y ~ x", priors="flat"))
    short = fit("y ~ x", DATA, draws=20, tune=20, chains=2, seed=1, progress=False)
    with pytest.raises(SamplingError, match="did not converge"):
        sem.evidence(short)
