"""Power scaling: how claims and parameters move when prior or likelihood gets a little stronger."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from bayesem.arrays import Floats
from bayesem.claim_evidence import measure
from bayesem.claims_evaluation import difference, scope
from bayesem.errors import NotAvailableError
from bayesem.pointwise import total_log_likelihoods
from bayesem.posterior import Fit
from bayesem.propositions import Proposition
from bayesem.verdicts import POOLED, claims_of

__all__ = ["power_scaled", "with_pooled"]

#: Sensitivity from which a prior counts as informative (Kallioinen et al. 2024).
THRESHOLD = 0.05

CLAIM_COLUMNS = ["name", "reading", "quantity", "prior", "likelihood", "slope", "diagnosis"]
COLUMNS = ["parameter", "reading", "prior", "likelihood", "diagnosis"]


def power_scaled(
    items: Sequence[Proposition], fits: Sequence[tuple[str | None, Fit]]
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Sensitivity of claims and parameters, averaged over the fits of a reading.

    Parameters
    ----------
    items : sequence of Proposition
    fits : sequence of (str or None, Fit)
        Name of the reading, and a fit of it.

    Returns
    -------
    DataFrame
        ``name reading quantity prior likelihood slope diagnosis``.
    DataFrame
        ``parameter reading prior likelihood diagnosis``.
    list of str
        What is missing and why.
    """
    claims, parameters, notes = [], [], list[str]()
    for reading, fit in fits:
        tree, missing = _tree(fit)
        notes += missing
        claims.append(_of_claims(items, fit, tree).assign(reading=reading))
        whole = _sense(tree, _variables(fit))
        parameters.append(whole.assign(parameter=whole.index, reading=reading))
    return (
        _averaged(claims, ["name", "reading", "quantity"])[CLAIM_COLUMNS],
        _averaged(parameters, ["parameter", "reading"])[COLUMNS],
        list(dict.fromkeys(notes)),
    )


def with_pooled(claims: pd.DataFrame, weights: Mapping[str, float]) -> pd.DataFrame:
    """The sensitivities of claims, and behind those of readings their means by weight.

    Parameters
    ----------
    claims : DataFrame
        From :func:`power_scaled`.
    weights : {reading: float}
        Adding to 1; empty where nothing is pooled.
    """
    if not weights:
        return claims
    parts = []
    for name, rows in claims.groupby("name", sort=False):
        known = rows[rows["reading"].isin(list(weights))]
        mass = known["reading"].map(weights).to_numpy(float)
        parts.append(rows)
        if not mass.sum() > 0:
            continue
        means = {
            column: float((known[column] * mass).sum(skipna=False) / mass.sum())
            for column in ("prior", "likelihood", "slope")
        }
        pooled = {"name": name, "reading": POOLED, "quantity": rows["quantity"].iloc[0], **means}
        pooled["diagnosis"] = _diagnosis(means["prior"], means["likelihood"])
        parts.append(pd.DataFrame([pooled]))
    return pd.concat(parts, ignore_index=True)[CLAIM_COLUMNS]


def _averaged(tables: list[pd.DataFrame], keys: list[str]) -> pd.DataFrame:
    table = pd.concat(tables, ignore_index=True)
    out = table.groupby(keys, sort=False, dropna=False).mean(numeric_only=True).reset_index()
    out["diagnosis"] = [
        _diagnosis(p, q) for p, q in zip(out["prior"], out["likelihood"], strict=True)
    ]
    return out


def _diagnosis(prior: float, likelihood: float) -> str:
    if not prior >= THRESHOLD:
        return ""
    if np.isnan(likelihood):
        return "informative prior"
    return "prior and data disagree" if likelihood >= THRESHOLD else "strong prior, weak data"


def _tree(fit: Fit) -> tuple[xr.DataTree, list[str]]:
    """What ArviZ weighs by: the prior's and the likelihood's log-density in every draw."""
    groups = {"log_prior": fit.draws["log_prior"].to_dataset()}
    notes = []
    try:
        whole = total_log_likelihoods(fit)
        groups["log_likelihood"] = xr.Dataset({"whole": (("chain", "draw"), whole)})
    except NotAvailableError as error:
        notes.append(f"Sensitivity to the likelihood is missing: {error.message}")
    return xr.DataTree.from_dict(groups), notes


def _of_claims(items: Sequence[Proposition], fit: Fit, tree: xr.DataTree) -> pd.DataFrame:
    """Every claim that speaks of this model, by its difference or, without one, its probability."""
    here, sizes, truths = scope(fit), dict[str, Floats](), dict[str, Floats]()
    for item in claims_of(items):
        if item.model is None or item.model in fit.model.called:
            _, truth, _ = measure(item.form, here, here, item.rule)
            truths[item.name] = truth.astype(float)
            size = difference(item.tree, item.earlier, here)
            if size is not None:
                sizes[item.name] = np.asarray(size, float)
    slopes = pd.DataFrame({
        group: {name: _slope(tree, f"log_{group}", truth) for name, truth in truths.items()}
        for group in ("prior", "likelihood")
    }, index=list(truths))  # fmt: skip
    found = slopes.abs()
    found.loc[list(sizes)] = _sense(tree, sizes)
    return found.assign(
        name=found.index, slope=slopes["prior"],
        quantity=["difference" if name in sizes else "probability" for name in truths],
    )  # fmt: skip


def _variables(fit: Fit) -> dict[str, Floats]:
    """Every parameter, label and defined parameter as (chain, draw)."""
    out: dict[str, Floats] = {}
    for name, array in fit.draws["posterior"].data_vars.items():
        values = array.transpose("chain", "draw", ...).to_numpy()
        if values.ndim == 2:
            out[str(name)] = values
            continue
        coordinates = array[array.dims[-1]].to_numpy()
        out |= {f"{name}[{c}]": values[..., k] for k, c in enumerate(coordinates)}
    return out


def _sense(tree: xr.DataTree, quantities: Mapping[str, Floats]) -> pd.DataFrame:
    """Power-scaling sensitivity of (chain, draw) quantities; 0 for those that never vary."""
    names = list(quantities)
    out = pd.DataFrame(np.nan, index=names, columns=["prior", "likelihood"])
    moving = [n for n in names if np.ptp(quantities[n]) > 0]
    out.loc[[n for n in names if n not in moving]] = 0.0
    if "log_likelihood" not in tree.children:
        out["likelihood"] = np.nan
    if not moving:
        return out
    from arviz_stats import psense

    stacked = np.stack([quantities[n] for n in moving], -1)
    posterior = xr.Dataset({"q": (("chain", "draw", "quantity"), stacked)})
    whole = xr.DataTree.from_dict(
        {"posterior": posterior} | {k: v.to_dataset() for k, v in tree.children.items()}
    )
    for group in ("prior", "likelihood"):
        if f"log_{group}" in tree.children:
            out.loc[moving, group] = psense(whole, group=group)["q"].to_numpy()
    return out


def _slope(tree: xr.DataTree, group: str, truth: Floats) -> float:
    r"""Change of a claim's probability by log2 of the power of the prior or likelihood, at 1.

    Its derivative by the power itself is the posterior covariance of the claim's truth with the
    log-density, so no weights are needed.
    """
    if group not in tree.children:
        return float("nan")
    log = np.sum([v.to_numpy() for v in tree[group].to_dataset().data_vars.values()], axis=0)
    return float(np.log(2) * ((log - log.mean()) * truth).mean())
