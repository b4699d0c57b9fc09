"""The methods paragraph and the references, from what a fit says of itself."""

import platform
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from bayesem.counts.fit import CountFit
from bayesem.propositions import PropositionSet
from bayesem.reporting.bibliography import entries, in_words
from bayesem.reporting.blocks import Blocks, Listing, Table, Text, Verbatim
from bayesem.reporting.counting import book_of
from bayesem.reporting.deciding import wording_of_rule
from bayesem.reporting.origin import (
    WEIGHTS,
    assumed,
    by_reading,
    kind_of_data,
    noted,
    rebuilt,
    source_of,
)
from bayesem.reporting.shown import blocks_of
from bayesem.rounding import LIGHT, share_text
from bayesem.verdict_text import rule_text

__all__ = ["methods", "references"]

PACKAGES = ("bayesem", "pymc", "nutpie", "arviz", "numpy", "scipy", "pandas", "xarray", "numba")


def methods(fit: Any, propositions: PropositionSet, fits: Any = None) -> Blocks:
    """A paragraph for a paper's methods section, and a table of settings and versions.

    Parameters
    ----------
    fit : Fit
    propositions : PropositionSet
    fits : {name: Fit or list of Fit}, optional
        All of several readings, ``fit`` among them.
    """
    pooled = _pooled(fits) if isinstance(fits, Mapping) else ""
    text = Text(" ".join(s for s in (*_sentences(fit, propositions), pooled) if s))
    left = noted(fit)
    notes = Listing(left, "Notes of the fit:") if left else None
    return blocks_of(text, notes, _settings(fit), _versions())


def _sentences(fit: Any, propositions: PropositionSet) -> Iterator[str]:
    s = fit.settings
    yield (
        f"A structural equation model with {len(fit.table.latent)} factors and "
        f"{len(fit.table.indicators)} observed variables ({len(fit.spec.parameters)} free "
        f"parameters) was fitted to {kind_of_data([fit])} by Bayesian inference."
    )
    if rebuilt(fit):
        yield (
            f"The matrix was rebuilt under reading {fit.data.reading} of the tables printed in "
            f"{source_of(fit)}: {assumed(fit) or 'what that assumes is not on file.'} No answers "
            "were available, so the model's fit could not be examined, and the results restate "
            "the printed estimates."
        )
    yield (
        f"The posterior was sampled with the No-U-Turn sampler ({s.sampler} "
        f"{_version(s.sampler)}): {s.chains} chains of {s.draws:,} draws after {s.tune:,} tuning "
        f"steps, seed {s.seed}."
    )
    own = "the package's defaults" if s.priors == "default" else f'"{s.priors}"'
    yield f"Priors were {own} (bayesem {_version('bayesem')})."
    said = str(fit.convergence)
    yield f"{said[0].upper()}{said[1:]}."
    yield (
        "Each proposition was judged by its posterior probability and by the Bayes factor of the "
        "claim against its complement, from the share of prior and posterior draws in which it "
        f"holds. {rule_text(propositions.rule)} {wording_of_rule(propositions.rule)}"
    )


def _pooled(fits: Mapping[str, Any]) -> str:
    """What verdicts are pooled over, where they are."""
    each = by_reading(fits)
    every = [fit for mine in each.values() for fit in mine]
    if len(every) < 2:
        return ""
    weights = {k: float(getattr(mine[0].data, "weight", 1.0)) for k, mine in each.items()}
    total = sum(weights.values())
    shown = {k: w / total for k, w in sorted(weights.items(), key=lambda one: -one[1])}
    shares = ", ".join(f"{k} {share_text(w)}" for k, w in shown.items() if w >= LIGHT)
    light = sum(w < LIGHT for w in shown.values())
    rest = f", and {light} more below .005 each" if light else ""
    why = f" {WEIGHTS}" if all(rebuilt(mine[0]) for mine in each.values()) else ""
    draws = sum(fit.settings.chains * fit.settings.draws for fit in every)
    tables = [fit.convergence.table for fit in every]
    r_hat = max(table["r_hat"].max() for table in tables)
    bulk, tail = (min(table[c].min() for table in tables) for c in ("ess_bulk", "ess_tail"))
    worst = (
        f"Over all of them R-hat is at most {r_hat:.3f}, bulk ESS at least {bulk:,.0f} and tail "
        f"ESS at least {tail:,.0f}."
    )
    return (
        f"The fit described here is one of {len(every)}, made in the same way under {len(each)} "
        f"readings of the data. Verdicts are of their mixture, {draws:,} draws in all, each "
        f"reading with its weight: {shares}{rest}.{why} {worst}"
    )


def _settings(fit: Any) -> Table:
    s = fit.settings
    rows = (
        ("Sampler", f"{s.sampler}, {s.route}"), ("Chains", str(s.chains)),
        ("Draws by chain", f"{s.draws:,}"), ("Tuning steps by chain", f"{s.tune:,}"),
        ("Seed", str(s.seed)), ("Metric of the factors", s.identify),
        ("Means modelled", "yes" if fit.spec.stats.use_mean else "no"),
        ("Observed predictors", "conditioned on" if s.fixed_x else "modelled"),
        ("Seconds by stage", ", ".join(f"{k} {v:.1f}" for k, v in fit.timings.items())),
    )  # fmt: skip
    return Table("Settings of the fit", ("Setting", "Value"), rows, (False, False))


def _versions() -> Table:
    rows = (("Python", platform.python_version()), *((p, _version(p)) for p in PACKAGES))
    return Table("Versions that wrote this report", ("Software", "Version"), rows, (False, False))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "(not installed)"


def references(fit: Any, *, rivals: bool = False) -> Blocks:
    """References in words, and as BibTeX."""
    found = entries(fit, rivals=rivals)
    words = sorted(in_words(entry) for entry in found.values())
    book = book_of(fit) if isinstance(fit, CountFit) else fit.model.codebook
    source = (book.source,) if book is not None and book.source else ()
    bibtex = "\n\n".join(found.values())
    return Blocks((Listing((*source, *words)), Verbatim(bibtex, "BibTeX:", aside=True)))
