"""The ``[printed]`` part of a codebook, read strictly: every number with its rounding and place."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from bayesem.codebook import Codebook, read_codebook
from bayesem.documents import read_text
from bayesem.errors import StudyError, did_you_mean
from bayesem.grammar.tokens import Source
from bayesem.publications.audit.intervals import Printed
from bayesem.publications.audit.schema import COMMON, KINDS, ROW, TEXT
from bayesem.publications.audit.values import Value, read_number, read_value
from bayesem.publications.places import place

__all__ = ["Row", "Statement", "Table", "Transcript", "transcribe"]

RELATIONS = ("=", "<", "<=", ">", ">=")
HOWS = ("cell", "rows", "sum", "least", "greatest", "largest", "distinct")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its cells by column, its number from 1, and where it stands in the paper."""

    cells: Mapping[str, Value]
    number: int
    where: str

    def number_at(self, column: str) -> Printed | None:
        """A cell that is a number."""
        value = self.cells.get(column)
        return value if isinstance(value, Printed) else None

    def text_at(self, column: str) -> str:
        """A cell that is a text; empty where there is none."""
        value = self.cells.get(column)
        return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the paper, or the part of its text that repeats one.

    Attributes
    ----------
    name, kind, where : str
    whole : Row
        What is said of the table itself; all numbers of a table that is one row.
    rows : tuple of Row
    matrix : tuple of tuples of Printed
        Of correlations.
    repeats : str
        The table whose numbers this text repeats; empty for a table.
    """

    name: str
    kind: str
    where: str
    whole: Row
    rows: tuple[Row, ...]
    matrix: tuple[tuple[Printed, ...], ...] = ()
    repeats: str = ""

    def key(self, row: Row) -> tuple[Value, ...]:
        """What names a row of this kind."""
        return tuple(row.cells.get(column) for column in KINDS[self.kind].keys)


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence with a number or a word that something else in the paper repeats."""

    item: str
    value: Value
    says: str
    where: str
    of: str
    how: str
    row: int | Mapping[str, str] | None
    relation: str
    number: int


@dataclass(frozen=True, slots=True)
class Transcript:
    """Everything that a paper prints.

    Attributes
    ----------
    book : Codebook
    tables : tuple of Table
    statements : tuple of Statement
    unknown : tuple of (str, str)
        Tables that no check knows: name and hint.
    file : _File
    """

    book: Codebook
    tables: tuple[Table, ...]
    statements: tuple[Statement, ...]
    unknown: tuple[tuple[str, str], ...]
    file: "_File" = field(repr=False)

    def of(self, kind: str, *, text: bool = False) -> Iterator[Table]:
        """The tables of a kind; with ``text`` what the text repeats of them."""
        return (t for t in self.tables if t.kind == kind and bool(t.repeats) == text)

    def cases(self, table: Table, row: Row | None = None) -> int:
        """The number of cases of a row, a table or the study.

        Raises
        ------
        StudyError
            If none of them says it.
        """
        for source in (row, table.whole):
            own = source.number_at("n") if source is not None else None
            if own is not None:
                return int(own.value)
        if self.book.n is None:
            raise self.file.error(
                f"`[printed.{table.name}]` needs the number of cases, and `n` is missing.",
                f"printed.{table.name}",
                hint="Write `n = ...` in [study] or in the table.",
            )
        return self.book.n


@dataclass(frozen=True, slots=True)
class _File:
    """The codebook's text, so that an error can point into it."""

    source: Source

    def error(
        self, message: str, header: str, row: int = 0, key: str = "", hint: str = ""
    ) -> StudyError:
        return StudyError(message, span=place(self.source, header, row, key), hint=hint)


def transcribe(path: str | Path) -> Transcript:
    """Read what a codebook says that a paper prints.

    Parameters
    ----------
    path : str or Path
        A codebook, ``.toml``.

    Raises
    ------
    StudyError
        For a number that is missing, is text, or cannot be what it is said to be, and for a column
        that no check knows; with file and line.
    """
    book = read_codebook(path)
    text = read_text(Path(path), StudyError)
    file = _File(Source(text, str(path)))
    printed = tomllib.loads(text, parse_float=Decimal).get("printed", {})
    if not printed:
        raise StudyError(
            f"`{path}` has no `[printed]` part, so there is nothing to check.",
            hint="Write each table of the paper as `[printed.NAME]`; see docs/audit.md.",
        )
    tables, unknown = [], []
    for name, value in printed.items():
        if name == "text":
            continue
        if not isinstance(value, dict):
            raise file.error(f"`[printed.{name}]` is no table.", "printed", key=name)
        kind = _kind(file, name, value)
        if kind:
            tables.append(_table(file, name, kind, value, printed))
        else:
            unknown.append((name, did_you_mean(name, KINDS) or "Give it a `kind`."))
    _check_names(file, book, tables)
    statements = _statements(file, printed.get("text", []), {t.name: t for t in tables})
    return Transcript(book, tuple(tables), statements, tuple(unknown), file)


