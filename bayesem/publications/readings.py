"""What a publication's printed numbers can mean: readings, their weights, and how each closes."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import logsumexp
from scipy.stats import chi2

from bayesem.arrays import Floats
from bayesem.errors import StudyError
from bayesem.model import Model, read_model
from bayesem.publications.design import Design, design_of
from bayesem.publications.evidence import Explored, correlation_prior, explore
from bayesem.publications.least_squares import Closest, closest
from bayesem.publications.likelihood import comparative_indices
from bayesem.publications.printed import Cell, Publication, read_printed

__all__ = ["closure", "explored", "from_printed", "publication", "readings"]

STARTS = {1: 0.4, -1: -0.7}
#: A second solution counts as another one if a correlation differs by more than this.
APART = 0.1


def publication(source: str | Path | Model | Publication) -> Publication:
    """What a study's codebook prints of its model.

    Parameters
    ----------
    source : str, Path, Model or Publication
        A study's name, a path to a ``.sem`` file with a codebook beside it, or a model that has
        a codebook.

    Raises
    ------
    StudyError
        If there is no codebook, or it prints nothing that can be inverted.
    """
    if isinstance(source, Publication):
        return source
    model = source if isinstance(source, Model) else read_model(source)
    book = model.codebook
    if book is None or not book.printed:
        raise StudyError(
            f"`{model.name or 'the model'}` has no printed numbers.",
            hint="Write `[printed.loadings]`, `[printed.fit]` and a table of paths in a codebook.",
        )
    return read_printed(book.printed, book.readings, book.n, design_of(model), path=book.path)


def from_printed(
    printed: Mapping[str, Any], n: int, design: Design, *, readings: Mapping[str, Any] | None = None
) -> Publication:
    """A publication from tables that are already in memory, such as those `publish` returns."""
    return read_printed(printed, readings or {}, n, design)


@lru_cache(maxsize=8)
def explored(source: Publication) -> tuple[tuple[Explored, ...], tuple[float, ...]]:
    """Every reading with its draws, and the readings' weights under an equal prior."""
    found = tuple(explore(source, reading) for reading in source.readings)
    log = np.array([one.log_evidence for one in found])
    return found, tuple(np.exp(log - logsumexp(log)).tolist())


def readings(source: str | Path | Model | Publication) -> pd.DataFrame:
    """The readings that a publication's printed numbers admit.

    A weight is the reading's marginal likelihood over the sum of all, so every reading has the same
    prior probability; that rows had to be relabelled does not count against one, and a
    correlation's sign counts by its prior, 2 Beta(4, 2) - 1.

    Parameters
    ----------
    source : str, Path, Model or Publication

    Returns
    -------
    DataFrame
        A row per reading, likeliest first. ``residual`` is the smallest squared misfit over
        estimates (tolerance 1%), critical ratios (3%) and baseline chi-square, and the columns
        ``std_*`` (paths), ``r_*`` (correlations), ``R2_*`` and ``baseline`` are of that
        solution; ``other_*`` are of a second solution with correlations of the other sign, if one
        is found. ``mean_r_*`` and ``sd_r_*`` are over the reading's weighted draws, ``ess`` of them
        effective. ``relabelled`` counts the rows whose printed label the reading overrules.
        ``weight_flat`` is the weight under a prior that is uniform on (-1, 1) for correlations.
    """
    known = publication(source)
    found, weights = explored(known)
    rows = [_row(known, one, weight) for one, weight in zip(found, weights, strict=True)]
    return (
        pd.DataFrame(rows)
        .assign(weight_flat=_flat_weights(found))
        .sort_values("weight", ascending=False, ignore_index=True)
    )


def _flat_weights(found: Sequence[Explored]) -> Floats:
    """Weights of the readings if no correlation were more plausible than another beforehand."""
    log = []
    for one in found:
        against = np.log(0.5) - correlation_prior(one.sample.correlations)
        log.append(one.log_evidence + logsumexp(against, b=one.sample.weight))
    return np.exp(np.array(log) - logsumexp(log))


def _row(known: Publication, one: Explored, weight: float) -> dict[str, Any]:
    reading, sample, design = one.reading, one.sample, known.design
    best, other = _two(known, one)
    row: dict[str, Any] = {
        "reading": reading.name,
        "assumes": reading.assumes,
        "residual": best.misfit,
        "weight": weight,
    }
    row |= dict(zip((f"std_{x}" for x in design.labels), _paths(design, best), strict=True))
    mean, sd = sample.mean(sample.correlations), sample.sd(sample.correlations)
    for c, (i, j) in enumerate(design.correlations):
        pair = f"{design.factors[i]}_{design.factors[j]}"
        row[f"r_{pair}"] = float(best.solution.Phi[0, i, j])
        row |= {f"mean_r_{pair}": float(mean[c]), f"sd_r_{pair}": float(sd[c])}
        row[f"other_r_{pair}"] = float(other.solution.Phi[0, i, j]) if other else np.nan
    row["other_residual"] = other.misfit if other else np.nan
    for k in sorted(set(design.to)):
        row[f"R2_{design.factors[k]}"] = float(1 - best.solution.psi[0, k])
    more = {"baseline": best.baseline, "relabelled": reading.relabelled, "ess": sample.ess}
    return row | more | {"log_evidence": one.log_evidence}


