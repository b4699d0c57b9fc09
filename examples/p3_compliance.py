"""P3: does regulatory compliance raise legitimacy, and acceptance in export markets?

python examples/p3_compliance.py [answers.csv] [--n 400] [--seed 1]
"""

from common import STUDY, answers, arguments, fitted, run, show

import bayesem as sem


def main() -> None:
    """Fit, judge, draw."""
    o = arguments(__doc__)
    data = answers(o)

    # The equations of legitimacy and acceptance, with both layers of compliance behind them. Left
    # out: the other dimensions and outcomes. They say nothing on these equations, but compliance is
    # informed by its six answers alone, and nothing else than size and sector is held equal: that
    # is the model's claim, not an economy.
    fit = fitted(STUDY, ("ACC",), data, o)
    verdicts = show(["P3", "P3_chain"], fit)
    sem.plot_verdict(verdicts, "P3", o.figure)
    print(f"Figure: {o.figure}")


if __name__ == "__main__":
    run(main)
