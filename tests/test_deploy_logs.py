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

pytest.importorskip(
    "awslambdaric.lambda_runtime_log_utils", reason="no awslambdaric that knows formats of logs"
)
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


def errors(log: Path) -> list[dict[str, Any]]:
    """Lines of AWS's runtime client of what was raised."""
    return [line for line in lines(log) if line.get("level") == "ERROR"]


def test_of_calls_that_succeed_and_that_fail(aws: Aws, tmp_path: Path) -> None:
    job = Job.create(aws, "logs")
    event = job.event(PAYLOAD)
    hopeless = job.event([wire.entry("1")], "2026-11-23_12:00:00")
    log = tmp_path / "log"
    with started("Acs", aws.environment(), log) as function:
        answer = function.invoke(event)
        refused = function.invoke({**event, "labelAttributeName": ""})
        failed = function.invoke(hopeless)
    assert ids(answer.body) == ["0"]
    told = [line["errorMessage"] for line in errors(log)]
    assert told == [refused.message, failed.message]
    assert not any("\n" in message for message in told)
    objects = [line["outcome"] for line in lines(log) if line.get("event") == "object"]
    assert objects == ["done", "failed"]
    # metrics are found in a line only if nothing is wrapped around it
    measured = [line for line in lines(log) if "_aws" in line]
    assert {line["event"] for line in measured} == {"invocation"}
    # the runtime's line of a failure and ours are of the same call
    assert errors(log)[-1]["requestId"] == measured[-1]["request"] != measured[0]["request"]


def test_of_a_task_that_is_refused(aws: Aws, tmp_path: Path) -> None:
    environment = {**aws.environment(), "CONSOLIDATION_LABELS": "cat,dog"}
    with started("Pre", environment, tmp_path / "log") as function:
        refused = function.invoke({})
    assert [line["errorMessage"] for line in errors(tmp_path / "log")] == [refused.message]


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
