"""Sources: finished Ground Truth jobs, manifests, folders; what they give and what they refuse."""

from __future__ import annotations

import csv
import json
import os
import pickle
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from consolidation.commands.inspect import inspect_source
from consolidation.commands.run import run_job
from consolidation.errors import RunError, SourceError
from consolidation.formats import SourceOptions, open_source
from consolidation.formats.finished_job import FinishedJob
from consolidation.formats.requests import RequestSource
from consolidation.jobs.folder.records import Record
from consolidation.jobs.work.objects import Job, Task, consolidate_chunk
from consolidation.masks import Classes, decode_indices
from consolidation.objects.prepare import LabeledObject
from consolidation.options import Options
from consolidation.storage import StorageError
from tests import finished_job as finished
from tests import wire
from tests.shared_data import GROUND_TRUTH, needs_shared
from tests.wire import PLAIN, entry, json_lines, plain, write_index_mask, write_json

LINES = "manifests/output/output.manifest"


def run(source: Path, out: Path, manifest: Path | None = None, options: Options = PLAIN) -> Any:
    reading = SourceOptions(manifest=manifest)
    return run_job(source, out, options, source_options=reading, restart=True)


def masks(out: Path) -> dict[str, list[Any]]:
    return {path.stem: decode_indices(path.read_bytes()).tolist() for path in out.glob("masks/*")}


