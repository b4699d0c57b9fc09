"""Rival models side by side: predictions, weights and evidence, with a plain reading."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from bayesem.comparison.comparability import check_comparable
from bayesem.comparison.equivalence import equivalent_pairs
from bayesem.comparison.factors import bayes_factors, evidences, scaled_evidences
from bayesem.comparison.folds import KFold, kfold
from bayesem.comparison.leave_one_out import Loo, loo
from bayesem.comparison.page import Comparison
from bayesem.comparison.reading import reading
from bayesem.data import Moments
from bayesem.distribution import Runner
from bayesem.errors import ConvergenceWarning, DataError, ModelError
from bayesem.posterior import Fit

__all__ = ["compare"]

COLUMNS = ("elpd", "elpd_diff", "dse", "weight", "p", "k_bad", "log_evidence", "bayes_factor",
           "se", "elpd_mcse", "evidence_mcse", "bayes_factor_mcse")  # fmt: skip


def compare(
    fits: Mapping[str, Fit],
    *,
    evidence: bool = True,
    by: str | Sequence[Any] | None = None,
    k: int | None = None,
    conditional: bool = False,
    moment_match: bool | None = None,
    exact: bool | None = None,
    draws: int | None = None,
    elpds: Mapping[str, Loo | KFold] | None = None,
    prior_scales: Sequence[float] = (),
    seed: int = 0,
    scheduler: str | None = None,
    workers: int | None = None,
    store: str | Path | None = None,
    progress: bool | Callable[..., Any] = False,
) -> pd.DataFrame:
    """Rank rival models of the same data by what they predict, and weigh them by evidence.

    Parameters
    ----------
    fits : mapping of str to Fit
        Of the same answers of the same cases, given the same predictors; or all of the same moments
        (then by evidence only).
    evidence : bool
        Whether to compute evidence and Bayes factors (proper priors; not the preset ``"blavaan"``).
    by, conditional, moment_match, exact, draws, scheduler, workers, store, progress
        As in :func:`bayesem.loo`. ``store`` is a folder, with a store for each model in it.
    k : int, optional
        Use K-fold cross-validation in the place of leave-one-out.
    elpds : mapping of str to Loo or KFold, optional
        Results that are there already, for the same names.
    prior_scales : sequence of float
        Factors such as ``(0.5, 2)``: every model is fitted again with the priors of its paths and
        interactions so much wider, and ``bayes_factor_0.5`` and so on show what becomes of the
        Bayes factors. 1 is what the other columns show.
    seed : int

    Returns
    -------
    DataFrame
        Index ``model``, best first. ``elpd`` and its standard error over cases ``se``;
        ``elpd_diff`` to the best and its standard error ``dse`` (differences case by case);
        stacking ``weight``; effective parameters ``p``; ``k_bad``, the cases whose part of the elpd
        cannot be trusted; ``log_evidence``; ``bayes_factor`` against the model with the largest
        evidence; Monte-Carlo errors ``elpd_mcse evidence_mcse bayes_factor_mcse``; ``note``.
        ``attrs["reading"]`` says in plain words what the table shows; ``print`` shows both in 80
        columns. A model whose chains did not
        converge is not ranked: its row is empty, with a note.

    Raises
    ------
    DataError, ModelError
        If the fits are of different data, cases, variables or conditioning, or results of different
        kinds are mixed.

    References
    ----------
    .. [1] Yao, Vehtari, Simpson & Gelman (2018), Bayesian Analysis 13, 917-1007 (stacking).
    .. [2] Sivula, Magnusson, Matamoros & Vehtari (2025), arXiv:2008.10296 (small differences).
    .. [3] Sinharay & Stern (2002), The American Statistician 56, 196-201 (priors and Bayes
       factors).
    """
    _check(fits)
    check_comparable(fits)
    fine = {name: fit for name, fit in fits.items() if fit.converged}
    notes = {name: [] if fit.converged else [f"withheld: {fit.convergence}"]
             for name, fit in fits.items()}  # fmt: skip
    runner = Runner(seed, draws, scheduler, workers, store, progress)
    table = pd.DataFrame(np.nan, index=pd.Index(list(fits), name="model"), columns=list(COLUMNS))
    remarks = []
    if next(iter(fits.values())).spec.stats.use_mean and not _of_moments(fits):
        found = _elpds(fine, elpds or {}, k, runner, by=by, conditional=conditional,
                       moment_match=moment_match, exact=exact)  # fmt: skip
        _put_elpds(table, found)
        remarks += _remarks(found)
    else:
        why = "moments know no cases" if _of_moments(fits) else "the means are not modelled"
        remarks.append(f"By evidence only: {why}, so there is no elpd.")
    if evidence:
        _put_evidence(table, notes, fine, prior_scales, runner)
    elif prior_scales:
        raise ModelError("prior_scales needs evidence.", hint="Leave evidence=False out.")
    table["note"] = ["; ".join(notes[name]) for name in table.index]
    by_what = ["elpd"] if table["elpd"].notna().any() else ["log_evidence"]
    table = Comparison(table.sort_values(by_what, ascending=False, na_position="last"))
    table.attrs["reading"] = reading(table, equivalent_pairs(fine), remarks, prior_scales)
    table.attrs["notes"] = tuple(dict.fromkeys(n for fit in fits.values() for n in fit.notes))
    for name, fit in fits.items():
        if not fit.converged:
            warnings.warn(f"`{name}`: {fit.convergence}", ConvergenceWarning, stacklevel=2)
    return table


def _check(fits: Mapping[str, Fit]) -> None:
    if not isinstance(fits, Mapping) or not all(isinstance(f, Fit) for f in fits.values()):
        raise DataError(
            "compare takes a dictionary of fits.", hint='Such as {"full": a, "mediated": b}.'
        )
    if len(fits) < 2:
        raise DataError(f"{len(fits)} model cannot be compared.", hint="Give at least two.")


def _of_moments(fits: Mapping[str, Fit]) -> bool:
    return any(isinstance(fit.data, Moments) for fit in fits.values())


# -- predictions ---------------------------------------------------------------------------


def _elpds(
    fits: Mapping[str, Fit],
    given: Mapping[str, Loo | KFold],
    k: int | None,
    runner: Runner,
    *,
    by: Any,
    conditional: bool,
    moment_match: bool | None,
    exact: bool | None,
) -> dict[str, Loo | KFold]:
    for name in given:
        if name not in fits:
            raise DataError(f"elpds has `{name}`, which is not among the converged fits.")
    out: dict[str, Loo | KFold] = {}
    for number, (name, fit) in enumerate(fits.items()):
        where = None if runner.store is None else _store(runner.store, f"loo-{number}")
        common: dict[str, Any] = {
            "by": by, "seed": runner.seed, "scheduler": runner.scheduler,
            "workers": runner.workers, "store": where, "progress": runner.progress,
        }  # fmt: skip
        if name in given:
            out[name] = given[name]
        elif k is not None:
            if conditional:
                raise ModelError("K-fold is of new cases.", hint="Leave conditional=True out.")
            out[name] = kfold(fit, k=k, draws=runner.draws, **common)
        else:
            out[name] = loo(fit, conditional=conditional, moment_match=moment_match, exact=exact,
                            draws=runner.draws, **common)  # fmt: skip
    _check_kinds(out)
    return out


def _store(folder: Any, name: str) -> Path:
    path = Path(folder)
    path.mkdir(exist_ok=True)
    return path / f"{name}.zarr"


def _check_kinds(found: Mapping[str, Loo | KFold]) -> None:
    """Refuse to mix what is not on one footing."""
    first = next(iter(found), "")
    for other in list(found)[1:]:
        a, b = found[first], found[other]
        who = f"`{first}` and `{other}` cannot be compared: "
        if a.conditional != b.conditional:
            which = first if a.conditional else other
            raise ModelError(
                f"{who}the elpd of `{which}` is conditional on factor scores (same cases again), "
                "the other one marginal (new cases).",
                hint="Use the marginal one (the default) for both.",
            )
        if a.kind != b.kind:
            raise ModelError(
                f"{who}one elpd is by leave-one-out and the other one by folds.",
                hint="Use the same for both.",
            )
        if a.unit != b.unit or a.n_data_points != b.n_data_points:
            raise ModelError(
                f"{who}{a.n_data_points} {a.unit}s were left out of one, {b.n_data_points} "
                f"{b.unit}s of the other.",
                hint="Use the same `by` for both.",
            )
        if isinstance(a, KFold) and isinstance(b, KFold) and not np.array_equal(a.fold, b.fold):
            raise ModelError(f"{who}their folds differ.", hint="Use the same `k` and `seed`.")


def _put_elpds(table: pd.DataFrame, found: Mapping[str, Loo | KFold]) -> None:
    if not found:
        return
    for name, one in found.items():
        values = {"elpd": one.elpd, "se": one.se, "p": one.p, "k_bad": one.k_bad,
                  "elpd_mcse": one.mcse}  # fmt: skip
        table.loc[name, list(values)] = [float(v) for v in values.values()]
    parts = {name: one.elpd_i.to_numpy() for name, one in found.items()}
    best = max(found, key=lambda name: found[name].elpd)
    for name, elpd_i in parts.items():
        gap = elpd_i - parts[best]
        table.loc[name, ["elpd_diff", "dse"]] = [gap.sum(), np.sqrt(len(gap)) * gap.std()]
    table.loc[list(found), "weight"] = _weights(found)


def _weights(found: Mapping[str, Loo | KFold]) -> list[float]:
    """Stacking weights; parts are shifted by unit first, as ArviZ takes exponentials of them."""
    import arviz_stats

    if len(found) == 1:
        return [1.0]
    top = np.max([one.elpd_i.to_numpy() for one in found.values()], axis=0)
    shifted = {
        name: replace(
            cast("Any", one), elpd_i=one.elpd_i - top, elpd=float((one.elpd_i - top).sum())
        )
        for name, one in found.items()
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        weights = arviz_stats.compare(shifted, method="stacking", round_to="none")["weight"]
    return [float(weights[name]) for name in found]


def _remarks(found: Mapping[str, Loo | KFold]) -> list[str]:
    one = next(iter(found.values()), None)
    if one is None:
        return []
    if one.conditional:
        return ["CONDITIONAL on sampled factor scores: the same cases again, not new cases."]
    return [f"Left out by group: {one.n_data_points} groups."] if one.unit == "group" else []


# -- evidence ------------------------------------------------------------------------------


def _put_evidence(
    table: pd.DataFrame,
    notes: dict[str, list[str]],
    fits: Mapping[str, Fit],
    scales: Sequence[float],
    runner: Runner,
) -> None:
    found, without = evidences(fits)
    for name, why in without.items():
        notes[name].append(why)
    for name, one in found.items():
        notes[name] += [n for n in one.notes if "halves" in n]
    pairs = {name: (one.log_evidence, one.mcse) for name, one in found.items()}
    factors = bayes_factors(pairs)
    table.loc[factors.index, factors.columns] = factors
    kept = {name: fits[name] for name in found}
    wanted = [s for s in scales if s != 1]
    where = None if runner.store is None else _store(runner.store, "evidence")
    for scale, values in scaled_evidences(kept, wanted, replace(runner, store=where)).items():
        column = bayes_factors(values)["bayes_factor"]
        table[f"bayes_factor_{scale:g}"] = column
