"""An executed notebook as a Word document: real tables in APA style, headings, described figures.

The code stays in the notebook; a document is for readers and for a journal. Tables have horizontal
rules only, numbers and titles above and notes below them, as the APA's manual (7th ed., ch. 7) has
it.
"""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from bayesem.errors import DataError, NotAvailableError, installing
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
from bayesem.reporting.markup import WITHHELD
from bayesem.reporting.page import Part

__all__ = ["write_document"]

FONT, SIZE, SMALL = "Times New Roman", 11, 9
RED, BROWN, BLUE = (0xB0, 0x00, 0x20), (0x6B, 0x45, 0x00), (0x10, 0x30, 0x4D)
COLOURS = {"danger": RED, "synthetic": BROWN, "rebuilt": BLUE}
LETTER, PADDING, LONG = 0.0068, 0.19, 48  # inches by point, inches by cell, letters of a line
WIDE = 6.5  # inches of text on a page
NO_BREAK = "\N{NO-BREAK SPACE}"
LENGTHY = 12  # rows from which on what a page folds away is not printed
SHORT = 18  # letters of a cell of text that stays on one line
WHOLE = 600  # a table with more letters may be broken over pages; its head is repeated
WORDY = 8  # a table with more columns is set smaller


@dataclass(slots=True)
class _Writer:
    """A document that grows, and how many tables and figures it has."""

    whole: Any
    docx: Any
    tables: int = 0
    pictures: int = 0


def write_document(found: Sequence[Part], title: str, subtitle: str, path: Path) -> None:
    """Write the whole document.

    Raises
    ------
    NotAvailableError
        If python-docx is not installed.
    DataError
        If the path cannot be written.
    """
    writer = _Writer(_new(), _needed("docx"))
    writer.whole.core_properties.title = _clean(title)[:255]
    writer.whole.core_properties.author = "bayesem"
    writer.whole.add_heading(_clean(title), 0)
    _paragraph(writer, subtitle, italic=True)
    for part in found:
        if part.title:
            writer.whole.add_heading(_clean(part.title), 1)
        if part.why:
            _paragraph(writer, part.why, italic=True)
        for block in part.blocks:
            _put(writer, block, part.number)
    try:
        writer.whole.save(str(path))
    except OSError as error:
        raise DataError(f"{str(path)!r} cannot be written: {error}.") from None


def _needed(module: str) -> Any:
    try:
        return import_module(module)
    except ImportError:
        raise NotAvailableError(
            "Word documents need python-docx, which is not installed.",
            hint=installing("report"),
        ) from None


def _new() -> Any:
    shared = _needed("docx.shared")
    whole = _needed("docx").Document()
    for section in whole.sections:
        section.left_margin = section.right_margin = shared.Inches(1)
        section.top_margin = section.bottom_margin = shared.Inches(1)
    names = _needed("docx.oxml.ns")
    for name in ("Normal", "Title", "Heading 1", "Heading 2", "List Bullet"):
        font = whole.styles[name].font
        font.name = FONT
        fonts = whole.styles[name].element.get_or_add_rPr().get_or_add_rFonts()
        for kind in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(names.qn(f"w:{kind}"), None)
        font.color.rgb = shared.RGBColor(0, 0, 0)
    whole.styles["Normal"].font.size = shared.Pt(SIZE)
    whole.styles["Normal"].paragraph_format.space_after = shared.Pt(6)
    whole.styles["Title"].font.size = shared.Pt(18)
    whole.styles["Heading 1"].font.size = shared.Pt(14)
    whole.styles["Heading 2"].font.size = shared.Pt(12)
    return whole


def _clean(text: str) -> str:
    """Without the control characters that XML cannot hold."""
    return "".join(c for c in text if c in "\n\t" or (ord(c) >= 32 and not _odd(ord(c))))


def _odd(code: int) -> bool:
    return 0xD800 <= code <= 0xDFFF or code in (0xFFFE, 0xFFFF)


# --- blocks ---------------------------------------------------------------------------------------


def _put(writer: _Writer, block: Block, cell: int) -> None:
    match block:
        case Text():
            _paragraph(writer, block.text, italic=block.kind == "note", bold=block.kind == "lead")
        case Banner():
            _banner(writer, block)
        case Quote():
            _paragraph(writer, f"{block.asked}: the package declines, in these words.", after=2)
            _paragraph(writer, block.said, style="Quote")
        case Listing():
            _listing(writer, block)
        case Verbatim():
            _verbatim(writer, block)
        case Picture():
            _picture(writer, block, cell)
        case Table():
            _table(writer, block, cell)
        case Card():
            _card(writer, block)
        case Links():
            _listing(writer, Listing(tuple(f"{a}: {b}" for a, b in block.items), block.head))


