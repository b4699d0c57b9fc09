"""A posterior of theme counts: drawn exactly, as it is conjugate, or by NUTS on the same graph."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from bayesem.arrays import Floats
from bayesem.counts.graph import graph_of_tree
from bayesem.counts.table import CountModel, count_model
from bayesem.counts.tree import Tree, draw_shares, tree_of
from bayesem.errors import DataError, NotAvailableError
from bayesem.sampling.convergence import Convergence, diagnose
from bayesem.seeds import check_seed

if TYPE_CHECKING:
    import pymc as pm

__all__ = ["CountData", "CountFit", "CountSettings", "fit_counts", "named_shares", "refuse_counts"]

METHODS = ("exact", "nuts")


@dataclass(frozen=True, slots=True)
class CountData:
    """What a count fit rests on.

    Attributes
    ----------
    listed, left_out : int
        References in the table, and coded beside it.
    synthetic : bool
        Whether they were generated and not observed.
    """

    listed: int
    left_out: int = 0
    synthetic: bool = False


@dataclass(frozen=True, slots=True)
class CountSettings:
    """The arguments of a count fit, as they were used."""

    priors: str = "flat"
    design_effect: float = 1.0
    others: str = "left out"
    method: str = "exact"
    draws: int = 5000
    tune: int = 0
    chains: int = 4
    seed: int = 0

    @property
    def prior(self) -> str | float:
        """The argument ``prior``: a name, or a concentration."""
        try:
            return float(self.priors)
        except ValueError:
            return self.priors


@dataclass(frozen=True, slots=True, eq=False)
class CountFit:
    """Posterior shares of themes and sub-themes.

    Attributes
    ----------
    model : CountModel
    data : CountData
    draws : xarray.DataTree
        ``posterior`` and ``prior`` with ``share`` (chain, draw, theme), where ``theme`` lists all
        that ``share(x)`` can name: themes, which are sums, and sub-themes (coordinate ``level``);
        and ``observed_data`` with ``references``. Shares by phase, where there are any, are
        ``phase_share`` (chain, draw, phase, theme).
    tree : Tree or None
        Concentrations and effective counts; None where informants are modelled.
    convergence : Convergence
    settings : CountSettings
    timings : mapping of str to float
        Seconds by stage.
    notes : tuple of str
        What a reader of the results has to know.
    phases : mapping of str to tuple of str
        Groups that ``share(x | phase = a)`` can name, by column.
    """

    model: CountModel
    data: CountData
    draws: xr.DataTree
    tree: Tree | None
    convergence: Convergence
    settings: CountSettings
    timings: Mapping[str, float]
    notes: tuple[str, ...] = ()
    phases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def converged(self) -> bool:
        """Whether the draws can be believed; exact ones always can."""
        return self.convergence.ok

    @property
    def table(self) -> None:
        """There are no parameters of a survey's model."""
        return

    @property
    def n(self) -> int:
        """Number of references."""
        return int(self.draws["observed_data"]["references"].sum())

    @property
    def graph(self) -> "pm.Model":
        """The model as a PyMC graph, built on demand."""
        if self.tree is None:
            from bayesem.counts.clustered import graph_of_segments

            return graph_of_segments(self)
        return graph_of_tree(self.tree)

    @property
    def shares(self) -> pd.DataFrame:
        """Posterior shares: ``theme level references mean lower upper``, with 95% intervals."""
        share = self.draws["posterior"]["share"]
        flat = (
            share.transpose("chain", "draw", "theme").to_numpy().reshape(-1, share.sizes["theme"])
        )
        low, high = np.quantile(flat, (0.025, 0.975), axis=0)
        return pd.DataFrame({
            "theme": share["theme"].to_numpy(), "level": share["level"].to_numpy(),
            "references": [_references(self.model, str(t)) for t in share["theme"].to_numpy()],
            "mean": flat.mean(0), "lower": low, "upper": high,
        })  # fmt: skip

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        s = self.settings
        return (
            f"Theme counts: {self.n} references, {len(self.model.subthemes)} sub-themes in "
            f"{len(self.model.themes)} themes; design effect {s.design_effect:g}, prior {s.priors},"
            f" {s.chains} chains of {s.draws} draws ({s.method}); {self.convergence}"
        )


def _references(model: CountModel, name: str) -> int:
    """Of a theme or a sub-theme; of neither, those beside the table."""
    if name in model.themes:
        return sum(model.themes[name].values())
    listed = {k: n for leaves in model.themes.values() for k, n in leaves.items()}
    return listed.get(name, model.left_out)


