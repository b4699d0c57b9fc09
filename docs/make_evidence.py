"""Writes docs/evidence.md from the results that `uv run pytest -m slow` leaves. Run after it."""

import json
from pathlib import Path

import numpy as np

from bayesem.campaigns.pages import size_text

HERE = Path(__file__).parent
RESULTS = HERE.parent / "tests" / "calibration" / "results"


def main() -> None:
    """Read the results and write the page."""
    parts = [
        HEAD,
        seeds(),
        recovery(),
        circle(),
        coverage(),
        audits(),
        interactions(),
        propositions(),
        calibration(),
        designs(),
        ELSEWHERE,
    ]
    (HERE / "evidence.md").write_text("\n\n".join(p.strip() for p in parts if p) + "\n")


def load(name: str):  # type: ignore[no-untyped-def]
    """One result file."""
    return json.loads((RESULTS / f"{name}.json").read_text())


HEAD = """
# Evidence

Written by `docs/make_evidence.py` from the files in `tests/calibration/results`, which
`uv run pytest -m slow` makes anew (about an hour on two cores). No number here is typed in.
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


def campaigns():  # type: ignore[no-untyped-def]
    """Result files of campaigns, by name."""
    folder = RESULTS / "campaigns"
    return {p.stem: json.loads(p.read_text()) for p in sorted(folder.glob("*.json"))}


def calibration() -> str:
    """Simulation-based calibration by likelihood."""
    rows = {k: v for k, v in campaigns().items() if "gradient" in v}
    lines = [
        "## Simulation-based calibration",
        "",
        "Parameters from the prior, data from the parameters, a fit; ranks of the truths among the "
        "draws are uniform if prior, likelihood, Jacobian and sampler agree "
        "(`tests/calibration/campaigns.py` makes this anew, for hours; see "
        "docs/calibration-and-design.md). An alarm has probability at most .01 by line if nothing is "
        "wrong: every quantity must reach p = .01 / quantities. `alliance` is the whole of "
        "`alliance_mediation`; the others are small models, one for each likelihood.",
        "",
        "| calibrated | n | sets | counted | quantities | smallest p | needed | 90% intervals cover | "
        "gradient's error | passes |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, r in rows.items():
        p = [q["ecdf_p"] for q in r["table"]]
        cover = [q["coverage_90"] for q in r["table"]]
        lines.append(
            f"| {name} | {r['n']} | {r['replicates']} | {r['counted']} | {len(p)} | {min(p):.3f} | "
            f"{r['alpha'] / len(p):.4f} | {min(cover):.2f} to {max(cover):.2f} | {r['gradient']:.0e} | "
            f"{'yes' if r['ok'] else 'NO'} |"
        )
    return "\n".join(lines) if rows else ""


def designs() -> str:
    """Probabilities of verdicts by sample size."""
    parts = []
    for name, r in campaigns().items():
        if "sizes" not in r:
            continue
        parts += [
            f"## Design: {name}",
            "",
            f"`{r['study']}`{_part(r)}. {r['replicates']} exact replicates of each size (chains, Bayes factors, the verdict "
            f"rule); {r['not_converged']:.1%} of the fits did not converge. "
            f"Data come from {r['truth']}.",
            "",
            "| proposition | n | supported | refuted | practically null | undecided | withheld |",
            "|---|---|---|---|---|---|---|",
        ]
        parts += [
            f"| {q['name']} | {q['n']} | {q['supported']:.2f} | {q['refuted']:.2f} | "
            f"{q['practically null']:.2f} | {q['undecided']:.2f} | {q['withheld']:.2f} |"
            for q in r["table"]
        ]
        parts += [
            "",
            f"Smallest n for a probability of {r['assurance']:g} (95% interval): {_sizes(r)}.",
            "",
        ]
    return "\n".join(parts)


def _part(r) -> str:  # type: ignore[no-untyped-def]
    return f", the part that explains {r['part']}" if r.get("part") else ""


def _sizes(r) -> str:  # type: ignore[no-untyped-def]
    tried = [q["n"] for q in r["table"]]
    return "; ".join(f"{q['name']} {size_text(q, min(tried), max(tried))}" for q in r["sizes"])


def interactions() -> str:
    """Coverage of a latent interaction."""
    r = load("interactions")
    named = {"g1": "X on Y", "g2": "Z on Y", "w": "X:Z on Y", "r": "correlation of X and Z"}
    lines = [
        f"## A latent interaction: {r['sets']} sets of an independent generator, n = {r['n']}",
        "",
        "Truths are drawn anew for each set (product normal(0, 0.25)), answers are unrounded, the "
        "generator imports nothing of this package. "
        "Intervals by a normal approximation at the mode; on the first "
        f"{r['chains']['sets']} sets chains moved no mean by more than "
        f"{r['chains']['largest_gap_of_means']:.2f} posterior sds ({r['chains']['mean_gap_of_means']:.2f} on "
        f"average), and their sds were {r['chains']['mean_ratio_of_sds']:.3f} times as large.",
        "",
        f"| parameter | coverage of {r['mass']:.0%} intervals (binomial se "
        f"{np.sqrt(r['mass'] * (1 - r['mass']) / r['sets']):.3f}) | mean error in posterior sds | "
        "bias | root mean squared error |",
        "|---|---|---|---|---|",
    ]
    for key, text in named.items():
        b = r["by_parameter"][key]
        lines.append(
            f"| {text} | {b['coverage']:.3f} | {b['mean_z']:+.2f} | {b['bias']:+.3f} | {b['rmse']:.3f} |"
        )
    loadings = [b["coverage"] for k, b in r["by_parameter"].items() if "=~" in k]
    lines += ["", f"Loadings ({len(loadings)}): coverage {np.mean(loadings):.3f} on average."]
    return "\n".join(lines)


def propositions() -> str:
    """Operating characteristics of P1 to P5."""
    rows, agreement = load("propositions"), load("propositions_agreement")
    names = ("P1", "P2", "P3", "P4", "P5")
    sets = max(r["sets"] for r in rows)
    by = {(r["n"], r["truth"], r["wrong"], r["proposition"]): r for r in rows}
    lines = [
        "## P1 to P5: how often each verdict falls",
        "",
        f"{sets} data sets for each line, of the independent generator (about half of the firms export; P2 and "
        "the second halves of P3 and P4 rest on those). True effects are moderate: d1 .4; w1 = w2 = .2; r1 .5, r2 .4, "
        "r3 .1; n1 -.4, n2 -.3, n3 .1; k1 .3, k3 .15, in factor sds. False: all parts 0. Reversed: signs turned. "
        "Cells: supported / refuted / undecided, in percent (binomial se at most "
        f"{50 / np.sqrt(sets):.0f}). Verdicts by a normal approximation at the mode; "
        f"against chains its probabilities differ by {np.mean([a['mean_gap'] for a in agreement.values()]):.3f} "
        f"on average, at most {max(a['largest'] for a in agreement.values()):.3f}.",
        "",
        "| n | truth | what is wrong with the model | " + " | ".join(names) + " |",
        "|---|---|---|" + "---|" * 5,
    ]
    wrongs = {"nothing": "nothing", "omitted_moderator": "a moderator left out (ECO:DC .2 on EP)",
              "skewed": "skewed factors (chi-square 4)", "rounded": "answers rounded to 1-10"}  # fmt: skip
    for n, truth, wrong in dict.fromkeys((r["n"], r["truth"], r["wrong"]) for r in rows):
        cells = []
        for name in names:
            r = by[n, truth, wrong, name]
            parts = (100 * r[k] / r["sets"] for k in ("supported", "refuted", "undecided"))
            cells.append(" / ".join(f"{p:.0f}" for p in parts))
        lines.append(f"| {n} | {truth} | {wrongs[wrong]} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", reading(by)])


def reading(by) -> str:  # type: ignore[no-untyped-def]
    """What the table says, from its own numbers."""

    def share(n, truth, wrong, name, kind):  # type: ignore[no-untyped-def]
        r = by[n, truth, wrong, name]
        return 100 * r[kind] / r["sets"]

    false = [share(n, "false", "nothing", p, "supported") for n in (150, 300, 600)
             for p in ("P1", "P2", "P3", "P4", "P5")]  # fmt: skip
    p2 = [share(n, "true", "nothing", "P2", "supported") for n in (150, 300, 600)]
    others = {p: share(300, "true", "nothing", p, "supported") for p in ("P1", "P3", "P4", "P5")}
    skew = share(300, "false", "skewed", "P2", "supported")
    clean = share(300, "false", "nothing", "P2", "supported")
    back = [share(n, "reversed", "nothing", p, "refuted") for n in (600,)
            for p in ("P1", "P2", "P3", "P4", "P5")]  # fmt: skip
    listed = ", ".join(f"{p} {v:.0f}%" for p, v in others.items())
    return (
        f"In plain words: with the model right, a proposition that is false was supported in {np.mean(false):.1f}% of "
        f"sets (largest cell {max(false):.0f}%), and a false one mostly stays undecided: a zero effect is no refutation. At 300 "
        f"firms a true proposition was supported in {listed}. P2 needs two products among the exporting half: "
        f"{p2[0]:.0f}%, {p2[1]:.0f}% and {p2[2]:.0f}% at 150, 300 and 600 firms, so plan for far more. Reversed truths are refuted in "
        f"{min(back):.0f} to {max(back):.0f}% at 600. Skewed factors make a false P2 supported in {skew:.0f}% (clean: "
        f"{clean:.0f}%) at 300."
    )


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


def coverage() -> str:
    """The set that a rebuild returns, against the matrix that was printed."""
    if not (RESULTS / "rebuild_coverage.json").is_file():
        return ""
    r = load("rebuild_coverage")
    honest, wrong = r["honest"], r["misprint"]
    se = np.sqrt(r["stated"] * (1 - r["stated"]) / honest["rebuilt"])
    return "\n".join(
        [
            f"## Rebuilt sets against the matrices that were printed: {honest['rebuilt']} generated studies",
            "",
            "Random graphs of three to five factors (`tests/calibration/rebuild_coverage.py`), printed as papers print, rebuilt "
            f"from the print alone with {r['draws']} draws each; an element's range and the set of whole matrices are stated "
            f"to hold the printed study's own correlations with probability {r['stated']:.2f}.",
            "",
            "| | elements inside | whole matrices inside |",
            "|---|---|---|",
            f"| honest print | {honest['elements']:.3f} (se {honest['elements_se']:.3f}) | {honest['whole']:.2f} (binomial se {se:.2f}) |",
            f"| one critical ratio off by a fifth to a half ({wrong['rebuilt']} studies) | {wrong['elements']:.3f} (se {wrong['elements_se']:.3f}) | {wrong['whole']:.2f} |",
            "",
            f"The misprinted cell had a probability above one half in {wrong['cell_found']:.0%}; of the other cells "
            f"{wrong['others_accused']} of {wrong['other_cells']} had, and of the honest prints' {honest['others_accused']} of "
            f"{honest['other_cells']}.",
        ]
    )


def audits() -> str:
    """False alarms and power of the audit."""
    if not (RESULTS / "audit.json").is_file():
        return ""
    r = load("audit")
    two, three = r["honest"]["2"], r["honest"]["3"]
    bound = 3 / two["papers"]
    alarms = two["full"] + three["full"] + two["bare"] + three["bare"]
    lines = [
        f"## The audit: {r['papers']:,} generated papers",
        "",
        "Each paper (SYNTHETIC; `tests/generated_papers.py`) is a random graph fitted to random answers and printed to 2 and to "
        "3 decimals: demographics, means, loadings, reliability, factor correlations, fit, paths, Sobel tests, a "
        "regression, and text that repeats some. *Bare* papers say nothing twice and print no standard errors.",
        "",
        f"False alarms: {alarms} honest papers with a finding, among {two['comparisons'] + three['comparisons']:,} comparisons "
        f"in {two['papers'] + three['papers']:,} full and as many bare prints (by the rule of three, below {bound:.1%} "
        "of papers with 95% confidence).",
        "",
        "Power: share of papers with one planted error in which the audit finds something (binomial se at most "
        f"{_largest_se(r):.0%}).",
        "",
        "| planted error | 2 decimals | 3 decimals | 2, bare | 3, bare |",
        "|---|---|---|---|---|",
    ]
    for kind, by in r["planted"].items():
        cells = [_share(by[d], "found", "papers") for d in ("2", "3")]
        cells += [_share(by[d], "bare_found", "bare_papers") for d in ("2", "3")]
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", UNDETECTABLE])


def _share(cell, found: str, papers: str) -> str:  # type: ignore[no-untyped-def]
    return f"{cell[found] / cell[papers]:.0%}" if cell[papers] else "not printed"


def _largest_se(r) -> float:  # type: ignore[no-untyped-def]
    """Over the cells of the table."""
    shares = [
        (c[f] / c[n], c[n])
        for by in r["planted"].values()
        for c in by.values()
        for f, n in (("found", "papers"), ("bare_found", "bare_papers"))
        if c[n]
    ]
    return float(max(np.sqrt(p * (1 - p) / n) for p, n in shares))


UNDETECTABLE = """
Some errors no table can show. Alpha needs the items' variances, so a wrong alpha contradicts nothing. A wrong factor
correlation contradicts nothing unless it makes the matrix impossible. A mean or a standard deviation contradicts only
the whole numbers it is made of, and with n answers and d decimals every mean is possible once n reaches 10^d. Rows of
paths that change places whole agree with themselves; they show only where text, a second table, a Sobel test or the
rebuild speaks of the same paths. A wrong n shows where something was computed from it: percentages, degrees of
freedom, RMSEA. And an error smaller than the rounding of what it is held against is none that can be seen."""


if __name__ == "__main__":
    main()
