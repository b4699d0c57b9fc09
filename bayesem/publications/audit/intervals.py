"""Printed digits as intervals: what a rounded number can have been, and what follows from it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import floor, inf, isfinite

__all__ = ["ANYTHING", "Interval", "Printed", "between", "cut_off", "hull", "rounded"]

#: Relative slack for the computer's own rounding.
SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class Interval:
    """Real numbers from ``low`` to ``high``, ends included.

    Examples
    --------
    >>> Interval(1, 2) / Interval(4, 8)
    Interval(low=0.125, high=0.5)
    """

    low: float
    high: float

    @property
    def middle(self) -> float:
        """Halfway, or the finite end."""
        if isfinite(self.low) and isfinite(self.high):
            return (self.low + self.high) / 2
        return self.low if isfinite(self.low) else self.high

    def __add__(self, other: "Interval") -> "Interval":
        return Interval(self.low + other.low, self.high + other.high)

    def __sub__(self, other: "Interval") -> "Interval":
        return Interval(self.low - other.high, self.high - other.low)

    def __mul__(self, other: "Interval") -> "Interval":
        every = [_times(a, b) for a in (self.low, self.high) for b in (other.low, other.high)]
        return Interval(min(every), max(every))

    def __truediv__(self, other: "Interval") -> "Interval":
        if other.low <= 0 <= other.high:
            return ANYTHING
        return self * Interval(1 / other.high, 1 / other.low)

    def __abs__(self) -> "Interval":
        ends = sorted((abs(self.low), abs(self.high)))
        return Interval(0.0 if self.low <= 0 <= self.high else ends[0], ends[1])

    def scaled(self, factor: float) -> "Interval":
        """Times a known number."""
        return self * Interval(factor, factor)

    def beyond(self, other: "Interval") -> float:
        """By how much this lies above (or, negative, below) another interval; 0 if they meet."""
        slack = SLACK * max(1.0, *(abs(x) for x in (self.low, self.high) if isfinite(x)))
        if self.low > other.high + slack:
            return self.low - other.high
        if self.high < other.low - slack:
            return self.high - other.low
        return 0.0

    def meets(self, other: "Interval") -> bool:
        """Whether a number lies in both."""
        return self.beyond(other) == 0


ANYTHING = Interval(-inf, inf)


def _times(a: float, b: float) -> float:
    return 0.0 if a == 0 or b == 0 else a * b


def between(
    f: Callable[..., float], rising: Sequence[Interval], falling: Sequence[Interval] = ()
) -> Interval:
    """The range of a function that rises in its first arguments and falls in the others.

    Examples
    --------
    >>> between(lambda a, b: a - b, [Interval(1, 2)], [Interval(0, 1)])
    Interval(low=0, high=2)
    """
    low = f(*(a.low for a in rising), *(b.high for b in falling))
    high = f(*(a.high for a in rising), *(b.low for b in falling))
    return Interval(low, high)


def hull(parts: Sequence[Interval]) -> Interval:
    """The smallest interval that holds all."""
    return Interval(min(p.low for p in parts), max(p.high for p in parts))


@dataclass(frozen=True, slots=True)
class Printed:
    """One printed number.

    Attributes
    ----------
    value : float
        As printed; of a bound such as ``< .001`` its end.
    interval : Interval
        The numbers that are printed so.
    shown : str
    digits : int
        Decimals that carry information.
    """

    value: float
    interval: Interval
    shown: str
    digits: int

    @property
    def plain(self) -> bool:
        """Whether a number is shown, and not stars or a bound."""
        return self.shown.lstrip("+-").replace(".", "", 1).isdigit()

    def repeats(self, other: "Printed") -> bool:
        """Whether both can be one number: the same digits if they have as many decimals.

        Examples
        --------
        >>> rounded(Decimal("0.12")).repeats(rounded(Decimal("0.123")))
        True
        >>> rounded(Decimal("0.12")).repeats(rounded(Decimal("0.13")))
        False
        """
        unit = 10.0**-self.digits
        narrow = all(x.interval.high - x.interval.low < 1.5 * unit for x in (self, other))
        if self.digits == other.digits and self.plain and other.plain and narrow:
            return abs(self.value - other.value) < unit / 1e3
        return self.interval.meets(other.interval)


def rounded(number: Decimal | int | float, digits: int | None = None) -> Printed:
    """A number that was rounded to its last digit, or to ``digits`` decimals.

    Examples
    --------
    >>> rounded(Decimal("0.50")).interval
    Interval(low=0.495, high=0.505)
    """
    given = Decimal(str(number))
    exponent = given.as_tuple().exponent
    written = max(-exponent, 0) if isinstance(exponent, int) else 0
    decimals = written if digits is None else digits
    half = 0.5 * 10.0**-decimals
    value = float(given)
    return Printed(value, Interval(value - half, value + half), str(number), decimals)


def exactly(number: int) -> Printed:
    """A count: nothing was rounded."""
    return Printed(float(number), Interval(float(number), float(number)), str(number), 0)


def cut_off(printed: Printed, implied: Interval) -> bool:
    """Whether a number was cut off after its last digit instead of rounded.

    Examples
    --------
    >>> cut_off(rounded(Decimal("27.8")), Interval(27.89, 27.90))
    True
    """
    unit = 10.0**-printed.digits
    if not isfinite(implied.low):
        return False
    return abs(floor(abs(implied.low) / unit + SLACK) * unit - abs(printed.value)) < unit / 1e3
