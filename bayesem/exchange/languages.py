"""Which language a model text is in. Each is known by what no lavaan text can begin with."""

from pathlib import Path

from bayesem.errors import NotAvailableError
from bayesem.exchange import graphviz
from bayesem.exchange.amos import is_amos, parse_amos
from bayesem.exchange.mplus import parse_mplus
from bayesem.exchange.mplus_text import is_mplus
from bayesem.exchange.semopy import is_semopy, parse_semopy
from bayesem.grammar.parse import parse
from bayesem.grammar.statements import Parsed
from bayesem.grammar.tokens import LONGEST_TEXT

__all__ = ["ENDINGS", "check_ending", "parse_any"]

#: Files that a model is read from.
TEXTS = (".sem", ".lav", ".inp", ".vb", ".txt")
INSTEAD = {
    ".amw": "It is AMOS' drawing. Write `f =~ x1 + x2` for a factor, `y ~ f` for an arrow.",
    ".dot": graphviz.INSTEAD,
    ".gv": graphviz.INSTEAD,
    ".splsm": "SmartPLS keeps drawings of composites; write each construct as `f =~ x1 + x2`.",
    ".out": "That is Mplus' output: give the input, `.inp`.",
    ".jasp": "JASP shows its model as lavaan syntax: give that text.",
    ".omv": "jamovi shows its model as lavaan syntax: give that text.",
    ".lsr": "Write LISREL's model in lavaan's language.",
    ".spl": "Write SIMPLIS' model in lavaan's language.",
    ".toml": "It holds propositions or a codebook; a model stands in a `.sem` file or in text.",
    ".csv": "It holds answers: give them as the data; a model stands in a `.sem` file or in text.",
    ".nc": "It holds a fit: `sem.load` reads it; a model stands in a `.sem` file or in text.",
    ".docx": "Copy the model's text out of the document into a `.sem` file.",
    ".eqs": "Write EQS' model in lavaan's language.",
}
ENDINGS = (*TEXTS, *INSTEAD)


def check_ending(path: Path) -> None:
    """Refuse files that hold no model text.

    Raises
    ------
    NotAvailableError
        Naming the program, and what to do.
    """
    hint = INSTEAD.get(path.suffix.lower())
    if hint is not None:
        message = f"`{path.name}`: files of type `{path.suffix}` are not read."
        raise NotAvailableError(message, hint=hint)


def parse_any(text: str, origin: str = "<text>") -> Parsed:
    """Read a model text of lavaan, Mplus, semopy or AMOS.

    Raises
    ------
    GrammarError
        At text that cannot be read or contradicts itself, with its line and column.
    NotAvailableError
        At what another program knows and this package does not.

    Examples
    --------
    >>> lavaan, mplus = "f =~ x1 + x2 + x3; y ~ f", "MODEL: f BY x1-x3; y ON f;"
    >>> parse_any(lavaan) == parse_any(mplus)
    True
    """
    if len(text) > LONGEST_TEXT:
        return parse(text, origin)  # which says so
    if is_mplus(text):
        return parse_mplus(text, origin)
    if is_amos(text):
        return parse_amos(text, origin)
    if graphviz.is_graphviz(text):
        return graphviz.parse_graphviz(text, origin)
    if is_semopy(text):
        return parse_semopy(text, origin)
    return parse(text, origin)
