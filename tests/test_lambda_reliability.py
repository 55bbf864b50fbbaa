"""Reliability over a job: payloads at once, repeated, late; nothing lost, nothing counted twice."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from consolidation import storage
from consolidation.aws import statistics
from consolidation.aws.invocation import consolidate_event
from consolidation.aws.settings import LambdaOptions, read_options
from consolidation.consensus import Reliability
from consolidation.errors import ObjectError, SourceError
from consolidation.formats.groundtruth import AnnotationAnswer, parse_request
from consolidation.masks import Classes
from consolidation.objects.pipeline import consolidate_object
from consolidation.objects.prepare import LabeledObject, prepare_object
from consolidation.storage import StorageError
from tests import wire
from tests.lambda_job import Context, Job, ids
from tests.runtime_api import Function
from tests.s3_server import Aws

AT_ONCE = 4
OPTIONS = read_options({"CONSOLIDATION_JOB_RELIABILITY": "yes"})
WORKERS = ("ann", "bob", "cat", "junk", "junk-too")


def payload(seed: int, objects: int = 3) -> list[dict[str, Any]]:
    """Objects that three workers paint much the same, and two at random."""
    rng = np.random.default_rng(seed)
    entries = []
    for place in range(objects):
        truth = rng.integers(0, 3, (24, 24))
        answers = []
        for worker in WORKERS:
            share = 1.0 if worker.startswith("junk") else 0.05
            noise = rng.integers(0, 3, truth.shape)
            mask = np.where(rng.random(truth.shape) < share, noise, truth)
            answers.append((worker, wire.content(mask)))
        entries.append(wire.entry(f"{seed * objects + place}", *answers))
    return entries


def time(place: int) -> str:
    return f"2026-11-23_10:00:{place:02}"


def counted(payloads: list[list[dict[str, Any]]]) -> Reliability:
    """What all payloads together tell."""
    total = Reliability()
    classes = Classes.of_labels(["cat", "dog"])
    for one in payloads:
        for obj in parse_request(json.dumps(one), "payload"):
            answers = [(each.worker, AnnotationAnswer(each)) for each in obj.annotations]
            made = prepare_object(LabeledObject(obj.id, {}, answers), classes, LambdaOptions())
            total.add(made.masks, made.workers, 255)
    return total


def summed(job: Job) -> Reliability:
    total = Reliability()
    for name, body in job.written("reliability/").items():
        total += Reliability.from_json(body, name)
    return total


def test_junk_loses_its_vote_and_the_weights_are_told(here: Aws) -> None:
    job = Job.create(here, "weighted")
    for place in range(3):
        consolidate_event(job.event(payload(place), time(place)), Context(), OPTIONS)
    told = json.loads(job.written("provenance/")["8_2026-11-23T10:00:02.000000.json"])
    assert told["consensus"]["method"] == "weighted"
    assert summed(job).estimate().junk == {"junk", "junk-too"}
    # who has no vote has no weight
    assert len(told["consensus"]["parameters"].get("weights", [1] * 3)) == 3


def test_payloads_that_come_later_do_not_change_a_repeat(here: Aws) -> None:
    job = Job.create(here, "late")
    early = job.event(payload(1), time(1))
    first = consolidate_event(early, Context(), OPTIONS)
    written = job.written("output/")
    consolidate_event(job.event(payload(2), time(2)), Context(), OPTIONS)
    assert consolidate_event(early, Context(), OPTIONS) == first
    assert {
        name: body for name, body in job.written("output/").items() if name in written
    } == written


def test_off_by_default_nothing_is_written(here: Aws) -> None:
    job = Job.create(here, "unreliable")
    consolidate_event(job.event(payload(0)), Context(), LambdaOptions())
    assert job.written("reliability/") == {}


def test_statistics_are_gathered_for_later_with_another_method(here: Aws) -> None:
    job = Job.create(here, "gathered")
    options = LambdaOptions(job_reliability=True, method="plurality")
    plain = Job.create(here, "plain")
    assert consolidate_event(job.event(payload(0)), Context(), options)
    assert consolidate_event(plain.event(payload(0)), Context(), LambdaOptions())
    assert summed(job) == counted([payload(0)])
    assert job.written("output/") == plain.written("output/")


def test_something_else_among_the_statistics_is_no_statistics(here: Aws) -> None:
    job = Job.create(here, "mixed")
    job.put("annotations/consolidated-annotation/reliability/0.json", b"{}")
    with pytest.raises(SourceError, match=r"reliability/0\.json holds no reliability statistics"):
        consolidate_event(job.event(payload(0)), Context(), OPTIONS)


def test_damaged_statistics_tell_no_worker(here: Aws) -> None:
    job = Job.create(here, "damaged")
    damaged = counted([payload(0)]).to_json().replace('"ann"', '"somebody"', 1).encode()
    job.put("annotations/consolidated-annotation/reliability/0.json", damaged)
    with pytest.raises(SourceError, match=r"/0\.json holds no reliability statistics$"):
        consolidate_event(job.event(payload(0)), Context(), OPTIONS)


def test_the_same_bytes_under_two_keys_count_once(here: Aws) -> None:
    twice, once = Job.create(here, "twice"), Job.create(here, "once")
    consolidate_event(twice.event(payload(0), time(0)), Context(), OPTIONS)
    for job in (once, twice):
        consolidate_event(job.event(payload(0), time(1)), Context(), OPTIONS)
        consolidate_event(job.event(payload(1), time(2)), Context(), OPTIONS)
    assert len(twice.written("reliability/")) == 3
    late = {
        job.name: {
            name: body for name, body in job.written("output/").items() if ":00:00." not in name
        }
        for job in (once, twice)
    }
    assert late["once"] == late["twice"]
    assert weights(once, 2) == weights(twice, 2)


def weights(job: Job, place: int) -> Any:
    """How object 5 was decided in the payload of a time."""
    told = json.loads(job.written("provenance/")[f"5_2026-11-23T10:00:{place:02}.000000.json"])
    return told["consensus"]["parameters"]


def weights_by(payloads: list[list[dict[str, Any]]], entry: dict[str, Any]) -> Any:
    """How an object is decided by what payloads tell."""
    [obj] = parse_request(json.dumps([entry]), "payload")
    answers = [(each.worker, AnnotationAnswer(each)) for each in obj.annotations]
    labeled, classes = LabeledObject(obj.id, {}, answers), Classes.of_labels(["cat", "dog"])
    result = consolidate_object(labeled, classes, OPTIONS, counted(payloads))
    return result.consensus.provenance["parameters"]


def test_an_answer_that_cannot_be_read_now_fails_its_object_only(
    here: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job.create(here, "throttled")
    consolidate_event(job.event(payload(0), time(0)), Context(), OPTIONS)
    entries = payload(1)
    uri = job.put("annotations/answers/slow.json", wire.content([1, 2]))
    entries[1]["annotations"].append({"workerId": "x", "annotationData": {"s3Uri": uri}})
    event = job.event(entries, time(1))
    real = storage.read_bytes

    def throttled(place: str, *arguments: Any) -> bytes:
        if place == uri:
            raise StorageError(f"cannot read {place}: SlowDown")
        return real(place, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(storage, "read_bytes", throttled)
        response = consolidate_event(event, Context(), OPTIONS)
    assert ids(response) == ["3", "5"]
    # no half statistics, which the repeat would have to take back
    assert len(job.written("reliability/")) == 1
    assert weights(job, 1) == weights_by([payload(0)], payload(1)[2])
    assert ids(consolidate_event(event, Context(), OPTIONS)) == ["3", "4", "5"]
    assert len(job.written("reliability/")) == 2
    # what a call has added counts, though a repeat cannot read all
    before = weights(job, 1)
    assert before == weights_by([payload(0), payload(1)], payload(1)[2])
    with monkeypatch.context() as patch:
        patch.setattr(storage, "read_bytes", throttled)
        consolidate_event(event, Context(), OPTIONS)
    assert weights(job, 1) == before


def test_too_little_time_to_learn_leaves_every_object(
    here: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    job = Job.create(here, "too-late")
    real, done = statistics.prepare_object, []

    def slow(*arguments: Any) -> Any:
        done.append(1)
        return real(*arguments)

    monkeypatch.setattr(statistics, "prepare_object", slow)
    context = Context()
    context.get_remaining_time_in_millis = lambda: 60_000 - 25_000 * len(done)
    with pytest.raises(ObjectError, match="all 6 objects failed; object 0: too little time"):
        consolidate_event(job.event(payload(0, 6)), context, OPTIONS)
    *objects, whole = map(json.loads, capsys.readouterr().out.splitlines())
    assert [(one["object"], one["outcome"]) for one in objects] == [(n, "left") for n in "012345"]
    assert whole["left"] == [*"012345"]
    assert job.written("reliability/") == {}


def test_names_of_statistics_are_those_of_the_payload() -> None:
    names = {statistics.statistics_name("2026", body) for body in (b"a", b"b", b"a")}
    assert len(names) == 2


# last: the tests above have compiled the kernels, which four processes need not do at once
def test_invocations_at_once_and_repeated(aws: Aws, tmp_path: Path) -> None:
    pytest.importorskip("awslambdaric", reason="awslambdaric is not installed")
    job = Job.create(aws, "At-Once")
    payloads = [payload(seed) for seed in range(AT_ONCE)]
    events = [job.event(one, time(place)) for place, one in enumerate(payloads)]
    environment = {**aws.environment(), "CONSOLIDATION_JOB_RELIABILITY": "yes"}
    with contextlib.ExitStack() as stack:
        functions = [
            stack.enter_context(
                Function("lambda_handler.handler", environment, tmp_path / str(place))
            )
            for place in range(AT_ONCE)
        ]
        # each function gets an event and then, in another order, one that another one has
        first = [one.send(event) for one, event in zip(functions, events, strict=True)]
        again = [one.send(event) for one, event in zip(functions, reversed(events), strict=True)]
        answers = [one.result(60) for one in first]
        repeated = [one.result(60) for one in reversed(again)]
        assert all(one.ok for one in (*answers, *repeated)), answers
        for place, (one, other) in enumerate(zip(answers, repeated, strict=True)):
            assert (
                ids(one.body)
                == ids(other.body)
                == [entry["datasetObjectId"] for entry in payloads[place]]
            )
        assert len(job.written("output/")) == 3 * AT_ONCE
        assert len(job.written("reliability/")) == AT_ONCE
        assert summed(job) == counted(payloads)
        # from now on all that came before is known: repeated, the bytes are the same
        functions[0].invoke(events[3])
        written = job.written()
        functions[1].invoke(events[3])
        assert job.written() == written
