"""A Dirichlet tree of theme counts as a PyMC graph: the definition, in PyMC's own terms."""

from typing import TYPE_CHECKING, Any

import numpy as np

from bayesem.arrays import Floats
from bayesem.counts.tree import Tree

if TYPE_CHECKING:
    import pymc as pm

__all__ = ["graph_of_tree"]


def graph_of_tree(tree: Tree) -> "pm.Model":
    """Build the graph: a Dirichlet at every node, multinomial counts below it.

    Effective counts that are no whole numbers (a design effect above 1) enter as a power of the
    multinomial likelihood, ``pm.Potential``; whole ones are observed ``pm.Multinomial`` nodes.

    Parameters
    ----------
    tree : Tree

    Returns
    -------
    pymc.Model
        With ``theme_share``, ``within_<theme>`` and the deterministic ``share``.
    """
    import pymc as pm

    coords = {"subtheme": list(tree.subthemes), "node": list(tree.themes)}
    with pm.Model(coords=coords) as model:
        top = _node("theme_share", tree.top, tree.counts @ tree.members, "node")
        parts: list[Any] = []
        for k, theme in enumerate(tree.themes):
            mine = np.flatnonzero(tree.theme_of == k)
            if len(mine) == 1:
                parts.append(top[k : k + 1])
                continue
            model.add_coord(f"in_{theme}", [tree.subthemes[i] for i in mine])
            within = _node(f"within_{theme}", tree.within[mine], tree.counts[mine], f"in_{theme}")
            parts.append(top[k] * within)
        pm.Deterministic("share", pm.math.concatenate(parts), dims="subtheme")
    return model


def _node(name: str, alpha: Floats, counts: Floats, dim: str) -> Any:
    import pymc as pm

    if len(alpha) == 1:
        return pm.math.ones(1)
    share = pm.Dirichlet(name, alpha, dims=dim)
    if np.all(counts == np.round(counts)):
        whole = counts.astype(np.int64)
        pm.Multinomial(f"references_{name}", n=whole.sum(), p=share, observed=whole, dims=dim)
    else:
        pm.Potential(f"references_{name}", (counts * pm.math.log(share)).sum())
    return share
