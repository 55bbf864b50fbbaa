"""Pictures and prompts as models want them: colours, sizes, a point that is surely inside."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from consolidation.autosegment.outlines import filled, smooth_outline
from consolidation.autosegment.points import Box, Extremes


def rgb_of(pixels: NDArray[np.generic]) -> NDArray[np.float32]:
    """Colours (H, W, 3) from 0 to 255."""
    rgb = pixels[:, :, :3].astype(np.float32)
    if pixels.dtype != np.uint8:
        rgb *= 255 / max(float(rgb.max()), 1.0)
    return rgb if rgb.shape[2] == 3 else np.repeat(rgb, 3, axis=2)


def sure_point(extremes: Extremes | None, bounds: Box) -> tuple[float, float]:
    """Centre of the smooth outline: as good as certain to be the object's."""
    if extremes is None:
        return (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2
    corners = np.array([(y - bounds[1], x - bounds[0]) for x, y in extremes], np.float32)
    scale = 100 / max(float(corners.max()), 1.0)
    row, column = ndimage.center_of_mass(filled(smooth_outline(corners * scale), (102, 102)))
    return float(bounds[0] + column / scale), float(bounds[1] + row / scale)


def middles(bounds: Box) -> Extremes:
    """Middles of a box's sides, where no points are known."""
    x, y = (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2
    return Extremes((x, bounds[1]), (bounds[2], y), (x, bounds[3]), (bounds[0], y))


def resized(image: NDArray[np.float32], size: tuple[int, ...]) -> NDArray[np.float32]:
    """Picture (H, W, C) in another size: averaged where smaller, bilinear where larger."""
    ratios = [old / new for old, new in zip(image.shape[:2], size, strict=True)]
    if max(ratios) > 1:
        sigmas = [max(0.0, (ratio - 1) / 2) for ratio in ratios]
        image = ndimage.gaussian_filter(image, (*sigmas, 0.0), mode="nearest")
    for axis, (new, ratio) in enumerate(zip(size, ratios, strict=True)):
        last = image.shape[axis] - 1
        places = np.clip((np.arange(new, dtype=np.float32) + 0.5) * ratio - 0.5, 0, last)
        low = places.astype(int)
        share = (places - low).astype(np.float32).reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
        before = np.take(image, low, axis=axis)
        after = np.take(image, np.minimum(low + 1, last), axis=axis)
        image = before + share * (after - before)
    return image
