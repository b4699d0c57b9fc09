"""Small things that a reader stumbles over: rows in messages, thresholds, notes, first lines."""

import numpy as np
import pandas as pd
import pytest

from bayesem.data import numbers
from bayesem.errors import DataError
from bayesem.figures.sheet import NARROW, sheet, style
from bayesem.sampling.convergence import diagnose
from bayesem.screening import Screening


@pytest.mark.parametrize("cell", ["often", np.inf])
def test_a_row_is_named_as_it_stands_in_the_table(cell):
    column = pd.Series([1.0, 2.0, 3.0, cell], index=np.array([5, 7, 9, 11]))
    with pytest.raises(DataError, match=r"\(row 11\)") as caught:
        numbers(column, "x")
    assert "np." not in str(caught.value)


def test_a_number_beyond_its_threshold_is_written_beyond_it(monkeypatch):
    table = pd.DataFrame({"r_hat": [1.010004], "ess_bulk": [900.0], "ess_tail": [900.0]}, ["a"])
    monkeypatch.setattr("bayesem.sampling.convergence._table", lambda _: table)
    found = diagnose({"a": np.zeros((4, 9))}, {})
    assert "R-hat above 1.01 for 1 of 1 quantities (worst `a`: 1.010004)" in found.reasons


def test_notes_of_a_screening_are_escaped():
    empty = pd.DataFrame({"case": []})
    shown = Screening(empty, empty, empty, ("left out: <b>x</b>",))._repr_html_()
    assert "&lt;b&gt;x&lt;/b&gt;" in shown
    assert "<b>" not in shown


def test_the_bold_first_line_fits_a_column():
    head = "Mediation through commitment against the direct path from trust"
    with style():
        figure = sheet(NARROW, 2.0, [head, "n = 200"], [])
        boxes = [text.get_window_extent() for text in figure.texts]
    assert max(box.x1 for box in boxes) <= NARROW * figure.dpi
    assert " ".join(text.get_text() for text in figure.texts) == f"{head} n = 200"
