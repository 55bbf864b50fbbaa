"""What a run leaves in its folder so that it can be stopped at any instant and go on.

``.consolidation/`` holds ``run.json`` (what the run is about, and when it first started),
``statistics/`` (what the first pass learnt from each chunk of the job) and ``records/`` (one small
file for each object that is done, written after the object's own files). When all is done, the
records become one file, ``records.jsonl``.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from consolidation import storage
from consolidation.errors import RunError
from consolidation.jobs.lines import LineFile
from consolidation.jobs.records import Record

FOLDER = ".consolidation"
FORMAT = 1
MASKS, CONFIDENCE = "masks", "confidence"
"""Folders of what is written for each object."""
RESULTS = (
    "output.manifest",
    "images.csv",
    "workers.csv",
    "failures.jsonl",
    "warnings.jsonl",
    "regions.jsonl",
    "provenance.json",
)
"""Files that every finished run has."""
SOMETIMES = (
    "report.html",
    "review.manifest",
    "reliability.json",
    "confusion.json",
    "reliability.png",
)
"""Files that some finished runs have, by method, option or a later command."""
CARDS = "show"
"""Folder of what ``consolidate show`` draws."""
READERS = 16
"""Records read at once: on S3 each takes as long as the way there and back."""


def record_path(out: str, name: str) -> str:
    """Where the record of the object with this file name is written."""
    return storage.join(out, FOLDER, "records", f"{name}.json")


def statistics_path(out: str, chunk: int) -> str:
    """Where what the first pass learnt from a chunk is written."""
    return storage.join(out, FOLDER, "statistics", f"{chunk:06}.json")


def snapshot_path(out: str, name: str) -> str:
    """Where the snapshot of an image that may be in the report is written."""
    return storage.join(out, FOLDER, "snapshots", name)


def read_run(out: str) -> dict[str, Any] | None:
    """What a folder's run is about; None if it holds none."""
    path = storage.join(out, FOLDER, "run.json")
    if not storage.exists(path):
        return None
    try:
        content: dict[str, Any] = json.loads(storage.read_bytes(path))
        if content["format"] != FORMAT or not isinstance(content["about"], dict):
            raise ValueError
        content["creation_date"]
    except (ValueError, KeyError, TypeError):
        raise RunError(
            f"{path} is not what this version writes: use another folder, or --restart"
        ) from None
    return content


