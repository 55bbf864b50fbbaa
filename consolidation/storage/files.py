"""Reading, writing and listing, the same for files and S3 objects."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

from consolidation.storage import s3
from consolidation.storage.errors import StorageError
from consolidation.storage.uris import S3, is_s3, local, split_s3

READS = 3
"""How often an object is asked for whose body breaks off."""
MOST_AT_ONCE = 1000
"""Objects that S3 deletes in one call."""
_PART = re.compile(r"\.[0-9a-f]{16}\.part")
"""Name of a file that is being written."""
ABSENT = ("404", "NoSuchKey", "NoSuchBucket", "NotFound")
FORBIDDEN = ("403", "AccessDenied", "InvalidObjectState")
NEVER = (
    *(errno.ENOENT, errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOTDIR),
    *(errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL),
)
"""Local errors that trying again does not help."""


class Entry(NamedTuple):
    """A file below a folder, or an object below a prefix."""

    name: str
    """Relative to the folder or prefix, parts joined by ``/``."""
    size: int
    stamp: str
    """Changes when the content does: time of the last change, or S3's ETag."""


def read_bytes(uri: str | Path, most: int | None = None) -> bytes:
    """Content of a file or S3 object; StorageError if it cannot be read, or has more than `most`.

    What is too large is not read first.
    """
    if is_s3(uri):
        return _get(str(uri), most)
    try:
        with local(uri).open("rb") as file:
            # what has no size, such as a pipe, must not be read for ever either
            data = file.read(-1 if most is None else most + 1)
            if most is not None and len(data) > most:
                raise _too_large(uri, max(os.fstat(file.fileno()).st_size, len(data)), most)
            return data
    except (OSError, ValueError) as error:
        raise _unread(uri, error) from None


def read_range(uri: str | Path, start: int, end: int) -> bytes:
    """Bytes from `start` to before `end`, fewer where the content is shorter."""
    if start >= end:
        return b""
    if is_s3(uri):
        return _get(str(uri), Range=f"bytes={start}-{end - 1}")
    try:
        with local(uri).open("rb") as file:
            file.seek(start)
            return file.read(end - start)
    except (OSError, ValueError) as error:
        raise _unread(uri, error) from None


def write_bytes(uri: str | Path, data: bytes) -> None:
    """Write a file or S3 object so that it appears whole or not at all."""
    if is_s3(uri):
        bucket, key = split_s3(str(uri))
        with _reported("write", uri):
            s3.client().put_object(Bucket=bucket, Key=key, Body=data, **s3.write_arguments())
        return
    with writer(uri) as file:
        file.write(data)


def write_first(uri: str | Path, data: bytes) -> bool:
    """Write unless it is there already; return whether it was written.

    On S3 this holds among processes that do so at once, where the service knows conditional
    writes. Local folders have locks for that.
    """
    if not is_s3(uri):
        if exists(uri):
            return False
        write_bytes(uri, data)
        return True
    bucket, key = split_s3(str(uri))
    with _reported("write", uri):
        try:
            arguments = {"Bucket": bucket, "Key": key, "Body": data, **s3.write_arguments()}
            s3.client().put_object(**arguments, IfNoneMatch="*")
        except s3.client().exceptions.ClientError as error:
            if _code(error) in ("PreconditionFailed", "ConditionalRequestConflict"):
                return False
            raise
    return True


@contextlib.contextmanager
def writer(uri: str | Path) -> Iterator[IO[bytes]]:
    """File to write piece by piece, which becomes the file or S3 object when the block ends.

    If the block raises, nothing appears.
    """
    if is_s3(uri):
        bucket, key = split_s3(str(uri))
        with tempfile.TemporaryFile() as file:
            yield file
            file.seek(0)
            with _reported("write", uri):
                s3.client().upload_fileobj(file, bucket, key, ExtraArgs=s3.write_arguments())
        return
    try:
        path = local(uri)
        part = path.with_name(f".{secrets.token_hex(8)}.part")
        try:
            with _opened(part) as file:
                yield file
            part.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                part.unlink()
            raise
    except (OSError, ValueError) as error:
        raise StorageError(f"cannot write {uri}: {_reason(error)}") from None


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
            raise StorageError(f"cannot delete {uri}: {_reason(error)}") from None
    for bucket, keys in objects.items():
        for start in range(0, len(keys), MOST_AT_ONCE):
            wanted = {"Objects": keys[start : start + MOST_AT_ONCE], "Quiet": True}
            with _reported("delete", f"s3://{bucket}"):
                answer = s3.client().delete_objects(Bucket=bucket, Delete=wanted)
            for one in answer.get("Errors", ()):
                raise StorageError(f"cannot delete s3://{bucket}/{one['Key']}: {one['Message']}")


