"""The three studies as one graph: verdicts, interventions, and what two studies add, by relevance.

Answers are generated: no survey of the whole exists. What study A's paper prints and study C
counted is theirs. Sampling takes minutes; with a file to keep it in, as in ``python
examples/export_network.py network.nc``, the fit is saved, and read the next time.
"""

import argparse
from pathlib import Path

import bayesem as sem

SEED = 1
SAME = {"ENA": "NET", "EBP": "EP"}  # study A's alliance and performance are the network's: ours
BUNDLES = {"finance": {"FIN": 1.0}, "facilitation": {"BRIDGE": 1.0}}
ORDER = "share(bringing) > share(mediation)"
BEARS_ON = "std(total(BRIDGE -> NET)) > std(total(MED -> NET))"


def arguments() -> argparse.Namespace:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    add = parser.add_argument
    add("kept", nargs="?", type=Path, metavar="network.nc", help="where the fit is kept")
    add("--n", type=int, default=500, help="synthetic cases (500)")
    add("--draws", type=int, default=1000, help="draws by chain, after as many to tune (1000)")
    add("--figure", type=Path, default=Path("export_network.png"), help="where to draw")
    return parser.parse_args()


def network(o: argparse.Namespace) -> sem.Fit:
    """The whole graph on labelled synthetic answers."""
    if o.kept is not None and o.kept.is_file():
        return sem.load(o.kept)
    data = sem.generate("export_network", o.n, seed=SEED)
    fit = sem.fit("export_network", data, identify="unit", draws=o.draws, tune=o.draws, seed=SEED)
    if o.kept is not None:
        sem.save(fit, o.kept)
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
    o = arguments()
    fit = network(o)
    print(sem.assess("export_network", fit))
    print(sem.bundle_effects(fit, "EP", BUNDLES).round(3).to_string(index=False))
    evidence = {"A": alliance_paths(), "C": companions_order()}
    found = sem.carry(fit, "export_network", evidence)
    print(found.paths.round(3).to_string(index=False))
    print(found)
    sem.plot_network(fit, o.figure)


if __name__ == "__main__":
    main()
