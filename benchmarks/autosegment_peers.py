"""What else makes a mask of four points: by shape, by OpenCV's GrabCut, by a random walker."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks.autosegment_sets import Object
from consolidation.autosegment import segment
from consolidation.autosegment.crop import Frame
from consolidation.autosegment.points import Extremes

Mask = NDArray[np.bool_]
ROUNDS = 5


def box(item: Object, points: list[tuple[float, float]]) -> Mask:
    mask = np.zeros_like(item.truth)
    x0, y0, x1, y1 = map(round, Extremes.of(points, mask.shape).box)
    mask[y0 : y1 + 1, x0 : x1 + 1] = True
    return mask


def ellipse(item: Object, points: list[tuple[float, float]]) -> Mask:
    x0, y0, x1, y1 = Extremes.of(points, item.truth.shape).box
    y, x = np.mgrid[: item.truth.shape[0], : item.truth.shape[1]]
    across, down = (x - (x0 + x1) / 2) / (x1 - x0 + 1), (y - (y0 + y1) / 2) / (y1 - y0 + 1)
    return np.hypot(across, down) <= 0.5


def grabcut_box(item: Object, points: list[tuple[float, float]]) -> Mask:
    """From the box, on the whole image: on a tight crop it collapses."""
    import cv2

    x0, y0, x1, y1 = map(round, Extremes.of(points, item.truth.shape).box)
    scale = min(1.0, 480 / max(item.truth.shape))
    size = [max(1, round(n * scale)) for n in item.truth.shape[::-1]]
    small = cv2.resize(item.image, size, interpolation=cv2.INTER_AREA)[:, :, ::-1].copy()
    rectangle = [round(v * scale) for v in (x0, y0, x1 - x0 + 1, y1 - y0 + 1)]
    marks = np.zeros(small.shape[:2], np.uint8)
    return _grabcut(small, marks, rectangle, item.truth.shape)


def grabcut_path(item: Object, points: list[tuple[float, float]]) -> Mask:
    """Begun with our edge path: its core is sure, what is beyond the box is not the object."""
    import cv2

    path = segment(item.image, points, alternative="path").mask
    frame, rows, columns = _frame(item, points)
    crop = np.ascontiguousarray(item.image[rows, columns, ::-1])
    size = frame.width, frame.height
    small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
    inner = cv2.resize(path[rows, columns].view(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    inside = cv2.resize(
        box(item, points)[rows, columns].view(np.uint8), size, interpolation=cv2.INTER_NEAREST
    )
    depth = ndimage.distance_transform_edt(inner)
    marks = np.where(inner > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD)
    marks[depth > depth.max() / 2] = cv2.GC_FGD
    marks[inside == 0] = cv2.GC_BGD
    out = np.zeros_like(item.truth)
    out[rows, columns] = _grabcut(small, marks.astype(np.uint8), None, crop.shape[:2])
    return out


def _grabcut(
    image: NDArray[np.uint8],
    marks: NDArray[np.uint8],
    rectangle: list[int] | None,
    shape: tuple[int, ...],
) -> Mask:
    import cv2

    cv2.setRNGSeed(0)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    mode = cv2.GC_INIT_WITH_MASK if rectangle is None else cv2.GC_INIT_WITH_RECT
    try:
        cv2.grabCut(image, marks, rectangle, *models, ROUNDS, mode)
    except cv2.error:
        # the box is the whole image, or no side has a pixel
        marks[:] = cv2.GC_PR_FGD
    found = ((marks == cv2.GC_FGD) | (marks == cv2.GC_PR_FGD)).astype(np.float32)
    return cv2.resize(found, shape[::-1], interpolation=cv2.INTER_LINEAR) >= 0.5


def random_walker(item: Object, points: list[tuple[float, float]]) -> Mask:
    """Seeds: the core of the smooth outline, and what is beyond the box."""
    import cv2
    from skimage.color import rgb2lab
    from skimage.segmentation import random_walker as walk

    frame, rows, columns = _frame(item, points)
    size = frame.width, frame.height
    small = cv2.resize(item.image[rows, columns], size, interpolation=cv2.INTER_AREA)
    smooth = segment(item.image, points, alternative="smooth").mask[rows, columns]
    core = cv2.resize(smooth.view(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    inside = cv2.resize(
        box(item, points)[rows, columns].view(np.uint8), size, interpolation=cv2.INTER_NEAREST
    )
    depth = ndimage.distance_transform_edt(core)
    seeds = np.zeros(core.shape, int)
    seeds[inside == 0] = 2
    seeds[depth > depth.max() / 2] = 1
    if not (seeds == 2).any():
        return smooth
    likely = walk(
        rgb2lab(small), seeds, beta=130, mode="cg_j", channel_axis=2, return_full_prob=True
    )[0].astype(np.float32)
    out = np.zeros_like(item.truth)
    large = cv2.resize(likely, smooth.shape[::-1], interpolation=cv2.INTER_LINEAR)
    out[rows, columns] = large >= 0.5
    return out


def _frame(item: Object, points: list[tuple[float, float]]) -> tuple[Frame, slice, slice]:
    frame = Frame.around(Extremes.of(points, item.truth.shape).box, item.truth.shape)
    return frame, *frame.span()


PEERS: dict[str, Callable[[Object, list[tuple[float, float]]], Mask]] = {
    "box": box,
    "ellipse": ellipse,
    "GrabCut, box": grabcut_box,
    "GrabCut, edge path": grabcut_path,
    "random walker": random_walker,
}
