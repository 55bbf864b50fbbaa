"""What an invocation logs: a line of JSON an object, and one for all with metrics.

The last is in CloudWatch's embedded metric format, so metrics come without a call. There is no
image data in the log; ids of workers are hashed unless the configuration says otherwise. Ids of
objects and URIs of masks are never hashed: an object may be called what a worker is called.
"""

from __future__ import annotations

import hashlib
import json
import re
import resource
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from consolidation.errors import ConsolidationError, InternalError
from consolidation.objects import AnswerWarning

NAMESPACE = "Consolidation"
METRICS = {
    "Objects": "Count",
    "Failures": "Count",
    "Warnings": "Count",
    "Duration": "Seconds",
    "PeakMemory": "Megabytes",
}
MOST_LISTED = 20
"""Warnings of an object, and objects left, that a line lists; their number it always has."""
MOST_CHARACTERS = 1000
"""Of a message: labels are whatever somebody typed."""
SHORT_ID = 8
"""Characters from which an id is hashed wherever it stands. A shorter one may be a word of ours:
only after `worker` and as a part of a URI does it mean the worker."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def worker_hash(worker: str) -> str:
    """Name under which a worker is logged: the same everywhere, and no way back.

    Examples
    --------
    >>> worker_hash("private.us-west-2.ab1234c5678a919d0")
    'worker-8b5186cad7ed'
    """
    digest = hashlib.sha256(worker.encode("utf-8", "surrogatepass")).hexdigest()
    return f"worker-{digest[:12]}"


def frames(error: BaseException) -> list[str]:
    """Where an exception was raised: file, line and function, outermost first."""
    trace = traceback.extract_tb(error.__traceback__)
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in trace]


class InvocationLog:
    """The lines of one invocation.

    Parameters
    ----------
    context : Lambda context
    worker_ids : bool
        Whether workers are logged by their ids.

    Attributes
    ----------
    job : str or None
        The job's name, once it is known.
    """

    def __init__(self, context: Any, worker_ids: bool) -> None:
        self._context, self._worker_ids = context, worker_ids
        self.job: str | None = None
        self._known: set[str] = set()
        self._ids: re.Pattern[str] | None = None
        self._started = time.perf_counter()
        self._counts = dict.fromkeys(("Objects", "Failures", "Warnings"), 0)
        self._expected = 0
        self._left: list[str] = []
        self._notes: dict[str, Any] = {}

    def know(self, workers: Iterable[str]) -> None:
        """Learn ids of workers, which must not be logged."""
        self._known.update(workers)
        self._ids = None

    def public(self, message: str) -> str:
        """Return a message as one line that is not too long, with every worker's id hashed."""
        if self._known and not self._worker_ids:
            self._ids = self._ids or _pattern(self._known)
            message = self._ids.sub(lambda match: worker_hash(match[0]), message)
        return _printable(message)

    def worker(self, worker: str) -> str:
        """Name under which a worker is logged here; the empty one is nobody's."""
        return _printable(worker) if self._worker_ids or not worker else worker_hash(worker)

    def note(self, **fields: Any) -> None:
        """Add fields to the invocation's line."""
        self._notes.update(fields)

    def expect(self, objects: int) -> None:
        """Say how many objects there are: all fail if the invocation does."""
        self._expected = objects

    def object(
        self, object_id: str, outcome: str, warnings: Iterable[AnswerWarning], **fields: Any
    ) -> None:
        """Log one object: done, failed or left; the fields as they are."""
        listed = [
            {"worker": self.worker(worker), "message": self.public(message)}
            for worker, message, _ in warnings
        ]
        self._counts["Objects"] += 1
        self._counts["Failures"] += outcome != "done"
        self._counts["Warnings"] += len(listed)
        if outcome == "left":
            self._left.append(_printable(object_id))
        self._line(
            event="object",
            object=_printable(object_id),
            outcome=outcome,
            n_warnings=len(listed),
            warnings=listed[:MOST_LISTED],
            **fields,
        )

    @contextmanager
    def telling(self, line: Callable[[], None]) -> Iterator[None]:
        """Log a line when the block ends; what is raised in it leaves as one public line."""
        try:
            yield
        except ConsolidationError as error:
            reason = self.public(str(error))
            self._fail(error=reason)
            raise type(error)(reason) from None
        except Exception as error:
            reason = self.public(str(InternalError.of(error)))
            self._fail(error=reason, trace=frames(error))
            raise InternalError(reason) from None
        finally:
            line()

    def _fail(self, **fields: Any) -> None:
        """Note why the whole call failed: its objects have no result, one at least."""
        self.note(**fields)
        self._counts["Objects"] = self._expected
        self._counts["Failures"] = max(self._expected, 1)

    def task(self) -> None:
        """Log that a task was made, or why not."""
        self._line(event="task", seconds=self._seconds(), **self._notes)

    def invocation(self) -> None:
        """Log the whole invocation, with its metrics, its notes, and what was left undone."""
        now = time.time()
        values = {
            **self._counts,
            "Duration": self._seconds(),
            "PeakMemory": round(_peak_bytes() / 1e6, 1),
        }
        metrics = [{"Name": name, "Unit": unit} for name, unit in METRICS.items()]
        directive = {"Namespace": NAMESPACE, "Dimensions": [["Function"]], "Metrics": metrics}
        self._line(
            event="invocation",
            Function=getattr(self._context, "function_name", None) or "local",
            memory_limit=getattr(self._context, "memory_limit_in_mb", None),
            **values,
            **self._notes,
            n_left=len(self._left),
            left=self._left[:MOST_LISTED],
            _aws={"Timestamp": int(now * 1000), "CloudWatchMetrics": [directive]},
        )

    def _seconds(self) -> float:
        return round(time.perf_counter() - self._started, 3)

    def _line(self, **fields: Any) -> None:
        request = getattr(self._context, "aws_request_id", None)
        line: Mapping[str, Any] = {"request": request, "job": self.job, **fields}
        # not by logging: the runtime puts a prefix before its lines, and then they are no JSON
        sys.stdout.write(json.dumps(line, allow_nan=False) + "\n")
        sys.stdout.flush()


def _pattern(workers: Iterable[str]) -> re.Pattern[str]:
    """Where these ids stand for workers in a message."""
    # longer ones first: an id may be the beginning of another
    ordered = sorted(workers, key=lambda worker: (-len(worker), worker))
    long = "|".join(re.escape(worker) for worker in ordered if len(worker) >= SHORT_ID)
    short = "|".join(re.escape(worker) for worker in ordered if len(worker) < SHORT_ID)
    places = []
    if long:
        places.append(rf"(?<![^\W_])(?:{long})")
    if short:
        places.append(rf"(?:(?<=worker )|(?<=[/_]))(?:{short})")
    # an underscore ends an id, too: files are called after workers
    return re.compile(rf"(?:{'|'.join(places)})(?![^\W_])")


def _printable(text: str) -> str:
    # a lone surrogate would keep the runtime from sending the answer
    return _CONTROL.sub(" ", text[:MOST_CHARACTERS]).encode("utf-8", "backslashreplace").decode()


def _peak_bytes() -> int:
    """Most memory that this process ever had: resident set, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
