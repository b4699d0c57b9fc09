"""Fits on disk, whole: draws, data and everything that a fit is built from. No pickle, so no code.

A file holds the groups of ``fit.draws`` and one group more, ``bayesem_record``: JSON with the
model's text, the arguments, the data's names, the verdict on the chains, and checksums. The
parameter table and the specification are built again from these by the functions that built them
first.
"""

import hashlib
import json
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, fields, replace
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayesem.codebook import Codebook, Indicator, Variant
from bayesem.counts.fit import CountFit, refuse_counts
from bayesem.counts.saved import count_fit, count_record
from bayesem.data import Answers, Moments
from bayesem.errors import BayesemError, DataError, NotAvailableError, PriorError, installing
from bayesem.families import Family
from bayesem.model import Model, read_model
from bayesem.partable import twin_of
from bayesem.posterior import Fit, Settings
from bayesem.preparation import prepare
from bayesem.priors import Prior, prior_from
from bayesem.sampling.convergence import Convergence

__all__ = ["load", "load_readings", "load_survey", "save"]

#: Raised whenever a reader of the present version could misread the file.
FORMAT = 2
RECORD = "bayesem_record"
_PACKAGES = ("bayesem", "numpy", "xarray", "pymc", "nutpie", "arviz")


def save(fit: Fit | CountFit, path: str | Path) -> None:
    """Write a fit to disk, whole.

    Parameters
    ----------
    fit : Fit or CountFit
    path : str or Path
        ``.nc`` for one NetCDF file, ``.zarr`` for a Zarr store (a folder). What is there under that
        name is replaced once the new file is complete; a folder only if it is such a store.

    Raises
    ------
    PriorError
        If a prior was given as a PyMC distribution outside the built-in families: it has no text
        from which it could be built again.
    DataError
        If the path cannot be written.
    NotAvailableError
        If Zarr is not installed, or the priors are those of another fit (a refit, scaled priors).
    """
    path = Path(path)
    writer = _writer(path)
    if isinstance(fit, Fit) and fit.settings.carried:
        raise NotAvailableError(
            "this fit's priors were carried over from another fit or scaled, so it cannot be built "
            "again from its own arguments.",
            hint="Keep its draws with `fit.draws.to_netcdf(path)`.",
        )
    record = _record(fit)
    tree = _with_record(fit.draws, record)
    if not path.parent.is_dir():
        raise DataError(f"there is no folder {str(path.parent)!r} to save in.", hint="Create it.")
    _check_target(path)
    try:
        with _beside(path) as draft:
            writer(tree, draft)
            _replace(draft, path)
    except OSError as error:
        raise DataError(f"{str(path)!r} cannot be written: {error}.") from None


def load(path: str | Path) -> Fit | CountFit:
    """Read a fit from disk.

    Parameters
    ----------
    path : str or Path
        What :func:`save` wrote.

    Returns
    -------
    Fit or CountFit
        Equal to the saved one to the last bit of every draw. Row names of the data that are
        neither numbers, text nor times come back as text.

    Raises
    ------
    DataError
        If there is no such file, it is not a fit of this package, it is damaged, or a newer version
        wrote it.
    """
    path = Path(path)
    _writer(path)
    if not path.exists():
        raise DataError(f"there is no file {str(path)!r}.", hint="Check the name.")
    tree = _read(path)
    record = _read_record(tree, path)
    draws = xr.DataTree.from_dict(
        {name: node.to_dataset() for name, node in tree.children.items() if name != RECORD}
    )
    draws.attrs.update(tree.attrs)
    if _digest(draws) != record.get("digest"):
        raise _damaged(path, "its numbers do not agree with their checksum")
    try:
        return _rebuild(record, draws)
    except BayesemError as error:
        raise DataError(
            f"the fit in {str(path)!r} cannot be built again: {error.message}",
            hint=f"It was written by bayesem {_writer_version(record)}.",
        ) from error
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise _damaged(path, f"its record is incomplete ({error!r})") from error


