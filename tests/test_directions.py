"""Reverse-coded indicators, the marker among them: starts, modes, notes."""

import numpy as np
import pandas as pd
import pytest

from bayesem.data import Moments
from bayesem.kernels.pack import constrained, unconstrained
from bayesem.preparation import prepare
from bayesem.sampling.directions import contrary_markers, falling_paths, reversed_loadings
from bayesem.sampling.starts import maximum, rough_point
from bayesem.simulation import simulate

TEXT = "trust =~ tr1 + tr2 + tr3; other =~ o1 + o2 + o3; other ~ a*trust"
FIRST = TEXT.replace("tr1 + tr2 + tr3", "tr3 + tr1 + tr2")
BROAD = {"loadings": "normal(0, 1)", "paths": "normal(0, 1)"}


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    answers = simulate(TEXT, 300, {"a": 0.5}, seed=3)
    return answers.assign(tr3=-answers["tr3"])


def standardised(ready) -> tuple[dict[str, float], float]:
    """Loadings over the indicators' implied sds, by indicator, and the path, at the mode."""
    mode = maximum(ready.spec)
    M = ready.spec.matrices(constrained(ready.spec, mode.u)[None])
    sd = np.sqrt(np.diagonal(M.Sigma[0]))
    names = ready.spec.table.indicators
    scale = np.sqrt(np.diagonal(M.Phi[0]))
    loading = {n: float(M.Lambda[0, i] @ scale / sd[i]) for i, n in enumerate(names)}
    path = float(M.Beta[0, 1, 0] * scale[0] / scale[1])
    return loading, path


@pytest.mark.parametrize("identify", ["marker", "unit"])
def test_a_reversed_marker_turns_the_factor_and_changes_nothing_else(data, identify):
    """Under priors that treat both directions alike, the two texts are one model."""
    first = prepare(FIRST, data, identify=identify, priors=BROAD)
    last = prepare(TEXT, data, identify=identify, priors=BROAD)
    turned, path = standardised(first)
    plain, other = standardised(last)
    assert plain["tr3"] < -0.5
    for name in ("tr1", "tr2", "tr3"):
        assert turned[name] == pytest.approx(-plain[name], abs=0.02)
    assert path == pytest.approx(-other, abs=0.02)
    assert maximum(first.spec).value == pytest.approx(maximum(last.spec).value, abs=1.0)


def test_default_priors_do_not_empty_a_reversed_marker(data):
    """Before, its standardised loading was .01, with converged chains."""
    loading, _ = standardised(prepare(FIRST, data))
    assert loading["tr3"] > 0.5
    assert loading["tr1"] < -0.5


def test_the_higher_of_two_modes_is_taken(data):
    """A handful of cases: the prior, which wants loadings alike, may win."""
    spec = prepare(FIRST, data[:25], check=False).spec
    values = []
    for turned in (True, False):
        start = unconstrained(spec, rough_point(spec, turned=turned))
        values.append(maximum(spec, start=start).value)
    assert maximum(spec).value == pytest.approx(max(values), abs=1e-6)


def test_the_fit_says_so(data):
    (note,) = [n for n in prepare(FIRST, data).notes if "runs against" in n]
    assert "`tr3` comes first in `trust`" in note
    assert "Recode `tr3`" in note
    assert not [n for n in prepare(TEXT, data).notes if "runs against" in n]


def test_what_runs_which_way(data):
    holes = data.mask(np.random.default_rng(1).uniform(size=data.shape) < 0.2)
    moments = Moments(data.cov(), len(data))
    for answers in (data, holes, moments):
        spec = prepare(TEXT, answers).spec
        assert reversed_loadings(spec) == {"trust =~ tr3"}
        assert contrary_markers(spec) == ()
        spec = prepare(FIRST, answers).spec
        assert reversed_loadings(spec) == {"trust =~ tr1", "trust =~ tr2"}
        (found,) = contrary_markers(spec)
        r = data.corr().loc["tr3", ["tr1", "tr2"]].mean()
        assert (found.marker, found.factor) == ("tr3", "trust")
        assert found.correlation == pytest.approx(r, abs=0.05)


