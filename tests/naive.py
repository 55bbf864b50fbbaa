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
    """Labels (H, Wd) of the whole vote, by exact fractions of the weights given."""
    masks = np.asarray(masks)
    exact = [Fraction(1)] * len(masks)
    if weights is not None:
        exact = [Fraction(w) for w in weights]
    rules = {"ignore": ignore, "min_votes": min_votes, "undecided": undecided}
    weighed = _every_pixel(masks, exact, weights, sigma=0.0, ties="lowest", **rules)
    # what neighbours may choose: classes that the vote without them gives to some pixel
    seen = set(weighed.reshape(-1).tolist()) if sigma > 0 or ties == "neighbours" else None
    if sigma > 0:
        # pixels with too few votes lie where the plain vote put them
        plain = plurality(masks.reshape(len(masks), -1), -1 if ignore is None else ignore)[0]
        rules["vote"] = np.where(weighed == undecided, plain.reshape(weighed.shape), weighed)
    return _every_pixel(masks, exact, weights, sigma=sigma, ties=ties, seen=seen, **rules)


def _every_pixel(masks, exact, weights, **rules):
    _, height, width = masks.shape
    out = np.zeros((height, width), np.int64)
    for i in range(height):
        for j in range(width):
            out[i, j] = _pixel(masks, exact, weights, i, j, **rules)
    return out


def _pixel(
    masks, exact, weights, i, j, *, ignore, min_votes, undecided, sigma, ties, seen=None, vote=None
):
    column = masks[:, i, j].tolist()
    counts = Counter(label for label in column if label != ignore)
    voted = sorted(label for label, count in counts.items() if count >= min_votes)
    candidates = [label for label in voted if seen is None or label in seen]
    if not candidates:
        return undecided
    own = {
        label: sum(w for w, given in zip(exact, column, strict=True) if given == label)
        for label in voted
    }
    # weights are given in floating point: what differs by their rounding only is a tie
    slack = Fraction(sum(exact), 2**36) if weights is not None else 0
    tied = sum(weight >= max(own.values()) - slack for weight in own.values()) > 1
    best = max(own[label] for label in candidates)
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
    chosen = winners[:1] if len(winners) == 1 or ties != "undecided" else []
    if sigma > 0 and not tied and top != chosen:
        radius = min(max(1, math.ceil(2 * sigma)), 7)
        if any(thin(vote, i, j, label, radius) for label in top + chosen):
            return top[0]
    return chosen[0] if chosen else undecided


def thin(vote, i, j, label, radius):
    """Whether no square of 2 radius + 3 pixels of a class touches the window around a pixel."""
    height, width = vote.shape
    half = radius + 1
    for y in range(max(i - radius - half, 0), min(i + radius + half + 1, height)):
        for x in range(max(j - radius - half, 0), min(j + radius + half + 1, width)):
            square = vote[max(y - half, 0) : y + half + 1, max(x - half, 0) : x + half + 1]
            if (square == label).all():
                return False
    return True


def _smoothed(masks, exact, labels, sigma, i, j):
    if len(set(exact)) > 1:
        # the one place where weights are rounded coarsely
        scale = (32767 - len(exact)) / math.fsum(exact)
        exact = [max(round(float(weight) * scale), 1) for weight in exact]
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


def dawid_skene(masks, ignore=None, steps=1):
    """Labels (H, Wd) by expectation-maximisation on disputed pixels, one pixel at a time."""
    masks = np.asarray(masks)
    flat = masks.reshape(len(masks), -1)
    plain, _, _ = plurality(flat, ignore)
    k = int(flat.max()) + 1
    seen = {label for label in plain.tolist() if label != ignore}
    pixels = []
    for place, column in enumerate(flat.T.tolist()):
        voted = Counter(label for label in column if label != ignore)
        if len(voted) > 1:
            pixels.append((place, column, {c: n for c, n in sorted(voted.items()) if c in seen}))
    probability = []
    for _, _, kept in pixels:
        winners = [c for c, n in kept.items() if n == max(kept.values())]
        probability.append({c: (c in winners) / len(winners) for c in kept})
    for _ in range(steps):
        confusion, prior = _maximise(pixels, probability, len(masks), k, ignore)
        probability = [
            _posterior(column, kept, confusion, prior, ignore) for _, column, kept in pixels
        ]
    out = np.where(plain == -1 if ignore is None else plain == ignore, 255, plain)
    for (place, _, _), chances in zip(pixels, probability, strict=True):
        best = None
        for label, chance in chances.items():
            if best is None or chance > chances[best] + 1e-9:
                best = label
        out[place] = best
    return out.reshape(masks.shape[1:])


def _maximise(pixels, probability, n_workers, k, ignore):
    expected, prior = np.zeros((n_workers, k, k)), np.zeros(k)
    for (_, column, _), chances in zip(pixels, probability, strict=True):
        for label, chance in chances.items():
            prior[label] += chance
            for worker, given in enumerate(column):
                others = {c for w, c in enumerate(column) if w != worker and c != ignore}
                if given != ignore and len(others) > 1:
                    expected[worker, label, given] += chance
    common = expected.sum(axis=(0, 1)) + 1e-9
    pseudo = 0.3 * common / common.sum() + 0.7 * np.eye(k)
    for worker in range(n_workers):
        expected[worker] += 0.02 * max(expected[worker].sum(), 1) * pseudo
        expected[worker] /= expected[worker].sum(axis=1, keepdims=True)
    present = max(int(np.count_nonzero(prior)), 1)
    prior = prior / prior.sum() if prior.sum() else np.full(k, 1 / k)
    prior = np.maximum(prior, 0.1 / present)
    return np.maximum(expected, 1e-12), prior / prior.sum()


