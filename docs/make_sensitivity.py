"""Writes docs/sensitivity.md with the package's own output. Run: uv run python docs/make_sensitivity.py"""

from pathlib import Path

import bayesem as sem

PAGE = """# What the priors say, and how far verdicts lean on them

Written by `docs/make_sensitivity.py`; the printed blocks are the package's own output.

## Before the data: `prior_implications(model, data, priors=..., draws=4000)`

Parameters are drawn from their exact joint prior (bounds, constraints and positive definiteness included), and what
they imply is summarised by medians and central 90% intervals. The data give only what priors may know of them: the
scales of default priors where no codebook has an answer scale, and the moments of observed predictors. Works for
every kind of model and for `Moments`. The tables: `.answers`, `.explained`, `.coefficients`, `.effects`, `.outcomes`.

How to read them

- **Answers.** The implied mean of an indicator, its implied sd, and how often they leave the codebook's scale. The
  default intercept prior is normal(m, 2.5 s), s a quarter of the range: in {outside} of its draws the implied mean of
  an indicator of an exogenous factor lies outside 1 to 10 (exactly 2 Phi(-.8) = 42.4%). That is wide on purpose:
  intercepts are what data know best. A prior that puts *every* mean inside says more than it seems.
- **Explained variance.** A prior on paths is a prior on R2. The default keeps the median of R2 between .34 and .39
  for three to nine predictors. `priors="blavaan"` puts it at 1.00: see [priors](priors.md).
- **Coefficients and effects.** `below 0` should be near one half for whatever you have a directional proposition on;
  otherwise the prior has decided part of it. Indirect effects are narrow beforehand even where paths are wide.
- **Outcomes.** Expected probability, time or count, and the ratio that two sds of a predictor bring. A ratio that
  nobody would believe is a reason to narrow the paths' prior.

The alliance study, before any data:

```
{implications}
```

## After the data: `sensitivity(verdicts)`

Takes what `assess` returned, and judges the same propositions, by the same rule, again:

- **ropes half and twice as wide** (`rope=(0.5, 2)`), on the same draws;
- **priors of paths and products half and twice as wide** (`prior=(0.5, 2)`, `kinds=("path", "interaction")`). The
  draws are weighted by the ratio of the two priors, the weights Pareto-smoothed, and the draws resampled in their order,
  so that everything that verdicts need (Monte-Carlo errors, prior probabilities of the scaled prior, pooling over
  readings) is computed as always. Where the weights are too uneven (k above .7) the model is fitted again with the
  scaled prior; `refit=True` always does, `refit=False` never (such verdicts are withheld).
- **power scaling** (Kallioinen et al. 2024, by ArviZ): prior and likelihood are raised to a power near 1; how far a
  quantity's distribution moves is its sensitivity. From .05 on the prior is informative for it. `prior and data
  disagree`: both move it. `strong prior, weak data`: only the prior does. A Boolean claim has no single quantity; for
  it the sensitivity is the change of its probability by doubling the power.

`.table` has a row per proposition and setting (`verdict verdict_as_fitted moves probability prior_probability
bayes_factor mcse way pareto_k`), `.claims` and `.parameters` power scaling, `.sentences` one plain sentence for
each verdict that leans on the prior or the ropes. A verdict that one setting *withholds* has not moved: more draws
are needed there.

What it does not tell: a prior that is not scaled (loadings, residual sds, intercepts, correlations) is looked at by
power scaling only; `kinds=("loading",)` scales it. Families without a scale apart from their location (gamma, beta,
uniform) cannot be scaled, and say so. Power scaling is of densities in home units (factor variance 1) and of standard
deviations, not variances: another parameterisation of the same prior would be scaled a little differently.

On 190 generated cases of the alliance model:

```
{sensitivity}
```

## By kind of fit

| | complete | missing cells | product | other outcome | `Moments` |
|---|---|---|---|---|---|
| `prior_implications` | yes | yes | yes | yes, with `.outcomes` | yes (no means where none are given) |
| `sensitivity`: ropes, priors | yes | yes | yes | yes | yes |
| power scaling of the prior | yes | yes | yes | yes | yes |
| power scaling of the likelihood | yes | yes | where its cases can be integrated | likewise | yes |
"""


def main() -> None:
    """Compute and write."""
    study = "alliance_mediation"
    data = sem.simulate(study, 190, seed=1)
    before = sem.prior_implications(study, data, draws=20_000)
    own = before.answers[before.answers["indicator"].str.startswith("rsc")]
    fit = sem.fit(study, data, seed=1, progress=False)
    after = sem.sensitivity(sem.assess(study, fit))
    text = PAGE.format(
        outside=f"{own['mean_outside'].mean():.1%}", implications=before, sensitivity=after
    )
    Path(__file__).with_name("sensitivity.md").write_text(text)


if __name__ == "__main__":
    main()