def _kind(file: _File, name: str, value: Mapping[str, Any]) -> str:
    if "kind" in value:
        kind = value["kind"]
        if kind not in KINDS:
            hint = did_you_mean(str(kind), KINDS) or f"Known are {', '.join(sorted(KINDS))}."
            raise file.error(f"There is no kind {kind!r}.", f"printed.{name}", 0, "kind", hint)
        return str(kind)
    rows = value.get("rows", [])
    ops = {r.get("op") for r in rows if isinstance(r, dict)} if isinstance(rows, list) else set()
    if "~" in ops:
        return "paths"
    if "=~" in ops:
        return "loadings"
    base = name.removesuffix("_text")
    return base if base in KINDS else ""


def _table(
    file: _File, name: str, kind: str, value: Mapping[str, Any], printed: Mapping[str, Any]
) -> Table:
    header, schema = f"printed.{name}", KINDS[kind]
    where = value.get("where", name)
    if not isinstance(where, str):
        raise file.error(f"`where` is {where!r}, no text.", header, 0, "where")
    digits = _digits(file, header, 0, value)
    own = {k: v for k, v in value.items() if k not in COMMON}
    cells = _cells(file, header, 0, own, None if kind == "table" else schema.table, digits)
    matrix: tuple[tuple[Printed, ...], ...] = ()
    rows: list[Row] = []
    given = value.get("rows", [])
    if not isinstance(given, list):
        raise file.error("`rows` is no list.", header, 0, "rows")
    if kind == "correlations":
        matrix = _matrix(file, header, given, cells.get("names", ()), digits)
    else:
        for k, row in enumerate(given, 1):
            if not isinstance(row, dict):
                raise file.error(f"row {k} is {row!r}, no table.", header, k)
            rows.append(_row(file, header, k, row, schema.columns, kind, digits, where))
    repeats = str(value.get("repeats", "")) or (
        name.removesuffix("_text") if name.endswith("_text") else ""
    )
    if "repeats" in value and repeats not in printed:
        hint = did_you_mean(repeats, printed)
        raise file.error(f"`repeats` names no table: `{repeats}`.", header, 0, "repeats", hint)
    return Table(name, kind, where, Row(cells, 0, where), tuple(rows), matrix, repeats)


def _row(
    file: _File, header: str, k: int, row: Mapping[str, Any], columns: Mapping[str, str], kind: str,
    digits: int | None, where: str,
) -> Row:  # fmt: skip
    own = _digits(file, header, k, row)
    given = {key: v for key, v in row.items() if key not in ROW}
    types = None if kind == "table" else columns
    cells = _cells(file, header, k, given, types, digits if own is None else own)
    for key in KINDS[kind].keys:
        if key not in cells:
            raise file.error(f"row {k} of `[{header}]` has no `{key}`.", header, k)
    place_ = row.get("where", f"{where}, row {k}")
    return Row(cells, k, str(place_))


def _digits(file: _File, header: str, row: int, value: Mapping[str, Any]) -> int | None:
    digits = value.get("digits")
    if digits is None:
        return None
    if isinstance(digits, bool) or not isinstance(digits, int) or not 0 <= digits <= 12:
        raise file.error(f"`digits` is {digits!r}, no number of decimals.", header, row, "digits")
    return digits


def _cells(
    file: _File, header: str, row: int, given: Mapping[str, Any],
    types: Mapping[str, str] | None, digits: int | None,
) -> dict[str, Value]:  # fmt: skip
    found = {}
    for key, value in given.items():
        if types is not None and key not in types:
            hint = did_you_mean(key, types) or f"Known are {', '.join(sorted(types)) or 'none'}."
            raise file.error(f"Unknown column `{key}` in `[{header}]`.", header, row, key, hint)
        kind = "any" if types is None else types[key]
        found[key] = _value(file, header, row, key, value, kind, digits)
    return found