class RunState:
    """State of a run in an output folder.

    Parameters
    ----------
    out : str
        Path or ``s3://`` URI of the output folder.
    names : mapping of id to file name
        Of all objects, in order.
    """

    def __init__(self, out: str, names: Mapping[str, str]) -> None:
        self.out, self._names = out, names
        self._base = storage.join(out, FOLDER)
        self._content: dict[str, Any] = {}
        self._finished: LineFile | None = None
        self._finished_lines: dict[str, int] = {}

    @property
    def lock_file(self) -> str:
        """Path of the lock."""
        return self._path("lock")

    def _out(self, *parts: str) -> str:
        return storage.join(self.out, *parts)

    def _path(self, *parts: str) -> str:
        return storage.join(self._base, *parts)

    def begin(
        self,
        about: Mapping[str, Any],
        source: Mapping[str, Any],
        creation_date: str,
        restart: bool,
    ) -> str:
        """Begin a run or go on with one; return the date at which it began first.

        What it is `about` must be the same to go on; `source` is where it was read from.

        Raises
        ------
        RunError
            If the folder holds a run about something else.
        """
        goes_on = not restart and self._go_on(about)
        own = (self._path(folder) for folder in ("records", "statistics", "snapshots"))
        for folder in (self.out, self._out(MASKS), self._out(CONFIDENCE), self._base, *own):
            storage.delete_parts(folder)
        if not goes_on:
            self._forget()
            if restart and storage.exists(self._path("run.json")):
                self._drop_results(RESULTS)
                storage.delete([self._path("run.json")])
            self._content = {"format": FORMAT, "creation_date": creation_date, "about": about}
            self._content["source"] = source
            if not storage.write_first(self._path("run.json"), self._text()):
                # another run of the same job began at the same time: its date counts
                self._go_on(about)
        if self._content.get("source") != source:
            self._content["source"] = source
            self._write_content()
        self._index_finished()
        return str(self._content["creation_date"])

    def _go_on(self, about: Mapping[str, Any]) -> bool:
        """Whether there is a run to go on with; RunError if it is about something else."""
        content = read_run(self.out)
        if content is None:
            return False
        if content["about"] != about:
            raise RunError(
                f"{self.out} holds a run with {_difference(content['about'], about)}: "
                "use the same, another folder, or --restart to begin anew"
            )
        self._content = content
        return True

    def finish(
        self, summary: Mapping[str, Any], outputs: Mapping[str, Any], written: Collection[str]
    ) -> None:
        """Gather the records in one file; the run is over, with these outputs and result files."""
        self._drop_results(kept=written)
        with storage.writer(self._path("records.jsonl")) as file:
            for text in self._texts(self._names):
                file.write(text + b"\n")
        self._content |= {"summary": summary, "outputs": outputs, "files": sorted(written)}
        self._write_content()
        self.tidy()

    def tidy(self) -> None:
        """Delete what a run that is over does not need."""
        self._drop("records", "statistics", "snapshots")

    def forget_statistics(self) -> None:
        """Delete what the first pass learnt: objects that failed then may not fail now."""
        self._drop("statistics")

    def has_results(self, outputs: Mapping[str, Any]) -> bool:
        """Whether every file of a finished run is there, and those outputs were asked for."""
        same = self._content.get("outputs") == outputs
        return same and all(storage.exists(self._out(name)) for name in self._content["files"])

    @property
    def summary(self) -> Mapping[str, Any] | None:
        """Summary of a run that is over."""
        found: Mapping[str, Any] | None = self._content.get("summary")
        return found

    def learnt(self, digest: str) -> bool:
        """Say what was learnt over the job; if that has changed, every object is to be redone."""
        before = self._content.get("learnt", digest)
        if before != digest:
            self._drop("records")
            storage.delete([self._path("records.jsonl")])
            self._finished_lines = {}
        self._content["learnt"] = digest
        self._content.pop("summary", None)
        self._write_content()
        return bool(before != digest)

    def _drop_results(self, always: Iterable[str] = (), kept: Collection[str] = ()) -> None:
        """Delete what an earlier run wrote besides, and what was drawn of it."""
        names = [*always, *(name for name in SOMETIMES if name not in kept)]
        cards = storage.entries(self._out(CARDS))
        storage.delete(map(self._out, [*names, *(f"{CARDS}/{one.name}" for one in cards)]))

    def _drop(self, *folders: str) -> None:
        for folder in folders:
            found = storage.entries(self._path(folder))
            storage.delete(self._path(folder, one.name) for one in found)

    def _forget(self) -> None:
        """Delete records, whatever job they are of, and the files that they name."""
        self._index_finished()
        finished = range(len(self._finished or ()))
        folder = self._path("records")
        written = [storage.join(folder, one.name) for one in storage.entries(folder)]
        with ThreadPoolExecutor(READERS) as pool:
            texts = itertools.chain(
                (self._finished.read(number) for number in finished if self._finished),
                pool.map(storage.read_bytes, written),
            )
            records = [record for text in texts if (record := _record(text)) is not None]
        names = [name for record in records for name in record.files if _is_ours(name)]
        storage.delete(self._out(*name.split("/")) for name in names)
        self._drop("records", "statistics", "snapshots")
        storage.delete([self._path("records.jsonl")])
        self._finished, self._finished_lines = None, {}

    def _write_content(self) -> None:
        storage.write_bytes(self._path("run.json"), self._text())

    def _text(self) -> bytes:
        return json.dumps(self._content, indent=1, sort_keys=True).encode()

    def done(self, retry_failed: bool) -> set[str]:
        """Ids of objects that are done, with all their files there."""
        written = {one.name for one in storage.entries(self._path("records"))}
        known = {key for key, name in self._names.items() if f"{name}.json" in written}
        known |= self._finished_lines.keys()
        if not known:
            return known
        files = {
            f"{folder}/{one.name}"
            for folder in (MASKS, CONFIDENCE)
            for one in storage.entries(self._out(folder))
            if one.size
        }
        return {
            record.id
            for record in self.records(known)
            if files.issuperset(record.files) and not (retry_failed and record.failed)
        }

    def records(self, ids: Iterable[str] | None = None) -> Iterator[Record]:
        """Records of objects in order: those wanted, or all that there are.

        A record that cannot be read is as if it were not there.
        """
        wanted = None if ids is None else set(ids)
        chosen = [one for one in self._names if wanted is None or one in wanted]
        for text in self._texts(chosen):
            record = _record(text)
            if record is not None:
                yield record

    def _texts(self, ids: Iterable[str]) -> Iterator[bytes]:
        """Records as they were written; nothing for objects that have none."""
        written = {one.name for one in storage.entries(self._path("records"))}
        chosen = list(ids)

        def read(object_id: str) -> bytes:
            name = f"{self._names[object_id]}.json"
            try:
                return storage.read_bytes(self._path("records", name)) if name in written else b""
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

    def _index_finished(self) -> None:
        path = self._path("records.jsonl")
        if not storage.exists(path):
            return
        self._finished = LineFile(path)
        for number in range(len(self._finished)):
            record = _record(self._finished.read(number))
            if record is not None and record.id in self._names:
                self._finished_lines[record.id] = number


def _record(text: bytes) -> Record | None:
    try:
        return Record.from_json(text)
    except ValueError:
        return None


def _is_ours(name: str) -> bool:
    """Whether a file is one that a run writes for an object."""
    folder, _, file = name.partition("/")
    return folder in (MASKS, CONFIDENCE) and "/" not in file and file.endswith(".png")


def _difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Say what is not the same, such as ``other options (ties: lowest, now neighbours)``."""
    parts = []
    for key in sorted({*old, *new}):
        before, now = old.get(key), new.get(key)
        if before == now:
            continue
        if isinstance(before, Mapping) and isinstance(now, Mapping):
            changed = [
                f"{name}: {before.get(name)}, now {now.get(name)}"
                for name in sorted({*before, *now})
                if before.get(name) != now.get(name)
            ]
            parts.append(f"other {key} ({'; '.join(changed)})")
        else:
            parts.append(f"another {key}")
    return " and ".join(parts) or "something else"
