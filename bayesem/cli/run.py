"""`bayesem run`: a study, from its files to verdicts."""

import argparse
from pathlib import Path

from bayesem.cli.arguments import count, output, priors, sampling, states
from bayesem.cli.command import DONE, NOT_CONVERGED, STOPPED, Command
from bayesem.cli.printing import show
from bayesem.cli.progress import clear, progress

__all__ = ["RUN"]


def _run(a: argparse.Namespace) -> int:
    from bayesem.answers_file import read_csv
    from bayesem.generator import asked_from
    from bayesem.study_record import record
    from bayesem.studying import run_study

    result = run_study(
        a.study, data=read_csv(a.data) if a.data else None, variant=a.variant, models=a.models,
        only=a.readings, segments=read_csv(a.segments) if a.segments else None, n=a.n,
        truth=asked_from(a.set), identify=a.identify, seed=a.seed,
        draws=a.draws, tune=a.tune, chains=a.chains, cores=a.cores,
        matrices=a.draws_of_matrix, priors=priors(a.priors), save=a.save, progress=progress(a),
    )  # fmt: skip
    clear(a)
    show(a, lambda: result, lambda: record(result))
    if result.incomplete:
        return STOPPED
    return DONE if result.converged else NOT_CONVERGED


def _arguments(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("study", metavar="STUDY", help="a study, as `bayesem studies` lists them")
    add("--data", type=Path, metavar="CSV", help="answers; without them, what is printed")
    add("--segments", type=Path, metavar="CSV",
        help="a code-by-segment table, in the place of a table of theme counts")  # fmt: skip
    add("--variant", metavar="NAME", help="a variant of the study's model, and that alone")
    add("--models", nargs="+", default=[], metavar="NAME",
        help="on answers: only these of the models that propositions name")  # fmt: skip
    add("--n", type=count, default=None, metavar="N",
        help="synthetic cases, of a study without data (400)")  # fmt: skip
    states(command)
    add("--readings", nargs="+", default=[], metavar="R", help="only these readings of the tables")
    add("--draws-of-matrix", type=count, default=4, metavar="N",
        help="rebuilt matrices by reading of weight 0.01 or more (4), else 1")  # fmt: skip
    add("--save", type=Path, metavar="DIR", help="keep every fit there, as NetCDF")
    output(command)
    sampling(command, None)


RUN = Command(
    "run",
    "run a study: fit, and judge its propositions",
    "Run a study and judge its propositions. Without --data it runs on what the paper prints: "
    "every way to read the printed tables is rebuilt as covariance matrices, each matrix is "
    "fitted, and verdicts are given under each reading and pooled over all by weight; of a table "
    "of theme counts, claims on shares are judged. A study of a paper without data runs on "
    "synthetic answers, drawn from the truth that it declares (one with theme counts, where --n or "
    "--set asks for them). With --data it runs on your answers: a CSV with the columns that "
    "`bayesem template STUDY` lists; every model that a proposition names is fitted. Ctrl-C keeps "
    "and prints what is done.",
    (
        "run alliance_mediation",
        "run alliance_mediation --readings T D --json",
        "run alliance_mediation --data survey.csv --save fits",
        "run export_strategy --n 400 --set P2=reversed",
        "run export_network --models export_network export_network:bundle",
        "run facilitated_alliance",
    ),
    _run,
    _arguments,
)
