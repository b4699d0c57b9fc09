"""What was observed: answers or their moments, and the statistics of both."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from bayesem.arrays import Floats, Ints
from bayesem.errors import DataError, did_you_mean

__all__ = [
    "Answers",
    "Moments",
    "Statistics",
    "check_present",
    "numbers",
    "read_answers",
    "row_name",
    "statistics",
]

#: Squares of larger values overflow.
LARGEST = 1e100


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Sample moments in the place of raw data.

    Parameters
    ----------
    cov : (indicator, indicator) DataFrame
        Sample covariance with divisor n - 1, rows and columns labelled alike.
    n : int
        Number of cases.
    mean : (indicator,) Series, optional
        Sample means. Without them only the covariance is used (a Wishart likelihood); with them
        the moments say as much as complete raw data.
    reading : str, optional
        Which reading of a publication these moments rebuild.
    weight : float, default 1
        Weight of that reading.
    standardized : bool, default False
        Whether the indicators are on the metric of standard deviations 1, so that a codebook's
        answer scale says nothing on their units.

    Raises
    ------
    DataError
        If the matrix is not square, labelled, symmetric, finite and positive definite, or n is
        too small.
    """

    cov: pd.DataFrame
    n: int
    mean: pd.Series | None = None
    reading: str | None = None
    weight: float = 1.0
    standardized: bool = False
    synthetic: bool = False

    def __post_init__(self) -> None:
        """Check everything the likelihood relies on."""
        if not isinstance(self.cov, pd.DataFrame):
            raise DataError(
                f"cov is a {type(self.cov).__name__}, not a DataFrame.",
                hint="Give a pandas DataFrame whose rows and columns carry the variables' names.",
            )
        _check_covariance(self.cov)
        if isinstance(self.n, bool) or not isinstance(self.n, int | np.integer) or self.n < 2:
            raise DataError(
                f"n is {self.n!r}; the number of cases is a whole number of at least 2.",
                hint="Give the number of cases behind the covariance matrix.",
            )
        if self.n <= len(self.cov):
            raise _too_few(self.n, len(self.cov))
        if self.mean is not None:
            _check_mean(self.mean, self.cov)
        if not isinstance(self.weight, int | float | np.number) or not 0 <= self.weight < np.inf:
            raise DataError(
                f"weight is {self.weight!r}.", hint="The weight of a reading is at least 0."
            )


