"""The kernel of a report imports the package it was started from, whatever the working folder is."""

from pathlib import Path

import bayesem
from bayesem.reporting.cells import Cell
from bayesem.reporting.running import notebook_of, run

ROOT = Path(bayesem.__file__).parents[1]


def test_the_kernel_finds_the_package_from_the_root_of_a_checkout():
    code = "import bayesem.reporting\nbayesem.__file__"
    found = Cell(code=code, step="s", anchor="a", title="t", why="")
    book = notebook_of([found], "T")
    run(book, ROOT, lambda *_: None)
    shown = book.cells[-1].outputs[0]["data"]["text/plain"]
    assert Path(shown.strip("'")) == ROOT / "bayesem" / "__init__.py"
