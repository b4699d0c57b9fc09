"""Scaled priors: the kernel's density moves by what scipy says, and by nothing else."""

import numpy as np
import pytest
from scipy import stats
from texts import DEMOCRACY

from bayesem.errors import PriorError
from bayesem.kernels.linear import log_posterior
from bayesem.kernels.pack import constrained, pack
from bayesem.preparation import prepare
from bayesem.prior_scaling import scaled, scaled_spec


@pytest.fixture(scope="module")
def ready(democracy_data):
    return prepare(DEMOCRACY, democracy_data)


def density(spec, u):
    return log_posterior(pack(spec), u, True)[0]


@pytest.mark.parametrize("factor", [0.5, 2.0, 3])
def test_density_moves_as_scipy_says(ready, factor):
    wide = scaled(ready, factor)
    u = np.random.default_rng(0).normal(0, 0.2, len(ready.spec.parameters))
    x = constrained(ready.spec, u)
    paths = [k for k, p in enumerate(ready.spec.parameters) if p.variable == "path"]
    assert len(paths) == 3
    expected = sum(
        stats.norm(0, 0.5 * factor).logpdf(x[k]) - stats.norm(0, 0.5).logpdf(x[k]) for k in paths
    )
    assert density(wide.spec, u) - density(ready.spec, u) == pytest.approx(expected, abs=1e-9)
    assert wide.notes[-1] == f"priors of paths and interactions are {factor:g} times as wide"


def test_truncated_priors_are_normalised_again(ready):
    """Marker loadings are positive: their prior is a truncated normal."""
    wide = scaled(ready, 2.0, kinds=("loading",))
    u = np.random.default_rng(1).normal(0, 0.2, len(ready.spec.parameters))
    x = constrained(ready.spec, u)
    expected = 0.0
    for k, p in enumerate(ready.spec.parameters):
        if p.variable == "loading":
            mu, sd = p.prior.args[:2]
            for sign, s in ((1, 2 * sd), (-1, sd)):
                low, high = (p.lower - mu) / s, (p.upper - mu) / s
                expected += sign * stats.truncnorm(low, high, mu, s).logpdf(x[k])
    assert density(wide.spec, u) - density(ready.spec, u) == pytest.approx(expected, abs=1e-9)


def test_factor_one_and_absent_kinds_change_nothing(ready):
    assert scaled(ready, 1.0).notes == ready.notes
    u = np.zeros(len(ready.spec.parameters))
    assert density(scaled(ready, 1).spec, u) == density(ready.spec, u)
    assert scaled_spec(ready.spec, 2.0, kinds=("interaction",)) is ready.spec


def test_the_same_as_the_prior_given_by_kind(democracy_data, ready):
    """Second route: the fit's own argument."""
    by_kind = prepare(DEMOCRACY, democracy_data, priors={"paths": "normal(0, 1)"})
    u = np.random.default_rng(2).normal(0, 0.2, len(ready.spec.parameters))
    assert density(scaled(ready, 2.0).spec, u) == pytest.approx(density(by_kind.spec, u), abs=1e-9)


@pytest.mark.parametrize("factor", [0, -1, np.nan, np.inf, True, "2"])
def test_bad_factors(ready, factor):
    with pytest.raises(PriorError, match="the factor of the priors' width is"):
        scaled(ready, factor)


def test_priors_without_a_scale(ready):
    with pytest.raises(
        PriorError, match=r"gamma prior of `.*` has no scale apart from its location"
    ):
        scaled(ready, 2.0, kinds=("residual_sd",))
