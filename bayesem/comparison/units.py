"""What is left out together: single cases, or groups of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayesem.arrays import Floats, Ints
from bayesem.data import Answers
from bayesem.errors import DataError, did_you_mean
from bayesem.posterior import Fit

__all__ = ["Units", "units_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """Cases or groups of cases.

    Attributes
    ----------
    name : str
        ``case`` or ``group``.
    labels : tuple
        The units' names: positions of cases, or the groups' labels in sorted order.
    member : (case,) array of int
        Position of each case's unit.
    """

    name: str
    labels: tuple[Any, ...]
    member: Ints

    @property
    def size(self) -> int:
        """Number of units."""
        return len(self.labels)

    @property
    def grouped(self) -> bool:
        """Whether units are groups."""
        return self.name == "group"

    def rows(self, chosen: int | Ints) -> Ints:
        """Positions of the cases in some units."""
        return np.flatnonzero(np.isin(self.member, chosen))

    def pooled(self, values: Floats) -> Floats:
        """Sums over the cases of each unit, (..., case) to (..., unit)."""
        if not self.grouped:
            return values
        order = np.argsort(self.member, kind="stable")
        starts = np.searchsorted(self.member[order], np.arange(self.size))
        return np.asarray(np.add.reduceat(values[..., order], starts, axis=-1))


def units_of(fit: Fit, by: str | Sequence[Any] | None) -> Units:
    """Read the argument ``by``.

    Parameters
    ----------
    fit : Fit
        Of raw answers.
    by : str, sequence or None
        One of the model's observed variables, or a label for each row of the data; None for single
        cases.

    Raises
    ------
    DataError
        If there are not as many labels as cases, one is missing, there is only one group, or the
        variable is not part of the fit.
    """
    assert isinstance(fit.data, Answers)
    if by is None:
        n = fit.data.n
        return Units("case", tuple(range(n)), np.arange(n))
    values = labels(fit, by, "by")
    named, member = np.unique(values, return_inverse=True)
    if len(named) < 2:
        raise DataError("`by` has one group only.", hint="Leaving it out would leave no data.")
    return Units("group", tuple(named.tolist()), member.ravel().astype(int))


def labels(fit: Fit, given: str | Sequence[Any], argument: str) -> np.ndarray:
    """A label for each case, (case,)."""
    assert isinstance(fit.data, Answers)
    values = pd.Series(_column(fit, given, argument) if isinstance(given, str) else list(given))
    if len(values) != fit.data.n:
        raise DataError(
            f"`{argument}` has {len(values)} labels, and the fit has {fit.data.n} cases.",
            hint="Give one label for each row of the data, in their order.",
        )
    if values.isna().any():
        raise DataError(
            f"`{argument}` is missing for case {fit.data.index[int(values.isna().argmax())]!r}.",
            hint="Every case belongs to a group.",
        )
    kinds = {isinstance(v, str) for v in values}
    return values.astype(str).to_numpy() if len(kinds) > 1 else values.to_numpy()


def _column(fit: Fit, name: str, argument: str) -> Floats:
    assert isinstance(fit.data, Answers)
    names = [*fit.data.names, *(o.name for o in fit.table.outcomes)]
    if name in fit.data.names:
        return fit.data.values[:, fit.data.names.index(name)]
    if name in names:
        return fit.data.outcomes[:, names.index(name) - len(fit.data.names)]
    nearest = did_you_mean(name, names)
    raise DataError(
        f"`{argument}` is {name!r}, which is not an observed variable of the model: a fit keeps no "
        "other columns.",
        hint=f"{nearest} Give the column itself: `{argument}=data[{name!r}]`.".strip(),
    )
