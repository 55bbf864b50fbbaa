"""The same job in every format: the same masks, the same consensus, everything a run gives."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from consolidation.cli import main
from consolidation.commands.calibrate import calibrate
from consolidation.commands.evaluate import evaluate_folders
from consolidation.commands.inspect import inspect_source
from consolidation.commands.run import run_job
from consolidation.commands.show import show_object
from consolidation.errors import RunError, SourceError
from consolidation.formats import FORMATS, SourceOptions, open_source
from consolidation.masks import decode_indices
from consolidation.storage import s3
from tests.sample_exports import LABELS, WORKERS, WRITERS, label_studio, small_job
from tests.shared_data import FORMATS as SAMPLES
from tests.shared_data import MASKS, needs_shared
from tests.source_checks import check_source
from tests.wire import plain, write_index_mask

ALONE = plain(jobs=1)
JOB = small_job()
EACH = pytest.mark.parametrize("name", WRITERS)


def write(name: str, folder: Path) -> tuple[Path, SourceOptions]:
    writer, reading = WRITERS[name]
    return writer(JOB, folder / "job"), reading


def consensus(out: Path) -> dict[str, Any]:
    return {
        str(path.relative_to(out / "masks").with_suffix("")): decode_indices(path.read_bytes())
        for path in (out / "masks").rglob("*.png")
    }


def expected() -> dict[str, Any]:
    """The plurality of the job's masks, the lowest class where classes are tied."""
    result = {}
    for image, masks in JOB.items():
        stack = np.stack(list(masks.values()))
        result[image] = np.stack([(stack == k).sum(axis=0) for k in range(3)]).argmax(axis=0)
    return result


@EACH
def test_every_source_passes_the_checks(name: str, tmp_path: Path) -> None:
    path, reading = write(name, tmp_path)
    source = open_source(path, reading)
    assert source.name == name.partition(" ")[0] == FORMATS[source.name].name
    assert source.classes().names == ("BACKGROUND", *LABELS)
    held = check_source(path, reading)
    assert list(held) == list(JOB)
    for image, masks in JOB.items():
        for worker, mask in zip(held[image].workers, held[image].masks, strict=True):
            np.testing.assert_array_equal(mask, masks[worker], f"{name} {image} {worker}")
        # who found nothing is there where the format lists him
        missing = set(WORKERS) - set(held[image].workers)
        assert missing <= ({"cid"} if image == "image-0" else set())
        assert not missing or name in ("supervisely",)


@EACH
def test_every_run_is_the_same(name: str, tmp_path: Path) -> None:
    path, reading = write(name, tmp_path)
    summary = run_job(path, tmp_path / "out", ALONE, source_options=reading)
    assert (summary.images, summary.failures) == (2, 0)
    for image, mask in expected().items():
        np.testing.assert_array_equal(consensus(tmp_path / "out")[image], mask)
    again = run_job(path, tmp_path / "out", ALONE, source_options=reading)
    assert again.now == 0
    assert show_object(tmp_path / "out", "image-1").endswith("image-1.png")


@EACH
def test_inspect_tells_what_is_there(name: str, tmp_path: Path) -> None:
    path, reading = write(name, tmp_path)
    found = inspect_source(path, source_options=reading)
    assert (found.objects, found.problems) == (2, [])
    assert found.sizes == {(12, 17): 6}
    assert found.classes == ("BACKGROUND", *LABELS)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["label-studio", "cvat zips", "volumes"])
def test_other_processes_read_it_too(name: str, tmp_path: Path) -> None:
    """Archives that are open before a process is forked are read by both."""
    writer, reading = WRITERS[name]
    path = writer(small_job(40), tmp_path / "job")
    run_job(path, tmp_path / "one", ALONE, source_options=reading)
    run_job(path, tmp_path / "two", plain(jobs=3), source_options=reading)
    assert [(tmp_path / one / "failures.jsonl").read_text() for one in ("one", "two")] == ["", ""]
    one, two = consensus(tmp_path / "one"), consensus(tmp_path / "two")
    assert len(one) == 40 and one.keys() == two.keys()
    assert all((one[image] == two[image]).all() for image in one)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["label-studio", "cvat zips", "coco", "volumes"])
def test_from_s3(name: str, here: Any, tmp_path: Path) -> None:
    path, reading = write(name, tmp_path)
    s3._default_client.cache_clear()
    client = here.client("s3")
    bucket = f"formats-{name.replace(' ', '-')}"
    client.create_bucket(Bucket=bucket)
    files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    for one in files:
        key = f"job/{one.name if path.is_file() else one.relative_to(path).as_posix()}"
        client.put_object(Bucket=bucket, Key=key, Body=one.read_bytes())
    uri = f"s3://{bucket}/job/{path.name}" if path.is_file() else f"s3://{bucket}/job"
    run_job(uri, tmp_path / "out", ALONE, source_options=reading)
    for image, mask in expected().items():
        np.testing.assert_array_equal(consensus(tmp_path / "out")[image], mask)


