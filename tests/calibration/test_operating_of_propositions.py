"""How often P1 to P5 are supported, refuted or left open, when true, false, reversed or misspecified."""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from independent.firms import firms

import bayesem as sem

sys.path.insert(0, str(Path(__file__).parent))
from operating import MODELS, PRIOR, draws_of, judge, parts_of, run, table

pytestmark = pytest.mark.slow
SETS = 40
OUT = Path(__file__).parent / "results"


def test_verdicts_by_truth():
    """False propositions are seldom supported, reversed ones never, more firms decide more."""
    rows = table(run(SETS))
    OUT.mkdir(exist_ok=True)
    (OUT / "propositions.json").write_text(json.dumps(rows, indent=0) + "\n")
    for row in rows:
        assert row["failed"] == 0, row
        if row["wrong"] == "nothing" and row["truth"] == "false":  # at most 5% of sets in truth
            assert row["supported"] <= np.ceil(0.05 * SETS + 3 * np.sqrt(0.05 * 0.95 * SETS)), row
        if row["truth"] == "reversed":
            assert row["supported"] == 0, row


@pytest.mark.parametrize("name", ["P1", "P2", "P3", "P5"])
def test_the_approximation_agrees_with_chains(name):
    """Probabilities of the parts by chains and by the normal approximation, on four sets each."""
    gaps = []
    for seed in range(4):
        data, _ = firms(300, propositions=dict.fromkeys(MODELS, "true"), seed=seed)
        families = {"exporting": "bernoulli"} if name == "P1" else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit = sem.fit(
                MODELS[name], data, identify="unit", families=families, seed=seed, draws=500,
                tune=400, chains=2, progress=False,
            )  # fmt: skip
        x = fit.draws["sampled_posterior"]["x"].to_numpy()
        exact = parts_of(name, *draws_of(fit.spec, x.reshape(-1, x.shape[-1]))).mean(1)
        judge(name, data, seed=seed)
        rough = judge(name, data, seed=seed, probabilities=True)
        gaps += list(np.abs(exact - rough))
    assert PRIOR[name].size
    OUT.mkdir(exist_ok=True)
    path = OUT / "propositions_agreement.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    known[name] = {"parts": len(gaps), "mean_gap": float(np.mean(gaps)), "largest": max(gaps)}
    path.write_text(json.dumps(known, indent=1) + "\n")
    assert np.mean(gaps) < 0.02
    assert max(gaps) < 0.08
