"""P5: does sustained innovation raise competitiveness where rivalry is fierce?

    python examples/p5_innovation.py [answers.csv] [--n 400] [--seed 1]

P5 is a slope at high rivalry; that it is steeper there than elsewhere is P5_more, a stronger claim.
"""

from common import STUDY, answers, arguments, fitted, run, show

import bayesem as sem


def main() -> None:
    """Fit, judge, draw."""
    o = arguments(__doc__)
    data = answers(o)

    # The equation of competitiveness, with innovation and rivalry behind it. All firms answer, so
    # nothing is assumed on selection. Left out: the other dimensions and outcomes. They say nothing
    # on this equation, but their answers would inform innovation a little.
    fit = fitted(STUDY, ("COMP",), data, o)
    show(["P5", "P5_more"], fit)
    print("Slope of competitiveness on innovation, by rivalry:")
    print(sem.slopes(fit, "COMP ~ INN | RIV").round(3).to_string(index=False))
    sem.plot_slopes(fit, "COMP ~ INN | RIV", o.figure)
    print(f"Figure: {o.figure}")


if __name__ == "__main__":
    run(main)
