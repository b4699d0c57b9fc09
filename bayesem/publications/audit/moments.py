"""Means and standard deviations of whole answers: GRIM, GRIMMER, and the limits of the scale.

References
----------
.. [1] Brown & Heathers (2017), The GRIM test, Social Psychological and Personality Science 8,
   363-369. https://doi.org/10.1177/1948550616673876
.. [2] Anaya (2016), The GRIMMER test, PeerJ Preprints 4, e2400v1.
   https://doi.org/10.7287/peerj.preprints.2400v1
"""

from collections.abc import Iterator
from math import ceil, floor, sqrt

from bayesem.publications.audit.findings import Finding, compare, conflict, unknown
from bayesem.publications.audit.intervals import SLACK, Interval, Printed, hull
from bayesem.publications.audit.paper import Paper
from bayesem.publications.audit.transcribe import Row, Table

__all__ = ["grim", "grimmer", "largest_sd", "moments"]

#: Totals to try in GRIMMER; more mean that rounding hides everything.
MOST = 2000


def grim(mean: Interval, count: int) -> range:
    """The totals of ``count`` whole answers whose mean lies in an interval.

    Examples
    --------
    >>> len(grim(Interval(5.185, 5.195), 28)), len(grim(Interval(5.175, 5.185), 28))
    (0, 1)
    """
    slack = SLACK * max(1.0, abs(mean.high) * count)
    return range(ceil(mean.low * count - slack), floor(mean.high * count + slack) + 1)


def grimmer(total: int, n: int, sd: Interval, scale: tuple[int, int] | None) -> bool:
    """Whether ``n`` whole answers with a total can have a standard deviation (divisor n - 1).

    Their sum of squares is whole, has the parity of the total, is not below that of the evenest
    answers, and on a scale not above that of the most extreme ones.
    """
    low = (n - 1) * max(sd.low, 0.0) ** 2 + total**2 / n
    high = (n - 1) * sd.high**2 + total**2 / n
    evenest = _evenest(total, n)
    first = max(ceil(low - SLACK * max(low, 1.0)), evenest)
    last = floor(high + SLACK * max(high, 1.0))
    if scale is not None:
        last = min(last, _most_extreme(total, n, scale))
    first += (first - total) % 2
    return first <= last


def _evenest(total: int, n: int) -> int:
    base, more = divmod(total, n)
    return (n - more) * base**2 + more * (base + 1) ** 2


def _most_extreme(total: int, n: int, scale: tuple[int, int]) -> int:
    """Sum of squares when all answers but one are at the ends."""
    low, high = scale
    above = total - n * low
    if above < 0 or above > n * (high - low):
        return -1
    at_top, rest = divmod(above, high - low)
    one = (low + rest) ** 2 if at_top < n else 0
    return at_top * high**2 + one + max(n - at_top - 1, 0) * low**2


def largest_sd(mean: float, n: int, scale: tuple[float, float]) -> float:
    """Standard deviation (divisor n - 1) of answers at the ends of a scale."""
    spread = max(scale[1] - mean, 0.0) * max(mean - scale[0], 0.0)
    return sqrt(spread * n / (n - 1))


def moments(paper: Paper) -> Iterator[Finding]:
    """Every row of the tables of means and standard deviations."""
    for table in paper.transcript.of("descriptives"):
        for row in table.rows:
            yield from _row(paper, table, row)
    for table in paper.transcript.of("normality"):
        for row in table.rows:
            yield from _shape(paper, table, row)


def _row(paper: Paper, table: Table, row: Row) -> Iterator[Finding]:
    mean, sd, name = row.number_at("mean"), row.number_at("sd"), row.text_at("name")
    n = paper.transcript.cases(table, row)
    scale, items = _scale(paper, table, row), _items(table, row)
    if mean is not None and scale is not None:
        yield compare(
            "mean on the scale", f"{name}: mean", mean, Interval(*scale), row.where,
            centre=min(max(mean.value, scale[0]), scale[1]), remedy="a mean on the answer scale",
        )  # fmt: skip
    if mean is not None and items:
        yield _grim(name, mean, n * items, row.where)
        if sd is not None and items == 1:
            yield _grimmer(name, mean, sd, n, scale, row.where)
    if mean is not None and sd is not None and scale is not None:
        ends = (mean.interval.low, mean.interval.high, (scale[0] + scale[1]) / 2)
        inside = [x for x in ends if mean.interval.low <= x <= mean.interval.high]
        most = max(largest_sd(x, n, scale) for x in inside)
        yield compare(
            "SD on the scale", f"{name}: SD", sd, Interval(0.0, most), row.where,
            centre=min(sd.value, most), remedy=f"at most {most:.{sd.digits}f}: answers at the ends",
        )  # fmt: skip
    error = row.number_at("se")
    if error is not None and sd is not None:
        yield compare(
            "SE of a mean", f"{name}: SE", error, sd.interval.scaled(1 / sqrt(n)), row.where,
            centre=sd.value / sqrt(n),
        )  # fmt: skip


