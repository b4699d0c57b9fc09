"""A study on answers: each model that a proposition names is fitted, each claim put to its own."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from bayesem.errors import BayesemError, NotAvailableError, StudyError
from bayesem.generator import generate
from bayesem.grammar.claims import names, propositions, variables
from bayesem.model import Model, read_model
from bayesem.posterior import Fit
from bayesem.propositions import Proposition, PropositionSet
from bayesem.study_fits import Sampling, fit_twice, is_stop, keep, stopped
from bayesem.study_truth import applicable, states
from bayesem.templates import columns_of
from bayesem.verdicts import Verdicts, assess

__all__ = ["COUNTS", "Drawn", "Runs", "Task", "combined", "drawn", "on_models", "split", "tasks"]

MULTIPLICITY = "Supported claims"
#: The model of propositions on theme counts.
COUNTS = "counts"


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """One model with the propositions that are put to it, and the answers that it is fitted to."""

    name: str
    model: Model
    propositions: PropositionSet
    data: pd.DataFrame = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """What came of the tasks.

    Attributes
    ----------
    fits : mapping of str to tuple of Fit
        By model.
    verdicts : Verdicts
        With a column ``model``.
    notes : tuple of str
        What happened on the way, and what was not assessed.
    incomplete : str
        What is missing, if the run was stopped; else empty.
    by_model : mapping of str to Verdicts
    """

    fits: Mapping[str, tuple[Fit, ...]]
    verdicts: Verdicts
    notes: tuple[str, ...]
    incomplete: str
    by_model: Mapping[str, Verdicts] = field(default_factory=dict)


# --- what is put to which model -------------------------------------------------------------------


def split(every: PropositionSet, model: Model) -> tuple[PropositionSet, tuple[Proposition, ...]]:
    """The propositions that can be put to a model alone, and the others.

    Those about the study's own model can be put to a variant that has all they speak of.
    """
    mine = [
        p for p in every if p.model in model.called or (p.model is None and _fits(p, model, every))
    ]
    others = tuple(p for p in every if p not in mine)
    return replace(every, items=tuple(mine)), others


def _fits(proposition: Proposition, model: Model, every: PropositionSet) -> bool:
    """Whether a model has every label and variable that a proposition speaks of."""
    earlier = [name for name, _ in propositions(proposition.tree)]
    labels = {name for name, _ in names(proposition.tree)} - {*earlier}
    known = {*model.labels, *(d.name for d in model.definitions)}
    here = labels <= known and {v for v, _ in variables(proposition.tree)} <= {*model.variables}
    return here and all(
        every[name].model is None and _fits(every[name], model, every) for name in earlier
    )


def tasks(study: str, model: Model, every: PropositionSet, data: pd.DataFrame) -> tuple[Task, ...]:
    """The study's own model and each that a proposition names, in the order of the file."""
    about = dict.fromkeys([study, *(p.model for p in every if p.model is not None)])
    found = []
    for name in about:
        if name == COUNTS:  # no model of answers
            continue
        mine = tuple(p for p in every if (p.model or study) == name)
        if mine:
            one = model if name == study else read_model(name)
            found.append(Task(name, one, replace(every, items=mine), data))
    return tuple(found)


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Tasks on generated answers.

    Attributes
    ----------
    tasks : tuple of Task
    truth : mapping of str to str
        What the truth makes of a proposition, as far as the study's file can tell.
    apart : tuple of str
        Models with a sample of their own, because the first lacks columns or values.
    """

    tasks: tuple[Task, ...]
    truth: Mapping[str, str]
    apart: tuple[str, ...]


def drawn(planned: Sequence[Task], n: int, asked: Mapping[str, str], seed: int) -> Drawn:
    """Tasks on generated answers: one sample from the first model, as far as it serves the others.

    Parameters
    ----------
    planned : sequence of Task
    n : int
        Cases.
    asked : mapping of str to str
        States of propositions.
    seed : int
    """
    sources = {task.name: read_model(task.name) for task in planned}
    known = {name: applicable(source, asked) for name, source in sources.items()}
    _check_applied(asked, known)
    done, truth, apart = list[Task](), dict[str, str](), list[str]()
    for task in planned:
        own = task.name
        if done and _served(task, known, planned[0], done[0].data):
            own = planned[0].name
        elif done:
            apart.append(own)
        shared = done and own == planned[0].name
        data = done[0].data if shared else generate(own, n, propositions=known[own], seed=seed)
        made = states(sources[own], data.attrs["truth"])
        truth |= {p.name: made[p.name] for p in task.propositions if p.name in made}
        done.append(replace(task, data=data))
    return Drawn(tuple(done), truth, tuple(apart))


def _served(
    task: Task, known: Mapping[str, Mapping[str, str]], first: Task, data: pd.DataFrame
) -> bool:
    """Whether the first sample has a model's columns and what was asked of its propositions."""
    needed = {p.name for p in task.propositions} & set(known[task.name])
    return needed <= set(known[first.name]) and {*columns_of(task.model)} <= {*data.columns}


