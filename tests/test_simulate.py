"""The simulator: same bytes again, the wire's form, and workers who are what they are called."""

from __future__ import annotations

import base64
import io
import json
import re
import struct
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from consolidation.errors import SourceError
from consolidation.evaluation import mean_iou
from consolidation.formats.truth_reader import read_mask
from consolidation.masks.colors import class_color
from consolidation.simulation import KINDS, SimulatedJob, simulate_job
from consolidation.simulation.answers import truth_png, worker_content, worker_png
from consolidation.simulation.scenes import Scene, draw_scene, smooth_noise
from consolidation.simulation.worker_kinds import hire

Mask = npt.NDArray[np.uint8]
SMALL: dict[str, Any] = {"images": 13, "workers": 7, "size": (48, 64), "kinds": KINDS}
WIDGET = "#2ca02c #1f77b4 #ff7f0e #d62728 #9467bd #8c564b #e377c2 #7f7f7f #bcbd22 #17becf"


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> SimulatedJob:
    return simulate_job(tmp_path_factory.mktemp("job"), **SMALL)


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def requests(job: SimulatedJob) -> list[list[dict[str, Any]]]:
    return [json.loads(path.read_bytes()) for path in sorted(job.requests.iterdir())]


def objects(job: SimulatedJob) -> dict[str, dict[str, Any]]:
    return {obj["datasetObjectId"]: obj for request in requests(job) for obj in request}


def element(annotation: dict[str, Any]) -> dict[str, Any]:
    content = json.loads(annotation["annotationData"]["content"])
    assert list(content) == ["crowd-semantic-segmentation"]
    answer: dict[str, Any] = content["crowd-semantic-segmentation"]
    return answer


def decode(answer: dict[str, Any]) -> Mask:
    """Read an answer by colour alone, the slow and obvious way."""
    rgba = np.asarray(Image.open(io.BytesIO(png_bytes(answer))).convert("RGBA"))
    labels = np.full(rgba.shape[:2], 255, dtype=np.uint8)
    labels[(rgba == 0).all(axis=2)] = 0
    for index, mapping in enumerate(answer["labelMappings"].values(), start=1):
        colour = [*bytes.fromhex(mapping["color"][1:]), 255]
        labels[(rgba == colour).all(axis=2)] = index
    return labels


def png_bytes(answer: dict[str, Any]) -> bytes:
    return base64.b64decode(answer["labeledImage"]["pngImageData"], validate=True)


def chunks(png: bytes) -> list[tuple[str, bytes]]:
    found, start = [], 8
    while start < len(png):
        (length,) = struct.unpack_from(">I", png, start)
        found.append((png[start + 4 : start + 8].decode(), png[start + 8 : start + 8 + length]))
        start += 12 + length
    return found


# --- the job on disk ------------------------------------------------------------------------------


def test_same_seed_same_bytes(job: SimulatedJob, tmp_path: Path) -> None:
    simulate_job(tmp_path, **SMALL)
    first = files(tmp_path)
    assert first == files(job.folder)
    simulate_job(tmp_path, **SMALL)
    assert files(tmp_path) == first


def test_another_seed_another_job(job: SimulatedJob, tmp_path: Path) -> None:
    other = files(simulate_job(tmp_path, **SMALL, seed=1).folder)
    mine = files(job.folder)
    assert other.keys() == mine.keys()
    changed = {name for name in mine if mine[name] != other[name]}
    settings = {"classes.json", "label-categories.json", "input.manifest"}
    assert changed == mine.keys() - settings


def test_a_larger_job_repeats_the_smaller(job: SimulatedJob, tmp_path: Path) -> None:
    smaller = simulate_job(tmp_path, **{**SMALL, "images": 3})
    for folder in ("images", "truth"):
        assert files(smaller.folder / folder).items() <= files(job.folder / folder).items()
    assert objects(smaller).items() <= objects(job).items()


def test_names_and_lists(job: SimulatedJob) -> None:
    lines = job.manifest.read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"source-ref": f"images/{number:03d}.png"} for number in range(13)
    ]
    assert job.class_names == ("BACKGROUND", "road", "tree", "car", "person")
    assert json.loads(job.label_categories.read_text()) == {
        "document-version": "2018-11-28",
        "labels": [{"label": name} for name in job.class_names[1:]],
    }
    classes = json.loads(job.classes.read_text())["classes"]
    assert classes[:2] == [
        {"index": 0, "name": "BACKGROUND", "color": "#ffffff"},
        {"index": 1, "name": "road", "color": "#2ca02c"},
    ]
    assert job.worker_ids[0] == "private.us-east-1.careful01"
    assert job.worker_kinds == KINDS[:7]
    assert not [name for name in files(job.folder) if ":" in name]


