"""Residuals and the population of one interaction: sample moments against cumulants."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import skew

from independent.drawing import residuals
from independent.firms import single_interaction
from independent.single import _variance

N = 200_000


def test_skewed_dimensions_keep_their_correlations():
    R = np.array([[1, 0.3, 0.2], [0.3, 1, 0.1], [0.2, 0.1, 1]])
    drawn = residuals(N, R, 4, np.random.default_rng(2))
    assert drawn.mean(axis=0) == pytest.approx(np.zeros(3), abs=0.012)
    assert np.cov(drawn.T) == pytest.approx(R, abs=0.025)
    assert skew(drawn) == pytest.approx(np.full(3, 2**0.5), abs=0.06)
    with pytest.raises(ValueError, match="negatively"):
        residuals(10, np.array([[1, -0.2], [-0.2, 1]]), 4, np.random.default_rng(2))


CASES = [
    {},
    {"r": -0.4, "w": -0.3, "psi": 0.5},
    {"curvature": 0.15},
    {"skew": 4},
    {"skew": 4, "curvature": 0.15, "r": 0.5},
]


@pytest.mark.parametrize("case", CASES)
def test_single_interaction_has_the_stated_moments(case):
    data, truth = single_interaction(N, seed=11, **case)
    loading = {key.split()[-1]: value for key, value in truth.items() if "=~" in key}

    def phi(a, b):
        return data[a].cov(data[b]) / loading[a] / loading[b]

    assert list(data) == list(loading) == [f"{v}{i}" for v in "xzy" for i in (1, 2, 3)]
    assert phi("x1", "x2") == pytest.approx(1, abs=0.03)
    assert phi("z1", "z3") == pytest.approx(1, abs=0.03)
    assert phi("x1", "z1") == pytest.approx(truth["r"], abs=0.03)
    assert phi("y1", "y2") == pytest.approx(truth["sd_y"] ** 2, rel=0.03)
    assert data.std().to_numpy() == pytest.approx(np.full(9, 1.8), rel=0.015)
    wanted = 5 + loading["y1"] * truth["mean_y"]
    assert data["y1"].mean() == pytest.approx(wanted, abs=0.025)
    assert truth["w*"] == pytest.approx(truth["w"] / truth["sd_y"])


def test_single_interaction_third_moment():
    """E[X Z (Y - EY)] = w Var(XZ) + curvature Cov(XZ, X^2), with Var(XZ) = 1 + r^2."""
    data, truth = single_interaction(N, curvature=0.1, seed=12)
    loading = truth["X =~ x1"] * truth["Z =~ z1"] * truth["Y =~ y1"]
    x, z, y = (data[c] - data[c].mean() for c in ("x1", "z1", "y1"))
    wanted = 0.2 * (1 + 0.3**2) + 0.1 * 2 * 0.3
    assert (x * z * y).mean() / loading == pytest.approx(wanted, abs=0.03)
    X, Z = residuals(N, np.array([[1, 0.3], [0.3, 1]]), None, np.random.default_rng(1)).T
    assert (X * Z).var() == pytest.approx(1.09, rel=0.02)


@pytest.mark.parametrize("degrees", [None, 4, 10])
def test_variance_of_a_sum_of_products(degrees):
    """Sample covariances of X, Z, XZ, X^2 against cumulants, one pair at a time."""
    r, pairs = 0.5, np.array([*np.eye(4), [0, 0, 1, 1], [1, 0, 1, 0], [0, 1, 1, 0], [0, 1, 0, 1]])
    X, Z = residuals(10 * N, np.array([[1, r], [r, 1]]), degrees, np.random.default_rng(3)).T
    S = np.cov([X, Z, X * Z, X**2])
    for paths in pairs:
        assert paths @ S @ paths == pytest.approx(_variance(paths, r, degrees), rel=0.02)


def test_single_interaction_is_reproducible():
    first, again, other = (single_interaction(40, seed=s)[0] for s in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)
    assert first.attrs["synthetic"] is True
