"""`bayesem studies` and `bayesem template`: what ships, and a survey of one's own."""

import argparse
from pathlib import Path

from bayesem.cli.command import DONE, Command

__all__ = ["STUDIES", "TEMPLATE"]


def _studies(_: argparse.Namespace) -> int:
    from bayesem.study_page import listing

    print(listing())
    return DONE


STUDIES = Command(
    "studies",
    "list the studies that ship",
    "List the studies that ship with bayesem: source, size of the model, variants.",
    ("studies",),
    _studies,
)


def _template(a: argparse.Namespace) -> int:
    from bayesem.templates import write_template

    answers, book = write_template(a.study, a.out, force=a.force)
    print(f"{answers}: one column per question; fill in one row per case.")
    print(f"{book}: what each column asks, its factor and its scale.")
    return DONE


def _template_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("study", metavar="STUDY")
    command.add_argument("--out", type=Path, default=Path(), metavar="DIR", help="default: here")
    command.add_argument("--force", action="store_true", help="write over files that exist")


TEMPLATE = Command(
    "template",
    "write an empty data file and its codebook",
    "Write two files to run a survey of your own: STUDY.csv, a row of column names to fill in, and "
    "STUDY_codebook.csv with each column's wording, factor and scale.",
    ("template alliance_mediation --out survey",),
    _template,
    _template_arguments,
)
