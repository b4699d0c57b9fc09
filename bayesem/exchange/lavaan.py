"""Statements for lavaan: text that its ``sem()`` reads to the same model."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Literal

from bayesem.errors import ModelError, NotAvailableError
from bayesem.grammar.statements import Statement, Term, expression_text, term_text

if TYPE_CHECKING:
    from bayesem.model import Model

__all__ = ["to_lavaan"]

WIDTH = 88
MODIFIERS = ("fixed", "free", "start", "label")


def to_lavaan(model: "Model", *, products: Literal["refuse", "keep"] = "refuse") -> str:
    """Write a model as text for lavaan's ``sem()``, whose defaults are this package's.

    Parameters
    ----------
    model : Model
    products : {"refuse", "keep"}
        lavaan knows ``X:Z`` of observed variables only. ``"keep"`` writes products of factors all
        the same, for the R package modsem, which reads them.

    Returns
    -------
    str
        A term with several modifiers is written once for each, as lavaan wants it. Priors, which
        lavaan does not have, and families, which are arguments there too, stand in comments.

    Raises
    ------
    NotAvailableError
        At a product of factors, unless they are to be kept.

    Examples
    --------
    >>> from bayesem.model import read_model
    >>> print(to_lavaan(read_model("f =~ NA*a*x1 + x2 + x3; y ~ b*f; q := a*b")), end="")
    f =~ NA*x1 + a*x1 + x2 + x3
    y ~ b*f
    q := a*b
    """
    if products not in ("refuse", "keep"):
        raise ModelError(f"products is {products!r}.", hint='Use "refuse" or "keep".')
    if products == "refuse":
        _refuse_products(model)
    return "".join(f"{line}\n" for line in _lines(model))


def _refuse_products(model: "Model") -> None:
    latent = set(model.factors)
    for s in model.parsed.statements:
        if len(s.term.factors) > 1 and latent & set(s.term.factors):
            raise NotAvailableError(
                f"lavaan has no products of factors: `{s.lhs} ~ {s.term.name}`.",
                span=s.term.span,
                hint='The R package modsem has: `products="keep"`; or take the product out.',
                label=s.term.name,
            )


def _lines(model: "Model") -> Iterator[str]:
    yield from _comments(model)
    parsed, measured = model.parsed, set[str]()
    for (lhs, op), group in groupby(parsed.statements, key=lambda s: (s.lhs, s.op)):
        terms = []
        for s in group:
            marker = op == "=~" and lhs not in measured
            measured |= {lhs} if op == "=~" else set()
            terms += _written(s, marker=marker)
        yield from _filled(f"{lhs} {'~' if op == '~1' else op} ", terms)
    for d in parsed.definitions:
        yield f"{d.name} := {expression_text(d.expression)}"
    for c in parsed.constraints:
        yield f"{expression_text(c.left)} {c.op} {expression_text(c.right)}"


def _comments(model: "Model") -> Iterator[str]:
    """What lavaan's language cannot say."""
    book = model.codebook
    for name in model.observed if book is not None else ():
        about = book.indicators.get(name) if book is not None else None
        if about is not None and about.family != "continuous":
            yield f"# {name} is of the family {about.family}, which is no part of this text"
    for s in model.parsed.statements:
        if s.term.prior is not None:
            mark = f"[{s.term.prior_mark}]" if s.term.prior_mark else ""
            row = f"{s.lhs} {s.op.removesuffix('1')} {s.term.name or 1}"
            yield f"# prior of {row}: {s.term.prior}{mark}"


def _written(s: Statement, *, marker: bool) -> list[str]:
    """The term once for each of its modifiers.

    lavaan fixes the first loading at its start where it has one, and not at 1.
    """
    term = replace(s.term, prior=None, prior_mark=None)
    if marker and not term.free:
        term = replace(term, start=None)
    bare = Term(term.name, term.factors)
    given = [m for m in MODIFIERS if getattr(term, m) is not None and getattr(term, m) is not False]
    if not given:
        return [term_text(bare)]
    return [term_text(replace(bare, **{m: getattr(term, m)})) for m in given]


def _filled(lead: str, terms: list[str]) -> Iterator[str]:
    """Terms joined by ``+``, broken after one where the line is long."""
    line = lead
    for k, term in enumerate(terms):
        more = term + (" + " if k < len(terms) - 1 else "")
        if len(line) + len(more.rstrip()) > WIDTH and line.strip() and line != lead:
            yield line.rstrip()
            line = " " * len(lead)
        line += more
    yield line.rstrip()
