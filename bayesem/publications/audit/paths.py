"""Path tables: estimate, error, critical ratio, p and result must go together."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import sqrt

from scipy.stats import norm
from scipy.stats import t as student

from bayesem.publications.audit.findings import Finding, compare, conflict, shown, unknown
from bayesem.publications.audit.intervals import ANYTHING, Interval, Printed, hull
from bayesem.publications.audit.paper import Paper
from bayesem.publications.audit.transcribe import Row, Table

__all__ = ["NAMES", "arrow", "p_range", "paths", "ratio_of"]

NAMES = {
    "est": "estimate", "se": "SE", "cr": "CR", "t": "t", "p": "p", "coefficient": "coefficient",
    "std": "standardised", "z": "z",
}  # fmt: skip
ALPHA = 0.05
REJECTED = ("rejected", "not supported", "not accepted", "not significant", "insignificant", "no")


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
    """Every row of every table of paths, then columns of two tables together."""
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
    yield from _coefficients(paper)
    yield from _results(paper)


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
    if implied == ANYTHING or met:
        return conflict("estimate = CR x SE", f"{item}: SE", se, centre, where, remedy, agree=met)
    found = compare(
        "estimate = CR x SE", f"{item}: SE", se, implied, where, centre=centre, remedy=remedy
    )
    return found


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
        elif paper.paths and pair not in paper.paths and paper.model is not None:
            if {*pair} <= {*paper.model.factors, *paper.model.observed}:
                yield conflict(
                    "paths of the graph", f"{arrow(rows[0])}: row", "a row", "no such path",
                    rows[0].where, "a path in the graph, or no row",
                )  # fmt: skip


# --- a column of coefficients ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Pair:
    """A row with a coefficient, and the row of the same path with estimate and ratio."""

    item: str
    row: Row
    other: Row
    coefficient: Printed
    estimate: Printed
    error: Interval
    centre: float


def _pairs(paper: Paper) -> Iterator[tuple[Table, Table, list[_Pair]]]:
    tables = list(paper.transcript.of("paths"))
    for one in tables:
        if not any(r.number_at("coefficient") for r in one.rows):
            continue
        for other in tables:
            found = list(_matched(one, other))
            if found:
                yield one, other, found


def _matched(one: Table, other: Table) -> Iterator[_Pair]:
    """Rows of the same path in the same order: the first with the first, and so on."""
    left = list(other.rows)
    for row in one.rows:
        match = next((r for r in left if one.key(r) == one.key(row)), None)
        if match is None:
            continue
        left.remove(match)
        coefficient, est, ratio = (
            row.number_at("coefficient"),
            match.number_at("est"),
            ratio_of(match),
        )
        if coefficient is None or est is None or ratio is None or not ratio.value:
            continue
        error = abs(est.interval / ratio.interval)
        centre = abs(est.value / ratio.value)
        yield _Pair(arrow(row), row, match, coefficient, est, error, centre)


def _coefficients(paper: Paper) -> Iterator[Finding]:
    """Whether "coefficients" are the estimates of another table, or its standard errors."""
    for one, other, pairs in _pairs(paper):
        errors = [p for p in pairs if p.coefficient.interval.meets(p.error)]
        same = [p for p in pairs if p.coefficient.interval.meets(p.estimate.interval)]
        swaps = _swaps(pairs)
        if not same and not errors:
            for p in pairs:
                yield unknown(
                    "coefficient against estimate", f"{p.item}: coefficient", p.coefficient,
                    p.row.where, f"neither estimate nor error of {other.where}",
                )  # fmt: skip
            continue
        if len(same) >= len(errors) + len(swaps):
            for p in pairs:
                yield compare(
                    "coefficient against estimate", f"{p.item}: coefficient", p.coefficient,
                    p.estimate.interval, f"{p.row.where}; {p.other.where}", centre=p.estimate.value,
                )  # fmt: skip
            continue
        yield conflict(
            "coefficient against estimate", f"coefficients of {one.where}", "coefficients",
            f"standard errors of {other.where}", f"{one.where}; {other.where}",
            f"a column headed standard error: estimate/CR of {other.where} gives "
            f"{len(errors) + len(swaps)} of its {len(pairs)} numbers",
        )  # fmt: skip
        for k, p in enumerate(pairs):
            partner = pairs[swaps[k]].row.number if k in swaps else 0
            yield _as_error(p, partner, one, other)


def _swaps(pairs: list[_Pair]) -> dict[int, int]:
    """Rows that fit each other's errors and not their own."""
    wrong = [k for k, p in enumerate(pairs) if not p.coefficient.interval.meets(p.error)]
    found = {}
    for i in wrong:
        for j in wrong:
            fits = pairs[i].coefficient.interval.meets(pairs[j].error)
            back = pairs[j].coefficient.interval.meets(pairs[i].error)
            if i != j and fits and back:
                found[i] = j
    return found


