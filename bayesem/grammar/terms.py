"""Terms: a variable to the right of an operator, with its modifiers in any order."""

import re
from dataclasses import replace
from typing import NamedTuple, cast

from bayesem.errors import GrammarError, NotAvailableError, did_you_mean
from bayesem.grammar.expressions import RESERVED, Cursor
from bayesem.grammar.statements import Mark, Term, term_text
from bayesem.grammar.tokens import LONGEST_NAME, Span, Token

MARKS = ("sd", "var", "prec", "cov", "cor")
MODIFIERS = ("start", "prior", "equal", "label")
LATER = {
    "c": "A modifier for each group, `c(...)`, is not available yet.",
    "efa": "An exploratory block, `efa(...)`, is not available yet.",
    "lower": "A bound as a modifier is not available: write a constraint, `a > 0`.",
    "upper": "A bound as a modifier is not available: write a constraint, `a < 1`.",
    "rv": "A random slope, `rv(...)`, is not available yet.",
}


class _Modifier(NamedTuple):
    change: Term
    span: Span


def read_term(cursor: Cursor, op: str) -> Term:
    """Read a term to the right of an operator: modifiers, then the variable."""
    modifiers: list[_Modifier] = []
    start = cursor.here
    while (modifier := _modifier(cursor)) is not None:
        modifiers.append(modifier)
    term = replace(_variable(cursor, op), span=None)
    for modifier in modifiers:
        term = combine(term, modifier.change, modifier.span)
    return replace(term, span=start.span.to(cursor.tokens[cursor.at - 1].span))


def _variable(cursor: Cursor, op: str) -> Term:
    if cursor.here.kind == "number":
        return _intercept(cursor, op)
    first = cursor.name("a variable")
    if op == "|":
        return _threshold(first)
    names = [first]
    while cursor.accept(":"):
        names.append(cursor.name("a variable after `:`"))
    if len(names) > 1:
        _check_product(names, op)
    return Term(":".join(n.text for n in names), tuple(n.text for n in names))


def _intercept(cursor: Cursor, op: str) -> Term:
    token = cursor.take()
    if float(token.text) == 1 and op == "~":
        return Term("", ())
    hint = ""
    if op == "~":
        hint = "An intercept is `~ 1`, one fixed at zero `~ 0*1`."
    raise GrammarError(f"`{token.text}` is no variable.", span=token.span, hint=hint)


def _threshold(name: Token) -> Term:
    if not re.fullmatch(r"t[1-9][0-9]*", name.text):
        hint = "Thresholds are `t1`, `t2`, ..."
        raise GrammarError(f"`{name.text}` is no threshold.", span=name.span, hint=hint)
    return Term(name.text, ())


def _check_product(names: list[Token], op: str) -> None:
    span = names[0].span.to(names[-1].span)
    if op != "~":
        message = "A product is a predictor: it stands on the right of `~` only."
        raise GrammarError(message, span=span)
    if len(names) > 2:
        raise NotAvailableError(
            f"A product of {len(names)} variables is not available.",
            span=span,
            hint="Products have two parts: `a:b + a:c + b:c`; or fit groups of the third apart.",
        )


# --- modifiers ----------------------------------------------------------------------------------


def _modifier(cursor: Cursor) -> _Modifier | None:
    """Read one modifier and its ``*``, or nothing where the variable itself comes."""
    first = cursor.here
    before = cursor.at
    change = _change(cursor)
    if change is None or not _joins(cursor, change):
        cursor.at = before
        return None
    return _Modifier(change, first.span.to(cursor.tokens[cursor.at - 2].span))


def _joins(cursor: Cursor, change: Term) -> bool:
    """Whether a ``*`` follows, as it must after everything that is not itself a variable."""
    if cursor.accept("*"):
        return True
    plain = change.label is not None or change.fixed is not None
    if plain and cursor.tokens[cursor.at - 1].kind in ("name", "number"):
        return False
    if cursor.here.kind in ("name", "number"):
        raise cursor.unexpected("`*` between a modifier and its variable")
    raise cursor.unexpected("`*` and a variable after the modifier")


def _change(cursor: Cursor) -> Term | None:
    token = cursor.here
    if token.kind == "number" or token.text == "-":
        return _value(cursor)
    if token.kind == "string":
        return Term("", (), label=_label(cursor.take(), _unquoted(token)))
    if token.kind != "name":
        return None
    if cursor.ahead().text == "(":
        return _function(cursor)
    if token.text == "NA":
        cursor.take()
        return Term("", (), free=True)
    if cursor.ahead().text == ":":
        return None
    cursor.take()
    return Term("", (), label=token.text) if token.text not in RESERVED else _refused(token)


def _refused(token: Token) -> Term:
    raise GrammarError(f"`{token.text}` is reserved and names nothing.", span=token.span)


