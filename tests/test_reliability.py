"""Reliability over a job: who is good, who is junk, and that the statistics add up."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from consolidation import Reliability, consolidate
from consolidation.consensus import Agreement, Choice, Trial, VotePatterns, sampled

CAREFUL = ["ann", "bob", "cid"]


def job(n_images, junk=(), seed=0, side=48, flips=(0.02, 0.04, 0.08)):
    """Images of a disc: careful workers with some flipped pixels, and junk."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:side, :side]
    for _ in range(n_images):
        row, column = rng.integers(12, side - 12, 2)
        truth = np.hypot(rows - row, columns - column) < rng.integers(6, 12)
        masks = [truth ^ (rng.random(truth.shape) < flip) for flip in flips]
        for kind in junk:
            if kind == "blank":
                masks.append(np.zeros_like(truth))
            elif kind == "noise":
                masks.append(rng.random(truth.shape) < 0.5)
            else:
                masks.append(np.hypot(rows - rng.integers(side), columns - rng.integers(side)) < 9)
        yield truth.astype(np.uint8), np.stack(masks).astype(np.uint8)


def learn(images, workers):
    reliability = Reliability()
    for _, masks in images:
        reliability.add(masks, workers)
    return reliability


def test_better_workers_weigh_more():
    estimate = learn(job(6), CAREFUL).estimate()
    assert estimate.converged
    assert not estimate.junk
    ann, bob, cid = estimate.weights(CAREFUL)
    assert 1 == ann > bob > cid > 0


@pytest.mark.parametrize("junk", [("blank",), ("noise",), ("blob",), ("blank", "blank")])
def test_junk_is_named_and_gets_no_vote(junk):
    workers = CAREFUL + [f"{kind}{place}" for place, kind in enumerate(junk)]
    reliability = learn(job(8, junk), workers)
    estimate = reliability.estimate()
    assert estimate.junk == set(workers[3:])
    assert sorted(workers, key=estimate.quality.get)[: len(junk)] == sorted(
        workers[3:], key=estimate.quality.get
    )
    for truth, masks in job(2, junk, seed=9):
        options = {"method": "weighted", "workers": workers, "reliability": reliability}
        alone = consolidate(masks[:3], method="weighted", weights=reliability.weights(CAREFUL))
        np.testing.assert_array_equal(consolidate(masks, **options).labels, alone.labels)
        assert truth.any()


def test_a_worker_seen_once_is_not_junk_and_a_stranger_is_average():
    reliability = learn(job(6), CAREFUL)
    [(_, masks)] = job(1, ["noise"], seed=5)
    reliability.add(masks, [*CAREFUL, "new"])
    estimate = reliability.estimate()
    assert not estimate.junk
    assert estimate.weights(["ann", "stranger"])[1] < 1
    weights = estimate.weights(["stranger", "other"])
    assert weights.tolist() == [1, 1]


def test_adds_up_over_batches_machines_and_files(tmp_path):
    images = list(job(7, ["blank"]))
    workers = [*CAREFUL, "blank"]
    whole = learn(images, workers)
    parts = learn(images[4:], workers)
    parts += learn(images[:4], workers)
    whole.save(tmp_path / "whole.json")
    parts.save(tmp_path / "parts.json")
    assert (tmp_path / "whole.json").read_bytes() == (tmp_path / "parts.json").read_bytes()
    loaded = Reliability.load(tmp_path / "whole.json")
    assert loaded == whole
    assert loaded.estimate() == whole.estimate()
    reordered = Reliability()
    for _, masks in images:
        reordered.add(masks[::-1].copy(), workers[::-1])
    assert reordered == whole


def test_ignored_pixels_are_left_out():
    masks = np.array([[[1, 1, 0, 9]], [[1, 0, 9, 0]]], np.uint8)
    reliability = Reliability()
    reliability.add(masks, ["a", "b"], ignore_index=9)
    [pair] = reliability.as_dict()["pairs"]
    # common pixels 0 and 1: both gave 1 once; a gave 1 twice; b gave 0 once and 1 once
    assert pair["sums"] == [[0, 1], [0, 2], [1, 1]]


