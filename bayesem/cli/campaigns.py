"""`bayesem design` and `bayesem calibrate`: many fits of generated data."""

import argparse
import json
from pathlib import Path

from bayesem.cli.arguments import MODEL, count, priors, sampling, sizes, spread, states
from bayesem.cli.command import DONE, NOT_CONVERGED, STOPPED, Command

__all__ = ["CALIBRATE", "DESIGN"]


def _design(a: argparse.Namespace) -> int:
    from bayesem.campaigns.assurance import design
    from bayesem.campaigns.pages import design_record
    from bayesem.campaigns.truths import given_truth
    from bayesem.propositions import read_propositions

    claims = read_propositions(a.propositions or a.model)
    found = design(
        a.model, [claims[name] for name in a.only] or claims, given_truth(a.truth, a.set), n=a.n,
        replicates=a.replicates, assurance=a.assurance, answers=a.answers, draws=a.draws,
        tune=a.tune, chains=a.chains, priors=priors(a.priors), identify=a.identify, seed=a.seed,
        store=a.store, scheduler=a.scheduler, workers=a.workers, progress=not a.quiet,
    )  # fmt: skip
    if a.figure:
        from bayesem.figures import plot_design

        plot_design(found, a.figure)
    print(json.dumps(design_record(found), indent=1) if a.json else found)
    if found.campaign.interrupted:
        return STOPPED
    return NOT_CONVERGED if found.not_converged else DONE


def _design_arguments(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("model", metavar="MODEL", help=MODEL)
    add("--propositions", metavar="FILE", help="a study or a .toml file (the model's study)")
    add("--only", nargs="+", default=[], metavar="NAME", help="only these propositions")
    add("--n", type=sizes, default=(100, 200, 400), metavar="N,N",
        help="sample sizes (100,200,400)")  # fmt: skip
    add("--replicates", type=count, default=200, metavar="R", help="of each size (200)")
    add("--assurance", type=float, default=0.8, metavar="P",
        help="probability to find the smallest n for (0.8)")  # fmt: skip
    add("--truth", action="append", default=[], metavar="NAME=VALUE",
        help="a parameter's true value, by label; repeatable")  # fmt: skip
    states(command)
    add("--answers", action="store_true", help="round to the codebook's answer scale")
    add("--figure", type=Path, metavar="FILE.pdf", help="draw the shares over n")
    spread(command)
    sampling(command, "marker", draws=800, tune=400, cores=False)


DESIGN = Command(
    "design",
    "find the sample size that propositions need",
    "Simulate whole studies: data of n cases from a stated truth, a fit, a verdict on each "
    "proposition. Printed are the shares of decisive verdicts by n with their Monte-Carlo errors, "
    "and the smallest n for a stated probability. The truth is a study's own, or declared values "
    "that --truth changes; the answer is as good as the truth. Exit code 1: some chains did not "
    "converge (their verdicts are withheld). Ctrl-C prints what is done.",
    (
        "design alliance_mediation --only H1 H2a --n 100,200,400",
        "design mine.sem --propositions mine.toml --truth b=0.2 --store d.zarr",
        "design alliance_mediation --replicates 999 --scheduler tcp://hpc:8786",
    ),
    _design,
    _design_arguments,
)


def _calibrate(a: argparse.Namespace) -> int:
    from bayesem.answers_file import read_csv
    from bayesem.campaigns.calibration import calibrate
    from bayesem.campaigns.pages import calibration_record

    found = calibrate(
        a.model, read_csv(a.data) if a.data else a.n, replicates=a.replicates, missing=a.missing,
        alpha=a.alpha, draws=a.draws, tune=a.tune, chains=a.chains, priors=priors(a.priors),
        identify=a.identify, seed=a.seed, store=a.store, scheduler=a.scheduler,
        workers=a.workers, progress=not a.quiet,
    )  # fmt: skip
    if a.figure:
        from bayesem.figures import plot_ranks

        plot_ranks(found, path=a.figure)
    print(json.dumps(calibration_record(found), indent=1) if a.json else found)
    if found.campaign.interrupted:
        return STOPPED
    return DONE if found.ok else NOT_CONVERGED


def _calibrate_arguments(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("model", metavar="MODEL", help=MODEL)
    add("--data", type=Path, metavar="CSV", help="answers like those to be fitted")
    add("--n", type=count, default=200, metavar="N", help="cases, without --data (200)")
    add("--missing", type=float, default=0.0, metavar="SHARE",
        help="share of cells to empty at random, without --data (0)")  # fmt: skip
    add("--replicates", type=count, default=200, metavar="R", help="data sets (200)")
    add("--alpha", type=float, default=0.01, metavar="P",
        help="probability of a false alarm, over all quantities (0.01)")  # fmt: skip
    add("--figure", type=Path, metavar="FILE.pdf", help="draw the ranks' distributions")
    spread(command)
    sampling(command, "marker", cores=False)


CALIBRATE = Command(
    "calibrate",
    "check the whole procedure on data from its own prior",
    "Simulation-based calibration: draw parameters from the prior, data from them, fit, and look "
    "where the truth stands among the posterior's draws. All ranks must be equally frequent; a "
    "test with a stated probability of a false alarm says whether they are. Exit code 1: they are "
    "not. Ctrl-C prints what is done.",
    (
        "calibrate alliance_mediation --n 190 --replicates 500",
        "calibrate mine.sem --data survey.csv --store c.zarr --figure ranks.pdf",
    ),
    _calibrate,
    _calibrate_arguments,
)
