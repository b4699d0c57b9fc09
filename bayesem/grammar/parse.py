"""Model text to frozen statements: lavaan's language, with products of factors.

What lavaan knows and this package does not is refused by its name; nothing is skipped.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import cast

from bayesem.errors import GrammarError, NotAvailableError
from bayesem.grammar.expressions import ArgumentReader, Cursor, Reader
from bayesem.grammar.statements import (
    Constraint,
    Definition,
    Expression,
    Operator,
    Parsed,
    Statement,
)
from bayesem.grammar.terms import LATER, combine, read_term, span_of
from bayesem.grammar.tokens import Source, Span, Token, tokenise

MOST_TERMS = 100_000
RELATIONS = ("=~", "~", "~~", "|")
BLOCKS = ("group", "level", "block", "class")
OTHER_OPERATORS = {
    "<~": "Composites (`<~`) are not available yet.",
    "~*~": "Scale factors (`~*~`) are not available yet.",
}
INSTEAD = {
    "<=": "Write `<`: for a continuous parameter they are the same.",
    ">=": "Write `>`: for a continuous parameter they are the same.",
    "=": "Write `=~` measured by, `~` regressed on, `:=` defined as, or `==` equal to.",
    "!=": "Constraints are `==`, `<` and `>`.",
    "->": "Write `Y ~ X` for a path from X to Y.",
    "&&": "Write one constraint to a line.",
    "||": "Write one constraint to a line.",
}
DECIDING = frozenset((*RELATIONS, ":=", "==", "<", ">", *OTHER_OPERATORS, *INSTEAD))


def parse(text: str, origin: str = "<text>") -> Parsed:
    """Read a model text.

    Parameters
    ----------
    text : str
        lavaan syntax; see the README for what is covered.
    origin : str, default "<text>"
        What messages call the text, usually its path.

    Raises
    ------
    GrammarError
        At text that cannot be read or contradicts itself, with its line and column.
    NotAvailableError
        At what lavaan knows and this package does not.

    Examples
    --------
    >>> parsed = parse("trust =~ tr1 + tr2; y ~ a*trust")
    >>> [(s.lhs, s.op, s.term.name, s.term.label) for s in parsed.statements]
    [('trust', '=~', 'tr1', None), ('trust', '=~', 'tr2', None), ('y', '~', 'trust', 'a')]
    """
    source = Source(text.replace("\r\n", "\n").replace("\r", "\n"), origin)
    statements: dict[tuple[str, ...], Statement] = {}
    definitions: dict[str, Definition] = {}
    constraints: list[Constraint] = []
    for cursor in _sentences(tokenise(source)):
        match _sentence(cursor):
            case Definition() as definition:
                define(definitions, definition)
            case Constraint() as constraint:
                constraints.append(constraint)
            case several:
                gather(statements, several)
    return Parsed(
        tuple(statements.values()), tuple(definitions.values()), tuple(constraints), source
    )


def _sentences(tokens: list[Token]) -> Iterator[Cursor]:
    """Cut the text into statements."""
    start = 0
    for at, token in enumerate(tokens):
        if token.kind == "end":
            if at > start:
                yield Cursor(tokens[start:at], token.span, GrammarError)
            start = at + 1
    if start < len(tokens):
        last = tokens[-1].span
        yield Cursor(tokens[start:], Span(last.source, last.end, last.end), GrammarError)


def _sentence(cursor: Cursor) -> Definition | Constraint | Iterable[Statement]:
    _refuse_blocks(cursor)
    operator = next((t for t in cursor.tokens if t.kind == "op" and t.text in DECIDING), None)
    if operator is None:
        raise _no_operator(cursor)
    if operator.text in OTHER_OPERATORS:
        raise NotAvailableError(OTHER_OPERATORS[operator.text], span=operator.span)
    if operator.text in INSTEAD:
        message = f"`{operator.text}` is no operator of a model."
        raise GrammarError(message, span=operator.span, hint=INSTEAD[operator.text])
    if operator.text == ":=":
        return _definition(cursor)
    if operator.text in RELATIONS:
        return _relation(cursor, operator)
    return _constraint(cursor)


def _refuse_blocks(cursor: Cursor) -> None:
    first, second = cursor.here, cursor.ahead()
    third = cursor.ahead(2)
    if first.text in BLOCKS and second.text == ":" and third.kind in ("name", "number"):
        message = f"A block of its own, `{first.text}:`, is not available yet."
        raise NotAvailableError(message, span=first.span.to(third.span))


def _no_operator(cursor: Cursor) -> GrammarError:
    span = cursor.tokens[0].span.to(cursor.tokens[-1].span)
    hint = "A statement has one of `=~`, `~`, `~~`, `|`, `:=`, `==`, `<`, `>`."
    if any(t.text.upper() in ("BY", "ON", "WITH") for t in cursor.tokens):
        hint = "Mplus text is read if it begins with `MODEL:`."
    return GrammarError("A statement without an operator.", span=span, hint=hint)


# --- definitions and constraints ----------------------------------------------------------------


def _numbers(least: int, most: int | None) -> ArgumentReader:
    return lambda reader: reader.arguments(least, most)


FUNCTIONS: dict[str, ArgumentReader] = {
    "exp": _numbers(1, 1),
    "log": _numbers(1, 1),
    "sqrt": _numbers(1, 1),
    "abs": _numbers(1, 1),
    "min": _numbers(1, None),
    "max": _numbers(1, None),
}


def _definition(cursor: Cursor) -> Definition:
    name = cursor.name("the name of a defined parameter")
    cursor.expect(":=", "ab := a*b")
    expression = read_expression(cursor)
    _finish(cursor)
    return Definition(name.text, expression, _whole(cursor))


def _constraint(cursor: Cursor) -> Constraint:
    left = read_expression(cursor)
    op = cursor.accept("==", "<", ">")
    if op is None:
        raise cursor.unexpected("`==`, `<` or `>`")
    right = read_expression(cursor)
    if cursor.here.text in ("==", "<", ">"):
        hint = "Write each comparison as a constraint of its own."
        message = "A second comparison in one constraint."
        raise GrammarError(message, span=cursor.here.span, hint=hint)
    _finish(cursor)
    return Constraint(op.text, left, right, _whole(cursor))  # type: ignore[arg-type]


def read_expression(cursor: Cursor) -> Expression:
    """Read arithmetic on labels and defined parameters."""
    return Reader(cursor, FUNCTIONS, claims=False).number()


def _finish(cursor: Cursor) -> None:
    if cursor.here is not cursor.end:
        raise cursor.unexpected("an operator or the end of the statement")


def _whole(cursor: Cursor) -> Span:
    return cursor.tokens[0].span.to(cursor.tokens[-1].span)


def define(definitions: dict[str, Definition], new: Definition) -> None:
    """Add a definition, or say that its name is taken."""
    if new.name in definitions:
        raise GrammarError(f"`{new.name}` is defined twice.", span=new.span)
    definitions[new.name] = new


# --- relations: lhs, operator, terms ------------------------------------------------------------


def _relation(cursor: Cursor, operator: Token) -> Iterator[Statement]:
    """Read ``A + B ~ x + y``; every pair of sides is one statement."""
    left = _left(cursor, operator)
    terms = [read_term(cursor, operator.text)]
    while cursor.accept("+"):
        terms.append(read_term(cursor, operator.text))
    if cursor.here is not cursor.end:
        raise _stray(cursor)
    if len(left) * len(terms) > MOST_TERMS:
        raise GrammarError(f"More than {MOST_TERMS:,} terms.", span=operator.span)
    for name in left:
        for term in terms:
            op = "~1" if operator.text == "~" and not term.name else operator.text
            yield Statement(cast(Operator, op), name.text, term, name.span.to(span_of(term)))


def _left(cursor: Cursor, operator: Token) -> list[Token]:
    names = [_left_name(cursor)]
    while cursor.accept("+"):
        names.append(_left_name(cursor))
    if cursor.here is not operator:
        raise cursor.unexpected(f"`+` or `{operator.text}`")
    cursor.take()
    return names


def _left_name(cursor: Cursor) -> Token:
    if cursor.here.text in LATER and cursor.ahead().text == "(":
        raise NotAvailableError(LATER[cursor.here.text], span=cursor.here.span)
    name = cursor.name("the name of a variable")
    if cursor.here.text == ":":
        raise GrammarError("A product stands on the right only.", span=cursor.here.span)
    if cursor.here.text == "*":
        hint = "A modifier stands on the right of the operator."
        raise GrammarError("A modifier on the left.", span=name.span, hint=hint)
    return name


def _stray(cursor: Cursor) -> Exception:
    token = cursor.here
    if token.kind == "op" and token.text in DECIDING:
        hint = "Is a line break or a `;` missing before it?"
        return GrammarError("A second operator in one statement.", span=token.span, hint=hint)
    if token.text == "-":
        hint = "Leave the variable out, or fix its path: `0*x`."
        return GrammarError("A term cannot be taken away.", span=token.span, hint=hint)
    message = f"Expected `+`, `*` or the end of the statement, found `{token.text}`."
    hint = "Join terms with `+`; begin a statement on a line of its own."
    return GrammarError(message, span=token.span, hint=hint)


# --- the same term twice ------------------------------------------------------------------------


def gather(statements: dict[tuple[str, ...], Statement], several: Iterable[Statement]) -> None:
    """Add statements; a later line about a known term adds its modifiers to it."""
    for new in several:
        old = statements.get(new.key)
        if old is not None:
            new = replace(old, term=combine(old.term, new.term, span_of(new.term)))
        statements[new.key] = new
        if len(statements) > MOST_TERMS:
            raise GrammarError(f"More than {MOST_TERMS:,} terms.", span=new.span)
