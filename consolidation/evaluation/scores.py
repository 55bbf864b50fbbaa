"""How close a mask comes to the truth: overlap of classes and closeness of borders.

Every function takes plain arrays of class indices and returns plain arrays or floats. A class that
lies in neither mask has no score, and says so with NaN, never with 0 or 1.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

IndexMask: TypeAlias = npt.NDArray[np.integer[Any]]

# Pixels counted in one go: keeps the intermediate index array at 8 MB whatever the mask size.
_BLOCK = 1 << 20


def confusion_matrix(
    predicted: IndexMask, truth: IndexMask, n_classes: int
) -> npt.NDArray[np.int64]:
    """Count the pixels of each pair (true class, predicted class).

    Parameters
    ----------
    predicted, truth : ndarray of int, same shape
        Class indices in ``0 .. n_classes - 1``.
    n_classes : int
        Number of classes K, at least 1.

    Returns
    -------
    ndarray of int64, shape (K, K)
        Rows are the truth, columns the prediction.

    Raises
    ------
    ValueError
        If shapes differ, a mask is not of an integer dtype, or an index is outside the range.

    Examples
    --------
    >>> import numpy as np
    >>> truth = np.array([[0, 0], [1, 1]])
    >>> confusion_matrix(np.array([[0, 1], [1, 1]]), truth, 2)
    array([[1, 1],
           [0, 2]])
    """
    check_pair(predicted, truth)
    if n_classes < 1:
        raise ValueError(f"n_classes must be at least 1, got {n_classes}")
    for name, mask in (("predicted", predicted), ("truth", truth)):
        if mask.size and int(mask.max()) >= n_classes:
            raise ValueError(f"{name} holds class {int(mask.max())}, n_classes is {n_classes}")
    rows, columns = truth.reshape(-1), predicted.reshape(-1)
    counts = np.zeros(n_classes * n_classes, dtype=np.int64)
    for start in range(0, rows.size, _BLOCK):
        pair = rows[start : start + _BLOCK].astype(np.intp)
        pair *= n_classes
        pair += columns[start : start + _BLOCK].astype(np.intp)
        counts += np.bincount(pair, minlength=counts.size)
    return counts.reshape(n_classes, n_classes)


def class_iou(confusion: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Intersection over union (Jaccard index) of each class.

    Parameters
    ----------
    confusion : ndarray of shape (K, K)
        Pixel counts from `confusion_matrix`; matrices of several images may be added up first.

    Returns
    -------
    ndarray of float64, shape (K,)
        In [0, 1]; NaN for a class in neither mask.

    Examples
    --------
    >>> import numpy as np
    >>> class_iou(np.array([[1, 1, 0], [0, 2, 0], [0, 0, 0]])).round(2)
    array([0.5 , 0.67,  nan])
    """
    both, in_truth, in_predicted = _overlap(confusion)
    return _ratio(both, in_truth + in_predicted - both)


def class_dice(confusion: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Dice coefficient (pixel F1) of each class; same argument and NaN rule as `class_iou`.

    Examples
    --------
    >>> import numpy as np
    >>> class_dice(np.array([[1, 1, 0], [0, 2, 0], [0, 0, 0]])).round(2)
    array([0.67, 0.8 ,  nan])
    """
    both, in_truth, in_predicted = _overlap(confusion)
    return _ratio(2 * both, in_truth + in_predicted)


def mean_iou(
    predicted: IndexMask,
    truth: IndexMask,
    ignore_index: int | None = None,
    *,
    undecided_index: int | None = None,
) -> float:
    """Mean IoU over the classes that lie in at least one of the two masks.

    Parameters
    ----------
    predicted, truth : ndarray of int, same shape
        Class indices, none negative.
    ignore_index : int, optional
        Pixels whose *truth* has this index are left out of everything.
    undecided_index : int, optional
        Pixels *predicted* with this index are wrong for their true class and form no class.

    Returns
    -------
    float
        In [0, 1]; NaN if no pixel is left to score.

    Raises
    ------
    ValueError
        If shapes differ, or a mask is not of an integer dtype or holds negative indices.

    Examples
    --------
    >>> import numpy as np
    >>> truth = np.array([[0, 0], [1, 1]])
    >>> round(mean_iou(np.array([[0, 1], [1, 1]]), truth), 3)
    0.583
    >>> mean_iou(np.array([[0, 1], [1, 1]]), np.array([[0, 9], [1, 1]]), ignore_index=9)
    1.0
    """
    check_pair(predicted, truth)
    if ignore_index is not None:
        scored = truth != ignore_index
        predicted, truth = predicted[scored], truth[scored]
    predicted, truth = predicted.reshape(-1), truth.reshape(-1)
    n_classes = count_classes(predicted, truth)
    if n_classes == 0:
        return math.nan
    # Three counts a class, not a K x K matrix: 16-bit masks may hold 65,536 classes.
    in_predicted, in_truth = _areas(predicted, n_classes), _areas(truth, n_classes)
    both = _areas(predicted[predicted == truth], n_classes)
    if undecided_index is not None and 0 <= undecided_index < n_classes:
        in_predicted[undecided_index] = both[undecided_index] = 0
    union = in_truth + in_predicted - both
    return float((both[union > 0] / union[union > 0]).mean())


def count_classes(*masks: IndexMask) -> int:
    """One more than the largest class index in any of the masks; 0 if all are empty."""
    return max((int(mask.max()) + 1 for mask in masks if mask.size), default=0)


def check_pair(predicted: IndexMask, truth: IndexMask) -> None:
    """Refuse two masks that cannot be compared (`ValueError`)."""
    if predicted.shape != truth.shape:
        raise ValueError(f"predicted has shape {predicted.shape}, truth has shape {truth.shape}")
    for name, mask in (("predicted", predicted), ("truth", truth)):
        if not np.issubdtype(mask.dtype, np.integer):
            raise ValueError(f"{name} must hold integer class indices, got dtype {mask.dtype}")
        if mask.size and int(mask.min()) < 0:
            raise ValueError(f"{name} holds the negative class index {int(mask.min())}")


def _areas(mask: IndexMask, n_classes: int) -> npt.NDArray[np.int64]:
    """Pixels of each class in a flat mask."""
    areas = np.zeros(n_classes, dtype=np.int64)
    for start in range(0, mask.size, _BLOCK):
        areas += np.bincount(mask[start : start + _BLOCK].astype(np.intp), minlength=n_classes)
    return areas


def _overlap(
    confusion: npt.NDArray[Any],
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    if confusion.ndim != 2 or confusion.shape[0] != confusion.shape[1]:
        raise ValueError(f"confusion must have shape (K, K), got {confusion.shape}")
    return np.diagonal(confusion), confusion.sum(axis=1), confusion.sum(axis=0)


def _ratio(part: npt.NDArray[Any], whole: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    out = np.full(whole.shape, np.nan)
    np.divide(part, whole, out=out, where=whole > 0)
    return out
