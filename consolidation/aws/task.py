"""The task of one object, for the template that workers see (pre-annotation)."""

from __future__ import annotations

import json
from typing import Any

from consolidation import storage
from consolidation.aws.access import Transfers, call_config, s3_client
from consolidation.aws.deadline import Deadline
from consolidation.aws.labels import job_classes
from consolidation.aws.logs import InvocationLog
from consolidation.aws.settings import LambdaOptions
from consolidation.errors import SourceError
from consolidation.formats.groundtruth import TaskEvent, parse_task_event
from consolidation.formats.groundtruth.events import job_name
from consolidation.masks import Classes


def make_task(event: Any, context: Any, options: LambdaOptions) -> dict[str, Any]:
    """Answer to a pre-annotation event.

    The template reads ``task.input.taskObject`` and ``task.input.labels``; templates of adjustment
    jobs also read the earlier label and its colours from ``task.input.manifestLine``.

    Raises
    ------
    ConsolidationError
        If the object is no image, the job's labels cannot be found in time, or the task cannot be
        sent. It is one line.
    """
    deadline = Deadline(context)
    log = InvocationLog(context, options.log_worker_ids)
    with log.telling(log.task):
        task = parse_task_event(event)
        log.job = job_name(task.job_arn)
        log.note(source_ref=log.public(task.source_ref))
        config = call_config(deadline.total)
        with storage.s3_access(s3_client(config)), Transfers() as transfers:
            finding = transfers.start(job_classes, task.job_arn, options, config)
            answer = _answer(task, deadline.wait(finding, "finding the classes"))
        try:
            json.dumps(answer, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise SourceError(f"the event's dataObject has no form in UTF-8: {error}") from None
        return answer


def _answer(task: TaskEvent, classes: Classes) -> dict[str, Any]:
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