def _no_outcomes() -> Floats:
    return np.zeros((0, 0))


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Raw answers in the order of the model's variables.

    Attributes
    ----------
    values : (case, indicator) array
        NaN where a cell is missing.
    names : tuple of str
        The variables, in column order.
    index : pandas.Index
        The rows' own names.
    synthetic : bool
        Whether the rows were generated and not observed.
    outcomes : (case, outcome) array
        Values of outcomes of other families, NaN where missing.
    censored : (case, outcome) bool array
        Whether a time is only known to be longer than its value.
    """

    values: Floats
    names: tuple[str, ...]
    index: pd.Index
    synthetic: bool = False
    outcomes: Floats = field(default_factory=_no_outcomes)
    censored: np.ndarray = field(default_factory=_no_outcomes)

    @property
    def n(self) -> int:
        """Number of cases."""
        return int(self.values.shape[0])

    @property
    def missing(self) -> int:
        """Number of missing cells."""
        return int(np.isnan(self.values).sum())


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """Sufficient statistics by pattern of observed cells.

    Attributes
    ----------
    names : tuple of str
        Variables, in order.
    observed : (pattern, indicator) bool array
    n : (pattern,) array
        Cases by pattern (n - 1 where only a covariance is modelled).
    ybar : (pattern, indicator) array
        Means, zero where a cell is missing.
    S : (pattern, indicator, indicator_bis) array
        Covariances with divisor ``n``, zero where missing.
    use_mean : bool
        Whether the means are modelled.
    constant : float
        Added to the log-likelihood that the kernel computes from the above.
    """

    names: tuple[str, ...]
    observed: np.ndarray
    n: Floats
    ybar: Floats
    S: Floats
    use_mean: bool
    constant: float
    cases: int

    @property
    def complete(self) -> bool:
        """Whether no cell is missing."""
        return bool(self.observed.all())

    def indices(self) -> tuple[Ints, Ints]:
        """Count and positions of the observed variables of each pattern (padded with zeros)."""
        count = self.observed.sum(1).astype(np.int64)
        where = np.zeros(self.observed.shape, np.int64)
        for k, row in enumerate(self.observed):
            where[k, : count[k]] = np.flatnonzero(row)
        return count, where

    def scale(self) -> Floats:
        """Standard deviation of each variable over its observed cells, (indicator,)."""
        total = (self.n[:, None] * self.observed).sum(0)
        mean = self.location()
        second = np.einsum("kii->ki", self.S) + (self.ybar - mean) ** 2 * self.observed
        return np.sqrt((self.n[:, None] * second).sum(0) / total)

    def location(self) -> Floats:
        """Mean of each variable over its observed cells, (indicator,)."""
        total = (self.n[:, None] * self.observed).sum(0)
        return (self.n[:, None] * self.ybar).sum(0) / total

    def covariance(self) -> Floats:
        """Covariance with divisor n: exact for complete data, else each pair over its cases."""
        if self.complete:
            mean = self.location()
            d = self.ybar - mean
            pooled = self.S + d[:, :, None] * d[:, None, :]
            return (self.n[:, None, None] * pooled).sum(0) / self.n.sum()
        both = self.observed[:, :, None] * self.observed[:, None, :]
        d = (self.ybar - self.location()) * self.observed
        weight = self.n[:, None, None] * both
        total = weight.sum(0)
        second = (weight * (self.S + d[:, :, None] * d[:, None, :])).sum(0)
        return np.where(total > 0, second / np.maximum(total, 1), 0.0)


def read_answers(
    data: pd.DataFrame,
    names: Sequence[str],
    *,
    scale: tuple[float, float] | None = None,
    scaled: Sequence[str] = (),
) -> Answers:
    """Check a data frame and put its columns into the model's order.

    Parameters
    ----------
    data : DataFrame
        One row per case; NaN where an answer is missing.
    names : sequence of str
        The variables that the model uses.
    scale : (float, float), optional
        Lowest and highest possible answer, from the codebook.
    scaled : sequence of str
        The variables to which ``scale`` applies.

    Raises
    ------
    DataError
        For a missing, doubled, non-numeric, constant or duplicate column, an infinite value, an
        answer outside the scale, or too few cases.
    """
    if not isinstance(data, pd.DataFrame):
        raise DataError(
            f"data is a {type(data).__name__}, not a DataFrame or Moments.",
            hint="Read the file first: `pandas.read_csv(path)`.",
        )
    for name in names:
        check_present(data, name)
    values = np.column_stack([numbers(data[name], name) for name in names])
    cases = int((~np.isnan(values)).any(1).sum())
    if len(values) <= len(names):
        raise _too_few(len(values), len(names))
    _check_columns(values, names)
    if cases <= len(names):
        raise _too_few(cases, len(names))
    if scale is not None:
        _check_scale(values, names, scale, scaled)
    synthetic = bool(data.attrs.get("synthetic", False))
    return Answers(np.ascontiguousarray(values), tuple(names), data.index, synthetic)


def statistics(data: Answers | Moments, names: Sequence[str], *, means: bool) -> Statistics:
    """Sufficient statistics of the named variables.

    Parameters
    ----------
    data : Answers or Moments
    names : sequence of str
    means : bool
        Whether the mean structure is modelled. If not, a flat prior on the means is integrated
        out, which leaves the Wishart likelihood of the covariance.

    Raises
    ------
    DataError
        If the means are not modelled and cells are missing, or a named variable has no moments.
    """
    if isinstance(data, Moments):
        return _from_moments(data, tuple(names), means=means)
    return _from_answers(data.values, tuple(names), means=means)


def _from_answers(values: Floats, names: tuple[str, ...], *, means: bool) -> Statistics:
    mask = ~np.isnan(values)
    kept = mask.any(1)
    if not means and not mask.all():
        raise DataError(
            "cells are missing, so the means must be modelled too.",
            hint="Call with means=True (the default).",
        )
    patterns, which = np.unique(mask[kept], axis=0, return_inverse=True)
    p, K = values.shape[1], len(patterns)
    n, ybar, S = np.zeros(K), np.zeros((K, p)), np.zeros((K, p, p))
    for k in range(K):
        rows = values[kept][which.ravel() == k][:, patterns[k]]
        n[k] = len(rows)
        ybar[k, patterns[k]] = rows.mean(0)
        centred = rows - rows.mean(0)
        S[np.ix_([k], patterns[k], patterns[k])] = centred.T @ centred / len(rows)
    cases = int(kept.sum())
    if means:
        return Statistics(names, patterns, n, ybar, S, True, 0.0, cases)
    return _covariance_only(names, S[0], ybar[0], cases, p)


def _covariance_only(
    names: tuple[str, ...], S: Floats, ybar: Floats, cases: int, p: int
) -> Statistics:
    """Integrate a flat intercept out: n - 1 cases around a known mean, times a constant."""
    scatter = S * (cases / (cases - 1))
    every = np.ones((1, p), bool)
    constant = -0.5 * p * np.log(cases)
    n = np.array([cases - 1.0])
    return Statistics(names, every, n, ybar[None], scatter[None], False, constant, cases)


def _from_moments(data: Moments, names: tuple[str, ...], *, means: bool) -> Statistics:
    for name in names:
        if name not in data.cov.columns:
            raise _unknown(name, data.cov.columns)
    cov = data.cov.loc[list(names), list(names)].to_numpy(float)
    p, n = len(names), int(data.n)
    every = np.ones((1, p), bool)
    if data.mean is not None and means:
        mean = data.mean.loc[list(names)].to_numpy(float)
        S = cov * (n - 1) / n
        return Statistics(names, every, np.array([float(n)]), mean[None], S[None], True, 0.0, n)
    if data.mean is not None:
        mean = data.mean.loc[list(names)].to_numpy(float)
        return _covariance_only(names, cov * (n - 1) / n, mean, n, p)
    constant = _wishart_constant(cov, n - 1)
    stats = np.array([n - 1.0])
    return Statistics(names, every, stats, np.zeros((1, p)), cov[None], False, constant, n)


def _wishart_constant(S: Floats, nu: int) -> float:
    """From the kernel's normal log-likelihood of ``nu`` cases to the Wishart density of nu S."""
    from scipy.special import multigammaln

    p = len(S)
    logdet = np.linalg.slogdet(nu * S)[1]
    normal = 0.5 * nu * p * np.log(2 * np.pi)
    wishart = 0.5 * (nu - p - 1) * logdet - 0.5 * nu * p * np.log(2) - multigammaln(nu / 2, p)
    return float(normal + wishart)


