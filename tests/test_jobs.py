"""Whole jobs: sources, names, what a run leaves behind, and what bad input does to it."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from consolidation.commands.inspect import inspect_source
from consolidation.commands.run import run_job
from consolidation.errors import OptionError, SourceError
from consolidation.formats import SourceOptions, open_source
from consolidation.jobs import Summary
from consolidation.jobs.results.csv_text import to_csv
from consolidation.masks import decode_indices
from consolidation.names import file_name, file_names
from consolidation.options import Options
from consolidation.storage import StorageError
from tests import tiny_png, wire
from tests.shared_data import MASKS, needs_shared
from tests.wire import GREEN, PLAIN, entry, json_lines, plain, write_index_mask, write_json

OUTPUT = {
    ".consolidation",
    "images.csv",
    "workers.csv",
    "output.manifest",
    "failures.jsonl",
    "warnings.jsonl",
    "regions.jsonl",
    "provenance.json",
}


def two_cats(object_id: str, mask: Any = (0, 1)) -> dict[str, Any]:
    return entry(object_id, ("a", wire.content(mask)), ("b", wire.content(mask)))


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def snapshot(folder: Path) -> dict[str, bytes]:
    """Content of every file; dates taken out."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): wire.undated(path.read_bytes()) for path in files}


def labels_of(out: Path) -> dict[str, list[list[int]]]:
    return {path.stem: decode_indices(path.read_bytes()).tolist() for path in out.glob("masks/*")}


@pytest.fixture
def go(tmp_path: Path) -> Callable[..., tuple[Summary, Path]]:
    """Run a job of request entries, or one that is there, into a folder."""

    def run(
        source: Path | list[Any], options: Options = PLAIN, **more: Any
    ) -> tuple[Summary, Path]:
        if isinstance(source, list):
            source = write_json(tmp_path / "request.json", source)
        more = {"restart": True} | more
        return run_job(source, tmp_path / "out", options, **more), tmp_path / "out"

    return run


Go = Callable[..., tuple[Summary, Path]]


# -- file names

IDS = st.text(min_size=1, max_size=200) | st.text(
    alphabet=st.sampled_from("aA.-~ %/\\:*CcOoNn1x\u00e9\u212a\u017f"), min_size=1, max_size=150
)
# what Windows has for devices, with any ending, and spaces before it
DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com\d|lpt\d) *(\..*)?", re.IGNORECASE)


@given(IDS)
@settings(max_examples=300)
def test_a_file_name_is_safe_on_every_file_system(object_id: str) -> None:
    name = file_name(object_id)
    assert re.fullmatch(r"[A-Za-z0-9 ._~%-]+", name), "no separators, no controls, plain ASCII"
    assert name[0] not in " .-~"
    assert name[-1] not in " ."
    assert not DEVICE.fullmatch(name)
    assert not DEVICE.fullmatch(name + ".png")
    assert len(name) <= 120
    assert name == file_name(object_id)


@given(st.lists(IDS, max_size=30, unique=True), st.booleans())
@settings(max_examples=200)
def test_two_ids_never_share_a_name_not_even_in_another_case(ids: list[str], swap: bool) -> None:
    if swap:
        ids = list(dict.fromkeys([*ids, *(one.swapcase() for one in ids), *map(file_name, ids)]))
    names = file_names(ids)
    assert list(names) == ids
    for fold in (str.casefold, str.lower, str.upper):
        assert len({fold(name) for name in names.values()}) == len(ids)
    assert max(map(len, names.values()), default=0) <= 240


@given(st.lists(IDS, min_size=1, max_size=10, unique=True))
def test_the_name_of_an_id_does_not_depend_on_the_order_of_the_job(ids: list[str]) -> None:
    assert file_names(ids) == dict(file_names(reversed(ids)))


@pytest.mark.parametrize("one, other", [("x", "X"), ("a" * 120, "A" * 120), ("é", "É")])
def test_ids_that_differ_in_case_keep_apart(one: str, other: str) -> None:
    names = file_names([one, other])
    assert names[one].casefold() != names[other].casefold()


@pytest.mark.parametrize(
    "object_id, name",
    [
        ("0", "0"),
        ("image 7 (b)", "image 7 %28b%29"),
        ("a/b\\c", "a%2Fb%5Cc"),
        ("../../etc/passwd", "%2E%2E%2F%2E%2E%2Fetc%2Fpasswd"),
        ("con", "%63on"),
        ("LPT1.txt", "%4CPT1.txt"),
        ("nul .x", "%6Eul .x"),
        ("console", "console"),
        ("a.", "a%2E"),
        ("a ", "a%20"),
        ("-rf", "%2Drf"),
        ("%41", "%2541"),
        ("\ud800", "%ED%A0%80"),
        ("ü", "%C3%BC"),
        ("\0\n", "%00%0A"),
    ],
)
def test_names_of_ids_by_example(object_id: str, name: str) -> None:
    assert file_name(object_id) == name


