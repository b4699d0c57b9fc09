"""A fit: model, data and draws, frozen; and the step from sampled numbers to named quantities."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from bayesem.arithmetic import defined
from bayesem.arrays import DIMENSION, VARIABLES, VECTORS, Floats
from bayesem.data import Answers, Moments
from bayesem.matrices import Matrices
from bayesem.metric import rescale
from bayesem.model import Model
from bayesem.partable import ParameterTable, Row
from bayesem.sampling.convergence import Convergence
from bayesem.spec import Spec

if TYPE_CHECKING:
    import pymc as pm

__all__ = [
    "Fit",
    "Settings",
    "cell",
    "in_home_units",
    "label_values",
    "named_draws",
    "on_real_line",
    "reported_matrices",
    "reserved",
]


@dataclass(frozen=True, slots=True)
class Settings:
    """The arguments of a fit, as they were used.

    ``priors`` is the preset and ``prior_text`` what each parameter's prior came to;
    ``priors_argument`` is what the caller gave, so that a saved fit can be built again. ``carried``
    says that the priors are another fit's, or were scaled: these arguments do not give them.
    """

    priors: str = "default"
    identify: str = "marker"
    means: bool = True
    fixed_x: bool = True
    draws: int = 1000
    tune: int = 1000
    chains: int = 4
    seed: int = 0
    sampler: str = "nutpie"
    route: str = "kernel"
    prior_text: Mapping[str, str] = field(default_factory=dict)
    priors_argument: str | Mapping[str, Any] | None = None
    integrate: str = "auto"
    families: Mapping[str, Any] | None = None
    carried: bool = False
    cross_loadings: float | None = None
    method_factor: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A posterior with everything it rests on.

    Attributes
    ----------
    model : Model
    data : Answers or Moments
    draws : xarray.DataTree
        ``posterior``, ``prior``, ``sample_stats``, ``log_prior``, ``unconstrained_posterior``,
        ``observed_data`` and ``constant_data``; variables carry the parameters' names as
        coordinates, and each label and defined parameter stands under its own name. ``log_prior``
        has one variable by kind of parameter (``loading``, ``path``, ...), which sum to the whole.
    table : ParameterTable
    spec : Spec
    convergence : Convergence
    timings : mapping of str to float
        Seconds by stage.
    settings : Settings
    notes : tuple of str
        What a reader of the results has to know.
    """

    model: Model
    data: Answers | Moments
    draws: xr.DataTree
    table: ParameterTable
    spec: Spec
    convergence: Convergence
    timings: Mapping[str, float]
    settings: Settings
    notes: tuple[str, ...] = ()

    @property
    def converged(self) -> bool:
        """Whether the chains pass every criterion of ``sampling.convergence.Thresholds``."""
        return self.convergence.ok

    @property
    def n(self) -> int:
        """Number of cases."""
        return self.spec.stats.cases

    @property
    def graph(self) -> "pm.Model":
        """The model as a PyMC graph, built on demand."""
        from bayesem.graphs import graph_of

        return graph_of(self.spec, self.data)

    def matrices(self, group: str = "posterior") -> Matrices:
        """Parameter matrices of every draw, (chain, draw, ...), in the reported metric."""
        return reported_matrices(self.spec, in_home_units(self, group))

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        from bayesem.summaries import fit_text

        return fit_text(self)

    def _repr_html_(self) -> str:
        from bayesem.summaries import fit_html

        return fit_html(self)


#: Where the sampled values (in home units, within their bounds) of each group are kept.
_SOURCE = {"posterior": "sampled_posterior", "prior": "sampled_prior"}


def in_home_units(fit: Fit, group: str = "posterior") -> Floats:
    """Sampled values within their bounds, (chain, draw, parameter)."""
    x = fit.draws[_SOURCE[group]]["x"].transpose("chain", "draw", "parameter")
    return np.asarray(x.to_numpy(), float)


def on_real_line(fit: Fit) -> Floats:
    """The posterior's sampled values on the real line, (chain, draw, parameter)."""
    u = fit.draws["unconstrained_posterior"]["u"].transpose("chain", "draw", "parameter")
    return np.asarray(u.to_numpy(), float)


def reported_matrices(spec: Spec, x: Floats) -> Matrices:
    """Matrices in the reported metric, reflected, from sampled values (..., q) in home units."""
    return rescale(_reflect(spec, spec.matrices(x)), spec.scales)


