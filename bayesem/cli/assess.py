"""`bayesem assess`: propositions on a kept fit."""

import argparse
from pathlib import Path

from bayesem.cli.command import DONE, NOT_CONVERGED, Command

__all__ = ["ASSESS"]


def _assess(a: argparse.Namespace) -> int:
    from bayesem.storage import load
    from bayesem.verdicts import assess

    found = load(a.fit)
    print(assess(a.propositions, found))
    print(f"\n{found.convergence}")
    return DONE if found.converged else NOT_CONVERGED


def _arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("fit", type=Path, metavar="FIT.nc", help="from `bayesem fit --out`")
    command.add_argument("propositions", metavar="PROPOSITIONS", help="a study or a .toml file")


ASSESS = Command(
    "assess",
    "judge propositions on a fit",
    "Judge propositions on a fit that `bayesem fit --out` has kept. Propositions are a study's or "
    "a TOML file of your own.",
    ("assess fit.nc alliance_mediation",),
    _assess,
    _arguments,
)
