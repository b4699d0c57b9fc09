"""Names of dimensions and of the model's matrices, in one place."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]

#: The six matrices of a linear SEM, in the order in which kernels number them.
LINEAR: Final = ("Lambda", "Beta", "Psi", "Theta", "nu", "alpha")

#: Those and what products of factors and outcomes of other families add: coefficients of products,
#: further parameters of outcomes.
MATRICES: Final = (*LINEAR, "omega", "shape")

#: Those that have one index.
VECTORS: Final = ("nu", "alpha", "omega", "shape")

#: Variables of the posterior, in the order in which tables show them.
VARIABLES: Final = (
    "loading",
    "path",
    "interaction",
    "residual_sd",
    "factor_sd",
    "correlation",
    "covariance",
    "intercept",
    "factor_mean",
    "shape",
)

#: The dimension that each of these variables has.
DIMENSION: Final = {
    "loading": "loadings",
    "path": "paths",
    "interaction": "interactions",
    "residual_sd": "residual_sds",
    "factor_sd": "factor_sds",
    "correlation": "correlations",
    "covariance": "covariances",
    "intercept": "intercepts",
    "factor_mean": "factor_means",
    "shape": "shapes",
}


def spaced(total: int, count: int) -> Ints:
    """Positions of ``count`` evenly spaced ones among ``total``, both ends included.

    Examples
    --------
    >>> spaced(10, 4).tolist()
    [0, 3, 6, 9]
    """
    return np.linspace(0, total - 1, count).round().astype(np.int64)
