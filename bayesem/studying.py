"""A study from its files to verdicts: on answers, on what its paper prints, or on theme counts.

On answers, each model that a proposition names is fitted; a study without data declares a truth
that synthetic answers are drawn from. On a paper's tables, every reading of them is rebuilt as
covariance matrices, each matrix is fitted, and the propositions are judged under each reading and
over all of them by weight. On theme counts the claims on shares are judged, and those on a survey's
model wait for answers.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayesem.data import Moments
from bayesem.errors import NotAvailableError, SamplingError, StudyError, did_you_mean
from bayesem.model import Model, read_model
from bayesem.posterior import Fit
from bayesem.preparation import prepare
from bayesem.propositions import Proposition, PropositionSet, read_propositions
from bayesem.study_counts import CountPart, awaited, count_part
from bayesem.study_fits import (
    Progress,
    Report,
    Sampling,
    fit_quietly,
    fit_twice,
    is_stop,
    keep,
    priors_from,
    stopped,
)
from bayesem.study_models import COUNTS, Drawn, Task, combined, drawn, on_models, split, tasks
from bayesem.study_truth import declares_truth, truth_of
from bayesem.verdicts import Verdicts, assess

__all__ = [
    "LEAST_WEIGHT",
    "Progress",
    "StudyResult",
    "Synthetic",
    "fit_quietly",
    "priors_from",
    "run_study",
    "stopped",
]

#: Readings lighter than this are fitted to one rebuilt matrix only.
LEAST_WEIGHT = 0.01
SYNTHETIC_CASES = 400


@dataclass(frozen=True, slots=True)
class Synthetic:
    """What synthetic answers were drawn from.

    Attributes
    ----------
    file, sha256 : str
        The declared truth.
    asked : mapping of str to str
        States of propositions that the run was told to make.
    truth : mapping of str to str
        What the truth makes of each proposition, as far as the file can tell.
    apart : tuple of str
        Models with a sample of their own.
    """

    file: str
    sha256: str
    asked: Mapping[str, str]
    truth: Mapping[str, str]
    apart: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class StudyResult:
    """What a study's run found, and everything it rests on.

    Attributes
    ----------
    study : str
    model : Model
    propositions : PropositionSet
        Those that were put to the models, in order.
    elsewhere : tuple of Proposition
        Those about another model of the study, which were not assessed.
    verdicts : Verdicts
    readings, closure : DataFrame or None
        Of the paper's tables; None where the study ran on answers.
    fits : mapping of str to tuple of Fit
        By reading, or by model.
    notes : tuple of str
        What happened on the way.
    incomplete : str
        What is missing, if the run was stopped; else empty.
    seconds : float
    synthetic : Synthetic or None
        Where the study's own generator drew the answers.
    counts : CountPart or None
        Of a study with theme counts: their fit, and what its verdicts lean on.
    """

    study: str
    model: Model
    propositions: PropositionSet
    elsewhere: tuple[Proposition, ...]
    verdicts: Verdicts
    readings: pd.DataFrame | None
    closure: pd.DataFrame | None
    fits: Mapping[str, tuple[Fit, ...]]
    notes: tuple[str, ...] = ()
    incomplete: str = ""
    seconds: float = 0.0
    synthetic: Synthetic | None = None
    counts: CountPart | None = None

    @property
    def converged(self) -> bool:
        """Whether every fit converged."""
        counted = self.counts is None or self.counts.fit.converged
        return counted and all(one.converged for each in self.fits.values() for one in each)

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        from bayesem.study_page import page

        return page(self)


@dataclass(frozen=True, slots=True, eq=False)
class _Source:
    """The answers, or how many to draw from which truth."""

    data: pd.DataFrame | None
    n: int
    asked: Mapping[str, str]
    counted: bool = False
    segments: pd.DataFrame | None = None
    models: tuple[str, ...] = ()

    @property
    def observed(self) -> bool:
        """Whether there are answers that nobody generated."""
        return self.data is not None and not self.data.attrs.get("synthetic", False)


def run_study(
    name: str,
    *,
    data: pd.DataFrame | None = None,
    segments: pd.DataFrame | None = None,
    variant: str | None = None,
    models: Sequence[str] = (),
    only: Sequence[str] = (),
    n: int | None = None,
    truth: Mapping[str, str] | None = None,
    identify: str | None = None,
    seed: int = 1,
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    cores: int | None = None,
    matrices: int = 4,
    priors: Any = None,
    save: str | Path | None = None,
    progress: Report | None = None,
) -> StudyResult:
    """Run a study: fit, and judge its propositions.

    Parameters
    ----------
    name : str
        A study, or a variant of one (``"alliance_mediation:no_alliance"``).
    data : DataFrame, optional
        Answers, a row per case. Without them the study runs on what its paper prints, or on
        synthetic answers where it declares a truth to draw them from. A study with theme counts
        runs on these, and on synthetic answers only where ``n`` or ``truth`` asks for them.
    segments : DataFrame, optional
        Of a study with theme counts: a code-by-segment table, in the place of the printed one.
    variant : str, optional
        As after the colon in ``name``: that model alone. Otherwise, on answers, every model that a
        proposition names is fitted.
    models : sequence of str
        Of the models that would be fitted to answers, these alone; claims about the others are
        named and not assessed.
    only : sequence of str
        Readings to keep; their weights are then shared among them.
    n : int, optional
        Synthetic cases (400).
    truth : mapping of str to str, optional
        As ``propositions`` of :func:`bayesem.generate`.
    identify : {"marker", "unit"}, optional
        By default the metric of the study's declared truth, else ``"marker"``.
    seed, draws, tune, chains, cores, priors
        Of every fit; the same seed gives the same verdicts.
    matrices : int, default 4
        Rebuilt matrices of each reading whose weight is at least 0.01; of others 1.
    save : str or Path, optional
        A folder to which every fit is saved, as ``<reading>-<matrix>.nc`` or ``<model>.nc``.
    progress : callable, optional
        Called with a `Progress` before each step.

    Returns
    -------
    StudyResult
        Ctrl-C keeps the fits that are done, and ``incomplete`` says what is missing.

    Raises
    ------
    BayesemError
        Naming what is wrong with the study, the data or the arguments.
    KeyboardInterrupt
        If it was stopped before anything was fitted.
    """
    model = _model(name, variant)
    study = str(model.name)
    declared = declares_truth(model)
    if truth and (data is not None or not declared):
        raise StudyError(
            "states of propositions were given, and nothing is drawn.",
            hint="They are for studies that declare a truth, run without answers.",
        )
    folder = None if save is None else _folder(Path(save))
    tell = progress or (lambda _: None)
    metric = identify or (truth_of(model).metric if declared else "marker")
    sampling = Sampling(draws, tune, chains, cores, seed, priors, folder, tell, metric)
    counted = has_counts(model)
    if segments is not None and (not counted or truth or n is not None):
        raise StudyError(
            f"`{name}` takes no segments here.",
            hint="They are for a study with theme counts, without --variant, --n and --set.",
        )
    drawn_ = declared and (not counted or bool(truth) or n is not None)
    if models and (model.variant is not None or not (drawn_ or data is not None)):
        raise StudyError(
            f"`{name}` has no choice of models here.",
            hint="They are for a study on answers, where each model of its propositions is fitted.",
        )
    if data is not None or drawn_:
        source = _Source(
            data, n or SYNTHETIC_CASES, dict(truth or {}), counted, segments, tuple(models)
        )
        return _on_answers(study, model, source, sampling)
    if counted:
        return _on_counts(study, model, segments, sampling)
    _refuse_products(model)
    return _on_readings(study, model, _whole(matrices), tuple(only), sampling)


def _model(name: str, variant: str | None) -> Model:
    """Read a study; a text or a path is none."""
    if not re.fullmatch(r"\w+(:\w+)?", name):
        hint = "Use `bayesem fit` for a model of your own; `bayesem studies` lists the studies."
        raise StudyError(f"`{name}` is not the name of a study.", hint=hint)
    if variant is not None and ":" in name:
        raise StudyError(f"`{name}` names a variant already.", hint="Leave one of the two out.")
    return read_model(name if variant is None else f"{name}:{variant}")


def _refuse_products(model: Model) -> None:
    if has_products(model):
        name = model.name if model.variant is None else f"{model.name}:{model.variant}"
        raise NotAvailableError(
            f"`{name}` has products of factors, and a covariance matrix says nothing of them.",
            hint="They need raw answers: --data FILE.csv.",
        )


def has_products(model: Model) -> bool:
    """Whether a model has products of factors, which only raw answers can show.

    Examples
    --------
    >>> has_products(read_model("alliance_mediation:contingent"))
    True
    """
    return any(len(s.term.factors) > 1 for s in model.parsed.statements)


def has_counts(model: Model) -> bool:
    """Whether a study's own model comes with theme counts."""
    return model.variant is None and model.codebook is not None and bool(model.codebook.counts)


