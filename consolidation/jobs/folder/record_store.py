"""Records of the objects that are done: one small file each, and one for all when a run is over."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from consolidation import storage
from consolidation.formats.lines import LineFile
from consolidation.formats.place import FOLDER
from consolidation.jobs.folder.layout import CONFIDENCE, MASKS, RECORDS, drop
from consolidation.jobs.folder.records import Record

READERS = 16
"""Records read at once: on S3 each takes as long as the way there and back."""


class RecordStore:
    """The records in an output folder.

    Parameters
    ----------
    out : str
        Path or ``s3://`` URI of the output folder.
    names : mapping of id to file name
        Of all objects, in order.
    """

    def __init__(self, out: str, names: Mapping[str, str]) -> None:
        self._out, self._names = out, names
        self._folder = storage.join(out, FOLDER, RECORDS)
        self._gathered = storage.join(out, FOLDER, "records.jsonl")
        self._finished: LineFile | None = None
        self._finished_lines: dict[str, int] = {}

    def done(self, retry_failed: bool) -> set[str]:
        """Ids of objects that are done, with all their files there."""
        written = {entry.name for entry in storage.entries(self._folder)}
        known = {key for key, name in self._names.items() if f"{name}.json" in written}
        known |= self._finished_lines.keys()
        if not known:
            return known
        files = {
            f"{folder}/{entry.name}"
            for folder in (MASKS, CONFIDENCE)
            for entry in storage.entries(storage.join(self._out, folder))
            if entry.size
        }
        return {
            record.id
            for record in self.read(known)
            if files.issuperset(record.files) and not (retry_failed and record.failed)
        }

    def read(self, ids: Iterable[str] | None = None) -> Iterator[Record]:
        """Records of objects in order: those wanted, or all that there are.

        A record that cannot be read is as if it were not there.
        """
        wanted = None if ids is None else set(ids)
        chosen = [object_id for object_id in self._names if wanted is None or object_id in wanted]
        for text in self._texts(chosen):
            record = _record(text)
            if record is not None:
                yield record

    def _texts(self, ids: Iterable[str]) -> Iterator[bytes]:
        """Records as they were written; nothing for objects that have none."""
        written = {entry.name for entry in storage.entries(self._folder)}
        chosen = list(ids)

        def read(object_id: str) -> bytes:
            name = f"{self._names[object_id]}.json"
            try:
                return (
                    storage.read_bytes(storage.join(self._folder, name)) if name in written else b""
                )
            except storage.StorageError as error:
                if error.absent:  # on S3, another run of the same job has just finished
                    return b""
                raise

        with ThreadPoolExecutor(READERS) as pool:
            for start in range(0, len(chosen), READERS * READERS):
                # some at a time: a pool would read all of them ahead
                some = chosen[start : start + READERS * READERS]
                for object_id, text in zip(some, pool.map(read, some), strict=True):
                    if text := text or self._finished_line(object_id):
                        yield text

    def _finished_line(self, object_id: str) -> bytes:
        number = self._finished_lines.get(object_id)
        return b"" if number is None or self._finished is None else self._finished.read(number)

    def index(self) -> None:
        """Find out what an earlier run has gathered."""
        if not storage.exists(self._gathered):
            return
        self._finished = LineFile(self._gathered)
        for number in range(len(self._finished)):
            record = _record(self._finished.read(number))
            if record is not None and record.id in self._names:
                self._finished_lines[record.id] = number

    def gather(self) -> None:
        """Make one file of all records, in order."""
        with storage.writer(self._gathered) as file:
            for text in self._texts(self._names):
                file.write(text + b"\n")

    def drop(self) -> None:
        """Delete all records; what they tell of stays."""
        drop(self._out, RECORDS)
        storage.delete([self._gathered])
        self._finished, self._finished_lines = None, {}

    def forget(self) -> None:
        """Delete records, whatever job they are of, and the files that they name."""
        self.index()
        finished = range(len(self._finished or ()))
        written = [
            storage.join(self._folder, entry.name) for entry in storage.entries(self._folder)
        ]
        with ThreadPoolExecutor(READERS) as pool:
            texts = itertools.chain(
                (self._finished.read(number) for number in finished if self._finished),
                pool.map(storage.read_bytes, written),
            )
            records = [record for text in texts if (record := _record(text)) is not None]
        names = [name for record in records for name in record.files if _is_ours(name)]
        storage.delete(storage.join(self._out, *name.split("/")) for name in names)
        self.drop()


def _record(text: bytes) -> Record | None:
    try:
        return Record.from_json(text)
    except ValueError:
        return None


def _is_ours(name: str) -> bool:
    """Whether a file is one that a run writes for an object."""
    folder, _, file = name.partition("/")
    return folder in (MASKS, CONFIDENCE) and "/" not in file and file.endswith(".png")
