"""Who is no independent witness: outlines against a naive twin, copies found, people not."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from consolidation import Reliability, consolidate
from consolidation.consensus import Trial
from consolidation.consensus.independence import coincidences, image_offsets
from consolidation.consensus.stack import Stack
from consolidation.kernels import outlines
from consolidation.simulation.attacks import changed, grown
from consolidation.simulation.scenes import Scene, draw_scene
from consolidation.simulation.worker_kinds import hire, traced
from tests import naive

PEOPLE = ("ann", "bob", "cid")


def stacks():
    shape = st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 14))
    return shape.flatmap(
        lambda sizes: arrays.arrays(np.uint8, sizes, elements=st.sampled_from([0, 0, 1, 1, 2, 7]))
    )


@settings(deadline=None)
@given(stacks(), st.sampled_from([-1, 7]), st.integers(1, 3))
def test_offsets_equal_their_naive_twin(masks, ignore, step):
    n, _, width = masks.shape
    counts = np.zeros((n, n, 3, outlines.N_BINS), np.int64)
    codes, nearest = np.empty((n, width), np.uint8), np.empty(n, np.int64)
    outlines.offsets(masks, ignore, step, codes, nearest, counts)
    expected = naive.outline_offsets(masks, ignore, step, outlines.REACH, outlines.SPAN)
    np.testing.assert_array_equal(counts, expected)


def test_a_bar_and_the_same_two_pixels_wider():
    bar = np.zeros((3, 20), np.uint8)
    bar[:, 8:12] = 1
    wider = np.zeros((3, 20), np.uint8)
    wider[:, 6:14] = 1
    counts = image_offsets(Stack([bar, wider], None))
    # only the middle row has neighbours above and below: one left and one right edge
    left, right = counts[0, 1, outlines.LEFT], counts[0, 1, outlines.RIGHT]
    assert (left[outlines.REACH - 2], right[outlines.REACH + 2]) == (1, 1)
    assert counts[0, 1].sum() == 2
    both = np.stack([counts[0, 1], counts[1, 0]]) * 1000
    assert coincidences(both) == pytest.approx(1, abs=0.02)


def scenes(n_images, seed=0, classes=2):
    for number in range(n_images):
        rng = np.random.default_rng([seed, number])
        yield draw_scene(rng, classes, (96, 128)), rng


def learn(images, workers):
    reliability = Reliability()
    for masks in images:
        reliability.add(masks, workers)
    return reliability


def careful(scene, rng, count=3):
    return [traced(scene.truth, rng, 1.0, 6.0) for _ in range(count)]


def named(reliability):
    return [group.workers for group in reliability.groups()]


COPIES = {
    "to the pixel": lambda mask, rng: mask,
    "1 % of the pixels changed": lambda mask, rng: changed(mask, 0.01, 3, rng),
    "5 % of the pixels changed": lambda mask, rng: changed(mask, 0.05, 3, rng),
    "grown by 1": lambda mask, rng: grown(mask, 1),
    "grown by 3": lambda mask, rng: grown(mask, 3),
}


@pytest.mark.parametrize("way", COPIES)
def test_a_copy_of_one_of_three_is_found(way):
    images = []
    for scene, rng in scenes(12):
        masks = careful(scene, rng)
        images.append(np.stack([*masks, COPIES[way](masks[1], rng)]))
    reliability = learn(images, [*PEOPLE, "dan"])
    assert named(reliability) == [("bob", "dan")]
    (sentence,) = reliability.estimate().findings()
    assert sentence.startswith("bob and dan are not independent: over 12 images ")


def test_nine_images_do_not_suffice():
    images = [np.stack([*(m := careful(scene, rng)), m[0]]) for scene, rng in scenes(9)]
    assert named(learn(images, [*PEOPLE, "dan"])) == []


@pytest.mark.parametrize("radius", [60, 250])
def test_careful_people_on_large_objects_are_no_copies(radius):
    side = 2 * radius + 40
    rows, columns = np.mgrid[:side, :side] - side / 2
    disc = (np.hypot(rows, columns) < radius).astype(np.uint8)
    rng = np.random.default_rng(radius)
    images = [np.stack([traced(disc, rng, 3.0, 20.0) for _ in PEOPLE]) for _ in range(10)]
    assert named(learn(images, PEOPLE)) == []


@pytest.mark.parametrize("corrected", [0.3, 0.6, 0.9])
def test_who_corrects_the_same_automatic_mask_is_no_copy(corrected):
    images = []
    for scene, rng in scenes(14):
        automatic = traced(scene.truth, rng, 6.0, 20.0)
        masks = []
        for own in careful(scene, rng, 4):
            redone = rng.random(scene.object_classes.size) < corrected
            masks.append(np.where(redone[scene.objects], own, automatic))
        images.append(np.stack(masks))
    assert named(learn(images, [*PEOPLE, "dan"])) == []


def test_who_accepts_the_automatic_mask_is_one_voter():
    images = []
    for scene, rng in scenes(12):
        automatic = traced(scene.truth, rng, 6.0, 20.0)
        images.append(np.stack([*careful(scene, rng), automatic, automatic]))
    reliability = learn(images, [*PEOPLE, "x", "y"])
    assert named(reliability) == [("x", "y")]
    result = consolidate(
        images[0], method="weighted", workers=[*PEOPLE, "x", "y"], reliability=reliability
    )
    # heads are counted, not answers
    assert result.votes.max() == 4
    assert set(np.unique(np.round(result.confidence * 4, 3))) <= {1, 2, 3, 4}


def bot(shape, rng):
    nothing = Scene(np.zeros(shape, np.uint8), np.zeros(1, np.uint8), np.zeros((*shape, 3)))
    return hire("bot", "blobs", 2, rng).annotate(nothing, rng)


def test_two_accounts_of_a_bot_are_junk_and_lose_their_vote():
    workers = [*PEOPLE, "bot1", "bot2"]
    images = []
    for scene, rng in scenes(12):
        junk = bot(scene.truth.shape, rng)
        images.append(np.stack([*careful(scene, rng), junk, junk]))
    estimate = learn(images, workers).estimate()
    assert estimate.junk == {"bot1", "bot2"}
    assert estimate.voting(workers).tolist() == [True, True, True, False, False]
    assert estimate.note("bot1").count("bot1") >= 2
    assert not estimate.note("ann")


def test_half_of_the_workers_are_never_junk():
    workers = ["ann", "bob", "x", "y"]
    images = []
    for scene, rng in scenes(12):
        junk = [bot(scene.truth.shape, rng) for _ in range(2)]
        images.append(np.stack([*careful(scene, rng, 2), *junk]))
    reliability = learn(images, workers)
    estimate = reliability.estimate()
    assert not estimate.junk
    assert estimate.contested == {"x", "y"}
    trial = Trial(reliability)
    for masks in images:
        trial.ask(masks, workers, 3)
    choice = trial.choice()
    assert not choice.weighted
    assert "are half of the workers" in choice.reason


def test_a_camp_of_two_is_named_and_keeps_its_votes():
    workers = [*PEOPLE, "dan", "eve", "fay", "gus"]
    images = []
    for scene, rng in scenes(12):
        other, _ = next(scenes(1, seed=int(rng.integers(1000))))
        masks = careful(scene, rng, 5) + careful(other, rng, 2)
        images.append(np.stack(masks))
    estimate = learn(images, workers).estimate()
    assert not estimate.junk
    assert set(estimate.spared) == {"fay", "gus"}
    assert estimate.voting(workers).all()
    assert "fay agrees with gus and hardly with the rest" in estimate.findings()[0]


def test_blank_answers_are_junk_only_where_others_painted():
    workers = [*PEOPLE, "dan"]
    for painted, junk in ((6, {"dan"}), (3, set())):
        images = []
        for number, (scene, rng) in enumerate(scenes(12)):
            masks = careful(scene, rng) if number < painted else [np.zeros_like(scene.truth)] * 3
            images.append(np.stack([*masks, np.zeros_like(scene.truth)]))
        estimate = learn(images, workers).estimate()
        assert estimate.junk == junk
        assert set(estimate.spared) == {"dan"} - junk


def test_who_sees_less_but_paints_well_is_no_junk():
    workers = [*PEOPLE, "dan"]
    images = []
    for number, (scene, rng) in enumerate(scenes(16)):
        masks = careful(scene, rng, 4)
        if number % 8:
            masks[3] = np.zeros_like(masks[3])
        images.append(np.stack(masks))
    estimate = learn(images, workers).estimate()
    assert not estimate.junk
    assert "leaves many images blank" in estimate.spared["dan"]


def test_smoothing_that_takes_sides_is_left_out():
    workers = [*PEOPLE, "x", "y"]
    images, honest = [], []
    for scene, rng in scenes(12, classes=1):
        masks = careful(scene, rng, 5)
        honest.append(np.stack(masks))
        images.append(np.stack([*masks[:3], grown(masks[3], 4), grown(masks[4], 4)]))
    for stack, smooths in ((images, False), (honest, True)):
        trial = Trial(learn(stack, workers))
        for masks in stack:
            trial.ask(masks, workers, 2)
        choice = trial.choice()
        assert choice.smooths == smooths
        assert ("without smoothing" in choice.reason) != smooths
        options: dict[str, Any] = {"workers": workers, "method": "auto", "reliability": choice}
        used = consolidate(stack[0], **options).provenance["parameters"]["smoothing"]
        assert used == (1.0 if smooths else 0.0)


def test_it_adds_up_in_any_order_and_survives_a_file(tmp_path):
    images = [np.stack([*(m := careful(scene, rng)), m[0]]) for scene, rng in scenes(12)]
    workers = [*PEOPLE, "dan"]
    whole = learn(images, workers)
    order = [3, 0, 1, 2]
    parts = learn([masks[order] for masks in images[7:]], [workers[place] for place in order])
    parts += learn(images[:7], workers)
    assert parts == whole
    whole.save(tmp_path / "r.json")
    again = Reliability.load(tmp_path / "r.json")
    assert again == whole
    assert again.groups() == whole.groups() != ()
    assert json.dumps(again.estimate().named()) == json.dumps(whole.estimate().named())
