"""A comparison as text."""

import kinds
import pandas as pd

import bayesem as sem
from bayesem.comparison.page import comparison_text


def test_text_fits_80_columns_and_holds_the_reading():
    fit = kinds.fit_of("complete")
    names = ("one", "a_model_whose_name_is_longer_than_its_column")
    table = sem.compare(dict.fromkeys(names, fit), evidence=False)
    text = comparison_text(table)
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["model", "elpd", "diff", "(se)", "weight", "bad", "k"]
    assert f"{table['elpd'].iloc[0]:.1f}" in lines[1]
    assert "Monte-Carlo errors at most: elpd" in text
    assert "SYNTHETIC DATA" in text
    assert "cannot be told apart" in " ".join(lines)
    assert str(table) == repr(table) == text
    assert isinstance(table, pd.DataFrame)
    part = table[["elpd", "weight"]]
    assert type(part) is pd.DataFrame
    assert "elpd" in str(part)
    assert "evidence_mcse" in table.to_string()
