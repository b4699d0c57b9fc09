"""`bayesem fit`: one model, one file of answers."""

import argparse
from pathlib import Path

from bayesem.cli.arguments import MODEL, priors, sampling
from bayesem.cli.command import DONE, NOT_CONVERGED, Command

__all__ = ["FIT"]


def _fit(a: argparse.Namespace) -> int:
    from bayesem.answers_file import read_csv
    from bayesem.model import read_model
    from bayesem.study_page import fit_page
    from bayesem.studying import fit_quietly

    found = fit_quietly(
        read_model(a.model), read_csv(a.data), priors=priors(a.priors), draws=a.draws, tune=a.tune,
        chains=a.chains, cores=a.cores, seed=a.seed, identify=a.identify,
    )  # fmt: skip
    if a.out:
        from bayesem.storage import save

        save(found, a.out)
    print(fit_page(found, standardized=a.standardized))
    return DONE if found.converged else NOT_CONVERGED


def _arguments(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("model", metavar="MODEL", help=MODEL)
    add("--data", type=Path, required=True, metavar="CSV", help="answers, a row per case")
    add("--out", type=Path, metavar="FIT.nc", help="keep the fit, as NetCDF")
    add("--standardized", action="store_true", help="show the standardised solution (std.all)")
    sampling(command, "marker")


FIT = Command(
    "fit",
    "fit a model to answers",
    "Fit a model to a CSV of answers and print its parameters with 95% intervals. Missing answers "
    "(empty cells) are used in full.",
    (
        "fit alliance_mediation --data survey.csv --out fit.nc --standardized",
        'fit mine.sem --data survey.csv --priors "paths=normal(0, 1)"',
    ),
    _fit,
    _arguments,
)
