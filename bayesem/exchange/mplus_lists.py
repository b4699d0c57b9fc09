"""What stands beside a verb of Mplus: variables, lists of them, values and labels."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bayesem.errors import GrammarError, NotAvailableError, did_you_mean
from bayesem.grammar.tokens import LONGEST_NAME, Source, Span

__all__ = ["Item", "Word", "expanded", "items", "words"]

_TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?![A-Za-z_])"
    r"|(?P<name>[A-Za-z_]\w*(?:\$[0-9]+)?)|(?P<op>[@*()\[\]{}|,\-;#=%&])",
    re.A,
)
MOST = 10_000


@dataclass(frozen=True, slots=True)
class Word:
    """One word of Mplus: a ``name``, ``number`` or ``op``."""

    kind: str
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Item:
    """One variable with what Mplus writes behind it.

    Attributes
    ----------
    name : str
    fixed : float or None
        ``y@1``.
    free : bool
        ``y*``.
    start : float or None
        ``y*0.5``.
    label : str or None
        ``(a)``.
    """

    name: str
    span: Span
    fixed: float | None = None
    free: bool = False
    start: float | None = None
    label: str | None = None


def words(source: Source, start: int, end: int) -> Iterator[Word]:
    """Cut a part of a text into words.

    Raises
    ------
    GrammarError
        At a character that Mplus does not write.
    """
    at = start
    while at < end:
        match = _TOKEN.match(source.text, at, end)
        if match is None:
            span = Span(source, at, at + 1)
            raise GrammarError(f"`{span.text}` has no meaning in Mplus' language.", span=span)
        if match.lastgroup != "space":
            span = Span(source, *match.span())
            if len(match[0]) > LONGEST_NAME:
                raise GrammarError("The name is too long.", span=span)
            yield Word(str(match.lastgroup), match[0], span)
        at = match.end()


class _Stream:
    """Words to be read one by one."""

    def __init__(self, found: Sequence[Word]) -> None:
        self.found = found
        self.at = 0

    @property
    def here(self) -> Word | None:
        return self.found[self.at] if self.at < len(self.found) else None

    def accept(self, text: str) -> Word | None:
        word = self.here
        if word is None or word.text != text:
            return None
        self.at += 1
        return word

    def take(self, kind: str, wanted: str) -> Word:
        word = self.here
        if word is None or word.kind != kind:
            span = self.found[min(self.at, len(self.found) - 1)].span
            found = "the end" if word is None else f"`{word.text}`"
            raise GrammarError(f"Expected {wanted}, found {found}.", span=span)
        self.at += 1
        return word


def items(found: Sequence[Word], names: Sequence[str], *, marker: bool = False) -> list[Item]:
    """Read variables with their values and labels.

    Parameters
    ----------
    found : sequence of Word
    names : sequence of str
        The order that lists run in.
    marker : bool
        Whether the first variable is fixed by default: a label for a list passes it over.
    """
    stream = _Stream(found)
    read: list[Item] = []
    unlabelled = 0
    while (here := stream.here) is not None:
        if stream.accept("("):
            _label(stream, read, unlabelled, here, marker=marker)
            unlabelled = len(read)
        else:
            stream.accept(",")
            read += _valued(stream, names)
        if len(read) > MOST:
            raise GrammarError(f"More than {MOST:,} variables in a list.", span=here.span)
    return read


def _valued(stream: _Stream, names: Sequence[str]) -> list[Item]:
    """A variable or a list, and a value for all in it."""
    first = stream.take("name", "the name of a variable")
    if "$" in first.text:
        message = "Thresholds are not available yet."
        raise NotAvailableError(message, span=first.span)
    last = stream.take("name", "the end of the list") if stream.accept("-") else None
    span = first.span if last is None else first.span.to(last.span)
    listed = expanded(first.text, None if last is None else last.text, names, span)
    bare = [Item(name, span) for name in listed]
    if stream.accept("@"):
        fixed = _number(stream)
        return [replace(item, fixed=fixed) for item in bare]
    if stream.accept("*"):
        here = stream.here
        given = here is not None and (here.kind == "number" or here.text == "-")
        start = _number(stream) if given else None
        return [replace(item, free=True, start=start) for item in bare]
    if stream.accept("#"):
        raise NotAvailableError("Classes and inflation (`#`) are not available.", span=span)
    return bare


def _number(stream: _Stream) -> float:
    sign = -1.0 if stream.accept("-") else 1.0
    return sign * float(stream.take("number", "a number").text)


def expanded(first: str, last: str | None, names: Sequence[str], span: Span) -> list[str]:
    """``y1-y5`` in the order of the variables, else by its numbers.

    Raises
    ------
    GrammarError
        If neither tells what stands between.
    """
    if last is None:
        return [first]
    if first in names and last in names:
        low, high = names.index(first), names.index(last)
        if low <= high:
            return list(names[low : high + 1])
    a, b = (re.fullmatch(r"(.*?)([0-9]+)", word) for word in (first, last))
    if a is not None and b is not None and a[1] == b[1] and int(a[2]) <= int(b[2]):
        if int(b[2]) - int(a[2]) >= MOST:
            raise GrammarError(f"More than {MOST:,} variables in a list.", span=span)
        return [f"{a[1]}{k:0{len(a[2])}d}" for k in range(int(a[2]), int(b[2]) + 1)]
    near = did_you_mean(first if first not in names else last, names)
    hint = near or "Give the order of the variables: `VARIABLE: NAMES ARE ...;` before `MODEL:`."
    raise GrammarError(f"`{first}-{last}` says not what stands between.", span=span, hint=hint)


# --- labels -------------------------------------------------------------------------------------


def _label(
    stream: _Stream, read: list[Item], unlabelled: int, opening: Word, *, marker: bool
) -> None:
    """Name the variables before a bracket that stand on its line and have no label yet."""
    labels = _labels(stream)
    line = opening.span.line
    mine = [k for k in range(unlabelled, len(read)) if read[k].span.line == line]
    if not mine:
        message = "The label follows no variable on its line."
        raise GrammarError(
            message, span=opening.span, hint="Write it behind the variable: `y (a)`."
        )
    first = read[mine[0]]
    passed = marker and mine[0] == 0 and not first.free and first.fixed is None and len(mine) > 1
    if passed and len(labels) != len(mine):
        mine = mine[1:]
    if len(labels) not in (1, len(mine)):
        message = f"{len(labels)} labels for {len(mine)} parameters."
        raise GrammarError(message, span=opening.span, hint="Give one, or as many.")
    for k, label in zip(mine, labels * len(mine) if len(labels) == 1 else labels, strict=True):
        read[k] = replace(read[k], label=label)


def _labels(stream: _Stream) -> list[str]:
    """``(a)``, ``(1)`` or ``(p1-p3)``; a number n becomes the label ``eq_n``."""
    labels: list[str] = []
    while stream.accept(")") is None:
        stream.accept(",")
        word = stream.here
        kind = "number" if word is not None and word.kind == "number" else "name"
        first = stream.take(kind, "a label and `)`")
        last = stream.take(kind, "the end of the list") if stream.accept("-") else None
        prefix = "eq_" if kind == "number" else ""
        ends = None if last is None else prefix + last.text
        span = first.span if last is None else first.span.to(last.span)
        labels += expanded(prefix + first.text, ends, (), span)
    return labels or [stream.take("name", "a label").text]
