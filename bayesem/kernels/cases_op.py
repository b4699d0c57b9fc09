"""The casewise likelihood as one PyTensor operation with a hand-written gradient.

It calls the same compiled entry as the sampler, with the cells of all matrices as parameters that
have no prior and no transform, so that nothing is compiled for it.
"""

import hashlib
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op

from bayesem.arrays import MATRICES, Floats
from bayesem.kernels.linear import HEADER
from bayesem.kernels.plan import Section

__all__ = ["cases_likelihood", "matrix_array"]

_DIMS = (2, 2, 2, 2, 1, 1, 1, 1)


def matrix_array(shapes: list[tuple[int, ...]], part: Section) -> tuple[Floats, list[Any]]:
    """The kernel's array whose parameters are all cells of all matrices, and where they stand.

    Parameters
    ----------
    shapes : list of tuple
        Of ``Lambda Beta Psi Theta nu alpha omega shape``.
    part : Section

    Returns
    -------
    array, list of (rows, columns) by matrix
        A symmetric matrix is given by its lower triangle.
    """
    cells = []
    for name, shape in zip(MATRICES, shapes, strict=True):
        if name in ("Psi", "Theta"):
            cells.append(np.tril_indices(shape[0]))
        elif len(shape) == 2:
            rows, cols = np.indices(shape)
            cells.append((rows.ravel(), cols.ravel()))
        else:
            cells.append((np.arange(shape[0]), np.zeros(shape[0], np.int64)))
    which = np.repeat(np.arange(8), [len(r) for r, _ in cells])
    rows, cols = (np.concatenate([c[k] for c in cells]) for k in (0, 1))
    q = len(which)
    none = np.full(q, -1)
    terms = np.stack([which, rows, cols, np.arange(q), none, none]).astype(np.int64)
    p, m = shapes[0]
    size = p * m + 2 * m * m + p * p + p + m + shapes[6][0] + shapes[7][0]
    floats = np.concatenate(
        [np.full(q, -np.inf), np.full(q, np.inf), np.ones(q), [0.0], np.zeros(size)]
    )
    header = np.zeros(HEADER, np.int64)
    header[:16] = [
        p, m, q, 0, 0, q, 0, 0, 0, 1, 0, 0, terms.size, HEADER + terms.size + floats.size, 0,
        shapes[6][0],
    ]  # fmt: skip
    core = [header.view(np.float64), terms.ravel().view(np.float64), floats]
    return np.concatenate([*core, part.array]), cells


def cases_likelihood(matrices: list[Variable], shapes: list[tuple[int, ...]], part: Section) -> Any:
    """Log-likelihood of all cases as a PyTensor scalar.

    Parameters
    ----------
    matrices : list
        ``Lambda Beta Psi Theta nu alpha omega shape``.
    shapes : list of tuple
        Their shapes.
    part : Section
        Of the data, in the quadrature form.
    """
    return CasesLikelihood(shapes, part)(*(pt.as_tensor_variable(x) for x in matrices))[0]


class CasesLikelihood(Op):  # type: ignore[misc]
    """Value and gradients together: the gradients are outputs, so that one pass gives both."""

    __props__ = ("key",)

    def __init__(self, shapes: list[tuple[int, ...]], part: Section) -> None:
        self.array, self.cells = matrix_array(shapes, part)
        self.shapes = shapes
        self.key = hashlib.sha256(self.array.tobytes()).hexdigest()

    def make_node(self, *inputs: Variable) -> Apply:
        """Value, then the gradients for all matrices."""
        outputs = [pt.dscalar(), *(pt.TensorType("float64", (None,) * k)() for k in _DIMS)]
        return Apply(self, [pt.cast(x, "float64") for x in inputs], outputs)

    def perform(self, node: Apply, inputs: list[Any], output_storage: list[Any]) -> None:
        """Evaluate with the compiled entry."""
        from bayesem.kernels.moderated import density_of

        u = np.concatenate(
            [
                (x[r, c] if x.ndim == 2 else x[r]).ravel()
                for x, (r, c) in zip(inputs, self.cells, strict=True)
            ]
        )
        value, gradient = density_of(self.array, u)
        output_storage[0][0] = np.asarray(value)
        at = 0
        for k, (rows, cols) in enumerate(self.cells):
            g = np.zeros(self.shapes[k])
            part = gradient[at : at + len(rows)]
            at += len(rows)
            if g.ndim == 1:
                g[rows] = part
            elif MATRICES[k] in ("Psi", "Theta"):
                np.add.at(g, (rows, cols), 0.5 * part)
                np.add.at(g, (cols, rows), 0.5 * part)
            else:
                g[rows, cols] = part
            output_storage[k + 1][0] = g

    def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> list[Variable]:
        """Only the value is differentiated; the gradients are not differentiable outputs."""
        return [cotangents[0] * g for g in outputs[1:]]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """The value depends on every matrix; the gradients are not differentiated."""
        return [[True, *([False] * 8)] for _ in range(8)]