def _value(cursor: Cursor) -> Term:
    value = _signed(cursor)
    if cursor.accept("?"):
        return Term("", (), start=value)
    return Term("", (), fixed=value)


def _signed(cursor: Cursor) -> float:
    sign = -1.0 if cursor.accept("-") else 1.0
    if cursor.here.kind != "number":
        raise cursor.unexpected("a number")
    return sign * float(cursor.take().text)


def _function(cursor: Cursor) -> Term:
    name = cursor.take()
    if name.text in LATER:
        raise NotAvailableError(LATER[name.text], span=name.span)
    if name.text not in MODIFIERS:
        hint = did_you_mean(name.text, MODIFIERS)
        hint = hint or "Known are `start(0.5)`, `prior('normal(0,1)')`, `equal('a')`, `label('a')`."
        raise GrammarError(f"There is no modifier `{name.text}`.", span=name.span, hint=hint)
    cursor.expect("(", f"{name.text}(...)")
    change = Term("", (), start=_start(cursor)) if name.text == "start" else _quoted(cursor, name)
    cursor.expect(")", f"{name.text}(...)")
    return change


def _start(cursor: Cursor) -> float:
    if cursor.here.text == "c" and cursor.ahead().text == "(":
        raise NotAvailableError(LATER["c"], span=cursor.here.span)
    return _signed(cursor)


def _quoted(cursor: Cursor, function: Token) -> Term:
    if cursor.here.kind != "string":
        raise cursor.unexpected("a text in quotation marks")
    token = cursor.take()
    if function.text == "prior":
        return _prior(token)
    return Term("", (), label=_label(token, _unquoted(token)))


def _unquoted(token: Token) -> str:
    return token.text[1:-1].strip()


def _label(token: Token, text: str) -> str:
    if "~" in text:
        hint = "Give both terms one label."
        message = "Naming another term by its formula is not available."
        raise NotAvailableError(message, span=token.span, hint=hint)
    if not re.fullmatch(r"\.?[^\W\d][\w.]*", text) or text in RESERVED or len(text) > LONGEST_NAME:
        raise GrammarError(f"`{text}` cannot be a label.", span=token.span)
    return text


def _prior(token: Token) -> Term:
    """Split the text of a prior from its mark: ``gamma(1,.5)[var]``."""
    text = _unquoted(token)
    match = re.fullmatch(r"(?P<prior>.*?)\s*(?:\[(?P<mark>[^\[\]]*)\])?", text)
    prior, mark = (match["prior"], match["mark"]) if match else (text, None)
    if not prior:
        raise GrammarError("The prior is empty.", span=token.span)
    if mark is not None and mark not in MARKS:
        hint = did_you_mean(mark, MARKS) or f"Known are {', '.join(f'[{m}]' for m in MARKS)}."
        raise GrammarError(f"A prior cannot be on `[{mark}]`.", span=token.span, hint=hint)
    return Term("", (), prior=prior, prior_mark=cast(Mark | None, mark))


# --- the same term twice ------------------------------------------------------------------------


def combine(old: Term, new: Term, span: Span) -> Term:
    """Join the modifiers of two writings of one term, or say how they contradict."""
    if old.prior is not None and new.prior is not None and _on(old) != _on(new):
        raise GrammarError("The term has two different priors.", span=span, hint=_first(old))
    for what in ("label", "fixed", "start"):
        before, after = getattr(old, what), getattr(new, what)
        if before is not None and after is not None and before != after:
            name = {"label": "labels", "fixed": "fixed values", "start": "starting values"}[what]
            message = f"The term has two different {name}."
            raise GrammarError(message, span=span, hint=_first(old))
    both = replace(
        old,
        label=old.label or new.label,
        fixed=old.fixed if new.fixed is None else new.fixed,
        free=old.free or new.free,
        start=old.start if new.start is None else new.start,
        prior=old.prior or new.prior,
        prior_mark=old.prior_mark or new.prior_mark,
    )
    return _consistent(both, span)


def _consistent(term: Term, span: Span) -> Term:
    rivals = {
        "made free by `NA`": term.free,
        "given a starting value": term.start is not None,
        "given a prior": term.prior is not None,
    }
    rival = next((what for what, present in rivals.items() if present), None)
    if term.fixed is not None and rival:
        message = f"The term is fixed and {rival}."
        raise GrammarError(message, span=span, hint="Keep one of the two.")
    return term


def _on(term: Term) -> tuple[str | None, Mark | None]:
    return term.prior, term.prior_mark


def _first(term: Term) -> str:
    if term.span is None:
        return "Keep one of the two."
    return f"Line {term.span.line} says `{term_text(term)}`."


def span_of(term: Term) -> Span:
    """Return where a term was read; only terms that were made otherwise have no place."""
    if term.span is None:
        raise AssertionError("every term that was read has a span")
    return term.span
