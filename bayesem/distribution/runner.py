"""Who does a handful of refits: this process, or others."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from bayesem.distribution.engine import Function, Replicates, run_campaign
from bayesem.distribution.store import Shapes
from bayesem.errors import SamplingError

__all__ = ["Runner"]

#: Refits up to which starting worker processes costs more than it saves.
FEW = 2


@dataclass(frozen=True, slots=True)
class Runner:
    """Seed and length of refits, and who does them: see :func:`bayesem.distribution.run_campaign`.

    Attributes
    ----------
    seed : int
    draws : int or None
        By chain; the first fit's where None.
    scheduler, workers, store, progress
    """

    seed: int
    draws: int | None = None
    scheduler: str | None = None
    workers: int | None = None
    store: Any = None
    progress: Any = False

    def crew(self, refits: int) -> int | None:
        """Local processes: none but this one where there is little to do or Dask is absent."""
        if self.workers is not None or self.scheduler is not None:
            return self.workers
        return 0 if refits <= FEW or find_spec("distributed") is None else None

    def cores(self, refits: int) -> int | None:
        """Cores of one refit: all where this process does them one after another."""
        return None if self.crew(refits) == 0 and self.scheduler is None else 1

    def run(
        self,
        function: Function,
        task: Any,
        refits: int,
        *,
        shapes: Shapes,
        about: Mapping[str, Any],
    ) -> Replicates:
        """All of them.

        Raises
        ------
        SamplingError
            If the work was stopped before its end.
        """
        found = run_campaign(
            function, task, refits, shapes=shapes, about=about, seed=self.seed, store=self.store,
            scheduler=self.scheduler, workers=self.crew(refits), progress=self.progress,
            what="refits",
        )  # fmt: skip
        if found.interrupted:
            raise SamplingError(
                f"the refits were stopped: {found}.",
                hint="With `store=` a further call goes on from there.",
            )
        return found