def check_present(data: pd.DataFrame, name: str) -> None:
    count = int((data.columns == name).sum())
    if count == 0:
        raise _unknown(name, data.columns)
    if count > 1:
        raise DataError(
            f"column `{name}` stands {count} times in the data.",
            hint="Column names must differ; drop or rename the others.",
        )


def _unknown(name: str, columns: pd.Index) -> DataError:
    known = [str(c) for c in columns]
    guess = did_you_mean(name, known)
    listed = ", ".join(known[:12]) + (", ..." if len(known) > 12 else "")
    return DataError(
        f"the model uses `{name}`, which is not a column of the data.",
        hint=f"{guess + ' ' if guess else ''}The data have: {listed or 'no columns'}.",
    )


def numbers(column: pd.Series, name: str) -> Floats:
    """The column as floats; text is never guessed at."""
    if column.dtype == bool:
        return column.to_numpy(float)
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_complex_dtype(column):
        kept = column.dropna()
        found = ((k, v) for k, v in enumerate(kept) if not isinstance(v, int | float))
        at, bad = next(found, (None, None))
        shown = f"cells of type {column.dtype}" if at is None else _shown(bad)
        row = "" if at is None else f" (row {row_name(kept.index[at])})"
        raise DataError(
            f"column `{name}` holds {shown}{row}, not numbers.",
            hint="Recode the column to numbers, with NaN where an answer is missing "
            "(pandas.read_csv has `decimal=` for decimal commas and `na_values=`).",
        )
    values = column.to_numpy(dtype=float, na_value=np.nan)
    if np.isinf(values).any():
        row = column.index[np.isinf(values)][0]
        raise DataError(
            f"column `{name}` holds an infinite value (row {row_name(row)}).",
            hint="Write NaN where an answer is missing.",
        )
    return values


