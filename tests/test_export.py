"""Exports of a finished run, read back by our own readers, pycocotools and formats' rules."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import consolidation
from consolidation.cli import main
from consolidation.commands.run import run_job
from consolidation.errors import ConsolidationError, OptionError, RunError
from consolidation.formats import SourceOptions, job_classes, open_source
from consolidation.formats.exporters import EXPORTERS
from consolidation.masks import is_background
from consolidation.objects import prepare_object
from consolidation.options import Options

Masks = Mapping[str, np.ndarray[Any, Any]]
NAMES = ("BACKGROUND", "road", "tree <&> bush", "car")
IMAGES = 5
HOLES = 40
"""Pixels of every image that one worker alone labels otherwise: below the confidence of others."""


def write_source(folder: Path, names: tuple[str, ...] = NAMES[1:]) -> Path:
    """Masks of three workers, pictures, and the classes' names; image 3 fails."""
    rng = np.random.default_rng(7)
    lines = []
    for number in range(IMAGES):
        height, width = 31 + number, 47 - 3 * number
        grid = rng.integers(0, 4, (6, 8)).astype(np.uint8)
        mask = np.kron(grid, np.ones((7, 6), np.uint8))[:height, :width]
        home = folder / f"image{number}"
        home.mkdir(parents=True)
        for worker in "abc":
            own = mask.copy()
            if worker == "c":
                own.reshape(-1)[:HOLES] = (own.reshape(-1)[:HOLES] + 1) % 4
            Image.fromarray(own).save(home / f"worker_{worker}.png")
        if number == 3:
            for worker in "abc":
                (home / f"worker_{worker}.png").write_bytes(b"no picture")
        picture = rng.integers(0, 256, (height, width, 3)).astype(np.uint8)
        (folder / "pictures").mkdir(exist_ok=True)
        Image.fromarray(picture).save(folder / "pictures" / f"image{number}.png")
        lines.append(json.dumps({"source-ref": f"pictures/image{number}.png"}))
    (folder / "classes.json").write_text(json.dumps(list(names)))
    (folder / "input.manifest").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    source = write_source(folder / "source")
    options = Options(method="plurality", confidence_maps=True, jobs=1, report=False)
    summary = run_job(
        source,
        folder / "run",
        options,
        source_options=SourceOptions(manifest=str(source / "input.manifest")),
    )
    assert (summary.images, summary.failures) == (IMAGES - 1, 1)
    return folder / "run"


@pytest.fixture(scope="module")
def masks(run: Path) -> Masks:
    """Consensus masks by id."""
    return {path.stem: pixels(path) for path in sorted((run / "masks").iterdir())}


def pixels(path: Path) -> np.ndarray[Any, Any]:
    with Image.open(path) as picture:
        return np.array(picture)


def same(read: Masks, masks: Masks) -> None:
    assert read.keys() == masks.keys()
    for name, mask in masks.items():
        np.testing.assert_array_equal(read[name], mask, name)


def read_source(path: Path) -> Masks:
    """Masks of the one annotator of a source, in the run's class indices, by picture."""
    source = open_source(path)
    classes = job_classes(source, None)
    ours = (0 if is_background(name) else NAMES.index(name) for name in classes.names)
    # what is ignored has the value behind the classes
    table = np.array([*ours, 255], np.uint8)
    read = {}
    for item in source.items:
        [mask] = prepare_object(item.load(), classes, Options()).masks
        known = np.minimum(mask, len(classes))
        read[Path(item.id).stem.rpartition("-")[2]] = table[known]
    return read


def bytes_of(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize("name", EXPORTERS)
def test_every_export_is_the_same_twice_and_tells_what_is_in_it(
    run: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(run), "--to", name, "--out", str(tmp_path / "a")]) == 0
    told = capsys.readouterr().out
    assert f"{IMAGES - 1} images" in told
    assert re.search(r"failed +1 images", told)
    consolidation.export(run, to=name, out=tmp_path / "b")
    first = bytes_of(tmp_path / "a")
    assert first == bytes_of(tmp_path / "b")
    # once more into the same folder
    consolidation.export(run, to=name, out=tmp_path / "a")
    assert first == bytes_of(tmp_path / "a")
    card = first["README.md"].decode()
    for text in ("License:", "3 annotators", "| 1 | road |", "image3: ", "not calibrated"):
        assert text in card
    with pytest.raises(RunError, match="another export"):
        consolidation.export(run, to=name, out=tmp_path / "a", top=1)
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "mine.txt").write_text("mine")
    with pytest.raises(RunError, match=r"not empty: it holds mine\.txt"):
        consolidation.export(run, to=name, out=tmp_path / "c")


