"""`bayesem report`: a kept fit and its propositions as notebook, page and Word document."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bayesem.cli.command import DONE, NOT_CONVERGED, STOPPED, Command
from bayesem.errors import DataError

__all__ = ["REPORT"]


def _report(a: argparse.Namespace) -> int:
    try:
        return _written(a)
    except KeyboardInterrupt:
        notebook = a.out.with_suffix(".ipynb") if a.out.suffix else a.out / "report.ipynb"
        if not notebook.is_file():
            raise
        print(f"\nbayesem: stopped. {notebook} holds what was run.", file=sys.stderr)
        return STOPPED


def _written(a: argparse.Namespace) -> int:
    from bayesem.reporting.report import report
    from bayesem.storage import load, load_readings, load_survey

    fit = load_readings(a.fit) if _is_folder(a.fit) else load(a.fit)
    rivals = {name: load_survey(path) for name, path in _rivals(a.rival)}
    found = report(
        fit, a.propositions, a.out, formats=_formats(a), rivals=rivals, files=a.file,
        title=a.title, seed=a.seed, progress=None if a.quiet else _teller(),
    )  # fmt: skip
    written = [p for p in (found.html, found.document, found.notebook, found.references) if p]
    if a.json:
        record = {
            "files": [str(path) for path in written], "folder": str(found.folder),
            "converged": found.converged, "seconds": round(found.seconds, 1),
        }  # fmt: skip
        print(json.dumps(record, indent=1, ensure_ascii=False))
    else:
        print("\n".join(map(str, written)))
        if not found.converged:
            print("NOT CONVERGED: the report gives no verdict.")
    return DONE if found.converged else NOT_CONVERGED


def _is_folder(path: Path) -> bool:
    return path.is_dir() and path.suffix != ".zarr"


def _formats(a: argparse.Namespace) -> tuple[str, ...] | None:
    if not a.docx:
        return None
    return ("docx", "ipynb") if a.out.suffix == ".docx" else ("html", "ipynb", "docx")


def _rivals(texts: Sequence[str]) -> list[tuple[str, Path]]:
    pairs = [text.partition("=") for text in texts]
    for text, (name, _, path) in zip(texts, pairs, strict=True):
        if not name or not path:
            raise DataError(f"--rival {text!r} is no NAME=FIT.nc.", hint="Such as full=full.nc.")
    names = [name for name, *_ in pairs]
    if len(set(names)) < len(names):
        raise DataError("two rivals have one name.", hint="Give each a name of its own.")
    return [(name, Path(path)) for name, _, path in pairs]


def _teller() -> Callable[[int, int, str], None]:
    start = time.perf_counter()

    def tell(number: int, total: int, title: str) -> None:
        seconds = int(time.perf_counter() - start)
        clock = f"{seconds // 60}:{seconds % 60:02d}"
        print(f"[{clock}] {number + 1}/{total} {title}", file=sys.stderr, flush=True)

    return tell


def _arguments(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("fit", type=Path, metavar="FIT.nc", help="from `bayesem fit --out`, or the folder of "
        "`bayesem run --save`: readings of one paper, pooled")  # fmt: skip
    add("propositions", metavar="PROPOSITIONS", help="a study or a .toml file")
    add("--out", type=Path, default=Path("report.html"), metavar="FILE",
        help="FILE.html, FILE.docx, FILE.ipynb or a folder (report.html)")  # fmt: skip
    add("--docx", action="store_true", help="a Word document as well")
    add("--rival", action="append", default=[], metavar="NAME=FIT.nc",
        help="another model of the same data, to compare; repeatable")  # fmt: skip
    add("--file", type=Path, action="append", default=[], metavar="FILE",
        help="a file whose SHA-256 the report prints, such as the data; repeatable")  # fmt: skip
    add("--title", metavar="TEXT", help="the report's title (the study's)")
    add("--seed", type=int, default=0, metavar="N", help="same seed, same numbers (0)")
    add("--json", action="store_true", help="print JSON: the files, and whether all converged")
    add("-q", "--quiet", action="store_true", help="no progress on stderr")


REPORT = Command(
    "report",
    "write a notebook and an HTML page",
    "Write a report on a fit that `bayesem fit --out` has kept: an executed notebook, and from it "
    "one HTML page that needs no network, or a Word document. Verdicts come first, each with its "
    "prior and its main weakness; every number links to the cell that makes it. Ctrl-C leaves the "
    "part of the notebook that has been run.",
    (
        "report fit.nc alliance_mediation --out alliance.html",
        "report fit.nc mine.toml --out reports --docx --rival full=full.nc",
        "report readings alliance_mediation --out pooled.html",
    ),
    _report,
    _arguments,
)
