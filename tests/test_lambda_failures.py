"""What goes wrong: bad objects, strangers' URIs, slow storage, no time, no room."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from consolidation import storage
from consolidation.aws import batch as batches
from consolidation.aws import deadline as deadlines
from consolidation.aws import invocation as invocations
from consolidation.aws import response as responses
from consolidation.aws import task as tasks
from consolidation.aws.access import call_config
from consolidation.aws.deadline import Deadline, OutOfTimeError, Pace
from consolidation.aws.invocation import consolidate_event
from consolidation.aws.logs import InvocationLog, worker_hash
from consolidation.aws.response import Response
from consolidation.aws.settings import LambdaOptions
from consolidation.aws.task import make_task
from consolidation.errors import ConsolidationError, InternalError, ObjectError, SourceError
from consolidation.formats.groundtruth import mask_labels, metadata
from consolidation.masks import decode_indices
from consolidation.objects import MaskClass
from consolidation.storage import StorageError
from tests import wire
from tests.lambda_job import Context, Job, contents, ids
from tests.runtime_api import Function
from tests.s3_server import Aws

GOOD = wire.entry("good", ("w", wire.content([1, 2])))
TIME = "2026-11-23T10:00:00.000000"
OPTIONS = LambdaOptions()
WORKER = "private.us-east-1.ab1234c5678a919d0"
TASK = {
    "labelingJobArn": "arn:aws:sagemaker:us-east-1:1:labeling-job/cells",
    "dataObject": {"source-ref": "s3://bucket/1.png"},
}


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


def test_answers_to_the_same_id_join(job: Job) -> None:
    entries = [
        wire.entry("0", ("v", wire.content([1, 1, 0])), ("w", wire.content([1, 1, 1]))),
        *good("1"),
        wire.entry("0", ("w", wire.content([2, 2, 2])), ("x", wire.content([2, 2, 0]))),
    ]
    plain = LambdaOptions(smoothing=0.0, ties="lowest")
    response = consolidate_event(job.event(entries), Context(), plain)
    assert ids(response) == ["1", "0"]
    told = json.loads(job.written("provenance/")[f"0_{TIME}.json"])
    # v said 1 1 0; w said 2 2 2 at last; x said 2 2 0
    assert [each["worker"] for each in told["workers"]] == ["v", "w", "x"]
    [png] = [data for name, data in job.written("output/").items() if name.startswith("0_")]
    assert decode_indices(png).tolist() == [[2, 2, 0]]


def test_one_id_of_two_pictures_fails_alone(job: Job) -> None:
    other = wire.entry("0", ("x", wire.content([2, 2, 0])))
    other["dataObject"] = {"s3Uri": "s3://bucket/other.jpg"}
    first = wire.entry("0", ("v", wire.content([1, 1, 0])))
    response = consolidate_event(job.event([first, *good("1"), other]), Context(), OPTIONS)
    assert ids(response) == ["1"]
    [failure] = job.written("failures/").values()
    assert "its id is that of two pictures, " in json.loads(failure)["reason"]


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


def test_a_defect_while_files_are_written_is_that_of_one_object(
    job: Job, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = storage.write_bytes

    def broken(uri: str, data: bytes) -> None:
        if "output/1_" in uri:
            raise RuntimeError(f"worker {WORKER}")
        real(uri, data)

    monkeypatch.setattr(storage, "write_bytes", broken)
    entries = [wire.entry(name, (WORKER, wire.content([1, 2]))) for name in "012"]
    assert ids(consolidate_event(job.event(entries), Context(), OPTIONS)) == ["0", "2"]
    failed = lines(capsys)[1]
    assert failed["reason"] == f"internal error: RuntimeError: worker {worker_hash(WORKER)}"
    assert failed["trace"][-1].endswith(" broken")


def test_a_defect_elsewhere_leaves_one_line(
    job: Job, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError(f"{WORKER}\n\ud800")

    monkeypatch.setattr(batches.Batch, "_learn", broken)
    event = job.event([wire.entry("0", (WORKER, wire.content([1, 2])))])
    with pytest.raises(InternalError) as caught:
        consolidate_event(event, Context(), OPTIONS)
    told = f"internal error: RuntimeError: {worker_hash(WORKER)} \\ud800"
    assert str(caught.value) == told
    [whole] = lines(capsys)
    assert (whole["event"], whole["error"]) == ("invocation", told)
    assert whole["trace"][-1].endswith(" broken")


@pytest.mark.parametrize("mode", ["omit", "report"])
def test_half_a_surrogate_pair_harms_its_own_object_only(
    aws: Aws, tmp_path: Any, mode: str
) -> None:
    pytest.importorskip("awslambdaric", reason="awslambdaric is not installed")
    job = Job.create(aws, f"surrogate-{mode}")
    half = wire.entry("\ud800", ("w", wire.content([1, 2])))
    environment = {**aws.environment(), "CONSOLIDATION_FAILED_OBJECTS": mode}
    with Function("lambda_handler.handler", environment, tmp_path / "log") as function:
        answer = function.invoke(job.event([half, GOOD]))
        assert answer.ok, answer.body
        assert ids(answer.body) == ["good"]
        failed = function.invoke(job.event([half]))
        assert "has no form in UTF-8" in failed.message
        assert "no form in UTF-8" in function.log()[0]["reason"]


def test_an_event_that_is_none_has_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SourceError, match="payload has no s3Uri"):
        consolidate_event({}, Context(), OPTIONS)
    [line] = lines(capsys)
    assert (line["event"], line["request"], line["job"]) == ("invocation", "request-1", None)
    assert line["error"] == "the event's payload has no s3Uri"


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


@pytest.mark.parametrize("name, why", [("gone", "cannot read"), ("\ud800", "names no S3 object")])
def test_an_answer_that_is_gone_is_dropped(job: Job, name: str, why: str) -> None:
    [entry] = good("0")
    gone = f"{job.annotations}/answers/{name}.json"
    entry["annotations"].append({"workerId": "x", "annotationData": {"s3Uri": gone}})
    assert ids(consolidate_event(job.event([entry]), Context(), OPTIONS)) == ["0"]
    told = json.loads(job.written("provenance/")[f"0_{TIME}.json"])
    assert why in told["answers"][0]["message"]
    assert told["answers"][0]["message"].startswith("answer dropped: ")


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
    check = Deadline.check
    monkeypatch.setattr(
        Deadline,
        "check",
        lambda self, pixels=0: check(self, pixels) if pixels else _stop_after(left),
    )
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
    pace, pixels = Pace(), 100_000_000
    deadline = Deadline(Context(100.0, 8.1, 7.9, 40.0, 16.0), pace)
    assert deadline.kept == 5.0
    # at first by what is usual, 2 s and half as much again
    deadline.check(pixels)
    with pytest.raises(OutOfTimeError, match=r"7\.9 s .*, and 100,000,000 pixels .* take 3\.0 s"):
        deadline.check(pixels)
    # then by what was measured, too: together 12 s for 150,000,000, and half as much again
    for _ in range(5):
        pace.add(pixels // 10, 2.0)
    deadline.check(pixels)
    with pytest.raises(OutOfTimeError):
        deadline.check(pixels)


def test_many_small_objects_tell_nothing_of_a_large_one() -> None:
    pace = Pace()
    before = pace.seconds(10**9)
    pace.add(10, 2.0)  # what a start costs
    for _ in range(1000):
        pace.add(10, 0.01)
    assert before <= pace.seconds(10**9) < 1.1 * before


def test_a_large_object_after_small_ones_is_left_not_killed(
    job: Job, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # as if every pixel took a second: the small ones have one or two
    monkeypatch.setattr(deadlines, "LEAST_PIXELS", 1)
    monkeypatch.setattr(Pace, "seconds", lambda self, pixels: float(pixels))
    large = wire.entry("large", *((name, wire.content([[1] * 5] * 5)) for name in "abc"))
    event = job.event([*good("0", "1"), large, *good("2")])
    assert ids(consolidate_event(event, Context(), OPTIONS)) == ["0", "1", "2"]
    left = lines(capsys)[2]
    assert (left["object"], left["outcome"]) == ("large", "left")
    assert "75 pixels of answers may take 75.0 s" in left["reason"]


def test_a_server_that_trickles_is_given_up_in_time(
    job: Job, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    event = job.event(good("0"))
    for module, name, options in (
        (invocations, "s3_client", LambdaOptions(credentials="job")),
        (tasks, "job_classes", OPTIONS),
    ):
        hang = threading.Event()
        monkeypatch.setattr(module, name, lambda *_, hang=hang: hang.wait(30))
        run = consolidate_event if module is invocations else make_task
        given = event if module is invocations else TASK
        started = time.monotonic()
        with pytest.raises(OutOfTimeError, match="took until the deadline"):
            run(given, Context(1.2), options)
        assert time.monotonic() - started < 10
        hang.set()
        [line] = lines(capsys)
        assert "took until the deadline" in line["error"]


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
    log = InvocationLog(Context(), worker_ids=False)
    long, short = "private.us-east-1.abcdef", "private.us-east-1"
    log.know([long, short])
    assert log.public(f"worker {long}: lost {long}.json of {short}") == (
        f"worker {worker_hash(long)}: lost {worker_hash(long)}.json of {worker_hash(short)}"
    )
    assert log.public(f"s3://b/{long}_2026.json") == f"s3://b/{worker_hash(long)}_2026.json"
    open_log = InvocationLog(Context(), worker_ids=True)
    assert open_log.public(long) == open_log.worker(long) == long


def test_short_ids_are_hashed_only_where_they_mean_workers() -> None:
    log = InvocationLog(Context(), worker_ids=False)
    log.know(["a", "5"])
    a, five = worker_hash("a"), worker_hash("5")
    assert log.worker("5") == five
    assert log.public("worker a: a mask of 5 x 5") == f"worker {a}: a mask of 5 x 5"
    assert log.public("worker 5: s3://b/a/5.json, s3://b/a_5.json") == (
        f"worker {five}: s3://b/{a}/{five}.json, s3://b/{a}_{five}.json"
    )
    assert log.public("its s3Uri s3://b/a lies") == f"its s3Uri s3://b/{a} lies"
    assert log.public("5 MB, a/b, /ab") == "5 MB, a/b, /ab"


def test_objects_are_not_hashed_though_workers_are_called_so(
    job: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    done = wire.entry("worker-12345", ("worker-12345", wire.content([1, 2])))
    failing = wire.entry("5", ("5", wire.content([1])), ("a", wire.content([1, 1])))
    consolidate_event(job.event([done, failing]), Context(), OPTIONS)
    one, other, _ = lines(capsys)
    assert (one["object"], other["object"]) == ("worker-12345", "5")
    assert one["mask"].endswith(f"/output/worker-12345_{TIME}.png")
    assert one["workers"] == [worker_hash("worker-12345")]
    assert other["reason"].endswith(
        f"worker {worker_hash('5')}: 1 x 1, worker {worker_hash('a')}: 2 x 1"
    )


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
