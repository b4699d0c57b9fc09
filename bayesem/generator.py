"""Synthetic answers of a study whose file declares a truth, so that verdicts can be checked.

Firms, say, are drawn as the study says they come about: observed predictors from their own
distributions, factors with products, outcomes, answers rounded to the scale, and items that are
asked of some cases only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayesem import studies
from bayesem.arrays import Floats
from bayesem.casedraws import draw_factors, observed_columns
from bayesem.errors import DataError, StudyError, did_you_mean
from bayesem.matrices import Matrices, factor_moments
from bayesem.model import Model, read_model
from bayesem.partable import ParameterTable, parameter_table
from bayesem.propositions import read_propositions
from bayesem.seeds import check_seed
from bayesem.simulation import families_of, simulate, square_root
from bayesem.truth import population, row_of
from bayesem.truth_file import STATES, TruthFile, read_truth

__all__ = [
    "applicable",
    "asked_from",
    "declares_truth",
    "generate",
    "states",
    "synthetic_answers",
    "truth_of",
]


@dataclass(frozen=True, slots=True, eq=False)
class _Population:
    """Everything that cases are drawn from."""

    model: Model
    file: TruthFile
    table: ParameterTable
    matrices: Matrices
    named: Mapping[str, float]


def generate(
    study: str,
    n: int,
    *,
    propositions: Mapping[str, str] | None = None,
    truth: Mapping[str, float] | None = None,
    rounded: bool = True,
    seed: int | None = None,
) -> pd.DataFrame:
    """Draw synthetic answers from the declared population of a study.

    Parameters
    ----------
    study : str
        A study with a file ``models/<study>.truth.toml``, a variant of it
        (``"export_strategy:time"``), or a further model (``"export_strategy_time"``).
    n : int
        Cases.
    propositions : mapping of str to str, optional
        Name to ``"true"``, ``"false"`` (every part of the claim at its bound) or ``"reversed"``
        (every part on the wrong side). Those not named keep the file's values.
    truth : mapping of str to float, optional
        Values by label or ``"lhs op rhs"``, in the file's metric; they come last.
    rounded : bool
        Round answers to the codebook's scale and cut them off at its ends.
    seed : int, optional
        One seed gives the same residuals at every truth.

    Returns
    -------
    DataFrame
        The columns of the model, and of censored times what says so. ``attrs["synthetic"]`` is
        True, ``attrs["truth"]`` holds every parameter (before rounding, where that is done) by
        name and label, ``attrs["propositions"]`` what was asked for.

    Raises
    ------
    StudyError
        If the study declares no truth, a proposition or state is unknown, or two propositions ask
        for different values of one parameter.
    ModelError
        For a value that the model cannot have.
    DataError
        If ``n`` is no number of cases.

    Examples
    --------
    >>> data = generate("export_strategy", 200, propositions={"P2": "reversed"}, seed=1)
    >>> data.shape, data.attrs["truth"]["w1"]
    ((200, 58), -0.2)
    """
    check_seed(seed)
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        raise DataError(f"n is {n!r}.", hint="Use a whole number of at least 1.")
    model = read_model(study)
    asked = dict(propositions or {})
    found = _population(model, truth_of(model), asked, dict(truth or {}))
    data = _cases(found, int(n), np.random.default_rng(seed))
    if rounded:
        data = _rounded(model, data)
    data = _emptied(found, data)
    data.attrs = {"synthetic": True, "truth": dict(found.named), "propositions": asked}
    return data


def synthetic_answers(
    source: str, n: int, *, asked: Mapping[str, str], rounded: bool, seed: int
) -> pd.DataFrame:
    """Answers from a declared truth where there is one, else from any model's declared values.

    Parameters
    ----------
    source : str
        As :func:`bayesem.read_model` takes it.
    n : int
    asked : mapping of str to str
        States of propositions; only where a truth is declared.
    rounded : bool
        Use the codebook's scale, if there is one.
    seed : int
    """
    model = read_model(source)
    if declares_truth(model):
        return generate(source, n, propositions=asked, rounded=rounded, seed=seed)
    if asked:
        truth_of(model)  # says that there is none
    scaled = rounded and model.codebook is not None and model.codebook.scale is not None
    return simulate(model, n, seed=seed, answers=scaled)


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


def _population(
    model: Model, file: TruthFile, asked: Mapping[str, str], truth: Mapping[str, float]
) -> _Population:
    table = _table(model, file)
    own = {**_declared(model, file, table), **_asked(model, file, table, asked)}
    given = {**own, **truth}
    structure = population(model, table, {**_nothing(table, given), **given})[0]
    measured = _measurement(file, table, structure)
    stated = {row.name for text in given if (row := row_of(table, text)) is not None}
    rest = {k: v for k, v in measured.items() if k not in stated}
    matrices, named = population(model, table, {**_nothing(table, given), **rest, **given})
    return _Population(model, file, table, matrices, named)


def _table(model: Model, file: TruthFile) -> ParameterTable:
    families = families_of(model, None)
    metric: Any = file.metric
    return parameter_table(model, identify=metric, fixed_x=False, families=families)


def _file_name(model: Model) -> str:
    """The file that a model's text stands in."""
    book, variant = model.codebook, model.variant
    other = book.variants[variant].model if book is not None and variant is not None else None
    return str(other or model.name)


