"""What a run leaves in its folder so that it can be stopped at any instant and go on.

``.consolidation/`` holds ``run.json`` (what the run is about, and when it first started),
``statistics/`` (what the first pass learnt from each chunk of the job) and ``records/`` (one small
file for each object that is done, written after the object's own files). When all is done, the
records become one file, ``records.jsonl``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation import storage
from consolidation.errors import RunError
from consolidation.formats.place import FOLDER
from consolidation.jobs.folder.layout import (
    CARDS,
    CONFIDENCE,
    MASKS,
    RECORDS,
    RESULTS,
    SNAPSHOTS,
    SOMETIMES,
    STATISTICS,
    drop,
    snapshot_path,
)
from consolidation.jobs.folder.record_store import RecordStore
from consolidation.jobs.folder.records import Record
from consolidation.masks import decode_indices

FORMAT = 1


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


class RunFolder:
    """The output folder of a run: begun or gone on with, what is done in it, and finished.

    Parameters
    ----------
    out : str
        Path or ``s3://`` URI of the output folder.
    names : mapping of id to file name
        Of all objects, in order.
    """

    def __init__(self, out: str, names: Mapping[str, str]) -> None:
        self.out, self.names = out, names
        self._records = RecordStore(out, names)
        self._base = storage.join(out, FOLDER)
        self._content: dict[str, Any] = {}

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
        identity: Mapping[str, Any],
        request: Mapping[str, Any],
        creation_date: str,
        restart: bool,
    ) -> str:
        """Begin a run or go on with one; return the date at which it began first.

        Its identity must be the same to go on; the request is where it is read from.

        Raises
        ------
        RunError
            If the folder holds a run about something else.
        """
        goes_on = not restart and self._go_on(identity)
        own = (self._path(folder) for folder in (RECORDS, STATISTICS, SNAPSHOTS))
        for folder in (self.out, self._out(MASKS), self._out(CONFIDENCE), self._base, *own):
            storage.delete_parts(folder)
        if not goes_on:
            self._records.forget()
            drop(self.out, STATISTICS, SNAPSHOTS)
            if restart and storage.exists(self._path("run.json")):
                self._drop_results(RESULTS)
                storage.delete([self._path("run.json")])
            self._content = {
                "format": FORMAT,
                "creation_date": creation_date,
                "about": identity,
                "source": request,
            }
            if not storage.write_first(self._path("run.json"), self._text()):
                # another run of the same job began at the same time: its date counts
                self._go_on(identity)
        if self._content.get("source") != request:
            self._content["source"] = request
            self._write_content()
        self._records.index()
        return str(self._content["creation_date"])

    def _go_on(self, identity: Mapping[str, Any]) -> bool:
        """Whether there is a run to go on with; RunError if it is about something else."""
        content = read_run(self.out)
        if content is None:
            return False
        if content["about"] != identity:
            raise RunError(
                f"{self.out} holds a run with {_difference(content['about'], identity)}: "
                "use the same, another folder, or --restart to begin anew"
            )
        self._content = content
        return True

    def done(self, retry_failed: bool = False) -> set[str]:
        """Ids of objects that are done, with all their files there."""
        return self._records.done(retry_failed)

    def records(self, ids: Iterable[str] | None = None) -> Iterator[Record]:
        """Records of objects in order: those wanted, or all that there are."""
        return self._records.read(ids)

    def masks(self) -> Callable[[str], Callable[[], NDArray[np.uint8] | None]]:
        """From an object's id to a function that reads its consensus (H, Wd); None without."""
        without = {record.id for record in self.records() if record.image is None}

        def of(object_id: str) -> Callable[[], NDArray[np.uint8] | None]:
            path = self._out(MASKS, f"{self.names[object_id]}.png")
            return lambda: (
                None if object_id in without else decode_indices(storage.read_bytes(path))
            )

        return of

    def snapshot(self, object_id: str) -> bytes | None:
        """Snapshot of an image that may be in the report; None if none was taken."""
        path = snapshot_path(self.out, self.names[object_id])
        return storage.read_bytes(path) if storage.exists(path) else None

    def without_snapshot(self, ids: Iterable[str]) -> set[str]:
        """Those of the images of which no snapshot was taken."""
        taken = {entry.name for entry in storage.entries(self._path(SNAPSHOTS))}
        return {object_id for object_id in ids if self.names[object_id] not in taken}

    def finish(
        self, summary: Mapping[str, Any], outputs: Mapping[str, Any], written: Collection[str]
    ) -> None:
        """Gather the records in one file; the run is over, with these outputs and result files."""
        self._drop_results(kept=written)
        self._records.gather()
        self._content |= {"summary": summary, "outputs": outputs, "files": sorted(written)}
        self._write_content()
        self.tidy()

    def tidy(self) -> None:
        """Delete what a run that is over does not need."""
        drop(self.out, RECORDS, STATISTICS, SNAPSHOTS)

    def forget_statistics(self) -> None:
        """Delete what the first pass learnt: objects that failed then may not fail now."""
        drop(self.out, STATISTICS)

    def has_results(self, outputs: Mapping[str, Any]) -> bool:
        """Whether every file of a finished run is there, and those outputs were asked for."""
        if self._content.get("outputs") != outputs:
            return False
        return all(storage.exists(self._out(name)) for name in self._content["files"])

    @property
    def summary(self) -> Mapping[str, Any] | None:
        """Summary of a run that is over."""
        summary: Mapping[str, Any] | None = self._content.get("summary")
        return summary

    def learnt(self, digest: str) -> bool:
        """Say what was learnt over the job; if that has changed, every object is to be redone."""
        before = self._content.get("learnt", digest)
        if before != digest:
            self._records.drop()
        self._content["learnt"] = digest
        self._content.pop("summary", None)
        self._write_content()
        return bool(before != digest)

    def _drop_results(self, always: Iterable[str] = (), kept: Collection[str] = ()) -> None:
        """Delete what an earlier run wrote besides, and what was drawn of it."""
        names = [*always, *(name for name in SOMETIMES if name not in kept)]
        cards = storage.entries(self._out(CARDS))
        storage.delete(map(self._out, [*names, *(f"{CARDS}/{card.name}" for card in cards)]))

    def _write_content(self) -> None:
        storage.write_bytes(self._path("run.json"), self._text())

    def _text(self) -> bytes:
        return json.dumps(self._content, indent=1, sort_keys=True).encode()


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
