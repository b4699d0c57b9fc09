"""Runs the chains: on the cached kernels where they suffice, on the compiled graph where not."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesem.arrays import Floats
from bayesem.kernels.pack import constrained
from bayesem.sampling.engine import RawDraws, load_sampler, sample_kernel
from bayesem.sampling.forms import Chosen, choose
from bayesem.sampling.starts import overdispersed, whitened
from bayesem.sampling.ways import Tell

if TYPE_CHECKING:
    from bayesem.posterior import Settings
    from bayesem.preparation import Prepared

__all__ = ["ChainDraws", "run_chains"]

type Stage = Callable[[str], AbstractContextManager[None]]

#: Target acceptance at the first attempt and with help. A casewise gradient is dear, and longer
#: steps give more effective draws for each.
TARGET = (0.9, 0.97)
TARGET_CASEWISE = (0.8, 0.95)


@dataclass(frozen=True, slots=True, eq=False)
class ChainDraws:
    """Draws in home units, with what belongs to them.

    Attributes
    ----------
    u, x : (chain, draw, q) arrays
        On the real line, and within the parameters' bounds.
    statistics : dict of (chain, draw) arrays
    chosen : Chosen or None
        The mode and the way to integrate, which a second attempt starts from.
    """

    u: Floats
    x: Floats
    statistics: dict[str, np.ndarray]
    route: str
    interrupted: bool
    notes: tuple[str, ...]
    chosen: Chosen | None = None


def run_chains(
    ready: "Prepared",
    settings: "Settings",
    attempt: int,
    stage: Stage,
    *,
    cores: int | None,
    progress: bool | Tell,
    chosen: Chosen | None = None,
) -> ChainDraws:
    """Sample once.

    Parameters
    ----------
    ready : Prepared
    settings : Settings
    attempt : int
        0, or 1 for the second try with smaller steps and longer tuning.
    stage : callable
        Times a named stage.
    chosen : Chosen, optional
        From the first attempt.
    """
    spec = ready.spec
    accept = (TARGET_CASEWISE if spec.cases is not None else TARGET)[attempt]
    seed = settings.seed + attempt * 1_000_003
    tune = settings.tune * (1 + attempt)
    cores = min(settings.chains, cores or len(os.sched_getaffinity(0)))
    if not spec.builtin or settings.sampler == "pymc":
        from bayesem.sampling.compiled import sample_graph

        with stage("sampling"):
            raw, note = sample_graph(ready, settings, tune, seed, accept, cores, progress is True)
        return _finish(spec, raw, (note,))
    with stage("mode"):
        chosen = chosen or choose(spec, settings.integrate)
        target, mode = chosen.target, chosen.mode
        model = whitened(target, mode)

    with stage("libraries"):
        load_sampler()

    def start(chain_seed: int) -> Floats:
        return overdispersed(target, model, mode, np.random.default_rng(chain_seed))

    with stage("sampling"):
        raw = sample_kernel(
            target, model, start, draws=settings.draws, tune=tune,
            chains=settings.chains, cores=cores, seed=seed, target_accept=accept,
            progress=progress,
        )  # fmt: skip
    notes = chosen.notes if raw.route == "kernel" else (f"sampled by the {raw.route}",)
    return _finish(spec, raw, notes, chosen)


def _finish(
    spec: Any, raw: RawDraws, notes: tuple[str, ...], chosen: Chosen | None = None
) -> ChainDraws:
    x = constrained(spec, raw.u)
    return ChainDraws(raw.u, x, raw.statistics, raw.route, raw.interrupted, notes, chosen)
