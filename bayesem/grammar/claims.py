"""Claims: what a proposition says, as a tree of frozen nodes that runs no code.

A claim is a comparison, a chain of them, or a combination by ``and``, ``or`` and ``not``.
"""

from bayesem.errors import PropositionError
from bayesem.grammar.expressions import ArgumentReader, Cursor, Reader, walk
from bayesem.grammar.statements import (
    And,
    Argument,
    Call,
    Claim,
    Expression,
    LevelsArgument,
    MeanArgument,
    Name,
    Node,
    Not,
    Or,
    PathArgument,
    ShareArgument,
    SlopeArgument,
)
from bayesem.grammar.tokens import Source, Span, Token, tokenise

EQUALITY = "A continuous quantity equals nothing exactly: `null(std(x))` is practically zero."
HINTS = {
    "==": EQUALITY,
    "=": EQUALITY,
    "!=": "Write `not null(std(x))` for an effect that matters.",
    "|": "Write `or`; `|` belongs inside a function, as in `slope(Y ~ A | W = 1)`.",
    "||": "Write `or`.",
    "&&": "Write `and`.",
    "**": "Write `^` for a power.",
    "->": "A path belongs inside a function, as in `total(A -> Y)`.",
    "~": "Give the path a label in the model, `y ~ a*x`, and claim `a > 0`; a slope stands in a "
    "function, `slope(Y ~ A | W = 1)`.",
    ":": "Give the path of a product a label in the model and name that.",
}

type Conditions = tuple[tuple[str, Expression], ...]


def parse_claim(
    text: str, origin: str = "<claim>", at: int = 0, document: str | None = None
) -> Claim:
    """Read a claim.

    Parameters
    ----------
    text : str
        The claim.
    origin : str, default "<claim>"
        What messages call the text it comes from.
    at : int, default 0
        Where in ``document`` the claim starts.
    document : str, optional
        The text that holds the claim, so that messages can give its line.

    Raises
    ------
    PropositionError
        At text that cannot be read, and at a text that is a number and no claim.

    Examples
    --------
    >>> parse_claim("a > 0")
    Comparison(op='>', left=Name(text='a'), right=Number(value=0.0))
    """
    source = Source(text if document is None else document, origin)
    start, stop = (0, len(text)) if document is None else (at, at + len(text))
    reader = _reader(source, start, stop, "The claim is empty.")
    claim = reader.as_claim(reader.expression())
    if reader.cursor.here is not reader.cursor.end:
        if reader.cursor.here.kind == "name":
            hint = "A claim compares labels, `a > 0`; a sentence belongs in `says`."
            found = reader.cursor.here
            raise reader.cursor.fail(f"`{found.text}` follows no operator.", found.span, hint)
        raise reader.cursor.unexpected("`and`, `or`, an operator or the end of the claim")
    return claim


def parse_path(text: str, origin: str = "<path>") -> PathArgument:
    """Read a chain of paths that stands alone.

    Parameters
    ----------
    text : str
    origin : str, default "<path>"
        What messages call the text.

    Raises
    ------
    PropositionError
        At text that cannot be read.

    Examples
    --------
    >>> parse_path("A -> M -> Y").nodes
    ('A', 'M', 'Y')
    """
    reader = _alone(text, origin, "A -> M -> Y")
    (argument,) = _path(reader)
    _finish(reader, "`->` or the end")
    assert isinstance(argument, PathArgument)
    return argument


def parse_moderation(text: str, origin: str = "<slope>") -> tuple[SlopeArgument, Name]:
    """Read a slope and the moderator that it is looked at over.

    Parameters
    ----------
    text : str
        ``Y ~ A | W``; further moderators are held where it says, ``Y ~ A | W, V = 1``.
    origin : str, default "<slope>"
        What messages call the text.

    Raises
    ------
    PropositionError
        At text that cannot be read.

    Examples
    --------
    >>> slope, moderator = parse_moderation("EP ~ FIN | DC, INN = 0.5")
    >>> slope.outcome, slope.predictor, moderator.text, slope.conditions
    ('EP', 'FIN', 'DC', (('INN', Number(value=0.5)),))
    """
    reader = _alone(text, origin, "Y ~ A | W")
    cursor = reader.cursor
    outcome, predictor = _regression(cursor)
    cursor.expect("|", "Y ~ A | W")
    moderator = cursor.name("the name of a moderator, as in `Y ~ A | W`")
    if cursor.here.text == "=":
        hint = "Its values go into `at`; `, V = 1` after it holds a further moderator."
        raise cursor.fail(f"`{moderator.text}` is looked at over a range.", cursor.here.span, hint)
    conditions = _conditions(reader) if cursor.accept(",") else ()
    _finish(reader, "`,` or the end")
    if moderator.text in dict(conditions):
        raise cursor.fail(f"`{moderator.text}` is looked at and held.", moderator.span)
    span = outcome.span.to(predictor.span)
    argument = SlopeArgument(outcome.text, predictor.text, conditions, span)
    return argument, Name(moderator.text, moderator.span)


