"""Writes docs/priors.md: what the default priors imply, by simulation. Run: uv run python docs/make_priors.py"""

from pathlib import Path

import numpy as np

import bayesem as sem
from bayesem.decomposition import standardise
from bayesem.posterior import reported_matrices
from bayesem.preparation import prepare
from bayesem.priordraws import draw_prior

DRAWS = 20_000
HEAD = """# Priors: what they are and what they imply

Written by `docs/make_priors.py` from {draws:,} prior draws; nothing here is typed in by hand.

## Default priors

The home metric gives each factor a (residual) variance of 1; marker reporting rescales it, so verdicts
depend neither on `identify` nor on which indicator is the marker, as long as all run the same way. s is a quarter of the codebook's answer
range where it is known, else the sample's standard deviation; m the middle of the scale, else the mean.

| kind | prior |
|---|---|
| intercept | normal(m, 2.5 s) |
| loading, first order | normal(0.7 s, 0.4 s); the marker's is above 0 |
| loading, second order | normal(1, 0.5) |
| residual sd | gamma(2, 3/s): no density at 0, so no Heywood mode |
| path | normal(0, 0.5) up to 3 predictors, sd 0.5 sqrt(3/k) for k of them |
| factor correlations | LKJ(1) on the block |
| residual correlations | LKJ(2) on each connected block, restricted to its pattern of zeros |
| factor mean | normal(0, 1) |

A factor leaves the home metric only where the user's own statement is about the marker metric: a shared or
constrained label, a fixed non-zero value, or a prior given by label or cell. Then the same priors apply in
units of the marker (a factor's expected sd is 0.7 s of its marker), and the marker's choice matters.
A reverse-coded indicator has a loading 3.5 prior sds from the default's mean, which shrinks it a little (and its factor is
turned round if it is the marker; the fit then says so): better recode it first.
"""


def main() -> None:
    """Simulate and write."""
    lines = [HEAD.format(draws=DRAWS)]
    lines += ["## What they imply for the alliance model (n plays no part)\n"]
    lines += _implied("default") + _claims() + _predictors()
    lines += ["\n## The blavaan preset on the same model\n", *_implied("blavaan")]
    lines += [
        "\nFor reproduction only: with these, prior probabilities say nothing that anybody believes, so",
        "no Bayes factor is shown.\n",
    ]
    Path(__file__).with_name("priors.md").write_text("\n".join(lines))


def _matrices(model, priors, seed=1):  # type: ignore[no-untyped-def]
    data = sem.simulate(model, 400, seed=1)
    spec = prepare(model, data, priors=priors).spec
    return spec, reported_matrices(spec, draw_prior(spec, DRAWS, np.random.default_rng(seed)))


def _implied(preset: str) -> list[str]:
    spec, M = _matrices(sem.read_model("alliance_mediation"), preset)
    std = standardise(M)
    loadings = std.Lambda[:, std.Lambda[0] != 0]
    k = spec.table.factors.index("EBP"), spec.table.factors.index("RSC")
    path = std.Beta[:, k[0], k[1]]
    r2 = 1 - std.Psi[:, k[0], k[0]]
    sd = np.sqrt(np.einsum("nii->ni", M.Sigma)) / spec.stats.scale()
    return [
        "| quantity | 5% | 50% | 95% | |",
        "|---|---|---|---|---|",
        _row("standardised loading", loadings, f"{(loadings < 0).mean():.1%} negative"),
        _row("standardised path EBP ~ RSC", path, f"sd {path.std():.2f}"),
        _row("R2 of EBP (3 predictors)", r2, ""),
        _row("sd of an indicator, in sample sds", sd, ""),
    ]


def _row(name: str, values: np.ndarray, more: str) -> str:
    low, mid, high = np.quantile(values, [0.05, 0.5, 0.95])
    return f"| {name} | {low:.2f} | {mid:.2f} | {high:.2f} | {more} |"


def _claims() -> list[str]:
    data = sem.simulate("alliance_mediation", 400, seed=1)
    fit = sem.fit("alliance_mediation", data, seed=1, progress=False)
    table = sem.assess("alliance_mediation", fit).table
    head = [
        "\n### Prior probability of each shipped claim\n",
        "| claim | | Pr before the data |",
        "|---|---|---|",
    ]
    return head + [
        f"| {r.name} | `{r.claim}` | {r.prior_probability:.3f} |"
        for r in table.itertuples(index=False)
    ]


def _predictors() -> list[str]:
    lines = [
        "\n### R2 by number of predictors\n",
        "| predictors | 5% | 50% | 95% | |",
        "|---|---|---|---|---|",
    ]
    for k in (1, 3, 5, 9):
        factors = [f"F{j} =~ " + " + ".join(f"f{j}{i}" for i in range(3)) for j in range(k + 1)]
        text = "\n".join([*factors, "F0 ~ " + " + ".join(f"F{j}" for j in range(1, k + 1))])
        _, M = _matrices(sem.read_model(text), "default")
        lines.append(_row(str(k), 1 - standardise(M).Psi[:, 0, 0], ""))
    return lines


if __name__ == "__main__":
    main()