def _paragraph(
    writer: _Writer, text: str, *, italic: bool = False, bold: bool = False,
    style: str | None = None, size: float | None = None, after: float | None = None,
    colour: tuple[int, int, int] | None = None, together: bool = False,
) -> Any:  # fmt: skip
    made = writer.whole.add_paragraph(style=style)
    _run(writer, made, text, italic=italic, bold=bold, size=size, colour=colour)
    if after is not None:
        made.paragraph_format.space_after = writer.docx.shared.Pt(after)
    made.paragraph_format.keep_with_next = together
    return made


def _run(
    writer: _Writer, paragraph: Any, text: str, *, italic: bool = False, bold: bool = False,
    size: float | None = None, colour: tuple[int, int, int] | None = None,
) -> None:  # fmt: skip
    run = paragraph.add_run(_clean(text))
    run.italic, run.bold = italic or None, bold or None
    if size is not None:
        run.font.size = writer.docx.shared.Pt(size)
    if colour is not None:
        run.font.color.rgb = writer.docx.shared.RGBColor(*colour)


def _banner(writer: _Writer, block: Banner) -> None:
    colour = COLOURS[block.kind]
    _paragraph(writer, block.head, bold=True, size=14, colour=colour, together=bool(block.lines))
    for line in block.lines:
        _run(writer, writer.whole.add_paragraph(style="List Bullet"), line, colour=colour)


def _listing(writer: _Writer, block: Listing) -> None:
    if block.head:
        _paragraph(writer, block.head, bold=True, after=2, together=True)
    for item in block.items:
        made = writer.whole.add_paragraph(style="List Bullet")
        _run(writer, made, item)
        made.paragraph_format.space_after = writer.docx.shared.Pt(2)


def _verbatim(writer: _Writer, block: Verbatim) -> None:
    if block.aside:
        return
    if block.head:
        _paragraph(writer, block.head, after=2, together=True)
    made = writer.whole.add_paragraph()
    made.alignment = writer.docx.enum.text.WD_ALIGN_PARAGRAPH.LEFT
    _run(writer, made, block.text, size=8.5)
    made.runs[0].font.name = "Courier New"


def _card(writer: _Writer, block: Card) -> None:
    writer.whole.add_heading(_clean(f"{block.name}: {block.verdict}"), 2)
    if block.says:
        _paragraph(writer, block.says, italic=True, after=2, together=True)
    words = f": {block.words}." if block.words else ""
    _paragraph(writer, f"Tested. {block.claim}{words}", after=2, together=True)
    if block.note:
        _paragraph(writer, block.note, italic=True, after=2, together=True)
    if block.source:
        said = block.source.replace("\n", "; ")
        _paragraph(writer, f"Its source says: {said}.", after=2, together=True)
    _paragraph(writer, block.sentence, after=2, together=True)
    if block.facts:
        listed = "; ".join(f"{name}: {value}" for name, value in block.facts)
        _paragraph(writer, listed + ".", size=SMALL + 0.5, after=2, together=True)
    made = writer.whole.add_paragraph()
    _run(writer, made, "Main weakness. ", bold=True)
    _run(writer, made, block.weakness)


def _picture(writer: _Writer, block: Picture, cell: int) -> None:
    writer.pictures += 1
    _paragraph(writer, f"Figure {writer.pictures}", bold=True, after=0, together=True)
    _paragraph(writer, block.title, italic=True, after=2, together=True)
    image = io.BytesIO(base64.b64decode(block.png))
    width = writer.docx.shared.Inches(min(block.width, WIDE))
    shape = writer.whole.add_picture(image, width=width)
    shape._inline.docPr.set("descr", _clean(block.alt))  # its description for screen readers
    _source(writer, cell)


def _source(writer: _Writer, cell: int) -> None:
    _paragraph(writer, f"Made by cell {cell} of the notebook.", size=SMALL - 1, after=12)


# --- tables ---------------------------------------------------------------------------------------


def _table(writer: _Writer, block: Table, cell: int) -> None:
    writer.tables += 1
    _paragraph(writer, f"Table {writer.tables}", bold=True, after=0, together=True)
    _paragraph(writer, block.title, italic=True, after=2, together=True)
    if block.folded and len(block.rows) > LENGTHY:
        said = f"{len(block.rows)} rows: in the notebook, cell {cell}, and in the HTML page."
        _paragraph(writer, said, size=SMALL, after=12)
        return
    if block.withheld:
        _paragraph(writer, WITHHELD, bold=True, colour=RED, after=2, together=True)
    made = writer.whole.add_table(rows=1 + len(block.rows), cols=len(block.columns))
    made.autofit = False
    size = SMALL if len(block.columns) <= WORDY else SMALL - 1
    colour = RED if block.withheld else None
    breaks = sum(len(text) for row in block.rows for text in row) > WHOLE
    for k, row in enumerate((block.columns, *block.rows)):
        cells = made.rows[k].cells
        for j, text in enumerate(row):
            _fill(writer, cells[j], text, right=block.numeric[j], size=size, colour=colour,
                  last=k == len(block.rows) or breaks)  # fmt: skip
    _widths(writer, made, block, size)
    _ruled(made)
    note = writer.whole.add_paragraph()
    note.paragraph_format.space_before = writer.docx.shared.Pt(2)
    note.paragraph_format.space_after = writer.docx.shared.Pt(12)
    if block.notes:
        _run(writer, note, "Note. ", italic=True, size=SMALL)
        _run(writer, note, " ".join(block.notes) + " ", size=SMALL)
    _run(writer, note, f"Made by cell {cell} of the notebook.", size=SMALL - 1)


