"""The painting page once more, slowly and plainly: what each action makes of a class map."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Place = Sequence[float]
Map = NDArray[np.uint8]
SIDES = ndimage.generate_binary_structure(2, 1)


class Twin:
    """A class map, and what can be done to it.

    Every action is a mapping with `op` and what the page's tool would be told.
    """

    def __init__(self, width: int, height: int) -> None:
        self.map: Map = np.zeros((height, width), np.uint8)
        self.locked: set[int] = set()
        self.mode = "everything"
        self.done: list[Map] = []
        self.undone: list[Map] = []

    def act(self, action: Mapping[str, Any]) -> None:
        before = self.map.copy()
        getattr(self, action["op"])(**{k: v for k, v in action.items() if k != "op"})
        if action["op"] not in ("undo", "redo") and (before != self.map).any():
            self.done.append(before)
            self.undone.clear()

    def undo(self) -> None:
        if self.done:
            self.undone.append(self.map)
            self.map = self.done.pop()

    def redo(self) -> None:
        if self.undone:
            self.done.append(self.map)
            self.map = self.undone.pop()

    def lock(self, label: int) -> None:
        self.locked ^= {label}

    def set_mode(self, mode: str) -> None:
        self.mode = mode

    def stroke(self, points: Sequence[Place], size: int, square: bool, target: int) -> None:
        may = self.changeable(target, self.at(points[0]))
        for start, end in zip([points[0], *points], points, strict=False):
            self.paint(swept(self.map.shape, start, end, size, square), target, may)

    def polygon(self, points: Sequence[Place], target: int, subtract: bool) -> None:
        corners = [(math.floor(x), math.floor(y)) for x, y in points]
        if subtract:
            may = self.changeable(0, target, "picked")
            target = 0
        else:
            may = self.changeable(target, self.at(points[0]))
        self.paint(enclosed(self.map.shape, corners), target, may)

    def fill(self, place: Place, gap: int, target: int) -> None:
        label = self.at(place)
        if label in self.locked:
            return
        x, y = (math.floor(value) for value in place)
        self.map[bucket(self.map == label, x, y, gap)] = target

    def rest(self, target: int) -> None:
        if 0 not in self.locked:
            self.map[self.map == 0] = target

    def region(self, place: Place, kind: str, everything: bool, most: int, target: int) -> None:
        x, y = (math.floor(value) for value in place)
        label = int(self.map[y, x])
        chosen = self.map == label
        if not everything:
            pieces, _ = ndimage.label(chosen, SIDES)
            chosen = pieces == pieces[y, x]
        after = REGIONS[kind](self.map, chosen, label, most, target)
        held = np.isin(self.map, list(self.locked))
        self.map = np.where(held, self.map, after).astype(np.uint8)

    def at(self, place: Place) -> int:
        x, y = (math.floor(value) for value in place)
        height, width = self.map.shape
        return int(self.map[y, x]) if 0 <= x < width and 0 <= y < height else 0

    def changeable(self, target: int, picked: int, mode: str | None = None) -> set[int]:
        mode = mode or self.mode
        if mode == "picked":
            may = {picked}
        elif mode == "unpainted" and target != 0:
            may = {0}
        else:
            may = set(range(256))
        return may - self.locked

    def paint(self, where: NDArray[np.bool_], target: int, may: set[int]) -> None:
        self.map[where & np.isin(self.map, list(may))] = target


def swept(
    shape: tuple[int, int], start: Place, end: Place, size: int, square: bool
) -> NDArray[np.bool_]:
    """Pixels under a brush that goes from one place to another."""
    out = np.zeros(shape, bool)
    if size == 1:
        for x, y in thin(*[tuple(math.floor(v) for v in place) for place in (start, end)]):
            if 0 <= y < shape[0] and 0 <= x < shape[1]:
                out[y, x] = True
        return out
    (ax, ay), (bx, by) = [[centre(v, size) for v in place] for place in (start, end)]
    dx, dy = bx - ax, by - ay
    for y, x in np.ndindex(*shape):
        px, py = 2 * x + 1, 2 * y + 1
        if square:
            box = min(ax, bx) - size < px < max(ax, bx) + size
            box = box and min(ay, by) - size < py < max(ay, by) + size
            reach = size * (abs(dx) + abs(dy))
            out[y, x] = box and (reach == 0 or abs((px - ax) * dy - (py - ay) * dx) < reach)
        else:
            # the nearest point of the way, exactly
            length = dx * dx + dy * dy
            t = Fraction((px - ax) * dx + (py - ay) * dy, length) if length else Fraction(0)
            t = min(max(t, Fraction(0)), Fraction(1))
            out[y, x] = (px - ax - t * dx) ** 2 + (py - ay - t * dy) ** 2 <= size * size
    return out


def centre(value: float, size: int) -> int:
    """Middle of a brush in half pixels: on a pixel if it is odd, on a corner if it is even."""
    return 2 * math.floor(value) + 1 if size % 2 else 2 * math.floor(value + 0.5)


def thin(start: tuple[int, ...], end: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """Pixels of a line, one a step along its longer way."""
    (x0, y0), (x1, y1) = start, end
    steps = max(abs(x1 - x0), abs(y1 - y0))
    for i in range(steps + 1):
        t = Fraction(i, steps) if steps else Fraction(0)
        x, y = (a + math.floor(t * (b - a) + Fraction(1, 2)) for a, b in ((x0, x1), (y0, y1)))
        yield x, y


def enclosed(shape: tuple[int, int], corners: Sequence[tuple[int, int]]) -> NDArray[np.bool_]:
    """Pixels of a polygon: an odd number of edges is to the left, or they are on its outline."""
    out = np.zeros(shape, bool)
    edges = list(zip(corners, [*corners[1:], corners[0]], strict=True))
    for y, x in np.ndindex(*shape):
        left, on = 0, False
        for (xa, ya), (xb, yb) in edges:
            if (ya <= y) != (yb <= y):
                crossing = xa + Fraction((y - ya) * (xb - xa), yb - ya)
                left += crossing < x
                on = on or crossing == x
        # a crossing exactly here ends one span or begins another: it is inside either way
        out[y, x] = left % 2 == 1 or on
    for start, end in edges:
        for x, y in thin(start, end):
            if 0 <= y < shape[0] and 0 <= x < shape[1]:
                out[y, x] = True
    return out


def bucket(free: NDArray[np.bool_], x: int, y: int, gap: int) -> NDArray[np.bool_]:
    """Where a square of `gap` + 1 pixels gets to from a pixel, and the corners left over."""
    pieces, _ = ndimage.label(free, SIDES)
    area = pieces == pieces[y, x]
    for side in range(gap + 1, 0, -1):
        fits = np.zeros_like(area)
        for top, left in np.ndindex(area.shape[0] - side + 1, area.shape[1] - side + 1):
            fits[top, left] = area[top : top + side, left : left + side].all()
        groups, _ = ndimage.label(fits, SIDES)
        first = groups[max(0, y - side + 1) : y + 1, max(0, x - side + 1) : x + 1]
        mine = np.isin(groups, first[first > 0])
        if not mine.any():
            continue
        swept_, others = np.zeros_like(area), np.zeros_like(area)
        for top, left in np.argwhere(fits):
            (swept_ if mine[top, left] else others)[top : top + side, left : left + side] = True
        over, n = ndimage.label(area & ~swept_ & ~others, SIDES)
        out = swept_.copy()
        for k in range(1, n + 1):
            around = ndimage.binary_dilation(over == k, SIDES) & (over != k)
            if (around & swept_).any() and not (around & others & ~swept_).any():
                out |= over == k
        return out
    raise AssertionError("one pixel always fits")


def _holes(labels: Map, chosen: Any, label: int, most: int, target: int) -> Map:
    out = labels.copy()
    rows, columns = np.nonzero(chosen)
    box = np.s_[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    pieces, n = ndimage.label(~chosen[box], SIDES)
    edge = set(pieces[0]) | set(pieces[-1]) | set(pieces[:, 0]) | set(pieces[:, -1])
    for k in set(range(1, n + 1)) - edge:
        if (pieces == k).sum() <= most:
            out[box][pieces == k] = label
    return out


def _specks(labels: Map, chosen: Any, label: int, most: int, target: int) -> Map:
    out = labels.copy()
    pieces, n = ndimage.label(labels == label, SIDES)
    for k in range(1, n + 1):
        if (pieces == k).sum() > most:
            continue
        around = Counter(
            int(labels[v, u])
            for y, x in np.argwhere(pieces == k)
            for v, u in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1))
            if 0 <= v < labels.shape[0] and 0 <= u < labels.shape[1] and labels[v, u] != label
        )
        if around:
            out[pieces == k] = min(around, key=lambda other: (-around[other], other))
    return out


def _grow(labels: Map, chosen: Any, label: int, most: int, target: int) -> Map:
    return np.where(ndimage.binary_dilation(chosen, SIDES), label, labels).astype(np.uint8)


def _shrink(labels: Map, chosen: Any, label: int, most: int, target: int) -> Map:
    # what touches another piece of the same label keeps its place
    beside = ndimage.binary_dilation(labels != label, SIDES)
    return np.where(chosen & beside, 0, labels).astype(np.uint8)


def _smooth(labels: Map, chosen: Any, label: int, most: int, target: int) -> Map:
    out = labels.copy()
    for y, x in np.ndindex(*labels.shape):
        window = np.s_[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2]
        inside, n = int(chosen[window].sum()), chosen[window].size
        if not chosen[y, x] and 2 * inside > n:
            out[y, x] = label
        if chosen[y, x] and 2 * inside < n:
            others = Counter(labels[window][~chosen[window]].tolist())
            del others[label]
            out[y, x] = min(others, key=lambda k: (-others[k], k)) if others else 0
    return out


def _change(labels: Map, chosen: Any, label: int, most: int, target: int) -> Map:
    return np.where(chosen, target, labels).astype(np.uint8)


def _delete(labels: Map, chosen: Any, label: int, most: int, target: int) -> Map:
    return np.where(chosen, 0, labels).astype(np.uint8)


REGIONS: dict[str, Callable[[Map, Any, int, int, int], Map]] = {
    "holes": _holes,
    "specks": _specks,
    "grow": _grow,
    "shrink": _shrink,
    "smooth": _smooth,
    "change": _change,
    "delete": _delete,
}
