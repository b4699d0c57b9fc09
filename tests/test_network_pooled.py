"""Evidence carried over against what the two samples say together: by formula, and by one fit."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

import bayesem as sem
from bayesem.carrying.regressions import Equations, regressions
from bayesem.matrices import implied_covariance
from bayesem.partable import parameter_table
from bayesem.truth import population

#: Observed variables as factors without error, so that the path is a regression.
REGRESSION = "X =~ x; Y =~ y; Y ~ b*X; x ~~ 0*x; y ~~ 0*y"
FACTORS = "X =~ x1 + x2 + x3; M =~ m1 + m2 + m3; Y =~ y1 + y2 + y3; M ~ a*X; Y ~ b*M + c*X"
MORE = {"identify": "unit", "draws": 1500, "tune": 400, "cores": 1, "seed": 1, "progress": False}
#: Sd of the path's prior, in both studies: narrow, so that leaving it out or counting it twice
#: would move the result by half a posterior sd.
NARROW = 0.15
SLOPES, CASES = (0.40, 0.30), (300, 380)  # of the receiving study and of the other
ONE: Equations = (("Y", ("X",)),)


def pair(slope: float, n: int) -> sem.Moments:
    """Exact moments of y = slope x + e, both of variance 1."""
    cov = np.array([[1, slope], [slope, slope**2 + 1]])
    return sem.Moments(pd.DataFrame(cov, list("xy"), list("xy")), n, synthetic=True)


def regression(at: int, sd: float) -> sem.Fit:
    priors = {"paths": f"normal(0, {sd})"}
    return sem.fit(REGRESSION, pair(SLOPES[at], CASES[at]), priors=priors, **MORE)


@pytest.fixture(scope="module")
def there() -> sem.Fit:
    return regression(1, NARROW)


def paths(fit: sem.Fit, equations: Equations = ONE) -> np.ndarray:
    found = regressions(fit.table, fit.matrices(), equations)
    return found.reshape(-1, found.shape[-1])


# --- a regression: the formula ------------------------------------------------------------------

GRID = np.linspace(-0.999, 0.999, 20_001)


def posterior_of_a_correlation(relevance: float) -> np.ndarray:
    """Its prior, one likelihood, and a power of the other; sds integrated out.

    The likelihood is Fisher's, in Hotelling's form to its first term; the prior is normal on the
    path between factors whose residual variances are 1, r / sqrt(1 - r^2).
    """
    inside = 1 - GRID**2
    log = -0.5 * GRID**2 / inside / NARROW**2 - 1.5 * np.log(inside)
    for slope, n, power in zip(SLOPES, CASES, (1, relevance), strict=True):
        r = slope / np.sqrt(1 + slope**2)
        log += power * ((n - 1) / 2 * np.log(inside) - (n - 1.5) * np.log1p(-GRID * r))
    density = np.exp(log - log.max())
    return density / density.sum()


def test_a_correlation_s_likelihood_counts_with_its_power(there: sem.Fit) -> None:
    """The receiving prior once, the source's not at all, the source's likelihood to the power."""
    here, evidence = regression(0, NARROW), {"A": sem.path_evidence(there)}
    for relevance in (0, 0.5, 1):
        density = posterior_of_a_correlation(relevance)
        mean = density @ GRID
        sd = np.sqrt(density @ (GRID - mean) ** 2)
        claims = {f"C{k}": f"std(b) > {mean + (k - 1) * sd:.6f}" for k in range(3)}
        table = sem.carry(here, claims, evidence, relevance=relevance or 1).table
        found = table.loc[table["relevance"] == relevance, "probability"]
        expected = [density[mean + k * sd < GRID].sum() for k in (-1, 0, 1)]
        assert found.tolist() == pytest.approx(expected, abs=0.03)


def test_the_source_s_prior_is_out_whatever_it_was(there: sem.Fit) -> None:
    """Two priors, and two posteriors half an sd apart; the likelihood is the same."""
    wide = regression(1, 0.5)
    sd = paths(wide).std()
    assert paths(wide).mean() - paths(there).mean() > 0.4 * sd
    one, other = sem.path_evidence(wide).table, sem.path_evidence(there).table
    assert abs(one["mean"][0] - other["mean"][0]) < 0.1 * sd
    assert one["sd"][0] == pytest.approx(other["sd"][0], rel=0.05)


# --- factors: one fit of both samples -----------------------------------------------------------


def measured(truth: Mapping[str, float], n: int) -> sem.Moments:
    """Exact moments of a population."""
    model = sem.read_model(FACTORS)
    matrices, _ = population(model, parameter_table(model, identify="unit"), truth)
    Sigma = implied_covariance(matrices.Lambda, matrices.Beta, matrices.Psi, matrices.Theta)
    names = list(model.observed)
    return sem.Moments(pd.DataFrame(Sigma, names, names), n, synthetic=True)


def test_factors_are_as_if_both_samples_were_one() -> None:
    """To first order nothing is lost, whatever else the samples share: differences go with n^-1/2."""
    n = (1500, 1900)
    here, there = (
        measured({"a": 0.5, "b": b, "c": 0.2, "X =~ x1": load, "Y =~ y2": load}, k)
        for b, load, k in zip((0.42, 0.38), (0.72, 0.68), n, strict=True)
    )
    both = (here.cov * (n[0] - 1) + there.cov * (n[1] - 1)) / (sum(n) - 1)
    pooled = sem.fit(FACTORS, sem.Moments(both, sum(n), synthetic=True), **MORE)
    mine, theirs = (sem.fit(FACTORS, data, **MORE) for data in (here, there))
    every = paths(pooled, (("M", ("X",)), ("Y", ("M", "X"))))
    quantities = {"std(a)": every[:, 0], "std(b)": every[:, 1], "std(c)": every[:, 2],
                  "std(b) - std(a)": every[:, 1] - every[:, 0]}  # fmt: skip
    claims = {f"C{k}": f"{x} > {v.mean():.6f}" for k, (x, v) in enumerate(quantities.items())}
    found = sem.carry(mine, claims, {"A": sem.path_evidence(theirs)}, relevance=1).table
    expected = [(v > v.mean()).mean() for v in quantities.values()]
    alone, carried = (found.loc[found["evidence"] == e, "probability"] for e in ("without", "A"))
    assert carried.tolist() == pytest.approx(expected, abs=0.04)
    assert abs(alone.to_numpy() - expected).max() > 0.15
