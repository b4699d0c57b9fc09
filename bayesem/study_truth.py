"""The truth that a study declares, as a population of one of its models."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayesem import studies
from bayesem.errors import StudyError, did_you_mean
from bayesem.matrices import Matrices, factor_moments
from bayesem.model import Model, read_model
from bayesem.partable import ParameterTable, parameter_table
from bayesem.propositions import read_propositions
from bayesem.simulation import families_of
from bayesem.truth import population, row_of
from bayesem.truth_file import STATES, TruthFile, read_truth

__all__ = ["Declared", "applicable", "declared", "declares_truth", "states", "truth_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Declared:
    """Everything that cases are drawn from."""

    model: Model
    file: TruthFile
    table: ParameterTable
    matrices: Matrices
    named: Mapping[str, float]


def declares_truth(model: Model) -> bool:
    """Whether a model is of a study that declares a population."""
    known = model.name in studies.names()
    return known and studies.find(str(model.name)).truth_path is not None


def truth_of(model: Model) -> TruthFile:
    """The declared population of a model's study.

    Raises
    ------
    StudyError
        If there is none.
    """
    if not declares_truth(model):
        with_one = [n for n in studies.own() if studies.find(n).truth_path is not None]
        raise StudyError(
            f"`{model.name or 'the model'}` declares no truth to draw from.",
            hint=f"Studies that do: {', '.join(with_one)}. Use `simulate` for any other model.",
        )
    path = studies.find(str(model.name)).truth_path
    assert path is not None
    return read_truth(path)


# -- what is declared ----------------------------------------------------------------------


def declared(model: Model, asked: Mapping[str, str], truth: Mapping[str, float]) -> Declared:
    """The population of a model of a study.

    Parameters
    ----------
    model : Model
    asked : mapping of str to str
        States of propositions.
    truth : mapping of str to float
        Values that come last.

    Raises
    ------
    StudyError
        As :func:`bayesem.generate`.
    """
    file = truth_of(model)
    table = _table(model, file)
    own = {**_stated(model, file, table), **_asked(model, file, table, asked)}
    given = {**own, **truth}
    structure = population(model, table, {**_nothing(table, given), **given})[0]
    measured = _measurement(file, table, structure)
    stated = {row.name for text in given if (row := row_of(table, text)) is not None}
    rest = {k: v for k, v in measured.items() if k not in stated}
    matrices, named = population(model, table, {**_nothing(table, given), **rest, **given})
    return Declared(model, file, table, matrices, named)


def _table(model: Model, file: TruthFile) -> ParameterTable:
    families = families_of(model, None)
    metric: Any = file.metric
    return parameter_table(model, identify=metric, fixed_x=False, families=families)


def _file_name(model: Model) -> str:
    """The file that a model's text stands in."""
    book, variant = model.codebook, model.variant
    other = book.variants[variant].model if book is not None and variant is not None else None
    return str(other or model.name)


def _stated(model: Model, file: TruthFile, table: ParameterTable) -> dict[str, float]:
    """The file's values of parameters that the model has and leaves open."""
    values = {**file.values, **file.models.get(_file_name(model), {})}
    for name, control in file.controls.items():
        values |= {f"{name} ~1": control.mean, f"{name} ~~ {name}": control.sd**2}
    rows = {text: row_of(table, text) for text in values}
    return {t: v for t, v in values.items() if (r := rows[t]) is not None and r.free}


def _asked(
    model: Model, file: TruthFile, table: ParameterTable, asked: Mapping[str, str]
) -> dict[str, float]:
    """What the named propositions ask for."""
    found: dict[str, tuple[float, str]] = {}
    for name, state in asked.items():
        for label, value in _state(file, name, state).items():
            if row_of(table, label) is None:
                raise _elsewhere(model, name, label)
            before, other = found.setdefault(label, (value, name))
            if before != value:
                raise StudyError(
                    f"{other} and {name} ask for different values of `{label}`: "
                    f"{before:g} and {value:g}.",
                    hint="They cannot both be so; leave one of them out.",
                )
    return {label: value for label, (value, _) in found.items()}


