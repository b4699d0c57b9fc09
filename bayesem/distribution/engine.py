"""Independent replicates, each with random numbers of its own, on one process or on many.

A replicate's random numbers come from its number and the campaign's seed alone, so the results are
the same whatever the number of workers, in whatever order they finish, and whether or not the run
was stopped and gone on with.
"""

import queue
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bayesem.arrays import Floats, Ints
from bayesem.distribution.cluster import connected, one_thread
from bayesem.distribution.store import (
    DONE,
    FAILED,
    OPEN,
    Memory,
    Shapes,
    ZarrStore,
    stored_seed,
)
from bayesem.errors import BayesemError, DataError, SamplingError
from bayesem.seeds import check_seed

__all__ = ["Function", "Progress", "Replicates", "random_numbers", "run_campaign"]

#: ``function(task, number, seed)`` to named numbers.
type Function = Callable[[Any, int, np.random.SeedSequence], Mapping[str, ArrayLike]]
type Report = Callable[[Progress], None]

#: Seconds without a result after which it is asked whether any worker is left.
QUIET: Final = 5.0
#: Times without a worker, in turn, after which the run is given up.
ABANDONED: Final = 12


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a campaign is.

    Attributes
    ----------
    done, total, failed : int
        Replicates; ``done`` counts the failed ones.
    what : str
    seconds : float
        Since the start of this run.
    """

    done: int
    total: int
    what: str
    seconds: float
    failed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Replicates:
    """What a campaign has found.

    Attributes
    ----------
    values : dict of str to (replicate, ...) array
        Missing where a replicate is not done.
    done : (replicate,) bool array
    failures : DataFrame
        ``replicate seed error`` of those that ended in an error; ``seed`` is text that makes the
        same random numbers: ``numpy.random.SeedSequence(1, spawn_key=(17,))``.
    seed : int
    seconds : float
        Of this run.
    interrupted : bool
        Whether it was stopped before its end; what was done until then is here.
    """

    values: dict[str, Floats]
    done: NDArray[np.bool_]
    failures: pd.DataFrame
    seed: int
    seconds: float
    interrupted: bool

    @property
    def total(self) -> int:
        """Replicates that were asked for."""
        return len(self.done)

    def __str__(self) -> str:
        parts = [f"{int(self.done.sum())} of {self.total} replicates done"]
        if len(self.failures):
            parts.append(f"{len(self.failures)} failed ({len(self.failures) / self.total:.1%})")
        if self.interrupted:
            parts.append("stopped before the end")
        return ", ".join(parts)


def random_numbers(seed: int, number: int) -> np.random.SeedSequence:
    """What a replicate's random numbers start from: the campaign's seed and its own number."""
    return np.random.SeedSequence(seed, spawn_key=(number,))


def run_campaign(
    function: Function,
    task: Any,
    replicates: int,
    *,
    shapes: Shapes,
    about: Mapping[str, Any],
    seed: int | None = None,
    store: str | Path | None = None,
    scheduler: str | None = None,
    workers: int | None = None,
    warm: Callable[[], None] | None = None,
    progress: bool | Report = True,
    what: str = "replicates",
) -> Replicates:
    """Run replicates 0, 1, ..., each with its own random numbers.

    Parameters
    ----------
    function : callable
        ``function(task, number, seed)`` to a mapping of names to numbers or arrays, of exactly the
        ``shapes``; whole numbers and flags are kept as float64. ``seed`` is a
        ``numpy.random.SeedSequence``. It must be importable by the workers.
    task : object
        What all replicates share; sent to the workers once.
    replicates : int
    shapes : mapping of str to tuple of int
        Of one replicate's results; ``()`` is a number.
    about : mapping
        What the campaign is, of JSON's types: everything that the results depend on (the model's
        text, settings, a hash of the data). A store of another campaign is refused by it.
    seed : int, optional
        With a store that is there already, its seed by default.
    store : str or Path, optional
        A Zarr store that keeps replicates as they come. One that is there is gone on with, and what
        is done is not done again.
    scheduler : str, optional
        Address of a Dask scheduler, ``"tcp://..."``; workers there need this package and should
        have one thread each. A local cluster by default.
    workers : int, optional
        Local processes, of one thread each; one per core by default. 0 works in this process.
    warm : callable, optional
        Evaluates what the replicates need compiled, before the workers start.
    progress : bool or callable
        Show a bar, or call it with a :class:`Progress`.
    what : str
        What the bar calls the replicates.

    Returns
    -------
    Replicates
        A replicate that ends in an error is among the ``failures`` and does not stop the others.

    Raises
    ------
    DataError
        For a number of replicates or workers that is none, or a store of something else.
    NotAvailableError
        If Dask or Zarr is asked for and is not installed.
    SamplingError
        If no scheduler or no worker is there.
    """
    _check_count("replicates", replicates, 1)
    if workers is not None:
        _check_count("workers", workers, 0)
    check_seed(seed)
    if seed is None:
        seed = stored_seed(store)
    seed = secrets.randbits(31) if seed is None else int(seed)
    width = sum(prod(shape) for shape in shapes.values())
    keeper = _keeper(store, replicates, width, shapes, about, seed)
    start, interrupted = time.perf_counter(), False
    open_ = [int(k) for k in np.flatnonzero(keeper.state == OPEN)]
    lost: dict[int, str] = {}
    with _telling(progress, keeper, replicates, what, start) as tell:
        try:
            for number, found in _results(function, task, open_, seed, scheduler, workers, warm):
                _keep(keeper, number, found, shapes, lost)
                tell()
        except KeyboardInterrupt:
            interrupted = True
    return Replicates(
        _unpacked(keeper.rows, shapes), keeper.state == DONE,
        _failures(seed, {**keeper.errors, **lost}), seed, time.perf_counter() - start, interrupted,
    )  # fmt: skip


# -- doing ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Error:
    """Why a replicate has no result; one that is not its own fault is tried again another time."""

    text: str
    own: bool = True


type _Found = Mapping[str, ArrayLike] | _Error


def _results(
    function: Function,
    task: Any,
    numbers: list[int],
    seed: int,
    scheduler: str | None,
    workers: int | None,
    warm: Callable[[], None] | None,
) -> Iterator[tuple[int, _Found]]:
    if not numbers:
        return
    if workers == 0 and scheduler is None:
        with one_thread():
            for number in numbers:
                yield number, _attempt(function, task, number, seed)
        return
    with connected(scheduler, workers and min(workers, len(numbers)), warm) as client:
        yield from _spread(client, function, task, numbers, seed)


def _attempt(function: Function, task: Any, number: int, seed: int) -> _Found:
    """One replicate; what is wrong with it comes back as text, the same from every process."""
    try:
        return function(task, number, random_numbers(seed, number))
    except BayesemError as error:
        return _Error(error.message)
    except Exception as error:
        return _Error(f"{type(error).__name__}: {error}")


def _same(task: Any) -> Any:
    """The task, as something that a lost worker's successor can be sent again."""
    return task


