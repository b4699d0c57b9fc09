"""The template: sections of the report, each with the cell of code that makes it.

The code is fixed text. What a user wrote (names of rivals, of readings and of propositions) enters
it through `repr` alone, and so as a string literal; files are named by this package.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["Cell", "Sources", "cells", "count_cells"]


@dataclass(frozen=True, slots=True)
class Sources:
    """What the cells read: paths relative to the notebook.

    Attributes
    ----------
    fits : mapping of str to tuple of str, or str
        One file, or files by reading.
    main : (str, int) or None
        Of several readings: the one that tables of parameters are of, and which of its fits.
    propositions : str
        A ``.toml`` file.
    names : tuple of str
        Of the propositions.
    rivals : mapping of str to str
    files : mapping of str to str
        Further files whose fingerprints are wanted.
    beside : mapping of str to str
        Files that belong to the report: what each is, and its path.
    own : str
        What the fit is called among its rivals.
    seed : int
    """

    fits: Mapping[str, Sequence[str]] | str
    main: tuple[str, int] | None
    propositions: str
    names: tuple[str, ...]
    rivals: Mapping[str, str]
    files: Mapping[str, str]
    own: str
    seed: int
    beside: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cell:
    """A section: where it is found, its title, why it is there, its code; its name while it runs.

    Without a title it belongs to the section before it.
    """

    anchor: str
    title: str
    why: str
    code: str
    step: str = ""


IMPORTS = """\
import warnings

import bayesem as sem
from bayesem.reporting import (
    believed, describing, evidence, methods, reproducing, results, shown, summarising,
    weaknesses,
)

