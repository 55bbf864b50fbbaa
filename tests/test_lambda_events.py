"""What Ground Truth sends: logged events, classes from wherever they are, tasks."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from consolidation.aws.invocation import consolidate_event
from consolidation.aws.layout import JobLayout, payload_time
from consolidation.aws.settings import LambdaOptions, read_options
from consolidation.aws.task import make_task
from consolidation.consensus import Calibration
from consolidation.errors import ConsolidationError, OptionError, SourceError
from consolidation.formats.groundtruth import (
    mask_labels,
    parse_consolidation_event,
    parse_task_event,
)
from consolidation.names import file_name
from consolidation.options import given_variables
from consolidation.storage import split_s3
from tests import wire
from tests.lambda_job import Context, Job, contents, ids
from tests.runtime_api import Function
from tests.s3_server import Aws
from tests.shared_data import GROUND_TRUTH, needs_shared

EVENTS = GROUND_TRUTH / "aws-events"
PAYLOAD = [wire.entry("1", ("w", wire.content([1, 2]))), wire.entry("0", ("w", wire.content([0])))]


def logged_events() -> list[dict[str, Any]]:
    if not EVENTS.is_dir():
        return []
    listed = json.loads((EVENTS / "observed_acs_events.json").read_text())
    return [one["event"] for one in listed]


@needs_shared
@pytest.mark.parametrize("place", range(3))
def test_logged_events(here: Aws, place: int) -> None:
    event = logged_events()[place]
    bucket, key = split_s3(event["payload"]["s3Uri"])
    s3 = here.client("s3")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(PAYLOAD).encode())
    options = LambdaOptions(labels="cat,dog")
    if "consolidation-request" not in key:
        # the recipe's test event has its payload anywhere
        with pytest.raises(SourceError, match="is not within the job's own prefix"):
            consolidate_event(event, Context(), options)
        options = LambdaOptions(labels="cat,dog", trusted_prefixes=f"s3://{bucket}")
    response = consolidate_event(event, Context(), options)
    assert ids(response) == ["1", "0"]
    attribute = event["labelAttributeName"]
    for object_id, content in contents(response).items():
        name = f"{object_id}_{payload_time(event['payload']['s3Uri'])}.png"
        uri = f"{event['outputConfig']}/consolidated-annotation/output/{name}"
        assert content[attribute] == uri
        bucket, key = split_s3(uri)
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read(4) == b"\x89PNG"
        job = event["labelingJobArn"].rpartition(":")[2]
        assert content[f"{attribute}-metadata"]["job-name"] == job


@needs_shared
def test_the_pre_event_of_aws_s_own_sample() -> None:
    event = json.loads((EVENTS / "pre_human_task_test_event.json").read_text())
    task = make_task(event, Context(), LambdaOptions(labels="cat,dog"))
    assert task == {
        "taskInput": {
            "taskObject": "s3://test-bucket/test-image.jpg",
            "labels": ["cat", "dog"],
            "manifestLine": {"source-ref": "s3://test-bucket/test-image.jpg"},
        },
        "isHumanAnnotationRequired": True,
        "humanAnnotationRequired": "true",
    }


def test_tasks_in_the_runtime(aws: Aws, tmp_path: Path) -> None:
    pytest.importorskip("awslambdaric", reason="awslambdaric is not installed")
    line = {
        "source-ref": "s3://bucket/1.png",
        "old-ref": "s3://bucket/mask.png",
        "old-ref-metadata": {"internal-color-map": {"0": {"class-name": "BACKGROUND"}}},
    }
    arn = "arn:aws-cn:sagemaker:cn-north-1:1:labeling-job/adjust"
    event = {"version": "2018-10-16", "labelingJobArn": arn, "dataObject": line}
    environment = {**aws.environment(), "CONSOLIDATION_LABELS": '["a, b", "c"]'}
    with Function("lambda_handler.pre_handler", environment, tmp_path / "log") as function:
        answer = function.invoke(event)
        assert answer.ok, answer.body
        assert answer.body["taskInput"]["manifestLine"] == line
        assert answer.body["taskInput"]["labels"] == ["a, b", "c"]
        failed = function.invoke({**event, "dataObject": {"source": "a text"}})
        assert failed.message == "the event's dataObject has no source-ref: only images have masks"
        failed = function.invoke({**event, "dataObject": {**line, "note": "\ud83d"}})
        assert failed.message.startswith("the event's dataObject has no form in UTF-8")
        assert function.invoke(event) == answer
        logged = function.log()
        assert [(one["event"], one["job"]) for one in logged] == [
            ("task", "adjust"),
            ("task", None),
            ("task", "adjust"),
            ("task", "adjust"),
        ]
        assert ["error" in one for one in logged] == [False, True, True, False]
        assert all(one["request"] for one in logged)


@pytest.mark.parametrize("event", [None, [], {}, {"payload": None}, {"payload": {"s3Uri": 1}}])
def test_events_that_are_none(event: Any) -> None:
    with pytest.raises(SourceError, match=r"^the event"):
        parse_consolidation_event(event)
    with pytest.raises(SourceError, match=r"^the event"):
        parse_task_event(event)


def test_the_job_s_name_may_have_any_case_in_the_arn(here: Aws) -> None:
    job = Job.create(here, "Cells-X")
    arn = job.arn.replace("cells-x", "Cells-X")
    response = consolidate_event(job.event(PAYLOAD, labelingJobArn=arn), Context(), LambdaOptions())
    assert contents(response)["1"]["seg-ref-metadata"]["job-name"] == "labeling-job/cells-x"


# -- classes


@pytest.fixture
def sagemaker(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """A DescribeLabelingJob of two lines: what it answers by job, and who asked."""
    jobs: dict[str, Any] = {"asked": []}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert self.headers["X-Amz-Target"] == "SageMaker.DescribeLabelingJob"
            name = request["LabelingJobName"]
            jobs["asked"].append(name)
            body = json.dumps(jobs.get(name, {"__type": "ResourceNotFound"})).encode()
            self.send_response(200 if name in jobs else 400)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER", url)
    from consolidation.aws import access

    access._own_client.cache_clear()
    yield jobs
    access._own_client.cache_clear()
    server.shutdown()
    server.server_close()


def names(response: list[dict[str, Any]]) -> list[str]:
    [content] = contents(response[:1]).values()
    entries = content["seg-ref-metadata"]["internal-color-map"].values()
    return [entry["class-name"] for entry in entries]


CATEGORIES = {"document-version": "2018-11-28", "labels": [{"label": "dog"}, {"label": "cat"}]}


@pytest.mark.parametrize("missing", [..., None, []])
def test_classes_of_the_job_s_own_file(here: Aws, sagemaker: dict[str, Any], missing: Any) -> None:
    job = Job.create(here, f"described-{missing is None}-{missing == []}")
    # it may lie anywhere: it is the job's owner who said so
    categories = Job.create(here, f"elsewhere-{missing is None}-{missing == []}")
    uri = categories.put("labels.json", CATEGORIES)
    sagemaker[job.name.lower()] = {"LabelCategoryConfigS3Uri": uri}
    event = job.event(PAYLOAD, labelCategories=missing)
    for _ in range(2):
        response = consolidate_event(event, Context(), LambdaOptions())
        assert names(response) == ["BACKGROUND", "dog", "cat"]
    # once a job: the API is throttled
    assert sagemaker["asked"] == [job.name.lower()]


def test_classes_of_the_event_go_before_those_of_the_environment(here: Aws) -> None:
    job = Job.create(here, "listed")
    uri = job.put("labels.json", CATEGORIES)
    for listed in (["cat", "dog"], [{"label": "cat"}, {"label": "dog"}]):
        event = job.event(PAYLOAD, labelCategories=listed)
        response = consolidate_event(event, Context(), LambdaOptions(labels=uri))
        assert names(response) == ["BACKGROUND", "cat", "dog"]
    event = job.event(PAYLOAD, labelCategories=None)
    response = consolidate_event(event, Context(), LambdaOptions(labels=uri))
    assert names(response) == ["BACKGROUND", "dog", "cat"]


def test_confidence_by_the_calibration_that_is_configured(here: Aws) -> None:
    job = Job.create(here, "calibrated")
    uri = job.put("calibration.json", Calibration(((0.0, 0.0), (1.0, 0.5))).to_json().encode())
    answers = [(worker, wire.content([1])) for worker in "ab"]
    event = job.event([wire.entry("0", *answers)])
    for options, confidence in ((LambdaOptions(), 1.0), (LambdaOptions(calibration=uri), 0.5)):
        [content] = contents(consolidate_event(event, Context(), options)).values()
        assert mask_labels(content)[0].confidence == confidence
    broken = LambdaOptions(calibration=job.put("broken.json", b"{}"))
    with pytest.raises(SourceError, match=r"broken\.json"):
        consolidate_event(event, Context(), broken)


def test_without_classes_it_fails_with_one_line(here: Aws, sagemaker: dict[str, Any]) -> None:
    job = Job.create(here, "unknown")
    event = job.event(PAYLOAD, labelCategories=None)
    message = (
        "^no classes: the event has no labelCategories; CONSOLIDATION_LABELS can give them; .*"
    )
    with pytest.raises(ConsolidationError, match=message + "ResourceNotFound"):
        consolidate_event(event, Context(), LambdaOptions())
    sagemaker["unknown"] = {}
    with pytest.raises(ConsolidationError, match=message + "no label-categories file$"):
        consolidate_event(event, Context(), LambdaOptions())


# -- configuration


def test_configuration() -> None:
    assert read_options({"PATH": "x", "CONSOLIDATION_TIES": " "}) == LambdaOptions()
    defaults = LambdaOptions()
    assert (defaults.method, defaults.smoothing, defaults.ties, defaults.min_votes) == (
        "plurality",
        1.0,
        "neighbours",
        1,
    )
    assert read_options({"CONSOLIDATION_JOB_RELIABILITY": "yes"}).method == "weighted"
    kept = {"CONSOLIDATION_JOB_RELIABILITY": "yes", "CONSOLIDATION_METHOD": "plurality"}
    assert read_options(kept).method == "plurality"


@pytest.mark.parametrize(
    "name, value, message",
    [
        ("METHOD", "auto", "a Lambda sees a batch at a time"),
        ("METHOD", "weighted", "needs CONSOLIDATION_JOB_RELIABILITY=yes"),
        ("SMOOTHING", "much", "CONSOLIDATION_SMOOTHING must be a number, not 'much'"),
        ("BACKEND", "dask", "CONSOLIDATION_BACKEND is no option of the Lambda functions"),
        ("JOB_NAME", "cells", "CONSOLIDATION_JOB_NAME is no option of the Lambda functions"),
        ("LABELS", "cat,cat", "CONSOLIDATION_LABELS: the label 'cat' is listed twice"),
        ("LABELS", "[", "CONSOLIDATION_LABELS is not JSON"),
        ("LABELS", "s3://", "CONSOLIDATION_LABELS must be s3://bucket/key, not 's3://'"),
        ("CALIBRATION", "gold.json", "CALIBRATION must be s3://bucket/key, not 'gold.json'"),
        ("CALIBRATION", "s3://bucket", "CALIBRATION must be s3://bucket/key, not 's3://bucket'"),
        ("TRUSTED_PREFIXES", "s3://a/,s3://b/", "CONSOLIDATION_TRUSTED_PREFIXES cannot be"),
        ("TRUSTED_PREFIXES", "bucket/x", "CONSOLIDATION_TRUSTED_PREFIXES cannot be 'bucket/x'"),
        ("FAILED_OBJECTS", "drop", "must be one of omit, report, not 'drop'"),
    ],
)
def test_configuration_that_is_wrong(name: str, value: str, message: str) -> None:
    with pytest.raises((OptionError, SourceError), match=message.replace("[", r"\[")):
        read_options({f"CONSOLIDATION_{name}": value})


def test_the_environment_of_this_process_is_not_read_by_the_tests() -> None:
    assert not given_variables(os.environ)


# -- names


@pytest.mark.parametrize(
    "name, time",
    [
        ("2020-10-20_21:33:03.json", "2020-10-20T21:33:03.000000"),
        ("2020-10-20_21_33_03.json", "2020-10-20T21:33:03.000000"),
        ("2020-13-20_21:33:03.json", "1970"),
        ("payload.json", "1970"),
        ("2020-10-20_21:33:03.json.gz", "1970"),
    ],
)
def test_the_time_is_that_of_the_payload(name: str, time: str) -> None:
    found = payload_time(f"s3://bucket/{name}")
    assert found.startswith(time)
    assert found == payload_time(f"s3://bucket/{name}")
    assert len(found) == 26


def test_payloads_without_a_time_have_different_ones() -> None:
    times = {payload_time(f"s3://bucket/payload-{place}.json") for place in range(1000)}
    assert len(times) == 1000


HOSTILE = [
    "..",
    ".",
    "../../../other/x",
    "a/b",
    "a\\b",
    "x\0y",
    "x\ny",
    "CON",
    "c:on",
    "é" * 300,
    "z" * 10_000,
    "z" * 9_999,
    "\ud800",
    "s3://other/x",
    "x?y=z#w",
]


@pytest.mark.parametrize("object_id", HOSTILE)
def test_ids_stay_in_their_folder(object_id: str) -> None:
    event = {
        "labelingJobArn": "arn:aws:sagemaker:us-east-1:1:labeling-job/j",
        "labelAttributeName": "a",
        "payload": {
            "s3Uri": "s3://b/j/annotations/consolidated-annotation/consolidation-request/x"
        },
    }
    layout = JobLayout.of(parse_consolidation_event(event))
    for uri in (layout.mask(object_id), layout.failure(object_id), layout.provenance(object_id)):
        _, _, name = uri.rpartition("/")
        assert uri.count("/") == 7
        assert name.isascii() and name.isprintable()
        assert len(uri) < 400
        assert uri in layout.allowed


def test_ids_do_not_collide() -> None:
    assert len({file_name(one) for one in HOSTILE}) == len(HOSTILE)
