"""A report's sections on theme counts: what was counted, what is assumed, what would settle it."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pandas as pd

from bayesem.campaigns.interviews import Interviews, needed_text
from bayesem.codebook import Codebook
from bayesem.counts.fit import CountFit
from bayesem.counts.table import CountModel
from bayesem.errors import BayesemError
from bayesem.model import read_model
from bayesem.propositions import PropositionSet
from bayesem.reporting.blocks import Blocks, Links, Listing, Quote, Table, Text, Verbatim
from bayesem.reporting.deciding import wording_of_rule
from bayesem.reporting.describing import slim
from bayesem.reporting.shown import blocks_of, figure
from bayesem.reporting.writing import interval, number, probability, table_of, whole
from bayesem.robustness.counts import CountSensitivity
from bayesem.rounding import believed_text, factor_text
from bayesem.verdict_text import rule_text
from bayesem.verdicts import Verdicts

__all__ = [
    "assumed",
    "book_of",
    "counted",
    "doubts",
    "drawn",
    "fingerprints",
    "further",
    "judged",
    "leaning",
    "methods",
    "reproduce",
    "settled",
    "table_of_fit",
    "varied",
]  # fmt: skip

SMALL = "How often a theme is spoken of is not how much it matters to those who speak."
EFFECTS = (1.0, 2.0, 4.0)
ESTIMATED = (
    "Not varied: how much informants differ was estimated from the segments and not declared, and "
    "no reference stands beside them."
)
LETTERS = {"supported": "+", "refuted": "\N{MINUS SIGN}", "practically null": "0",
           "withheld": "w", "undecided": "?"}  # fmt: skip
PRIORS = {
    "flat": "all shares of the sub-themes that add to 1 are equally probable",
    "tree": "all shares of the themes are equally probable, and within each theme all of its "
    "sub-themes",
    "jeffreys": "Jeffreys' prior, a Dirichlet with concentrations of one half",
}


def book_of(fit: CountFit) -> Codebook | None:
    """The codebook of the study that the counts are of, if it has one with a model."""
    if fit.model.study is None:
        return None
    try:
        return read_model(fit.model.study).codebook
    except BayesemError:  # counts alone, without a model for survey data
        return None


def counted(fit: CountFit) -> Blocks:
    """The table of references by theme and sub-theme, with posterior shares."""
    model, book = fit.model, book_of(fit)
    source = "" if book is None else f" {book.title.rstrip('.')}. {book.source.rstrip('.')}."
    beside = (
        f" {model.left_out:,} of {model.total:,} references that were coded are not in the table."
        if model.left_out
        else ""
    )
    who = "" if model.informants is None else f" from {model.informants} informants"
    where = f" ({model.where})" if model.where else ""
    made = "SYNTHETIC: generated, not observed. " if fit.data.synthetic else ""
    text = f"{made}{model.listed:,} coded references{who}{where}.{beside}{source}"
    return blocks_of(Text(text), _shares(fit), Text(model.note, "note") if model.note else None)


def _shares(fit: CountFit) -> Table:
    table = fit.shares.set_index("theme")
    below = "\N{EN DASH} "
    rows = [
        (below * (k > 0) + name, fit.model.texts.get(name, ""),
         whole(table.loc[name, "references"]), number(table.loc[name, "mean"]),
         interval(table.loc[name, "lower"], table.loc[name, "upper"]))
        for theme, leaves in fit.model.themes.items()
        for k, name in enumerate((theme, *leaves))
    ]  # fmt: skip
    heads = ("Theme, and below it its sub-themes", "Stands for", "References", "Share",
             "95% interval")  # fmt: skip
    return slim(Table("References and posterior shares", heads, tuple(rows),
                      (False, False, True, True, True)))  # fmt: skip


def judged(propositions: PropositionSet, verdicts: Verdicts) -> PropositionSet:
    """Those that a verdict, or a reason for none, is given on."""
    names = set(verdicts.table["name"])
    return replace(propositions, items=tuple(p for p in propositions if p.name in names))


def drawn(plotted: Any) -> Blocks:
    """The shares with their intervals."""
    alt = "Posterior shares of themes and sub-themes with intervals; the table holds the same."
    return figure(plotted, "Posterior shares.", alt)


def assumed(fit: CountFit) -> Blocks:
    """Prior, clustering, and what became of the references beside the table."""
    s = fit.settings
    prior = PRIORS.get(s.priors, f"a Dirichlet with concentrations of {s.priors}")
    return Blocks((Listing(tuple(_assumed(fit, prior)), "Assumed:"),))


def _assumed(fit: CountFit, prior: str) -> Iterator[str]:
    yield f"Prior: {prior}."
    yield from _notes(fit)
    if fit.settings.others == "other":
        yield "References beside the table are one more sub-theme, called other."


def doubts(fit: CountFit) -> Blocks:
    """What weakens all verdicts alike."""
    said = (*_notes(fit), SMALL, "Who coded, and how well coders agree, is not in the table.")
    return Blocks((Listing(said, "What weakens them all:"),))


def _notes(fit: CountFit) -> Iterator[str]:
    """Notes of the fit, less what the banner says."""
    yield from (note for note in fit.notes if not note.startswith("SYNTHETIC"))


def table_of_fit(fit: CountFit) -> CountModel:
    """The table as the fit took it: references beside it left out, or one sub-theme more."""
    if fit.settings.others != "other":
        return fit.model
    themes = {**fit.model.themes, "other": {"other": fit.model.left_out}}
    return replace(fit.model, themes=themes)


def varied(fit: CountFit) -> dict[str, Any]:
    """What `bayesem.count_sensitivity` tries, the fit's own assumptions first."""
    effect, prior = fit.settings.design_effect, fit.settings.prior
    return {
        "design_effect": (effect, *(d for d in EFFECTS if d != effect)),
        "prior": (prior, *(p for p in PRIORS if p != prior)),
    }


