"""`bayesem.report`: a fit and its propositions, as a notebook, a page and a Word document."""

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bayesem.concerning import concerns
from bayesem.counts.fit import CountFit
from bayesem.data import Moments
from bayesem.errors import DataError, ModelError, NotAvailableError
from bayesem.posterior import Fit
from bayesem.propositions import PropositionSet
from bayesem.reporting.bibliography import bibliography
from bayesem.reporting.cells import Sources, cells, count_cells
from bayesem.reporting.counting import book_of
from bayesem.reporting.document import write_document
from bayesem.reporting.origin import by_reading, kind_of_data
from bayesem.reporting.page import page, parts
from bayesem.reporting.propositions_file import put_propositions
from bayesem.reporting.running import notebook_of, run, write_notebook
from bayesem.reporting.summarising import every
from bayesem.seeds import check_seed
from bayesem.storage import save
from bayesem.verdicts import claims_of

__all__ = ["Report", "report"]

FORMATS = ("html", "ipynb", "docx")
#: What is written by the ending of the path, where no formats are asked for.
BY_ENDING: Mapping[str, tuple[str, ...]] = {
    ".html": ("html", "ipynb"), ".ipynb": ("ipynb",), ".docx": ("docx", "ipynb"),
    "": ("html", "ipynb"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Report:
    """The files of a report.

    Attributes
    ----------
    html, document : Path or None
        The page, and the Word document, where they were asked for.
    notebook : Path
        Executed; its cells make every number.
    references : Path
        BibTeX.
    folder : Path
        What the notebook reads: fits and propositions.
    converged : bool
        Whether every fit converged. If not, the report gives no verdict.
    seconds : float
    """

    html: Path | None
    document: Path | None
    notebook: Path
    references: Path
    folder: Path
    converged: bool
    seconds: float


def report(
    fit: Any,
    propositions: Any,
    path: str | Path,
    *,
    formats: Sequence[str] | None = None,
    rivals: Mapping[str, Fit] | None = None,
    files: Iterable[str | Path] = (),
    title: str | None = None,
    seed: int = 0,
    progress: Callable[[int, int, str], None] | None = None,
) -> Report:
    """Write a report: an executed notebook, and from it one HTML page or a Word document.

    The fit is saved beside the notebook, whose cells load it and call public functions; so every
    number comes from a cell that anybody can see and run again. The page is one file that loads
    nothing and has no script. What the data cannot give (moments have no cases, models with
    products no chi-square) is quoted as the refusal that the package gives. A fit that did not
    converge gets a banner and no verdict.

    Parameters
    ----------
    fit : Fit or {name: Fit or list of Fit}
        Of several readings the verdicts are pooled by weight; tables of parameters are of the first
        fit of the heaviest reading.
    propositions : PropositionSet, iterable of Proposition, {name: claim}, study or path
    path : str or Path
        ``x.html`` (with ``x.ipynb``), ``x.docx`` (likewise), ``x.ipynb``, or a folder, in which the
        files are called ``report``. Beside them stand ``x.bib`` and the folder ``x_files``.
    formats : sequence of {"html", "ipynb", "docx"}, optional
        In the place of what the path's ending says. The notebook is always written.
    rivals : {name: Fit}, optional
        Other models of the same data, to compare.
    files : iterable of paths
        Whose SHA-256 the report shall print: the data file, say.
    title : str, optional
    seed : int
        Of everything that the report draws (replicated data, reweighting).
    progress : callable, optional
        Called before each section with its number, how many there are, and its title.

    Returns
    -------
    Report

    Raises
    ------
    NotAvailableError
        For theme counts; without the extra ``report``; for a fit that cannot be saved.
    DataError
        For a path that cannot be written to.
    PropositionError
        For claims that cannot be read, or that name what the model does not have.

    Examples
    --------
    >>> sem.report(fit, {"P1": "a > 0"}, "out/trust.html")  # doctest: +SKIP
    """
    start = time.perf_counter()
    check_seed(seed)
    target, wanted = _target(Path(path), formats)
    _check(fit, rivals)
    folder = target.with_name(f"{target.name}_files")
    folder.mkdir(exist_ok=True)
    known = put_propositions(propositions, folder / "propositions.toml")
    sources = _put(fit, known, rivals or {}, files, folder, seed)
    named = title or _title(fit)
    sections = count_cells if isinstance(fit, CountFit) else cells
    book = notebook_of(list(sections(sources)), named)
    notebook, references = _beside(target, ".ipynb"), _beside(target, ".bib")
    main = _main(fit)
    references.write_text(bibliography(main, rivals=bool(rivals)), "utf-8")
    try:
        run(book, target.parent, progress or (lambda *_: None))
    finally:  # what has been run stays, whatever happened
        write_notebook(book, notebook)
    found = list(parts(book))
    html = _beside(target, ".html") if "html" in wanted else None
    if html is not None:
        html.write_text(page(found, named, _subtitle(main)), "utf-8")
    document = _beside(target, ".docx") if "docx" in wanted else None
    if document is not None:
        write_document(found, named, _subtitle(main), document)
    converged = all(one.converged for one in every(fit))
    return Report(html, document, notebook, references, folder, converged,
                  time.perf_counter() - start)  # fmt: skip


# --- where ----------------------------------------------------------------------------------------


def _target(path: Path, formats: Sequence[str] | None) -> tuple[Path, tuple[str, ...]]:
    """The files' common name, and what to write."""
    if path.is_dir() or not path.suffix:
        path.mkdir(exist_ok=True)
        path = path / "report"
    elif path.suffix not in BY_ENDING:
        raise DataError(
            f"{str(path)!r} ends in none of .html, .docx, .ipynb.", hint="Use one, or a folder."
        )
    wanted = BY_ENDING[path.suffix] if formats is None else tuple(formats)
    for one in wanted:
        if isinstance(formats, str) or one not in FORMATS:
            raise DataError(
                f"formats has {one!r}.", hint=f"Give a list of some of {', '.join(FORMATS)}."
            )
    if not path.parent.is_dir():
        raise DataError(f"there is no folder {str(path.parent)!r} to write in.", hint="Create it.")
    return path.with_suffix("") if path.suffix else path, wanted


def _beside(target: Path, ending: str) -> Path:
    return target.with_name(target.name + ending)


# --- what -----------------------------------------------------------------------------------------


def _check(fit: Any, rivals: Mapping[str, Fit] | None) -> None:
    fits = [*every(fit), *(rivals or {}).values()]
    if not fits:
        raise ModelError("there is no fit to report.", hint="Give what `sem.fit(...)` returns.")
    if isinstance(fit, CountFit) and not rivals:
        return
    for one in fits:
        if isinstance(one, CountFit):
            raise NotAvailableError(
                "a report on theme counts is on one fit, without rivals or readings.",
                hint="Report it alone: `sem.report(counts, propositions, path)`.",
            )
        if not isinstance(one, Fit):
            raise ModelError(
                f"a fit is a {type(one).__name__}.", hint="Give what `sem.fit(...)` returns."
            )
    if rivals and isinstance(fit, Mapping):
        raise ModelError(
            "rivals are compared with one fit, and these are several readings.",
            hint="Report the readings without rivals.",
        )


def _main(fit: Any) -> Fit:
    if not isinstance(fit, Mapping):
        return fit  # type: ignore[no-any-return]
    first: Fit = by_reading(fit)[_heaviest(fit)][0]
    return first


def _heaviest(fits: Mapping[str, Any]) -> str:
    each = by_reading(fits)

    def weight(name: str) -> float:
        data = each[name][0].data
        return float(data.weight) if isinstance(data, Moments) else 1.0

    return max(each, key=weight)


def _put(
    fit: Any,
    propositions: PropositionSet,
    rivals: Mapping[str, Fit],
    files: Iterable[str | Path],
    folder: Path,
    seed: int,
) -> Sources:
    """Save what the notebook reads, under names of our own."""
    where = folder.name
    main = None
    if isinstance(fit, Mapping):
        saved: Any = {}
        count = 0
        for name, mine in by_reading(fit).items():
            paths = []
            for one in mine:
                count += 1
                paths.append(_saved(one, folder / f"fit-{count}.nc"))
            saved[name] = paths
        main = (_heaviest(fit), 0)
        shown = {}
    else:
        saved = _saved(fit, folder / "fit.nc")
        shown = {"The fit, saved": saved}
    others = {
        str(name): _saved(one, folder / f"rival-{k}.nc")
        for k, (name, one) in enumerate(rivals.items(), 1)
    }
    own = next(n for n in ("this model", "the reported model", "reported") if n not in others)
    prints = shown | {Path(f).name: _from(folder.parent, Path(f)) for f in files}
    fits = every(fit)
    names = tuple(
        item.name for item in claims_of(propositions) if any(concerns(item, f) for f in fits)
    )  # of the others there is nothing to show
    return Sources(saved, main, f"{where}/propositions.toml", names, others, prints, own, seed,
                   _named(where, saved))  # fmt: skip


def _named(where: str, saved: Any) -> dict[str, str]:
    """What belongs to the report, and where it lies."""
    stem = where.removesuffix("_files")
    one = isinstance(saved, str)
    fits = [("", saved)] if one else [(f", {k}", p) for k, paths in saved.items() for p in paths]
    files = {"Notebook, executed": f"{stem}.ipynb", "References, BibTeX": f"{stem}.bib",
             "Propositions": f"{where}/propositions.toml"}  # fmt: skip
    many = len(fits) > 1
    return files | {
        f"Fit {k}{reading} (NetCDF)" if many else "Fit (NetCDF)": p
        for k, (reading, p) in enumerate(fits, 1)
    }


def _from(folder: Path, path: Path) -> str:
    """A path as the notebook sees it: relative, so that no page tells where it was made."""
    if not path.is_file():
        raise DataError(f"there is no file {str(path)!r}.", hint="Check its name.")
    try:
        return path.resolve().relative_to(folder.resolve(), walk_up=True).as_posix()
    except ValueError:  # another drive
        return str(path.resolve())


def _saved(fit: Fit, path: Path) -> str:
    save(fit, path)
    return f"{path.parent.name}/{path.name}"


# --- words ----------------------------------------------------------------------------------------


def _title(fit: Any) -> str:
    main = _main(fit)
    book = book_of(main) if isinstance(main, CountFit) else main.model.codebook
    if book is not None:
        return book.title
    return f"Report on {main.model.name}" if main.model.name else "Report on a model"


def _subtitle(fit: Fit) -> str:
    when = time.strftime("%d %B %Y")
    name = re.sub(r"\s+", " ", fit.model.name or "model")
    return f"{name}, fitted to {kind_of_data([fit])}. Written by bayesem on {when}."
