"""`bayesem audit` and `bayesem rebuild`: what a paper prints."""

import argparse
import json
import sys
from pathlib import Path

from bayesem.cli.command import DONE, Command

__all__ = ["AUDIT", "REBUILD"]


def _audit(a: argparse.Namespace) -> int:
    from bayesem.publications.audit.page import audit_record, audit_text
    from bayesem.publications.audit.report import audit

    if not a.quick and sys.stderr.isatty():
        print("weighing the readings of the printed tables (--quick: not)", file=sys.stderr)
    found = audit(a.source, rebuild=not a.quick)
    if a.json:
        print(json.dumps(audit_record(found), indent=1, ensure_ascii=False))
    else:
        print(audit_text(found, every=a.all))
    return DONE


def _audit_arguments(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add(
        "source", metavar="SOURCE", help="a study, a codebook (.toml), or a .sem with one beside it"
    )
    add("--all", action="store_true", help="also list what is consistent")
    add("--quick", action="store_true", help="do not weigh the readings of the path tables")
    add("--json", action="store_true", help="print JSON in place of a table")


AUDIT = Command(
    "audit",
    "recompute what a paper prints",
    "Hold every number that a paper prints against the others: AVE and reliability against "
    "loadings, errors against critical ratios, p, Sobel tests, fit indices, percentages, means, "
    "correlations, text against tables. Rounding is allowed for. The [printed] part of a codebook "
    "says what is printed; see docs/audit.md. Findings are a result: the exit code is 0 with and "
    "without them.",
    ("audit alliance_mediation", "audit paper.toml --quick --all"),
    _audit,
    _audit_arguments,
)


def _rebuild(a: argparse.Namespace) -> int:
    from bayesem.publications.rebuild import rebuild

    moments = rebuild(a.study, a.reading, draws=1, seed=a.seed)[0]
    moments.cov.to_csv(a.out)
    print(
        f"{a.out}: covariance matrix of {len(moments.cov)} indicators (unit variances), "
        f"n = {moments.n}, reading {a.reading} of weight {moments.weight:.3g}."
    )
    return DONE


def _rebuild_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("study", metavar="STUDY")
    command.add_argument("reading", metavar="READING", help="such as T")
    command.add_argument("--out", type=Path, required=True, metavar="S.csv")
    command.add_argument("--seed", type=int, default=1, metavar="N")


REBUILD = Command(
    "rebuild",
    "write a covariance matrix that a paper's tables imply",
    "Write a covariance matrix that one reading of a paper's printed tables implies, as a CSV with "
    "names, for any other program. `bayesem run STUDY` lists the readings.",
    ("rebuild alliance_mediation T --out S.csv",),
    _rebuild,
    _rebuild_arguments,
)