def test_mmseg(run: Path, masks: Masks, tmp_path: Path) -> None:
    consolidation.export(run, to="mmseg", out=tmp_path, split=0.5)
    meta = json.loads((tmp_path / "metainfo.json").read_text())
    assert tuple(meta["classes"]) == NAMES
    read, parts = {}, {}
    for split in ("train", "val"):
        annotations = sorted((tmp_path / "ann_dir" / split).iterdir())
        pictures = sorted((tmp_path / "img_dir" / split).iterdir())
        assert [one.stem for one in annotations] == [one.stem for one in pictures]
        parts[split] = len(annotations)
        for mask, picture in zip(annotations, pictures, strict=True):
            original = run.parent / "source" / "pictures" / picture.name
            assert picture.read_bytes() == original.read_bytes()
            read[mask.stem] = pixels(mask)
            with Image.open(mask) as opened:
                colors = opened.getpalette()
            assert colors is not None
            assert colors[:12] == np.ravel(meta["palette"]).tolist()
    same(read, masks)
    # of five objects, one of which failed, two train
    assert sum(parts.values()) == IMAGES - 1
    assert min(parts.values()) >= 1


def test_voc(run: Path, masks: Masks, tmp_path: Path) -> None:
    listed = {"train": ["image0", "image3"], "val": ["image1", "image2"], "test": ["image4"]}
    (tmp_path / "split.json").write_text(json.dumps(listed))
    out = tmp_path / "voc"
    consolidation.export(run, to="voc", out=out, split=tmp_path / "split.json", pictures="link")
    lists = {
        path.stem: path.read_text().split()
        for path in (out / "ImageSets" / "Segmentation").iterdir()
    }
    assert lists == {
        "train": ["image0"],
        "val": ["image1", "image2"],
        "test": ["image4"],
        "trainval": ["image0", "image1", "image2"],
    }
    names = lists["trainval"] + lists["test"]
    same({name: pixels(out / "SegmentationClass" / f"{name}.png") for name in names}, masks)
    for name in names:
        picture = out / "JPEGImages" / f"{name}.png"
        assert picture.is_symlink()
        assert picture.resolve() == (run.parent / "source" / "pictures" / picture.name).resolve()
    # CVAT's "Segmentation mask" is the same layout; links that lead out are not read
    consolidation.export(run, to="voc", out=tmp_path / "left", pictures="leave")
    read = read_source(tmp_path / "left")
    same(read, masks)


def test_cityscapes(run: Path, masks: Masks, tmp_path: Path) -> None:
    told = consolidation.export(run, to="cityscapes", out=tmp_path)
    assert "own indices" in told.notes[0]
    home = tmp_path / "gtFine" / "train" / "run"
    ending = "_gtFine_labelTrainIds.png"
    same({one.name.removesuffix(ending): pixels(one) for one in home.iterdir()}, masks)
    for one in home.iterdir():
        name = one.name.replace(ending, "_leftImg8bit.png")
        assert (tmp_path / "leftImg8bit" / "train" / "run" / name).is_file()


def test_cityscapes_of_its_own_classes(tmp_path: Path) -> None:
    source = write_source(tmp_path / "source", ("car", "road", "sky"))
    options = Options(method="plurality", jobs=1, report=False)
    run_job(source, tmp_path / "run", options)
    told = consolidation.export(
        tmp_path / "run", to="cityscapes", out=tmp_path / "out", pictures="leave"
    )
    assert told.notes == ["background is ignored (255), as in Cityscapes"]
    [path] = (tmp_path / "out").rglob("image0_*.png")
    ids = np.array([255, 13, 0, 10])
    np.testing.assert_array_equal(
        pixels(path), ids[pixels(tmp_path / "run" / "masks" / "image0.png")]
    )


def test_nnunet(run: Path, masks: Masks, tmp_path: Path) -> None:
    told = consolidation.export(run, to="nnunet", out=tmp_path, ignore_below=0.9)
    about = json.loads((tmp_path / "dataset.json").read_text())
    labels = about["labels"]
    assert list(labels.values()) == list(range(len(labels)))
    assert (labels["background"], labels["ignore"]) == (0, 4)
    assert about["numTraining"] == IMAGES - 1
    assert about["channel_names"] == {"0": "R", "1": "G", "2": "B"}
    cases = sorted(path.stem for path in (tmp_path / "labelsTr").iterdir())
    pictures = sorted(path.name for path in (tmp_path / "imagesTr").iterdir())
    assert pictures == [f"{case}_0000{about['file_ending']}" for case in cases]
    assert told.ignored == told.ignored_now == HOLES * (IMAGES - 1)
    for case in cases:
        expected = masks[case].copy()
        expected.reshape(-1)[:HOLES] = 4
        np.testing.assert_array_equal(pixels(tmp_path / "labelsTr" / f"{case}.png"), expected)


