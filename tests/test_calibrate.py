"""Gold images to a calibration; confidence held against the truth; the review manifest."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from consolidation import Calibration
from consolidation.cli import main
from consolidation.commands.calibrate import calibrate
from consolidation.commands.evaluate import evaluate_folders
from consolidation.errors import SourceError
from consolidation.evaluation import (
    ConfidenceCounts,
    boundary_agreement,
    expected_calibration_error,
    reliability_diagram,
)
from consolidation.formats.groundtruth import mask_labels
from consolidation.jobs.results.review import ReviewItem, review_manifest
from consolidation.masks import decode_indices
from tests.wire import content, entry, plain, write_index_mask, write_json


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def crowd(n_images: int, side: int = 40) -> tuple[Path, Path]:
    """Folder of masks and of truth; two of three are right at a third of disputed pixels only."""
    rng = np.random.default_rng(0)
    for number in range(n_images):
        truth = np.zeros((side, side), np.uint8)
        truth[10:30, 10:30] = 1
        dissent = rng.random(truth.shape) < 0.3
        majority_is_right = rng.random(truth.shape) < 1 / 3
        careful = np.where(dissent & ~majority_is_right, 1 - truth, truth)
        for worker in range(3):
            mask = np.where(dissent, 1 - careful, careful) if worker == 2 else careful
            write_index_mask(Path(f"job/{number}/worker_{worker}.png"), mask)
        write_index_mask(Path(f"truth/{number}.png"), truth)
    return Path("job"), Path("truth")


def test_gold_images_teach_what_two_of_three_are_worth() -> None:
    # from ten images on, a foreground threshold would put the masks right instead
    job, truth = crowd(9)
    learnt = calibrate(job, truth, plain())
    assert learnt.calibration.images == 9
    # 9 images and 4 without a gap beside them: 9 / 13 of the way from 2/3 to 1/3
    assert learnt.calibration(np.array([2 / 3]))[0] == pytest.approx(0.436, abs=0.02)
    before, after = learnt.errors["disputed"]
    assert before == pytest.approx(1 / 3, abs=0.02)
    # of each image the eight others tell
    assert after == pytest.approx(before * 4 / 12, abs=0.02)
    assert learnt.errors["all"][1] < learnt.errors["all"][0]


def test_the_command_writes_what_the_library_reads(capsys: pytest.CaptureFixture[str]) -> None:
    job, truth = crowd(4)
    options = ("--method", "plurality", "--smoothing", "0")
    assert main(["calibrate", str(job), str(truth), "--out", "c.json", *options]) == 0
    said = capsys.readouterr().out
    assert "learnt from 4 gold images" in said
    assert "--calibration c.json" in said
    assert Calibration.load("c.json").images == 4
    first = Path("c.json").read_bytes()
    assert main(["calibrate", str(job), str(truth), "--out", "c.json", "--quiet", *options]) == 0
    assert capsys.readouterr().out == ""
    assert Path("c.json").read_bytes() == first


@pytest.mark.parametrize("method", ["weighted", "auto", "dawid-skene"])
def test_every_method_can_be_calibrated(method: str) -> None:
    job, truth = crowd(2)
    assert calibrate(job, truth, plain(method=method)).calibration.images == 2


def test_images_without_a_class_or_truth_do_not_count() -> None:
    write_index_mask(Path("job/0/worker_0.png"), [[1, 1, 0, 1]])
    write_index_mask(Path("job/0/worker_1.png"), [[1, 0, 0, 1]])
    write_index_mask(Path("truth/0.png"), [[1, 1, 1, 255]])
    learnt = calibrate("job", "truth", plain(ties="undecided"))
    # the second is undecided, the last unknown: one right, one wrong, both unanimous
    assert learnt.errors["all"][0] == 0.5
    assert np.isnan(learnt.errors["disputed"][0])
    assert "disputed pixels  none was there" in learnt.table()
    assert "nan" not in learnt.table()


def test_one_worker_disputes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    for image in "ab":
        write_index_mask(Path(f"job/{image}/worker_0.png"), [[1, 1]])
        write_index_mask(Path(f"truth/{image}.png"), [[1, 1]])
    assert main(["calibrate", "job", "truth", "--out", "c.json"]) == 0
    said = capsys.readouterr().out
    assert "no pixel was disputed" in said
    assert "nan" not in said


def test_classes_of_job_and_truth_are_matched_by_name() -> None:
    job, truth = crowd(4)
    same = calibrate(job, truth, plain())
    write_json(
        job / "classes.json", {"classes": [{"index": 1, "name": "a"}, {"index": 2, "name": "b"}]}
    )
    for path in truth.glob("*.png"):
        write_index_mask(path, decode_indices(path.read_bytes()) * 2)
    write_json(
        truth / "classes.json", {"classes": [{"index": 1, "name": "b"}, {"index": 2, "name": "a"}]}
    )
    assert calibrate(job, truth, plain()) == same
    write_json(truth / "classes.json", {"classes": [{"index": 2, "name": "b"}]})
    with pytest.raises(SourceError, match="not the same: 'a' only in job"):
        calibrate(job, truth, plain())


def test_ids_that_are_paths_or_hold_percent_signs_can_be_gold() -> None:
    for image in ("sub/y 1", "100%25", "x"):
        write_index_mask(Path(f"job/{image}/worker_0.png"), [[1, 1]])
        write_index_mask(Path(f"job/{image}/truth.png"), [[1, 0]])
    assert calibrate("job", "job", plain()).calibration.images == 3


def test_calibrate_offers_what_changes_its_result(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["calibrate", "--help"])
    offered = set(re.findall(r"--([a-z-]+)", capsys.readouterr().out.partition("options, or")[0]))
    voting = {"method", "smoothing", "ties", "min-votes", "snap-colors"}
    limits = {"max-pixels", "max-answer-bytes", "max-answers", "max-objects"}
    limits |= {"max-label-length", "max-json-depth"}
    reading = {"labels", "manifest", "masks", "missing-is-blank"}
    reading |= {"values", "by", "no-background"}
    reading |= {"format", "preset", "unpainted", "priority", "multilabel", "annotator-field"}
    reading |= {"emails"}
    assert offered == voting | limits | reading | {"help", "out", "quiet", "progress"}


def test_calibrate_keeps_to_the_limits_of_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    entries = [entry(str(number), ("a", content([0, 1]))) for number in range(4)]
    write_json(Path("r.json"), entries)
    write_index_mask(Path("truth/0.png"), [[0, 1]])
    command = ["r.json", "--max-objects", "3", "--out"]
    assert main(["run", *command, "out"]) == 2
    refusal = capsys.readouterr().err
    assert main(["calibrate", "r.json", "truth", *command[1:], "c.json"]) == 2
    assert capsys.readouterr().err == refusal


def test_calibrate_shows_progress(capsys: pytest.CaptureFixture[str]) -> None:
    job, truth = crowd(2)
    assert main(["calibrate", str(job), str(truth), "--out", "c.json", "--progress", "json"]) == 0
    assert json.loads(capsys.readouterr().err.splitlines()[-1])["done"] == 2


@pytest.mark.parametrize("name", [".", "folder", "folder/", "s3://bucket", "s3://bucket/c/"])
def test_a_folder_is_no_file_to_write(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("folder").mkdir()
    # before anything is read: neither the source nor the truth is there
    for command in (
        ["calibrate", "job", "truth", "--out"],
        ["evaluate", "out", "truth", "--diagram"],
    ):
        assert main([*command, name]) == 2
        flag = command[-1]
        said = f"consolidate: {flag} names a file to write, and {name} is a folder\n"
        assert capsys.readouterr().err == said


def test_what_cannot_be_calibrated_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    write_index_mask(Path("job/0/worker_0.png"), [[1, 1]])
    write_index_mask(Path("truth/1.png"), [[1, 1]])
    assert main(["calibrate", "job", "truth", "--out", "c.json"]) == 2
    assert "no image in common" in capsys.readouterr().err
    write_index_mask(Path("truth/0.png"), [[1, 1, 1]])
    with pytest.raises(SourceError, match="image '0': its masks have size 1 x 2, the truth 1 x 3"):
        calibrate("job", "truth", plain())


# -- evaluate


def run_folder(confidence: list[list[int]] | None) -> None:
    write_index_mask(Path("out/masks/a.png"), [[1, 1, 1, 0, 255]])
    write_index_mask(Path("truth/a.png"), [[1, 1, 0, 0, 1]])
    if confidence is not None:
        write_index_mask(Path("out/confidence/a.png"), confidence)


def test_confidence_is_held_against_the_truth(capsys: pytest.CaptureFixture[str]) -> None:
    run_folder([[255, 153, 153, 255, 0]])
    scores = evaluate_folders("out", "truth")
    assert scores.confidence is not None
    # two pixels of .6, one of them right; two unanimous ones, both right
    assert scores.confidence.disputed.error == pytest.approx(0.1)
    assert scores.confidence.error == pytest.approx(0.05)
    assert main(["evaluate", "out", "truth"]) == 0
    said = capsys.readouterr().out
    assert "calibration error 0.100" in said
    assert "reliability diagram in out/reliability.png" in said
    with Image.open("out/reliability.png") as picture:
        assert picture.format == "PNG"
    assert main(["evaluate", "out/masks", "truth", "--json", "--diagram", "d.png"]) == 0
    errors = json.loads(capsys.readouterr().out)["calibration_error"]
    assert errors == {"disputed_pixels": pytest.approx(0.1), "all_pixels": pytest.approx(0.05)}
    assert Path("d.png").is_file()


def test_no_map_no_diagram(capsys: pytest.CaptureFixture[str]) -> None:
    run_folder(None)
    assert evaluate_folders("out", "truth").as_dict()["calibration_error"] is None
    assert main(["evaluate", "out", "truth"]) == 0
    assert "calibration" not in capsys.readouterr().out
    assert not Path("out/reliability.png").exists()
    assert main(["evaluate", "out", "truth", "--diagram", "d.png"]) == 2
    assert "out holds no confidence maps" in capsys.readouterr().err


def test_a_map_of_another_size_is_named() -> None:
    run_folder([[255, 255]])
    with pytest.raises(SourceError, match="image 'a': the confidence map has size 1 x 2"):
        evaluate_folders("out", "truth")


def test_unanimous_is_full_confidence_or_what_a_calibration_made_of_it() -> None:
    values, right = np.array([250, 250, 100], np.uint8), np.array([True, True, False])
    for calibrated, unanimous, disputed in ((True, 250, 1), (False, 255, 3)):
        counts = ConfidenceCounts(calibrated=calibrated)
        counts.add(values, right)
        assert counts.unanimous == unanimous
        # without a calibration, no pixel is unanimous: none is lost
        assert counts.disputed.pixels.sum() == disputed


@pytest.mark.parametrize("calibration", ["", "c.json"])
def test_what_a_map_cannot_tell_is_told(
    calibration: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run_folder([[170, 170, 170, 170, 0]])
    content = {"classes": ["BACKGROUND", "class-1"], "options": {"calibration": calibration}}
    write_json(Path("out/provenance.json"), content)
    assert main(["evaluate", "out", "truth"]) == 0
    said = capsys.readouterr().out
    assert ("its highest confidence, 0.667, count as unanimous" in said) == bool(calibration)
    assert ("no pixel was disputed" in said) == bool(calibration)


def test_calibration_error_by_hand_and_without_pixels() -> None:
    error = expected_calibration_error(np.array([0.5, 1]), np.array([10, 30]), np.array([8, 30]))
    assert error == pytest.approx(0.3 * 10 / 40)
    assert np.isnan(expected_calibration_error(np.zeros(0), np.zeros(0), np.zeros(0)))


def test_the_diagram_is_the_same_each_time_and_shows_the_dots() -> None:
    counts = ConfidenceCounts()
    assert reliability_diagram(counts) != b""
    counts.add(np.full(10, 128, np.uint8), np.arange(10) < 3)
    counts.add(np.full(90, 255, np.uint8), np.ones(90, bool))
    data = reliability_diagram(counts)
    assert data == reliability_diagram(counts)
    with Image.open(io.BytesIO(data)) as picture:
        # 0.5 of 400 pixels to the right of 64, 0.3 of 400 above the bottom at 56 + 400
        assert picture.convert("RGB").getpixel((265, 336)) == (0x1F, 0x77, 0xB4)


def test_boundary_agreement_is_symmetric() -> None:
    masks = np.zeros((3, 20, 20), np.uint8)
    masks[0, 5:15, 5:15], masks[1, 6:15, 5:15], masks[2, 9:15, 5:15] = 1, 1, 1
    scores = boundary_agreement(masks, tolerance=1)
    np.testing.assert_array_equal(scores, scores.transpose(1, 0, 2))
    assert (np.diagonal(scores) == 1).all()
    assert scores[0, 1, 1] == 1
    assert scores[0, 2, 1] < scores[1, 2, 1] < 1


# -- review


def line(name: str, *labels: str) -> str:
    colors = {
        str(255 if label == "UNDECIDED" else index): {
            "class-name": label,
            "hex-color": f"#00000{index}",
            "confidence": 0.5,
        }
        for index, label in enumerate(labels)
    }
    block = {"internal-color-map": colors, "type": "groundtruth/semantic-segmentation"}
    content = {"source-ref": f"s3://b/{name}.jpg", "x": 1}
    if labels:
        content |= {"seg-ref": f"s3://b/masks/{name}.png", "seg-ref-metadata": block}
    return json.dumps(content)


def test_the_review_manifest_lists_what_is_doubted_neediest_first() -> None:
    items = [
        ReviewItem("a", 0.7, 0.2, line("a", "BACKGROUND", "cat")),
        ReviewItem("b", 0.6, 0.4, line("b", "BACKGROUND", "cat", "UNDECIDED")),
        ReviewItem("c", 0.8, 0.9, line("c", "BACKGROUND", "cat")),
        ReviewItem("d", 0.1, 0.9, line("d")),
        ReviewItem("e", 0.5, 0.4, line("e", "BACKGROUND", "cat")),
    ]
    lines = review_manifest(items, "seg-ref", 0.8)
    told = [json.loads(one) for one in lines]
    assert [one["source-ref"] for one in told] == [f"s3://b/{name}.jpg" for name in "bea"]
    for one in told:
        assert one["x"] == 1
        (label,) = mask_labels(one)
        assert label.attribute == "seg-ref"
        assert [entry.name for entry in label.classes] == ["BACKGROUND", "cat"]
        assert [entry.color for entry in label.classes] == ["#000000", "#000001"]
    assert review_manifest(items[::-1], "seg-ref", 0.8) == lines
    assert review_manifest(items, "other-ref", 0.8) == []


def test_confidence_maps_of_a_run_can_be_evaluated() -> None:
    job, truth = crowd(2)
    options = ["--method", "plurality", "--smoothing", "0", "--confidence-maps", "--quiet"]
    assert main(["run", str(job), "--out", "out", *options]) == 0
    values = decode_indices(Path("out/confidence/0.png").read_bytes())
    assert set(np.unique(values)) == {170, 255}
    scores = evaluate_folders("out", truth)
    assert scores.confidence is not None
    assert scores.confidence.disputed.error == pytest.approx(1 / 3, abs=0.04)


def test_the_report_gets_the_diagram_once(capsys: pytest.CaptureFixture[str]) -> None:
    job, truth = crowd(2)
    options = ["--method", "plurality", "--smoothing", "0", "--confidence-maps", "--quiet"]
    assert main(["run", str(job), "--out", "out", *options]) == 0
    report = Path("out/report.html")
    before = report.read_text("utf-8")
    assert "Is the confidence right?" not in before
    assert main(["evaluate", "out", str(truth)]) == 0
    assert "reliability.png and out/report.html" in capsys.readouterr().out
    drawn = report.read_text("utf-8")
    assert drawn.count("Is the confidence right?") == 1
    # two of three stand at .667, a third of them right; the unanimous ones at 1
    assert re.search(r'<circle cx="66\.7" cy="6\d', drawn)
    assert '<circle cx="100.0" cy="0.0"' in drawn
    assert main(["evaluate", "out", str(truth)]) == 0
    assert report.read_text("utf-8") == drawn
    # taken out again, the page is what it was
    assert (
        re.sub(r"(<!-- reliability diagram -->\n).*(<!-- /)", r"\1\2", drawn, flags=re.S) == before
    )
    # a report of an earlier version has no place for it
    report.write_text("<html></html>")
    assert main(["evaluate", "out", str(truth)]) == 0
    assert report.read_text() == "<html></html>"
