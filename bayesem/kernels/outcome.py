"""Log-density of one outcome whose linear predictor is normal, with derivatives."""

import math

from numba import njit

from bayesem.families import (
    LOGIT,
    LOGNORMAL,
    NEGATIVE_BINOMIAL,
    POISSON,
    PROBIT,
    WEIBULL,
)
from bayesem.kernels.cache import kernel_cache

LOG_2PI = math.log(2 * math.pi)
OBSERVED, CENSORED, MISSING = 0, 1, 2

with kernel_cache():

    @njit(cache=True, error_model="numpy")
    def log_normal_cdf(x):  # type: ignore[no-untyped-def]
        """log Phi(x) and its derivative, in both tails."""
        if x > -12.0:
            cdf = 0.5 * math.erfc(-x / math.sqrt(2.0))
            value = math.log(cdf)
        else:
            y = 1.0 / (x * x)
            series = 1.0 - y * (1.0 - 3.0 * y * (1.0 - 5.0 * y * (1.0 - 7.0 * y)))
            value = -0.5 * x * x - math.log(-x) - 0.5 * LOG_2PI + math.log(series)
        return value, math.exp(-0.5 * x * x - 0.5 * LOG_2PI - value)

    @njit(cache=True, error_model="numpy")
    def given_predictor(code, eta, z, status, shape, log_factorial):  # type: ignore[no-untyped-def]
        """Log-density of an outcome at a known linear predictor.

        Returns value, first and second derivative by ``eta``, and derivative by ``shape``. The
        families with a normal residual are not here: :func:`expected` knows them in closed form.
        """
        if code == LOGIT:
            sign = 1.0 if z > 0.5 else -1.0
            x = sign * eta
            e = math.exp(-abs(x))
            p = 1.0 / (1.0 + e) if x >= 0 else e / (1.0 + e)
            value = -math.log1p(e) if x >= 0 else x - math.log1p(e)
            return value, sign * (1.0 - p), -p * (1.0 - p), 0.0
        if code == WEIBULL:
            u = (math.log(z) - eta) / shape
            e = math.exp(min(u, 700.0))
            if status == CENSORED:
                return -e, e / shape, -e / (shape * shape), e * u / shape
            value = u - e - math.log(shape) - math.log(z)
            slope = (e - 1.0) / shape
            return value, slope, -e / (shape * shape), u * slope - 1.0 / shape
        mean = math.exp(min(eta, 700.0))
        if code == POISSON:
            return z * eta - mean - log_factorial, z - mean, -mean, 0.0
        if code == NEGATIVE_BINOMIAL:
            r = 1.0 / shape
            ratio, by_r = 0.0, 0.0
            for j in range(int(z)):
                ratio += math.log(r + j)
                by_r += 1.0 / (r + j)
            share = mean / (r + mean)
            log_rest = -math.log1p(mean / r)
            value = ratio - z * math.log(r) - log_factorial + z * eta + (r + z) * log_rest
            by_r += -z / r + log_rest + (r + z) * mean / (r * (r + mean))
            slope = z - (z + r) * share
            return value, slope, -(z + r) * share * (1.0 - share), -by_r * r * r
        return math.nan, 0.0, 0.0, 0.0

    @njit(cache=True, error_model="numpy")
    def expected(code, m, v, z, status, shape, log_factorial, nodes, logw):  # type: ignore[no-untyped-def]
        """Log of the density's mean over a linear predictor that is normal(m, variance v).

        Closed for probit and lognormal (their residual is part of v), by Gauss-Hermite nodes for
        the others. Returns value and derivatives by ``m``, ``v`` and ``shape``.
        """
        if status == MISSING:
            return 0.0, 0.0, 0.0, 0.0
        if code == PROBIT or (code == LOGNORMAL and status == CENSORED):
            centre, sign = m, 1.0
            if code == LOGNORMAL:
                centre = m - math.log(z)
            elif z < 0.5:
                sign = -1.0
            sd = math.sqrt(v)
            value, ratio = log_normal_cdf(sign * centre / sd)
            by_m = sign * ratio / sd
            return value, by_m, -0.5 * by_m * centre / v, 0.0
        if code == LOGNORMAL:
            y = math.log(z)
            r = y - m
            value = -0.5 * (LOG_2PI + math.log(v) + r * r / v) - y
            return value, r / v, 0.5 * (r * r / v - 1.0) / v, 0.0
        sd = math.sqrt(v) if v > 1e-14 else 0.0
        if sd == 0.0:
            f, d1, d2, ds = given_predictor(code, m, z, status, shape, log_factorial)
            return f, d1, 0.5 * (d2 + d1 * d1), ds
        top = -math.inf
        for j in range(nodes.shape[0]):
            f = given_predictor(code, m + sd * nodes[j], z, status, shape, log_factorial)[0]
            top = max(top, f + logw[j])
        if not top > -math.inf:
            return -math.inf, 0.0, 0.0, 0.0
        total, by_m, by_v, by_shape = 0.0, 0.0, 0.0, 0.0
        for j in range(nodes.shape[0]):
            f, d1, _, ds = given_predictor(code, m + sd * nodes[j], z, status, shape, log_factorial)
            w = math.exp(f + logw[j] - top)
            if w > 0.0:
                total += w
                by_m += w * d1
                by_v += w * d1 * nodes[j]
                by_shape += w * ds
        return top + math.log(total), by_m / total, 0.5 * by_v / (total * sd), by_shape / total
