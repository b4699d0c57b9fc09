"""Leaving units out by weighting the posterior's draws, with what that costs in exactness.

ArviZ smooths the weights and matches moments; here stand the model's densities that it calls and
the Monte-Carlo errors that it does not state.
"""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from arviz_stats import loo, loo_moment_match
from arviz_stats.base import array_stats

from bayesem.arrays import Floats, Ints
from bayesem.comparison.bridge import log_densities
from bayesem.comparison.units import Units
from bayesem.data import Answers
from bayesem.kernels.linear import log_posteriors
from bayesem.kernels.pack import constrained, pack
from bayesem.pointwise import case_log_likelihood
from bayesem.posterior import Fit
from bayesem.refitting import subset
from bayesem.spec import Spec

__all__ = ["Sampled", "efficiency", "matched", "mcse_of_mean", "smoothed", "tree_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Sampled:
    """Posterior draws with the log-likelihood of each unit.

    Attributes
    ----------
    u : (chain, draw, q) array
        On the real line.
    values : (chain, draw, unit) array
    """

    u: Floats
    values: Floats

    @property
    def draws(self) -> int:
        """Draws of all chains."""
        return int(self.values.shape[0] * self.values.shape[1])

    @property
    def flat(self) -> Floats:
        """(draw, unit)."""
        return self.values.reshape(self.draws, -1)


def tree_of(sampled: Sampled, units: Units) -> xr.DataTree:
    """What ArviZ reads."""
    chains, draws, _ = sampled.values.shape
    coords = {"chain": np.arange(chains), "draw": np.arange(draws)}
    values = xr.Dataset(
        {"y": (("chain", "draw", units.name), sampled.values)},
        coords={**coords, units.name: list(units.labels)},
    )
    u = xr.Dataset({"u": (("chain", "draw", "parameter"), sampled.u)}, coords=coords)
    return xr.DataTree.from_dict({"posterior": u, "log_likelihood": values})


def efficiency(values: Floats) -> float:
    """Effective draws per draw of the likelihoods (chain, draw, unit), averaged over units."""
    if len(values) < 2:
        return 1.0
    each = np.moveaxis(values, -1, 0)
    varying = np.ptp(each.reshape(len(each), -1), axis=1) > 0
    top = each.max((1, 2), keepdims=True)
    ess = array_stats.ess(np.exp(each - top)[varying], chain_axis=1, draw_axis=2, method="mean")
    return float(np.mean(ess)) / (values.shape[0] * values.shape[1]) if varying.any() else 1.0


def smoothed(sampled: Sampled, units: Units) -> tuple[Any, xr.DataTree, float]:
    """ArviZ's LOO, the tree that it read, and the draws' efficiency."""
    tree, r_eff = tree_of(sampled, units), efficiency(sampled.values)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # large k are counted in the result
        return loo(tree, pointwise=True, reff=r_eff), tree, r_eff


def matched(
    fit: Fit, elpd: Any, tree: xr.DataTree, units: Units, r_eff: float
) -> tuple[Any, dict[int, Floats]]:
    """The same after moment matching of the units with large k.

    Also their log-likelihoods at the moved draws, (chain, draw) by position of the unit.
    """
    moved: dict[int, Floats] = {}
    spec = fit.spec
    array = pack(spec)
    assert isinstance(fit.data, Answers)
    data = fit.data
    upars = tree["posterior"].to_dataset()["u"]
    density = log_densities(spec, _points(upars))

    def posterior(upars: xr.DataArray) -> xr.DataArray:
        return _like(upars, density(_points(upars)))

    def unit(upars: xr.DataArray, i: int) -> xr.DataArray:
        u = _points(upars)
        out = _like(upars, _unit_log_likelihood(spec, data, array, u, units.rows(int(i))))
        moved[int(i)] = out.to_numpy()
        return out

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        new = loo_moment_match(
            tree, elpd, log_prob_upars_fn=posterior, log_lik_i_upars_fn=unit, upars=upars,
            reff=r_eff, k_threshold=elpd.good_k, pointwise=True,
        )  # fmt: skip
    return new, {k: moved[k] for k in moved if float(new.pareto_k[k]) < float(elpd.pareto_k[k])}


def _points(upars: xr.DataArray) -> Floats:
    values = upars.transpose("chain", "draw", "parameter").to_numpy()
    return np.ascontiguousarray(values.reshape(-1, values.shape[-1]))


def _like(upars: xr.DataArray, values: Floats) -> xr.DataArray:
    shape = (upars.sizes["chain"], upars.sizes["draw"])
    coords = {k: upars[k] for k in ("chain", "draw")}
    return xr.DataArray(values.reshape(shape), dims=("chain", "draw"), coords=coords)


def _unit_log_likelihood(spec: Spec, data: Answers, array: Floats, u: Floats, rows: Ints) -> Floats:
    """Log-likelihood of one unit, (draw,); 0 where the posterior has no density anyway."""
    inside = np.isfinite(log_posteriors(array, u, spec.cases is None))
    out = np.zeros(len(u))
    some = u[inside]
    if len(some):
        x = constrained(spec, some)
        out[inside] = case_log_likelihood(spec, subset(data, rows), some, x).sum(-1)
    return out


def mcse_of_mean(series: Floats) -> Floats:
    """Monte-Carlo standard error of the mean of (..., chain, draw) series, shape (...)."""
    values = series.reshape(-1, *series.shape[-2:])
    moving = np.ptp(values.reshape(len(values), -1), axis=1) > 0
    out = np.zeros(len(values))
    if moving.any():
        out[moving] = array_stats.mcse(values[moving], chain_axis=1, draw_axis=2, method="mean")
    return out.reshape(series.shape[:-2])
