r"""What `cross_loadings` and `method_factor` add to a model: a pure step from model to model.

**Small cross-loadings.** Every indicator gets a loading on every other factor of first order, with
a normal prior around 0 whose sd is stated for the standardised loading (Muthén & Asparouhov 2012).
The data alone cannot tell all of them apart; their priors do.

**A common method factor** moves the answers to all indicators at once and is uncorrelated with all
other factors. It has one loading: the same for every indicator in units of that indicator's sd.
A loading of its own for each indicator is what the method variance of questionnaires is often
modelled by, but it competes with the factors' correlations: in trials (twelve indicators, n = 400)
such loadings, shrunk towards 0, left most of the bias where it was and had several modes.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bayesem.errors import ModelError
from bayesem.grammar.parse import parse
from bayesem.model import Model

__all__ = ["METHOD_SD", "NOTHING", "Added", "augmented", "check_arguments"]

#: Of the half-normal prior of the standardised method loading: 95% of it lies below 0.59.
METHOD_SD = 0.3


@dataclass(frozen=True, slots=True)
class Added:
    """Loadings that stand in no text, by the names of their rows.

    Attributes
    ----------
    small : mapping of str to float
        Cross-loadings, each with the sd of its prior on the standardised scale.
    common : tuple of str
        Loadings on the method factor: one parameter, that of the first.
    """

    small: Mapping[str, float] = field(default_factory=dict)
    common: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the results has to know."""
        found = []
        if self.small:
            width = next(iter(self.small.values()))
            found.append(
                f"{len(self.small)} further cross-loadings are free, with priors normal(0, "
                f"{width:g}) on the standardised scale, which identify them"
            )
        if self.common:
            name = self.common[0].split()[0]
            found.append(
                f"`{name}` is a common method factor: one loading for {len(self.common)} "
                f"indicators in units of their sds, halfnormal({METHOD_SD:g}), and no correlation "
                "with other factors"
            )
        return tuple(found)

    def __bool__(self) -> bool:
        return bool(self.small or self.common)


NOTHING = Added()


def augmented(
    model: Model,
    families: Sequence[str] = (),
    *,
    cross_loadings: float | None = None,
    method_factor: str | None = None,
) -> tuple[Model, Added]:
    """The model with what the two arguments add to it, and which loadings these are.

    Parameters
    ----------
    model : Model
    families : sequence of str
        Observed variables that are not continuous: they get no such loading.
    cross_loadings : float, optional
        The sd of the priors. A loading that the text fixes at 0 stays there.
    method_factor : str, optional
        Its name.

    Raises
    ------
    ModelError
        If there is nothing to add, or the name is taken.

    Examples
    --------
    >>> from bayesem.model import read_model
    >>> text = "f =~ a + b + c; g =~ d + e + h"
    >>> more, added = augmented(read_model(text), cross_loadings=0.08)
    >>> list(added.small)
    ['f =~ d', 'f =~ e', 'f =~ h', 'g =~ a', 'g =~ b', 'g =~ c']
    >>> augmented(read_model(text), method_factor="CMB")[0].factors
    ('f', 'g', 'CMB')
    """
    check_arguments(cross_loadings, method_factor)
    lines, added = list[str](), NOTHING
    measured = _first_order(model, families)
    if cross_loadings is not None:
        pairs = list(_crossed(model, measured))
        if not pairs:
            raise ModelError(
                "cross_loadings has nothing to free: no indicator could load on a second factor of "
                "first order.",
                hint="Leave the argument out.",
            )
        lines += [f"{factor} =~ {name}" for factor, name in pairs]
        added = replace(added, small=dict.fromkeys(lines, float(cross_loadings)))
    if method_factor is not None:
        names = _indicators(model, measured, method_factor)
        common = tuple(f"{method_factor} =~ {name}" for name in names)
        lines += _method_lines(model, names, method_factor)
        added = replace(added, common=common)
    if not lines:
        return model, added
    more = parse("\n".join(lines), "<added>").statements
    parsed = replace(model.parsed, statements=(*model.parsed.statements, *more))
    return replace(model, parsed=parsed), added


def check_arguments(cross_loadings: Any, method_factor: Any) -> None:
    """Refuse values that are no sd and no name."""
    if cross_loadings is not None:
        real = isinstance(cross_loadings, int | float) and not isinstance(cross_loadings, bool)
        if not real or not math.isfinite(cross_loadings) or not 0 < cross_loadings < 1:
            raise ModelError(
                f"`cross_loadings` is {cross_loadings!r}.",
                hint="Give the sd of their priors on the standardised scale, such as 0.08.",
            )
    if method_factor is not None and not (
        isinstance(method_factor, str) and re.fullmatch(r"[A-Za-z][\w.]*", method_factor)
    ):
        raise ModelError(
            f"`method_factor` is {method_factor!r}.", hint='Give the factor a name, such as "CMB".'
        )


def _first_order(model: Model, families: Sequence[str]) -> dict[str, list[str]]:
    """Continuous indicators of each factor that is measured by observed variables only."""
    latent = set(model.factors)
    parts: dict[str, list[str]] = {name: [] for name in model.factors}
    for s in model.parsed.statements:
        if s.op == "=~":
            parts[s.lhs].append(s.term.name)
    return {
        name: [v for v in dict.fromkeys(mine) if v not in families]
        for name, mine in parts.items()
        if not latent & set(mine)
    }


def _crossed(model: Model, measured: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Pairs of factor and indicator on which the text is silent."""
    written = {(s.lhs, s.term.name) for s in model.parsed.statements if s.op == "=~"}
    every = dict.fromkeys(v for mine in measured.values() for v in mine)
    return ((k, v) for k in measured for v in every if (k, v) not in written)


def _indicators(
    model: Model, measured: Mapping[str, Sequence[str]], method_factor: str
) -> tuple[str, ...]:
    if method_factor in model.variables or method_factor in model.labels:
        raise ModelError(
            f"`{method_factor}` is to be the method factor and is already in the model.",
            hint="Choose another name.",
            label=method_factor,
        )
    names = tuple(dict.fromkeys(v for mine in measured.values() for v in mine))
    if not names:
        raise ModelError(
            "method_factor has no indicators: no factor of first order has continuous ones.",
            hint="Leave the argument out.",
        )
    return names


def _method_lines(model: Model, names: Sequence[str], method_factor: str) -> list[str]:
    """Free loadings, variance 1, and no covariance with factors that nothing explains."""
    explained = {s.lhs for s in model.parsed.statements if s.op == "~"}
    explained |= {s.term.name for s in model.parsed.statements if s.op == "=~"}
    loadings = [f"{method_factor} =~ {'NA*' if k == 0 else ''}{v}" for k, v in enumerate(names)]
    apart = [f"{method_factor} ~~ 0*{v}" for v in model.factors if v not in explained]
    return [*loadings, f"{method_factor} ~~ 1*{method_factor}", *apart]
