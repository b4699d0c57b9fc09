"""`bayesem studies` and `bayesem template`: what ships, and a survey of one's own."""

import argparse
from pathlib import Path

from bayesem.cli.arguments import output
from bayesem.cli.command import DONE, Command
from bayesem.cli.printing import show

__all__ = ["STUDIES", "TEMPLATE"]


def _studies(a: argparse.Namespace) -> int:
    from bayesem.study_page import listing
    from bayesem.study_record import listed

    show(a, listing, listed)
    return DONE


def _studies_arguments(command: argparse.ArgumentParser) -> None:
    output(command, slow=False)


STUDIES = Command(
    "studies",
    "list the studies that ship",
    "List the studies that ship with bayesem: source, size of the model, variants.",
    ("studies", "studies --json"),
    _studies,
    _studies_arguments,
)


def _template(a: argparse.Namespace) -> int:
    from bayesem.templates import write_template

    answers, book = write_template(a.study, a.out, force=a.force)
    text = (
        f"{answers}:\n  one column per question; fill in one row per case.\n"
        f"{book}:\n  what each column asks, its factor and its scale."
    )
    show(a, lambda: text, lambda: {"answers": str(answers), "codebook": str(book)})
    return DONE


def _template_arguments(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("study", metavar="STUDY", help="a study, or study:variant")
    add("--out", type=Path, default=Path(), metavar="DIR", help="where to (here)")
    add("--force", action="store_true", help="write over files that exist")
    output(command, slow=False)


TEMPLATE = Command(
    "template",
    "write an empty data file and its codebook",
    "Write two files to run a survey of your own: STUDY.csv, a row of column names to fill in, and "
    "STUDY_codebook.csv with each column's wording, factor and scale.",
    ("template alliance_mediation --out survey",),
    _template,
    _template_arguments,
)
