"""A fit under priors of another width, without sampling again where weights will do."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from bayesem.arrays import Floats
from bayesem.posterior import Fit, in_home_units, named_draws
from bayesem.prior_density import log_prior_by_kind
from bayesem.prior_scaling import STRUCTURAL, scaled
from bayesem.priordraws import draw_prior
from bayesem.refitting import sample
from bayesem.spec import Spec

__all__ = ["GOOD_K", "Moved", "Refits", "under_prior"]

#: Pareto k up to which weighted draws stand for the posterior under another prior.
GOOD_K = 0.7
#: Draws from each scaled prior.
PRIOR_DRAWS = 10_000


@dataclass(frozen=True, slots=True)
class Refits:
    """When to sample again, and how.

    Attributes
    ----------
    when : bool or None
        Always, never, or (None) where the weights are too uneven.
    draws : int or None
        By chain; the fit's if None.
    seed : int
    cores : int or None
    """

    when: bool | None = None
    draws: int | None = None
    seed: int = 0
    cores: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Moved:
    """A fit under another prior.

    Attributes
    ----------
    fit : Fit
    way : str
        ``reweighted`` or ``refit``.
    pareto_k : float
        Of the weights; missing for a refit.
    """

    fit: Fit
    way: str
    pareto_k: float


def under_prior(
    fit: Fit, factor: float, kinds: Sequence[str] = STRUCTURAL, refits: Refits = Refits()
) -> Moved:
    """The same model and data where the priors of some kinds have another width.

    Parameters
    ----------
    fit : Fit
    factor : float
        What their standard deviations are multiplied by.
    kinds : sequence of str
        Variables of the posterior.
    refits : Refits

    Returns
    -------
    Moved
        With the groups that verdicts read: ``posterior``, ``prior``, ``observed_data``. Of a
        reweighted fit, the draws are repeated as often as the ratio of the priors says.

    Raises
    ------
    PriorError
        If a prior has no scale apart from its location.
    """
    ready = scaled(fit, float(factor), kinds)
    if not refits.when:
        weights, k = _weights(fit, ready.spec)
        if k <= GOOD_K or refits.when is False:
            return Moved(_resampled(fit, ready.spec, weights, refits.seed), "reweighted", k)
    found = sample(
        ready, draws=refits.draws, seed=refits.seed, cores=refits.cores, prior_draws=PRIOR_DRAWS
    )
    return Moved(found, "refit", np.nan)


def _weights(fit: Fit, spec: Spec) -> tuple[Floats, float]:
    """Smoothed weights (draw,) of the draws under another prior, and their Pareto k."""
    from arviz_stats.base import array_stats

    x = in_home_units(fit)
    new, old = (log_prior_by_kind(s, x) for s in (spec, fit.spec))
    ratio = sum((new[kind] - old[kind] for kind in new), np.zeros(x.shape[:2])).ravel()
    if np.ptp(ratio) < 1e-12:
        return np.full(len(ratio), 1 / len(ratio)), 0.0
    smoothed, k = array_stats.psislw(-ratio)
    weights = np.exp(smoothed - smoothed.max())
    return weights / weights.sum(), float(k)


def _resampled(fit: Fit, spec: Spec, weights: Floats, seed: int) -> Fit:
    """The fit with draws repeated as often as their weights say, in their order.

    Systematic resampling adds less noise than any other. Copies stand beside each other, so that
    they count as autocorrelation and the Monte-Carlo errors grow as they should.
    """
    rng = np.random.default_rng([seed, 2])
    x = in_home_units(fit)
    size = len(weights)
    steps = (np.arange(size) + rng.uniform()) / size
    chosen = np.minimum(np.searchsorted(np.cumsum(weights), steps), size - 1)
    new = x.reshape(size, -1)[chosen].reshape(x.shape)
    groups = {
        "posterior": xr.Dataset(named_draws(spec, new)),
        "sampled_posterior": _as_x(spec, new),
    }
    if "sampled_prior" in fit.draws.children:
        before = draw_prior(spec, PRIOR_DRAWS, rng)[None]
        groups |= {"prior": xr.Dataset(named_draws(spec, before)),
                   "sampled_prior": _as_x(spec, before)}  # fmt: skip
    if "observed_data" in fit.draws.children:
        groups["observed_data"] = fit.draws["observed_data"].to_dataset()
    return replace(fit, draws=xr.DataTree.from_dict(groups), spec=spec)


def _as_x(spec: Spec, x: Floats) -> xr.Dataset:
    dims = ("chain", "draw", "parameter")
    return xr.Dataset({"x": (dims, x)}, coords={"parameter": list(spec.names)})
