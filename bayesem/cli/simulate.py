"""`bayesem simulate`: synthetic answers."""

import argparse
from pathlib import Path

from bayesem.cli.arguments import MODEL, count, states
from bayesem.cli.command import DONE, Command

__all__ = ["SIMULATE"]


def _simulate(a: argparse.Namespace) -> int:
    from bayesem.answers_file import SYNTHETIC
    from bayesem.generator import asked_from, synthetic_answers

    data = synthetic_answers(
        a.model, a.n, asked=asked_from(a.set), rounded=not a.continuous, seed=a.seed
    )
    data.assign(**{SYNTHETIC: 1}).to_csv(a.out, index=False)
    print(f"{a.out}: {len(data)} SYNTHETIC rows; the column `{SYNTHETIC}` says so.")
    return DONE


def _arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("model", metavar="MODEL", help=MODEL)
    command.add_argument("--n", type=count, required=True, metavar="N", help="rows")
    command.add_argument("--continuous", action="store_true",
        help="do not round to the codebook's answer scale")  # fmt: skip
    states(command)
    command.add_argument("--out", type=Path, required=True, metavar="CSV")
    command.add_argument("--seed", type=int, default=1, metavar="N")


SIMULATE = Command(
    "simulate",
    "write synthetic answers",
    "Write synthetic answers drawn from a model, on its codebook's answer scale if it has one. A "
    "study that declares a truth is drawn from that, and --set changes it. The last column, "
    "`synthetic`, says what they are, and everything computed from the file repeats it.",
    (
        "simulate alliance_mediation --n 190 --out answers.csv",
        "simulate export_strategy --n 400 --out x.csv --set P2=reversed",
    ),
    _simulate,
    _arguments,
)
