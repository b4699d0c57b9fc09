"""False alarms and power of the audit on generated papers, by kind of error and printed decimals.

Run as a script (half an hour): ``python tests/calibration/audit_rates.py``. It writes
``results/audit.json``, from which `docs/make_evidence.py` makes a table.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from generated_papers import ERRORS, Generated, bare, codebook, paper, plant

from bayesem.publications.audit.report import audit

PAPERS, KINDS_A_PAPER = 1000, 6
OUT = Path(__file__).parent / "results" / "audit.json"


def inconsistent(made: Generated, folder: Path) -> tuple[list[str], int]:
    """Where the findings of an audit stand, and how many comparisons there were."""
    (folder / "paper.sem").write_text(made.graph)
    (folder / "paper.toml").write_text(codebook(made))
    table = audit(folder / "paper.toml", rebuild=False)
    return list(table.loc[table["verdict"] == "inconsistent", "where"]), len(table)


def rates(papers: int, kinds_a_paper: int, *, first: int = 0) -> dict[str, object]:
    """Counts over papers; each gets some kinds of error, one at a time, in turn.

    Every paper is audited in full and bare: without what it says twice.
    """
    kinds = list(ERRORS)
    honest = {d: {"papers": 0, "full": 0, "bare": 0, "comparisons": 0} for d in (2, 3)}
    names = ("papers", "found", "at_its_place", "bare_papers", "bare_found")
    power = {kind: {d: dict.fromkeys(names, 0) for d in (2, 3)} for kind in kinds}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for seed in range(first, first + papers):
            rng = np.random.default_rng([7, seed])
            for digits in (2, 3):
                made = paper(seed, digits)
                plain = bare(made)
                (full, count), (less, _) = inconsistent(made, folder), inconsistent(plain, folder)
                cell = honest[digits]
                cell["papers"] += 1
                cell["full"] += bool(full)
                cell["bare"] += bool(less)
                cell["comparisons"] += count
                for k in range(kinds_a_paper):
                    kind = kinds[(seed * kinds_a_paper + k) % len(kinds)]
                    planted = plant(made, kind, rng)
                    if planted is not None:
                        _count(power[kind][digits], *planted, plain, folder)
    return {"papers": papers, "honest": honest, "planted": power}


def _count(
    cell: dict[str, int], made: Generated, where: str, plain: Generated, folder: Path
) -> None:
    places, _ = inconsistent(made, folder)
    cell["papers"] += 1
    cell["found"] += bool(places)
    cell["at_its_place"] += any(where and where in place for place in places)
    less = bare(made)
    if codebook(less) == codebook(plain):
        return  # the error stood in what the bare paper does not print
    places, _ = inconsistent(less, folder)
    cell["bare_papers"] += 1
    cell["bare_found"] += bool(places)


if __name__ == "__main__":
    OUT.write_text(json.dumps(rates(PAPERS, KINDS_A_PAPER), indent=1) + "\n")
