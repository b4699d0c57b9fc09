"""How far verdicts lean on the prior and on the ropes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd

from bayesem.arrays import VARIABLES
from bayesem.counts.fit import refuse_counts
from bayesem.decision import WITHHELD, overridden
from bayesem.errors import PriorError, PropositionError, did_you_mean
from bayesem.posterior import Fit
from bayesem.prior_scaling import STRUCTURAL
from bayesem.propositions import Proposition, read_propositions
from bayesem.robustness.power_scaling import power_scaled, with_pooled
from bayesem.robustness.reweighting import GOOD_K, Moved, Refits, under_prior
from bayesem.rounding import factor_text, share_text
from bayesem.sampling.convergence import stamped
from bayesem.seeds import check_seed
from bayesem.verdict_text import probability_text
from bayesem.verdicts import POOLED, Verdicts, assess

__all__ = ["Leaning", "Sensitivity", "sensitivity"]

WIDTH = 80

SETTING = ["name", "reading", "scaled", "factor", "verdict", "verdict_as_fitted", "moves"]
NUMBERS = ["probability", "prior_probability", "bayes_factor", "bayes_factor_bound", "mcse",
           "rope_mass"]  # fmt: skip
COLUMNS = [*SETTING, *NUMBERS, "way", "pareto_k"]


@dataclass(frozen=True, slots=True)
class Leaning:
    """A verdict that leans on the prior or on the ropes.

    Attributes
    ----------
    name : str
        Of the proposition.
    reading : str or None
    text : str
        What it becomes, and when.
    """

    name: str
    reading: str | None
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Sensitivity:
    """What moves the verdicts, besides the data.

    Attributes
    ----------
    table : DataFrame
        A row per proposition (and reading) and setting: ``name reading scaled factor verdict
        verdict_as_fitted moves probability prior_probability bayes_factor bayes_factor_bound mcse
        rope_mass way pareto_k``. ``scaled`` is ``rope`` or ``prior``, ``factor`` what its width was
        multiplied by; ``moves`` is whether both verdicts are given and differ. ``way`` is ``as
        fitted``, ``same draws``, ``reweighted``, ``refit`` or ``not available``; ``pareto_k`` that
        of the weights (of a reading with several fits, the largest).
    claims : DataFrame
        ``name reading quantity prior likelihood slope diagnosis``: power-scaling sensitivity to
        prior and likelihood of each claim's ``quantity``, which is the ``difference`` that its
        ``estimate`` summarises, or for a Boolean claim its ``probability`` (then in probability by
        log2 of the power). ``slope`` is the probability's change by log2 of the prior's power. Of
        readings with weights the row ``pooled`` has their weighted means.
    parameters : DataFrame
        ``parameter reading prior likelihood diagnosis`` of every variable of the posterior.
    leanings : tuple of Leaning
        One for each verdict that another prior or rope changes.
    pulls : tuple of str
        A sentence for each claim that power scaling finds the prior pulling at.
    notes : tuple of str
    """

    table: pd.DataFrame
    claims: pd.DataFrame
    parameters: pd.DataFrame
    leanings: tuple[Leaning, ...]
    pulls: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """One for each verdict that leans on the prior or on the ropes."""
        return (*(one.text for one in self.leanings), *self.pulls)

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        return "\n".join(_lines(self))

    def _repr_html_(self) -> str:
        said = "".join(f"<li>{escape(s)}</li>" for s in self.sentences)
        tables = "".join(
            f"<h4>{title}</h4>{t.round(3).to_html(index=False, na_rep='')}"
            for title, t in (("Verdicts", _wide(self.table)), ("Claims", self.claims))
        )
        return f"<ul>{said}</ul>{tables}" + "".join(f"<p>{escape(n)}</p>" for n in self.notes)


def sensitivity(
    verdicts: Verdicts,
    *,
    rope: Sequence[float] = (0.5, 2.0),
    prior: Sequence[float] = (0.5, 2.0),
    kinds: Sequence[str] = STRUCTURAL,
    refit: bool | None = None,
    draws: int | None = None,
    seed: int = 0,
    cores: int | None = None,
) -> Sensitivity:
    r"""Judge the same propositions under other ropes and other priors.

    Parameters
    ----------
    verdicts : Verdicts
        What :func:`bayesem.assess` returned.
    rope, prior : sequence of float
        What the ropes' half-widths, and the standard deviations of the priors, are multiplied by.
    kinds : sequence of str
        Whose priors: variables of the posterior such as ``path``, ``interaction``, ``loading``.
    refit : bool, optional
        Sample again under each scaled prior. By default the draws are weighted by the ratio of the
        priors (Pareto-smoothed and resampled in order), and only where the weights are too uneven
        (k above 0.7) is the model fitted again; False never does, and withholds those verdicts.
    draws : int, optional
        By chain, of refits; the fit's by default.
    seed : int
        Of prior draws, resampling and refits.
    cores : int, optional
        Of refits.

    Returns
    -------
    Sensitivity

    Raises
    ------
    PropositionError
        If the verdicts come without their propositions and fits, or a kind or factor is none.

    Notes
    -----
    Power scaling raises the prior, or the likelihood, to a power near 1 and measures how far the
    distribution of a quantity moves, by the cumulative Jensen-Shannon distance, in units of log2 of
    that power [1]_. Above 0.05 a prior counts as informative for the quantity; if the likelihood
    moves it as well, the two disagree.

    References
    ----------
    .. [1] Kallioinen, Paananen, Buerkner & Vehtari (2024), *Statistics and Computing* 34, 57.
       https://doi.org/10.1007/s11222-023-10366-5
    """
    _check(verdicts, rope, prior, kinds)
    check_seed(seed)
    items = _with_rules(verdicts)
    whole = _keyed(verdicts.table)
    rows = [_rows(whole, whole, "prior", 1.0, "as fitted", np.nan)]
    for factor in rope:
        wider = tuple(_wider_rope(p, factor) for p in items)
        again = _keyed(assess(wider, verdicts.fits).table)
        rows.append(_rows(again, whole, "rope", factor, "same draws", np.nan))
    notes = list(_idle_kinds(verdicts.fits, kinds) if prior else ())
    refits = Refits(refit, draws, seed, cores)
    for factor in prior:
        try:
            fits, ways = _under(verdicts.fits, factor, kinds, refits)
        except PriorError as error:
            notes.append(f"Priors {_width(factor)}: not available, because {error.message}")
            rows.append(_rows(None, whole, "prior", factor, "not available", np.nan))
            continue
        again = _keyed(assess(items, fits).table)
        way, k = zip(*(ways[_reading(name)] for name in again["reading"]), strict=True)
        uneven = [w == "reweighted" and x > GOOD_K for w, x in zip(way, k, strict=True)]
        again["verdict"] = np.where(uneven, WITHHELD, again["verdict"])
        rows.append(_rows(again, whole, "prior", factor, list(way), list(k)))
    table = pd.concat(rows, ignore_index=True)
    claims, parameters, more = power_scaled(items, _named(verdicts.fits))
    weights = verdicts.weights
    claims = with_pooled(claims, weights)
    if table["reading"].isna().all():
        table, claims, parameters = (t.drop(columns="reading") for t in (table, claims, parameters))
    for _, fit in _named(verdicts.fits):
        table = stamped(table, fit)
    leanings, pulls = _leanings(table, kinds, weights), _pulled(claims, weights)
    return Sensitivity(table, claims, parameters, tuple(leanings), tuple(pulls), (*notes, *more))


# --- verdicts under another rule or prior -------------------------------------------------------


def _check(
    verdicts: Any, rope: Sequence[float], prior: Sequence[float], kinds: Sequence[str]
) -> None:
    if not isinstance(verdicts, Verdicts):
        raise PropositionError(
            f"verdicts are a {type(verdicts).__name__}.", hint="Give what `sem.assess` returns."
        )
    if verdicts.propositions is None or verdicts.fits is None:
        raise PropositionError(
            "these verdicts come without their propositions and fits.",
            hint="Assess a fit: `sem.assess(propositions, fit)`.",
        )
    for fit in verdicts.fits.values() if isinstance(verdicts.fits, Mapping) else (verdicts.fits,):
        refuse_counts(fit, "`sem.count_sensitivity(propositions, counts)` varies what they assume.")
    known = [*VARIABLES]
    for kind in (kinds,) if isinstance(kinds, str) else kinds:
        if isinstance(kinds, str) or kind not in known:
            raise PropositionError(
                f"kinds has {kind!r}, and it names variables of the posterior in a list.",
                hint=did_you_mean(str(kind), known) or f"There are: {', '.join(known)}.",
            )
    for name, factors in (("rope", rope), ("prior", prior)):
        for f in factors:
            real = isinstance(f, int | float | np.number) and not isinstance(f, bool)
            if not real or not (np.isfinite(f) and f > 0):
                raise PropositionError(
                    f"{name} has the factor {f!r}.", hint="Use numbers above 0, such as 0.5 and 2."
                )


def _with_rules(verdicts: Verdicts) -> tuple[Proposition, ...]:
    """The propositions with the rules that they were judged by."""
    found = verdicts.propositions
    if isinstance(found, str | Path | Mapping):
        found = read_propositions(found)
    each = (found,) if isinstance(found, Proposition) else tuple(found)
    return tuple(replace(p, rule=verdicts.rules.get(p.name, p.rule)) for p in each)


def _wider_rope(p: Proposition, factor: float) -> Proposition:
    wider = {kind: width * float(factor) for kind, width in p.rule.rope.items()}
    return replace(p, rule=overridden(p.rule, rope=wider))


def _keyed(table: pd.DataFrame) -> pd.DataFrame:
    table = table if "reading" in table else table.assign(reading=None)
    return table.reset_index(drop=True)


def _rows(
    again: pd.DataFrame | None,
    whole: pd.DataFrame,
    scaled_: str,
    factor: float,
    way: str | list[str],
    k: float | list[float],
) -> pd.DataFrame:
    """Verdicts under one setting beside those as fitted; propositions stand in the same order."""
    kept = whole[["name", "reading"]].copy()
    numbers = whole[NUMBERS].copy() if again is None else again[NUMBERS]
    if again is None:
        numbers = numbers.assign(**dict.fromkeys(NUMBERS, np.nan))
    verdict = pd.Series([""] * len(whole)) if again is None else again["verdict"]
    given = (verdict != WITHHELD) & (whole["verdict"] != WITHHELD) & (verdict != "")
    out = kept.assign(
        scaled=scaled_, factor=float(factor), verdict=verdict, way=way, pareto_k=k,
        verdict_as_fitted=whole["verdict"], moves=given & (verdict != whole["verdict"]),
    )  # fmt: skip
    return pd.concat([out, numbers], axis=1)[COLUMNS]


def _named(fits: Any) -> list[tuple[str | None, Fit]]:
    if not isinstance(fits, Mapping):
        fits = {None: fits}
    return [
        (name, fit)
        for name, value in fits.items()
        for fit in (value if isinstance(value, list | tuple) else (value,))
    ]


def _idle_kinds(fits: Any, kinds: Sequence[str]) -> Iterator[str]:
    """Fits none of whose parameters is of the kinds whose priors are scaled."""
    for reading, fit in _named(fits):
        sampled = [p.variable for p in fit.spec.parameters]
        if not {*sampled, *(d.variable for d in fit.spec.derived)} & {*kinds}:
            where = "the model" if reading is None else f"the model of `{reading}`"
            yield f"No parameter of {where} is a {' or '.join(kinds)}: its priors stay as they are."


type _Way = tuple[str, float]


def _under(
    fits: Any, factor: float, kinds: Sequence[str], refits: Refits
) -> tuple[Any, dict[str | None, _Way]]:
    """The fits under priors of another width, in their shape, and by reading how that was done."""
    found: dict[str | None, list[Moved]] = {}

    def one(name: str | None, fit: Fit) -> Fit:
        moved = under_prior(fit, factor, kinds, refits)
        found.setdefault(name, []).append(moved)
        return moved.fit

    def several(name: str | None, value: Any) -> Any:
        many = isinstance(value, list | tuple)
        return [one(name, fit) for fit in value] if many else one(name, value)

    shaped = isinstance(fits, Mapping)
    new = {name: several(name, v) for name, v in fits.items()} if shaped else several(None, fits)
    ways = {name: _way(mine) for name, mine in found.items()}
    ways[POOLED] = _way([moved for mine in found.values() for moved in mine])
    return new, ways


def _way(found: Sequence[Moved]) -> _Way:
    """Of several fits: whether one was sampled again, else the largest k."""
    if any(moved.way == "refit" for moved in found):
        return "refit", np.nan
    return "reweighted", max(moved.pareto_k for moved in found)


def _reading(name: Any) -> str | None:
    return name if isinstance(name, str) else None


# --- sentences and text -------------------------------------------------------------------------


def _leanings(
    table: pd.DataFrame, kinds: Sequence[str], weights: Mapping[str, float]
) -> Iterator[Leaning]:
    """Every proposition whose verdict another rope or prior changes."""
    keys = [k for k in ("name", "reading") if k in table]
    for _, rows in table.groupby(keys, sort=False, dropna=False):
        first = rows.iloc[0]
        reading = _reading(first.get("reading"))
        under = f" ({reading}{_share(reading, weights)})" if reading else ""
        name = f"{first['name']}{under}"
        for what, words in (("prior", f"priors of {_plural(kinds)}"), ("rope", "ropes")):
            moved = rows[(rows["scaled"] == what) & rows["moves"]]
            if len(moved):
                here = first["verdict_as_fitted"]
                parts = " and ".join(
                    f"{v} when the {words} are {' or '.join(map(_width, part['factor']))}"
                    for v, part in moved.groupby("verdict", sort=False)
                )
                default = "at the priors as fitted" if what == "prior" else "at the stated ropes"
                text = f"{name} is {here} {default} and {parts}."
                yield Leaning(str(first["name"]), reading, text)


def _share(reading: str, weights: Mapping[str, float]) -> str:
    return f", weight {share_text(weights[reading])}" if reading in weights else ""


def _pulled(claims: pd.DataFrame, weights: Mapping[str, float]) -> Iterator[str]:
    """A sentence for each claim that power scaling finds the prior pulling at."""
    for _, rows in claims.groupby("name", sort=False):
        pooled = rows[rows["reading"].eq(POOLED)] if "reading" in rows else rows[:0]
        for row in rows.to_dict("records") if pooled.empty else pooled.to_dict("records"):
            if row["diagnosis"]:
                yield _pull(row)
        if len(pooled) and not pooled["diagnosis"].iloc[0]:
            found = rows[rows["diagnosis"] != ""]
            if len(found):
                names = ", ".join(found["reading"])
                mass = sum(weights.get(name, 0.0) for name in found["reading"])
                yield (
                    f"The prior is informative for {found['name'].iloc[0]} only under {names} "
                    f"(weight {share_text(mass)}); pooled it is not."
                )


def _pull(row: Mapping[Any, Any]) -> str:
    rise = "more" if row["slope"] > 0 else "less"
    under = row.get("reading")
    where = f" under {under}" if isinstance(under, str) and under != POOLED else ""
    return (
        f"The prior is informative for {row['name']}{where} (power-scaling sensitivity "
        f"{row['prior']:.2f}): a more concentrated prior makes it {rise} probable."
    )


def _plural(kinds: Sequence[str]) -> str:
    return " and ".join(kind.replace("_", " ") + "s" for kind in kinds)


def _width(factor: float) -> str:
    """In words.

    Examples
    --------
    >>> _width(0.5), _width(2), _width(3)
    ('half as wide', 'twice as wide', '3 times as wide')
    """
    return {0.5: "half as wide", 2.0: "twice as wide"}.get(factor, f"{factor:g} times as wide")


def _wide(table: pd.DataFrame) -> pd.DataFrame:
    """A row per proposition, a column per setting."""
    labels = table["scaled"] + " x " + table["factor"].map("{:g}".format)
    labels = labels.where(table["way"] != "as fitted", "as fitted")
    keys = [k for k in ("name", "reading") if k in table]
    cells = [
        v if not v or v == WITHHELD else f"{v} ({probability_text(p)})"
        for v, p in zip(table["verdict"], table["probability"], strict=True)
    ]
    wide = table.assign(setting=labels, cell=cells)
    order = list(dict.fromkeys(labels))
    for key in keys:
        wide[key] = wide[key].fillna("")
    return (
        wide.pivot_table(index=keys, columns="setting", values="cell", aggfunc="first", sort=False)[
            [c for c in order]
        ]
        .reset_index()
        .rename_axis(columns=None)
    )


def _lines(found: Sensitivity) -> Iterator[str]:
    leaning = found.sentences or ("No verdict changes with the ropes and priors that were tried.",)
    yield from (fill(s, WIDTH, subsequent_indent="  ") for s in leaning)
    keys = [k for k in ("name", "reading") if k in found.table]
    for _, rows in found.table.groupby(keys, sort=False, dropna=False):
        first = rows.iloc[0]
        reading = first.get("reading")
        yield f"\n{first['name']}{f' ({reading})' if isinstance(reading, str) else ''}"
        idle = _idle(rows)
        yield from (_setting(row) for _, row in rows[~idle].iterrows())
        if idle.any():
            yield f"  rope x {', '.join(f'{f:g}' for f in rows.loc[idle, 'factor'])}: the same"
    yield "\nPower scaling (sensitivity; above 0.05 the prior is informative)"
    for claim in found.claims.to_dict("records"):
        reading = f" ({claim['reading']})" if isinstance(claim.get("reading"), str) else ""
        data = "" if np.isnan(claim["likelihood"]) else f"  likelihood {claim['likelihood']:.3f}"
        line = f"  {claim['name'] + reading:<30}  prior {claim['prior']:.3f}{data}"
        yield f"{line}  {claim['diagnosis']}".rstrip()
    yield from ("", *(fill(n, WIDTH) for n in found.notes)) if found.notes else ()


def _idle(rows: pd.DataFrame) -> pd.Series:
    """Ropes that the claim and its verdict do not depend on."""
    same = rows["probability"].eq(rows["probability"].iloc[0])
    return (rows["scaled"] == "rope") & same & ~rows["moves"]


def _setting(row: Any) -> str:
    label = "as fitted" if row["way"] == "as fitted" else f"{row['scaled']} x {row['factor']:g}"
    if row["way"] == "not available":
        return f"  {label:<12}not available"
    factor = factor_text(row)
    numbers = f"Pr {probability_text(row['probability'])}{f'  BF {factor}' if factor else ''}"
    k = "" if np.isnan(row["pareto_k"]) else f", k {row['pareto_k']:.2f}"
    way = "" if row["way"] in ("as fitted", "same draws") else f"  ({row['way']}{k})"
    mark = "  *" if row["moves"] else ""
    return f"  {label:<12}{row['verdict']:<17}{numbers}{way}{mark}"
