"""R2, adjusted R2, F and p of regressions."""

from collections.abc import Iterator

from scipy.stats import f as fisher

from bayesem.publications.audit.findings import Finding, compare, shown
from bayesem.publications.audit.intervals import Interval, Printed, between
from bayesem.publications.audit.paper import Paper
from bayesem.publications.audit.transcribe import Row, Table

__all__ = ["f_of", "regressions"]


def f_of(r2: float, df1: float, df2: float) -> float:
    """F of a regression."""
    return r2 / (1 - r2) * df2 / df1 if r2 < 1 else float("inf")


def regressions(paper: Paper) -> Iterator[Finding]:
    """Every row of the tables of regressions."""
    for table in paper.transcript.of("regression"):
        for row in table.rows:
            yield from _row(paper, table, row)


def _row(paper: Paper, table: Table, row: Row) -> Iterator[Finding]:
    r2, adjusted, r, F, p = (row.number_at(x) for x in ("R2", "adj_R2", "R", "F", "p"))
    df1, df2 = _degrees(paper, table, row)
    name = row.text_at("outcome")
    if r2 is not None and r is not None:
        yield compare(
            "R2 = R squared", f"{name}: R2", r2, between(lambda x: x * x, [abs(r.interval)]),
            row.where, centre=r.value**2,
        )  # fmt: skip
    yield from _counted(paper, table, row)
    if df1 is None or df2 is None or df2 < 1:
        return
    if r2 is not None and adjusted is not None:
        step = (df1 + df2) / df2
        yield compare(
            "adjusted R2", f"{name}: adjusted R2", adjusted,
            between(lambda x: 1 - (1 - x) * step, [r2.interval]), row.where,
            centre=1 - (1 - r2.value) * step,
        )  # fmt: skip
    if r2 is not None and F is not None:
        yield _f(name, r2, F, df1, df2, row.where)
    if F is not None and p is not None:
        yield compare(
            "p from F", f"{name}: p of F", p,
            between(lambda x: float(fisher.sf(max(x, 0.0), df1, df2)), [], [F.interval]), row.where,
            centre=float(fisher.sf(F.value, df1, df2)),
        )  # fmt: skip


def _f(name: str, r2: Printed, F: Printed, df1: float, df2: float, where: str) -> Finding:
    inside = Interval(max(r2.interval.low, 0.0), min(r2.interval.high, 1.0))
    need = F.value * df1 / (F.value * df1 + df2)
    centre = f_of(r2.value, df1, df2)
    return compare(
        "F from R2", f"{name}: F", F, between(lambda x: f_of(x, df1, df2), [inside]), where,
        centre=centre, remedy=f"F {shown(centre, F.digits)}, or R2 {shown(need, r2.digits)}",
    )  # fmt: skip


def _degrees(paper: Paper, table: Table, row: Row) -> tuple[float | None, float | None]:
    df1, df2, predictors = (row.number_at(x) for x in ("df1", "df2", "predictors"))
    first = df1 if df1 is not None else predictors
    if first is None:
        return None, None
    if df2 is not None:
        return first.value, df2.value
    return first.value, paper.transcript.cases(table, row) - first.value - 1


def _counted(paper: Paper, table: Table, row: Row) -> Iterator[Finding]:
    """The second degrees of freedom are n - k - 1."""
    df1, df2, predictors = (row.number_at(x) for x in ("df1", "df2", "predictors"))
    name = row.text_at("outcome")
    if df1 is not None and predictors is not None:
        yield compare("df of F", f"{name}: df1", df1, predictors.interval, row.where)
    first = df1 if df1 is not None else predictors
    said = row.number_at("n") or table.whole.number_at("n") or paper.transcript.book.n
    if df2 is not None and first is not None and said is not None:
        end = paper.transcript.cases(table, row) - first.value - 1
        yield compare("df of F", f"{name}: df2", df2, Interval(end, end), row.where)
