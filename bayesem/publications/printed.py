"""A publication's printed numbers, checked and turned into intervals, and the readings of them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import Any

from scipy.stats import norm

from bayesem.errors import StudyError, did_you_mean
from bayesem.grammar.tokens import Source, Span
from bayesem.publications.design import Design
from bayesem.publications.places import place

__all__ = ["Cell", "Index", "PathEvidence", "Publication", "Reading", "read_printed"]

KINDS = ("est", "cr", "se", "p")
ESTIMATES = ("weight", "standardised")
INDICES = ("tli", "cfi", "gfi", "agfi")
#: Width of the range over which a misprinted number is taken to be uniform.
RANGE = {"est": 2.0, "cr": 20.0, "se": 1.0, "p": 1.0, "index": 1.0}
STARS = "***"
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")
AS_LABELLED = (
    "Each printed number belongs to the path it is printed for, and exogenous factors correlate "
    "positively."
)
SIGNS = {"any": 0, "positive": 1, "negative": -1}
READING_KEYS = ("assumes", "est", "coefficient", "correlation", "paths", "aside")


@dataclass(frozen=True, slots=True)
class Cell:
    """One printed number of a path.

    Attributes
    ----------
    kind : "est", "cr", "se" or "p"
    shown : str
        As printed.
    low, high : float
        The values that are printed so; of a p, the absolute critical ratios.
    flat : float
        Probability that a misprint shows exactly this.
    table, row : str, int
        Where it stands; rows count from 1.
    aside : bool
        Whether the reading takes it for a misprint.
    """

    kind: str
    shown: str
    value: float
    low: float
    high: float
    flat: float
    table: str
    row: int
    aside: bool = False


@dataclass(frozen=True, slots=True)
class PathEvidence:
    """The printed numbers that a reading gives to one path."""

    label: str
    cells: tuple[Cell, ...]

    def trusted(self, kind: str) -> Cell | None:
        """The first cell of a kind that is not set aside."""
        return next((c for c in self.cells if c.kind == kind and not c.aside), None)


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to understand the printed numbers.

    Attributes
    ----------
    name, assumes : str
    standardised : bool
        Whether estimates are standardised paths and not weights in units of the markers.
    sign : int
        Of the correlations of exogenous factors; 0 leaves it open.
    evidence : tuple of PathEvidence
        In the order of the design's paths.
    relabelled : int
        Rows of tables and text whose own label the reading overrules.
    """

    name: str
    assumes: str
    standardised: bool
    sign: int
    evidence: tuple[PathEvidence, ...]
    relabelled: int


@dataclass(frozen=True, slots=True)
class Index:
    """A printed fit index: the interval in which it lies."""

    name: str
    shown: str
    low: float
    high: float
    flat: float


@dataclass(frozen=True, slots=True)
class Publication:
    """What a paper prints of a design, and how it may be read. Equal where it says the same.

    Attributes
    ----------
    design : Design
    n : int
    loadings : tuple of (float, float)
        Value and half width of its rounding interval, in the order of the design's indicators.
    chisq : float
    indices : tuple of Index
    elsewhere : tuple of (str, Cell)
        Numbers of paths that no reading uses, by the label that they are printed with.
    readings : tuple of Reading
    """

    design: Design
    n: int
    loadings: tuple[tuple[float, float], ...]
    chisq: float
    indices: tuple[Index, ...]
    elsewhere: tuple[tuple[str, Cell], ...]
    readings: tuple[Reading, ...]

    def reading(self, name: str) -> Reading:
        """The reading of a name.

        Raises
        ------
        StudyError
            If there is none of that name.
        """
        names = [reading.name for reading in self.readings]
        if name not in names:
            hint = did_you_mean(str(name), names)
            raise StudyError(
                f"there is no reading `{name}`; there are {', '.join(names)}.", hint=hint
            )
        return self.readings[names.index(name)]


