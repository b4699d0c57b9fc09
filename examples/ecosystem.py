"""The export ecosystem: absent, a moderator, or what everything passes through?

    python examples/ecosystem.py [answers.csv] [--n 800] [--seed 1] [--moderated] [--evidence]

Three graphs are fitted to the same answers and compared by how well they predict a case that was
left out. The ecosystem's answers are in all three, since only graphs of the same answers can be.
"""

from common import STUDY, answers, arguments, fitted, run, show

import bayesem as sem

GRAPHS = {"absent": STUDY, "moderates": f"{STUDY}:moderated", "mediates": f"{STUDY}:mediated_full"}
PATHS = ("e6", "m1", "m2", "m3", "m4", "m5", "q1", "q2", "q3", "q4", "q5")
NOTE = """
`elpd`: log predictive density of cases that were left out, factors integrated out; `elpd_diff` is
to the best, `dse` its error over cases. A claim is judged inside its graph; whether that is the
right graph only this table speaks of. Partial mediation has the likelihood of a sixth predictor:
no data can tell those two apart, so full mediation stands here."""
SHOWN = ["elpd", "elpd_diff", "dse", "weight", "p", "k_bad", "log_evidence", "bayes_factor"]
DRAWS = 400  # of the posterior, to score cases with: each is an integral


def main() -> None:
    """Fit, judge, compare, draw."""
    o = arguments(__doc__, n=800, moderated="draw synthetic answers where the ecosystem moderates",
                  evidence="Bayes factors, too, which take minutes more")  # fmt: skip
    if o.moderated and not any(text.startswith("ecosystem_moderates=") for text in o.set):
        o.set.append("ecosystem_moderates=true")  # in the declared population no product is at work
    data = answers(o, GRAPHS["moderates"] if o.moderated else STUDY)
    # competitiveness, too: one graph needs rivalry, whose answers must then be in all three
    fits = {k: fitted(v, ("EP", "ECO", "COMP"), data, o) for k, v in GRAPHS.items()}

    for name in ("moderates", "mediates"):
        rows = sem.summary(fits[name], standardized=True).drop(columns="group").round(3)
        mine = rows[rows["label"].isin(PATHS)].to_string(index=False)
        print(f"Where it {name}, standardised:\n{mine}\n")
    verdicts = show(["ecosystem_moderates"], fits["moderates"])
    # the file's graph is partial mediation, with a sixth predictor's likelihood; here it is full
    claim = sem.read_propositions(STUDY)["ecosystem_mediates"].claim
    print(sem.assess({"ecosystem_mediates": claim}, fits["mediates"]), "\n")
    table = sem.compare(fits, evidence=o.evidence, draws=DRAWS)
    shown = SHOWN if o.evidence else SHOWN[:6]
    print(table[shown].round(2).to_string(), NOTE, sep="\n")
    print(f"\n{table.attrs['reading']}\n")
    sem.plot_verdict(verdicts, "ecosystem_moderates", o.figure)
    print(f"Figure: {o.figure}")


if __name__ == "__main__":
    run(main)
