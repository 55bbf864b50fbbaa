"""`consolidate segment`, box annotations, and what docs/autosegment.md tells people to type."""

from __future__ import annotations

import io
import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from consolidation.cli import main
from consolidation.errors import SourceError
from consolidation.formats.boxes import read_boxes
from consolidation.formats.groundtruth.manifest import mask_labels
from consolidation.masks import decode_indices
from tests import tiny_onnx

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "autosegment.md").read_text()
COMMANDS = [line for line in PAGE.splitlines() if line.startswith("consolidate segment")]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A folder with all that the page's commands name."""
    monkeypatch.chdir(tmp_path)
    image = np.full((80, 120, 3), 60, np.uint8)
    image[20:60, 30:90] = (200, 120, 40)
    Image.fromarray(image).save("cat.png")
    Path("pictures").mkdir()
    Path("yolo").mkdir()
    two = image.copy()
    two[5:15, 100:115] = (30, 200, 30)
    Image.fromarray(two).save("pictures/a.png")
    Image.fromarray(image[::-1]).save("pictures/b.jpg", quality=95)
    coco = {
        "images": [{"id": 7, "file_name": "a.png"}, {"id": 8, "file_name": "b.jpg"}],
        "categories": [{"id": 3, "name": "cat"}, {"id": 9, "name": "leaf"}],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 3, "bbox": [30, 20, 60, 40]},
            {"id": 2, "image_id": 7, "category_id": 9, "bbox": [100, 5, 15, 10]},
            {"id": 3, "image_id": 8, "category_id": 3, "bbox": [30, 20, 60, 40]},
        ],
    }
    Path("coco.json").write_text(json.dumps(coco))
    Path("yolo/classes.txt").write_text("cat\nleaf\n")
    Path("yolo/a.txt").write_text("0 0.5 0.5 0.5 0.5\n1 0.895833333 0.125 0.125 0.125\n")
    Path("yolo/b.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    Path("boxes.manifest").write_text("".join(manifest_lines()))
    for name, text in (("encoder", tiny_onnx.SAM_ENCODER), ("decoder", tiny_onnx.SAM_DECODER)):
        tiny_onnx.write(tmp_path, f"{name}.onnx", text)


def manifest_lines():
    """Lines as Ground Truth writes them for bounding boxes."""

    def box(index, left, top, width, height):
        return {"class_id": index, "left": left, "top": top, "width": width, "height": height}

    metadata = {"class-map": {"0": "cat", "1": "leaf"}, "type": "groundtruth/object-detection"}
    size = [{"width": 120, "height": 80, "depth": 3}]
    pictures = {
        "a.png": [box(0, 30, 20, 60, 40), box(1, 100, 5, 15, 10)],
        "b.jpg": [box(0, 30, 20, 60, 40)],
    }
    for name, boxes in pictures.items():
        label = {"image_size": size, "annotations": boxes}
        yield json.dumps({"source-ref": name, "cars": label, "cars-metadata": metadata}) + "\n"


def call(*arguments):
    try:
        return main(arguments)
    except SystemExit as stop:
        return stop.code


def mask(path):
    return decode_indices(Path(path).read_bytes())


OBJECT = np.zeros((80, 120), bool)
OBJECT[20:60, 30:90] = True


def iou(found, truth):
    return np.count_nonzero(found & truth) / np.count_nonzero(found | truth)


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_of_the_page_work(line):
    _, *arguments = shlex.split(line)
    assert call(*arguments) == 0
    if "--boxes" not in arguments:
        least = 0.6 if "smooth" in arguments else 0.95
        assert iou(mask("mask.png") == 1, OBJECT) > least
        return
    for name, image in (("a", mask("prelabels/masks/a.png")), ("b", mask("prelabels/masks/b.png"))):
        assert iou(image == 1, OBJECT) > 0.9
        assert (name == "a") == (image == 2).any()
    leaf = np.zeros_like(OBJECT)
    leaf[5:15, 100:115] = True
    assert iou(mask("prelabels/masks/a.png") == 2, leaf) > 0.8


def test_the_pages_python_runs():
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names = {}
    exec(code, names)
    assert names["found"].box == (30, 20, 60, 40)
    assert not names["hole"].mask[40, 60]


def test_the_page_has_commands_of_every_kind():
    flags = ("--points", "--minus", "--box ", "--boxes coco", "--boxes yolo", "--segmenter")
    assert all(any(flag in line for line in COMMANDS) for flag in flags)


def test_the_manifest_is_one_that_adjustment_jobs_read():
    assert call("segment", "--boxes", "coco.json", "--images", "pictures", "--out", "out") == 0
    lines = [json.loads(line) for line in Path("out/output.manifest").read_text().splitlines()]
    assert [line["source-ref"] for line in lines] == ["../pictures/a.png", "../pictures/b.jpg"]
    [label] = mask_labels(lines[0])
    assert label.attribute == "prelabel-ref"
    assert Path("out", label.mask_uri).is_file()
    assert [(c.index, c.name) for c in label.classes] == [
        (0, "BACKGROUND"),
        (1, "cat"),
        (2, "leaf"),
    ]
    assert lines[0]["prelabel-ref-metadata"]["human-annotated"] == "no"
    classes = json.loads(Path("out/classes.json").read_text())["classes"]
    with Image.open(io.BytesIO(Path("out/masks/a.png").read_bytes())) as png:
        colors = np.array(png.getpalette()).reshape(-1, 3)
    assert ["#{:02x}{:02x}{:02x}".format(*colors[c["index"]]) for c in classes] == [
        c["color"] for c in classes
    ]


def test_a_model_and_its_fingerprint_are_in_the_metadata():
    files = "encoder.onnx,decoder.onnx"
    status = call(
        *("segment", "--boxes", "coco.json", "--images", "pictures", "--out", "out"),
        *("--segmenter", files),
    )
    assert status == 0
    line = json.loads(Path("out/output.manifest").read_text().splitlines()[0])
    record = line["prelabel-ref-metadata"]["segmenter"]
    assert record["family"] == "sam"
    assert [len(file["sha256"]) for file in record["files"]] == [64, 64]
    assert iou(mask("out/masks/a.png") == 1, OBJECT) > 0.9


def test_a_picture_that_cannot_be_read_fails_alone(capsys):
    Path("pictures/a.png").write_bytes(b"no picture")
    assert call("segment", "--boxes", "coco.json", "--images", "pictures", "--out", "out") == 1
    error = capsys.readouterr().err
    assert "pictures/a.png is no picture" in error
    assert error.count("\n") == 1
    assert [path.name for path in Path("out/masks").iterdir()] == ["b.png"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("cat.png",), "give one of points, box and mask: 0"),
        (("cat.png", "--points", "1,2", "3,4", "5,6"), "four extreme points, and 3"),
        (("cat.png", "--points", "1,2", "3,4", "5,6", "7;8"), "--points takes x,y, not '7;8'"),
        (("cat.png", "--box", "1,2,3"), "--box takes left,top,width,height"),
        (("cat.png", "--box", "300,2,3,4"), "cat.png: the box .* lies outside"),
        (("dog.png", "--box", "1,2,3,4"), "dog.png"),
        ((), "either an IMAGE"),
        (("cat.png", "--boxes", "coco.json"), "either an IMAGE"),
        (("cat.png", "--box", "1,2,3,4", "--segmenter", "cat.png"), "is no ONNX model"),
        (("cat.png", "--box", "1,2,3,4", "--segmenter", "encoder.onnx"), "takes image 1x3x1024"),
        (("--boxes", "coco.json", "--plus", "1,2"), "--boxes goes without --points"),
        (("--boxes", "coco.json", "--alternative", "star"), "--alternative goes without"),
        (("--boxes", "cat.png"), "cat.png is not UTF-8"),
    ],
)
def test_wrong_usage_is_one_line(arguments, message, capsys):
    assert call("segment", *arguments, "--out", "out.png") == 2
    error = capsys.readouterr().err
    assert re.search(message, error)
    assert error.count("\n") == 1