def test_ids_with_strange_letters_become_files(go: Go) -> None:
    ids = ["a/b", "A/b", "..", "CON", "con", "x" * 500, '*?"<>|', "ü\n", "=1+1"]
    summary, out = go([two_cats(one) for one in ids])
    assert (summary.images, summary.failures) == (9, 0)
    assert len(list((out / "masks").iterdir())) == 9
    lines = json_lines(out / "output.manifest")
    for object_id, line in zip(ids, lines, strict=True):
        assert line["source-ref"] == f"s3://bucket/{object_id}.jpg"
        assert (out / line["consolidated-ref"]).is_file()
    rows = table(out / "images.csv")
    assert {row["id"] for row in rows} == {*ids[:-1], "'=1+1"}


# -- what a run leaves behind


@pytest.fixture
def mixed() -> list[Any]:
    """Objects of every kind of luck."""
    disputed = [
        wire.content([[1, 1, 0, 0]]),
        wire.content([[1, 2, 0, 0]]),
        wire.content([[1, 2, 1, 0]]),
    ]
    return [
        entry("5", *zip("abc", disputed, strict=True)),
        entry("10", ("a", wire.content([[1, 1]])), ("b", wire.picture_content(b"GIF89a"))),
        entry("2", ("b", wire.picture_content(b"")), ("d", "nothing")),
        entry("3", ("a", wire.content([[0, 0]])), ("b", wire.content([[0, 0]]))),
        entry("4"),
    ]


def test_a_folder_of_results_is_as_promised(go: Go, mixed: list[Any]) -> None:
    summary, out = go(mixed, plain(job_name="My-Job", label_attribute="seg-ref"))
    assert {path.name for path in out.iterdir()} == {*OUTPUT, "masks"}
    assert labels_of(out) == {"3": [[0, 0]], "5": [[1, 2, 0, 0]], "10": [[1, 1]]}
    assert (summary.images, summary.failures, summary.warnings) == (3, 2, 1)
    assert (summary.workers, summary.classes) == (3, 3)
    assert summary.disputed == 2 / 8
    assert summary.confidence == pytest.approx((1 + 1 + (1 + 2 / 3 + 2 / 3) / 3) / 3)

    lines = json_lines(out / "output.manifest")
    assert [line["source-ref"] for line in lines] == [
        f"s3://bucket/{n}.jpg" for n in (2, 3, 4, 5, 10)
    ]
    assert [line.get("seg-ref") for line in lines] == [
        None,
        "masks/3.png",
        None,
        "masks/5.png",
        "masks/10.png",
    ]
    # a failed object keeps its line, without a label
    assert list(lines[0]) == ["source-ref"]
    assert list(lines[3]) == ["source-ref", "seg-ref", "seg-ref-metadata"]
    block = lines[3]["seg-ref-metadata"]
    assert list(block) == [
        "internal-color-map",
        "type",
        "human-annotated",
        "creation-date",
        "job-name",
    ]
    assert block["job-name"] == "labeling-job/my-job"
    assert block["internal-color-map"]["2"] == {
        "class-name": "dog",
        "hex-color": "#1f77b4",
        "confidence": pytest.approx((1 + 2 / 3 + 2 / 3) / 3, abs=1e-6),
    }
    # one worker left
    assert lines[4]["seg-ref-metadata"]["internal-color-map"]["1"]["confidence"] == 0


def test_failures_and_warnings_name_object_and_worker(go: Go, mixed: list[Any]) -> None:
    _, out = go(mixed)
    failures = json_lines(out / "failures.jsonl")
    assert [(list(one), one["object"]) for one in failures] == [
        (["object", "reason"], "2"),
        (["object", "reason"], "4"),
    ]
    assert re.match(
        r"no answer left: worker b: the PNG is empty; worker d: the answer is not JSON",
        failures[0]["reason"],
    )
    assert failures[1]["reason"] == "no answer left"
    assert json_lines(out / "warnings.jsonl") == [
        {
            "object": "10",
            "worker": "b",
            "message": "answer dropped: not a PNG file but a GIF picture",
        }
    ]


