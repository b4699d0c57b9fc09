"""Accepted or rejected: by p of the row, and by the critical ratio printed for the same path."""

from collections.abc import Iterator

from bayesem.publications.audit.findings import Finding, conflict, unknown
from bayesem.publications.audit.intervals import Printed
from bayesem.publications.audit.paper import Paper
from bayesem.publications.audit.paths import arrow, p_range, ratio_of, z_of
from bayesem.publications.audit.transcribe import Row, Table

__all__ = ["results"]

ALPHA = 0.05
REJECTED = ("reject", "not supported", "not accepted", "not significant", "insignificant")


def _accepted(result: str) -> bool:
    return not any(word in result.lower() for word in REJECTED)


def results(paper: Paper) -> Iterator[Finding]:
    """Accepted where p says so, by p of the row and by the ratio printed for the same path."""
    tables = list(paper.transcript.of("paths"))
    for table in tables:
        given = table.whole.number_at("alpha")
        alpha = given.value if given is not None else ALPHA
        for row in table.rows:
            result = row.text_at("result")
            if not result:
                continue
            p = row.number_at("p")
            if p is None:
                yield unknown("result", f"{arrow(row)}: {result}", result, row.where, "no p")
                continue
            yield _result(row, result, p, alpha)
            for ratio, where in _ratios(tables, table, row):
                yield _by_ratio(row, result, ratio, where, alpha)


def _ratios(tables: list[Table], own: Table, row: Row) -> Iterator[tuple[Printed, str]]:
    """Ratios of the same path, where its name is not used twice."""
    for table in tables:
        rows = [r for r in table.rows if own.key(r) == own.key(row)]
        if len(rows) == 1 and ratio_of(rows[0]) is not None:
            ratio = ratio_of(rows[0])
            assert ratio is not None
            yield ratio, rows[0].where


def _result(row: Row, result: str, p: Printed, alpha: float) -> Finding:
    accepted = _accepted(result)
    possible = p.interval.low <= alpha if accepted else p.interval.high >= alpha
    wanted = "accepted" if not accepted else "rejected"
    return conflict(
        "result from p", f"{arrow(row)}: {result}", p, alpha, row.where,
        f"{wanted}, at the level {alpha:g}", agree=possible,
    )  # fmt: skip


def _by_ratio(row: Row, result: str, ratio: Printed, where: str, alpha: float) -> Finding:
    accepted = _accepted(result)
    p = p_range(ratio.interval, None)
    possible = p.low <= alpha if accepted else p.high >= alpha
    end = z_of(alpha)
    return conflict(
        "result from CR", f"{arrow(row)}: {result}", ratio, round(end, 3), f"{row.where}; {where}",
        f"{'rejected' if accepted else 'accepted'}: a CR of {ratio.shown} is "
        f"{'below' if accepted else 'above'} {end:.2f} (p {p.middle:.3f})", agree=possible,
    )  # fmt: skip
