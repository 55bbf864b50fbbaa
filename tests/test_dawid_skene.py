"""Dawid-Skene: what it must and must not depend on, and what it reports."""

from __future__ import annotations

import numpy as np
import pytest

from consolidation import Reliability, WorkerConfusion, consolidate


def discs(side):
    """Five discs of one place and different radii in a square frame."""
    rows, columns = np.mgrid[:side, :side] - side // 2
    distance = np.hypot(rows, columns)
    return np.stack([(distance < radius).astype(np.uint8) for radius in (18, 20, 21, 22, 25)])


def test_does_not_depend_on_the_background_around_the_object():
    small = consolidate(discs(80), method="dawid-skene").labels
    large = consolidate(discs(160), method="dawid-skene").labels
    assert 0 < small.sum() == large.sum()
    np.testing.assert_array_equal(small, large[40:120, 40:120])


def test_a_worker_who_swaps_two_classes_is_understood_and_reported():
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 3, (60, 60)).astype(np.uint8)
    masks = np.repeat(truth[None], 5, axis=0)
    swap = np.array([0, 2, 1], np.uint8)
    masks[4] = swap[masks[4]]
    for worker in range(4):
        wrong = rng.random(truth.shape) < 0.25
        masks[worker][wrong] = rng.integers(0, 3, truth.shape)[wrong]
    plain = consolidate(masks)
    fitted = consolidate(masks, method="dawid-skene", steps=3)
    assert (fitted.labels == truth).mean() > (plain.labels == truth).mean() + 0.01
    report = fitted.provenance["dawid_skene"]
    assert report["inverted_workers"] == [4]
    [warning] = fitted.warnings
    assert warning == "worker 4: gives some class another label oftener than its own"
    assert fitted.provenance["warnings"] == [warning]
    assert plain.warnings == ()
    assert report["steps"] == 3
    assert report["log_likelihood_a_pixel"] < 0


def test_steps_converge():
    rng = np.random.default_rng(4)
    truth = (rng.random((50, 50)) < 0.5).astype(np.uint8)
    masks = np.stack([truth ^ (rng.random(truth.shape) < 0.2) for _ in range(5)]).astype(np.uint8)
    few, many = (consolidate(masks, method="dawid-skene", steps=n).provenance for n in (1, 100))
    assert not few["dawid_skene"]["converged"]
    assert many["dawid_skene"]["converged"]
    better = many["dawid_skene"]["log_likelihood_a_pixel"]
    assert better > few["dawid_skene"]["log_likelihood_a_pixel"]


def test_without_disputed_pixels_nothing_happens():
    masks = np.repeat(np.arange(6, dtype=np.uint8).reshape(1, 2, 3), 3, axis=0)
    result = consolidate(masks, method="dawid-skene")
    np.testing.assert_array_equal(result.labels, masks[0])
    assert result.provenance["dawid_skene"]["log_likelihood_a_pixel"] is None


def test_pooled_matrices_add_up_in_any_order_and_are_used():
    rng = np.random.default_rng(5)
    ids = ["a", "b", "c", "d"]
    images = []
    for _ in range(6):
        truth = (rng.random((30, 30)) < 0.5).astype(np.uint8)
        rates = (0.05, 0.3, 0.3, 0.3)
        masks = np.stack([truth ^ (rng.random(truth.shape) < rate) for rate in rates])
        images.append((truth, masks.astype(np.uint8)))
    forward, backward = WorkerConfusion(), WorkerConfusion()
    for _, masks in images:
        forward.add(masks, ids)
    for _, masks in reversed(images):
        part = WorkerConfusion()
        part.add(masks[::-1].copy(), ids[::-1])
        backward += part
    np.testing.assert_array_equal(forward.confusion(ids, 2), backward.confusion(ids, 2))
    matrices = forward.confusion(["a", "b", "stranger"], 2)
    # the first worker is the good one; a stranger is like the average
    right = matrices[:, 1, 1]
    assert right[0] > right[2] > right[1]
    truth, masks = images[0]
    pooled = consolidate(masks, method="dawid-skene", workers=ids, reliability=forward)
    assert (pooled.labels == truth).mean() > (consolidate(masks).labels == truth).mean()
    assert pooled.provenance["parameters"]["pooled"] is True


def test_what_does_not_go_together():
    masks = discs(40)
    ids = list("abcde")
    with pytest.raises(ValueError, match="smoothing does not go with dawid-skene"):
        consolidate(masks, method="dawid-skene", smoothing=1)
    with pytest.raises(ValueError, match="Reliability does not go with method 'dawid-skene'"):
        consolidate(masks, method="dawid-skene", workers=ids, reliability=Reliability())
    with pytest.raises(ValueError, match="WorkerConfusion does not go with method 'auto'"):
        consolidate(masks, method="auto", workers=ids, reliability=WorkerConfusion())
    with pytest.raises(ValueError, match="worker ids must differ"):
        WorkerConfusion().add(masks, ["a"] * 5)
    with pytest.raises(ValueError, match="steps must be"):
        consolidate(masks, method="dawid-skene", steps=0)


def test_ties_are_those_of_the_probabilities():
    masks = np.array([[[0, 1, 1, 1, 0, 0, 1, 1]], [[1, 1, 1, 1, 0, 0, 1, 0]]], np.uint8)
    undecided = consolidate(masks, method="dawid-skene", ties="undecided")
    tied = consolidate(masks, method="dawid-skene").tied
    np.testing.assert_array_equal(undecided.labels == 255, tied)


def test_a_worker_who_paints_noise_does_not_invert_the_others():
    rows, columns = np.mgrid[:128, :128]
    places = ((30, 65, 64), (31, 64, 63), (29, 63, 65))
    masks = [np.hypot(rows - y, columns - x) < radius for radius, y, x in places]
    masks.append(np.random.default_rng(0).random((128, 128)) < 0.5)
    result = consolidate(np.array(masks, np.uint8), method="dawid-skene")
    assert set(result.provenance["dawid_skene"]["inverted_workers"]) <= {3}
    truth = np.hypot(rows - 64, columns - 64) < 30
    assert (truth & (result.labels == 1)).sum() / (truth | (result.labels == 1)).sum() > 0.96