def test_tables_come_with_the_worst_first(go: Go, mixed: list[Any]) -> None:
    _, out = go(mixed)
    rows = table(out / "images.csv")
    # most in need of review: what one worker saw; then 1 - mean IoU (1/2, 1, 2/3) of a, b, c
    assert [row["id"] for row in rows] == ["10", "5", "3"]
    assert [row["need"] for row in rows] == ["1", "0.277778", "0"]
    first = rows[1]
    assert {key: first[key] for key in ("workers", "height", "width", "disputed", "tied")} == {
        "workers": "3",
        "height": "1",
        "width": "4",
        "disputed": "0.5",
        "tied": "0",
    }
    assert first["confidence"] == "0.777778"
    assert first["mask"] == "masks/5.png"
    assert [row["warnings"] for row in rows] == ["1", "0", "0"]
    workers = {row["worker"]: row for row in table(out / "workers.csv")}
    # pooled IoU of background, cat, dog: a 1, 3/4, 0; c 1/2, 1/2, 1
    assert list(workers) == ["a", "c", "b"]
    assert [workers[one]["agreement"] for one in "acb"] == ["0.583333", "0.666667", "1"]
    assert [workers[one]["images"] for one in "abc"] == ["3", "2", "1"]
    assert [workers[one]["blank_answers"] for one in "abc"] == ["1", "1", "0"]
    assert [workers[one]["dropped_answers"] for one in "abc"] == ["0", "1", "0"]


def test_workers_without_a_usable_answer_come_last_and_disturb_no_order(go: Go) -> None:
    # NaN among the keys of a sort leaves the rest in any order
    answers = [(f"good{n}", wire.content([1] * n + [2] * (9 - n))) for n in (9, 4, 8, 5, 7, 6)]
    bad = [(f"bad{n}", wire.picture_content(b"GIF")) for n in range(5)]
    mixed = [one for pair in zip(answers, [*bad, answers[0]], strict=True) for one in pair]
    _, out = go([entry("0", *mixed)])
    rows = table(out / "workers.csv")
    known = [float(row["agreement"]) for row in rows if row["agreement"]]
    assert len(known) == 6
    assert known == sorted(known)
    assert [row["worker"] for row in rows[6:]] == [f"bad{n}" for n in range(5)]


def test_a_worker_id_may_look_like_anything(go: Go) -> None:
    ids = ["a: answer dropped: b", "worker x: y", "=cmd()", "", "\u2028", 'a,b"c\nd']
    answers = [(one, wire.content([1, 0])) for one in ids]
    bad = [("a: b", wire.picture_content(b"GIF")), ("=bad", wire.picture_content(b"GIF"))]
    summary, out = go([entry("0", *answers, *bad)])
    said = {one["worker"]: one["message"] for one in json_lines(out / "warnings.jsonl")}
    assert said["a: b"] == said["=bad"] == "answer dropped: not a PNG file"
    rows = {row["worker"]: row for row in table(out / "workers.csv")}
    assert rows["a: b"]["dropped_answers"] == "1"
    assert rows["a: answer dropped: b"]["dropped_answers"] == "0"
    # cells that a spreadsheet would run are disarmed
    assert rows["'=bad"]["dropped_answers"] == "1"
    assert "'=cmd()" in rows
    assert 'a,b"c\nd' in rows
    assert summary.workers == len(rows)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_cells_that_start_formulas_are_disarmed(start: str) -> None:
    data = to_csv(("id", "x"), [(start + "1", -1.5), ("a" + start, -2)]).decode()
    # newline="": a carriage return inside a cell stays one
    rows = list(csv.reader(io.StringIO(data, newline="")))
    assert rows[1:] == [["'" + start + "1", "-1.5"], ["a" + start, "-2"]]


@pytest.mark.parametrize("options", [PLAIN, Options()], ids=["plain", "default"])
def test_a_second_run_gives_the_same_names_and_bytes(
    go: Go, mixed: list[Any], options: Options
) -> None:
    _, out = go(mixed, options)
    first = snapshot(out)
    _, out = go(mixed, options)
    again = snapshot(out)
    # what the run was about: the request has another time
    run = ".consolidation/run.json"
    assert again.pop(run) != first.pop(run)
    assert again == first
    assert first["output.manifest"].count(b'"creation-date":"DATE"') == 3
    # and from files in another order
    _, out = go([*reversed(mixed)], options)
    last = snapshot(out)
    assert (last.pop(run), last)[1] == first


def test_mask_uris_get_their_prefix(go: Go) -> None:
    for prefix in ("s3://bucket/out", "s3://bucket/out/"):
        _, out = go([two_cats("0")], plain(mask_uri_prefix=prefix))
        [line] = json_lines(out / "output.manifest")
        assert line["consolidated-ref"] == "s3://bucket/out/masks/0.png"


def test_progress_is_told_after_every_object(tmp_path: Path, mixed: list[Any]) -> None:
    seen: list[tuple[int, int, int, int]] = []
    run_job(
        write_json(tmp_path / "request.json", mixed),
        tmp_path / "out",
        PLAIN,
        on_progress=lambda at: seen.append((at.done, at.total, at.warnings, at.failures)),
    )
    assert seen == [(1, 5, 0, 1), (2, 5, 0, 1), (3, 5, 0, 2), (4, 5, 0, 2), (5, 5, 1, 2)]


