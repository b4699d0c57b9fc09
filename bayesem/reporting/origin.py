"""What kind of data verdicts rest on: answers, moments, or moments rebuilt from printed tables."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from bayesem.counts.fit import CountFit
from bayesem.data import Moments
from bayesem.errors import BayesemError
from bayesem.publications import publication
from bayesem.rounding import LIGHT, share_text

__all__ = [
    "HEAD",
    "WEIGHTS",
    "assumed",
    "by_reading",
    "kind_of_data",
    "matrix",
    "noted",
    "rebuilt",
    "restated",
    "source_of",
]

WEIGHTS = (
    "A reading's weight is how well it accounts for all printed numbers together (its marginal "
    "likelihood, with rounding and misprints allowed for); all readings were equally probable "
    "beforehand."
)
HEAD = "NO RAW ANSWERS: the data of this report are rebuilt from printed estimates."


def by_reading(fits: Any) -> dict[str, tuple[Any, ...]]:
    """Fits by reading, in whatever shape they were given; of one fit alone without a name."""
    each = fits if isinstance(fits, Mapping) else {"": fits}
    return {str(k): tuple(v) if isinstance(v, list | tuple) else (v,) for k, v in each.items()}


def rebuilt(fit: Any) -> bool:
    """Whether the moments were made from what a publication printed, and not from answers."""
    return isinstance(fit.data, Moments) and fit.data.reading is not None


def matrix(moments: Moments) -> str:
    """A covariance matrix, or a correlation matrix where every standard deviation is 1."""
    ones = np.allclose(np.diag(moments.cov.to_numpy(float)), 1, atol=1e-6)
    return "correlation matrix" if ones else "covariance matrix"


def kind_of_data(fits: Sequence[Any]) -> str:
    """What the propositions were put to, in a few words that begin with an article or a number."""
    fit = fits[0]
    sizes = " and ".join(f"{n:,}" for n in sorted({int(one.n) for one in fits}))
    made = "SYNTHETIC " if any(one.data.synthetic for one in fits) else ""
    if isinstance(fit, CountFit):
        return f"the {made}theme counts of {sizes} coded references"
    if rebuilt(fit):
        what = matrix(fit.data)
        return f"a {what} rebuilt from {made}printed estimates (n = {sizes} in the source)"
    if isinstance(fit.data, Moments):
        return f"the {made}{matrix(fit.data)} of {sizes} cases"
    return f"the {made}answers of {sizes} cases"


def noted(fit: Any) -> tuple[str, ...]:
    """Notes of a fit, with the matrix called what it is; the reading is said elsewhere."""
    kept = [note for note in fit.notes if not note.startswith("reading: ")]
    if not isinstance(fit.data, Moments):
        return tuple(kept)
    return tuple(note.replace("covariance matrix", matrix(fit.data)) for note in kept)


def source_of(fit: Any) -> str:
    """The publication, or what stands for it."""
    book = fit.model.codebook
    return book.source.rstrip(".") if book is not None and book.source else "a publication"


def assumed(fit: Any) -> str:
    """What the reading of the printed tables assumes, in words; empty where no file says."""
    return _known(fit).get(fit.data.reading, "") if rebuilt(fit) else ""


def _known(fit: Any) -> dict[str, str]:
    """What each reading of the printed tables assumes, by name."""
    if fit.model.codebook is None:
        return {}
    try:
        return {one.name: one.assumes for one in publication(fit.model).readings}
    except BayesemError:  # a codebook without printed tables
        return {}


def restated(fits: Sequence[Any]) -> Iterator[str]:
    """What has to be known of rebuilt data before a verdict is read."""
    kept = {fit.data.reading: fit for fit in fits if rebuilt(fit)}
    if not kept:
        return
    kept = dict(sorted(kept.items(), key=lambda one: -one[1].data.weight))
    first = next(iter(kept.values()))
    yield (
        f"Nobody's answers were analysed. The {matrix(first.data)} was computed so that it gives "
        f"back the estimates printed in {source_of(first)}."
    )
    yield (
        "So the verdicts restate the printed estimates, with priors and uncertainty added. They "
        "are no new evidence and cannot check the model: the matrix fits it by construction."
    )
    yield from _others(first, len(kept))
    light = [name for name, fit in kept.items() if fit.data.weight < LIGHT]
    for name, fit in kept.items():
        if name not in light or len(kept) == len(light):
            words = assumed(fit) or "what it assumes is not on file."
            weight = fit.data.weight
            share = f" (weight {share_text(weight)})" if weight < 1 else ""
            yield f"Reading {name}{share} assumes: {words}"
    if light and len(light) < len(kept):
        yield f"In the section on data, each with a weight below .005: {', '.join(light)}."


def _others(fit: Any, used: int) -> Iterator[str]:
    total = max(len(_known(fit)), used)
    if used > 1:
        yield (
            f"The verdicts pool {used} of {total} readings of the printed tables, by weight. "
            f"{WEIGHTS}"
        )
    elif total > 1:
        yield (
            f"It is one of {total} readings that were considered (sem.readings lists them). "
            "sem.report({name: fit, ...}, ...) or bayesem run pools several by weight."
        )
