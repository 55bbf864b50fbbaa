"""Masks as people have them in memory: any integers, lists, masked arrays, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from consolidation import Reliability, consolidate
from tests.strategies import stacks

# pixel 0: background to both; 1: class 1 to both; 2: a tie of 1 and 2, the lowest gets it
ROWS = [[[0, 1, 1]], [[0, 1, 2]]]
INTEGERS = [np.int8, np.int16, np.int32, np.int64, np.uint32, np.uint64, ">u2", "<u2", "u1"]


@pytest.mark.parametrize("dtype", INTEGERS)
def test_any_integers_are_class_indices(dtype):
    result = consolidate(np.array(ROWS, dtype))
    assert result.labels.tolist() == [[0, 1, 1]]
    assert result.labels.dtype == (np.uint16 if np.dtype(dtype) == np.uint16 else np.uint8)
    assert result.confidence.tolist() == [[1, 1, 0.5]]


def test_nested_lists_and_lists_of_different_dtypes():
    assert consolidate(ROWS).labels.tolist() == [[0, 1, 1]]
    mixed: list[Any] = [
        np.array(ROWS[0], np.uint8),
        np.array(ROWS[1], np.uint16),
        ROWS[1],
        np.array(ROWS[1]),
    ]
    result = consolidate(mixed)
    assert result.labels.tolist() == [[0, 1, 2]]
    assert result.labels.dtype == np.uint8


def test_truth_values_are_classes_0_and_1_and_are_not_copied():
    masks = np.array([[[True, False]], [[True, True]], [[True, False]]])
    result = consolidate(masks)
    assert result.labels.tolist() == [[1, 0]]
    assert result.labels.dtype == np.uint8
    assert np.shares_memory(result.masks[0], masks)
    assert consolidate(list(masks)).labels.tolist() == [[1, 0]]


@pytest.mark.parametrize(
    ("highest", "dtype", "undecided"),
    [(254, np.uint8, 255), (255, np.uint16, 65535), (256, np.uint16, 65535)],
)
def test_above_254_classes_labels_have_two_bytes(highest, dtype, undecided):
    masks = np.array([[[highest, 0]], [[highest, 1]]], np.int64)
    result = consolidate(masks, ties="undecided")
    assert result.labels.dtype == dtype
    assert result.labels.tolist() == [[highest, undecided]]


def test_labels_have_room_for_the_classes_and_the_undecided_index_asked_for():
    masks = np.array([[[0]], [[1]]], np.int64)
    assert consolidate(masks, n_classes=255).labels.dtype == np.uint8
    assert consolidate(masks, n_classes=256).labels.dtype == np.uint16
    undecided = consolidate(masks, ties="undecided", undecided_index=999)
    assert undecided.labels.tolist() == [[999]]
    assert consolidate(masks, ties="undecided", undecided_index=255).labels.dtype == np.uint8


@pytest.mark.parametrize("ignore", [-1, -100, 7, 255, 300, 70000])
def test_ignored_values_of_wide_integers(ignore):
    masks = np.array([[[ignore, ignore, 2]], [[ignore, 1, 2]]], np.int64)
    before = masks.copy()
    result = consolidate(masks, ignore_index=ignore)
    assert result.labels.tolist() == [[255, 1, 2]]
    assert result.voters.tolist() == [[0, 1, 2]]
    assert result.ignore_index == ignore
    assert [one.ignored for one in result.workers] == [2, 1]
    assert result.n_classes == 3
    assert all(
        (mask == result.no_vote).tolist() == (row == ignore).tolist()
        for mask, row in zip(result.masks, masks, strict=True)
    )
    np.testing.assert_array_equal(masks, before)


def test_the_ignore_index_is_kept_where_no_pixel_has_it():
    masks = np.zeros((2, 2, 2), np.uint8)
    result = consolidate(masks, ignore_index=255)
    assert result.ignore_index == 255
    assert result.no_vote is None
    assert consolidate(masks).ignore_index is None
    assert consolidate(masks.astype(int), ignore_index=-1).ignore_index == -1


def test_what_a_masked_array_hides_is_no_vote():
    values = np.array([[[0, 1, 9]], [[1, 1, 9]], [[1, 1, 2]]], np.uint8)
    hidden = values == 9
    hidden[0, 0, 0] = True
    for masks in (
        np.ma.array(values, mask=hidden),
        [np.ma.array(values[0], mask=hidden[0]), np.ma.array(values[1], mask=hidden[1]), values[2]],
        np.ma.array(values.astype(np.int32), mask=hidden),
    ):
        result = consolidate(masks)
        assert result.labels.tolist() == [[1, 1, 2]]
        assert result.votes.tolist() == [[2, 3, 1]]
        assert result.voters.tolist() == [[2, 3, 1]]
        assert result.ignore_index is None
    both = consolidate(np.ma.array(values, mask=values == 9), ignore_index=1)
    assert both.labels.tolist() == [[0, 255, 2]]


def test_a_masked_array_that_hides_nothing_is_the_array():
    values = np.array(ROWS, np.uint8)
    assert np.shares_memory(consolidate(np.ma.array(values)).masks[0], values)


def test_a_masked_array_of_all_256_values_finds_a_label_for_what_it_hides():
    masks = np.ma.array(np.arange(256, dtype=np.uint8).reshape(1, 16, 16), mask=False)
    masks[0, 0, 0] = np.ma.masked
    result = consolidate(masks)
    assert result.labels.dtype == np.uint16
    assert result.labels[0, :2].tolist() == [65535, 1]
    assert result.labels[15, 15] == 255


@settings(max_examples=30, deadline=None)
@given(masks=stacks(max_workers=4, max_side=8, dtypes=(np.uint8,)))
def test_in_any_form_it_is_the_same_image(masks):
    plain = consolidate(masks, ignore_index=1, smoothing=1)
    signed = np.where(masks == 1, -1, masks.astype(np.int32))
    hidden = np.ma.array(masks, mask=masks == 1)
    for other in (
        consolidate(masks.tolist(), ignore_index=1, smoothing=1),
        consolidate(signed, ignore_index=-1, smoothing=1),
        consolidate(hidden, smoothing=1),
    ):
        decided = ~plain.undecided
        np.testing.assert_array_equal(other.undecided, plain.undecided)
        np.testing.assert_array_equal(other.labels[decided], plain.labels[decided])
        np.testing.assert_array_equal(other.confidence, plain.confidence)
        # sums of shares, or of counts where no pixel turned out to be ignored
        assert other.image_confidence == pytest.approx(plain.image_confidence)
        assert other.need_of_review == plain.need_of_review


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        (np.array([[[0, -1]], [[0, -1]]]), r"mask 0 has -1 in 1 pixels.*ignore_index=-1$"),
        (np.array([[[0, 1]], [[-5, -1]]]), r"mask 1 has -5 in 1 pixels.*ignore_index=-5$"),
        (np.array([[[70000]]]), r"mask 0 has class 70000.*0 to 65535.*np\.unique"),
        (np.array([[[2**63]]], np.uint64), "mask 0 has class 9223372036854775808"),
        (np.zeros((2, 2, 2)), r"mask 0 is float64.*whole numbers: masks\.astype\(np\.uint8\)"),
        ([[[0.0, 1.5]]], "mask 0 is float64"),
        ([np.zeros((1, 1), np.uint8), np.full((1, 1), np.nan)], "mask 1 is float64"),
        ([[["cat"]]], "mask 0 is <U3"),
        ([[[0, 1], [0]]], "mask 0 is no grid of numbers"),
        ([[[2**70]]], "mask 0 is object"),
        (np.zeros((1, 1, 1), complex), "mask 0 is complex128"),
    ],
)
def test_what_is_no_class_index_is_refused_with_the_cure(masks, message):
    with pytest.raises(ValueError, match=message):
        consolidate(masks)


def test_minus_one_is_refused_where_another_value_is_ignored():
    with pytest.raises(ValueError, match="mask 0 has -1 in 2 pixels"):
        consolidate(np.array([[[-1, -1, 255]]]), ignore_index=255)


def test_minus_one_cannot_be_ignored_in_bytes_which_cannot_say_it():
    with pytest.raises(ValueError, match="ignore_index must be 0 to 255 for uint8 masks, not -1"):
        consolidate(np.full((1, 1, 1), 255, np.uint8), ignore_index=-1)


def test_every_label_taken_leaves_none_for_pixels_that_say_nothing():
    masks = np.array([[[65535, -1]]])
    with pytest.raises(ValueError, match="class 65535 leaves no label"):
        consolidate(masks, ignore_index=-1)


def test_reliability_takes_the_same_masks():
    masks = np.array([[[0, 1, 2, -1]], [[0, 1, 1, 2]], [[0, 1, 2, 2]]])
    wide, narrow = Reliability(), Reliability()
    wide.add(masks, ["a", "b", "c"], ignore_index=-1)
    narrow.add(np.where(masks == -1, 255, masks).astype(np.uint8), ["a", "b", "c"], 255)
    assert wide.to_json() == narrow.to_json()


def test_sixty_thousand_classes_take_no_eighty_gigabytes():
    masks = np.zeros((2, 4, 4), np.uint16)
    masks[:, 0, 0] = 60_000
    masks[0, 3, 3] = 59_999
    result = consolidate(masks)
    # 2 workers x 60,001 x 60,001 x 8 bytes
    with pytest.raises(
        ValueError, match=r"2 workers and 60,001 classes would take 58 GB: `overlap`"
    ):
        _ = result.confusion
    assert result.overlap[:, :, 60_000].tolist() == [[1, 1, 1]] * 2
    # 0: 14 of 15 in common, 59,999: the consensus gave the tie to 0; 60,000: the same
    assert result.workers[0].agreement == pytest.approx((14 / 15 + 0 + 1) / 3)
    assert result.class_pixels[[0, 60_000]].tolist() == [15, 1]
    assert result.need_of_review == pytest.approx(1 - ((14 / 15 + 0 + 1) / 3 + 1) / 2)
    assert result.regions(min_area=1)[0].area == 1
    assert result.provenance["counts"]["disputed"] == 1


def test_confusion_of_few_classes_is_as_before():
    result = consolidate(np.array(ROWS, np.uint8))
    assert result.confusion.tolist() == [
        [[1, 0, 0], [0, 2, 0], [0, 0, 0]],
        [[1, 0, 0], [0, 1, 0], [0, 1, 0]],
    ]
