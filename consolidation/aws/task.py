"""The task of one object, for the template that workers see (pre-annotation)."""

from __future__ import annotations

from typing import Any

from consolidation import storage
from consolidation.aws.access import call_config, s3_client
from consolidation.aws.deadline import Deadline
from consolidation.aws.labels import job_classes
from consolidation.aws.settings import LambdaOptions
from consolidation.groundtruth import parse_task_event


def make_task(event: Any, context: Any, options: LambdaOptions) -> dict[str, Any]:
    """Answer to a pre-annotation event.

    The template reads ``task.input.taskObject`` and ``task.input.labels``; templates of adjustment
    jobs also read the earlier label and its colours from ``task.input.manifestLine``.

    Raises
    ------
    SourceError, StorageError
        If the object is no image, or the job's labels cannot be found.
    """
    task = parse_task_event(event)
    config = call_config(Deadline(context).total)
    with storage.s3_access(s3_client(config)):
        classes = job_classes(task.job_arn, options, config)
    return {
        "taskInput": {
            "taskObject": task.source_ref,
            "labels": list(classes.names[1:]),
            "manifestLine": dict(task.line),
        },
        "isHumanAnnotationRequired": True,
        # AWS's own sample says it this way
        "humanAnnotationRequired": "true",
    }