def test_nnunet_takes_no_other_files(tmp_path: Path) -> None:
    source = write_source(tmp_path / "source")
    for path in (source / "pictures").iterdir():
        Image.fromarray(pixels(path)).save(path, format="JPEG")
    options = Options(method="plurality", jobs=1, report=False)
    manifest = SourceOptions(manifest=str(source / "input.manifest"))
    run_job(source, tmp_path / "run", options, source_options=manifest)
    with pytest.raises(ConsolidationError, match="image0: nnU-Net reads one file type"):
        consolidation.export(tmp_path / "run", to="nnunet", out=tmp_path / "out")


def test_ignored_pixels_need_confidence_maps(tmp_path: Path) -> None:
    source = write_source(tmp_path / "source")
    run_job(source, tmp_path / "run", Options(method="plurality", jobs=1, report=False))
    with pytest.raises(RunError, match="--confidence-maps"):
        consolidation.export(tmp_path / "run", to="mmseg", out=tmp_path / "out", ignore_below=0.5)


def test_hugging_face(run: Path, masks: Masks, tmp_path: Path) -> None:
    consolidation.export(run, to="huggingface", out=tmp_path)
    home = tmp_path / "train"
    rows = [json.loads(line) for line in (home / "metadata.jsonl").read_text().splitlines()]
    same({row["id"]: pixels(home / row["label_file_name"]) for row in rows}, masks)
    for row in rows:
        with Image.open(home / row["label_file_name"]) as label:
            assert label.mode == "L"
        assert pixels(home / row["file_name"]).shape[:2] == masks[row["id"]].shape
        assert 0 < row["confidence"] <= 1
    names = json.loads((tmp_path / "id2label.json").read_text())
    assert [names[str(index)] for index in range(4)] == list(NAMES)


# pycocotools hands NumPy an array in an old way
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_coco(run: Path, masks: Masks, tmp_path: Path) -> None:
    consolidation.export(run, to="coco", out=tmp_path)
    path = tmp_path / "annotations" / "instances_train.json"
    same(read_source(path), masks)
    content = json.loads(path.read_text())
    names = {one["id"]: Path(one["file_name"]).stem for one in content["images"]}
    assert [one["name"] for one in content["categories"]] == list(NAMES[1:])
    coco_mask = pytest.importorskip("pycocotools.mask")
    read = {name: np.zeros_like(mask) for name, mask in masks.items()}
    for one in content["annotations"]:
        code, mask = one["segmentation"], read[names[one["image_id"]]]
        part = coco_mask.decode(code).astype(bool)
        assert not mask[part].any(), "annotations overlap"
        mask[part] = one["category_id"] - 1
        assert coco_mask.area(code) == one["area"] == part.sum()
        assert coco_mask.toBbox(code).tolist() == one["bbox"]
        # the very code that pycocotools writes
        assert (
            coco_mask.encode(np.asfortranarray(part.astype(np.uint8)))["counts"].decode()
            == (code["counts"])
        )
        assert 0 < one["score"] <= 1
    same(read, masks)


def test_panoptic(run: Path, masks: Masks, tmp_path: Path) -> None:
    consolidation.export(run, to="coco-panoptic", out=tmp_path, ignore_below=0.9)
    path = tmp_path / "annotations" / "panoptic_train.json"
    expected = {name: mask.copy() for name, mask in masks.items()}
    for mask in expected.values():
        mask.reshape(-1)[:HOLES] = 255
    same(read_source(path), expected)
    content = json.loads(path.read_text())
    assert [one["id"] for one in content["categories"]] == [1, 2, 3, 4]
    # the rules of panopticapi: numbers are R + 256 G + 65536 B, areas and boxes are the segments'
    for one in content["annotations"]:
        colors = pixels(tmp_path / "annotations" / "panoptic_train" / one["file_name"])
        assert colors.ndim == 3
        numbers = colors.astype(int) @ [1, 256, 65536]
        told = {segment["id"]: segment for segment in one["segments_info"]}
        assert set(np.unique(numbers)) - {0} == told.keys()
        for number, segment in told.items():
            rows, columns = np.nonzero(numbers == number)
            assert segment["area"] == len(rows)
            left, top, width, height = segment["bbox"]
            assert (left, top) == (columns.min(), rows.min())
            assert (left + width - 1, top + height - 1) == (columns.max(), rows.max())