warnings.simplefilter("ignore", sem.ConvergenceWarning)  # the banner says it once
"""

SUMMARY = """
verdicts = sem.assess(propositions, fits)
sensitivity = shown.quoted(sem.sensitivity, verdicts, seed=SEED)
indices = shown.quoted(sem.fit_indices, fit, seed=SEED)
simple = shown.otherwise(indices, sem.fit_indices, fit, indices=("PPP", "BSRMR"), seed=SEED)
reliability = shown.quoted(sem.reliability, fit)
validity = shown.quoted(sem.validity, fit)
COMPARISON
shown.blocks_of(
    summarising.banners(fits),
    summarising.headline(verdicts),
    summarising.glance(verdicts, sensitivity),
    weaknesses.doubts(fit, simple, reliability, validity, comparison),
)"""

COMPARISON = "comparison = shown.quoted(sem.compare, {OWN: fit} | rivals, seed=SEED)\n"

CARDS = "summarising.cards(verdicts, sensitivity)"

ASKED = "describing.asked(propositions, fit)"

DATA = """\
shown.blocks_of(
    describing.data(fit),
    describing.readings(fits),
    describing.given_back(fit),
    describing.codebook(fit),
    describing.fingerprints(fit, propositions, FILES),
)"""

MODEL = "describing.model(fit, shown.quoted(sem.plot_path, fit))"

PRIORS = """\
implied = shown.quoted(
    sem.prior_implications, fit.model, shown.answers(fit), priors=fit.settings.priors_argument,
    identify=fit.settings.identify, means=fit.settings.means, fixed_x=fit.settings.fixed_x,
    families=fit.settings.families, seed=SEED,
)
shown.blocks_of(believed.priors(fit), believed.implied_by_priors(implied, fit))"""

CONVERGENCE = "results.convergence(fit, fits)"

FIT = """\
residuals = shown.quoted(sem.residuals, fit, seed=SEED)
figure = shown.quoted(sem.plot_residuals, fit, seed=SEED)
shown.blocks_of(
    results.fit_of_model(indices, simple, fit),
    results.misfit(residuals, fit),
    results.misfit_figure(figure),
)"""

MEASUREMENT = "results.measured(reliability, validity, fit)"

PATHS = """\
results.coefficients(
    shown.quoted(sem.summary, fit), shown.quoted(sem.summary, fit, standardized=True), fit
)"""

EFFECTS = """\
results.effects(
    shown.quoted(sem.effects, fit), shown.quoted(sem.effects, fit, standardized=True), fit
)"""

RIVALS = "evidence.rivals(comparison)"

NO_RIVALS = """\
shown.said("No rival model was given to this report. "
           "Whether another model explains these data better was not asked.")"""

SENSITIVITY = "evidence.leaning(sensitivity, verdicts)"

SCREENING = """\
screening = shown.quoted(
    sem.screen, shown.answers(fit), fit.model, families=fit.settings.families
)
evidence.screening(screening)"""

METHODS = "methods.methods(fit, propositions, fits)"

REPRODUCE = "reproducing.reproduce(fit, SEED, {beside!r})"

GLOSSARY = "reproducing.glossary()"


def cells(found: Sources) -> Iterator[Cell]:
    """Every section, in order."""
    only = "" if found.main is None else f" {_only(found)}"
    compared = COMPARISON if found.rivals else "comparison = None  # no rivals were given\n"
    summary = SUMMARY.replace("COMPARISON\n", compared + "\n")
    yield Cell("summary", "Verdicts", "", IMPORTS + _loading(found) + summary)
    yield Cell("one-by-one", "Verdicts one by one", "", CARDS)
    yield Cell("asked", "What was asked", "Each proposition in words, and the claim that stands "
               "for it.", ASKED)  # fmt: skip
    yield Cell("data", "Data", "What the verdicts rest on, and fingerprints of all that went in.",
               DATA)  # fmt: skip
    yield Cell("model", "Model", only.strip(), MODEL)
    yield Cell("priors", "Priors",
               f"What was believed before the data, and what that implies.{only}",
               PRIORS)  # fmt: skip
    yield Cell("convergence", "Convergence", "Whether the draws can be believed.", CONVERGENCE)
    yield Cell("fit", "Fit", f"Whether the model can have made such data.{only}", FIT)
    yield Cell("measurement", "Measurement",
               f"Whether the factors are measured, and distinct.{only}", MEASUREMENT)  # fmt: skip
    yield Cell(
        "parameters", "Parameters", f"Means of the posterior with 95% intervals.{only}", PATHS
    )
    yield Cell("effects", "Effects", f"Direct, indirect and total.{only}", EFFECTS)
    yield Cell("propositions", "Propositions in full", "", "evidence.verdict_table(verdicts)")
    for number, name in enumerate(found.names, 1):
        code = f"evidence.proposition(verdicts, {name!r})"
        yield Cell(f"proposition-{number}", "", "", code, f"Proposition {number}")
    yield Cell("rivals", "Rival models", "", RIVALS if found.rivals else NO_RIVALS)
    yield Cell("sensitivity", "Sensitivity", "What becomes of the verdicts under other priors and "
               "other regions of practical equivalence.", SENSITIVITY)  # fmt: skip
    yield Cell("screening", "Screening", "Unusual cases, and answers that are not normal.",
               SCREENING)  # fmt: skip
    yield Cell("methods", "Methods", "For the methods section of a paper.", METHODS)
    yield Cell("reproduce", "Reproduce", "How to get every number again.",
               REPRODUCE.format(beside=dict(found.beside)))  # fmt: skip
    yield Cell("glossary", "Glossary", "", GLOSSARY)
    yield Cell(
        "references", "References", "", f"methods.references(fit, rivals={bool(found.rivals)})"
    )


COUNT_IMPORTS = """\
import bayesem as sem
from bayesem.reporting import (
    counting, describing, evidence, methods, reproducing, shown, summarising,
)
"""

COUNT_SUMMARY = """
verdicts = sem.assess(propositions, fit)
leaning = None if fit.phases else shown.quoted(
    sem.count_sensitivity, propositions, counting.table_of_fit(fit), seed=SEED,
    **counting.varied(fit),
)
shown.blocks_of(
    summarising.banners(fit),
    summarising.headline(verdicts),
    summarising.glance(verdicts, leaning),
    counting.doubts(fit),
)"""

COUNT_ASKED = "describing.asked(counting.judged(propositions, verdicts), fit)"

COUNT_DATA = """\
shown.blocks_of(
    counting.counted(fit),
    counting.drawn(shown.quoted(sem.plot_shares, fit)),
    counting.fingerprints(fit, propositions),
)"""

INTERVIEWS = """\
further = None if fit.phases else shown.quoted(
    sem.interviews, propositions, counting.table_of_fit(fit), seed=SEED,
    **counting.further(fit),
)
counting.settled(further)"""


def count_cells(found: Sources) -> Iterator[Cell]:
    """Every section of a report on theme counts, in order."""
    yield Cell("summary", "Verdicts", "", COUNT_IMPORTS + _loading(found) + COUNT_SUMMARY)
    yield Cell("one-by-one", "Verdicts one by one", "", "summarising.cards(verdicts, leaning)")
    yield Cell("asked", "What was asked", "Each proposition in words, and the claim that stands "
               "for it.", COUNT_ASKED)  # fmt: skip
    yield Cell("data", "Data", "What was counted, and the shares that this allows.", COUNT_DATA)
    yield Cell("priors", "Assumptions", "Prior, clustering of references, and what is left out.",
               "counting.assumed(fit)")  # fmt: skip
    yield Cell("propositions", "Propositions in full", "", "evidence.verdict_table(verdicts)")
    for number, name in enumerate(found.names, 1):
        code = f"evidence.proposition(verdicts, {name!r})"
        yield Cell(f"proposition-{number}", "", "", code, f"Proposition {number}")
    yield Cell("sensitivity", "Other assumptions", "What becomes of the verdicts when one "
               "assumption is changed at a time.", "counting.leaning(leaning)")  # fmt: skip
    yield Cell("interviews", "Further interviews", "How many more would settle each claim.",
               INTERVIEWS)  # fmt: skip
    yield Cell("methods", "Methods", "For the methods section of a paper.",
               "counting.methods(fit, propositions)")  # fmt: skip
    yield Cell("reproduce", "Reproduce", "How to get every number again.",
               f"counting.reproduce(fit, SEED, {dict(found.beside)!r})")  # fmt: skip
    yield Cell("glossary", "Glossary", "", GLOSSARY)
    yield Cell("references", "References", "", "methods.references(fit)")


def _only(found: Sources) -> str:
    """Which of several fits a section is of."""
    assert found.main is not None
    name, at = found.main
    of = len(found.fits[name]) if isinstance(found.fits, Mapping) else 1
    which = f", matrix {at + 1} of {of}" if of > 1 else ""
    return f"Of reading {name} only, the heaviest{which}; verdicts and their sizes pool all."


def _loading(found: Sources) -> str:
    lines = ["", f"SEED = {found.seed!r}", f"FILES = {dict(found.files)!r}", ""]
    if isinstance(found.fits, str):
        lines += [f"fits = fit = sem.load({found.fits!r})"]
    else:
        lines += ["fits = {"]
        for name, paths in found.fits.items():
            loads = ", ".join(f"sem.load({path!r})" for path in paths)
            lines.append(f"    {name!r}: [{loads}],")
        assert found.main is not None
        name, at = found.main
        lines += ["}", f"fit = fits[{name!r}][{at!r}]  # tables of parameters are of this one"]
    lines.append(f"propositions = sem.read_propositions({found.propositions!r})")
    if found.rivals:
        lines += [f"OWN = {found.own!r}", "rivals = {"]
        lines += [f"    {name!r}: sem.load({path!r})," for name, path in found.rivals.items()]
        lines.append("}")
    return "\n".join(lines) + "\n"
