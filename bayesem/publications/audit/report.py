"""The audit of a paper: every check, one table."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd

from bayesem.publications.audit.coefficients import coefficients
from bayesem.publications.audit.findings import Finding, unknown
from bayesem.publications.audit.fit import fit
from bayesem.publications.audit.indirect import indirect
from bayesem.publications.audit.intervals import Printed
from bayesem.publications.audit.matrices import matrices
from bayesem.publications.audit.misprints import misprints
from bayesem.publications.audit.moments import moments
from bayesem.publications.audit.paper import Paper, read_paper
from bayesem.publications.audit.paths import paths
from bayesem.publications.audit.quotations import quotations
from bayesem.publications.audit.regressions import regressions
from bayesem.publications.audit.reliability import reliability
from bayesem.publications.audit.results import results
from bayesem.publications.audit.samples import samples

__all__ = ["CHECKS", "audit", "findings"]

#: In the order of the table. Each takes a paper and yields findings.
CHECKS: tuple[Callable[[Paper], Iterator[Finding]], ...] = (
    samples, moments, reliability, matrices, fit, paths, coefficients, results,
    indirect, regressions, quotations,
)  # fmt: skip
COLUMNS = (
    "item", "printed", "recomputed", "verdict", "difference", "where", "remedy", "check", "low",
    "high", "beyond", "misprint",
)  # fmt: skip


def findings(paper: Paper, *, rebuild: bool = False) -> list[Finding]:
    """What each check says, in order."""
    found = [one for check in CHECKS for one in check(paper)]
    for name, hint in paper.transcript.unknown:
        said = f"no check knows this table. {hint}"
        found.append(unknown("table", f"[printed.{name}]", None, name, said))
    if rebuild:
        found.extend(misprints(paper))
    return found


def audit(source: str | Path, *, rebuild: bool = True) -> pd.DataFrame:
    """Recompute what a paper prints, and hold it against the rest of what it prints.

    Every printed number stands for the interval of all numbers that round to it, so that what is
    called inconsistent cannot be the work of rounding.

    Parameters
    ----------
    source : str or Path
        A study's name, a codebook (``.toml``), or a graph (``.sem``) with a codebook beside it.
    rebuild : bool, default True
        Also weigh all readings of the path tables and give each cell's probability of a
        misprint (half a minute for twenty readings; needs a graph, loadings and chi-square).

    Returns
    -------
    DataFrame
        A row per comparison: ``item printed recomputed verdict difference where remedy`` and
        ``check low high beyond misprint``. ``verdict`` is ``consistent``, ``inconsistent`` or ``not
        checkable``; ``difference`` is printed less recomputed, ``beyond`` what of it rounding
        cannot explain; ``low`` and ``high`` bound the recomputed number. ``remedy`` says what
        would make both true and, of what is not checkable, why. ``attrs`` has ``title``, ``source``
        and ``sha256`` of the codebook, and ``digits`` by row.

    Raises
    ------
    StudyError
        If there is no codebook or it is badly transcribed, with file and line.

    Examples
    --------
    >>> table = audit("alliance_mediation", rebuild=False)
    >>> row = table[table["item"] == "AVE of RSC"].iloc[0]
    >>> row["printed"], round(row["recomputed"], 3), row["verdict"]
    (0.734, 0.507, 'inconsistent')
    """
    paper = read_paper(source)
    return as_table(paper, findings(paper, rebuild=rebuild))


def as_table(paper: Paper, found: list[Finding]) -> pd.DataFrame:
    """Findings as the table that `audit` returns."""
    table = pd.DataFrame([_row(one) for one in found], columns=list(COLUMNS))
    table = table.astype({"printed": object, "recomputed": object})
    book = paper.transcript.book
    table.attrs = {
        "title": book.title, "source": book.source, "sha256": book.sha256, "file": str(book.path),
        "digits": [one.printed.digits if isinstance(one.printed, Printed) else 3 for one in found],
        "shown": [
            one.printed.shown if isinstance(one.printed, Printed) else one.printed for one in found
        ],
    }  # fmt: skip
    return table


def _row(one: Finding) -> dict[str, object]:
    printed = one.printed
    if isinstance(printed, Printed):
        printed_value: object = printed.value if printed.plain else printed.shown
    else:
        printed_value = printed
    low, high = (one.interval.low, one.interval.high) if one.interval else (None, None)
    return {
        "item": one.item, "printed": printed_value, "recomputed": one.recomputed,
        "verdict": one.verdict, "difference": one.difference, "where": one.where,
        "remedy": one.remedy, "check": one.check, "low": low, "high": high, "beyond": one.beyond,
        "misprint": one.misprint,
    }  # fmt: skip