def load_survey(path: str | Path) -> Fit:
    """Read a survey's fit from disk, for what theme counts have no answer to.

    Raises
    ------
    DataError
        As :func:`load`.
    NotAvailableError
        If it holds theme counts.
    """
    fit = load(path)
    refuse_counts(fit, f"{str(path)!r} holds what `fit_counts` gave: put claims on shares to it.")
    assert isinstance(fit, Fit)
    return fit


def load_readings(folder: str | Path) -> dict[str, list[Fit]]:
    """Read the fits of a publication's readings, as `bayesem run STUDY --save FOLDER` keeps them.

    Parameters
    ----------
    folder : str or Path

    Returns
    -------
    mapping of str to list of Fit
        By reading, in the order of file names.

    Raises
    ------
    DataError
        If there is no fit in it, or one that is not of a reading.
    """
    folder = Path(folder)
    paths = sorted(folder.glob("*.nc")) if folder.is_dir() else []
    if not paths:
        raise DataError(
            f"there is no fit in the folder {str(folder)!r}.",
            hint="`bayesem run STUDY --save FOLDER` keeps fits there, as `.nc` files.",
        )
    found: dict[str, list[Fit]] = {}
    for path in paths:
        fit = load_survey(path)
        if not isinstance(fit.data, Moments) or fit.data.reading is None:
            raise DataError(
                f"{str(path)!r} is not of a reading of printed tables.",
                hint="Name one file; only readings of one publication are put together.",
            )
        found.setdefault(fit.data.reading, []).append(fit)
    return found


# -- files ---------------------------------------------------------------------------------


def _writer(path: Path) -> Callable[[xr.DataTree, Path], None]:
    if path.suffix == ".nc":
        return _write_netcdf
    if path.suffix == ".zarr":
        if find_spec("zarr") is None:
            raise NotAvailableError(
                "Zarr is not installed.", hint=f"{installing('zarr')} Or use a `.nc` file."
            )
        return _write_zarr
    raise DataError(
        f"{str(path)!r} ends in neither .nc nor .zarr.",
        hint="Use `.nc` for one NetCDF file or `.zarr` for a Zarr store.",
    )


def _write_netcdf(tree: xr.DataTree, path: Path) -> None:
    tree.to_netcdf(path, engine="netcdf4", mode="w")


def _write_zarr(tree: xr.DataTree, path: Path) -> None:
    tree.to_zarr(path, mode="w", zarr_format=2)