# -- requests as a source


def test_objects_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    ids = ["10", "9", "0", "1" * 5000, "100", "09"]
    source = open_source(write_json(tmp_path / "r.json", [two_cats(one) for one in ids]))
    assert source.ids == ["0", "09", "9", "10", "100", "1" * 5000]
    assert [one.id for one in source.objects()] == source.ids


def test_other_ids_keep_the_order_of_the_files(tmp_path: Path) -> None:
    ids = ["10", "b", "9", "²", "٣"]
    source = open_source(write_json(tmp_path / "r.json", [two_cats(one) for one in ids]))
    assert source.ids == ids


def test_an_object_that_comes_again_counts_once_with_the_latest(go: Go, tmp_path: Path) -> None:
    write_json(tmp_path / "job" / "1.json", [two_cats("0", [1, 1]), two_cats("1", [1, 1])])
    write_json(tmp_path / "job" / "2.json", [two_cats("0", [2, 2])])
    summary, out = go(tmp_path / "job")
    assert summary.images == 2
    assert labels_of(out) == {"0": [[2, 2]], "1": [[1, 1]]}


def test_a_folder_of_requests_is_read_at_any_depth(go: Go, tmp_path: Path) -> None:
    job = tmp_path / "job"
    write_json(job / "a" / "request.json", [two_cats("1")])
    write_json(job / "b" / "c" / "request.json", [5, two_cats("0")])
    write_json(job / "label-categories.json", {"labels": [{"label": "dog"}, {"label": "cat"}]})
    write_json(job / "notes.json", {"hello": "world"})
    write_json(job / "responses.json", [{"datasetObjectId": "0", "consolidatedAnnotation": {}}])
    summary, out = go(job)
    assert (summary.images, summary.failures) == (2, 1)
    # the file's order, not the alphabet
    assert labels_of(out) == {"0": [[0, 2]], "1": [[0, 2]]}
    # the one without an id comes last
    assert [one.get("source-ref") for one in json_lines(out / "output.manifest")] == [
        "s3://bucket/0.jpg",
        "s3://bucket/1.jpg",
        None,
    ]


def test_in_a_whole_job_only_its_requests_are_read(tmp_path: Path) -> None:
    base = tmp_path / "job" / "annotations" / "consolidated-annotation"
    write_json(base / "consolidation-request" / "iteration-1" / "x.json", [two_cats("0")])
    write_json(base / "elsewhere" / "y.json", [two_cats("1")])
    assert open_source(tmp_path / "job").ids == ["0"]


def test_a_damaged_file_among_requests_is_not_passed_over_in_silence(tmp_path: Path) -> None:
    write_json(tmp_path / "job" / "1.json", [two_cats("0")])
    damaged = json.dumps([two_cats("1")])[:-5]
    (tmp_path / "job" / "2.json").write_text(damaged)
    with pytest.raises(SourceError, match=r"2\.json is not JSON"):
        open_source(tmp_path / "job")


def test_objects_without_an_id_are_all_reported(go: Go, tmp_path: Path) -> None:
    for name in ("1", "2"):
        write_json(tmp_path / "job" / f"{name}.json", [5, two_cats(name), {"annotations": []}])
    summary, out = go(tmp_path / "job")
    assert (summary.images, summary.failures) == (2, 4)
    failures = json_lines(out / "failures.jsonl")
    assert [one["object"] for one in failures] == ["entry-0", "entry-2", "entry-0-2", "entry-2-2"]


@pytest.mark.parametrize("key", ["s3Uri", "s3uri"])
def test_answers_may_lie_in_files_of_their_own(go: Go, tmp_path: Path, key: str) -> None:
    answer = write_json(tmp_path / "answers" / "ü 1.json", wire.content([0, 1]))
    uris = [str(answer), answer.as_uri(), str(tmp_path / "missing.json")]
    annotations = [
        {"workerId": worker, "annotationData": {key: uri}}
        for worker, uri in zip("abc", uris, strict=True)
    ]
    summary, out = go([{"datasetObjectId": "0", "annotations": annotations}])
    assert (summary.images, summary.warnings) == (1, 1)
    assert labels_of(out) == {"0": [[0, 1]]}
    [warning] = json_lines(out / "warnings.jsonl")
    assert warning["worker"] == "c"
    assert warning["message"].startswith("answer dropped: cannot read ")
    assert warning["message"].endswith("missing.json: No such file or directory")