def rows(path: Path) -> dict[str, dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return {next(iter(row.values())): row for row in csv.DictReader(file)}


# -- finished jobs


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """Objects 0, 2 and 10; nobody answered 1 and 3 to 9."""
    return finished.write_job(
        tmp_path / "My-Job",
        {
            "10": ({"a": [1, 1, 0, 0], "b": [1, 2, 0, 0], "c": [1, 2, 0, 1]}, [1, 1, 0, 0]),
            "2": ({"a": [2, 2], "b": [2, 2]}, None),
            "0": ({"a": [0, 1]}, [0, 1]),
        },
    )


def test_a_finished_job_is_consolidated_again(job: Path, tmp_path: Path) -> None:
    source = open_source(job)
    assert isinstance(source, FinishedJob)
    assert source.ids == ["0", "2", "10"]
    summary = run(job, tmp_path / "out")
    assert (summary.images, summary.failures, summary.warnings) == (3, 0, 0)
    assert masks(tmp_path / "out") == {"0": [[0, 1]], "2": [[2, 2]], "10": [[1, 2, 0, 0]]}
    workers = rows(tmp_path / "out" / "workers.csv")
    assert {row["mean_seconds"] for row in workers.values()} == {"4.5"}
    # every line in its place: labelled, failed before, never answered
    before = (job / LINES).read_bytes().splitlines()
    after = (tmp_path / "out" / "output.manifest").read_bytes().splitlines()
    assert len(after) == 11
    for number, (old, new) in enumerate(zip(before, after, strict=True)):
        if number in (0, 2, 10):
            content = json.loads(new)
            assert content.pop("consolidated-ref") == f"masks/{number}.png"
            assert content.pop("consolidated-ref-metadata")["internal-color-map"]["2"]
            assert content == json.loads(old)
        else:
            assert new == old


def test_images_are_compared_with_the_built_in_masks(job: Path, tmp_path: Path) -> None:
    run(job, tmp_path / "out")
    table = rows(tmp_path / "out" / "images.csv")
    assert (table["0"]["builtin_iou"], table["0"]["builtin_same"]) == ("1", "1")
    # background 1, cat 1/2, dog 0
    assert (table["10"]["builtin_iou"], table["10"]["builtin_same"]) == ("0.5", "0.75")
    assert (table["2"]["builtin_iou"], table["2"]["builtin_same"]) == ("", "")


def test_without_built_in_masks_there_are_no_such_columns(job: Path, tmp_path: Path) -> None:
    shutil.rmtree(job / "annotations" / "consolidated-annotation")
    summary = run(job, tmp_path / "out")
    # a local copy is not compared with what may lie on S3
    assert summary.warnings == 0
    assert "builtin_iou" not in rows(tmp_path / "out" / "images.csv")["0"]
    assert summary.classes == 3


def test_a_copy_may_have_lost_the_colons_of_its_times(job: Path, tmp_path: Path) -> None:
    for path in sorted(job.rglob("*:*")):
        path.rename(path.with_name(path.name.replace(":", "_")))
    run(job, tmp_path / "out")
    assert rows(tmp_path / "out" / "images.csv")["0"]["builtin_iou"] == "1"


def test_a_built_in_mask_that_does_not_fit_is_a_warning(job: Path, tmp_path: Path) -> None:
    finished.write_builtin(job, "0", [[0, 1], [0, 1]])
    [broken] = job.rglob("10_*.png")
    broken.write_bytes(b"GIF")
    summary = run(job, tmp_path / "out")
    assert (summary.images, summary.warnings) == (3, 2)
    said = [one["message"] for one in json_lines(tmp_path / "out" / "warnings.jsonl")]
    assert all(text.startswith("not compared with Ground Truth's own mask: ") for text in said)
    assert "2 x 2 pixels, not 2 x 1" in said[0]
    assert "builtin_iou" not in rows(tmp_path / "out" / "images.csv")["0"]


def test_the_last_iteration_counts(job: Path, tmp_path: Path) -> None:
    finished.write_responses(job, "0", {"a": [2, 2]}, iteration=2)
    finished.write_responses(job, "0", {"b": [1, 1]}, iteration=10)
    run(job, tmp_path / "out")
    assert masks(tmp_path / "out")["0"] == [[1, 1]]


def test_a_damaged_response_is_an_answer_dropped(job: Path, tmp_path: Path) -> None:
    [first, *_] = sorted((job / "annotations").rglob("10/*.json"))
    first.write_text('{"answers": [')
    summary = run(job, tmp_path / "out")
    assert (summary.images, summary.failures, summary.warnings) == (3, 0, 1)
    [warning] = json_lines(tmp_path / "out" / "warnings.jsonl")
    assert warning["worker"] == first.name
    assert warning["message"].startswith(f"answer dropped: {first} is not JSON")


def test_a_built_in_mask_that_is_missing_is_a_warning(job: Path, tmp_path: Path) -> None:
    [mask] = job.rglob("10_*.png")
    mask.unlink()
    summary = run(job, tmp_path / "out")
    assert (summary.images, summary.warnings) == (3, 1)
    [warning] = json_lines(tmp_path / "out" / "warnings.jsonl")
    assert (warning["object"], warning["message"]) == (
        "10",
        "not compared with Ground Truth's own mask: it is missing in this copy of the job",
    )


@pytest.mark.parametrize("other", ["input", "classes"])
def test_a_finished_job_that_has_changed_is_not_gone_on_with(
    job: Path, tmp_path: Path, other: str
) -> None:
    write_json(job / "label-categories.json", ["cat", "dog"])
    run_job(job, tmp_path / "out", PLAIN)
    assert run_job(job, tmp_path / "out", PLAIN).now == 0
    if other == "input":
        finished.write_builtin(job, "0", [2, 2, 2])
    else:
        write_json(job / "label-categories.json", ["dog", "cat"])
    with pytest.raises(RunError, match=f"holds a run with (an)?other {other}"):
        run_job(job, tmp_path / "out", PLAIN)


@pytest.mark.parametrize("seconds", ["1e999", "9" * 400, "NaN", "1e308", "-1", '"4"', "true"])
def test_seconds_that_are_none_are_not_known(job: Path, tmp_path: Path, seconds: str) -> None:
    (job / LINES).unlink()
    for path in (job / "annotations").rglob("*.json"):
        path.write_text(path.read_text().replace("4.5", seconds))
    assert inspect_source(job).by_kind == {"objects with one worker alone": ["object 0: worker a"]}
    summary = run(job, tmp_path / "out")
    assert (summary.images, summary.failures) == (3, 0)
    workers = rows(tmp_path / "out" / "workers.csv")
    assert {row["mean_seconds"] for row in workers.values()} == {""}


def test_one_of_several_jobs_must_be_named(job: Path, tmp_path: Path) -> None:
    both = tmp_path / "both"
    shutil.copytree(job, both / "one")
    shutil.copytree(job, both / "deep" / "two")
    with pytest.raises(
        SourceError, match=r"holds several jobs, give one of them: 'deep/two', 'one'"
    ):
        open_source(both)
    shutil.rmtree(both / "deep")
    # a single one is found below
    assert run(both, tmp_path / "out").images == 3
    assert rows(tmp_path / "out" / "images.csv")["0"]["builtin_same"] == "1"


def test_of_chained_jobs_the_folders_own_label_counts(job: Path, tmp_path: Path) -> None:
    lines = finished.read_manifest(job / LINES)
    [mask] = job.rglob("0_*.png")
    uri = f"s3://bucket/{job.name}/annotations/consolidated-annotation/output/{mask.name}"
    later = finished.label("later-ref", "another-job", uri.replace(job.name, "another-job"))
    for number in (0, 2):
        # the later job labelled what this one could not
        lines[number] |= later
    finished.write_manifest(job / LINES, lines)
    source = open_source(job)
    builtin = {one.id: one.builtin for one in source.items}
    assert builtin["0"].attribute == "own-ref"
    assert builtin["2"] is None, "not the other job's"
    # in a folder of any other name it cannot be known: the last one counts
    renamed = job.rename(tmp_path / "copy")
    [first, *_] = open_source(renamed).items
    assert first.builtin.attribute == "later-ref"


def test_requests_are_read_where_there_are_no_responses(job: Path, tmp_path: Path) -> None:
    shutil.rmtree(job / "annotations" / "worker-response")
    base = job / "annotations" / "consolidated-annotation" / "consolidation-request"
    write_json(base / "iteration-2" / "b.json", [entry("0", ("a", wire.content([1, 1])))])
    older = [entry("0", ("a", wire.content([2, 2]))), entry("2", ("a", wire.content([2, 2])))]
    write_json(base / "iteration-1" / "a.json", older)
    summary = run(job, tmp_path / "out")
    assert masks(tmp_path / "out") == {"0": [[1, 1]], "2": [[2, 2]]}
    assert summary.images == 2
    assert rows(tmp_path / "out" / "images.csv")["0"]["builtin_same"] == "0.5"
    assert len(json_lines(tmp_path / "out" / "output.manifest")) == 11


def test_classes_come_from_a_file_else_the_built_in_else_the_answers(job: Path) -> None:
    assert inspect_source(job).classes == ("BACKGROUND", "cat", "dog")
    console = {"labels": [{"label": "dog"}, {"label": "cat"}]}
    write_json(job / "annotation-tool" / "data.json", console)
    assert inspect_source(job).classes == ("BACKGROUND", "cat", "dog")
    (job / LINES).unlink()
    assert inspect_source(job).classes == ("BACKGROUND", "dog", "cat")
    write_json(job / "label-categories.json", ["a", "dog", "cat"])
    assert inspect_source(job).classes == ("BACKGROUND", "a", "dog", "cat")
    (job / "label-categories.json").unlink()
    (job / "annotation-tool" / "data.json").unlink()
    assert inspect_source(job).classes == ("BACKGROUND", "cat", "dog")


def test_ids_of_a_streaming_job_are_found_in_their_lines(tmp_path: Path) -> None:
    job = tmp_path / "stream"
    for object_id, mask in (("img/7 a", [1, 1]), ("zz", [2, 2]), ("lost", [1, 2])):
        finished.write_responses(job, object_id, {"a": mask})
    lines = [
        {"source-ref": "s3://b/0.jpg", "$own-ref-object-id": "zz"},
        {"source-ref": "s3://b/1.jpg", "$own-ref-object-id": "nobody"},
        "no JSON",
        {"source-ref": "s3://b/2.jpg", "dataset-objectid": "img/7 a"},
    ]
    finished.write_manifest(job / LINES, lines)
    summary = run(job, tmp_path / "out")
    assert (summary.images, summary.failures) == (3, 0)
    written = (tmp_path / "out" / "output.manifest").read_text().splitlines()
    assert written[2] == "no JSON"
    del written[2]
    found = [json.loads(line) for line in written]
    assert [one.get("source-ref") for one in found] == [f"s3://b/{n}.jpg" for n in range(3)] + [
        None
    ]
    assert [one.get("consolidated-ref") for one in found] == [
        "masks/zz.png",
        None,
        "masks/img%2F7 a.png",
        "masks/lost.png",
    ]


def test_objects_can_be_sent_to_another_process(job: Path, tmp_path: Path) -> None:
    write_index_mask(tmp_path / "masks" / "a" / "worker_1.png", [0, 1])
    request = write_json(tmp_path / "r.json", [entry("0", ("a", wire.content([1])))])
    for path in (job, tmp_path / "masks", request):
        for item in open_source(path).items:
            assert pickle.loads(pickle.dumps(item)).load() == item.load()
            assert len(pickle.dumps(item)) < 2000


@needs_shared
def test_a_real_manifest_is_kept_and_gets_a_second_label(tmp_path: Path) -> None:
    real = GROUND_TRUTH / "real-job"
    job = tmp_path / "test-aws-sagemaker"
    lines = [json.loads(line) for line in (real / "output.manifest").read_text().splitlines()]
    (job / LINES).parent.mkdir(parents=True)
    shutil.copy(real / "output.manifest", job / LINES)
    output = job / "annotations" / "consolidated-annotation" / "output"
    output.mkdir(parents=True)
    for number in range(len(lines)):
        # the built-in took the only worker's answer as it was
        [mask] = real.glob(f"{number}_*.png")
        shutil.copy(mask, output / mask.name)
        indices = decode_indices(mask.read_bytes())
        labels = {"dog": wire.BLUE, "cat": wire.GREEN}
        swapped = np.array([0, 2, 1], np.uint8)[indices]
        answer = wire.content(swapped, labels)
        finished.write_responses(job, str(number), {"w": answer})
    summary = run(job, tmp_path / "out")
    assert (summary.images, summary.failures, summary.warnings) == (6, 0, 0)
    table = rows(tmp_path / "out" / "images.csv")
    assert {row["builtin_same"] for row in table.values()} == {"1"}
    for line, new in zip(lines, json_lines(tmp_path / "out" / "output.manifest"), strict=True):
        theirs, ours = (
            new[f"{name}-metadata"] for name in ("attribute-name-ref", "consolidated-ref")
        )
        assert theirs["internal-color-map"].keys() == ours["internal-color-map"].keys()
        assert {key: new[key] for key in line} == line


# -- manifests


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n", "\n \r\n"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_lines_keep_their_place_and_content(tmp_path: Path, start: str, end: str) -> None:
    same = ["not JSON at all", '["no object"]', '{"a": NaN}', '{ "b" : 1.0e2, "é": "\\ud800" }']
    texts = [start + '{"source-ref":"s3://b/0.jpg"}', *same, '{"source-ref": "5.jpg", "n": 10.0}']
    manifest = finished.write_manifest(tmp_path / "in.manifest", texts, end)
    manifest.write_bytes(manifest.read_bytes().rstrip())  # no end of the last line
    request = [entry(str(number), ("a", wire.content([1]))) for number in (5, 0, 1, 3)]
    summary = run(write_json(tmp_path / "r.json", request), tmp_path / "out", manifest)
    # an object whose line cannot be read fails, and keeps its line
    assert (summary.images, summary.failures) == (2, 2)
    reasons = [one["reason"] for one in json_lines(tmp_path / "out" / "failures.jsonl")]
    assert [text.partition(" is not JSON")[0] for text in reasons] == [
        f"line 2 of {manifest}",
        f"line 4 of {manifest}",
    ]
    written = (tmp_path / "out" / "output.manifest").read_bytes().decode().split("\n")
    assert written[1:5] == same
    assert written[6:] == [""]
    first, last = json.loads(written[0]), json.loads(written[5])
    assert (first["source-ref"], first["consolidated-ref"]) == ("s3://b/0.jpg", "masks/0.png")
    assert (last["n"], last["consolidated-ref"]) == (10.0, "masks/5.png")


def test_bytes_that_are_no_text_are_kept(tmp_path: Path) -> None:
    manifest = tmp_path / "in.manifest"
    manifest.write_bytes(b'{"a":"\xff"}\n{"a":"\xfe"}\n')
    request = write_json(tmp_path / "r.json", [entry("0", ("a", wire.content([1])))])
    run(request, tmp_path / "out", manifest)
    first, second = (tmp_path / "out" / "output.manifest").read_bytes().splitlines()
    assert json.loads(first)["a"] == "\udcff"
    assert second == b'{"a":"\xfe"}'


def test_objects_without_a_line_come_at_the_end(tmp_path: Path) -> None:
    manifest = finished.write_manifest(tmp_path / "in.manifest", [{"source-ref": "zero"}])
    request = [entry(one, ("a", wire.content([1]))) for one in ("1", "00", "x")]
    run(write_json(tmp_path / "r.json", request), tmp_path / "out", manifest)
    lines = json_lines(tmp_path / "out" / "output.manifest")
    # "00" is not line 0: two objects never share a line
    assert [one["source-ref"] for one in lines] == ["zero"] + [
        f"s3://bucket/{one}.jpg" for one in ("1", "00", "x")
    ]
    assert [one.get("consolidated-ref") for one in lines] == [
        None,
        "masks/1.png",
        "masks/00.png",
        "masks/x.png",
    ]


def test_the_output_manifest_is_the_next_jobs_input(tmp_path: Path) -> None:
    request = [entry(str(n), ("a", wire.content([1]))) for n in range(2)] + [entry("2")]
    path = write_json(tmp_path / "r.json", request)
    run(path, tmp_path / "one", options=plain(label_attribute="one-ref"))
    first = tmp_path / "one" / "output.manifest"
    run(path, tmp_path / "two", first, plain(label_attribute="two-ref"))
    both = json_lines(tmp_path / "two" / "output.manifest")
    assert [set(one) & {"one-ref", "two-ref"} for one in both] == [{"one-ref", "two-ref"}] * 2 + [
        set()
    ]
    # the same label again: replaced, not doubled; and the one that fails now loses the old one
    write_json(path, [*request[:1], entry("1"), entry("2")])
    run(path, tmp_path / "three", first, plain(label_attribute="one-ref", job_name="third"))
    third = json_lines(tmp_path / "three" / "output.manifest")
    assert third[0]["one-ref-metadata"]["job-name"] == "labeling-job/third"
    assert third[1:] == [{"source-ref": "s3://bucket/1.jpg"}, {"source-ref": "s3://bucket/2.jpg"}]


def test_a_manifest_is_not_written_over_while_it_is_read(tmp_path: Path) -> None:
    path = write_json(tmp_path / "r.json", [entry("0", ("a", wire.content([1])))])
    run(path, tmp_path / "out")
    manifest = tmp_path / "out" / ".." / "out" / "output.manifest"
    before = manifest.read_bytes()
    with pytest.raises(RunError, match="is read, and cannot be written: use another --out"):
        run(path, tmp_path / "out", manifest)
    assert manifest.read_bytes() == before


def test_images_find_their_lines_by_the_pictures_name(tmp_path: Path) -> None:
    for image in ("cat.1", "dog", "0", "other"):
        write_index_mask(tmp_path / "job" / image / "worker_1.png", [0, 1])
    pictures = ["a/first.jpg", "b/dog.png", "a/twice.jpg", "a/cat.1.jpg", "b/twice.jpg"]
    lines = [{"source-ref": f"s3://b/{one}"} for one in pictures]
    manifest = finished.write_manifest(tmp_path / "in.manifest", lines)
    run(tmp_path / "job", tmp_path / "out", manifest)
    found = json_lines(tmp_path / "out" / "output.manifest")
    assert [one.get("consolidated-ref") for one in found] == [
        None,
        "masks/dog.png",
        None,
        "masks/cat.1.png",
        None,
        "masks/0.png",
        "masks/other.png",
    ]


def test_a_number_is_a_name_where_pictures_have_numbers(tmp_path: Path) -> None:
    for image in ("0", "2"):
        write_index_mask(tmp_path / "job" / image / "worker_1.png", [0, 1])
    lines = [{"source-ref": f"s3://b/{number}.png"} for number in (1, 2, 3)]
    manifest = finished.write_manifest(tmp_path / "in.manifest", lines)
    run(tmp_path / "job", tmp_path / "out", manifest)
    found = json_lines(tmp_path / "out" / "output.manifest")
    assert [(Path(one["source-ref"]).name, one.get("consolidated-ref")) for one in found] == [
        ("1.png", None),
        ("2.png", "masks/2.png"),
        ("3.png", None),
        ("0", "masks/0.png"),
    ]


def test_where_no_picture_has_an_images_name_its_number_counts(tmp_path: Path) -> None:
    for image in ("0", "2", "other"):
        write_index_mask(tmp_path / "job" / image / "worker_1.png", [0, 1])
    lines = [{"source-ref": f"s3://b/{name}.png"} for name in "abc"]
    manifest = finished.write_manifest(tmp_path / "in.manifest", lines)
    run(tmp_path / "job", tmp_path / "out", manifest)
    found = json_lines(tmp_path / "out" / "output.manifest")
    written = [one.get("consolidated-ref") for one in found]
    assert written == ["masks/0.png", None, "masks/2.png", "masks/other.png"]


def test_a_broken_line_is_kept_and_harms_no_image(tmp_path: Path) -> None:
    write_index_mask(tmp_path / "job" / "cat" / "worker_1.png", [0, 1])
    manifest = finished.write_manifest(
        tmp_path / "in.manifest", ["{broken", {"source-ref": "s3://b/cat.jpg"}]
    )
    assert run(tmp_path / "job", tmp_path / "out", manifest).images == 1
    broken, cat = (tmp_path / "out" / "output.manifest").read_text().splitlines()
    assert broken == "{broken"
    assert json.loads(cat)["consolidated-ref"] == "masks/cat.png"


def test_the_manifest_of_other_objects_is_refused(job: Path, tmp_path: Path) -> None:
    request = [entry(str(number), ("a", wire.content([1]))) for number in (0, 1)]
    lines = [{"source-ref": f"s3://elsewhere/{name}.jpg"} for name in (0, 7)]
    manifest = finished.write_manifest(tmp_path / "in.manifest", lines)
    says = (
        r"in\.manifest is not the manifest of these objects: its line 2 is about "
        r"'s3://elsewhere/7\.jpg', object '1' about 's3://bucket/1\.jpg'"
    )
    with pytest.raises(SourceError, match=says):
        run(write_json(tmp_path / "r.json", request), tmp_path / "out", manifest)
    shutil.rmtree(job / "annotations" / "worker-response")
    folder = job / "annotations" / "consolidated-annotation" / "consolidation-request"
    write_json(folder / "iteration-1" / "a.json", request)
    with pytest.raises(SourceError, match=says):
        run(job, tmp_path / "out", manifest)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"a": 1e999}', "line 1 of .* is not JSON: '1e999' is no finite number"),
        ('{"a": ' + "[" * 299 + "]" * 299 + "}", "nested 300 deep, the limit is 64"),
        ('{"a": ' + "[" * 64 + "]" * 64 + "}", "nested 65 deep, the limit is 64"),
    ],
)
def test_a_line_that_cannot_be_read_fails_its_object_alone(
    tmp_path: Path, line: str, says: str
) -> None:
    manifest = finished.write_manifest(tmp_path / "in.manifest", [line, {"a": 10**30}])
    request = [entry(str(number), ("a", wire.content([1]))) for number in (0, 1)]
    summary = run(write_json(tmp_path / "r.json", request), tmp_path / "out", manifest)
    assert (summary.images, summary.failures) == (1, 1)
    [failure] = json_lines(tmp_path / "out" / "failures.jsonl")
    assert failure["object"] == "0"
    assert re.search(says, failure["reason"])
    first, second = (tmp_path / "out" / "output.manifest").read_text().splitlines()
    assert first == line
    # whole numbers of any size come out as they were
    assert json.loads(second)["a"] == 10**30


