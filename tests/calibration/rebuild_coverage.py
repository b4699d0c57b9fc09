"""Whether the matrix that a paper was printed from lies in the set rebuilt from its print.

Generated studies (SYNTHETIC; random graphs of three to five factors) are printed as papers
print, and rebuilt from the print alone. If the set is calibrated, a matrix and its rebuilt ones are
exchangeable: with 39 draws an element lies between the second smallest and the second
largest in 90% of cases, and so does the whole matrix by its largest deviation in any element.
Fifty of them with one critical ratio misprinted show whether its cell is found.

Run as a script (ten minutes): ``python tests/calibration/rebuild_coverage.py``.
"""

import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from generated_papers import study

from bayesem.errors import BayesemError
from bayesem.publications import from_printed, publish, rebuild
from bayesem.publications.readings import closure

STUDIES, MISPRINTED, DRAWS, EDGE = 200, 50, 39, 2
OUT = Path(__file__).parent / "results" / "rebuild_coverage.json"


def inside(R: np.ndarray, drawn: np.ndarray) -> tuple[np.ndarray, bool]:
    """Elements within their 90% ranges, and whether the whole matrix is in the 90% set."""
    i, j = np.tril_indices(len(R), -1)
    every = np.vstack([R[i, j], drawn[:, i, j]])
    ranks = every.argsort(0).argsort(0)[0]
    z = np.abs(every - every.mean(0)) / every.std(0)
    largest = z.max(1)
    return (ranks >= EDGE) & (ranks <= DRAWS - EDGE), bool(
        (largest < largest[0]).sum() < 0.9 * (DRAWS + 1)
    )


def misprinted(printed, rng):
    """One critical ratio off by a fifth to a half; its p stays."""
    rows = [dict(row) for row in printed["regression_weights"]["rows"]]
    at = int(rng.integers(len(rows)))
    factor = rng.uniform(1.2, 1.5)
    rows[at]["cr"] = round(rows[at]["cr"] * (factor if rng.uniform() < 0.5 else 1 / factor), 3)
    weights = {**printed["regression_weights"], "rows": rows}
    return {**printed, "regression_weights": weights}, at


def one(seed: int) -> dict[str, object]:
    """Coverage of one study, honest and with a misprint."""
    rng = np.random.default_rng([11, seed])
    made = study(seed)
    S, design, n = np.cov(made.answers.T), made.design, len(made.answers)
    R = np.corrcoef(made.answers.T)
    honest = publish(S, n, design)
    wrong, at = misprinted(honest, rng)
    row: dict[str, object] = {
        "seed": seed,
        "n": n,
        "indicators": len(R),
        "paths": len(design.paths),
    }
    for name, printed in (("honest", honest), ("misprint", wrong)):
        if name == "misprint" and seed >= MISPRINTED:
            continue
        try:
            source = from_printed(printed, n, design)
            moments = rebuild(source, draws=DRAWS, seed=seed)
        except BayesemError as trouble:
            row[name] = {"failed": str(trouble)}
            continue
        elements, whole = inside(R, np.array([m.cov.to_numpy() for m in moments]))
        cells = closure(source)
        cells = cells[cells["where"].str.startswith("regression")]
        named = (cells["where"] == f"regression_weights.{at + 1}") & cells["item"].str.endswith(
            "cr"
        )
        row[name] = {
            "elements": float(elements.mean()), "whole": whole,
            "cell": float(cells.loc[named, "misprint"].iloc[0]),
            "others": int((cells.loc[~named, "misprint"] > 0.5).sum()),
            "other_cells": int((~named).sum()),
        }  # fmt: skip
    return row


def main() -> None:
    """Run all and write the rates."""
    rows = [one(seed) for seed in range(STUDIES)]
    result: dict[str, object] = {"studies": STUDIES, "draws": DRAWS, "stated": 0.9, "rows": rows}
    for name in ("honest", "misprint"):
        done = [r[name] for r in rows if name in r and "failed" not in r[name]]  # type: ignore[operator]
        shares = np.array([d["elements"] for d in done])  # type: ignore[index]
        result[name] = {
            "rebuilt": len(done),
            "elements": float(shares.mean()),
            "elements_se": float(shares.std(ddof=1) / np.sqrt(len(done))),
            "whole": float(np.mean([d["whole"] for d in done])),  # type: ignore[index]
            "cell_found": float(np.mean([d["cell"] > 0.5 for d in done])),  # type: ignore[index]
            "others_accused": sum(d["others"] for d in done),  # type: ignore[index]
            "other_cells": sum(d["other_cells"] for d in done),  # type: ignore[index]
        }
    OUT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
