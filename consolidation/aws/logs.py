"""What an invocation logs: a line of JSON an object, and one for all with metrics.

The last is in CloudWatch's embedded metric format, so metrics come without a call. There is no
image data in the log; ids of workers are hashed unless the configuration says otherwise.
"""

from __future__ import annotations

import hashlib
import json
import re
import resource
import sys
import time
from collections.abc import Iterable, Mapping
from typing import Any

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


class InvocationLog:
    """The lines of one invocation.

    Parameters
    ----------
    context : Lambda context
    job : str
        The job's name.
    worker_ids : bool
        Whether workers are logged by their ids.
    """

    def __init__(self, context: Any, job: str, worker_ids: bool) -> None:
        self._context, self._worker_ids = context, worker_ids
        self._about = {"request": getattr(context, "aws_request_id", None), "job": job}
        self._known: set[str] = set()
        self._ids: re.Pattern[str] | None = None
        self._started = time.perf_counter()
        self._counts = dict.fromkeys(("Objects", "Failures", "Warnings"), 0)
        self._left: list[str] = []
        self._notes: dict[str, Any] = {}

    def know(self, workers: Iterable[str]) -> None:
        """Learn ids of workers, which must not be logged."""
        self._known.update(workers)
        self._ids = None

    def public(self, message: str) -> str:
        """Return a message as one line that is not too long, with every worker's id hashed."""
        if self._known and not self._worker_ids:
            if self._ids is None:
                # longer ones first: an id may be the beginning of another
                known = sorted(self._known, key=lambda one: (-len(one), one))
                self._ids = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, known))})(?!\w)")
            message = self._ids.sub(lambda found: worker_hash(found[0]), message)
        # a lone surrogate would keep the runtime from sending the answer
        printable = _CONTROL.sub(" ", message[:MOST_CHARACTERS])
        return printable.encode("utf-8", "backslashreplace").decode()

    def note(self, **fields: Any) -> None:
        """Add fields to the invocation's line."""
        self._notes.update(fields)

    def object(
        self, object_id: str, outcome: str, warnings: Iterable[tuple[str, str]], **fields: Any
    ) -> None:
        """Log one object: done, failed or left."""
        listed = [
            {"worker": self.public(worker), "message": self.public(message)}
            for worker, message in warnings
        ]
        self._counts["Objects"] += 1
        self._counts["Failures"] += outcome != "done"
        self._counts["Warnings"] += len(listed)
        if outcome == "left":
            self._left.append(self.public(object_id))
        shown = {
            key: self.public(value) if isinstance(value, str) else value
            for key, value in fields.items()
        }
        self._line(
            event="object",
            object=self.public(object_id),
            outcome=outcome,
            n_warnings=len(listed),
            warnings=listed[:MOST_LISTED],
            **shown,
        )

    def invocation(self) -> None:
        """Log the whole invocation, with its metrics, its notes, and what was left undone."""
        now = time.time()
        values = {
            **self._counts,
            "Duration": round(time.perf_counter() - self._started, 3),
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

    def _line(self, **fields: Any) -> None:
        line: Mapping[str, Any] = {**self._about, **fields}
        # not by logging: the runtime puts a prefix before its lines, and then they are no JSON
        sys.stdout.write(json.dumps(line, allow_nan=False) + "\n")
        sys.stdout.flush()


def _peak_bytes() -> int:
    """Most memory that this process ever had: resident set, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