def further(fit: CountFit) -> dict[str, Any]:
    """What `bayesem.interviews` looks at, under the fit's own prior."""
    effects = sorted({*EFFECTS, fit.settings.design_effect})
    return {"design_effect": tuple(effects), "prior": fit.settings.prior}


def _instead(found: Quote | None) -> Blocks:
    """A refusal, or why nothing was asked."""
    return Blocks((Text(ESTIMATED) if found is None else found,))


def leaning(found: Any) -> Blocks:
    """Each claim's probability and verdict with one assumption changed at a time."""
    if not isinstance(found, CountSensitivity):
        return _instead(found)
    frame = found.table.assign(
        before=[believed_text(p) for p in found.table["prior_probability"]],
        bf=[factor_text({**row, "bayes_factor_bound": ""}) for row in _records(found.table)],
    )
    cells = [f"{probability(r['probability'])} {LETTERS[r['verdict']]}" for r in _records(frame)]
    marks = "+ supported, \N{MINUS SIGN} refuted, 0 practically null, w withheld, ? undecided."
    first = _by_claim("Probability of each claim under other assumptions", frame["name"],
                      frame["setting"], cells, (marks, *_placed(found)))  # fmt: skip
    columns = {"name": "Claim", "setting": "Under", "verdict": "Verdict", "before": "Prior Pr",
               "probability": "Posterior Pr", "bf": "Bayes factor"}  # fmt: skip
    more = replace(table_of(frame, "The same with Bayes factors", columns), folded=True)
    return blocks_of(Listing(tuple(_moved(frame))), first, more)


def _by_claim(
    title: str, names: Iterable[str], heads: Iterable[str], cells: Iterable[str],
    notes: tuple[str, ...],
) -> Table:  # fmt: skip
    """A row per claim and a column per heading, in the order in which they come first."""
    known = {(name, head): cell for name, head, cell in zip(names, heads, cells, strict=True)}
    rows, columns = (tuple(dict.fromkeys(key[k] for key in known)) for k in (0, 1))
    body = tuple((name, *(known[name, head] for head in columns)) for name in rows)
    return Table(title, ("Claim", *columns), body, (False, *(True for _ in columns)), notes)


def _records(frame: pd.DataFrame) -> Iterator[Any]:
    return (row for _, row in frame.iterrows())


def _placed(found: CountSensitivity) -> Iterator[str]:
    if len(found.allocations):
        yield (
            "Left out against and for the claim: all references beside the table, placed where "
            f"they hurt or help it most, of {found.tried} ways to divide them evenly."
        )


