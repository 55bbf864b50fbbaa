"""What goes wrong: bad objects, strangers' URIs, slow storage, no time, no room."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from consolidation import storage
from consolidation.aws import batch as batches
from consolidation.aws import response as responses
from consolidation.aws.access import call_config
from consolidation.aws.deadline import Deadline, OutOfTimeError
from consolidation.aws.invocation import consolidate_event
from consolidation.aws.logs import InvocationLog, worker_hash
from consolidation.aws.response import Response
from consolidation.aws.settings import LambdaOptions
from consolidation.errors import ConsolidationError, ObjectError
from consolidation.groundtruth import MaskClass, mask_labels, metadata
from consolidation.storage import StorageError
from tests import wire
from tests.lambda_job import Context, Job, contents, ids
from tests.runtime_api import Function
from tests.s3_server import Aws

GOOD = wire.entry("good", ("w", wire.content([1, 2])))
TIME = "2026-11-23T10:00:00.000000"
OPTIONS = LambdaOptions()


def good(*names: str) -> list[dict[str, Any]]:
    return [wire.entry(name, ("w", wire.content([1, 2]))) for name in names]


@pytest.fixture
def job(here: Aws, request: pytest.FixtureRequest) -> Job:
    """A job named after the test."""
    name = "".join(char if char.isalnum() else "-" for char in request.node.name[5:55])
    return Job.create(here, f"f-{name}".rstrip("-"))


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


BAD = [
    wire.entry("no-answers"),
    wire.entry("no-mask", ("private.us-east-1.secret", "{}")),
    wire.entry("two-sizes", ("a", wire.content([1])), ("b", wire.content([1, 1]))),
    {"datasetObjectId": "no-list", "annotations": None},
    {"annotations": []},
    "nonsense",
]


@pytest.mark.parametrize("mode", ["omit", "report"])
def test_bad_objects_do_not_harm_good_ones(
    job: Job, mode: str, capsys: pytest.CaptureFixture[str]
) -> None:
    event = job.event([*BAD[:3], GOOD, *BAD[3:]])
    response = consolidate_event(event, Context(), LambdaOptions(failed_objects=mode))
    named = ["no-answers", "no-mask", "two-sizes", "good", "no-list"]
    assert ids(response) == (["good"] if mode == "omit" else named)
    assert list(job.written("output/")) == [f"good_{TIME}.png"]
    failures = job.written("failures/")
    wanted = [*(name for name in named if name != "good"), "entry-5", "entry-6"]
    assert set(failures) == {f"{name}_{TIME}.json" for name in wanted}
    told = json.loads(failures[f"no-mask_{TIME}.json"])
    # in the job's own bucket, where the payload has it too
    assert "worker private.us-east-1.secret: the answer has no labeledImage" in told["reason"]
    logged = lines(capsys)
    assert [one["outcome"] for one in logged[:-1]] == ["failed"] * 3 + ["done"] + ["failed"] * 3
    assert (logged[-1]["Objects"], logged[-1]["Failures"]) == (7, 6)
    for content in contents(response).values():
        if "seg-ref" not in content:
            block = content["seg-ref-metadata"]
            assert block["failure-reason"] and "secret" not in block["failure-reason"]
            assert mask_labels(content) == []


@pytest.mark.parametrize("mode", ["omit", "report"])
def test_when_all_fail_so_does_the_invocation(job: Job, mode: str) -> None:
    with pytest.raises(ObjectError, match=r"^all 6 objects failed; object no-answers: no answer"):
        consolidate_event(job.event(BAD), Context(), LambdaOptions(failed_objects=mode))
    assert len(job.written("failures/")) == 6


def test_the_same_id_twice_the_later_counts(job: Job) -> None:
    entries = [*good("0"), *good("1"), wire.entry("0", ("w", wire.content([2, 2, 2])))]
    response = consolidate_event(job.event(entries), Context(), OPTIONS)
    assert ids(response) == ["1", "0"]
    told = json.loads(job.written("provenance/")[f"0_{TIME}.json"])
    assert told["size"] == [1, 3]


def test_a_defect_of_ours_takes_no_other_object_with_it(
    job: Job, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = batches.consolidate_object

    def broken(obj: Any, *arguments: Any) -> Any:
        return 1 / 0 if obj.id == "1" else real(obj, *arguments)

    monkeypatch.setattr(batches, "consolidate_object", broken)
    response = consolidate_event(job.event(good("0", "1", "2")), Context(), OPTIONS)
    assert ids(response) == ["0", "2"]
    failed = lines(capsys)[1]
    assert failed["reason"] == "internal error: ZeroDivisionError: division by zero"
    assert failed["trace"][-1].endswith(" broken")


# -- strangers' URIs


@pytest.mark.parametrize(
    "uri",
    [
        "s3://{other}/out/mine/annotations/answers/1.json",
        "s3://{bucket}/out/{name}-2/1.json",
        "s3://{bucket}/out/{name}/../{name}-2/1.json",
        "s3://{bucket}/out/{name}",
        "file:///etc/passwd",
        "/etc/passwd",
        "../../etc/passwd",
        "https://example.com/1.json",
    ],
)
def test_annotations_lead_nowhere_but_into_the_job(
    job: Job, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    real = storage.read_bytes
    monkeypatch.setattr(storage, "read_bytes", lambda uri: read.append(uri) or real(uri))
    uri = uri.format(other="other-bucket", bucket=job.bucket, name=job.name)
    [entry] = good("0")
    stray = {"workerId": "stray", "annotationData": {"s3Uri": uri}}
    entry["annotations"].append(stray)
    event = job.event([entry])
    response = consolidate_event(event, Context(), OPTIONS)
    assert read == [event["payload"]["s3Uri"]]
    told = json.loads(job.written("provenance/")[f"0_{TIME}.json"])
    assert told["answers"] == [
        {
            "worker": "stray",
            "message": f"answer dropped: its s3Uri {uri} does not lie within the job's prefix",
        }
    ]
    assert ids(response) == ["0"]


def test_configuration_can_trust_more(job: Job) -> None:
    other = Job.create(job.aws, f"{job.name[:40]}-other")
    [entry] = good("0")
    uri = other.put("1.json", wire.content([1, 2]))
    entry["annotations"].append({"workerId": "x", "annotationData": {"s3Uri": uri}})
    options = LambdaOptions(trusted_prefixes=f"s3://{other.bucket}/{other.prefix}")
    consolidate_event(job.event([entry]), Context(), options)
    told = json.loads(job.written("provenance/")[f"0_{TIME}.json"])
    assert (told["answers"], told["consensus"]["workers"]) == ([], 2)


def test_an_answer_that_is_gone_is_dropped(job: Job) -> None:
    [entry] = good("0")
    gone = f"{job.annotations}/answers/gone.json"
    entry["annotations"].append({"workerId": "x", "annotationData": {"s3Uri": gone}})
    assert ids(consolidate_event(job.event([entry]), Context(), OPTIONS)) == ["0"]
    told = json.loads(job.written("provenance/")[f"0_{TIME}.json"])
    assert f"answer dropped: cannot read {gone}" in told["answers"][0]["message"]


# -- slow and broken storage


@pytest.mark.parametrize("call", ["read_bytes", "write_bytes"])
def test_storage_that_fails_fails_the_object_only(
    job: Job, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    # an answer that could be read next time must not be missing from the vote now
    entries = good("0", "1", "2")
    uri = job.put("annotations/answers/1.json", wire.content([1, 2]))
    entries[1]["annotations"].append({"workerId": "x", "annotationData": {"s3Uri": uri}})
    event = job.event(entries)
    real = getattr(storage, call)

    def flaky(place: str, *arguments: Any) -> Any:
        if "answers/1" in place or "output/1_" in place:
            raise StorageError(f"cannot reach {place}: SlowDown")
        return real(place, *arguments)

    monkeypatch.setattr(storage, call, flaky)
    assert ids(consolidate_event(event, Context(), OPTIONS)) == ["0", "2"]
    [failure] = job.written("failures/").values()
    assert "SlowDown" in json.loads(failure)["reason"]
    assert f"1_{TIME}.png" not in job.written("output/")


@pytest.fixture
def mute() -> Iterator[str]:
    """Endpoint that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_storage_that_hangs_is_given_up_in_time(aws: Aws, mute: str, tmp_path: Any) -> None:
    pytest.importorskip("awslambdaric", reason="awslambdaric is not installed")
    event = Job.create(aws, "mute").event(good("0"))
    environment = {**aws.environment(), "AWS_ENDPOINT_URL_S3": mute}
    with Function("lambda_handler.handler", environment, tmp_path / "log") as function:
        function.invoke({})  # once it has started
        started = time.monotonic()
        answer = function.invoke(event, 3.5)
        assert time.monotonic() - started < 3.5
    # whichever comes first: the last attempt, or the deadline
    assert re.search("cannot read .*Read timeout|took until the deadline", answer.message)


