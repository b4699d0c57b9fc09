"""A count fit as a record beside its draws, and the fit built again from both."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import xarray as xr

from bayesem.counts.fit import CountData, CountFit, CountSettings
from bayesem.counts.table import CountModel
from bayesem.counts.tree import tree_of
from bayesem.sampling.convergence import Convergence

__all__ = ["count_fit", "count_record"]


def count_record(fit: CountFit) -> dict[str, Any]:
    """Everything but draws and convergence, as plain values.

    Parameters
    ----------
    fit : CountFit
    """
    model = asdict(fit.model) | {"path": None if fit.model.path is None else str(fit.model.path)}
    return {
        "model": model,
        "data": asdict(fit.data),
        "settings": asdict(fit.settings),
        "has_tree": fit.tree is not None,
        "timings": dict(fit.timings),
        "notes": list(fit.notes),
        "phases": {name: list(groups) for name, groups in fit.phases.items()},
    }


def count_fit(record: Mapping[str, Any], draws: xr.DataTree, convergence: Convergence) -> CountFit:
    """The fit of a record.

    Parameters
    ----------
    record : mapping
        Of :func:`count_record`.
    draws : xarray.DataTree
    convergence : Convergence
    """
    path = record["model"]["path"]
    model = CountModel(**record["model"] | {"path": None if path is None else Path(path)})
    settings = CountSettings(**record["settings"])
    tree = None
    if record["has_tree"]:
        tree = tree_of(model, prior=settings.prior, design_effect=settings.design_effect,
                       others=settings.others)  # fmt: skip
    return CountFit(
        model, CountData(**record["data"]), draws, tree, convergence, settings,
        {str(k): float(v) for k, v in record["timings"].items()}, tuple(record["notes"]),
        {name: tuple(groups) for name, groups in record["phases"].items()},
    )  # fmt: skip
