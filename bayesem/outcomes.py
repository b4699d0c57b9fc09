"""Observed values of outcomes: binary, times, counts; read strictly, nothing repaired."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from bayesem.arrays import Floats
from bayesem.data import Answers, check_present, numbers, row_name
from bayesem.errors import DataError
from bayesem.families import Family
from bayesem.partable import Outcome, ParameterTable, twin_of

__all__ = ["read_outcomes", "with_twins"]


def with_twins(data: pd.DataFrame, table: ParameterTable) -> pd.DataFrame:
    """The data with the observed values of outcomes that predict something as columns.

    Raises
    ------
    DataError
        If such a value is missing: what follows from it could not be known.
    """
    columns = {}
    for outcome in table.outcomes:
        if twin_of(outcome.name) not in table.factors:
            continue
        check_present(data, outcome.name)
        column = data[outcome.name]
        if column.isna().any():
            raise DataError(
                f"column `{outcome.name}` has {int(column.isna().sum())} missing cells, and it "
                "predicts other variables.",
                hint="An outcome that mediates must be observed in every row: drop those rows "
                "yourself, or take it out of the other equations.",
            )
        if outcome.family.is_time and outcome.family.censored is not None:
            raise DataError(
                f"`{outcome.name}` may be censored, and it predicts other variables.",
                hint="A time that mediates must be known: take it out of the other equations.",
            )
        columns[twin_of(outcome.name)] = numbers(column, outcome.name)
    if not columns:
        return data
    out = data.assign(**columns)
    out.attrs.update(data.attrs)
    return out


def read_outcomes(data: pd.DataFrame, answers: Answers, table: ParameterTable) -> Answers:
    """Add the outcomes' values to the answers.

    Parameters
    ----------
    data : DataFrame
    answers : Answers
        Of the same rows.
    table : ParameterTable

    Raises
    ------
    DataError
        For a value that the family cannot have, or a censoring column that is missing, is not 0/1
        or contradicts the times.
    """
    values = np.full((answers.n, len(table.outcomes)), np.nan)
    censored = np.zeros(values.shape, bool)
    for k, outcome in enumerate(table.outcomes):
        check_present(data, outcome.name)
        values[:, k] = numbers(data[outcome.name], outcome.name)
        _check(outcome, values[:, k], data.index)
        if outcome.family.censored is not None:
            censored[:, k] = _flags(data, outcome, values[:, k])
    _check_one_event(table.outcomes, values, censored)
    return replace(answers, outcomes=values, censored=censored)


def _check(outcome: Outcome, column: Floats, index: pd.Index) -> None:
    """Values that the family can have, and more than one of them."""
    name, family = outcome.name, outcome.family
    seen = column[~np.isnan(column)]
    if seen.size < 3:
        raise DataError(
            f"column `{name}` has only {seen.size} values.",
            hint="Take the outcome out of the model or check the file.",
        )
    wrong, what, hint = _impossible(family, column)
    if wrong.any():
        row = index[np.flatnonzero(wrong)[0]]
        raise DataError(
            f"column `{name}` is {family.name} and holds {column[wrong][0]:g} "
            f"(row {row_name(row)}): {what}.",
            hint=hint,
        )
    if np.ptp(seen) == 0:
        raise DataError(
            f"column `{name}` is constant ({seen[0]:g} in every row).",
            hint="An outcome that never varies tells nothing; take it out of the model.",
        )


def _impossible(family: Family, column: Floats) -> tuple[np.ndarray, str, str]:
    """Cells that the family cannot have, why, and what to do."""
    seen = ~np.isnan(column)
    if family.is_binary:
        wrong = seen & (column != 0) & (column != 1)
        return wrong, "a binary outcome is 0 or 1", "Recode it: 1 where the event happened, else 0."
    if family.is_time:
        wrong = seen & (column <= 0)
        return wrong, "a time is above 0", (
            "Count time from a start that lies before the event; NaN where it is unknown."
        )  # fmt: skip
    if family.is_count:
        wrong = seen & ((column < 0) | (column != np.round(column)))
        return wrong, "a count is a whole number of at least 0", "Check the column."
    return seen & False, "", ""


def _flags(data: pd.DataFrame, outcome: Outcome, times: Floats) -> np.ndarray:
    """The censoring column of a time."""
    column = outcome.family.censored
    assert column is not None
    if column not in data.columns:
        raise DataError(
            f"`{outcome.name}` may be censored, but its censoring column `{column}` is not in the "
            "data.",
            hint=f"Add `{column}`: 1 where the event has not happened by the recorded time, "
            "else 0.",
        )
    check_present(data, column)
    flags = numbers(data[column], column)
    known = ~np.isnan(times)
    bad = ~np.isnan(flags) & (flags != 0) & (flags != 1)
    if bad.any():
        raise DataError(
            f"censoring column `{column}` holds {flags[bad][0]:g} "
            f"(row {row_name(data.index[np.flatnonzero(bad)[0]])}), not 0 or 1.",
            hint="1 where the event has not happened by the recorded time, else 0.",
        )
    torn = known & np.isnan(flags)
    if torn.any():
        raise DataError(
            f"`{outcome.name}` is {times[torn][0]:g} in row "
            f"{row_name(data.index[np.flatnonzero(torn)[0]])}, but `{column}` is missing there.",
            hint="Say for every time whether it is censored.",
        )
    late = ~known & (flags == 1)
    if late.any():
        raise DataError(
            f"`{column}` is 1 in row {row_name(data.index[np.flatnonzero(late)[0]])}, but "
            f"`{outcome.name}` is missing there.",
            hint="A censored case needs the time by which the event had not happened yet.",
        )
    if known.any() and (flags[known] == 1).all():
        raise DataError(
            f"every time in `{outcome.name}` is censored.", hint="No event was observed at all."
        )
    return np.asarray(flags == 1)


def _check_one_event(outcomes: Sequence[Outcome], values: Floats, censored: np.ndarray) -> None:
    """One event must not be counted twice: as 0/1 and as a censored time."""
    for k, binary in enumerate(outcomes):
        for j, time in enumerate(outcomes):
            if not (binary.family.is_binary and time.family.censored):
                continue
            both = ~np.isnan(values[:, k]) & ~np.isnan(values[:, j])
            same = values[both, k] == 1 - censored[both, j]
            if both.sum() > 2 and same.all():
                raise DataError(
                    f"`{binary.name}` = 0 and a censored `{time.name}` are the same event, "
                    "and it would be counted twice.",
                    hint=f"Use one of the two in a model: `{binary.name}` or `{time.name}`.",
                )