def _reader(source: Source, start: int, stop: int, empty: str) -> Reader:
    tokens = tokenise(source, start, stop, PropositionError)
    tokens = [token for token in tokens if token.text != "\n"]
    cursor = Cursor(tokens, Span(source, stop, stop), PropositionError, HINTS)
    if not tokens:
        raise PropositionError(empty, span=Span(source, start, stop))
    return Reader(cursor, FUNCTIONS, claims=True)


def _alone(text: str, origin: str, example: str) -> Reader:
    if not isinstance(text, str):
        raise PropositionError(f"{text!r} is no text.", hint=f"Write `{example}`.")
    empty = f"The text is empty; write `{example}`."
    return _reader(Source(text, origin), 0, len(text), empty)


def _finish(reader: Reader, wanted: str) -> None:
    if reader.cursor.here is not reader.cursor.end:
        raise reader.cursor.unexpected(wanted)


# --- what stands between the brackets of each function ------------------------------------------


def _path(reader: Reader) -> tuple[Argument]:
    """``A -> M -> Y``."""
    cursor = reader.cursor
    names = [cursor.name("the name of a variable, as in `A -> Y`")]
    cursor.expect("->", "A -> Y")
    names.append(cursor.name("a variable after `->`"))
    while cursor.accept("->"):
        names.append(cursor.name("a variable after `->`"))
    twice = _repeated(names)
    if twice is not None:
        raise cursor.fail(f"The path passes `{twice.text}` twice.", twice.span)
    span = names[0].span.to(names[-1].span)
    return (PathArgument(tuple(name.text for name in names), span),)


def _total(reader: Reader) -> tuple[Argument]:
    """``A -> Y`` and nothing between: the total effect runs over every path."""
    (argument,) = _path(reader)
    if isinstance(argument, PathArgument) and len(argument.nodes) > 2:
        hint = "Along one chain it is `indirect(A -> M -> Y)`."
        raise reader.cursor.fail("A total effect names its two ends.", argument.span, hint)
    return (argument,)


def _slope(reader: Reader) -> tuple[Argument]:
    """``Y ~ A | W = 1``."""
    outcome, predictor = _regression(reader.cursor)
    conditions = _conditions(reader) if reader.cursor.accept("|") else ()
    span = outcome.span.to(predictor.span)
    return (SlopeArgument(outcome.text, predictor.text, conditions, span),)


def _levels(reader: Reader) -> tuple[Argument]:
    """``Y ~ X | hi, lo``."""
    outcome, predictor = _regression(reader.cursor)
    reader.cursor.expect("|", "Y ~ X | 1, -1")
    high = _constant(reader)
    reader.cursor.expect(",", "Y ~ X | 1, -1")
    low = _constant(reader)
    span = outcome.span.to(predictor.span)
    return (LevelsArgument(outcome.text, predictor.text, high, low, span),)


def _mean(reader: Reader) -> tuple[Argument]:
    """``Y | A = 1``, or ``Y`` alone."""
    outcome = reader.cursor.name("the name of an outcome, as in `Y | A = 1`")
    conditions = _conditions(reader) if reader.cursor.accept("|") else ()
    _refuse_own(reader.cursor, outcome, conditions)
    return (MeanArgument(outcome.text, conditions, outcome.span),)


def _do(reader: Reader) -> tuple[Argument]:
    """``Y | A = 1``: an intervention sets something."""
    outcome = reader.cursor.name("the name of an outcome, as in `Y | A = 1`")
    reader.cursor.expect("|", "do(Y | A = 1)")
    conditions = _conditions(reader)
    _refuse_own(reader.cursor, outcome, conditions)
    return (MeanArgument(outcome.text, conditions, outcome.span),)


def _share(reader: Reader) -> tuple[Expression | Argument]:
    """``x``, a category of a count model, or ``x | phase = a``, the same within one group."""
    cursor = reader.cursor
    name = cursor.name("the name of a category")
    if not cursor.accept("|"):
        return (Name(name.text, name.span),)
    column = cursor.name("a column, as in `share(trust | phase = conflict)`")
    cursor.expect("=", "share(trust | phase = conflict)")
    group = cursor.name("a group, as in `share(trust | phase = conflict)`")
    span = name.span.to(group.span)
    return (ShareArgument(name.text, column.text, group.text, span),)


def _numbers(least: int, most: int | None) -> ArgumentReader:
    return lambda reader: reader.arguments(least, most)


