"""Text that remembers where it stood.

One tokenizer reads models, constraints, definitions and claims, so that every message can point.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from bayesem.errors import BayesemError, GrammarError

LONGEST_TEXT = 1_000_000
LONGEST_NAME = 200
EXCERPT_WIDTH = 100

type Kind = Literal["name", "number", "string", "op", "end"]
type ErrorKind = type[BayesemError]


@dataclass(frozen=True, slots=True)
class Source:
    """A text and what its reader calls it, usually a path."""

    text: str = field(repr=False)
    origin: str = "<text>"


@dataclass(frozen=True, slots=True)
class Span:
    """The characters ``start`` to ``end`` of a source."""

    source: Source = field(compare=False, repr=False)
    start: int
    end: int

    @property
    def line(self) -> int:
        """Number of the line, from 1."""
        return self.source.text.count("\n", 0, self.start) + 1

    @property
    def column(self) -> int:
        """Number of the character in its line, from 1."""
        return self.start - self._line_start() + 1

    @property
    def where(self) -> str:
        """``origin:line:column``."""
        return f"{self.source.origin}:{self.line}:{self.column}"

    @property
    def text(self) -> str:
        """The characters themselves."""
        return self.source.text[self.start : self.end]

    def excerpt(self) -> str:
        """Return the line of the source and, under it, carets; long lines are cut to a window.

        Examples
        --------
        >>> print(Span(Source("y ~ xx"), 4, 6).excerpt())
        y ~ xx
            ^^
        """
        first = self._line_start()
        stop = self.source.text.find("\n", self.start)
        last = len(self.source.text) if stop < 0 else stop
        cut = last - first > EXCERPT_WIDTH
        left = max(first, self.start - EXCERPT_WIDTH // 2) if cut else first
        window = self.source.text[left : min(last, left + EXCERPT_WIDTH)]
        shown = "".join(c if c.isprintable() else " " for c in window)
        indent = len(shown) - len(shown.lstrip())
        at = max(self.start - left - indent, 0)
        carets = max(min(self.end, left + len(window)) - self.start, 1)
        return f"{shown.strip()}\n{' ' * at}{'^' * carets}"

    def to(self, other: "Span") -> "Span":
        """Return the span from the start of this one to the end of another."""
        return Span(self.source, self.start, max(self.end, other.end))

    def _line_start(self) -> int:
        return self.source.text.rfind("\n", 0, self.start) + 1


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a text. ``end`` is a line end or ``;`` that ends a statement."""

    kind: Kind
    text: str
    span: Span = field(compare=False, repr=False)


OPERATORS = (
    "~*~", "=~", "~~", ":=", "==", "<=", ">=", "!=", "<~", "->", "**", "&&", "||",
    "~", "=", "<", ">", "|", "+", "-", "*", "/", "^", "(", ")", ",", ":", "?",
)  # fmt: skip
PATTERN = re.compile(
    "|".join(
        (
            r"(?P<space>[^\S\n]+|\#[^\n]*)",
            r"(?P<end>[\n;])",
            r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)",
            r"(?P<name>\.?[^\W\d][\w.]*)",
            r"(?P<string>\"[^\"\n]*\"|'[^'\n]*')",
            r"(?P<op>" + "|".join(map(re.escape, OPERATORS)) + ")",
        )
    )
)
INSTEAD = {
    "&": "`and`", "!": "`not` in a claim, `#` before a comment", "\u2212": "`-`", "\u2013": "`-`",
    "\u00d7": "`*`", "\u2265": "`>=`", "\u2264": "`<=`", "\u2192": "`->`", "\u201c": '`"`',
    "\u201d": '`"`', "\u2018": "`'`", "\u2019": "`'`", "[": "`(`", "]": "`)`",
}  # fmt: skip
ENDS_OPEN = frozenset(OPERATORS) - {")", "?"}  # a line that ends so goes on
STARTS_OPEN = frozenset(OPERATORS) - {"(", "-"}  # a line that starts so continues the last


