"""Claims in words, with what labels stand for in the place of labels."""

from collections.abc import Iterator, Mapping
from typing import Any

from bayesem.grammar.expressions import walk
from bayesem.grammar.statements import (
    And,
    Binary,
    Call,
    Chain,
    Comparison,
    MeanArgument,
    Name,
    Node,
    Not,
    Number,
    Or,
    PathArgument,
    ShareArgument,
    SlopeArgument,
    Unary,
    expression_text,
)

__all__ = ["Names", "claim_in_words", "labels_in", "names_of"]

type Names = Mapping[str, str]

SIDES = {">": "is greater than", "<": "is smaller than", ">=": "is at least", "<=": "is at most"}
SIGNS = {"*": "times", "/": "divided by", "+": "plus", "-": "minus", "^": "to the power of"}
OPERATORS = {"=~": "the loading of {rhs} on {lhs}", "~": "the path from {rhs} to {lhs}",
             "~1": "the mean or intercept of {lhs}", "|": "the threshold of {lhs}",
             "~~": "the covariance of {lhs} and {rhs}"}  # fmt: skip
LONGEST = 400  # words for a longer claim would say less than the claim itself


def names_of(fit: Any) -> dict[str, str]:
    """What each label, definition and factor is called in words.

    Factors are called what the codebook calls them; labels after the parameters they stand for.
    """
    if fit.table is None:  # theme counts
        return {name: f"{text} ({name})" for name, text in fit.model.texts.items()}
    book = fit.model.codebook
    known = {} if book is None else dict(book.factors)
    called = {name: f"{text} ({name})" for name, text in known.items()}
    found = dict(called)
    for label, rows in fit.table.labels.items():
        row = rows[0]
        rhs = called.get(row.rhs, row.rhs)
        if ":" in row.rhs:
            rhs = f"the product of {' and '.join(called.get(v, v) for v in row.rhs.split(':'))}"
        what = OPERATORS.get(row.op, "the covariance of {lhs} and {rhs}").format(
            lhs=called.get(row.lhs, row.lhs), rhs=rhs
        )
        found[label] = what
    for d in fit.table.definitions:
        found[d.name] = f"{d.name} ({expression_text(d.expression)})"
    return found


def labels_in(node: Node, fit: Any) -> Iterator[str]:
    """What the labels of a claim stand for, a line each."""
    names = names_of(fit)
    for text in dict.fromkeys(n.text for n in walk(node) if isinstance(n, Name)):
        if text in fit.table.labels:
            yield f"{text}: {names[text]}"
        elif text in names:
            yield names[text].replace(" (", ": ", 1).removesuffix(")")


def claim_in_words(node: Node, names: Names) -> str:
    """A claim as an English clause; empty where words would say less than the claim.

    Examples
    --------
    >>> from bayesem.grammar.claims import parse_claim
    >>> claim_in_words(parse_claim("a > 0 and null(std(c))"), {"a": "the path from X to M"})
    'the path from X to M is greater than 0, and c, standardised, is practically zero'
    """
    said = _said(node, names)
    return said if len(said) <= LONGEST else ""


def _said(node: Any, names: Names) -> str:
    match node:
        case Number():
            return expression_text(node)
        case Name(text):
            return names.get(text, text)
        case Unary(_, operand):
            return f"minus {_said(operand, names)}"
        case Binary(op, left, right):
            return f"{_bracketed(left, names)} {SIGNS[op]} {_bracketed(right, names)}"
        case Comparison(op, left, right):
            return f"{_said(left, names)} {SIDES[op]} {_said(right, names)}"
        case Chain(parts):
            return ", and ".join(_said(part, names) for part in parts)
        case And(parts):
            return ", and ".join(_grouped(part, names) for part in parts)
        case Or(parts):
            return ", or ".join(_grouped(part, names) for part in parts)
        case Not(part):
            return f"it is not so that {_grouped(part, names)}"
        case Call(name, args):
            return _call(name, args, names)
    return expression_text(node)


def _bracketed(node: Any, names: Names) -> str:
    said = _said(node, names)
    return f"({said})" if isinstance(node, Binary) else said


def _grouped(node: Any, names: Names) -> str:
    said = _said(node, names)
    return f"({said})" if isinstance(node, And | Or) else said


def _call(name: str, args: tuple[Any, ...], names: Names) -> str:
    match name, args:
        case "null", (one,):
            said = _said(one, names)
            return f"{said}{',' * (', ' in said)} is practically zero"
        case "share", (ShareArgument(category, column, group),):
            return f"the share of {names.get(category, category)} where {column} is {group}"
        case "share", (one,):
            return f"the share of {_said(one, names)}"
        case "std", (one,):
            said = _said(one, names)
            rest = said.removeprefix("the ")
            return f"the standardised {rest}" if rest != said else f"{said}, standardised"
        case "abs", (one,):
            return f"the size of {_said(one, names)}"
        case "min" | "max", _:
            which = "smallest" if name == "min" else "largest"
            return f"the {which} of {', '.join(_said(a, names) for a in args)}"
        case "indirect" | "total", (PathArgument(nodes),):
            return _effect(name, [names.get(n, n) for n in nodes])
        case "slope", (SlopeArgument(outcome, predictor, conditions),):
            path = (
                f"the slope of {names.get(outcome, outcome)} on {names.get(predictor, predictor)}"
            )
            return path + _where(conditions, names)
        case "mean" | "do", (MeanArgument(outcome, conditions),):
            how = "when it is set that" if name == "do" else "where"
            return f"the mean of {names.get(outcome, outcome)}" + _where(conditions, names, how)
    return expression_text(Call(name, args))


def _effect(name: str, nodes: list[str]) -> str:
    through = f" through {', then '.join(nodes[1:-1])}" if len(nodes) > 2 else ""
    return f"the {name} effect of {nodes[0]} on {nodes[-1]}{through}"


def _where(conditions: tuple[tuple[str, Any], ...], names: Names, how: str = "where") -> str:
    if not conditions:
        return ""
    each = " and ".join(f"{names.get(n, n)} is {expression_text(v)}" for n, v in conditions)
    return f" {how} {each}"
