"""A node with all that stands beside it: indicators, first-order factors, products, a list.

Coordinates are (u, v): u along the flow of the paths, v across it, in inches. ``Direction`` says
which of them is horizontal on the page.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from bayesem.diagrams.elements import Diagram

__all__ = ["Block", "Box", "Direction", "Side", "Sizes", "block_of", "uv"]

type Direction = Literal["right", "down"]
type Side = Literal["back", "front", "up", "down"]
type Size = tuple[float, float]

ARROW = 0.22  # inches of a line that stay visible beside its label
FAN = 0.55  # half the length of a stack, inches
PITCH = 0.022  # between neighbouring boxes
ROW = 1.3  # a row of boxes wider than this is turned


@dataclass(frozen=True, slots=True)
class Sizes:
    """Width and height of everything that holds text, inches.

    Attributes
    ----------
    nodes : mapping of str to (float, float)
    labels : mapping of int to (float, float)
        By row of the parameter table; a row without a label is absent.
    lists : mapping of str to (float, float)
        By target.
    outside : float
        Room for what stands beyond indicators.
    close : bool
        For what fits no page else: all indicators turned, and less room between neighbours.
    """

    nodes: Mapping[str, Size]
    labels: Mapping[int, Size]
    lists: Mapping[str, Size]
    outside: float = 0.0
    close: bool = False


@dataclass(frozen=True, slots=True)
class Box:
    """A node's place: centre and half extents; ``out`` is where its outer side looks, if it has."""

    name: str
    u: float
    v: float
    hu: float
    hv: float
    turned: bool = False
    out: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Block:
    """A node at the origin and what stands beside it; ``list_box`` has the node's own name."""

    boxes: tuple[Box, ...]
    list_box: Box | None = None
    outside: float = 0.0

    @property
    def u(self) -> tuple[float, float]:
        """How far it goes before and behind its node along the flow."""
        every, far = self._every, self.outside
        return (max(b.hu - b.u + far * (b.out[0] < 0) for b in every),
                max(b.hu + b.u + far * (b.out[0] > 0) for b in every))  # fmt: skip

    @property
    def v(self) -> tuple[float, float]:
        """How far it goes before and behind its node across the flow."""
        every, far = self._every, self.outside
        return (max(b.hv - b.v + far * (b.out[1] < 0) for b in every),
                max(b.hv + b.v + far * (b.out[1] > 0) for b in every))  # fmt: skip

    @property
    def _every(self) -> tuple[Box, ...]:
        return (*self.boxes, *([self.list_box] if self.list_box else []))


def uv(size: Size, direction: Direction) -> Size:
    """Half extents along and across the flow of something that wide and high."""
    w, h = size
    return (w / 2, h / 2) if direction == "right" else (h / 2, w / 2)


def block_of(
    name: str, diagram: Diagram, sizes: Sizes, side: Side, direction: Direction, ports: int = 0
) -> Block:
    """Put everything that belongs to a root beside it.

    Parameters
    ----------
    side : {"back", "front", "up", "down"}
        Where its indicators stand.
    ports : int
        Lines that end at one side of the node, which grows with them.
    """
    hu, hv = uv(sizes.nodes[name], direction)
    hv = max(hv, 0.05 * ports + 0.05 if direction == "right" else 0.07 * ports)
    root = Box(name, 0.0, 0.0, hu, hv)
    along = side in ("back", "front")
    sign = -1 if side in ("back", "up") else 1
    out = (sign, 0) if along else (0, sign)
    horizontal = along == (direction == "right")  # whether the way out is horizontal on the page
    tree = _tree(name, diagram, sizes, (hu, hv) if along else (hv, hu), horizontal=horizontal)
    boxes = [root]
    for o, s, ho, hs, child, turned in tree:
        o = o * sign
        place = (o, s, ho, hs) if along else (s, o, hs, ho)
        boxes.append(Box(child, *place, turned, out))
    discs = _products(root, diagram, sizes, -1 if side == "down" else 1, direction)
    lean = {"back": 1, "front": -1}.get(side, 0)
    box = _list(root, sizes, 1 if side == "up" else -1, direction, discs, lean)
    return Block((*boxes, *discs), box, sizes.outside)


