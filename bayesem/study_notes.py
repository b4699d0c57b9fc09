"""What a study's verdicts rest on, in sentences: inference, priors, convergence, limits."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from bayesem.posterior import Fit
from bayesem.study_models import COUNTS
from bayesem.studying import StudyResult, has_products
from bayesem.verdicts import POOLED

__all__ = [
    "MISPRINT",
    "assumptions",
    "bounds",
    "convergence",
    "first_sentence",
    "headline",
    "limits",
    "pooled",
    "rests_on",
    "together",
    "twins",
]

#: A cell shows something else than it should if this is probable.
MISPRINT = 0.5


def headline(result: StudyResult) -> Iterator[str]:
    """What was fitted to what."""
    fits = [one for each in result.fits.values() for one in each]
    if not fits:
        yield _on_counts(result)
        return
    n = fits[0].n
    name = result.study + (f", variant {result.model.variant}" if result.model.variant else "")
    if result.readings is None:
        yield _on_answers(result, name, fits)
        return
    count = f"{len(fits)} matrices in all" if len(fits) > 1 else "one matrix"
    yield (
        f"{name}: no answers were given, so this runs on the paper's printed tables (n = {n}). "
        f"They can be read in {len(result.readings)} ways. Each reading is rebuilt as covariance "
        f"matrices ({count}), every matrix is fitted, and a reading counts by its weight: how "
        "well all printed numbers agree under it."
    )


def _on_counts(result: StudyResult) -> str:
    assert result.counts is not None
    fit = result.counts.fit
    model = fit.model
    wait = (
        "Claims on a model for survey data wait for answers (`bayesem template "
        f"{result.study}`, then --data)."
    )
    if fit.phases:
        made = " SYNTHETIC" if fit.data.synthetic else ""
        phases = ", ".join(fit.phases["phase"])
        informants = fit.draws["observed_data"].sizes["informant"]
        return (
            f"{result.study}: {model.listed}{made} references to {len(model.subthemes)} "
            f"sub-themes, by phase ({phases}), of {informants} informants. {wait}"
        )
    return (
        f"{result.study}: no answers were given, so this runs on the paper's theme counts "
        f"({model.where}): {model.listed} references to {len(model.subthemes)} sub-themes, of "
        f"{model.total} that were coded. {wait}"
    )


def _on_answers(result: StudyResult, name: str, fits: Sequence[Fit]) -> str:
    models = f" {len(fits)} models are fitted, and each claim is put to its own." * (len(fits) > 1)
    made = result.synthetic
    if made is None:
        synthetic = " SYNTHETIC" if _synthetic(fits[0]) else ""
        return (
            f"{name}: {fits[0].n}{synthetic} answers, {len(fits[0].table.indicators)} columns."
            f"{models}"
        )
    asked = ", ".join(f"{k} {v}" for k, v in made.asked.items())
    apart = f" A sample of its own: {', '.join(made.apart)}." if made.apart else ""
    return (
        f"{name}: no answers were given, so this runs on {fits[0].n} SYNTHETIC cases, drawn from "
        f"the truth that {made.file} declares{f' ({asked})' if asked else ''}. What follows shows "
        f"what the procedure finds there, and nothing of the world.{models}{apart}"
    )


def twins(result: StudyResult) -> tuple[tuple[str, ...], ...]:
    """Propositions that are one claim put to several models."""
    groups: dict[str, list[str]] = {}
    for p in result.propositions:
        groups.setdefault(" ".join(p.claim.split()), []).append(p.name)
    models = {p.name: p.model for p in result.propositions}
    return tuple(tuple(g) for g in groups.values() if len({models[name] for name in g}) > 1)


def together(result: StudyResult) -> Iterator[str]:
    """Which verdicts have to be read beside each other."""
    models = {p.name: p.model or result.study for p in result.propositions}
    for group in twins(result):
        where = " and ".join(f"{name} on {models[name]}" for name in group)
        yield (
            f"One claim on several models, never to be read alone: {where}. Where their verdicts "
            "differ, it is the model that decides."
        )


def assumptions(result: StudyResult) -> dict[str, tuple[str, ...]]:
    """What several propositions assume alike (the first sentence of a note), and which do."""
    found: dict[str, list[str]] = {}
    for p in result.propositions:
        found.setdefault(first_sentence(p.note)[0], []).append(p.name)
    return {text: tuple(names) for text, names in found.items() if text and len(names) > 1}


def first_sentence(note: str) -> tuple[str, str]:
    """A note's first sentence, without its full stop, and the rest.

    Examples
    --------
    >>> first_sentence("All firms. A reading of ours."), first_sentence("All firms.")
    (('All firms', 'A reading of ours.'), ('All firms', ''))
    """
    first, _, rest = note.partition(". ")
    return first.rstrip("."), rest


def pooled(result: StudyResult) -> tuple[pd.DataFrame, str]:
    """The rows that stand for the whole, and what they are over."""
    table = result.verdicts.table
    if result.readings is None:
        return _ordered(result, table), ""
    names = [str(name) for name in result.fits]
    if POOLED in set(table["reading"]):
        rows = table[table["reading"] == POOLED]
        return rows, f"pooled over {len(names)} readings by weight"
    return table[table["reading"] == names[0]], f"under reading {names[0]}"


def _ordered(result: StudyResult, table: pd.DataFrame) -> pd.DataFrame:
    """Rows in the order of the file, but one claim on several models stands together."""
    order = [p.name for p in result.propositions]
    for first, *others in twins(result):
        order = [name for name in order if name not in others]
        at = order.index(first) + 1
        order[at:at] = others
    place = {name: k for k, name in enumerate(order)}
    return table.sort_values("name", key=lambda names: names.map(place), kind="stable")


def convergence(result: StudyResult) -> Iterator[str]:
    """Whether every fit converged, or which did not."""
    fits = [(name, k + 1, one) for name, each in result.fits.items() for k, one in enumerate(each)]
    failed = [(name, k, one) for name, k, one in fits if not one.converged]
    if not fits:
        return
    if not failed:
        tables = [one.convergence.table for *_, one in fits]
        counted = "The fit converged" if len(fits) == 1 else f"All {len(fits)} fits converged"
        yield (
            f"{counted}: R-hat at most {max(t['r_hat'].max() for t in tables):.3f}, "
            f"effective draws at least {min(t['ess_bulk'].min() for t in tables):.0f} (bulk) and "
            f"{min(t['ess_tail'].min() for t in tables):.0f} (tail), no divergence."
        )
    else:
        yield (
            f"{len(failed)} of {len(fits)} fits did NOT converge. No verdict rests on their draws: "
            "where they are part of a row, it is withheld."
        )
    for name, k, one in failed:
        which = name if result.readings is None else f"{name}, matrix {k}"
        yield f"{which}: {'; '.join(one.convergence.reasons)}."


def rests_on(result: StudyResult) -> Iterator[str]:
    """What was not printed, what cannot be reported, and which priors."""
    if result.readings is not None:
        yield from _inferred(result, result.readings)
        yield (
            "Fit indices are not reported: a rebuilt matrix is made to have the printed "
            "chi-square, so its fit repeats the paper's and tests nothing."
        )
    if result.fits:
        yield _priors(next(iter(result.fits.values()))[0])


def _inferred(result: StudyResult, readings: pd.DataFrame) -> Iterator[str]:
    weights = readings["weight"] / readings["weight"].sum()
    pairs = [c.removeprefix("mean_r_") for c in readings.columns if c.startswith("mean_r_")]
    for pair in pairs:
        mean, sd = _mixture(weights, readings[f"mean_r_{pair}"], readings[f"sd_r_{pair}"])
        negative = float(weights[readings[f"mean_r_{pair}"] < 0].sum())
        first = readings.iloc[0]
        yield (
            f"The correlation of {pair.replace('_', ' and ')} is not printed. It is inferred from "
            "the critical ratios and the chi-square of the baseline model (behind TLI and CFI): "
            f"{first[f'mean_r_{pair}']:.2f} (sd {first[f'sd_r_{pair}']:.2f}) under "
            f"{first['reading']}, {mean:.2f} (sd {sd:.2f}) over all readings; readings with a "
            f"negative one have weight {negative:.3f} (its prior, 2 Beta(4, 2) - 1, expects a "
            f"positive one). {_under_flat_prior(result, readings, pair)}"
        )
    counts = sorted({len(each) for each in result.fits.values()}, reverse=True)
    yield (
        "Also not printed, and drawn anew for every matrix: digits behind the rounding, the units "
        "of the factors, which indicator is the marker, and where the matrix departs from the "
        f"model. Matrices by reading: {' or '.join(map(str, counts))}"
        f"{' (1 where the weight is below 0.01)' if len(counts) > 1 else ''}."
    )


def _under_flat_prior(result: StudyResult, readings: pd.DataFrame, pair: str) -> str:
    """What the prior on the correlation decides: weights, and the probability that moves most."""
    flat = readings.set_index("reading")["weight_flat"]
    negative = float(flat[(readings[f"mean_r_{pair}"] < 0).to_numpy()].sum() / flat.sum())
    table = result.verdicts.table
    pooled = table[table["reading"] == POOLED].set_index("name")["probability"]
    single = table[table["reading"] != POOLED]
    weights = flat.reindex(single["reading"]).to_numpy()
    sums = (single["probability"] * weights).groupby(single["name"]).sum()
    moved = sums / pd.Series(weights, single.index).groupby(single["name"]).sum() - pooled
    text = f"Under a flat prior those readings would have weight {negative:.3f}"
    if moved.empty or pooled.empty:
        return f"{text}."
    most = moved.abs().idxmax()
    return (
        f"{text}; the pooled probability that would move most is that of {most}, from "
        f"{pooled[most]:.3f} to {pooled[most] + moved[most]:.3f}."
    )


def _mixture(weights: pd.Series, mean: pd.Series, sd: pd.Series) -> tuple[float, float]:
    """Mean and sd over readings; one whose draws say nothing is left out."""
    known = mean.notna() & sd.notna()
    w, m, s = (np.asarray(each[known], float) for each in (weights, mean, sd))
    w = w / w.sum()
    centre = float(w @ m)
    return centre, float(np.sqrt(w @ (s**2 + (m - centre) ** 2)))


def _priors(one: Fit) -> str:
    found: dict[str, list[str]] = {}
    words = {"loading": "loadings", "path": "paths", "residual_sd": "residual sds"}
    for row in one.table.rows:
        text = one.settings.prior_text.get(row.name)
        if row.free and text is not None and row.kind in words:
            found.setdefault(words[row.kind], []).append(text)
    listed = ", ".join(f"{kind} {max(set(t), key=t.count)}" for kind, t in found.items())
    unit = f" (factor variances 1, indicators in {'sds' if _standardised(one) else 'their units'})"
    return f'Priors "{one.settings.priors}"{unit}: {listed}.'


def _standardised(one: Fit) -> bool:
    return bool(getattr(one.data, "standardized", False))


def _synthetic(one: Fit) -> bool:
    return bool(one.data.synthetic)


def bounds(result: StudyResult) -> Iterator[str]:
    """Claims that no data of this size can support."""
    rows, _ = pooled(result)
    for _, row in rows[rows["attainable"] < result.propositions.rule.prob].iterrows():
        yield (
            f"{row['name']} cannot be supported at this number of cases: its probability cannot "
            f"pass {row['attainable']:.2f}, whatever the truth."
        )


def limits(result: StudyResult) -> Iterator[str]:
    """Multiplicity, the rule, Monte-Carlo error, and what was not assessed."""
    rows, _ = pooled(result)
    yield from result.verdicts.notes
    yield f"Monte-Carlo error of the probabilities above: at most {rows['mcse'].max():.2g}."
    yield from _elsewhere(result)


def _elsewhere(result: StudyResult) -> Iterator[str]:
    from bayesem.model import read_model

    if not result.elsewhere:
        return
    names = ", ".join(p.name for p in result.elsewhere)
    models = list(dict.fromkeys(p.model or result.study for p in result.elsewhere))
    if models == [COUNTS]:
        yield (
            f"Not assessed, because about the theme counts, which are real: {names}. Run the study "
            "without generated answers."
        )
        return
    known = [m for m in models if m != COUNTS]
    products = any(has_products(read_model(m)) for m in known) and result.readings is not None
    why = " It has products of factors, which need raw answers (--data)." if products else ""
    yield f"Not assessed, because about another model ({', '.join(models)}): {names}.{why}"
