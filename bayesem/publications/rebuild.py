r"""Covariance matrices that a reading implies: exact in fit, drawn where the paper is silent.

The implied matrix itself fits perfectly, so its fit says nothing. By Cudeck & Browne (1992) the
matrix :math:`S = \Sigma + \kappa E` has its maximum of the likelihood at :math:`\Sigma` if E is
orthogonal to every direction in which a parameter moves Sigma (in the metric of its inverse), and
any chi-square by choice of kappa. E is drawn as sampling error would be, and among many, one that
has the printed GFI and AGFI.

References
----------
.. [1] Cudeck & Browne (1992), Constructing a covariance matrix that yields a specified minimizer
   and a specified minimum discrepancy function value, Psychometrika 57, 357-369.
   https://doi.org/10.1007/BF02295424
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from bayesem.arrays import Floats
from bayesem.data import Moments
from bayesem.errors import DataError, StudyError
from bayesem.model import Model
from bayesem.publications.design import Design, Standardised, standardised
from bayesem.publications.evidence import Explored
from bayesem.publications.information import (
    Directions,
    directions,
    expected_information,
)
from bayesem.publications.likelihood import MISPRINT
from bayesem.publications.maximum import maximum_likelihood
from bayesem.publications.printed import Publication
from bayesem.publications.readings import explored, publication
from bayesem.seeds import check_seed

__all__ = ["Rebuilt", "cudeck_browne", "draw_rebuilt", "rebuild"]

CANDIDATES = 200
ATTEMPTS = 20
HALVINGS = 80
#: Readings below this do not enter the mixture.
LEAST_WEIGHT = 0.001


@dataclass(frozen=True, slots=True, eq=False)
class Rebuilt:
    """One matrix and what it was made from.

    Attributes
    ----------
    R : (indicator, indicator_bis) array
        With unit variances.
    solution : Standardised
        Its maximum-likelihood solution.
    scale : (indicator,) array
        Standard deviations that put the weights into the printed units.
    markers : tuple of int
    estimates, errors : (path,) arrays
        Weights and expected-information errors in the printed units.
    gfi : float
    """

    R: Floats
    solution: Standardised
    scale: Floats
    markers: tuple[int, ...]
    estimates: Floats
    errors: Floats
    gfi: float


def rebuild(
    source: str | Path | Model | Publication,
    reading: str | None = None,
    draws: int = 1,
    seed: int | None = None,
) -> list[Moments]:
    """Draw sample moments that a publication implies, under one reading or under all.

    Parameters
    ----------
    source : str, Path, Model or Publication
        As in `readings`.
    reading : str, optional
        Its name. Without it, the mixture: every reading whose weight is 0.001 or more.
    draws : int, default 1
        How many matrices of each reading. They differ in all that the paper does not print:
        correlations of factors, digits behind the rounding, markers and the direction of the
        misfit.
    seed : int, optional

    Returns
    -------
    list of Moments
        Correlation matrices (``standardized``); each carries its ``reading`` and, as ``weight``,
        the weight of that reading among all, whatever the number of draws. Each cell of the
        tables is a misprint with a probability of its own, which `audit` shows.

    Raises
    ------
    StudyError
        If there is no such reading.
    """
    check_seed(seed)
    known = publication(source)
    wanted = None if reading is None else known.reading(reading)
    if isinstance(draws, bool) or not isinstance(draws, int) or draws < 1:
        raise StudyError(f"draws is {draws!r}.", hint="Use a whole number of at least 1.")
    found, weights = explored(known)
    rng, names = np.random.default_rng(seed), list(known.design.indicators)
    chosen = [
        (one, weight)
        for one, weight in zip(found, weights, strict=True)
        if one.reading == wanted or (wanted is None and weight >= LEAST_WEIGHT)
    ]
    return [
        Moments(
            pd.DataFrame(made.R, names, names),
            known.n,
            reading=one.reading.name,
            weight=weight,
            standardized=True,
        )
        for one, weight in chosen
        for made in draw_rebuilt(known, one, draws, rng)
    ]


def draw_rebuilt(
    known: Publication, one: Explored, draws: int, rng: np.random.Generator
) -> list[Rebuilt]:
    """Resample what the reading leaves open and build a matrix around each.

    Stratified by the sum of the correlations, so that few draws still spread over all of them.
    """
    weight = one.sample.weight
    order = np.argsort(one.sample.correlations.sum(-1), kind="stable")
    points = (rng.permutation(draws) + rng.uniform(0, 1, draws)) / draws
    chosen = order[np.minimum(np.searchsorted(np.cumsum(weight[order]), points), len(order) - 1)]
    return [_build(known, one, int(row), rng) for row in chosen]


def _build(known: Publication, one: Explored, row: int, rng: np.random.Generator) -> Rebuilt:
    design, sample = known.design, one.sample
    markers = design.markers("last" if sample.last_marker[row] else "first")
    solution = standardised(
        design, sample.loadings[row], sample.paths[row], sample.correlations[row]
    )
    for _ in range(ATTEMPTS):
        S, gfi = _draw_matrix(known, solution, markers, rng)
        if _is_maximum(design, S, known, solution, markers):
            break
    else:
        raise StudyError(
            f"reading `{one.reading.name}`: chi-square {known.chisq:g} is too far from the model "
            "for its solution to be a maximum of the likelihood.",
            hint="Check `chisq` and `n` in the codebook.",
        )
    units = np.exp(sample.units[row])[list(design.block)]
    own = sample.loadings[row][[markers[b] for b in design.block]]
    return Rebuilt(
        S, solution, units / np.abs(own), markers, sample.estimates[row], sample.errors[row], gfi
    )


def _draw_matrix(
    known: Publication, solution: Standardised, markers: tuple[int, ...], rng: np.random.Generator
) -> tuple[Floats, float]:
    """One of many directions of misfit, by how well it shows the printed GFI and AGFI."""
    target = known.chisq / (known.n - 1)
    made, gfi = cudeck_browne(known.design, solution, markers, target, rng, draws=CANDIDATES)
    agfi = 1 - (1 - gfi) * len(known.design.indicators) * (len(known.design.indicators) + 1) / (
        2 * known.design.df
    )
    weight = np.ones(len(gfi))
    for index in known.indices:
        shown = {"gfi": gfi, "agfi": agfi}.get(index.name)
        if shown is not None:
            inside = (shown >= index.low) & (shown <= index.high)
            weight = weight * ((1 - MISPRINT) * inside + MISPRINT * index.flat)
    which = rng.choice(len(gfi), p=weight / weight.sum())
    return made[which], float(gfi[which])


def cudeck_browne(
    design: Design,
    solution: Standardised,
    markers: tuple[int, ...],
    discrepancy: float,
    rng: np.random.Generator,
    *,
    draws: int = 1,
) -> tuple[Floats, Floats]:
    """Correlation matrices with a given solution and a given discrepancy.

    Parameters
    ----------
    design : Design
    solution : Standardised
    markers : tuple of int
    discrepancy : float
        Chi-square over n - 1.
    rng : numpy.random.Generator
    draws : int

    Returns
    -------
    (draw, indicator, indicator_bis) array, (draw,) array
        Matrices and their goodness-of-fit indices.
    """
    Sigma = solution.Sigma(design)
    root = np.linalg.cholesky(Sigma)
    E = _residuals(design, solution, markers, root, rng, draws)
    values, vectors = np.linalg.eigh(E)
    kappa = _stretch(values, discrepancy)[:, None]
    ratio = 1 + kappa * values
    inner = (vectors * ratio[:, None, :]) @ vectors.mT
    S = root @ inner @ root.T
    sd = np.sqrt(np.einsum("nii->ni", S))
    gfi = 1 - ((ratio - 1) ** 2).sum(-1) / (ratio**2).sum(-1)
    return S / (sd[:, :, None] * sd[:, None, :]), gfi


def _residuals(
    design: Design,
    solution: Standardised,
    markers: tuple[int, ...],
    root: Floats,
    rng: np.random.Generator,
    draws: int,
) -> Floats:
    """Sampling error in the metric of Sigma, less its part in the directions of parameters."""
    moves = directions(design, solution.loadings, solution.Phi, solution.total, markers)
    white = Directions(np.linalg.solve(root, moves.X), np.linalg.solve(root, moves.Y), moves.paths)
    gram = expected_information(np.eye(len(root)), white, 2.0)
    raw = rng.standard_normal((draws, len(root), len(root)))
    error = (raw + raw.mT) / np.sqrt(2)
    for _ in range(2):  # the second pass removes the rounding of the first
        inside = 2 * (white.X * (error @ white.Y)).sum(-2)
        share = np.linalg.solve(gram, inside.T).T
        part = (white.X * share[:, None, :]) @ white.Y.T
        error = error - part - part.mT
    return error


def _stretch(values: Floats, discrepancy: float) -> Floats:
    r"""Find the kappa at which :math:`\sum(\kappa\mu - \ln(1+\kappa\mu))` is the discrepancy."""
    low, high = np.zeros(len(values)), -1 / values.min(-1)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        moved = middle[:, None] * values
        with np.errstate(divide="ignore"):
            above = (moved - np.log1p(moved)).sum(-1) > discrepancy
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return low


def _is_maximum(
    design: Design, S: Floats, known: Publication, solution: Standardised, markers: tuple[int, ...]
) -> bool:
    """Whether maximum likelihood, started from nothing, finds the solution again."""
    try:
        refit = maximum_likelihood(design, S, known.n, markers)
    except (DataError, np.linalg.LinAlgError):
        return False
    near = np.abs(refit.solution.Sigma(design) - solution.Sigma(design)).max() < 1e-5
    return bool(near and abs(refit.chisq - known.chisq) < 1e-4)
