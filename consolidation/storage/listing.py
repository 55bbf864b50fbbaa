"""What lies in a folder or below an S3 prefix, and taking it away."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from consolidation.storage import s3
from consolidation.storage.errors import StorageError
from consolidation.storage.faults import ABSENT, code, reason, reported, unread
from consolidation.storage.uris import S3, is_s3, local, split_s3

MOST_AT_ONCE = 1000
"""Objects that S3 deletes in one call."""
_PART = re.compile(r"\.[0-9a-f]{16}\.part")
"""Name of a file that a `writer` has not finished."""


class Entry(NamedTuple):
    """A file below a folder, or an object below a prefix."""

    name: str
    """Relative to the folder or prefix, parts joined by ``/``."""
    size: int
    stamp: str
    """Changes when the content does: time of the last change, or S3's ETag."""


def entries(base: str | Path, links_out: bool = True) -> list[Entry]:
    """Everything below a folder or prefix, at any depth, sorted by name.

    Files that are being written are left out; links are followed, unless one leads out of the
    folder and `links_out` is not allowed: then StorageError. A folder that does not exist is empty.
    """
    if is_s3(base):
        return sorted(_s3_entries(str(base)))
    folder = local(base)
    try:
        root = None if links_out else folder.resolve()
        return sorted(entry for entry in _below(folder, root=root) if not _is_part(entry.name))
    except (OSError, ValueError) as error:
        raise StorageError(f"cannot list {folder}: {reason(error)}") from None


def about(uri: str | Path) -> Entry | None:
    """Size and stamp of a file or an S3 object of exactly this name; None where there is none."""
    if not is_s3(uri):
        path = local(uri)
        try:
            if not path.is_file():
                return None
            stat_result = path.stat()
        except (OSError, ValueError) as error:
            raise unread(uri, error) from None
        return Entry(path.name, stat_result.st_size, str(stat_result.st_mtime_ns))
    bucket, key = split_s3(str(uri))
    with reported("read", uri):
        try:
            head = s3.client().head_object(Bucket=bucket, Key=key)
        except s3.client().exceptions.ClientError as error:
            if code(error) in ABSENT:
                return None
            raise
    return Entry(key.rpartition("/")[2], head["ContentLength"], head["ETag"])


def exists(uri: str | Path) -> bool:
    """Whether there is a file or an S3 object of exactly this name."""
    return about(uri) is not None


def delete(uris: Iterable[str | Path]) -> None:
    """Delete files or S3 objects; those that are not there do not matter."""
    objects: dict[str, list[dict[str, str]]] = {}
    for uri in uris:
        if is_s3(uri):
            bucket, key = split_s3(str(uri))
            objects.setdefault(bucket, []).append({"Key": key})
            continue
        try:
            local(uri).unlink(missing_ok=True)
        except (OSError, ValueError) as error:
            raise StorageError(f"cannot delete {uri}: {reason(error)}") from None
    for bucket, keys in objects.items():
        for start in range(0, len(keys), MOST_AT_ONCE):
            wanted = {"Objects": keys[start : start + MOST_AT_ONCE], "Quiet": True}
            with reported("delete", f"s3://{bucket}"):
                answer = s3.client().delete_objects(Bucket=bucket, Delete=wanted)
            for entry in answer.get("Errors", ()):
                raise StorageError(
                    f"cannot delete s3://{bucket}/{entry['Key']}: {entry['Message']}"
                )


def delete_parts(folder: str | Path) -> None:
    """Delete what writers that were killed left in a folder; on S3 they leave nothing."""
    if is_s3(folder):
        return
    try:
        children = list(local(folder).iterdir())
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageError(f"cannot list {folder}: {reason(error)}") from None
    delete(entry for entry in children if _is_part(entry.name))


def _below(
    folder: Path | str, prefix: str = "", above: tuple[Any, ...] = (), root: Path | None = None
) -> Iterator[Entry]:
    """Files below a folder, whose names begin with `prefix`; `above` are the folders it lies in.

    With a `root`, a link that leads out of it raises StorageError: passed over, it would be hidden.
    """
    try:
        children = os.scandir(folder)
    except FileNotFoundError:
        return
    with children:
        for child in children:
            name = prefix + child.name
            if root is not None and child.is_symlink() and _leads_out(child.path, root):
                raise StorageError(f"cannot read {root}: {name} is a link that leads out of it")
            try:
                status = child.stat()
            except OSError:
                # a link that leads nowhere: leaving it out would hide it, reading it says so
                if child.is_symlink():
                    yield Entry(name, 0, "")
                continue
            here = (status.st_dev, status.st_ino)
            if stat.S_ISREG(status.st_mode):
                yield Entry(name, status.st_size, str(status.st_mtime_ns))
            elif stat.S_ISDIR(status.st_mode) and here not in above:  # links may lead in a circle
                yield from _below(child.path, f"{name}/", (*above, here), root)


def _leads_out(link: str, root: Path) -> bool:
    try:
        return not Path(link).resolve().is_relative_to(root)
    except (OSError, RuntimeError):  # such as a link to itself: reading it will say so
        return False


def _is_part(name: str) -> bool:
    return _PART.fullmatch(name.rpartition("/")[2]) is not None


def _s3_entries(base: str) -> Iterator[Entry]:
    bucket, _, prefix = base.removeprefix(S3).rstrip("/").partition("/")
    if not bucket:
        raise StorageError(f"{base!r} names no bucket: s3://bucket/prefix")
    prefix = f"{prefix}/" if prefix else ""
    with reported("list", base):
        pages = s3.client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            for entry in page.get("Contents", ()):
                name = entry["Key"][len(prefix) :]
                if name and not name.endswith("/"):
                    yield Entry(name, entry["Size"], entry["ETag"])
