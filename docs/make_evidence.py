"""Writes docs/evidence.md from the results that `uv run pytest -m slow` leaves. Run after it."""

import json
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
RESULTS = HERE.parent / "tests" / "calibration" / "results"


def main() -> None:
    """Read the results and write the page."""
    parts = [HEAD, seeds(), recovery(), circle(), ELSEWHERE]
    (HERE / "evidence.md").write_text("\n\n".join(p.strip() for p in parts) + "\n")


def load(name: str):  # type: ignore[no-untyped-def]
    """One result file."""
    return json.loads((RESULTS / f"{name}.json").read_text())


HEAD = """
# Evidence

Written by `docs/make_evidence.py` from the files in `tests/calibration/results`, which
`uv run pytest -m slow` makes anew (about eight minutes on two cores). No number here is typed in.
"""

ELSEWHERE = """
## Checked in every test run

| what | against | where |
|---|---|---|
| posterior modes under flat priors | lavaan's ML, to 1e-4 | `tests/test_reference.py` |
| posterior means and sds, raw and standardised, 24,000 draws, `priors="blavaan"` | blavaan, within 4 combined Monte-Carlo standard errors | `tests/test_reference.py` |
| log-density and gradient of every model in the zoo | PyMC graph, to 1e-10; casewise normal density; finite differences | `tests/test_kernel_contract.py` |
| missing cells (20%) | casewise density | `tests/test_kernel_contract.py` |
| raw data against their moments | same posterior | `tests/test_sampling.py` |
| the likelihood operation's gradient | PyTensor's own gradient of the plain formula | `tests/test_kernel_contract.py` |
| prior families | scipy to 1e-12, PyMC | `tests/test_priors.py` |
| prior draws of graph and package | each other, Kolmogorov-Smirnov | `tests/test_priors.py` |
| operating characteristics of the verdict rule | closed forms, by 200,000 simulated samples | `tests/test_operating_characteristics.py` |
"""


def seeds() -> str:
    """Political Democracy, 20 seeds."""
    rows = load("democracy_seeds")
    good = sum(r["converged"] for r in rows)
    helped = [r for r in rows if r["help"]]
    how = "; ".join(sorted({h for r in helped for h in r["help"]})) or "no help was needed"
    return f"""
## Political Democracy, default settings, {len(rows)} seeds

{good} of {len(rows)} converged, {len(helped)} after help ({how}). Largest R-hat of any quantity in any run:
{max(r["largest_r_hat"] for r in rows):.4f}; smallest bulk ESS: {min(r["smallest_ess"] for r in rows):.0f}. Against one long run (40,000
draws), the posterior mean that differed most did so by {max(r["largest_shift_in_sd"] for r in rows):.2f} posterior standard deviations: no run was
stuck in another mode."""


def recovery() -> str:
    """Coverage."""
    r = load("recovery")
    lines = [
        f"## Recovery: {r['sets']} simulated alliance data sets, n = {r['n']}",
        "",
        f"Coverage of {r['mass']:.0%} intervals: {r['all']['coverage']:.3f} over all {r['all']['intervals']:,} intervals "
        f"(standard error between sets {r['all']['standard_error_between_sets']:.3f}), {r['paths']['coverage']:.3f} over the "
        f"{r['paths']['intervals']} paths. {r['not_converged']} fits did not converge. True paths are scattered "
        "normal(0.25, 0.2).",
        "",
        f"| path | coverage (binomial se {np.sqrt(r['mass'] * (1 - r['mass']) / r['sets']):.3f}) |",
        "|---|---|",
        *(f"| {name} | {value:.2f} |" for name, value in r["by_path"].items()),
    ]
    return "\n".join(lines)


def circle() -> str:
    """Rebuild against raw data."""
    r = load("rebuild_circle")
    lines = [
        f"## The rebuild is no circle: {r['truths']} known truths",
        "",
        "From each truth raw data were generated, fitted and printed as the paper prints (loadings to 2 digits, weights,",
        "critical ratios and fit indices to 3); matrices were rebuilt from the print alone and fitted.",
        f"Verdicts agree in {r['agreement']:.1%} of {sum(c['of'] for c in r['by_claim'].values())}; opposite verdicts (supported against refuted): {r['opposite']}.",
        "",
        "| claim | verdicts that agree | mean difference of the probabilities |",
        "|---|---|---|",
        *(
            f"| {name} | {c['agree']} of {c['of']} | {c['mean_abs_difference']:.4f} |"
            for name, c in r["by_claim"].items()
        ),
        "",
        "Where they differ:",
        "",
        "| truth | claim | from raw data | from print |",
        "|---|---|---|---|",
        *(
            f"| {d['seed']} | {d['claim']} | {d['raw']} ({d['p_raw']:.3f}) | {d['printed']} ({d['p_printed']:.3f}) |"
            for d in r["disagreements"]
        ),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
