"""Products of factors, side by side in one run: call to summary, and the model plainly in PyMC.

Run: ``uv run python benchmarks/interactions.py [--rival] [--study] [--gradients]``. ``--study``
adds the whole export-strategy model (21 factors, 55 items, n = 400); ``--rival`` the plain model
(minutes). ``--gradients`` alone times one gradient with nodes against one at sampled scores, by
model, beside what `bayesem.sampling.forms` counts, by which it chooses.
"""

import argparse
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from independent.firms import firms
from independent.single import single_interaction

import bayesem as sem

MODEL = """
X =~ x1 + x2 + x3
Z =~ z1 + z2 + z3
Y =~ y1 + y2 + y3
Y ~ g1*X + g2*Z + w*X:Z
"""
RIVAL_CASES = 400
STUDIES = (
    "facilitated_alliance", "export_strategy", "export_strategy:chain", "export_strategy:layers",
    "export_strategy:moderated", "export_network", "export_strategy:quadratic",
)  # fmt: skip


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rival", action="store_true", help="also the plain PyMC model")
    options.add_argument(
        "--study", action="store_true", help="also the whole export-strategy model"
    )
    options.add_argument("--gradients", action="store_true", help="only gradients, by form")
    chosen = options.parse_args()
    warnings.simplefilter("ignore")
    if chosen.gradients:
        gradients()
        return
    warm = single_interaction(100, seed=0)[0]
    sem.fit(MODEL, warm, identify="unit", seed=1, draws=10, tune=10, chains=1, progress=False)
    for form in ("quadrature", "cover", "scores"):
        report(f"X:Z, n = 2,000, {form}", *timed(MODEL, single_interaction(2000, seed=1)[0], form))
    data = single_interaction(RIVAL_CASES, seed=2)[0]
    ours = timed(MODEL, data, "auto")
    report(f"X:Z, n = {RIVAL_CASES}, auto", *ours)
    if chosen.rival:
        rival(data, ours)
    if chosen.study:
        whole, _ = firms(400, seed=1)
        report("export_strategy, n = 400", *timed("export_strategy", whole, "auto"))


def gradients() -> None:
    """Seconds of a gradient with nodes over seconds at sampled scores, measured and counted."""
    from bayesem.casewise import split
    from bayesem.kernels.target import target_of
    from bayesem.preparation import prepare
    from bayesem.sampling import forms

    print(f"{'model':<30}{'points':>7}{'measured':>10}{'counted':>9}")
    for model in STUDIES:
        data = sem.generate(model.partition(":")[0], 400, seed=1)
        spec = prepare(model, data, check=False).spec
        parts = split(spec.table)
        mode = forms.choose(spec, "cover").mode
        nodes, _ = forms.enough_nodes(spec, parts, [mode.u])
        if nodes is None:
            continue
        with_nodes = target_of(spec, form=forms.QUADRATURE, nodes=nodes)
        at_scores = target_of(spec, form=forms.COVER)
        points = nodes**parts.dimensions
        ratio = seconds_of(with_nodes, mode.u) / seconds_of(at_scores, mode.u)
        print(
            f"{model:<30}{points:>7}{ratio:>10.2f}{forms.gradient_cost(points):>9.2f}", flush=True
        )


def seconds_of(target: Any, u: Any) -> float:
    """The least of twenty gradients."""
    at = np.concatenate([u, np.zeros(target.scores)])
    times = []
    for _ in range(20):
        start = time.perf_counter()
        target.density(target.array, at)
        times.append(time.perf_counter() - start)
    return min(times)


def timed(model: str, data: pd.DataFrame, form: str) -> tuple[float, Any]:
    """Seconds from call to summary, and the fit."""
    start = time.perf_counter()
    fit = sem.fit(model, data, identify="unit", seed=1, integrate=form, progress=False)
    sem.summary(fit)
    return time.perf_counter() - start, fit


def report(label: str, seconds: float, fit: Any) -> None:
    """One line: time, smallest ESS by second, convergence."""
    worst = fit.convergence.table
    diverging = int(fit.draws["sample_stats"]["diverging"].sum())
    print(
        f"{label:<32}{seconds:8.1f} s  min bulk ESS/s {worst['ess_bulk'].min() / seconds:7.1f}  "
        f"R-hat {worst['r_hat'].max():.3f}  {diverging} divergences", flush=True,
    )  # fmt: skip


def rival(data: pd.DataFrame, ours: tuple[float, Any]) -> None:
    """The same model and priors as a PyMC user would write them: scores as parameters."""
    import nutpie
    import pymc as pm
    from arviz_stats import ess

    Y = data[[f"{v}{k}" for v in "xzy" for k in (1, 2, 3)]].to_numpy()
    s, mean, n = Y.std(0), Y.mean(0), len(Y)
    start = time.perf_counter()
    with pm.Model() as model:
        nu = pm.Normal("nu", mean, 2.5 * s)
        loading = pm.TruncatedNormal("loading", 0.7 * s, 0.4 * s, lower=0)
        sd = pm.Gamma("sd", 2, 3 / s)
        r = pm.Uniform("r", -1, 1)
        g = pm.Normal("g", 0, 0.5, shape=2)
        w = pm.Normal("w", 0, 0.25)
        a, b, c = (pm.Normal(k, 0, 1, shape=n) for k in "abc")
        z = r * a + pm.math.sqrt(1 - r**2) * b
        y = g[0] * a + g[1] * z + w * a * z + c
        factor = pm.math.stack([a, a, a, z, z, z, y, y, y], axis=1)
        pm.Normal("answers", nu + factor * loading, sd, observed=Y)
    compiled = nutpie.compile_pymc_model(model)
    ready = time.perf_counter()
    tree = nutpie.sample(
        compiled, draws=1000, tune=1000, chains=4, cores=2, seed=1, progress_bar=False
    )
    done = time.perf_counter()
    kept = tree["posterior"].to_dataset()[["nu", "loading", "sd", "r", "g", "w"]]
    least = min(float(np.min(v.to_numpy())) for v in ess(kept).data_vars.values())
    seconds, fit = ours
    rate = fit.convergence.table["ess_bulk"].min() / seconds
    print(
        f"{'plain PyMC, nutpie':<32}{done - start:8.1f} s  ({ready - start:.1f} s compilation)  "
        f"min bulk ESS/s {least / (done - start):7.1f}; ours: x{(done - start) / seconds:.1f} "
        "faster, "
        f"x{rate / (least / (done - start)):.1f} the ESS by second "
        f"(x{rate / (least / (done - ready)):.1f} without its compilation)", flush=True,
    )  # fmt: skip


if __name__ == "__main__":
    main()