def _spread(
    client: Any, function: Function, task: Any, numbers: list[int], seed: int
) -> Iterator[tuple[int, _Found]]:
    """Results in the order in which they come."""
    ready: queue.SimpleQueue[int] = queue.SimpleQueue()
    shared = client.submit(_same, task, pure=False)
    futures = {}
    try:
        for number in numbers:
            key = f"replicate-{number}-{secrets.token_hex(8)}"
            futures[number] = client.submit(_attempt, function, shared, number, seed, key=key)
            futures[number].add_done_callback(lambda _, number=number: ready.put(number))
        for _ in numbers:
            number = _next(ready, client)
            yield number, _gathered(futures.pop(number))
    finally:
        client.cancel(list(futures.values()), force=True)


def _next(ready: "queue.SimpleQueue[int]", client: Any) -> int:
    """The next one that is done, unless nobody is left to do it."""
    alone = 0
    while True:
        try:
            return ready.get(timeout=QUIET)
        except queue.Empty:
            alone = 0 if client.scheduler_info(n_workers=-1)["workers"] else alone + 1
            if alone >= ABANDONED:
                raise SamplingError(
                    "all workers are gone, and none came back.",
                    hint="Give a `store`, so that another run can go on from here.",
                ) from None


def _gathered(future: Any) -> _Found:
    from distributed import KilledWorker

    try:
        return future.result()  # type: ignore[no-any-return]
    except KilledWorker:
        return _Error("each worker that tried it died (was memory short?)", own=False)