@dataclass(frozen=True, slots=True)
class _File:
    """The codebook's tables and text, so that an error can point into it."""

    printed: Mapping[str, Any]
    source: Source

    def place(self, header: str, row: int = 0, key: str = "") -> Span | None:
        """Where a key stands: in a table, or in the row of one (counted from 1)."""
        return place(self.source, header, row, key)

    def error(
        self, message: str, header: str, row: int = 0, key: str = "", hint: str = ""
    ) -> StudyError:
        return StudyError(message, span=self.place(header, row, key), hint=hint)

    def table(self, name: str) -> Mapping[str, Any]:
        table = self.printed.get(name)
        if not isinstance(table, Mapping):
            raise self.error(
                f"`[printed.{name}]` is missing.", "printed", hint="It is needed here."
            )
        return table

    def rows(self, name: str) -> list[Mapping[str, Any]]:
        rows = self.table(name).get("rows", [])
        if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
            raise self.error(
                f"`rows` of `[printed.{name}]` is not a list of tables.", f"printed.{name}"
            )
        return rows

    def number(self, value: Any, header: str, row: int, key: str) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.error(f"`{key}` is {value!r}, not a number.", header, row, key)
        if value != value or value in (float("inf"), float("-inf")):
            raise self.error(f"`{key}` is {value}, not a finite number.", header, row, key)
        return float(value)

    def half(self, name: str, row: Mapping[str, Any], k: int = 0, key: str = "") -> float:
        """Half a unit of the last decimal: of ``digits``, or as the number is written."""
        digits = row.get("digits", self.table(name).get("digits"))
        if digits is None:
            digits = self._written(name, k, key)
        if isinstance(digits, bool) or not isinstance(digits, int) or not 0 <= digits <= 12:
            raise self.error(
                f"`digits` is {digits!r}, not a number of decimals.",
                f"printed.{name}",
                key="digits",
            )
        return 0.5 * 10.0**-digits

    def _written(self, name: str, k: int, key: str) -> int:
        """Decimals of a number in the codebook's text; 3 where it was never written."""
        span = self.place(f"printed.{name}", k, key) if key else None
        written = span.text.partition("=")[2].strip() if span is not None else ""
        return len(written.partition(".")[2]) if NUMBER.fullmatch(written) else 3


def read_printed(
    printed: Mapping[str, Any],
    readings: Mapping[str, Any],
    n: int | None,
    design: Design,
    *,
    path: str | FilePath | None = None,
) -> Publication:
    """Check printed numbers and the readings of them.

    Parameters
    ----------
    printed : mapping
        The tables ``[printed.*]``: ``loadings`` and ``fit``, and any with rows ``lhs ~ rhs``.
    readings : mapping
        The tables ``[readings.*]``; if empty, one reading takes every row at its own label, and for
        each estimate that is not its critical ratio times its error another sets it aside.
    n : int
    design : Design
    path : path, optional
        The codebook, so that errors can point into it.

    Raises
    ------
    StudyError
        For a number that is missing, is text, or cannot be what it is said to be.
    """
    text = FilePath(path).read_text(encoding="utf-8") if path is not None else ""
    file = _File(printed, Source(text, str(path) if path is not None else "<printed>"))
    cases = _cases(file, n, design)
    loadings, chisq, indices = _loadings(file, design), _chisq(file, design), tuple(_indices(file))
    given = readings or _by_default(file, design)
    found = [_reading(file, design, name, table) for name, table in given.items()]
    used = {(c.table, c.row) for r in found for e in r.evidence for c in e.cells}
    coefficient = next(iter(given.values())).get("coefficient")
    elsewhere = tuple(_elsewhere(file, design, used, coefficient))
    done = tuple(replace(r, relabelled=_relabelled(file, design, r, elsewhere)) for r in found)
    return Publication(design, cases, loadings, chisq, indices, elsewhere, done)


def _cases(file: _File, n: int | None, design: Design) -> int:
    if n is None:
        raise file.error("the number of cases `n` is missing.", "study", hint="Write `n = ...`.")
    if isinstance(n, bool) or not isinstance(n, int):
        raise file.error(f"`n` is {n!r}, not a whole number.", "study", key="n")
    if n <= len(design.indicators):
        raise file.error(
            f"{n} cases are too few for {len(design.indicators)} items.", "study", key="n"
        )
    return n


