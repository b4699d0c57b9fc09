"""Coverage of a latent interaction: 200 sets from a generator that imports nothing of bayesem."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from independent.single import single_interaction

import bayesem as sem

pytestmark = pytest.mark.slow
SETS, CASES, MASS = 200, 400, 0.90
OUT = Path(__file__).parent / "results"
MODEL = """
X =~ x1 + x2 + x3
Z =~ z1 + z2 + z3
Y =~ y1 + y2 + y3
Y ~ g1*X + g2*Z + w*X:Z
X ~~ r*Z
"""


def one(seed):
    """Truth drawn anew for each set; intervals of every structural parameter and loading."""
    rng = np.random.default_rng(10_000 + seed)
    given = {
        "g1": rng.normal(0.3, 0.2), "g2": rng.normal(0.3, 0.2), "w": rng.normal(0.0, 0.25),
        "r": rng.uniform(0.0, 0.6),
    }  # fmt: skip
    data, truth = single_interaction(CASES, **given, seed=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = sem.fit(
            MODEL, data, identify="unit", seed=seed, draws=600, tune=500, chains=2, cores=1,
            progress=False,
        )  # fmt: skip
    table = sem.summary(fit, prob=MASS)
    found = {}
    for row in table.itertuples():
        key = row.label or f"{row.lhs} {row.op} {row.rhs}".strip()
        if key in truth and row.sd > 0:
            found[key] = [truth[key], row.mean, row.sd, row.lower, row.upper]
    return {"seed": seed, "converged": fit.converged, "found": found}


def test_coverage_of_a_latent_interaction():
    """90% intervals hold the truth in 90% of sets, within binomial error; no bias in sd units."""
    rows = [one(seed) for seed in range(SETS)]
    result = summarise(rows)
    OUT.mkdir(exist_ok=True)
    (OUT / "interactions.json").write_text(json.dumps(result, indent=1) + "\n")
    binomial = np.sqrt(MASS * (1 - MASS) / SETS)
    assert result["converged"] >= 0.97 * SETS
    for name in ("g1", "g2", "w", "r"):
        assert abs(result["by_parameter"][name]["coverage"] - MASS) < 2.81 * binomial, name
        # z-scores of the posterior against truths drawn from the generator, not from the prior
        assert abs(result["by_parameter"][name]["mean_z"]) < 4 / np.sqrt(SETS), name


def summarise(rows):
    names = list(rows[0]["found"])
    by = {}
    for name in names:
        t, m, s, low, high = np.array([r["found"][name] for r in rows]).T
        by[name] = {
            "coverage": float(np.mean((low <= t) & (t <= high))),
            "mean_z": float(np.mean((m - t) / s)), "sd_z": float(np.std((m - t) / s)),
            "bias": float(np.mean(m - t)), "rmse": float(np.sqrt(np.mean((m - t) ** 2))),
        }  # fmt: skip
    return {
        "sets": len(rows), "n": CASES, "mass": MASS,
        "converged": int(sum(r["converged"] for r in rows)), "by_parameter": by,
    }  # fmt: skip
