"""semopy's language: lavaan's relations, commas on the left, and commands on lines of their own."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from bayesem.errors import GrammarError, NotAvailableError, did_you_mean
from bayesem.grammar.parse import parse
from bayesem.grammar.statements import Constraint, Parsed, Statement
from bayesem.grammar.tokens import Source, Span

__all__ = ["is_semopy", "parse_semopy"]

TILDE = "\u223c"
_COMMAND = re.compile(r"^[ \t]*([A-Z][A-Z_]+)\(([^\n]*)\)([\w. \t]*)(?:#[^\n]*)?$", re.M)
_LEFT = re.compile(r"^[ \t]*[\w.]+(?:[ \t]*,[ \t]*[\w.]+)+[ \t]*(?==~|~)", re.M)
_NUMBER = r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
COMMANDS = ("START", "BOUND", "CONSTRAINT", "DEFINE", "FORCE", "IMPUTE")


@dataclass(frozen=True, slots=True)
class _Command:
    """``NAME(argument) operands``."""

    name: str
    argument: str
    operands: tuple[str, ...]
    span: Span


def is_semopy(text: str) -> bool:
    """Whether a text has what semopy's language has and lavaan's cannot have.

    Examples
    --------
    >>> is_semopy("f =~ x + y"), is_semopy("a, b ~ f"), is_semopy("START(0.5) p")
    (False, True, True)
    """
    commands = (m[1] in COMMANDS for m in _COMMAND.finditer(text))
    return TILDE in text or _LEFT.search(text) is not None or any(commands)


def parse_semopy(text: str, origin: str = "<text>") -> Parsed:
    """Read a model text of semopy.

    Raises
    ------
    GrammarError
        At text that cannot be read, with its line and column.
    NotAvailableError
        At a command that this package does not have.

    Examples
    --------
    >>> parsed = parse_semopy("a, b ~ p*x\\nSTART(0.5) p")
    >>> [(s.lhs, s.term.name, s.term.start) for s in parsed.statements]
    [('a', 'x', 0.5), ('b', 'x', 0.5)]
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace(TILDE, "~")
    source = Source(text, origin)
    commands = [
        _Command(m[1], m[2].strip(), tuple(m[3].split()), Span(source, *m.span(1)))
        for m in _COMMAND.finditer(text)
        if m[1] in COMMANDS
    ]
    plain = _COMMAND.sub(lambda m: " " * len(m[0]) if m[1] in COMMANDS else m[0], text)
    parsed = parse(_LEFT.sub(lambda m: m[0].replace(",", "+"), plain), origin)
    for command in commands:
        parsed = _APPLY.get(command.name, _refuse)(parsed, command)
    return parsed


def _start(parsed: Parsed, command: _Command) -> Parsed:
    if re.fullmatch(_NUMBER, command.argument) is None:
        hint = "Write `START(0.5) a b`."
        raise GrammarError("START has no number.", span=command.span, hint=hint)
    value = float(command.argument)
    _check(parsed, command)
    changed = (
        replace(s, term=replace(s.term, start=value)) if s.term.label in command.operands else s
        for s in parsed.statements
    )  # fmt: skip
    return replace(parsed, statements=tuple(changed))


def _bound(parsed: Parsed, command: _Command) -> Parsed:
    match = re.fullmatch(rf"({_NUMBER})\s*,\s*({_NUMBER})", command.argument)
    if match is None:
        raise GrammarError(
            "BOUND has not two numbers.", span=command.span, hint="Write `BOUND(0, 1) a`."
        )
    _check(parsed, command)
    texts = (f"{name} {op} {limit}" for name in command.operands
             for op, limit in ((">", match[1]), ("<", match[2])))  # fmt: skip
    return _constrained(parsed, texts, command)


def _constraint(parsed: Parsed, command: _Command) -> Parsed:
    text = re.sub(r"(?<![<>=!])=(?!=)", "==", command.argument)
    return _constrained(parsed, iter((text,)), command)


def _constrained(parsed: Parsed, texts: Iterator[str], command: _Command) -> Parsed:
    more: list[Constraint] = []
    for text in texts:
        found = parse(text, command.span.where)
        if not found.constraints or found.statements or found.definitions:
            hint = "Write `CONSTRAINT(a = b)`."
            raise GrammarError("No constraint stands there.", span=command.span, hint=hint)
        more += [replace(c, span=command.span) for c in found.constraints]
    return replace(parsed, constraints=(*parsed.constraints, *more))


def _define(parsed: Parsed, command: _Command) -> Parsed:
    """``DEFINE(latent) f`` says nothing new of a factor that is measured."""
    if command.argument != "latent":
        message = f"semopy's `DEFINE({command.argument})` is not available."
        hint = "Say in the fit what an outcome is: `families={'y': 'bernoulli'}`."
        raise NotAvailableError(message, span=command.span, hint=hint)
    measured = {s.lhs for s in parsed.statements if s.op == "=~"}
    for name in command.operands:
        if name not in measured:
            message = f"`{name}` is latent and measured by nothing."
            hint = did_you_mean(name, measured) or f"Add `{name} =~ ...`."
            raise NotAvailableError(message, span=command.span, hint=hint)
    return parsed


def _refuse(_: Parsed, command: _Command) -> Parsed:
    message = f"semopy's `{command.name}` is not available."
    raise NotAvailableError(message, span=command.span, hint="Take the line out.")


def _check(parsed: Parsed, command: _Command) -> None:
    """Operands are labels of the model."""
    labels = {s.term.label for s in parsed.statements if _of(s)}
    for name in command.operands:
        if name not in labels:
            message = f"`{name}` is no label of the model."
            hint = did_you_mean(name, [str(label) for label in labels])
            hint = hint or f"Give a parameter this label: `y ~ {name}*x`."
            raise GrammarError(message, span=command.span, hint=hint)


def _of(statement: Statement) -> bool:
    return statement.term.label is not None


_APPLY: Mapping[str, Callable[[Parsed, _Command], Parsed]] = {
    "START": _start,
    "BOUND": _bound,
    "CONSTRAINT": _constraint,
    "DEFINE": _define,
}