def _as_error(p: _Pair, partner: int, one: Table, other: Table) -> Finding:
    """``partner`` is the row with which this one is exchanged, or 0."""
    remedy = (
        f"SE {shown(p.centre, p.coefficient.digits)}, or CR "
        f"{shown(p.estimate.value / p.coefficient.value, 3)}"
    )
    if partner:
        remedy = f"rows {p.row.number} and {partner} of {other.where} (or of {one.where}) exchanged"
    return compare(
        "coefficient is estimate / CR", f"{p.item}: coefficient as SE", p.coefficient, p.error,
        f"{p.row.where}; {p.other.where}", centre=p.centre, remedy=remedy,
    )  # fmt: skip


# --- results --------------------------------------------------------------------------------------


def _results(paper: Paper) -> Iterator[Finding]:
    """Accepted where p says so, by p of the row and by the ratio printed for the same path."""
    tables = list(paper.transcript.of("paths"))
    for table in tables:
        given = table.whole.number_at("alpha")
        alpha = given.value if given is not None else ALPHA
        for row in table.rows:
            result = row.text_at("result")
            if not result:
                continue
            accepted = not any(word in result.lower() for word in REJECTED)
            p = row.number_at("p")
            if p is None:
                yield unknown("result", f"{arrow(row)}: {result}", result, row.where, "no p")
                continue
            yield _result(row, result, accepted, "p", p, alpha)
            for ratio, where in _ratios(tables, table, row):
                yield _by_ratio(row, result, accepted, ratio, where, alpha)


def _ratios(tables: list[Table], own: Table, row: Row) -> Iterator[tuple[Printed, str]]:
    """Ratios of the same path, where its name is not used twice."""
    for table in tables:
        rows = [r for r in table.rows if own.key(r) == own.key(row)]
        if len(rows) == 1 and ratio_of(rows[0]) is not None:
            ratio = ratio_of(rows[0])
            assert ratio is not None
            yield ratio, rows[0].where


def _result(row: Row, result: str, accepted: bool, name: str, p: Printed, alpha: float) -> Finding:
    possible = p.interval.low <= alpha if accepted else p.interval.high >= alpha
    wanted = "accepted" if not accepted else "rejected"
    return conflict(
        "result from p", f"{arrow(row)}: {result}", p, alpha, row.where,
        f"{wanted}, at the level {alpha:g}", agree=possible,
    )  # fmt: skip


def _by_ratio(
    row: Row, result: str, accepted: bool, ratio: Printed, where: str, alpha: float
) -> Finding:
    p = p_range(ratio.interval, None)
    possible = p.low <= alpha if accepted else p.high >= alpha
    end = z_of(alpha)
    return conflict(
        "result from CR", f"{arrow(row)}: {result}", ratio, round(end, 3), f"{row.where}; {where}",
        f"{'rejected' if accepted else 'accepted'}: a CR of {ratio.shown} is "
        f"{'below' if accepted else 'above'} {end:.2f} (p {p.middle:.3f})", agree=possible,
    )  # fmt: skip


def sobel_of(a: float, b: float) -> float:
    """Sobel's z of two critical ratios: below the smaller of them.

    Examples
    --------
    >>> round(sobel_of(3.0, 4.0), 12)
    2.4
    """
    return abs(a * b) / sqrt(a * a + b * b) if a or b else 0.0
