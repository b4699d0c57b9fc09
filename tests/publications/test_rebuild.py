"""Rebuilt matrices: a maximum where it should be, the printed chi-square, Table 6 on refitting."""

import time

import numpy as np
import pytest
from scipy.optimize import minimize

from bayesem.errors import StudyError
from bayesem.model import read_model
from bayesem.publications import Publication, from_printed, publish, rebuild
from bayesem.publications.design import design_of, standardised
from bayesem.publications.evidence import explore
from bayesem.publications.information import directions, score
from bayesem.publications.maximum import discrepancy, gfi, maximum_likelihood
from bayesem.publications.readings import explored
from bayesem.publications.rebuild import Rebuilt, cudeck_browne, draw_rebuilt


@pytest.fixture(scope="module")
def drawn(alliance: Publication) -> list[Rebuilt]:
    """Twelve matrices of reading T."""
    found, _ = explored(alliance)
    one = next(one for one in found if one.reading.name == "T")
    return draw_rebuilt(alliance, one, 12, np.random.default_rng(8))


def test_the_score_vanishes_at_the_drawn_solution(
    alliance: Publication, drawn: list[Rebuilt]
) -> None:
    design = alliance.design
    for one in drawn:
        Sigma = one.solution.Sigma(design)
        s = one.solution
        moves = directions(design, s.loadings, s.Phi, s.total, one.markers)
        assert np.abs(score(np.linalg.inv(Sigma), one.R, moves)).max() < 1e-8
        assert 189 * discrepancy(Sigma, one.R) == pytest.approx(206.834, abs=1e-8)
        assert np.linalg.eigvalsh(one.R)[0] > 0.01
        np.testing.assert_allclose(np.diag(one.R), 1, atol=1e-12)
        assert one.gfi == pytest.approx(gfi(Sigma, one.R), abs=1e-10)


def test_a_plain_minimiser_finds_the_solution_again(
    alliance: Publication, drawn: list[Rebuilt]
) -> None:
    """Over standardised numbers and residuals, from a start away from the solution."""
    design, one = alliance.design, drawn[0]
    truth = np.concatenate(
        [
            one.solution.loadings,
            one.solution.Beta[design.to, design.origin],
            [one.solution.Phi[0, 1]],
        ]
    )

    def value(at: np.ndarray) -> float:
        solution = standardised(design, at[:21], at[21:26], at[26:])
        if (solution.psi <= 0).any() or (np.abs(at[:21]) >= 1).any() or abs(at[26]) >= 1:
            return 1e3
        return discrepancy(solution.Sigma(design), one.R)

    start = truth + np.random.default_rng(0).uniform(-0.05, 0.05, len(truth))
    found = minimize(value, start, method="BFGS", options={"gtol": 1e-7})
    assert 189 * found.fun == pytest.approx(206.834, abs=1e-5)
    np.testing.assert_allclose(found.x, truth, atol=1e-4)


def test_refitting_returns_table_6(alliance: Publication, drawn: list[Rebuilt]) -> None:
    """Estimates to the last digit; errors within the 2% that the likelihood allows, on average."""
    printed = np.array([0.416, 0.542, 0.303, 0.278, 0.366])
    table_4 = np.array([0.122, 0.123, 0.096, 0.278 / 2.417, 0.119])
    errors = []
    for one in drawn:
        S = one.R * np.outer(one.scale, one.scale)
        refit = maximum_likelihood(alliance.design, S, alliance.n, one.markers)
        np.testing.assert_allclose(refit.parameters[refit.paths], printed, atol=5.1e-4)
        np.testing.assert_allclose(refit.errors[refit.paths], one.errors, rtol=1e-6)
        assert refit.chisq == pytest.approx(206.834, abs=1e-6)
        assert refit.chisq / 183 == pytest.approx(1.130, abs=5e-4)
        errors.append(refit.errors[refit.paths] / table_4)
    spread = np.std(errors, axis=0, ddof=1) / np.sqrt(len(errors))
    assert (np.abs(np.mean(errors, axis=0) - 1) < 4 * spread + 0.005).all()
    assert (np.std(errors, axis=0) < 0.035).all()


def test_the_rebuilt_matrices_show_the_printed_fit(drawn: list[Rebuilt]) -> None:
    shown = [one.gfi for one in drawn]
    assert all(0.9125 <= value <= 0.9135 for value in shown)
    for one in drawn:
        agfi = 1 - 21 * 22 / (2 * 183) * (1 - one.gfi)
        assert agfi == pytest.approx(0.890, abs=6e-4)
        baseline = -189 * np.linalg.slogdet(one.R)[1]
        tli = (baseline / 210 - 206.834 / 183) / (baseline / 210 - 1)
        cfi = 1 - (206.834 - 183) / (baseline - 210)
        assert tli == pytest.approx(0.983, abs=5e-4)
        assert cfi == pytest.approx(0.985, abs=5e-4)


def test_draws_differ_in_what_is_not_printed(drawn: list[Rebuilt]) -> None:
    r = np.array([one.solution.Phi[0, 1] for one in drawn])
    assert 0.04 < r.std() < 0.12
    assert 0.3 < r.mean() < 0.5
    assert len({one.markers for one in drawn}) == 2


