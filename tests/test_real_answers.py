"""Real workers' answers, end to end, against a vote that knows nothing of this package."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from consolidation.cli import main
from tests.shared_data import GROUND_TRUTH, MASKS, needs_shared
from tests.wire import undated

PLAIN = ["--method", "plurality", "--smoothing", "0", "--ties", "lowest"]
Mask = npt.NDArray[np.uint8]

pytestmark = needs_shared


def read_answer(text: str, labels: list[str]) -> Mask:
    """Class index of every pixel, by its exact colour; only transparent ones are background."""
    [answer] = json.loads(text).values()
    png = base64.b64decode(answer["labeledImage"]["pngImageData"])
    rgba = np.array(Image.open(io.BytesIO(png)).convert("RGBA"))
    whole = rgba.view("<u4")[..., 0]
    mask = np.full(rgba.shape[:2], 255, np.uint8)
    mask[rgba[..., 3] == 0] = 0
    for label, mapping in answer["labelMappings"].items():
        color = bytes.fromhex(mapping["color"][1:]) + b"\xff"
        mask[whole == int.from_bytes(color, "little")] = 1 + labels.index(label)
    assert mask.max() <= len(labels), "a pixel of no label's colour"
    return mask


def vote(masks: list[Mask], n_classes: int) -> Mask:
    """Count votes by class; argmax takes the lowest of equals."""
    votes = np.zeros((n_classes, *masks[0].shape), np.int16)
    for mask in masks:
        for index in range(n_classes):
            votes[index] += mask == index
    return votes.argmax(axis=0).astype(np.uint8)


def job(name: str) -> dict[str, list[tuple[str, str]]]:
    """Worker and answer's text, by object."""
    entries = json.loads((GROUND_TRUTH / "mturk" / f"{name}.json").read_text())
    return {
        entry["datasetObjectId"]: [
            (one["workerId"], one["annotationData"]["content"]) for one in entry["annotations"]
        ]
        for entry in entries
    }


@pytest.mark.parametrize(
    "name, images, label", [("femur_ap", 20, "Femur"), ("humerus", 6, "Humerus")]
)
def test_real_jobs_equal_a_naive_vote(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, images: int, label: str
) -> None:
    source = str(GROUND_TRUTH / "mturk" / f"{name}.json")
    for out in ("one", "two"):
        assert main(["run", source, "--out", str(tmp_path / out), *PLAIN]) == 0
        said = capsys.readouterr()
        assert f"{images} images consolidated into {tmp_path / out}\n" in said.out
        assert said.err == ""
    one, two = tmp_path / "one", tmp_path / "two"
    files = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(two) for path in two.rglob("*") if path.is_file())
    for file in files:
        first, second = (one / file).read_bytes(), (two / file).read_bytes()
        assert undated(first) == undated(second), file
    lines = [json.loads(line) for line in (one / "output.manifest").read_bytes().splitlines()]
    assert len(lines) == images
    assert (one / "failures.jsonl").read_bytes() == b""
    assert (one / "warnings.jsonl").read_bytes() == b""

    objects = job(name)
    assert len(list((one / "masks").iterdir())) == len(objects) == images
    for object_id, answers in objects.items():
        masks = [read_answer(text, [label]) for _, text in answers]
        merged = vote(masks, 2)
        with Image.open(one / "masks" / f"{object_id}.png") as image:
            assert image.mode == "P"
            np.testing.assert_array_equal(np.asarray(image), merged)
            painted = np.asarray(image.convert("RGB"))[merged == 1]
        assert (painted == (0x2C, 0xA0, 0x2C)).all()
        # confidence: mean share of the winner, over pixels that anybody painted
        stack = np.stack(masks)
        share = (stack == merged).sum(axis=0, dtype=np.uint8) / len(masks)
        line = lines[int(object_id)]["consolidated-ref-metadata"]
        color_map = line["internal-color-map"]
        assert [entry["class-name"] for entry in color_map.values()] == ["BACKGROUND", label]
        expected = share[stack.any(axis=0)].mean()
        for entry in color_map.values():
            assert entry["confidence"] == pytest.approx(expected, abs=1e-6)


def test_evaluate_gives_the_mean_iou_of_plurality_on_the_crowd_of_cells(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    crowd = MASKS / "bubil_crowd"
    assert main(["run", str(crowd), "--out", str(tmp_path), "--quiet", *PLAIN]) == 0
    assert capsys.readouterr() == ("", "")
    assert main(["evaluate", str(tmp_path), str(crowd), "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    expected = {}
    for folder in sorted(path for path in crowd.iterdir() if path.is_dir()):
        masks = [np.asarray(Image.open(path)) for path in sorted(folder.glob("worker_*.png"))]
        merged, truth = vote(masks, 2), np.asarray(Image.open(folder / "truth.png"))
        known = truth != 255
        ious = []
        for index in (0, 1):
            ours, theirs = (merged == index)[known], (truth == index)[known]
            if (ours | theirs).any():
                ious.append((ours & theirs).sum() / (ours | theirs).sum())
        expected[folder.name] = np.mean(ious)
    assert scores["images_scored"] == len(expected) == 99
    assert scores["only_truth"] == scores["only_predicted"] == []
    assert scores["mean_iou"] == pytest.approx(np.mean(list(expected.values())), abs=1e-12)
    for row in scores["images"]:
        assert row["mean_iou"] == pytest.approx(expected[row["id"]], abs=1e-12)