def test_noise_turns_nothing():
    """Items that hardly correlate run nowhere."""
    rng = np.random.default_rng(2)
    data = pd.DataFrame(
        rng.standard_normal((100, 6)), columns=["tr1", "tr2", "tr3", "o1", "o2", "o3"]
    )
    data["tr2"] -= 0.05 * data["tr1"]
    assert reversed_loadings(prepare(TEXT, data, check=False).spec) == frozenset()


# --- outcomes of other families ------------------------------------------------------------------

#: Counts that fall with a factor, and tell more of it than its indicators do.
FALLING = "f =~ 0.9*x1 + 0.7*x2 + 0.7*x3\nd ~ -0.9*f\nd ~ 3.5*1\n"
COUNTED = "f =~ x1 + x2 + x3\nd ~ b*f\n"


@pytest.mark.parametrize("seed", [1, 3])
def test_a_count_that_falls_with_a_factor_does_not_turn_it(seed):
    """Before, the search ended at loadings of -86 times the marker's, with converged chains."""
    counts = {"families": {"d": "poisson"}}
    answers = simulate(FALLING, 60, seed=seed, **counts)
    spec = prepare(COUNTED, answers, **counts).spec
    assert falling_paths(spec) == {"d ~ f"}
    M = spec.matrices(constrained(spec, maximum(spec).u)[None])
    assert (M.Lambda[0, :, 0] > 0.3).all()
    assert M.Beta[0, 1, 0] < -0.5


def test_outcomes_fall_or_rise_as_their_partial_slopes_say():
    """Times, answers of yes or no, holes; a suppressed factor; an outcome not seen everywhere."""
    truth = (
        "f =~ 0.9*x1 + 0.8*x2 + 0.8*x3\ng =~ 0.9*y1 + 0.8*y2 + 0.8*y3\nf ~~ 0.5*g\n"
        "t ~ 1*f + -0.5*g\nd ~ -0.9*f\n"
    )
    text = "f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3\nt ~ f + g\nd ~ f\n"
    families = {"families": {"t": "lognormal", "d": "bernoulli"}}
    answers = simulate(truth, 400, seed=5, **families)
    answers.loc[answers.index[:40], "x2"] = np.nan
    spec = prepare(text, answers, **families).spec
    assert falling_paths(spec) == {"t ~ g", "d ~ f"}
    turned = prepare(text, answers.assign(x1=-answers["x1"]), **families).spec
    assert falling_paths(turned) == {"t ~ f", "t ~ g"}
    assert falling_paths(prepare(TEXT, simulate(TEXT, 50, {"a": -0.5}, seed=1)).spec) == frozenset()


@pytest.mark.parametrize("seed", [1, 2, 4])
def test_a_count_that_falls_with_a_factor_of_factors_does_not_turn_it(seed):
    """A search from a rising path ends 10 to 40 lower, at a first part that measures nothing."""
    counts = {"families": {"d": "poisson"}}
    below = "".join(f"f{k} =~ x{k}1 + 0.9*x{k}2 + 0.9*x{k}3\n" for k in (1, 2, 3))
    truth = below + "F =~ f1 + 0.8*f2 + 0.8*f3\nd ~ -0.9*F\nd ~ 3.5*1\n"
    text = below.replace("0.9*", "") + "F =~ f1 + f2 + f3\nd ~ b*F\n"
    spec = prepare(text, simulate(truth, 60, seed=seed, **counts), **counts).spec
    assert falling_paths(spec) == {"d ~ F"}
    found = maximum(spec)
    M = spec.matrices(constrained(spec, found.u)[None])
    top, outcome = spec.table.factors.index("F"), spec.table.factors.index("d")
    assert (M.Beta[0, :3, top] > 0.2).all()
    assert M.Beta[0, outcome, top] < 0
    rising = constrained(spec, unconstrained(spec, rough_point(spec)))
    rising[spec.names.index("d ~ F")] *= -1
    assert maximum(spec, start=unconstrained(spec, rising)).value < found.value - 5
