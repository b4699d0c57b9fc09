"""Counts, percentages, totals, changes and dates."""

from collections.abc import Iterator
from datetime import date
from itertools import pairwise

from scipy.stats import norm
from scipy.stats import t as student

from bayesem.errors import StudyError
from bayesem.publications.audit.findings import Finding, compare, conflict, shown, unknown
from bayesem.publications.audit.intervals import Interval, Printed
from bayesem.publications.audit.paper import Paper
from bayesem.publications.audit.transcribe import Row, Table

__all__ = ["possible_count", "samples"]


def samples(paper: Paper) -> Iterator[Finding]:
    """Every table of counts, of the sample, of changes, of parts, of dates, of critical values."""
    for table in paper.transcript.of("frequencies"):
        yield from _frequencies(paper, table)
    for table in paper.transcript.of("sample"):
        yield from _sample(paper, table)
    for table in paper.transcript.of("changes"):
        for row in table.rows:
            yield from _change(row)
    for table in paper.transcript.of("parts"):
        for row in table.rows:
            yield from _part(row)
    for table in paper.transcript.of("dates"):
        yield from _dates(paper, table)
    for table in paper.transcript.of("criticals"):
        for row in table.rows:
            yield from _critical(row)


# --- frequencies ----------------------------------------------------------------------------------


def _frequencies(paper: Paper, table: Table) -> Iterator[Finding]:
    blocks: dict[str, list[Row]] = {}
    for row in table.rows:
        blocks.setdefault(row.text_at("characteristic"), []).append(row)
    shares = any(row.number_at("percentage") is not None for row in table.rows)
    given = table.whole.number_at("total")
    total = int(given.value) if given is not None else None
    if total is None and shares:
        total = paper.transcript.cases(table)
    complete = table.whole.cells.get("complete", shares)
    if given is not None and paper.transcript.book.n is not None:
        end = float(paper.transcript.book.n)
        yield compare("cases", "total", given, Interval(end, end), table.where)
    for name, rows in blocks.items():
        if complete and total is not None:
            yield from _sums(name, rows, total, table)
        for row in rows:
            if total is not None:
                yield from _share(row, total, rows)


def _sums(name: str, rows: list[Row], total: int, table: Table) -> Iterator[Finding]:
    counts = [row.number_at("frequency") for row in rows]
    shares = [row.number_at("percentage") for row in rows]
    known = [c for c in counts if c is not None]
    where = f"{table.where}, {name}"
    if len(known) == len(rows):
        found = int(sum(c.value for c in known))
        yield conflict(
            "counts add up", f"{name}: sum of counts",
            " + ".join(c.shown for c in known) + f" = {found}", float(total), where,
            f"counts that add up to {total}, or n = {found} for {name}", agree=found == total,
        )  # fmt: skip
    parts = [s for s in shares if s is not None]
    if len(parts) == len(rows):
        range_ = Interval(sum(s.interval.low for s in parts), sum(s.interval.high for s in parts))
        whole = sum(s.value for s in parts)
        yield conflict(
            "percentages add up", f"{name}: sum of percentages", f"{whole:.2f}", 100.0, where,
            "percentages that add up to 100", agree=range_.meets(Interval(100.0, 100.0)),
        )  # fmt: skip


def _share(row: Row, total: int, block: list[Row]) -> Iterator[Finding]:
    count, share = row.number_at("frequency"), row.number_at("percentage")
    if share is None:
        return
    group = " + ".join(row.cells["group"])
    item = f"{row.text_at('characteristic')} {group}: %"
    if count is None:
        possible = possible_count(share.interval, total)
        yield conflict(
            "percentage of whole cases", item, share, None, row.where,
            f"no count of {total} gives it", agree=possible,
        )  # fmt: skip
        return
    exact = 100 * count.value / total
    remedy = f"{shown(exact, share.digits)}%, or a count of {share.value * total / 100:.0f}"
    counts = [r.number_at("frequency") for r in block]
    own = sum(c.value for c in counts if c is not None)
    if own and share.interval.meets(Interval(*(100 * count.value / own,) * 2)):
        remedy = f"a base of {own:.0f}; else {remedy}"
    yield compare(
        "percentage of count", item, share, Interval(exact, exact), row.where, centre=exact,
        remedy=remedy,
    )  # fmt: skip


