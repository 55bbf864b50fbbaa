"""An object's mask from its four extreme points, from its box, or from a mask to be corrected."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from consolidation.autosegment.boxes import touching_points
from consolidation.autosegment.cache import Cache
from consolidation.autosegment.candidates import ALTERNATIVES, Candidates, candidates
from consolidation.autosegment.clicks import corrected
from consolidation.autosegment.crop import Bools, Frame
from consolidation.autosegment.features import Features
from consolidation.autosegment.points import Box, Click, Extremes, box_of, clicks_of
from consolidation.autosegment.segmentation import Segmentation, cut_to_box


def segment(
    image: NDArray[np.generic],
    points: ArrayLike | None = None,
    clicks: Sequence[Any] = (),
    *,
    box: ArrayLike | None = None,
    mask: NDArray[np.bool_] | None = None,
    taken: NDArray[np.bool_] | None = None,
    alternative: int | str = 0,
    cache: Cache | None = None,
) -> Segmentation:
    """Mask of the object whose topmost, lowest, leftmost and rightmost points are given.

    Places are (x, y) in pixels, the first pixel's centre being (0, 0). Of `points`, `box` and
    `mask` exactly one is given.

    Parameters
    ----------
    image : array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), uint8 or uint16
        Grey or sRGB; a fourth channel is not looked at. 16-bit crops are stretched to their range.
    points : array-like (4, 2), optional
        The extreme points in any order, each a little off if need be; outside the image by a few
        pixels they are moved to its border.
    clicks : sequence of (x, y, inside), optional
        Places that belong to the object (inside true or positive) or do not (false, 0 or
        negative), in any order. The same clicks give the same mask; without one of them, it is
        as if it had never been made.
    box : array-like (4,), optional
        Left, top, width and height, where no points are known.
    mask : array (H, W), bool, optional
        A mask that the clicks correct. What they do not touch stays as it is, pixel by pixel.
    taken : array (H, W), bool, optional
        Pixels that other objects have already: they are never this one's.
    alternative : int or str
        Number or name of the candidate in `ALTERNATIVES`.
    cache : Cache, optional
        Kept by the caller while objects of one image are looked at.

    Returns
    -------
    Segmentation
        One piece without holes, until clicks make it otherwise.

    Raises
    ------
    ValueError
        If an argument has the wrong shape, type or number, or a place lies outside the image.

    Notes
    -----
    Live-wire between extreme points: Mortensen and Barrett 1995 with the points of Papadopoulos
    et al. 2017. All is computed on a crop of at most `SIDE` pixels a side.

    Examples
    --------
    >>> image = np.zeros((40, 40), np.uint8)
    >>> image[10:30, 12:28] = 200
    >>> found = segment(image, [(20, 10), (27, 20), (20, 29), (12, 20)])
    >>> found.box
    (12, 10, 16, 20)
    >>> bool(found.crop.mean() > 0.9)
    True
    """
    pixels = image_of(image)
    shape = pixels.shape[:2]
    ways = [what is not None for what in (points, box, mask)]
    if sum(ways) != 1:
        raise ValueError("give one of points, box and mask: " + f"{sum(ways)} are given")
    name = alternative_name(alternative)
    marks = clicks_of(clicks, shape)
    occupied = _mask_of(taken, shape, "taken") if taken is not None else None
    cache = Cache() if cache is None else cache
    if mask is not None:
        return _corrected_mask(image, pixels, _mask_of(mask, shape, "mask"), marks, occupied, cache)
    extremes = None
    if points is not None:
        extremes = Extremes.of(points, shape)
        bounds = extremes.box
    else:
        assert box is not None, "one of the three ways is given"
        bounds = box_of(box, shape)
    frame = Frame.around(_with_clicks(bounds, marks), shape)
    features = cache.get(image, frame, lambda: Features.of(pixels, frame))
    small = _small(occupied, frame)

    def find() -> Candidates:
        touching = extremes or touching_points(features, bounds, small)
        return candidates(features, touching, small)

    key = (frame, extremes or bounds, None if small is None else small.tobytes())
    guesses = cache.get(image, key, find)

    def chosen(candidate: str, *others: str) -> Segmentation:
        parts = _from_candidate(features, guesses, candidate, marks, small, occupied)
        choices = {other: partial(chosen, other) for other in others}
        return Segmentation(*parts, candidate, guesses.confidence, shape, choices)

    return chosen(name, *ALTERNATIVES)


def image_of(image: NDArray[np.generic]) -> NDArray[np.generic]:
    """Check an image; with its channels (H, W, C)."""
    if not isinstance(image, np.ndarray) or image.dtype not in (np.uint8, np.uint16):
        kind = getattr(image, "dtype", type(image).__name__)
        raise ValueError(f"an image is an array of uint8 or uint16, not {kind}")
    pixels = image[:, :, None] if image.ndim == 2 else image
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3, 4) or pixels.size == 0:
        raise ValueError(f"an image is (H, W), (H, W, 3) or (H, W, 4), not {image.shape}")
    return pixels


def alternative_name(alternative: int | str) -> str:
    """Name of a candidate by its number or name."""
    if isinstance(alternative, str) and alternative in ALTERNATIVES:
        return alternative
    if isinstance(alternative, int) and 0 <= alternative < len(ALTERNATIVES):
        return ALTERNATIVES[alternative]
    names = ", ".join(f"{k} {name}" for k, name in enumerate(ALTERNATIVES))
    raise ValueError(f"the alternatives are {names}; {alternative!r} is none of them")


def _mask_of(mask: NDArray[np.bool_], shape: tuple[int, ...], what: str) -> Bools:
    if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_ or mask.shape != shape:
        have = f"{getattr(mask, 'shape', '')} {getattr(mask, 'dtype', type(mask).__name__)}"
        raise ValueError(f"{what} is an array of bool of the image's shape {shape}, not {have}")
    return mask


def _with_clicks(bounds: Box, marks: Sequence[Click]) -> Box:
    """The box with the clicks that belong to the object."""
    xs = [bounds[0], bounds[2], *(mark.x for mark in marks if mark.inside)]
    ys = [bounds[1], bounds[3], *(mark.y for mark in marks if mark.inside)]
    return min(xs), min(ys), max(xs), max(ys)


def _small(mask: Bools | None, frame: Frame) -> Bools | None:
    """Pixels of the crop that the mask covers by more than a half."""
    if mask is None:
        return None
    small: Bools = frame.shrink(mask.view(np.uint8)[:, :, None])[:, :, 0] > 0.5
    return small


def _from_candidate(
    features: Features,
    guesses: Candidates,
    name: str,
    marks: Sequence[Click],
    small: Bools | None,
    taken: Bools | None,
) -> tuple[tuple[int, int, int, int], Bools]:
    crop = corrected(features, guesses.masks[name], marks, small)
    large = features.frame.draw(crop.astype(np.float32))
    rows, columns = features.frame.span()
    if taken is not None:
        large &= ~taken[rows, columns]
    return cut_to_box(large, rows.start, columns.start)


def _corrected_mask(
    image: NDArray[np.generic],
    pixels: NDArray[np.generic],
    mask: Bools,
    marks: Sequence[Click],
    taken: Bools | None,
    cache: Cache,
) -> Segmentation:
    """A mask after clicks; as it was where the clicks changed nothing."""
    shape = (mask.shape[0], mask.shape[1])
    (left, top, width, height), _ = cut_to_box(mask, 0, 0)
    whole = mask.copy()
    if marks:
        first = marks[0]
        bounds = (first.x, first.y, first.x, first.y)
        if width:
            bounds = (left, top, left + width - 1, top + height - 1)
        frame = Frame.around(_with_clicks(bounds, marks), shape)
        features = cache.get(image, frame, lambda: Features.of(pixels, frame))
        before = _small(mask, frame)
        assert before is not None
        after = corrected(features, before, marks, _small(taken, frame))
        old, new = (frame.draw(part.astype(np.float32)) for part in (before, after))
        part = whole[frame.span()]
        part[new != old] = new[new != old]
    if taken is not None:
        whole &= ~taken
    return Segmentation(*cut_to_box(whole, 0, 0), "mask", float("nan"), shape)
