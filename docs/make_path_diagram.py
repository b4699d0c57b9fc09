"""Writes docs/figures/path-diagram.svg. Run: uv run python docs/make_path_diagram.py"""

from pathlib import Path

import bayesem as sem

REBUILD_SEED, FIT_SEED = 1, 4


def main() -> None:
    """Fit the alliance study to the likeliest reading of its printed tables, and draw it."""
    moments = max(sem.rebuild("alliance_mediation", seed=REBUILD_SEED), key=lambda m: m.weight)
    fit = sem.fit("alliance_mediation", moments, draws=1500, seed=FIT_SEED, progress=False)
    path = Path(__file__).parent / "figures" / "path-diagram.svg"
    path.parent.mkdir(exist_ok=True)
    sem.plot_path(fit, path, r2=True)


if __name__ == "__main__":
    main()
