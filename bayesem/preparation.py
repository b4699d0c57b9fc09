"""What is known before sampling: model and data read, checked and written as a specification."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from bayesem.arrays import Floats
from bayesem.augmentation import augmented
from bayesem.data import Answers, Moments, Statistics, read_answers, statistics
from bayesem.errors import DataError, ModelError, NotAvailableError, did_you_mean
from bayesem.families import read_families
from bayesem.identification import check_identification
from bayesem.missing_codes import refuse_codes
from bayesem.model import Model, read_model
from bayesem.outcomes import read_outcomes, with_twins
from bayesem.partable import ParameterTable, parameter_table
from bayesem.posterior import Settings, reserved
from bayesem.sampling.directions import direction_notes
from bayesem.spec import Spec
from bayesem.specification import specification

__all__ = ["Prepared", "data_notes", "fingerprint", "missing_in", "prepare", "read_data"]


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Everything that is known before sampling; ``settings`` are the arguments so far."""

    model: Model
    data: Answers | Moments
    table: ParameterTable
    spec: Spec
    notes: tuple[str, ...]
    settings: Settings = field(default_factory=Settings)


def prepare(
    model: Model | str,
    data: pd.DataFrame | Moments,
    *,
    identify: str = "marker",
    means: bool = True,
    fixed_x: bool = True,
    priors: str | Mapping[str, Any] | None = None,
    families: Mapping[str, Any] | None = None,
    cross_loadings: float | None = None,
    method_factor: str | None = None,
    check: bool = True,
) -> Prepared:
    """Read model and data, write the parameter table and check identification.

    ``Prepared.model`` is the model as written; ``cross_loadings`` and ``method_factor`` add to the
    table only (:mod:`bayesem.augmentation`). Small cross-loadings are identified by their priors,
    so the rank is that of the model without them.

    Raises
    ------
    BayesemError
        Naming what is wrong with the model, the data, the priors or the identification.
    """
    model = read_model(model) if not isinstance(model, Model) else model
    notes: list[str] = []
    if isinstance(data, Moments) and data.mean is None and means:
        means = False
        notes.append(
            "only the covariance matrix was given, so the means are not modelled (Wishart)"
        )
    for name, value in (("means", means), ("fixed_x", fixed_x)):
        if not isinstance(value, bool | np.bool_):
            raise ModelError(f"{name} is {value!r}.", hint="Use True or False.")
    _check_names(model, data)
    explained = {s.lhs: s.span for s in model.parsed.statements if s.op == "~"}
    explained = {k: v for k, v in explained.items() if k in model.observed}
    kinds = read_families(families, explained, model.codebook)
    options = {"identify": identify, "means": means, "families": kinds}
    whole, added = augmented(
        model, list(kinds), cross_loadings=cross_loadings, method_factor=method_factor
    )
    if added:
        _check_names(whole, data)
    table = parameter_table(whole, fixed_x=fixed_x, **options)  # type: ignore[arg-type]
    if table.casewise and isinstance(data, Moments):
        raise NotAvailableError(
            "products of factors and outcomes of other families need answers case by case, and "
            "these are moments.",
            hint="Fit the raw data.",
        )
    kept = read_data(model, table, data)
    if isinstance(kept, Answers) and table.fixed_x and missing_in(kept, table.fixed_x):
        table = parameter_table(whole, fixed_x=False, **options)  # type: ignore[arg-type]
        notes.append(
            f"cells are missing in {_quoted(missing_in(kept, table.phantoms))}, so "
            "the observed predictors are modelled and not conditioned on"
        )
    stats = statistics(kept, table.indicators, means=means)
    notes += data_notes(kept, stats)
    spread, centre = _codebook_scale(model, table, kept, stats)
    cases = kept if table.casewise and isinstance(kept, Answers) else None
    rest = {"priors": priors, "spread": spread, "centre": centre, "cases": cases, "added": added}
    spec = specification(table, stats, **rest)  # type: ignore[arg-type]
    notes += direction_notes(spec)
    if check:
        from bayesem.sampling.starts import rough_point

        check_identification(spec, rough_point(spec), known=tuple(added.small))
    settings = Settings(
        spec.preset, identify, table.means, bool(table.fixed_x), prior_text=_prior_text(spec),
        priors_argument=priors, families=families, cross_loadings=cross_loadings,
        method_factor=method_factor,
    )  # fmt: skip
    return Prepared(model, kept, spec.table, spec, (*notes, *spec.notes), settings)


# -- checks --------------------------------------------------------------------------------


