"""AMOS: the lines of a program, ``Sem.AStructure("x1 = (1) f + (1) e1")``, told apart and refused.

AMOS' lines do not say which variables are latent (the data file does), nor which of two sources of
a variable is its residual; a reader would have to guess.
"""

import re

from bayesem.errors import NotAvailableError
from bayesem.grammar.statements import Parsed
from bayesem.grammar.tokens import Source, Span

__all__ = ["is_amos", "parse_amos"]

_CALL = re.compile(r"\bA?Structure\s*\(\s*[\"']|\.(?:Path|Cov|AStructure)\s*\(\s*\"", re.I)


def is_amos(text: str) -> bool:
    """Whether a text is a program of AMOS."""
    return _CALL.search(re.sub(r"#[^\n]*", "", text)) is not None


def parse_amos(text: str, origin: str = "<text>") -> Parsed:
    """Say how to write the model instead.

    Raises
    ------
    NotAvailableError
    """
    match = _CALL.search(text)
    span = None if match is None else Span(Source(text, origin), *match.span())
    raise NotAvailableError(
        "A program of AMOS is not read: it does not say which variables are latent.",
        span=span,
        hint="Write `x1 = (1) f + (1) e1` and its like as `f =~ x1 + ...`; residuals are implied.",
    )
