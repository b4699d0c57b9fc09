"""Political Democracy under default settings, 20 seeds: none stuck and unreported."""

import json
from pathlib import Path

import pytest
from texts import DEMOCRACY

import bayesem as sem

pytestmark = pytest.mark.slow
OUT = Path(__file__).parent / "results"


def test_twenty_seeds(democracy_data):
    reference = sem.fit(DEMOCRACY, democracy_data, draws=10_000, seed=1000, progress=False)
    assert reference.converged
    truth = sem.summary(reference)
    rows = []
    for seed in range(20):
        found = sem.fit(DEMOCRACY, democracy_data, seed=seed, progress=False)
        table = sem.summary(found)
        varies = table["sd"] > 0
        z = ((table["mean"] - truth["mean"]).abs() / truth["sd"])[varies].max()
        rows.append(
            {
                "seed": seed, "converged": found.converged, "help": list(found.convergence.help),
                "reasons": list(found.convergence.reasons),
                "largest_r_hat": float(found.convergence.table["r_hat"].max()),
                "smallest_ess": float(found.convergence.table["ess_bulk"].min()),
                "largest_shift_in_sd": float(z),
            }
        )  # fmt: skip
    OUT.mkdir(exist_ok=True)
    (OUT / "democracy_seeds.json").write_text(json.dumps(rows, indent=1) + "\n")
    for row in rows:  # a stuck chain moves some mean by far more than a fifth of its sd
        assert row["converged"] or row["reasons"]
        assert not row["converged"] or row["largest_shift_in_sd"] < 0.2, row