def test_without_a_list_labels_are_those_of_all_answers_by_name(go: Go) -> None:
    first = {"dog": GREEN, "ape": "#111111"}
    second = {"cat": GREEN, "Zebra": "#222222"}
    summary, out = go(
        [
            entry("0", ("a", wire.content([0, 1, 2], first))),
            entry("1", ("a", wire.content([0, 1, 2], second))),
        ]
    )
    assert summary.classes == 5
    lines = json_lines(out / "output.manifest")
    names = [
        [
            one["class-name"]
            for one in line["consolidated-ref-metadata"]["internal-color-map"].values()
        ]
        for line in lines
    ]
    # the same class, the same index, in every image
    assert names == [["BACKGROUND", "Zebra", "ape", "cat", "dog"]] * 2
    assert labels_of(out) == {"0": [[0, 4, 2]], "1": [[0, 3, 1]]}


def test_a_label_that_cannot_be_a_class_harms_nothing_else(go: Go) -> None:
    odd = {"BACKGROUND": GREEN, "UNDECIDED": "#111111", " ": "#222222", "cat": "#333333"}
    summary, out = go(
        [entry("0", ("a", wire.content([1, 2, 3, 4], odd))), two_cats("1", [0, 0, 0, 1])]
    )
    assert (summary.images, summary.failures, summary.classes) == (2, 0, 3)
    assert labels_of(out)["0"] == [[0, 255, 255, 1]]
    said = [one["message"] for one in json_lines(out / "warnings.jsonl")]
    assert said == [
        "1 pixels of label 'UNDECIDED', which is no class of this job, are ignored",
        "1 pixels of label ' ', which is no class of this job, are ignored",
    ]


def test_a_labels_file_goes_before_everything(go: Go, tmp_path: Path) -> None:
    labels = write_json(tmp_path / "mine.json", ["dog"])
    write_json(tmp_path / "label-categories.json", ["cat", "dog"])
    summary, out = go([two_cats("0", [1, 2])], labels=labels)
    assert summary.warnings == 2
    assert labels_of(out) == {"0": [[255, 1]]}
    with pytest.raises(SourceError, match=r"none\.json does not exist"):
        go([two_cats("0")], labels=tmp_path / "none.json")


# -- a folder of masks as a source


def write_masks(folder: Path, masks: dict[str, dict[str, Any]]) -> Path:
    for image, workers in masks.items():
        for worker, mask in workers.items():
            write_index_mask(folder / image / f"worker_{worker}.png", mask)
    return folder


def test_pixels_of_a_folder_are_class_indices(go: Go, tmp_path: Path) -> None:
    job = write_masks(
        tmp_path / "job",
        {"b": {"1": [0, 1, 3], "2": [0, 1, 3]}, "a": {"2": [0, 2, 255]}, "deep/er": {"1": [1]}},
    )
    (job / "b" / "image.jpg").write_bytes(b"")
    (job / "b" / "truth.png").write_bytes(b"")
    summary, out = go(job)
    # 255 is no class: how masks say that a pixel is not labelled
    assert (summary.images, summary.classes, summary.warnings) == (3, 4, 0)
    assert labels_of(out) == {"a": [[0, 2, 255]], "b": [[0, 1, 3]], "deep%2Fer": [[1]]}
    lines = json_lines(out / "output.manifest")
    assert [line["source-ref"] for line in lines] == [
        (job / "a").as_posix(),
        (job / "b" / "image.jpg").as_posix(),
        (job / "deep" / "er").as_posix(),
    ]
    entries = lines[0]["consolidated-ref-metadata"]["internal-color-map"].values()
    names = [one["class-name"] for one in entries]
    assert names == ["BACKGROUND", "class-1", "class-2", "class-3", "UNDECIDED"]


def test_names_and_colors_come_from_classes_json(go: Go, tmp_path: Path) -> None:
    job = write_masks(tmp_path / "job", {"a": {"1": [0, 1, 2, 255]}, "b": {"1": [0, 9]}})
    entries = [
        {"index": 0, "name": "Background", "color": "#000000"},
        {"index": 2, "name": "ink", "color": "#123456"},
        {"index": 1, "name": "blot"},
    ]
    write_json(job / "classes.json", {"classes": entries})
    _, out = go(job)
    line, _ = json_lines(out / "output.manifest")
    listed = line["consolidated-ref-metadata"]["internal-color-map"]
    assert [(one["class-name"], one["hex-color"]) for one in listed.values()] == [
        ("BACKGROUND", "#ffffff"),
        ("blot", "#2ca02c"),
        ("ink", "#123456"),
        ("UNDECIDED", "#ff00ff"),
    ]
    [failure] = json_lines(out / "failures.jsonl")
    assert failure["object"] == "b"
    assert failure["reason"].startswith(
        "worker 1: it holds 9 (1 pixels), which mean nothing here: "
    )


