"""Where a printed number stands in its codebook."""

import re

from bayesem.grammar.tokens import Source, Span

__all__ = ["place"]


def place(source: Source, header: str, row: int = 0, key: str = "") -> Span | None:
    """Find a key in a table, or in the row of one.

    Parameters
    ----------
    source : Source
        The codebook.
    header : str
        The table's full name; of an array of tables, ``row`` counts its members.
    row : int
        From 1; 0 for the table itself.
    key : str
    """
    text = source.text
    several = list(re.finditer(rf"^\[\[{re.escape(header)}\]\]", text, re.MULTILINE))
    if several and row:
        return _key(source, key, *_extent(text, several[min(row, len(several)) - 1]), several[0])
    found = re.search(rf"^\[{re.escape(header)}\]", text, re.MULTILINE)
    if found is None:
        return None
    start, stop = _extent(text, found)
    if row:
        rows = list(re.finditer(r"\{[^{}]*\}", text[found.end() : stop]))
        if row > len(rows):
            return Span(source, *found.span())
        one = rows[row - 1]
        start, stop = found.end() + one.start(), found.end() + one.end()
        return _key(source, key, start, stop, None)
    return _key(source, key, start, stop, found)


def _extent(text: str, header: re.Match[str]) -> tuple[int, int]:
    """From a header to the next one."""
    following = re.search(r"^\[", text[header.end() :], re.MULTILINE)
    return header.start(), header.end() + following.start() if following else len(text)


def _key(source: Source, key: str, start: int, stop: int, header: re.Match[str] | None) -> Span:
    pattern = rf"(?<![\w.\"]){re.escape(key)}\s*=[^,}}\n]*"
    inside = re.search(pattern, source.text[start:stop]) if key else None
    if inside is not None:
        return Span(source, start + inside.start(), start + inside.end())
    if header is None:
        return Span(source, start, stop)
    return Span(source, start, start + len(source.text[start:stop].partition("\n")[0]))
