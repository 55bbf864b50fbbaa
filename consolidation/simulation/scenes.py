"""Simulated pictures: which object lies where, and what a camera would see of it."""

from __future__ import annotations

import colorsys
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

FloatImage = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Scene:
    """One simulated picture and its truth.

    Attributes
    ----------
    objects : ndarray of uint8, shape (H, Wd)
        Number of the object seen at each pixel, 0 where there is none.
    object_classes : ndarray of uint8, shape (number of objects + 1,)
        Class of each object; entry 0 is background.
    picture : ndarray of uint8, shape (H, Wd, 3)
        RGB.
    """

    objects: npt.NDArray[np.uint8]
    object_classes: npt.NDArray[np.uint8]
    picture: npt.NDArray[np.uint8]

    @property
    def truth(self) -> npt.NDArray[np.uint8]:
        """Class of each pixel, shape (H, Wd)."""
        return self.object_classes[self.objects]


def draw_scene(rng: np.random.Generator, n_classes: int, size: tuple[int, int]) -> Scene:
    """Draw a picture of four to seven objects on a coloured ground.

    The shape goes with the class: blobs, ellipses and polygons in turn. Later objects hide earlier
    ones, and every border is wiggled a little, so that no border is an ideal curve.

    Parameters
    ----------
    rng : numpy.random.Generator
        The only source of chance.
    n_classes : int
        Number of classes without background, 1..254.
    size : (int, int)
        Rows and columns.

    Returns
    -------
    Scene

    Examples
    --------
    >>> scene = draw_scene(np.random.default_rng(0), 3, (48, 64))
    >>> scene.truth.shape, scene.picture.shape
    ((48, 64), (48, 64, 3))
    >>> bool(scene.truth.max() <= 3)
    True
    """
    n_objects = int(rng.integers(4, 8))
    # Every class once before any comes twice.
    rounds = [rng.permutation(n_classes) + 1 for _ in range(math.ceil(n_objects / n_classes))]
    classes = np.concatenate(rounds)[:n_objects]
    objects = np.zeros(size, dtype=np.uint8)
    picture = _ground(rng, size)
    for number, index in enumerate(classes.tolist(), start=1):
        depth, lit = _shape(rng, index, size)
        inside = depth < 1
        objects[inside] = number
        shade = 1 - 0.3 * depth[inside] ** 2 + 0.2 * lit[inside] + _texture(rng, index, inside)
        picture[inside] = shade[:, np.newaxis] * _paint(rng, index)
    picture += rng.normal(0, 5, picture.shape).astype(np.float32)
    return Scene(
        objects=objects,
        object_classes=np.concatenate([[0], classes]).astype(np.uint8),
        picture=np.clip(picture, 0, 255).astype(np.uint8),
    )


def smooth_noise(rng: np.random.Generator, size: tuple[int, int], grain: float) -> FloatImage:
    """Draw noise of mean 0 and spread about 0.7 that changes over `grain` pixels.

    Parameters
    ----------
    rng : numpy.random.Generator
    size : (int, int)
        Rows and columns.
    grain : float
        Distance in pixels between independent values, at least 1.

    Returns
    -------
    ndarray of float32, shape `size`

    Examples
    --------
    >>> noise = smooth_noise(np.random.default_rng(0), (40, 60), grain=10)
    >>> bool(abs(noise[0, 0] - noise[0, 1]) < 0.5)
    True
    """
    rows, columns = size
    knots = (math.ceil(rows / grain) + 3, math.ceil(columns / grain) + 3)
    coarse = Image.fromarray(rng.standard_normal(knots, dtype=np.float32))
    # One knot of margin on each side: the spline has no flat rim inside the picture.
    box = (1.0, 1.0, 1 + columns / grain, 1 + rows / grain)
    fine = coarse.resize((columns, rows), Image.Resampling.BICUBIC, box=box)
    return np.asarray(fine, dtype=np.float32)


def _shape(
    rng: np.random.Generator, index: int, size: tuple[int, int]
) -> tuple[FloatImage, FloatImage]:
    """Depth of an object (0 in its centre, 1 on its border) and how far it faces the light."""
    rows, columns = size
    radius = min(size) * rng.uniform(0.1, 0.24)
    centre_row, centre_column = rng.uniform(0.08, 0.92, 2) * (rows, columns)
    turn, stretch = rng.uniform(0, 2 * math.pi), rng.uniform(0.8, 1.3)
    row = (np.arange(rows, dtype=np.float32)[:, np.newaxis] - centre_row) / radius
    column = (np.arange(columns, dtype=np.float32)[np.newaxis, :] - centre_column) / radius
    along = (column * math.cos(turn) + row * math.sin(turn)) * stretch
    across = (row * math.cos(turn) - column * math.sin(turn)) / stretch
    distance = np.hypot(along, across)
    if index % 3 == 1:
        angle = np.arctan2(across, along)
        bumps = sum(
            rng.uniform(0.05, 0.4 / waves) * np.cos(waves * angle + rng.uniform(0, 2 * math.pi))
            for waves in range(2, 6)
        )
        depth = distance / (1 + bumps)
    elif index % 3 == 2:
        depth = distance
    else:
        sides = 3 + index % 4
        corners = np.arange(sides) * (2 * math.pi / sides)
        faces = [along * math.cos(a) + across * math.sin(a) for a in corners]
        depth = np.maximum.reduce(faces)
    wiggle = smooth_noise(rng, size, grain=8) * (1.2 / radius)
    # The light comes from the upper left.
    lit = np.broadcast_to(-(row + column) / 2, size)
    return (depth + wiggle).astype(np.float32), lit.astype(np.float32)


def _ground(rng: np.random.Generator, size: tuple[int, int]) -> FloatImage:
    """Draw a soft gradient between two pale colours, with some clouds in it."""
    rows, columns = size
    turn = rng.uniform(0, 2 * math.pi)
    row = np.linspace(-0.5, 0.5, rows, dtype=np.float32)[:, np.newaxis]
    column = np.linspace(-0.5, 0.5, columns, dtype=np.float32)[np.newaxis, :]
    share = 0.5 + (row * math.sin(turn) + column * math.cos(turn)) / math.sqrt(2)
    share = (share + 0.08 * smooth_noise(rng, size, grain=24))[:, :, np.newaxis]
    start, end = rng.uniform(130, 200) + rng.uniform(-40, 40, (2, 3))
    return np.asarray(start + (end - start) * share, dtype=np.float32)


def _texture(
    rng: np.random.Generator, index: int, inside: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float32]:
    """Draw stripes for every second class and grain for the others, at the pixels inside."""
    if index % 2:
        return 0.1 * smooth_noise(rng, inside.shape, grain=3)[inside]
    row, column = np.nonzero(inside)
    turn = rng.uniform(0, math.pi)
    wave = np.sin((row * math.cos(turn) + column * math.sin(turn)) * 0.9)
    return (0.08 * wave).astype(np.float32)


def _paint(rng: np.random.Generator, index: int) -> npt.NDArray[np.float32]:
    """Pick an RGB colour near that of the class; classes stand a golden section apart in hue."""
    hue = index * 0.618 + rng.normal(0, 0.02)
    colour = colorsys.hsv_to_rgb(hue % 1, rng.uniform(0.35, 0.6), rng.uniform(0.55, 0.85))
    return np.array(colour, dtype=np.float32) * 255