def test_pictures_and_truth(job: SimulatedJob) -> None:
    for number, object_id in enumerate(job.object_ids):
        with Image.open(job.folder / job.image_key(number)) as picture:
            assert (picture.mode, picture.size) == ("RGB", (64, 48))
        with Image.open(job.truth / f"{object_id}.png") as truth:
            assert (truth.mode, truth.size) == ("P", (64, 48))
            assert 1 <= np.asarray(truth).max() <= 4


def test_truth_is_written_like_a_consolidated_mask() -> None:
    png = truth_png(np.array([[0, 1, 2]], dtype=np.uint8), 2)
    parts = chunks(png)
    assert [name for name, _ in parts] == ["IHDR", "PLTE", "IDAT", "IEND"]
    assert parts[0][1][8:10] == bytes([8, 3])
    assert parts[1][1] == bytes.fromhex("ffffff2ca02c1f77b4") + b"\xff" * 3 * 253


def test_requests(job: SimulatedJob) -> None:
    batches = requests(job)
    assert [len(batch) for batch in batches] == [10, 3]
    assert (job.requests / "2026-01-01_00_00_00.json").is_file()
    order = [obj["datasetObjectId"] for batch in batches for obj in batch]
    assert sorted(order, key=int) == list(job.object_ids) != order
    for object_id, obj in objects(job).items():
        assert list(obj) == ["datasetObjectId", "dataObject", "annotations"]
        assert obj["dataObject"] == {"s3Uri": f"images/{int(object_id):03d}.png"}
        workers = [annotation["workerId"] for annotation in obj["annotations"]]
        assert 1 <= len(set(workers)) == len(workers)
        assert set(workers) <= set(job.worker_ids)
        for annotation in obj["annotations"]:
            answer = element(annotation)
            assert answer["inputImageProperties"] == {"height": 48, "width": 64}
            colours = [mapping["color"] for mapping in answer["labelMappings"].values()]
            assert list(answer["labelMappings"]) == list(job.class_names[1:])
            assert colours == WIDGET.split()[:4]
            assert decode(answer).max() <= 4


def test_share_of_missing_answers(tmp_path: Path) -> None:
    for missing, low, high in ((0.0, 200, 200), (0.3, 120, 160), (0.99, 40, 44)):
        folder = tmp_path / str(missing)
        job = simulate_job(folder, images=40, size=(16, 16), missing=missing)
        counts = [len(obj["annotations"]) for obj in objects(job).values()]
        assert min(counts) >= 1
        assert low <= sum(counts) <= high


# --- a worker's PNG -------------------------------------------------------------------------------

FILLED = int(version("pillow").split(".")[0]) < 13
"""Whether Pillow fills a palette up to its depth, which harms nobody."""


@pytest.mark.parametrize(
    ("colours", "bits"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 4), (16, 4), (17, 8), (255, 8)]
)
def test_depth_is_the_smallest(colours: int, bits: int) -> None:
    labels = np.arange(colours, dtype=np.uint8)[np.newaxis, ::-1]
    parts = dict(chunks(worker_png(labels)))
    assert (parts["IHDR"][8], parts["IHDR"][9]) == (bits, 3)
    assert len(parts["PLTE"]) == 3 * (1 << bits if FILLED else colours)
    names = [f"class {k}" for k in range(1, 255)]
    answer = json.loads(worker_content(labels, names))["crowd-semantic-segmentation"]
    np.testing.assert_array_equal(decode(answer), labels)


@pytest.mark.parametrize(
    ("labels", "palette", "alpha"),
    [
        ([0, 0, 0], "000000", "00"),  # blank
        ([0, 2, 1], "0000001f77b42ca02c", "00"),
        ([2, 2, 0, 1], "1f77b40000002ca02c", "ff00"),  # tRNS stops at the transparent entry
        ([2, 1], "1f77b42ca02c", None),  # all painted
    ],
)
def test_palette_in_order_of_appearance(labels: list[int], palette: str, alpha: str | None) -> None:
    parts = chunks(worker_png(np.array([labels], dtype=np.uint8)))
    names = ["IHDR", "sRGB", "PLTE", *(["tRNS"] if alpha else []), "IDAT", "IEND"]
    assert [name for name, _ in parts] == names
    found = dict(parts)["PLTE"].hex()
    assert found == palette or (FILLED and found.startswith(palette))
    if alpha:
        assert dict(parts)["tRNS"].hex() == alpha


def test_colours_follow_the_widget() -> None:
    assert [class_color(index) for index in range(1, 11)] == WIDGET.split()
    assert len({class_color(index) for index in range(255)}) == 255


