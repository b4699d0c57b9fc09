"""P4: do networks speed up internationalization by lowering information asymmetry?

    python examples/p4_networks.py [answers.csv] [--n 400] [--seed 1]

First on speed as exporters see it, then on the years from founding to the first export.
"""

from common import STUDY, answers, arguments, fitted, run, show

import bayesem as sem


def main() -> None:
    """Fit, judge, draw."""
    o = arguments(__doc__)
    data = answers(o)

    # The equations of asymmetry and speed, with both kinds of network behind them. Left out: the
    # other dimensions and outcomes. They say nothing on these equations, but networks are informed
    # by their six answers alone.
    fit = fitted(STUDY, ("SPEED",), data, o)
    verdicts = show(["P4"], fit)
    sem.plot_verdict(verdicts, "P4", o.figure)

    # Years to the first export are asked of all firms; a firm that still waits is censored, which
    # is the same event as exporting = 0. So time has a graph of its own, without `exporting`.
    if o.answers is not None and not {"years", "still_waiting"} <= {*data.columns}:
        print("P4_time is not asked: the answers have no columns `years` and `still_waiting`.")
    else:
        source = f"{STUDY}:time"  # synthetic answers are drawn anew: the two have no common truth
        time = fitted(source, ("years",), answers(o, source), o)
        show(["P4_time"], time)
    print(f"Figure: {o.figure}")


if __name__ == "__main__":
    run(main)
