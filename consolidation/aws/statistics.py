"""What a job's payloads tell about its workers, added up on S3.

Each payload has one object, named by its time and the hash of its bytes. So a repeated call
writes the same one again, and calls at the same time write different ones: nothing is counted
twice, nothing is lost, and nobody waits for anybody.

A payload is decided by its own statistics and those of the payloads before it, not of later ones:
what is repeated comes out the same. The same bytes under another key count once.

Where an answer cannot be read for now, a payload's own statistics would be others than when it is
repeated. So it has none then, and is decided by those before it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache

from consolidation import storage
from consolidation.aws.deadline import OutOfTimeError
from consolidation.aws.payload import Fetcher
from consolidation.consensus import Reliability
from consolidation.errors import SourceError
from consolidation.formats.groundtruth import RequestObject
from consolidation.masks import Classes
from consolidation.objects.prepare import MaskBuffer, ignore_index, prepare_object
from consolidation.options import Options
from consolidation.storage import StorageError

MOST_REMEMBERED = 1 << 14
"""Payloads whose statistics a function keeps in memory between invocations."""


def job_reliability(
    objects: Sequence[RequestObject],
    name: str,
    folder: str,
    fetcher: Fetcher,
    classes: Classes,
    options: Options,
    buffer: MaskBuffer,
) -> Reliability:
    """Add a payload's statistics to a folder, under a name; return those of all names up to it.

    Nothing is added if an answer of the payload cannot be read for now: what was added by an
    earlier call still counts.

    Raises
    ------
    StorageError, OutOfTimeError
        If statistics cannot be read or written now, or there is too little time to learn them.
    SourceError
        If something else lies among the statistics.
    """
    start, wait = fetcher.transfers.start, fetcher.deadline.wait
    try:
        own = _learn(objects, fetcher, classes, options, buffer)
    except StorageError:
        own = None  # it will be reported when the object is consolidated
    listing = start(storage.entries, folder)
    # of the same bytes under several keys one
    known = {
        _digest(entry.name): entry
        for entry in wait(listing, "listing statistics")
        if entry.name <= name
    }
    if own is not None:
        known.pop(_digest(name), None)
        written = start(storage.write_bytes, f"{folder}/{name}", own.to_json().encode())
    reads = [start(_read, f"{folder}/{entry.name}", entry.stamp) for entry in known.values()]
    total = Reliability()
    for read in reads:
        total += wait(read, "reading statistics")
    if own is not None:
        total += own
        wait(written, "writing statistics")
    return total


def _learn(
    objects: Sequence[RequestObject],
    fetcher: Fetcher,
    classes: Classes,
    options: Options,
    buffer: MaskBuffer,
) -> Reliability:
    """Agreement of the workers over a payload's objects; those that are bad are left out.

    StorageError and OutOfTimeError are raised: another time they might not be left out.
    """
    own = Reliability()
    for request in objects:
        fetcher.deadline.check()
        try:
            prepared = prepare_object(fetcher.labeled(request), classes, options, buffer)
            if len(prepared.workers) > 1:
                own.add(prepared.masks, prepared.workers, ignore_index(classes))
        except (StorageError, OutOfTimeError):
            raise
        except Exception:
            continue  # it will be reported when the object is consolidated
    return own


def statistics_name(payload_time: str, payload: bytes) -> str:
    """Name of a payload's statistics; names sort by the payloads' times.

    Examples
    --------
    >>> statistics_name("2020-10-20T21:33:03.000000", b"[]")[:34]
    '2020-10-20T21:33:03.000000~4f53cda'
    """
    return f"{payload_time}~{hashlib.sha256(payload).hexdigest()}.json"


def _digest(name: str) -> str:
    """Hash in a name of statistics."""
    return name.rpartition("~")[2]


@lru_cache(maxsize=MOST_REMEMBERED)
def _read(uri: str, stamp: str) -> Reliability:
    """Statistics of a payload; `stamp` changes when they do."""
    try:
        return Reliability.from_json(storage.read_bytes(uri), uri)
    except ValueError:
        # what exactly is wrong may name workers who are not in this payload
        raise SourceError(f"{uri} holds no reliability statistics") from None