def fit_counts(
    model: CountModel | str | Path | Mapping[str, Mapping[str, int]],
    *,
    design_effect: float = 1.0,
    others: str = "left out",
    prior: str | float = "flat",
    method: str = "exact",
    draws: int = 5000,
    tune: int = 1000,
    chains: int = 4,
    seed: int | None = None,
    synthetic: bool = False,
) -> CountFit:
    r"""Posterior of the shares of themes and sub-themes.

    The model is a Dirichlet tree with multinomial counts, so its posterior is a Dirichlet tree,
    too: at a node with concentrations a and effective counts n/d it is Dirichlet(a + n/d).

    Parameters
    ----------
    model : CountModel, or what :func:`bayesem.count_model` reads
    design_effect : float
        d: the variance of a share over what independent references would give. References of one
        informant resemble each other, and one vector of counts cannot show how much: this is
        declared, not estimated.
    others : {"left out", "other"}
        What becomes of references beside the table: ignored, so that shares are among those listed;
        or one sub-theme more, so that shares are of all references coded.
    prior : {"flat", "tree", "jeffreys"} or float
        Concentrations; see :func:`bayesem.counts.tree.tree_of`. The default is a flat Dirichlet
        over the sub-themes.
    method : {"exact", "nuts"}
        Independent draws from the closed form, or NUTS on the PyMC graph, to check it.
    draws, tune, chains : int
        ``tune`` is for NUTS alone.
    seed : int, optional
    synthetic : bool
        Whether the counts were generated.

    Returns
    -------
    CountFit

    Raises
    ------
    DataError, PriorError, StudyError
        For arguments or counts that cannot be.

    Examples
    --------
    >>> fit = fit_counts({"a": {"x": 3, "y": 1}, "b": {"z": 2}}, seed=1)
    >>> share = fit.draws["posterior"]["share"].mean(("chain", "draw"))
    >>> bool(abs(share.sel(theme="x") - 4 / 9) < 0.01)
    True
    """
    if not isinstance(model, CountModel):
        model = count_model(model)
    _check(method, draws=(draws, 4), tune=(tune, 1), chains=(chains, 2))
    check_seed(seed)
    tree = tree_of(model, prior=prior, design_effect=design_effect, others=others)
    rng = np.random.default_rng(seed)
    start = time.perf_counter()
    base = draw_shares(tree, (chains, draws), rng, np.zeros_like(tree.counts))
    if method == "exact":
        share, statistics = draw_shares(tree, (chains, draws), rng), dict[str, Any]()
    else:
        share, statistics = _sampled(tree, draws, tune, chains, rng)
    settings = CountSettings(str(prior), float(design_effect), others, method, draws,
                             tune if method == "nuts" else 0, chains, seed or 0)  # fmt: skip
    convergence = diagnose(
        {name: share[..., k] for k, name in enumerate(tree.subthemes)}, statistics
    )
    tree_draws = {
        "posterior": xr.Dataset({"share": named_shares(tree, share)}),
        "prior": xr.Dataset({"share": named_shares(tree, base)}),
        "observed_data": xr.Dataset({"references": _observed(tree, settings)}),
    }
    data = CountData(model.listed, model.left_out, synthetic)
    return CountFit(
        model, data, xr.DataTree.from_dict(tree_draws), tree, convergence, settings,
        {"sampling": time.perf_counter() - start}, tuple(_notes(model, settings, data)),
    )  # fmt: skip


def refuse_counts(fit: object, instead: str) -> None:
    """Refuse theme counts where only a survey's fit makes sense.

    Raises
    ------
    NotAvailableError
        Saying what to do instead.
    """
    if isinstance(fit, CountFit):
        raise NotAvailableError("these are theme counts, not a survey's fit.", hint=instead)


def named_shares(tree: Tree, share: Floats) -> xr.DataArray:
    """Shares of sub-themes (chain, draw, subtheme) with those of their themes beside them."""
    sums = share @ tree.members
    inner = [k for k, theme in enumerate(tree.themes) if theme not in tree.subthemes]
    names = [*(tree.themes[k] for k in inner), *tree.subthemes]
    level = ["theme"] * len(inner) + ["sub-theme"] * len(tree.subthemes)
    return xr.DataArray(
        np.concatenate([sums[..., inner], share], -1),
        dims=("chain", "draw", "theme"),
        coords={"theme": names, "level": ("theme", level)},
    )


def _observed(tree: Tree, settings: CountSettings) -> xr.DataArray:
    whole = np.round(tree.counts * settings.design_effect).astype(np.int64)
    return xr.DataArray(whole, dims="subtheme", coords={"subtheme": list(tree.subthemes)})


def _sampled(
    tree: Tree, draws: int, tune: int, chains: int, rng: np.random.Generator
) -> tuple[Floats, dict[str, Any]]:
    """NUTS on the graph."""
    import pymc as pm

    with graph_of_tree(tree):
        found = pm.sample(
            draws, tune=tune, chains=chains, cores=1, random_seed=int(rng.integers(2**31)),
            progressbar=False, compute_convergence_checks=False,
        )  # fmt: skip
    share = found["posterior"]["share"].transpose("chain", "draw", "subtheme").to_numpy()
    kept = ("diverging", "energy", "lp")
    known = found["sample_stats"]
    return np.asarray(share), {k: known[k].to_numpy() for k in kept if k in known}


def _check(method: str, **whole: tuple[int, int]) -> None:
    if method not in METHODS:
        raise DataError(f"method is {method!r}.", hint='Use "exact" or "nuts".')
    for name, (value, least) in whole.items():
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise DataError(
                f"{name} is {value!r}.", hint=f"Use a whole number of at least {least}."
            )


def _notes(model: CountModel, settings: CountSettings, data: CountData) -> list[str]:
    found = ["SYNTHETIC DATA: these counts were generated."] if data.synthetic else []
    d = settings.design_effect
    if d == 1:
        found.append(
            "References count as independent. They cluster in informants, and one vector of counts "
            "cannot show how much: read the verdicts under other design effects, too."
        )
    else:
        found.append(f"Design effect {d:g}, declared: {model.listed} references count as "
                     f"{model.listed / d:.0f} independent ones.")  # fmt: skip
    if model.left_out and settings.others == "left out":
        found.append(
            f"{model.left_out} of {model.total} references coded are not in the table; shares are "
            f"among the {model.listed} that are."
        )
    return found
