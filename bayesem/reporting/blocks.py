"""What a report is made of: plain values that a notebook's output carries as JSON."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["MIME", "Banner", "Block", "Blocks", "Card", "Links", "Listing", "Picture", "Quote",
           "Table", "Text", "Verbatim", "block_from"]  # fmt: skip

#: The kind of output that holds blocks; a viewer that does not know it shows the HTML beside it.
MIME = "application/vnd.bayesem.blocks+json"


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph. ``kind`` is empty, ``lead`` or ``note``."""

    text: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Banner:
    """What has to be read first. ``kind`` is ``danger``, ``synthetic`` or ``rebuilt``."""

    head: str
    lines: tuple[str, ...] = ()
    kind: str = "danger"


@dataclass(frozen=True, slots=True)
class Quote:
    """A refusal of the package, word for word, and what was asked of it."""

    asked: str
    said: str


@dataclass(frozen=True, slots=True)
class Listing:
    """Sentences, one by one."""

    items: tuple[str, ...]
    head: str = ""


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Text whose line breaks count: a model, BibTeX. ``aside``: a document for print omits it."""

    text: str
    head: str = ""
    aside: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table of text that is already written as it shall stand.

    Attributes
    ----------
    title : str
    columns : tuple of str
    rows : tuple of tuples of str
    numeric : tuple of bool
        By column: right-aligned.
    notes : tuple of str
        Under the table.
    withheld : bool
        Whether its numbers come from chains that did not converge.
    folded : bool
        Whether a page shows it only to who opens it.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]
    notes: tuple[str, ...] = ()
    withheld: bool = False
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Links:
    """Files beside the report: what each is called, and its path relative to the report."""

    items: tuple[tuple[str, str], ...]
    head: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing: PNG in base64, what it shows in words, its title, its width in inches."""

    png: str
    alt: str
    title: str
    width: float


@dataclass(frozen=True, slots=True)
class Card:
    """One proposition and its verdict.

    Attributes
    ----------
    name, verdict : str
    says, claim, words : str
        The sentence, the formal claim, and the claim in words.
    sentence : str
        The verdict with its numbers, in words.
    facts : tuple of (str, str)
        Prior, posterior, Bayes factor and so on.
    weakness : str
        What speaks most against leaning on it.
    note : str
        Of the file of propositions, where the claim is not the sentence's own.
    source : str
        What the sentence's source concludes, and whether that is said here.
    """

    name: str
    verdict: str
    says: str
    claim: str
    words: str
    sentence: str
    facts: tuple[tuple[str, str], ...]
    weakness: str
    note: str = ""
    source: str = ""


type Block = Text | Banner | Quote | Listing | Verbatim | Table | Picture | Card | Links

_KINDS: Mapping[str, type[Any]] = {
    kind.__name__.lower(): kind
    for kind in (Text, Banner, Quote, Listing, Verbatim, Table, Picture, Card, Links)
}


@dataclass(frozen=True, slots=True)
class Blocks:
    """What a cell of the notebook shows."""

    items: tuple[Block, ...]

    def _repr_mimebundle_(
        self, include: Iterable[str] | None = None, exclude: Iterable[str] | None = None
    ) -> dict[str, Any]:
        """Blocks for the report, HTML for a notebook's reader, text for a terminal."""
        from bayesem.reporting.markup import markup

        return {
            MIME: [record(block) for block in self.items],
            "text/html": "".join(markup(block) for block in self.items),
            "text/plain": f"{len(self.items)} blocks",
        }


def record(block: Block) -> dict[str, Any]:
    """As JSON holds it."""
    return {"block": type(block).__name__.lower(), **asdict(block)}


def block_from(found: Mapping[str, Any]) -> Block:
    """A block from what JSON held.

    Examples
    --------
    >>> block_from(record(Text("one")))
    Text(text='one', kind='')
    """
    fields = {key: _tuples(value) for key, value in found.items() if key != "block"}
    made: Block = _KINDS[str(found["block"])](**fields)
    return made


def _tuples(value: Any) -> Any:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(_tuples(one) for one in value)
    return value
