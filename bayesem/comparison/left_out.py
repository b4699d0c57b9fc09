"""Units scored by a posterior that has not seen them: exact refits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import logsumexp

from bayesem.arrays import Floats, Ints
from bayesem.comparison.importance import mcse_of_mean
from bayesem.comparison.units import Units
from bayesem.data import Answers
from bayesem.errors import BayesemError, DataError
from bayesem.pointwise import case_log_likelihood
from bayesem.posterior import Fit
from bayesem.refitting import refit, subset

__all__ = ["LeftOut", "score_all", "score_left_out"]


@dataclass(frozen=True, slots=True, eq=False)
class LeftOut:
    """What one refit says of the units that it was not given.

    Attributes
    ----------
    units : (unit,) array of int
    elpd : (unit,) array
        Log predictive densities.
    mcse : (unit,) array
        Their Monte-Carlo standard errors.
    together : float
        The Monte-Carlo standard error of their sum: they share the refit's draws.
    problem : str
        Why the refit's chains are not to be believed; empty where they are.
    """

    units: Ints
    elpd: Floats
    mcse: Floats
    together: float
    problem: str = ""


def score_left_out(
    fit: Fit,
    units: Units,
    chosen: Ints,
    seed: int,
    *,
    draws: int | None = None,
    cores: int | None = None,
) -> LeftOut:
    """Fit without some units, then score them.

    Parameters
    ----------
    fit : Fit
        Of raw answers; priors keep the scales that they have there.
    units : Units
    chosen : (unit,) array of int
        The units to leave out together.
    seed : int
    draws : int, optional
        By chain; the fit's by default.
    cores : int, optional

    Raises
    ------
    DataError
        If the remaining cases cannot be fitted, say because a column no longer varies.
    """
    assert isinstance(fit.data, Answers)
    out = units.rows(chosen)
    kept = np.setdiff1d(np.arange(fit.data.n), out)
    try:
        again = refit(fit, rows=kept, seed=seed, draws=draws, cores=cores)
    except BayesemError as error:
        names = ", ".join(repr(units.labels[k]) for k in chosen[:5])
        more = ", ..." if len(chosen) > 5 else ""
        raise DataError(
            f"without {units.name} {names}{more} the model cannot be fitted: {error.message}",
            hint=error.hint,
        ) from error
    values = unseen(again, subset(fit.data, out))
    labels = units.member[out]
    pooled = np.stack([values[..., labels == k].sum(-1) for k in chosen])
    elpd, relative = predictive_density(pooled)
    mcse, together = mcse_of_mean(relative), float(mcse_of_mean(relative.sum(0)[None])[0])
    problem = "" if again.converged else str(again.convergence)
    return LeftOut(np.asarray(chosen), elpd, mcse, together, problem)


def unseen(fit: Fit, data: Answers) -> Floats:
    """Log-likelihood of other cases at a fit's draws, (chain, draw, case)."""
    u = fit.draws["unconstrained_posterior"]["u"].transpose("chain", "draw", "parameter").to_numpy()
    x = fit.draws["sampled_posterior"]["x"].transpose("chain", "draw", "parameter").to_numpy()
    q = u.shape[-1]
    values = case_log_likelihood(fit.spec, data, u.reshape(-1, q), x.reshape(-1, q))
    return values.reshape(*u.shape[:2], -1)


def predictive_density(values: Floats) -> tuple[Floats, Floats]:
    """Log of the mean density, and each draw's share in it, from (..., chain, draw) logarithms."""
    count = values.shape[-1] * values.shape[-2]
    elpd = logsumexp(values, axis=(-2, -1)) - np.log(count)
    return np.asarray(elpd), np.exp(values - elpd[..., None, None])


def score_all(
    fit: Fit,
    units: Units,
    parts: Sequence[Ints],
    *,
    seed: int,
    draws: int | None = None,
    scheduler: Any = None,
    store: Any = None,
    progress: bool = False,
) -> list[LeftOut]:
    """One refit for each part, in order.

    The seed of a refit depends on ``seed`` and the units that it leaves out, not on who runs it.
    """
    seeds = [
        int(np.random.SeedSequence([seed, *map(int, p)]).generate_state(1)[0] >> 1) for p in parts
    ]
    return [
        score_left_out(fit, units, part, each, draws=draws)
        for part, each in zip(parts, seeds, strict=True)
    ]
