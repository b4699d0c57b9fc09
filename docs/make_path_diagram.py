"""Writes docs/figures/path_diagram.svg. Run: uv run python docs/make_path_diagram.py"""

from pathlib import Path

import bayesem as sem

READING_SEED, FIT_SEED = 1, 4


def main() -> None:
    """Fit the alliance study on the likeliest reading of its tables, and draw it."""
    moments = max(sem.rebuild("alliance_mediation", seed=READING_SEED), key=lambda m: m.weight)
    fit = sem.fit("alliance_mediation", moments, draws=1500, seed=FIT_SEED, progress=False)
    sem.plot_path(fit, Path(__file__).parent / "figures" / "path_diagram.svg", r2=True)


if __name__ == "__main__":
    main()