def test_no_line_whatever_it_holds_ends_a_run(tmp_path: Path) -> None:
    request = write_json(tmp_path / "r.json", [entry("0", ("a", wire.content([1])))])
    [item] = open_source(request).items
    loaded = replace(item.load(), line={"a": float("inf")})

    class Broken:
        id, line_number = "0", None

        def load(self) -> LabeledObject:
            return loaded

    [outcome] = consolidate_chunk(
        Job(str(tmp_path / "out"), Classes.of_labels(["cat", "dog"]), PLAIN, ""),
        [Task(Broken(), "0")],
    )
    assert outcome.need is None
    [path] = (tmp_path / "out").rglob("0.json*")
    record = Record.from_json(path.read_bytes())
    assert record.reason is not None and record.reason.startswith("internal error: ValueError")


@pytest.mark.parametrize(
    ("content", "says"),
    [("", "is empty"), ("\n \n", "is empty"), ('{"source-ref": "x"}', "no line of it is about")],
)
def test_a_manifest_of_something_else_is_refused(tmp_path: Path, content: str, says: str) -> None:
    write_index_mask(tmp_path / "job" / "cat" / "worker_1.png", [0, 1])
    manifest = tmp_path / "in.manifest"
    manifest.write_text(content)
    with pytest.raises(SourceError, match=says):
        open_source(tmp_path / "job", SourceOptions(manifest=manifest))