@pytest.mark.parametrize("seconds", [3, 30, 60, 300, 900])
def test_retries_of_a_call_end_within_half_of_the_time(seconds: float) -> None:
    config = call_config(seconds)
    attempts = config.retries["total_max_attempts"]
    assert attempts > 1
    waits = sum(min(2**place, 20) for place in range(attempts - 1))
    worst = attempts * (config.connect_timeout + config.read_timeout) + waits
    # a function of a few seconds gives up by its deadline instead
    assert worst <= max(seconds / 2, 9)


# -- time


def test_before_the_deadline_it_stops_and_says_what_is_left(
    job: Job, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    left = iter([60.0, 60.0, 60.0, 1.0])
    monkeypatch.setattr(Deadline, "check", lambda self: _stop_after(left))
    response = consolidate_event(job.event(good(*"abcde")), Context(), OPTIONS)
    assert ids(response) == ["a", "b", "c"]
    *objects, whole = lines(capsys)
    assert [(one["object"], one["outcome"]) for one in objects[3:]] == [
        ("d", "left"),
        ("e", "left"),
    ]
    assert (whole["left"], whole["n_left"]) == (["d", "e"], 2)
    assert set(job.written("failures/")) == {f"d_{TIME}.json", f"e_{TIME}.json"}


def _stop_after(left: Iterator[float]) -> None:
    if next(left, 0.0) < 5:
        raise OutOfTimeError("too little time: 1.0 s before the deadline")


def test_no_object_is_begun_that_would_take_too_long() -> None:
    deadline = Deadline(Context(100.0, 100.0, 20.0, 16.0, 14.0))
    assert deadline.kept == 5.0
    deadline.took(time.perf_counter() - 8)
    deadline.check()
    deadline.check()
    with pytest.raises(OutOfTimeError, match=r"too little time: 14.0 s before the deadline"):
        deadline.check()


def test_without_any_time_nothing_is_begun(job: Job) -> None:
    with pytest.raises(OutOfTimeError):
        consolidate_event(job.event(good("0")), Context(0.5), OPTIONS)
    assert set(job.written()) == {"consolidation-request/iteration-1/2026-11-23_10:00:00.json"}


# -- room


def test_the_response_stays_below_six_megabytes(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    event = job.event(good(*(str(place) for place in range(6))))
    whole = consolidate_event(event, Context(), OPTIONS)
    monkeypatch.setattr(responses, "MOST_BYTES", len(json.dumps(whole)) - 1)
    response = consolidate_event(event, Context(), OPTIONS)
    assert response == whole[:-1]
    [failure] = job.written("failures/").values()
    assert "the response is full" in json.loads(failure)["reason"]


@pytest.mark.parametrize("n_classes, told", [(2, True), (255, False)])
def test_provenance_makes_room_for_the_colour_map(n_classes: int, told: bool) -> None:
    response = Response("seg-ref", TIME, "job")
    classes = [MaskClass(index, f"class {index:08}", "#2ca02c") for index in range(n_classes)]
    block = metadata(classes, 0.5, TIME, "job")
    response.add("0", "s3://bucket/0.png", block, {"method": "x" * 900})
    [content] = contents(response.entries).values()
    assert ("consolidation" in content["seg-ref-metadata"]) == told


def test_long_provenance_is_left_out() -> None:
    response = Response("seg-ref", TIME, "job")
    response.add("0", "s3://bucket/0.png", {}, {"method": "x" * 1000})
    [content] = contents(response.entries).values()
    assert content["seg-ref-metadata"] == {}


def test_a_failure_has_a_short_reason() -> None:
    response = Response("seg-ref", TIME, "job")
    response.add_failure("0", "x" * 10_000)
    assert len(json.dumps(response.entries)) < 2000


# -- what the log does not say


def test_ids_of_workers_are_hashed_wherever_they_stand() -> None:
    log = InvocationLog(Context(), "job", worker_ids=False)
    long, short = "private.us-east-1.abcdef", "private.us-east-1"
    log.know([long, short])
    assert log.public(f"worker {long}: lost {long}.json of {short}") == (
        f"worker {worker_hash(long)}: lost {worker_hash(long)}.json of {worker_hash(short)}"
    )
    assert InvocationLog(Context(), "job", worker_ids=True).public(long) == long


def test_the_log_is_json_and_short_whatever_somebody_typed(
    job: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    label = "\ud800\n\x1b[31m" + "x" * 240
    hostile = wire.content([1, 2], {"cat": wire.GREEN, label: wire.BLUE})
    entries = [wire.entry("\n" * 2000, *((f"w{place}", hostile) for place in range(9)))]
    response = consolidate_event(job.event(entries), Context(), OPTIONS)
    assert len(response) == 1
    done, _ = lines(capsys)
    assert done["n_warnings"] == 9
    assert len(json.dumps(done)) < 25_000
    # where it fails, the error is one line too
    entries = [wire.entry("\n\ud800" * 999, ("w", {"\ud800\n": 1}))]
    with pytest.raises(ObjectError) as caught:
        consolidate_event(job.event(entries), Context(), OPTIONS)
    assert str(caught.value).encode().isascii() and "\n" not in str(caught.value)


def test_a_payload_that_is_none_fails_with_one_line(job: Job) -> None:
    for payload in (b"", b"[]", b"{}", b"\xff", b"[1, 2", b'{"a": 1}'):
        with pytest.raises(ConsolidationError, match=r"2026-11-23_10:00:00\.json") as caught:
            consolidate_event(job.event(payload), Context(), OPTIONS)
        assert "\n" not in str(caught.value)
