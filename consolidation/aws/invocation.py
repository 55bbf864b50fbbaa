"""One invocation for a payload: event in, response out, whatever happened logged."""

from __future__ import annotations

from typing import Any

from consolidation import storage
from consolidation.aws.access import Transfers, call_config, s3_client
from consolidation.aws.batch import Batch
from consolidation.aws.deadline import Deadline
from consolidation.aws.logs import InvocationLog
from consolidation.aws.settings import LambdaOptions
from consolidation.errors import SourceError
from consolidation.formats.groundtruth import ConsolidationEvent, parse_consolidation_event


def consolidate_event(event: Any, context: Any, options: LambdaOptions) -> list[dict[str, Any]]:
    """Answer to a post-annotation event.

    Parameters
    ----------
    event : dict
        As Ground Truth sends it.
    context : Lambda context
        Tells the time that is left.
    options : LambdaOptions

    Returns
    -------
    list of dict
        One an object, in the payload's order: label and metadata. Failed objects are left out, or
        have metadata only, by `failed_objects`.

    Raises
    ------
    ConsolidationError
        If the payload cannot be read, its classes are unknown, or no object has a result. It is
        one line; an InternalError is a defect of ours.
    """
    deadline = Deadline(context)
    log = InvocationLog(context, options.log_worker_ids)
    with log.telling(log.invocation), Transfers() as transfers:
        request = parse_consolidation_event(event)
        log.job = request.job_name
        log.note(payload=request.payload_uri)
        config = call_config(deadline.total)
        connecting = transfers.start(s3_client, config, _role(request, options))
        client = deadline.wait(connecting, "getting access to S3")
        with storage.s3_access(client, request.kms_key_id):
            return Batch(request, options, deadline, log, transfers).run(config)


def _role(request: ConsolidationEvent, options: LambdaOptions) -> str | None:
    if options.credentials == "function":
        return None
    if request.role_arn is None:
        raise SourceError("the event has no roleArn, whose rights should be used")
    return request.role_arn
