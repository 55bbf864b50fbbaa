"""A labeling job on S3 as Ground Truth lays it out, and the events it sends."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.s3_server import ACCOUNT, REGION, Aws

TIME = "2026-11-23_10:00:00"


@dataclass(frozen=True)
class Job:
    """A job's folder, ``s3://<bucket>/<output>/<name>/``; its bucket must exist."""

    aws: Aws
    bucket: str
    name: str
    output: str = "out"

    @classmethod
    def create(cls, aws: Aws, name: str) -> Job:
        """Job in a bucket of its own."""
        bucket = name.lower().replace("_", "-").replace(" ", "-")
        aws.client("s3").create_bucket(Bucket=bucket)
        return cls(aws, bucket, name)

    @property
    def prefix(self) -> str:
        return f"{self.output}/{self.name}/"

    @property
    def annotations(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}annotations"

    @property
    def consolidated(self) -> str:
        return f"{self.annotations}/consolidated-annotation/"

    @property
    def arn(self) -> str:
        return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:labeling-job/{self.name.lower()}"

    def put(self, key: str, content: Any) -> str:
        """Write an object below the job's prefix; return its URI."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.aws.client("s3").put_object(Bucket=self.bucket, Key=self.prefix + key, Body=body)
        return f"s3://{self.bucket}/{self.prefix}{key}"

    def event(self, payload: Any, time: str = TIME, **changes: Any) -> dict[str, Any]:
        """Write a payload; return the event that hands it over, `...` leaving a field out."""
        name = f"annotations/consolidated-annotation/consolidation-request/iteration-1/{time}.json"
        event = {
            "version": "2018-10-06",
            "labelingJobArn": self.arn,
            "payload": {"s3Uri": self.put(name, payload)},
            "labelAttributeName": "seg-ref",
            "labelCategories": ["cat", "dog"],
            "roleArn": f"arn:aws:iam::{ACCOUNT}:role/job",
            "outputConfig": self.annotations,
            "maxHumanWorkersPerDataObject": 3,
            **changes,
        }
        return {key: value for key, value in event.items() if value is not ...}

    def written(self, kind: str = "") -> dict[str, bytes]:
        """Objects below a folder of the consolidated annotations."""
        place = f"{self.prefix}annotations/consolidated-annotation/{kind}"
        return self.aws.keys(self.bucket, place)


class Context:
    """A Lambda context with so much time left; `steps` are what later askings are told."""

    aws_request_id = "request-1"
    function_name = "SageMaker-ACS-test"
    memory_limit_in_mb = 3008

    def __init__(self, seconds: float = 60.0, *steps: float) -> None:
        self._told = [seconds, *steps]

    def get_remaining_time_in_millis(self) -> int:
        seconds = self._told.pop(0) if len(self._told) > 1 else self._told[0]
        return int(seconds * 1000)


def ids(response: Sequence[dict[str, Any]]) -> list[str]:
    return [one["datasetObjectId"] for one in response]


def contents(response: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {one["datasetObjectId"]: one["consolidatedAnnotation"]["content"] for one in response}
