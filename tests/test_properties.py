"""What every way to consolidate must do, whatever the masks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consolidation import consolidate
from consolidation.consensus import METHODS
from tests import naive
from tests.strategies import stacks

WAYS: dict[str, dict[str, Any]] = {
    # every method as it comes, then what goes with it
    **{name: {"method": name} for name in METHODS},
    "undecided ties": {"ties": "undecided"},
    "ties by neighbours": {"ties": "neighbours"},
    "smoothed": {"smoothing": 1.0},
    "smoothed wide": {"smoothing": 2.5, "ties": "undecided"},
    "two votes": {"min_votes": 2, "smoothing": 0.7},
    "weighted by neighbours": {"method": "weighted", "ties": "neighbours"},
    "weighted by neighbours, two votes": {
        "method": "weighted",
        "ties": "neighbours",
        "min_votes": 2,
    },
    "weighted and smoothed": {"method": "weighted", "smoothing": 1.0},
}
every_way = pytest.mark.parametrize("way", WAYS, ids=[way.replace(" ", "-") for way in WAYS])
ignores = st.sampled_from([None, None, 0, 1])


def weights_for(way, n_workers):
    if WAYS[way].get("method") != "weighted":
        return None
    return [1 + (worker * 7 % 5) / 3 for worker in range(n_workers)]


def run(way, masks, ignore=None, weights=None, **more):
    if weights is None:
        weights = weights_for(way, len(masks))
    return consolidate(masks, ignore_index=ignore, weights=weights, **WAYS[way], **more)


@pytest.mark.parametrize("way", [way for way in WAYS if way != "dawid-skene"])
@settings(max_examples=25, deadline=None)
@given(masks=stacks(max_workers=6, max_side=12, dtypes=(np.uint8,)), ignore=ignores)
def test_equals_its_naive_twin(way, masks, ignore):
    result = run(way, masks, ignore)
    options = {key: value for key, value in WAYS[way].items() if key != "method"}
    if way == "auto":
        options = {"smoothing": 1.0, "ties": "neighbours"}
    options["sigma"] = options.pop("smoothing", 0.0)
    weights = weights_for(way, len(masks))
    expected = naive.decide(masks, weights, ignore, **options)
    np.testing.assert_array_equal(result.labels, expected)
    given_it = (masks == result.labels).sum(axis=0)
    np.testing.assert_array_equal(result.votes, np.where(result.undecided, 0, given_it))
    assert result.image_confidence == pytest.approx(
        naive.image_confidence(masks, result.confidence, ignore)
    )


@pytest.mark.slow
@pytest.mark.parametrize("weights", [None, [1.0, 0.9, 0.7, 0.6]], ids=["plain", "weighted"])
@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    sigma=st.sampled_from([0.5, 0.5, 1.0, 1.0, 1.7, 8.0]),
    ties=st.sampled_from(["neighbours", "undecided"]),
    ignore=st.sampled_from([None, 3]),
    min_votes=st.integers(1, 2),
)
def test_thin_things_are_left_as_by_the_naive_twin(weights, seed, sigma, ties, ignore, min_votes):
    rng = np.random.default_rng(seed)
    height, width = rng.integers(1, 46, 2)
    picture = np.zeros((height, width), np.uint8)
    for index in (1, 2, 3, 1, 2):
        # large things, and then what is thin or crosses them
        top, left = rng.integers(-4, height), rng.integers(-4, width)
        tall, wide = rng.integers(1, (30, 30) if index == 1 else (12, 12))
        picture[max(top, 0) : max(top + tall, 0), max(left, 0) : max(left + wide, 0)] = index
        picture[rng.integers(0, height)] = index
    rows, columns = np.mgrid[:height, :width]
    moves = rng.integers(-1, 2, (2, 4, height, width)) * (rng.random((4, height, width)) < 0.4)
    masks = picture[(rows + moves[0]).clip(0, height - 1), (columns + moves[1]).clip(0, width - 1)]
    options = {"ties": ties, "min_votes": min_votes}
    method = {"method": "weighted", "weights": weights} if weights else {}
    result = consolidate(masks, smoothing=sigma, ignore_index=ignore, **options, **method)
    expected = naive.decide(masks, weights, ignore, sigma=sigma, **options)
    np.testing.assert_array_equal(result.labels, expected)


@settings(max_examples=60, deadline=None)
@given(masks=stacks(max_workers=6, max_side=12), ignore=ignores, steps=st.integers(1, 4))
def test_dawid_skene_equals_its_naive_twin(masks, ignore, steps):
    masks = masks.astype(np.uint8)
    result = consolidate(masks, method="dawid-skene", ignore_index=ignore, steps=steps)
    np.testing.assert_array_equal(result.labels, naive.dawid_skene(masks, ignore, steps))


@every_way
@settings(max_examples=25, deadline=None)
@given(masks=stacks(), ignore=ignores)
def test_unanimous_pixels_keep_their_class(way, masks, ignore):
    result = run(way, masks, ignore)
    voted = np.ones(masks.shape, bool) if ignore is None else masks != ignore
    wide = masks.astype(np.int64)
    low = np.where(voted, wide, 65535).min(axis=0)
    high = np.where(voted, wide, 0).max(axis=0)
    needed = WAYS[way].get("min_votes", 1)
    unanimous = (low == high) & (voted.sum(axis=0) >= needed)
    np.testing.assert_array_equal(result.labels[unanimous], low[unanimous])
    assert (result.confidence[unanimous] == 1).all()
    np.testing.assert_array_equal(result.disputed, low < high)


@every_way
@settings(max_examples=25, deadline=None)
@given(masks=stacks(), ignore=ignores, seed=st.integers(0, 1000))
def test_order_of_workers_does_not_matter(way, masks, ignore, seed):
    order = np.random.default_rng(seed).permutation(len(masks))
    weights = weights_for(way, len(masks))
    shuffled = None if weights is None else [weights[worker] for worker in order]
    one = run(way, masks, ignore)
    other = run(way, masks[order], ignore, weights=shuffled)
    for name in ("labels", "votes", "tied", "confidence", "disputed"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


@every_way
@settings(max_examples=25, deadline=None)
@given(masks=stacks(dtypes=(np.uint8,)), shift=st.integers(1, 200))
def test_renamed_classes_give_a_renamed_result(way, masks, shift):
    # an order-preserving renaming: ties go to the lowest class before and after
    one = run(way, masks)
    other = run(way, masks + np.uint8(shift))
    renamed = np.where(one.undecided, 255, one.labels + shift)
    np.testing.assert_array_equal(other.labels, renamed)
    np.testing.assert_array_equal(other.votes, one.votes)
    np.testing.assert_array_equal(other.confidence, one.confidence)


@every_way
@settings(max_examples=25, deadline=None)
@given(masks=stacks(), ignore=ignores)
def test_no_vote_no_win(way, masks, ignore):
    result = run(way, masks, ignore)
    voted = (masks == result.labels).any(axis=0)
    if ignore is not None:
        voted &= result.labels != ignore
    np.testing.assert_array_equal(voted | result.undecided, True)
    assert (result.votes[~result.undecided] >= WAYS[way].get("min_votes", 1)).all()


@every_way
@settings(max_examples=25, deadline=None)
@given(masks=stacks(), ignore=ignores)
def test_confidence_is_a_share(way, masks, ignore):
    result = run(way, masks, ignore)
    assert result.confidence.dtype == np.float32
    assert ((result.confidence >= 0) & (result.confidence <= 1)).all()
    assert not result.confidence[result.undecided].any()
    assert 0 <= result.image_confidence <= 1
    shares = result.class_confidence[~np.isnan(result.class_confidence)]
    assert ((shares >= 0) & (shares <= 1)).all()


@every_way
@settings(max_examples=15, deadline=None)
@given(masks=stacks(dtypes=(np.uint8,)))
def test_uint16_gives_the_same(way, masks):
    one, other = run(way, masks), run(way, masks.astype(np.uint16), undecided_index=255)
    np.testing.assert_array_equal(one.labels, other.labels)
    np.testing.assert_array_equal(one.confidence, other.confidence)
