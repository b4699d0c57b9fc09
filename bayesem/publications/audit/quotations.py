"""What text and tables, or two tables, say of the same number, name or list."""

from collections.abc import Iterator

from bayesem.publications.audit.findings import Finding, conflict, unknown
from bayesem.publications.audit.fit import NAMES as INDICES
from bayesem.publications.audit.intervals import Interval, Printed
from bayesem.publications.audit.paper import Paper
from bayesem.publications.audit.paths import NAMES as COLUMNS
from bayesem.publications.audit.schema import KINDS
from bayesem.publications.audit.statements import statements
from bayesem.publications.audit.transcribe import Row, Table

__all__ = ["quotations"]


def quotations(paper: Paper) -> Iterator[Finding]:
    """Text against table, table against table, sentence against sentence."""
    tables = paper.transcript.tables
    for table in tables:
        if table.kind == "lists":
            continue
        if table.repeats:
            yield from _repeated(paper, table)
    yield from _between_tables(tables)
    yield from _hypotheses(paper)
    yield from _lists(tables)
    yield from _roles(paper)
    yield from statements(paper)


# --- a row of the text against the rows of a table ------------------------------------------------


def _repeated(paper: Paper, table: Table) -> Iterator[Finding]:
    same = [t for t in paper.transcript.of(table.kind)]
    same.sort(key=lambda t: t.name != table.repeats)
    if not same:
        yield unknown(
            "text against table", table.where, None, table.where, f"no table {table.repeats}"
        )
        return
    for row in (table.whole, *table.rows):
        for column, value in row.cells.items():
            if isinstance(value, Printed):
                yield _one(table, row, column, value, same)
            elif column == "result":
                yield from _word(table, row, value, same)


def _item(table: Table, row: Row, column: str) -> str:
    key = (
        [" + ".join(k) if isinstance(k, tuple) else str(k) for k in table.key(row)]
        if row.number
        else []
    )
    joined = {"paths": " ~ ", "loadings": " ~ ", "indirect": ""}.get(table.kind, " ").join(key)
    name = COLUMNS.get(column, INDICES.get(column, column))
    return f"{joined}: {name}" if joined else name


def _one(table: Table, row: Row, column: str, value: Printed, same: list[Table]) -> Finding:
    item = _item(table, row, column)
    found = list(_same_cells(table, row, column, same))
    if table.kind == "frequencies" and not found:
        found = _union(row, column, same)
    if not found:
        remedy = _elsewhere(table, row, column, value, same)
        if not remedy:
            return unknown("text against table", item, value, row.where, "no table prints it")
        return conflict(
            "text against table", item, value, "no such row", row.where,
            f"no row of this name: {remedy}",
        )  # fmt: skip
    for other, _ in found:
        if value.repeats(other):
            return conflict(
                "text against table", item, value, other.value, row.where, "", agree=True
            )
    other, where = found[0]
    remedy = _elsewhere(table, row, column, value, same)
    said = f"{other.shown}, as in {where}" + (f"; {remedy}" if remedy else "")
    return conflict("text against table", item, value, other.value, row.where, said)


def _same_cells(
    table: Table, row: Row, column: str, same: list[Table]
) -> Iterator[tuple[Printed, str]]:
    for other in same:
        rows = (
            [r for r in other.rows if other.key(r) == table.key(row)]
            if row.number
            else [other.whole]
        )
        for one in rows:
            value = one.number_at(column)
            if value is not None:
                yield value, one.where


def _union(row: Row, column: str, same: list[Table]) -> list[tuple[Printed, str]]:
    """Several groups of a table taken together, or one of them for a shortened name."""
    groups = set(row.cells["group"])
    found = []
    for other in same:
        rows = [
            r for r in other.rows
            if r.text_at("characteristic") == row.text_at("characteristic")
            and set(r.cells["group"]) <= groups
        ]  # fmt: skip
        values = [r.number_at(column) for r in rows]
        parts = [v for v in values if v is not None]
        if parts and len(parts) == len(groups):
            low, high = sum(v.interval.low for v in parts), sum(v.interval.high for v in parts)
            digits = max(v.digits for v in parts)
            total = sum(v.value for v in parts)
            text = f"{total:.{digits}f}"
            found.append((Printed(total, Interval(low, high), text, digits), other.where))
    return found


def _elsewhere(table: Table, row: Row, column: str, value: Printed, same: list[Table]) -> str:
    """Where else a table prints this very number."""
    for other in same:
        for one in other.rows:
            cell = one.number_at(column)
            if cell is not None and cell.shown == value.shown and other.key(one) != table.key(row):
                name = _item(other, one, column).rpartition(":")[0]
                return f"{value.shown} stands in {one.where}, for {name}"
    return ""


