"""What must be the same before two fits may be compared, and the refusals where it is not."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bayesem.arrays import Floats
from bayesem.data import Answers, Moments
from bayesem.errors import DataError, ModelError
from bayesem.partable import twin_of
from bayesem.posterior import Fit

__all__ = ["Subject", "check_comparable", "subject_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """What a fit's likelihood is a density of, and given what.

    Attributes
    ----------
    moments : bool
        Whether moments stand in the place of answers.
    cases : int
    explained : mapping of str to str
        Observed variables that the model explains, and as what: ``continuous``, ``0/1``, ``count``.
    given : tuple of str
        Predictors that are conditioned on.
    columns : mapping of str to str
        A hash of every variable's values, in the order of the cases.
    unordered : mapping of str to str
        The same whatever the order.
    means : bool
        Whether the means are modelled.
    """

    moments: bool
    cases: int
    explained: Mapping[str, str]
    given: tuple[str, ...]
    columns: Mapping[str, str]
    unordered: Mapping[str, str]
    means: bool


def subject_of(fit: Fit) -> Subject:
    """Read off a fit what it is about."""
    twins = {twin_of(o.name) for o in fit.table.outcomes}
    names = [v for v in fit.table.indicators if v not in twins]
    kinds = dict.fromkeys(names, "continuous")
    values: dict[str, Floats] = {}
    if isinstance(fit.data, Answers):
        values = {v: fit.data.values[:, [fit.data.names.index(v)]] for v in names}
        for k, o in enumerate(fit.table.outcomes):
            kinds[o.name] = (
                "0/1" if o.family.is_binary else "a count" if o.family.is_count else "continuous"
            )
            values[o.name] = np.stack([fit.data.outcomes[:, k], fit.data.censored[:, k]], -1)
    else:
        values = _moments(fit.data, names)
    given = tuple(sorted(fit.table.fixed_x))
    explained = {k: v for k, v in kinds.items() if k not in given}
    return Subject(
        isinstance(fit.data, Moments), fit.data.n, explained, given,
        {k: _hash(v) for k, v in values.items()},
        {k: _hash(np.sort(v, axis=0)) for k, v in values.items()}, fit.spec.stats.use_mean,
    )  # fmt: skip


def _moments(data: Moments, names: list[str]) -> dict[str, Floats]:
    """A variable's covariances with the others by name, and its mean."""
    order = sorted(names)
    cov = data.cov.loc[order, order].to_numpy(float)
    out = {v: cov[k] for k, v in enumerate(order)}
    if data.mean is not None:
        out = {v: np.append(row, float(data.mean[v])) for v, row in out.items()}
    return {v: row[:, None] for v, row in out.items()}


def _hash(values: Floats) -> str:
    clean = np.where(np.isnan(values), np.nan, values) + 0.0  # one NaN, one zero
    return hashlib.sha256(np.ascontiguousarray(clean, float).tobytes()).hexdigest()


def check_comparable(fits: Mapping[str, Fit]) -> dict[str, Subject]:
    """Refuse what is not about the same answers of the same cases, given the same.

    Parameters
    ----------
    fits : mapping of str to Fit

    Returns
    -------
    dict of str to Subject

    Raises
    ------
    DataError
        If the fits rest on different data, cases or variables, or moments stand beside answers.
    ModelError
        If the same variables are conditioned on in one and explained in another, or explained as
        something else, or means are modelled in one only.
    """
    subjects = {name: subject_of(fit) for name, fit in fits.items()}
    first, *others = subjects
    for other in others:
        _compare(first, subjects[first], other, subjects[other])
    return subjects


def _compare(one: str, a: Subject, two: str, b: Subject) -> None:
    who = f"`{one}` and `{two}` cannot be compared: "
    if a.moments != b.moments:
        which = one if a.moments else two
        raise DataError(
            f"{who}`{which}` rests on moments and the other one on answers.",
            hint="Fit both to the same data.",
        )
    if a.cases != b.cases:
        raise DataError(
            f"{who}they have {a.cases} and {b.cases} cases.", hint="Fit both to the same rows."
        )
    _compare_roles(who, one, a, two, b)
    shared = sorted({*a.columns} & {*b.columns})
    differing = [v for v in shared if a.columns[v] != b.columns[v]]
    if differing:
        reordered = all(a.unordered[v] == b.unordered[v] for v in shared) and not a.moments
        what = "moments" if a.moments else "answers"
        raise DataError(
            f"{who}their {what} differ in {_named(differing)}"
            + (", if only in the order of the cases." if reordered else "."),
            hint="Fit both to the same data, rows in the same order.",
        )
    if a.means != b.means:
        which = one if a.means else two
        raise ModelError(
            f"{who}the means are modelled in `{which}` only.",
            hint="Use the same `means` (and moments with or without `mean`) in both.",
        )


def _compare_roles(who: str, one: str, a: Subject, two: str, b: Subject) -> None:
    """Variables that are explained here and conditioned on, or absent, there."""
    for name, x, other, y in ((one, a, two, b), (two, b, one, a)):
        both = sorted({*x.given} & {*y.explained})
        if both:
            raise ModelError(
                f"{who}{_named(both)} is conditioned on in `{name}` and modelled in `{other}`, so "
                "their likelihoods are of different things.",
                hint="Use the same `fixed_x` in both, or let the variable predict in both.",
            )
        only = sorted({*x.explained} - {*y.explained})
        if only:
            raise DataError(
                f"{who}{_named(only)} is explained by `{name}` and not part of `{other}`.",
                hint="Keep every indicator and outcome in all models, unrelated to the rest where "
                "a model has no use for it.",
            )
    as_other = sorted(v for v in a.explained if a.explained[v] != b.explained[v])
    if as_other:
        v = as_other[0]
        raise ModelError(
            f"{who}`{v}` is {a.explained[v]} in `{one}` and {b.explained[v]} in `{two}`: a density "
            "and a probability are not on one scale.",
            hint="Use families of the same kind for it.",
        )


def _named(names: list[str]) -> str:
    shown = ", ".join(f"`{v}`" for v in names[:4])
    return shown + (f" and {len(names) - 4} more" if len(names) > 4 else "")
