"""Workers' agreement from the pixels themselves, where vote patterns are as many as pixels.

For two workers only the blocks of 64 pixels where they differ are looked at: what they agree on
is what each gave, less that. Sums of many workers who may all ignore pixels take the classes of
each block, counted once (`class_counts`).
"""

from __future__ import annotations

from numba import types

from consolidation.kernels._jit import counting_no_references as kernel
from consolidation.kernels._lanes import LANES, lowest_bit
from consolidation.kernels._words import count_bits, differences, equals
from consolidation.kernels.class_counts import count_block, forget
from consolidation.kernels.pairs import count_classes

TILE = 1 << 12
"""Pixels of all workers that are compared before the next: they stay in the second cache."""


@kernel
def agreements(masks, ignore, counts, sums):
    """Do what `agreement.agreements` does of patterns, from masks.

    Parameters
    ----------
    masks : array (W, N)
        Labels below K, or `ignore`.
    ignore : int
        A label that is no vote; -1 for none. Pixels that either ignores are left out.
    counts : array (W, K), int64, zeros, scratch
    sums : array (W, W, 3, K), int64, zeros, out
        [a, b] for a < b: pixels that both gave the class, that a gave it, that b gave it.
    """
    n_workers, n = masks.shape
    n_classes = counts.shape[1]
    flat = masks.reshape(-1)
    for w in range(n_workers):
        count_classes(masks[w], counts[w])
    for a in range(n_workers):
        for b in range(a + 1, n_workers):
            for k in range(n_classes):
                if k != ignore:
                    sums[a, b, 0, k] = counts[a, k]
                    sums[a, b, 1, k] = counts[a, k]
                    sums[a, b, 2, k] = counts[b, k]
    for tile in range(0, n, TILE):
        end = min(tile + TILE, n)
        for a in range(n_workers):
            for b in range(a + 1, n_workers):
                for p in range(tile, end, LANES):
                    start, other = a * n + p, b * n + p
                    if p + LANES <= end:
                        if differences(flat, start, flat, other) != 0:
                            _leave_out(flat, start, other, ignore, sums, a, b)
                    else:
                        for i in range(end - p):
                            if flat[start + i] != flat[other + i]:
                                _leave_out_pixel(
                                    flat[start + i], flat[other + i], ignore, sums, a, b
                                )


@kernel
def _leave_out(masks, start, other, ignore, sums, a, b):
    """Take the pixels where two workers differ from what both gave, or either where one ignores."""
    bits = types.uint64(differences(masks, start, masks, other))
    while bits != 0:
        label = masks[start + lowest_bit(bits)]
        same = bits & equals(masks, start, label)
        bits &= ~same
        if label != ignore:
            sums[a, b, 0, label] -= count_bits(same)
            if ignore >= 0:
                ignored = same & equals(masks, other, masks.dtype.type(ignore))
                sums[a, b, 1, label] -= count_bits(ignored)
        else:
            while same != 0:
                theirs = masks[other + lowest_bit(same)]
                alike = same & equals(masks, other, theirs)
                same &= ~alike
                sums[a, b, 2, theirs] -= count_bits(alike)


@kernel
def _leave_out_pixel(label, theirs, ignore, sums, a, b):
    if label == ignore:
        sums[a, b, 2, theirs] -= 1
    else:
        sums[a, b, 0, label] -= 1
        if theirs == ignore:
            sums[a, b, 1, label] -= 1


@kernel
def coincidences(masks, ignore, known, counts, places, pixel, values, conflicts):
    """Do what `agreement.coincidences` does of patterns, from masks.

    Parameters
    ----------
    masks : array (W, N)
    ignore : int
        A label that is no answer; -1 for none. Those from K on are none either.
    known, counts, places
        As for `count_block`, scratch.
    pixel : array (2, 64), int64, scratch
    values : array (K,), int64, in and out
        Labels given, by class, at pixels that two workers or more labelled.
    conflicts : array (W + 1,), int64, in and out
        [m]: ordered pairs of different labels, at pixels that m workers labelled.
    """
    n_workers, n = masks.shape
    flat = masks.reshape(-1)
    answers, alike = pixel[0], pixel[1]
    for start in range(0, n, LANES):
        size = min(LANES, n - start)
        n_known = -1
        if size == LANES:
            n_known = count_block(flat, n, n_workers, start, ignore, known, counts, places)
        if n_known < 0:
            for p in range(start, start + size):
                _coincidences_of_pixel(flat, n, p, ignore, places, values, conflicts)
            continue
        answers[:] = 0
        alike[:] = 0
        for k in range(n_known):
            if known[k] < values.size:
                first = types.int64(places[known[k]]) * LANES
                for i in range(LANES):
                    count = types.int64(counts[first + i])
                    answers[i] += count
                    alike[i] += count * count
        for i in range(LANES):
            if answers[i] >= 2:
                conflicts[answers[i]] += answers[i] * answers[i] - alike[i]
        for k in range(n_known):
            if known[k] < values.size:
                first = types.int64(places[known[k]]) * LANES
                total = 0
                for i in range(LANES):
                    total += types.int64(counts[first + i]) if answers[i] >= 2 else 0
                values[known[k]] += total
        forget(known, n_known, places)


@kernel
def _coincidences_of_pixel(masks, n, p, ignore, places, values, conflicts):
    """One pixel, its labels counted in `places`, which is left as it was."""
    n_workers = masks.size // n
    answers, alike = 0, 0
    for w in range(n_workers):
        label = masks[w * n + p]
        if label != ignore and label < values.size:
            answers += 1
            # 2 c - 1 more for the c-th of a class: squares add up to that
            places[label] += 1
            alike += 2 * (types.int64(places[label]) + 1) - 1
    for w in range(n_workers):
        label = masks[w * n + p]
        if label != ignore and label < values.size:
            if answers >= 2:
                values[label] += 1
            places[label] = -1
    if answers >= 2:
        conflicts[answers] += answers * answers - alike
