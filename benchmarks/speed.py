"""Ratios measured side by side in one run: Political Democracy, call to summary, and its rivals.

Run: ``uv run python benchmarks/speed.py [--rival] [--cold]``. Times are medians of a few
repetitions on whatever machine this is; the ratios are what to quote. ``--cold`` empties the
kernels' cache in a folder of its own; ``--rival`` compiles the same model written plainly in PyMC
(minutes).
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

PROCESS = """
import time; start = time.perf_counter()
import warnings; warnings.simplefilter("ignore")
import bayesem as sem
import pandas as pd
data = pd.read_csv({path!r})
fit = sem.fit({text!r}, data, seed=1, progress=False)
table = sem.summary(fit)
print(time.perf_counter() - start, fit.converged)
"""


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rival", action="store_true", help="also the plain PyMC model")
    options.add_argument("--cold", action="store_true", help="also a process with nothing cached")
    options.add_argument("--repeat", type=int, default=5)
    chosen = options.parse_args()
    warnings.simplefilter("ignore")
    from semopy.examples import political_democracy
    from texts import DEMOCRACY

    data = political_democracy.get_data()
    warm, fit = warm_process(DEMOCRACY, data, chosen.repeat)
    gradient(fit)
    maximum_likelihood(data, warm, chosen.repeat)
    new_process(DEMOCRACY, data, cold=chosen.cold)
    sizes()
    if chosen.rival:
        rival(fit, data, warm)


def row(label: str, seconds: float, ratio: str = "") -> None:
    """One line of the table."""
    print(f"{label:<58}{seconds:>10.3f} s  {ratio}", flush=True)


def median_time(function, repeat):  # type: ignore[no-untyped-def]
    """Median seconds, and the last result."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        result = function()
        times.append(time.perf_counter() - start)
    return statistics.median(times), result


def warm_process(text, data, repeat):  # type: ignore[no-untyped-def]
    """Call to summary, 4 x (1,000 + 1,000), in a process that has fitted before."""
    import bayesem as sem

    sem.fit(text, data, seed=0, progress=False)

    def run():  # type: ignore[no-untyped-def]
        fit = sem.fit(text, data, seed=1, progress=False)
        return fit, sem.summary(fit)

    seconds, (fit, table) = median_time(run, repeat)
    row("fit and summary, warm process", seconds, f"converged: {fit.converged}")
    row("  of this, sampling", fit.timings["sampling"])
    row(
        "  bulk ESS per second of sampling (smallest)",
        table["ess_bulk"].min() / fit.timings["sampling"],
    )
    return seconds, fit


def gradient(fit) -> None:  # type: ignore[no-untyped-def]
    """Time of one log-posterior with gradient."""
    from bayesem.kernels.linear import log_posterior
    from bayesem.kernels.pack import pack
    from bayesem.sampling.starts import maximum

    model, u = pack(fit.spec), maximum(fit.spec).u
    start = time.perf_counter()
    for _ in range(5000):
        log_posterior(model, u, True)
    print(f"{'one gradient':<58}{(time.perf_counter() - start) / 5000 * 1e6:>10.1f} us")


def maximum_likelihood(data, warm, repeat) -> None:  # type: ignore[no-untyped-def]
    """semopy's ML fit of the same model."""
    import semopy
    from semopy.examples import political_democracy

    def run():  # type: ignore[no-untyped-def]
        model = semopy.Model(political_democracy.get_model())
        model.fit(data)
        return model.inspect()

    seconds, _ = median_time(run, repeat)
    row("semopy: maximum likelihood and its table", seconds, f"ours / semopy: {warm / seconds:.1f}")


def new_process(text, data, *, cold) -> None:  # type: ignore[no-untyped-def]
    """Import to summary in a process of its own, caches warm, then with nothing cached."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        data.to_csv(path, index=False)
        code = PROCESS.format(path=str(path), text=text)
        seconds, _ = median_time(lambda: _process(code, os.environ), 3)
        row("fit and summary, new process, warm caches", seconds)
        if cold:
            empty = dict(os.environ, NUMBA_CACHE_DIR=f"{folder}/numba", XDG_CACHE_HOME=folder)
            empty["PYTHONPYCACHEPREFIX"] = f"{folder}/pycache"
            seconds, _ = median_time(lambda: _process(code, empty), 1)
            row("fit and summary, new process, nothing cached", seconds)


def _process(code, environment):  # type: ignore[no-untyped-def]
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return json.dumps(done.stdout.split())


def sizes() -> None:
    """Sampling must not grow with the number of complete rows."""
    import bayesem as sem

    first = None
    for n in (190, 1_000, 100_000):
        data = sem.simulate("alliance_mediation", n, seed=1)
        sem.fit("alliance_mediation", data, seed=1, progress=False, draws=10, tune=10)
        fit = sem.fit("alliance_mediation", data, seed=1, progress=False)
        steps = int(fit.draws["sample_stats"]["n_steps"].sum())
        cost = fit.timings["sampling"] / steps * 1e6
        first = first or cost
        label = f"alliance model, n = {n:,}: sampling"
        row(
            label,
            fit.timings["sampling"],
            f"{cost:.1f} us a step, ratio to n = 190: {cost / first:.2f}",
        )


def rival(fit, data, warm) -> None:  # type: ignore[no-untyped-def]
    """The same model and priors written plainly in PyMC, sampled by nutpie from the same starts."""
    from plain_pymc import plain_democracy, sample_plain

    start = time.perf_counter()
    model = plain_democracy(data)
    tree = sample_plain(model, fit, seed=1)
    total = time.perf_counter() - start
    import arviz as az

    table = az.summary(tree, round_to=None)
    sampling = tree.attrs["sampling_seconds"]
    ess, r_hat = float(table["ess_bulk"].min()), float(table["r_hat"].max())
    row(
        "plain PyMC with nutpie: compile, sample, summary",
        total,
        f"plain / ours: {total / warm:.1f}",
    )
    ours = summary_ess(fit) / fit.timings["sampling"]
    ratio = ours / (ess / sampling)
    row(
        "  of this, sampling",
        sampling,
        f"R-hat at most {r_hat:.3f}{', STUCK' if r_hat > 1.05 else ''}",
    )
    print(f"{'  bulk ESS per second, ours / plain':<58}{ratio:>10.1f}")


def summary_ess(fit) -> float:  # type: ignore[no-untyped-def]
    """Smallest bulk ESS of a fit."""
    return float(np.nanmin(fit.convergence.table["ess_bulk"]))


if __name__ == "__main__":
    main()
