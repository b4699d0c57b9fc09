"""Verdicts on propositions: what the draws of one fit, or of several readings, say on each."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayesem.arrays import Floats
from bayesem.claim_counts import refuse_foreign
from bayesem.claim_evidence import measure, without_prior
from bayesem.claims_evaluation import (
    Form,
    difference,
    idle_conditions,
    normal_form,
    scope,
    unnamed_moderators,
)
from bayesem.concerning import concerns, lacking, misplaced
from bayesem.counts.fit import CountFit
from bayesem.data import Moments
from bayesem.decision import (
    WITHHELD,
    Evidence,
    bayes_factor,
    judge,
    overridden,
    pool,
)
from bayesem.errors import PropositionError
from bayesem.propositions import NEEDS, Proposition, PropositionSet, Rule, read_propositions
from bayesem.rounding import LIGHT
from bayesem.verdict_text import explain, html, probability_text, rule_text, text

__all__ = ["UNTESTABLE", "Verdicts", "assess", "claims_of", "unanswered"]

NUMBERS = ["probability", "prior_probability", "bayes_factor", "mcse", "rope_mass", "attainable"]
FACTOR = ["bayes_factor_bound", "bayes_factor_mcse", "bayes_factor_unconstrained"]
COLUMNS = ["name", "says", "claim", *NUMBERS, "verdict", "estimate", "lower", "upper"]
COLUMNS += ["reading", "weight", *FACTOR, "reason"]
PART_COLUMNS = ["name", "reading", "joined", "part", *NUMBERS, *FACTOR, "verdict"]
POOLED = "pooled"
#: In the place of a verdict, where the data at hand cannot bear on a claim.
UNTESTABLE = "not testable"

#: Probability of the interval from ``lower`` to ``upper``, whatever the rule's threshold.
INTERVAL = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class Verdicts:
    """Verdicts with everything that they rest on.

    Attributes
    ----------
    table : DataFrame
        A row per proposition and reading: ``name says claim probability prior_probability
        bayes_factor mcse rope_mass attainable verdict estimate lower upper``, then
        ``bayes_factor_bound`` (``>`` or ``<`` where the factor is only a bound),
        ``bayes_factor_mcse``, ``bayes_factor_unconstrained`` and ``reason``; with ``reading`` and
        ``weight`` where several fits were given.
    parts : DataFrame
        A row per part of every conjunction (``joined`` by ``and``) and disjunction (by ``or``).
    notes : tuple of str
        The rule, multiplicity, and whatever limits the verdicts.
    propositions, fits : object
        What was assessed, so that it can be assessed again under another rule.
    rules : mapping of str to Rule
        The rule that each proposition was judged by, overrides included.
    """

    table: pd.DataFrame
    parts: pd.DataFrame
    notes: tuple[str, ...]
    propositions: Any = field(default=None, repr=False)
    fits: Any = field(default=None, repr=False)
    rules: Mapping[str, Rule] = field(default_factory=dict, repr=False)

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        return text(self.table, self.parts, self.notes)

    def _repr_html_(self) -> str:
        return html(self.table, self.notes)

    @property
    def weights(self) -> dict[str, float]:
        """Of the readings, adding to 1; empty where nothing is pooled."""
        if "reading" not in self.table or not self.table["reading"].eq(POOLED).any():
            return {}
        single = self.table[self.table["reading"] != POOLED].drop_duplicates("reading")
        found = dict(zip(single["reading"], single["weight"].astype(float), strict=True))
        return {name: weight / sum(found.values()) for name, weight in found.items()}

    @property
    def light(self) -> tuple[str, ...]:
        """Readings whose weight is 0.00 in print."""
        return tuple(name for name, weight in self.weights.items() if weight < LIGHT)


@dataclass(frozen=True, slots=True, eq=False)
class _Item:
    """A proposition ready to be assessed."""

    name: str
    says: str
    claim: str
    tree: Any
    earlier: Mapping[str, Any]
    form: Form
    rule: Rule
    model: str | None
    needs: str | None
    study: str | None


@dataclass(frozen=True, slots=True, eq=False)
class _Reading:
    """Fits whose draws are pooled with equal weight before anything is judged."""

    name: str | None
    fits: tuple[Any, ...]
    weight: float | None


@dataclass(frozen=True, slots=True, eq=False)
class _Finding:
    """A claim on one posterior, or on a mixture: evidence, truth and size by draw."""

    evidence: Evidence
    weights: tuple[float, ...]
    truth: tuple[np.ndarray, ...]
    size: tuple[Floats, ...]
    problems: tuple[str, ...]
    n: int | None
    remarks: tuple[str, ...] = ()


def assess(
    propositions: Any,
    fits: Any,
    *,
    prob: float | None = None,
    rope: Mapping[str, float] | float | None = None,
    min_bayes_factor: float | None = None,
) -> Verdicts:
    """Judge propositions on the draws of a fit, or of several.

    Parameters
    ----------
    propositions : PropositionSet, iterable of Proposition, {name: claim}, study or path
    fits : Fit or CountFit, or {name: Fit or list of Fit}
        A claim on shares is put to theme counts, any other to a survey's fit; both can be given
        together. A list is one reading of a publication, refitted to several rebuilt matrices: its
        draws count together, with equal weight, and every fit in it must have converged. Readings
        that carry weights get a pooled row; without weights none is assumed.
    prob, rope, min_bayes_factor : optional
        Override the propositions' own rule. ``rope`` is a half-width for every kind, or a mapping
        by kind (``path loading correlation interaction indirect``).

    Returns
    -------
    Verdicts

    Raises
    ------
    PropositionError
        For a claim that cannot be read or that names what the model does not have.
    NotAvailableError
        For a claim that needs a capability which does not exist yet.

    Notes
    -----
    The rule is `bayesem.decision.judge`. In order: withheld (chains not converged, or a threshold
    that matters within two Monte-Carlo standard errors), practically null, supported, refuted,
    undecided.
    """
    if getattr(propositions, "draws", None) is not None:
        hint = "Propositions come first: `sem.assess(claims, fit)`."
        raise PropositionError("a fit stands where the propositions belong.", hint=hint)
    readings = _readings(fits)
    if isinstance(propositions, str | Path | Mapping):
        propositions = read_propositions(propositions)
    items = [
        replace(
            item,
            rule=overridden(item.rule, prob=prob, rope=rope, min_bayes_factor=min_bayes_factor),
        )
        for item in claims_of(propositions)
    ]
    if not items:
        raise PropositionError("there are no propositions.", hint='Give some: {"P1": "a > 0"}.')
    findings = _findings(items, readings)
    several = isinstance(fits, Mapping)
    rows, parts = [], []
    for item in items:
        for name, weight, finding in findings[item.name]:
            row, its_parts = _row(item, finding)
            rows.append({**row, "reading": name, "weight": weight})
            parts += [{**part, "reading": name} for part in its_parts]
        rows += _untestable(item, readings, findings)
    table = pd.DataFrame(rows, columns=COLUMNS)
    detail = pd.DataFrame(parts, columns=PART_COLUMNS)
    notes = (*_notes(items, readings, findings, table), *_not_carried(propositions))
    if not several:
        table = table.drop(columns=["reading", "weight"])
        detail = detail.drop(columns="reading")
    rules = {item.name: item.rule for item in items}
    return Verdicts(table, detail, notes, propositions, fits, rules)


# --- what is assessed, and on what --------------------------------------------------------------


def claims_of(propositions: Any) -> Iterator[_Item]:
    """Propositions in whatever way they are given, ready to be assessed."""
    if isinstance(propositions, str | Path | Mapping):
        propositions = read_propositions(propositions)
    if isinstance(propositions, Proposition):
        propositions = (propositions,)
    known = isinstance(propositions, Iterable) and not isinstance(propositions, bytes)
    study = propositions.model if isinstance(propositions, PropositionSet) else None
    propositions = tuple(propositions) if known else (propositions,)
    earlier: dict[str, Any] = {}
    for p in propositions:
        if not isinstance(p, Proposition):
            raise PropositionError(
                f"a proposition is a {type(p).__name__}.",
                hint='Give {"P1": "a > 0"}, a study\'s name, or a path to a `.toml` file.',
            )
        if p.name in earlier:
            raise PropositionError(f"two propositions are called `{p.name}`.", label=p.name)
        form = normal_form(p.tree, earlier)
        yield _Item(
            p.name, p.says, p.claim, p.tree, dict(earlier), form, p.rule, p.model, p.needs, study
        )
        earlier[p.name] = p.tree


def _reproduces(fit: Any) -> bool:
    return bool(fit.settings.priors == "blavaan")


def _has_prior(fit: Any) -> bool:
    return "prior" in fit.draws.children


def _readings(fits: Any) -> list[_Reading]:
    if not isinstance(fits, Mapping):
        return [_reading(None, fits)]
    if not fits:
        raise PropositionError(
            "there are no fits to assess the propositions on.", hint="Give `sem.fit(...)`."
        )
    found = [_reading(str(name), value) for name, value in fits.items()]
    if any(reading.name == POOLED for reading in found):
        raise PropositionError(
            f"a reading cannot be called `{POOLED}`: that row is the mixture.",
            hint="Choose another name.",
        )
    weights = [reading.weight for reading in found]
    if any(w is None for w in weights):
        return [replace(reading, weight=None) for reading in found]
    total = sum(w for w in weights if w is not None)
    if not total > 0:
        raise PropositionError(
            "the weights of the readings sum to 0.", hint="Give one some weight."
        )
    return [replace(reading, weight=(reading.weight or 0.0) / total) for reading in found]


def _check_fit(fit: Any) -> None:
    if getattr(fit, "draws", None) is None:
        raise PropositionError(
            f"a fit is a {type(fit).__name__}.",
            hint="Give what `sem.fit(...)` or `sem.load(path)` returns, or {name: fit}.",
        )


def _reading(name: str | None, value: Any) -> _Reading:
    fits = tuple(value) if isinstance(value, list | tuple) else (value,)
    if not fits:
        raise PropositionError(f"the reading `{name}` has no fits.", hint="Leave it out.")
    for fit in fits:
        _check_fit(fit)
    weights = [
        fit.data.weight
        for fit in fits
        if isinstance(fit.data, Moments) and fit.data.reading is not None
    ]
    known = len(weights) == len(fits)
    return _Reading(name, fits, float(np.mean(weights)) if known else None)


# --- evidence -----------------------------------------------------------------------------------

type _Found = tuple[str | None, float | None, _Finding]


def _findings(items: Sequence[_Item], readings: Sequence[_Reading]) -> dict[str, list[_Found]]:
    """Every proposition on every reading, and on their mixture where they have weights."""
    found: dict[str, list[_Found]] = {item.name: [] for item in items}
    both = len({isinstance(f, CountFit) for r in readings for f in r.fits}) > 1
    for reading in readings:
        each = [
            _measure_fit([item for item in items if not (both and misplaced(item, fit))], fit)
            for fit in reading.fits
        ]  # one fit's matrices at a time
        for item in items:
            mine = [one[item.name] for one in each if item.name in one]
            if mine:
                equal = [1 / len(mine)] * len(mine)
                mixed = _mix(mine, equal, sampled=True)
                found[item.name].append((reading.name, reading.weight, mixed))
    for entries in found.values():
        weights = [weight for _, weight, _ in entries if weight is not None]
        if len(weights) == len(readings) > 1:
            mixed = _mix([f for *_, f in entries], weights, sampled=False)
            entries.append((POOLED, 1.0, mixed))
    return found


def _measure_fit(items: Sequence[_Item], fit: Any) -> dict[str, _Finding]:
    posterior = scope(fit)
    prior = scope(fit, "prior") if _has_prior(fit) else posterior
    problems = () if fit.converged else tuple(fit.convergence.reasons) or ("not converged",)
    found = {}
    for item in items:
        if concerns(item, fit):
            if isinstance(fit, CountFit):
                refuse_foreign(item.form)
            evidence, truth, _ = measure(item.form, posterior, prior, item.rule)
            if not _has_prior(fit) or _reproduces(fit):
                evidence = without_prior(evidence)
            size = difference(item.tree, item.earlier, posterior)
            sizes = () if size is None else (size,)
            remarks = () if isinstance(fit, CountFit) else tuple(_remarks(item.form, fit.table))
            found[item.name] = _Finding(
                evidence, (1.0,), (truth,), sizes, problems, int(fit.n), remarks
            )
    return found


def _untestable(
    item: _Item, readings: Sequence[_Reading], findings: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """A row for a claim on theme counts that waits for data of another kind."""
    counted = [r for r in readings if any(isinstance(fit, CountFit) for fit in r.fits)]
    if item.needs is None or findings[item.name] or not counted:
        return []
    reason = f"not testable from the table; what would make it so: {NEEDS[item.needs]}"
    return [{**unanswered(item, UNTESTABLE, reason), "reading": counted[0].name, "weight": None}]


def unanswered(item: Any, verdict: str, reason: str) -> dict[str, Any]:
    """A row for a claim that no data at hand can answer.

    Parameters
    ----------
    item : Proposition
    verdict, reason : str
        What stands in the place of a verdict, and why.
    """
    said = {"name": item.name, "says": item.says, "claim": item.claim}
    numbers = dict.fromkeys([*NUMBERS, *FACTOR, "estimate", "lower", "upper"], np.nan)
    return {**numbers, **said, "bayes_factor_bound": "", "verdict": verdict, "reason": reason}


def _mix(found: Sequence[_Finding], weights: Sequence[float], *, sampled: bool) -> _Finding:
    if len(found) == 1:
        return found[0]
    cases = {f.n for f in found}
    return _Finding(
        pool([f.evidence for f in found], weights, sampled=sampled),
        tuple(w * v for f, w in zip(found, weights, strict=True) for v in f.weights),
        tuple(t for f in found for t in f.truth),
        tuple(s for f in found for s in f.size),
        tuple(dict.fromkeys(p for f in found for p in f.problems)),
        cases.pop() if len(cases) == 1 else None,
        tuple(dict.fromkeys(remark for f in found for remark in f.remarks)),
    )


def _remarks(form: Form, table: Any) -> Iterator[str]:
    """At which values of moderators a claim was looked at, where it does not say so itself."""
    idle = idle_conditions(form, table)
    if idle:
        yield f"{', '.join(idle)}: no product, so the condition is idle"
    yield from unnamed_moderators(form, table)


# --- rows ---------------------------------------------------------------------------------------


def _row(item: _Item, finding: _Finding) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    numbers = _numbers(finding.evidence, item.rule)
    if finding.problems:
        verdict, reason = WITHHELD, "not converged: " + "; ".join(finding.problems)
    else:
        verdict = numbers["verdict"]
        reason = explain(finding.evidence, verdict, item.rule, finding.n)
    reason = "; ".join(part for part in (reason, *finding.remarks) if part)
    estimate, lower, upper = _size(finding)
    row = {
        **numbers,
        "name": item.name,
        "says": item.says,
        "claim": item.claim,
        "verdict": verdict,
        "estimate": estimate,
        "lower": lower,
        "upper": upper,
        "reason": reason,
    }
    parts = [_numbers(part, item.rule) for part in finding.evidence.parts]
    if finding.problems:
        parts = [{**part, "verdict": WITHHELD} for part in parts]
    joined = "and" if finding.evidence.kind == "all" else "or"
    return row, [{**part, "name": item.name, "joined": joined} for part in parts]


def _numbers(evidence: Evidence, rule: Rule) -> dict[str, Any]:
    bf = bayes_factor(evidence)
    p, c = float(evidence.probability), float(evidence.prior)
    return {
        "part": evidence.text,
        "probability": p,
        "prior_probability": c,
        "bayes_factor": float(bf.value),
        "bayes_factor_bound": "" if np.isnan(bf.value) else {1: ">", -1: "<", 0: ""}[int(bf.side)],
        "bayes_factor_mcse": float(bf.mcse),
        "bayes_factor_unconstrained": p / c if c > 0 else np.nan,
        "mcse": float(evidence.mcse),
        "rope_mass": float(evidence.rope_mass),
        "attainable": float(evidence.attainable),
        "verdict": str(judge(evidence, rule)),
    }


def _size(finding: _Finding) -> tuple[float, float, float]:
    """Mean and central interval of the weighted draws."""
    if not finding.size:
        return np.nan, np.nan, np.nan
    values = np.concatenate([size.ravel() for size in finding.size])
    weights = np.concatenate(
        [np.full(s.size, w / s.size) for s, w in zip(finding.size, finding.weights, strict=True)]
    )
    ends = ((1 - INTERVAL) / 2, (1 + INTERVAL) / 2)
    if len(finding.size) == 1:
        lower, upper = np.quantile(values, ends)
    else:
        order = np.argsort(values)
        middle = np.cumsum(weights[order]) - weights[order] / 2
        lower, upper = np.interp(ends, middle, values[order])
    return float(weights @ values), float(lower), float(upper)


# --- notes --------------------------------------------------------------------------------------


def _notes(
    items: Sequence[_Item],
    readings: Sequence[_Reading],
    findings: Mapping[str, list[_Found]],
    table: pd.DataFrame,
) -> Iterator[str]:
    fits = [fit for reading in readings for fit in reading.fits]
    if any(fit.data.synthetic for fit in fits):
        yield "SYNTHETIC DATA: these verdicts say what the procedure finds, nothing on the world."
    yield from dict.fromkeys(rule_text(item.rule) for item in items)
    if any(map(_reproduces, fits)):
        yield (
            'Priors "blavaan" are for reproduction: they put absurd weight on most claims, so no '
            "Bayes factor is shown, and the probability alone decides."
        )
    if not all(map(_has_prior, fits)):
        yield (
            "A prior is improper, so no claim has a prior probability and no Bayes factor is "
            "shown; the probability alone decides."
        )
    answered = set(table["name"])
    yield from _idle([item for item in items if item.name not in answered], fits)
    kinds = {isinstance(fit, CountFit) for fit in fits}
    if len(readings) > len(kinds) and any(reading.weight is None for reading in readings):
        yield "The fits carry no weights, so no pooled row is given."
    yield from _multiplicity(findings, table)


def _idle(items: Sequence[_Item], fits: Sequence[Any]) -> Iterator[str]:
    """Which propositions no fit was asked, and why."""
    gone = {item.name: [lacking(item, fit) for fit in fits] for item in items}
    cut = {name: min(each, key=len) for name, each in gone.items() if any(each)}
    if cut:
        said = "; ".join(f"{name} ({', '.join(what)})" for name, what in cut.items())
        yield f"Not assessed, because the part that was fitted has not what they name: {said}."
    others = [item for item in items if item.name not in cut]
    if others:
        about = ", ".join(dict.fromkeys(str(item.model or item.study) for item in others))
        names = ", ".join(item.name for item in others)
        yield f"Not assessed, because they speak of another model ({about}): {names}."


def _not_carried(propositions: Any) -> Iterator[str]:
    """What stayed behind of included studies, by reason."""
    left = propositions.left if isinstance(propositions, PropositionSet) else ()
    for study in dict.fromkeys(one.study for one in left):
        said: dict[str, list[str]] = {}
        for one in left:
            if one.study == study:
                said.setdefault(one.reason, []).append(one.name)
        why = "; ".join(f"{', '.join(names)} ({reason})" for reason, names in said.items())
        yield f"Not carried over from {study}: {why}."


def _multiplicity(findings: Mapping[str, list[_Found]], table: pd.DataFrame) -> Iterator[str]:
    table = table[table["probability"].notna()]
    names = list(dict.fromkeys(table["reading"]))
    for reading in [POOLED] if POOLED in names else names:
        rows = table[table["reading"].isna() if reading is None else table["reading"] == reading]
        supported = rows[rows["verdict"] == "supported"]
        where = "" if reading is None else f" ({reading})"
        if supported.empty:
            yield f"Supported claims{where}: none of {len(rows)}."
            continue
        expected = float((1 - supported["probability"]).sum())
        joint = _joint(supported["name"], reading, findings)
        yield (
            f"Supported claims{where}: {len(supported)} of {len(rows)}. Expected number of false "
            f"supports among them: {_few(expected)}. Probability that all of them hold: "
            f"{probability_text(joint)}."
        )


def _few(expected: float) -> str:
    return f"{expected:.2g}" if expected > 0 else "none in any draw"


def _joint(
    names: Iterable[str], reading: str | None, findings: Mapping[str, list[_Found]]
) -> float:
    """Probability that several claims hold in the same draw."""
    chosen = [next(f for r, _, f in findings[name] if r == reading) for name in names]
    each = [
        float(np.logical_and.reduce(truths).mean())
        for truths in zip(*(f.truth for f in chosen), strict=True)
    ]
    return float(np.dot(chosen[0].weights, each))