def _state(file: TruthFile, name: str, state: str) -> Mapping[str, float]:
    known = file.propositions
    if name not in known:
        hint = did_you_mean(name, known) or f"There are {', '.join(known)}."
        raise StudyError(f"`{name}` is no proposition of {file.path.name}.", hint=hint, label=name)
    if state not in known[name]:
        hint = did_you_mean(str(state), STATES) or f"{name} can be {', '.join(known[name])}."
        raise StudyError(f"{name} is made `{state}`.", hint=hint, label=name)
    return known[name][state]


def _elsewhere(model: Model, name: str, label: str) -> StudyError:
    """The error for a proposition about another model of the study."""
    study = _study(model)
    return StudyError(
        f"{name} is about `{label}`, which the model does not have.",
        hint=f"Draw from `{read_propositions(study)[name].model or study}`.",
        label=name,
    )


def _study(model: Model) -> str:
    """The study that a model belongs to."""
    return model.codebook.path.stem if model.codebook is not None else str(model.name)


def _nothing(table: ParameterTable, given: Mapping[str, float]) -> dict[str, float]:
    """Paths, products and covariances that nobody names are 0."""
    named = {row.label or row.name for t in given if (row := row_of(table, t)) is not None}
    kinds = ("path", "interaction", "correlation")
    rows = [r for r in table.rows if r.free and r.kind in kinds]
    return {r.name: 0.0 for r in rows if (r.label or r.name) not in named}


def _measurement(file: TruthFile, table: ParameterTable, M: Matrices) -> dict[str, float]:
    """Answers of the declared mean, sd and standardised loadings; intercepts of outcomes."""
    mean, Phi = factor_moments(M)
    level, sd = file.answered.mean, file.answered.sd
    count: dict[int, int] = {}
    found: dict[str, float] = {}
    for row in table.rows:
        if row.matrix != "Lambda" or not row.free:
            continue
        k = count.setdefault(row.j, 0)
        count[row.j] += 1
        share = file.answered.loadings[k % len(file.answered.loadings)]
        loading = share * sd / float(np.sqrt(Phi[row.j, row.j]))
        found[row.name] = loading
        found[f"{row.rhs} ~~ {row.rhs}"] = sd**2 * (1 - share**2)
        found[f"{row.rhs} ~1"] = level - loading * float(mean[row.j])
    for outcome in table.outcomes:
        if outcome.name in file.predictors:
            now = float(mean[outcome.factor] - M.alpha[outcome.factor])
            found[f"{outcome.name} ~1"] = file.predictors[outcome.name] - now
    return found


def applicable(model: Model, asked: Mapping[str, str]) -> dict[str, str]:
    """Those of the asked states that are about parameters of this model.

    Raises
    ------
    StudyError
        For a proposition or a state that the study's file does not know.
    """
    file = truth_of(model)
    table = _table(model, file)
    return {
        name: state
        for name, state in asked.items()
        if all(row_of(table, label) is not None for label in _state(file, name, state))
    }


def states(model: Model, named: Mapping[str, float]) -> dict[str, str]:
    """Which propositions a population makes true, false or reversed, as the study's file says.

    Parameters
    ----------
    model : Model
        From which ``named`` was drawn.
    named : mapping of str to float
        ``attrs["truth"]`` of what :func:`generate` returned.

    Returns
    -------
    dict of str to str
        Those alone that the file can tell. What a further model adds to this one is 0.
    """
    found = {}
    about = {p.name: p.model for p in read_propositions(_study(model))}
    for name, options in truth_of(model).propositions.items():
        known = dict(named)
        if about.get(name) is not None and _contains(read_model(str(about[name])), model):
            known = {label: 0.0 for values in options.values() for label in values} | known
        for state, values in options.items():
            if all(k in known and np.isclose(known[k], v) for k, v in values.items()):
                found[name] = state
    return found


def _contains(larger: Model, model: Model) -> bool:
    """Whether one model is the other with further terms, or with terms freed."""
    if set(larger.variables) != set(model.variables):
        return False
    free = {s.key for s in larger.parsed.statements if s.term.fixed is None}
    every = {s.key for s in larger.parsed.statements}
    needed = {s.key for s in model.parsed.statements if s.term.fixed is None}
    return needed <= free and {s.key for s in model.parsed.statements} <= every
