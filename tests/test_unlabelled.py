"""Pixels that nobody labelled lower confidence and raise need of review; void does not."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from consolidation import consolidate
from consolidation.cli.printing import summary_text
from consolidation.commands.run import run_job
from consolidation.jobs import Summary
from tests import wire
from tests.wire import GREEN, ORANGE, plain

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
    options: dict[str, Any] = {"method": "weighted", "weights": [2, 1, 0], "ignore_index": 9}
    result = consolidate(masks, **options)
    assert result.n_unlabelled == 1
    assert result.image_confidence == 0.5


def test_what_a_masked_array_hides_is_unlabelled():
    masks = np.ma.array(np.ones((2, 1, 4), np.uint8), mask=np.array([[[0, 1, 1, 1]]] * 2, bool))
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


# -- a whole job


def run(tmp_path: Path, source: Path, **options: Any) -> tuple[Summary, list[dict[str, str]]]:
    """Summary and rows of images.csv."""
    summary = run_job(source, tmp_path / "out", plain(report=True, **options))
    with (tmp_path / "out" / "images.csv").open(newline="") as file:
        return summary, list(csv.DictReader(file))


def figures(row: dict[str, str]) -> tuple[str, ...]:
    return tuple(row[name] for name in ("id", "need", "confidence", "unlabelled", "void"))


def test_pixels_of_no_label_s_color_are_told_and_lead_the_list(tmp_path: Path) -> None:
    # of four pixels one is a cat to both, and three are of a colour that means nothing
    lost = wire.picture_content(wire.picture([1, 2, 2, 2], [GREEN, ORANGE]), {"cat": GREEN})
    entries = [
        wire.entry("lost", ("a", lost), ("b", lost)),
        # a disagrees with b on one pixel of four; the consensus is a's (the lowest class of a tie)
        wire.entry(
            "disputed", ("a", wire.content([0, 1, 1, 1])), ("b", wire.content([1, 1, 1, 1]))
        ),
    ]
    summary, rows = run(tmp_path, wire.write_json(tmp_path / "request.json", entries))
    # a: IoU 1 and 1; b: 0 of background, 3 of 4 cats
    need = 1 - (1 + (0 + 3 / 4) / 2) / 2
    assert [figures(row) for row in rows] == [
        ("lost", "0.75", "0.25", "0.75", "0"),
        ("disputed", f"{need:.6g}", "0.875", "0", "0"),
    ]
    assert (summary.unlabelled, summary.void) == (3 / 8, 0)
    assert "  labelled by none 37.50%, and 0.00% void on purpose\n" in summary_text(summary, "out")
    page = (tmp_path / "out" / "report.html").read_text()
    assert "<dt>unlabelled pixels</dt><dd>37.5 %</dd>" in page
    assert "0.0 % more void on purpose" in page
    assert '"undecided": "75.0 %", "unlabelled": "75.0 %"' in page


def test_the_declared_value_of_a_folder_of_masks_is_void(tmp_path: Path) -> None:
    for worker in "ab":
        wire.write_index_mask(tmp_path / f"job/x/worker_{worker}.png", [1, 255, 255, 255])
        wire.write_index_mask(tmp_path / f"job/y/worker_{worker}.png", [1, 1, 0, 0])
    summary, rows = run(tmp_path, tmp_path / "job")
    assert [figures(row) for row in rows] == [
        ("x", "0", "1", "0", "0.75"),
        ("y", "0", "1", "0", "0"),
    ]
    assert (summary.unlabelled, summary.void) == (0, 3 / 8)
    assert "  labelled by none 0.00%, and 37.50% void on purpose\n" in summary_text(summary, "out")
    assert "37.5 % more void on purpose" in (tmp_path / "out" / "report.html").read_text()


def test_void_is_only_what_every_worker_left_out(tmp_path: Path) -> None:
    wire.write_index_mask(tmp_path / "job/x/worker_a.png", [1, 255, 255, 0])
    wire.write_index_mask(tmp_path / "job/x/worker_b.png", [1, 1, 255, 0])
    _, [row] = run(tmp_path, tmp_path / "job")
    # the second pixel has one vote and is sure of it; the third has none
    assert (row["confidence"], row["unlabelled"], row["void"]) == ("1", "0", "0.25")


def test_a_run_that_is_finished_tells_the_same_again(tmp_path: Path) -> None:
    for worker in "ab":
        wire.write_index_mask(tmp_path / f"job/x/worker_{worker}.png", [1, 255])
    first, _ = run(tmp_path, tmp_path / "job")
    again, _ = run(tmp_path, tmp_path / "job")
    assert again.now == 0
    assert (again.unlabelled, again.void) == (first.unlabelled, first.void) == (0, 0.5)