def test_label_studio(run: Path, masks: Masks, tmp_path: Path) -> None:
    consolidation.export(run, to="label-studio", out=tmp_path / "out")
    tasks = json.loads((tmp_path / "out" / "tasks.json").read_text())
    assert [task["data"]["consolidation_id"] for task in tasks] == sorted(masks)
    config = (tmp_path / "out" / "label_config.xml").read_text()
    assert 'value="tree &lt;&amp;&gt; bush"' in config
    for task in tasks:
        [prediction] = task["predictions"]
        assert 0 < prediction["score"] <= 1
        for region in prediction["result"]:
            assert f'<BrushLabels name="{region["from_name"]}"' in config
            assert f'<Image name="{region["to_name"]}"' in config
    # what the tool exports when a reviewer submits predictions as they are
    for number, task in enumerate(tasks):
        [prediction] = task.pop("predictions")
        answer = {"id": number, "completed_by": 1, "result": prediction["result"]}
        task |= {"id": number, "annotations": [answer], "drafts": [], "predictions": []}
    (tmp_path / "back.json").write_text(json.dumps(tasks))
    read = read_source(tmp_path / "back.json")
    same(dict(zip(sorted(masks), read.values(), strict=True)), masks)


def test_cvat(run: Path, masks: Masks, tmp_path: Path) -> None:
    consolidation.export(run, to="cvat", out=tmp_path)
    same(read_source(tmp_path / "annotations.xml"), masks)


def test_only_what_needs_review(run: Path, tmp_path: Path) -> None:
    rows = [line.split(",") for line in (run / "images.csv").read_text().splitlines()]
    worst = rows[1][rows[0].index("image") if "image" in rows[0] else 0]
    told = consolidation.export(run, to="label-studio", out=tmp_path / "a", top=1)
    assert (told.images, told.not_chosen) == (1, IMAGES - 2)
    [task] = json.loads((tmp_path / "a" / "tasks.json").read_text())
    assert task["data"]["consolidation_id"] == worst
    score = task["predictions"][0]["score"]
    told = consolidation.export(run, to="cvat", out=tmp_path / "b", review_below=score)
    assert told.images < IMAGES - 1
    told = consolidation.export(run, to="cvat", out=tmp_path / "c", review_below=1.0)
    assert told.images == IMAGES - 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"to": "tiff"}, "--to must be one of mmseg"),
        ({"to": "mmseg", "split": 1.5}, "--split must be more than 0"),
        ({"to": "mmseg", "ignore_below": 2.0}, "--ignore-below must be 0 to 1"),
        ({"to": "mmseg", "pictures": "move"}, "--pictures must be one of"),
        ({"to": "mmseg", "top": -1}, "--top must be a number"),
        ({"to": "nnunet", "split": 0.5}, "has no splits"),
        ({"to": "huggingface", "pictures": "leave"}, "needs the pictures"),
    ],
)
def test_wrong_options(run: Path, tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=re.escape(message)):
        consolidation.export(run, out=tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"train": ["image0"]}, "is not in it (4 such)"),
        ({"train": ["nobody"]}, "'nobody' is no object of the run"),
        ({"training": []}, "must hold lists of ids by train, val, test"),
        ({"train": ["image0"], "val": ["image0"]}, "in train and val"),
    ],
)
def test_wrong_splits(run: Path, tmp_path: Path, content: Any, message: str) -> None:
    path = tmp_path / "split.json"
    path.write_text(json.dumps(content))
    with pytest.raises(OptionError, match=re.escape(message)):
        consolidation.export(run, to="mmseg", out=tmp_path / "out", split=path)


def test_no_finished_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["export", str(tmp_path), "--to", "coco", "--out", str(tmp_path / "out")]
    assert main(arguments) == 2
    assert "holds no finished run" in capsys.readouterr().err


PAGE = "export.md"
"""Whose commands are typed below."""


def test_every_command_of_the_page(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (Path(__file__).parents[1] / "docs" / PAGE).read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    commands = [line.split() for block in blocks for line in block.splitlines()]
    monkeypatch.chdir(tmp_path)
    for program, command, folder, *arguments in commands:
        assert (program, command, folder) == ("consolidate", "export", "results")
        assert main(["export", str(run), *arguments]) == 0, capsys.readouterr().err
    typed = {arguments[arguments.index("--to") + 1] for arguments in commands}
    assert typed == set(EXPORTERS)
    for name in EXPORTERS:
        assert f"`{name}`" in page
