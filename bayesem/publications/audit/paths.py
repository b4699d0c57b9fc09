"""Path tables: estimate, error, critical ratio, p and result must go together."""

from collections.abc import Callable, Iterator
from math import sqrt

from scipy.stats import norm
from scipy.stats import t as student

from bayesem.publications.audit.findings import Finding, compare, conflict, shown
from bayesem.publications.audit.intervals import ANYTHING, Interval, Printed, hull
from bayesem.publications.audit.paper import Paper
from bayesem.publications.audit.transcribe import Row, Table

__all__ = ["NAMES", "arrow", "p_range", "paths", "ratio_of", "sobel_of", "z_of"]

NAMES = {
    "est": "estimate", "se": "SE", "cr": "CR", "t": "t", "p": "p", "coefficient": "coefficient",
    "std": "standardised", "z": "z",
}  # fmt: skip


def arrow(row: Row) -> str:
    """A path as a model text writes it."""
    return f"{row.text_at('lhs')} ~ {row.text_at('rhs')}"


def ratio_of(row: Row) -> Printed | None:
    """The critical ratio, or t."""
    found = row.number_at("cr")
    return row.number_at("t") if found is None else found


def p_range(ratio: Interval, df: float | None, tails: int = 2) -> Interval:
    """The p-values of a ratio's interval, by the normal or, given df, Student's distribution."""
    size = abs(ratio)
    upper: Callable[[float], float] = norm.sf if df is None else lambda z: student.sf(z, df)
    if tails == 1:
        return Interval(float(upper(ratio.high)), float(upper(ratio.low)))
    return Interval(2 * float(upper(size.high)), 2 * float(upper(size.low)))


def z_of(p: float, tails: int = 2) -> float:
    """The absolute ratio of a p-value."""
    return float(norm.isf(max(p, 1e-300) / tails))


def paths(paper: Paper) -> Iterator[Finding]:
    """Every row of every table of paths, and the text that repeats one."""
    for table in paper.transcript.of("paths"):
        yield from _rows_against_graph(paper, table)
        for row in table.rows:
            yield from _row(table, row)
    for table in paper.transcript.of("paths", text=True):
        for row in table.rows:
            yield from _row(table, row)
    for table in paper.transcript.of("loadings"):
        for row in table.rows:
            yield from _p(table, row, f"{row.text_at('lhs')} =~ {row.text_at('rhs')}")


# --- one row --------------------------------------------------------------------------------------


def _row(table: Table, row: Row) -> Iterator[Finding]:
    est, se, ratio = row.number_at("est"), row.number_at("se"), ratio_of(row)
    if est is not None and se is not None and ratio is not None:
        yield _triple(est, se, ratio, arrow(row), row.where)
    yield from _p(table, row, arrow(row))


def _triple(est: Printed, se: Printed, ratio: Printed, item: str, where: str) -> Finding:
    """Estimate = ratio x error."""
    met = est.interval.meets(ratio.interval * se.interval)
    implied = est.interval / ratio.interval
    centre = est.value / ratio.value if ratio.value else None
    said = [f"SE {shown(centre, se.digits)}"] if centre is not None and centre > 0 else []
    said.append(f"CR {shown(est.value / se.value, ratio.digits)}")
    said.append(f"an estimate of {shown(se.value * ratio.value, est.digits)}")
    remedy = ", or ".join(said)
    if se.interval.meets(abs(est.interval)) and not met:
        remedy = f"the estimate stands in the place of its error; {remedy}"
    check = "estimate = CR x SE"
    if implied == ANYTHING or met:
        return conflict(check, f"{item}: SE", se, centre, where, remedy, agree=met)
    return compare(check, f"{item}: SE", se, implied, where, centre=centre, remedy=remedy)


def _p(table: Table, row: Row, item: str) -> Iterator[Finding]:
    p, ratio = row.number_at("p"), ratio_of(row)
    if p is None or ratio is None:
        return
    df, tails = table.whole.number_at("df"), table.whole.number_at("tails")
    sides = int(tails.value) if tails is not None else 2
    known = df.value if df is not None else None
    implied = p_range(ratio.interval, known, sides)
    if row.number_at("t") is not None and known is None:  # t of unknown df: from 30 upwards
        implied = hull([implied, p_range(ratio.interval, 30.0, sides)])
    exact = Interval(ratio.value, ratio.value)
    centre = p_range(exact, known, sides).middle
    other = p_range(ratio.interval, known, 3 - sides)
    digits = max(p.digits, 3)
    name = "CR" if row.number_at("cr") is not None else "t"
    remedy = f"p {shown(centre, digits)}, or {name} {z_of(p.value, sides):.{ratio.digits}f}"
    if p.interval.meets(other):
        remedy = f"a {'one' if sides == 2 else 'two'}-tailed p; else {remedy}"
    yield compare(
        f"p from {name}", f"{item}: p", p, implied, row.where, centre=centre, remedy=remedy
    )


# --- rows and the graph ---------------------------------------------------------------------------


def _rows_against_graph(paper: Paper, table: Table) -> Iterator[Finding]:
    """Two rows of one path, and the path of the graph that has no row."""
    seen: dict[tuple[str, str], list[Row]] = {}
    for row in table.rows:
        seen.setdefault((row.text_at("lhs"), row.text_at("rhs")), []).append(row)
    missing = [p for p in paper.paths if p not in seen]
    for pair, rows in seen.items():
        if len(rows) > 1:
            numbers = " and ".join(str(r.number) for r in rows)
            said = f"one of rows {numbers} is another path"
            if missing:
                said = f"one of rows {numbers} is {' or '.join(f'{o} ~ {p}' for o, p in missing)}"
            yield conflict(
                "one row for each path", f"{arrow(rows[0])}: rows", f"{len(rows)} rows", 1.0,
                f"{table.where}, rows {numbers}", said,
            )  # fmt: skip
        elif paper.paths and pair not in paper.paths and {*pair} <= set(paper.variables):
            yield conflict(
                "paths of the graph", f"{arrow(rows[0])}: row", "a row", "no such path",
                rows[0].where, "a path in the graph, or no row",
            )  # fmt: skip


def sobel_of(a: float, b: float) -> float:
    """Sobel's z of two critical ratios: below the smaller of them.

    Examples
    --------
    >>> round(sobel_of(3.0, 4.0), 12)
    2.4
    """
    return abs(a * b) / sqrt(a * a + b * b) if a or b else 0.0
