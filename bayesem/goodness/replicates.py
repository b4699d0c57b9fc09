"""Moments of data sets drawn from a fit, as the saturated model estimates them."""

import numpy as np
import pandas as pd

from bayesem.arrays import Floats
from bayesem.data import Answers, Moments
from bayesem.goodness.discrepancy import Sample
from bayesem.incomplete import saturated
from bayesem.matrices import Matrices
from bayesem.posterior import Fit
from bayesem.simulation import flat_draws, predictive, replicated_moments

__all__ = ["CASE_BY_CASE", "draws_of", "replicated_answers", "replicated_estimates"]

#: Data sets drawn where each has to be drawn case by case.
CASE_BY_CASE = 500


def replicated_estimates(
    fit: Fit, sample: Sample, *, draws: int | None, seed: int
) -> tuple[Matrices, Floats, Floats]:
    """Saturated estimates of replicated data, with the matrices they were drawn from.

    Parameters
    ----------
    fit : Fit
    sample : Sample
    draws : int, optional
        Evenly spaced draws; all by default, or 500 where data sets are drawn case by case.
    seed : int

    Returns
    -------
    M : Matrices
        (draw, ...).
    mu : (draw, indicator) array
        Counted from the sample's location; the sample's own where means are not modelled.
    S : (draw, indicator, indicator_bis) array
        With the sample's divisor.
    """
    if not sample.complete or fit.table.casewise:
        draws = draws_of(fit, draws)
        found = saturated(replicated_answers(fit, sample, draws=draws, seed=seed))
        return flat_draws(fit, draws), found.mu, found.Sigma
    assert isinstance(fit.data, Answers)
    M = flat_draws(fit, draws)
    n, names = len(sample.y), list(sample.names)
    cov = pd.DataFrame(sample.S * (sample.weight / (n - 1)), index=names, columns=names)
    mean = pd.Series(sample.mu + sample.location, index=names) if sample.use_mean else None
    S, ybar = replicated_moments(fit.spec, Moments(cov, n, mean), M, np.random.default_rng(seed))
    mu = np.broadcast_to(sample.mu, S.shape[:2]) if ybar is None else ybar - sample.location
    return M, mu, S * ((n - 1) / sample.weight)


def replicated_answers(fit: Fit, sample: Sample, *, draws: int, seed: int) -> Floats:
    """Continuous answers (draw, case, indicator) of replicated data, from the sample's location."""
    y = predictive(fit, draws=draws, seed=seed)["posterior_predictive"]["y"].to_numpy()[0]
    y = y[..., sample.columns] - sample.location
    return np.asarray(y[:, ~np.isnan(y[0]).all(1)])


def draws_of(fit: Fit, draws: int | None) -> int:
    """How many data sets to draw case by case."""
    sizes = fit.draws["posterior"].sizes
    return min(CASE_BY_CASE, sizes["chain"] * sizes["draw"]) if draws is None else draws
