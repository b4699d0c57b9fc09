"""Indirect effects: products of paths, Sobel's test, and sums of effects."""

from collections.abc import Iterator
from itertools import pairwise, product

from bayesem.publications.audit.findings import Finding, compare, shown, unknown
from bayesem.publications.audit.intervals import Interval, Printed, between, hull
from bayesem.publications.audit.paper import Paper
from bayesem.publications.audit.paths import p_range, ratio_of, sobel_of, z_of
from bayesem.publications.audit.transcribe import Row, Table

__all__ = ["indirect"]


def indirect(paper: Paper) -> Iterator[Finding]:
    """Every row of the tables of indirect effects."""
    for table in paper.transcript.of("indirect"):
        for row in table.rows:
            yield from _row(paper, table, row)
    for table in paper.transcript.of("effects"):
        for row in table.rows:
            yield from _sum(row)


def _name(row: Row) -> str:
    return " -> ".join(row.cells["path"])


def _row(paper: Paper, table: Table, row: Row) -> Iterator[Finding]:
    z, p, est, se = (row.number_at(x) for x in ("z", "p", "est", "se"))
    steps = [(b, a) for a, b in pairwise(row.cells["path"])]
    if z is not None:
        yield _sobel(paper, steps, z, row)
    if z is not None and p is not None:
        yield _p(table, row, z, p)
    if est is not None:
        yield _product(paper, steps, est, row)
    if est is not None and se is not None and z is not None:
        yield compare(
            "estimate = z x SE", f"{_name(row)}: z", z, est.interval / se.interval, row.where,
            centre=est.value / se.value,
        )  # fmt: skip


def _p(table: Table, row: Row, z: Printed, p: Printed) -> Finding:
    tails = table.whole.number_at("tails")
    sides = int(tails.value) if tails is not None else 2
    centre = p_range(Interval(z.value, z.value), None, sides).middle
    return compare(
        "p from z", f"{_name(row)}: p", p, p_range(z.interval, None, sides), row.where,
        centre=centre,
        remedy=f"p {shown(centre, max(p.digits, 3))}, or z "
        f"{z_of(max(p.interval.high, 1e-9), sides):.2f} or more",
    )  # fmt: skip


def _printed(paper: Paper, step: tuple[str, str], column: str) -> list[tuple[Printed, str]]:
    """What tables, and only if they are silent the text, print for a path under its own name."""
    for text in (False, True):
        found = []
        for table in paper.transcript.of("paths", text=text):
            rows = [r for r in table.rows if (r.text_at("lhs"), r.text_at("rhs")) == step]
            for row in rows:
                value = ratio_of(row) if column == "cr" else row.number_at(column)
                if value is not None:
                    found.append((value, row.where))
        if found:
            return found
    return []


def _sobel(paper: Paper, steps: list[tuple[str, str]], z: Printed, row: Row) -> Finding:
    """Sobel's z from the ratios of its paths, or its bound by those that are known."""
    item, known = f"{_name(row)}: Sobel z", [_printed(paper, s, "cr") for s in steps]
    given = [k for k in known if k]
    if not given:
        return unknown("Sobel from CR", item, z, row.where, "no critical ratios are printed")
    size = Printed(abs(z.value), abs(z.interval), z.shown, z.digits)
    if len(given) < len(steps) or len(steps) != 2:
        bound = max(min(x.interval.high for x in pick) for pick in _picks(given))
        top = max(min(x.value for x in pick) for pick in _picks(given))
        missing = ", ".join(f"{b} ~ {a}" for (b, a), k in zip(steps, known, strict=True) if not k)
        return compare(
            "Sobel below the smaller CR", item, size, Interval(0.0, bound), row.where, centre=top,
            remedy=f"at most {top:g}, the smallest CR on the way ({missing} is not printed)",
        )  # fmt: skip
    ranges, centres = [], []
    for pick in _picks(known):
        sizes = [abs(x.interval) for x in pick]
        ranges.append(between(sobel_of, sizes))
        centres.append(sobel_of(*(x.value for x in pick)))
    best = min(range(len(ranges)), key=lambda k: abs(size.interval.beyond(ranges[k])))
    ratios = [x.shown for x in list(_picks(known))[best]]
    return compare(
        "Sobel from CR", item, size, ranges[best], row.where, centre=centres[best],
        remedy=f"z {shown(centres[best], z.digits)} by the CRs {' and '.join(ratios)}; no z can be "
        f"above {min(float(r) for r in ratios):g}",
    )  # fmt: skip


def _picks(known: list[list[tuple[Printed, str]]]) -> Iterator[tuple[Printed, ...]]:
    for pick in product(*known):
        yield tuple(value for value, _ in pick)


def _product(paper: Paper, steps: list[tuple[str, str]], est: Printed, row: Row) -> Finding:
    known = [_printed(paper, s, "est") for s in steps]
    item = f"{_name(row)}: estimate"
    if not all(known):
        return unknown("product of paths", item, est, row.where, "a path on the way is not printed")
    ranges, centres = [], []
    for pick in _picks(known):
        total, centre = Interval(1.0, 1.0), 1.0
        for x in pick:
            total, centre = total * x.interval, centre * x.value
        ranges.append(total)
        centres.append(centre)
    return compare("product of paths", item, est, hull(ranges), row.where, centre=centres[0])


def _sum(row: Row) -> Iterator[Finding]:
    direct, through, total = (row.number_at(x) for x in ("direct", "indirect", "total"))
    if direct is None or through is None or total is None:
        return
    yield compare(
        "total = direct + indirect", f"{row.text_at('lhs')} ~ {row.text_at('rhs')}: total", total,
        direct.interval + through.interval, row.where, centre=direct.value + through.value,
    )  # fmt: skip
