"""Runs the code blocks of a page of the documentation, in order, as a reader would."""

import contextlib
import io
import os
import re
import shlex
from pathlib import Path

from bayesem.cli import main

DOCS = Path(__file__).parents[1] / "docs"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page):
    """(language, text) of every fenced block."""
    return BLOCK.findall((DOCS / page).read_text("utf-8"))


def run(page, folder):
    """What each ``python`` or ``sh`` block prints, with the ``text`` block that follows it.

    Files named ``# NAME`` in the first line of another block are written.
    """
    found, space = [], {"__name__": "page"}
    with contextlib.chdir(folder):
        for language, text in blocks(page):
            if language == "text":
                found[-1] = (found[-1][0], text)
            elif language in ("python", "sh"):
                found.append((_printed(language, text, space), None))
            else:
                name = re.match(r"#+ ([\w.-]+)\n", text)
                if name is not None:
                    Path(name[1]).write_text(text, "utf-8")
    return found


def _printed(language, text, space):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        if language == "python":
            exec(compile(text, "page", "exec"), space)
        else:
            for line in filter(None, text.replace("\\\n", " ").splitlines()):
                _command(shlex.split(line, comments=True))
    return out.getvalue()


def _command(words):
    if words and words[0] == "bayesem":
        with contextlib.redirect_stderr(io.StringIO()):
            assert main(words[1:]) == 0, words


def words(text):
    """Names in a printed text: what must be the same on every machine."""
    return set(re.findall(r"[A-Za-z_][\w.]*", text))


if __name__ == "__main__":
    import sys
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for printed, _ in run(sys.argv[1], folder):
            print(printed, end="\n=========\n")