def _whole(matrices: int) -> int:
    if isinstance(matrices, bool) or not isinstance(matrices, int) or matrices < 1:
        raise StudyError(f"matrices is {matrices!r}; it is a whole number of at least 1.")
    return matrices


def _folder(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as trouble:
        raise StudyError(f"`{path}` cannot be written to: {trouble}.") from None
    return path


# --- answers --------------------------------------------------------------------------------------


def _on_answers(study: str, model: Model, source: _Source, sampling: Sampling) -> StudyResult:
    propositions, elsewhere, planned = _planned(study, model, source)
    synthetic = None
    if source.data is None:
        sampling.tell(0, 0, f"drawing {source.n} synthetic cases")
        made = drawn(planned, source.n, source.asked, sampling.seed)
        planned, synthetic = made.tasks, _synthetic(model, source, made)
    found = on_models(planned, sampling)
    verdicts, counts = found.verdicts, None
    if source.counted and source.observed and not found.incomplete:
        counts = count_part(study, propositions, source.segments, sampling)
        verdicts = combined({**found.by_model, COUNTS: counts.verdicts})
    return StudyResult(
        study, model, propositions, elsewhere, verdicts, None, None, found.fits, found.notes,
        found.incomplete, sampling.seconds(), synthetic, counts,
    )  # fmt: skip


def _on_counts(
    study: str, model: Model, segments: pd.DataFrame | None, sampling: Sampling
) -> StudyResult:
    """The claims on shares judged; those on a survey's model wait."""
    propositions = read_propositions(study)
    counts = count_part(study, propositions, segments, sampling)
    verdicts = awaited(combined({COUNTS: counts.verdicts}), propositions)
    return StudyResult(
        study, model, propositions, (), verdicts, None, None, {}, (), "", sampling.seconds(),
        counts=counts,
    )  # fmt: skip


def _planned(
    study: str, model: Model, source: _Source
) -> tuple[PropositionSet, tuple[Proposition, ...], tuple[Task, ...]]:
    """What is put to which model: all of the study, or one variant with what it can be asked."""
    every = read_propositions(study)
    data = pd.DataFrame() if source.data is None else source.data
    if model.variant is None:
        waiting = () if source.observed else tuple(p for p in every if p.model == COUNTS)
        every, apart, planned = _kept(every, tasks(study, model, every, data), source.models)
        return every, (*waiting, *apart), planned
    mine, elsewhere = split(every, model)
    return mine, elsewhere, (Task(f"{study}:{model.variant}", model, mine, data),)


def _kept(
    every: PropositionSet, planned: tuple[Task, ...], asked: tuple[str, ...]
) -> tuple[PropositionSet, tuple[Proposition, ...], tuple[Task, ...]]:
    """Of the models those asked for; propositions without those about others, and these."""
    known = [task.name for task in planned]
    for name in asked:
        if name not in known:
            hint = did_you_mean(name, known) or f"There are {', '.join(known)}."
            raise StudyError(f"`{name}` is no model of the study.", hint=hint, label=name)
    if not asked:
        return every, (), planned
    kept = tuple(task for task in planned if task.name in asked)
    dropped = {p.name for task in planned if task not in kept for p in task.propositions}
    apart = tuple(p for p in every if p.name in dropped)
    return replace(every, items=tuple(p for p in every if p.name not in dropped)), apart, kept


def _synthetic(model: Model, source: _Source, made: Drawn) -> Synthetic:
    file = truth_of(model)
    return Synthetic(file.path.name, file.sha256, source.asked, made.truth, made.apart)


# --- readings -------------------------------------------------------------------------------------


def _on_readings(
    study: str, model: Model, matrices: int, only: tuple[str, ...], sampling: Sampling
) -> StudyResult:
    from bayesem.publications.readings import closure, readings

    _check_printed(study)
    _check_priors(model, sampling.priors)
    propositions, elsewhere = split(read_propositions(study), model)
    sampling.tell(0, 0, "weighing the readings of the printed tables (about half a minute)")
    table = _chosen(readings(study), only)
    cells = closure(study)
    cells = cells[cells["reading"].isin(table["reading"])].reset_index(drop=True)
    fits, notes, left = _fit_readings(study, model, table, matrices, sampling)
    incomplete = _missing(table, fits, left)
    sampling.tell(0, 0, "judging the propositions")
    verdicts = assess(propositions, {reading: list(each) for reading, each in fits.items()})
    return StudyResult(
        study, model, propositions, elsewhere, verdicts, table, cells, fits, notes, incomplete,
        sampling.seconds(),
    )  # fmt: skip


def _check_printed(study: str) -> None:
    book = read_model(study).codebook
    if book is None or not book.printed:
        raise StudyError(
            f"`{study}` has no printed numbers to rebuild.", hint="Give answers: --data FILE.csv."
        )


def _check_priors(model: Model, priors: Any) -> None:
    """Refuse what is no prior of this model before any work, on a matrix of the right shape."""
    if priors is not None:
        names = list(model.observed)
        cov = pd.DataFrame(0.5 + 0.5 * np.eye(len(names)), index=names, columns=names)
        prepare(model, Moments(cov, 10 * len(names)), priors=priors)


def _chosen(table: pd.DataFrame, only: tuple[str, ...]) -> pd.DataFrame:
    known = list(table["reading"])
    for name in only:
        if name not in known:
            hint = did_you_mean(name, known) or f"There are {', '.join(known)}."
            raise StudyError(f"There is no reading `{name}`.", hint=hint, label=name)
    return table[table["reading"].isin(only)].reset_index(drop=True) if only else table


def _fit_readings(
    study: str, model: Model, table: pd.DataFrame, matrices: int, sampling: Sampling
) -> tuple[dict[str, tuple[Fit, ...]], tuple[str, ...], int]:
    """Fit the readings, likeliest first, until all are done or someone stops it."""
    from bayesem.publications.readings import publication

    order = [reading.name for reading in publication(study).readings]
    plan = [
        (str(name), k, matrices if weight >= LEAST_WEIGHT else 1)
        for name, weight in zip(table["reading"], table["weight"], strict=True)
        for k in range(matrices if weight >= LEAST_WEIGHT else 1)
    ]
    fits: dict[str, tuple[Fit, ...]] = {}
    notes: list[str] = []
    for done, (name, k, count) in enumerate(plan):
        what = f"reading {name}, matrix {k + 1} of {count}"
        place = (order.index(name), k)
        try:
            sampling.tell(done, len(plan), what)
            moments = _rebuilt(study, name, count, place, sampling.seed)
            found, more = fit_twice(model, moments, _seed(sampling.seed, *place, 1), sampling)
        except (KeyboardInterrupt, SamplingError) as stop:
            if not is_stop(stop):
                raise
            if not fits:
                raise KeyboardInterrupt from None
            return fits, tuple(notes), len(plan) - done
        if stopped(found):
            if not fits:
                raise KeyboardInterrupt
            return fits, tuple(notes), len(plan) - done
        keep(found, f"{name}-{k + 1}.nc", sampling)
        notes += [f"{what}: {note}" for note in more]
        fits[name] = (*fits.get(name, ()), found)
    return fits, tuple(notes), 0


def _rebuilt(study: str, name: str, count: int, place: tuple[int, int], seed: int) -> Moments:
    """One of a reading's matrices; all of them come from one call, so that they spread."""
    from bayesem.publications.rebuild import rebuild

    reading, k = place
    return rebuild(study, name, draws=count, seed=_seed(seed, reading, 0, 0))[k]


def _seed(*parts: int) -> int:
    return int(np.random.SeedSequence(parts).generate_state(1)[0] >> 1)


def _missing(table: pd.DataFrame, fits: Mapping[str, tuple[Fit, ...]], left: int) -> str:
    if not left:
        return ""
    share = float(table.loc[table["reading"].isin(fits), "weight"].sum() / table["weight"].sum())
    return (
        f"stopped with {left} fits left to do; the {len(fits)} of {len(table)} readings fitted so "
        f"far carry {share:.3f} of the weight, and the pooled row is over them alone"
    )
