"""Recovery of the export network: whole fits at n = 500 against the truth that they were drawn from.

Run as ``python tests/calibration/network_recovery.py 1 2 3`` (seeds). Each fit takes minutes; what
is done is written after each, to results/network.json, beside what stood there.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import bayesem as sem

PLACE = Path(__file__).parent / "results" / "network.json"
N, DRAWS, TUNE, CHAINS = 500, 1000, 1000, 4


def recovered(seed: int, keep: Path | None = None) -> dict[str, Any]:
    """One sample, one whole fit: a row per labelled parameter."""
    data = sem.generate("export_network", N, seed=seed)
    start = time.perf_counter()
    fit = sem.fit(
        sem.read_model("export_network"), data, identify="unit", draws=DRAWS, tune=TUNE,
        chains=CHAINS, cores=2, seed=seed, progress=False,
    )  # fmt: skip
    seconds = time.perf_counter() - start
    if keep is not None:
        sem.save(fit, keep)
    rows = [
        {
            "label": row.label,
            "truth": data.attrs["truth"][row.label],
            "mean": round(row.mean, 4),
            "lower": round(row.lower, 4),
            "upper": round(row.upper, 4),
            "inside": bool(row.lower <= data.attrs["truth"][row.label] <= row.upper),
        }
        for row in sem.summary(fit).itertuples()
        if row.label
    ]
    return {
        "seed": seed,
        "n": N,
        "draws": [CHAINS, TUNE, DRAWS],
        "converged": fit.converged,
        "reasons": list(fit.convergence.reasons),
        "seconds": round(seconds),
        "stages": {k: round(v, 1) for k, v in fit.timings.items()},
        "inside": sum(row["inside"] for row in rows),
        "of": len(rows),
        "rows": rows,
    }


def main() -> None:
    keep = None
    for seed in map(int, sys.argv[1:]):
        runs = json.loads(PLACE.read_text()) if PLACE.is_file() else []
        done = recovered(seed, keep)
        runs = sorted([r for r in runs if r["seed"] != seed] + [done], key=lambda r: r["seed"])
        PLACE.write_text(json.dumps(runs, indent=1) + "\n")


if __name__ == "__main__":
    main()