# -- folders


def test_pictures_are_found_wherever_a_folder_is_named_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_index_mask(tmp_path / "job" / "x" / "worker_1.png", [[0, 1]] * 2)
    write_index_mask(tmp_path / "job" / "x" / "image.png", [[0, 200]] * 2)
    monkeypatch.chdir(tmp_path)
    options = plain(report=True)
    run_job("job", "out", options)
    [line] = json_lines(tmp_path / "out" / "output.manifest")
    assert line["source-ref"] == (tmp_path / "job" / "x" / "image.png").as_posix()
    assert 'class="picture">/9j/' in Path("out/report.html").read_text("utf-8"), "a JPEG"
    # the same job by another name goes on
    assert run_job(tmp_path / "job", "out", options).now == 0


def test_links_within_a_folder_are_followed_and_those_that_lead_out_refused(tmp_path: Path) -> None:
    write_index_mask(tmp_path / "job" / "store" / "x1", [0, 1])
    write_index_mask(tmp_path / "elsewhere" / "x2", [0, 1])
    for worker in "ab":
        write_index_mask(tmp_path / "job" / "image" / f"worker_{worker}.png", [0, 1])
    (tmp_path / "job" / "image" / "worker_c.png").symlink_to(tmp_path / "job" / "store" / "x1")
    (tmp_path / "job" / "image" / "worker_d.png").symlink_to(tmp_path / "job" / "store" / "gone")
    summary = run(tmp_path / "job", tmp_path / "out")
    assert (summary.images, summary.warnings) == (1, 1)
    [warning] = json_lines(tmp_path / "out" / "warnings.jsonl")
    assert warning["worker"] == "d"
    assert "No such file" in warning["message"]
    assert rows(tmp_path / "out" / "images.csv")["image"]["workers"] == "3"
    (tmp_path / "job" / "image" / "worker_e.png").symlink_to(tmp_path / "elsewhere" / "x2")
    with pytest.raises(StorageError, match=r"image/worker_e.png is a link that leads out of it"):
        run(tmp_path / "job", tmp_path / "out2")


