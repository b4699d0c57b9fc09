"""Processes that do the work: a local cluster of Dask's, or one that is running already.

Workers are started by command, not by copying this process, so that a script without the usual
guard around its main part does not run again in each of them. They stand in a session of their own:
Ctrl-C reaches this process alone, which keeps what is done and then ends them.
"""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bayesem.errors import NotAvailableError, SamplingError, installing

__all__ = ["connected", "one_thread"]

#: One process has one thread, whichever library would take more; numbers must not depend on that.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS",
           "VECLIB_MAXIMUM_THREADS", "RAYON_NUM_THREADS")  # fmt: skip
#: Seconds that a worker waits for a scheduler that is gone before it ends itself.
ORPHANED = 30
#: Seconds within which the first worker must be there.
PATIENCE = 120
#: Times that a local worker is replaced.
SUCCESSORS = 1000


@contextmanager
def connected(
    scheduler: str | None, workers: int | None, warm: Callable[[], None] | None
) -> Iterator[Any]:
    """A Dask client of a local cluster, or of the one at an address.

    Parameters
    ----------
    scheduler : str or None
        Such as ``"tcp://10.0.0.1:8786"``.
    workers : int or None
        Local processes; one per core that this process may use, by default.
    warm : callable or None
        Run here before local workers start, and on one worker of each machine otherwise, so that
        the rest find compiled code in the cache.

    Raises
    ------
    NotAvailableError
        If Dask is not installed.
    SamplingError
        If nothing answers at the address.
    """
    distributed = _distributed()
    if scheduler is not None:
        with _remote(distributed, scheduler) as client:
            if warm is not None:
                _warm_machines(client, warm)
            yield client
        return
    if warm is not None:
        warm()
    with _local(distributed, workers) as cluster, distributed.Client(cluster) as client:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError:
            raise SamplingError(
                f"no worker started within {PATIENCE} seconds.",
                hint="Use workers=0 to work in this process.",
            ) from None
        yield client


@contextmanager
def one_thread() -> Iterator[None]:
    """Linear algebra on one thread in this process, as in a worker."""
    try:
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
    except ImportError:
        yield
        return
    with threadpool_limits(1):
        yield


def _distributed() -> Any:
    try:
        import distributed
    except ImportError:
        raise NotAvailableError(
            "several workers need Dask, which is not installed.",
            hint=f"{installing('campaigns')} Or use workers=0 to work in this process.",
        ) from None
    return distributed


@contextmanager
def _remote(distributed: Any, address: str) -> Iterator[Any]:
    try:
        client = distributed.Client(address, timeout=20)
    except (OSError, TimeoutError, ValueError) as error:
        raise SamplingError(
            f"no Dask scheduler answers at {address!r}.",
            hint="Start one with `dask scheduler`, and workers with `dask worker ADDRESS "
            "--nthreads 1`.",
        ) from error
    try:
        yield client
    finally:
        client.close()


def _warm_machines(client: Any, warm: Callable[[], None]) -> None:
    """Run it on one worker of each machine."""
    found = client.scheduler_info(n_workers=-1)["workers"]
    if not found:
        client.wait_for_workers(1, timeout=60)
        found = client.scheduler_info(n_workers=-1)["workers"]
    first = {info["host"]: address for address, info in reversed(found.items())}
    client.run(warm, workers=list(first.values()))


def _local(distributed: Any, workers: int | None) -> Any:
    import dask

    count = workers or len(os.sched_getaffinity(0))
    options = {"nthreads": 1, "memory_limit": 0, "dashboard": False, "host": "127.0.0.1",
               "death_timeout": ORPHANED}  # fmt: skip
    scheduler = {
        "cls": distributed.Scheduler,
        "options": {
            "host": "127.0.0.1",
            "port": 0,
            "dashboard": False,
            "dashboard_address": ":0",
        },
    }
    worker = {"cls": _worker_class(), "options": {"options": options}}
    # one replicate in a worker's hands at a time: if it dies, no other is blamed for it
    with dask.config.set({"distributed.scheduler.worker-saturation": 1.0}):
        return distributed.SpecCluster(
            scheduler=scheduler, workers=dict.fromkeys(range(count), worker), silence_logs=50,
            name="bayesem",
        )  # fmt: skip


def _environment() -> dict[str, str]:
    path = os.pathsep.join(p for p in sys.path if p)
    single = dict.fromkeys(THREADS, "1")
    quiet = {"DASK_LOGGING__DISTRIBUTED": "critical"}
    return {**os.environ, **single, **quiet, "PYTHONPATH": path}


def _worker_class() -> type:
    from distributed.deploy.spec import ProcessInterface

    class Worker(ProcessInterface):  # type: ignore[misc]
        """A worker in a process of its own; one that dies before it is told to is replaced."""

        def __init__(self, scheduler: str, options: dict[str, Any], name: object = None) -> None:
            self.scheduler, self.options, self.name = scheduler, options, name
            self.process: asyncio.subprocess.Process | None = None
            self.watch: asyncio.Task[None] | None = None
            super().__init__()

        async def start(self) -> None:
            self.process = await self._begun(0)
            self.watch = asyncio.create_task(self._replaced())
            await super().start()

        async def _begun(self, times: int) -> asyncio.subprocess.Process:
            """Start a process; a successor has another name, as the old one may still be known."""
            name = f"{self.name}" if not times else f"{self.name}-{times}"
            spec = {"cls": "distributed.Worker", "opts": {**self.options, "name": name}}
            return await asyncio.create_subprocess_exec(
                sys.executable, "-m", "dask", "spec", self.scheduler, "--spec", json.dumps(spec),
                env=_environment(), start_new_session=True,
                stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
            )  # fmt: skip

        async def _replaced(self) -> None:
            for times in range(1, SUCCESSORS + 1):
                assert self.process is not None
                await self.process.wait()
                self.process = await self._begun(times)

        async def close(self) -> None:
            if self.watch is not None:
                self.watch.cancel()
            if self.process is not None and self.process.returncode is None:
                _end(self.process.pid)
                await self.process.wait()
            self.process = None
            await super().close()

    return Worker


def _end(pid: int) -> None:
    """End a process and its children."""
    import psutil  # type: ignore[import-untyped]

    try:
        parent = psutil.Process(pid)
        family = [*parent.children(recursive=True), parent]
    except psutil.NoSuchProcess:
        return
    for process in family:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
