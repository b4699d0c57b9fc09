"""A study's result as plain values for JSON: the page's content, at full precision."""

import math
from dataclasses import asdict
from typing import Any

import pandas as pd

from bayesem import studies
from bayesem.campaigns.interviews import Interviews
from bayesem.model import Model, read_model
from bayesem.robustness.counts import CountSensitivity
from bayesem.study_counts import CountPart
from bayesem.study_notes import bounds, convergence, limits, pooled, rests_on, together
from bayesem.studying import StudyResult

__all__ = ["listed", "record", "rows_of"]


def record(result: StudyResult) -> dict[str, Any]:
    """Everything that the page shows.

    Returns
    -------
    dict
        ``study variant converged incomplete synthetic over verdicts by_reading parts readings
        closure fits counts not_assessed notes sha256 seconds``; a missing number is None.
    """
    rows, over = pooled(result)
    table = result.verdicts.table
    verdicts = [{**row, **_said(result, row["name"])} for row in rows_of(rows)]
    return {
        "study": result.study,
        "variant": result.model.variant,
        "converged": result.converged,
        "incomplete": result.incomplete,
        "synthetic": None if result.synthetic is None else asdict(result.synthetic),
        "over": over,
        "verdicts": verdicts,
        "by_reading": rows_of(table[table["reading"].isin(result.fits)]) if over else [],
        "parts": rows_of(result.verdicts.parts),
        "readings": [] if result.readings is None else rows_of(result.readings),
        "closure": [] if result.closure is None else rows_of(result.closure),
        "fits": [
            _fit(name, k + 1, one)
            for name, each in result.fits.items()
            for k, one in enumerate(each)
        ],
        "counts": None if result.counts is None else _counts(result.counts),
        "not_assessed": [{"name": p.name, "model": p.model} for p in result.elsewhere],
        "notes": [
            *convergence(result),
            *rests_on(result),
            *bounds(result),
            *together(result),
            *limits(result),
            *(result.counts.notes if result.counts is not None else ()),
            *result.notes,
        ],
        "sha256": {
            "propositions": result.propositions.sha256,
            "codebook": result.model.codebook.sha256 if result.model.codebook else None,
        },
        "seconds": result.seconds,
    }


def listed() -> list[dict[str, Any]]:
    """What `bayesem.study_page.listing` shows, a dict a study.

    Examples
    --------
    >>> [study["name"] for study in listed()][:1]
    ['alliance_mediation']
    """
    return [_listed(name, read_model(name)) for name in studies.own()]


def _listed(name: str, model: Model) -> dict[str, Any]:
    book = model.codebook
    return {
        "name": name,
        "title": book.title if book else "",
        "source": book.source if book else "",
        "variants": list(book.variants) if book else [],
        "readings": list(book.readings) if book else [],
        "counts": bool(book and book.counts),
        "declares_truth": studies.find(name).truth_path is not None,
        "factors": list(model.factors),
        "columns": list(model.observed),
    }


def _counts(part: CountPart) -> dict[str, Any]:
    settings = part.fit.settings
    return {
        "where": part.fit.model.where,
        "listed": part.fit.model.listed,
        "total": part.fit.model.total,
        "informants": part.fit.model.informants,
        "themes": {theme: dict(leaves) for theme, leaves in part.fit.model.themes.items()},
        "shares": rows_of(part.shares),
        "together": [] if part.together is None else rows_of(part.together),
        **(_leaning(part.sensitivity) if part.sensitivity is not None else {}),
        **(_needed(part.interviews) if part.interviews is not None else {}),
        **asdict(settings),
        "synthetic": part.fit.data.synthetic,
    }


def _leaning(found: CountSensitivity) -> dict[str, Any]:
    return {"sensitivity": rows_of(found.table), "allocations": rows_of(found.allocations)}


def _needed(found: Interviews) -> dict[str, Any]:
    return {
        "interviews": rows_of(found.sizes),
        "assurance": found.assurance,
        "references_by_interview": found.references,
    }


def _said(result: StudyResult, name: str) -> dict[str, Any]:
    """What the files say of a claim, and what is true where that is known."""
    p, made = result.propositions[name], result.synthetic
    declared = None if made is None else made.truth.get(name)
    return {"paper": p.paper, "note": p.note, "declared": declared}


def _fit(name: str, matrix: int, one: Any) -> dict[str, Any]:
    settings = one.settings
    return {
        "reading": name,
        "matrix": matrix,
        "model": one.model.name,
        "n": one.n,
        "converged": one.converged,
        "reasons": list(one.convergence.reasons),
        "priors": settings.priors,
        "draws": settings.draws,
        "tune": settings.tune,
        "chains": settings.chains,
        "seed": settings.seed,
    }


def rows_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as dicts; what JSON cannot say (a missing or infinite number) is None.

    Examples
    --------
    >>> rows_of(pd.DataFrame({"x": [1.0, float("nan")]}))
    [{'x': 1.0}, {'x': None}]
    """
    return [{str(k): _plain(v) for k, v in row.items()} for row in table.to_dict("records")]


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value
