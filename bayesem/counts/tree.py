r"""The Dirichlet tree: shares of themes, and within each theme shares of its sub-themes.

A flat Dirichlet over the sub-themes is the tree whose node concentrations are the sums of what lies
below them. Any other tree prefers themes with many sub-themes less, or more, than that.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from bayesem.arrays import Floats, Ints
from bayesem.counts.table import OTHER, CountModel
from bayesem.errors import DataError, PriorError

__all__ = ["OTHERS", "PRIORS", "Tree", "draw_shares", "tree_of"]

PRIORS: Final = ("flat", "tree", "jeffreys")
OTHERS: Final = ("left out", "other")
LEAST: Final = 0.05  # smaller concentrations put nearly all draws at the corners, where logs fail


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """Concentrations and effective counts of a Dirichlet tree.

    Attributes
    ----------
    themes, subthemes : tuple of str
    theme_of : (subtheme,) int array
        Position of each sub-theme's theme.
    top : (theme,) array
        Concentration of the themes' Dirichlet.
    within : (subtheme,) array
        Concentrations within each theme.
    counts : (subtheme,) array
        Effective counts: references divided by the design effect.
    """

    themes: tuple[str, ...]
    subthemes: tuple[str, ...]
    theme_of: Ints
    top: Floats
    within: Floats
    counts: Floats

    @property
    def members(self) -> Floats:
        """(subtheme, theme) array of ones where a sub-theme belongs to a theme."""
        return np.eye(len(self.themes))[self.theme_of]

    @property
    def is_flat(self) -> bool:
        """Whether the tree is one Dirichlet over the sub-themes."""
        return bool(np.allclose(self.top, self.within @ self.members))


def tree_of(
    model: CountModel,
    *,
    prior: str | float = "flat",
    design_effect: float = 1.0,
    others: str = "left out",
) -> Tree:
    """The tree of a table of counts.

    Parameters
    ----------
    model : CountModel
    prior : {"flat", "tree", "jeffreys"} or float
        ``"flat"``: concentration 1 by sub-theme, sums above, so one flat Dirichlet. ``"tree"``:
        concentration 1 at every node, so that themes are equally likely whatever their number of
        sub-themes. ``"jeffreys"``: 1/2 by sub-theme, sums above; a number likewise.
    design_effect : float
        Counts are divided by it.
    others : {"left out", "other"}
        Whether references beside the table are ignored, or a sub-theme ``other``.

    Raises
    ------
    PriorError, DataError
        For what is none of these.

    Examples
    --------
    >>> from bayesem.counts.table import count_model
    >>> tree = tree_of(count_model({"a": {"x": 3, "y": 1}, "b": {"z": 2}}))
    >>> tree.top.tolist(), tree.is_flat
    ([2.0, 1.0], True)
    """
    d = _design_effect(design_effect)
    if others not in OTHERS:
        raise DataError(f"others is {others!r}.", hint=f"Use {' or '.join(map(repr, OTHERS))}.")
    table = {theme: dict(leaves) for theme, leaves in model.themes.items()}
    if others == OTHER:
        if not model.left_out:
            raise DataError("the table leaves no reference out.", hint='Use others="left out".')
        table[OTHER] = {OTHER: model.left_out}
    themes = tuple(table)
    theme_of = np.array([k for k, theme in enumerate(themes) for _ in table[theme]])
    counts = np.array([n for leaves in table.values() for n in leaves.values()], float)
    each = _concentration(prior)
    within = np.full(len(counts), each)
    top = np.bincount(theme_of, within) if prior != "tree" else np.ones(len(themes))
    subthemes = tuple(name for leaves in table.values() for name in leaves)
    return Tree(themes, subthemes, theme_of, top, within, counts / d)


def _concentration(prior: object) -> float:
    if isinstance(prior, str) and prior in PRIORS:
        return 0.5 if prior == "jeffreys" else 1.0
    number = isinstance(prior, int | float | np.number) and not isinstance(prior, bool)
    if number and LEAST <= prior < 1e6:  # type: ignore[operator]
        return float(prior)  # type: ignore[arg-type]
    raise PriorError(
        f"the prior of shares is {prior!r}.",
        hint=f"Use {', '.join(map(repr, PRIORS))}, or a concentration of at least {LEAST:g}.",
    )


def _design_effect(value: object) -> float:
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not number or not 1 <= value < 1e6:  # type: ignore[operator]
        raise DataError(
            f"the design effect is {value!r}.",
            hint="It is at least 1: by how much clustering inflates a share's variance.",
        )
    return float(value)  # type: ignore[arg-type]


def draw_shares(
    tree: Tree, size: tuple[int, ...], rng: np.random.Generator, counts: Floats | None = None
) -> Floats:
    """Independent draws of the sub-themes' shares: exact, since the tree is conjugate.

    Parameters
    ----------
    tree : Tree
    size : tuple of int
        Shape of the draws.
    rng : numpy.random.Generator
    counts : (..., subtheme) array, optional
        In the place of the tree's own; their leading axes follow ``size``. Zeros give the prior.

    Returns
    -------
    (*size, ..., subtheme) array
    """
    n = tree.counts if counts is None else counts
    if tree.is_flat:
        return _dirichlet(tree.within + n, size, rng)
    top = _dirichlet(tree.top + n @ tree.members, size, rng)
    below = rng.standard_gamma(tree.within + n, size=(*size, *n.shape))
    sums = below @ tree.members
    return np.asarray(below / sums[..., tree.theme_of] * top[..., tree.theme_of])


def _dirichlet(alpha: Floats, size: tuple[int, ...], rng: np.random.Generator) -> Floats:
    gamma = rng.standard_gamma(alpha, size=(*size, *alpha.shape))
    return np.asarray(gamma / gamma.sum(-1, keepdims=True))