def _posterior(column, voted, confusion, prior, ignore):
    chances = {}
    for label in voted:
        given = [confusion[w, label, g] for w, g in enumerate(column) if g != ignore]
        chances[label] = prior[label] * math.prod(given)
    return {label: chance / sum(chances.values()) for label, chance in chances.items()}


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
    """Mean of confidence (H, Wd) where any of masks (W, H, Wd) has a class above 0, or none any."""
    masks = np.asarray(masks)
    labelled = masks != (-1 if ignore is None else ignore)
    counted = ((masks != 0) & labelled).any(axis=0) | ~labelled.any(axis=0)
    return float(confidence[counted].astype(np.float64).mean()) if counted.any() else 1.0


def chosen_pixels(labels, votes, rank, step):
    """Place of one pixel of each block: fewest votes, then lowest rank, then first."""
    height, width = labels.shape
    places = []
    for top in range(0, height, step):
        row = []
        for left in range(0, width, step):
            block = [
                (int(votes[y, x]), rank[labels[y, x]] if labels[y, x] < len(rank) else 0, y, x)
                for y in range(top, min(top + step, height))
                for x in range(left, min(left + step, width))
            ]
            _, _, y, x = min(block)
            row.append(y * width + x)
        places.append(row)
    return places


def coincidences(masks, n_classes, ignore=-1):
    """Labels by class, and pairs who differ by number of answers, for masks (W, N)."""
    values, conflicts = [0] * n_classes, Counter()
    for column in np.asarray(masks).T.tolist():
        answers = [label for label in column if label != ignore and label < n_classes]
        if len(answers) < 2:
            continue
        for label in answers:
            values[label] += 1
        pairs = sum(a != b for a in answers for b in answers)
        if pairs:
            conflicts[len(answers)] += pairs
    return values, dict(conflicts)


def regions(mask):
    """Sets of set pixels of mask (H, Wd) that touch, corners included, in reading order."""
    left = {(int(y), int(x)) for y, x in zip(*np.nonzero(mask), strict=True)}
    found = []
    while left:
        grown, edge = set(), [min(left)]
        while edge:
            y, x = edge.pop()
            if (y, x) in left:
                left.remove((y, x))
                grown.add((y, x))
                edge += [(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
        found.append(grown)
    return found


def value_survey(mask):
    """Pixels, solid 2 x 2 squares and steps of each value; pairs, changes, small changes."""
    height, width = mask.shape
    mask = mask.astype(int)
    counts, solid, between = Counter(), Counter(), Counter()
    changes = [0, 0, 0]
    for row in range(height):
        for column in range(width):
            value = mask[row, column]
            counts[value] += 1
            square = mask[row : row + 2, column : column + 2]
            solid[value] += square.shape == (2, 2) and bool((square == value).all())
            triples = (
                mask[row, max(column - 1, 0) : column + 2],
                mask[max(row - 1, 0) : row + 2, column],
            )
            steps = [np.sign(np.diff(one)).tolist() for one in triples]
            between[value] += [1, 1] in steps or [-1, -1] in steps
            for other in (mask[row, column + 1 : column + 2], mask[row + 1 : row + 2, column]):
                for neighbour in other.tolist():
                    changes[0] += 1
                    changes[1] += neighbour != value
                    changes[2] += 0 < abs(neighbour - value) <= 2
    return counts, solid, between, changes


def _kind_of_edge(before, after, ignore):
    if before == after or ignore in (before, after):
        return None
    if before == 0:
        return 0
    return 1 if after == 0 else 2


def outline_offsets(masks, ignore, step, reach, span):
    """Twin of `kernels.outlines.offsets`: counts of shape (W, W, 3, 2 * reach + 2)."""
    n_workers, height, width = masks.shape
    counts = np.zeros((n_workers, n_workers, 3, 2 * reach + 2), np.int64)

    def edge(w, row, x):
        if not (0 <= row < height and 1 <= x < width):
            return None
        return _kind_of_edge(int(masks[w, row, x - 1]), int(masks[w, row, x]), ignore)

    def counted(w, row, x, kind):
        above_and_below = [
            any(edge(w, other, y) == kind or _ignored(w, other, y, kind) for y in (x - 1, x, x + 1))
            for other in (row - 1, row + 1)
        ]
        rows = range(max(row - span, 0), min(row + span + 1, height))
        outside = x if kind == 1 else x - 1
        out = kind == 2 or all(masks[w, other, outside] == 0 for other in rows)
        return all(above_and_below) and out

    def _ignored(w, row, x, kind):
        # beside an ignored label an edge goes on all the same
        if not (0 <= row < height and 1 <= x < width):
            return False
        return _kind_of_edge(int(masks[w, row, x - 1]), int(masks[w, row, x]), -1) == kind

    for row in range(step // 2, height, step):
        for a in range(n_workers):
            for x in range(1, width):
                kind = edge(a, row, x)
                if kind is None or not counted(a, row, x, kind):
                    continue
                distances = {}
                for b in range(n_workers):
                    near = [d for d in range(-reach, reach + 1) if edge(b, row, x + d) == kind]
                    distances[b] = min(near, key=lambda d: (abs(d), -d), default=reach + 1)
                for b in range(n_workers):
                    others = [c for c in range(n_workers) if c not in (a, b)]
                    same = sum(distances[c] == 0 for c in others)
                    if b != a and 2 * same <= len(others):
                        counts[a, b, kind, reach + distances[b]] += 1
    return counts
