"""The same model again: on other cases or data, with the priors held where they were."""

import secrets
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pandas as pd

from bayesem.arrays import Ints
from bayesem.data import Answers, Moments, statistics
from bayesem.errors import DataError
from bayesem.fitting import sample as _sample
from bayesem.posterior import Fit
from bayesem.preparation import Prepared, data_notes, missing_in, read_data
from bayesem.sampling.convergence import Thresholds
from bayesem.seeds import check_seed
from bayesem.specification import density_of_fixed_x

__all__ = ["prepared", "refit", "renew", "sample", "subset"]


def prepared(source: Prepared | Fit) -> Prepared:
    """What a fit was sampled from."""
    if isinstance(source, Prepared):
        return source
    return Prepared(
        source.model, source.data, source.table, source.spec, source.notes, source.settings
    )


def renew(
    source: Prepared | Fit,
    *,
    rows: Any = None,
    data: pd.DataFrame | Moments | Answers | None = None,
) -> Prepared:
    """The same model and priors with other cases or data.

    Default priors whose scale came from the data keep it: otherwise a model that is fitted to parts
    of the data, or to data drawn from it, would have another prior each time.

    Parameters
    ----------
    source : Prepared or Fit
    rows : (kept,) array of int, or (case,) array of bool, optional
        The cases to keep, by position.
    data : DataFrame, Moments or Answers, optional
        Data in the place of the source's.

    Returns
    -------
    Prepared

    Raises
    ------
    DataError
        If the new data lack cells of a predictor that is conditioned on, or are otherwise unfit.
    NotAvailableError
        If rows are asked of moments.
    """
    ready = prepared(source)
    table, old = ready.table, ready.data
    if rows is not None:
        kept: Answers | Moments = subset(old, rows)
    elif isinstance(data, Answers):
        kept = data
    elif data is not None:
        kept = read_data(ready.model, table, data)
    else:
        kept = old
    if isinstance(kept, Answers) and (lacking := missing_in(kept, table.fixed_x)):
        raise DataError(
            f"cells are missing in `{lacking[0]}`, which the model conditions on.",
            hint="Fit these data with fixed_x=False.",
        )
    stats = statistics(kept, table.indicators, means=ready.spec.stats.use_mean)
    spec = replace(
        ready.spec,
        stats=stats,
        cases=kept if ready.spec.cases is not None and isinstance(kept, Answers) else None,
        constant=stats.constant - density_of_fixed_x(table, stats, ready.spec.base),
    )
    notes = (*data_notes(kept, stats), *spec.notes)
    settings = replace(ready.settings, carried=True)
    return replace(ready, data=kept, spec=spec, notes=notes, settings=settings)


def subset(data: Answers | Moments, rows: Any) -> Answers:
    """Some cases, by position.

    Raises
    ------
    DataError
        If the data are moments.
    """
    if not isinstance(data, Answers):
        raise DataError(
            "cases cannot be left out of moments.", hint="Fit the raw data, case by case."
        )
    chosen: Ints = np.arange(data.n)[np.asarray(rows)]
    more = {
        f.name: getattr(data, f.name)[chosen]
        for f in fields(data)
        if f.name in ("values", "index") or (f.name in ("outcomes", "censored") and _some(data))
    }
    return replace(data, **more)


def _some(data: Answers) -> bool:
    return len(data.outcomes) > 0


def sample(
    ready: Prepared,
    *,
    draws: int | None = None,
    tune: int | None = None,
    chains: int | None = None,
    seed: int | None = None,
    integrate: str | None = None,
    cores: int | None = None,
    prior_draws: int = 0,
    thresholds: Thresholds | None = None,
    progress: bool = False,
) -> Fit:
    """Sample the posterior of a prepared model.

    Parameters
    ----------
    ready : Prepared
    draws, tune, chains, integrate : optional
        As in :func:`bayesem.fit`; by default what the settings say.
    seed : int, optional
    cores : int, optional
    prior_draws : int
        Of the ``prior`` group; none by default, as the prior is that of the first fit.
    thresholds : Thresholds, optional
        What the chains must pass.
    progress : bool
    """
    check_seed(seed)
    given: dict[str, Any] = {
        "draws": draws, "tune": tune, "chains": chains, "integrate": integrate,
        "seed": secrets.randbits(31) if seed is None else int(seed),
    }  # fmt: skip
    settings = replace(ready.settings, **{k: v for k, v in given.items() if v is not None})
    return _sample(ready, settings, cores=cores, progress=progress, prior_draws=prior_draws,
                   thresholds=thresholds)  # fmt: skip


def refit(
    fit: Prepared | Fit,
    *,
    rows: Any = None,
    data: pd.DataFrame | Moments | Answers | None = None,
    **options: Any,
) -> Fit:
    """Fit the same model and priors to other cases or data (see :func:`renew`, :func:`sample`)."""
    return sample(renew(fit, rows=rows, data=data), **options)