def test_moments_carry_reading_and_weight(alliance: Publication) -> None:
    _, weights = explored(alliance)
    names = [reading.name for reading in alliance.readings]
    for name in ("T", "D-std"):
        made = rebuild(alliance, name, draws=3, seed=1)
        assert len(made) == 3
        assert {m.reading for m in made} == {name}
        assert {m.weight for m in made} == {weights[names.index(name)]}
        assert all(m.standardized and m.n == 190 for m in made)
        assert list(made[0].cov.columns) == list(alliance.design.indicators)
    again = rebuild("alliance_mediation", "D-std", draws=3, seed=1)
    np.testing.assert_array_equal(made[2].cov, again[2].cov)
    assert not np.allclose(made[0].cov, made[1].cov)


def test_an_honest_publication_is_rebuilt_in_time(honest) -> None:
    start = time.process_time()
    one = explore(honest.known, honest.known.readings[0])
    assert len(draw_rebuilt(honest.known, one, 8, np.random.default_rng(3))) == 8
    assert time.process_time() - start < 3
    made = rebuild(honest.known, "printed", draws=8, seed=3)
    design, truth = honest.known.design, honest.found.solution
    beta = []
    for m in made:
        assert m.weight == 1
        refit = maximum_likelihood(design, m.cov.to_numpy(), 190)
        assert refit.chisq == pytest.approx(honest.printed["fit"]["chisq"], abs=1e-6)
        np.testing.assert_allclose(refit.solution.loadings, truth.loadings, atol=0.0101)
        beta.append(refit.solution.Beta[design.to, design.origin])
    expected = truth.Beta[design.to, design.origin]
    np.testing.assert_allclose(np.mean(beta, 0), expected, atol=0.04)
    r = one.sample.correlations
    assert abs(one.sample.mean(r) - truth.Phi[0, 1]) < 2.5 * one.sample.sd(r)
    assert one.sample.ess > 100


@pytest.mark.parametrize("seed", range(6))
def test_truth_to_print_to_draws_is_no_circle(alliance: Publication, seed: int) -> None:
    """Samples of other truths: what was not printed lies where the draws say it may."""
    design, rng = alliance.design, np.random.default_rng(seed)
    paths, r = rng.uniform(0.15, 0.4, 5), rng.uniform(0.2, 0.6, 1)
    Sigma = standardised(design, rng.uniform(0.6, 0.8, 21), paths, r).Sigma(design)
    answers = rng.multivariate_normal(np.zeros(21), Sigma, 190) * rng.uniform(1, 1.5, 21)
    S = np.cov(answers.T)
    known = from_printed(publish(S, 190, design), 190, design)
    sample = explore(known, known.readings[0]).sample
    truth = maximum_likelihood(design, S, 190).solution
    given = np.append(truth.Beta[design.to, design.origin], truth.Phi[0, 1])
    drawn = np.column_stack([sample.paths, sample.correlations])
    z = (given - sample.mean(drawn)) / sample.sd(drawn)
    assert (np.abs(z) < 3.5).all()
    assert (sample.sd(drawn)[:5] < 0.05).all()
    assert sample.ess > 50


@pytest.mark.parametrize("target", [0.0, 0.2, 1.5])
def test_cudeck_browne_in_a_structure_that_is_not_saturated(target: float) -> None:
    """A chain X -> M -> Y without the direct path, and two exogenous factors that do not meet."""
    text = """
        X =~ x1 + x2 + x3; Z =~ z1 + z2 + z3; M =~ m1 + m2; Y =~ y1 + y2 + y3
        M ~ X + Z; Y ~ M; X ~~ 0*Z
    """
    design = design_of(read_model(text))
    loadings = np.array([0.8, 0.7, 0.6, 0.7, 0.75, 0.65, 0.8, -0.7, 0.6, 0.7, 0.8])
    solution = standardised(design, loadings, np.array([0.4, 0.3, 0.5]), np.zeros(0))
    markers = design.markers("first")
    made, _ = cudeck_browne(design, solution, markers, target, np.random.default_rng(1), draws=5)
    for S in made:
        refit = maximum_likelihood(design, S, 2)
        assert refit.chisq == pytest.approx(target, abs=1e-8)
        if target < 1:  # far from the model the drawn solution need not be the best one
            np.testing.assert_allclose(refit.solution.loadings, loadings, atol=1e-5)
        np.testing.assert_allclose(np.diag(S), 1, atol=1e-12)


@pytest.mark.parametrize("draws", [0, -1, 1.5, True])
def test_bad_number_of_draws(alliance: Publication, draws: object) -> None:
    with pytest.raises(StudyError, match="whole number of at least 1"):
        rebuild(alliance, "T", draws=draws)  # type: ignore[arg-type]


def test_unknown_reading(alliance: Publication) -> None:
    with pytest.raises(StudyError, match="no reading `T-negg`") as caught:
        rebuild(alliance, "T-negg")
    assert "Did you mean `T-neg`?" in str(caught.value)


def test_without_a_reading_all_that_count_are_returned(honest) -> None:
    """One reading: the mixture is that reading, weight 1."""
    made = rebuild(honest.known, draws=2, seed=4)
    same = rebuild(honest.known, honest.known.readings[0].name, draws=2, seed=4)
    assert [m.weight for m in made] == [1.0, 1.0]
    for one, other in zip(made, same, strict=True):
        np.testing.assert_array_equal(one.cov, other.cov)