def about(uri: str | Path) -> Entry | None:
    """Size and stamp of a file or an S3 object of exactly this name; None where there is none."""
    if not is_s3(uri):
        path = local(uri)
        try:
            if not path.is_file():
                return None
            found = path.stat()
        except (OSError, ValueError) as error:
            raise _unread(uri, error) from None
        return Entry(path.name, found.st_size, str(found.st_mtime_ns))
    bucket, key = split_s3(str(uri))
    with _reported("read", uri):
        try:
            head = s3.client().head_object(Bucket=bucket, Key=key)
        except s3.client().exceptions.ClientError as error:
            if _code(error) in ABSENT:
                return None
            raise
    return Entry(key.rpartition("/")[2], head["ContentLength"], head["ETag"])


def exists(uri: str | Path) -> bool:
    """Whether there is a file or an S3 object of exactly this name."""
    return about(uri) is not None


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
        return sorted(one for one in _below(folder, root=root) if not _is_part(one.name))
    except (OSError, ValueError) as error:
        raise StorageError(f"cannot list {folder}: {_reason(error)}") from None


def delete_parts(folder: str | Path) -> None:
    """Delete what writers that were killed left in a folder; on S3 they leave nothing."""
    if is_s3(folder):
        return
    try:
        found = list(local(folder).iterdir())
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageError(f"cannot list {folder}: {_reason(error)}") from None
    delete(one for one in found if _is_part(one.name))


def _below(
    folder: Path | str, prefix: str = "", above: tuple[Any, ...] = (), root: Path | None = None
) -> Iterator[Entry]:
    """Files below a folder, whose names begin with `prefix`; `above` are the folders it lies in.

    With a `root`, a link that leads out of it raises StorageError: passed over, it would be hidden.
    """
    try:
        found = os.scandir(folder)
    except FileNotFoundError:
        return
    with found:
        for one in found:
            name = prefix + one.name
            if root is not None and one.is_symlink() and _leads_out(one.path, root):
                raise StorageError(f"cannot read {root}: {name} is a link that leads out of it")
            try:
                about = one.stat()
            except OSError:
                # a link that leads nowhere: leaving it out would hide it, reading it says so
                if one.is_symlink():
                    yield Entry(name, 0, "")
                continue
            here = (about.st_dev, about.st_ino)
            if stat.S_ISREG(about.st_mode):
                yield Entry(name, about.st_size, str(about.st_mtime_ns))
            elif stat.S_ISDIR(about.st_mode) and here not in above:  # links may lead in a circle
                yield from _below(one.path, f"{name}/", (*above, here), root)


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
    with _reported("list", base):
        pages = s3.client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            for one in page.get("Contents", ()):
                name = one["Key"][len(prefix) :]
                if name and not name.endswith("/"):
                    yield Entry(name, one["Size"], one["ETag"])


def _get(uri: str, most: int | None = None, **arguments: str) -> bytes:
    """Get an object; asked for again where its body breaks off, which the client does not do."""
    for _ in range(READS - 1):
        with contextlib.suppress(_BrokenBodyError):
            return _get_once(uri, most, **arguments)
    return _get_once(uri, most, **arguments)


def _get_once(uri: str, most: int | None = None, **arguments: str) -> bytes:
    bucket, key = split_s3(uri)
    with _reported("read", uri):
        try:
            answer = s3.client().get_object(Bucket=bucket, Key=key, **arguments)
        except s3.client().exceptions.ClientError as error:
            if arguments and _code(error) in ("InvalidRange", "416"):
                return b""
            raise
        if most is not None and answer["ContentLength"] > most:
            answer["Body"].close()
            raise _too_large(uri, answer["ContentLength"], most)
        try:
            body: bytes = answer["Body"].read()
        except s3.s3_errors() as error:
            raise _BrokenBodyError(f"cannot read {uri}: {error}") from None
    return body


class _BrokenBodyError(StorageError):
    """A reply began well and broke off."""


def _too_large(uri: str | Path, size: int, most: int) -> StorageError:
    return StorageError(f"{uri} has {size:,} bytes, the limit is {most:,}", absent=True)


@contextlib.contextmanager
def _reported(what: str, uri: str | Path) -> Iterator[None]:
    # outside the block: no client means no S3, which is told apart from an S3 that refuses
    s3.client()
    try:
        yield
    except s3.s3_errors() as error:
        absent = _code(error) in (*ABSENT, *FORBIDDEN) or isinstance(error, s3.wrong_names())
        raise StorageError(f"cannot {what} {uri}: {error}", absent) from None


def _opened(path: Path) -> Any:
    """File opened for writing, its folder made if it is not there."""
    try:
        return path.open("xb")
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("xb")


def _unread(uri: str | Path, error: Exception) -> StorageError:
    absent = not isinstance(error, OSError) or error.errno in NEVER
    return StorageError(f"cannot read {uri}: {_reason(error)}", absent)


def _code(error: Exception) -> str:
    # timeouts have one that is None
    response: dict[str, Any] = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)