def test_twins_are_reported_but_not_two_blank_workers():
    reliability = Reliability()
    for _, masks in job(3, ["blank", "blank"]):
        reliability.add(np.concatenate([masks, masks[:1]]), [*CAREFUL, "x", "y", "zoe"])
    assert reliability.twins() == [("ann", "zoe")]


def test_without_a_worker():
    images = list(job(5, ["noise"]))
    whole = learn(images, [*CAREFUL, "noise"])
    rest = learn([(t, m[:3]) for t, m in images], CAREFUL)
    assert whole.without("noise").estimate().quality == rest.estimate().quality


def damaged(**changes):
    worker = [1, 1, 65536, 65536**2, 1, 65536, 65536**2, 0]
    whole = {"format": "consolidation/reliability-3", "workers": {"a": worker, "b": worker}}
    ways = [[[0] * 11 + [1], [], []], [[1] + [0] * 11, [], []]]
    pair = {"workers": ["a", "b"], "images": 1, "sums": [[1], [2], [2]]}
    pair |= {"drawn": 1, "offsets": ways} | changes.pop("pair", {})
    rest = {"agreement": {"values": [2, 2], "conflicts": {"2": 2}}}
    return json.dumps(whole | {"pairs": [pair]} | rest | changes)


def numbers(*changed):
    """Sums of two workers, those of the first changed."""
    return {"a": list(changed), "b": [1, 0, 0, 0, 0, 0, 0, 0]}


def test_a_whole_file_is_read():
    assert Reliability.from_json(damaged(), "file").images == {"a": 1, "b": 1}


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "{",
        '{"format": "other"}',
        '{"format": 1}',
        damaged(workers={"a": [1, 0, 0, 0, 0, 0, 0, 0]}),
        damaged(workers=numbers(-1, 0, 0, 0, 0, 0, 0, 0)),
        damaged(workers=numbers(float("inf"), 0, 0, 0, 0, 0, 0, 0)),
        damaged(workers=numbers(1, 2, 1, 1, 0, 0, 0, 0)),
        damaged(workers=numbers(1, 1, 2, 1, 0, 0, 0, 0)),
        damaged(workers=numbers(1, 0, 0, 0, 1, 2, 1, 0)),
        damaged(workers=numbers(1, 0, 0, 0, 0, 0, 0, 2)),
        damaged(workers=numbers(1, 0, 0)),
        damaged(pair={"drawn": 2}),
        damaged(pair={"offsets": [[[-1] * 12, [], []]] * 2}),
        damaged(pair={"offsets": [[[1, 2], [], []]] * 2}),
        damaged(pair={"workers": ["b", "a"]}),
        damaged(pair={"sums": [[3], [2], [2]]}),
        damaged(pair={"sums": [[-1], [2], [2]]}),
        damaged(pair={"sums": [[10**30], [2], [2]]}),
        damaged(pair={"workers": ["a"]}),
        damaged(agreement={"values": [1], "conflicts": {"1": 1}}),
        damaged(agreement={}),
    ],
)
def test_a_wrong_file_is_one_clear_line(tmp_path, content):
    path = tmp_path / "r.json"
    path.write_text(content)
    with pytest.raises(ValueError, match="holds no reliability statistics"):
        Reliability.load(path)


def test_the_interval_is_that_of_the_mean_over_images():
    images = list(job(9, flips=(0.02, 0.1, 0.3)))
    estimate = learn(images, CAREFUL).estimate()
    alone = [learn([image], CAREFUL) for image in images]
    for worker in CAREFUL:
        values = np.array([one._workers[worker].agreement.total for one in alone]) / 65536
        expected = values.std(ddof=1) / 3 * 9 / 11
        assert estimate.error[worker] == pytest.approx(expected)
        low, high = estimate.interval(worker)
        reach = 2.306 * expected  # Student's t of eight degrees of freedom
        assert (low, high) == pytest.approx(
            (max(estimate.quality[worker] - reach, 0), min(estimate.quality[worker] + reach, 1)),
            abs=1e-4,
        )