# --- workers --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [draw_scene(np.random.default_rng(seed), 4, (96, 128)) for seed in range(20)]


def paint(kind: str, scenes: list[Scene]) -> list[tuple[Mask, Scene]]:
    worker = hire("me", kind, 4, np.random.default_rng(1))
    rngs = [np.random.default_rng([2, number]) for number in range(len(scenes))]
    return [(worker.annotate(scene, rng), scene) for scene, rng in zip(scenes, rngs, strict=True)]


def mean_score(kind: str, scenes: list[Scene]) -> float:
    return float(np.mean([mean_iou(mask, scene.truth) for mask, scene in paint(kind, scenes)]))


def far_from_borders(truth: Mask, reach: int) -> npt.NDArray[np.bool_]:
    """Pixels whose whole neighbourhood has one class."""
    padded = np.pad(truth, reach, mode="edge")
    side = 2 * reach + 1
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side))
    return np.asarray(windows.min(axis=(2, 3)) == windows.max(axis=(2, 3)))


def shares_by_object(mask: Mask, scene: Scene, classes: Mask) -> list[float]:
    """Share of each visible object's inner pixels that the mask gives the class in `classes`."""
    shares = []
    inner = far_from_borders(scene.objects, 1)
    for number in range(1, scene.object_classes.size):
        inside = (scene.objects == number) & inner
        if inside.any():
            shares.append(float((mask[inside] == classes[number]).mean()))
    return shares


def test_careful_errs_by_a_pixel(scenes: list[Scene]) -> None:
    for mask, scene in paint("careful", scenes):
        assert not (mask != scene.truth)[far_from_borders(scene.truth, 1)].any()
        assert (mask != scene.truth).any()
    assert mean_score("careful", scenes) > 0.9


def test_sloppy_errs_by_several(scenes: list[Scene]) -> None:
    wrong = [(mask != scene.truth) for mask, scene in paint("sloppy", scenes)]
    for errors, scene in zip(wrong, scenes, strict=True):
        assert not errors[far_from_borders(scene.truth, 7)].any()
    beyond = [e[far_from_borders(s.truth, 2)].any() for e, s in zip(wrong, scenes, strict=True)]
    assert np.mean(beyond) > 0.8
    assert mean_score("sloppy", scenes) < mean_score("careful", scenes) - 0.1


def test_misses_leaves_out_whole_objects(scenes: list[Scene]) -> None:
    painted = [
        share
        for mask, scene in paint("misses", scenes)
        for share in shares_by_object(mask, scene, scene.object_classes)
    ]
    assert set(painted) == {0.0, 1.0}
    assert 0.2 < painted.count(0.0) / len(painted) < 0.5


def test_confuses_two_fixed_classes_for_whole_objects(scenes: list[Scene]) -> None:
    one, other = hire("me", "confuses", 4, np.random.default_rng(1)).confused
    assert 1 <= one < other <= 4
    swap = np.arange(5, dtype=np.uint8)
    swap[[one, other]] = other, one
    swapped = []
    for mask, scene in paint("confuses", scenes):
        inner = far_from_borders(scene.truth, 1)
        unaffected = inner & (swap[scene.truth] == scene.truth)
        np.testing.assert_array_equal(mask[unaffected], scene.truth[unaffected])
        affected = swap[scene.object_classes] != scene.object_classes
        numbers = np.flatnonzero(affected)
        only = Scene(
            np.where(np.isin(scene.objects, numbers), scene.objects, 0).astype(np.uint8),
            scene.object_classes,
            scene.picture,
        )
        swapped += shares_by_object(mask, only, swap[scene.object_classes])
    assert set(swapped) == {0.0, 1.0}
    assert 0.55 < swapped.count(1.0) / len(swapped) < 0.95


def test_one_class_leaves_nothing_to_confuse() -> None:
    scene = draw_scene(np.random.default_rng(0), 1, (32, 32))
    worker = hire("me", "confuses", 1, np.random.default_rng(0))
    assert mean_iou(worker.annotate(scene, np.random.default_rng(0)), scene.truth) > 0.8


def test_blobs_and_noise_know_nothing_of_the_picture(scenes: list[Scene]) -> None:
    worker = hire("me", "blobs", 4, np.random.default_rng(1))
    for kind in ("blobs", "noise"):
        worker = hire("me", kind, 4, np.random.default_rng(1))
        answers = [worker.annotate(scene, np.random.default_rng(5)) for scene in scenes]
        assert all((answer == answers[0]).all() for answer in answers)
        assert mean_score(kind, scenes) < 0.3
    # blobs are connected: neighbours mostly agree; noise: they agree by chance, 1 in 5
    for kind, low, high in (("blobs", 0.9, 1.0), ("noise", 0.15, 0.25)):
        masks = np.stack([mask for mask, _ in paint(kind, scenes)])
        assert low < (masks[:, :, 1:] == masks[:, :, :-1]).mean() < high


