"""Slow, obvious twins of the kernels. One pixel at a time, in the words of the docstrings."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction

import numpy as np


def plurality(masks, ignore=None):
    """Labels, votes, tied of shape (N,) for masks (W, N); `ignore` where nobody voted."""
    labels, votes, tied = [], [], []
    for column in np.asarray(masks).T.tolist():
        counts = Counter(label for label in column if label != ignore)
        most = max(counts.values(), default=0)
        winners = sorted(label for label, count in counts.items() if count == most)
        labels.append(winners[0] if winners else ignore)
        votes.append(most)
        tied.append(len(winners) > 1)
    return np.array(labels), np.array(votes), np.array(tied)


def decide(masks, weights=None, ignore=None, min_votes=1, sigma=0.0, ties="lowest", undecided=255):
    """Labels (H, Wd) of the whole vote, by exact fractions; no rounding but that of weights."""
    masks = np.asarray(masks)
    exact = [Fraction(1)] * len(masks)
    if weights is not None:
        scale = (32767 - len(masks)) / math.fsum(weights)
        exact = [Fraction(max(round(w * scale), 1)) for w in weights]
    rules = {"ignore": ignore, "min_votes": min_votes, "undecided": undecided}
    weighed = _every_pixel(masks, exact, weights, sigma=0.0, ties="lowest", **rules)
    # what neighbours may choose: classes that the vote without them gives to some pixel
    seen = set(weighed.reshape(-1).tolist()) if sigma > 0 or ties == "neighbours" else None
    return _every_pixel(masks, exact, weights, sigma=sigma, ties=ties, seen=seen, **rules)


def _every_pixel(masks, exact, weights, **rules):
    _, height, width = masks.shape
    out = np.zeros((height, width), np.int64)
    for i in range(height):
        for j in range(width):
            out[i, j] = _pixel(masks, exact, weights, i, j, **rules)
    return out


def _pixel(masks, exact, weights, i, j, *, ignore, min_votes, undecided, sigma, ties, seen=None):
    column = masks[:, i, j].tolist()
    counts = Counter(label for label in column if label != ignore)
    candidates = sorted(label for label, count in counts.items() if count >= min_votes)
    if seen is not None:
        candidates = [label for label in candidates if label in seen]
    if not candidates:
        return undecided
    own = {
        label: sum(w for w, given in zip(exact, column, strict=True) if given == label)
        for label in candidates
    }
    best = max(own.values())
    slack = len(column) if weights is not None else 0
    top = [label for label in candidates if own[label] >= best - slack]
    if sigma == 0 and ties == "lowest":
        return top[0]
    if sigma == 0 and ties == "undecided":
        return top[0] if len(top) == 1 else undecided
    competing = candidates if sigma > 0 else top
    if len(competing) == 1:
        return competing[0]
    scores = _smoothed(masks, exact, competing, sigma or 1.0, i, j)
    most = max(scores.values())
    winners = [label for label in competing if scores[label] == most]
    if len(winners) > 1 and ties == "undecided":
        return undecided
    return winners[0]


def _smoothed(masks, exact, labels, sigma, i, j):
    radius = max(1, math.ceil(2 * sigma))
    side = range(-radius, radius + 1)
    values = {(y, x): math.exp(-(y * y + x * x) / (2 * sigma**2)) for y in side for x in side}
    scale = (65535 - len(values) / 2) / sum(values.values())
    scores = dict.fromkeys(labels, Fraction(0))
    for worker, mask in enumerate(masks):
        for y in range(max(i - radius, 0), min(i + radius + 1, mask.shape[0])):
            for x in range(max(j - radius, 0), min(j + radius + 1, mask.shape[1])):
                if mask[y, x] in scores:
                    scores[mask[y, x]] += exact[worker] * round(values[y - i, x - j] * scale)
    return scores


def patterns(masks):
    """Count of pixels by tuple of labels, for masks (W, N)."""
    return Counter(map(tuple, np.asarray(masks).T.tolist()))


def confusion(a, b, n_classes, ignore=None, undecided=None):
    """Pairs (i, j) of labels of two masks, (K, K)."""
    matrix = np.zeros((n_classes, n_classes), np.int64)
    for i, j in zip(np.ravel(a).tolist(), np.ravel(b).tolist(), strict=True):
        if i < n_classes and j < n_classes and i != ignore and j != undecided:
            matrix[i, j] += 1
    return matrix


def image_confidence(masks, confidence, ignore=None):
    """Mean of confidence (H, Wd) where any of masks (W, H, Wd) has a class above 0."""
    masks = np.asarray(masks)
    painted = ((masks != 0) & (masks != (-1 if ignore is None else ignore))).any(axis=0)
    return float(confidence[painted].astype(np.float64).mean()) if painted.any() else 1.0