def _reflect(spec: Spec, home: Matrices) -> Matrices:
    """Turn each factor whose direction nothing fixes so that its first loading is positive."""
    s = np.ones(home.alpha.shape)
    for k, row in _free_directions(spec):
        loading = getattr(home, row.matrix)[..., row.i, row.j]
        below = s[..., row.i] if row.matrix == "Beta" else 1.0
        s[..., k] = np.where(loading * below < 0, -1.0, 1.0)
    if np.all(s == 1):
        return home
    omega = home.omega
    if home.products:
        to, first, second = (
            [getattr(p, k) for p in home.products] for k in ("to", "first", "second")
        )
        omega = omega * s[..., to] * s[..., first] * s[..., second]
    return replace(
        home,
        Lambda=home.Lambda * s[..., None, :],
        Beta=home.Beta * s[..., :, None] * s[..., None, :],
        Psi=home.Psi * s[..., :, None] * s[..., None, :],
        alpha=home.alpha * s,
        omega=omega,
    )


def _free_directions(spec: Spec) -> list[tuple[int, Row]]:
    """Factors whose sign is arbitrary, with the loading that settles it; lower orders first."""
    table = spec.table
    bounded = {p.name for p in spec.parameters if np.isfinite(p.lower) or np.isfinite(p.upper)}
    found = []
    for k, name in enumerate(table.latent):
        mine = [r for r in table.rows if r.op == "=~" and r.lhs == name]
        touching = [
            r
            for r in table.rows
            if (r.matrix == "Lambda" and r.j == k)
            or (r.matrix == "Beta" and k in (r.i, r.j))
            or (r.matrix in ("Psi", "alpha") and k in (r.i, r.j) and r.i != r.j)
        ]
        directed = any(r.value for r in touching) or any(
            r.free and r.name in bounded and r.kind != "correlation" for r in touching
        )
        shared = any(r.label and len(table.labels[r.label]) > 1 for r in touching)
        names = {r.name for r in touching}
        own = any(p.prior is not None and p.prior.given for p in spec.parameters if p.name in names)
        if not (directed or shared or own or spec.derived):
            found.append((k, next(r for r in mine if r.free)))
    return sorted(found, key=lambda pair: pair[1].matrix == "Beta")


def named_draws(spec: Spec, x: Floats) -> dict[str, xr.DataArray]:
    """Variables, labels and defined parameters of sampled values (chain, draw, q)."""
    matrices = reported_matrices(spec, x)
    table = spec.table
    out: dict[str, xr.DataArray] = {}
    for variable in VARIABLES:
        rows = [r for r in table.rows if r.free and r.kind == variable]
        if rows:
            values = np.stack([_named(matrices, r) for r in rows], -1)
            dim = DIMENSION[variable]
            coords = {dim: [r.name for r in rows]}
            out[variable] = xr.DataArray(values, dims=("chain", "draw", dim), coords=coords)
    for name, value in label_values(table, matrices).items():
        out[name] = xr.DataArray(value, dims=("chain", "draw"))
    return out


def label_values(
    table: ParameterTable, matrices: Matrices, read: Callable[[Matrices, Row], Floats] | None = None
) -> dict[str, Floats]:
    """Labels and defined parameters, (chain, draw); raw unless ``read`` says otherwise."""
    read = read or cell
    labels = {label: read(matrices, rows[0]) for label, rows in table.labels.items()}
    more = defined(table.definitions, labels)
    shape = matrices.Beta.shape[:-2]
    return labels | {k: np.broadcast_to(np.asarray(v, float), shape) for k, v in more.items()}


def cell(matrices: Matrices, row: Row) -> Floats:
    """The raw parameter: for ``~~`` a variance or covariance, as in lavaan's tables."""
    M = getattr(matrices, row.matrix)
    return M[..., row.i] if row.matrix in VECTORS else M[..., row.i, row.j]


def _named(matrices: Matrices, row: Row) -> Floats:
    """The quantity that the posterior's variables hold: standard deviations and correlations."""
    value = cell(matrices, row)
    if row.kind in ("residual_sd", "factor_sd"):
        return np.sqrt(value)
    if row.kind == "correlation":
        M = getattr(matrices, row.matrix)
        return value / np.sqrt(M[..., row.i, row.i] * M[..., row.j, row.j])
    return value


def reserved(names: Any) -> set[str]:
    """Names among ``names`` that the posterior's own variables and dimensions take."""
    return set(names) & {*VARIABLES, *DIMENSION.values(), "chain", "draw", "x", "parameter"}
