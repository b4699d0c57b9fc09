"""Progress on stderr: one line that is written over on a terminal, and lines elsewhere."""

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

__all__ = ["clear", "note", "progress", "stages"]

WIPE = "\r\x1b[K"
#: Seconds between two lines about one stage where lines cannot be written over.
APART = 10.0
DOING = {
    "model": "reading the model and the answers",
    "libraries": "loading libraries",
    "mode": "compiling, and looking for starts",
    "sampling": "sampling",
    "draws": "making tables",
    "diagnostics": "judging the chains",
}


def progress(a: argparse.Namespace) -> Callable[[Any], None] | None:
    """What tells of each `bayesem.study_fits.Progress`; None where nobody wants to know."""
    if a.quiet:
        return None

    def tell(p: Any) -> None:
        count = f"{p.done + 1}/{p.total} " if p.total else ""
        _write(p.seconds, f"{count}{p.what}")

    return tell


def stages(a: argparse.Namespace) -> Callable[[str, int, int], None] | None:
    """What tells of a fit's stages, and of the draws while it samples."""
    if a.quiet:
        return None
    start = time.perf_counter()
    last = ("", -APART)

    def tell(stage: str, done: int, total: int) -> None:
        nonlocal last
        now = time.perf_counter() - start
        soon = stage == last[0] and now - last[1] < APART
        if soon and not sys.stderr.isatty():
            return
        last = (stage, now)
        share = f", {done:,} of {total:,} draws" if total else ""
        _write(now, f"{DOING.get(stage, stage)}{share}")

    return tell


def note(a: argparse.Namespace, text: str) -> None:
    """One line that stays."""
    if not a.quiet:
        clear(a)
        print(text, file=sys.stderr, flush=True)


def clear(a: argparse.Namespace) -> None:
    """Leave no half line behind."""
    if not a.quiet and sys.stderr.isatty():
        print(WIPE, end="", file=sys.stderr, flush=True)


def _write(seconds: float, what: str) -> None:
    before, after = (WIPE, "") if sys.stderr.isatty() else ("", "\n")
    clock = f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
    print(f"{before}[{clock}] {what}", end=after, file=sys.stderr, flush=True)
