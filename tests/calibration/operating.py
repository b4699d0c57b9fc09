"""Operating characteristics of P1 to P5: how often each verdict falls, by truth and sample size.

Every data set comes from the independent generator. Each proposition is judged on the equations
that it is about (the same lines as in the study's model), with a normal approximation at the mode on
the real line in the place of chains; `test_operating_of_propositions` compares that with chains on
some of the sets. "False" puts every part of a claim at 0, "reversed" turns its signs.
"""

import json
import sys
import time
from itertools import product
from pathlib import Path

import numpy as np
from independent.firms import firms

import bayesem as sem
from bayesem.kernels.pack import constrained
from bayesem.posterior import label_values, reported_matrices
from bayesem.preparation import prepare
from bayesem.priordraws import draw_prior
from bayesem.sampling.forms import choose
from bayesem.sampling.starts import spread_around

DIMENSIONS = """
DINF =~ dinf1 + dinf2 + dinf3
DANA =~ dana1 + dana2 + dana3
DMKT =~ dmkt1 + dmkt2 + dmkt3
DSEC =~ dsec1 + dsec2 + dsec3
DC =~ DINF + DANA + DMKT + DSEC
FIN =~ fin1 + fin2 + fin3
REGO =~ rego1 + rego2 + rego3
REGD =~ regd1 + regd2 + regd3
REG =~ u*REGO + u*REGD
NETT =~ nett1 + nett2 + nett3
NETD =~ netd1 + netd2 + netd3
NET =~ z*NETT + z*NETD
INN =~ inn1 + inn2 + inn3
DC + FIN + REG + NET + INN ~ size + sector
DC ~~ FIN + REG + NET + INN
FIN ~~ REG + NET + INN
REG ~~ NET + INN
NET ~~ INN
"""
MODELS = {
    "P1": DIMENSIONS + "exporting ~ d1*DC + d2*FIN + d3*REG + d4*NET + d5*INN + size + sector\n",
    "P2": DIMENSIONS + "EP =~ ep1 + ep2 + ep3 + ep4\nEP ~ e1*DC + f*FIN + e3*REG + e4*NET + "
    "e5*INN + w1*FIN:DC + w2*FIN:INN + size + sector\n",
    "P3": """
REGO =~ rego1 + rego2 + rego3
REGD =~ regd1 + regd2 + regd3
REG =~ u*REGO + u*REGD
LEG =~ leg1 + leg2 + leg3
ACC =~ acc1 + acc2 + acc3
REG ~ size + sector
LEG ~ r1*REG + size + sector
ACC ~ r2*LEG + r3*REG + size + sector
""",
    "P4": """
NETT =~ nett1 + nett2 + nett3
NETD =~ netd1 + netd2 + netd3
NET =~ z*NETT + z*NETD
INFO =~ info1 + info2 + info3
SPEED =~ speed1 + speed2 + speed3
NET ~ size + sector
INFO ~ n1*NET + size + sector
SPEED ~ n2*INFO + n3*NET + size + sector
""",
    "P5": """
INN =~ inn1 + inn2 + inn3
RIV =~ riv1 + riv2 + riv3
COMP =~ comp1 + comp2 + comp3
INN + RIV ~ size + sector
INN ~~ RIV
COMP ~ k1*INN + k2*RIV + k3*INN:RIV + size + sector
""",
}


def parts_of(name, v, sd):
    """The parts of a claim in every draw, (part, draw) bool, as in the study's propositions."""
    match name:
        case "P1":
            return np.array([v["d1"] > 0])
        case "P2":
            return np.array([v["w1"] > 0, v["w2"] > 0])
        case "P3":
            return np.array([v["r1"] > 0, v["r1"] * v["r2"] + v["r3"] > 0])
        case "P4":
            return np.array([v["n1"] < 0, v["n2"] < 0, v["n1"] * v["n2"] + v["n3"] > 0])
    return np.array([v["k1"] + v["k3"] * sd["RIV"] > 0])


