"""Where a job's files lie on S3, under which names, and what may be touched there.

Ground Truth keeps a job below ``s3://<bucket>/<prefix>/<JobName>/``; consolidation lives in
``annotations/consolidated-annotation/`` in it::

    consolidation-request/iteration-<n>/<YYYY-MM-DD_HH:MM:SS>.json     payloads (Ground Truth)
    output/<id>_<time>.png                                             masks
    confidence/<id>_<time>.png                                         255 x confidence, grey
    provenance/<id>_<time>.json                                        how it was decided
    failures/<id>_<time>.json                                          why there is no mask
    reliability/<time>~<hash>.json                                     see `statistics`

The time is the payload's, never the clock's: a repeated call overwrites what the first one wrote.
What counts is the response: a failure of one call may have been mended by a repeat.

What workers and payloads name is held within the job's prefix here. Whoever may invoke the
function names the job itself; how far that reaches is a matter of the function's rights.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from consolidation.errors import SourceError
from consolidation.formats.groundtruth import ConsolidationEvent
from consolidation.names import file_name
from consolidation.storage import is_s3

_CONSOLIDATED = "/consolidated-annotation/"
_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})_(\d{2})[:_](\d{2})[:_](\d{2})\.json")
_YEAR = timedelta(days=365)


@dataclass(frozen=True)
class Prefixes:
    """S3 prefixes within which a job's payload may lead.

    Examples
    --------
    >>> allowed = Prefixes(("s3://bucket/out/cells/",))
    >>> "s3://bucket/out/cells/annotations/1.json" in allowed
    True
    >>> [uri in allowed for uri in ("s3://other/1.json", "/etc/passwd", "s3://bucket/out/cells/../x")]
    [False, False, False]
    """

    prefixes: tuple[str, ...]

    def __contains__(self, uri: str) -> bool:
        """Whether a URI lies within one of them."""
        # S3 takes dots as they are, but not every client and proxy on the way does
        dotted = any(part in (".", "..") for part in uri.split("/"))
        return is_s3(uri) and not dotted and any(uri.startswith(prefix) for prefix in self.prefixes)


@dataclass(frozen=True)
class JobLayout:
    """Names of what one payload's consolidation reads and writes.

    Attributes
    ----------
    folder : str
        The job's folder of consolidated annotations.
    time : str
        Of the payload, ISO 8601 with microseconds, no zone.
    allowed : Prefixes
        What the payload may refer to.
    """

    folder: str
    time: str
    allowed: Prefixes

    @classmethod
    def of(cls, event: ConsolidationEvent, trusted: Sequence[str] = ()) -> JobLayout:
        """Layout of an event's job.

        Raises
        ------
        SourceError
            If payload and output do not lie within the job's prefix or a trusted one.

        Examples
        --------
        >>> base = "s3://bucket/out/Cells/annotations/consolidated-annotation/"
        >>> layout = JobLayout.of(ConsolidationEvent(
        ...     "arn:aws:sagemaker:eu-west-1:111111111111:labeling-job/cells", "cells-ref",
        ...     base + "consolidation-request/iteration-1/2020-10-20_21:33:03.json"))
        >>> layout.mask("7").removeprefix(base)
        'output/7_2020-10-20T21:33:03.000000.png'
        >>> layout.allowed.prefixes
        ('s3://bucket/out/Cells/',)
        """
        before, separator, _ = event.payload_uri.partition(_CONSOLIDATED + "consolidation-request/")
        if event.output is None and not separator:
            raise SourceError(
                f"the event has no outputConfig, and its payload {event.payload_uri} does not lie "
                "in a job's folders, so there is no place for masks"
            )
        annotations = (event.output or before).rstrip("/")
        job, _, last = annotations.rpartition("/")
        own: tuple[str, ...] = ()
        if last == "annotations" and job.rpartition("/")[2].lower() == event.job_name:
            own = (f"{job}/",)
        allowed = Prefixes((*own, *trusted))
        folder = annotations + _CONSOLIDATED
        for what, uri in (("payload", event.payload_uri), ("output", folder)):
            if uri not in allowed:
                raise SourceError(_outside(what, uri, event, own, trusted))
        return cls(folder, payload_time(event.payload_uri), allowed)

    def mask(self, object_id: str) -> str:
        """URI of an object's mask."""
        return self._uri("output", object_id, "png")

    def confidence(self, object_id: str) -> str:
        """URI of an object's confidence map."""
        return self._uri("confidence", object_id, "png")

    def provenance(self, object_id: str) -> str:
        """URI of how an object was decided."""
        return self._uri("provenance", object_id, "json")

    def failure(self, object_id: str) -> str:
        """URI of why an object has no mask."""
        return self._uri("failures", object_id, "json")

    @property
    def reliability(self) -> str:
        """Folder of the payloads' statistics."""
        return f"{self.folder}reliability"

    def _uri(self, kind: str, object_id: str, ending: str) -> str:
        return f"{self.folder}{kind}/{file_name(object_id)}_{self.time}.{ending}"


def _outside(
    what: str, uri: str, event: ConsolidationEvent, own: Sequence[str], trusted: Sequence[str]
) -> str:
    """Say that a URI is not within the job's prefix, and which fields tell the two."""
    field = "payload.s3Uri" if event.output is None else "outputConfig"
    allowed = " ".join((f"the job's own prefix {''.join(own)}".rstrip(), *trusted))
    prefixes = [f"payload.s3Uri has the prefix {event.payload_uri.rpartition('/')[0]}/"]
    if own:
        prefixes.append(f"{field} tells {own[0]}")
    else:
        prefixes.append(
            f"{field} tells none, since {event.output or event.payload_uri} does not lie in "
            f"{event.job_name}/annotations, the folder of the job of labelingJobArn"
        )
    return (
        f"the {what} {uri} is not within {allowed}: {', '.join(prefixes)}; "
        "CONSOLIDATION_TRUSTED_PREFIXES may name more"
    )


def payload_time(uri: str) -> str:
    """Time in a payload's key, ISO 8601 with microseconds; it must not change when repeated.

    A key of another form tells no time. It gets one in 1970, by a hash of its URI: the same for
    the same payload, another for another one, and plainly none at which anything was labelled.

    Examples
    --------
    >>> payload_time("s3://bucket/iteration-1/2020-10-20_21:33:03.json")
    '2020-10-20T21:33:03.000000'
    >>> payload_time("s3://bucket/payload.json")[:5]
    '1970-'
    """
    match = _TIME.fullmatch(uri.rpartition("/")[2])
    if match:
        day, *clock = match.groups()
        try:
            time = datetime.fromisoformat(f"{day}T{':'.join(clock)}")
        except ValueError:
            pass  # such as a thirteenth month
        else:
            return time.isoformat(timespec="microseconds")
    digest = int.from_bytes(hashlib.sha256(uri.encode("utf-8", "surrogatepass")).digest())
    time = datetime(1970, 1, 1) + timedelta(
        microseconds=digest % (_YEAR // timedelta(microseconds=1))
    )
    return time.isoformat(timespec="microseconds")
