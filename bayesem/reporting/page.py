"""An executed notebook as one self-contained HTML page.

The page has no script and loads nothing: a content security policy in it forbids both, images are
data inside it, and everything else is text and one style sheet.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from typing import Any

from bayesem.reporting.blocks import MIME, Block, Picture, Table, block_from
from bayesem.reporting.markup import markup

__all__ = ["Part", "page", "parts"]

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'"
)


@dataclass(frozen=True, slots=True)
class Part:
    """A section of the report: its cell's code, what that showed, and what it wrote on stderr."""

    anchor: str
    title: str
    why: str
    number: int
    code: str
    blocks: tuple[Block, ...]
    aside: str


def parts(notebook: Any) -> Iterator[Part]:
    """Sections of an executed notebook, one by code cell."""
    for number, cell in enumerate((c for c in notebook.cells if c.cell_type == "code"), 1):
        said = cell.metadata["bayesem"]
        yield Part(
            said["anchor"], said["title"], said["why"], number, cell.source,
            tuple(_blocks(cell.outputs)), _aside(cell.outputs),
        )  # fmt: skip


def _blocks(outputs: Iterable[Any]) -> Iterator[Block]:
    for output in outputs:
        for found in output.get("data", {}).get(MIME, ()):
            yield block_from(found)


def _aside(outputs: Iterable[Any]) -> str:
    return "".join(o["text"] for o in outputs if o["output_type"] == "stream")


def page(found: Sequence[Part], title: str, subtitle: str) -> str:
    """The whole page."""
    shown = list(_sections(found))
    links = "".join(
        f'<a href="#{escape(p.anchor)}">{escape(p.title)}</a>' for p in found if p.title
    )
    style = files("bayesem.reporting").joinpath("report.css").read_text("utf-8")
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer"><link rel="icon" href="data:,">'
        f"<title>{escape(title)}</title><style>\n{style}</style></head><body>\n"
        f'<header><h1>{escape(title)}</h1><p class="sub">{escape(subtitle)}</p></header>\n'
        f'<nav aria-label="sections">{links}</nav>\n<main>'
        + "\n".join(shown)
        + "</main>\n<footer><p>Every table, figure and sentence links to the cell that made it "
        "(\u2039n\u203a: cell n); the same cells are in the notebook beside this page. Files that "
        "are linked lie beside the page, and have to be sent along with it.</p></footer></body>"
        "</html>\n"
    )


def _sections(found: Sequence[Part]) -> Iterator[str]:
    tables = pictures = 0
    for part in found:
        inside = []
        for block in part.blocks:
            label = ""
            if isinstance(block, Table):
                tables += 1
                label = f"Table {tables}"
            elif isinstance(block, Picture):
                pictures += 1
                label = f"Figure {pictures}"
            inside.append(markup(block, cell=f"cell-{part.number}", label=label))
        yield _section(part, "".join(inside))


def _section(part: Part, inside: str) -> str:
    head = f"<h2>{escape(part.title)}</h2>" if part.title else ""
    why = f'<p class="why">{escape(part.why)}</p>' if part.why else ""
    aside = f'<pre class="text">{escape(part.aside)}</pre>' if part.aside else ""
    code = (
        f"<details><summary>Cell {part.number}: the code behind these numbers</summary>"
        f'<pre id="cell-{part.number}" class="code">{escape(part.code)}</pre>{aside}</details>'
    )
    return f'<section id="{escape(part.anchor)}">{head}{why}{inside}{code}</section>'
