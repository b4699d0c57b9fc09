"""One fit of a study's run: its arguments, what is told meanwhile, and a second try."""

import re
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from bayesem.data import Moments
from bayesem.errors import BayesemError, ConvergenceWarning, PriorError
from bayesem.fitting import fit
from bayesem.model import Model
from bayesem.posterior import Fit
from bayesem.sampling.ways import Tell

__all__ = [
    "Progress",
    "Report",
    "Sampling",
    "fit_quietly",
    "fit_twice",
    "is_stop",
    "keep",
    "priors_from",
    "stopped",
]


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


type Report = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Sampling:
    """The arguments of every fit, where fits are kept, and whom to tell."""

    draws: int
    tune: int
    chains: int
    cores: int | None
    seed: int
    priors: Any
    save: Path | None
    report: Report
    identify: str = "marker"
    start: float = field(default_factory=time.perf_counter)

    def seconds(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self.start

    def tell(self, done: int, total: int, what: str) -> None:
        """Say what is being done."""
        self.report(Progress(done, total, what, self.seconds()))


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
    identify: str = "marker",
    progress: bool | Tell = False,
) -> Fit:
    """Fit without a warning: whoever calls this says himself whether the chains converged."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return fit(
            model, data, draws=draws, tune=tune, chains=chains, cores=cores, seed=seed,
            priors=priors, identify=identify, progress=progress,
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


def fit_twice(
    model: Model, data: pd.DataFrame | Moments, seed: int, sampling: Sampling
) -> tuple[Fit, tuple[str, ...]]:
    """Fit; where the chains fail, once more with twice the draws."""
    notes: tuple[str, ...] = ()
    found = _sample(model, data, seed, sampling, 1)
    if not found.converged and not stopped(found):
        reason = "; ".join(found.convergence.reasons)
        found = _sample(model, data, seed + 1, sampling, 2)
        notes = (f"fitted again with twice the draws, because: {reason}",)
    return found, notes


def _sample(
    model: Model, data: pd.DataFrame | Moments, seed: int, sampling: Sampling, times: int
) -> Fit:
    return fit_quietly(
        model, data, draws=sampling.draws * times, tune=sampling.tune * times,
        chains=sampling.chains, cores=sampling.cores, seed=seed, priors=sampling.priors,
        identify=sampling.identify,
    )  # fmt: skip


def stopped(found: Fit) -> bool:
    """Whether someone stopped the sampler."""
    return any("interrupted" in reason for reason in found.convergence.reasons)


def is_stop(error: BaseException) -> bool:
    """Whether an error is somebody's Ctrl-C."""
    return isinstance(error, KeyboardInterrupt) or (
        isinstance(error, BayesemError) and "interrupted" in error.message
    )


def keep(found: Fit, name: str, sampling: Sampling) -> None:
    """Save a fit, if fits are to be saved."""
    if sampling.save is not None:
        from bayesem.storage import save

        save(found, sampling.save / re.sub(r"[^-.\w]", "_", name))
