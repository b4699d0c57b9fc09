"""A study from its files to verdicts: on survey answers, or on what its paper prints.

Without answers, every reading of the printed tables is rebuilt as covariance matrices, each matrix
is fitted, and the propositions are judged under each reading and over all of them by weight.
"""

import re
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayesem.data import Moments
from bayesem.errors import (
    BayesemError,
    ConvergenceWarning,
    NotAvailableError,
    PriorError,
    SamplingError,
    StudyError,
    did_you_mean,
)
from bayesem.fitting import fit
from bayesem.model import Model, read_model
from bayesem.posterior import Fit
from bayesem.propositions import Proposition, PropositionSet, read_propositions
from bayesem.verdicts import Verdicts, assess

__all__ = ["LEAST_WEIGHT", "Progress", "StudyResult", "fit_quietly", "priors_from", "run_study"]

#: Readings lighter than this are fitted to one rebuilt matrix only.
LEAST_WEIGHT = 0.01
#: The name under which fits of a user's own answers are kept.
ANSWERS = "answers"


@dataclass(frozen=True, slots=True)
class Progress:
    """What is being done, out of how much.

    Attributes
    ----------
    done, total : int
        Fits; 0 of 0 while the paper's tables are being read.
    what : str
    seconds : float
        Since the start.
    """

    done: int
    total: int
    what: str
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class StudyResult:
    """What a study's run found, and everything it rests on.

    Attributes
    ----------
    study : str
    model : Model
    propositions : PropositionSet
        Those that are about this model, in order.
    elsewhere : tuple of Proposition
        Those about another model of the study, which were not assessed.
    verdicts : Verdicts
    readings, closure : DataFrame or None
        Of the paper's tables; None where answers were given.
    fits : mapping of str to tuple of Fit
        By reading, or under ``"answers"``.
    notes : tuple of str
        What happened on the way.
    incomplete : str
        What is missing, if the run was stopped; else empty.
    seconds : float
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

    @property
    def converged(self) -> bool:
        """Whether every fit converged."""
        return all(one.converged for each in self.fits.values() for one in each)

    def __str__(self) -> str:
        from bayesem.study_page import page

        return page(self)


type Report = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class _Sampling:
    """The arguments of every fit, where fits are kept, and whom to tell."""

    draws: int
    tune: int
    chains: int
    cores: int | None
    seed: int
    priors: Any
    save: Path | None
    tell: Report
    start: float = field(default_factory=time.perf_counter)

    def seconds(self) -> float:
        return time.perf_counter() - self.start


def run_study(
    name: str,
    *,
    data: pd.DataFrame | None = None,
    variant: str | None = None,
    only: Sequence[str] = (),
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
        Answers, a row per case. Without them the study runs on what its paper prints.
    variant : str, optional
        As after the colon in ``name``.
    only : sequence of str
        Readings to keep; their weights are then shared among them.
    seed, draws, tune, chains, cores, priors
        Of every fit; the same seed gives the same verdicts.
    matrices : int, default 4
        Rebuilt matrices of each reading whose weight is at least 0.01; of others 1.
    save : str or Path, optional
        A folder to which every fit is saved, as ``<reading>-<matrix>.nc``.
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
    propositions = read_propositions(study)
    mine, elsewhere = _split(propositions, model)
    folder = None if save is None else _folder(Path(save))
    tell = progress or (lambda _: None)
    sampling = _Sampling(draws, tune, chains, cores, seed, priors, folder, tell)
    if data is not None:
        return _on_answers(study, model, mine, elsewhere, data, sampling)
    _refuse_products(model)
    return _on_readings(study, model, mine, elsewhere, _whole(matrices), tuple(only), sampling)


def _model(name: str, variant: str | None) -> Model:
    """Read a study; a text or a path is none."""
    if not re.fullmatch(r"\w+(:\w+)?", name):
        hint = "Use `bayesem fit` for a model of your own; `bayesem studies` lists the studies."
        raise StudyError(f"`{name}` is not the name of a study.", hint=hint)
    if variant is not None and ":" in name:
        raise StudyError(f"`{name}` names a variant already.", hint="Leave one of the two out.")
    return read_model(name if variant is None else f"{name}:{variant}")


def _split(
    propositions: PropositionSet, model: Model
) -> tuple[PropositionSet, tuple[Proposition, ...]]:
    """The propositions about this model, and the others."""
    names = {None, model.name}
    if model.variant is not None and model.codebook is not None:
        names |= {f"{model.name}:{model.variant}", model.codebook.variants[model.variant].model}
    mine = tuple(p for p in propositions if p.model in names)
    others = tuple(p for p in propositions if p.model not in names)
    kept = PropositionSet(mine, propositions.model, propositions.rule, propositions.sha256)
    return kept, others


def _refuse_products(model: Model) -> None:
    if has_products(model):
        name = model.name if model.variant is None else f"{model.name}:{model.variant}"
        raise NotAvailableError(
            f"`{name}` has products of factors, and a covariance matrix says nothing of them.",
            hint="They need raw answers, and are not available yet even with them.",
        )


def has_products(model: Model) -> bool:
    """Whether a model has products of factors, which only raw answers can show.

    Examples
    --------
    >>> has_products(read_model("alliance_mediation:contingent"))
    True
    """
    return any(len(s.term.factors) > 1 for s in model.parsed.statements)


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


def _on_answers(
    study: str,
    model: Model,
    propositions: PropositionSet,
    elsewhere: tuple[Proposition, ...],
    data: pd.DataFrame,
    sampling: _Sampling,
) -> StudyResult:
    sampling.tell(Progress(0, 1, f"{len(data)} answers", sampling.seconds()))
    found, notes = _fit(model, data, sampling.seed, sampling)
    _keep(found, f"{study}.nc", sampling)
    incomplete = "sampling was stopped, so the chains are short" if _stopped(found) else ""
    return StudyResult(
        study, model, propositions, elsewhere, assess(propositions, found), None, None,
        {ANSWERS: (found,)}, (*_unsaid(found.notes), *notes), incomplete, sampling.seconds(),
    )  # fmt: skip


def _unsaid(notes: Sequence[str]) -> list[str]:
    """A fit's notes, less what the verdicts' own notes say."""
    return [note for note in notes if not note.startswith("SYNTHETIC")]


# --- readings -------------------------------------------------------------------------------------


def _on_readings(
    study: str,
    model: Model,
    propositions: PropositionSet,
    elsewhere: tuple[Proposition, ...],
    matrices: int,
    only: tuple[str, ...],
    sampling: _Sampling,
) -> StudyResult:
    from bayesem.publications.readings import closure, readings

    _check_printed(study)
    sampling.tell(Progress(0, 0, "weighing the readings of the printed tables", sampling.seconds()))
    table = _chosen(readings(study), only)
    cells = closure(study)
    cells = cells[cells["reading"].isin(table["reading"])].reset_index(drop=True)
    fits, notes, left = _fit_readings(study, model, table, matrices, sampling)
    incomplete = _missing(table, fits, left)
    sampling.tell(Progress(0, 0, "judging the propositions", sampling.seconds()))
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


def _chosen(table: pd.DataFrame, only: tuple[str, ...]) -> pd.DataFrame:
    known = list(table["reading"])
    for name in only:
        if name not in known:
            hint = did_you_mean(name, known) or f"There are {', '.join(known)}."
            raise StudyError(f"There is no reading `{name}`.", hint=hint, label=name)
    return table[table["reading"].isin(only)].reset_index(drop=True) if only else table


def _fit_readings(
    study: str, model: Model, table: pd.DataFrame, matrices: int, sampling: _Sampling
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
            sampling.tell(Progress(done, len(plan), what, sampling.seconds()))
            moments = _rebuilt(study, name, count, place, sampling.seed)
            found, more = _fit(model, moments, _seed(sampling.seed, *place, 1), sampling)
        except (KeyboardInterrupt, SamplingError) as stop:
            if not _is_stop(stop):
                raise
            if not fits:
                raise KeyboardInterrupt from None
            return fits, tuple(notes), len(plan) - done
        if _stopped(found):
            if not fits:
                raise KeyboardInterrupt
            return fits, tuple(notes), len(plan) - done
        _keep(found, f"{re.sub(r'[^-.\w]', '_', name)}-{k + 1}.nc", sampling)
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


# --- one fit --------------------------------------------------------------------------------------


def fit_quietly(
    model: Model,
    data: pd.DataFrame | Moments,
    *,
    draws: int,
    tune: int,
    chains: int,
    cores: int | None,
    seed: int,
    priors: Any,
) -> Fit:
    """Fit without a warning: whoever calls this says himself whether the chains converged."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return fit(
            model, data, draws=draws, tune=tune, chains=chains, cores=cores, seed=seed,
            priors=priors, progress=False,
        )  # fmt: skip