def _loadings(file: _File, design: Design) -> tuple[tuple[float, float], ...]:
    found: dict[str, tuple[float, float]] = {}
    for k, row in enumerate(file.rows("loadings"), 1):
        name = row.get("rhs")
        if name not in design.indicators:
            hint = did_you_mean(str(name), design.indicators)
            raise file.error(
                f"`{name}` is no item of the model.", "printed.loadings", k, "rhs", hint
            )
        _check_factor(file, design, row, k)
        value = file.number(row.get("est"), "printed.loadings", k, "est")
        if not 0 < abs(value) < 1:
            raise file.error(
                f"the standardised loading of `{name}` is {value:g}; it lies between -1 and 1.",
                "printed.loadings",
                k,
                "est",
                "It leaves no residual variance, so no data can have it.",
            )
        if name in found:
            raise file.error(f"`{name}` has two loadings.", "printed.loadings", k, "rhs")
        room = min(abs(value), 1 - abs(value))
        found[name] = value, min(file.half("loadings", row, k, "est"), 0.999 * room)
    missing = [name for name in design.indicators if name not in found]
    if missing:
        raise file.error(f"no loading is printed for `{missing[0]}`.", "printed.loadings")
    return tuple(found[name] for name in design.indicators)


def _check_factor(file: _File, design: Design, row: Mapping[str, Any], k: int) -> None:
    factor = design.factors[design.block[design.indicators.index(row["rhs"])]]
    if row.get("lhs", factor) != factor:
        message = f"`{row['rhs']}` measures `{factor}` in the model, not `{row['lhs']}`."
        raise file.error(message, "printed.loadings", k, "lhs")


def _chisq(file: _File, design: Design) -> float:
    fit = file.table("fit")
    if "chisq" in fit:
        value = file.number(fit["chisq"], "printed.fit", 0, "chisq")
    elif "cmin_df" in fit:
        value = file.number(fit["cmin_df"], "printed.fit", 0, "cmin_df") * design.df
    else:
        raise file.error("neither `chisq` nor `cmin_df` is printed.", "printed.fit")
    if value < 0:
        raise file.error(
            f"chi-square is {value:g}; it cannot be negative.", "printed.fit", key="chisq"
        )
    return value


def _indices(file: _File) -> Iterator[Index]:
    fit = file.table("fit")
    for name in INDICES:
        if name in fit:
            value = file.number(fit[name], "printed.fit", 0, name)
            half = file.half("fit", {}, 0, name)
            yield Index(name, f"{value:g}", value - half, value + half, 2 * half / RANGE["index"])


def _path_tables(file: _File) -> list[str]:
    tables = [name for name, table in file.printed.items() if isinstance(table, Mapping)]
    return [name for name in tables if any(row.get("op") == "~" for row in _quiet_rows(file, name))]


def _quiet_rows(file: _File, name: str) -> list[Mapping[str, Any]]:
    """Rows of a table, none where it has none or they are those of a matrix."""
    rows = file.table(name).get("rows", [])
    if isinstance(rows, list) and any(isinstance(row, list) for row in rows):
        return []
    return file.rows(name)


def _label(file: _File, design: Design, table: str, k: int) -> str:
    """The path that a row is printed for."""
    row = file.rows(table)[k - 1]
    named = [
        p.label
        for p in design.paths
        if (p.outcome, p.predictor) == (row.get("lhs"), row.get("rhs"))
    ]
    if not named:
        message = f"the model has no path `{row.get('lhs')} ~ {row.get('rhs')}`."
        raise file.error(message, f"printed.{table}", k, "lhs")
    return named[0]


def _by_default(file: _File, design: Design) -> Mapping[str, Any]:
    """The reading at its word, and one for each estimate that its own row contradicts.

    A reading draws its trusted estimates from their rounding intervals, so that one may be a
    misprint takes a reading of its own; its prior is that of any misprinted cell.
    """
    plain = _as_labelled(file, design)
    found = {"printed": plain}
    for label, places in plain["paths"].items():
        if any(_contradicts(file, place) for place in places):
            assumes = f"{AS_LABELLED} The estimate of `{label}` is a misprint."
            found[f"printed-{label}"] = {**plain, "assumes": assumes, "aside": [f"{label}.est"]}
    return found