def _check_applied(asked: Mapping[str, str], known: Mapping[str, Mapping[str, str]]) -> None:
    for name in asked:
        if not any(name in applied for applied in known.values()):
            raise StudyError(
                f"{name} speaks of none of the models that are run.",
                hint="Run all of them, or the variant that it is about.",
            )


# --- fits -----------------------------------------------------------------------------------------


def on_models(planned: Sequence[Task], sampling: Sampling) -> Runs:
    """Fit every model and judge its propositions.

    Raises
    ------
    BayesemError
        If the first model cannot be fitted, or no claim can be judged.
    KeyboardInterrupt
        If it was stopped before anything was fitted.
    """
    fits: dict[str, tuple[Fit, ...]] = {}
    found: dict[str, Verdicts] = {}
    said: list[tuple[str, str]] = []
    for done, task in enumerate(planned):
        what = f"{task.name}, {len(task.data)} answers" if len(planned) > 1 else (
            f"{len(task.data)} answers")  # fmt: skip
        try:
            sampling.tell(done, len(planned), what)
            one, more = fit_twice(task.model, task.data, sampling.seed, sampling)
        except KeyboardInterrupt:
            return _stopped(planned, done, fits, found, said)
        except BayesemError as trouble:
            if is_stop(trouble):
                return _stopped(planned, done, fits, found, said)
            if done == 0:
                raise
            said.append(("", _refused(task, trouble)))
            continue
        keep(one, f"{task.name}.nc", sampling)
        fits[task.name] = (one,)
        verdicts, missing = _judged(task, one, alone=len(planned) == 1)
        named = task.name if len(planned) > 1 else ""
        said += [(named, note) for note in (*_unsaid(one.notes), *more)]
        said += [("", note) for note in missing]
        found |= {task.name: verdicts} if verdicts is not None else {}
        if stopped(one):
            return Runs(fits, combined(found), _grouped(said), _short(planned, done), found)
    return Runs(fits, combined(found), _grouped(said), "", found)


def _stopped(
    planned: Sequence[Task],
    done: int,
    fits: Mapping[str, tuple[Fit, ...]],
    found: Mapping[str, Verdicts],
    said: Sequence[tuple[str, str]],
) -> Runs:
    if not found:
        raise KeyboardInterrupt
    left = ", ".join(task.name for task in planned[done:])
    return Runs(fits, combined(found), _grouped(said), f"stopped; not fitted: {left}")


def _short(planned: Sequence[Task], done: int) -> str:
    left = ", ".join(task.name for task in planned[done + 1 :])
    which = f" of {planned[done].name}" if len(planned) > 1 else ""
    said = f"sampling was stopped, so the chains{which} are short"
    return f"{said}; not fitted: {left}" if left else said


