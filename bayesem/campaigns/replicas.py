"""What calibration and design share: new data at known values, and a posterior of them.

Which way a casewise likelihood is integrated is fixed by the model here, and not by the nodes that
each replicate's data need, so that all replicates are sampled alike.
"""

import secrets
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayesem.arrays import Floats
from bayesem.casewise import split
from bayesem.data import Answers, Moments
from bayesem.distribution.store import stored_seed
from bayesem.errors import DataError, NotAvailableError
from bayesem.kernels.target import Target
from bayesem.posterior import Fit
from bayesem.preparation import Prepared
from bayesem.refitting import renew, sample
from bayesem.sampling.convergence import Thresholds
from bayesem.sampling.forms import choose
from bayesem.seeds import check_seed
from bayesem.simulation import replicate
from bayesem.spec import Spec

__all__ = [
    "check_counts",
    "chosen_seed",
    "data_at",
    "form_of",
    "posterior_of",
    "target_for",
    "warm_up",
    "with_holes",
]


def data_at(ready: Prepared, x: Floats, rng: np.random.Generator) -> Answers | Moments:
    """Data at one point, with the cases, missing cells and predictors of the prepared ones.

    A time that is censored there may be so here: each case is watched until then, whatever is
    drawn. The others are watched to the end.

    Parameters
    ----------
    ready : Prepared
    x : (q,) array
        Sampled values, in home units.
    rng : numpy.random.Generator
    """
    found = replicate(ready.spec, ready.data, ready.spec.matrices(x[None]), rng, about=False)
    old = ready.data
    if isinstance(old, Moments):
        names = list(ready.table.indicators)
        cov = pd.DataFrame(found["S"].to_numpy()[0, 0], names, names)
        mean = None if "ybar" not in found else pd.Series(found["ybar"].to_numpy()[0, 0], names)
        return Moments(cov, old.n, mean, synthetic=True)
    values = found["y"].to_numpy()[0, 0]
    outcomes, censored = old.outcomes.copy(), old.censored.copy()
    variables = [name for name in found.data_vars if name != "y"]
    for k, name in enumerate(variables):
        drawn = found[name].to_numpy()[0, 0]
        limit = np.where(old.censored[:, k], old.outcomes[:, k], np.inf)
        outcomes[:, k] = np.minimum(drawn, limit)
        censored[:, k] = drawn > limit
    return replace(old, values=values, outcomes=outcomes, censored=censored, synthetic=True)


def posterior_of(
    ready: Prepared,
    data: Answers | Moments | pd.DataFrame,
    *,
    draws: int,
    tune: int,
    chains: int,
    seed: int,
    form: str,
    thresholds: Thresholds | None = None,
) -> Fit:
    """The posterior of other data under the same priors, on one processor, without prior draws."""
    new = renew(ready, data=data)
    options = {"draws": draws, "tune": tune, "chains": chains, "seed": seed, "cores": 1,
               "thresholds": thresholds}  # fmt: skip
    try:
        return sample(new, integrate=form, **options)  # type: ignore[arg-type]
    except NotAvailableError:
        if form != "quadrature":
            raise
        return sample(new, integrate="cover", **options)  # type: ignore[arg-type]


def target_for(spec: Spec, form: str) -> Target:
    """What the sampler of :func:`posterior_of` works on."""
    try:
        return choose(spec, form).target
    except NotAvailableError:
        return choose(spec, "cover").target


def form_of(ready: Prepared) -> str:
    """How the likelihood is integrated: nodes in one dimension, else the moderators' scores."""
    if ready.spec.cases is None or not ready.spec.builtin:
        return "auto"
    parts = split(ready.spec.table)
    if parts.reason:
        return "scores"
    return "quadrature" if parts.dimensions < 2 else "cover"


def warm_up(ready: Prepared, form: str) -> None:
    """Compile, or read from the cache, every kernel that a replicate needs."""
    any_chain = Thresholds(r_hat=np.inf, ess=0, bfmi=0)
    posterior_of(
        ready, ready.data, draws=40, tune=20, chains=2, seed=0, form=form, thresholds=any_chain
    )


def with_holes(data: pd.DataFrame, missing: float, rng: np.random.Generator) -> pd.DataFrame:
    """Cells emptied at random, of answers only: predictors and outcomes stay whole."""
    holes = rng.uniform(size=data.shape) < missing
    return data.mask(holes)


def chosen_seed(seed: int | None, store: str | Path | None) -> int:
    """The seed that was given, that of the store that is there, or a new one."""
    check_seed(seed)
    if seed is None:
        seed = stored_seed(store)
    return secrets.randbits(31) if seed is None else int(seed)


def check_counts(**counts: Any) -> None:
    """Refuse numbers of draws and the like that are none; each with the least that it may be."""
    for name, (value, least) in counts.items():
        whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
        if not (whole and value >= least):
            raise DataError(
                f"{name} is {value!r}.", hint=f"Use a whole number of at least {least}."
            )