FUNCTIONS: dict[str, ArgumentReader] = {
    "indirect": _path,
    "total": _total,
    "slope": _slope,
    "std": _numbers(1, 1),
    "null": _numbers(1, 1),
    "risk_ratio": _levels,
    "risk_difference": _levels,
    "time_ratio": _levels,
    "mean": _mean,
    "do": _do,
    "share": _share,
    "max": _numbers(2, None),
    "min": _numbers(2, None),
    "abs": _numbers(1, 1),
}


def _regression(cursor: Cursor) -> tuple[Token, Token]:
    outcome = cursor.name("the name of an outcome, as in `Y ~ A`")
    cursor.expect("~", "Y ~ A")
    return outcome, cursor.name("the name of a predictor")


def _conditions(reader: Reader) -> Conditions:
    """``W = 1, V = -1``."""
    cursor = reader.cursor
    names: list[Token] = []
    values: list[Expression] = []
    while not names or cursor.accept(","):
        names.append(cursor.name("a variable, as in `W = 1`"))
        if cursor.here.text in ("==", "<", ">", "<=", ">="):
            message = f"A condition sets a value with `=`, not `{cursor.here.text}`."
            raise cursor.fail(message, cursor.here.span)
        cursor.expect("=", "W = 1")
        values.append(_constant(reader))
    twice = _repeated(names)
    if twice is not None:
        raise cursor.fail(f"`{twice.text}` is set twice.", twice.span)
    return tuple((name.text, value) for name, value in zip(names, values, strict=True))


def _constant(reader: Reader) -> Expression:
    """Read arithmetic on numbers alone."""
    value = reader.number()
    for node in walk(value):
        if isinstance(node, Name | Call):
            message = "A value at which to look is a number."
            raise reader.cursor.fail(message, node.span, "Standard deviations from the mean: `1`.")
    return value


def _refuse_own(cursor: Cursor, outcome: Token, conditions: Conditions) -> None:
    if outcome.text in dict(conditions):
        raise cursor.fail(f"`{outcome.text}` is both the outcome and set.", outcome.span)


def _repeated(names: list[Token]) -> Token | None:
    seen: set[str] = set()
    for name in names:
        if name.text in seen:
            return name
        seen.add(name.text)
    return None


# --- what a claim speaks of ---------------------------------------------------------------------


def names(node: Node) -> list[tuple[str, Span | None]]:
    """List the labels, defined parameters and earlier propositions that a claim names.

    Examples
    --------
    >>> [name for name, _ in names(parse_claim("H1 and std(a)*b > total(X -> Y)"))]
    ['H1', 'a', 'b']
    """
    shares = {id(arg) for n in walk(node) if _is_share(n) for arg in n.args}  # type: ignore[union-attr]
    found = (n for n in walk(node) if isinstance(n, Name) and id(n) not in shares)
    return [(n.text, n.span) for n in found]


def propositions(node: Node) -> list[tuple[str, Span | None]]:
    """List the names that stand where only a claim may, so must be earlier propositions.

    Examples
    --------
    >>> [name for name, _ in propositions(parse_claim("H1 and not H2 and a > 0"))]
    ['H1', 'H2']
    """
    if isinstance(node, Name):
        return [(node.text, node.span)]
    parts = (part for n in walk(node) for part in _claimed(n))
    return [(part.text, part.span) for part in parts if isinstance(part, Name)]


def variables(node: Node) -> list[tuple[str, Span | None]]:
    """List the factors and outcomes that the functions of a claim name.

    Examples
    --------
    >>> [name for name, _ in variables(parse_claim("slope(Y ~ A | W = 1) > 0"))]
    ['Y', 'A', 'W']
    """
    return [(name, n.span) for n in walk(node) for name in _variables(n)]


def categories(node: Node) -> list[tuple[str, Span | None]]:
    """List the categories of a count model whose shares a claim names.

    Examples
    --------
    >>> [name for name, _ in categories(parse_claim("share(trust) > 1/9"))]
    ['trust']
    """
    args = (arg for n in walk(node) if _is_share(n) for arg in n.args)  # type: ignore[union-attr]
    return [
        (arg.category if isinstance(arg, ShareArgument) else arg.text, arg.span)
        for arg in args
        if isinstance(arg, Name | ShareArgument)
    ]


def _is_share(node: Node) -> bool:
    return isinstance(node, Call) and node.name == "share"


def _claimed(node: Node) -> tuple[Claim, ...]:
    match node:
        case And(parts) | Or(parts):
            return parts
        case Not(part):
            return (part,)
        case _:
            return ()


def _variables(node: Node) -> tuple[str, ...]:
    match node:
        case PathArgument(nodes):
            return nodes
        case SlopeArgument(outcome, predictor, conditions):
            return (outcome, predictor, *(name for name, _ in conditions))
        case LevelsArgument(outcome, predictor):
            return (outcome, predictor)
        case MeanArgument(outcome, conditions):
            return (outcome, *(name for name, _ in conditions))
        case _:
            return ()
