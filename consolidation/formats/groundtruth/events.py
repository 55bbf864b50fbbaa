"""The events with which Ground Truth invokes a labeling job's two Lambda functions.

Only what is used is read: logged events carry fields that are documented nowhere, and `version`
is another one than the documented.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from consolidation.errors import SourceError

_JOB = ":labeling-job/"


@dataclass(frozen=True)
class ConsolidationEvent:
    """A batch of annotated objects, to be consolidated (post-annotation).

    Attributes
    ----------
    job_arn : str
        The job's name at its end is mostly in lower case, whatever it is elsewhere.
    label_attribute : str
        Key of the label in the output manifest.
    payload_uri : str
        S3 URI of the consolidation request.
    labels : list
        Label categories: texts, or objects with a `label`. Mostly empty in real events.
    output : str or None
        S3 URI of the job's folder of annotations.
    role_arn, kms_key_id : str or None
        The job's execution role; the key that encrypts what the job writes.
    """

    job_arn: str
    label_attribute: str
    payload_uri: str
    labels: tuple[Any, ...] = ()
    output: str | None = None
    role_arn: str | None = None
    kms_key_id: str | None = None

    @property
    def job_name(self) -> str:
        """Name of the job, in lower case."""
        return job_name(self.job_arn).lower()


@dataclass(frozen=True)
class TaskEvent:
    """One object, about to be shown to workers (pre-annotation).

    Attributes
    ----------
    job_arn : str
    line : mapping
        The whole line of the input manifest, earlier labels included.
    source_ref : str
        URI of the image.
    """

    job_arn: str
    line: Mapping[str, Any]
    source_ref: str


def parse_consolidation_event(event: Any) -> ConsolidationEvent:
    """Read a post-annotation event.

    Raises
    ------
    SourceError
        If something that is needed is not there.

    Examples
    --------
    >>> event = parse_consolidation_event({
    ...     "labelingJobArn": "arn:aws:sagemaker:eu-west-1:111111111111:labeling-job/cells",
    ...     "labelAttributeName": "cells-ref", "labelCategories": None,
    ...     "payload": {"s3Uri": "s3://bucket/payload.json"}})
    >>> event.job_name, event.payload_uri, event.labels
    ('cells', 's3://bucket/payload.json', ())
    """
    payload = _object(event).get("payload")
    payload = payload if isinstance(payload, Mapping) else {}
    uri = _text(payload, "s3Uri") or _text(payload, "s3uri")
    if uri is None:
        raise SourceError("the event's payload has no s3Uri")
    attribute = _text(event, "labelAttributeName")
    if attribute is None:
        raise SourceError("the event has no labelAttributeName")
    labels = event.get("labelCategories")
    return ConsolidationEvent(
        job_arn=_job_arn(event),
        label_attribute=attribute,
        payload_uri=uri,
        labels=tuple(labels) if isinstance(labels, list) else (),
        output=_text(event, "outputConfig"),
        role_arn=_text(event, "roleArn"),
        kms_key_id=_text(event, "kmsKeyId"),
    )


def parse_task_event(event: Any) -> TaskEvent:
    """Read a pre-annotation event; SourceError as `parse_consolidation_event`.

    Examples
    --------
    >>> parse_task_event({
    ...     "labelingJobArn": "arn:aws:sagemaker:eu-west-1:111111111111:labeling-job/cells",
    ...     "dataObject": {"source-ref": "s3://bucket/1.png"}}).source_ref
    's3://bucket/1.png'
    """
    data_object = _object(event).get("dataObject")
    line: Mapping[str, Any] = data_object if isinstance(data_object, Mapping) else {}
    source_ref = _text(line, "source-ref")
    if source_ref is None:
        raise SourceError("the event's dataObject has no source-ref: only images have masks")
    return TaskEvent(_job_arn(event), line, source_ref)


def job_name(job_arn: str) -> str:
    """Name of a labeling job from its ARN.

    Examples
    --------
    >>> job_name("arn:aws:sagemaker:us-east-2:111111111111:labeling-job/cells-2")
    'cells-2'
    """
    return job_arn.rpartition(_JOB)[2]


def _object(event: Any) -> Mapping[str, Any]:
    if not isinstance(event, Mapping):
        raise SourceError("the event is not a JSON object")
    return event


def _job_arn(event: Mapping[str, Any]) -> str:
    arn = _text(event, "labelingJobArn")
    if arn is None or not job_name(arn) or _JOB not in arn or "/" in job_name(arn):
        raise SourceError(f"the event's labelingJobArn is not that of a labeling job: {arn!r}")
    return arn


def _text(fields: Mapping[str, Any], name: str) -> str | None:
    """Return a text that is not empty, else None: a field may be null."""
    value = fields.get(name)
    return value if isinstance(value, str) and value else None
