"""Whether replicated data look like the observed ones: by indicator, by pair, by outcome."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from bayesem.arrays import Floats
from bayesem.data import Answers
from bayesem.errors import NotAvailableError
from bayesem.families import NORMAL
from bayesem.partable import Outcome, twin_of
from bayesem.posterior import Fit
from bayesem.sampling.convergence import stamped
from bayesem.seeds import check_seed
from bayesem.simulation import predictive

__all__ = ["predictive_checks"]

COLUMNS = ("variable", "with", "statistic", "observed", "mean", "lower", "upper", "p")

#: Variable, partner, statistic, observed value, replicated values (draw,).
type Check = tuple[str, str, str, float, Floats]


def predictive_checks(
    fit: Fit, *, draws: int = 500, prob: float = 0.95, seed: int = 0
) -> pd.DataFrame:
    """Features of the observed data beside those of data drawn from the fitted model.

    A linear model reproduces means, sds and most correlations by construction; skewness, ends of
    the scale and outliers it does not know of, and there it shows what normal answers leave out.

    Parameters
    ----------
    fit : Fit
        Of raw answers.
    draws : int
        Replicated data sets, from evenly spaced draws of the posterior (all of them, if fewer).
    prob : float
        Mass of the equal-tailed intervals of the replicated values.
    seed : int

    Returns
    -------
    DataFrame
        ``variable with statistic observed mean lower upper p``. By indicator: ``mean sd skewness
        kurtosis`` (0 for normal ones) ``minimum maximum``, and where the codebook has a scale the
        ``share at floor`` and ``share at ceiling``, of answers that would be rounded to the ends.
        By pair: ``correlation``, over the cases that have both. Outcomes of other families: ``share
        of 1``; ``median time`` (Kaplan-Meier; the lower quartile where half is never reached) and
        ``share censored``; ``mean``, ``share of 0`` and ``variance / mean`` of counts. ``p`` is the
        share of replicates above the observed value, ties counting half: near 0 or 1 the model
        misses that feature. Replicates lack the cells that are missing in the data.

    Raises
    ------
    NotAvailableError
        If the fit rests on moments.

    References
    ----------
    .. [1] Gelman, Meng & Stern (1996), *Statistica Sinica* 6, 733-807.
    """
    check_seed(seed)
    if not isinstance(fit.data, Answers):
        raise NotAvailableError(
            "predictive checks of a fit of moments are not available: there are no answers to "
            "compare replicated ones with.",
            hint="Fit the raw answers.",
        )
    sizes = fit.draws["posterior"].sizes
    drawn = predictive(fit, draws=min(draws, sizes["chain"] * sizes["draw"]), seed=seed)
    new = drawn["posterior_predictive"].to_dataset()
    rng = np.random.default_rng([seed, 1])
    continuous = _continuous(fit)
    tail = (1 - prob) / 2
    rows = [
        (name, other, what, observed, values.mean(), *np.quantile(values, [tail, 1 - tail]),
         (values > observed).mean() + 0.5 * (values == observed).mean())
        for name, other, what, observed, values in _checks(fit, new, continuous, rng)
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table.attrs["replicated"] = new.sizes["draw"]
    return stamped(table, fit)


def _continuous(fit: Fit) -> list[int]:
    """Indicators that are drawn: neither conditioned on nor the observed value of an outcome."""
    table = fit.table
    left_out = {*table.fixed_x, *(twin_of(o.name) for o in table.outcomes)}
    return [k for k, v in enumerate(table.indicators) if v not in left_out]


def _checks(fit: Fit, new: Any, continuous: list[int], rng: np.random.Generator) -> Iterator[Check]:
    assert isinstance(fit.data, Answers)
    names = fit.table.indicators
    y, y_new = fit.data.values, new["y"].to_numpy()[0]
    columns: dict[str, tuple[Floats, Floats]] = {}
    for k in range(len(names)):
        if k in continuous or names[k] in fit.table.fixed_x:
            columns[names[k]] = y[:, k], y_new[..., k]
    for k in continuous:
        for what, observed, values in _shape(*columns[names[k]], _scale(fit, names[k])):
            yield names[k], "", what, observed, values
    for k, outcome in enumerate(fit.table.outcomes):
        key = outcome.name if outcome.name in new else f"{outcome.name} (outcome)"
        z, z_new = fit.data.outcomes[:, k], new[key].to_numpy()[0]
        censored = fit.data.censored[:, k].astype(bool)
        for what, observed, values in _outcome(outcome, z, z_new, censored, rng):
            yield outcome.name, "", what, observed, values
        if not outcome.family.is_time:
            columns[outcome.name] = z, z_new
    drawn = {*(names[k] for k in continuous), *(o.name for o in fit.table.outcomes)}
    for a, b, observed, values in _pairs(columns, drawn):
        yield a, b, "correlation", observed, values


def _scale(fit: Fit, name: str) -> tuple[float, float] | None:
    book = fit.model.codebook
    return book.scale if book is not None and name in book.scaled else None


type Feature = tuple[str, float, Floats]


def _shape(y: Floats, new: Floats, scale: tuple[float, float] | None) -> Iterator[Feature]:
    """Features of one continuous variable, (case,) and (draw, case)."""
    seen = ~np.isnan(y)
    both = np.concatenate([y[None, seen], new[:, seen]])
    mean = both.mean(1)
    z = both - mean[:, None]
    sd = np.sqrt((z**2).mean(1))
    features = {
        "mean": mean, "sd": sd * np.sqrt(seen.sum() / (seen.sum() - 1)),
        "skewness": (z**3).mean(1) / sd**3, "kurtosis": (z**4).mean(1) / sd**4 - 3,
        "minimum": both.min(1), "maximum": both.max(1),
    }  # fmt: skip
    if scale is not None:
        features["share at floor"] = (both < scale[0] + 0.5).mean(1)
        features["share at ceiling"] = (both >= scale[1] - 0.5).mean(1)
    for name, values in features.items():
        yield name, float(values[0]), values[1:]


def _pairs(
    columns: dict[str, tuple[Floats, Floats]], drawn: set[str]
) -> Iterator[tuple[str, str, float, Floats]]:
    """Correlations of all pairs with at least one drawn member, over the cases that have both."""
    names = list(columns)
    for a, first in enumerate(names):
        for second in names[a + 1 :]:
            if not {first, second} & drawn:
                continue
            (x, x_new), (y, y_new) = columns[first], columns[second]
            seen = ~np.isnan(x) & ~np.isnan(y)
            if seen.sum() < 3:
                continue
            u = np.concatenate([x[None, seen], x_new[:, seen]])
            v = np.concatenate([y[None, seen], y_new[:, seen]])
            u, v = u - u.mean(1, keepdims=True), v - v.mean(1, keepdims=True)
            size = np.sqrt((u**2).sum(1) * (v**2).sum(1))
            with np.errstate(invalid="ignore"):
                r = np.nan_to_num((u * v).sum(1) / size)  # a replicate without any variation
            yield first, second, float(r[0]), r[1:]


# -- outcomes of other families ------------------------------------------------------------


def _outcome(
    outcome: Outcome, z: Floats, new: Floats, censored: np.ndarray, rng: np.random.Generator
) -> Iterator[Feature]:
    family, seen = outcome.family, ~np.isnan(z)
    if family.code == NORMAL:
        yield from _shape(z, new, None)
        return
    if family.is_time:
        yield from _times(z[seen], new[:, seen], censored[seen], rng)
        return
    both = np.concatenate([z[None, seen], new[:, seen]])
    features = {"share of 1": both.mean(1)}
    if family.is_count:
        mean = both.mean(1)
        spread = both.var(1, ddof=1) / np.where(mean > 0, mean, 1)
        features = {"mean": mean, "share of 0": (both == 0).mean(1), "variance / mean": spread}
    for name, values in features.items():
        yield name, float(values[0]), values[1:]


def _times(
    z: Floats, new: Floats, censored: np.ndarray, rng: np.random.Generator
) -> Iterator[Feature]:
    """Quantile of times to the event, and the share that an observation would end before it."""
    for name, share in (("median time", 0.5), ("lower quartile of time", 0.25)):
        times, survival = _kaplan_meier(z, ~censored)
        reached = np.flatnonzero(survival <= 1 - share + 1e-12)
        if len(reached):
            at = int(np.ceil(share * new.shape[1])) - 1
            yield name, float(times[reached[0]]), np.partition(new, at, axis=1)[:, at]
            break
    if censored.any():
        limits = _limits(z, censored, len(new), rng)
        yield "share censored", float(censored.mean()), (new > limits).mean(1)


def _kaplan_meier(z: Floats, event: np.ndarray) -> tuple[Floats, Floats]:
    """Times in order and the share surviving each, Kaplan & Meier (1958)."""
    order = np.lexsort((~event, z))  # events before censorings at the same time
    left = len(z) - np.arange(len(z))
    return z[order], np.cumprod(1 - event[order] / left)


def _limits(z: Floats, censored: np.ndarray, draws: int, rng: np.random.Generator) -> Floats:
    """When each observation would have ended, (draw, case).

    Known for censored cases; else drawn from the estimated distribution of ends, given that it came
    after the event. Later than the last end seen counts as never.
    """
    order = np.lexsort((censored, z))
    left = len(z) - np.arange(len(z))
    survival = np.cumprod(1 - censored[order] / left)
    ends, below = np.append(z[order], np.inf), np.append(survival, -1.0)
    at = np.searchsorted(z[order], z, side="right") - 1
    u = rng.uniform(size=(draws, len(z))) * survival[at]
    drawn = ends[np.searchsorted(-below, -u, side="left")]
    return np.where(censored, z, drawn)
