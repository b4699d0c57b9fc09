"""Which propositions a fit can be asked: those on its model, with all that they name in it."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from bayesem.claim_counts import speaks_of_counts
from bayesem.counts.fit import CountFit
from bayesem.errors import BayesemError
from bayesem.grammar.claims import names, variables
from bayesem.model import Model, read_model

__all__ = ["concerns", "lacking", "misplaced"]


def concerns(item: Any, fit: Any) -> bool:
    """Whether a proposition is put to a fit.

    Not if it names another model of its study, or if the fit is of a part of that study's model
    (`bayesem.Model.about`) without what the claim names.

    Parameters
    ----------
    item : object
        Of `bayesem.verdicts.claims_of`.
    fit : Fit or CountFit
    """
    if isinstance(fit, CountFit):
        return _concerns_counts(item, fit)
    return _same_model(item, fit) and not lacking(item, fit)


def lacking(item: Any, fit: Any) -> tuple[str, ...]:
    """What a proposition names of its study's model that a fitted part of that model has not.

    Parameters
    ----------
    item : object
        Of `bayesem.verdicts.claims_of`.
    fit : Fit or CountFit

    Returns
    -------
    tuple of str
        Empty where the fit is of another model: a name unknown there is an error.
    """
    if isinstance(fit, CountFit) or item.study is None or item.study != fit.model.name:
        return ()
    unknown = dict.fromkeys(
        name for name in _named(item.tree, item.earlier) if name not in fit.model.nameable
    )
    if not unknown or not _same_model(item, fit):
        return ()
    whole = _whole(item.study, fit.model.variant)
    return tuple(name for name in unknown if whole is not None and name in whole.nameable)


def misplaced(item: Any, fit: Any) -> bool:
    """Whether a claim that names no model is for the other kind of fit."""
    return item.model is None and speaks_of_counts(item.form) != isinstance(fit, CountFit)


def _same_model(item: Any, fit: Any) -> bool:
    return item.model is None or item.model in fit.model.called


def _concerns_counts(item: Any, fit: CountFit) -> bool:
    if item.needs is not None and not fit.phases:
        return False
    if item.model is not None:
        return bool(item.model == fit.model.name)
    return item.study is None or speaks_of_counts(item.form)


@cache
def _whole(study: str, variant: str | None) -> Model | None:
    """The model that a part is of; none where its file is no longer there."""
    try:
        return read_model(study if variant is None else f"{study}:{variant}")
    except BayesemError:
        return None


def _named(tree: Any, earlier: Any) -> Iterator[str]:
    """Every name in a claim and in those before it that it rests on."""
    for name, _ in (*names(tree), *variables(tree)):
        if name in earlier:
            before = list(earlier)[: list(earlier).index(name)]
            yield from _named(earlier[name], {k: earlier[k] for k in before})
        else:
            yield name
