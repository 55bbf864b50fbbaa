"""Disputed regions: against a naive twin, by hand, and what must not matter."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from consolidation import consolidate
from consolidation.consensus import regions as module
from consolidation.kernels import regions as kernels
from tests import naive
from tests.strategies import stacks

NAMES = ["background", "road", "tree", "car", "person"]


@settings(max_examples=150, deadline=None)
@given(
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=150).flatmap(
        lambda shape: st.tuples(
            st.just(shape), st.integers(0, 2**32 - 1), st.sampled_from([0.02, 0.3, 0.6, 1])
        )
    )
)
def test_regions_equal_their_naive_twin(drawn):
    shape, seed, density = drawn
    mask = np.random.default_rng(seed).random(shape) < density
    runs = module.runs_of(mask.view(np.uint8))
    region = np.empty(len(runs[0]), np.int64)
    n = kernels.join_runs(*runs, region)
    expected = naive.regions(mask)
    assert n == len(expected)
    found = [set() for _ in range(n)]
    for one, row, start, end in zip(region, *runs, strict=True):
        found[one] |= {(int(row), x) for x in range(start, end)}
    assert found == expected


def test_more_runs_than_there_was_room_for():
    mask = (np.indices((128, 128)).sum(axis=0) % 2).astype(np.uint8)
    rows, _, ends = module.runs_of(mask)
    assert len(rows) == 128 * 64
    assert ends[-1] == 127


@settings(max_examples=60, deadline=None)
@given(stacks(max_workers=5), st.integers(1, 20), st.integers(1, 4))
def test_what_is_told_of_a_region(masks, min_area, most):
    result = consolidate(masks, smoothing=1.0, ties="neighbours")
    told = result.regions(min_area, most)
    sets = [one for one in naive.regions(result.disputed) if len(one) >= min_area]
    sets.sort(key=len, reverse=True)
    assert [one.area for one in told] == [len(one) for one in sets[:most]]
    for one, pixels in zip(told, sets, strict=False):
        rows, columns = np.array(sorted(pixels)).T
        assert (one.top, one.left) == (rows.min(), columns.min())
        assert (one.height, one.width) == (np.ptp(rows) + 1, np.ptp(columns) + 1)
        given_ = masks[:, rows, columns]
        shares = {int(label): float((given_ == label).mean()) for label in np.unique(given_)}
        assert dict(one.shares) == pytest.approx(shares)
        chosen = np.bincount(result.labels[rows, columns])
        assert one.chosen == chosen.argmax()
        for label, who in one.workers:
            for worker in who:
                counts = np.bincount(given_[int(worker)])
                assert counts[label] == counts.max()
        assert sum(len(who) for _, who in one.workers) == len(masks)


@settings(max_examples=40, deadline=None)
@given(stacks(max_workers=5, dtypes=(np.uint8,)), st.randoms(use_true_random=False))
def test_order_of_workers_and_names_of_classes_do_not_matter(masks, random):
    order = random.sample(range(len(masks)), len(masks))
    ids = [f"w{number}" for number in range(len(masks))]
    one = consolidate(masks, workers=ids).regions(1)
    other = consolidate(masks[order] + 7, workers=[ids[place] for place in order]).regions(1)
    assert [(r.top, r.left, r.height, r.width, r.area) for r in one] == [
        (r.top, r.left, r.height, r.width, r.area) for r in other
    ]
    for first, second in zip(one, other, strict=True):
        assert [(label + 7, share) for label, share in first.shares] == list(second.shares)
        assert {k + 7: sorted(who) for k, who in first.workers} == {
            k: sorted(who) for k, who in second.workers
        }


def test_by_hand():
    masks = np.zeros((3, 12, 20), np.uint8)
    masks[0, 2:10, 2:10] = 1  # only the first worker sees it: 64 pixels
    masks[1, 11, 19] = 2  # too small
    (one,) = consolidate(masks, workers=["ann", "bob", "cid"]).regions()
    told = json.loads(json.dumps(one.as_dict(NAMES)))
    assert told == {
        "box": {"left": 2, "top": 2, "width": 8, "height": 8},
        "area": 64,
        "consensus": "background",
        "shares": {"background": 0.6667, "road": 0.3333},
        "workers": {"background": ["bob", "cid"], "road": ["ann"]},
        "reason": "2 workers see background (bob, cid), 1 sees road (ann)",
    }


def test_a_border_drawn_elsewhere_is_called_so():
    masks = np.ones((3, 1, 9), np.uint8)
    for worker in range(3):
        masks[worker, 0, 3 * worker : 3 * worker + 3] = 0
    (one,) = consolidate(masks).regions(1)
    assert one.reason(NAMES) == "all 3 workers see mostly road, with another border to background"
    assert one.chosen == 1
    assert consolidate(masks, min_votes=3).regions(1)[0].chosen is None


def test_who_has_no_vote_and_who_ignored_it_are_not_named():
    masks = np.zeros((4, 8, 8), np.uint8)
    masks[0], masks[2], masks[3] = 1, 255, 1
    result = consolidate(
        masks,
        workers=["ann", "bob", "cid", "junk"],
        method="weighted",
        weights=[1, 1, 1, 0],
        ignore_index=255,
        n_classes=2,
    )
    (one,) = result.regions()
    assert one.workers == ((0, ("bob",)), (1, ("ann",)))


def test_nothing_disputed_nothing_told():
    assert consolidate(np.ones((3, 70, 130), np.uint8)).regions(1) == []