def _paths(design: Design, found: Closest) -> list[float]:
    return [float(x) for x in found.solution.Beta[0, list(design.to), list(design.origin)]]


def _two(known: Publication, one: Explored) -> tuple[Closest, Closest | None]:
    """The closest solution on the reading's side of zero, and another one if there is one."""
    sign, pairs = one.reading.sign, list(known.design.correlations)
    first, second = (
        closest(known, one.reading, start=STARTS[s]) for s in ((sign or 1), -(sign or 1))
    )
    if sign == 0 and second.misfit < first.misfit:
        first, second = second, first
    if not pairs:
        return first, None
    i, j = (list(side) for side in zip(*pairs, strict=True))
    apart = np.abs(first.solution.Phi[0, i, j] - second.solution.Phi[0, i, j]).max() > APART
    return first, second if apart else None


def closure(source: str | Path | Model | Publication, reading: str | None = None) -> pd.DataFrame:
    """How each reading closes, cell by cell.

    Parameters
    ----------
    source : str, Path, Model or Publication
    reading : str, optional
        Only this one.

    Returns
    -------
    DataFrame
        ``reading where item printed implied sd difference misprint``: a row per printed number of a
        path or fit index. ``implied`` and ``sd`` are over the reading's draws; ``misprint`` is the
        probability that the cell shows something else than what it should, 1 where the reading
        sets it aside. Numbers of the text, which no reading uses, stand beside what is implied
        for the path they are printed for.
    """
    known = publication(source)
    wanted = None if reading is None else known.reading(reading)
    found, _ = explored(known)
    kept = [one for one in found if wanted is None or one.reading == wanted]
    return pd.DataFrame([row for one in kept for row in _closure(known, one)])


def _closure(known: Publication, one: Explored) -> list[dict[str, Any]]:
    sample, rows = one.sample, []
    for j, evidence in enumerate(one.reading.evidence):
        wrong = sample.mean(sample.misprints[j])
        for cell, misprint in zip(evidence.cells, wrong, strict=True):
            rows.append(_cell_row(one, evidence.label, j, cell, float(misprint)))
    for label, cell in known.elsewhere:
        j = known.design.labels.index(label)
        rows.append(_cell_row(one, label, j, cell, float(not _repeats(one, j, cell))))
    return rows + _index_rows(known, one)


def _repeats(one: Explored, j: int, cell: Cell) -> bool:
    """Whether a number of the text shows what the reading holds true of its path."""
    same = [c for c in one.reading.evidence[j].cells if c.kind == cell.kind and not c.aside]
    return any(c.low <= cell.high and cell.low <= c.high for c in same)


def _cell_row(one: Explored, label: str, j: int, cell: Cell, misprint: float) -> dict[str, Any]:
    sample = one.sample
    estimate, error = sample.estimates[:, j], sample.errors[:, j]
    ratio = estimate / error
    values = {"est": estimate, "se": error, "cr": ratio, "p": chi2.sf(ratio**2, 1)}[cell.kind]
    implied = float(sample.mean(values))
    numeric = not (cell.kind == "p" and not np.isfinite(cell.high))
    return {
        "reading": one.reading.name,
        "where": f"{cell.table}.{cell.row}",
        "item": f"{label}.{cell.kind}",
        "printed": cell.shown,
        "implied": implied,
        "sd": float(sample.sd(values)),
        "difference": cell.value - implied if numeric else np.nan,
        "misprint": misprint,
    }


def _index_rows(known: Publication, one: Explored) -> list[dict[str, Any]]:
    sample, rows = one.sample, []
    implied = comparative_indices(known.design, known.chisq, sample.baseline)
    wrong = iter(sample.mean(sample.index_misprints))
    for index in known.indices:
        if index.name not in implied:
            continue  # GFI and AGFI depend on the direction of the residual: see rebuild
        mean = float(sample.mean(implied[index.name]))
        row: dict[str, Any] = {
            "reading": one.reading.name,
            "where": "fit",
            "item": index.name,
            "printed": index.shown,
        }
        row |= {"implied": mean, "sd": float(sample.sd(implied[index.name]))}
        rows.append(row | {"difference": float(index.shown) - mean, "misprint": float(next(wrong))})
    return rows