def tokenise(
    source: Source, start: int = 0, end: int | None = None, error: ErrorKind = GrammarError
) -> list[Token]:
    r"""Split a source, or a part of it, into tokens.

    Line ends inside brackets, after an operator and before one are no ends of statements.

    Raises
    ------
    GrammarError
        (or ``error``) at a character, number, string or bracket that cannot be read.

    Examples
    --------
    >>> [token.text for token in tokenise(Source("y ~ a*x +\n z  # why"))]
    ['y', '~', 'a', '*', 'x', '+', 'z']
    """
    stop = len(source.text) if end is None else end
    if stop - start > LONGEST_TEXT:
        message = f"The text has {stop - start:,} characters; at most {LONGEST_TEXT:,} are read."
        raise error(message, hint="Is it the right text?")
    tokens = _collapse(_scan(source, start, stop, error))
    inside = _inside_brackets(tokens, error)
    return [t for i, t in enumerate(tokens) if not (inside[i] or _continues(tokens, i))]


def _collapse(tokens: Iterable[Token]) -> list[Token]:
    """Make one end of several in a row; a ``;`` among them wins, since nothing undoes it."""
    kept: list[Token] = []
    for token in tokens:
        if token.kind == "end" and kept and kept[-1].kind == "end":
            kept[-1] = token if token.text == ";" else kept[-1]
        else:
            kept.append(token)
    return kept


def _scan(source: Source, start: int, stop: int, error: ErrorKind) -> Iterator[Token]:
    at = start
    while at < stop:
        match = PATTERN.match(source.text, at, stop)
        if match is None:
            raise _unreadable(source, at, error)
        at = match.end()
        if match.lastgroup != "space":
            token = Token(match.lastgroup, match.group(), Span(source, match.start(), at))  # type: ignore[arg-type]
            _check(token, source.text[at : min(at + 1, stop)], error)
            yield token


def _unreadable(source: Source, at: int, error: ErrorKind) -> BayesemError:
    character = source.text[at]
    span = Span(source, at, at + 1)
    if character in "\"'":
        return error("The quotation mark is never closed on its line.", span=span)
    shown = f"`{character}`" if character.isprintable() else f"U+{ord(character):04X}"
    instead = INSTEAD.get(character)
    hint = f"Write {instead}." if instead else ""
    return error(f"The character {shown} has no meaning here.", span=span, hint=hint)


def _check(token: Token, following: str, error: ErrorKind) -> None:
    """Refuse what would otherwise be read as something else."""
    if token.kind == "name" and len(token.text) > LONGEST_NAME:
        raise error(f"A name has at most {LONGEST_NAME} characters.", span=token.span)
    if token.kind == "number":
        if following == "_" or following == "." or following.isalnum():
            hint = "A name starts with a letter; a product is written with `*`."
            raise error(f"A number runs into `{following}`.", span=token.span, hint=hint)
        _check_range(token, error)


def _check_range(token: Token, error: ErrorKind) -> None:
    mantissa = token.text.lower().partition("e")[0]
    value = float(token.text)
    if value == float("inf") or (value == 0 and mantissa.strip("0.")):
        raise error("The number is beyond what a computer's numbers hold.", span=token.span)


def _inside_brackets(tokens: list[Token], error: ErrorKind) -> list[bool]:
    """Mark the line ends inside round brackets; refuse brackets without a partner."""
    opened: list[Token] = []
    marks = []
    for token in tokens:
        if token.text == "(" and token.kind == "op":
            opened.append(token)
        elif token.text == ")" and token.kind == "op":
            if not opened:
                raise error("`)` closes nothing.", span=token.span)
            opened.pop()
        marks.append(bool(opened) and token.text == "\n")
    if opened:
        raise error("`(` is never closed.", span=opened[-1].span)
    return marks


def _continues(tokens: list[Token], at: int) -> bool:
    """Whether the line end at this place joins two halves of one statement."""
    if tokens[at].text != "\n":
        return False
    before, after = tokens[max(at - 1, 0)], tokens[min(at + 1, len(tokens) - 1)]
    return (before.kind == "op" and before.text in ENDS_OPEN) or (
        after.kind == "op" and after.text in STARTS_OPEN
    )