def _word(table: Table, row: Row, value: str, same: list[Table]) -> Iterator[Finding]:
    for other in same:
        for one in other.rows:
            said = one.text_at("result")
            if other.key(one) == table.key(row) and said:
                yield conflict(
                    "text against table", f"{_item(table, row, 'result')}", value, said, row.where,
                    f"{said}, as in {one.where}", agree=said.lower() == value.lower(),
                )  # fmt: skip


def _between_tables(tables: tuple[Table, ...]) -> Iterator[Finding]:
    """Two tables of one kind that print the same column of the same row."""
    own = [t for t in tables if not t.repeats and KINDS[t.kind].keys and t.kind != "lists"]
    for i, one in enumerate(own):
        for other in own[i + 1 :]:
            if other.kind == one.kind:
                yield from _two(one, other)


def _two(one: Table, other: Table) -> Iterator[Finding]:
    left = list(other.rows)
    for row in one.rows:
        match = next((r for r in left if other.key(r) == one.key(row)), None)
        if match is None:
            continue
        left.remove(match)
        for column, value in row.cells.items():
            second = match.number_at(column)
            if not isinstance(value, Printed) or second is None:
                continue
            yield conflict(
                "table against table", _item(one, row, column), value, second.value,
                f"{row.where}; {match.where}", f"one number: {value.shown} or {second.shown}",
                agree=value.repeats(second),
            )  # fmt: skip


# --- names of hypotheses, lists, roles ------------------------------------------------------------


def _hypotheses(paper: Paper) -> Iterator[Finding]:
    """Which hypothesis a row names, against the paper's own statement of it."""
    stated = {
        row.text_at("hypothesis"): (row.text_at("lhs"), row.text_at("rhs"), row.where)
        for table in paper.transcript.of("stated")
        for row in table.rows
    }
    for table in (t for t in paper.transcript.tables if t.kind == "paths"):
        for row in table.rows:
            name = row.text_at("hypothesis")
            if not name or not stated:
                continue
            meant = f"{row.text_at('lhs')} ~ {row.text_at('rhs')}"
            if name not in stated:
                yield conflict(
                    "hypothesis",
                    name,
                    meant,
                    "not stated",
                    row.where,
                    "a hypothesis that is stated",
                )
                continue
            lhs, rhs, where = stated[name]
            right = next((h for h, s in stated.items() if f"{s[0]} ~ {s[1]}" == meant), "none")
            yield conflict(
                "hypothesis", name, meant, f"{lhs} ~ {rhs}", f"{row.where}; {where}",
                f"{right} is the hypothesis of {meant}", agree=meant == f"{lhs} ~ {rhs}",
            )  # fmt: skip


def _lists(tables: tuple[Table, ...]) -> Iterator[Finding]:
    """Lists of one item in several places must name the same members."""
    seen: dict[str, list[Row]] = {}
    for table in tables:
        if table.kind == "lists":
            for row in table.rows:
                seen.setdefault(row.text_at("item"), []).append(row)
    for item, rows in seen.items():
        for row in rows[1:]:
            first, second = set(rows[0].cells["members"]), set(row.cells["members"])
            only = [sorted(first - second), sorted(second - first)]
            said = "; ".join(
                f"{', '.join(names)} only in {one.where}"
                for names, one in zip(only, (rows[0], row), strict=True)
                if names
            )
            yield conflict(
                "lists", item, ", ".join(row.cells["members"]), ", ".join(rows[0].cells["members"]),
                f"{row.where}; {rows[0].where}", said, agree=first == second,
            )  # fmt: skip
        if len(rows) == 1:
            yield unknown(
                "lists", item, ", ".join(rows[0].cells["members"]), rows[0].where, "listed once"
            )


def _roles(paper: Paper) -> Iterator[Finding]:
    """What the text calls a factor, against its place in the graph."""
    for table in paper.transcript.of("roles"):
        for row in table.rows:
            factor, role = row.text_at("factor"), row.text_at("role")
            if not paper.paths:
                yield unknown("role", f"role of {factor}", role, row.where, paper.without)
                continue
            caused = any(factor == outcome for outcome, _ in paper.paths)
            causes = any(factor == predictor for _, predictor in paper.paths)
            place = {(True, True): "intervening", (True, False): "dependent"}.get(
                (caused, causes), "independent"
            )
            yield conflict(
                "role", f"role of {factor}", role, place, row.where, f"{place}: as in the graph",
                agree=role == place,
            )  # fmt: skip
