"""Every kernel equals its naive twin."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consolidation.consensus import VotePatterns
from consolidation.consensus.stack import Stack
from consolidation.consensus.vote import plurality
from consolidation.kernels import pairs as kernels
from consolidation.kernels.plurality import MAX_NETWORK_WORKERS, comparators
from tests import naive
from tests.strategies import stacks


@pytest.mark.parametrize("n", [1, 2, 3, 5, 6, 9, 12])
def test_network_sorts_every_sequence_of_zeros_and_ones(n):
    # the 0-1 principle: a network that sorts these sorts everything
    for bits in itertools.product((0, 1), repeat=n):
        values = list(bits)
        for low, high in comparators(n):
            values[low], values[high] = sorted((values[low], values[high]))
        assert values == sorted(bits)


def check_plurality(masks, ignore=None):
    labels, votes, tied, highest, _ = plurality(Stack(masks, ignore))
    flat = masks.reshape(len(masks), -1)
    expected = naive.plurality(flat, ignore)
    np.testing.assert_array_equal(labels.reshape(-1), expected[0])
    np.testing.assert_array_equal(votes.reshape(-1), expected[1])
    np.testing.assert_array_equal(tied.reshape(-1), expected[2])
    voted = flat if ignore is None else flat[flat != ignore]
    assert highest == (voted.max() if voted.size else 0)


@settings(max_examples=60, deadline=None)
@given(stacks(max_workers=5), st.sampled_from([None, 0, 1, 255]))
def test_plurality(masks, ignore):
    check_plurality(masks, ignore)


@pytest.mark.parametrize("n_workers", [7, 10, 30, MAX_NETWORK_WORKERS, 33, 255])
@pytest.mark.parametrize("ignore", [None, 3])
def test_plurality_of_many_workers(n_workers, ignore):
    rng = np.random.default_rng(n_workers)
    masks = rng.integers(0, 6, (n_workers, 9, 31)).astype(np.uint8)
    masks[:, 0] = 255
    masks[:, 1] = 3
    check_plurality(masks, ignore)


def test_plurality_counts_255_equal_votes():
    masks = np.full((255, 1, 70), 7, np.uint16)
    _, votes, *_ = plurality(Stack(masks, None))
    assert (votes == 255).all()


def test_separate_masks_equal_one_array():
    rng = np.random.default_rng(0)
    masks = rng.integers(0, 3, (4, 11, 13)).astype(np.uint8)
    *separate, _ = plurality(Stack(list(masks), None))
    *together, _ = plurality(Stack(masks, None))
    for one, other in zip(separate, together, strict=True):
        np.testing.assert_array_equal(one, other)


@settings(max_examples=60, deadline=None)
@given(stacks(dtypes=(np.uint8,)))
def test_patterns(masks):
    flat = masks.reshape(len(masks), -1)
    patterns = VotePatterns.encode(masks)
    expected = naive.patterns(flat)
    found = dict(zip(map(tuple, patterns.tuples.tolist()), patterns.counts.tolist(), strict=True))
    assert found == expected
    assert patterns.n_pixels == flat.shape[1]
    painted = patterns.paint(masks, np.arange(len(patterns.tuples)))
    np.testing.assert_array_equal(patterns.tuples[painted.reshape(-1)].T, flat)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("n_tuples", [1500, 40_000])
def test_patterns_of_noise_grow_then_fall_back(dtype, n_tuples):
    rng = np.random.default_rng(1)
    masks = rng.integers(0, 250, (3, 200, 150)).astype(dtype)
    if n_tuples < 30_000:
        # many tuples, but each over a run: the table grows and is enough
        masks = np.repeat(masks.reshape(3, -1)[:, : 30_000 // 20], 20, axis=1).reshape(3, 200, 150)
    patterns = VotePatterns.encode(masks)
    assert patterns.exact_pixels == (n_tuples > 30_000)
    pairs = patterns.pairwise(250)
    for a, b in ((0, 1), (1, 2), (2, 0), (1, 1)):
        np.testing.assert_array_equal(pairs[a, b], naive.confusion(masks[a], masks[b], 250))
    painted = patterns.paint(masks, np.arange(len(patterns.tuples)))
    np.testing.assert_array_equal(patterns.tuples[painted.reshape(-1)].T, masks.reshape(3, -1))


def test_fallback_takes_no_memory():
    masks = np.random.default_rng(2).integers(0, 250, (3, 200, 150)).astype(np.uint8)
    patterns = VotePatterns.encode(masks)
    assert np.shares_memory(patterns.tuples, masks)
    assert patterns.counts.strides == (0,)


@settings(max_examples=30, deadline=None)
@given(stacks(max_workers=3, dtypes=(np.uint8,)), st.integers(0, 2**32 - 1))
def test_patterns_add_up(masks, seed):
    other = np.random.default_rng(seed).integers(0, 4, (len(masks), 5, 7)).astype(np.uint8)
    both = VotePatterns.encode(masks) + VotePatterns.encode(other)
    flat = np.concatenate([m.reshape(len(m), -1) for m in (masks, other)], axis=1)
    found = dict(zip(map(tuple, both.tuples.tolist()), both.counts.tolist(), strict=True))
    assert found == naive.patterns(flat)


def test_patterns_of_different_numbers_of_workers_do_not_add():
    one = VotePatterns.encode(np.zeros((2, 3, 3), np.uint8))
    with pytest.raises(ValueError, match="2 and 3 workers"):
        one + VotePatterns.encode(np.zeros((3, 3, 3), np.uint8))


@settings(max_examples=60, deadline=None)
@given(stacks(max_workers=2, max_side=40), st.sampled_from([-1, 0, 1]), st.sampled_from([-1, 2]))
def test_confusion(masks, ignore, undecided):
    a, b = masks[0].reshape(-1), masks[-1].reshape(-1)
    matrix = np.zeros((3, 3), np.int64)
    kernels.confusion(a, b, ignore, undecided, matrix)
    np.testing.assert_array_equal(matrix, naive.confusion(a, b, 3, ignore, undecided))


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 2**32),
    st.sampled_from([1, 63, 64, 300]),
    st.sampled_from([2, 9, 40]),
    st.sampled_from([0.02, 0.5, 1]),
    st.sampled_from([(-1, -1), (255, 255), (1, 255), (0, 0), (255, -1)]),
)
def test_confusion_from_the_pixels_that_differ(seed, n, k, noise, outside):
    rng = np.random.default_rng(seed)
    ignore, undecided = outside
    b = np.repeat(rng.integers(0, k, n // 20 + 1), 20)[:n].astype(np.uint8)
    if ignore >= 0:
        b[b == ignore] = undecided if undecided >= 0 else 0
    a = np.where(rng.random(n) < noise, rng.integers(0, k, n), b).astype(np.uint8)
    if ignore >= 0:
        a[rng.random(n) < 0.2] = ignore
    if undecided >= 0:
        b[rng.random(n) < 0.2] = undecided
    totals, scratch, matrix = (
        np.zeros(k, np.int64),
        np.empty(k, np.int64),
        np.zeros((k, k), np.int64),
    )
    kernels.count_classes(b, totals)
    np.testing.assert_array_equal(totals, np.bincount(b, minlength=256)[:k])
    if 0 <= undecided < k:
        totals[undecided] = 0
    kernels.disagreement(a, b, ignore, undecided, totals, scratch, matrix)
    np.testing.assert_array_equal(matrix, naive.confusion(a, b, k, ignore, undecided))


def test_patterns_of_masks_in_any_memory_order():
    masks = np.random.default_rng(3).integers(0, 3, (40, 50, 4)).astype(np.uint8)
    strided = np.moveaxis(masks, -1, 0)
    one, other = VotePatterns.encode(strided), VotePatterns.encode(strided.copy())
    np.testing.assert_array_equal(one.tuples, other.tuples)
    np.testing.assert_array_equal(one.counts, other.counts)
    painted = one.paint(strided, np.arange(len(one.tuples)))
    np.testing.assert_array_equal(np.moveaxis(one.tuples[painted], -1, 0), strided)
    with pytest.raises(ValueError, match="must be uint8 or uint16"):
        VotePatterns.encode(strided.astype(np.int64))


@settings(max_examples=40, deadline=None)
@given(stacks(max_workers=2, max_side=40), st.sampled_from([-1, 0, 1]), st.sampled_from([-1, 2]))
def test_overlap(masks, ignore, undecided):
    a, b = masks[0].reshape(-1), masks[-1].reshape(-1)
    sums = np.zeros((3, 6), np.int64)
    kernels.overlap(a, b, ignore, undecided, sums)
    matrix = naive.confusion(a, b, 6, ignore, undecided)
    expected = [np.diagonal(matrix), matrix.sum(axis=1), matrix.sum(axis=0)]
    np.testing.assert_array_equal(sums, expected)
