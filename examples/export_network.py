"""The three studies as one graph: verdicts, interventions, and what two studies add, by relevance.

Answers are generated: no survey of the whole exists. What study A's paper prints and study C
counted is theirs. With the fit already saved, as in ``python examples/export_network.py
network.nc``, it is read and not sampled again; sampling takes minutes.
"""

import sys
from pathlib import Path

import bayesem as sem

N, SEED = 500, 1
SAME = {"ENA": "NET", "EBP": "EP"}  # study A's alliance and performance are the network's: ours
BUNDLES = {"finance": {"FIN": 1.0}, "facilitation": {"BRIDGE": 1.0}}
ORDER = "share(bringing) > share(mediation)"
BEARS_ON = "std(total(BRIDGE -> NET)) > std(total(MED -> NET))"


def network(path: Path | None = None) -> sem.Fit:
    """The whole graph on labelled synthetic answers."""
    if path is not None and path.is_file():
        return sem.load(path)
    data = sem.generate("export_network", N, seed=SEED)
    fit = sem.fit("export_network", data, identify="unit", seed=SEED)
    if path is not None:
        sem.save(fit, path)
    return fit


def alliance_paths(draws: int = 1) -> sem.PathEvidence:
    """Study A's standardised paths, over the readings of its tables by their weights."""
    fits = [
        sem.fit("alliance_mediation", moments, identify="unit", seed=k, progress=False)
        for k, moments in enumerate(sem.rebuild("alliance_mediation", draws=draws, seed=SEED))
    ]
    return sem.path_evidence(fits, rename=SAME)


def companions_order(design_effect: float = 2.0) -> sem.OrderEvidence:
    """Study C's counts: bringing together against mediating."""
    counts = sem.fit_counts(
        "facilitated_alliance", design_effect=design_effect, draws=20_000, seed=SEED
    )
    return sem.order_evidence(counts, ORDER, BEARS_ON)


def main() -> None:
    fit = network(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
    print(sem.assess("export_network", fit))
    print(sem.bundle_effects(fit, "EP", BUNDLES).round(3).to_string(index=False))
    evidence = {"A": alliance_paths(), "C": companions_order()}
    found = sem.carry(fit, "export_network", evidence)
    print(found.paths.round(3).to_string(index=False))
    print(found)
    sem.plot_network(fit, "export_network.png")


if __name__ == "__main__":
    main()
