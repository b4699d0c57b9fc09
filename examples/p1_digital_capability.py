"""P1: does digital capability raise the chance of exporting, and the performance of exporters?

    python examples/p1_digital_capability.py [answers.csv] [--n 400] [--seed 1]

Also held to the figure that the paper cites: 2.3 times the probability of exporting.
"""

from common import STUDY, answers, arguments, fitted, run, show

import bayesem as sem


def main() -> None:
    """Fit, judge, draw."""
    o = arguments(__doc__)
    data = answers(o)

    # The equations of exporting and of performance, with the five dimensions behind them. Left out:
    # legitimacy, acceptance, asymmetry, speed, competitiveness, rivalry, the ecosystem. They say
    # nothing on these equations, but their answers would inform the dimensions a little.
    fit = fitted(STUDY, ("exporting", "EP"), data, o)
    verdicts = show(["P1", "P1_performance"], fit)
    sem.plot_verdict(verdicts, "P1", o.figure)

    # The 2.3 is another study's, adjusted for size and sector only: a graph of its own. It needs a
    # random sample of firms; where exporters are sampled apart, no risk ratio can be estimated.
    benchmark = fitted(f"{STUDY}:benchmark", ("exporting",), data, o)
    row = show(["P1_benchmark"], benchmark).table.iloc[0]
    ratio = (2.3 + row[name] for name in ("estimate", "lower", "upper"))
    print("Probability of exporting, +1 to -1 sd: {:.2f} times [{:.2f}, {:.2f}]".format(*ratio))
    print(f"Figure: {o.figure}")


if __name__ == "__main__":
    run(main)
