"""Pictures of thin and tiny things, and the workers who paint them.

Lines are drawn by distance: a line of width w is the pixels at most w / 2 away from its middle.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from consolidation.evaluation.scenes import smooth_noise
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, distance_transform_edt

Mask: TypeAlias = NDArray[np.uint8]
Rng: TypeAlias = np.random.Generator
Path: TypeAlias = Callable[[Rng, NDArray[np.float64], float], NDArray[np.float64]]
SIZE = (144, 168)
CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.bool_)
STEPS = 48
"""Straight pieces of a curve."""


class Scene(NamedTuple):
    """A picture's masks (H, Wd)."""

    truth: Mask
    ground: Mask
    """The truth without its thin things."""


def _near(points: NDArray[np.float64], width: float) -> NDArray[np.bool_]:
    """Pixels at most width / 2 away from a broken line through points (P, 2)."""
    inside = np.zeros(SIZE, np.bool_)
    for start, end in pairwise(points):
        low = np.maximum(np.floor(np.minimum(start, end) - width / 2), 0).astype(int)
        high = np.maximum(np.ceil(np.maximum(start, end) + width / 2) + 1, low).astype(int)
        part = inside[low[0] : high[0], low[1] : high[1]]
        away = np.stack(np.mgrid[: part.shape[0], : part.shape[1]], axis=-1) + low - start
        along = end - start
        share = np.clip(away @ along / max(float(along @ along), 1e-9), 0, 1)[..., None]
        part |= ((away - share * along) ** 2).sum(axis=-1) <= (width / 2) ** 2
    return inside


def _straight(rng: Rng, through: NDArray[Any], turn: float) -> NDArray[np.float64]:
    half = rng.uniform(20, 60) * np.array([math.sin(turn), math.cos(turn)])
    return np.stack([through - half, through + half])


def _curve(rng: Rng, through: NDArray[Any], turn: float) -> NDArray[np.float64]:
    t = np.linspace(-1, 1, STEPS + 1)
    reach, swing, waves = rng.uniform(30, 60), rng.uniform(6, 16), rng.uniform(1, 4)
    along, across = t * reach, swing * np.sin(waves * t * math.pi / 2)
    sine, cosine = math.sin(turn), math.cos(turn)
    points = np.stack([along * sine + across * cosine, along * cosine - across * sine], axis=-1)
    return np.asarray(points + through)


def _anywhere(rng: Rng) -> NDArray[np.float64]:
    return rng.uniform(0.15, 0.85, 2) * SIZE


def _lines(rng: Rng, width: float, path: Path, count: int = 4) -> NDArray[np.bool_]:
    paths = [path(rng, _anywhere(rng), rng.uniform(0, math.pi)) for _ in range(count)]
    return np.any([_near(points, width) for points in paths], axis=0)


def straight(rng: Rng, width: float) -> Scene:
    """Four straight lines of one class."""
    return _painted(np.zeros(SIZE, np.uint8), _lines(rng, width, _straight), 1)


def curved(rng: Rng, width: float) -> Scene:
    """Four winding lines of one class."""
    return _painted(np.zeros(SIZE, np.uint8), _lines(rng, width, _curve), 1)


