"""Answers that paint something and no class of the job: dropped, or the object fails."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from consolidation.aws.invocation import consolidate_event
from consolidation.aws.settings import LambdaOptions
from consolidation.commands.run import run_job
from consolidation.errors import ConsolidationError, ObjectError, SourceError
from consolidation.formats.groundtruth import AnnotationAnswer
from consolidation.formats.groundtruth.requests import Annotation
from consolidation.masks import Classes, decode_indices
from consolidation.objects import LabeledObject, ObjectResult, consolidate_object
from consolidation.objects.answers import Answer
from tests import finished_job, wire
from tests.lambda_job import Context, Job, ids
from tests.s3_server import Aws
from tests.sample_exports import WRITERS, small_job
from tests.wire import BLUE, GREEN, ORANGE, PLAIN

CLASSES = Classes.of_labels(["cat", "dog"])
FOREIGN = {"Cat": GREEN, "bird": BLUE}
DROPPED = (
    "answer dropped: nothing that it paints is a class of this job: "
    "2 pixels of label 'Cat', which is no class of this job (is 'cat' meant?); "
    "the classes are 'cat', 'dog'"
)


def run(*answers: Any, classes: Classes = CLASSES) -> ObjectResult:
    """Result of workers a, b, c, ... who gave these answers."""
    given: list[tuple[str, Answer]] = [
        (worker, AnnotationAnswer(Annotation(worker, content=one)))
        for worker, one in zip("abcdef", answers, strict=False)
    ]
    return consolidate_object(LabeledObject("0", {}, given), classes, PLAIN)


def said(result: ObjectResult) -> list[str]:
    return [f"{one.worker}: {one.message}" for one in result.warnings]


def labels(result: ObjectResult) -> list[int]:
    return list(result.consensus.labels[0].tolist())


# -- one object


def test_one_of_three_is_dropped_with_a_warning() -> None:
    result = run(wire.content([0, 1, 2]), wire.content([0, 1, 1], FOREIGN), wire.content([0, 1, 2]))
    assert labels(result) == [0, 1, 2]
    assert said(result) == [f"b: {DROPPED}"]
    assert result.warnings[0].dropped
    assert result.n_workers == 2


@pytest.mark.parametrize("n_good", [0, 1, 2])
def test_the_object_fails_where_half_of_the_answers_are_such(n_good: int) -> None:
    answers = [wire.content([0, 1, 1], FOREIGN)] * 2 + [wire.content([0, 1, 2])] * n_good
    start = "no answer left" if n_good == 0 else rf"2 of its {2 + n_good} answers mean no class"
    with pytest.raises(ObjectError, match=rf"^{start}.*worker a: .*\(is 'cat' meant\?\)"):
        run(*answers)


def test_answers_that_cannot_be_read_are_answers_too() -> None:
    # one in three is foreign; the vote is that of the only one who is left
    result = run(wire.content([0, 2]), wire.content([1, 1], FOREIGN), "{}")
    assert labels(result) == [0, 2]
    assert [one.dropped for one in result.warnings] == [True, True]


def test_the_same_worker_s_earlier_answers_do_not_count() -> None:
    good, foreign = wire.content([0, 2]), wire.content([1, 1], FOREIGN)
    given: list[tuple[str, Answer]] = [
        (worker, AnnotationAnswer(Annotation(worker, content=one)))
        for worker, one in [("a", good), ("a", good), ("a", good), ("b", foreign)]
    ]
    with pytest.raises(ObjectError, match="1 of its 2 answers mean no class of this job"):
        consolidate_object(LabeledObject("0", {}, given), CLASSES, PLAIN)


def test_all_blank_is_blank() -> None:
    result = run(wire.content([0, 0], FOREIGN), wire.content([0, 0], FOREIGN))
    assert labels(result) == [0, 0]
    assert result.warnings == []


def test_opaque_black_and_white_are_not_painted() -> None:
    png = wire.picture([1, 2], ["#000000", "#ffffff"])
    result = run(wire.picture_content(png, FOREIGN), wire.picture_content(png, FOREIGN))
    assert labels(result) == [0, 0]
    assert said(result)[0] == "a: 2 opaque black or white pixels are taken for background"


def test_one_pixel_of_a_class_is_enough() -> None:
    mixed = {"cat": GREEN, "bird": BLUE}
    result = run(wire.content([1, 2, 2], mixed), wire.content([1, 0, 0]))
    # where the first painted a bird, the second alone says something
    assert labels(result) == [1, 0, 0]
    assert said(result) == [
        "a: 2 pixels of label 'bird', which is no class of this job, are ignored"
    ]


def test_pixels_of_no_label_s_color_are_painted() -> None:
    png = wire.picture([1, 1, 0], [ORANGE])
    with pytest.raises(ObjectError, match="2 pixels of no label's color; the classes are 'cat'"):
        run(wire.picture_content(png))


def test_many_classes_are_not_all_named() -> None:
    classes = Classes.of_labels([f"class {index}" for index in range(9)])
    with pytest.raises(ObjectError, match=r"'class 0', .*'class 4', \.\.\.$"):
        run(wire.content([1], {"zebra": GREEN}), classes=classes)


# -- two labels of one colour


SHARED = {"cat": GREEN, "kitten": GREEN, "dog": BLUE}


def test_of_two_labels_of_one_color_the_others_are_read() -> None:
    result = run(shared([1, 3, 0], SHARED), wire.content([0, 2, 0]), wire.content([0, 2, 0]))
    assert labels(result) == [0, 2, 0]
    assert said(result) == [
        "a: 1 pixels of color #2ca02c, which labels 'cat' and 'kitten' share, are ignored"
    ]
    # who does not use the colour loses nothing
    assert said(run(shared([0, 3, 0], SHARED))) == []


def test_what_paints_only_a_shared_color_means_nothing() -> None:
    with pytest.raises(ObjectError, match="which labels 'cat', 'kitten' and 'x' share"):
        run(shared([1, 0], {**SHARED, "x": "#2CA02C"}))


def shared(mask: list[int], labels: Mapping[str, str]) -> dict[str, Any]:
    return wire.content(mask, labels)


@pytest.mark.parametrize("color", ["rgb(44, 160, 44)", "#2CA02CFF", "rgba(44,160,44,1)"])
def test_colors_of_a_label_in_other_spellings(color: str) -> None:
    answer = wire.picture_content(wire.picture([1, 0], [GREEN]), {"cat": color})
    assert labels(run(answer)) == [1, 0]


# -- a request, a finished job, the Lambda: one rule


ENTRIES = [
    wire.entry("0", ("a", wire.content([0, 1, 2])), ("b", wire.content([0, 1, 2]))),
    wire.entry("1", ("a", wire.content([1, 1], FOREIGN)), ("b", wire.content([0, 1]))),
    wire.entry("2", ("a", wire.content([0, 0], FOREIGN)), ("b", wire.content([0, 0], FOREIGN))),
]
REASON = "1 of its 2 answers mean no class of this job: worker a: " + DROPPED.removeprefix(
    "answer dropped: "
)


def failures(out: Path) -> dict[str, str]:
    return {one["object"]: one["reason"] for one in wire.json_lines(out / "failures.jsonl")}


def test_a_local_run_of_requests(tmp_path: Path) -> None:
    source = wire.write_json(tmp_path / "request.json", ENTRIES)
    names = wire.write_json(tmp_path / "labels.json", ["cat", "dog"])
    summary = run_job(source, tmp_path / "out", PLAIN, labels=names)
    assert (summary.images, summary.failures) == (2, 1)
    assert failures(tmp_path / "out") == {"1": REASON}
    masks = {
        name: decode_indices((tmp_path / f"out/masks/{name}.png").read_bytes()).tolist()
        for name in "02"
    }
    assert masks == {"0": [[0, 1, 2]], "2": [[0, 0]]}


def test_a_finished_job(tmp_path: Path) -> None:
    job = tmp_path / "job"
    for entry in ENTRIES:
        answers = {
            one["workerId"]: json.loads(one["annotationData"]["content"])
            for one in entry["annotations"]
        }
        finished_job.write_responses(job, entry["datasetObjectId"], answers)
    names = wire.write_json(tmp_path / "labels.json", ["cat", "dog"])
    summary = run_job(job, tmp_path / "out", PLAIN, labels=names)
    assert (summary.images, summary.failures) == (2, 1)
    assert failures(tmp_path / "out") == {"1": REASON}


@pytest.mark.parametrize("name", ["label-studio", "cvat", "coco"])
def test_regions_that_another_tool_exported(name: str, tmp_path: Path) -> None:
    # ann and bob drew cats and dogs, cid of image-0 nothing: a blank answer, and no foreign one
    writer, reading = WRITERS[name]
    source = writer(small_job(), tmp_path / "job")
    names = wire.write_json(tmp_path / "labels.json", ["Cats", "tree"])
    summary = run_job(source, tmp_path / "out", PLAIN, labels=names, source_options=reading)
    assert (summary.images, summary.failures) == (0, 2)
    reasons = failures(tmp_path / "out")
    assert reasons["image-0"].startswith("2 of its 3 answers mean no class of this job: worker ann")
    assert reasons["image-1"].startswith("no answer left: worker ann: nothing that it paints is a")
    assert (
        "pixels of label 'cat', which is no class of this job (is 'Cats' meant?); "
        in (reasons["image-1"])
    )


def test_the_lambda(here: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    job = Job.create(here, "foreign")
    response = consolidate_event(job.event(ENTRIES), Context(), LambdaOptions(labels="cat,dog"))
    assert ids(response) == ["0", "2"]
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["outcome"] for one in told[:-1]] == ["done", "failed", "done"]
    assert told[1]["reason"].startswith("1 of its 2 answers mean no class of this job: worker ")
    assert told[1]["warnings"] == []
    assert (told[-1]["Objects"], told[-1]["Failures"]) == (3, 1)


def test_labels_that_match_nothing_give_no_mask_of_nothing(
    here: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    job = Job.create(here, "mismatch")
    event = job.event(ENTRIES[:2], labelCategories=["tree"])
    with pytest.raises(ObjectError, match="all 2 objects failed; object 0: no answer left"):
        consolidate_event(event, Context(), LambdaOptions())
    assert list(job.written("output/")) == []
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (last["Objects"], last["Failures"]) == (2, 2)


@pytest.mark.parametrize(
    ("changes", "entries", "counted"),
    [
        # nothing says what the classes are, but the objects are known by then
        ({"labelCategories": None}, ENTRIES, (3, 3)),
        # the payload is none, or lies elsewhere: one failure at least
        ({}, {"no": "request"}, (0, 1)),
        ({"payload": {"s3Uri": "s3://elsewhere/1.json"}}, ENTRIES, (0, 1)),
    ],
)
def test_a_call_that_fails_wholly_counts_its_objects_as_failures(
    here: Aws,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, Any],
    entries: Any,
    counted: tuple[int, int],
) -> None:
    job = Job.create(here, "wholly")
    with pytest.raises(ConsolidationError):
        consolidate_event({**job.event(entries), **changes}, Context(), LambdaOptions())
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["event"] == "invocation"
    assert (last["Objects"], last["Failures"]) == counted


# -- why no class is found


def test_the_true_cause_is_said_where_no_answer_names_a_label(tmp_path: Path) -> None:
    answer = wire.picture_content(wire.picture([1], [GREEN]), {"cat": "greenish"})
    source = wire.write_json(tmp_path / "r.json", [wire.entry("7", ("ann", answer))])
    cause = (
        r"no answer in it names a label: object 7, worker ann: "
        r"label 'cat' has no color such as #2ca02c but 'greenish'$"
    )
    with pytest.raises(SourceError, match=cause):
        run_job(source, tmp_path / "out", PLAIN)
