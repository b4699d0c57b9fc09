r"""Posterior predictive p: how often replicated data fit worse than the observed ones.

For complete answers to a linear model the discrepancy of a replicate is pivotal. With q variables
explained, k predictors conditioned on and N cases counted, the replicate's residual scatter is
Wishart and its means and regressions are normal around the model's; standardised by the model's
covariance, nothing of the parameters is left:

.. math:: D_{rep} = \sum_{j=1}^{q} (N \ln N - N \ln c_j + c_j - N) + r

with chi-square variables :math:`c_j` of :math:`N - 1 - k - (j - 1)` degrees of freedom and r of
:math:`q(q-1)/2 + q(k + 1)`. Its distribution is the same for all draws, and the p of each draw is
read off it, which leaves no noise of replication. With missing cells or a non-normal model every
replicate is drawn case by case.

References
----------
.. [1] Gelman, Meng & Stern (1996), *Statistica Sinica* 6, 733-807.
.. [2] Scheines, Hoijtink & Boomsma (1999), *Psychometrika* 64, 37-52.
"""

from dataclasses import dataclass

import numpy as np

from bayesem.arrays import Floats
from bayesem.goodness.discrepancy import Sample, discrepancy, implied_moments, replicated
from bayesem.goodness.replicates import draws_of, replicated_answers
from bayesem.incomplete import expected
from bayesem.posterior import Fit
from bayesem.simulation import flat_draws

__all__ = ["PPP", "exceedance", "pivotal_discrepancies", "posterior_predictive"]


@dataclass(frozen=True, slots=True)
class PPP:
    """A posterior predictive p with its Monte-Carlo error, and how it came about."""

    value: float
    mcse: float
    how: str


def posterior_predictive(fit: Fit, sample: Sample, *, draws: int | None, seed: int) -> PPP:
    """How often data drawn from the model lie farther from it than the observed ones.

    Parameters
    ----------
    fit : Fit
    sample : Sample
    draws : int, optional
        Evenly spaced draws of the posterior; all by default, or 500 where every data set is drawn
        case by case.
    seed : int
    """
    if sample.complete and not fit.table.casewise:
        return _pivotal(fit, sample, draws, seed)
    draws = draws_of(fit, draws)
    mu, Sigma = implied_moments(fit, flat_draws(fit, draws), sample)
    y = replicated_answers(fit, sample, draws=draws, seed=seed)
    D_rep = replicated(y, mu, Sigma)
    best = expected(sample.y, sample.mu[None], sample.S[None]).log_likelihood
    D = 2 * (best - expected(sample.y, mu, Sigma).log_likelihood)
    worse = D_rep > D
    p = float(worse.mean())
    error = float(np.sqrt(max(p * (1 - p), 0.25 / len(worse)) / len(worse)))
    return PPP(p, error, f"{draws} data sets drawn case by case")


def _pivotal(fit: Fit, sample: Sample, draws: int | None, seed: int) -> PPP:
    from arviz_stats.base import array_stats

    chains = fit.draws["posterior"].sizes["chain"]
    mu, Sigma = implied_moments(fit, flat_draws(fit, draws), sample)
    D = discrepancy(sample.S, sample.mu, mu, Sigma, sample.weight)
    reference = pivotal_discrepancies(
        len(sample.names), int(sample.held.sum()), sample.weight, np.random.default_rng(seed),
        use_mean=sample.use_mean,
    )  # fmt: skip
    p = exceedance(D, reference)
    value = float(p.mean())
    noise = value * (1 - value) / len(reference)
    if draws is None and np.ptp(p) > 0:
        error = float(array_stats.mcse(p.reshape(chains, -1)))
    else:
        error = float(p.std() / np.sqrt(len(p)))
    how = f"{len(p)} draws against the known distribution of replicated data"
    return PPP(value, float(np.sqrt(error**2 + noise)), how)


def pivotal_discrepancies(
    variables: int,
    held: int,
    weight: float,
    rng: np.random.Generator,
    *,
    use_mean: bool = True,
    size: int = 100_000,
) -> Floats:
    """Discrepancies of complete data drawn from a linear model, whatever its parameters, (size,).

    Parameters
    ----------
    variables : int
        All, those conditioned on included.
    held : int
        Conditioned on.
    weight : float
        Cases, less 1 where means are not modelled.
    rng : numpy.random.Generator
    use_mean : bool
    size : int
    """
    q = variables - held
    df = weight - held - int(use_mean)
    log_det, trace = np.zeros(size), np.zeros(size)
    for j in range(q):  # Bartlett: the squared diagonal of the Wishart's Cholesky factor
        c = rng.chisquare(df - j, size)
        log_det += np.log(c)
        trace += c
    if q > 1:
        trace += rng.chisquare(q * (q - 1) / 2, size)
    free = q * (held + int(use_mean))
    if free:
        trace += rng.chisquare(free, size)
    return np.asarray(weight * (q * np.log(weight) - log_det - q) + trace)


def exceedance(D: Floats, replicated: Floats) -> Floats:
    """Share of replicated discrepancies above each of ``D``, same shape as ``D``."""
    ordered = np.sort(replicated)
    return np.asarray(1 - np.searchsorted(ordered, D, side="right") / len(ordered))
