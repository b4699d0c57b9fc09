"""What one check says of one printed number."""

from dataclasses import dataclass
from math import inf, nan

from bayesem.publications.audit.intervals import Interval, Printed, cut_off

__all__ = [
    "CONSISTENT",
    "INCONSISTENT",
    "NOT_CHECKABLE",
    "Finding",
    "compare",
    "conflict",
    "unknown",
]

CONSISTENT, INCONSISTENT, NOT_CHECKABLE = "consistent", "inconsistent", "not checkable"


@dataclass(frozen=True, slots=True)
class Finding:
    """One comparison.

    Attributes
    ----------
    check : str
        Which relation was checked.
    item : str
        What the number is of.
    printed : Printed, str or None
    recomputed : float, str or None
        What follows from the rest of the paper.
    interval : Interval or None
        The same with all rounding allowed for.
    verdict : str
    beyond : float
        By how much they differ after all rounding is allowed for.
    where : str
    remedy : str
        What would make both true; of what is not checkable, why.
    misprint : float
        Posterior probability of a misprint, where the tables were rebuilt.
    """

    check: str
    item: str
    printed: Printed | str | None
    recomputed: float | str | None
    interval: Interval | None
    verdict: str
    beyond: float
    where: str
    remedy: str = ""
    misprint: float = nan

    @property
    def difference(self) -> float:
        """Printed less recomputed."""
        if isinstance(self.printed, Printed) and isinstance(self.recomputed, float):
            if self.verdict == NOT_CHECKABLE:
                return nan
            return self.printed.value - self.recomputed
        return nan


def compare(
    check: str,
    item: str,
    printed: Printed,
    implied: Interval,
    where: str,
    *,
    centre: float | None = None,
    remedy: str = "",
) -> Finding:
    """Hold a printed number against what follows from others, rounding allowed for.

    Parameters
    ----------
    centre : float, optional
        What follows if every number is exactly as printed.
    remedy : str
        Used where they differ.
    """
    beyond = printed.interval.beyond(implied)
    value = implied.middle if centre is None else centre
    if not beyond:
        return Finding(check, item, printed, value, implied, CONSISTENT, 0.0, where)
    said = "the number was cut off after its last digit, not rounded"
    if not cut_off(printed, implied):
        said = remedy or f"{shown(value, printed.digits)} in its place"
    return Finding(check, item, printed, value, implied, INCONSISTENT, beyond, where, said)


def conflict(
    check: str, item: str, printed: Printed | str | None, other: float | str | None, where: str,
    remedy: str, *, agree: bool = False,
) -> Finding:  # fmt: skip
    """Two statements of which one must go, or, where they ``agree``, need not."""
    verdict = CONSISTENT if agree else INCONSISTENT
    beyond = 0.0 if agree else nan
    if not agree and isinstance(printed, Printed) and isinstance(other, float):
        beyond = printed.value - other
    return Finding(
        check, item, printed, other, None, verdict, beyond, where, "" if agree else remedy
    )


def unknown(
    check: str, item: str, printed: Printed | str | None, where: str, reason: str,
    recomputed: float | None = None,
) -> Finding:  # fmt: skip
    """A number that what is printed cannot check."""
    return Finding(check, item, printed, recomputed, None, NOT_CHECKABLE, nan, where, reason)


def shown(value: float, digits: int) -> str:
    """A number with a paper's decimals."""
    return f"{value:.{digits}f}" if abs(value) < inf else "any number"
