"""The objects of a payload, one after another, through the pipeline and to S3."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from botocore.config import Config

from consolidation import storage
from consolidation.aws.access import Transfers
from consolidation.aws.deadline import Deadline, OutOfTimeError
from consolidation.aws.labels import job_classes
from consolidation.aws.layout import JobLayout
from consolidation.aws.logs import InvocationLog, frames
from consolidation.aws.memory import TimedBuffer
from consolidation.aws.payload import Fetcher, all_workers, distinct_objects
from consolidation.aws.record import Record
from consolidation.aws.response import Response
from consolidation.aws.settings import LambdaOptions
from consolidation.aws.statistics import job_reliability, statistics_name
from consolidation.consensus import Calibration, Reliability
from consolidation.errors import ConsolidationError, InternalError, ObjectError, SourceError
from consolidation.formats.groundtruth import ConsolidationEvent, RequestObject, result_metadata
from consolidation.masks import Classes
from consolidation.objects.pipeline import ObjectResult, consolidate_object
from consolidation.objects.prepare import AnswerWarning

MOST_PENDING = 4
"""Objects whose files are on their way to S3 while the next one is consolidated."""


@dataclass
class _Outcome:
    """What became of an object, on its way into the response."""

    request: RequestObject
    record: Record | None = None
    block: dict[str, Any] = field(default_factory=dict)
    warnings: list[AnswerWarning] = field(default_factory=list)
    uploads: list[Future[None]] = field(default_factory=list)
    error: ConsolidationError | None = None
    trace: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def left(self) -> bool:
        """Whether it was left for want of time."""
        return isinstance(self.error, OutOfTimeError)

    def broke(self, error: Exception) -> None:
        """Whatever one object did, the others are done; a defect of ours says where."""
        self.error, self.trace = InternalError.of(error), frames(error)


class Batch:
    """The work on one payload."""

    def __init__(
        self,
        request: ConsolidationEvent,
        options: LambdaOptions,
        deadline: Deadline,
        log: InvocationLog,
        transfers: Transfers,
    ) -> None:
        self._request, self._options = request, options
        self._deadline, self._log, self._transfers = deadline, log, transfers
        self._layout = JobLayout.of(request, options.prefixes)
        self._response = Response(request.label_attribute, self._layout.time, request.job_name)
        self._buffer = TimedBuffer(deadline)
        self._fetcher = Fetcher(self._layout.allowed, transfers, deadline, options.limits)
        self._reliability: Reliability | None = None
        self._calibration: Calibration | None = None
        self._failures: dict[str, str] = {}

    def run(self, config: Config) -> list[dict[str, Any]]:
        """Consolidate every object; see `consolidate_event`."""
        start, wait = self._transfers.start, self._deadline.wait
        uri = self._request.payload_uri
        payload = wait(start(storage.read_bytes, uri), "reading the payload")
        objects = distinct_objects(payload, uri, self._options.max_objects)
        self._log.know(all_workers(objects))
        self._log.expect(len(objects))
        arguments = (self._request.job_arn, self._options, config, self._request.labels)
        self._classes: Classes = wait(start(job_classes, *arguments), "finding the classes")
        late = None
        try:
            self._learn(objects, payload)
        except OutOfTimeError as error:
            late = error
        pending: deque[_Outcome] = deque()
        for request in objects:
            pending.append(self._begin(request) if late is None else _Outcome(request, error=late))
            if len(pending) > MOST_PENDING:
                self._finish(pending.popleft())
        for outcome in pending:
            self._finish(outcome)
        self._write_failures()
        if len(self._failures) == len(objects):
            object_id, reason = next(iter(self._failures.items()))
            raise ObjectError(f"all {len(objects)} objects failed; object {object_id}: {reason}")
        return self._response.entries

    def _learn(self, objects: Sequence[RequestObject], payload: bytes) -> None:
        """What is known about the workers of the job, and about confidence, by configuration."""
        if self._options.job_reliability:
            name = statistics_name(self._layout.time, payload)
            settings = (name, self._layout.reliability, self._fetcher)
            about_masks = (self._classes, self._options, self._buffer)
            total = job_reliability(objects, *settings, *about_masks)
            if self._options.spec.learns_reliability:
                self._reliability = total
        if self._options.calibration:
            read = self._transfers.start(_read_calibration, self._options.calibration)
            self._calibration = self._deadline.wait(read, "reading the calibration")

    def _begin(self, request: RequestObject) -> _Outcome:
        """Consolidate an object, and let its files go to S3."""
        outcome = _Outcome(request)
        try:
            self._deadline.check()
        except OutOfTimeError as error:
            outcome.error = error
            return outcome
        started = time.perf_counter()
        try:
            obj = self._fetcher.labeled(request)
            arguments = (self._classes, self._options, self._reliability, self._buffer)
            result = consolidate_object(obj, *arguments, self._calibration)
            self._keep(outcome, result)
            outcome.seconds = time.perf_counter() - started
            n_pixels = result.n_workers * result.consensus.labels.size
            self._deadline.pace.add(n_pixels, outcome.seconds)
        except ConsolidationError as error:
            outcome.error = error
        except Exception as error:
            outcome.broke(error)
        return outcome

    def _keep(self, outcome: _Outcome, result: ObjectResult) -> None:
        """Take from a result all that is needed, for the next one uses its memory."""
        layout, mask = self._layout, self._layout.mask(result.id)

        def write(uri: str, data: bytes) -> None:
            # at once: it goes to S3 while the next file is made
            outcome.uploads.append(self._transfers.start(storage.write_bytes, uri, data))

        write(mask, result.mask_png)
        if self._options.confidence_maps:
            write(layout.confidence(result.id), result.confidence_png())
        record = Record.of(result, self._options, self._request.payload_uri, mask)
        write(layout.provenance(result.id), _json(record.full))
        outcome.record, outcome.warnings = record, result.warnings
        outcome.block = result_metadata(result, layout.time, self._request.job_name)

    def _finish(self, outcome: _Outcome) -> None:
        """Wait for an object's files; add it to the response and the log."""
        object_id, record = outcome.request.id, outcome.record
        if outcome.error is None and record is not None:
            try:
                for upload in outcome.uploads:
                    self._deadline.wait(upload, "writing its files")
                mask = self._layout.mask(object_id)
                self._response.add(object_id, mask, outcome.block, record.short)
            except ConsolidationError as error:
                outcome.error = error
            except Exception as error:
                outcome.broke(error)
        if outcome.error is not None:
            self._fail(outcome, str(outcome.error))
        elif record is not None:
            workers = [self._log.worker(worker["worker"]) for worker in record.full["workers"]]
            fields = {**record.logged, "workers": workers, "seconds": round(outcome.seconds, 3)}
            self._log.object(object_id, "done", outcome.warnings, **fields)

    def _fail(self, outcome: _Outcome, reason: str) -> None:
        object_id = outcome.request.id
        self._failures[object_id] = reason
        public = self._log.public(reason)
        if self._options.failed_objects == "report" and outcome.request.named:
            with suppress(ObjectError):  # where a mask finds no room, its failure needs none
                self._response.add_failure(object_id, public)
        state = "left" if outcome.left else "failed"
        trace = {"trace": outcome.trace} if outcome.trace else {}
        self._log.object(object_id, state, outcome.warnings, reason=public, **trace)

    def _write_failures(self) -> None:
        """Write down why objects failed, as far as there is time."""
        writes = []
        for object_id, reason in self._failures.items():
            entry = {"object": object_id, "payload": self._request.payload_uri, "reason": reason}
            uri = self._layout.failure(object_id)
            writes.append(self._transfers.start(storage.write_bytes, uri, _json(entry)))
        unwritten = self._deadline.last(writes)
        if unwritten:
            self._log.note(failures_not_written=unwritten)


@lru_cache(maxsize=1)
def _read_calibration(uri: str) -> Calibration:
    """Calibration that the configuration names, read when the function starts anew."""
    try:
        return Calibration.from_json(storage.read_bytes(uri), uri)
    except ValueError as error:
        raise SourceError(str(error)) from None


def _json(content: Any) -> bytes:
    return (json.dumps(content, indent=1, allow_nan=False) + "\n").encode()