def row_name(label: object) -> str:
    """A row's label for a message: as Python writes it, not as NumPy does.

    Examples
    --------
    >>> row_name(np.int64(2)), row_name("a")
    ('2', "'a'")
    """
    return repr(label.item() if isinstance(label, np.generic) else label)


def _shown(cell: object) -> str:
    """A cell for a message; none is shown whole if it is long."""
    text = repr(cell)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _check_columns(values: Floats, names: Sequence[str]) -> None:
    for j, name in enumerate(names):
        column = values[:, j][~np.isnan(values[:, j])]
        if column.size == 0:
            raise DataError(
                f"column `{name}` is empty: every cell is missing.",
                hint="Take it out of the model or check the file.",
            )
        if np.abs(column).max() > LARGEST:
            raise DataError(
                f"column `{name}` holds {column[np.abs(column).argmax()]:g}, too large a number.",
                hint="Choose a larger unit; or, if it codes a missing answer, write NaN.",
            )
        if np.ptp(column) <= max(1e-12 * np.abs(column).max(), 1 / LARGEST):
            raise DataError(
                f"column `{name}` is constant ({column[0]:g} in every row).",
                hint="A constant tells nothing of a factor; take it out of the model.",
            )
        if column.size < 3:
            raise DataError(
                f"column `{name}` has only {column.size} answers.",
                hint="Take it out of the model or check the file.",
            )
    _check_collinear(values, names)


def _check_collinear(values: Floats, names: Sequence[str]) -> None:
    pairs = pd.DataFrame(values).corr(min_periods=3).to_numpy()
    duplicates = np.argwhere(np.abs(np.triu(np.nan_to_num(pairs), 1)) > 1 - 1e-10)
    if len(duplicates):
        i, j = map(int, duplicates[0])
        raise DataError(
            f"columns `{names[i]}` and `{names[j]}` are duplicates "
            f"(correlation {pairs[i, j]:.3f}).",
            hint="One of them must go: together they make the covariance matrix singular.",
        )
    whole = values[~np.isnan(values).any(1)]
    if len(whole) <= len(names):
        return
    varied = np.ptp(whole, axis=0) > 0  # a column may vary only where others are missing
    whole, names = whole[:, varied], [n for n, v in zip(names, varied, strict=True) if v]
    if len(names) < 2:
        return
    scaled = (whole - whole.mean(0)) / whole.std(0)
    R = scaled.T @ scaled / len(whole)
    if np.linalg.eigvalsh(R)[0] < 1e-10:
        weights = np.abs(np.linalg.eigh(R)[1][:, 0])
        involved = ", ".join(f"`{names[int(k)]}`" for k in np.flatnonzero(weights > 0.05))
        raise DataError(
            f"the columns {involved} depend linearly on each other.",
            hint="Take one of them out; a sum or mean of others cannot stand beside them.",
        )


