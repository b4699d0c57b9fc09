"""How probable a printed number is: it shows what is implied, rounded, or anything at all."""

from itertools import product

import numpy as np
from scipy.special import ndtr

from bayesem.arrays import Floats
from bayesem.publications.design import Design
from bayesem.publications.printed import Cell, Index, PathEvidence, Publication

__all__ = [
    "KIND",
    "MISPRINT",
    "baseline_interval",
    "comparative_indices",
    "index_likelihood",
    "path_likelihood",
    "targets",
]

#: Probability that a cell is a misprint.
MISPRINT = 0.05
#: Log-scale sd of a printed standard error around the one of the expected information.
KIND = 0.02


def comparative_indices(design: Design, chisq: float, baseline: Floats) -> dict[str, Floats]:
    """TLI and CFI for a baseline chi-square."""
    d, d0 = design.df, design.df_baseline
    ratio = baseline / d0
    tli = (ratio - chisq / d) / (ratio - 1)
    worse = max(chisq - d, 0.0)
    cfi = 1 - worse / np.maximum(np.maximum(baseline - d0, worse), np.finfo(float).tiny)
    return {"tli": tli, "cfi": cfi}


def baseline_interval(publication: Publication) -> tuple[float, float] | None:
    """The baseline chi-squares that both TLI and CFI allow, or None where neither is informative.

    Where they contradict each other, the interval spans the gap between them.
    """
    design, chisq = publication.design, publication.chisq
    found = [_invert(design, chisq, index) for index in publication.indices]
    kept = [pair for pair in found if pair is not None]
    if not kept:
        return None
    low, high = max(a for a, _ in kept), min(b for _, b in kept)
    return (min(low, high), max(low, high)) if np.isfinite(max(low, high)) else None


def _invert(design: Design, chisq: float, index: Index) -> tuple[float, float] | None:
    d, d0 = design.df, design.df_baseline
    excess = chisq / d - 1
    if index.name not in ("tli", "cfi") or excess <= 0 or index.low >= 1:
        return None
    room = [1 - index.low, max(1 - index.high, 0.0)]
    if index.name == "tli":
        ends = [d0 * (1 + excess / r) if r > 0 else np.inf for r in room]
    else:
        ends = [d0 + (chisq - d) / r if r > 0 else np.inf for r in room]
    return ends[0], ends[1]


def targets(evidence: PathEvidence) -> tuple[float, float | None]:
    """Estimate and critical ratio of a path by the cells that its reading trusts."""
    est, cr, se, p = (evidence.trusted(kind) for kind in ("est", "cr", "se", "p"))
    ratio: float | None = None
    if cr is not None:
        ratio = cr.value
    elif p is not None and np.isfinite(p.high):
        ratio = (p.low + p.high) / 2
        ratio = -ratio if est is not None and est.value < 0 else ratio
    if est is not None and se is not None and ratio is None:
        ratio = est.value / se.value
    if est is not None:
        return est.value, ratio
    assert se is not None  # the reader has made sure
    assert ratio is not None
    return se.value * ratio, ratio


def path_likelihood(
    evidence: PathEvidence, estimate: Floats, error: Floats
) -> tuple[Floats, Floats]:
    """Likelihood of the cells of one path, and the probability of each that it is a misprint.

    The true error is lognormal around the expected one, so a cell that shows the truth confines it
    to an interval, and the mixture over misprints is a sum over the subsets of true cells.

    Parameters
    ----------
    evidence : PathEvidence
    estimate, error : (draw,) arrays
        In the printed metric; the error by expected information.

    Returns
    -------
    (draw,) array, (draw, cell) array
    """
    cells = evidence.cells
    bounds = [error_interval(cell, estimate) for cell in cells]
    total = np.zeros(len(estimate))
    wrong = np.zeros((len(estimate), len(cells)))
    drawn = evidence.trusted("est")
    for true in product((False, True), repeat=len(cells)):
        if any(t and c.aside for t, c in zip(true, cells, strict=True)):
            continue
        if drawn is not None and not true[cells.index(drawn)]:
            continue
        part = _prior(cells, true, drawn) * _mass(bounds, true, error)
        total += part
        wrong[:, [not t for t in true]] += part[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        return total, np.where(total[:, None] > 0, wrong / total[:, None], 1.0)


def _prior(cells: tuple[Cell, ...], true: tuple[bool, ...], drawn: Cell | None) -> float:
    value = 1.0
    for cell, right in zip(cells, true, strict=True):
        value *= (1 - MISPRINT) if right else MISPRINT * cell.flat
        if cell is drawn:  # drawn uniformly from its interval: density times width
            value *= cell.high - cell.low
    return value


def _mass(bounds: list[tuple[Floats, Floats]], true: tuple[bool, ...], error: Floats) -> Floats:
    """Probability that the true error satisfies all true cells."""
    low, high = np.zeros(len(error)), np.full(len(error), np.inf)
    for (a, b), right in zip(bounds, true, strict=True):
        if right:
            low, high = np.maximum(low, a), np.minimum(high, b)
    with np.errstate(divide="ignore", invalid="ignore"):  # bounds of 0 and infinity are meant
        upper = ndtr(np.log(high / error) / KIND)
        lower = ndtr(np.log(low / error) / KIND)
    mass = np.where(high > low, upper - lower, 0.0)
    return np.where(np.isfinite(error), mass, 0.0)


def error_interval(cell: Cell, estimate: Floats) -> tuple[Floats, Floats]:
    """The true errors with which a cell shows the truth."""
    nothing, anything = np.zeros(len(estimate)), np.full(len(estimate), np.inf)
    if cell.kind == "est":
        inside = (estimate >= cell.low) & (estimate <= cell.high)
        return nothing, np.where(inside, anything, 0.0)
    if cell.kind == "se":
        return nothing + cell.low, nothing + cell.high
    size = np.abs(estimate)
    if cell.kind == "p":
        low, high = cell.low, cell.high
        signed = np.ones(len(estimate), bool)
    else:
        half = (cell.high - cell.low) / 2
        low, high = abs(cell.value) - half, abs(cell.value) + half
        signed = (np.sign(estimate) == np.sign(cell.value)) | (low <= 0)
    upper = size / low if low > 0 else anything
    return size / high, np.where(signed, upper, 0.0)


def index_likelihood(publication: Publication, baseline: Floats) -> tuple[Floats, Floats]:
    """Likelihood of TLI and CFI, and the probability of each that it is a misprint."""
    found = comparative_indices(publication.design, publication.chisq, baseline)
    value, wrong = np.ones(len(baseline)), []
    for index in publication.indices:
        if index.name not in found:
            continue
        shown = found[index.name]
        inside = (1 - MISPRINT) * ((shown >= index.low) & (shown <= index.high))
        value = value * (inside + MISPRINT * index.flat)
        wrong.append(MISPRINT * index.flat / (inside + MISPRINT * index.flat))
    return value, np.column_stack(wrong) if wrong else np.zeros((len(baseline), 0))
