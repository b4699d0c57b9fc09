"""Codes such as -99 that stand for a missing answer and would be taken for answers."""

from collections.abc import Mapping, Sequence

import numpy as np

from bayesem.arrays import Floats
from bayesem.data import Answers
from bayesem.errors import DataError

__all__ = ["refuse_codes"]

#: What questionnaires write for "no answer": -1, and repeated or final digits beyond any scale.
CODES = (-1, -7, -8, -9, 77, 88, 97, 98, 99, 777, 888, 997, 998, 999, 7777, 8888, 9999)
#: The highest answer of a scale that people tick.
HIGHEST = 11
#: Up to so many columns with codes are listed in the advice.
LISTED = 12


def refuse_codes(answers: Answers, indicators: Sequence[str]) -> None:
    """Refuse indicators that hold the code of a missing answer among answers on a scale.

    A code is refused only where it cannot be an answer: all other cells of the column are whole
    numbers from 0 (1 for -1) to 11. Nothing is replaced, since only the codebook knows.

    Parameters
    ----------
    answers : Answers
    indicators : sequence of str
        Columns that measure a factor.

    Raises
    ------
    DataError
        Naming the column, the code, how often it stands there, and how to write it as missing.
    """
    columns = {name: answers.values[:, answers.names.index(name)] for name in indicators}
    every = {name: _codes(column[~np.isnan(column)]) for name, column in columns.items()}
    found = {name: codes for name, codes in every.items() if codes.size}
    if found:
        raise _refusal(columns[next(iter(found))], found)


def _codes(values: Floats) -> Floats:
    """The codes among the answers to one question, the most frequent first."""
    coded = np.isin(np.abs(values), [abs(code) for code in CODES if abs(code) > HIGHEST])
    coded |= np.isin(values, [code for code in CODES if code < 0])
    rest = values[~coded]
    if not rest.size or np.any(rest != np.round(rest)) or rest.min() < 0 or rest.max() > HIGHEST:
        return values[:0]
    if rest.min() < 1:  # a scale from -1 over 0 to 1 is one
        coded &= values != -1
    found, count = np.unique(values[coded], return_counts=True)
    return np.asarray(found[np.argsort(-count, kind="stable")], float)


def _refusal(column: Floats, found: Mapping[str, Floats]) -> DataError:
    """The first column's codes in full, and where else there are some."""
    name, own = next(iter(found.items()))
    code, rest = own[0], column[~np.isnan(column) & ~np.isin(column, own)]
    rows = np.flatnonzero(column == code)
    times = f"row {rows[0]}" if len(rows) == 1 else f"row {rows[0]} and {len(rows) - 1} more"
    codes = ", ".join(f"{value:g}" for value in dict.fromkeys(np.concatenate([*found.values()])))
    others = f" So do {', '.join(f'`{n}`' for n in [*found][1:])}." if len(found) > 1 else ""
    where = f"[{codes}]"
    if len(found) == 1:  # elsewhere, in numbers of employees, say, it may be an answer
        where = f"{{'{name}': [{codes}]}}"
    elif len(found) <= LISTED:
        where = f"dict.fromkeys({[*found]}, [{codes}])"
    return DataError(
        f"column `{name}` holds {code:g} ({times}); all other answers are whole numbers from "
        f"{rest.min():g} to {rest.max():g}, so it looks like the code of a missing answer.{others}",
        hint="Write NaN for it, in a CSV an empty cell: "
        f"`pandas.read_csv(path, na_values={where})` or `data.replace([{codes}], float('nan'))`.",
    )