def _check_scale(
    values: Floats, names: Sequence[str], scale: tuple[float, float], scaled: Sequence[str]
) -> None:
    low, high = scale
    for j, name in enumerate(names):
        if name not in scaled:
            continue
        outside = (values[:, j] < low) | (values[:, j] > high)
        if outside.any():
            row = int(np.flatnonzero(outside)[0])
            raise DataError(
                f"column `{name}` holds {values[row, j]:g} (row {row}), outside the codebook's "
                f"scale {low:g} to {high:g}.",
                hint="If it codes a missing answer, write NaN; else mend the codebook's `scale`.",
            )


def _too_few(n: int, p: int) -> DataError:
    return DataError(
        f"{n} cases are too few for {p} variables: their covariance matrix is singular.",
        hint=f"At least {p + 1} cases are needed, and many more for a verdict.",
    )


def _check_covariance(cov: pd.DataFrame) -> None:
    if cov.shape[0] != cov.shape[1] or list(cov.index) != list(cov.columns):
        raise DataError(
            f"the covariance matrix has {cov.shape[0]} rows and {cov.shape[1]} columns, or they "
            "are not named alike.",
            hint="Use pd.DataFrame(matrix, index=names, columns=names).",
        )
    if cov.columns.has_duplicates:
        name = cov.columns[cov.columns.duplicated()][0]
        raise DataError(f"`{name}` names two variables.", hint="Names must differ.")
    if cov.empty:
        raise DataError("the covariance matrix is empty.", hint="Give at least one variable.")
    if not all(_is_real(kind) for kind in cov.dtypes):
        raise DataError(
            "the covariance matrix holds text, or cells that are no real numbers.",
            hint="Give numbers only (pandas.read_csv has `decimal=` and `index_col=0`).",
        )
    values = cov.to_numpy(float, na_value=np.nan)
    if not np.isfinite(values).all():
        raise DataError(
            "the covariance matrix has empty or infinite cells.",
            hint="Fill them; both triangles are needed.",
        )
    largest = np.abs(values - values.T)
    if (largest > 1e-8 * np.abs(values).max()).any():
        i, j = map(int, np.unravel_index(np.argmax(largest), largest.shape))
        raise DataError(
            f"the covariance matrix is not symmetric: [{cov.index[i]}, {cov.columns[j]}] is "
            f"{values[i, j]:g} and its mirror {values[j, i]:g}.",
            hint="Give both triangles, alike.",
        )
    if (np.diag(values) <= 0).any():
        name = cov.columns[int(np.argmin(np.diag(values)))]
        raise DataError(f"the variance of `{name}` is not positive.", hint="Check the diagonal.")
    smallest = np.linalg.eigvalsh(values / np.sqrt(np.outer(np.diag(values), np.diag(values))))[0]
    if smallest < 1e-10:
        raise DataError(
            f"the covariance matrix is not positive definite (smallest eigenvalue of its "
            f"correlation matrix {smallest:.2g}).",
            hint="Pairwise deletion or too much rounding does this; nothing is repaired silently.",
        )


def _is_real(kind: object) -> bool:
    """Whether a column's type is one of real numbers; text that looks like one is not."""
    return pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_complex_dtype(kind)  # type: ignore[arg-type]


def _check_mean(mean: pd.Series, cov: pd.DataFrame) -> None:
    if not isinstance(mean, pd.Series) or sorted(map(str, mean.index)) != sorted(
        map(str, cov.columns)
    ):
        raise DataError(
            "mean does not name the same variables as cov.",
            hint="Use pd.Series(means, index=cov.columns).",
        )
    if not _is_real(mean.dtype):
        raise DataError("mean holds text.", hint="Give numbers only.")
    if not np.isfinite(mean.to_numpy(float, na_value=np.nan)).all():
        raise DataError("mean has empty or infinite cells.", hint="Fill them or leave mean out.")