def crossing(rng: Rng, width: float) -> Scene:
    """Six lines of three classes that cross; half of the ground is a fourth class."""
    ground = np.zeros(SIZE, np.uint8)
    ground[:, SIZE[1] // 2 :] = 4
    truth = ground
    for index in range(6):
        turn = index * math.pi / 6 + rng.uniform(0, 0.3)
        middle = np.array(SIZE) / 2 + rng.uniform(-15, 15, 2)
        truth = np.where(_near(_straight(rng, middle, turn), width), 1 + index % 3, truth)
    return Scene(truth.astype(np.uint8), ground)


def attached(rng: Rng, width: float) -> Scene:
    """Two blobs with five arms each, all of one class."""
    ground, arms = np.zeros(SIZE, np.uint8), np.zeros(SIZE, np.bool_)
    for column in (0.27, 0.73):
        middle = np.array([0.5, column]) * SIZE + rng.uniform(-6, 6, 2)
        ground[_near(np.stack([middle, middle]), 36)] = 1
        for arm in range(5):
            turn = arm * 2 * math.pi / 5 + rng.uniform(0, 0.6)
            end = middle + rng.uniform(38, 60) * np.array([math.sin(turn), math.cos(turn)])
            arms |= _near(np.stack([middle, end]), width)
    return _painted(ground, arms, 1)


def gaps(rng: Rng, width: float) -> Scene:
    """Two large things of two classes, cut by winding gaps of background."""
    ground = np.zeros(SIZE, np.uint8)
    ground[12:-12, 12 : SIZE[1] // 2] = 1
    ground[12:-12, SIZE[1] // 2 : -12] = 2
    return _painted(ground, _lines(rng, width, _curve, 5), 0)


def dots(rng: Rng, width: float) -> Scene:
    """Sixty dots: crosses of 5 pixels (width 0), or discs."""
    things = np.zeros(SIZE, np.bool_)
    for _ in range(60):
        row, column = (int(rng.integers(4, side - 4)) for side in SIZE)
        if width:
            things |= _near(np.array([[row, column]] * 2, float), width)
        else:
            things[row - 1 : row + 2, column - 1 : column + 2] |= CROSS
    return _painted(np.zeros(SIZE, np.uint8), things, 1)


def _painted(ground: Mask, things: NDArray[np.bool_], index: int) -> Scene:
    return Scene(np.where(things, np.uint8(index), ground), ground)


SCENES: dict[str, Callable[[Rng, float], Scene]] = {
    "straight": straight,
    "curved": curved,
    "crossing": crossing,
    "attached": attached,
    "gaps": gaps,
    "dots": dots,
}


def careful(scene: Scene, rng: Rng) -> Mask:
    """Every pixel is taken from at most one pixel away, over distances of 6 pixels."""
    rows, columns = (smooth_noise(rng, SIZE, 6.0).clip(-1, 1) for _ in range(2))
    return _moved(scene.truth, np.rint(rows).astype(np.intp), np.rint(columns).astype(np.intp))


def shifted(scene: Scene, rng: Rng) -> Mask:
    """The whole mask is one pixel off on half of the axes."""
    row, column = rng.choice([-1, 0, 0, 1], 2)
    return _moved(scene.truth, np.full(SIZE, row), np.full(SIZE, column))


def ragged(scene: Scene, rng: Rng) -> Mask:
    """A seventh of all pixels has the class of one of its neighbours, or its own."""
    rows, columns = rng.integers(-1, 2, (2, *SIZE))
    return np.where(rng.random(SIZE) < 1 / 7, _moved(scene.truth, rows, columns), scene.truth)


def forgetful(scene: Scene, rng: Rng) -> Mask:
    """A fifth of the thin things is left out, in squares of 24 pixels; the rest is ragged."""
    left_out = np.kron(rng.random((SIZE[0] // 24, SIZE[1] // 24)) < 0.2, np.ones((24, 24))) > 0
    return ragged(Scene(np.where(left_out, scene.ground, scene.truth), scene.ground), rng)


def wide(scene: Scene, rng: Rng) -> Mask:
    """Half of the workers draw thin things one pixel wider; all are ragged."""
    if rng.random() < 0.5:
        return ragged(scene, rng)
    things = scene.truth != scene.ground
    nearest = distance_transform_edt(~things, return_distances=False, return_indices=True)
    wider = np.where(binary_dilation(things, CROSS), scene.truth[tuple(nearest)], scene.truth)
    return ragged(Scene(wider, scene.ground), rng)


def _moved(mask: Mask, rows: NDArray[Any], columns: NDArray[Any]) -> Mask:
    """Every pixel's class from so many rows and columns away."""
    row = np.clip(np.arange(SIZE[0])[:, None] + rows, 0, SIZE[0] - 1)
    column = np.clip(np.arange(SIZE[1])[None, :] + columns, 0, SIZE[1] - 1)
    return mask[row, column]


HANDS: dict[str, Callable[[Scene, Rng], Mask]] = {
    "careful": careful,
    "shifted": shifted,
    "ragged": ragged,
    "forgetful": forgetful,
    "wide": wide,
}
