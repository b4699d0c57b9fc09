"""Time of exact design replicates, and what a second worker saves.

    uv run python benchmarks/campaigns.py [REPLICATES]

A design of the alliance model at n = 190 (H1 to H3b), in this process, by one worker and by two.
Printed are wall seconds from call to table (start of the workers included), CPU seconds by
replicate in this process, the ratio of the two times, and the machine's load before each run: with
other work on the machine, the ratio says nothing.
"""

import os
import resource
import sys
import time

import bayesem as sem

HYPOTHESES = ("H1", "H2a", "H2b", "H3a", "H3b")


def cpu() -> float:
    """CPU seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def timed(workers: int, replicates: int) -> float:
    """Wall seconds of a design."""
    claims = [p for p in sem.read_propositions("alliance_mediation") if p.name in HYPOTHESES]
    load, start, before = os.getloadavg()[0], time.perf_counter(), cpu()
    found = sem.design(
        "alliance_mediation", claims, n=190, replicates=replicates, seed=1, workers=workers,
        progress=False,
    )  # fmt: skip
    seconds = time.perf_counter() - start
    print(
        f"workers {workers}: {replicates} replicates in {seconds:.0f} s, {seconds / replicates:.2f}"
        f" s each; not converged {found.not_converged:.1%}; load before {load:.1f}"
        + (f"; CPU {(cpu() - before) / replicates:.2f} s each" if workers == 0 else ""),
        flush=True,
    )
    return seconds


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    timed(0, 2)  # compiled code into the cache
    timed(0, 20)
    one, two = timed(1, count), timed(2, count)
    print(f"two workers take {two / one:.2f} of one worker's time")
    print(f"1,000 replicates on two workers at this rate: {1000 * two / count / 60:.1f} minutes")
