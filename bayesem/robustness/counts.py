"""What a verdict on theme counts leans on: clustering, the references left out, the prior."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from bayesem.arrays import Floats, Ints
from bayesem.claim_counts import CountScope, speaks_of_counts
from bayesem.claims_evaluation import holds
from bayesem.counts.fit import fit_counts
from bayesem.counts.table import CountModel, count_model
from bayesem.counts.tree import Tree, draw_shares, tree_of
from bayesem.errors import PropositionError
from bayesem.grammar.statements import And, Or
from bayesem.seeds import check_seed
from bayesem.verdicts import assess, claims_of

__all__ = ["ALLOCATION_DRAWS", "CountSensitivity", "count_claims", "count_sensitivity", "scope_of"]

#: Draws behind each allocation that the search for the worst case looks at.
ALLOCATION_DRAWS: Final = 2000
#: Sets of sub-themes are all tried up to this many sub-themes, then sets of two at most.
ALL_SETS: Final = 10
COLUMNS: Final = ["name", "setting", "design_effect", "others", "prior", "probability", "mcse",
                  "prior_probability", "bayes_factor", "verdict"]  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class CountSensitivity:
    """Verdicts under one change at a time.

    Attributes
    ----------
    table : DataFrame
        A row per proposition and setting: ``name setting design_effect others prior probability
        mcse prior_probability bayes_factor verdict``. The first setting is the base.
    allocations : DataFrame
        ``name setting placed``: among which sub-themes the references left out were divided evenly
        in the settings ``against`` and ``for`` a claim.
    tried : int
        Allocations that were looked at for each bound.
    """

    table: pd.DataFrame
    allocations: pd.DataFrame
    tried: int

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        wide = self.table.pivot(index="setting", columns="name", values="probability")
        verdict = self.table.pivot(index="setting", columns="name", values="verdict")
        order = list(dict.fromkeys(self.table["setting"]))
        names = list(dict.fromkeys(self.table["name"]))
        marks = verdict.map(lambda v: {"supported": "+", "refuted": "-"}.get(str(v), " "))
        cells = wide.map(lambda p: f"{p:.3f}") + marks
        return str(cells.loc[order, names].to_string())


def count_sensitivity(
    propositions: Any,
    model: CountModel | str | Path | Mapping[str, Mapping[str, int]],
    *,
    design_effect: Sequence[float] = (1, 2, 4),
    prior: Sequence[str | float] = ("flat", "tree", "jeffreys"),
    others: bool = True,
    draws: int = 5000,
    seed: int | None = None,
) -> CountSensitivity:
    """Judge claims on theme counts again, with one assumption changed at a time.

    Parameters
    ----------
    propositions : PropositionSet, iterable of Proposition, {name: claim}, study or path
        Those on shares are judged.
    model : CountModel, or what :func:`bayesem.count_model` reads
    design_effect : sequence of float
        The first is the base.
    prior : sequence
        As ``prior`` of :func:`bayesem.fit_counts`; the first is the base.
    others : bool
        Whether to take in the references that the table leaves out: as one sub-theme more; and, all
        of them, wherever they hurt or help a claim most.
    draws : int
        By chain, of four.
    seed : int, optional

    Returns
    -------
    CountSensitivity

    Raises
    ------
    PropositionError
        If no claim is on shares that a table can tell.

    Notes
    -----
    The worst and best case divide the references left out evenly among some set of sub-themes;
    every such set is tried (of two at most where there are more than ten). For a comparison that is
    linear in shares this holds the extreme; for other claims it is what was found among those
    tried.
    """
    if not isinstance(model, CountModel):
        model = count_model(model)
    check_seed(seed)
    claims = count_claims(propositions)
    seeds = iter(np.random.SeedSequence(seed).generate_state(1000))
    base: dict[str, Any] = {
        "design_effect": float(design_effect[0]),
        "prior": prior[0],
        "others": "left out",
    }

    def judged(setting: str, source: CountModel, names: set[str], **change: Any) -> pd.DataFrame:
        arguments: dict[str, Any] = {**base, **change}
        fit = fit_counts(source, draws=draws, seed=int(next(seeds) >> 1), **arguments)
        table = assess(claims, fit).table
        return table[table["name"].isin(names)].assign(setting=setting, **arguments)

    every = {claim.name for claim in claims}
    found = [judged("as assessed", model, every)]
    found += [judged(f"design effect {d:g}", model, every, design_effect=float(d))
              for d in design_effect[1:]]  # fmt: skip
    found += [judged(f"prior {p}", model, every, prior=p) for p in prior[1:]]
    allocations, tried = pd.DataFrame(columns=["name", "setting", "placed"]), 0
    if others and model.left_out:
        left = model.left_out
        found.append(judged(f"{left} left out as other", model, every, others="other"))
        tree = tree_of(model, prior=base["prior"], design_effect=base["design_effect"])
        rng = np.random.default_rng(int(next(seeds)))
        worst, tried = _extremes(claims, tree, left / base["design_effect"], rng)
        rows = []
        for setting, chosen in worst.items():
            label = f"{left} left out {setting} the claim"
            for name, placed in chosen.items():
                found.append(judged(label, _placed(model, placed), {name}))
                where = ", ".join(np.array(tree.subthemes)[placed])
                rows.append({"name": name, "setting": label, "placed": where})
        allocations = pd.DataFrame(rows)
    table = pd.concat(found, ignore_index=True)[COLUMNS]
    order = [claim.name for claim in claims]
    table = table.sort_values("name", key=lambda names: names.map(order.index), kind="stable")
    return CountSensitivity(table.reset_index(drop=True), allocations, tried)


def count_claims(propositions: Any) -> list[Any]:
    """Those of some propositions that a table of counts can tell, each by itself.

    Raises
    ------
    PropositionError
        If there is none.
    """
    from bayesem.propositions import read_propositions

    if isinstance(propositions, str | Path | Mapping):
        propositions = read_propositions(propositions)
    given = list(propositions)
    known = {item.name: item for item in claims_of(given)}
    found = [p for p in given if p.needs is None and speaks_of_counts(known[p.name].form)]
    if not found:
        raise PropositionError(
            "no proposition is on the shares of theme counts.",
            hint='Such a claim compares shares: "share(a) > share(b)".',
        )
    return found


def scope_of(tree: Tree, share: Floats) -> CountScope:
    """What claims can name, from shares of sub-themes (chain, draw, ..., subtheme)."""
    sums = share @ tree.members
    values = {name: sums[..., k] for k, name in enumerate(tree.themes)}
    values |= {name: share[..., k] for k, name in enumerate(tree.subthemes)}
    return CountScope(values)


# --- where the references left out hurt and help most ---------------------------------------------


def _extremes(
    claims: Sequence[Any], tree: Tree, left: float, rng: np.random.Generator
) -> tuple[dict[str, dict[str, Ints]], int]:
    """By setting and claim, the sub-themes that the references left out were put to."""
    sets = list(_sets(len(tree.subthemes)))
    items = list(claims_of(claims))
    p = np.empty((len(sets), len(items)))
    for k, chosen in enumerate(sets):
        counts = tree.counts.copy()
        counts[chosen] += left / len(chosen)
        scope = scope_of(tree, draw_shares(tree, (1, ALLOCATION_DRAWS), rng, counts))
        p[k] = [_truth(item.form, scope, item.rule).mean() for item in items]
    ends = {"against": p.argmin(0), "for": p.argmax(0)}
    return {
        setting: {item.name: sets[at[j]] for j, item in enumerate(items)}
        for setting, at in ends.items()
    }, len(sets)


def _sets(size: int) -> Iterator[Ints]:
    for count in range(1, (size if size <= ALL_SETS else 2) + 1):
        for chosen in combinations(range(size), count):
            yield np.array(chosen)


def _truth(form: Any, scope: CountScope, rule: Any) -> np.ndarray:
    if not isinstance(form, And | Or):
        return holds(form, scope, rule)
    joined = np.logical_and if isinstance(form, And) else np.logical_or
    return np.asarray(joined.reduce([_truth(part, scope, rule) for part in form.parts]))


def _placed(model: CountModel, chosen: Ints) -> CountModel:
    """The table with the references left out in it, divided evenly, whole."""
    counts = model.counts
    each, rest = divmod(model.left_out, len(chosen))
    counts[chosen] += each
    counts[chosen[:rest]] += 1
    values = iter(counts.tolist())
    themes = {
        theme: {name: next(values) for name in leaves} for theme, leaves in model.themes.items()
    }
    return replace(model, themes=themes)
