"""Wall and processor time of everything that is read off one fit.

Run: ``uv run python benchmarks/postprocessing.py``. The fit is of the alliance model (21
indicators, n = 190, 4 x 1,000 draws) to generated data; the baseline of the incremental indices is
fitted beforehand and timed on a line of its own. Each function is called once for what it loads and
then timed as the median of three. Add a function by adding a line to ``TASKS``.
"""

import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import bayesem as sem


def fit_indices(fit: Any, baseline: Any) -> object:
    """PPP and all indices, given the baseline."""
    return sem.fit_indices(fit, baseline=baseline)


def residuals(fit: Any, _: Any) -> object:
    """Residual correlations and means with posterior predictive intervals."""
    return sem.residuals(fit)


def predictive_checks(fit: Any, _: Any) -> object:
    """Features of replicated data by indicator and pair."""
    return sem.predictive_checks(fit)


def modifications(fit: Any, _: Any) -> object:
    """What freeing each fixed parameter would do."""
    return sem.modifications(fit)


def log_likelihood_psense(fit: Any, _: Any) -> object:
    """Log-likelihood of every case at every draw, and ArviZ's power scaling of all parameters."""
    import arviz

    return arviz.psense_summary(sem.compute_log_likelihood(fit))


def sensitivity(fit: Any, _: Any) -> object:
    """All shipped claims under other ropes and priors, with power scaling."""
    return sem.sensitivity(sem.assess("alliance_mediation", fit))


TASKS: tuple[Callable[[Any, Any], object], ...] = (
    fit_indices,
    residuals,
    predictive_checks,
    modifications,
    log_likelihood_psense,
    sensitivity,
)


def main() -> None:
    """Measure and print."""
    warnings.simplefilter("ignore")
    from bayesem.goodness.baseline import independence
    from bayesem.goodness.discrepancy import sample_of

    data = sem.simulate("alliance_mediation", 190, seed=1)
    fit = sem.fit("alliance_mediation", data, seed=1, progress=False)
    start = time.perf_counter()
    baseline = independence(fit, sample_of(fit), seed=1)
    row("baseline fit", time.perf_counter() - start, float("nan"))
    total = 0.0
    for task in TASKS:
        task(fit, baseline)
        times = [measured(task, fit, baseline) for _ in range(3)]
        wall, cpu = (statistics.median(t[k] for t in times) for k in (0, 1))
        total += wall
        row(task.__name__, wall, cpu)
    row("together", total, float("nan"))


def measured(task: Callable[[Any, Any], object], fit: Any, baseline: Any) -> tuple[float, float]:
    """Wall and processor seconds of one call, nothing kept from the call before."""
    for model in (fit, baseline):
        if "log_likelihood" in model.draws:
            del model.draws["log_likelihood"]
    wall, cpu = time.perf_counter(), time.process_time()
    task(fit, baseline)
    return time.perf_counter() - wall, time.process_time() - cpu


def row(label: str, wall: float, cpu: float) -> None:
    """One line of the table."""
    print(f"{label:<32}{wall:>8.2f} s{cpu:>10.2f} s of processor", flush=True)


if __name__ == "__main__":
    main()