def _unsaid(notes: Sequence[str]) -> list[str]:
    """A fit's notes, less what the verdicts' own notes say."""
    return [note for note in notes if not note.startswith("SYNTHETIC")]


def _grouped(said: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Each note once, with the models that it is about."""
    found: dict[str, list[str]] = {}
    for name, note in said:
        found.setdefault(note, []).extend([name] if name else [])
    return tuple(f"{', '.join(names)}: {note}" if names else note for note, names in found.items())


def _refused(task: Task, trouble: BayesemError) -> str:
    what = ", ".join(p.name for p in task.propositions)
    return f"{task.name} could not be fitted, so not assessed: {what}. {trouble.message}"


# --- verdicts -------------------------------------------------------------------------------------


def _judged(task: Task, one: Fit, *, alone: bool) -> tuple[Verdicts | None, list[str]]:
    """Verdicts; a claim that needs what does not exist yet is named, and the others are judged."""
    try:
        return assess(task.propositions, one), []
    except NotAvailableError as trouble:
        kept, missing = _available(task.propositions, one)
        if not kept.items:
            if alone:
                raise
            return None, [f"Not assessed: {', '.join(missing)}. {trouble.message}"]
        why = [f"Not assessed: {name}. {reason}" for name, reason in missing.items()]
        return assess(kept, one), why


def _available(every: PropositionSet, one: Fit) -> tuple[PropositionSet, dict[str, str]]:
    """Propositions that can be judged, and why the others cannot."""
    kept: list[Proposition] = []
    missing: dict[str, str] = {}
    for p in every:
        lost = [name for name, _ in propositions(p.tree) if name in missing]
        if lost:
            missing[p.name] = f"it rests on {', '.join(lost)}."
            continue
        needed = [k for k in kept if k.name in _earlier(p, every)]
        try:
            assess(replace(every, items=(*needed, p)), one)
            kept.append(p)
        except NotAvailableError as trouble:
            missing[p.name] = trouble.message
    return replace(every, items=tuple(kept)), missing


def _earlier(p: Proposition, every: PropositionSet) -> set[str]:
    direct = {name for name, _ in propositions(p.tree)}
    return direct.union(*(_earlier(every[name], every) for name in direct))


def combined(found: Mapping[str, Verdicts]) -> Verdicts:
    """Verdicts of several models as one; what holds of all together is said of each by itself.

    Parameters
    ----------
    found : mapping of str to Verdicts
        By model.
    """
    tables = [v.table.assign(model=name) for name, v in found.items()]
    parts = [v.parts.assign(model=name) for name, v in found.items()]
    fits: dict[str, Any] = {name: v.fits for name, v in found.items()}
    notes = tuple(next(iter(found.values())).notes if len(found) == 1 else _notes(found))
    return Verdicts(pd.concat(tables, ignore_index=True), _rows(parts), notes, None, fits)


def _rows(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    full = [table for table in tables if len(table)]
    return pd.concat(full, ignore_index=True) if full else tables[0]


def _notes(found: Mapping[str, Verdicts]) -> Iterator[str]:
    """Each note once; multiplicity over all models, joint probabilities within each."""
    every = [note for v in found.values() for note in v.notes]
    yield from (n for n in dict.fromkeys(every) if not n.startswith((MULTIPLICITY, "Not assessed")))
    rows = pd.concat([v.table for v in found.values()])
    supported = rows[rows["verdict"] == "supported"]
    if supported.empty:
        yield f"{MULTIPLICITY}: none of {len(rows)}."
        return
    expected = float((1 - supported["probability"]).sum())
    yield (
        f"{MULTIPLICITY} over all models: {len(supported)} of {len(rows)}. Expected number of "
        f"false supports among them: {expected:.2g}. By model, whose claims alone share draws:"
    )
    for name, v in found.items():
        yield from (f"{name}. {n}" for n in v.notes if n.startswith(MULTIPLICITY))