def _value(
    file: _File, header: str, row: int, key: str, value: Any, kind: str, digits: int | None
) -> Value:
    def wrong(what: str, hint: str = "") -> StudyError:
        said = str(value) if isinstance(value, Decimal) else repr(value)
        return file.error(f"`{key}` is {said}, {what}.", header, row, key, hint)

    return read_value(value, kind, digits, wrong)


def _matrix(
    file: _File, header: str, rows: list[Any], names: tuple[str, ...], digits: int | None
) -> tuple[tuple[Printed, ...], ...]:
    if not names:
        raise file.error("a table of correlations has no `names`.", header)
    if len(rows) != len(names):
        raise file.error(f"{len(names)} `names` and {len(rows)} `rows`.", header, 0, "rows")
    found = []
    for k, row in enumerate(rows, 1):
        if not isinstance(row, list) or len(row) not in (k, len(names)):
            message = f"row {k} has not {k} numbers (lower triangle with diagonal)."
            raise file.error(message, header, 0, "rows", "Give the diagonal too, 1 or sqrt(AVE).")

        def wrong(what: str, hint: str = "", k: int = k) -> StudyError:
            return file.error(f"a number in row {k} is {what}.", header, 0, "rows", hint)

        numbers = tuple(read_number(x, digits, wrong) for x in row)
        if any(abs(x.value) > 1 for x in numbers):
            raise wrong("no correlation: it lies between -1 and 1")
        found.append(numbers)
    return tuple(found)


def _check_names(file: _File, book: Codebook, tables: list[Table]) -> None:
    """Loadings name indicators that the codebook has, and each once."""
    for table in tables:
        if table.kind != "loadings" or table.repeats:
            continue
        seen: set[str] = set()
        for row in table.rows:
            name, header = row.text_at("rhs"), f"printed.{table.name}"
            if book.indicators and name not in book.indicators:
                hint = did_you_mean(name, book.indicators)
                raise file.error(
                    f"`{name}` is not among [indicators].", header, row.number, "rhs", hint
                )
            if name in seen:
                raise file.error(f"`{name}` has two loadings.", header, row.number, "rhs")
            if row.number_at("est") is None:
                raise file.error(f"`{name}` has no loading `est`.", header, row.number)
            seen.add(name)


def _statements(file: _File, given: Any, tables: Mapping[str, Table]) -> tuple[Statement, ...]:
    if not isinstance(given, list):
        raise file.error("`text` is no list; write `[[printed.text]]`.", "printed.text")
    return tuple(_statement(file, k, entry, tables) for k, entry in enumerate(given, 1))


def _statement(file: _File, k: int, entry: Any, tables: Mapping[str, Table]) -> Statement:
    header = "printed.text"
    if not isinstance(entry, dict):
        raise file.error(f"entry {k} is no table.", header, k)
    for key in entry:
        if key not in TEXT:
            hint = did_you_mean(key, TEXT) or f"Known are {', '.join(TEXT)}."
            raise file.error(f"Unknown key `{key}` in `[[printed.text]]`.", header, k, key, hint)
    for key in ("item", "value", "where"):
        if key not in entry:
            raise file.error(f"entry {k} of `[[printed.text]]` has no `{key}`.", header, k)
    digits = _digits(file, header, k, entry)
    value = _value(file, header, k, "value", entry["value"], "any", digits)
    relation, how = entry.get("is", "="), entry.get("how", "cell")
    if relation not in RELATIONS:
        hint = f"It is one of {', '.join(RELATIONS)}."
        raise file.error(f"`is` is {relation!r}.", header, k, "is", hint)
    if how not in HOWS:
        hint = did_you_mean(str(how), HOWS) or f"It is one of {', '.join(HOWS)}."
        raise file.error(f"`how` is {how!r}.", header, k, "how", hint)
    of = str(entry.get("of", ""))
    if of and of.partition(".")[0] not in tables:
        hint = did_you_mean(of.partition(".")[0], tables)
        raise file.error(f"`of` names no table: `{of}`.", header, k, "of", hint)
    return Statement(
        str(entry["item"]), value, str(entry.get("says", "")), str(entry["where"]), of, how,
        entry.get("row"), relation, k,
    )  # fmt: skip
