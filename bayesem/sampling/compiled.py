"""The plain road: compile the PyMC graph, for priors outside the built-in families."""

from typing import TYPE_CHECKING, Any

import numpy as np

from bayesem.arrays import Floats
from bayesem.sampling.engine import RawDraws

if TYPE_CHECKING:
    from bayesem.posterior import Settings
    from bayesem.preparation import Prepared

__all__ = ["sample_graph"]


def sample_graph(
    ready: "Prepared",
    settings: "Settings",
    tune: int,
    seed: int,
    target: float,
    cores: int,
    progress: bool,  # noqa: FBT001
) -> tuple[RawDraws, str]:
    """Sample the graph of a prepared model with nutpie's or PyMC's own compilation.

    Returns
    -------
    RawDraws, str
        The draws on the real line in the kernels' order, and the note to show.
    """
    import pymc as pm

    from bayesem.graphs import graph_of

    model = graph_of(ready.spec, ready.data)
    names = [rv.name for rv in model.free_RVs]
    with model:
        kwargs: dict[str, Any] = {"nuts_sampler": settings.sampler}
        tree = pm.sample(
            draws=settings.draws, tune=tune, chains=settings.chains, cores=cores, random_seed=seed,
            target_accept=target, progressbar=progress, var_names=names,
            compute_convergence_checks=False, **kwargs,
        )  # fmt: skip
    x = np.stack(
        [_values(ready, tree["posterior"], model, p) for p in range(len(ready.spec.names))], -1
    )
    statistics = {
        k: tree["sample_stats"][v].to_numpy()
        for k, v in (("diverging", "diverging"), ("energy", "energy"), ("lp", "lp"))
        if v in tree["sample_stats"]
    }
    from bayesem.kernels.pack import unconstrained

    why = "priors outside the built-in families" if not ready.spec.builtin else "sampler='pymc'"
    note = f"the graph was compiled as usual ({why}); starts and sign are the graph's own"
    return RawDraws(unconstrained(ready.spec, x), statistics, "compiled graph"), note


def _values(ready: "Prepared", posterior: Any, model: Any, position: int) -> Floats:
    """One sampled parameter (chain, draw), found by its coordinate."""
    name = ready.spec.names[position]
    variable = ready.spec.parameters[position].variable
    for rv in model.free_RVs:
        dims = model.named_vars_to_dims.get(rv.name, ())
        base = rv.name.removeprefix("unit_")
        if rv.name == "parameters" or base == variable or base.startswith(f"{variable}_"):
            for dim in dims:
                if name in model.coords[dim]:
                    return posterior[rv.name].sel({dim: name}).to_numpy()
    raise LookupError(name)
