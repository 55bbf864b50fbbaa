"""Objects with independent truth: cells, photographs outlined by eye, and simulated scenes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageDraw
from numpy.typing import NDArray
from scipy import ndimage

OUTLINES = Path(__file__).parent / "outlines.json"
"""Corners x, y of objects in scikit-image's photographs, set by eye. Weights were chosen while
these and the cells were looked at; the scenes of the benchmark's seed were not."""
TEXTURES = ("brick", "grass", "gravel", "coffee", "chelsea", "ihc", "rocket", "hubble_deep_field")


@dataclass(frozen=True, eq=False)
class Object:
    """An object (H, W) of bool in an image (H, W, 3) of uint8."""

    name: str
    image: NDArray[np.uint8]
    truth: NDArray[np.bool_]


def cells(data: Path, step: int = 1) -> list[Object]:
    """Expert outlines of bubil_crowd: microscopy, grey; the largest piece of each."""
    found = []
    for path in sorted((data / "masks" / "bubil_crowd").glob("*/truth.png"))[::step]:
        truth = np.asarray(PIL.Image.open(path)) > 0
        image = np.asarray(PIL.Image.open(path.with_name("image.png")).convert("RGB"))
        found.append(Object(path.parent.name, image, _largest(truth)))
    return found


def photographs() -> list[Object]:
    """Objects of scikit-image's photographs."""
    found = []
    for picture, outlines in json.loads(OUTLINES.read_text()).items():
        image = photograph(picture)
        if image is None:
            continue
        for name, corners in outlines.items():
            canvas = PIL.Image.new("1", image.shape[1::-1])
            PIL.ImageDraw.Draw(canvas).polygon([tuple(corner) for corner in corners], fill=1)
            found.append(Object(f"{picture} {name}", image, np.array(canvas)))
    return found


def photograph(name: str) -> NDArray[np.uint8] | None:
    """One of scikit-image's pictures (H, W, 3), if its wheel has it."""
    from skimage import data

    folder = Path(data.__file__).parent
    for end in (".png", ".jpg"):
        if (folder / (name + end)).exists():
            return np.asarray(PIL.Image.open(folder / (name + end)).convert("RGB"))
    return None


def scenes(count: int, seed: int) -> list[Object]:
    """Textured shapes on textured grounds: blobs, arms, holes' outlines and thin ones."""
    rng = np.random.default_rng(seed)
    textures = [image for image in map(photograph, TEXTURES) if image is not None]
    found = []
    while len(found) < count:
        truth = _shape(rng)
        if not 900 < truth.sum() < 30_000:
            continue
        ground, body = (_piece(textures[rng.integers(len(textures))], rng) for _ in range(2))
        near = ground[truth].mean(axis=0) - body[truth].mean(axis=0)
        body = body + rng.uniform(0, 0.7) * near + rng.normal(0, 12, 3)
        y, x = np.mgrid[-0.5 : 0.5 : truth.shape[0] * 1j, -0.5 : 0.5 : truth.shape[1] * 1j]
        angle = rng.uniform(0, 2 * np.pi)
        body = body * (1 + 0.6 * (np.cos(angle) * x + np.sin(angle) * y))[:, :, None]
        soft = ndimage.gaussian_filter(truth.astype(float), rng.uniform(0.5, 1.5))[:, :, None]
        image = body * soft + ground * (1 - soft) + rng.normal(0, rng.uniform(1, 6), ground.shape)
        found.append(Object(f"scene {len(found)}", image.clip(0, 255).astype(np.uint8), truth))
    return found


def _shape(rng: np.random.Generator, size: Sequence[int] = (240, 320)) -> NDArray[np.bool_]:
    """A random outline by harmonics, stretched and turned."""
    y, x = np.mgrid[: size[0], : size[1]].astype(float)
    y, x = y - size[0] / 2, x - size[1] / 2
    turn, stretch = rng.uniform(0, np.pi), rng.uniform(1, 3.5)
    along, across = np.cos(turn) * x + np.sin(turn) * y, np.cos(turn) * y - np.sin(turn) * x
    angle = np.arctan2(across * stretch, along)
    radius = np.full(size, 1.0)
    for k in range(2, 7):
        radius += rng.normal(0, 0.5 / k) * np.cos(k * angle + rng.uniform(0, 2 * np.pi))
    reach = rng.uniform(40, 100) * np.maximum(radius, 0.15)
    return _largest(np.hypot(along, across * stretch) < reach)


def _piece(
    image: NDArray[np.uint8], rng: np.random.Generator, size: Sequence[int] = (240, 320)
) -> NDArray[np.float64]:
    scale = max(size[0] / image.shape[0], size[1] / image.shape[1]) * rng.uniform(1, 1.6)
    shape = [int(np.ceil(n * scale)) for n in image.shape[1::-1]]
    large = np.asarray(PIL.Image.fromarray(image).resize(shape))
    top, left = (rng.integers(n - part + 1) for n, part in zip(large.shape[:2], size, strict=True))
    return large[top : top + size[0], left : left + size[1]].astype(float)


def _largest(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    pieces, n = ndimage.label(mask)
    return mask if n < 2 else pieces == 1 + np.argmax(np.bincount(pieces.reshape(-1))[1:])


def extreme_points(truth: NDArray[np.bool_]) -> list[tuple[float, float]]:
    """The middle of the object's pixels on each side of its box."""
    ys, xs = np.nonzero(truth)
    points = []
    for key in (ys, -xs, -ys, xs):
        touching = np.flatnonzero(key == key.min())
        k = touching[touching.size // 2]
        points.append((float(xs[k]), float(ys[k])))
    return points


def next_click(mask: NDArray[np.bool_], truth: NDArray[np.bool_]) -> tuple[float, float, bool]:
    """The middle of the largest error."""
    wrong = np.pad(_largest(mask ^ truth), 1)
    depth = ndimage.distance_transform_edt(wrong)[1:-1, 1:-1]
    y, x = np.unravel_index(np.argmax(depth), depth.shape)
    return float(x), float(y), bool(truth[y, x])


def iou(mask: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Intersection over union."""
    return np.count_nonzero(mask & truth) / np.count_nonzero(mask | truth)