def _scale(paper: Paper, table: Table, row: Row) -> tuple[float, float] | None:
    for source in (row, table.whole):
        given = source.cells.get("scale")
        if given is not None:
            return given[0].value, given[-1].value
    book = paper.transcript.book
    return book.scale if row.text_at("name") in book.indicators or not book.indicators else None


def _items(table: Table, row: Row) -> int:
    """How many whole answers each case's number is the mean of; 0 if that is not said."""
    for source in (row, table.whole):
        given = source.number_at("items")
        if given is not None:
            return int(given.value)
    return 0


def _grim(name: str, mean: Printed, count: int, where: str) -> Finding:
    if count >= 10**mean.digits:
        return unknown(
            "GRIM", f"{name}: mean", mean, where,
            f"with {count} answers every mean of {mean.digits} decimals is possible",
        )  # fmt: skip
    possible = len(grim(mean.interval, count)) > 0
    below, above = floor(mean.value * count) / count, ceil(mean.value * count) / count
    nearest = min((below, above), key=lambda x: abs(x - mean.value))
    return conflict(
        "GRIM", f"{name}: mean", mean, nearest, where,
        f"{below:.{mean.digits}f} or {above:.{mean.digits}f} are possible with {count} answers",
        agree=possible,
    )  # fmt: skip


def _grimmer(
    name: str, mean: Printed, sd: Printed, n: int, scale: tuple[float, float] | None, where: str
) -> Finding:
    totals = grim(mean.interval, n)
    if not totals or len(totals) > MOST:
        reason = "its mean is impossible" if not totals else "rounding hides everything"
        return unknown("GRIMMER", f"{name}: SD", sd, where, reason)
    whole = (int(scale[0]), int(scale[1])) if scale is not None else None
    possible = any(grimmer(total, n, sd.interval, whole) for total in totals)
    return conflict(
        "GRIMMER", f"{name}: SD", sd, None, where,
        f"no {n} whole answers with mean {mean.shown} have this SD", agree=possible,
    )  # fmt: skip


def _shape(paper: Paper, table: Table, row: Row) -> Iterator[Finding]:
    """Kurtosis is at least squared skewness less 2; critical ratios divide by known errors."""
    n, name = paper.transcript.cases(table), row.text_at("indicator")
    errors = sqrt(6 / n), sqrt(24 / n)
    small = _small_sample_errors(n)
    skew, kurt = row.number_at("skewness"), row.number_at("kurtosis")
    for plain, ratio, error, what in (
        (skew, row.number_at("cr_skewness"), (errors[0], small[0]), "skewness"),
        (kurt, row.number_at("cr_kurtosis"), (errors[1], small[1]), "kurtosis"),
    ):
        if plain is not None and ratio is not None:
            yield compare(
                f"CR of {what}", f"{name}: CR of {what}", ratio,
                hull([plain.interval.scaled(1 / e) for e in error]), row.where,
                centre=plain.value / error[0],
            )  # fmt: skip
    size = _moment(skew, row.number_at("cr_skewness"), errors[0])
    peak = _moment(kurt, row.number_at("cr_kurtosis"), errors[1])
    if size is not None and peak is not None:
        least = _least_kurtosis(abs(size).low, n)
        yield conflict(
            "kurtosis against skewness", f"{name}: kurtosis", f"{peak.middle:.3f}", least,
            row.where, f"no data have an excess kurtosis below {least:.3f} at this skewness",
            agree=peak.high >= least - SLACK,
        )  # fmt: skip


def _least_kurtosis(skewness: float, n: int) -> float:
    """Excess kurtosis is at least squared skewness less 2, in moments or as SPSS corrects them."""
    plain = skewness**2 - 2
    if n < 4:
        return plain
    inner = skewness**2 * (n - 2) ** 2 / (n * (n - 1)) - 2
    return min(plain, (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * inner + 6))


def _small_sample_errors(n: int) -> tuple[float, float]:
    """Standard errors of skewness and kurtosis that SPSS and SAS use; AMOS uses the others."""
    skew = 6 * n * (n - 1) / ((n - 2) * (n + 1) * (n + 3)) if n > 2 else 1.0
    kurt = 4 * (n * n - 1) * skew / ((n - 3) * (n + 5)) if n > 3 else 1.0
    return sqrt(skew), sqrt(kurt)


def _moment(plain: Printed | None, ratio: Printed | None, error: float) -> Interval | None:
    if plain is not None:
        return plain.interval
    return ratio.interval.scaled(error) if ratio is not None else None
