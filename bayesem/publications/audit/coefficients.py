"""A column of coefficients: estimates, or the standard errors of another table?"""

from collections.abc import Iterator
from dataclasses import dataclass

from bayesem.publications.audit.findings import Finding, compare, conflict, shown, unknown
from bayesem.publications.audit.intervals import Interval, Printed
from bayesem.publications.audit.paper import Paper
from bayesem.publications.audit.paths import arrow, ratio_of
from bayesem.publications.audit.transcribe import Row, Table

__all__ = ["coefficients"]


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


def coefficients(paper: Paper) -> Iterator[Finding]:
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