def test_results_within_the_source_are_no_part_of_it(tmp_path: Path) -> None:
    job = tmp_path / "job"
    write_index_mask(job / "worker_1" / "m-a.png", [0, 1])
    write_index_mask(job / "worker_2" / "m-a.png", [0, 1])
    reading = SourceOptions(masks="{worker}/m-{image}.png")
    for _ in range(2):
        summary = run_job(job, job / "results", PLAIN, source_options=reading)
        assert (summary.images, summary.workers) == (1, 2)
    for name in ("r1", "r2"):
        write_json(tmp_path / "requests" / f"{name}.json", [entry(name, ("a", wire.content([1])))])
    for _ in range(2):
        assert run_job(tmp_path / "requests", tmp_path / "requests" / "results", PLAIN).images == 2


def test_a_run_keeps_apart_from_its_source(tmp_path: Path) -> None:
    job = tmp_path / "job"
    for worker in ("ann", "bob"):
        for image in ("a", "b"):
            write_index_mask(job / worker / f"{image}.png", [0, 1])
    reading = SourceOptions(masks="{worker}/{image}.png")

    def refused(source: Path, out: Path, text: str, **options: Any) -> None:
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(RunError, match=text):
            run_job(source, out, PLAIN, source_options=reading, **options)
        assert sorted(tmp_path.rglob("*")) == before

    refused(job, job, "job is the source itself: use another --out", force=True)
    refused(job, tmp_path / "x" / ".." / "job", "is the source itself")
    refused(job, job / "results", r"masks match what is written there, as results/masks/a\.png")
    (tmp_path / "masks").mkdir()
    job = job.rename(tmp_path / "masks" / "job")
    refused(job, tmp_path, "masks/job lies where a run into .* writes", force=True)
    # strangers' files are left alone, unless that is what is wanted; hidden ones do not count
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / ".notes").write_text("")
    (mine / "masks").mkdir()
    assert run_job(job, mine, PLAIN, source_options=reading).images == 2
    assert run_job(job, mine, PLAIN, source_options=reading, restart=True).images == 2
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "report.html").write_text("theirs")
    refused(job, tmp_path / "theirs", "not empty: it holds report.html; use another --out, or --fo")
    refused(job, tmp_path / "theirs", "not empty", restart=True)
    forced = run_job(job, tmp_path / "theirs", PLAIN, source_options=reading, force=True)
    assert forced.images == 2


