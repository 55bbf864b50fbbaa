"""Lines of the log in the format that the template asks Lambda for: each is one JSON object."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests import template, wire
from tests.lambda_job import Job, ids
from tests.runtime_api import Function, FunctionError
from tests.s3_server import Aws

pytest.importorskip("awslambdaric", reason="awslambdaric is not installed")
pytest.importorskip("cfnlint", reason="cfn-lint is not installed")

PAYLOAD = [wire.entry("0", *((worker, wire.content([[1, 2]])) for worker in "abc"))]


def started(kind: str, environment: dict[str, str], log: Path) -> Function:
    """A function of the template ("Pre" or "Acs"), told its format of logs as Lambda tells it."""
    made = template.resources()["Resources"][f"{kind}Function"]["Properties"]
    [handler] = made["ImageConfig"]["Command"]
    told = {"AWS_LAMBDA_LOG_FORMAT": made["LoggingConfig"]["LogFormat"]}
    return Function(handler, {**environment, **told}, log)


def lines(log: Path) -> list[dict[str, Any]]:
    """Every line of what the process has printed, to stdout and to stderr."""
    parsed = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert all(isinstance(line, dict) for line in parsed)
    return parsed


def test_of_calls_that_succeed_and_that_fail(aws: Aws, tmp_path: Path) -> None:
    job = Job.create(aws, "logs")
    event = job.event(PAYLOAD)
    hopeless = job.event([wire.entry("1")], "2026-11-23_12:00:00")
    with started("Acs", aws.environment(), tmp_path / "log") as function:
        answer = function.invoke(event)
        refused = function.invoke({**event, "labelAttributeName": ""})
        failed = function.invoke(hopeless)
    assert ids(answer.body) == ["0"]
    done, whole, refusal, left_out, last, failure = lines(tmp_path / "log")
    assert (done["event"], left_out["event"]) == ("object", "object")
    assert (done["outcome"], left_out["outcome"]) == ("done", "failed")
    for line, call in ((refusal, refused), (failure, failed)):
        assert line["level"] == "ERROR"
        assert line["errorMessage"] == call.message
        assert "\n" not in call.message
    # the runtime's line of a failure and ours are of the same call
    assert failure["requestId"] == last["request"] != whole["request"]
    # metrics are found in a line only if nothing is wrapped around it
    for line in (whole, last):
        assert (line["event"], "_aws" in line) == ("invocation", True)


def test_of_a_task_that_is_refused(aws: Aws, tmp_path: Path) -> None:
    environment = {**aws.environment(), "CONSOLIDATION_LABELS": "cat,dog"}
    with started("Pre", environment, tmp_path / "log") as function:
        refused = function.invoke({})
    [line] = lines(tmp_path / "log")
    assert (line["level"], line["errorMessage"]) == ("ERROR", refused.message)


@pytest.mark.parametrize("kind", ["Pre", "Acs"])
def test_of_a_function_that_does_not_start(kind: str, aws: Aws, tmp_path: Path) -> None:
    environment = {**aws.environment(), "CONSOLIDATION_TIES": "coin"}
    with (
        started(kind, environment, tmp_path / "log") as function,
        pytest.raises(FunctionError) as caught,
    ):
        function.invoke({})
    warning, reason = lines(tmp_path / "log")
    assert warning["level"] == "WARNING"  # awslambdaric's own, that something is unhandled
    assert (reason["level"], reason["errorMessage"]) == ("ERROR", str(caught.value))
    assert reason["errorMessage"].startswith("CONSOLIDATION_TIES must be one of ")
