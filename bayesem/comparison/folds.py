"""K-fold cross-validation with exact refits."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from arviz_stats.utils import ELPDDataLOOKFold
from scipy.special import logsumexp

from bayesem.arrays import Floats, Ints
from bayesem.comparison.leave_one_out import notes_of, sampled_of
from bayesem.comparison.left_out import score_all
from bayesem.comparison.units import Units, labels, units_of
from bayesem.data import Answers
from bayesem.distribution import Runner
from bayesem.errors import ConvergenceWarning, DataError
from bayesem.pointwise import refuse_caseless
from bayesem.posterior import Fit
from bayesem.seeds import check_seed

__all__ = ["KFold", "kfold"]


@dataclass(kw_only=True, repr=False)
class KFold(ELPDDataLOOKFold):  # type: ignore[misc]
    """ArviZ's result with what it rests on.

    Attributes
    ----------
    fold : DataArray of int
        The fold that each unit was left out with.
    mcse, mcse_i : float, DataArray
        Monte-Carlo standard error of ``elpd`` and of each unit's part.
    problems : mapping of int to str
        Folds whose refit did not converge, and why.
    unit : str
        ``case`` or ``group``.
    notes : tuple of str
    """

    fold: Any = None
    mcse: float = float("nan")
    mcse_i: Any = None
    problems: dict[int, str] = field(default_factory=dict)
    unit: str = "case"
    notes: tuple[str, ...] = field(default_factory=tuple)
    conditional: bool = False

    @property
    def k_bad(self) -> int:
        """Units whose part of the elpd cannot be trusted: those of folds that did not converge."""
        return int(np.isin(self.fold, list(self.problems)).sum())

    def _header(self) -> str:
        bad = [f"fold {k}: {why}" for k, why in self.problems.items()]
        return "\n".join([super()._header(), *self.notes, *bad])

    def _footer(self) -> str:
        return f"\nMonte-Carlo error of the elpd {self.mcse:.2g}.\n{super()._footer()}"


def kfold(
    fit: Fit,
    *,
    k: int = 10,
    by: str | Sequence[Any] | None = None,
    stratify: str | Sequence[Any] | None = None,
    seed: int = 0,
    draws: int | None = None,
    scheduler: str | None = None,
    workers: int | None = None,
    store: str | Path | None = None,
    progress: bool | Callable[..., Any] = False,
) -> KFold:
    r"""Expected log predictive density of unseen cases, by fitting ``k`` times without a part.

    Nothing is approximated: each fold's cases are scored by a posterior that has not seen them.
    Priors keep the scales of the whole data, so that the model is the same in every fold.

    Parameters
    ----------
    fit : Fit
        Of raw answers.
    k : int
        Folds, of units drawn at random, as equal in size as can be.
    by : str or sequence, optional
        Groups of cases that stay together and are scored together: a label for each row of the
        data, or one of the model's observed variables. With ``k`` equal to the number of groups
        this leaves out one group at a time.
    stratify : str or sequence, optional
        A label for each row whose values are spread evenly over the folds (not with ``by``).
    seed : int
        The same seed gives the same folds and draws, whoever runs them.
    draws : int, optional
        By chain of each refit; the fit's by default.
    scheduler : str, optional
        Address of a Dask scheduler; a local cluster by default.
    workers : int, optional
        Local processes, 0 for this one; one per core by default (this one where there are at most
        two refits or Dask is not installed). The numbers do not depend on it.
    store : str or Path, optional
        Where finished refits are kept, so that a run that was stopped goes on from there.
    progress : bool or callable

    Returns
    -------
    KFold
        An ArviZ ``ELPDDataLOOKFold``: ``elpd se p elpd_i p_kfold_i`` and more.

    Raises
    ------
    NotAvailableError
        If the fit rests on moments (there are no cases) or its means are not modelled.
    DataError
        If ``k`` does not fit the data, or some fold's remaining cases cannot be fitted.

    References
    ----------
    .. [1] Vehtari, Gelman & Gabry (2017), Statistics and Computing 27, 1413-1432.
    """
    refuse_caseless(fit)
    check_seed(seed)
    units = units_of(fit, by)
    if by is not None and stratify is not None:
        raise DataError("`by` and `stratify` cannot be combined.", hint="Leave one of them out.")
    strata = None if stratify is None else labels(fit, stratify, "stratify")
    fold = folds(units.size, k, seed, strata)
    parts = [np.flatnonzero(fold == j) for j in range(k)]
    scored = score_all(fit, units, parts, Runner(seed, draws, scheduler, workers, store, progress))
    failed = next((j for j, part in enumerate(scored) if part.failed), None)
    if failed is not None:
        raise DataError(
            f"without fold {failed} the model could not be fitted ({scored[failed].problem}).",
            hint="Use larger folds, another seed, or `stratify`.",
        )
    elpd_i, mcse_i = np.empty(units.size), np.empty(units.size)
    for part in scored:
        elpd_i[part.units], mcse_i[part.units] = part.elpd, part.mcse
    problems = {j: part.problem for j, part in enumerate(scored) if part.problem}
    mcse = float(np.sqrt(sum(part.together**2 for part in scored)))
    return _result(fit, units, fold, elpd_i, mcse_i, mcse, problems)


def folds(size: int, k: int, seed: int, strata: np.ndarray | None = None) -> Ints:
    """The fold of each unit, (unit,); within each stratum folds differ by at most one unit.

    Raises
    ------
    DataError
        If ``k`` is not a whole number from 2 to the number of units.

    Examples
    --------
    >>> np.bincount(folds(11, 3, seed=0)).tolist()
    [4, 4, 3]
    """
    whole = isinstance(k, int | np.integer) and not isinstance(k, bool)
    if not whole or not 2 <= k <= size:
        raise DataError(f"k is {k!r}.", hint=f"Use a whole number from 2 to {size}.")
    rng = np.random.default_rng([seed, 3])
    order = rng.permutation(size)
    if strata is not None:
        order = order[np.argsort(strata[order], kind="stable")]
    out = np.empty(size, int)
    out[order] = np.arange(size) % k
    return out


def _result(
    fit: Fit,
    units: Units,
    fold: Ints,
    elpd_i: Floats,
    mcse_i: Floats,
    mcse: float,
    problems: dict[int, str],
) -> KFold:
    assert isinstance(fit.data, Answers)
    sampled = sampled_of(fit, units)
    lppd_i = logsumexp(sampled.flat, axis=0) - np.log(sampled.draws)
    dims, coords = (units.name,), {units.name: list(units.labels)}
    if problems or not fit.converged:
        first = next(iter(problems.values()), str(fit.convergence))
        warnings.warn(first, ConvergenceWarning, stacklevel=3)

    def array(values: Any) -> xr.DataArray:
        return xr.DataArray(values, dims=dims, coords=coords)

    return KFold(
        elpd=float(elpd_i.sum()), se=float(np.sqrt(units.size) * elpd_i.std()),
        p=float((lppd_i - elpd_i).sum()), n_samples=sampled.draws, n_data_points=units.size,
        scale="log", warning=bool(problems), good_k=None, elpd_i=array(elpd_i),
        n_folds=int(fold.max()) + 1, p_kfold_i=array(lppd_i - elpd_i), fold=array(fold),
        mcse=mcse, mcse_i=array(mcse_i), problems=problems,
        unit=units.name, notes=notes_of(fit, units),
    )  # fmt: skip
