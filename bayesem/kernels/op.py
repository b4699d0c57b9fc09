"""The linear likelihood as one PyTensor operation with a hand-written gradient."""

from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_default_op_cache_key

from bayesem.kernels.cache import source_key
from bayesem.kernels.gaussian import gaussian_loglik

__all__ = ["LinearLikelihood", "loglik"]


def loglik(
    matrices: list[Variable],
    statistics: list[Variable],
    count: np.ndarray,
    where: np.ndarray,
    *,
    use_mean: bool,
) -> Variable:
    """Log-likelihood of a linear SEM as a PyTensor scalar.

    Parameters
    ----------
    matrices : list
        ``Lambda Beta Psi Theta nu alpha``.
    statistics : list
        ``n`` (pattern,), ``ybar`` (pattern, indicator), ``S`` (pattern, indicator, indicator_bis).
    count, where : arrays
        Which variables each pattern observes, from ``Statistics.indices()``.
    """
    op = LinearLikelihood(tuple(map(int, count)), tuple(map(int, where.ravel())), bool(use_mean))
    return op(*map(pt.as_tensor_variable, matrices), *map(pt.as_tensor_variable, statistics))[0]


class LinearLikelihood(Op):  # type: ignore[misc]
    """Value and gradients together: the gradients are outputs, so that one pass gives both."""

    __props__ = ("count", "where", "use_mean")

    def __init__(self, count: tuple[int, ...], where: tuple[int, ...], use_mean: bool) -> None:  # noqa: FBT001
        self.count, self.where, self.use_mean = count, where, use_mean

    def make_node(self, *inputs: Variable) -> Apply:
        """Value, then the gradients for Lambda, Beta, Psi, Theta, nu, alpha."""
        ndims = (2, 2, 2, 2, 1, 1)
        outputs = [pt.dscalar(), *(pt.TensorType("float64", (None,) * k)() for k in ndims)]
        return Apply(self, [pt.cast(x, "float64") for x in inputs], outputs)

    def patterns(self) -> tuple[np.ndarray, np.ndarray]:
        """The static arrays that the kernel wants."""
        count = np.array(self.count, np.int64)
        return count, np.array(self.where, np.int64).reshape(len(count), -1)

    def perform(self, node: Apply, inputs: list[Any], output_storage: list[Any]) -> None:
        """Evaluate with the compiled kernel."""
        arrays = [np.ascontiguousarray(x, float) for x in inputs]
        values = gaussian_loglik(*arrays[:6], *self.patterns(), *arrays[6:], self.use_mean)
        for storage, value in zip(output_storage, values, strict=True):
            storage[0] = np.asarray(value)

    def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> list[Variable]:
        """Only the value is differentiated; the gradients are not differentiable outputs."""
        by_matrix = [cotangents[0] * g for g in outputs[1:]]
        return [*by_matrix, *(DisconnectedType()() for _ in inputs[6:])]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """The statistics are data: gradients with respect to them are not offered."""
        return [[k < 6, *([False] * 6)] for k in range(9)]


@register_funcify_default_op_cache_key(LinearLikelihood)
def numba_linear_likelihood(op: LinearLikelihood, node: Apply, **_: Any) -> Any:
    """Hand the kernel to compiled graphs; the key changes with the kernels' sources."""
    count, where = op.patterns()
    use_mean = op.use_mean

    @numba_njit
    def likelihood(Lambda, Beta, Psi, Theta, nu, alpha, n, ybar, S):  # type: ignore[no-untyped-def]
        value, gL, gB, gP, gT, gn, ga = gaussian_loglik(
            np.ascontiguousarray(Lambda), np.ascontiguousarray(Beta), np.ascontiguousarray(Psi),
            np.ascontiguousarray(Theta), np.ascontiguousarray(nu), np.ascontiguousarray(alpha),
            count, where, np.ascontiguousarray(n), np.ascontiguousarray(ybar),
            np.ascontiguousarray(S), use_mean,
        )  # fmt: skip
        return np.asarray(value), gL, gB, gP, gT, gn, ga

    return likelihood, int(source_key()[:8], 16)