def test_one_image_tells_no_interval():
    estimate = learn(job(1), CAREFUL).estimate()
    assert math.isnan(estimate.error["ann"])
    assert all(math.isnan(end) for end in estimate.interval("ann"))
    assert math.isnan(estimate.interval("nobody")[0])


def test_the_interval_shrinks_with_images():
    few, many = (learn(job(n, seed=1), CAREFUL).estimate() for n in (6, 60))
    assert all(many.error[worker] < few.error[worker] for worker in CAREFUL)


def test_matrix_and_alpha_of_a_job():
    images = list(job(4))
    reliability = learn(images, CAREFUL)
    workers, matrix = reliability.agreement_matrix()
    assert workers == CAREFUL
    masks = np.concatenate([masks.reshape(3, -1) for _, masks in images], axis=1)
    for a, one in enumerate(masks):
        for b, other in enumerate(masks):
            classes = [
                ((one == k) & (other == k)).sum() / ((one == k) | (other == k)).sum()
                for k in (0, 1)
            ]
            assert matrix[a, b] == pytest.approx(np.mean(classes))
    whole = Agreement.of(VotePatterns.encode(masks[:, None]), 2)
    assert reliability.krippendorff_alpha() == pytest.approx(whole.krippendorff_alpha())
    other = Reliability()
    other.add(np.zeros((2, 4, 4), np.uint8), ["dan", "ann"])
    workers, matrix = (reliability + other).agreement_matrix()
    assert math.isnan(matrix[workers.index("dan"), workers.index("bob")])


def test_wrong_workers():
    with pytest.raises(ValueError, match="worker ids must differ"):
        Reliability().add(np.zeros((2, 2, 2), np.uint8), ["a", "a"])
    with pytest.raises(ValueError, match="needs the workers' ids"):
        consolidate(np.zeros((2, 2, 2), np.uint8), method="weighted", reliability=Reliability())


def choose(images, workers) -> Choice:
    trial = Trial(learn(images, workers))
    for _, masks in images:
        trial.ask(masks, workers, 2)
    return trial.choice()


def shifted(n_images, seed=0, side=48):
    """Three workers who see the disc where it is, three who draw it somewhere near."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:side, :side]
    for _ in range(n_images):
        row, column = rng.integers(14, side - 14, 2)
        radius = rng.integers(7, 11)
        masks = []
        for reach in (0, 0.5, 0.5, 4, 4, 4):
            y, x = np.array([row, column]) + rng.uniform(-reach, reach, 2)
            masks.append(np.hypot(rows - y, columns - x) < radius)
        yield masks[0].astype(np.uint8), np.stack(masks).astype(np.uint8)


def test_auto_switches_weights_on_where_workers_differ():
    choice = choose(list(shifted(12)), list("abcdef"))
    assert choice.weighted
    assert choice.gain > 2 * choice.error > 0
    assert "weighted by reliability" in choice.reason
    assert json.loads(json.dumps(choice.as_dict()))["weighted"] is True


def test_auto_leaves_weights_off_where_workers_are_alike_and_says_why():
    choice = choose(list(job(10, flips=(0.05,) * 5)), list("abcde"))
    assert not choice.weighted
    assert choice.reason == "plain majority: weighting workers would not have helped"
    assert choice.weights(list("abc")).tolist() == [1, 1, 1]


def test_auto_needs_images_enough():
    choice = choose(list(job(3, flips=(0.01, 0.02, 0.3, 0.4))), list("abcd"))
    assert not choice.weighted
    assert "3 images have votes of 4 usable workers, and 8 are needed" in choice.reason


def test_auto_drops_junk_even_without_weights():
    workers = [*CAREFUL, "junk"]
    choice = choose(list(job(6, ["noise"])), workers)
    assert choice.weights(workers).tolist() == [1, 1, 1, 0]
    assert "without the votes of junk" in choice.reason


def test_sample_is_spread_evenly_and_bounded():
    places = sampled(1000)
    assert len(places) == 32
    assert places[0] == 0
    assert places[-1] == 999
    assert set(np.diff(places)) <= {32, 33}
