"""The template's own rights: all that the handlers do is allowed, and nothing beside the job."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests import template, wire
from tests.lambda_job import Job, ids
from tests.runtime_api import Function
from tests.s3_server import ACCOUNT, Aws

pytest.importorskip("awslambdaric", reason="awslambdaric is not installed")
pytest.importorskip("cfnlint", reason="cfn-lint is not installed")

WORKERS = ("ann", "bob", "cid")
PAYLOAD = [wire.entry("0", *((worker, wire.content([[1, 2]])) for worker in WORKERS))]
Start = Callable[..., Function]


@pytest.fixture
def start(aws: Aws, tmp_path: Path) -> Iterator[Start]:
    """Start a function with nothing but the rights of a role of the template."""
    with ExitStack() as stack:

        def start(name: str, variables: dict[str, str], **parameters: str) -> Function:
            rights = template.policy(aws, "AcsRole", name, **parameters)
            iam = aws.client("iam")
            iam.create_user(UserName=name)
            iam.put_user_policy(
                UserName=name, PolicyName="template", PolicyDocument=json.dumps(rights)
            )
            made = iam.create_access_key(UserName=name)["AccessKey"]
            environment = aws.environment(made["AccessKeyId"], made["SecretAccessKey"])
            function = Function(
                "lambda_handler.handler", {**environment, **variables}, tmp_path / name
            )
            return stack.enter_context(function)

        yield start


def payload_beside(job: Job) -> list[dict[str, Any]]:
    """Payload one of whose answers lies beside it."""
    [entry] = json.loads(json.dumps(PAYLOAD))
    uri = job.put("annotations/answers/dan.json", wire.content([[1, 1]]))
    entry["annotations"].append({"workerId": "dan", "annotationData": {"s3Uri": uri}})
    return [entry]


def test_all_that_it_does_is_allowed_and_nothing_beside(aws: Aws, start: Start) -> None:
    job = Job.create(aws, "Allowed")
    labels = job.put("labels.json", ["cat", "dog"])
    event = job.event(payload_beside(job), labelCategories=None)
    beside = Job(aws, job.bucket, "Allowed", "out-2")
    beyond = Job.create(aws, "beyond")
    # trusted by configuration, so that only the rights stand in the way
    variables = {
        "CONSOLIDATION_LABELS": labels,
        "CONSOLIDATION_JOB_RELIABILITY": "yes",
        "CONSOLIDATION_TRUSTED_PREFIXES": "s3://",
    }
    function = start("own-rights", variables, Bucket=job.bucket, Prefix="out")
    refused = [
        other.event(PAYLOAD, labelCategories=None, outputConfig=job.annotations)
        for other in (beside, beyond)
    ]
    astray = job.event(PAYLOAD, "2026-11-23_11:00:00", outputConfig=beside.annotations)
    broken = job.event([*PAYLOAD, wire.entry("1")], "2026-11-23_12:00:00")
    with aws.authorisation():
        answer = function.invoke(event)
        with_failure = function.invoke(broken)
        denied = [function.invoke(one) for one in (*refused, astray)]
    assert answer.ok, answer.body
    assert ids(answer.body) == ids(with_failure.body) == ["0"]
    kinds = {name.partition("/")[0] for name in job.written()}
    assert kinds == {
        "consolidation-request",
        "output",
        "confidence",
        "provenance",
        "reliability",
        "failures",
    }
    for one in denied:
        assert "Access Denied" in one.message or "AccessDenied" in one.message
    assert not beside.written("output/") and not beyond.written("output/")


def test_a_stranger_s_credentials_are_refused(aws: Aws, start: Start, tmp_path: Path) -> None:
    job = Job.create(aws, "stranger")
    event = job.event(PAYLOAD)
    environment = aws.environment("AKIAIOSFODNN7EXAMPLE", "wrong")
    with Function("lambda_handler.handler", environment, tmp_path / "log") as function:
        function.invoke({})  # started before anything is refused
        with aws.authorisation():
            answer = function.invoke(event)
    assert f"cannot read {event['payload']['s3Uri']}" in answer.message
    assert "InvalidAccessKeyId" in answer.message


def test_with_the_rights_of_the_job_s_role(aws: Aws, start: Start) -> None:
    job = Job.create(aws, "assumed")
    role = f"arn:aws:iam::{ACCOUNT}:role/assumed-role"
    iam = aws.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    iam.create_role(
        RoleName="assumed-role",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    reach = {
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:PutObject", "s3:ListBucket"],
        "Resource": [f"arn:aws:s3:::{job.bucket}", f"arn:aws:s3:::{job.bucket}/*"],
    }
    iam.put_role_policy(
        RoleName="assumed-role",
        PolicyName="job",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [reach]}),
    )
    function = start(
        "job-rights",
        {"CONSOLIDATION_CREDENTIALS": "job"},
        Bucket=job.bucket,
        Prefix="out",
        JobRoleArn=role,
    )
    event = job.event(PAYLOAD, roleArn=role)
    with aws.authorisation():
        answers = [function.invoke(event), function.invoke(event)]
        another = function.invoke({**event, "roleArn": f"{role}-of-another-job"})
        none = function.invoke({**event, "roleArn": None})
    assert answers[0].ok, answers[0].body
    assert answers[0] == answers[1]
    assert another.message.startswith(f"cannot assume the role {role}-of-another-job")
    assert none.message == "the event has no roleArn, whose rights should be used"
