"""`consolidate`: hand-worked images, the documented table of special cases, errors."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from consolidation import consolidate


def row(*workers, dtype=np.uint8):
    """Masks of one line of pixels, one list a worker."""
    return np.array([[worker] for worker in workers], dtype=dtype)


THREE = row([0, 1, 1, 2], [0, 1, 2, 2], [0, 0, 3, 2])


@pytest.mark.parametrize("min_votes", [1, 2])
def test_without_background_class_0_counts_in_the_image_s_confidence(min_votes: int) -> None:
    # 2 of 3 agree, all, all, 2 of 3
    masks = np.array([[[0, 0, 1, 0]], [[0, 0, 1, 1]], [[1, 0, 1, 0]]], np.uint8)
    # background: the pixel that all call 0 does not count
    with_it = consolidate(masks, min_votes=min_votes)
    assert with_it.image_confidence == pytest.approx((2 / 3 + 1 + 2 / 3) / 3)
    other = consolidate(masks, min_votes=min_votes, background=False)
    assert other.image_confidence == pytest.approx((2 / 3 + 1 + 1 + 2 / 3) / 4)


def test_four_pixels_three_workers():
    result = consolidate(THREE)
    assert result.labels.tolist() == [[0, 1, 1, 2]]
    assert result.votes.tolist() == [[3, 2, 1, 3]]
    assert result.tied.tolist() == [[False, False, True, False]]
    assert result.disputed.tolist() == [[False, True, True, False]]
    np.testing.assert_allclose(result.confidence, [[1, 2 / 3, 1 / 3, 1]], rtol=1e-6)
    assert result.confidence.dtype == np.float32
    np.testing.assert_allclose(result.class_confidence, [1, 1 / 2, 1, np.nan])
    assert result.class_confidence.dtype == np.float64
    # the first pixel is background to everybody and does not count
    assert result.image_confidence == pytest.approx((2 / 3 + 1 / 3 + 1) / 3)


def test_agreement_of_workers():
    result = consolidate(THREE, workers=["a", "b", "c"])
    first, _, third = result.workers
    assert (first.worker, first.agreement, first.ignored) == ("a", 1.0, 0)
    # c: background 0, 1 against 0: 1/2; class 1: none of pixels 1, 2; class 2: 3; class 3: 2
    assert third.class_iou[:3] == (0.5, 0.0, 1.0)
    assert third.class_iou[3] == 0.0
    assert third.agreement == pytest.approx(1.5 / 4)
    assert math.isnan(first.class_iou[3])


def test_provenance_is_json_and_counts():
    provenance = consolidate(THREE, ties="neighbours").provenance
    assert json.loads(json.dumps(provenance)) == provenance
    assert provenance["method"] == "plurality"
    assert provenance["counts"]["disputed"] == 2
    assert provenance["counts"]["tied"] == 1
    assert provenance["counts"]["pixels"] == 4


def test_ties():
    masks = row([2, 2, 2], [2, 1, 1], [2, 2, 1], [2, 1, 2])
    assert consolidate(masks).labels.tolist() == [[2, 1, 1]]
    assert consolidate(masks, ties="undecided").labels.tolist() == [[2, 255, 255]]
    # pixel 1: class 2 has two votes of its own and, at distance 1, four and two more
    assert consolidate(masks, ties="neighbours").labels.tolist() == [[2, 2, 2]]
    assert consolidate(masks, ties="neighbours").tied.tolist() == [[False, True, True]]


def test_neighbours_that_tie_again_leave_the_lowest():
    masks = row([1, 1, 1], [2, 2, 2])
    assert consolidate(masks, ties="neighbours").labels.tolist() == [[1, 1, 1]]


def halves(shape=(20, 24)):
    """Three masks (H, Wd): class 2 on the right, class 1 on the left of a straight border."""
    mask = np.ones(shape, np.uint8)
    mask[:, shape[1] // 2 :] = 2
    return np.stack([mask] * 3)


def test_smoothing_overrules_a_narrow_majority_and_never_a_unanimous_pixel():
    masks = halves()
    masks[:2, 10, 11] = 2  # a bump of one pixel, by two of three
    result = consolidate(masks, smoothing=1)
    np.testing.assert_array_equal(result.labels, halves()[0])
    assert result.votes[10, 11] == 1
    assert result.provenance["counts"]["smoothed"] == 1
    masks[2, 10, 11] = 2
    np.testing.assert_array_equal(consolidate(masks, smoothing=3).labels, masks[0])


@pytest.mark.parametrize("weights", [None, [1.0, 0.9, 0.8]])
@pytest.mark.parametrize("far", [False, True])
def test_smoothing_leaves_thin_things_to_the_vote(far, weights):
    method = "plurality" if weights is None else "weighted"
    masks = halves((40, 60))
    column = 12 if far else 28
    masks[:2, 10, column : column + 2] = 2  # a dash, beside the large thing or not
    masks[:2, :, 50] = 1  # a gap through all of class 2
    result = consolidate(masks, smoothing=1, method=method, weights=weights)
    vote = consolidate(masks, method=method, weights=weights)
    assert (result.labels[10, column : column + 2] == (2 if far else 1)).all()
    assert (result.labels[:, 50] == 1).all()
    assert (result.labels != vote.labels).sum() == (0 if far else 2)
    # nor does the thin thing grow: two of three leave a notch in it
    masks[:2, 20, 50] = 2
    assert consolidate(masks, smoothing=1, method=method, weights=weights).labels[20, 50] == 2


def test_neighbours_decide_ties_of_thin_things():
    masks = np.zeros((4, 20, 20), np.uint8)
    masks[:, :, 10] = 1
    masks[:2, 9, 10] = 0
    masks[:, 9, 9] = masks[:, 9, 11] = 1
    assert consolidate(masks, smoothing=1, ties="neighbours").labels[9, 10] == 1


def test_weights():
    masks = row([0, 1, 1], [0, 2, 0], [0, 2, 0])
    result = consolidate(masks, method="weighted", weights=[5, 2, 2])
    assert result.labels.tolist() == [[0, 1, 1]]
    assert result.votes.tolist() == [[3, 1, 1]]
    np.testing.assert_allclose(result.confidence, [[1, 5 / 9, 5 / 9]], rtol=1e-4)
    tie = consolidate(masks, method="weighted", weights=[0.3, 0.1, 0.2])
    assert tie.labels.tolist() == [[0, 1, 0]]
    assert tie.tied.tolist() == [[False, True, True]]


def test_workers_without_weight_do_not_vote():
    masks = row([9, 9, 1], [2, 1, 1], [2, 2, 5])
    result = consolidate(masks, method="weighted", weights=[1, 0, 0], ignore_index=9)
    assert result.labels.tolist() == [[255, 255, 1]]
    assert result.confidence.tolist() == [[0, 0, 1]]
    assert [worker.agreement for worker in result.workers] == [1, 1, 0]
    assert result.n_classes == 6
    with pytest.raises(ValueError, match="mask 2 has class 5, n_classes is 3"):
        consolidate(masks, n_classes=3, method="weighted", weights=[1, 0, 0], ignore_index=9)


def test_neighbours_bring_in_no_class_that_no_vote_saw():
    # class 2 would win the middle by its neighbours, but the vote gives it to no pixel
    masks = row([2, 2, 2], [3, 2, 0], [3, 1, 0], [3, 1, 0])
    assert consolidate(masks, ties="neighbours").labels.tolist() == [[3, 1, 0]]
    # nor does smoothing: at a bump of class 1 a class of few has the most neighbours
    masks = np.zeros((5, 20, 20), np.uint8)
    masks[:, :, 10:] = 1
    masks[:3, 10, 9] = 1
    masks[3:, 8:13, 7:12] = 2
    assert consolidate(masks, smoothing=1).labels.max() == 1


def test_ignored_pixels_are_no_votes():
    masks = row([9, 9, 1, 9], [1, 9, 2, 0], [2, 9, 2, 9])
    result = consolidate(masks, ignore_index=9, n_classes=3)
    assert result.labels.tolist() == [[1, 255, 2, 0]]
    assert result.votes.tolist() == [[1, 0, 2, 1]]
    assert result.voters.tolist() == [[2, 0, 3, 1]]
    assert result.disputed.tolist() == [[True, False, True, False]]
    np.testing.assert_allclose(result.confidence, [[0.5, 0, 2 / 3, 1]], rtol=1e-6)
    assert [worker.ignored for worker in result.workers] == [3, 1, 2]
    assert result.provenance["counts"]["undecided"] == 1
    # the last pixel is background to the only one who labelled it; the second, nobody's, counts 0
    assert result.image_confidence == pytest.approx((0.5 + 0 + 2 / 3) / 3)


def test_min_votes():
    masks = row([1, 1, 1], [1, 2, 2], [1, 2, 3])
    assert consolidate(masks, min_votes=2).labels.tolist() == [[1, 2, 255]]
    result = consolidate(masks, min_votes=3)
    assert result.labels.tolist() == [[1, 255, 255]]
    assert result.votes.tolist() == [[3, 0, 0]]
    assert result.provenance["counts"]["undecided"] == 2
    # neighbours cannot lend a class the votes that it lacks at the pixel itself
    assert consolidate(masks, min_votes=3, smoothing=2).labels.tolist() == [[1, 255, 255]]


def one_worker():
    mask = row([0, 3, 1, 7])
    for options in ({}, {"smoothing": 2}, {"ties": "undecided"}, {"ties": "neighbours"}):
        result = consolidate(mask, **options)
        np.testing.assert_array_equal(result.labels, mask[0])
        assert (result.confidence == 1).all()
        assert not result.tied.any()


def two_workers():
    masks = row([0, 1], [0, 2])
    assert consolidate(masks).labels.tolist() == [[0, 1]]
    assert consolidate(masks).confidence.tolist() == [[1, 0.5]]
    assert consolidate(masks, ties="undecided").confidence.tolist() == [[1, 0]]


def all_blank():
    result = consolidate(np.zeros((3, 4, 5), np.uint8))
    assert not result.labels.any()
    assert (result.confidence == 1).all()
    assert result.image_confidence == 1.0
    assert [worker.agreement for worker in result.workers] == [1, 1, 1]


def all_ignored():
    result = consolidate(np.full((2, 2, 2), 9, np.uint8), ignore_index=9, n_classes=3)
    assert (result.labels == 255).all()
    assert not result.confidence.any()
    assert not result.tied.any()
    assert result.image_confidence == 0.0
    assert math.isnan(result.workers[0].agreement)


def one_pixel():
    assert consolidate(row([4], [4], [2])).labels.tolist() == [[4]]


def one_class():
    result = consolidate(np.ones((2, 3, 3), np.uint16))
    assert (result.labels == 1).all()
    assert result.labels.dtype == np.uint16
    assert result.n_classes == 2


@pytest.mark.parametrize(
    "case", [one_worker, two_workers, all_blank, all_ignored, one_pixel, one_class]
)
def test_the_documented_table(case):
    case()


def test_uint16_and_undecided():
    masks = row([300, 0], [400, 0], dtype=np.uint16)
    assert consolidate(masks).labels.tolist() == [[300, 0]]
    assert consolidate(masks, ties="undecided").labels.tolist() == [[65535, 0]]
    assert consolidate(masks, ties="undecided", undecided_index=999).labels.tolist() == [[999, 0]]


def test_contiguous_masks_are_not_copied():
    masks = np.zeros((3, 8, 8), np.uint8)
    result = consolidate(masks, smoothing=1, ties="neighbours")
    assert result._stack.array is masks
    assert all(np.shares_memory(part, masks) for part in result._stack.rows)


@pytest.mark.parametrize(
    ("masks", "options", "message"),
    [
        (np.zeros((2, 3), np.uint8), {}, r"shape \(W, H, Wd\), not \(2, 3\)"),
        ([], {}, "1 to 255 masks, not 0"),
        (np.zeros((256, 1, 1), np.uint8), {}, "1 to 255 masks, not 256"),
        (np.zeros((2, 0, 3), np.uint8), {}, "no pixels"),
        (
            [np.zeros((2, 3), np.uint8), np.zeros((3, 2), np.uint8)],
            {},
            r"mask 1 has shape \(3, 2\), mask 0 has \(2, 3\)",
        ),
        ([np.zeros((1, 1, 1), np.uint8)], {}, "a mask has two axes"),
        (THREE, {"n_classes": 3}, "mask 2 has class 3, n_classes is 3"),
        (THREE, {"method": "best"}, "method must be one of"),
        (THREE, {"ties": "first"}, "ties must be one of"),
        (THREE, {"smoothing": -1}, "smoothing must be 0, or 0.1 to 8"),
        (THREE, {"smoothing": float("nan")}, "smoothing must be 0, or 0.1 to 8"),
        (THREE, {"min_votes": 0}, "min_votes must be"),
        (THREE, {"ignore_index": 256}, "ignore_index must be 0 to 255"),
        (THREE, {"undecided_index": -1}, "undecided_index must be 0 to 255"),
        (THREE, {"undecided_index": 2, "ties": "undecided"}, "is one of the 4 classes"),
        (THREE, {"method": "weighted"}, "needs weights"),
        (THREE, {"weights": [1, 1, 1]}, 'weights are for method="weighted"'),
        (THREE, {"method": "weighted", "weights": [1, 1]}, r"shape \(2,\), there are 3 masks"),
        (THREE, {"method": "weighted", "weights": [1, 1, -1]}, "finite, >= 0"),
        (THREE, {"method": "weighted", "weights": [0, 0, 0]}, "not all 0"),
        (THREE, {"workers": ["a", "b"]}, "2 worker ids for 3 masks"),
        (THREE, {"workers": ["a", "b", "a"]}, "ids must differ"),
    ],
)
def test_errors_say_what_is_wrong(masks, options, message):
    with pytest.raises(ValueError, match=message):
        consolidate(masks, **options)


def test_read_only_and_writable_masks_mix():
    writable = np.zeros((2, 5), np.uint8)
    read_only = np.frombuffer(bytes([1] * 10), np.uint8).reshape(2, 5)
    strided = np.ones((2, 10), np.uint8)[:, ::2]
    result = consolidate([writable, read_only, strided], smoothing=1)
    assert (result.labels == 1).all()
    assert not read_only.flags.writeable
    assert np.shares_memory(result._stack.rows[1], read_only) or result._stack._array is not None


def test_confidence_is_the_same_whether_overruled_pixels_were_kept_or_not(monkeypatch):
    rng = np.random.default_rng(8)
    # a border that each draws anew in every row
    masks = (np.arange(48) + rng.integers(-3, 4, (5, 300, 1)) >= 24).astype(np.uint8)
    monkeypatch.setattr("consolidation.consensus.vote.PIXELS_PER_OVERRULED", 1 << 20)
    many = consolidate(masks, smoothing=1)
    assert many._outcome.overruled is None
    monkeypatch.setattr("consolidation.consensus.vote.PIXELS_PER_OVERRULED", 1)
    kept = consolidate(masks, smoothing=1)
    assert len(kept._outcome.overruled.places) > 100
    np.testing.assert_array_equal(many.confidence, kept.confidence)
    np.testing.assert_array_equal(many.confidence_bytes(), kept.confidence_bytes())
    assert many.image_confidence == kept.image_confidence
    np.testing.assert_array_equal(
        kept.confidence_bytes(), np.rint(kept.confidence * np.float32(255))
    )


def test_a_weighted_tie_among_too_few_votes_does_not_hide_the_others():
    masks = np.array([[[1, 1, 1]], [[1, 7, 7]], [[1, 7, 7]], [[1, 9, 9]], [[1, 9, 9]]], np.uint8)
    masks[0, 0, 1:] = 1
    options: dict[str, Any] = {"method": "weighted", "weights": [10, 1, 1, 1, 1], "min_votes": 2}
    result = consolidate(masks, ties="neighbours", **options)
    assert result.labels.tolist() == [[1, 7, 7]]
    assert result.votes.tolist() == [[5, 2, 2]]


def test_an_undecided_index_that_is_a_class_but_not_needed():
    masks = np.full((3, 4, 4), 255, np.uint8)
    masks[:, 0] = 0
    masks[2, 1] = 1
    result = consolidate(masks, n_classes=256)
    assert result.class_confidence[255] == pytest.approx((8 + 4 * 2 / 3) / 12)
    assert result.image_confidence == pytest.approx((8 + 4 * 2 / 3) / 12)
    assert result.workers[0].agreement == 1


@pytest.mark.parametrize("n_workers", [191, 255])
def test_equal_weights_of_many_workers_are_plurality(n_workers):
    masks = np.zeros((n_workers, 1, 1), np.uint8)
    masks[: n_workers // 2 + 1] = 1
    weighted = consolidate(masks, method="weighted", weights=[0.3] * n_workers)
    assert weighted.labels.tolist() == [[1]]
    assert not weighted.tied.any()


def test_a_small_weight_breaks_a_tie():
    masks = np.array([[[0]]] * 4 + [[[1]]] * 5, np.uint8)
    weights = [1.0] * 8 + [0.0002]
    assert consolidate(masks, method="weighted", weights=weights).labels.tolist() == [[1]]


@pytest.mark.parametrize("scale", [1e-310, 1e-12, 1e300])
def test_only_ratios_of_weights_matter(scale):
    result = consolidate(THREE, method="weighted", weights=[3 * scale, scale, scale])
    expected = consolidate(THREE, method="weighted", weights=[3, 1, 1])
    np.testing.assert_array_equal(result.labels, expected.labels)
    np.testing.assert_allclose(result.confidence, expected.confidence, rtol=1e-5)


def test_confidence_where_neighbours_overrule_a_weighted_winner():
    masks = halves()
    masks[0, 10, 11] = 2
    result = consolidate(masks, method="weighted", weights=[5, 2, 2], smoothing=1)
    np.testing.assert_array_equal(result.labels, halves()[0])
    # of its window's 25 pixels ten are class 2 for everybody, by distance .3 of the votes
    assert 0.55 < result.confidence[10, 11] < 0.7


def test_high_class_numbers_take_little_memory():
    masks = np.zeros((3, 4, 4), np.uint16)
    masks[:2, 0, 0] = 60000
    result = consolidate(masks, ignore_index=7)
    assert result.class_confidence[60000] == pytest.approx(2 / 3)
    assert result.workers[0].agreement == 1
    assert result.provenance["counts"]["ignored"] == 0
    with pytest.raises(ValueError, match="3 workers x 60001 classes"):
        consolidate(masks, method="dawid-skene")


def test_ignored_pixels_of_a_worker_without_weight_are_counted():
    masks = row([0, 1], [0, 1], [9, 1])
    result = consolidate(masks, method="weighted", weights=[1, 2, 0], ignore_index=9)
    assert result.provenance["counts"]["ignored"] == 1


@pytest.mark.parametrize("ties", ["lowest", "undecided"])
def test_overlap_is_the_same_however_it_is_counted(ties, monkeypatch):
    masks = np.random.default_rng(2).integers(0, 5, (4, 20, 30)).astype(np.uint8)
    counted = []
    for few in (0, 64):
        monkeypatch.setattr("consolidation.consensus.result.FEW_CLASSES", few)
        result = consolidate(masks, ignore_index=4, n_classes=5, ties=ties)
        counted.append((result.overlap.tolist(), result.need_of_review))
    assert counted[0] == counted[1]
