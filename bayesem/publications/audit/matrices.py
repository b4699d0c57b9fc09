"""Correlation matrices that no data have, and diagonals of AVE."""

from collections.abc import Iterator
from math import sqrt

import numpy as np

from bayesem.arrays import Floats
from bayesem.publications.audit.findings import CONSISTENT, INCONSISTENT, Finding, compare, unknown
from bayesem.publications.audit.intervals import Interval, between
from bayesem.publications.audit.paper import Paper
from bayesem.publications.audit.transcribe import Table

__all__ = ["impossible", "matrices", "possible_range"]


def matrices(paper: Paper) -> Iterator[Finding]:
    """Every table of correlations."""
    for table in paper.transcript.of("correlations"):
        yield from _symmetric(table)
        yield from _diagonal(paper, table)
        yield from _positive(table)


def _names(table: Table) -> tuple[str, ...]:
    return tuple(table.whole.cells["names"])


def _values(table: Table) -> tuple[Floats, Floats]:
    """Correlations and half widths of their rounding, with a unit diagonal."""
    p = len(table.matrix)
    R, half = np.eye(p), np.zeros((p, p))
    for i, row in enumerate(table.matrix):
        for j in range(i):
            R[i, j] = R[j, i] = row[j].value
            half[i, j] = half[j, i] = row[j].interval.high - row[j].value
    return R, half


def impossible(R: Floats, half: Floats) -> tuple[float, float]:
    """Smallest eigenvalue, and the most that rounding can add along its eigenvector.

    Where the sum is below 0, that vector shows every matrix within rounding to have a negative
    variance.
    """
    values, vectors = np.linalg.eigh(R)
    size = np.abs(vectors[:, 0])
    return float(values[0]), float(size @ half @ size)


def possible_range(R: Floats, i: int, j: int) -> Interval | None:
    """The correlations of two variables that the others allow; None if these are impossible.

    Examples
    --------
    >>> R = np.array([[1, 0.6, 0], [0.6, 1, 0.8], [0, 0.8, 1]])
    >>> round(possible_range(R, 2, 0).low, 9)
    0.0
    """
    rest = [k for k in range(len(R)) if k not in (i, j)]
    if not rest:
        return Interval(-1.0, 1.0)
    inner = R[np.ix_(rest, rest)]
    if np.linalg.eigvalsh(inner)[0] <= 0:
        return None
    a, b = np.linalg.solve(inner, R[rest, i]), np.linalg.solve(inner, R[rest, j])
    left = (1 - R[rest, i] @ a, 1 - R[rest, j] @ b)
    if min(left) < 0:
        return None
    centre, width = float(R[rest, i] @ b), sqrt(left[0] * left[1])
    return Interval(centre - width, centre + width)


def _positive(table: Table) -> Iterator[Finding]:
    R, half = _values(table)
    least, room = impossible(R, half)
    item = f"correlations of {len(R)} variables: smallest eigenvalue"
    if least + room >= -1e-12:
        yield Finding(
            "possible correlations", item, f"{least:.4f}", 0.0, None, CONSISTENT, 0.0, table.where
        )
        return
    yield Finding(
        "possible correlations", item, f"{least:.4f}", 0.0, None, INCONSISTENT, least + room,
        table.where, _which(R, half, _names(table)),
    )  # fmt: skip


def _which(R: Floats, half: Floats, names: tuple[str, ...]) -> str:
    """The single correlation whose smallest change makes the matrix possible."""
    best: tuple[float, str] = (np.inf, "no single correlation makes the matrix possible")
    for i in range(len(R)):
        for j in range(i):
            allowed = possible_range(R, i, j)
            if allowed is None:
                continue
            near = min(max(R[i, j], allowed.low), allowed.high)
            step = abs(near - R[i, j])
            if step < best[0]:
                best = (
                    step,
                    f"r({names[i]}, {names[j]}) between {allowed.low:.3f} and {allowed.high:.3f}",
                )
    return best[1]


def _symmetric(table: Table) -> Iterator[Finding]:
    """Where both triangles are printed."""
    names = _names(table)
    for i, row in enumerate(table.matrix):
        for j in range(i + 1, len(row)):
            other = table.matrix[j][i]
            yield compare(
                "symmetric matrix", f"r({names[i]}, {names[j]})", row[j], other.interval,
                table.where, centre=other.value, remedy="one value above and below the diagonal",
            )  # fmt: skip


def _diagonal(paper: Paper, table: Table) -> Iterator[Finding]:
    kind, names = table.whole.text_at("diagonal") or "one", _names(table)
    aves = {
        row.text_at("factor"): row.number_at("ave")
        for other in paper.transcript.of("reliability")
        for row in other.rows
    }
    for i, row in enumerate(table.matrix):
        own, name = row[i], names[i]
        if kind == "one":
            yield compare(
                "unit diagonal", f"r({name}, {name})", own, Interval(1.0, 1.0), table.where
            )
            continue
        ave = aves.get(name)
        if ave is None:
            yield unknown(
                "diagonal of AVE", f"diagonal of {name}", own, table.where, "no AVE is printed"
            )
        else:
            yield compare(
                "diagonal of AVE", f"sqrt AVE of {name}", own,
                between(lambda x: sqrt(max(x, 0.0)), [ave.interval]), table.where,
                centre=sqrt(ave.value),
            )  # fmt: skip
        if table.whole.cells.get("discriminant") is True:
            yield from _fornell(table, names, i)


def _fornell(table: Table, names: tuple[str, ...], i: int) -> Iterator[Finding]:
    """Where the paper claims it: the root of AVE is above every correlation of the factor."""
    own = table.matrix[i][i]
    others = [table.matrix[max(i, j)][min(i, j)] for j in range(len(names)) if j != i]
    largest = max(others, key=lambda x: abs(x.value))
    above = own.interval.high >= abs(largest.interval).low
    yield Finding(
        "Fornell-Larcker", f"sqrt AVE of {names[i]} above its correlations", own,
        abs(largest.value), None, CONSISTENT if above else INCONSISTENT,
        0.0 if above else own.value - abs(largest.value), table.where,
        "" if above else f"discriminant validity does not hold for {names[i]}",
    )  # fmt: skip
