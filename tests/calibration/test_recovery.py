"""Recovery: 100 simulated alliance data sets at n = 190; do 90% intervals hold the truth 90% of the time?"""

import json
from pathlib import Path

import numpy as np
import pytest

import bayesem as sem

pytestmark = pytest.mark.slow
SETS, CASES, MASS = 100, 190, 0.90
OUT = Path(__file__).parent / "results"


def test_coverage_of_alliance_paths():
    """Five true paths scattered around the paper's, a new set of them for each data set."""
    rows, failed = [], 0
    model = sem.read_model("alliance_mediation")
    for seed in range(SETS):
        truth = _truth(np.random.default_rng(seed))
        data = sem.simulate(model, CASES, truth=truth, seed=seed)
        found = sem.fit(model, data, seed=seed, progress=False)
        failed += not found.converged
        table = sem.summary(found, prob=MASS)
        declared = data.attrs["truth"]
        for row in table.itertuples():
            key = f"{row.lhs} {row.op} {row.rhs}".strip()
            if row.sd > 0 and key in declared:
                rows.append((seed, key, row.op, row.lower <= declared[key] <= row.upper))
    _report(rows, failed)


def _truth(rng):
    """Structural paths around those of the paper; measurement as the generator declares it."""
    names = ("a1", "a2", "b", "c1", "c2")
    return dict(zip(names, rng.normal(0.25, 0.2, 5), strict=True))


def _report(rows, failed):
    paths = np.array([hit for _, key, op, hit in rows if op == "~"])
    every = np.array([hit for *_, hit in rows])
    by_set = [np.mean([h for s, *_, h in rows if s == seed]) for seed in range(SETS)]
    result = {
        "sets": SETS, "n": CASES, "mass": MASS, "not_converged": failed,
        "paths": {"intervals": len(paths), "coverage": float(paths.mean())},
        "all": {"intervals": len(every), "coverage": float(every.mean()),
                "standard_error_between_sets": float(np.std(by_set, ddof=1) / np.sqrt(SETS))},
    }  # fmt: skip
    by_path = {}
    for name in sorted({k for _, k, op, _ in rows if op == "~"}):
        by_path[name] = float(np.mean([h for _, k, _, h in rows if k == name]))
    result["by_path"] = by_path
    OUT.mkdir(exist_ok=True)
    (OUT / "recovery.json").write_text(json.dumps(result, indent=1) + "\n")
    binomial = np.sqrt(MASS * (1 - MASS) / SETS)
    assert failed == 0
    for name, coverage in by_path.items():  # five paths: a 5 in 1,000 bound for each
        assert abs(coverage - MASS) < 2.81 * binomial, (name, coverage)
    assert abs(every.mean() - MASS) < 3 * np.std(by_set, ddof=1) / np.sqrt(SETS)