def test_an_empty_mask_is_told(capsys):
    minus = [f"{x},{y}" for x in range(28, 94, 2) for y in range(18, 62, 2)]
    status = call("segment", "cat.png", "--box", "30,20,60,40", "--minus", *minus, "--out", "m.png")
    assert status == 2
    assert "nothing is left" in capsys.readouterr().err
    assert not Path("m.png").exists()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.json", '{"images": [], "annotations": [{"bbox": [1,2,3,4]}]}', "no COCO file"),
        (
            "x.json",
            '{"images":[{"id":1,"file_name":"a"}],"annotations":'
            '[{"id":5,"image_id":1,"category_id":1,"bbox":[1,2,0,4]}]}',
            r"annotation 5: the box \[1, 2, 0, 4\] is empty",
        ),
        ("x.txt", "0 1 2 3\n", r"x.txt, line 1 is no YOLO box"),
        ("x.txt", "0 0.5 0.5 nan 0.5\n", "is empty"),
        ("x.txt", "0 .5 .5 .5 .5\n", "there is no picture x.jpg"),
        ("x.manifest", '{"source-ref": "a.png"}\n', "holds no boxes"),
        ("x.manifest", '{"a": 1}\n', "line 1 has no source-ref"),
        ("x.manifest", '{"source-ref":"a","b":{"annotations":[{"left":1}]}}', "holds no box"),
    ],
)
def test_annotations_that_are_none_are_told(name, content, message):
    Path(name).write_text(content)
    with pytest.raises(SourceError, match=message):
        read_boxes(name)
