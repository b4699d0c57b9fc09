"""Transforms of the graph's random variables, the same as those of the compiled kernels."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pymc.logprob.transforms import Transform

from bayesem.arrays import Floats
from bayesem.correlations import Member, from_cube, to_cube
from bayesem.spec import Parameter

__all__ = ["Bounded", "VectorBounded"]


class Bounded(Transform):  # type: ignore[misc]
    """From between element-wise bounds to the real line: log, reflected log, logit or nothing."""

    name = "bounded"
    ndim_supp = 0

    def __init__(self, lower: Floats, upper: Floats) -> None:
        self.lower, self.upper = lower, upper
        low, high = np.isfinite(lower), np.isfinite(upper)
        self.both = np.flatnonzero(low & high)
        self.low, self.high = np.flatnonzero(low & ~high), np.flatnonzero(high & ~low)

    def backward(self, value: Any, *inputs: Any) -> Any:
        """Real line to bounds."""
        out = value
        if self.low.size:
            out = pt.set_subtensor(out[self.low], self.lower[self.low] + pt.exp(value[self.low]))
        if self.high.size:
            out = pt.set_subtensor(out[self.high], self.upper[self.high] - pt.exp(value[self.high]))
        if self.both.size:
            width = (self.upper - self.lower)[self.both]
            inside = self.lower[self.both] + width * pt.sigmoid(value[self.both])
            out = pt.set_subtensor(out[self.both], inside)
        return out

    def forward(self, value: Any, *inputs: Any) -> Any:
        """Bounds to real line."""
        out = value
        if self.low.size:
            out = pt.set_subtensor(out[self.low], pt.log(value[self.low] - self.lower[self.low]))
        if self.high.size:
            out = pt.set_subtensor(out[self.high], pt.log(self.upper[self.high] - value[self.high]))
        if self.both.size:
            v = value[self.both]
            odds = pt.log(v - self.lower[self.both]) - pt.log(self.upper[self.both] - v)
            out = pt.set_subtensor(out[self.both], odds)
        return out

    def log_jac_det(self, value: Any, *inputs: Any) -> Any:
        """Log-derivative of ``backward``, element by element."""
        out = pt.zeros_like(value)
        for where in (self.low, self.high):
            if where.size:
                out = pt.set_subtensor(out[where], value[where])
        if self.both.size:
            v = value[self.both]
            slope = np.log((self.upper - self.lower)[self.both]) - pt.softplus(v) - pt.softplus(-v)
            out = pt.set_subtensor(out[self.both], slope)
        return out


class VectorBounded(Bounded):
    """The same for one vector-valued variable; blocks of correlations go through the cube."""

    ndim_supp = 1

    def __init__(
        self, parameters: Sequence[Parameter], cubes: Sequence[tuple[int, list[Member]]]
    ) -> None:
        super().__init__(
            np.array([p.lower for p in parameters]), np.array([p.upper for p in parameters])
        )
        self.cubes = cubes

    def backward(self, value: Any, *inputs: Any) -> Any:
        """Real line to bounds to correlations."""
        out = super().backward(value, *inputs)
        for order, members in self.cubes:
            where = np.array([k for k, _, _ in members])
            out = pt.set_subtensor(out[where], from_cube(out[where], members, order, xp=pt)[0])
        return out

    def forward(self, value: Any, *inputs: Any) -> Any:
        """Correlations to bounds to real line."""
        for order, members in self.cubes:
            where = np.array([k for k, _, _ in members])
            value = pt.set_subtensor(value[where], to_cube(value[where], members, order, xp=pt))
        return super().forward(value, *inputs)

    def log_jac_det(self, value: Any, *inputs: Any) -> Any:
        """Summed over the elements."""
        total = super().log_jac_det(value, *inputs).sum()
        inside = super().backward(value, *inputs)
        for order, members in self.cubes:
            where = np.array([k for k, _, _ in members])
            total = total + from_cube(inside[where], members, order, xp=pt)[1]
        return total
