"""Blocks as HTML. Every text is escaped here; nothing in it can load anything."""

import re
from collections.abc import Iterator, Sequence
from html import escape
from urllib.parse import quote

from bayesem.reporting.blocks import (
    Banner,
    Block,
    Card,
    Links,
    Listing,
    Picture,
    Quote,
    Table,
    Text,
    Verbatim,
)

__all__ = ["markup", "tone"]

DOI = re.compile(r"(https://doi\.org/10\.[^\s<>\"']*[^\s<>\"'.,;)])")
WIDE = 5.0  # inches from which on a drawing is wider than a phone can show legibly
WORDY = 40  # letters of a cell from which on a narrow screen cannot hold its table
WITHHELD = "NOT CONVERGED: these numbers are no results."
#: Letters, so that a verdict never rests on its colour.
MARKS = {"supported": "+", "refuted": "\N{MINUS SIGN}", "practically null": "0", "undecided": "?"}


def markup(block: Block, *, cell: str = "", label: str = "") -> str:
    """HTML of one block.

    Parameters
    ----------
    block : Block
    cell : str
        The anchor of the code that made it; without one there is no link.
    label : str
        Such as ``Table 3``.
    """
    match block:
        case Text():
            return f'<p class="{escape(block.kind)}">{_lines(block.text)}{_link(cell)}</p>'
        case Banner():
            return _banner(block)
        case Quote():
            return (
                f'<blockquote class="refusal"><p>{escape(block.asked)}: the package declines, in '
                f"these words.{_link(cell)}</p><p>{_lines(block.said)}</p></blockquote>"
            )
        case Listing():
            head = f"<p>{escape(block.head)}</p>" if block.head else ""
            ends = ["" for _ in block.items[1:]] + [_link(cell)]
            items = "".join(
                f"<li>{_linked(item)}{end}</li>"
                for item, end in zip(block.items, ends, strict=True)
            )
            return f"{head}<ul>{items}</ul>"
        case Verbatim():
            head = f"<p>{escape(block.head)}</p>" if block.head else ""
            text = f'<pre class="text">{escape(block.text)}</pre>'
            return _folded(block.head, text) if block.aside else head + text
        case Picture():
            return _picture(block, cell, label)
        case Table():
            return _table(block, cell, label)
        case Card():
            return _card(block, cell)
        case Links():
            return _links(block)


def tone(verdict: str) -> str:
    """A class name for a verdict.

    Examples
    --------
    >>> tone("practically null"), tone("withheld")
    ('v-practically-null', 'v-withheld')
    """
    return f"v-{verdict.replace(' ', '-')}" if verdict in (*MARKS, "withheld") else "v-other"


def _folded(head: str, inside: str) -> str:
    """What is shown to who opens it."""
    return f"<details><summary>{escape(head)}</summary>{inside}</details>"


def _links(block: Links) -> str:
    """Files beside the page: paths that no scheme or host can be read into."""
    head = f"<p>{escape(block.head)}</p>" if block.head else ""
    items = "".join(
        f'<li><a href="./{escape(quote(path))}">{escape(text)}</a></li>'
        for text, path in block.items
    )
    return f"{head}<ul>{items}</ul>"


def _linked(text: str) -> str:
    """A text with its DOIs as links, which load nothing until somebody follows them."""
    parts = DOI.split(text)
    return "".join(
        f'<a href="{escape(quote(part, safe=":/.()-_;"))}">{escape(part)}</a>' if k % 2
        else escape(part)
        for k, part in enumerate(parts)
    )  # fmt: skip


def _lines(text: str) -> str:
    return escape(text).replace("\n", "<br>")


def _link(cell: str) -> str:
    if not cell:
        return ""
    number = escape(cell.rpartition("-")[2])
    title = f"cell {number}: the code behind this"
    return f' <a class="cell" href="#{escape(cell)}" title="{title}">\u2039{number}\u203a</a>'


def _banner(block: Banner) -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in block.lines)
    more = f"<ul>{items}</ul>" if items else ""
    head = f"<p><strong>{escape(block.head)}</strong></p>"
    return f'<div class="banner {escape(block.kind)}" role="alert">{head}{more}</div>'


def _picture(block: Picture, cell: str, label: str) -> str:
    named = f"<b>{escape(label)}.</b> " if label else ""
    wide = ' class="wide" tabindex="0"' if block.width > WIDE else ""
    return (
        f'<figure{wide}><img src="data:image/png;base64,{escape(block.png)}" '
        f'alt="{escape(block.alt)}" style="width:{block.width:g}in">'
        f"<figcaption>{named}{escape(block.title)}"
        f"{_link(cell)}</figcaption></figure>"
    )


def _table(block: Table, cell: str, label: str) -> str:
    named = f"<b>{escape(label)}.</b> " if label else ""
    mark = f'<strong class="failed">{WITHHELD}</strong> ' if block.withheld else ""
    caption = f"<caption>{named}{mark}{escape(block.title)}{_link(cell)}</caption>"
    head = "".join(
        _cell("th", text, right, ' scope="col"')
        for text, right in zip(block.columns, block.numeric, strict=True)
    )
    body = "".join(f"<tr>{''.join(_row(block, row))}</tr>" for row in block.rows)
    notes = "".join(f"<p>{_lines(note)}</p>" for note in block.notes)
    notes = f'<div class="notes"><p><i>Note.</i></p>{notes}</div>' if notes else ""
    longest = max((len(text) for row in block.rows for text in row), default=0)
    wordy = ' class="wordy"' if longest > WORDY else ""
    kind = "scroll failed" if block.withheld else "scroll"
    whole = (
        f'<div class="{kind}" tabindex="0"><table{wordy}>{caption}<thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>{notes}"
    )
    named = f"{label}. {block.title}".removeprefix(". ")
    return _folded(f"{named} ({len(block.rows)} rows)", whole) if block.folded else whole


def _row(block: Table, row: Sequence[str]) -> Iterator[str]:
    """Cells that know their heading, so that a phone can show them one below the other."""
    for head, text, right in zip(block.columns, row, block.numeric, strict=True):
        yield _cell("td", text, right, f' data-h="{escape(head)}"')


def _cell(tag: str, text: str, right: bool, more: str) -> str:  # noqa: FBT001
    kind = ' class="n"' if right else ""
    return f"<{tag}{more}{kind}>{_lines(text)}</{tag}>"


def _card(block: Card, cell: str) -> str:
    facts = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{_number(value, cell)}</dd></div>"
        for name, value in block.facts
    )
    mark = MARKS.get(block.verdict, "\N{EM DASH}")
    words = f": {escape(block.words)}." if block.words else ""
    says = f'<p class="says">{_lines(block.says)}</p>' if block.says else ""
    weak = f'<p class="weak"><b>Main weakness.</b> {_lines(block.weakness)}</p>'
    note = f'<p class="note">{_lines(block.note)}</p>' if block.note else ""
    source = f'<p class="claim"><b>Its source says.</b> {_lines(block.source)}</p>'
    source = source if block.source else ""
    return (
        f'<article class="card {tone(block.verdict)}"><h3><span class="mark">{mark}</span> '
        f'{escape(block.name)}: <span class="verdict">{escape(block.verdict)}</span></h3>{says}'
        f'<p class="claim"><b>Tested.</b> <code>{escape(block.claim)}</code>{words}</p>'
        f"{note}{source}"
        f"<p>{_lines(block.sentence)}</p>"
        f"<dl>{facts}</dl>{weak}</article>"
    )


def _number(text: str, cell: str) -> str:
    return f'<a href="#{escape(cell)}">{escape(text)}</a>' if cell else escape(text)
