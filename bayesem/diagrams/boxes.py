"""Boxes whose shape says whose they are."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["box"]

GAP, ROUND, CUT = 0.035, 0.12, 0.1  # inches: to a second outline, of a round corner, of a cut one


def box(
    axis: "Axes",
    at: tuple[float, float],
    size: tuple[float, float],
    kind: int,
    colour: str,
    *,
    double: bool,
) -> None:
    """Draw a box about a point.

    Parameters
    ----------
    axis : Axes
        In inches.
    at, size : (float, float)
    kind : int
        Square corners, round ones, cut ones, and again.
    colour : str
        Of the outline.
    double : bool
        With a second outline.
    """
    for k in range(2 if double else 1):
        wide, tall = (side + 2 * GAP * k for side in size)
        look: dict[str, Any] = {"ec": colour, "fc": "none" if k else "white"}
        look |= {"lw": 0.7 if k else 1.2, "zorder": 6 if k else 7}
        axis.add_patch(_outline(kind % 3, at, wide, tall, look))


def _outline(
    kind: int, at: tuple[float, float], wide: float, tall: float, look: dict[str, Any]
) -> Any:
    from matplotlib.patches import FancyBboxPatch, Polygon

    x, y = at
    w, h = wide / 2, tall / 2
    if kind == 2:
        a, b = w - CUT, h - CUT
        corners = [(-a, -h), (a, -h), (w, -b), (w, b), (a, h), (-a, h), (-w, b), (-w, -b)]
        return Polygon([(x + p, y + q) for p, q in corners], closed=True, **look)
    corner = f"round,pad=0,rounding_size={ROUND}" if kind == 1 else "square,pad=0"
    return FancyBboxPatch((x - w, y - h), wide, tall, boxstyle=corner, **look)
