"""The handlers in AWS's own runtime client, over HTTP, against S3 over HTTP."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from consolidation.aws.logs import worker_hash
from consolidation.cli import main
from consolidation.formats.groundtruth import mask_labels
from tests import wire
from tests.lambda_job import Job, contents, ids
from tests.runtime_api import Function, FunctionError
from tests.s3_server import Aws
from tests.shared_data import GROUND_TRUTH, needs_shared

pytest.importorskip("awslambdaric", reason="awslambdaric is not installed")

ROW = {"a": [1, 1, 0, 2], "b": [1, 0, 0, 2], "c": [1, 2, 0, 2]}
WORKERS = [f"private.us-east-1.{name * 16}" for name in "abc"]


def payload(*object_ids: str) -> list[dict[str, Any]]:
    answers = [
        (worker, wire.content([row] * 3)) for worker, row in zip(WORKERS, ROW.values(), strict=True)
    ]
    return [wire.entry(object_id, *answers) for object_id in object_ids]


@pytest.fixture(scope="module")
def function(aws: Aws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Function]:
    log = tmp_path_factory.mktemp("function") / "log"
    with Function("lambda_handler.handler", aws.environment(), log) as one:
        yield one


def test_masks_confidence_provenance_and_the_response(function: Function, aws: Aws) -> None:
    job = Job.create(aws, "Cells-2026")
    answer = function.invoke(job.event(payload("7", "5")))
    assert answer.ok, answer.body
    # the payload's order, not that of numbers
    assert ids(answer.body) == ["7", "5"]
    time = "2026-11-23T10:00:00.000000"
    written = job.written()
    assert {key for key in written if not key.startswith("consolidation-request/")} == {
        f"{kind}/{name}_{time}.{ending}"
        for kind, ending in (("output", "png"), ("confidence", "png"), ("provenance", "json"))
        for name in "57"
    }
    content = contents(answer.body)["7"]
    assert list(content) == ["seg-ref", "seg-ref-metadata"]
    assert content["seg-ref"] == f"{job.consolidated}output/7_{time}.png"
    block = content["seg-ref-metadata"]
    assert list(block) == [
        "internal-color-map",
        "type",
        "human-annotated",
        "creation-date",
        "job-name",
        "consolidation",
    ]
    assert [list(entry) for entry in block["internal-color-map"].values()] == [
        ["class-name", "hex-color", "confidence"]
    ] * 3
    assert block["job-name"] == "labeling-job/cells-2026"
    assert block["creation-date"] == time
    assert len(json.dumps(block["consolidation"])) < 1000
    [label] = mask_labels(content)
    assert [one.name for one in label.classes] == ["BACKGROUND", "cat", "dog"]
    # by hand: painted are columns 0, 1 and 3, of which 1 is a tie of three
    assert label.confidence == pytest.approx((1 + 1 / 3 + 1) / 3, abs=1e-6)
    with Image.open(io.BytesIO(written[f"output/7_{time}.png"])) as mask:
        assert mask.mode == "P"
        assert np.asarray(mask)[:, [0, 2, 3]].tolist() == [[1, 0, 2]] * 3
    told = json.loads(written[f"provenance/7_{time}.json"])
    assert told["object"] == "7"
    assert [one["worker"] for one in told["workers"]] == WORKERS
    assert told["consensus"]["parameters"] == {
        "ties": "neighbours",
        "min_votes": 1,
        "smoothing": 1.0,
    }


def test_the_same_event_gives_the_same_names_and_bytes(function: Function, aws: Aws) -> None:
    job = Job.create(aws, "repeat")
    event = job.event(payload("0", "1"))
    first = function.invoke(event)
    written = job.written()
    assert function.invoke(event) == first
    assert job.written() == written


def test_lines_of_the_log(function: Function, aws: Aws) -> None:
    job = Job.create(aws, "logged")
    before = len(function.log())
    broken = wire.entry("9", (WORKERS[0], "{}"))
    answer = function.invoke(job.event([*payload("0"), broken]))
    assert ids(answer.body) == ["0"]
    done, failed, whole = function.log()[before:]
    hashed = [worker_hash(worker) for worker in WORKERS]
    assert (done["event"], done["object"], done["outcome"]) == ("object", "0", "done")
    assert (done["job"], done["workers"], done["pixels"]) == ("logged", hashed, 12)
    assert done["disputed"] == 0.25
    assert (failed["object"], failed["outcome"]) == ("9", "failed")
    assert failed["reason"] == (
        f"no answer left: worker {hashed[0]}: the answer has no labeledImage, only no fields"
    )
    assert whole["event"] == "invocation"
    assert (whole["Objects"], whole["Failures"]) == (2, 1)
    assert done["request"] == failed["request"] == whole["request"]
    # CloudWatch's embedded metric format: every metric and dimension is a field of the line
    [directive] = whole["_aws"]["CloudWatchMetrics"]
    assert {one["Name"] for one in directive["Metrics"]} <= set(whole)
    assert directive["Dimensions"] == [["Function"]]
    assert whole["Function"] == "SageMaker-ACS-test"
    assert 20 < whole["PeakMemory"] < 4000
    assert not any(worker in json.dumps(function.log()) for worker in WORKERS)


def test_what_it_writes_is_encrypted_with_the_job_s_key(function: Function, aws: Aws) -> None:
    job = Job.create(aws, "secret")
    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    answer = function.invoke(job.event(payload("0"), kmsKeyId=key))
    assert answer.ok, answer.body
    for name in job.written():
        if not name.startswith("consolidation-request"):
            place = f"{job.prefix}annotations/consolidated-annotation/{name}"
            head = aws.client("s3").head_object(Bucket=job.bucket, Key=place)
            assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)


@pytest.mark.parametrize("key", ["s3Uri", "s3uri"])
def test_annotations_beside_the_payload(function: Function, aws: Aws, key: str) -> None:
    inline = Job.create(aws, f"inline-{key}")
    beside = Job.create(aws, f"beside-{key}")
    entries = payload("0")
    expected = function.invoke(inline.event(entries))
    for place, one in enumerate(entries[0]["annotations"]):
        text = one["annotationData"]["content"].encode()
        one["annotationData"] = {key: beside.put(f"annotations/answers/{place}.json", text)}
    answer = function.invoke(beside.event(entries))
    assert answer.ok, answer.body
    masks = [list(job.written("output/").values()) for job in (inline, beside)]
    assert masks[0] == masks[1] and len(masks[0]) == 1
    assert expected.ok


@needs_shared
@pytest.mark.parametrize("name, label", [("femur_ap", "Femur"), ("humerus", "Humerus")])
def test_real_payloads_as_a_local_run(
    function: Function, aws: Aws, tmp_path: Path, name: str, label: str
) -> None:
    source = GROUND_TRUTH / "mturk" / f"{name}.json"
    job = Job.create(aws, name.replace("_", "-"))
    answer = function.invoke(job.event(json.loads(source.read_text()), labelCategories=[label]))
    assert answer.ok, answer.body
    labels = wire.write_json(tmp_path / "labels.json", [label])
    local = ["run", str(source), "--out", str(tmp_path / "out"), "--labels", str(labels)]
    options = ["--method", "plurality", "--smoothing", "1", "--ties", "neighbours"]
    assert main([*local, *options, "--confidence-maps", "--quiet"]) == 0
    for kind, folder in (("output", "masks"), ("confidence", "confidence")):
        written = job.written(f"{kind}/")
        files = {path.stem: path.read_bytes() for path in (tmp_path / "out" / folder).iterdir()}
        assert {key.partition("_")[0]: body for key, body in written.items()} == files
    lines = wire.json_lines(tmp_path / "out" / "output.manifest")
    for object_id, content in contents(answer.body).items():
        ours = mask_labels(content)[0]
        theirs = mask_labels(lines[int(object_id)])[0]
        assert (ours.classes, ours.confidence) == (theirs.classes, theirs.confidence)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"payload": None}, "the event's payload has no s3Uri"),
        ({"labelAttributeName": None}, "the event has no labelAttributeName"),
        ({"labelingJobArn": "cells"}, "labelingJobArn is not that of a labeling job: 'cells'"),
        ({"labelCategories": ["cat", "cat"]}, "the label 'cat' is listed twice"),
        ({"payload": {"s3Uri": "s3://elsewhere/1.json"}}, "s3://elsewhere/1.json is not within"),
        ({"payload": {"s3Uri": "/etc/passwd"}}, "the payload /etc/passwd is not within"),
        (
            {"outputConfig": "s3://other/out/refused/annotations"},
            "is not within the job's own prefix s3://other/out/refused/: "
            "payload.s3Uri has the prefix s3://refused/",
        ),
        (
            {"outputConfig": "s3://other/out/refused/annotations"},
            "outputConfig tells s3://other/out/refused/; "
            "CONSOLIDATION_TRUSTED_PREFIXES may name more",
        ),
        (
            {"outputConfig": "s3://other/out/renamed/annotations"},
            "outputConfig tells none, since s3://other/out/renamed/annotations does not lie in "
            "refused/annotations, the folder of the job of labelingJobArn",
        ),
    ],
)
def test_an_event_that_cannot_be_served_fails_with_one_line(
    function: Function, aws: Aws, changes: dict[str, Any], message: str
) -> None:
    job = Job(aws, "refused", "refused")
    if "refused" not in {one["Name"] for one in aws.client("s3").list_buckets()["Buckets"]}:
        Job.create(aws, "refused")
    answer = function.invoke({**job.event(payload("0")), **changes})
    assert message in answer.message
    assert "\n" not in answer.message
    assert answer.body["errorType"] == "SourceError"


def test_verification_jobs_are_refused(function: Function, aws: Aws) -> None:
    job = Job.create(aws, "verdicts")
    verdict = {"crowd-image-classifier": {"label": "good"}}
    entries = [wire.entry("0", *((worker, verdict) for worker in WORKERS))]
    answer = function.invoke(job.event(entries))
    assert (
        "the answer is a verdict on a mask, not a mask: is this a verification job?"
        in answer.message
    )
    assert not any(worker in answer.message for worker in WORKERS)


def test_adjustment_jobs_say_whether_the_mask_was_changed(function: Function, aws: Aws) -> None:
    job = Job.create(aws, "adjusted")
    entries = [
        wire.entry(
            name,
            *(
                (worker, wire.content([row] * 3, initialValueModified=flag))
                for worker, row, flag in zip(WORKERS, ROW.values(), flags, strict=True)
            ),
        )
        for name, flags in (("0", [False, True, False]), ("1", [False] * 3))
    ]
    answer = function.invoke(job.event(entries))
    status = [
        one["seg-ref-metadata"]["adjustment-status"] for one in contents(answer.body).values()
    ]
    assert status == ["adjusted", "unadjusted"]


@pytest.mark.parametrize(
    "variable, value, message",
    [
        ("TIES", "coin", "CONSOLIDATION_TIES must be one of lowest, neighbours, undecided"),
        ("METHOD", "auto", "that choice is made on a whole job"),
        ("SMOTHING", "2", "CONSOLIDATION_SMOOTHING meant?"),
    ],
)
def test_a_wrong_variable_fails_at_init(
    aws: Aws, tmp_path: Path, variable: str, value: str, message: str
) -> None:
    environment = {**aws.environment(), f"CONSOLIDATION_{variable}": value}
    with (
        Function("lambda_handler.handler", environment, tmp_path / "log") as function,
        pytest.raises(FunctionError, match=message.replace("?", r"\?")) as caught,
    ):
        function.invoke({})
    assert "\n" not in str(caught.value)