def test_blank_paints_nothing(scenes: list[Scene]) -> None:
    assert not any(mask.any() for mask, _ in paint("blank", scenes))


def test_smooth_noise_is_centred_and_smooth() -> None:
    noise = smooth_noise(np.random.default_rng(0), (400, 400), 10)
    assert noise.shape == (400, 400)
    assert abs(noise.mean()) < 0.1
    assert 0.5 < noise.std() < 0.9
    assert np.abs(np.diff(noise, axis=1)).mean() < noise.std() / 5


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"images": 0}, "images must be at least 1, got 0"),
        ({"workers": 0}, "workers must be at least 1, got 0"),
        ({"classes": 255}, "classes must be in 1..254, got 255"),
        ({"size": (8, 64)}, "size must be two numbers (rows, columns) of at least 16"),
        ({"seed": -1}, "seed must not be negative"),
        ({"missing": 1.0}, "missing must be in [0, 1), got 1.0"),
        ({"kinds": ["careful", "lazy"]}, "no worker kind 'lazy'; there are careful, sloppy"),
        ({"kinds": []}, "kinds must name at least one of careful"),
    ],
)
def test_refuses_bad_arguments(tmp_path: Path, argument: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        simulate_job(tmp_path / "job", **argument)
    assert not (tmp_path / "job").exists()


def test_refuses_to_mix_two_jobs(tmp_path: Path) -> None:
    simulate_job(tmp_path, images=12, workers=1, size=(16, 16))
    with pytest.raises(SourceError, match=r"files of another job, such as .*002\.png"):
        simulate_job(tmp_path, images=2, workers=1, size=(16, 16))


def test_many_classes(tmp_path: Path) -> None:
    job = simulate_job(tmp_path, images=1, workers=1, classes=254, size=(32, 32))
    assert len(set(job.class_names)) == 255
    assert job.class_names[17] == "class 17"
    assert read_mask(job.truth / "0.png").shape == (32, 32)


# --- workers who do not draw what they see --------------------------------------------------------


def test_twins_and_those_who_accept_give_the_same_mask_whoever_they_are(
    scenes: list[Scene],
) -> None:
    for kind in ("twins", "accepts"):
        first, second = (
            hire(name, kind, 4, np.random.default_rng(n)) for n, name in enumerate("ab")
        )
        for number, scene in enumerate(scenes[:5]):
            one = first.annotate(scene, np.random.default_rng(number))
            other = second.annotate(scene, np.random.default_rng(99))
            np.testing.assert_array_equal(one, other)


def test_copiers_take_the_first_answer_and_draw_where_there_is_none(scenes: list[Scene]) -> None:
    answers = [mask for mask, _ in paint("sloppy", scenes[:2])]
    copies, grows = (hire(kind, kind, 4, np.random.default_rng(0)) for kind in ("copies", "grows"))
    rng = np.random.default_rng(0)
    np.testing.assert_array_equal(copies.annotate(scenes[0], rng, answers), answers[0])
    larger = grows.annotate(scenes[0], rng, answers)
    painted = answers[0] > 0
    np.testing.assert_array_equal(larger[painted], answers[0][painted])
    assert (larger > 0).sum() > painted.sum()
    assert mean_iou(copies.annotate(scenes[0], rng), scenes[0].truth) > 0.8


def test_who_corrects_is_between_who_accepts_and_who_is_careful(scenes: list[Scene]) -> None:
    scores = [mean_score(kind, scenes) for kind in ("accepts", "corrects", "careful")]
    assert scores == sorted(scores)


@pytest.mark.parametrize("kind", ["boxes", "dilates"])
def test_boxes_and_dilated_masks_cover_what_is_there(kind: str, scenes: list[Scene]) -> None:
    for mask, scene in paint(kind, scenes):
        inner = far_from_borders(scene.truth, 1) & (scene.truth > 0)
        assert (mask[inner] > 0).all()
        assert (mask > 0).sum() > (scene.truth > 0).sum()


def test_largest_and_halves_leave_out_objects_and_shifts_move_them(scenes: list[Scene]) -> None:
    whole = sum((mask > 0).sum() for mask, _ in paint("careful", scenes))
    for kind, low, high in (("largest", 0.1, 0.8), ("halves", 0.3, 0.7), ("shifts", 0.8, 1.0)):
        assert low < sum((mask > 0).sum() for mask, _ in paint(kind, scenes)) / whole < high
    assert mean_score("shifts", scenes) < mean_score("careful", scenes) - 0.05
