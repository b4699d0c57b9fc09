"""Recovery of the network's linear half, companions to speed, on generated answers at n = 500."""

import pytest

import bayesem as sem
from bayesem.cutting import part

pytestmark = pytest.mark.slow
HALF = ("BRIDGE", "MED", "RSC", "KSC", "NET", "INFO", "SPEED", "size")
SEEDS = (11, 12, 13)


def test_intervals_hold_the_truth() -> None:
    """Ten paths in each of three samples: about one and a half of thirty lie outside 95%."""
    model = part("export_network", HALF)
    inside = []
    for seed in SEEDS:
        data = sem.generate("export_network", 500, seed=seed)
        fit = sem.fit(model, data, identify="unit", tune=500, seed=seed, progress=False)
        assert fit.converged
        for row in sem.summary(fit).itertuples():
            if row.label:
                inside.append(row.lower <= data.attrs["truth"][row.label] <= row.upper)
    assert len(inside) == 30
    assert sum(inside) >= 26  # at most 4 outside has probability .98