@pytest.mark.parametrize(
    "pattern, file",
    [
        ("{image}/worker_{worker}.png", "im 1/worker_w.png"),
        ("{worker}/{image}.png", "w/im 1.png"),
        ("masks/{image}__{worker}.png", "masks/im 1__w.png"),
        ("(x+)/[{image}]{worker}.png", "(x+)/[im 1]w.png"),
    ],
)
def test_masks_may_lie_elsewhere(tmp_path: Path, pattern: str, file: str) -> None:
    write_index_mask(tmp_path / file, [0, 1])
    write_index_mask(tmp_path / "other.txt" / "x", [0, 1])
    source = open_source(tmp_path, SourceOptions(masks=pattern))
    [one] = source.objects()
    assert (one.id, [worker for worker, _ in one.answers]) == ("im 1", ["w"])


@pytest.mark.parametrize("pattern", ["", "{image}.png", "{worker}", "{image}{image}{worker}"])
def test_a_pattern_needs_image_and_worker_once_each(tmp_path: Path, pattern: str) -> None:
    write_masks(tmp_path, {"a": {"1": [0, 1]}})
    with pytest.raises(OptionError, match=r"--masks must have {image} and {worker} once each"):
        open_source(tmp_path, SourceOptions(masks=pattern))


def test_a_missing_file_is_an_absent_worker_or_a_blank_mask(go: Go, tmp_path: Path) -> None:
    job = write_masks(tmp_path / "job", {"a": {"1": [1, 1]}, "b": {"1": [1], "2": [1], "3": [1]}})
    _, out = go(job)
    assert labels_of(out)["a"] == [[1, 1]]
    _, out = go(job, source_options=SourceOptions(missing_is_blank=True))
    assert labels_of(out)["a"] == [[0, 0]]
    blank = {row["worker"]: row["blank_answers"] for row in table(out / "workers.csv")}
    assert blank == {"1": "0", "2": "1", "3": "1"}


def test_blank_masks_have_no_say_in_the_size(go: Go, tmp_path: Path) -> None:
    # the odd one out comes first, and three more are missing
    masks: dict[str, Any] = {"1": [1, 1, 1], "2": [1, 1], "3": [1, 1]}
    everyone = {str(worker): [1] for worker in range(1, 7)}
    job = write_masks(tmp_path / "job", {"a": masks, "b": everyone})
    _, out = go(job, source_options=SourceOptions(missing_is_blank=True))
    assert labels_of(out)["a"] == [[0, 0]]
    [warning] = json_lines(out / "warnings.jsonl")
    assert (warning["worker"], warning["object"]) == ("1", "a")
    del masks["3"]
    shutil.rmtree(job)
    write_masks(job, {"a": masks, "b": everyone})
    summary, out = go(job, source_options=SourceOptions(missing_is_blank=True))
    assert summary.failures == 1, "one against one is no majority, whatever is missing"


def test_blank_masks_need_a_mask_that_can_be_read(go: Go, tmp_path: Path) -> None:
    job = write_masks(tmp_path / "job", {"a": {"1": [1]}, "b": {"1": [1], "2": [1]}})
    (job / "a" / "worker_1.png").write_bytes(b"GIF")
    summary, out = go(job, source_options=SourceOptions(missing_is_blank=True))
    assert (summary.images, summary.failures) == (1, 1)
    [failure] = json_lines(out / "failures.jsonl")
    assert failure == {"object": "a", "reason": "no answer left: worker 1: not a PNG file"}


def test_colour_pictures_are_no_masks_of_indices(go: Go, tmp_path: Path) -> None:
    job = write_masks(tmp_path / "job", {"a": {"1": [0, 1], "2": [0, 1]}})
    colour = tiny_png.write(np.array([[[1, 0, 0], [0, 0, 0]]], np.uint8), tiny_png.RGB)
    (job / "a" / "worker_3.png").write_bytes(colour)
    summary, out = go(job)
    [warning] = json_lines(out / "warnings.jsonl")
    assert (summary.images, warning["worker"]) == (1, "3")
    assert "colour picture" in warning["message"]