def test_options_of_formats_are_part_of_a_run(tmp_path: Path) -> None:
    path, _ = write("label-studio", tmp_path)
    run_job(path, tmp_path / "out", ALONE)
    for other in ({"unpainted": "ignore"}, {"priority": ("cat",)}, {"multilabel": True}):
        with pytest.raises(RunError, match="holds a run with"):
            run_job(path, tmp_path / "out", ALONE, source_options=SourceOptions(**other))
    run_job(
        path,
        tmp_path / "out",
        ALONE,
        source_options=SourceOptions(format="label-studio"),
        restart=True,
    )
    reading = SourceOptions(priority=("cat", "dog"), unpainted="ignore")
    run_job(path, tmp_path / "other", ALONE, source_options=reading)
    assert show_object(tmp_path / "other", "image-1")


def test_one_class_after_another(tmp_path: Path) -> None:
    path, _ = write("label-studio", tmp_path)
    run_job(path, tmp_path / "out", ALONE, source_options=SourceOptions(multilabel=True))
    found = consensus(tmp_path / "out")
    assert len(found) == 4
    for image, masks in JOB.items():
        for k, label in enumerate(LABELS, 1):
            votes = np.stack([mask == k for mask in masks.values()]).sum(axis=0)
            mask = found[f"{image}%2F{label}"]
            np.testing.assert_array_equal(mask, np.where(votes > 1, k, 0))


def with_truth(folder: Path) -> Path:
    path = label_studio(JOB, folder)
    tasks = json.loads(path.read_text())
    for task in tasks:
        task["annotations"][0]["ground_truth"] = True
    path.write_text(json.dumps(tasks))
    return path


def test_truth_of_the_source_itself(tmp_path: Path) -> None:
    path = with_truth(tmp_path)
    source = open_source(path)
    assert all(len(item.load().answers) == 2 for item in source.items)
    learnt = calibrate(path, options=ALONE)
    assert learnt.calibration.images == 2 and not learnt.skipped
    run_job(path, tmp_path / "out", replace(ALONE, confidence_maps=True))
    scores = evaluate_folders(tmp_path / "out", path)
    assert scores.confidence is not None
    truth = {image: masks["ann"] for image, masks in JOB.items()}
    right = [consensus(tmp_path / "out")[image] == mask for image, mask in truth.items()]
    assert scores.pixel_accuracy == pytest.approx(np.mean(right))
    with pytest.raises(SourceError, match="no annotation that is marked as the truth"):
        calibrate(label_studio(JOB, tmp_path / "plain"), options=ALONE)


def test_an_export_of_one_annotator_is_a_truth(tmp_path: Path) -> None:
    path, _ = write("coco", tmp_path)
    run_job(path, tmp_path / "out", ALONE)
    scores = evaluate_folders(tmp_path / "out", path / "ann.json")
    right = [consensus(tmp_path / "out")[image] == masks["ann"] for image, masks in JOB.items()]
    assert scores.pixel_accuracy == pytest.approx(np.mean(right))
    assert calibrate(path, path / "ann.json", ALONE).calibration.images == 2
    with pytest.raises(SourceError, match="3 annotators"):
        evaluate_folders(tmp_path / "out", path)


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = with_truth(tmp_path)
    assert main(["inspect", str(path), "--format", "label-studio"]) == 0
    assert "export of Label Studio: 2 objects, 4 answers" in capsys.readouterr().out
    out = str(tmp_path / "out")
    arguments = ["run", str(path), "--out", out, "--priority", "dog, cat", "--unpainted", "ignore"]
    assert main([*arguments, "--jobs", "1", "--quiet", "--no-report"]) == 0
    assert main(["evaluate", out, str(path)]) == 0
    assert main(["calibrate", str(path), "--out", str(tmp_path / "c.json"), "--quiet"]) == 0
    capsys.readouterr()
    assert main(["calibrate", str(tmp_path / "out"), "--out", str(tmp_path / "c.json")]) == 2
    with pytest.raises(SystemExit):
        main(["inspect", str(path), "--format", "yolo"])


def test_manifest_of_the_job(tmp_path: Path) -> None:
    path, _ = write("coco", tmp_path)
    manifest = tmp_path / "input.manifest"
    lines = [
        {"source-ref": f"s3://b/{image}.jpg", "n": n} for n, image in enumerate(reversed(list(JOB)))
    ]
    manifest.write_text("\n".join(json.dumps(line) for line in lines))
    reading = SourceOptions(manifest=manifest)
    run_job(path, tmp_path / "out", ALONE, source_options=reading)
    text = (tmp_path / "out" / "output.manifest").read_text()
    written = [json.loads(line) for line in text.splitlines()]
    assert [line["n"] for line in written] == [0, 1]
    assert written[0]["consolidated-ref"] == "masks/image-1.png"


