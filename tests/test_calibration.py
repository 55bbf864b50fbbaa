"""Calibration: monotone, safe, and followed by everything that confidence is."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consolidation import Calibration, consolidate
from tests import naive
from tests.strategies import stacks
from tests.test_properties import WAYS, every_way, run

HALVED = Calibration(((0.0, 0.0), (0.5, 0.2), (1.0, 0.9)), 3)


@st.composite
def gold(draw):
    """Images of some confidences, right by chances of their own."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    levels = rng.random(draw(st.integers(1, 6)))
    levels = np.append(levels, 1.0) if draw(st.booleans()) else levels
    images = []
    for _ in range(draw(st.integers(0, 8))):
        confidence = rng.choice(levels, rng.integers(1, 300)).astype(np.float32)
        images.append((confidence, rng.random(confidence.size) < rng.random()))
    return images


@settings(max_examples=150, deadline=None)
@given(gold())
def test_monotone_within_bounds_and_saved_as_it_is(images):
    calibration = Calibration.fit(images)
    values = np.linspace(0, 1, 501)
    mapped = calibration(values)
    assert mapped.dtype == np.float32
    assert (np.diff(mapped) >= 0).all()
    assert mapped[0] == 0
    assert mapped[-1] <= 1
    assert Calibration.from_json(calibration.to_json(), "file") == calibration
    assert calibration.images == len(images)


@settings(max_examples=50, deadline=None)
@given(gold())
def test_nothing_moves_without_several_images(images):
    values = np.linspace(0, 1, 101)
    one = Calibration.fit(images[:1])(values)
    # between the means of bins that are themselves unmoved, but for their rounding
    np.testing.assert_allclose(one, values, atol=2e-6)


def wrong_by(gap, n_images, noise, seed=0, pixels=1000):
    rng = np.random.default_rng(seed)
    for _ in range(n_images):
        confidence = np.repeat([0.6, 0.8], pixels)
        chance = confidence + gap + rng.normal(0, noise)
        yield confidence, rng.random(confidence.size) < chance


def test_a_gap_that_images_share_is_closed_as_they_become_many():
    moved = [
        float(Calibration.fit(wrong_by(-0.2, n, 0.02))(np.array([0.8]))[0]) for n in (4, 12, 60)
    ]
    assert 0.8 > moved[0] > moved[1] > moved[2] > 0.59
    assert moved[2] == pytest.approx(0.6, abs=0.03)


def test_a_gap_within_the_noise_of_images_is_not_believed():
    trials = [Calibration.fit(wrong_by(0, 5, 0.1, seed)) for seed in range(40)]
    moved = [abs(float(one(np.array([0.6]))[0]) - 0.6) for one in trials]
    # 5 % may exceed the interval, and hardly
    assert sum(one > 1e-5 for one in moved) <= 5
    assert max(moved) < 0.08


def test_one_large_image_is_hardly_more_than_one():
    images = list(wrong_by(-0.3, 1, 0, pixels=100_000)) + list(wrong_by(-0.3, 2, 0, pixels=20))
    assert Calibration.fit(images)(np.array([0.8]))[0] == pytest.approx(0.8, abs=0.02)


@every_way
@settings(max_examples=20, deadline=None)
@given(masks=stacks(), ignore=st.sampled_from([None, None, 0, 1]))
def test_every_confidence_follows_the_map(way, masks, ignore):
    raw, mapped = run(way, masks, ignore), run(way, masks, ignore, calibration=HALVED)
    np.testing.assert_array_equal(mapped.labels, raw.labels)
    expected = HALVED(raw.confidence)
    np.testing.assert_allclose(mapped.confidence, expected, atol=1e-6)
    off = mapped.confidence_bytes().astype(float) - 255 * expected
    assert np.abs(off).max() <= 0.5 + 1e-3
    for label, confidence in enumerate(mapped.class_confidence):
        pixels = (raw.labels == label) & ~raw.undecided
        mean = expected[pixels].mean() if pixels.any() else math.nan
        assert confidence == pytest.approx(mean, abs=1e-5, nan_ok=True)
    mean = naive.image_confidence(masks, expected, ignore)
    assert mapped.image_confidence == pytest.approx(mean, abs=1e-5)
    assert mapped.need_of_review == raw.need_of_review
    again = run(way, masks, ignore, calibration=Calibration())
    np.testing.assert_array_equal(again.confidence, raw.confidence)


def test_provenance_names_the_map():
    masks = np.zeros((2, 2, 2), np.uint8)
    assert "calibration" not in consolidate(masks).provenance["parameters"]
    told = consolidate(masks, calibration=HALVED).provenance
    assert json.loads(json.dumps(told))["parameters"]["calibration"]["images"] == 3


def test_save_and_load(tmp_path):
    HALVED.save(tmp_path / "c.json")
    assert Calibration.load(tmp_path / "c.json") == HALVED


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "{",
        '{"format": "other"}',
        '{"format": "consolidation/calibration-1"}',
        *(
            json.dumps({"format": "consolidation/calibration-1", "images": 1, "knots": knots})
            for knots in (
                [],
                [[0, 0]],
                [[0, 0], [0.5, 0.5]],
                [[0, 0.1], [1, 1]],
                [[0, 0], [0.5, 0.6], [0.6, 0.5], [1, 1]],
                [[0, 0], [0.5, 0.6], [0.5, 0.7], [1, 1]],
                [[0, 0], [1, 1.1]],
                [[0, 0], [math.nan, 0.5], [1, 1]],
                [[0, 0, 0], [1, 1, 1]],
            )
        ),
    ],
)
def test_a_wrong_file_is_one_clear_line(tmp_path, content):
    path = tmp_path / "c.json"
    path.write_text(content)
    with pytest.raises(ValueError, match="holds no calibration"):
        Calibration.load(path)


# -- need of review


@every_way
@settings(max_examples=15, deadline=None)
@given(masks=stacks(), ignore=st.sampled_from([None, 0, 1]), seed=st.integers(0, 100))
def test_need_of_review_is_a_share_and_knows_no_order(way, masks, ignore, seed):
    weights = None
    if WAYS[way].get("method") == "weighted":
        weights = np.ones(len(masks))
    order = np.random.default_rng(seed).permutation(len(masks))
    need = run(way, masks, ignore, weights).need_of_review
    assert 0 <= need <= 1
    assert run(way, masks[order], ignore, weights).need_of_review == pytest.approx(need)


def test_need_of_review_by_hand():
    masks = np.array([[[0, 0, 1, 1]], [[0, 0, 1, 1]], [[0, 1, 1, 1]]], np.uint8)
    # the third: background 1/2, class 1 2/3
    assert consolidate(masks).need_of_review == pytest.approx(1 - (1 + 1 + 7 / 12) / 3)
    assert consolidate(masks[:2]).need_of_review == 0
    assert consolidate(masks[:1]).need_of_review == 1
    apart = np.array([[[0, 0, 0, 1]], [[0, 0, 1, 0]]], np.uint8)
    # both agree on half of the background, and on nothing else
    tied = consolidate(apart, ties="undecided").need_of_review
    assert tied == pytest.approx(1 - (2 / 3 + 0) / 2)


def test_who_has_no_vote_has_no_say_in_it():
    masks = np.array([[[0, 1]], [[0, 1]], [[1, 0]]], np.uint8)
    result = consolidate(masks, method="weighted", weights=[1, 1, 0])
    assert result.need_of_review == 0
