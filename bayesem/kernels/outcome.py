"""Log-density of one outcome whose linear predictor is normal, with derivatives."""

import math

import numpy as np
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
#: Longest step of the search for the peak of an integrand, on the scale of a linear predictor.
LONGEST = 3.0

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
    def log_rising(r, z):  # type: ignore[no-untyped-def]
        """log of r (r + 1) ... (r + z - 1) and its derivative by r, exact for large r, too.

        Ten factors at most are taken one by one; the rest is Stirling's series, as a difference in
        which nothing cancels.
        """
        value, slope = 0.0, 0.0
        while r < 10.0 and z > 0.0:
            value += math.log(r)
            slope += 1.0 / r
            r += 1.0
            z -= 1.0
        if z > 0.0:
            end = r + z
            a, b = 1.0 / (r * r), 1.0 / (end * end)
            low = (1.0 - a * (1.0 / 30.0 - a * (1.0 / 105.0 - a / 140.0))) / (12.0 * r)
            high = (1.0 - b * (1.0 / 30.0 - b * (1.0 / 105.0 - b / 140.0))) / (12.0 * end)
            value += z * math.log(end) + (r - 0.5) * math.log1p(z / r) - z + high - low
            low = a * (1.0 - a * (0.1 - a * (1.0 / 21.0 - a / 20.0))) / 12.0
            high = b * (1.0 - b * (0.1 - b * (1.0 / 21.0 - b / 20.0))) / 12.0
            slope += math.log1p(z / r) + 0.5 * (1.0 / r - 1.0 / end) + low - high
        return value, slope

    @njit(cache=True, error_model="numpy")
    def free_of_predictor(code, z, status, shape, log_factorial):  # type: ignore[no-untyped-def]
        """The part of a log-density that does not depend on the linear predictor.

        Returns value and derivative by ``shape``.
        """
        if code == WEIBULL and status != CENSORED:
            return -math.log(shape) - math.log(z), -1.0 / shape
        if code == POISSON:
            return -log_factorial, 0.0
        if code == NEGATIVE_BINOMIAL:
            r = 1.0 / shape
            value, slope = log_rising(r, z)
            return value - z * math.log(r) - log_factorial, -(slope - z / r) * r * r
        return 0.0, 0.0

    @njit(cache=True, error_model="numpy")
    def given_predictor(code, eta, z, status, shape):  # type: ignore[no-untyped-def]
        """The other part, at a known linear predictor; ``z`` is the log of a time.

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
            u = (z - eta) / shape
            e = math.exp(min(u, 700.0))
            if status == CENSORED:
                return -e, e / shape, -e / (shape * shape), e * u / shape
            slope = (e - 1.0) / shape
            return u - e, slope, -e / (shape * shape), u * slope
        mean = math.exp(min(eta, 700.0))
        if code == POISSON:
            return z * eta - mean, z - mean, -mean, 0.0
        if code == NEGATIVE_BINOMIAL:
            r = 1.0 / shape
            share = mean / (r + mean)
            log_rest = -math.log1p(mean / r)
            by_r = log_rest + (r + z) * share / r
            slope = z - (z + r) * share
            return (
                z * eta + (r + z) * log_rest, slope, -(z + r) * share * (1.0 - share), -by_r * r * r
            )  # fmt: skip
        return math.nan, 0.0, 0.0, 0.0

    @njit(cache=True, error_model="numpy")
    def peak(code, m, v, z, status, shape):  # type: ignore[no-untyped-def]
        """Where density times normal(m, v) is highest, nearly, and the width of that place.

        All these densities are log-concave in the predictor, so Newton steps that are not too long
        arrive; what is left of the distance costs no exactness. Where a density falls like
        exp(-exp()) steps are short, so the search starts at a bound of the peak.
        """
        eta, sd = m, math.sqrt(v)
        if code == WEIBULL and z > m:
            eta = z - shape * min((z - m) / shape, math.log1p(shape * (z - m) / v))
        elif code == POISSON:
            above = max(m - math.log(max(z, 1.0)), 0.0)
            eta = min(m, math.log(z + above / v + 1.0))
        for _ in range(60):
            _, slope, bend, _ = given_predictor(code, eta, z, status, shape)
            sd = math.sqrt(v / (1.0 - v * bend))
            step = (slope - (eta - m) / v) * sd * sd
            if not abs(step) < LONGEST:
                step = math.copysign(LONGEST, step)
            eta += step
            if abs(step) < 0.05 * sd:
                break
        _, _, bend, _ = given_predictor(code, eta, z, status, shape)
        return eta, math.sqrt(v / (1.0 - v * bend))

    @njit(cache=True, error_model="numpy")
    def by_residual(m, v, z, status, shape):  # type: ignore[no-untyped-def]
        """Log-density of the log ``z`` of a Weibull time, or of one that is longer.

        The predictor is integrated out in closed form and the residual, the log of an exponential
        variable, by the trapezoidal rule. That is for residuals that are small beside the
        predictor: survival is then a step in the predictor, which no nodes over it resolve.
        """
        sd = math.sqrt(v)
        total, by_m, by_v, by_shape = 0.0, 0.0, 0.0, 0.0
        for j in range(60):
            e = 4.0 - 0.5 * j
            w = 0.5 * math.exp(e - math.exp(e))
            x = (m + shape * e - z) / sd
            height = w * math.exp(-0.5 * x * x - 0.5 * LOG_2PI) / sd
            if status == CENSORED:
                total += 0.5 * w * math.erfc(-x / math.sqrt(2.0))
                slope = height
                by_v -= 0.5 * height * x / sd
            else:
                total += height
                slope = -height * x / sd
                by_v += 0.5 * height * (x * x - 1.0) / v
            by_m += slope
            by_shape += slope * e
        return math.log(total), by_m / total, by_v / total, by_shape / total

    @njit(cache=True, error_model="numpy")
    def expected(code, m, v, z, status, shape, log_factorial, nodes, logw):  # type: ignore[no-untyped-def]
        """Log of the density's mean over a linear predictor that is normal(m, variance v).

        Closed for probit and lognormal (their residual is part of v); for the others by
        Gauss-Hermite nodes laid where the integrand is. Returns value and derivatives by ``m``,
        ``v`` and ``shape``.
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
        constant, by_constant = free_of_predictor(code, z, status, shape, log_factorial)
        if code == WEIBULL:
            z = math.log(z)
        if not v > 1e-14:
            f, d1, d2, ds = given_predictor(code, m, z, status, shape)
            return constant + f, d1, 0.5 * (d2 + d1 * d1), by_constant + ds
        if code == WEIBULL and v > 4.0 * shape * shape and m - z < v / shape + 15.0 * shape:
            value, by_m, by_v, by_shape = by_residual(m, v, z, status, shape)
            if value > -600.0:
                return value - (0.0 if status == CENSORED else z), by_m, by_v, by_shape
        eta, sd = peak(code, m, v, z, status, shape)
        top = given_predictor(code, eta, z, status, shape)[0] - 0.5 * (eta - m) ** 2 / v
        total, by_m, by_v, by_shape = 0.0, 0.0, 0.0, 0.0
        for j in range(nodes.shape[0]):
            at = eta + sd * nodes[j]
            f, d1, d2, ds = given_predictor(code, at, z, status, shape)
            far = at - m
            w = math.exp(f - top + logw[j] + 0.5 * (nodes[j] * nodes[j] - far * far / v))
            if w > 0.0:
                total += w
                by_m += w * d1
                by_v += w * (d2 + d1 * d1)
                by_shape += w * ds
        value = constant + top + math.log(total) + math.log(sd / math.sqrt(v))
        if not (value > -math.inf and total < math.inf):
            return -math.inf, 0.0, 0.0, 0.0
        return value, by_m / total, 0.5 * by_v / total, by_constant + by_shape / total

    @njit(cache=True, error_model="numpy")
    def expected_values(code, m, v, z, status, shape, nodes, logw):  # type: ignore[no-untyped-def]
        """Values of :func:`expected` over (draw, case) arrays ``m`` and ``v``.

        ``z`` and ``status`` are by case, ``shape`` by draw. Factorials of counts are left out.
        """
        values = np.empty(m.shape)
        for d in range(m.shape[0]):
            for i in range(m.shape[1]):
                values[d, i] = expected(
                    code, m[d, i], v[d, i], z[i], status[i], shape[d], 0.0, nodes, logw
                )[0]
        return values