def _contradicts(file: _File, place: str) -> bool:
    """Whether the estimate of a row cannot be its critical ratio times its error."""
    table, _, number = place.rpartition(".")
    k = int(number)
    row = file.rows(table)[k - 1]
    numbers = [row.get(key) for key in ("est", "cr", "se")]
    if not all(isinstance(x, int | float) and not isinstance(x, bool) for x in numbers):
        return False
    est, cr, se = (abs(float(x)) for x in numbers if x is not None)
    a, b, c = (file.half(table, row, k, key) for key in ("est", "cr", "se"))
    low, high = max(cr - b, 0.0) * max(se - c, 0.0), (cr + b) * (se + c)
    return not (low <= est + a and est - a <= high)


def _as_labelled(file: _File, design: Design) -> Mapping[str, Any]:
    """The reading that takes each row at its word."""
    paths: dict[str, list[str]] = {label: [] for label in design.labels}
    for table in _path_tables(file):
        seen: dict[str, int] = {}
        for k in range(1, len(file.rows(table)) + 1):
            label = _label(file, design, table, k)
            if label in seen:
                raise file.error(
                    f"rows {seen[label]} and {k} of `[printed.{table}]` are both for `{label}`.",
                    f"printed.{table}",
                    k,
                    hint="Say in a `[readings.*]` which row belongs to which path.",
                )
            seen[label] = k
            paths[label].append(f"{table}.{k}")
    return {"assumes": AS_LABELLED, "paths": paths, "correlation": "positive"}


def _reading(file: _File, design: Design, name: str, table: Mapping[str, Any]) -> Reading:
    header = f"readings.{name}"
    for key in table:
        if key not in READING_KEYS:
            hint = did_you_mean(key, READING_KEYS)
            raise file.error(f"`{key}` is no part of a reading.", header, 0, key, hint)
    if not isinstance(table.get("assumes"), str):
        raise file.error(f"reading `{name}` does not say what it `assumes`.", header)
    kind = table.get("est", "weight")
    if kind not in ESTIMATES:
        hint = f"It is one of {', '.join(ESTIMATES)}."
        raise file.error(f"`est` is {kind!r}.", header, 0, "est", hint)
    sign = table.get("correlation", "any")
    if sign not in SIGNS:
        hint = f"It is one of {', '.join(SIGNS)}."
        raise file.error(f"`correlation` is {sign!r}.", header, 0, "correlation", hint)
    aside = _aside(file, design, header, table.get("aside", []))
    paths = table.get("paths", {})
    for label in paths:
        if label not in design.labels:
            hint = did_you_mean(label, design.labels)
            raise file.error(
                f"the model has no path labelled `{label}`.", header, 0, f"paths.{label}", hint
            )
    rows = [_evidence(file, header, table, label, aside) for label in design.labels]
    standard = kind == "standardised"
    return Reading(name, table["assumes"], standard, SIGNS[sign], tuple(rows), 0)


def _aside(file: _File, design: Design, header: str, given: Any) -> frozenset[tuple[str, str]]:
    found = set()
    for item in given:
        label, dot, kind = str(item).rpartition(".")
        if not dot or label not in design.labels or kind not in KINDS:
            message = f"`aside` names {item!r}, which is no cell."
            raise file.error(message, header, 0, "aside", "Write `label.kind`, as in `c1.se`.")
        found.add((label, kind))
    return frozenset(found)


def _evidence(
    file: _File,
    header: str,
    table: Mapping[str, Any],
    label: str,
    aside: frozenset[tuple[str, str]],
) -> PathEvidence:
    cells: list[Cell] = []
    for reference in table.get("paths", {}).get(label, []):
        for cell in _cells(file, header, table, label, reference):
            known = {(c.kind, c.low, c.high) for c in cells}
            if (cell.kind, cell.low, cell.high) not in known:  # a repeated number is one number
                cells.append(replace(cell, aside=(label, cell.kind) in aside))
    evidence = PathEvidence(label, tuple(cells))
    if evidence.trusted("est") is None and not _derivable(evidence):
        raise file.error(
            f"nothing printed gives the estimate of `{label}`.",
            header,
            key=f"paths.{label}",
            hint="It takes an `est`, or a standard error with a critical ratio or a numeric p.",
        )
    return evidence


