"""P2: does access to financing moderate what capabilities do for export performance?

    python examples/p2_financing.py [answers.csv] [--n 400] [--seed 1] [--selection]

Beside it the same with quadratics, since a curve that is left out passes for a product.
"""

from argparse import Namespace

import pandas as pd
from common import STUDY, answers, arguments, fitted, run, show

import bayesem as sem

CLAIMS = ["P2", "P2_pure", "P2_asymmetry"]


def main() -> None:
    """Fit, judge, draw."""
    o = arguments(__doc__, selection="let selection into exporting correlate .2 and .4 with EP")
    data = answers(o)

    # The equation of performance, with the five dimensions behind it. Left out: exporting, the
    # other outcomes, rivalry, the ecosystem. They say nothing on this equation as long as selection
    # into exporting is ignorable, but their answers would inform the dimensions a little.
    fit = fitted(STUDY, ("EP",), data, o)
    curves = fitted(f"{STUDY}:quadratic", ("EP",), data, o)
    # the second reading of P2 is the file's P2_curvature
    show(CLAIMS, {"products": fit, "and curves": curves})
    if o.selection:
        selection(fit, data, o)
    else:
        print("How much hangs on ignorable selection: --selection (some minutes more).")
    sem.plot_slopes(fit, "EP ~ DC | FIN", o.figure)
    print(f"Figure: {o.figure}")


def selection(fit: sem.Fit, data: pd.DataFrame, o: Namespace) -> None:
    """What becomes of P2 if firms select themselves into exporting by what raises performance.

    The correlation of the two residuals is assumed, not estimated: the equation of exporting is in
    the model now, and the probit's residual has variance 1.
    """
    fits = {"0 (ignorable)": fit}
    for variant in ("selection_20", "selection_40"):
        correlation = f"0.{variant[-2:]}"
        fits[correlation] = fitted(f"{STUDY}:{variant}", ("exporting", "EP"), data, o)
    claims = sem.read_propositions(STUDY)
    table = sem.assess([claims[name] for name in (*CLAIMS, "P1_performance")], fits).table
    moved = table.pivot(index="name", columns="reading", values="probability")
    print("Probability by the correlation of the residuals of exporting and performance:")
    print(moved.round(3).to_string(), "\n")
    print(table.pivot(index="name", columns="reading", values="verdict").to_string(), "\n")


if __name__ == "__main__":
    run(main)
