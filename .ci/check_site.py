"""Refuses a site that fetches anything from elsewhere, or shows markup in the place of text."""

import re
import sys
from pathlib import Path

#: ``src`` of anything, and ``href`` of a stylesheet, font or icon; a link to follow is not fetched.
FETCHED = re.compile(
    r"""(?:\bsrc=|<link\b[^>]*\bhref=|@import\s+|url\()["']?(?:https?:)?//[^"')\s>]+"""
)
RAW = re.compile(r":(?:math|func|class|meth|mod):`|\.\. \[\d")


def faults(page: Path) -> list[str]:
    """What is wrong with a page or a stylesheet."""
    text = page.read_text("utf-8")
    found = [f"fetches {match}" for match in FETCHED.findall(text)]
    if page.suffix == ".html":
        found += [f"shows {match!r}" for match in RAW.findall(text)]
    return [f"{page}: {fault}" for fault in found]


if __name__ == "__main__":
    pages = [p for p in Path(sys.argv[1]).rglob("*") if p.suffix in (".html", ".css")]
    wrong = [fault for page in pages for fault in faults(page)]
    sys.exit("\n".join(wrong) if wrong or not pages else 0)
