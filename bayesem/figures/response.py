"""An outcome over a predictor and its moderator: what slopes and surfaces are drawn from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayesem.arrays import Floats
from bayesem.conditional import condition_values, conditional_slope
from bayesem.grammar.claims import parse_moderation
from bayesem.implied import Implied, implied
from bayesem.variables import in_own_units, locate, moderators

__all__ = ["Response", "response"]


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """An outcome over a predictor and its moderator, in the units of claims.

    ``at`` holds further moderators; ``centre`` and ``spread`` are of predictor and moderator, 0 and
    1 for factors.
    """

    model: Implied
    outcome: str
    names: tuple[str, str]
    to: int
    sources: tuple[int, int]
    at: Mapping[int, Any]
    centre: tuple[float, float]
    spread: tuple[float, float]

    def slope(self, which: int, values: tuple[float, float]) -> Floats:
        """Slope on predictor (0) or moderator (1) where the two have these values."""
        source = self.sources[which]
        known = moderators(self.model.table, self.to, source)
        here = {k: self.model.deviation(k, v) for k, v in zip(self.sources, values, strict=True)}
        at = {k: v for k, v in {**self.at, **here}.items() if k in known}
        return conditional_slope(self.model, self.to, source, at)

    def height(self, x: float, w: float) -> Floats:
        """The outcome less its value where both are at their means.

        The equation is of second degree, so that a slope halfway gives the rise exactly.
        """
        x0, w0 = self.centre
        rise = (w - w0) * self.slope(1, (x0, (w0 + w) / 2))
        return rise + (x - x0) * self.slope(0, ((x0 + x) / 2, w))

    def heights(self, x: Floats, w: Floats) -> Floats:
        """Mean of `height` over all draws, (w, x), from the equation's five coefficients."""
        (x0, w0), (sx, sw) = self.centre, self.spread
        level = [self.slope(k, (x0, w0)).mean() for k in (0, 1)]
        bent = [
            (self.slope(k, at).mean() - level[k]) / size
            for k, at, size in ((0, (x0 + sx, w0), sx), (0, (x0, w0 + sw), sw),
                                (1, (x0, w0 + sw), sw))
        ]  # fmt: skip
        dx, dw = np.meshgrid(x - x0, w - w0)
        curves = 0.5 * bent[0] * dx**2 + bent[1] * dx * dw + 0.5 * bent[2] * dw**2
        return np.asarray(level[0] * dx + level[1] * dw + curves)

    def unit(self, which: int) -> str:
        """The name of predictor (0) or moderator (1), with its unit."""
        own = self.sources[which] in in_own_units(self.model.table)
        return self.names[which] if own else f"{self.names[which]} (sd from its mean)"

    @property
    def outcome_unit(self) -> str:
        """The outcome's name, with its unit."""
        own = self.to in in_own_units(self.model.table)
        return self.outcome + ("" if own else " (sd)")


def response(fit: Any, text: str) -> Response:
    """What a text such as ``"EP ~ DC | FIN"`` asks for."""
    argument, moderator = parse_moderation(text)
    model = implied(fit.table, fit.matrices())
    table = model.table
    to = locate(table, argument.outcome, argument.span)
    source = locate(table, argument.predictor, argument.span, predicts=True)
    over = locate(table, moderator.text, moderator.span, predicts=True)
    held = condition_values(model, argument.conditions, argument.span)
    scales = [_scale(model, k) for k in (source, over)]
    return Response(
        model, argument.outcome, (argument.predictor, moderator.text), to, (source, over), held,
        (scales[0][0], scales[1][0]), (scales[0][1], scales[1][1]),
    )  # fmt: skip


def _scale(model: Implied, position: int) -> tuple[float, float]:
    """Mean and sd in the units of claims, in which a factor has 0 and 1."""
    if position < len(model.table.latent):
        return 0.0, 1.0
    return float(model.mean[..., position].mean()), float(model.sd[..., position].mean())
