"""Mplus' language to statements: ``BY ON WITH``, means and variances, products, constraints.

Its defaults are those of lavaan's ``sem()``. A text may be a whole input, of which the model is
read, or begin with ``MODEL:``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bayesem.errors import GrammarError, NotAvailableError
from bayesem.exchange.mplus_lists import Item, Word, items, words
from bayesem.exchange.mplus_text import sections
from bayesem.grammar.expressions import Cursor
from bayesem.grammar.parse import MOST_TERMS, define, gather, read_expression
from bayesem.grammar.statements import Constraint, Definition, Expression, Parsed, Statement, Term
from bayesem.grammar.tokens import Span, Token, tokenise

__all__ = ["parse_mplus"]

VERBS = ("BY", "ON", "WITH", "PON", "PWITH")
FUNCTIONS = ("EXP", "LOG", "SQRT", "ABS", "MIN", "MAX")
REFUSED = {"IF": "Branches", "DO": "Loops", "PLOT": "Plots", "LOOP": "Plots"}


@dataclass(slots=True)
class _Draft:
    """What was read so far."""

    names: tuple[str, ...]
    measured: set[str] = field(default_factory=set)
    products: dict[str, tuple[str, str]] = field(default_factory=dict)
    terms: int = 0


def parse_mplus(text: str, origin: str = "<text>") -> Parsed:
    """Read the model of an Mplus input.

    Raises
    ------
    GrammarError
        At text that cannot be read, with its line and column.
    NotAvailableError
        At what Mplus knows and this package does not.

    Examples
    --------
    >>> parsed = parse_mplus("MODEL: f BY y1-y3; y4 ON f (b);")
    >>> [(s.lhs, s.op, s.term.name, s.term.label) for s in parsed.statements][2:]
    [('f', '=~', 'y3', None), ('y4', '~', 'f', 'b')]
    """
    found = sections(text.replace("\r\n", "\n").replace("\r", "\n"), origin)
    draft = _Draft(found.names)
    statements: dict[tuple[str, ...], Statement] = {}
    for body in found.model:
        for sentence in _sentences(body):
            gather(statements, _statements(sentence, draft))
    definitions: dict[str, Definition] = {}
    constraints: list[Constraint] = []
    for body in found.constraints:
        _constraints(body, definitions, constraints)
    return Parsed(
        tuple(statements.values()), tuple(definitions.values()), tuple(constraints), found.source
    )


def _sentences(body: Span) -> Iterator[list[Word]]:
    """Cut a section at its semicolons."""
    sentence: list[Word] = []
    for word in words(body.source, body.start, body.end):
        if word.text in ("%", "{"):
            what = "Classes and levels" if word.text == "%" else "Scale factors"
            raise NotAvailableError(f"{what} are not available.", span=word.span)
        if word.text == ";":
            if sentence:
                yield sentence
            sentence = []
        else:
            sentence.append(word)
    if sentence:
        last = sentence[-1].span
        raise GrammarError("The last statement has no `;`.", span=last, hint="End it with one.")


def _statements(sentence: list[Word], draft: _Draft) -> Iterator[Statement]:
    first = sentence[0]
    _one_verb(sentence)
    if any(word.text == "|" for word in sentence):
        _product(sentence, draft)
        return iter(())
    at = next((k for k, w in enumerate(sentence) if w.text.upper() in VERBS), None)
    if at is not None:
        return _relation(sentence[:at], sentence[at], sentence[at + 1 :], draft)
    if first.text == "[":
        return _means(sentence, draft)
    return _variances(sentence, draft)


def _one_verb(sentence: list[Word]) -> None:
    """Refuse two statements in one: the second verb would be read as a variable."""
    verbs = [word for word in sentence if word.text.upper() in (*VERBS, "XWITH")]
    if len(verbs) > 1:
        begun = sentence[0].span.line
        message = f"`{verbs[1].text}` is the second verb of one statement: a `;` is missing."
        hint = f"The statement began in line {begun}: end it with `;`."
        raise GrammarError(message, span=verbs[1].span, hint=hint)


# --- relations ----------------------------------------------------------------------------------


def _relation(
    left: list[Word], verb: Word, right: list[Word], draft: _Draft
) -> Iterator[Statement]:
    if not left or not right:
        side = "before" if not left else "after"
        raise GrammarError(f"Nothing stands {side} `{verb.text}`.", span=verb.span)
    what = verb.text.upper()
    subjects = [_plain(item) for item in items(left, draft.names)]
    if what == "BY":
        return _loadings(subjects, right, draft)
    objects = items(right, draft.names)
    pairs = _pairs(subjects, objects, verb)
    if what.endswith("ON"):
        return (_statement("~", a, b, draft) for a, b in pairs)
    return (_statement("~~", a, b, draft) for a, b in pairs if a.name != b.name)


def _pairs(
    subjects: Sequence[Item], objects: Sequence[Item], verb: Word
) -> list[tuple[Item, Item]]:
    """Each with each; with ``PON`` and ``PWITH`` the first with the first."""
    if verb.text.upper() in ("PON", "PWITH"):
        if len(subjects) != len(objects):
            message = f"{len(subjects)} variables before and {len(objects)} after `{verb.text}`."
            raise GrammarError(message, span=verb.span, hint="They are taken in pairs.")
        return list(zip(subjects, objects, strict=True))
    labels = [item.label for item in objects if item.label]
    if len(subjects) > 1 and len(labels) > 1 and len(set(labels)) > 1:
        hint = "Write a statement for each variable on the left."
        message = "Several labels for several variables on both sides."
        raise GrammarError(message, span=verb.span, hint=hint)
    return [(a, b) for a in subjects for b in objects]


def _loadings(subjects: Sequence[Item], right: list[Word], draft: _Draft) -> Iterator[Statement]:
    for subject in subjects:
        known = subject.name in draft.measured
        draft.measured.add(subject.name)
        for k, item in enumerate(items(right, draft.names, marker=not known)):
            # only the first loading is fixed by default; a star elsewhere says nothing new
            yield _statement("=~", subject, item, draft, free=item.free and k == 0 and not known)


def _plain(item: Item) -> Item:
    if item.label or item.free or item.fixed is not None:
        message = "A value or label stands before the verb."
        raise GrammarError(message, span=item.span, hint="Write it behind the last variable.")
    return item


def _means(sentence: list[Word], draft: _Draft) -> Iterator[Statement]:
    closing = next((k for k, word in enumerate(sentence) if word.text == "]"), None)
    if closing is None:
        raise GrammarError("The bracket is not closed.", span=sentence[0].span)
    inner, after = sentence[1:closing], sentence[closing + 1 :]
    if not inner:
        raise GrammarError("The brackets are empty.", span=sentence[0].span)
    for item in items([*inner, *after], draft.names):
        _refuse_product(item, draft)
        yield Statement("~1", item.name, _term(item, ()), item.span)


def _variances(sentence: list[Word], draft: _Draft) -> Iterator[Statement]:
    head = sentence[0]
    if head.text.upper() in REFUSED:
        raise NotAvailableError(f"{REFUSED[head.text.upper()]} are not read.", span=head.span)
    return (_statement("~~", item, item, draft) for item in items(sentence, draft.names))


def _statement(
    op: str, subject: Item, item: Item, draft: _Draft, *, free: bool = False
) -> Statement:
    draft.terms += 1
    if draft.terms > MOST_TERMS:
        raise GrammarError(f"More than {MOST_TERMS:,} terms.", span=item.span)
    _refuse_product(subject, draft)
    parts: tuple[str, ...] = draft.products.get(item.name, ()) if op == "~" else ()
    if not parts:
        _refuse_product(item, draft)
        parts = (item.name,)
    span = subject.span.to(item.span)
    return Statement(op, subject.name, _term(item, parts, free=free), span)  # type: ignore[arg-type]


def _term(item: Item, parts: tuple[str, ...], *, free: bool = False) -> Term:
    return Term(
        ":".join(parts), parts, label=item.label, fixed=item.fixed, free=free, start=item.start,
        span=item.span,
    )  # fmt: skip


# --- products -----------------------------------------------------------------------------------


def _product(sentence: list[Word], draft: _Draft) -> None:
    """``int | f XWITH g;``."""
    texts = [word.text.upper() for word in sentence]
    if len(sentence) != 5 or texts[1] != "|" or texts[3] != "XWITH":
        hint = "Products are read, `fg | f XWITH g;`. Write growth as loadings: `i BY y1@1 y2@1;`."
        message = "Random slopes and growth (`|`) are not available."
        raise NotAvailableError(message, span=sentence[0].span, hint=hint)
    name, _, first, _, second = sentence
    for part in (name, first, second):
        if part.kind != "name":
            raise GrammarError(f"`{part.text}` is no variable.", span=part.span)
    draft.products[name.text] = (first.text, second.text)


def _refuse_product(item: Item, draft: _Draft) -> None:
    if item.name in draft.products:
        message = f"`{item.name}` is a product: it stands after `ON` only."
        raise GrammarError(message, span=item.span)


# --- MODEL CONSTRAINT ---------------------------------------------------------------------------


def _constraints(
    body: Span, definitions: dict[str, Definition], constraints: list[Constraint]
) -> None:
    """Read ``NEW(ab); ab = a*b; a > 0;``."""
    new: set[str] = set()
    for sentence in _arithmetic(body):
        head = sentence[0]
        if head.text.upper() in REFUSED:
            raise NotAvailableError(f"{REFUSED[head.text.upper()]} are not read.", span=head.span)
        if head.text.upper() == "NEW":
            new |= {t.text for t in sentence[1:] if t.kind == "name"}
            continue
        at = next((k for k, t in enumerate(sentence) if t.text in ("=", "<", ">")), None)
        if at is None:
            hint = "Write `ab = a*b;` or `a > 0;`."
            raise GrammarError("A constraint without `=`, `<` or `>`.", span=head.span, hint=hint)
        left, op, right = sentence[:at], sentence[at], sentence[at + 1 :]
        span = head.span.to(sentence[-1].span)
        if op.text == "=" and len(left) == 1 and head.text in new:
            define(definitions, Definition(head.text, _expression(right, op), span))
            continue
        sign = "==" if op.text == "=" else op.text
        pair = _expression(left, op), _expression(right, op)
        constraints.append(Constraint(sign, *pair, span))  # type: ignore[arg-type]
    missing = new - set(definitions)
    if missing:
        message = f"`{min(missing)}` is NEW and nothing says what it is."
        raise GrammarError(message, span=body, hint=f"Add `{min(missing)} = ...;`.")


def _arithmetic(body: Span) -> Iterator[list[Token]]:
    """Cut a section at its semicolons; a line end is none."""
    sentence: list[Token] = []
    for token in tokenise(body.source, body.start, body.end):
        if token.kind == "end" and token.text == ";":
            if sentence:
                yield sentence
            sentence = []
        elif token.kind != "end":
            known = token.kind == "name" and token.text.upper() in FUNCTIONS
            sentence.append(Token("name", token.text.lower(), token.span) if known else token)
    if sentence:
        last = sentence[-1].span
        raise GrammarError("The last statement has no `;`.", span=last, hint="End it with one.")


def _expression(tokens: list[Token], op: Token) -> Expression:
    if not tokens:
        raise GrammarError(f"Nothing stands on one side of `{op.text}`.", span=op.span)
    last = tokens[-1].span
    cursor = Cursor(tokens, Span(last.source, last.end, last.end), GrammarError)
    tree = read_expression(cursor)
    if cursor.here is not cursor.end:
        raise cursor.unexpected("an operator or the end of the statement")
    return tree
