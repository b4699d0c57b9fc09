"""The rebuild is no circle: truth, raw data, printed numbers, rebuilt matrices, verdicts."""

import json
from pathlib import Path

import numpy as np
import pytest

import bayesem as sem
from bayesem.publications.design import design_of
from bayesem.publications.publish import publish
from bayesem.publications.readings import from_printed

pytestmark = pytest.mark.slow
TRUTHS, CASES, MATRICES = 20, 190, 3
OUT = Path(__file__).parent / "results"


def test_verdicts_from_print_agree_with_those_from_raw_data():
    """Print only what the paper prints, to as many digits; rebuild; compare verdict by verdict."""
    model = sem.read_model("alliance_mediation")
    claims = sem.read_propositions("alliance_mediation")
    rows = []
    for seed in range(TRUTHS):
        rng = np.random.default_rng(1000 + seed)
        truth = dict(zip(("a1", "a2", "b", "c1", "c2"), rng.normal(0.25, 0.2, 5), strict=True))
        truth["RSC ~~ KSC"] = 2.480625 * rng.uniform(0.1, 0.7)
        data = sem.simulate(model, CASES, truth=truth, seed=seed)
        raw = sem.fit(model, data, seed=seed, progress=False)
        design = design_of(model)
        printed = publish(data[list(design.indicators)].cov().to_numpy(), CASES, design)
        source = from_printed(printed, CASES, design)
        fits = [
            sem.fit(model, moments, seed=seed, progress=False)
            for moments in sem.rebuild(source, source.readings[0].name, draws=MATRICES, seed=seed)
        ]
        rows += _compare(seed, claims, raw, fits)
    _report(rows)


def _compare(seed, claims, raw, fits):
    from_raw = sem.assess(claims, raw).table.set_index("name")
    from_print = sem.assess(claims, {"printed": fits}).table
    from_print = from_print[from_print["reading"] == "printed"].set_index("name")
    return [
        {
            "seed": seed, "claim": name,
            "raw": from_raw.loc[name, "verdict"], "printed": from_print.loc[name, "verdict"],
            "p_raw": float(from_raw.loc[name, "probability"]),
            "p_printed": float(from_print.loc[name, "probability"]),
        }
        for name in from_raw.index
    ]  # fmt: skip


def _report(rows):
    claims = list(dict.fromkeys(r["claim"] for r in rows))
    opposite = [r for r in rows if {r["raw"], r["printed"]} == {"supported", "refuted"}]
    result = {
        "truths": TRUTHS, "n": CASES, "matrices": MATRICES,
        "agreement": float(np.mean([r["raw"] == r["printed"] for r in rows])),
        "by_claim": {
            c: {
                "agree": sum(r["raw"] == r["printed"] for r in rows if r["claim"] == c),
                "of": sum(r["claim"] == c for r in rows),
                "mean_abs_difference": float(
                    np.mean([abs(r["p_raw"] - r["p_printed"]) for r in rows if r["claim"] == c])
                ),
            }
            for c in claims
        },
        "opposite": len(opposite),
        "disagreements": [r for r in rows if r["raw"] != r["printed"]],
    }  # fmt: skip
    OUT.mkdir(exist_ok=True)
    (OUT / "rebuild_circle.json").write_text(json.dumps(result, indent=1) + "\n")
    assert not opposite
    assert result["agreement"] > 0.9
