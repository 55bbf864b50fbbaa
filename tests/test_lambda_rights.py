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


def user(aws: Aws, name: str, role: str, **parameters: str) -> tuple[str, str]:
    """Key and secret of a user with nothing but the rights of a role of the template."""
    rights = template.policy(aws, role, name, **parameters)
    iam = aws.client("iam")
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="template", PolicyDocument=json.dumps(rights))
    made = iam.create_access_key(UserName=name)["AccessKey"]
    return made["AccessKeyId"], made["SecretAccessKey"]


@pytest.fixture
def start(aws: Aws, tmp_path: Path) -> Iterator[Start]:
    """Start a function ("handler" or "pre_handler") with the rights of its role."""
    with ExitStack() as stack:

        def start(
            name: str, variables: dict[str, str], handler: str = "handler", **parameters: str
        ) -> Function:
            role = {"handler": "AcsRole", "pre_handler": "PreRole"}[handler]
            environment = aws.environment(*user(aws, name, role, **parameters))
            function = Function(
                f"lambda_handler.{handler}", {**environment, **variables}, tmp_path / name
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


WRITABLE = tuple(
    f"annotations/consolidated-annotation/{folder}/"
    for folder in ("output", "confidence", "provenance", "failures", "reliability")
)
NOT_WRITABLE = (
    "annotations/consolidated-annotation/consolidation-request/iteration-1/",
    "annotations/consolidated-annotation/consolidation-response/iteration-1/",
    "annotations/consolidated-annotation/",
    "annotations/worker-response/iteration-1/",
    "manifests/output/",
    "",
)


@pytest.mark.parametrize(("role", "writable"), [("AcsRole", WRITABLE), ("PreRole", ())])
def test_only_the_folders_of_what_it_makes_can_be_written(
    aws: Aws, role: str, writable: tuple[str, ...]
) -> None:
    job = Job.create(aws, f"written-by-{role.lower()}")
    keys = user(aws, job.name, role, Bucket=job.bucket, Prefix="out")
    s3 = aws.client("s3", *keys)

    def is_denied(call: Callable[..., Any], **request: Any) -> bool:
        try:
            call(Bucket=job.bucket, **request)
        except s3.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] == "AccessDenied"
            return True
        return False

    with aws.authorisation():
        for folder in (*WRITABLE, *NOT_WRITABLE):
            key = f"{job.prefix}{folder}1.json"
            assert is_denied(s3.put_object, Key=key, Body=b"{}") == (folder not in writable), folder
            assert is_denied(s3.delete_object, Key=key)
        beside = job.prefix.replace("out/", "out-2/")
        assert is_denied(s3.put_object, Key=f"{beside}{WRITABLE[0]}1.json", Body=b"{}")


def test_tasks_are_made_with_rights_to_read_only(aws: Aws, start: Start) -> None:
    job = Job.create(aws, "tasks")
    beside = Job(aws, job.bucket, "tasks", "out-2")
    event = {
        "version": "2018-10-16",
        "labelingJobArn": job.arn,
        "dataObject": {"source-ref": "s3://images/1.png"},
    }
    within, outside = (
        start(
            name,
            {"CONSOLIDATION_LABELS": where.put("labels.json", ["cat", "dog"])},
            "pre_handler",
            Bucket=job.bucket,
            Prefix="out",
        )
        for name, where in (("labels-within", job), ("labels-beside", beside))
    )
    with aws.authorisation():
        answer, denied = within.invoke(event), outside.invoke(event)
    assert answer.ok, answer.body
    assert answer.body["taskInput"]["labels"] == ["cat", "dog"]
    assert denied.message.startswith(f"cannot read s3://{job.bucket}/out-2/tasks/labels.json")
    assert "AccessDenied" in denied.message


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
