"""Standard errors, scores and maxima against finite differences, a plain minimiser and lavaan."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize

from bayesem.model import read_model
from bayesem.publications.design import Design, design_of, standardised
from bayesem.publications.information import directions, expected_information, path_errors, score
from bayesem.publications.maximum import discrepancy, gfi, maximum_likelihood

GOLDEN = json.loads((Path(__file__).parent / "golden" / "holzinger.json").read_text())
TEXT = """
    X =~ x1 + x2 + x3
    Z =~ z1 + z2
    M =~ m1 + m2 + m3
    Y =~ y1 + y2 + y3 + y4
    M ~ a*X
    Y ~ b*M + c*Z
"""
LOADINGS = np.array([0.8, 0.7, 0.6, 0.75, 0.65, 0.7, -0.6, 0.8, 0.72, 0.66, 0.81, 0.55])
PATHS, R = np.array([0.4, 0.35, -0.2]), np.array([0.3])


def design() -> Design:
    return design_of(read_model(TEXT))


def slow_sigma(shape: Design, at: np.ndarray, markers: tuple[int, ...]) -> np.ndarray:
    """Sigma from the free parameters by the reticular action model, one entry at a time."""
    p, m = len(shape.indicators), len(shape.factors)
    A, S = np.zeros((p + m, p + m)), np.zeros((p + m, p + m))
    numbers = iter(at)
    for i, factor in enumerate(shape.block):
        A[i, p + factor] = 1.0 if i in markers else next(numbers)
    for i in range(p):
        S[i, i] = next(numbers)
    for path in shape.paths:
        to, origin = shape.factors.index(path.outcome), shape.factors.index(path.predictor)
        A[p + to, p + origin] = next(numbers)
    for k in range(m):
        S[p + k, p + k] = next(numbers)
    for i, j in shape.correlations:
        S[p + i, p + j] = S[p + j, p + i] = next(numbers)
    total = np.linalg.inv(np.eye(p + m) - A)
    return (total @ S @ total.T)[:p, :p]


def in_marker_metric(shape: Design, markers: tuple[int, ...]) -> np.ndarray:
    """The standardised numbers above as free parameters with markers of 1."""
    solution = standardised(shape, LOADINGS, PATHS, R)
    unit = np.array([LOADINGS[k] for k in markers])
    free = [LOADINGS[i] / unit[b] for i, b in enumerate(shape.block) if i not in markers]
    paths = PATHS * unit[list(shape.to)] / unit[list(shape.origin)]
    covariances = [R[c] * unit[i] * unit[j] for c, (i, j) in enumerate(shape.correlations)]
    return np.concatenate([free, 1 - LOADINGS**2, paths, solution.psi * unit**2, covariances])


def derivatives(shape: Design, at: np.ndarray, markers: tuple[int, ...]) -> np.ndarray:
    step = 1e-6 * np.eye(len(at))
    up, down = (np.array([slow_sigma(shape, at + s * e, markers) for e in step]) for s in (1, -1))
    return (up - down) / 2e-6


@pytest.mark.parametrize("which", ["first", "last"])
def test_path_errors_are_those_of_a_finite_difference_information_matrix(which: str) -> None:
    shape, n = design(), 150
    markers = shape.markers(which)
    at = in_marker_metric(shape, markers)
    Sigma = slow_sigma(shape, at, markers)
    solution = standardised(shape, LOADINGS, PATHS, R)
    np.testing.assert_allclose(Sigma, solution.Sigma(shape), atol=1e-12)
    moved = np.linalg.solve(Sigma, derivatives(shape, at, markers))
    information = (n - 1) / 2 * np.einsum("aij,bji->ab", moved, moved)
    start = len(LOADINGS) - len(markers) + len(LOADINGS)
    errors = np.sqrt(np.diag(np.linalg.inv(information)))[start : start + 3]
    expected = at[start : start + 3] / errors
    one = standardised(shape, LOADINGS[None], PATHS[None], R[None])
    np.testing.assert_allclose(
        PATHS / path_errors(shape, one, markers, n - 1)[0], expected, rtol=1e-6
    )


def test_information_is_the_curvature_of_the_discrepancy() -> None:
    shape = design()
    markers = shape.markers("first")
    at = in_marker_metric(shape, markers)
    S = slow_sigma(shape, at, markers)
    h, size = 1e-4, len(at)

    def value(a: np.ndarray) -> float:
        return discrepancy(slow_sigma(shape, a, markers), S)

    e = h * np.eye(size)
    hessian = np.empty((size, size))
    for i in range(size):
        for j in range(i + 1):
            corners = [value(at + s * e[i] + t * e[j]) * s * t for s in (1, -1) for t in (1, -1)]
            hessian[i, j] = hessian[j, i] = sum(corners) / (4 * h * h)
    Lambda = np.array([1.0 if i in markers else np.nan for i in range(len(LOADINGS))])
    Lambda[np.isnan(Lambda)] = at[: len(LOADINGS) - len(markers)]
    unit = LOADINGS[list(markers)]
    one = standardised(shape, LOADINGS, PATHS, R)
    Phi = one.Phi * np.outer(unit, unit)
    total = one.total * np.outer(unit, 1 / unit)
    moves = directions(shape, Lambda, Phi, total, markers)
    found = expected_information(np.linalg.inv(S), moves, 2.0)
    np.testing.assert_allclose(found, hessian, atol=2e-5 * np.abs(hessian).max())


def test_score_is_the_gradient_of_the_discrepancy() -> None:
    shape = design()
    markers = shape.markers("last")
    at = in_marker_metric(shape, markers)
    rng = np.random.default_rng(5)
    S = np.cov(rng.multivariate_normal(np.zeros(12), slow_sigma(shape, at, markers), 80).T)
    Sigma = slow_sigma(shape, at, markers)
    one = standardised(shape, LOADINGS, PATHS, R)
    unit = LOADINGS[list(markers)]
    Lambda = LOADINGS / unit[list(shape.block)]
    moves = directions(
        shape, Lambda, one.Phi * np.outer(unit, unit), one.total * np.outer(unit, 1 / unit), markers
    )
    step = 1e-6 * np.eye(len(at))
    numeric = [
        (
            discrepancy(slow_sigma(shape, at + e, markers), S)
            - discrepancy(slow_sigma(shape, at - e, markers), S)
        )
        / 2e-6
        for e in step
    ]
    np.testing.assert_allclose(score(np.linalg.inv(Sigma), S, moves), numeric, atol=1e-6)


def test_scoring_and_a_plain_minimiser_agree() -> None:
    shape = design()
    markers = shape.markers("first")
    rng = np.random.default_rng(6)
    truth = standardised(shape, LOADINGS, PATHS, R).Sigma(shape)
    S = np.cov(rng.multivariate_normal(np.zeros(12), truth, 200).T)
    found = maximum_likelihood(shape, S, 200)
    at = in_marker_metric(shape, markers)

    def value(a: np.ndarray) -> float:
        implied = discrepancy(slow_sigma(shape, a, markers), S)
        return implied if np.isfinite(implied) else 1e3

    plain = minimize(value, at, method="BFGS", options={"gtol": 1e-7, "maxiter": 500})
    assert found.chisq == pytest.approx(199 * plain.fun, abs=1e-6)
    np.testing.assert_allclose(found.parameters, plain.x, atol=2e-4)
    assert np.abs(found.gradient).max() < 1e-8


def test_lavaan_finds_the_same() -> None:
    """n is lavaan's divisor and n - 1 is ours, so its errors are smaller by sqrt((n - 1) / n)."""
    n = GOLDEN["n"]
    blocks = {"visual": "x1 + x2 + x3", "textual": "x4 + x5 + x6", "speed": "x7 + x8 + x9"}
    shape = design_of(read_model("\n".join(f"{k} =~ {v}" for k, v in blocks.items())))
    found = maximum_likelihood(shape, np.array(GOLDEN["cov"]), n)
    assert found.chisq == pytest.approx(GOLDEN["fit"]["chisq"] * (n - 1) / n, abs=1e-5)
    rows = GOLDEN["parameters"]
    free = [row for row in rows if row[1] == "=~" and row[4] > 0]
    estimates = found.parameters[: len(free)]
    np.testing.assert_allclose(estimates, [row[3] for row in free], rtol=1e-5)
    errors = found.errors[: len(free)] * np.sqrt((n - 1) / n)
    np.testing.assert_allclose(errors, [row[4] for row in free], rtol=1e-5)
    standard = [row[5] for row in rows if row[1] == "=~"]
    np.testing.assert_allclose(found.solution.loadings, standard, rtol=1e-5)
    baseline = GOLDEN["fit"]["chisq"] - n * found.solution.log_determinant(shape)
    assert baseline == pytest.approx(GOLDEN["fit"]["baseline.chisq"], abs=1e-4)


