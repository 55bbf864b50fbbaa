"""The handler under AWS's Runtime Interface Emulator, invoked by boto3 as Lambda is."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import wire
from tests.get_rie import RIE
from tests.lambda_job import Job, contents
from tests.runtime_api import ROOT
from tests.s3_server import REGION, Aws

pytest.importorskip("awslambdaric", reason="awslambdaric is not installed")

EMULATOR = str(RIE) if RIE.exists() else shutil.which("aws-lambda-rie")


@pytest.fixture
def emulator(aws: Aws, tmp_path: Path) -> Iterator[str]:
    """Run the emulator around the handler; where to invoke it."""
    if EMULATOR is None:
        pytest.skip("no Runtime Interface Emulator: python -m tests.get_rie")
    with socket.socket() as one, socket.socket() as other:
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
        outside, inside = (f"127.0.0.1:{each.getsockname()[1]}" for each in (one, other))
    command = [
        *(EMULATOR, "--runtime-interface-emulator-address", outside),
        *("--runtime-api-address", inside, sys.executable, "-m", "awslambdaric"),
        "lambda_handler.handler",
    ]
    environment = {**os.environ, **aws.environment(), "AWS_LAMBDA_FUNCTION_TIMEOUT": "20"}
    environment["AWS_EXECUTION_ENV"] = "AWS_Lambda_python3.13"
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        host, port = outside.split(":")
        for _ in range(200):
            try:
                socket.create_connection((host, int(port)), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield f"http://{outside}"
    finally:
        process.terminate()
        process.wait()


def invoke(url: str, event: Any) -> Any:
    import boto3
    from botocore.config import Config

    client = boto3.client(
        "lambda",
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )
    answer = client.invoke(FunctionName="function", Payload=json.dumps(event).encode())
    return json.loads(answer["Payload"].read())


def test_invoked_by_boto3(aws: Aws, emulator: str) -> None:
    job = Job.create(aws, "emulated")
    answers = [(worker, wire.content([[1, 2]])) for worker in "abc"]
    event = job.event([wire.entry("0", *answers)])
    [content] = contents(invoke(emulator, event)).values()
    assert content["seg-ref"].startswith(job.consolidated)
    assert len(job.written("output/")) == 1
    # what fails comes back as an error, and the next event is served
    failed = invoke(emulator, {**event, "labelAttributeName": ""})
    assert failed["errorMessage"] == "the event has no labelAttributeName"
    assert contents(invoke(emulator, event)) == {"0": content}