def _fill(
    writer: _Writer, cell: Any, text: str, *, right: bool, size: float,
    colour: tuple[int, int, int] | None, last: bool,
) -> None:  # fmt: skip
    paragraph = cell.paragraphs[0]
    align = writer.docx.enum.text.WD_ALIGN_PARAGRAPH
    paragraph.alignment = align.RIGHT if right else align.LEFT
    paragraph.paragraph_format.space_after = writer.docx.shared.Pt(0)
    paragraph.paragraph_format.keep_with_next = not last
    _run(writer, paragraph, text or NO_BREAK, size=size, colour=colour)  # else the row is taller


def _widths(writer: _Writer, table: Any, block: Table, size: float) -> None:
    """Columns as wide as their longest line, or as their longest word where the page is full."""
    columns = list(zip(block.columns, *block.rows, strict=True))
    lines = [max(_breadth(line) for text in c for line in text.split("\n")) for c in columns]
    words = [_narrowest(c, right=right) for c, right in zip(columns, block.numeric, strict=True)]
    letters = [float(sum(map(len, c))) for c in columns]
    most = [min(n, LONG) * size * LETTER + PADDING for n in lines]
    least = [min(n, LONG // 2) * size * LETTER + PADDING for n in words]
    for j, width in enumerate(_shared(least, most, WIDE, letters)):
        inches = writer.docx.shared.Inches(width)
        table.columns[j].width = inches
        for cell in table.columns[j].cells:
            cell.width = inches


def _narrowest(column: Sequence[str], *, right: bool) -> float:
    """Letters that a column needs: numbers and short texts stay whole, headings may be broken."""
    head, *body = column
    longest = max((_breadth(line) for text in body for line in text.split("\n")), default=0.0)
    if not right and longest > SHORT:
        longest = max(_breadth(word) for text in body for word in text.split())
    return max(longest, *(_breadth(word) for word in head.split() or [""]))


def _breadth(text: str) -> float:
    """Letters of ordinary breadth that a text is as broad as."""
    return sum(1.4 if c.isupper() or c in "=~+@%\N{RIGHTWARDS ARROW}" else 1.0 for c in text)


def _shared(
    least: list[float], most: list[float], room: float, letters: list[float]
) -> list[float]:
    """Widths from least on that fit the room; what is left goes where most letters are.

    Examples
    --------
    >>> _shared([1.0, 1.0], [1.0, 9.0], 6.0, [1.0, 9.0])
    [1.0, 5.0]
    >>> _shared([4.0, 4.0], [4.0, 4.0], 6.0, [1.0, 1.0])
    [3.0, 3.0]
    """
    if sum(most) <= room:
        return most
    if sum(least) >= room:
        return [width * room / sum(least) for width in least]
    wanted = [max(b - a, 0.0) * n for a, b, n in zip(least, most, letters, strict=True)]
    share = (room - sum(least)) / sum(wanted)
    return [a + more * share for a, more in zip(least, wanted, strict=True)]


def _ruled(table: Any) -> None:
    """Rules above and below the table and under its head, and no others; the head repeats."""
    rows = table.rows
    for k, row in enumerate(rows):
        _property(row._tr.get_or_add_trPr(), "cantSplit")
        if k == 0:
            _property(row._tr.get_or_add_trPr(), "tblHeader")
        sides = [*(["top"] if k == 0 else []), *(["bottom"] if k in (0, len(rows) - 1) else [])]
        for cell in row.cells if sides else ():
            _borders(cell, sides, thick=k != 0 or len(rows) == 1)


def _property(parent: Any, name: str) -> None:
    parent.append(_needed("docx.oxml").OxmlElement(f"w:{name}"))


def _borders(cell: Any, sides: Sequence[str], *, thick: bool) -> None:
    oxml, names = _needed("docx.oxml"), _needed("docx.oxml.ns")
    borders = oxml.OxmlElement("w:tcBorders")
    for side in sides:
        edge = oxml.OxmlElement(f"w:{side}")
        size = "8" if thick or side == "top" else "4"
        for key, value in (("val", "single"), ("sz", size), ("space", "0"), ("color", "000000")):
            edge.set(names.qn(f"w:{key}"), value)
        borders.append(edge)
    cell._tc.get_or_add_tcPr().append(borders)
