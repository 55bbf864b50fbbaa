"""How close predicted borders run to true borders.

IoU hardly notices a ragged border on a large object; this measure looks at nothing else.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from consolidation.evaluation.scores import IndexMask, check_pair, count_classes

BoolMask: TypeAlias = npt.NDArray[np.bool_]


def boundary_f1(
    predicted: IndexMask,
    truth: IndexMask,
    tolerance: float = 2,
    *,
    n_classes: int | None = None,
) -> npt.NDArray[np.float64]:
    """Boundary F1 of each class, with a tolerance in pixels.

    A border pixel of a class has a 4-neighbour of another class; the frame of the image is not a
    border. Precision is the share of predicted border pixels with a true border pixel of that
    class within `tolerance` (Euclidean), recall the share the other way round, and the score is
    their harmonic mean.

    Parameters
    ----------
    predicted, truth : ndarray of int, shape (H, Wd)
        Class indices, none negative.
    tolerance : float, default 2
        Distance in pixels that still counts as a hit, at least 0.
    n_classes : int, optional
        Number of classes K. Larger indices belong to no class (ignored, undecided). Default: one
        more than the largest index in either mask.

    Returns
    -------
    ndarray of float64, shape (K,)
        In [0, 1]; NaN for a class in neither mask, 0 for a class in only one of them, 1 for a
        class in both that has no border in either (it fills the image).

    Raises
    ------
    ValueError
        If the masks are not 2-D integer arrays of one shape, or `tolerance` is negative.

    References
    ----------
    G. Csurka, D. Larlus, F. Perronnin, "What is a good evaluation measure for semantic
    segmentation?", BMVC 2013.

    Examples
    --------
    >>> import numpy as np
    >>> truth = np.array([[0, 0, 0, 1, 1, 1]])
    >>> boundary_f1(np.array([[0, 1, 1, 1, 1, 1]]), truth, tolerance=1)
    array([0., 0.])
    >>> boundary_f1(np.array([[0, 1, 1, 1, 1, 1]]), truth, tolerance=2)
    array([1., 1.])
    """
    check_pair(predicted, truth)
    if predicted.ndim != 2:
        raise ValueError(f"masks must have shape (H, Wd), got {predicted.shape} for both")
    if not (tolerance >= 0 and math.isfinite(tolerance)):
        raise ValueError(f"tolerance must be a finite number of pixels >= 0, got {tolerance}")
    if n_classes is None:
        n_classes = count_classes(predicted, truth)
    scores = np.full(n_classes, np.nan)
    for index in np.union1d(predicted, truth):
        if index < n_classes:
            scores[index] = _region_f1(predicted == index, truth == index, tolerance)
    return scores


def boundary_agreement(
    masks: IndexMask, tolerance: float = 2, *, n_classes: int | None = None
) -> npt.NDArray[np.float64]:
    """Boundary F1 of every two workers by class: who draws borders where others do.

    Parameters
    ----------
    masks : ndarray of int, shape (W, H, Wd)
        Class indices of W workers.
    tolerance : float, default 2
        Half the width, in pixels, of the band around a border in which the other one may run.
    n_classes : int, optional
        Number of classes K; larger indices belong to no class. Default: one more than the largest.

    Returns
    -------
    ndarray of float64, shape (W, W, K)
        Symmetric; NaN for a class that neither gave.

    Examples
    --------
    >>> masks = np.array([[[0, 0, 1, 1]], [[0, 0, 1, 1]], [[1, 1, 1, 1]]])
    >>> boundary_agreement(masks, tolerance=1)[0, :, 1].tolist()
    [1.0, 1.0, 0.0]
    """
    if n_classes is None:
        n_classes = count_classes(masks)
    scores = np.full((len(masks), len(masks), n_classes), np.nan)
    for a, first in enumerate(masks):
        for b in range(a + 1):
            pair = boundary_f1(first, masks[b], tolerance, n_classes=n_classes)
            scores[a, b] = scores[b, a] = pair
    return scores


def _region_f1(predicted: BoolMask, truth: BoolMask, tolerance: float) -> float:
    if not (predicted.any() and truth.any()):
        return 0.0
    window = _window(predicted | truth)
    predicted_edge, true_edge = _edge(predicted[window]), _edge(truth[window])
    n_predicted, n_true = np.count_nonzero(predicted_edge), np.count_nonzero(true_edge)
    if n_predicted == 0 and n_true == 0:
        return 1.0
    if n_predicted == 0 or n_true == 0:
        return 0.0
    precision = np.count_nonzero(predicted_edge & _near(true_edge, tolerance)) / n_predicted
    recall = np.count_nonzero(true_edge & _near(predicted_edge, tolerance)) / n_true
    both = precision + recall
    return 2 * precision * recall / both if both else 0.0


def _window(region: BoolMask) -> tuple[slice, slice]:
    """Box around the region, one pixel wider so that its border against the rest stays visible."""
    rows = np.flatnonzero(region.any(axis=1))
    columns = np.flatnonzero(region.any(axis=0))
    return (
        slice(max(int(rows[0]) - 1, 0), int(rows[-1]) + 2),
        slice(max(int(columns[0]) - 1, 0), int(columns[-1]) + 2),
    )


def _edge(region: BoolMask) -> BoolMask:
    """Pixels of the region with a 4-neighbour outside it."""
    edge = np.zeros_like(region)
    for axis in (0, 1):
        moved, inside = np.moveaxis(edge, axis, 0), np.moveaxis(region, axis, 0)
        change = inside[1:] != inside[:-1]
        moved[1:] |= change
        moved[:-1] |= change
    edge &= region
    return edge


def _near(edge: BoolMask, tolerance: float) -> BoolMask:
    """Pixels within `tolerance` of an edge pixel: dilation by a Euclidean disc.

    The disc is a stack of rows that widen towards the middle, so one array widened step by step
    serves all of them; the cost grows with the radius, not with its square. At 2 pixels this takes
    a small part of the time of an exact distance transform.
    """
    height, width = edge.shape
    square = math.floor(tolerance * tolerance)
    near: BoolMask = np.zeros_like(edge)
    wide, half = edge.copy(), 0
    for row in range(math.isqrt(square), -1, -1):
        while half < math.isqrt(square - row * row):
            half += 1
            if half < width:
                wide[:, half:] |= edge[:, :-half]
                wide[:, :-half] |= edge[:, half:]
        if row < height:
            near[row:] |= wide[: height - row]
            near[: height - row] |= wide[row:]
    return near
