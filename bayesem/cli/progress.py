"""One line on stderr that is written over on a terminal, and a line a step elsewhere."""

import argparse
import sys
from collections.abc import Callable
from typing import Any

__all__ = ["clear", "progress"]

WIPE = "\r\x1b[K"


def progress(a: argparse.Namespace) -> Callable[[Any], None] | None:
    """What tells of each `bayesem.study_fits.Progress`; None where nobody wants to know."""
    if a.quiet:
        return None
    start, end = (WIPE, "") if sys.stderr.isatty() else ("", "\n")

    def tell(p: Any) -> None:
        count = f"{p.done + 1}/{p.total} " if p.total else ""
        clock = f"{int(p.seconds) // 60}:{int(p.seconds) % 60:02d}"
        print(f"{start}[{clock}] {count}{p.what}", end=end, file=sys.stderr, flush=True)

    return tell


def clear(a: argparse.Namespace) -> None:
    """Leave no half line behind."""
    if not a.quiet and sys.stderr.isatty():
        print(WIPE, end="", file=sys.stderr, flush=True)
