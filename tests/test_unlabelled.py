"""Pixels that nobody labelled lower confidence and raise need of review; void does not."""

from __future__ import annotations

import numpy as np
import pytest

from consolidation import consolidate

# four pixels: one painted by both, three that nobody labelled
MOSTLY_UNLABELLED = np.array([[[1, 255, 255, 255]]] * 2, np.uint8)


def test_three_quarters_unlabelled():
    result = consolidate(MOSTLY_UNLABELLED, ignore_index=255)
    assert result.image_confidence == 0.25
    # the one pixel is agreed on, the other three count as pixels without any agreement
    assert result.need_of_review == 0.75
    assert (result.n_unlabelled, result.n_void) == (3, 0)
    counts = result.provenance["counts"]
    assert (counts["unlabelled"], counts["void"], counts["undecided"]) == (3, 0, 3)


@pytest.mark.parametrize("void", [True, np.array([[False, True, True, True]])])
def test_void_on_purpose_lowers_nothing(void):
    result = consolidate(MOSTLY_UNLABELLED, ignore_index=255, void=void)
    assert result.image_confidence == 1.0
    assert result.need_of_review == 0.0
    assert (result.n_unlabelled, result.n_void) == (0, 3)


def test_some_void_and_some_unlabelled():
    # what is void where somebody voted all the same is no void
    void = np.array([[True, True, False, False]])
    result = consolidate(MOSTLY_UNLABELLED, ignore_index=255, void=void)
    assert (result.n_unlabelled, result.n_void) == (2, 1)
    assert result.image_confidence == pytest.approx(1 / 3)
    assert result.need_of_review == pytest.approx(2 / 3)


def test_background_beside_unlabelled_pixels():
    masks = np.array([[[0, 0, 9, 9]], [[0, 9, 9, 9]]], np.uint8)
    result = consolidate(masks, ignore_index=9)
    # no pixel is painted, two are nobody's: nothing is known of what counts
    assert result.image_confidence == 0.0
    assert consolidate(masks, ignore_index=9, void=True).image_confidence == 1.0
    # both agree where they labelled; two of four pixels nobody did
    assert result.need_of_review == 0.5


def test_everything_void_is_not_confident():
    result = consolidate(np.full((2, 1, 3), 255, np.uint8), ignore_index=255, void=True)
    assert result.image_confidence == 0.0
    assert result.need_of_review == 1.0
    assert (result.n_unlabelled, result.n_void) == (0, 3)


def test_with_min_votes_pixels_of_too_few_votes_are_labelled():
    masks = np.array([[[1, 1, 9, 9]], [[1, 9, 9, 9]]], np.uint8)
    result = consolidate(masks, ignore_index=9, min_votes=2)
    assert result.labels.tolist() == [[1, 255, 255, 255]]
    assert result.n_unlabelled == 2
    # one sure, one painted but undecided, two nobody's
    assert result.image_confidence == 0.25


def test_with_weights_only_who_votes_counts():
    masks = np.array([[[1, 9]], [[1, 9]], [[1, 1]]], np.uint8)
    options = {"method": "weighted", "weights": [2, 1, 0], "ignore_index": 9}
    result = consolidate(masks, **options)
    assert result.n_unlabelled == 1
    assert result.image_confidence == 0.5


def test_what_a_masked_array_hides_is_unlabelled():
    masks = np.ma.array(np.ones((2, 1, 4), np.uint8), mask=[[[0, 1, 1, 1]]] * 2)
    assert consolidate(masks).image_confidence == 0.25


def test_need_without_unlabelled_pixels_is_the_same_to_the_bit():
    masks = np.random.default_rng(5).integers(0, 3, (3, 20, 20)).astype(np.uint8)
    plain, void = consolidate(masks), consolidate(masks, ignore_index=255, void=True)
    assert plain.need_of_review == void.need_of_review
    assert plain.image_confidence == void.image_confidence


@pytest.mark.parametrize("void", [np.zeros((2, 2), bool), np.zeros((1, 4), np.uint8), "yes", 1])
def test_void_of_another_shape_or_kind(void):
    with pytest.raises(ValueError, match=r"void must be True, False or bool of shape \(1, 4\)"):
        consolidate(MOSTLY_UNLABELLED, void=void)
