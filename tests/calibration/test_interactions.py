"""Coverage of a latent interaction: 200 sets from a generator that imports nothing of bayesem."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from independent.single import single_interaction

import bayesem as sem
from bayesem.kernels.pack import constrained
from bayesem.posterior import label_values, named_draws, reported_matrices
from bayesem.preparation import prepare
from bayesem.sampling.forms import choose
from bayesem.sampling.starts import spread_around

pytestmark = pytest.mark.slow
SETS, CASES, MASS, CHAINS = 200, 400, 0.90, 10
OUT = Path(__file__).parent / "results"
MODEL = """
X =~ x1 + x2 + x3
Z =~ z1 + z2 + z3
Y =~ y1 + y2 + y3
Y ~ g1*X + g2*Z + w*X:Z
X ~~ r*Z
"""


def drawn(seed):
    """Truth drawn anew for each set, and its data."""
    rng = np.random.default_rng(10_000 + seed)
    given = {
        "g1": rng.normal(0.3, 0.2), "g2": rng.normal(0.3, 0.2), "w": rng.normal(0.0, 0.25),
        "r": rng.uniform(0.0, 0.6),
    }  # fmt: skip
    return single_interaction(CASES, **given, seed=seed)


def approximated(seed, draws=4000):
    """Mean, sd and interval by the normal approximation at the mode, on the real line."""
    data, truth = drawn(seed)
    spec = prepare(MODEL, data, identify="unit", check=False).spec
    mode = choose(spec).mode
    z = np.random.default_rng(seed).standard_normal((draws, len(mode.u)))
    x = constrained(spec, mode.u + z @ spread_around(mode).T)[None]
    values = label_values(spec.table, reported_matrices(spec, x))
    loadings = named_draws(spec, x)["loading"]
    values |= {str(k): loadings.sel(loadings=k).to_numpy() for k in loadings["loadings"].to_numpy()}
    return {k: [truth[k], *summary(v)] for k, v in values.items() if k in truth}


def summary(values):
    low, high = np.quantile(values, [(1 - MASS) / 2, (1 + MASS) / 2])
    return [float(values.mean()), float(values.std()), float(low), float(high)]


def test_coverage_of_a_latent_interaction():
    """90% intervals hold the truth in 90% of sets, within binomial error; chains say the same."""
    rows = [approximated(seed) for seed in range(SETS)]
    result = {"sets": SETS, "n": CASES, "mass": MASS, "by_parameter": coverage(rows)}
    result["chains"] = against_chains(rows[:CHAINS])
    OUT.mkdir(exist_ok=True)
    (OUT / "interactions.json").write_text(json.dumps(result, indent=1) + "\n")
    binomial = np.sqrt(MASS * (1 - MASS) / SETS)
    for name in ("g1", "g2", "w", "r"):
        found = result["by_parameter"][name]
        assert abs(found["coverage"] - MASS) < 2.81 * binomial, name
        assert abs(found["mean_z"]) < 4 / np.sqrt(SETS), name
    assert result["chains"]["largest_gap_of_means"] < 0.25
    assert abs(result["chains"]["mean_ratio_of_sds"] - 1) < 0.05


def coverage(rows):
    """By parameter: how often the interval holds the truth, and how far off the mean is."""
    by = {}
    for name in rows[0]:
        t, m, s, low, high = np.array([r[name] for r in rows]).T
        by[name] = {
            "coverage": float(np.mean((low <= t) & (t <= high))),
            "mean_z": float(np.mean((m - t) / s)), "sd_z": float(np.std((m - t) / s)),
            "bias": float(np.mean(m - t)), "rmse": float(np.sqrt(np.mean((m - t) ** 2))),
        }  # fmt: skip
    return by


def against_chains(rows):
    """Means and sds of the structural parameters by chains, in sds of the approximation."""
    gaps, ratios = [], []
    for seed, row in enumerate(rows):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit = sem.fit(
                MODEL, drawn(seed)[0], identify="unit", seed=seed, draws=500, tune=400,
                progress=False,
            )  # fmt: skip
        for name in ("g1", "g2", "w", "r"):
            values = fit.draws["posterior"][name].to_numpy()
            gaps.append(abs(values.mean() - row[name][1]) / row[name][2])
            ratios.append(values.std() / row[name][2])
    return {
        "sets": len(rows), "largest_gap_of_means": float(max(gaps)),
        "mean_gap_of_means": float(np.mean(gaps)), "mean_ratio_of_sds": float(np.mean(ratios)),
    }  # fmt: skip
