"""Sentences of the paper against its tables, and against each other."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from bayesem.publications.audit.findings import Finding, conflict, unknown
from bayesem.publications.audit.intervals import Interval, Printed
from bayesem.publications.audit.paper import Paper
from bayesem.publications.audit.schema import KINDS
from bayesem.publications.audit.transcribe import Row, Statement, Table

__all__ = ["statements"]


@dataclass(frozen=True, slots=True)
class _Known:
    """What a table says to a sentence."""

    value: Printed | str | int
    where: str
    row: str = ""


def statements(paper: Paper) -> Iterator[Finding]:
    """Every sentence: against the table it is about, or the first sentence on the same item."""
    by = {t.name: t for t in paper.transcript.tables}
    first: dict[str, Statement] = {}
    for one in paper.transcript.statements:
        if one.of:
            yield _against_table(paper, one, by)
        elif one.item in first:
            yield _against_sentence(one, first[one.item])
        else:
            first[one.item] = one
    repeated = {s.item for s in paper.transcript.statements if first.get(s.item) not in (None, s)}
    for item, one in first.items():
        if item not in repeated:
            shown = one.value if isinstance(one.value, Printed | str) else ", ".join(one.value)
            yield unknown("text", item, shown, one.where, "nothing printed repeats or gives it")


def _against_sentence(one: Statement, other: Statement) -> Finding:
    value, second = one.value, other.value
    if isinstance(value, Printed) and isinstance(second, Printed):
        return conflict(
            "text against text", one.item, value, second.value, f"{one.where}; {other.where}",
            f"one number: {value.shown} or {second.shown}",
            agree=value.repeats(second),
        )  # fmt: skip
    return conflict(
        "text against text", one.item, str(value), str(second), f"{one.where}; {other.where}",
        f"one of the two: {value} or {second}", agree=value == second,
    )  # fmt: skip


def _against_table(paper: Paper, one: Statement, by: Mapping[str, Table]) -> Finding:
    name, _, column = one.of.partition(".")
    known = _look_up(paper, one, by[name], column)
    value = one.value
    if isinstance(known.value, str) or not isinstance(value, Printed):
        return conflict(
            "text against table", one.item, str(value), str(known.value),
            f"{one.where}; {known.where}",
            f"{known.value}, as in {known.where}", agree=str(value) == str(known.value),
        )  # fmt: skip
    other = known.value if isinstance(known.value, Printed) else None
    count = float(known.value) if isinstance(known.value, int) else known.value.value
    interval = other.interval if other is not None else Interval(count, count)
    agree = _holds(one.relation, interval, value.interval)
    if one.relation == "=" and other is not None:
        agree = value.repeats(other)
    shown = other.shown if other is not None else f"{count:g}"
    said = f"{shown}{known.row}, as in {known.where}"
    return conflict(
        "text against table", one.item, value, count, f"{one.where}; {known.where}", said,
        agree=agree,
    )  # fmt: skip


def _holds(relation: str, table: Interval, text: Interval) -> bool:
    """Whether the table's number stands in the relation to the text's that the text claims."""
    if relation in ("<", "<="):
        return table.low <= text.high
    if relation in (">", ">="):
        return table.high >= text.low
    return table.meets(text)


def _look_up(paper: Paper, one: Statement, table: Table, column: str) -> _Known:
    if one.how == "rows" or (one.how == "cell" and not column):
        return _Known(len(table.rows), table.where)
    rows = _chosen(table, one)
    cells = [(row, row.cells[column]) for row in rows if column in row.cells]
    if not cells and column in table.whole.cells:
        cells = [(table.whole, table.whole.cells[column])]
    if not cells:
        raise paper.transcript.file.error(
            f"`of`: no such cell of `{table.name}` has a column `{column}`.", "printed.text",
            one.number, "of",
        )  # fmt: skip
    if one.how == "distinct":
        return _Known(len({str(value) for _, value in cells}), table.where)
    if one.how == "cell":
        row, value = cells[0]
        if isinstance(value, tuple):
            return _Known(len(value), row.where)
        return _Known(value, row.where)
    return _over(paper, one, table, [(r, v) for r, v in cells if isinstance(v, Printed)])


def _over(paper: Paper, one: Statement, table: Table, cells: list[tuple[Row, Printed]]) -> _Known:
    """A sum or an extreme."""
    if not cells:
        raise paper.transcript.file.error(
            "`of` names no numbers.", "printed.text", one.number, "of"
        )
    if one.how == "sum":
        parts = [v for _, v in cells]
        low, high = sum(v.interval.low for v in parts), sum(v.interval.high for v in parts)
        total, digits = sum(v.value for v in parts), max(v.digits for v in parts)
        return _Known(
            Printed(total, Interval(low, high), f"{total:.{digits}f}", digits), table.where
        )
    keys: dict[str, Callable[[tuple[Row, Printed]], float]] = {
        "least": lambda c: c[1].value,
        "greatest": lambda c: -c[1].value,
        "largest": lambda c: -abs(c[1].value),
    }
    row, value = min(cells, key=keys[one.how])
    if one.how == "largest":
        value = Printed(
            abs(value.value), abs(value.interval), value.shown.lstrip("-"), value.digits
        )
    name = " ".join(str(k) for k in table.key(row)) if KINDS[table.kind].keys else ""
    return _Known(value, row.where, f" ({name})" if name else "")


def _chosen(table: Table, one: Statement) -> list[Row]:
    """The rows that a sentence is about."""
    if one.row is None:
        return list(table.rows)
    if isinstance(one.row, int):
        return [r for r in table.rows if r.number == one.row]
    return [r for r in table.rows if all(_is(r.cells.get(k), v) for k, v in one.row.items())]


def _is(cell: object, wanted: object) -> bool:
    return cell == wanted or (isinstance(cell, tuple) and cell == (wanted,))