def possible_count(percentage: Interval, total: int) -> bool:
    """Whether a whole number of cases has a percentage.

    Examples
    --------
    >>> possible_count(Interval(33.25, 33.35), 3), possible_count(Interval(33.35, 33.45), 3)
    (True, False)
    """
    nearest = round(percentage.middle * total / 100)
    return any(
        Interval(100 * k / total, 100 * k / total).meets(percentage)
        for k in (nearest - 1, nearest, nearest + 1)
        if 0 <= k <= total
    )


# --- the sample -----------------------------------------------------------------------------------


def _sample(paper: Paper, table: Table) -> Iterator[Finding]:
    sent, back, kept, rate = (
        table.whole.number_at(x) for x in ("sent", "returned", "kept", "response_rate")
    )
    for first, second, names in (
        (sent, back, "returned of sent"),
        (back, kept, "kept of returned"),
    ):
        if first is not None and second is not None:
            yield conflict(
                "sample shrinks", names, second, first.value, table.where,
                "no more may be left than there were", agree=second.value <= first.value,
            )  # fmt: skip
    if kept is not None and paper.transcript.book.n is not None:
        end = float(paper.transcript.book.n)
        yield compare("cases", "cases kept", kept, Interval(end, end), table.where)
    if rate is not None and sent is not None and back is not None:
        exact = 100 * back.value / sent.value
        yield compare(
            "response rate", "response rate", rate, Interval(exact, exact), table.where,
            centre=exact,
        )  # fmt: skip


# --- changes, parts, dates, critical values -------------------------------------------------------


def _change(row: Row) -> Iterator[Finding]:
    before, after, share = (row.number_at(x) for x in ("from", "to", "percentage"))
    if before is None or after is None or share is None or before.interval.low <= 0:
        return
    ratio = after.interval / before.interval
    implied = Interval(100 * (ratio.low - 1), 100 * (ratio.high - 1))
    centre = 100 * (after.value / before.value - 1)
    ends = (before.value * (1 + share.value / 100), after.value / (1 + share.value / 100))
    yield compare(
        "percentage of change", f"{row.text_at('item')}: % change", share, implied, row.where,
        centre=centre,
        remedy=f"{centre:.{share.digits}f}%, or {ends[0]:,.{after.digits}f} after it, or "
        f"{ends[1]:,.{before.digits}f} before it",
    )  # fmt: skip


def _part(row: Row) -> Iterator[Finding]:
    part, whole = row.number_at("part"), row.number_at("whole")
    if part is not None and whole is not None:
        yield conflict(
            "a part of the whole", row.text_at("item"), part, whole.value, row.where,
            "figures of one source and one coverage; a part is not more than its whole",
            agree=part.interval.low <= whole.interval.high,
        )  # fmt: skip


def _dates(paper: Paper, table: Table) -> Iterator[Finding]:
    """In the order in which they are given."""
    days = []
    for row in table.rows:
        try:
            days.append(date.fromisoformat(row.text_at("date")))
        except ValueError:
            raise _no_date(paper, table, row) from None
    for (one, day), (other, later) in pairwise(zip(table.rows, days, strict=True)):
        yield conflict(
            "order of dates", f"{other.text_at('event')} after {one.text_at('event')}",
            later.isoformat(), day.isoformat(), table.where, "dates in the other order",
            agree=day <= later,
        )  # fmt: skip


def _no_date(paper: Paper, table: Table, row: Row) -> StudyError:
    return paper.transcript.file.error(
        f"`date` is {row.text_at('date')!r}, no date.", f"printed.{table.name}", row.number, "date",
        'Write `"2026-05-11"`.',
    )  # fmt: skip


def _critical(row: Row) -> Iterator[Finding]:
    """A two-sided critical value of the normal distribution at a level."""
    value, alpha = row.number_at("value"), row.number_at("alpha")
    if value is None or alpha is None:
        return
    exact = float(norm.isf(alpha.value / 2))
    item = f"critical value at {alpha.shown}"
    level = 2 * float(norm.sf(value.value))
    df = _df_of(value, alpha.value)
    also = f"; t has it with about {df} degrees of freedom" if df else ""
    if value.value <= 0:
        yield unknown("critical value", item, value, row.where, "not above 0")
        return
    yield compare(
        "critical value", item, value, Interval(exact, exact), row.where, centre=exact,
        remedy=f"{shown(exact, max(value.digits, 2))}, or a level of {level:.3f}{also}",
    )  # fmt: skip


def _df_of(value: Printed, alpha: float) -> int:
    """Degrees of freedom with which t has a critical value; 0 if there are none below 1000."""
    found = [
        k
        for k in range(2, 1000)
        if value.interval.low <= student.isf(alpha / 2, k) <= value.interval.high
    ]
    return found[len(found) // 2] if found else 0