type _Item = tuple[float, float, float, float, str, bool]


def _tree(
    name: str, diagram: Diagram, sizes: Sizes, half: Size, *, horizontal: bool
) -> list[_Item]:
    """What measures a node: (outwards, along the stack, half extents, name, turned) of each."""
    children = [
        c for c, p in diagram.parents.items() if p == name and diagram.nodes[c].shape != "product"
    ]
    if not children:
        return []
    labels = {e.target: sizes.labels.get(e.row, (0.0, 0.0))
              for e in diagram.of("loading") if e.source == name}  # fmt: skip
    turn = _turned(children, diagram, sizes, horizontal=horizontal)
    slots = []
    for child in children:
        w, h = sizes.nodes[child]
        w, h = (h, w) if child in turn else (w, h)
        ho, hs = (w / 2, h / 2) if horizontal else (h / 2, w / 2)
        below = _tree(child, diagram, sizes, (ho, hs), horizontal=horizontal)
        lw, lh = labels[child]
        lo, ls = (lw, lh) if horizontal else (lh, lw)
        reach = max([hs + 0.02 * bool(below), ls * (0.52 if ls < 0.15 else 0.7),
                     *(abs(s) + k for _, s, _, k, *_ in below)])  # fmt: skip
        slots.append((child, ho, hs, below, reach, lo))
    long = sum(reach for *_, reach, _ in slots) - FAN  # a long stack wants a flatter fan
    gap = max(lo for *_, lo in slots) + ARROW + 0.25 * max(long, 0.0)
    s = -sum(reach for *_, reach, _ in slots) - PITCH * (len(slots) - 1) / 2
    found: list[_Item] = []
    for child, ho, hs, below, reach, _ in slots:
        s += reach
        o = half[0] + gap + ho
        found.append((o, s, ho, hs, child, child in turn))
        found += [(o + o2, s + s2, a, b, n, t) for o2, s2, a, b, n, t in below]
        s += reach + PITCH * (3 if below else 1)
    middle = (min(f[1] for f in found) + max(f[1] for f in found)) / 2
    return [(o, s - middle, *rest) for o, s, *rest in found]  # type: ignore[misc]


def _turned(children: list[str], diagram: Diagram, sizes: Sizes, *, horizontal: bool) -> set[str]:
    """Boxes whose text is turned, since a row of them would be wide."""
    leaves = [c for c in children if diagram.nodes[c].shape == "observed"]
    wide = sizes.close or sum(sizes.nodes[c][0] + PITCH for c in leaves) > ROW
    return set(leaves) if wide and not horizontal else set()


def _products(
    root: Box, diagram: Diagram, sizes: Sizes, sign: int, direction: Direction
) -> list[Box]:
    """Discs of products beside the node."""
    below = [n for n, p in diagram.parents.items() if p == root.name]
    mine = [n for n in below if diagram.nodes[n].shape == "product"]
    v, found = sign * (root.hv + 0.16), []
    for name in mine:
        hu, hv = uv(sizes.nodes[name], direction)
        v += sign * hv
        found.append(Box(name, root.hu * 0.7 + 0.06, v, hu, hv))
        v += sign * (hv + 0.05)
    return found


def _list(
    root: Box, sizes: Sizes, sign: int, direction: Direction, discs: list[Box], lean: int
) -> Box | None:
    """The list beside the node, away from what measures it."""
    if root.name not in sizes.lists:
        return None
    hu, hv = uv(sizes.lists[root.name], direction)
    box = Box(root.name, lean * max(hu - 0.12, 0.0), sign * (root.hv + 0.15 + hv), hu, hv)
    beside = [d for d in discs if (d.v > 0) == (sign > 0)]
    room = min((d.u - d.hu for d in beside), default=hu + 1.0) - 0.05
    return replace(box, u=min(box.u, room - hu))
