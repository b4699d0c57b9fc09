"""How the numbers of a report are got again, and what its terms mean."""

from collections.abc import Iterator, Mapping
from typing import Any

from bayesem.data import Moments
from bayesem.reporting.blocks import Blocks, Links, Listing, Text, Verbatim
from bayesem.reporting.shown import blocks_of

__all__ = ["glossary", "reproduce"]

#: Arguments of `bayesem.fit` that a fit's settings keep, shown where they are no defaults.
ALWAYS = ("draws", "tune", "chains", "seed")
DEFAULTS: Mapping[str, Any] = {
    "priors_argument": None, "identify": "marker", "means": True, "fixed_x": True,
    "sampler": "nutpie", "integrate": "auto", "families": None, "cross_loadings": None,
    "method_factor": None,
}  # fmt: skip
TERMS: Mapping[str, str] = {
    "Prior, posterior": "what is believed of a parameter before the data, and after them.",
    "Pr": "probability; of a claim: the share of draws in which it holds.",
    "Bayes factor": "what the data multiply the odds of a claim by; below 1 they speak against it.",
    "ROPE": "region of practical equivalence: sizes that are too small to matter.",
    "Standardised, std.all": "every variable, factors included, has standard deviation 1.",
    "95% interval": "holds the quantity with probability 0.95, if model and data are right.",
    "R-hat": "do the chains agree? 1 if they do; above 1.01 they are not to be believed.",
    "ESS": "effective sample size: how many independent draws the draws are worth.",
    "Divergence, E-BFMI": "signs that the draws missed a region; there should be no divergence, "
    "and E-BFMI should be at least 0.3.",
    "Power-scaling sensitivity": "how much a result moves when the prior (or the data) is given a "
    "little more weight; above 0.05 the prior counts as informative.",
    "Monte-Carlo error": "of a probability, because it is a share of finitely many draws.",
    "Reweighted, same draws": "another prior or rope on the draws of the fit, weighted anew or as "
    "they are, without a new fit.",
    "std(x), null(x)": "a parameter in standardised units; the claim that one is inside its rope.",
    "=~, ~, ~~": "is measured by; depends on; varies with (or, of one variable, its variance).",
    "Wishart, LKJ": "distribution of a sample's covariance matrix; a prior on correlations.",
    "Omega, alpha, AVE": "reliability of a sum of indicators, without and with equal loadings; the "
    "share of the indicators' variance that the factor explains.",
    "HTMT, HTMT2": "correlation of two factors as their indicators give it, by arithmetic and by "
    "geometric means; near 1 they cannot be told apart.",
    "Pareto k": "whether reweighted draws can be believed: below 0.7 they can.",
}


def reproduce(fit: Any, seed: int, beside: Mapping[str, str]) -> Blocks:
    """The call that made the fit, what each seed does, and the files.

    Parameters
    ----------
    fit : Fit
    seed : int
        Of the report.
    beside : mapping of str to str
        What each file is, and its path relative to the report.
    """
    return blocks_of(
        Text("Run the notebook's cells from top to bottom; they load the fit and the propositions, "
             "and make every number and figure. To sample the fit again:"),
        Verbatim("\n".join(_call(fit, beside))),
        Listing(tuple(_seeds(fit, seed, len(_paths(beside)) > 1)), "Seeds:"),
        Links(tuple(beside.items()), "Files beside this report:"),
    )  # fmt: skip


def _call(fit: Any, beside: Mapping[str, str]) -> Iterator[str]:
    """The code; of several fits each with its own data and seed, and the first one's settings."""
    settings = fit.settings
    paths = _paths(beside) or ["fit.nc"]
    many = len(paths) > 1
    given = {name: getattr(settings, name) for name in ALWAYS}
    given |= {name: value for name, default in DEFAULTS.items()
              if (value := getattr(settings, name)) != default}  # fmt: skip
    written = {_argument(name): repr(value) for name, value in given.items()}
    if many:
        written["seed"] = "kept.settings.seed"
    options = ", ".join(f"{name}={value}" for name, value in written.items())
    yield from ("import bayesem as sem", "")
    if many:
        yield f"for path in {paths!r}:"
    indent = "    " if many else ""
    yield f"{indent}kept = sem.load({'path' if many else repr(paths[0])})"
    if isinstance(fit.data, Moments):
        yield f"{indent}data = kept.data  # the matrix as it was fitted"
    else:
        yield f"{indent}data = ...  # the answers: a DataFrame, a row per case (fingerprint: Data)"
    yield f"{indent}again = sem.fit(kept.model, data, {options})"
    if settings.carried:
        yield "# The priors were carried over from another fit, or scaled: this call lacks them."


def _paths(beside: Mapping[str, str]) -> list[str]:
    """The files that hold fits."""
    return [path for name, path in beside.items() if name.startswith("Fit")]


def _argument(name: str) -> str:
    return name.removesuffix("_argument")


def _seeds(fit: Any, seed: int, several: bool) -> Iterator[str]:  # noqa: FBT001
    many = " whose tables are shown (each file has its own)" if several else ""
    yield f"{fit.settings.seed}, of the fit{many}: starts of the chains, their draws, prior draws."
    yield f"{seed}, of this report: replicated data, reweighting, refits where that fails."


def glossary() -> Blocks:
    """What the terms of a report mean, a line each."""
    return Blocks((Listing(tuple(f"{term}: {meaning}" for term, meaning in TERMS.items())),))