def _moved(frame: pd.DataFrame) -> Iterator[str]:
    """A sentence for each claim whose verdict another assumption changes."""
    for name, rows in frame.groupby("name", sort=False):
        base = rows["verdict"].iloc[0]
        other = rows[rows["verdict"] != base]
        parts = [
            f"{verdict} under {', '.join(mine['setting'])}"
            for verdict, mine in other.groupby("verdict", sort=False)
        ]
        if parts:
            yield f"{name} is {base} as assessed; {'; '.join(parts)}."
        else:
            yield f"{name} is {base} under all of them."


def settled(found: Any) -> Blocks:
    """How many further interviews would decide each claim."""
    if not isinstance(found, Interviews):
        return _instead(found)
    cells = [needed_text(row) for row in _records(found.sizes)]
    heads = [f"Design effect {d:g}" for d in found.sizes["design_effect"]]
    title = f"Further interviews for a decisive verdict with probability {found.assurance:g}"
    note = (
        f"Interviews of {found.references} references each, as many as one has given so far; "
        f"{found.replicates} futures of each number. In brackets: two standard errors around."
    )
    return Blocks((_by_claim(title, found.sizes["name"], heads, cells, (note,)),))


def fingerprints(fit: CountFit, propositions: PropositionSet) -> Blocks:
    """SHA-256 of the propositions and of the file with the counts."""
    rows = [("Propositions", propositions.sha256)]
    rows += [("Codebook with the counts", fit.model.sha256)] if fit.model.sha256 else []
    return Blocks((Table("SHA-256 fingerprints", ("What", "SHA-256"), tuple(rows),
                         (False, False)),))  # fmt: skip


def methods(fit: CountFit, propositions: PropositionSet) -> Blocks:
    """A paragraph for a paper's methods section."""
    s = fit.settings
    how = {
        "exact": f"drawn exactly ({s.chains * s.draws:,} independent draws, seed {s.seed})",
        "nuts": f"sampled by NUTS ({s.chains} chains of {s.draws:,}, seed {s.seed})",
        "gibbs": f"sampled ({s.chains} chains of {s.draws:,}, seed {s.seed})",
    }[s.method]
    clustered = (
        "References counted as independent."
        if s.design_effect == 1
        else f"A design effect of {s.design_effect:g} was declared."
    )
    prior = PRIORS.get(s.priors, f"a Dirichlet with concentrations of {s.priors}")
    text = (
        f"Shares of {len(fit.model.subthemes)} sub-themes within {len(fit.model.themes)} themes "
        f"were given a Dirichlet tree as prior ({prior}) and their {fit.n:,} references a "
        f"multinomial distribution; the posterior was {how}. {clustered} {fit.convergence}. "
        f"{rule_text(propositions.rule)} {wording_of_rule(propositions.rule)}"
    )
    return Blocks((Text(text),))


def reproduce(fit: CountFit, seed: int, beside: dict[str, str]) -> Blocks:
    """The call that made the fit, the seeds and the files."""
    s = fit.settings
    path = next(p for name, p in beside.items() if name.startswith("Fit"))
    given: dict[str, Any] = {"draws": s.draws, "chains": s.chains, "seed": s.seed}
    known = {"design_effect": (s.design_effect, 1.0), "others": (s.others, "left out"),
             "prior": (s.prior, "flat"), "method": (s.method, "exact")}  # fmt: skip
    given |= {name: value for name, (value, usual) in known.items() if value != usual}
    options = ", ".join(f"{name}={value!r}" for name, value in given.items())
    again = f"again = sem.fit_counts(kept.model, {options})"
    if fit.phases:
        again = f"again = sem.fit_segments(..., draws={s.draws}, seed={s.seed})  # the code table"
    code = f"import bayesem as sem\n\nkept = sem.load({path!r})\n{again}"
    return blocks_of(
        Text("Run the notebook's cells from top to bottom; they load the fit and the propositions, "
             "and make every number and figure. To draw the shares again:"),
        Verbatim(code),
        Listing((f"{s.seed}, of the shares.", f"{seed}, of this report: other assumptions, further "
                 "interviews."), "Seeds:"),
        Links(tuple(beside.items()), "Files beside this report:"),
    )  # fmt: skip
