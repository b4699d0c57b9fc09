"""The kernel of a report imports the package it was started from, whatever the working folder is."""

from pathlib import Path

import pytest

import bayesem
import bayesem as sem
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


def test_a_claim_that_cannot_be_read_is_the_user_s_error_and_not_a_traceback(tmp_path):
    counted = sem.fit_counts("facilitated_alliance", draws=50, seed=1)
    with pytest.raises(sem.PropositionError, match="neither a theme nor a sub-theme") as caught:
        sem.report(counted, {"P": "share(x) > 0"}, tmp_path / "r.html")
    assert "propositions.toml:3:16" in str(caught.value)
    assert (tmp_path / "r.ipynb").is_file()  # with the cell that failed