def _derivable(evidence: PathEvidence) -> bool:
    p = evidence.trusted("p")
    ratio = evidence.trusted("cr") is not None or (p is not None and p.high < float("inf"))
    return evidence.trusted("se") is not None and ratio


def _cells(
    file: _File, header: str, reading: Mapping[str, Any], label: str, reference: Any
) -> Iterator[Cell]:
    name, _, number = str(reference).rpartition(".")
    tables = _path_tables(file)
    if name not in tables:
        hint = did_you_mean(name, tables)
        message = f"{reference!r} names no table with paths."
        raise file.error(message, header, 0, f"paths.{label}", hint)
    rows = file.rows(name)
    if not number.isdecimal() or not 1 <= int(number) <= len(rows):
        message = f"{reference!r}: `[printed.{name}]` has rows 1 to {len(rows)}."
        raise file.error(message, header, 0, f"paths.{label}")
    yield from _row_cells(file, name, int(number), reading.get("coefficient"), header)


def _row_cells(file: _File, name: str, k: int, coefficient: Any, header: str) -> Iterator[Cell]:
    row = file.rows(name)[k - 1]
    for key in ("est", "cr", "se", "p", "coefficient"):
        if key not in row:
            continue
        kind = coefficient if key == "coefficient" else key
        if kind not in KINDS:
            message = f"the reading does not say what `coefficient` in `[printed.{name}]` is."
            raise file.error(
                message, header, 0, "coefficient", 'Write `coefficient = "se"`, for one.'
            )
        yield _cell(file, name, k, key, kind)


def _cell(file: _File, name: str, k: int, key: str, kind: str) -> Cell:
    row, header = file.rows(name)[k - 1], f"printed.{name}"
    half = file.half(name, row, k, key)
    if kind == "p" and row[key] == STARS:
        return Cell("p", STARS, 0.0, _z(0.001), float("inf"), 0.5, name, k)
    value = file.number(row[key], header, k, key)
    flat = 2 * half / RANGE[kind]
    if kind == "p":
        if not 0 <= value <= 1:
            raise file.error(f"p is {value:g}; it lies between 0 and 1.", header, k, key)
        high = float("inf") if value <= half else _z(value - half)
        return Cell("p", f"{value:g}", value, _z(min(value + half, 1.0)), high, flat / 2, name, k)
    if kind == "se" and value <= 0:
        raise file.error(f"a standard error is {value:g}; it is above 0.", header, k, key)
    return Cell(kind, f"{value:g}", value, value - half, value + half, flat, name, k)


def _z(p: float) -> float:
    return float(norm.isf(p / 2))


def _elsewhere(
    file: _File, design: Design, used: set[tuple[str, int]], coefficient: Any
) -> Iterator[tuple[str, Cell]]:
    """Numbers of paths in rows that no reading refers to, such as those of the text."""
    for name in _path_tables(file):
        for k in range(1, len(file.rows(name)) + 1):
            if (name, k) not in used:
                label = _label(file, design, name, k)
                for cell in _row_cells(file, name, k, coefficient, f"printed.{name}"):
                    yield label, cell


def _relabelled(
    file: _File, design: Design, reading: Reading, elsewhere: tuple[tuple[str, Cell], ...]
) -> int:
    """Count the rows whose own label the reading overrules."""
    taken = {(c.table, c.row, e.label) for e in reading.evidence for c in e.cells}
    moved = {(t, k) for t, k, label in taken if _label(file, design, t, k) != label}
    given = {e.label: e for e in reading.evidence}
    for label, cell in elsewhere:
        same = [c for c in given[label].cells if c.kind == cell.kind and cell.kind != "p"]
        if same and all((c.low, c.high) != (cell.low, cell.high) for c in same):
            moved.add((cell.table, cell.row))
    return len(moved)