def draws_of(spec, x):
    """Labels and model-implied sds of sampled values (draw, q)."""
    M = reported_matrices(spec, x[None])
    sds = np.sqrt(np.diagonal(M.Phi, axis1=-2, axis2=-1))[0]
    labels = {k: np.asarray(v)[0] for k, v in label_values(spec.table, M).items()}
    return labels, {f: sds[:, k] for k, f in enumerate(spec.table.factors)}


PRIOR: dict[str, np.ndarray] = {}


def verdict(truth, name):
    """Probability >= .95 and Bayes factor >= 3, or a part refuted; as `bayesem.decision` says."""
    base = PRIOR[name]
    p, c = truth.all(0).mean(), base.all(0).mean()
    if p >= 0.95 and _odds(p) / _odds(c) >= 3:
        return "supported"
    for part, prior in zip(truth, base, strict=True):
        q, d = part.mean(), prior.mean()
        if q <= 0.05 and _odds(q) / _odds(d) <= 1 / 3:
            return "refuted"
    return "undecided"


def _odds(p):
    p = min(max(p, 1e-4), 1 - 1e-4)
    return p / (1 - p)


def judge(name, data, *, draws=2000, seed=0, probabilities=False):
    """One verdict by the normal approximation at the mode, or its parts' probabilities."""
    families = {"exporting": "bernoulli"} if name == "P1" else None
    ready = prepare(MODELS[name], data, identify="unit", families=families, check=False)
    rng = np.random.default_rng(seed)
    if name not in PRIOR:
        PRIOR[name] = parts_of(name, *draws_of(ready.spec, draw_prior(ready.spec, 4000, rng)))
    mode = choose(ready.spec).mode
    u = mode.u + rng.standard_normal((draws, len(mode.u))) @ spread_around(mode).T
    truth = parts_of(name, *draws_of(ready.spec, constrained(ready.spec, u)))
    return truth.mean(1) if probabilities else verdict(truth, name)


def conditions():
    """Right models at three sizes, wrong ones at the middle size."""
    for n, truth in product((150, 300, 600), ("true", "false", "reversed")):
        yield {"n": n, "truth": truth, "wrong": "nothing"}
    for wrong, truth in product(("omitted_moderator", "skewed", "rounded"), ("true", "false")):
        yield {"n": 300, "truth": truth, "wrong": wrong}


def run(sets, log=None):
    """All conditions, a set at a time; ``log`` keeps the rows of what is done."""
    rows, start = [], time.time()
    for seed in range(sets):
        for at, condition in enumerate(conditions()):
            wrong = {} if condition["wrong"] == "nothing" else {condition["wrong"]: True}
            truths = dict.fromkeys(MODELS, condition["truth"])
            data, _ = firms(condition["n"], propositions=truths, seed=1000 * at + seed, **wrong)
            for name in MODELS:
                try:
                    found = judge(name, data, seed=seed)
                except sem.BayesemError as error:
                    found = f"error: {error.message[:60]}"
                rows.append({**condition, "seed": seed, "proposition": name, "verdict": found})
        if log is not None:
            Path(log).write_text(json.dumps(rows))
        print(f"set {seed + 1}: {time.time() - start:.0f} s", flush=True)
    return rows


def table(rows):
    """Counts of verdicts by condition and proposition."""
    out = []
    for condition in conditions():
        for name in MODELS:
            mine = [
                r["verdict"]
                for r in rows
                if r["proposition"] == name and all(r[k] == v for k, v in condition.items())
            ]
            kinds = ("supported", "refuted", "undecided")
            counts = {kind: mine.count(kind) for kind in kinds}
            out.append({**condition, "proposition": name, "sets": len(mine), **counts,
                        "failed": len(mine) - sum(counts.values())})  # fmt: skip
    return out


if __name__ == "__main__":
    run(int(sys.argv[1]), sys.argv[2])
