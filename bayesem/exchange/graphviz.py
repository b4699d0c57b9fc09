"""Graphviz: a drawing of a model, told apart and refused.

An arrow from a factor to a variable is a loading or a path, and the two have different priors and
residuals; a drawing does not say which.
"""

import re

from bayesem.errors import NotAvailableError
from bayesem.grammar.statements import Parsed
from bayesem.grammar.tokens import Source, Span

__all__ = ["INSTEAD", "is_graphviz", "parse_graphviz"]

INSTEAD = (
    "An arrow from a factor to a variable is a loading or a path: a drawing does not say which. "
    "Write `f =~ x1 + x2` and `y ~ f`; `sem.diagram_dot` writes the drawing from that."
)
_HEAD = re.compile(r"\s*(?:strict\s+)?((?:di)?graph)\b[^{}\n]*\{")


def is_graphviz(text: str) -> bool:
    """Whether a text is a drawing in Graphviz' language.

    Examples
    --------
    >>> is_graphviz("digraph { f -> x1 }"), is_graphviz("graph =~ a + b + c")
    (True, False)
    """
    return _HEAD.match(text) is not None


def parse_graphviz(text: str, origin: str = "<text>") -> Parsed:
    """Say how to write the model instead.

    Raises
    ------
    NotAvailableError
    """
    match = _HEAD.match(text)
    span = None if match is None else Span(Source(text, origin), *match.span(1))
    raise NotAvailableError("A drawing of Graphviz is not read.", span=span, hint=INSTEAD)
