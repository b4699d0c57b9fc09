"""The export ecosystem: absent, a moderator, or what everything passes through?

    python examples/ecosystem.py [answers.csv] [--n 800] [--seed 1] [--moderated]

Three graphs are fitted to half of the cases and judged by how well they predict the other half. The
ecosystem's answers are in all three, since only graphs of the same answers can be compared.
"""

import numpy as np
import pandas as pd
from common import STUDY, answers, arguments, fitted, run, show
from held_out import case_scores

import bayesem as sem

GRAPHS = {"absent": STUDY, "moderates": f"{STUDY}:moderated", "mediates": f"{STUDY}:mediated_full"}
PATHS = ("e6", "m1", "m2", "m3", "m4", "m5", "q1", "q2", "q3", "q4", "q5")
NOTE = """
Log predictive density of the cases that were not fitted; `difference` is to the best, `se` its
error over cases. One split says little where they are near: LOO and evidence wait for bayesem.
A claim is judged inside its graph; whether that is the right graph only this table speaks of."""


def main() -> None:
    """Fit, judge, compare, draw."""
    o = arguments(__doc__, n=800, moderated="draw synthetic answers where the ecosystem moderates")
    data = answers(o, GRAPHS["moderates"] if o.moderated else STUDY)
    order = np.random.default_rng(o.seed).permutation(len(data))
    seen, unseen = (data.iloc[half] for half in np.array_split(order, 2))
    # competitiveness, too: one graph needs rivalry, whose answers must then be in all three
    fits = {k: fitted(v, ("EP", "ECO", "COMP"), seen, o) for k, v in GRAPHS.items()}

    for name in ("moderates", "mediates"):
        rows = sem.summary(fits[name], standardized=True).drop(columns="group").round(3)
        mine = rows[rows["label"].isin(PATHS)].to_string(index=False)
        print(f"Where it {name}, standardised:\n{mine}\n")
    verdicts = show(["ecosystem_moderates"], fits["moderates"])
    # the file's graph is partial mediation, with a sixth predictor's likelihood; here it is full
    claim = sem.read_propositions(STUDY)["ecosystem_mediates"].claim
    print(sem.assess({"ecosystem_mediates": claim}, fits["mediates"]), "\n")
    print(compared({k: case_scores(fit, unseen) for k, fit in fits.items()}, fits).to_string())
    print(NOTE)
    sem.plot_verdict(verdicts, "ecosystem_moderates", o.figure)
    print(f"Figure: {o.figure}")


def compared(scores: dict[str, np.ndarray], fits: dict[str, sem.Fit]) -> pd.DataFrame:
    """The graphs by their scores, best first."""
    best = max(scores.values(), key=np.sum)
    table = pd.DataFrame({"held out": {k: s.sum() for k, s in scores.items()}})
    gaps = {k: s - best for k, s in scores.items()}
    table["difference"] = {k: gap.sum() for k, gap in gaps.items()}
    table["se"] = {k: np.sqrt(len(gap)) * gap.std(ddof=1) for k, gap in gaps.items()}
    table["converged"] = {k: fit.converged for k, fit in fits.items()}
    return table.sort_values("held out", ascending=False).round(1)


if __name__ == "__main__":
    run(main)