@pytest.mark.parametrize("name", ["label-studio", "cvat", "coco", "supervisely", "label-files"])
def test_every_region_is_counted(name: str, tmp_path: Path) -> None:
    path, reading = write(name, tmp_path)
    n = 6 if name == "label-files" else 5
    notes = open_source(path, reading).notes
    assert f"regions: {2 * n}: 'cat' {n}, 'dog' {n}" in notes


def test_masks_beside_an_export(tmp_path: Path) -> None:
    """What was read as a folder of masks is not read as something else in silence."""
    path, _ = write("coco", tmp_path)
    (path / "image-0").mkdir()
    write_index_mask(path / "image-0" / "worker_1.png", [[0, 1]])
    with pytest.raises(SourceError, match="--format masks or --format coco"):
        open_source(path)
    assert open_source(path, SourceOptions(format="masks")).ids == ["image-0"]
    assert open_source(path, SourceOptions(format="coco")).ids == list(JOB)
    reading = SourceOptions(masks="{image}/{worker}.png")
    assert open_source(path, reading).name == "masks"


def test_presets_of_pictures(tmp_path: Path) -> None:
    from PIL import Image

    mask = np.zeros((6, 8), np.uint8)
    mask[1:3], mask[4:] = 1, 2
    for worker in ("ann", "bob"):
        (tmp_path / "voc" / worker / "SegmentationClass").mkdir(parents=True)
        image = Image.fromarray(mask).convert("P")
        image.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0] + [0] * 759)
        image.putdata(mask.reshape(-1).tolist())
        image.save(tmp_path / "voc" / worker / "SegmentationClass" / "x.png")
    (tmp_path / "ima").mkdir()
    for name in ("x_1_A00_T1_S1_7", "x_1_A01_T2_S2_8", "x_1_ST_ST_ST_ST", "x_1_MV_MV_MV_MV"):
        Image.fromarray((mask > 0).astype(np.uint8) * 255).save(tmp_path / "ima" / f"{name}.png")
    held = check_source(tmp_path / "voc", SourceOptions(preset="voc"))
    assert held["x"].workers == ["ann", "bob"]
    np.testing.assert_array_equal(held["x"].masks[1], mask)
    held = check_source(tmp_path / "ima", SourceOptions(preset="ima"))
    assert held["x_1"].workers == ["A00", "A01"]
    np.testing.assert_array_equal(held["x_1"].masks[0], mask > 0)


def test_items_stay_small(tmp_path: Path) -> None:
    """What is sent to other processes does not grow with what was drawn."""
    path, _ = write("label-studio", tmp_path)
    (item, *_) = open_source(path).items
    assert len(pickle.dumps(item)) < 1000


def test_pictures_beside_the_export_are_in_the_report(tmp_path: Path) -> None:
    from PIL import Image

    path, _ = write("cvat", tmp_path)
    (path / "images").mkdir()
    for image in JOB:
        Image.new("RGB", (17, 12), (9, 90, 200)).save(path / "images" / f"{image}.jpg")
    source = open_source(path)
    assert [Path(item.picture).name for item in source.items] == ["image-0.jpg", "image-1.jpg"]
    assert all(Path(item.picture).is_file() for item in source.items)
    run_job(path, tmp_path / "out", replace(ALONE, report=True))
    plain_path, _ = write("cvat", tmp_path / "bare")
    run_job(plain_path, tmp_path / "bare-out", replace(ALONE, report=True))
    drawn, bare = (len((tmp_path / one / "report.html").read_text()) for one in ("out", "bare-out"))
    assert drawn > bare + 200


# -- the derived sets are the folder they were derived from


@needs_shared
@pytest.mark.parametrize(
    "path",
    [
        "label-studio/derived_four_annotators.json",
        "cvat/derived",
        "coco/derived_raters.json",
        "nifti",
    ],
)
def test_derived_sets_give_the_folders_consensus(path: str, tmp_path: Path) -> None:
    import shutil

    for image in ("inns1_1107", "inns1_1114"):
        folder = tmp_path / "folder" / image
        folder.mkdir(parents=True)
        for worker in (1, 3, 4, 5):
            name = f"worker_{worker}.png"
            shutil.copy(MASKS / "bioimage_cfos" / image / name, folder / name)
    classes = {"classes": [{"index": 1, "name": "cfos"}]}
    (tmp_path / "folder" / "classes.json").write_text(json.dumps(classes))
    options = replace(ALONE, method="auto", smoothing=1.0, ties="neighbours")
    run_job(tmp_path / "folder", tmp_path / "expected", options)
    run_job(SAMPLES / path, tmp_path / "out", options)
    ours = dict(
        zip(
            sorted(consensus(tmp_path / "out")),
            sorted(consensus(tmp_path / "expected")),
            strict=True,
        )
    )
    for one, other in ours.items():
        np.testing.assert_array_equal(
            consensus(tmp_path / "out")[one], consensus(tmp_path / "expected")[other]
        )
