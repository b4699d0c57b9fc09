"""Calibration of every likelihood, and designs of the shipped studies: small tables, made by

    uv run python tests/calibration/campaigns.py [NAME ...] [--replicates R] [--workers N]

Without names, all of them (hours on two cores). A run that is stopped goes on where it was: stores
lie in `bayesem-campaigns` under the system's folder for temporary files. Tables go to
`tests/calibration/results/campaigns`; `docs/make_evidence.py` reads them.
"""

import argparse
import json
import tempfile
from pathlib import Path

import bayesem as sem
from bayesem.distribution.store import versions
from bayesem.study_truth import declares_truth

RESULTS = Path(__file__).parent / "results" / "campaigns"
STORES = Path(tempfile.gettempdir()) / "bayesem-campaigns"

TWO = "f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3\ng ~ b*f\nthrough := b*b\n"
OUTCOME = "f =~ x1 + x2 + x3\nd ~ b*f\n"
PRODUCT = "f =~ x1 + x2 + x3\ny ~ b*f + g*z + w*f:z\n"

#: Model, cases (of moments: in the sample that they are of), and further arguments.
LIKELIHOODS = {
    "complete": (TWO, 80, {}),
    "missing": (TWO, 80, {"missing": 0.2}),
    "covariance": (TWO, 80, {}),
    "interaction": (PRODUCT, 30, {}),
    "probit": (OUTCOME, 30, {"families": {"d": "bernoulli"}}),
    "logit": (OUTCOME, 30, {"families": {"d": "logit"}}),
    "lognormal": (OUTCOME, 30, {"families": {"d": sem.Lognormal(censored="ended")}}),
    "weibull": (OUTCOME, 30, {"families": {"d": sem.Weibull(censored="ended")}}),
    "poisson": (OUTCOME, 40, {"families": {"d": "poisson"}}),
    "negative_binomial": (OUTCOME, 30, {"families": {"d": "negative_binomial"}}),
}
#: Those of a fit by default. With 4 x (300 + 300) draws 22% of the fits of `complete` do not count.
SETTINGS = {"draws": 1000, "tune": 1000, "chains": 4, "highest": 99}
#: Where cases are integrated one by one: fewer, longer chains, tuned once each.
CASEWISE = {**SETTINGS, "draws": 1400, "tune": 600, "chains": 2}
LONGER = {"poisson": {"draws": 2000, "tune": 1000}}

#: Study, outcomes that its model is cut to, names of propositions, sample sizes, arguments.
DESIGNS = {
    "alliance_design": (
        "alliance_mediation", (), ("H1", "H2a", "H2b", "H3a", "H3b"), (100, 190, 400), {},
    ),
    "innovation_design": (
        "export_strategy", ("COMP",), ("P5", "P5_more"), (100, 200, 400), {"identify": "unit"},
    ),
}  # fmt: skip

#: Where the data of a design come from.
TRUTHS = {
    True: "the population that the study's truth file declares",
    False: "the values that `simulate` declares (standardised loadings of .7, every path .3), "
    "not from printed estimates",
}


def data_of(name, text, cases):
    """A number of cases as it is; moments of a simulated sample."""
    if name != "covariance":
        return cases
    return sem.Moments(sem.simulate(text, cases, seed=1).cov(), cases)


def calibrated(name, replicates, workers):
    """One likelihood's table."""
    text, cases, more = LIKELIHOODS.get(name, ("alliance_mediation", 190, {}))
    settings = CASEWISE if text in (OUTCOME, PRODUCT) else SETTINGS
    settings = settings | LONGER.get(name, {})
    found = sem.calibrate(
        text, data_of(name, text, cases), replicates=replicates, seed=1,
        store=STORES / f"{name}.zarr", workers=workers, **settings, **more,
    )  # fmt: skip
    table = found.table.drop(columns="uniform").round(4)
    return {
        "model": text, "n": cases, "replicates": replicates,
        "counted": found.replicates, "not_converged": found.not_converged,
        "failed": len(found.failures), "ok": found.ok, "alpha": found.alpha,
        "gradient": float(f"{found.gradient:.2g}"), **settings,
        "table": json.loads(table.to_json(orient="records")),
    }, found  # fmt: skip


def designed(name, replicates, workers):
    """One design's table."""
    study, outcomes, names, sizes, more = DESIGNS[name]
    model = sem.read_model(study)
    chosen = {p.name: p.claim for p in sem.read_propositions(study) if p.name in names}
    found = sem.design(
        model.about(*outcomes) if outcomes else model, chosen, n=sizes, replicates=replicates,
        seed=1, store=STORES / f"{name}.zarr", workers=workers, **more,
    )  # fmt: skip
    return {
        "study": study, "part": " ".join(outcomes), "truth": TRUTHS[declares_truth(model)],
        "replicates": replicates, "failed": len(found.failures),
        "not_converged": round(found.not_converged, 4), "assurance": found.assurance,
        "table": json.loads(found.table.round(4).to_json(orient="records")),
        "sizes": json.loads(found.sizes.round(4).to_json(orient="records")),
    }, found  # fmt: skip


def main():
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    known = [*LIKELIHOODS, "alliance", *DESIGNS]
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(known))
    parser.add_argument("--replicates", type=int, default=500)
    parser.add_argument("--workers", type=int, default=None)
    asked = parser.parse_args()
    for name in asked.names or known:
        make = designed if name in DESIGNS else calibrated
        STORES.mkdir(exist_ok=True)
        RESULTS.mkdir(exist_ok=True, parents=True)
        record, found = make(name, asked.replicates, asked.workers)
        print(f"\n{name}\n{found}\n", flush=True)
        if found.campaign.interrupted:
            return
        text = json.dumps({**record, "versions": versions()}, indent=1)
        (RESULTS / f"{name}.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