@pytest.mark.slow
@needs_shared
@pytest.mark.parametrize(
    "name", ["bubil_crowd", "dermx_grouped", "bioimage_cfos", "rts_thaw_slumps"]
)
@pytest.mark.parametrize("blank", [False, True])
def test_real_masks_are_read(go: Go, tmp_path: Path, name: str, blank: bool) -> None:
    folders = sorted(path for path in (MASKS / name).iterdir() if path.is_dir())[:3]
    job = tmp_path / "job"
    for folder in folders:
        shutil.copytree(folder, job / folder.name)
    shutil.copy(MASKS / name / "classes.json", job)
    summary, out = go(job, source_options=SourceOptions(missing_is_blank=blank))
    assert (summary.images, summary.failures, summary.warnings) == (3, 0, 0)
    everyone = {path.stem.removeprefix("worker_") for path in job.glob("*/worker_*.png")}
    assert summary.workers == len(everyone)
    rows = {row["id"]: row for row in table(out / "images.csv")}
    for folder in folders:
        files = sorted(folder.glob("worker_*.png"))
        masks = [np.asarray(Image.open(file)) for file in files]
        if blank:
            masks += [np.zeros_like(masks[0])] * (len(everyone) - len(masks))
        votes = np.stack([(np.stack(masks) == k).sum(axis=0) for k in range(5)])
        found = np.asarray(Image.open(out / "masks" / f"{folder.name}.png"))
        np.testing.assert_array_equal(found, votes.argmax(axis=0))
        assert rows[folder.name]["workers"] == str(len(masks))


def test_the_largest_image_reaches_the_source_from_python_too(tmp_path: Path) -> None:
    write_index_mask(tmp_path / "job/a/worker_1.png", np.ones((3, 3)))
    # without a class list, classes are looked for in the masks themselves
    with pytest.raises(SourceError):
        run_job(tmp_path / "job", tmp_path / "out", Options(max_pixels=8))
    assert run_job(tmp_path / "job", tmp_path / "out", Options(max_pixels=9)).failures == 0


# -- bad input

GOOD = two_cats("good")


def bad_picture(png: bytes) -> dict[str, Any]:
    return entry("bad", ("a", wire.picture_content(png)), ("b", wire.picture_content(png)))


HUGE = tiny_png.SIGNATURE + tiny_png.header(60_000, 60_000, 8, 3) + wire.picture([1], [GREEN])[33:]


@pytest.mark.parametrize(
    "bad, reason",
    [
        (bad_picture(wire.picture([[1, 0]], [GREEN])[:-25]), "PNG is damaged"),
        (bad_picture(HUGE), "60000 x 60000 pixels, the limit is"),
        (bad_picture(b""), "the PNG is empty"),
        (entry("bad", ("a", "[]"), ("b", "{}")), "no labeledImage"),
        (entry("bad"), "no answer left"),
        (entry("bad", ("a", wire.content([1])), ("b", wire.content([1, 1]))), "different sizes"),
        ({"datasetObjectId": "bad"}, "it has no list of annotations"),
        ({"datasetObjectId": "bad", "annotations": [3]}, "a number, not an object"),
    ],
)
def test_bad_objects_fail_alone(go: Go, bad: Any, reason: str) -> None:
    summary, out = go([GOOD, bad])
    assert (summary.images, summary.failures) == (1, 1)
    assert labels_of(out) == {"good": [[0, 1]]}
    [failure] = json_lines(out / "failures.jsonl")
    assert failure["object"] == "bad"
    assert reason in failure["reason"]
    assert "\n" not in failure["reason"]
    assert len(json_lines(out / "output.manifest")) == 2


