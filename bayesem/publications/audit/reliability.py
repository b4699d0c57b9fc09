"""AVE, composite reliability and alpha against the loadings, and against each other."""

from collections.abc import Iterator
from math import floor, sqrt

from bayesem.publications.audit.findings import Finding, compare, shown, unknown
from bayesem.publications.audit.intervals import Interval, Printed, between
from bayesem.publications.audit.paper import Paper
from bayesem.publications.audit.transcribe import Row

__all__ = ["alpha_of", "ave_of", "composite_of", "composite_range", "reliability"]


def ave_of(*loadings: float) -> float:
    """Average variance extracted: the mean of the squared standardised loadings.

    Examples
    --------
    >>> ave_of(0.8, 0.6)
    0.5
    """
    return sum(x * x for x in loadings) / len(loadings)


def composite_of(*loadings: float) -> float:
    r"""Composite reliability, :math:`(\sum\lambda)^2 / ((\sum\lambda)^2 + \sum(1-\lambda^2))`."""
    common = sum(loadings) ** 2
    return common / (common + sum(1 - x * x for x in loadings))


def alpha_of(*loadings: float) -> float:
    """Cronbach's alpha if all items have one variance."""
    p = len(loadings)
    total = p + sum(loadings) ** 2 - sum(x * x for x in loadings)
    return p / (p - 1) * (1 - p / total)


def composite_range(ave: Interval, items: int) -> Interval:
    """The composite reliabilities that positive loadings of an AVE can have.

    Equal loadings give the most, loadings of 1 and 0 the least.
    """
    low, high = max(ave.low, 0.0), min(ave.high, 1.0)
    most = items * high / (items * high + 1 - high) if high > 0 else 0.0
    whole = floor(items * low)
    common = (whole + sqrt(items * low - whole)) ** 2
    rest = items * (1 - low)
    return Interval(common / (common + rest) if common + rest > 0 else 0.0, most)


def reliability(paper: Paper) -> Iterator[Finding]:
    """Every number of the tables of reliability."""
    for table in paper.transcript.of("reliability"):
        for row in table.rows:
            yield from _factor(paper, row)


def _factor(paper: Paper, row: Row) -> Iterator[Finding]:
    factor = row.text_at("factor")
    loadings = paper.loadings.get(factor, ())
    values, sizes = [x.value for x in loadings], [abs(x.interval) for x in loadings]
    signed = all(x.value > 0 for x in loadings)
    ave, cr, alpha = (row.number_at(name) for name in ("ave", "cr", "alpha"))
    if ave is not None:
        item = f"AVE of {factor}"
        if loadings:
            yield compare(
                "AVE from loadings", item, ave, between(ave_of, sizes), row.where,
                centre=ave_of(*values), remedy=_equal_loadings(ave, len(loadings), ave_of(*values)),
            )  # fmt: skip
        else:
            yield unknown("AVE from loadings", item, ave, row.where, "no loadings are printed")
    if cr is not None:
        item = f"CR of {factor}"
        if loadings and signed:
            yield compare(
                "CR from loadings", item, cr, between(composite_of, sizes), row.where,
                centre=composite_of(*values),
            )  # fmt: skip
        else:
            reason = "a loading is negative" if loadings else "no loadings are printed"
            yield unknown("CR from loadings", item, cr, row.where, reason)
    items = row.number_at("items")
    count = int(items.value) if items is not None else paper.items(factor)
    if ave is not None and cr is not None and count:
        yield _together(factor, ave, cr, count, row.where)
    root = row.number_at("sqrt_ave")
    if root is not None and ave is not None:
        yield compare(
            "square root of AVE", f"sqrt AVE of {factor}", root,
            between(lambda x: sqrt(max(x, 0.0)), [ave.interval]), row.where, centre=sqrt(ave.value),
        )  # fmt: skip
    if alpha is not None:
        yield _alpha(factor, alpha, values, row.where)


def _equal_loadings(ave: Printed, items: int, implied: float) -> str:
    return (
        f"AVE {shown(implied, ave.digits)}, or loadings of {sqrt(ave.value):.2f} on average "
        f"({items} items)"
    )


def _together(factor: str, ave: Printed, cr: Printed, items: int, where: str) -> Finding:
    possible = composite_range(ave.interval, items)
    end = possible.high if cr.value > possible.high else possible.low
    return compare(
        "CR against AVE", f"CR of {factor} with its AVE", cr, possible, where,
        centre=end if not cr.interval.meets(possible) else cr.value,
        remedy=f"with AVE {ave.shown} and {items} items CR lies between {possible.low:.3f} and "
        f"{possible.high:.3f}",
    )  # fmt: skip


def _alpha(factor: str, alpha: Printed, loadings: list[float], where: str) -> Finding:
    if len(loadings) < 2:
        return unknown("alpha", f"alpha of {factor}", alpha, where, "no loadings are printed")
    implied = alpha_of(*loadings)
    return unknown(
        "alpha", f"alpha of {factor}", alpha, where,
        "alpha needs the items' variances; with equal ones the loadings give "
        f"{shown(implied, alpha.digits)}", implied,
    )  # fmt: skip
