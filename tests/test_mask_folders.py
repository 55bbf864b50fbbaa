"""Folders of masks that do not agree with themselves: whose they are, what their values mean."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from consolidation.commands.calibrate import calibrate
from consolidation.commands.evaluate import evaluate_folders
from consolidation.commands.inspect import inspect_source
from consolidation.commands.run import run_job
from consolidation.commands.show import show_object
from consolidation.errors import OptionError, RunError, SourceError
from consolidation.formats import SourceOptions, job_classes, open_source, survey
from consolidation.formats.mask_pattern import what_lies_there
from consolidation.formats.value_option import ValueOption
from consolidation.kernels import values as kernel
from consolidation.masks import decode_indices
from consolidation.masks.sight import look
from consolidation.masks.stored import decode_stored
from tests import naive, wire
from tests import value_cases as made
from tests.wire import json_lines, plain, write_index_mask, write_json


def write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def masks_by(folder: Path, **by_worker: bytes) -> Path:
    """Images a and b, each with these masks."""
    for worker, data in by_worker.items():
        for image in "ab":
            write(folder / image / f"worker_{worker}.png", data)
    return folder


def classes_of(folder: Path, *names: str) -> None:
    write(folder / "classes.json", made.indexed(*names)[1].encode())


def result(out: Path, image: str = "a") -> Any:
    return decode_indices((out / "masks" / f"{image}.png").read_bytes())


WHITE = made.grey(made.scaled(made.TWO))
ONES = made.grey(made.TWO)


# -- values


def test_white_of_some_workers_beside_indices_of_others_is_refused(tmp_path: Path) -> None:
    job = masks_by(tmp_path / "job", ann=ONES, bob=ONES, cid=WHITE)
    text = r"all masks of 'cid' hold 0 and 255 alone, .* where others hold class indices, as a/work"
    for listed in (False, True):
        if listed:
            classes_of(job, "background", "cell")
        with pytest.raises(SourceError, match=text):
            run_job(job, tmp_path / "out", plain())
        with pytest.raises(SourceError, match=text):
            inspect_source(job)
    options = plain(values="0=background,1=cell,255=cell")
    assert run_job(job, tmp_path / "out", options).values == "--values 0=background,1=cell,255=cell"
    assert np.array_equal(result(tmp_path / "out"), made.TWO)
    # the decision is part of the run
    with pytest.raises(RunError, match="values: "):
        run_job(job, tmp_path / "out", plain(values="0=background,1=cell,255=ignored"))
    # and what draws an image of it keeps to it
    assert show_object(tmp_path / "out", "a").endswith("a.png")


def test_a_mask_without_the_void_value_or_some_class_is_no_contradiction(tmp_path: Path) -> None:
    job = masks_by(tmp_path / "job", ann=made.grey(made.VOID), bob=made.grey(made.THREE), cid=ONES)
    classes_of(job, "background", "cell", "core")
    summary = run_job(job, tmp_path / "out", plain())
    assert (summary.failures, summary.warnings) == (0, 0)
    # 81 places of the border in two masks of six: counted here
    share = 2 * (made.VOID == 255).sum() / (6 * made.VOID.size)
    assert f"not labelled: {share * 100:.1f} %" in summary.notes[0]
    assert np.array_equal(
        result(tmp_path / "out"), made.THREE * (made.THREE == 1) + 2 * (made.THREE == 2)
    )


def test_a_value_that_was_never_seen_fails_its_object_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(survey, "AT_ONCE", 1)
    job = tmp_path / "job"
    for image in range(6):
        for worker in "123":
            write(job / f"{image}" / f"worker_{worker}.png", ONES)
    classes_of(job, "background", "cell")
    write(job / "5" / "worker_3.png", made.grey(made.TWO * 7))
    write(job / "4" / "worker_3.png", WHITE)
    write(job / "3" / "worker_3.png", made.photograph(made.TWO))
    summary = run_job(job, tmp_path / "out", plain())
    assert "values are told from 1 of 18 masks" in summary.notes
    assert (summary.images, summary.failures, summary.warnings) == (4, 2, 1)
    reasons = {one["object"]: one["reason"] for one in json_lines(tmp_path / "out/failures.jsonl")}
    assert reasons["5"].startswith(
        "worker 3: it holds 7 (448 pixels), which mean nothing here: 0 BA"
    )
    assert reasons["4"].startswith(
        "worker 3: it holds 0 and 255 alone, as black and white masks do"
    )
    [warning] = json_lines(tmp_path / "out" / "warnings.jsonl")
    assert warning["object"] == "3"
    assert warning["message"].startswith("answer dropped: it is a photograph or a gradient of")
    found = inspect_source(job)
    assert [line.partition(":")[0] for line in found.by_kind["objects that fail"]] == [
        "object 4",
        "object 5",
    ]


@pytest.mark.parametrize("listed", [False, True])
def test_with_a_class_list_some_masks_are_looked_at_and_without_one_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listed: bool
) -> None:
    for image in range(50):
        for worker in "12":
            write_index_mask(tmp_path / f"{image}" / f"worker_{worker}.png", [0, 1, 2])
    if listed:
        classes_of(tmp_path, "background", "cell", "core")
    looked = []
    monkeypatch.setattr(survey, "look", lambda stored: looked.append(1) or look(stored))
    job_classes(open_source(tmp_path), None)
    assert len(looked) == (survey.AT_ONCE if listed else 100)


def test_palettes_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    job = masks_by(
        tmp_path / "job",
        ann=made.palette(made.COLORS)(made.THREE),
        bob=made.palette(made.OTHERS)(made.THREE),
    )
    text = r"value 1 is #ff0000 in .*ann\.png and #0000ff in .*bob\.png; --by index reads values"
    with pytest.raises(SourceError, match=text):
        run_job(job, tmp_path / "out", plain())
    run_job(job, tmp_path / "out", plain(by="index"))
    assert np.array_equal(result(tmp_path / "out"), made.THREE)
    # by colour, bob's 1 and 2 are swapped: two against two, and the lowest class
    write(job / "classes.json", made.COLORED[1].encode())
    run_job(job, tmp_path / "out2", plain(by="color"))
    assert np.array_equal(result(tmp_path / "out2"), np.minimum(made.THREE, 1))


def test_colours_that_no_class_has_are_ignored_and_said(tmp_path: Path) -> None:
    stray = made.THREE.copy()
    stray[0, :5] = 1
    colors = np.array(made.COLORS, np.uint8)[stray]
    colors[0, :3] = (9, 9, 9)
    white = colors.copy()
    white[0, 3:5] = 255
    masks = {"ann": colors, "bob": white, "cid": colors}
    job = masks_by(tmp_path / "job", **{name: made.png(one) for name, one in masks.items()})
    write(job / "classes.json", made.COLORED[1].encode())
    summary = run_job(job, tmp_path / "out", plain())
    # each mask once for its strays, bob's also for white that no class has
    assert (summary.failures, summary.warnings) == (0, 2 * 4)
    assert result(tmp_path / "out")[0, :6].tolist() == [255, 255, 255, 1, 1, 0]


def test_a_photograph_among_coloured_masks_does_not_vote(tmp_path: Path) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (made.SIDE, made.SIDE, 3)).astype(np.uint8)
    # it may have a class's colour somewhere
    photo[:4, :4] = made.COLORS[1]
    colors = made.painted(made.COLORS)(made.THREE)
    job = masks_by(tmp_path / "job", ann=colors, bob=colors, photo=made.png(photo))
    write(job / "classes.json", made.COLORED[1].encode())
    run_job(job, tmp_path / "out", plain())
    dropped = {
        one["worker"]: one["message"] for one in json_lines(tmp_path / "out" / "warnings.jsonl")
    }
    assert set(dropped) == {"photo"} and "most of them no class's" in dropped["photo"]
    assert np.array_equal(result(tmp_path / "out"), made.THREE)


def test_numbers_of_arrays_mean_what_those_of_pictures_do(tmp_path: Path) -> None:
    stack = np.stack([made.scaled(made.TWO)] * 3)
    np.save(tmp_path / "a.npy", stack)
    reading = SourceOptions(masks="{image}.npy")
    summary = run_job(tmp_path, tmp_path / "out", plain(), source_options=reading)
    assert summary.notes == (
        "read as 3 workers' masks of 40 x 40 pixels, by the first axis: a",
        "its masks hold 0 and 255 alone: BACKGROUND and 'class-1'",
    )
    assert np.array_equal(result(tmp_path / "out"), made.TWO)
    np.save(tmp_path / "a.npy", stack.astype(np.uint16) * 4)
    with pytest.raises(SourceError, match="holds 1020, and at most 255 classes fit: --values says"):
        inspect_source(tmp_path, source_options=reading)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0", "--values must be index, or values and classes such as"),
        ("0=", "not '0='"),
        ("5-3=cell", "not '5-3=cell'"),
        ("0=background,70000=cell", "not '70000=cell'"),
        ("0-9=background,9=cell", "--values says twice what 9 means"),
    ],
)
def test_values_that_cannot_be_said(text: str, reason: str) -> None:
    with pytest.raises(OptionError, match=reason):
        ValueOption.parse(text)


# -- whose masks


def test_pictures_and_truths_beside_masks_do_not_vote(tmp_path: Path) -> None:
    job = tmp_path / "job"
    for image in "ab":
        for name in ("ann", "bob", "worker_truth"):
            write(job / image / f"{name}.png", ONES)
        for name in (
            "image",
            "truth",
            "GT",
            "reference_mv",
            "ground-truth",
            "STAPLE",
            "consensus-2",
        ):
            write(job / image / f"{name}.png", made.photograph(made.TWO))
        for name in ("._ann.png", ".hidden/x.png", "thumbs/ann.png"):
            write(job / image / name, b"")
    write(job / "__MACOSX" / "a" / "._ann.png", b"")
    reading = SourceOptions(masks="{image}/{worker}.png")
    summary = run_job(job, tmp_path / "out", plain(), source_options=reading)
    assert (summary.workers, summary.failures, summary.warnings) == (3, 0, 0)
    assert summary.notes[0].startswith("14 files left out that {image}/{worker}.png matches")
    assert inspect_source(job, source_options=reading).notes == list(summary.notes)
    # what is called a worker is one
    literal = SourceOptions(masks="{image}/worker_{worker}.png")
    assert open_source(job, literal).items[0].masks == (("truth", "a/worker_truth.png"),)


def test_a_picture_among_the_masks_is_left_out_and_said(tmp_path: Path) -> None:
    job = masks_by(
        tmp_path / "job",
        ann=ONES,
        bob=ONES,
        photo=made.color_photograph(made.TWO),
        xray=made.photograph(made.TWO),
    )
    summary = run_job(job, tmp_path / "out", plain())
    assert (summary.images, summary.failures, summary.warnings) == (2, 0, 4)
    assert np.array_equal(result(tmp_path / "out"), made.TWO)
    said = " ".join(summary.notes)
    assert "2 of 8 masks hold no class indices: a/worker_xray.png is a photograph" in said
    assert "2 of 8 masks are pictures in colour: a/worker_photo.png has over 1,000" in said


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["{i}_{w}.png"], "'{image}_{worker}.png' finds 3 images by 2 workers"),
        (["{w}/{i}.png"], "'{worker}/{image}.png' finds 3 images by 2 workers"),
        (["masks/{w}/{i}_seg.png"], "'masks/{worker}/{image}_seg.png' finds 3 images by 2 workers"),
        (["{i}/annotator-{w}.png", "{i}/image.png"], "'{image}/annotator-{worker}.png' finds 3 im"),
        (["{i}/{w}.png", "{i}/truth.png"], "'{image}/{worker}.png' finds 3 images by 2 workers"),
        (
            ["case{i}/seg{w}.nii.gz"],
            r"--masks 'case\w*{image}/seg|--masks '{image}/{worker}\.nii\.gz'",
        ),
        (["{i}.png"], r"it holds 3 \.png files such as 1\.png$"),
    ],
)
def test_what_lies_there_and_the_pattern_that_fits_are_said(
    names: list[str], expected: str
) -> None:
    workers = ("ann", "bob")
    files = {
        name.format(i=image, w=worker)
        for image in (1, 2, 3)
        for worker in workers
        for name in names
    }
    files -= {name.format(i=3, w="bob") for name in names if "{w}" in name}
    assert re.search(expected if "\\" in expected else re.escape(expected), what_lies_there(files))


def test_where_two_patterns_fit_as_well_both_are_said() -> None:
    files = [f"{folder}/{name}.png" for folder in ("ann", "bob") for name in ("x", "y")]
    said = what_lies_there(files)
    folders = "if the folders (ann, bob) are the workers: --masks '{worker}/{image}.png' finds 2 "
    names = "if the files (x, y) are the workers: --masks '{image}/{worker}.png' finds 2 images"
    assert folders in said and names in said


@pytest.mark.parametrize(
    ("names", "right"),
    [
        ([f"{i}/worker_{w}.tif" for i in "ab" for w in "012"], "{image}/worker_{worker}.tif"),
        ([f"{i}/rater{w}.bmp" for i in "ab" for w in "012"], "{image}/{worker}.bmp"),
        ([f"worker_{w}/{i}.npy" for i in "ab" for w in "012"], "worker_{worker}/{image}.npy"),
        ([f"{w}/im{i}.png" for i in "01" for w in ("ann", "bob", "cid")], "{worker}/{image}.png"),
        ([f"img_{i}/{w}.webp" for i in "01" for w in "abc"], "img_{image}/{worker}.webp"),
        ([f"{i}_worker_{w}.png" for i in "ab" for w in "012"], "{image}_worker_{worker}.png"),
        ([f"{i}-annotator{w}.png" for i in "ab" for w in "012"], "{image}-{worker}.png"),
        ([f"{w}/{i}.png" for i in range(20) for w in "ab"], "{worker}/{image}.png"),
    ],
)
def test_words_say_which_part_is_the_worker(names: list[str], right: str) -> None:
    said = what_lies_there(names)
    assert f"--masks '{right}' finds" in said and said.count("--masks") == 1


@pytest.mark.parametrize("ending", ["gif", "npz", "jpg", "dcm"])
def test_no_pattern_is_named_by_which_files_cannot_be_read(ending: str) -> None:
    said = what_lies_there([f"{i}/worker_{w}.{ending}" for i in "ab" for w in "01"])
    assert "{worker}" not in said and ("PNG" in said or ".npy" in said)


def test_a_folder_without_such_masks_says_what_it_holds(tmp_path: Path) -> None:
    for worker in ("ann", "bob"):
        for image in "123":
            write_index_mask(tmp_path / worker / f"{image}.png", [0, 1])
    text = r"no masks such as {image}/worker_{worker}\.png in it; it holds 6 \.png files such as "
    with pytest.raises(
        SourceError, match=text + r"ann/1\.png; .* --masks '{worker}/{image}\.png' fin"
    ):
        open_source(tmp_path)


# -- truths


def test_a_blank_consensus_scores_low_against_a_white_truth(tmp_path: Path) -> None:
    write(tmp_path / "blank" / "0.png", made.grey(made.TWO * 0))
    write(tmp_path / "truth" / "0.png", WHITE)
    scores = evaluate_folders(tmp_path / "blank", tmp_path / "truth")
    background = 1 - made.TWO.mean()
    assert scores.mean_iou == pytest.approx(background / 2)
    assert "hold 0 and 255 alone" in scores.notes[0]
    assert scores.notes[0] in scores.table() and scores.as_dict()["notes"] == list(scores.notes)


def test_a_truth_of_one_class_against_several_is_said(tmp_path: Path) -> None:
    for worker in ("ann", "bob"):
        write_index_mask(tmp_path / "job" / "0" / f"worker_{worker}.png", [0, 1, 2, 2])
    write_index_mask(tmp_path / "truth" / "0.png", [0, 1, 1, 1])
    run_job(tmp_path / "job", tmp_path / "out", plain())
    said = "the truths hold 0 and 1 alone, the results have classes 1 and 2"
    scores = evaluate_folders(tmp_path / "out", tmp_path / "truth")
    assert said in scores.table() and said in str(scores.as_dict()["notes"])
    assert said in calibrate(tmp_path / "job", tmp_path / "truth", plain()).table()
    # where both sides name classes, the truth just lacks one
    write_json(tmp_path / "truth" / "classes.json", ["background", "cat", "dog"])
    write_json(tmp_path / "job" / "classes.json", ["background", "cat", "dog"])
    run_job(tmp_path / "job", tmp_path / "named", plain())
    assert "alone" not in evaluate_folders(tmp_path / "named", tmp_path / "truth").table()


def test_truths_with_a_text_behind_their_ids_are_told_to_be_renamed(tmp_path: Path) -> None:
    for name in "ab":
        write_index_mask(tmp_path / "ours" / f"{name}.png", [0, 1])
        write_index_mask(tmp_path / "behind" / f"{name}_mask.png", [0, 1])
        write_index_mask(tmp_path / "before" / f"gt_{name}.png", [0, 1])
        write_index_mask(tmp_path / "others" / f"{name}{name}.png", [0, 1])
    for folder, name in (("behind", "a_mask"), ("before", "gt_a")):
        with pytest.raises(SourceError, match=rf"rename {name}\.png to a\.png, and the others"):
            evaluate_folders(tmp_path / "ours", tmp_path / folder)
    with pytest.raises(SourceError, match=r"against 'aa', 'bb'$"):
        evaluate_folders(tmp_path / "ours", tmp_path / "others")


def test_hidden_files_are_no_truths(tmp_path: Path) -> None:
    write_index_mask(tmp_path / "a" / "0.png", [0, 1])
    write_index_mask(tmp_path / "b" / "0.png", [0, 1])
    write(tmp_path / "b" / "._0.png", b"no picture")
    assert evaluate_folders(tmp_path / "a", tmp_path / "b").mean_iou == 1


def test_classes_of_two_sides_that_never_meet_are_an_error(tmp_path: Path) -> None:
    write_index_mask(tmp_path / "a" / "0.png", [0, 1, 1])
    write_index_mask(tmp_path / "b" / "0.png", [0, 2, 255])
    with pytest.raises(SourceError, match="no class in common: the prediction has 1, the truth 2"):
        evaluate_folders(tmp_path / "a", tmp_path / "b")
    write_index_mask(tmp_path / "b" / "0.png", [255, 255, 255])
    with pytest.raises(SourceError, match="nothing is left to compare: all 3 pixels of the truth"):
        evaluate_folders(tmp_path / "a", tmp_path / "b")


# -- looking


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([np.uint8, np.uint16]))
def test_the_survey_kernel_is_its_naive_twin(seed: int, dtype: Any) -> None:
    rng = np.random.default_rng(seed)
    mask = rng.integers(0, rng.integers(1, 6), rng.integers(1, 9, 2)).astype(dtype)
    mask[: rng.integers(0, 6), : rng.integers(0, 6)] = 3
    counts, solid, between = (np.zeros(256, np.int64) for _ in range(3))
    changes = np.zeros(3, np.int64)
    kernel.survey(mask, counts, solid, between, changes)
    for found, expected in zip((counts, solid, between), naive.value_survey(mask)[:3], strict=True):
        assert found.tolist() == [expected[value] for value in range(256)]
    assert changes.tolist() == naive.value_survey(mask)[3]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n_classes", [40, 150, 254])
def test_honest_masks_of_many_classes_are_masks(seed: int, n_classes: int) -> None:
    rng = np.random.default_rng(seed)
    points, labels = rng.integers(0, 96, (300, 2)), rng.integers(0, n_classes, 300)
    rows, columns = np.mgrid[:96, :96]
    nearest = (rows[..., None] - points[:, 0]) ** 2 + (columns[..., None] - points[:, 1]) ** 2
    mask = labels[nearest.argmin(-1)].astype(np.uint8)
    assert look(decode_stored(made.grey(mask))).flaw is None


def test_noise_beside_white_areas_is_no_class_and_a_thin_class_is() -> None:
    mask = made.scaled(made.TWO)
    mask[4:36:8, 4:36:8] = 1
    assert "lossy compression" in str(look(decode_stored(made.grey(mask))).flaw)
    mask[:, ::5] = 1
    assert look(decode_stored(made.grey(mask))).flaw is None


@pytest.mark.parametrize("listed", [False, True])
def test_a_black_background_is_said_once_unless_it_is_listed(tmp_path: Path, listed: bool) -> None:
    rgb = np.zeros((4, 4, 3), np.uint8)
    rgb[0] = (255, 0, 0)
    for image in "ab":
        for worker in "12":
            (tmp_path / "job" / image).mkdir(parents=True, exist_ok=True)
            Image.fromarray(rgb).save(tmp_path / "job" / image / f"worker_{worker}.png")
    entries: list[dict[str, Any]] = [{"index": 1, "name": "cat", "color": "#ff0000"}]
    if listed:
        entries.insert(0, {"index": 0, "name": "background", "color": "#000000"})
    write_json(tmp_path / "job" / "classes.json", {"classes": entries})
    summary = run_job(tmp_path / "job", tmp_path / "out", plain())
    assert summary.warnings == 0
    said = [note for note in summary.notes if "black" in note]
    told = ["black, which the class list gives to no class, is background"]
    assert said == ([] if listed else told)
    mask = decode_indices((tmp_path / "out" / "masks" / "a.png").read_bytes())
    assert np.array_equal(mask, (rgb[..., 0] == 255).astype(int))


def test_thin_classes_between_black_and_white_are_masks() -> None:
    poles = np.zeros((60, 60), np.uint8)
    poles[30:] = 255
    poles[10:50, ::10] = 90
    assert look(decode_stored(made.grey(poles))).flaw is None
    areas = np.zeros((60, 60), np.uint8)
    areas[20:40, 20:40], areas[25:35, 25:35] = 128, 255
    assert look(decode_stored(made.grey(areas))).flaw is None


# -- inspect finds what a run finds


def test_inspect_looks_into_a_sample_of_a_large_source_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consolidation.commands.inspect.LARGE", 10)
    monkeypatch.setattr("consolidation.commands.inspect.SAMPLE", 5)
    for image in range(11):
        write_index_mask(tmp_path / f"{image:02}" / "worker_1.png", [0, 1])
        write_index_mask(tmp_path / f"{image:02}" / "worker_2.png", [0, 1])
    classes_of(tmp_path, "background", "cell")
    (tmp_path / "03" / "worker_1.png").write_bytes(b"GIF8")
    found = inspect_source(tmp_path)
    assert (found.objects, found.looked, found.answers, found.problems) == (11, 5, 10, [])
    assert "looked into        5 of them; --all looks into all" in found.table()
    found = inspect_source(tmp_path, everything=True)
    assert (found.looked, len(found.problems)) == (11, 1)


def test_inspect_holds_the_manifest_against_the_objects(tmp_path: Path) -> None:
    for image in "abc":
        for worker in "12":
            write_index_mask(tmp_path / "job" / image / f"worker_{worker}.png", [0, 1])
    lines = [f'{{"source-ref": "s3://bucket/{name}.jpg"}}' for name in "abxy"]
    manifest = write(tmp_path / "input.manifest", "\n".join(lines).encode())
    found = inspect_source(tmp_path / "job", source_options=SourceOptions(manifest=manifest))
    assert found.by_kind == {
        "manifest lines without an object": [f"2 lines of {manifest}: 3, 4"],
        "objects without a line in the manifest": ["object c"],
    }


DAMAGE: dict[str, bytes] = {
    "whole": ONES,
    "cut": made.cut(made.TWO),
    "jpeg": made.as_kind("JPEG")(made.TWO),
    "empty": b"",
    "small": made.grey(made.TWO[:9]),
    "foreign": made.grey(made.TWO * 7),
    "photograph": made.photograph(made.TWO),
    "colours": made.painted(made.COLORS)(made.TWO),
    "smoothed": made.few_levels(made.TWO),
}


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from(sorted(DAMAGE)), min_size=1, max_size=4), min_size=1, max_size=5
    ),
    st.booleans(),
)
def test_whatever_fails_in_a_run_is_a_problem_in_inspect(
    tmp_path_factory: pytest.TempPathFactory, objects: list[list[str]], listed: bool
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    for image, masks in enumerate(objects):
        for worker, kind in enumerate(masks):
            write(folder / "job" / f"{image}" / f"worker_{worker}.png", DAMAGE[kind])
    if listed:
        classes_of(folder / "job", "background", "cell")
    try:
        run_job(folder / "job", folder / "out", plain())
    except SourceError as error:
        with pytest.raises(SourceError) as caught:
            inspect_source(folder / "job", plain(), everything=True)
        assert str(caught.value) == str(error)
        return
    found = inspect_source(folder / "job", plain(), everything=True)
    failures = [
        f"object {one['object']}: {one['reason']}"
        for one in json_lines(folder / "out" / "failures.jsonl")
    ]
    assert found.by_kind.get("objects that fail", []) == failures
    for one in json_lines(folder / "out" / "warnings.jsonl"):
        assert any(
            line.startswith(f"object {one['object']}, worker {one['worker']}: ")
            for line in found.problems
        )


ANSWERS: dict[str, Any] = {
    "whole": wire.content([1, 2, 0]),
    "small": wire.content([1, 2]),
    "no label of the job": wire.content([1, 1, 0], {"cow": wire.GREEN}),
    "cut": wire.picture_content(wire.picture([1, 2, 0], [wire.GREEN, wire.BLUE])[:-20]),
    "no picture": wire.picture_content(b"GIF89a"),
    "no JSON": "{",
    "nothing": wire.content([0, 0, 0]),
}


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from(sorted(ANSWERS)), min_size=0, max_size=4), min_size=1, max_size=5
    )
)
def test_so_it_is_with_answers_of_the_widget(
    tmp_path_factory: pytest.TempPathFactory, objects: list[list[str]]
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    request = [
        wire.entry(str(number), *((str(at), ANSWERS[kind]) for at, kind in enumerate(kinds)))
        for number, kinds in enumerate(objects)
    ]
    job = write_json(folder / "r.json", request)
    labels = write_json(folder / "labels.json", ["cat", "dog"])
    run_job(job, folder / "out", plain(), labels=labels)
    found = inspect_source(job, plain(), labels=labels)
    failures = [
        f"object {one['object']}: {one['reason']}"
        for one in json_lines(folder / "out" / "failures.jsonl")
    ]
    without = [f"object {number}: no answer left" for number, one in enumerate(objects) if not one]
    assert found.by_kind.get("objects that fail", []) == [
        line for line in failures if line not in without
    ]
    assert len(found.by_kind.get("objects without answers", [])) == len(without)


def test_a_label_called_background_is_said_to_be_a_class(tmp_path: Path) -> None:
    answers = (
        ("a", wire.content([1, 2], {"Background": wire.GREEN, "cat": wire.BLUE})),
        (
            "b",
            wire.content([1, 2], {"Background": wire.GREEN, "cat": wire.BLUE}),
        ),
    )
    request = write_json(tmp_path / "r.json", [wire.entry("0", *answers)])
    summary = run_job(request, tmp_path / "out", plain())
    assert summary.notes == (
        "label 'Background' is a class of its own beside BACKGROUND, which is what nobody painted",
    )
    assert result(tmp_path / "out", "0").tolist() == [[1, 2]]
