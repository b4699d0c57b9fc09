"""What keeping only some of the cases does to verdicts."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any

import numpy as np
import pandas as pd

from bayesem.arrays import Ints
from bayesem.data import Answers
from bayesem.distribution import Runner
from bayesem.errors import DataError, NotAvailableError
from bayesem.pointwise import refuse_caseless
from bayesem.posterior import Fit
from bayesem.propositions import PropositionSet, read_propositions
from bayesem.robustness.refits import Cases, Refitted, verdicts_without
from bayesem.sampling.convergence import stamped
from bayesem.screening import observed_values, tail_probabilities
from bayesem.seeds import check_seed
from bayesem.simulation import predictive
from bayesem.verdicts import assess

__all__ = ["selection"]


def selection(
    fit: Fit,
    propositions: Any,
    *,
    keep: Sequence[float] = (1.0, 0.9, 0.77),
    by: str = "mahalanobis",
    simulated: int = 1,
    draws: int | None = None,
    seed: int = 0,
    scheduler: str | None = None,
    workers: int | None = None,
    store: str | FilePath | None = None,
    progress: bool | Callable[..., Any] = False,
) -> pd.DataFrame:
    """What keeping only the cases nearest to the centroid does to verdicts.

    The model is fitted again, with the same priors, to the nearest cases at several shares; and the
    same is done to data drawn from the fitted model, in which no case is wrong. What changes there,
    the selection itself has done.

    Parameters
    ----------
    fit : Fit
        Of raw answers.
    propositions : PropositionSet, {name: claim}, study or path
    keep : sequence of float
        Shares of the cases (0.77 is about what 190 of 246 are), or, above 1, numbers of cases. All
        cases come first whether asked for or not.
    by : {"mahalanobis"}
        Cases far out by their squared distance, as :func:`bayesem.screen` gives it, go first.
    simulated : int
        Data sets drawn from the posterior.
    draws : int, optional
        By chain, of the refits; the fit's by default.
    seed : int
        Of simulated data and refits.
    scheduler, workers, store, progress
        Who runs the refits; see :func:`bayesem.kfold`.

    Returns
    -------
    DataFrame
        ``data share n name probability change mcse verdict estimate lower upper converged``.
        ``data`` is ``observed`` or ``simulated 1`` and so on; ``change`` is that of the probability
        against all cases of the same data.

    Raises
    ------
    NotAvailableError
        If there are no cases (moments), or censored times would have to be drawn.
    DataError
        If a share is none, or too few cases are left.
    """
    refuse_caseless(fit)
    check_seed(seed)
    assert isinstance(fit.data, Answers)
    if by != "mahalanobis":
        raise NotAvailableError(f"by={by!r} is not available.", hint='Use by="mahalanobis".')
    if not isinstance(propositions, PropositionSet):
        propositions = read_propositions(propositions)
    counts = _counts(fit, keep)
    sources = [("observed", fit.data), *_drawn(fit, simulated, seed)]
    wanted = [
        (label, n, Cases(np.sort(_nearest(fit, data)[:n]), None if data is fit.data else data))
        for label, data in sources
        for n in counts
    ]
    whole = Refitted(assess(propositions, fit).table.set_index("name"), fit.converged)
    runner = Runner(seed, draws, scheduler, workers, store, progress)
    again = verdicts_without(fit, propositions, [part for _, _, part in wanted[1:]], runner)
    rows, notes = [], []
    for (label, n, _), found in zip(wanted, [whole, *again], strict=True):
        if n == fit.data.n:
            every = found.table["probability"].to_numpy()
        if found.problem:
            notes.append(f"there is no refit to {n} cases ({label}): {found.problem}")
        rows.append(found.table.reset_index().assign(
            data=label, share=n / fit.data.n, n=n, converged=found.converged,
            change=found.table["probability"].to_numpy() - every,
        ))  # fmt: skip
    columns = ["data", "share", "n", "name", "probability", "change", "mcse", "verdict",
               "estimate", "lower", "upper", "converged"]  # fmt: skip
    table = stamped(pd.concat(rows, ignore_index=True)[columns], fit)
    table.attrs["notes"] = (*table.attrs["notes"], *notes)
    return table


def _counts(fit: Fit, keep: Sequence[float]) -> list[int]:
    """Numbers of cases to keep, all first."""
    assert isinstance(fit.data, Answers)
    n, p, found = fit.data.n, len(fit.table.indicators), []
    for share in np.atleast_1d(np.asarray(keep, float)):
        count = round(share * n) if share <= 1 else int(share)
        if not 0 < count <= n or (share > 1 and share != count):
            raise DataError(
                f"keep has {share:g}, and there are {n} cases.",
                hint="Use shares between 0 and 1, or whole numbers of cases.",
            )
        if count <= p:
            raise DataError(
                f"keep leaves {count} of {n} cases for {p} observed variables.",
                hint="Keep more.",
            )
        found.append(count)
    return sorted({n, *found}, reverse=True)


def _nearest(fit: Fit, data: Answers) -> Ints:
    """Positions of the cases, nearest first; those without answers last."""
    _, values = observed_values(fit.table, data)
    p1 = tail_probabilities(values)
    return np.argsort(np.where(np.isnan(p1), -1.0, p1), kind="stable")[::-1]


def _drawn(fit: Fit, count: int, seed: int) -> Iterator[tuple[str, Answers]]:
    """Data sets from draws of the posterior, as answers."""
    assert isinstance(fit.data, Answers)
    if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < 0:
        raise DataError(f"simulated is {count!r}.", hint="Use a whole number of data sets.")
    if count == 0:
        return
    if any(o.family.censored for o in fit.table.outcomes):
        raise NotAvailableError(
            "data with censored times cannot be drawn from a fit: nothing says when observation "
            "would have ended.",
            hint="Use simulated=0.",
        )
    drawn = predictive(fit, draws=int(count), seed=seed)["posterior_predictive"]
    y = drawn["y"].to_numpy()[0]
    others = [str(name) for name in drawn.data_vars if name != "y"]
    for k in range(int(count)):
        more = [drawn[name].to_numpy()[0, k] for name in others]
        outcomes = np.stack(more, -1) if more else fit.data.outcomes
        yield (
            f"simulated {k + 1}",
            replace(fit.data, values=y[k], outcomes=outcomes, synthetic=True),
        )