def _check_target(path: Path) -> None:
    """Never remove a folder that is something else, or write a file where a folder is."""
    if not path.is_dir():
        return
    if path.suffix != ".zarr" or (any(path.iterdir()) and not (path / RECORD).is_dir()):
        raise DataError(
            f"{str(path)!r} is a folder that holds something else.", hint="Choose another name."
        )


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A place for a draft on the same disk, removed whatever happens."""
    folder = Path(tempfile.mkdtemp(prefix=".bayesem-", dir=path.parent))
    try:
        yield folder / path.name
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _replace(draft: Path, path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    draft.replace(path)


def _read(path: Path) -> xr.DataTree:
    engine = "netcdf4" if path.suffix == ".nc" else "zarr"
    try:
        with xr.open_datatree(path, engine=engine) as tree:
            if RECORD not in tree.children:
                raise DataError(
                    f"{str(path)!r} is not a saved fit of bayesem.",
                    hint="`bayesem.save(fit, path)` writes one.",
                )
            return tree.load()
    except BayesemError:
        raise
    except Exception as error:  # the backends raise whatever their libraries do
        why = getattr(error, "strerror", None) or "its format is not NetCDF or Zarr"
        raise _damaged(path, why) from error


def _damaged(path: Path, why: str) -> DataError:
    return DataError(
        f"{str(path)!r} cannot be read: {why}.",
        hint="The file is damaged, cut short, or not a saved fit; fit again or fetch a whole copy.",
    )


def _read_record(tree: xr.DataTree, path: Path) -> dict[str, Any]:
    node = tree[RECORD]
    try:
        text = node["json"].to_numpy().astype(np.uint8).tobytes()
        whole = hashlib.sha256(text).hexdigest() == node.attrs["sha256"]
        record: dict[str, Any] = json.loads(text)
        known = int(record["format"])
    except (KeyError, ValueError, TypeError) as error:
        raise _damaged(path, f"its record is incomplete ({error!r})") from error
    if known > FORMAT:
        raise DataError(
            f"{str(path)!r} was written by a newer version, bayesem {_writer_version(record)}.",
            hint=f"Update the package: this is bayesem {version('bayesem')}.",
        )
    if not whole:
        raise _damaged(path, "its record does not agree with its checksum")
    return record


def _writer_version(record: Mapping[str, Any]) -> str:
    return str(record.get("versions", {}).get("bayesem", "unknown"))


def _with_record(draws: xr.DataTree, record: Mapping[str, Any]) -> xr.DataTree:
    text = json.dumps(record).encode()
    group = xr.Dataset({"json": (("byte",), np.frombuffer(text, np.uint8))})
    group.attrs["sha256"] = hashlib.sha256(text).hexdigest()
    groups = {name: node.to_dataset() for name, node in draws.children.items()}
    tree = xr.DataTree.from_dict(groups | {RECORD: group})
    tree.attrs.update(draws.attrs)
    return tree


def _digest(draws: xr.DataTree) -> str:
    """Checksum of every number and name: a Zarr store that lost a chunk reads as zeros."""
    total = hashlib.sha256()
    for name in sorted(draws.children):
        data = draws[name].to_dataset()
        for key in sorted(data.variables, key=str):
            values = data[key].to_numpy()
            total.update(f"{name}/{key}{data[key].dims}{values.shape}{values.dtype.kind}|".encode())
            text = values.dtype.kind not in "biuf"
            content = json.dumps(values.tolist(), default=str) if text else ""
            total.update(content.encode() if text else np.ascontiguousarray(values).tobytes())
    return total.hexdigest()


# -- the record ----------------------------------------------------------------------------


def _record(fit: Fit | CountFit) -> dict[str, Any]:
    """Everything but the draws, as JSON."""
    about = _count_record(fit) if isinstance(fit, CountFit) else _survey_record(fit)
    return {
        "format": FORMAT,
        "versions": {"python": platform.python_version()} | {p: version(p) for p in _PACKAGES},
        "convergence": _convergence_record(fit.convergence),
        "digest": _digest(fit.draws),
        **about,
    }


def _count_record(fit: CountFit) -> dict[str, Any]:
    return {"counts": json.loads(json.dumps(count_record(fit), default=_plain))}


def _survey_record(fit: Fit) -> dict[str, Any]:
    return {
        "model": {
            "text": str(fit.model),
            "name": fit.model.name,
            "variant": fit.model.variant,
            "codebook": _codebook_record(fit.model.codebook),
        },
        "priors": _priors_record(fit.settings.priors_argument),
        "settings": _settings_record(fit.settings),
        "families": {o.name: asdict(o.family) for o in fit.table.outcomes},
        "data": _data_record(fit.data),
        "timings": dict(fit.timings),
        "notes": list(fit.notes),
        "parameters": list(fit.spec.names),
    }


def _settings_record(settings: Settings) -> dict[str, Any]:
    kept = {f.name: getattr(settings, f.name) for f in fields(settings)}
    del kept["priors_argument"]
    if settings.families is not None:
        kept["families"] = {k: _family_record(v) for k, v in settings.families.items()}
    return json.loads(json.dumps(kept, default=_plain))  # type: ignore[no-any-return]


def _family_record(family: Any) -> Any:
    return asdict(family) if isinstance(family, Family) else family


def _family(record: Any) -> Any:
    return Family(**record) if isinstance(record, Mapping) else record


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)


def _convergence_record(verdict: Convergence) -> dict[str, Any]:
    return {
        "ok": bool(verdict.ok),
        "reasons": list(verdict.reasons),
        "help": list(verdict.help),
        "quantities": [str(q) for q in verdict.table.index],
        "columns": {c: verdict.table[c].tolist() for c in verdict.table.columns},
    }


def _data_record(data: Answers | Moments) -> dict[str, Any]:
    if isinstance(data, Answers):
        return {
            "kind": "answers",
            "names": list(data.names),
            "synthetic": data.synthetic,
            "index": _index_record(data.index),
            "outcomes": data.outcomes.tolist(),
            "censored": data.censored.astype(int).tolist(),
        }
    mean = None if data.mean is None else {str(k): float(v) for k, v in data.mean.items()}
    return {
        "kind": "moments",
        "names": [str(c) for c in data.cov.columns],
        "cov": data.cov.to_numpy(float).tolist(),
        "n": int(data.n),
        "mean": mean,
        "reading": data.reading,
        "weight": float(data.weight),
        "standardized": bool(data.standardized),
        "synthetic": bool(data.synthetic),
    }


def _index_record(index: pd.Index) -> dict[str, Any]:
    name = None if index.name is None else str(index.name)
    if isinstance(index, pd.RangeIndex):
        span = [index.start, index.stop, index.step]
        return {"name": name, "kind": "range", "values": span}
    if pd.api.types.is_integer_dtype(index.dtype) and not index.hasnans:
        return {"name": name, "kind": str(index.dtype).lower(), "values": index.tolist()}
    if pd.api.types.is_float_dtype(index.dtype) and not index.hasnans:
        return {"name": name, "kind": str(index.dtype).lower(), "values": index.tolist()}
    if isinstance(index, pd.DatetimeIndex) and index.tz is None and not index.hasnans:
        text = [t.isoformat() for t in index]
        return {"name": name, "kind": str(index.dtype), "values": text}
    mixed = all(type(v) in (int, float, str) for v in index)
    values = list(index) if mixed else [str(v) for v in index]
    return {"name": name, "kind": "object", "values": values}


def _codebook_record(book: Codebook | None) -> dict[str, Any] | None:
    if book is None:
        return None
    record = {f.name: getattr(book, f.name) for f in fields(book)}
    record["indicators"] = {k: asdict(v) for k, v in book.indicators.items()}
    record["variants"] = {k: asdict(v) for k, v in book.variants.items()}
    return json.loads(json.dumps(record, default=_plain))  # type: ignore[no-any-return]


def _priors_record(priors: Any) -> Any:
    """The priors argument as text, where it has one."""
    if priors is None or isinstance(priors, str):
        return priors
    return {str(k): _prior_record(str(k), v) for k, v in priors.items()}


def _prior_record(key: str, source: Any) -> Any:
    if isinstance(source, str):
        return source
    prior = prior_from(source, "path", where=f"`{key}`")
    if not prior.builtin:
        raise PriorError(
            f"the prior of `{key}` is a PyMC distribution outside the built-in families, so it "
            "cannot be written to a file and built again.",
            hint="Keep the draws with `fit.draws.to_netcdf(path)`, or use a built-in family.",
        )
    if isinstance(source, Prior):
        return {f.name: getattr(source, f.name) for f in fields(source) if f.name != "graph"}
    return f"{prior.family}({', '.join(repr(a) for a in prior.args)})"


# -- back again ----------------------------------------------------------------------------


def _rebuild(record: Mapping[str, Any], draws: xr.DataTree) -> Fit | CountFit:
    if "counts" in record:
        return count_fit(record["counts"], draws, _convergence(record["convergence"]))
    stored = dict(record["settings"])
    if stored.get("families") is not None:
        stored["families"] = {k: _family(v) for k, v in stored["families"].items()}
    priors = _priors(record["priors"])
    settings = Settings(**stored, priors_argument=priors)
    model = _model(record["model"])
    families = {k: _family(v) for k, v in record.get("families", {}).items()}
    data = _data(record["data"], draws, families)
    ready = prepare(
        model, data, identify=settings.identify, means=settings.means, fixed_x=settings.fixed_x,
        priors=priors, families={**(settings.families or {}), **families}, check=False,
        cross_loadings=settings.cross_loadings, method_factor=settings.method_factor,
    )  # fmt: skip
    if list(ready.spec.names) != record["parameters"]:
        raise DataError("this version reads the model's parameters differently.")
    kept = ready.data
    if isinstance(kept, Answers):
        kept = replace(kept, index=_index(record["data"]["index"]))
    timings = {str(k): float(v) for k, v in record["timings"].items()}
    return Fit(
        model, kept, draws, ready.table, ready.spec, _convergence(record["convergence"]), timings,
        settings, tuple(record["notes"]),
    )  # fmt: skip


def _model(record: Mapping[str, Any]) -> Model:
    book = record["codebook"]
    return replace(
        read_model(record["text"]),
        name=record["name"],
        variant=record["variant"],
        codebook=None if book is None else _codebook(book),
    )


def _codebook(record: Mapping[str, Any]) -> Codebook:
    kept = dict(record)
    kept["indicators"] = {k: Indicator(**v) for k, v in record["indicators"].items()}
    kept["variants"] = {
        k: Variant(**(v | {"free": tuple(v["free"])})) for k, v in record["variants"].items()
    }
    kept["scale"] = None if record["scale"] is None else tuple(record["scale"])
    kept["path"] = Path(record["path"])
    return Codebook(**kept)


def _data(
    record: Mapping[str, Any], draws: xr.DataTree, families: Mapping[str, Family]
) -> pd.DataFrame | Moments:
    names = record["names"]
    if record["kind"] == "answers":
        frame = pd.DataFrame(draws["observed_data"]["y"].to_numpy(), columns=names)
        frame = frame.drop(columns=[twin_of(name) for name in families], errors="ignore")
        frame = frame.assign(**_outcome_columns(record, families))
        frame.attrs["synthetic"] = record["synthetic"]
        return frame
    cov = pd.DataFrame(record["cov"], index=names, columns=names)
    mean = None if record["mean"] is None else pd.Series(record["mean"], dtype=float)
    return Moments(
        cov, record["n"], mean, record["reading"], record["weight"], record["standardized"],
        record["synthetic"],
    )  # fmt: skip


def _outcome_columns(
    record: Mapping[str, Any], families: Mapping[str, Family]
) -> dict[str, np.ndarray]:
    """Outcomes and censoring columns as they stood in the data."""
    columns: dict[str, np.ndarray] = {}
    for k, (name, family) in enumerate(families.items()):
        columns[name] = np.array(record["outcomes"], float)[:, k]
        if family.censored is not None:
            columns[family.censored] = np.array(record["censored"], float)[:, k]
    return columns


def _index(record: Mapping[str, Any]) -> pd.Index:
    if record["kind"] == "range":
        start, stop, step = record["values"]
        return pd.RangeIndex(start, stop, step, name=record["name"])
    index: pd.Index = pd.Index(record["values"], dtype=record["kind"], name=record["name"])
    return index


def _convergence(record: Mapping[str, Any]) -> Convergence:
    table = pd.DataFrame(record["columns"], index=record["quantities"])
    return Convergence(record["ok"], tuple(record["reasons"]), table, tuple(record["help"]))


def _priors(record: Any) -> Any:
    if not isinstance(record, dict):
        return record
    return {
        k: v if isinstance(v, str) else Prior(v["family"], tuple(v["args"]), v["mark"], v["given"])
        for k, v in record.items()
    }
