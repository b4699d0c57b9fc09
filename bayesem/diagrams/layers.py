"""Layers of a graph, the order within them, and their places across: Sugiyama's three steps.

References
----------
.. [1] Sugiyama, Tagawa & Toda (1981), *IEEE Transactions on Systems, Man and Cybernetics* 11,
   109-125.
.. [2] Best & Chakravarti (1990), *Mathematical Programming* 47, 425-439 (pooling of violators).
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

__all__ = ["align", "crossings", "ordered", "passed", "ranks", "spread"]

type Pairs = Sequence[tuple[str, str]]

SWEEPS = 24


def ranks(names: Sequence[str], pairs: Pairs, *, late: bool = False) -> dict[str, int]:
    """The layer of each node: the longest path to it; nodes without a successor stand last.

    Parameters
    ----------
    names : sequence of str
    pairs : sequence of (str, str)
        From, to. Those that close a circle are turned round.
    late : bool
        Each node as late as its successors allow, beside what it leads to.

    Examples
    --------
    >>> ranks(["a", "b", "c", "d"], [("a", "b"), ("b", "c"), ("a", "d")])
    {'a': 0, 'b': 1, 'c': 2, 'd': 2}
    >>> ranks(["a", "b", "c", "d"], [("a", "b"), ("b", "c"), ("d", "c")], late=True)
    {'a': 0, 'b': 1, 'c': 2, 'd': 1}
    """
    forward = _acyclic(names, pairs)
    found = _longest(names, [(b, a) for a, b in forward] if late else forward)
    last = max(found.values(), default=0)
    if late:
        return {n: last - k for n, k in found.items()}
    leads, led = {a for a, _ in forward}, {b for _, b in forward}
    return {n: last if n in led - leads else k for n, k in found.items()}


def _longest(names: Sequence[str], pairs: Pairs) -> dict[str, int]:
    """Steps of the longest path to each node."""
    found = dict.fromkeys(names, 0)
    for _ in names:
        moved = False
        for a, b in pairs:
            if found[b] <= found[a]:
                found[b], moved = found[a] + 1, True
        if not moved:
            break
    return found


def passed(layers: Sequence[list[str]], name: str, start: int, end: int) -> tuple[str, ...]:
    """Add a stop of a line to every layer that it passes between two; the stops in its order.

    Examples
    --------
    >>> layers = [["a"], ["b"], ["c"]]
    >>> len(passed(layers, "a>c", 0, 2)), [len(layer) for layer in layers]
    (1, [1, 2, 1])
    """
    step = 1 if end >= start else -1
    between = range(start + step, end, step)
    names = tuple(f"\0{name}.{k}" for k in between)
    for k, stop in zip(between, names, strict=True):
        layers[k].append(stop)
    return names


def _acyclic(names: Sequence[str], pairs: Pairs) -> list[tuple[str, str]]:
    """Pairs without circles: one that leads back to where a walk came from is turned round."""
    after: dict[str, list[str]] = {n: [] for n in names}
    for a, b in pairs:
        if a != b and b not in after[a]:
            after[a].append(b)
    done, open_, back = set[str](), set[str](), set[tuple[str, str]]()
    for start in [*(n for n in names if n not in {b for _, b in pairs}), *names]:
        stack = [(start, iter(after[start]))] if start not in done else []
        open_ |= {start} if stack else set()
        while stack:
            here, rest = stack[-1]
            step = next(rest, None)
            if step is None:
                stack.pop()
                open_.discard(here)
                done.add(here)
            elif step in open_:
                back.add((here, step))
            elif step not in done:
                open_.add(step)
                stack.append((step, iter(after[step])))
    return [(b, a) if (a, b) in back else (a, b) for a in names for b in after[a]]


def ordered(layers: Sequence[Sequence[str]], pairs: Pairs) -> list[list[str]]:
    """Reduce the crossings between neighbouring layers by sweeps of means, then by exchanges.

    Parameters
    ----------
    layers : sequence of sequences of str
        Every pair joins neighbouring layers.
    pairs : sequence of (str, str)
    """
    near: dict[str, list[str]] = {n: [] for layer in layers for n in layer}
    for a, b in pairs:
        near[a].append(b)
        near[b].append(a)
    at = {n: k for k, layer in enumerate(layers) for n in layer}
    now = [list(layer) for layer in layers]
    best = [list(layer) for layer in now]
    fewest = crossings(best, pairs)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for k in range(len(now)) if down else reversed(range(len(now))):
            side = k - 1 if down else k + 1
            if 0 <= side < len(now):
                now[k] = _by_means(now[k], now[side], near, at, side)
        now = [_exchanged(now, k, near, at) for k in range(len(now))]
        count = crossings(now, pairs)
        if count < fewest:
            best, fewest = [list(layer) for layer in now], count
    return best


def _by_means(
    layer: Sequence[str], fixed: Sequence[str], near: Mapping[str, Sequence[str]],
    at: Mapping[str, int], side: int,
) -> list[str]:  # fmt: skip
    place = {n: k for k, n in enumerate(fixed)}
    mean: dict[str, float] = {}
    for k, n in enumerate(layer):
        mine = [place[m] for m in near[n] if at[m] == side]
        here = k * max(len(fixed) - 1, 1) / max(len(layer) - 1, 1)
        mean[n] = sum(mine) / len(mine) if mine else here
    return sorted(layer, key=lambda n: mean[n])


def _exchanged(
    layers: Sequence[Sequence[str]], k: int, near: Mapping[str, Sequence[str]],
    at: Mapping[str, int],
) -> list[str]:  # fmt: skip
    """Exchange neighbours of a layer as long as it saves crossings."""
    place = {n: j for j, n in enumerate(layers[k])}
    place |= {n: j for s in (k - 1, k + 1) if 0 <= s < len(layers) for j, n in enumerate(layers[s])}
    now = list(layers[k])
    for _ in range(4):
        saved = False
        for j in range(len(now) - 1):
            a, b = now[j], now[j + 1]
            if _between(b, a, near, at, place) < _between(a, b, near, at, place):
                now[j], now[j + 1], saved = b, a, True
        if not saved:
            break
    return now


def _between(
    a: str, b: str, near: Mapping[str, Sequence[str]], at: Mapping[str, int],
    place: Mapping[str, int],
) -> int:  # fmt: skip
    """Crossings of the edges of two neighbours, the first before the second."""
    return sum(
        at[x] == at[y] and place[x] > place[y] for x in near[a] for y in near[b]
    )  # fmt: skip


def crossings(layers: Sequence[Sequence[str]], pairs: Pairs) -> int:
    """How many pairs of edges cross.

    Examples
    --------
    >>> crossings([["a", "b"], ["c", "d"]], [("a", "d"), ("b", "c")])
    1
    """
    at = {n: (k, j) for k, layer in enumerate(layers) for j, n in enumerate(layer)}
    lines = [sorted((at[a], at[b])) for a, b in pairs]
    by_layer: dict[int, list[tuple[int, int]]] = {}
    for (k, i), (_, j) in lines:
        by_layer.setdefault(k, []).append((i, j))
    return sum(
        (a - c) * (b - d) < 0
        for mine in by_layer.values()
        for n, (a, b) in enumerate(mine)
        for c, d in mine[n + 1 :]
    )


def spread(
    wanted: Sequence[float], weights: Sequence[float], apart: Sequence[float],
    low: float, high: float,
) -> list[float]:  # fmt: skip
    """Places nearest to those wanted (least squares) that keep order, distances and bounds.

    Parameters
    ----------
    wanted, weights : sequence of float
    apart : sequence of float
        Least distance from each place to the next, one fewer.
    low, high : float
        Bounds of the first and the last place.

    Examples
    --------
    >>> spread([0, 0], [1, 1], [2], -9, 9)
    [-1.0, 1.0]
    """
    shift = [0.0]
    for d in apart:
        shift.append(shift[-1] + d)
    pools: list[tuple[float, float, int]] = []
    for y, w, s in zip(wanted, weights, shift, strict=True):
        pools.append((y - s, w, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (y1, w1, n1), (y2, w2, n2) = pools[-2:]
            pools[-2:] = [((y1 * w1 + y2 * w2) / (w1 + w2), w1 + w2, n1 + n2)]
    level = [y for y, _, n in pools for _ in range(n)]
    top = max(high - shift[-1], low)
    return [min(max(y, low), top) + s for y, s in zip(level, shift, strict=True)]


def align(
    layers: Sequence[Sequence[str]], pairs: Pairs, reach: Mapping[str, tuple[float, float]],
    apart: Callable[[str, str], float], breadth: float,
) -> dict[str, float]:  # fmt: skip
    """Place nodes across their layers near the means of their neighbours.

    Parameters
    ----------
    reach : mapping of str to (float, float)
        How far a node's block goes before and behind its centre, inches.
    apart : callable
        Least distance of the centres of two neighbours.
    breadth : float
        Of the whole, inches.
    """
    near: dict[str, list[str]] = {n: [] for layer in layers for n in layer}
    for a, b in pairs:
        near[a].append(b)
        near[b].append(a)
    layer_of = {n: k for k, layer in enumerate(layers) for n in layer}
    v: dict[str, float] = {}
    for layer in layers:
        step = breadth / max(len(layer), 1)
        v |= _settled(
            layer, {n: (k + 0.5) * step for k, n in enumerate(layer)}, reach, apart, breadth
        )
    for sweep in range(SWEEPS):
        order = range(len(layers)) if sweep % 2 == 0 else reversed(range(len(layers)))
        for k in order:
            want = {}
            for n in layers[k]:
                mine = [m for m in near[n] if layer_of[m] != k]
                if sweep < SWEEPS - 4 and len(layers) > 2:
                    one = k - 1 if sweep % 2 == 0 else k + 1
                    mine = [m for m in mine if layer_of[m] == one] or mine
                want[n] = sum(v[m] for m in mine) / len(mine) if mine else v[n]
            v |= _settled(layers[k], want, reach, apart, breadth)
    return v


def _settled(
    layer: Sequence[str], want: Mapping[str, float], reach: Mapping[str, tuple[float, float]],
    apart: Callable[[str, str], float], breadth: float,
) -> dict[str, float]:  # fmt: skip
    if not layer:
        return {}
    steps = [apart(a, b) for a, b in pairwise(layer)]
    low, high = reach[layer[0]][0], breadth - reach[layer[-1]][1]
    placed = spread([want[n] for n in layer], [1.0] * len(layer), steps, low, high)
    return dict(zip(layer, placed, strict=True))
