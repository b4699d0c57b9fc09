"""Which cells are misprints, given all the others: the mixture over readings, cell by cell."""

from collections.abc import Iterator
from decimal import Decimal
from math import sqrt

import pandas as pd

from bayesem.errors import NotAvailableError, StudyError
from bayesem.publications.audit.findings import CONSISTENT, INCONSISTENT, Finding, unknown
from bayesem.publications.audit.intervals import Interval, Printed, rounded
from bayesem.publications.audit.paper import Paper
from bayesem.publications.printed import Publication
from bayesem.publications.readings import closure, explored, publication

__all__ = ["misprints"]

LIKELY = 0.5
CHECK = "rebuild"


def misprints(paper: Paper) -> Iterator[Finding]:
    """A row per printed number of a path or index: its probability of being a misprint.

    Averaged over the readings by their weights. A row whose own label most readings overrule is a
    finding too.
    """
    where = paper.transcript.book.path.name
    if paper.model is None:
        yield unknown(CHECK, "all path tables", None, where, paper.without)
        return
    try:
        known = publication(paper.model)
        found, weights = explored(known)
        cells = closure(known)
    except (StudyError, NotAvailableError) as trouble:
        yield unknown(CHECK, "all path tables", None, where, f"no rebuild: {trouble.message}")
        return
    weight = {one.reading.name: w for one, w in zip(found, weights, strict=True)}
    cells = cells.assign(weight=cells["reading"].map(weight))
    yield from _moved(paper, known, weight)
    for (place, kind), rows in cells.assign(kind=cells["item"].str.rpartition(".")[2]).groupby(
        ["where", "kind"], sort=False
    ):
        yield _cell(paper, str(place), str(kind), rows)


def _moved(paper: Paper, known: Publication, weight: dict[str, float]) -> Iterator[Finding]:
    """Rows that belong to another path than the one they are printed for."""
    labels = {path.label: f"{path.outcome} ~ {path.predictor}" for path in known.design.paths}
    names: dict[tuple[str, int], dict[str, float]] = {}
    for reading in known.readings:
        belongs = {(c.table, c.row): e.label for e in reading.evidence for c in e.cells}
        for place, label in belongs.items():
            names.setdefault(place, {})
            own = names[place]
            own[label] = own.get(label, 0.0) + weight[reading.name]
    for (table, row), shares in names.items():
        printed = _label(paper, table, row)
        label = max(shares, key=lambda k: shares[k])
        total = sum(shares.values())
        moved = sum(w for k, w in shares.items() if labels[k] != printed) / total if total else 0.0
        if moved <= LIKELY:
            continue
        yield Finding(
            CHECK, f"row of {printed}", printed, labels[label], None, INCONSISTENT, float("nan"),
            _place(paper, table, row),
            f"belongs to {labels[label]} with probability {shares[label] / total:.2f}, by all "
            "printed numbers together", moved,
        )  # fmt: skip


def _label(paper: Paper, table: str, row: int) -> str:
    for one in paper.transcript.tables:
        if one.name == table:
            cells = one.rows[row - 1]
            return f"{cells.text_at('lhs')} ~ {cells.text_at('rhs')}"
    return table


def _place(paper: Paper, table: str, row: int) -> str:
    for one in paper.transcript.tables:
        if one.name == table:
            return one.rows[row - 1].where if row else one.where
    return table


def _cell(paper: Paper, place: str, kind: str, rows: pd.DataFrame) -> Finding:
    table, _, number = place.rpartition(".")
    where = _place(paper, table or place, int(number) if table else 0)
    share = rows["weight"] / rows["weight"].sum()
    wrong = float((share * rows["misprint"]).sum())
    implied = float((share * rows["implied"]).sum())
    spread = (share * (rows["sd"] ** 2 + (rows["implied"] - implied) ** 2)).sum()
    sd = sqrt(max(float(spread), 0.0))
    shown = str(rows["printed"].iloc[0])
    item = kind if not table else f"{_label(paper, table, int(number))}: {kind}"
    verdict = INCONSISTENT if wrong > LIKELY else CONSISTENT
    remedy = ""
    if wrong > LIKELY:
        remedy = (
            f"misprint with probability {wrong:.2f}; the other numbers imply {implied:.3f} "
            f"(sd {sd:.3f})"
        )
    printed = _number(shown)
    beyond = printed.value - implied if isinstance(printed, Printed) and wrong > LIKELY else 0.0
    interval = Interval(implied - 2 * sd, implied + 2 * sd)
    return Finding(CHECK, item, printed, implied, interval, verdict, beyond, where, remedy, wrong)


def _number(shown: str) -> Printed | str:
    return shown if shown.startswith("*") else rounded(Decimal(shown))
