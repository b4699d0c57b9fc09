"""Writes docs/figures/verdict.png: what the verdict on H2b rests on. Run: uv run python docs/make_figures.py"""

from pathlib import Path

import bayesem as sem

STUDY, READING, CLAIM = "alliance_mediation", "T", "H2b"

if __name__ == "__main__":
    moments = sem.rebuild(STUDY, READING, seed=1)[0]
    fit = sem.fit(STUDY, moments, seed=1, progress=False)
    claim = [p for p in sem.read_propositions(STUDY) if p.name == CLAIM]
    target = Path(__file__).parent / "figures" / "verdict.png"
    target.parent.mkdir(exist_ok=True)
    sem.plot_verdict(sem.assess(claim, fit), CLAIM, path=target)