def _check_names(model: Model, data: Any) -> None:
    """Names that collide, and names that are neither a factor nor a column (with their place)."""
    taken = reserved([*model.labels, *(d.name for d in model.definitions)])
    if taken:
        raise ModelError(
            f"the label `{sorted(taken)[0]}` is the name of one of the posterior's own variables.",
            hint="Choose another label.",
        )
    columns, latent = _columns(data), model.factors
    known = {*columns, *latent}
    for statement in model.parsed.statements:
        label = statement.term.label
        if label in known:
            raise ModelError(
                f"`{label}` is a label here, but also the name of a variable.",
                span=statement.term.span,
                hint=f"For a product write `{label}:{statement.term.name}`; else rename the label.",
            )
    for statement in model.parsed.statements:
        for name in (statement.lhs, *statement.term.factors):
            if name and name not in known:
                raise ModelError(
                    f"`{name}` is neither a factor nor a column of the data.",
                    span=statement.term.span if name != statement.lhs else statement.span,
                    hint=did_you_mean(name, [*latent, *columns])
                    or f"The data have: {_listed(columns)}.",
                )
    for factor in latent:
        if factor in columns:
            raise ModelError(
                f"`{factor}` is a factor of the model and also a column of the data.",
                hint="Rename one of them, so that it is clear which is meant.",
            )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return shown or "no columns"


def _columns(data: Any) -> list[str]:
    if isinstance(data, Moments):
        return [str(c) for c in data.cov.columns]
    if isinstance(data, pd.DataFrame):
        return [str(c) for c in data.columns]
    raise DataError(
        f"data is a {type(data).__name__}, not a DataFrame or Moments.",
        hint="Read the file first: `pandas.read_csv(path)`.",
    )


def read_data(
    model: Model, table: ParameterTable, data: pd.DataFrame | Moments
) -> Answers | Moments:
    """The data in the order of the table, checked."""
    if isinstance(data, Moments):
        return data
    book = model.codebook
    scaled = [v for v in table.indicators if book is not None and v in book.scaled]
    generated = bool(data.attrs.get("synthetic"))  # generated values know no answer scale
    scale = book.scale if book is not None and scaled and not generated else None
    data = with_twins(data, table)
    answers = read_answers(data, table.indicators, scale=scale, scaled=scaled)
    refuse_codes(answers, [v for v in table.indicators if v in _measuring(model)])
    return read_outcomes(data, answers, table)


def _measuring(model: Model) -> set[str]:
    """Observed variables that measure a factor."""
    named = {s.term.name for s in model.parsed.statements if s.op == "=~"}
    return named & set(model.observed)


def missing_in(data: Answers, names: Sequence[str]) -> list[str]:
    """The names among ``names`` whose columns have missing cells."""
    return [v for v in names if np.isnan(data.values[:, data.names.index(v)]).any()]


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def data_notes(data: Answers | Moments, stats: Statistics) -> list[str]:
    """What a reader of the results has to know of the data."""
    if isinstance(data, Moments):
        return [f"reading: {data.reading}"] if data.reading else []
    notes = []
    if data.synthetic:
        notes.append("SYNTHETIC DATA: these rows were generated, not observed")
    if data.missing:
        share = data.missing / data.values.size
        notes.append(
            f"{data.missing} missing cells ({share:.1%}) in {len(stats.n)} patterns, used in full "
            "(assuming they are missing at random)"
        )
    if stats.cases < data.n:
        notes.append(f"{data.n - stats.cases} rows are empty and say nothing")
    return notes


def _codebook_scale(
    model: Model, table: ParameterTable, data: Answers | Moments, stats: Statistics
) -> tuple[Floats, Floats]:
    """Scale and middle of each indicator's priors: the codebook's, else the sample's."""
    spread, centre = stats.scale(), stats.location()
    book = model.codebook
    if book is None or book.scale is None or (isinstance(data, Moments) and data.standardized):
        return spread, centre
    low, high = book.scale
    known = np.array([v in book.scaled for v in table.indicators])
    return np.where(known, (high - low) / 4, spread), np.where(known, (high + low) / 2, centre)


def _prior_text(spec: Spec) -> dict[str, str]:
    return {p.name: str(p.prior) for p in spec.parameters if p.prior is not None}


def fingerprint(ready: Prepared) -> dict[str, Any]:
    """What numbers on this model rest on, for the record of a store."""
    settings = ready.settings
    return {
        "model": str(ready.model),
        "priors": dict(settings.prior_text),
        "identify": settings.identify,
        "means": settings.means,
        "fixed_x": settings.fixed_x,
        "families": {o.name: repr(o.family) for o in ready.table.outcomes},
        "data": _digest(ready.data),
    }


def _digest(data: Answers | Moments) -> str:
    found = hashlib.sha256()
    if isinstance(data, Answers):
        parts: Mapping[str, Any] = {
            "values": data.values, "outcomes": data.outcomes, "censored": data.censored,
        }  # fmt: skip
        found.update(json.dumps(data.names).encode())
    else:
        mean = () if data.mean is None else data.mean.to_numpy()
        parts = {"cov": data.cov.to_numpy(), "mean": mean, "n": data.n}
        found.update(json.dumps([str(c) for c in data.cov.columns]).encode())
    for name, value in parts.items():
        array = np.ascontiguousarray(value, float)
        found.update(f"{name} {array.shape}".encode())
        found.update(array.tobytes())
    return found.hexdigest()[:32]
