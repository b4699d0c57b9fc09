"""Which way a casewise likelihood is integrated: chosen by counted cost, and said.

Costs are counted and not timed, so that the same seed gives the same draws on every machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bayesem.arrays import Floats
from bayesem.casewise import Split, split
from bayesem.errors import ModelError, NotAvailableError
from bayesem.kernels.pack import constrained
from bayesem.kernels.target import Target, target_of
from bayesem.sampling.starts import Mode, maximum, spread_around
from bayesem.spec import Spec

__all__ = ["Chosen", "choose", "enough_nodes", "gradient_cost"]

#: Largest error of the log-likelihood that nodes may leave, at the mode and around it.
ERROR = 0.02
NODES = (3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32)
MOST_NODES = 1500
QUADRATURE, COVER, SCORES = 1, 2, 3
#: What a further node adds to a gradient, as a share of what one costs at sampled scores: .3 to .9
#: in the shipped studies' models (``benchmarks/interactions.py --gradients``).
NODE = 0.45


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """The target to sample, its mode over the parameters, and what to tell."""

    target: Target
    mode: Mode
    notes: tuple[str, ...] = ()


def choose(spec: Spec, wish: str = "auto") -> Chosen:
    """Find the mode and the cheapest exact way to sample.

    Parameters
    ----------
    spec : Spec
    wish : str
        One of ``FORMS``.

    Raises
    ------
    NotAvailableError
        If the wished form cannot integrate this model.
    """
    if spec.cases is None:
        if wish != "auto":
            raise ModelError(
                f"integrate={wish!r}, but nothing has to be integrated in this model.",
                hint='Leave it out, or use "auto".',
            )
        target = target_of(spec)
        return Chosen(target, maximum(spec, target=target))
    parts = split(spec.table)
    if parts.reason:
        return _all_scores(spec, parts.reason, wish)
    rough = target_of(spec, form=QUADRATURE, nodes=3 if parts.dimensions < 3 else 2)
    mode = maximum(spec, target=rough)
    spread, rng = spread_around(mode), np.random.default_rng(0)
    around = [mode.u + spread @ rng.standard_normal(len(mode.u)) for _ in range(2)]
    nodes, left = enough_nodes(spec, parts, [mode.u, *around])
    costs: dict[str, float] = {}  # of a gradient, by the growth of trajectories
    targets: dict[str, Target] = {}
    if nodes is not None:
        targets["quadrature"] = target_of(spec, form=QUADRATURE, nodes=nodes)
    if parts.dimensions:
        targets["cover"] = target_of(spec, form=COVER)
    if wish == "scores":
        targets["scores"] = _scores_target(spec, mode)
    for name, target in targets.items():
        points = (nodes or 1) ** parts.dimensions if name == "quadrature" else 1
        costs[name] = gradient_cost(points) * target.size**0.25
    if wish not in ("auto", *targets):
        raise NotAvailableError(
            f"integrate={wish!r} is not available for this model.",
            hint=f"Use {', '.join([*targets, 'scores'])} or auto.",
        )
    best = min(costs, key=lambda k: costs[k]) if wish == "auto" else wish
    return Chosen(targets[best], mode, (_note(spec, parts, best, nodes, left, costs),))


def gradient_cost(points: int) -> float:
    """What a gradient with so many nodes in all costs, in gradients at sampled scores."""
    return 1 + NODE * (points - 1)


def _all_scores(spec: Spec, reason: str, wish: str) -> Chosen:
    """The only way for models whose late factors are not normal given the cover.

    The mode that coordinates are laid around is that of the linear part: parameters that it says
    nothing on start from their priors.
    """
    if wish not in ("auto", "scores"):
        raise NotAvailableError(
            f"integrate={wish!r} is not available for this model: {reason}.",
            hint='Use "scores" or "auto".',
        )
    mode = maximum(replace(spec, cases=None))
    note = f"all factor scores sampled, because {reason}"
    return Chosen(_scores_target(spec, mode), mode, (note,))


def _scores_target(spec: Spec, mode: Mode) -> Target:
    from bayesem.kernels.allscores_plan import target_of_scores

    return target_of_scores(spec, spec.matrices(constrained(spec, mode.u)))


def enough_nodes(spec: Spec, parts: Split, points: Sequence[Floats]) -> tuple[int | None, float]:
    """The fewest nodes by dimension that are exact enough, and the error that they leave.

    Parameters
    ----------
    spec : Spec
    parts : Split
        Without a ``reason``.
    points : sequence of (q,) arrays
        On the real line, where the log-likelihood has to be exact.

    Returns
    -------
    int or None, float
        None if more than ``MOST_NODES`` in all would be needed.
    """
    if parts.dimensions == 0:
        return 1, 0.0
    options = [k for k in NODES if k**parts.dimensions <= MOST_NODES]
    values: list[Floats] = []
    for k in options:
        target = target_of(spec, form=QUADRATURE, nodes=k)
        values.append(np.array([target.density(target.array, u)[0] for u in points]))
        if len(values) > 2:
            gap = [float(np.abs(v - values[-1]).max()) for v in values[-3:-1]]
            if max(gap) < ERROR:
                return options[len(values) - 3], max(gap)
    return None, np.nan


def _note(
    spec: Spec, parts: Split, best: str, nodes: int | None, left: float, costs: dict[str, float]
) -> str:
    names = [spec.table.factors[parts.into[at]] for at, raw in parts.cover if not raw]
    listed = ", ".join(f"`{n}`" for n in names)
    if not names:
        return "factors integrated out in closed form, case by case"
    how = {
        "quadrature": f"all factors integrated out ({nodes} nodes in each of {listed}, "
        f"log-likelihood within {left:.1g})",
        "cover": f"scores of {listed} sampled, all other factors integrated out in closed form",
        "scores": "all factor scores sampled",
    }[best]
    other = [
        f"{k} {v / costs[best]:.1f} times"
        for k, v in costs.items()
        if k != best and "scores" not in (k, best)
    ]
    return how + (f"; expected cost of the other way: {', '.join(other)}" if other else "")
