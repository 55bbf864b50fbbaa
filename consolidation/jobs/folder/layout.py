"""Where a run keeps what, below its output folder."""

from __future__ import annotations

from consolidation import storage
from consolidation.formats.place import FOLDER

MASKS, CONFIDENCE = "masks", "confidence"
"""Folders of what is written for each object."""
RECORDS, STATISTICS, SNAPSHOTS = "records", "statistics", "snapshots"
"""Folders in `FOLDER` of what is only needed until the run is over."""

MANIFEST, PROVENANCE, REPORT = "output.manifest", "provenance.json", "report.html"
REVIEW, RELIABILITY, CONFUSION = "review.manifest", "reliability.json", "confusion.json"
DIAGRAM = "reliability.png"
RESULTS = (
    MANIFEST,
    "images.csv",
    "workers.csv",
    "failures.jsonl",
    "warnings.jsonl",
    "regions.jsonl",
    PROVENANCE,
)
"""Files that every finished run has."""
SOMETIMES = (REPORT, REVIEW, RELIABILITY, CONFUSION, DIAGRAM)
"""Files that some finished runs have, by method, option or a later command."""
CARDS = "show"
"""Folder of what ``consolidate show`` draws."""


def record_path(out: str, name: str) -> str:
    """Where the record of the object with this file name is written."""
    return storage.join(out, FOLDER, RECORDS, f"{name}.json")


def statistics_path(out: str, chunk: int) -> str:
    """Where what the first pass learnt from a chunk is written."""
    return storage.join(out, FOLDER, STATISTICS, f"{chunk:06}.json")


def snapshot_path(out: str, name: str) -> str:
    """Where the snapshot of an image that may be in the report is written."""
    return storage.join(out, FOLDER, SNAPSHOTS, name)


def drop(out: str, *folders: str) -> None:
    """Delete all files of some folders in `FOLDER`."""
    for folder in folders:
        path = storage.join(out, FOLDER, folder)
        storage.delete(storage.join(path, entry.name) for entry in storage.entries(path))
