"""Carrying evidence over against one fit of both samples, drawn from one population.

Run as ``python tests/calibration/network_pooled.py``: some minutes. What is kept, in
results/network_pooled.json, is how far means of standardised paths lie apart, in posterior sds of
the fit of both; for comparison, the receiving study's own mean as well.
"""

import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import bayesem as sem
from bayesem.carrying.regressions import equations_of, regressions
from bayesem.carrying.weighting import piece, weigh
from bayesem.claims_evaluation import scope

PLACE = Path(__file__).parent / "results" / "network_pooled.json"
REGRESSION = "X =~ x; Y =~ y; Y ~ b*X; x ~~ 0*x; y ~~ 0*y"
FACTORS = "X =~ x1 + x2 + x3; M =~ m1 + m2 + m3; Y =~ y1 + y2 + y3; M ~ a*X; Y ~ b*M + c*X"
MODELS = {"regression": REGRESSION, "factors": FACTORS}
SAMPLES = 10
#: Cases of the source and of the study that receives its evidence.
SIZES = ((190, 150), (760, 600), (3040, 2400))
MORE = {"identify": "unit", "draws": 1500, "tune": 500, "cores": 1, "seed": 1, "progress": False}


def sample(model: str, n: int, seed: int) -> pd.DataFrame:
    if model == "factors":
        return sem.simulate(FACTORS, n, {"a": 0.5, "b": 0.4, "c": 0.2}, seed, identify="unit")
    x, e = np.random.default_rng(seed).normal(size=(2, n))
    return pd.DataFrame({"x": x, "y": 0.4 * x + e})


def paths(fit: sem.Fit) -> np.ndarray:
    found = regressions(fit.table, fit.matrices(), equations_of(fit.table))
    return found.reshape(-1, found.shape[-1])


def apart(model: str, sizes: tuple[int, int], seed: int) -> dict[str, Any]:
    """One pair of samples, three fits."""
    data = [sample(model, n, 1000 * (k + 1) + seed) for k, n in enumerate(sizes)]
    source, here, both = (
        sem.fit(MODELS[model], d, **MORE) for d in (*data, pd.concat(data, ignore_index=True))
    )
    weighted = weigh("A", [piece(sem.path_evidence(source), here, scope(here))], 1.0)
    goal, own = paths(both), paths(here)
    unit = goal.std(0)
    weights = np.ones(len(own)) if weighted.weights is None else weighted.weights.ravel()
    carried = weights @ own / weights.sum()
    return {
        "model": model, "n": list(sizes), "seed": seed, "k": round(weighted.k, 2),
        "carried": ((carried - goal.mean(0)) / unit).round(3).tolist(),
        "alone": ((own.mean(0) - goal.mean(0)) / unit).round(3).tolist(),
        "between": ((paths(source).mean(0) - own.mean(0)) / unit).round(3).tolist(),
    }  # fmt: skip


def main() -> None:
    runs = []
    for model, sizes, seed in product(MODELS, SIZES, range(SAMPLES)):
        runs.append(apart(model, sizes, seed))
        PLACE.write_text("[" + ",\n ".join(json.dumps(run) for run in runs) + "]\n")
    for model, sizes in product(MODELS, SIZES):
        mine = [r for r in runs if (r["model"], tuple(r["n"])) == (model, sizes)]
        rms = {k: np.sqrt(np.mean(np.square([r[k] for r in mine]))) for k in ("carried", "alone")}
        print(model, sizes, {k: round(float(v), 3) for k, v in rms.items()})


if __name__ == "__main__":
    main()
