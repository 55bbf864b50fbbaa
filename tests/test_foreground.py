"""Foreground threshold: decided by hand, never without evidence, and through the command."""

from __future__ import annotations

import json
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from consolidation import consolidate
from consolidation.cli import main
from consolidation.commands.foreground import choose_foreground
from consolidation.consensus import Calibration
from consolidation.evaluation.scores import mean_iou
from consolidation.simulation.attacks import grown
from consolidation.simulation.scenes import draw_scene
from consolidation.simulation.worker_kinds import traced


def disputed_bar(shares, n_workers=4, side=9):
    """Columns of which so many workers say 1, the same in every row."""
    masks = np.zeros((n_workers, side, len(shares)), np.uint8)
    for column, count in enumerate(shares):
        masks[:count, :, column] = 1
    return masks


def row(masks, **options):
    result = consolidate(masks, **options)
    middle = masks.shape[1] // 2
    return result.labels[middle].tolist(), result.votes[middle].tolist()


def test_a_higher_threshold_takes_what_three_of_four_say():
    masks = disputed_bar([0, 0, 0, 3, 3, 3, 3, 0, 0, 0])
    assert row(masks)[0] == [0, 0, 0, 1, 1, 1, 1, 0, 0, 0]
    labels, votes = row(masks, calibration=Calibration(foreground=0.75))
    # within the bar the smoothed share is at most three quarters; one of four says background
    assert labels == [0] * 10
    assert votes == [4, 4, 4, 1, 1, 1, 1, 4, 4, 4]


def test_a_lower_threshold_adds_what_two_of_four_say():
    masks = disputed_bar([4, 4, 4, 2, 2, 2, 0, 0, 0])  # next to 0, the smoothed share is .36
    assert row(masks)[0] == [1, 1, 1, 0, 0, 0, 0, 0, 0]
    labels, votes = row(masks, calibration=Calibration(foreground=0.4))
    assert labels == [1, 1, 1, 1, 1, 0, 0, 0, 0]
    assert votes == [4, 4, 4, 2, 2, 2, 4, 4, 4]


def test_unanimous_pixels_and_other_classes_stay():
    rng = np.random.default_rng(0)
    masks = rng.integers(1, 4, (5, 20, 20)).astype(np.uint8)
    masks[:, :5] = 0
    masks[:, 15:] = 1
    plain = consolidate(masks, smoothing=1.0, ties="neighbours")
    for threshold in (0.1, 0.9):
        options: dict[str, Any] = {"smoothing": 1.0, "ties": "neighbours", "n_classes": 4}
        other = consolidate(masks, calibration=Calibration(foreground=threshold), **options)
        np.testing.assert_array_equal(plain.labels, other.labels)


def test_confidence_is_the_share_of_the_class_that_won():
    masks = disputed_bar([0, 0, 0, 3, 3, 3, 3, 0, 0, 0])
    calibration = Calibration(foreground=0.75)
    result = consolidate(masks, calibration=calibration, smoothing=1.0, ties="neighbours")
    assert result.provenance["parameters"]["foreground"] == 0.75
    np.testing.assert_allclose(result.confidence, result.votes / np.float32(4))


def too_large(n_images):
    """Two who draw right and two who draw two pixels too large."""
    for number in range(n_images):
        rng = np.random.default_rng(number)
        truth = (draw_scene(rng, 1, (64, 80)).truth > 0).astype(np.uint8)
        masks = [traced(truth, rng, 1.0, 6.0) for _ in range(4)]
        yield truth, np.stack([*masks[:2], grown(masks[2], 2), grown(masks[3], 2)])


def choose(images):
    def score(item, calibration):
        truth, masks = item.images
        options = {"smoothing": 1.0, "ties": "neighbours", "calibration": calibration}
        return mean_iou(consolidate(masks, **options).labels, truth)

    return choose_foreground([SimpleNamespace(images=pair) for pair in images], score)


def test_a_crowd_that_draws_too_large_is_cut_back():
    choice = choose(list(too_large(12)))
    assert choice.foreground is not None
    assert choice.foreground > 0.5
    assert choice.gain > 2 * choice.error > 0


def test_nothing_is_chosen_from_nine_images_or_without_evidence():
    few = choose(list(too_large(9)))
    assert few.foreground is None
    assert math.isnan(few.gain)
    alike = [(truth, np.stack([truth] * 3)) for truth, _ in too_large(10)]
    assert choose(alike).foreground is None


@pytest.mark.slow
def test_the_command_learns_it_and_a_run_uses_it(tmp_path, capsys):
    for number, (truth, masks) in enumerate(too_large(10)):
        folder = tmp_path / "job" / str(number)
        folder.mkdir(parents=True)
        for worker, mask in enumerate(masks):
            Image.fromarray(mask).save(folder / f"worker_{worker}.png")
        (tmp_path / "truth").mkdir(exist_ok=True)
        Image.fromarray(truth).save(tmp_path / "truth" / f"{number}.png")
    job, truth, learnt = (str(tmp_path / name) for name in ("job", "truth", "c.json"))
    assert main(["calibrate", job, truth, "--out", learnt]) == 0
    assert "foreground from " in capsys.readouterr().out
    calibration = Calibration.load(learnt)
    assert calibration.foreground == json.loads((tmp_path / "c.json").read_text())["foreground"]
    scores = []
    for name, more in (("plain", []), ("cut", ["--calibration", learnt])):
        out = str(tmp_path / name)
        assert main(["run", job, "--out", out, "--quiet", "--no-report", *more]) == 0
        done = [np.asarray(Image.open(tmp_path / name / "masks" / f"{n}.png")) for n in range(10)]
        pairs = zip(done, (truth for truth, _ in too_large(10)), strict=True)
        scores.append(np.mean([mean_iou(mask, true) for mask, true in pairs]))
    assert scores[1] > scores[0] + 0.01


@pytest.mark.parametrize("value", [0, 1, -1, "much"])
def test_a_wrong_threshold_is_one_clear_line(value):
    content = Calibration().as_dict() | {"foreground": value}
    with pytest.raises(ValueError, match="file holds no calibration"):
        Calibration.from_json(json.dumps(content), "file")
