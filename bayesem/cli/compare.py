"""`bayesem compare`: rival models of the same data."""

import argparse
import json
from pathlib import Path
from typing import Any

from bayesem.cli.arguments import count, spread
from bayesem.cli.command import DONE, NOT_CONVERGED, Command
from bayesem.cli.printing import show
from bayesem.errors import DataError

__all__ = ["COMPARE"]


def _compare(a: argparse.Namespace) -> int:
    from bayesem.comparison.page import comparison_text
    from bayesem.comparison.ranking import compare
    from bayesem.storage import load_survey

    fits = {path.stem: load_survey(path) for path in a.fits}
    if len(fits) < len(a.fits):
        raise DataError("two of the files have one name.", hint="Rename one of them.")
    found = compare(fits, evidence=not a.no_evidence, k=a.k, by=a.by, seed=a.seed,
                    scheduler=a.scheduler, workers=a.workers, store=a.store,
                    progress=not a.quiet)  # fmt: skip
    show(a, lambda: comparison_text(found), lambda: _record(found))
    return DONE if all(fit.converged for fit in fits.values()) else NOT_CONVERGED


def _record(table: Any) -> dict[str, Any]:
    """A comparison's numbers by model, and what it says beside them."""
    return {
        "models": json.loads(table.to_json(orient="index")),
        "notes": list(table.attrs["notes"]),
        "reading": table.attrs["reading"].splitlines(),
    }


def _arguments(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("fits", type=Path, nargs="+", metavar="FIT.nc", help="from `bayesem fit --out`")
    add("--no-evidence", action="store_true", help="no evidence, no Bayes factors")
    add("--k", type=count, default=None, metavar="K", help="K-fold in the place of leave-one-out")
    add("--by", default=None, metavar="COLUMN", help="leave out whole groups of cases")
    add("--seed", type=int, default=0, metavar="N", help="same seed, same numbers (0)")
    spread(command)


COMPARE = Command(
    "compare",
    "compare rival models of the same data",
    "Rank fits that `bayesem fit --out` has kept: expected predictive density of a new case "
    "(leave-one-out, or K-fold), stacking weights, evidence and Bayes factors. Fits of different "
    "data are refused; fits of moments are compared by evidence only.",
    (
        "compare full.nc mediated.nc",
        "compare full.nc mediated.nc --k 10 --no-evidence --json",
    ),
    _compare,
    _arguments,
)
