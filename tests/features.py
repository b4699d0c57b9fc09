"""Every feature on every kind of fit: what comes back, or the refusal in its own words.

``docs/features.md`` is made from this by ``uv run python tests/features.py``; ``test_features.py``
holds the two together.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import kinds
import numpy as np
import pandas as pd

import bayesem as sem
from bayesem.errors import BayesemError
from bayesem.posterior import Fit
from bayesem.refitting import prepared, sample

PAGE = Path(__file__).parents[1] / "docs" / "features.md"
TITLES = {
    "complete": "complete",
    "missing": "missing cells",
    "interaction": "product of factors",
    "outcome": "0/1 outcome",
    "moments": "`Moments`",
}
FAMILIES = {"outcome": {"bought": "bernoulli"}}
SHORT: dict[str, Any] = {"draws": 300, "tune": 300, "chains": 4}


def _again(kind: str, **arguments: Any) -> Any:
    return sem.fit(
        kinds.TEXTS.get(kind, kinds.LINEAR), kinds.data_of(kind), families=FAMILIES.get(kind),
        seed=1, progress=False, **SHORT, **arguments,
    )  # fmt: skip


def _psense(kind: str) -> pd.DataFrame:
    import arviz

    tree = sem.compute_log_likelihood(kinds.fit_of(kind))
    return arviz.psense_summary(tree, var_names=["path"])


@cache
def _rival(kind: str) -> Any:
    """The same model with its priors as they are and another seed: data and cases agree."""
    return sample(prepared(kinds.fit_of(kind)), seed=9, draws=500, tune=500)


def _compare(kind: str, **arguments: Any) -> pd.DataFrame:
    return sem.compare({"one": kinds.fit_of(kind), "two": _rival(kind)}, **arguments)


def _verdicts(kind: str) -> Any:
    return sem.assess(kinds.CLAIMS[kind], kinds.fit_of(kind))


def _model(kind: str) -> str:
    return kinds.TEXTS.get(kind, kinds.LINEAR)


def _on(function: str, **arguments: Any) -> Callable[[str], Any]:
    return lambda kind: getattr(sem, function)(kinds.fit_of(kind), **arguments)


def _calibrate(kind: str) -> Any:
    return sem.calibrate(
        _model(kind), kinds.data_of(kind), families=FAMILIES.get(kind), replicates=4, seed=1,
        workers=0, progress=False, draws=600, tune=600,
    )  # fmt: skip


def _design(kind: str) -> Any:
    return sem.design(
        _model(kind), kinds.CLAIMS[kind], _truth(kind), n=(100,), replicates=2, seed=1, workers=0,
        progress=False, families=FAMILIES.get(kind), **SHORT,
    )  # fmt: skip


def _truth(kind: str) -> dict[str, float]:
    labels = [name for name in kinds.fit_of(kind).table.labels]
    return dict.fromkeys(labels, 0.3)


FEATURES: dict[str, Callable[[str], Any]] = {
    "`loo`": _on("loo"),
    "`kfold`": _on("kfold", k=2, seed=1),
    "`information_criteria` (WAIC, DIC)": _on("information_criteria"),
    "`evidence`": _on("evidence"),
    "`compare`": partial(_compare, draws=200),
    "`fit_indices`: PPP": _on("fit_indices", indices=["PPP"]),
    "`fit_indices`: all": _on("fit_indices"),
    "`residuals`": _on("residuals"),
    "`predictive_checks`": _on("predictive_checks", draws=100),
    "`modifications`": _on("modifications"),
    "`reliability`": _on("reliability"),
    "`validity`": _on("validity"),
    "`fit(cross_loadings=)`": lambda kind: _again(kind, cross_loadings=0.08),
    "`fit(method_factor=)`": lambda kind: _again(kind, method_factor="CMB"),
    "`screen`": lambda kind: sem.screen(
        kinds.data_of(kind), _model(kind), families=FAMILIES.get(kind)
    ),
    "`influence`": lambda kind: sem.influence(kinds.fit_of(kind), kinds.CLAIMS[kind]),
    "`selection`": lambda kind: sem.selection(
        kinds.fit_of(kind), kinds.CLAIMS[kind], keep=(1.0, 0.8), draws=100
    ),
    "`prior_implications`": lambda kind: sem.prior_implications(
        _model(kind), kinds.data_of(kind), families=FAMILIES.get(kind), draws=500
    ),
    "`sensitivity`": lambda kind: sem.sensitivity(_verdicts(kind)),
    "`arviz.psense_summary`": _psense,
    "`calibrate`": _calibrate,
    "`design`": _design,
}


#: Cells that refit a model whose cases are integrated one by one, several times.
SLOW = {
    (feature, kind)
    for feature in ("`kfold`", "`compare`", "`selection`", "`calibrate`", "`design`")
    for kind in ("interaction", "outcome")
} | {
    ("`selection`", "missing"), ("`kfold`", "missing"), ("`calibrate`", "missing"),
    ("`fit(cross_loadings=)`", "interaction"), ("`fit(method_factor=)`", "interaction"),
}  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """What a feature did on a kind: its result, or its refusal in one line."""

    result: Any
    refusal: str | None


def cell(feature: str, kind: str) -> Cell:
    """Run one."""
    try:
        return Cell(FEATURES[feature](kind), None)
    except BayesemError as error:
        return Cell(None, f"{type(error).__name__}: {error.message} {error.hint or ''}".strip())


def says_something(result: Any) -> bool:
    """Whether a result holds finite numbers."""
    if isinstance(result, Fit):
        return bool(np.isfinite(result.draws["posterior"]["path"].to_numpy()).all())
    for name in ("table", "cases", "log_evidence", "elpd", "coefficients"):
        if name in dir(result) and not isinstance(result, pd.DataFrame):
            result = getattr(result, name)
            break
    if isinstance(result, pd.DataFrame):
        result = result.select_dtypes("number").to_numpy(float)
    return bool(np.isfinite(np.asarray(result, float)).any())


def page(cells: dict[tuple[str, str], Cell]) -> str:
    """The documentation's matrix."""
    notes: dict[str, str] = {}
    lines = [
        "# What works on which kind of fit",
        "",
        "Every *yes* is a test (`tests/test_features.py`); every letter is a refusal, quoted below",
        "as the package prints it. Made by `uv run python tests/features.py`.",
        "",
        "| | " + " | ".join(TITLES.values()) + " |",
        "|---|" + "---|" * len(TITLES),
    ]
    for feature in FEATURES:
        row = []
        for kind in kinds.KINDS:
            refusal = cells[feature, kind].refusal
            if refusal is None:
                row.append("yes")
                continue
            letter = notes.setdefault(refusal, _letter(len(notes)))
            row.append(f"no ({letter})")
        lines.append(f"| {feature} | " + " | ".join(row) + " |")
    lines.append("")
    lines += [f"- ({letter}) {text}" for text, letter in notes.items()]
    return "\n".join([*lines, ""])


def _letter(k: int) -> str:
    return "abcdefghijklmnopqrstuvwxyz"[k]


def written() -> dict[tuple[str, str], str | None]:
    """What the documentation says of every cell: None for a result, else the refusal's text."""
    rows, notes = {}, {}
    for line in PAGE.read_text().splitlines():
        if line.startswith("- ("):
            letter, _, text = line[3:].partition(") ")
            notes[letter] = text
        elif line.startswith("| `"):
            feature, *answers = [part.strip() for part in line.strip("|").split("|")]
            rows[feature] = answers
    return {
        (feature, kind): None if answer == "yes" else notes[answer[4:-1]]
        for feature, answers in rows.items()
        for kind, answer in zip(kinds.KINDS, answers, strict=True)
    }


if __name__ == "__main__":
    PAGE.write_text(page({(f, k): cell(f, k) for f in FEATURES for k in kinds.KINDS}))
