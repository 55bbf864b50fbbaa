"""Reading and writing, the same for files and S3 objects."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from consolidation.storage import s3
from consolidation.storage.errors import StorageError
from consolidation.storage.faults import code, reason, reported, unread
from consolidation.storage.listing import exists
from consolidation.storage.uris import is_s3, local, split_s3

READS = 3
"""How often an object is asked for whose body breaks off."""


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
        raise unread(uri, error) from None


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
        raise unread(uri, error) from None


def write_bytes(uri: str | Path, data: bytes) -> None:
    """Write a file or S3 object so that it appears whole or not at all."""
    if is_s3(uri):
        bucket, key = split_s3(str(uri))
        with reported("write", uri):
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
    with reported("write", uri):
        try:
            arguments = {"Bucket": bucket, "Key": key, "Body": data, **s3.write_arguments()}
            s3.client().put_object(**arguments, IfNoneMatch="*")
        except s3.client().exceptions.ClientError as error:
            if code(error) in ("PreconditionFailed", "ConditionalRequestConflict"):
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
            with reported("write", uri):
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
        raise StorageError(f"cannot write {uri}: {reason(error)}") from None


def _get(uri: str, most: int | None = None, **arguments: str) -> bytes:
    """Get an object; asked for again where its body breaks off, which the client does not do."""
    for _ in range(READS - 1):
        with contextlib.suppress(_BrokenBodyError):
            return _get_once(uri, most, **arguments)
    return _get_once(uri, most, **arguments)


def _get_once(uri: str, most: int | None = None, **arguments: str) -> bytes:
    bucket, key = split_s3(uri)
    with reported("read", uri):
        try:
            answer = s3.client().get_object(Bucket=bucket, Key=key, **arguments)
        except s3.client().exceptions.ClientError as error:
            if arguments and code(error) in ("InvalidRange", "416"):
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


def _opened(path: Path) -> Any:
    """File opened for writing, its folder made if it is not there."""
    try:
        return path.open("xb")
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("xb")
