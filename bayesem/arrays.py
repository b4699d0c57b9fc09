"""Names of dimensions and of the model's matrices, in one place."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]

#: The six matrices of a linear SEM, in the order in which kernels number them.
MATRICES: Final = ("Lambda", "Beta", "Psi", "Theta", "nu", "alpha")

#: Variables of the posterior, in the order in which tables show them.
VARIABLES: Final = (
    "loading",
    "path",
    "residual_sd",
    "factor_sd",
    "correlation",
    "covariance",
    "intercept",
    "factor_mean",
)

#: The dimension that each of these variables has.
DIMENSION: Final = {
    "loading": "loadings",
    "path": "paths",
    "residual_sd": "residual_sds",
    "factor_sd": "factor_sds",
    "correlation": "correlations",
    "covariance": "covariances",
    "intercept": "intercepts",
    "factor_mean": "factor_means",
}
