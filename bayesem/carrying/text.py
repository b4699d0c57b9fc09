"""What is said of evidence that is carried over: what it is, what it assumes, what was refused."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from bayesem.carrying.sources import OrderEvidence, PathEvidence
from bayesem.carrying.weighting import Evidence
from bayesem.decision import WITHHELD
from bayesem.posterior import Fit
from bayesem.robustness.reweighting import GOOD_K

__all__ = ["REFUSED", "WITHOUT", "notes_on", "wide_text"]

REFUSED = "refused"
WITHOUT = "without"


def notes_on(fit: Fit, evidence: Mapping[str, Evidence], table: pd.DataFrame) -> Iterator[str]:
    if fit.data.synthetic or any(one.synthetic for one in evidence.values()):
        yield "SYNTHETIC DATA: these verdicts say what the procedure finds, nothing on the world."
    for name, one in evidence.items():
        yield _path_note(name, one) if isinstance(one, PathEvidence) else _order_note(name, one)
    yield (
        "A relevance is declared, not estimated: the power that a study's likelihood counts with. "
        "0 is without it; 1 takes its population for this one."
    )
    refused = table[table["verdict"] == REFUSED]
    pairs = zip(refused["evidence"], refused["relevance"], strict=True)
    for name, r in dict.fromkeys(pairs):
        yield (
            f"{name} at relevance {r:g} is refused: the draws lie too far from what it says for "
            f"weights to reach it (Pareto k above {GOOD_K:g}). Use more draws, a smaller "
            "relevance, or ask whether the two studies agree at all."
        )


def _path_note(name: str, one: PathEvidence) -> str:
    paths = ", ".join(f"{y} ~ {' + '.join(xs)}" for y, xs in one.equations)
    assumed = f" Assumed: {', '.join(one.assumes)}." if one.assumes else ""
    return (
        f"{name}: the standardised paths of {one.study} (n = {one.n}), {paths}, as regressions "
        f"among these factors alone; normal, its own prior taken out.{assumed}"
    )


def _order_note(name: str, one: OrderEvidence) -> str:
    return (
        f"{name}: {one.study} ({one.n} references) favours `{one.counted}` by a factor of "
        f"{np.exp(one.log_factor):.2g}, taken as evidence for `{one.claim}`. Assumed: what is "
        "talked of more does more."
    )


def wide_text(table: pd.DataFrame) -> str:
    """Probabilities (with a mark for the verdict) side by side."""
    marks = {"supported": "+", "refuted": "-", "practically null": "0", WITHHELD: "?"}
    cells = [
        "refused" if v == REFUSED else f"{p:.3f}{marks.get(v, ' ')}"
        for p, v in zip(table["probability"], table["verdict"], strict=True)
    ]
    heads = [
        e if e == WITHOUT else f"{e} {r:g}"
        for e, r in zip(table["evidence"], table["relevance"], strict=True)
    ]
    wide = table.assign(cell=cells, head=heads)
    names, order = (list(dict.fromkeys(wide[k])) for k in ("name", "head"))
    shown = wide.pivot(index="name", columns="head", values="cell").loc[names, order]
    shown.index.name = shown.columns.name = None
    return str(shown.to_string())