@pytest.mark.parametrize(
    "name, content, reason",
    [
        ("r.json", "", "r.json is not JSON"),
        ("r.json", "{", "r.json is not JSON"),
        ("r.json", "{}", "is not a consolidation request"),
        ("r.json", '{"labels": []}', "is not a consolidation request"),
        ("r.json", "[]", "is empty"),
        ("r.json", "[[]]", "is not a consolidation request"),
        ("r.json", json.dumps([entry("0")]), "no answer in it names a label"),
        ("r.txt", "[]", "is none of: finished Ground Truth job, export of Label Studio"),
    ],
)
def test_what_is_no_source_is_refused(tmp_path: Path, name: str, content: str, reason: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(SourceError, match=reason) as caught:
        run_job(tmp_path / name, tmp_path / "out")
    assert str(tmp_path / name) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists(), "nothing is written before the source is known"


@pytest.mark.parametrize("path", ["nowhere", "nowhere/x.json", "x" * 300, "a\0b"])
def test_what_is_not_there_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(SourceError):
        run_job(tmp_path / path, tmp_path / "out")
    with pytest.raises(SourceError):
        inspect_source(tmp_path / path)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no masks such as {image}/worker_{worker}.png in it"):
        run_job(tmp_path, tmp_path / "out")


def test_masks_without_any_class_are_refused(tmp_path: Path) -> None:
    write_masks(tmp_path, {"a": {"1": [0, 0]}})
    with pytest.raises(SourceError, match="no mask in it has a class above 0"):
        run_job(tmp_path, tmp_path / "out")


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("in the way")
    with pytest.raises(StorageError, match="cannot write"):
        run_job(write_json(tmp_path / "r.json", [GOOD]), tmp_path / "out")


# -- inspect


def test_inspect_tells_what_is_there_and_writes_nothing(tmp_path: Path, mixed: list[Any]) -> None:
    path = write_json(tmp_path / "request.json", [*mixed, 5])
    found = inspect_source(path)
    assert [one.name for one in tmp_path.iterdir()] == ["request.json"]
    assert (found.kind, found.objects, found.answers) == ("consolidation requests", 6, 9)
    assert found.classes == ("BACKGROUND", "cat", "dog")
    assert dict(found.workers) == {"a": 3, "b": 4, "c": 1, "d": 1}
    assert dict(found.sizes) == {(1, 4): 3, (1, 2): 3}
    assert dict(found.per_object) == {0: 2, 2: 3, 3: 1}
    assert found.problems == [
        "object 2, worker b: the PNG is empty",
        found.problems[1],
        "object 10, worker b: not a PNG file but a GIF picture",
        found.problems[3],
        "object 4: it has no answers",
        "object entry-5: entry 5 is a number, not an object",
    ]
    assert found.by_kind["objects that fail"] == [found.problems[3]]
    assert found.problems[3].startswith("object 2: no answer left: worker b: the PNG is empty; wor")
    assert found.problems[1].startswith("object 2, worker d: the answer is not JSON")
    text = found.table()
    assert "6 objects, 9 answers" in text
    assert "4 x 1 (3)" in text


def test_inspect_finds_differing_sizes_and_unknown_labels(tmp_path: Path) -> None:
    answers = ("a", wire.content([1, 2])), ("b", wire.content([1]))
    path = write_json(tmp_path / "request.json", [entry("0", *answers)])
    found = inspect_source(path, labels=write_json(tmp_path / "labels.json", ["cat"]))
    assert found.problems == [
        "object 0, worker a: label 'dog' is no class of this job",
        "object 0, worker b: label 'dog' is no class of this job",
        "object 0: masks of 2 different sizes",
        "object 0: its masks have different sizes and none is the most common: "
        "worker a: 2 x 1, worker b: 1 x 1",
    ]


def test_inspect_of_a_folder_with_missing_masks(tmp_path: Path) -> None:
    write_masks(tmp_path, {"a": {"1": [1, 1]}, "b": {"1": [1, 1], "2": [1, 1]}})
    found = inspect_source(tmp_path, source_options=SourceOptions(missing_is_blank=True))
    assert (found.answers, dict(found.sizes), found.problems) == (4, {(1, 2): 3}, [])


# -- input as it is found


def test_later_iterations_count_and_label_files_are_no_requests(tmp_path: Path) -> None:
    folder = tmp_path / "consolidation-request"
    for iteration, painted in ((2, False), (10, True)):
        mask = np.full((4, 4), int(painted), np.uint8)
        request = [entry("0", ("w", wire.content(mask, {"cat": GREEN})))]
        path = folder / f"iteration-{iteration}" / "2026-01-01.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(request))
    (folder / "label-categories.json").write_text('{"labels": [{"label": "cat"}]}')
    run_job(folder, tmp_path / "out", plain())
    assert (np.asarray(Image.open(tmp_path / "out" / "masks" / "0.png")) == 1).all()


def test_damaged_answers_have_no_say_on_the_size(tmp_path: Path) -> None:
    good, other = np.ones((8, 8), np.uint8), np.ones((9, 9), np.uint8)
    cut = wire.picture_content(wire.picture(other, [GREEN])[:-20], {"cat": GREEN})
    request = [entry("0", ("a", wire.content(good, {"cat": GREEN})), ("b", cut), ("c", cut))]
    path = write_json(tmp_path / "request.json", request)
    summary = run_job(path, tmp_path / "out", plain())
    assert (summary.images, summary.failures) == (1, 0)
    assert decode_indices((tmp_path / "out" / "masks" / "0.png").read_bytes()).shape == (8, 8)
    dropped = [line["worker"] for line in json_lines(tmp_path / "out" / "warnings.jsonl")]
    assert dropped == ["b", "c"]


@pytest.mark.parametrize("hidden", [None, "orjson"])
def test_json_means_the_same_whatever_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hidden: str | None
) -> None:
    if hidden:
        monkeypatch.setitem(sys.modules, hidden, None)
    answer = wire.content([[1, 1]], {"cat": GREEN}) | {"slider": float("nan"), "text": "\ud800"}
    path = write_json(tmp_path / "request.json", [entry("0", ("a", answer))])
    summary = run_job(path, tmp_path / "out", plain())
    assert (summary.images, summary.warnings) == (1, 0)
