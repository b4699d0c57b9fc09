"""nutpie on the package's own compiled kernels: no compilation per model.

This is the one file that knows nutpie's private parts. The private route hands nutpie the address
of a compiled function; should those parts change, nutpie's public route for Python functions takes
over with the same kernel, and the result says so.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayesem.arrays import Floats
from bayesem.errors import SamplingError
from bayesem.kernels.target import Target
from bayesem.sampling.ways import Tell

__all__ = ["RawDraws", "load_sampler", "sample_kernel"]

#: Milliseconds between two reports of progress.
TOLD = 250
#: Fewer draws of a chain than these can be neither judged nor described.
LEAST_DRAWS = 4

#: Statistics that are kept, under ArviZ's names.
STATISTICS = {
    "diverging": "diverging",
    "energy": "energy",
    "logp": "lp",
    "n_steps": "n_steps",
    "depth": "tree_depth",
    "step_size": "step_size",
    "mean_tree_accept": "acceptance_rate",
    "maxdepth_reached": "reached_max_treedepth",
}


@dataclass(frozen=True, slots=True, eq=False)
class RawDraws:
    """What the sampler returns.

    Attributes
    ----------
    u : (chain, draw, q) array
        On the real line.
    statistics : dict of (chain, draw) arrays
    route : str
        ``"kernel"``, ``"kernel (public route)"`` or ``"compiled graph"``.
    interrupted : bool
        Whether the user stopped the run; what was drawn until then is here.
    """

    u: Floats
    statistics: dict[str, np.ndarray]
    route: str
    interrupted: bool = False


def load_sampler() -> None:
    """Import nutpie and what it needs: seconds that are no part of sampling."""
    import nutpie  # noqa: F401


def sample_kernel(
    target: Target,
    model: Floats,
    start: Callable[[int], Floats],
    *,
    draws: int,
    tune: int,
    chains: int,
    cores: int,
    seed: int,
    target_accept: float,
    progress: bool | Tell,
    private: bool = True,
) -> RawDraws:
    """Sample a compiled density in whitened coordinates.

    Parameters
    ----------
    target : Target
    model : array
        From :func:`bayesem.sampling.starts.whitened`.
    start : callable
        From a chain's seed to its starting point, (target.size,), in whitened coordinates.
    private : bool
        Whether to try nutpie's private route first.
    progress : bool or callable
        nutpie's own bar, or what is told of the draws of all chains, from a thread of nutpie's.

    Raises
    ------
    SamplingError
        If nutpie fails, or nothing was drawn before an interruption.
    """
    import nutpie

    compiled, route = None, "kernel (public route)"
    if private:
        try:
            compiled, route = _private(target, model, start), "kernel"
        except (AttributeError, ImportError, TypeError):
            compiled = None
    if compiled is None:
        compiled = _public(target, model, start)
    told = None if isinstance(progress, bool) else _telling(progress)
    try:
        trace = nutpie.sample(
            compiled, draws=draws, tune=tune, chains=chains, cores=cores, seed=seed,
            progress_bar=progress is True, progress_callback=told, progress_rate=TOLD,
            return_raw_trace=True, target_accept=target_accept,
        )  # fmt: skip
    except BaseException as error:
        # A panic inside nutpie derives from BaseException; what the user does is not to be caught.
        if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit | MemoryError):
            raise
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SamplingError(
            f"nutpie stopped: {reason}.", hint="Check starts and priors; try another seed."
        ) from error
    return unpack_trace(trace, target.parameters, draws, chains, route)


def _telling(progress: Tell) -> Callable[[list[Any]], None]:
    """nutpie's callback, from ours."""

    def told(chains: list[Any]) -> None:
        progress(
            "sampling", sum(c.finished_draws for c in chains), chains[0].total_draws * len(chains)
        )

    return told


def _private(target: Target, model: Floats, start: Callable[[int], Floats]) -> Any:
    """A compiled model around the address of our own entry."""
    from nutpie import _lib
    from nutpie.sample import CompiledModel

    q, size = target.parameters, target.size
    logp_entry, expand_entry = target.logp_entry, target.expand_entry
    variables = _lib.PyVariable.new_variables(
        ["u"], ["float64"], [(q,)], {"u_dim": q}, {"u": ["u_dim"]}
    )

    class Kernel(CompiledModel):  # type: ignore[misc]
        """The private interface of nutpie's compiled models."""

        n_dim = property(lambda self: size)
        shapes = property(lambda self: {"u": (q,)})
        coords = property(lambda self: {"u_dim": np.arange(q)})

        def _make_sampler(  # type: ignore[override]
            self,
            settings: Any,
            init_mean: Any,
            cores: Any,
            progress: Any,
            callback: Any,
            rate: Any,
            store: Any,
        ) -> Any:
            inner = _lib.PyMcModel(
                _lib.LogpFunc(logp_entry.address, model.ctypes.data, model),
                _lib.ExpandFunc(size, q, expand_entry.address, model.ctypes.data, model),
                variables, size, {"u_dim": q}, self.coords, start, None,
            )  # fmt: skip
            return _lib.PySampler.from_pymc(settings, cores, inner, progress, callback, rate, store)

    _lib.LogpFunc(logp_entry.address, model.ctypes.data, model)
    return Kernel(dims={"u": ("u_dim",)}, reparameterized_names=[])


def _public(target: Target, model: Floats, start: Callable[[int], Floats]) -> Any:
    """The same kernel, called through Python."""
    from nutpie.compiled_pyfunc import from_pyfunc

    q = target.parameters

    def logp(x: Floats) -> tuple[float, Floats]:
        value, gradient = target.white(model, x)
        return (value if np.isfinite(gradient).all() else -np.inf), gradient

    def make_logp() -> Callable[[Floats], tuple[float, Floats]]:
        return logp

    def make_expand(*_: Any) -> Callable[[Floats], dict[str, Floats]]:
        return lambda x: {"u": target.from_white(model, x)[:q]}

    return from_pyfunc(
        target.size, make_logp, make_expand, [np.dtype("float64")], [(q,)], ["u"],
        dims={"u": ("u_dim",)}, coords={"u_dim": np.arange(q)}, make_initial_point_fn=start,
    )  # fmt: skip


def unpack_trace(trace: Any, q: int, draws: int, chains: int, route: str) -> RawDraws:
    """Arrow batches to arrays; after an interruption, the draws that all chains reached."""
    import pyarrow

    draw_batches, stat_batches = trace.get_arrow_trace()
    parts, stats = [], []
    for batch, stat in zip(draw_batches, stat_batches, strict=True):
        kept = ~np.asarray(pyarrow.array(stat.column("tuning"))).astype(bool)
        flat = np.asarray(pyarrow.array(batch.column("u")).flatten(), float).reshape(-1, q)
        parts.append(flat[kept])
        stats.append(
            {
                name: np.asarray(pyarrow.array(stat.column(theirs)))[kept]
                for theirs, name in STATISTICS.items()
                if theirs in stat.column_names
            }
        )
    length = min((len(p) for p in parts), default=0)
    interrupted = length < draws or len(parts) < chains
    if length < LEAST_DRAWS:
        raise SamplingError(
            f"sampling was interrupted after {length} draws of a chain.",
            hint=f"Fewer than {LEAST_DRAWS} are not kept.",
        )
    statistics = {k: np.stack([s[k][:length] for s in stats]) for k in stats[0]}
    return RawDraws(np.stack([p[:length] for p in parts]), statistics, route, interrupted)
