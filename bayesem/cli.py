"""The command line: reads arguments, calls the package, prints. No logic of its own.

Exit codes: 0 done; 1 done, but a fit did not converge; 2 bad input; 70 a fault of the package;
130 stopped with Ctrl-C (what was done until then is printed);
141 the output was not read to its end.
"""

import argparse
import json
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from textwrap import fill
from typing import Any, NoReturn

from bayesem.errors import BayesemError, DataError, NotAvailableError, did_you_mean

__all__ = ["main"]

DONE, NOT_CONVERGED, BAD_INPUT, FAULT, STOPPED, UNREAD = 0, 1, 2, 70, 130, 141
PLANNED = {
    "report": "writes a notebook and an HTML page",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    argv = list(sys.argv[1:] if argv is None else argv)
    try:
        return _run(argv)
    except BayesemError as error:
        print(f"bayesem: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("\nbayesem: stopped before there was anything to show.", file=sys.stderr)
        return STOPPED
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNREAD
    except OSError as error:
        print(f"bayesem: {error}", file=sys.stderr)
        return BAD_INPUT
    except Exception:
        traceback.print_exc()
        print("bayesem: this is a fault of bayesem, not of your input.", file=sys.stderr)
        return FAULT


def _run(argv: Sequence[str]) -> int:
    if argv and argv[0] in PLANNED and not {"-h", "--help"} & set(argv[1:]):
        raise NotAvailableError(f"`bayesem {argv[0]}` is not available yet: it {PLANNED[argv[0]]}.")
    arguments = _parser().parse_args(argv)
    code = int(arguments.do(arguments))
    sys.stdout.flush()
    return code


# --- commands -------------------------------------------------------------------------------------


def _studies(_: argparse.Namespace) -> int:
    from bayesem.study_page import listing

    print(listing())
    return DONE


def _study(a: argparse.Namespace) -> int:
    from bayesem.answers_file import read_csv
    from bayesem.generator import asked_from
    from bayesem.study_record import record
    from bayesem.studying import run_study

    result = run_study(
        a.study, data=read_csv(a.data) if a.data else None, variant=a.variant, only=a.readings,
        segments=read_csv(a.segments) if a.segments else None, n=a.n, truth=asked_from(a.set),
        identify=a.identify, seed=a.seed,
        draws=a.draws, tune=a.tune, chains=a.chains, cores=a.cores,
        matrices=a.draws_of_matrix, priors=_priors(a.priors), save=a.save, progress=_progress(a),
    )  # fmt: skip
    _clear(a)
    print(json.dumps(record(result), indent=1, ensure_ascii=False) if a.json else result)
    if result.incomplete:
        return STOPPED
    return DONE if result.converged else NOT_CONVERGED


def _fit(a: argparse.Namespace) -> int:
    from bayesem.answers_file import read_csv
    from bayesem.model import read_model
    from bayesem.study_page import fit_page
    from bayesem.studying import fit_quietly

    found = fit_quietly(
        read_model(a.model), read_csv(a.data), priors=_priors(a.priors), draws=a.draws, tune=a.tune,
        chains=a.chains, cores=a.cores, seed=a.seed, identify=a.identify,
    )  # fmt: skip
    if a.out:
        from bayesem.storage import save

        save(found, a.out)
    print(fit_page(found, standardized=a.standardized))
    return DONE if found.converged else NOT_CONVERGED


def _assess(a: argparse.Namespace) -> int:
    from bayesem.storage import load
    from bayesem.verdicts import assess

    found = load(a.fit)
    print(assess(a.propositions, found))
    print(f"\n{found.convergence}")
    return DONE if found.converged else NOT_CONVERGED


def _rebuild(a: argparse.Namespace) -> int:
    from bayesem.publications.rebuild import rebuild

    moments = rebuild(a.study, a.reading, draws=1, seed=a.seed)[0]
    moments.cov.to_csv(a.out)
    print(
        f"{a.out}: covariance matrix of {len(moments.cov)} indicators (unit variances), "
        f"n = {moments.n}, reading {a.reading} of weight {moments.weight:.3g}."
    )
    return DONE


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


def _simulate(a: argparse.Namespace) -> int:
    from bayesem.answers_file import SYNTHETIC
    from bayesem.generator import asked_from, synthetic_answers

    data = synthetic_answers(
        a.model, a.n, asked=asked_from(a.set), rounded=not a.continuous, seed=a.seed
    )
    data.assign(**{SYNTHETIC: 1}).to_csv(a.out, index=False)
    print(f"{a.out}: {len(data)} SYNTHETIC rows; the column `{SYNTHETIC}` says so.")
    return DONE


def _template(a: argparse.Namespace) -> int:
    from bayesem.templates import write_template

    answers, book = write_template(a.study, a.out, force=a.force)
    print(f"{answers}: one column per question; fill in one row per case.")
    print(f"{book}: what each column asks, its factor and its scale.")
    return DONE


def _compare(a: argparse.Namespace) -> int:
    from bayesem.comparison.page import comparison_text
    from bayesem.comparison.ranking import compare
    from bayesem.storage import load

    fits = {path.stem: load(path) for path in a.fits}
    if len(fits) < len(a.fits):
        raise DataError("two of the files have one name.", hint="Rename one of them.")
    found = compare(fits, evidence=not a.no_evidence, k=a.k, by=a.by, seed=a.seed,
                    scheduler=a.scheduler, workers=a.workers, store=a.store,
                    progress=not a.quiet)  # fmt: skip
    if a.json:
        record = {"models": json.loads(found.to_json(orient="index")), **_said(found)}
        print(json.dumps(record, indent=1))
    else:
        print(comparison_text(found))
    return DONE if all(fit.converged for fit in fits.values()) else NOT_CONVERGED


def _said(table: Any) -> dict[str, Any]:
    """What a comparison says beside its numbers."""
    return {"notes": list(table.attrs["notes"]), "reading": table.attrs["reading"].splitlines()}


def _design(a: argparse.Namespace) -> int:
    from bayesem.campaigns.assurance import design
    from bayesem.campaigns.pages import design_record
    from bayesem.campaigns.truths import given_truth
    from bayesem.propositions import read_propositions

    claims = read_propositions(a.propositions or a.model)
    found = design(
        a.model, [claims[name] for name in a.only] or claims, given_truth(a.truth, a.set), n=a.n,
        replicates=a.replicates, assurance=a.assurance, answers=a.answers, draws=a.draws,
        tune=a.tune, chains=a.chains, priors=_priors(a.priors), identify=a.identify, seed=a.seed,
        store=a.store, scheduler=a.scheduler, workers=a.workers, progress=not a.quiet,
    )  # fmt: skip
    if a.figure:
        from bayesem.figures import plot_design

        plot_design(found, a.figure)
    print(json.dumps(design_record(found), indent=1) if a.json else found)
    if found.campaign.interrupted:
        return STOPPED
    return NOT_CONVERGED if found.not_converged else DONE


def _calibrate(a: argparse.Namespace) -> int:
    from bayesem.answers_file import read_csv
    from bayesem.campaigns.calibration import calibrate
    from bayesem.campaigns.pages import calibration_record

    found = calibrate(
        a.model, read_csv(a.data) if a.data else a.n, replicates=a.replicates, missing=a.missing,
        alpha=a.alpha, draws=a.draws, tune=a.tune, chains=a.chains, priors=_priors(a.priors),
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


def _priors(texts: Sequence[str]) -> Any:
    from bayesem.studying import priors_from

    return priors_from(texts)


# --- progress -------------------------------------------------------------------------------------


def _progress(a: argparse.Namespace) -> Callable[[Any], None] | None:
    """One line on stderr that is written over on a terminal, and a line a step elsewhere."""
    if a.quiet:
        return None
    start, end = ("\r\x1b[K", "") if sys.stderr.isatty() else ("", "\n")

    def tell(p: Any) -> None:
        count = f"{p.done + 1}/{p.total} " if p.total else ""
        clock = f"{int(p.seconds) // 60}:{int(p.seconds) % 60:02d}"
        print(f"{start}[{clock}] {count}{p.what}", end=end, file=sys.stderr, flush=True)

    return tell


def _clear(a: argparse.Namespace) -> None:
    if not a.quiet and sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)


# --- arguments ------------------------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one message, with a guess at what was meant."""

    def error(self, message: str) -> NoReturn:
        guess = ""
        if "invalid choice: '" in message:
            given = message.split("invalid choice: '")[1].split("'")[0]
            guess = " " + did_you_mean(given, [*COMMANDS, *PLANNED])
            message = f"there is no command `{given}`"
        print(f"bayesem: {message}.{guess}\n  See `{self.prog} --help`.", file=sys.stderr)
        sys.exit(BAD_INPUT)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="bayesem",
        description="Bayesian structural equation modelling: from survey theory to tested "
        "propositions.",
        epilog="Start with `bayesem studies`, then `bayesem run alliance_mediation`.\n"
        "Each command explains itself: `bayesem run --help`.\n"
        "Exit codes: 0 done; 1 done, but a fit did not converge; 2 bad input; 130 stopped.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"bayesem {version('bayesem')}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, title="commands")
    for name, (do, brief, text, arguments) in COMMANDS.items():
        command = commands.add_parser(
            name,
            help=brief,
            description=_filled(text),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        arguments(command)
        command.set_defaults(do=do)
    for name, text in PLANNED.items():
        commands.add_parser(name, help=f"(not available yet) {text}")
    return parser


def _filled(text: str) -> str:
    """Refill the paragraph; the examples under it stay as they are."""
    paragraph, _, examples = text.partition("\n\n")
    return f"{fill(paragraph, 79)}\n\n{examples}"


def _count(text: str) -> int:
    """A whole number of at least 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return value


def _states_argument(command: argparse.ArgumentParser) -> None:
    command.add_argument("--set", action="append", default=[], metavar="NAME=STATE",
        help="make a proposition true, false or reversed in the answers; repeatable")  # fmt: skip


def _sampling(
    command: argparse.ArgumentParser,
    metric: str | None,
    *,
    draws: int = 1000,
    tune: int = 1000,
    cores: bool = True,
) -> None:
    add = command.add_argument
    add("--identify", choices=("marker", "unit"), default=metric,
        help="what gives a factor its scale (" + ("the study's" if metric is None else metric)
        + ")")  # fmt: skip
    add("--draws", type=_count, default=draws, metavar="N", help=f"draws by chain ({draws})")
    add("--tune", type=_count, default=tune, metavar="N", help=f"tuning draws by chain ({tune})")
    add("--chains", type=_count, default=4, metavar="N", help="chains (4)")
    if cores:
        add("--cores", type=_count, default=None, metavar="N", help="processors (all)")
    add("--seed", type=int, default=1, metavar="N", help="same seed, same numbers (1)")
    add("--priors", action="append", default=[], metavar="TEXT",
        help='"default", "blavaan", or KIND=PRIOR ("paths=normal(0, 1)"); repeatable')  # fmt: skip


def _run_arguments(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("study", metavar="STUDY", help="a study's name")
    add("--data", type=Path, metavar="CSV", help="answers; without them, what is printed")
    add("--segments", type=Path, metavar="CSV",
        help="a code-by-segment table, in the place of a table of theme counts")  # fmt: skip
    add("--variant", metavar="NAME", help="a variant of the study's model, and that alone")
    add("--n", type=_count, default=None, metavar="N",
        help="synthetic cases, of a study without data (400)")  # fmt: skip
    _states_argument(command)
    add("--readings", nargs="+", default=[], metavar="R", help="only these readings of the tables")
    add("--draws-of-matrix", type=_count, default=4, metavar="N",
        help="rebuilt matrices by reading of weight 0.01 or more (4), else 1")  # fmt: skip
    add("--save", type=Path, metavar="DIR", help="keep every fit there, as NetCDF")
    add("--json", action="store_true", help="print JSON in place of tables")
    add("--quiet", action="store_true", help="no progress on stderr")
    _sampling(command, None)


def _fit_arguments(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("model", metavar="MODEL", help="a study, study:variant, a .sem file, or model text")
    add("--data", type=Path, required=True, metavar="CSV", help="answers, a row per case")
    add("--out", type=Path, metavar="FIT.nc", help="keep the fit, as NetCDF")
    add("--standardized", action="store_true", help="show the standardised solution (std.all)")
    _sampling(command, "marker")


def _assess_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("fit", type=Path, metavar="FIT.nc", help="from `bayesem fit --out`")
    command.add_argument("propositions", metavar="PROPOSITIONS", help="a study or a .toml file")


def _rebuild_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("study", metavar="STUDY")
    command.add_argument("reading", metavar="READING", help="such as T")
    command.add_argument("--out", type=Path, required=True, metavar="S.csv")
    command.add_argument("--seed", type=int, default=1, metavar="N")


def _audit_arguments(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add(
        "source", metavar="SOURCE", help="a study, a codebook (.toml), or a .sem with one beside it"
    )
    add("--all", action="store_true", help="also list what is consistent")
    add("--quick", action="store_true", help="do not weigh the readings of the path tables")
    add("--json", action="store_true", help="print JSON in place of a table")


def _simulate_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("model", metavar="MODEL", help="study, study:variant, .sem file or text")
    command.add_argument("--n", type=_count, required=True, metavar="N", help="rows")
    command.add_argument("--continuous", action="store_true",
        help="do not round to the codebook's answer scale")  # fmt: skip
    _states_argument(command)
    command.add_argument("--out", type=Path, required=True, metavar="CSV")
    command.add_argument("--seed", type=int, default=1, metavar="N")


def _template_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("study", metavar="STUDY")
    command.add_argument("--out", type=Path, default=Path(), metavar="DIR", help="default: here")
    command.add_argument("--force", action="store_true", help="write over files that exist")


def _sizes(text: str) -> tuple[int, ...]:
    """Sample sizes, ``100,200,400``."""
    return tuple(_count(part) for part in text.split(","))


def _none_or_more(text: str) -> int:
    """A whole number of at least 0."""
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is below 0")
    return value


def _spread_arguments(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--store", type=Path, metavar="DIR.zarr",
        help="keep replicates there; a run that was stopped goes on")  # fmt: skip
    add("--workers", type=_none_or_more, default=None, metavar="N",
        help="local processes (one per core); 0: this one")  # fmt: skip
    add("--scheduler", metavar="ADDRESS", help="a Dask scheduler, tcp://HOST:8786")
    add("--json", action="store_true", help="print JSON in place of tables")
    add("--quiet", action="store_true", help="no progress on stderr")


def _compare_arguments(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("fits", type=Path, nargs="+", metavar="FIT.nc", help="from `bayesem fit --out`")
    add("--no-evidence", action="store_true", help="no evidence, no Bayes factors")
    add("--k", type=_count, default=None, metavar="K", help="K-fold in the place of leave-one-out")
    add("--by", default=None, metavar="COLUMN", help="leave out whole groups of cases")
    add("--seed", type=int, default=0, metavar="N", help="same seed, same numbers (0)")
    _spread_arguments(command)


def _design_arguments(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("model", metavar="MODEL", help="a study, study:variant, a .sem file, or model text")
    add("--propositions", metavar="FILE", help="a study or a .toml file (the model's study)")
    add("--only", nargs="+", default=[], metavar="NAME", help="only these propositions")
    add("--n", type=_sizes, default=(100, 200, 400), metavar="N,N",
        help="sample sizes (100,200,400)")  # fmt: skip
    add("--replicates", type=_count, default=200, metavar="R", help="of each size (200)")
    add("--assurance", type=float, default=0.8, metavar="P",
        help="probability to find the smallest n for (0.8)")  # fmt: skip
    add("--truth", action="append", default=[], metavar="NAME=VALUE",
        help="a parameter's true value, by label; repeatable")  # fmt: skip
    _states_argument(command)
    add("--answers", action="store_true", help="round to the codebook's answer scale")
    add("--figure", type=Path, metavar="FILE.pdf", help="draw the shares over n")
    _spread_arguments(command)
    _sampling(command, "marker", draws=800, tune=400, cores=False)


def _calibrate_arguments(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("model", metavar="MODEL", help="a study, study:variant, a .sem file, or model text")
    add("--data", type=Path, metavar="CSV", help="answers like those to be fitted")
    add("--n", type=_count, default=200, metavar="N", help="cases, without --data (200)")
    add("--missing", type=float, default=0.0, metavar="SHARE",
        help="share of cells to empty at random, without --data (0)")  # fmt: skip
    add("--replicates", type=_count, default=200, metavar="R", help="data sets (200)")
    add("--alpha", type=float, default=0.01, metavar="P",
        help="probability of a false alarm, over all quantities (0.01)")  # fmt: skip
    add("--figure", type=Path, metavar="FILE.pdf", help="draw the ranks' distributions")
    _spread_arguments(command)
    _sampling(command, "marker", cores=False)


def _nothing(_: argparse.ArgumentParser) -> None:
    """A command without arguments."""


COMMANDS: dict[str, tuple[Callable[[argparse.Namespace], int], str, str, Callable[..., None]]] = {
    "studies": (
        _studies, "list the studies that ship",
        "List the studies that ship with bayesem: source, size of the model, variants.\n\n"
        "Example:\n  bayesem studies", _nothing,
    ),
    "run": (
        _study, "run a study: fit, and judge its propositions",
        "Run a study and judge its propositions. Without --data it runs on what the paper\n"
        "prints: every way to read the printed tables is rebuilt as covariance matrices,\n"
        "each matrix is fitted, and verdicts are given under each reading and pooled over\n"
        "all by weight; of a table of theme counts, claims on shares are judged. A study of\n"
        "a paper without data runs on synthetic answers, drawn from the truth that it\n"
        "declares (one with theme counts, where --n or --set asks for them). With --data it\n"
        "runs on your answers: a CSV with the columns that `bayesem template STUDY` lists;\n"
        "every model that a proposition names is fitted. Ctrl-C keeps and prints what is\n"
        "done.\n\n"
        "Examples:\n  bayesem run alliance_mediation\n"
        "  bayesem run alliance_mediation --readings T D --json\n"
        "  bayesem run alliance_mediation --data survey.csv --save fits\n"
        "  bayesem run export_strategy --n 400 --set P2=reversed\n"
        "  bayesem run facilitated_alliance", _run_arguments,
    ),
    "fit": (
        _fit, "fit a model to answers",
        "Fit a model to a CSV of answers and print its parameters with 95% intervals.\n"
        "Missing answers (empty cells) are used in full.\n\nExamples:\n"
        "  bayesem fit alliance_mediation --data survey.csv --out fit.nc --standardized\n"
        '  bayesem fit mine.sem --data survey.csv --priors "paths=normal(0, 1)"', _fit_arguments,
    ),
    "assess": (
        _assess, "judge propositions on a fit",
        "Judge propositions on a fit that `bayesem fit --out` has kept. Propositions are a\n"
        "study's or a TOML file of your own.\n\nExample:\n"
        "  bayesem assess fit.nc alliance_mediation", _assess_arguments,
    ),
    "audit": (
        _audit, "recompute what a paper prints",
        "Hold every number that a paper prints against the others: AVE and reliability against\n"
        "loadings, errors against critical ratios, p, Sobel tests, fit indices, percentages,\n"
        "means, correlations, text against tables. Rounding is allowed for. The [printed] part\n"
        "of a codebook says what is printed; see docs/audit.md. Findings are a result: the exit\n"
        "code is 0 with and without them.\n\n"
        "Examples:\n  bayesem audit alliance_mediation\n"
        "  bayesem audit paper.toml --quick --all", _audit_arguments,
    ),
    "rebuild": (
        _rebuild, "write a covariance matrix that a paper's tables imply",
        "Write a covariance matrix that one reading of a paper's printed tables implies, as\n"
        "a CSV with names, for any other program. `bayesem run STUDY` lists the readings.\n\n"
        "Example:\n  bayesem rebuild alliance_mediation T --out S.csv", _rebuild_arguments,
    ),
    "simulate": (
        _simulate, "write synthetic answers",
        "Write synthetic answers drawn from a model, on its codebook's answer scale if it has\n"
        "one. A study that declares a truth is drawn from that, and --set changes it. The last\n"
        "column, `synthetic`, says what they are, and everything computed from the file repeats\n"
        "it.\n\nExamples:\n"
        "  bayesem simulate alliance_mediation --n 190 --out answers.csv\n"
        "  bayesem simulate export_strategy --n 400 --out x.csv --set P2=reversed",
        _simulate_arguments,
    ),
    "template": (
        _template, "write an empty data file and its codebook",
        "Write two files to run a survey of your own: STUDY.csv, a row of column names to\n"
        "fill in, and STUDY_codebook.csv with each column's wording, factor and scale.\n\n"
        "Example:\n  bayesem template alliance_mediation --out survey", _template_arguments,
    ),
    "compare": (
        _compare, "compare rival models of the same data",
        "Rank fits that `bayesem fit --out` has kept: expected predictive density of a new\n"
        "case (leave-one-out, or K-fold), stacking weights, evidence and Bayes factors. Fits of\n"
        "different data are refused; fits of moments are compared by evidence only.\n\n"
        "Examples:\n  bayesem compare full.nc mediated.nc\n"
        "  bayesem compare full.nc mediated.nc --k 10 --no-evidence --json", _compare_arguments,
    ),
    "design": (
        _design, "find the sample size that propositions need",
        "Simulate whole studies: data of n cases from a stated truth, a fit, a verdict on each\n"
        "proposition. Printed are the shares of decisive verdicts by n with their Monte-Carlo\n"
        "errors, and the smallest n for a stated probability. The truth is a study's own, or\n"
        "declared values that --truth changes; the answer is as good as the truth. Exit code 1:\n"
        "some chains did not converge (their verdicts are withheld). Ctrl-C prints what is\n"
        "done.\n\n"
        "Examples:\n"
        "  bayesem design alliance_mediation --only H1 H2a --n 100,200,400\n"
        "  bayesem design mine.sem --propositions mine.toml --truth b=0.2 --store d.zarr\n"
        "  bayesem design alliance_mediation --replicates 999 --scheduler tcp://hpc:8786",
        _design_arguments,
    ),
    "calibrate": (
        _calibrate, "check the whole procedure on data from its own prior",
        "Simulation-based calibration: draw parameters from the prior, data from them, fit, and\n"
        "look where the truth stands among the posterior's draws. All ranks must be equally\n"
        "frequent; a test with a stated probability of a false alarm says whether they are.\n"
        "Exit code 1: they are not. Ctrl-C prints what is done.\n\n"
        "Examples:\n  bayesem calibrate alliance_mediation --n 190 --replicates 500\n"
        "  bayesem calibrate mine.sem --data survey.csv --store c.zarr --figure ranks.pdf",
        _calibrate_arguments,
    ),
}  # fmt: skip