def _declared(model: Model, file: TruthFile, table: ParameterTable) -> dict[str, float]:
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


def asked_from(texts: Sequence[str]) -> dict[str, str]:
    """States of propositions, from texts such as ``"P2=reversed"``.

    Raises
    ------
    StudyError
        At a text that is no such pair, or a proposition that stands twice.

    Examples
    --------
    >>> asked_from(["P2=reversed", "P1 = false"])
    {'P2': 'reversed', 'P1': 'false'}
    """
    found: dict[str, str] = {}
    for text in texts:
        name, mark, state = (part.strip() for part in text.partition("="))
        if not (name and mark and state) or name in found:
            hint = f'Write NAME=STATE, each name once, as in "P2=reversed": {", ".join(STATES)}.'
            raise StudyError(f"`{text}` sets no proposition.", hint=hint)
        found[name] = state
    return found


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


# -- cases ---------------------------------------------------------------------------------


def _cases(found: _Population, n: int, rng: np.random.Generator) -> pd.DataFrame:
    table, M = found.table, found.matrices
    zeta = rng.standard_normal((n, len(table.factors))) @ square_root(M.Psi)
    noise = rng.standard_normal((n, len(table.indicators))) @ square_root(M.Theta)
    ends = {name: rng.standard_normal(n) for name in found.file.limits}
    for name, values in _controls(found.file, n, rng).items():
        if name in table.factors:
            k = table.factors.index(name)
            zeta[:, k] = values - M.alpha[k]
    eta, outcomes = draw_factors(table, M, zeta, rng)
    y = M.nu + eta @ M.Lambda.T + noise
    limits = {k: v.median * np.exp(v.sd * ends[k]) for k, v in found.file.limits.items()}
    columns = dict(zip(table.indicators, y.T, strict=True))
    columns |= observed_columns(table, outcomes, limits)
    flags = [o.family.censored for o in table.outcomes if o.family.censored in columns]
    return pd.DataFrame(columns)[[*found.model.observed, *flags]]


def _controls(file: TruthFile, n: int, rng: np.random.Generator) -> dict[str, Floats]:
    """Observed predictors, each from its own distribution."""
    found: dict[str, Floats] = {}
    for name, control in file.controls.items():
        if control.family == "normal":
            found[name] = control.mean + control.sd * rng.standard_normal(n)
        else:
            found[name] = (rng.uniform(size=n) < control.mean).astype(float)
    return found


def _rounded(model: Model, data: pd.DataFrame) -> pd.DataFrame:
    book = model.codebook
    if book is None or book.scale is None:
        return data
    low, high = book.scale
    columns = [name for name in data.columns if name in book.scaled]
    return data.assign(**{c: (low + (data[c] - low).round()).clip(low, high) for c in columns})


def _emptied(found: _Population, data: pd.DataFrame) -> pd.DataFrame:
    """Items of the factors that are asked of some cases only."""
    file, table = found.file, found.table
    rows = [r for r in table.rows if r.matrix == "Lambda" and r.lhs in file.empty]
    items = {r.rhs for r in rows} & set(data.columns)
    unasked = np.zeros(len(data), bool)
    for name, value in file.where.items():
        if name in data.columns:
            unasked |= (data[name] == value).to_numpy()
    changed: dict[str, Any] = {name: data[name].mask(unasked) for name in items}
    return data.assign(**changed)
