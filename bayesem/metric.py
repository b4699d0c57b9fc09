"""In which metric a factor is sampled, and how draws come back to the one asked for.

The home metric gives each factor a (residual) variance of 1 and a free, positive marker loading.
The marker metric is a rescaling of it, factor by factor, so that no verdict depends on the choice.
A factor leaves home only where the user's own statement (a shared label, a fixed value, a prior on
one parameter) is about the marker metric.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from bayesem.matrices import Matrices
from bayesem.partable import ParameterTable, Row

__all__ = ["Scale", "home_scales", "rescale"]


@dataclass(frozen=True, slots=True)
class Scale:
    """A factor's reported unit in home units: its marker's home loading over its fixed one."""

    factor: int
    row: Row

    def __str__(self) -> str:
        return self.row.name


def home_scales(table: ParameterTable, own_priors: Iterable[Row]) -> tuple[Scale, ...]:
    """The factors that are sampled at home, lower orders first.

    Parameters
    ----------
    table : ParameterTable
    own_priors : iterable of Row
        The rows to which the user gave a prior of their own.
    """
    if table.identify == "unit":
        return ()
    bound = _rows_that_bind(table) | {r.name for r in own_priors}
    found = [
        Scale(k, marker)
        for k, factor in enumerate(table.latent)
        if (marker := _marker(table, factor)) is not None and not _touched(table, k, bound)
    ]
    return tuple(sorted(found, key=lambda s: _depth(table, s.factor)))


def rescale(home: Matrices, scales: tuple[Scale, ...]) -> Matrices:
    """Bring matrices from the home metric to the reported one, batched over leading axes."""
    if not scales:
        return home
    s = np.ones(home.alpha.shape)
    for scale in scales:
        row = scale.row
        loading = getattr(home, row.matrix)[..., row.i, row.j]
        below = s[..., row.i] if row.matrix == "Beta" else 1.0
        s[..., scale.factor] = loading * below / row.value
    omega = home.omega
    if home.products:
        to, first, second = (
            [getattr(p, k) for p in home.products] for k in ("to", "first", "second")
        )
        omega = omega * s[..., to] / (s[..., first] * s[..., second])
    return replace(
        home,
        Lambda=home.Lambda / s[..., None, :],
        Beta=home.Beta * s[..., :, None] / s[..., None, :],
        Psi=home.Psi * s[..., :, None] * s[..., None, :],
        Theta=home.Theta,
        nu=home.nu,
        alpha=home.alpha * s,
        omega=omega,
    )


def _marker(table: ParameterTable, factor: str) -> Row | None:
    """The one loading that is fixed above 0 where the factor's variance is free and unlabelled."""
    k = table.factors.index(factor)
    fixed = [r for r in table.rows if r.op == "=~" and r.lhs == factor and r.value]
    variance = table.cell("Psi", k, k)
    if len(fixed) != 1 or variance is None or not variance.free or fixed[0].value <= 0:  # type: ignore[operator]
        return None
    if variance.start is not None or fixed[0].label is not None or variance.label is not None:
        return None
    return fixed[0]


def _rows_that_bind(table: ParameterTable) -> set[str]:
    """Names of rows whose value is a statement in the reported metric."""
    named: set[str] = set()
    for rows in table.labels.values():
        if len(rows) > 1:
            named |= {r.name for r in rows}
    for constraint in table.constraints:
        weights = constraint.form.weights
        if len(weights) > 1 or constraint.form.constant != 0:
            named |= {r.name for label, _ in weights for r in table.labels[label]}
    named |= {r.name for r in table.rows if r.value and not r.marker and r.op != "=~"}
    return named


def _touched(table: ParameterTable, k: int, bound: set[str]) -> bool:
    """Whether a bound row involves the unit of factor ``k``."""
    for row in table.rows:
        if row.name not in bound:
            continue
        if row.matrix == "Lambda" and row.j == k:
            return True
        if row.matrix == "Beta" and k in (row.i, row.j):
            return True
        if row.matrix == "Psi" and k in (row.i, row.j) and row.kind != "correlation":
            return True
        if row.matrix == "Psi" and k in (row.i, row.j) and (row.value or row.label):
            return True
        if row.matrix == "alpha" and row.i == k:
            return True
        if row.matrix == "omega":
            p = table.products[row.i]
            if k in (p.to, p.first, p.second):
                return True
    return False


def _depth(table: ParameterTable, k: int) -> int:
    """How many orders of measurement lie below factor ``k``."""
    below = [
        table.factors.index(r.rhs)
        for r in table.rows
        if r.op == "=~" and r.lhs == table.factors[k] and r.rhs in table.latent
    ]
    return 1 + max((_depth(table, j) for j in below), default=0)