def test_lavaan_prints_the_same_errors_of_paths_when_factors_are_regressed() -> None:
    """The covariance of the saturated structure, carried to paths by the delta method."""
    n = GOLDEN["n"]
    text = """
        visual =~ x1 + x2 + x3; textual =~ x4 + x5 + x6; speed =~ x7 + x8 + x9
        textual ~ a*visual
        speed ~ b*textual + c*visual
    """
    shape = design_of(read_model(text))
    found = maximum_likelihood(shape, np.array(GOLDEN["cov"]), n)
    assert found.chisq == pytest.approx(GOLDEN["fit"]["chisq"] * (n - 1) / n, abs=1e-5)
    Phi = {(r[0], r[2]): r[3] for r in GOLDEN["parameters"] if r[1] == "~~"}
    assert found.parameters[found.paths][0] == pytest.approx(
        Phi["visual", "textual"] / Phi["visual", "visual"], rel=1e-5
    )
    one = found.solution
    errors = path_errors(shape, one[None], shape.markers("first"), n - 1)[0]
    beta = one.Beta[list(shape.to), list(shape.origin)]
    np.testing.assert_allclose(
        beta / errors, found.parameters[found.paths] / found.errors[found.paths], rtol=1e-8
    )


@pytest.mark.parametrize("r", [-0.5, 0.0, 0.6])
def test_determinant_by_small_matrices_is_the_determinant(r: float) -> None:
    shape = design()
    one = standardised(shape, LOADINGS, PATHS, np.array([r]))
    expected = np.linalg.slogdet(one.Sigma(shape))[1]
    assert one.log_determinant(shape) == pytest.approx(expected, abs=1e-12)


def test_gfi_of_a_perfect_and_of_an_empty_fit() -> None:
    rng = np.random.default_rng(0)
    S = np.cov(rng.standard_normal((50, 4)).T)
    assert gfi(S, S) == pytest.approx(1.0)
    scaled = 1 - 4 * 0.25 / (4 * 2.25)
    assert gfi(S, 1.5 * S) == pytest.approx(scaled)


def test_standardised_factors_have_unit_variances() -> None:
    shape = design()
    one = standardised(shape, LOADINGS, PATHS, R)
    implied = one.total @ np.diag(one.psi) @ one.total.T
    i, j = shape.correlations[0]
    Psi = np.diag(one.psi)
    Psi[i, j] = Psi[j, i] = R[0]
    implied = one.total @ Psi @ one.total.T
    np.testing.assert_allclose(implied, one.Phi, atol=1e-12)
    np.testing.assert_allclose(np.diag(implied), 1, atol=1e-12)