# -- keeping -------------------------------------------------------------------------------


def _keeper(
    store: str | Path | None,
    replicates: int,
    width: int,
    shapes: Shapes,
    about: Mapping[str, Any],
    seed: int,
) -> Memory:
    if store is None:
        return Memory(replicates, width)
    record = {"about": about, "seed": seed, "shapes": {k: list(v) for k, v in shapes.items()}}
    states = [random_numbers(seed, k).generate_state(4) for k in range(replicates)]
    seeds: Ints = np.array(states)
    return ZarrStore(Path(store), replicates, width, record, seeds)


def _keep(keeper: Memory, number: int, found: _Found, shapes: Shapes, lost: dict[int, str]) -> None:
    if not isinstance(found, _Error):
        try:
            keeper.done(number, _packed(found, shapes))
            return
        except (TypeError, ValueError) as error:
            found = _Error(str(error))
    if found.own:
        keeper.failed(number, found.text)
    else:
        lost[number] = found.text


def _packed(found: Mapping[str, ArrayLike], shapes: Shapes) -> Floats:
    """One row of numbers, in the order of the shapes."""
    if {*found} != {*shapes}:
        raise ValueError(f"it returned {sorted(found)}, not {sorted(shapes)}")
    parts = [np.asarray(found[name], float) for name in shapes]
    for (name, shape), part in zip(shapes.items(), parts, strict=True):
        if part.shape != tuple(shape):
            raise ValueError(f"`{name}` has shape {part.shape}, not {tuple(shape)}")
    return np.concatenate([part.ravel() for part in parts])


def _unpacked(rows: Floats, shapes: Shapes) -> dict[str, Floats]:
    ends = np.cumsum([prod(shape) for shape in shapes.values()])
    parts = np.split(rows, ends[:-1], axis=1)
    return {
        name: part.reshape(len(rows), *shape)
        for (name, shape), part in zip(shapes.items(), parts, strict=True)
    }


def _failures(seed: int, errors: Mapping[int, str]) -> pd.DataFrame:
    rows = [
        (k, f"numpy.random.SeedSequence({seed}, spawn_key=({k},))", errors[k])
        for k in sorted(errors)
    ]
    return pd.DataFrame(rows, columns=["replicate", "seed", "error"])


# -- telling -------------------------------------------------------------------------------


@contextmanager
def _telling(
    progress: Any, keeper: Memory, total: int, what: str, start: float
) -> Iterator[Callable[[], None]]:
    """A function that says how far the campaign is."""

    def now() -> Progress:
        failed = int((keeper.state == FAILED).sum())
        done = int((keeper.state != OPEN).sum())
        return Progress(done, total, what, time.perf_counter() - start, failed)

    if callable(progress):
        progress(now())
        yield lambda: progress(now())
        return
    if not progress:
        yield lambda: None
        return
    with _bar(now()) as move:
        yield lambda: move(now())


@contextmanager
def _bar(first: Progress) -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TextColumn("{task.fields[failed]}"), TimeRemainingColumn())  # fmt: skip
    with Bar(*columns, console=Console(stderr=True)) as bar:
        line = bar.add_task(first.what, total=first.total, completed=first.done, failed="")

        def move(p: Progress) -> None:
            failed = f"{p.failed} failed" if p.failed else ""
            bar.update(line, completed=p.done, failed=failed)

        yield move


def _check_count(name: str, value: object, least: int) -> None:
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not (whole and value >= least):  # type: ignore[operator]
        raise DataError(f"{name} is {value!r}.", hint=f"Use a whole number of at least {least}.")