def test_the_same_id_again_joins_its_answers_if_it_is_the_same_picture(tmp_path: Path) -> None:
    folder = tmp_path / "job" / "consolidation-request"
    first = [entry("0", ("a", wire.content([1, 1])), ("b", wire.content([1, 1])))]
    later = [entry("0", ("a", wire.content([2, 2])), ("c", wire.content([2, 2])))]
    write_json(folder / "iteration-1" / "r.json", first)
    write_json(folder / "iteration-2" / "r.json", later)
    run(tmp_path / "job", tmp_path / "out")
    # of a the latest answer counts: b sees 1, a and c see 2
    assert masks(tmp_path / "out") == {"0": [[2, 2]]}
    assert rows(tmp_path / "out" / "images.csv")["0"]["workers"] == "3"
    later[0]["dataObject"]["s3Uri"] = "s3://bucket/another.jpg"
    write_json(folder / "iteration-2" / "r.json", later)
    text = r"iteration-1/r\.json and .*iteration-2/r\.json give object '0' to two pictures"
    with pytest.raises(SourceError, match=text):
        open_source(tmp_path / "job")
    write_json(tmp_path / "one.json", first + later)
    with pytest.raises(SourceError, match=r"two entries of .*one\.json give object '0' to two"):
        open_source(tmp_path / "one.json")


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_names_that_are_no_text_are_read(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path / "job") + b"/im\xff"
    write_index_mask(Path(os.fsdecode(folder)) / "worker_1.png", [0, 1])
    summary = run(tmp_path / "job", tmp_path / "out")
    assert (summary.images, summary.failures) == (1, 0)
    [line] = json_lines(tmp_path / "out" / "output.manifest")
    assert (tmp_path / "out" / line["consolidated-ref"]).is_file()


def test_a_request_file_is_recognised_whatever_lies_around_it(tmp_path: Path) -> None:
    write_json(tmp_path / "job" / "1.json", [entry("0", ("a", wire.content([1])))])
    write_json(tmp_path / "job" / "list.json", [1, 2])
    (tmp_path / "job" / "notes.json").write_text('{"half":')
    with pytest.raises(SourceError, match=r"notes\.json is not JSON"):
        open_source(tmp_path / "job")
    (tmp_path / "job" / "notes.json").unlink()
    assert isinstance(open_source(tmp_path / "job"), RequestSource)