def priors_from(texts: Sequence[str]) -> Any:
    """Priors as `fit` takes them, from ``"blavaan"`` or from ``"paths=normal(0, 1)"`` and more.

    Raises
    ------
    PriorError
        At a text that is neither.

    Examples
    --------
    >>> priors_from(["EBP ~ ENA=normal(0, 1)", "loadings=normal(1, 1)"])
    {'EBP ~ ENA': 'normal(0, 1)', 'loadings': 'normal(1, 1)'}
    """
    if len(texts) == 1 and re.fullmatch(r"\w+", texts[0]):
        return texts[0]
    found = {}
    for text in texts:
        pair = re.fullmatch(r"(.+?)\s*=\s*([A-Za-z]\w*\s*\(.*)", text)
        if pair is None:
            hint = 'Write KIND=PRIOR, as in "paths=normal(0, 1)", or one preset: "blavaan".'
            raise PriorError(f"`{text}` is no prior.", hint=hint)
        found[pair[1].strip()] = pair[2]
    return found or None


def _fit(
    model: Model, data: pd.DataFrame | Moments, seed: int, sampling: _Sampling
) -> tuple[Fit, tuple[str, ...]]:
    """Fit; where the chains fail, once more with twice the draws."""
    notes: tuple[str, ...] = ()
    found = _sample(model, data, seed, sampling, 1)
    if not found.converged and not _stopped(found):
        reason = "; ".join(found.convergence.reasons)
        found = _sample(model, data, seed + 1, sampling, 2)
        notes = (f"fitted again with twice the draws, because: {reason}",)
    return found, notes


def _sample(
    model: Model, data: pd.DataFrame | Moments, seed: int, sampling: _Sampling, times: int
) -> Fit:
    return fit_quietly(
        model, data, draws=sampling.draws * times, tune=sampling.tune * times,
        chains=sampling.chains, cores=sampling.cores, seed=seed, priors=sampling.priors,
    )  # fmt: skip


def _stopped(found: Fit) -> bool:
    return any("interrupted" in reason for reason in found.convergence.reasons)


def _is_stop(error: BaseException) -> bool:
    return isinstance(error, KeyboardInterrupt) or (
        isinstance(error, BayesemError) and "interrupted" in error.message
    )


def _keep(found: Fit, name: str, sampling: _Sampling) -> None:
    if sampling.save is not None:
        from bayesem.storage import save

        save(found, sampling.save / name)
