"""Prior densities and transforms of one number, with derivatives."""

import math

from numba import njit

from bayesem.kernels.cache import kernel_cache
from bayesem.priors import (
    BETA,
    GAMMA,
    INVGAMMA,
    LAPLACE,
    LOGNORMAL,
    NORMAL,
    STRETCHED_BETA,
    STUDENT,
)

with kernel_cache():

    @njit(cache=True, error_model="numpy")
    def log_prior(code, x, a, b, c):  # type: ignore[no-untyped-def]
        """Log-density without its constant, and its derivative."""
        if code == NORMAL:
            z = (x - a) / b
            return -0.5 * z * z, -z / b
        if code == GAMMA:
            return (a - 1) * math.log(x) - b * x, (a - 1) / x - b
        if code == STRETCHED_BETA:
            value = (a - 1) * math.log1p(x) + (b - 1) * math.log1p(-x)
            return value, (a - 1) / (1 + x) - (b - 1) / (1 - x)
        if code == BETA:
            value = (a - 1) * math.log(x) + (b - 1) * math.log1p(-x)
            return value, (a - 1) / x - (b - 1) / (1 - x)
        if code == INVGAMMA:
            return -(a + 1) * math.log(x) - b / x, -(a + 1) / x + b / (x * x)
        if code == LOGNORMAL:
            z = (math.log(x) - a) / b
            return -math.log(x) - 0.5 * z * z, -(1 + z / b) / x
        if code == STUDENT:
            z = (x - b) / c
            return -0.5 * (a + 1) * math.log1p(z * z / a), -(a + 1) * z / (c * (a + z * z))
        if code == LAPLACE:
            side = 1.0 if x > a else -1.0
            return -abs(x - a) / b, -side / b
        return 0.0, 0.0

    @njit(cache=True, error_model="numpy")
    def constrain(u, lower, upper):  # type: ignore[no-untyped-def]
        """Bring a number from the real line between its bounds.

        Returns the value, its derivative, the log of that derivative and the derivative of the log.
        """
        low, high = lower > -math.inf, upper < math.inf
        if low and high:
            e = math.exp(-abs(u))
            small, large = e / (1 + e), 1 / (1 + e)
            s, t = (large, small) if u >= 0 else (small, large)
            width = upper - lower
            log_slope = math.log(width) - abs(u) - 2 * math.log1p(e)
            return lower + width * s, width * s * t, log_slope, t - s
        if low:
            e = math.exp(u)
            return lower + e, e, u, 1.0
        if high:
            e = math.exp(u)
            return upper - e, -e, u, 1.0
        return u, 1.0, 0.0, 0.0
