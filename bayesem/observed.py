"""The data as groups of ``fit.draws``: what replicated data are held against."""

from typing import Any

import numpy as np
import xarray as xr

from bayesem.arrays import Floats
from bayesem.data import Answers, Moments
from bayesem.families import Family
from bayesem.partable import ParameterTable

__all__ = ["as_observed", "numbered", "observed_groups", "outcome_variable"]

#: Names that other things have in the groups of data.
TAKEN = ("y", "n", "synthetic", "case", "indicator", "chain", "draw")


def outcome_variable(name: str) -> str:
    """What an outcome of another family is called beside the answers ``y``.

    Examples
    --------
    >>> outcome_variable("bought"), outcome_variable("y")
    ('bought', 'y (outcome)')
    """
    return f"{name} (outcome)" if name in TAKEN else name


def as_observed(family: Family, values: Floats) -> np.ndarray:
    """Whole numbers where a family has them and no value is missing: plots tell them by type."""
    discrete = family.is_binary or family.is_count
    return values.astype(np.int64) if discrete and not np.isnan(values).any() else values


def observed_groups(table: ParameterTable, data: Answers | Moments) -> dict[str, xr.Dataset]:
    """Observed values and what is known beside them, named as replicated data are.

    Returns
    -------
    dict of str to Dataset
        ``observed_data``: ``y`` (case, indicator) and each outcome of another family (case); or
        ``S`` (divisor n - 1) and ``ybar`` of moments. ``constant_data``: ``n``, ``synthetic``, the
        observed predictors that are conditioned on (case), and under the name of a censored time
        whether its event was seen (1) or not (0), where ArviZ looks for it.
    """
    names = list(table.indicators)
    if isinstance(data, Moments):
        return _of_moments(names, data)
    seen: dict[str, Any] = {"y": (("case", "indicator"), data.values)}
    known: dict[str, Any] = {"n": data.n, "synthetic": data.synthetic}
    for k, outcome in enumerate(table.outcomes):
        variable = outcome_variable(outcome.name)
        seen[variable] = (("case",), as_observed(outcome.family, data.outcomes[:, k]))
        if outcome.family.censored is not None:
            known[variable] = (("case",), 1.0 - data.censored[:, k])
    for name in (x for x in table.fixed_x if x not in {*TAKEN, *known}):
        known[name] = (("case",), data.values[:, names.index(name)])
    case = {"case": np.arange(data.n)}
    return {
        "observed_data": xr.Dataset(seen, coords=case | {"indicator": names}),
        "constant_data": xr.Dataset(known, coords=case),
    }


def _of_moments(names: list[str], data: Moments) -> dict[str, xr.Dataset]:
    cov = data.cov.loc[names, names].to_numpy(float)
    parts: dict[str, Any] = {"S": (("indicator", "indicator_bis"), cov)}
    if data.mean is not None:
        parts["ybar"] = (("indicator",), data.mean.loc[names].to_numpy(float))
    coords = {"indicator": names, "indicator_bis": names}
    return {
        "observed_data": xr.Dataset(parts, coords=coords),
        "constant_data": xr.Dataset({"n": data.n}),
    }


def numbered(data: xr.Dataset) -> xr.Dataset:
    """Chains and draws counted from 0."""
    return data.assign_coords(
        chain=np.arange(data.sizes["chain"]), draw=np.arange(data.sizes["draw"])
    )
