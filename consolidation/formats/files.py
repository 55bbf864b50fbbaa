"""Files of a source, in folders or in zip archives, read in pieces by whatever process needs them.

A member of an archive that is read in pieces is unpacked once a process, to a file that has no
name and goes when the process does.
"""

from __future__ import annotations

import atexit
import contextlib
import gzip
import os
import tempfile
import threading
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from consolidation import storage
from consolidation.errors import SourceError

MOST_UNPACKED = 1 << 36
"""Bytes of a member of an archive."""
_KEPT = 32
"""Archives, and unpacked members, that a process keeps open."""
GZIP = "*gzip*"
"""Member that a file packed by gzip has: what is in it."""
_WINDOW = 1 << 22
_DAMAGED = (
    zipfile.BadZipFile,
    OSError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    zlib.error,
)

_lock = threading.RLock()
_archives: OrderedDict[tuple[str, str], zipfile.ZipFile] = OrderedDict()
_unpacked: OrderedDict[tuple[str, str, str], Any] = OrderedDict()


def _forget() -> None:
    """In a forked process: its parent's open files have one place to read at for both."""
    global _lock  # noqa: PLW0603 - it may be held by a thread that the process does not have
    _lock = threading.RLock()
    _archives.clear()
    _unpacked.clear()


def _close(archive: zipfile.ZipFile) -> None:
    # an archive leaves a file open that it was given
    file = archive.fp
    archive.close()
    if file is not None:
        file.close()


@atexit.register
def _close_all() -> None:
    for archive in _archives.values():
        _close(archive)
    for file in _unpacked.values():
        file.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


@dataclass(frozen=True, slots=True)
class File:
    """A file, or a member of a zip archive.

    Attributes
    ----------
    uri : str
        Path or ``s3://`` URI of the file or archive.
    member : str
        Name within the archive; empty for a file.
    """

    uri: str
    member: str = ""

    @classmethod
    def unpacked(cls, uri: str) -> File:
        """File as it is, or what is in it if it was packed by gzip."""
        return cls(uri, GZIP if storage.read_range(uri, 0, 2) == b"\x1f\x8b" else "")

    def __str__(self) -> str:
        return self.uri if self.member in ("", GZIP) else f"{self.uri}, {self.member}"

    def beginning(self, size: int) -> bytes:
        """First bytes; of a packed file without unpacking all of it."""
        if not self.member:
            return self.read(0, size)
        if self.member != GZIP:
            with _lock, _reported(self), _archive(self.uri).open(self.member) as file:
                return file.read(size)
        try:
            packed = storage.read_range(self.uri, 0, size + (1 << 16))
            return zlib.decompressobj(wbits=31).decompress(packed, size)
        except zlib.error as error:
            raise SourceError(f"cannot read {self}: {error}") from None

    def read(self, start: int, end: int) -> bytes:
        """Bytes from `start` to before `end`, fewer where there are no more."""
        if not self.member:
            return storage.read_range(self.uri, start, end)
        with _lock:
            file = _unpack(self)
            # systems refuse places beyond all files
            start = file.seek(min(start, file.seek(0, os.SEEK_END)))
            parts = []
            while start < end and (data := file.read(end - start)):
                parts.append(data)
                start += len(data)
            return b"".join(parts)

    def read_all(self, most: int) -> bytes:
        """Content; StorageError or SourceError if it has more than `most` bytes."""
        if not self.member:
            return storage.read_bytes(self.uri, most)
        with _lock:
            archive = _archive(self.uri)
            with _reported(self):
                size = archive.getinfo(self.member).file_size
                if size > most:
                    raise SourceError(f"{self} has {size:,} bytes, the limit is {most:,}")
                with archive.open(self.member) as file:
                    data = file.read(most + 1)
        if len(data) > most:
            raise SourceError(f"{self} has more than {most:,} bytes, which is the limit")
        return data

    def size(self) -> int:
        """Bytes of it."""
        if not self.member:
            entry = storage.about(self.uri)
            return 0 if entry is None else entry.size
        with _lock:
            return int(_unpack(self).seek(0, os.SEEK_END))

    def windows(self) -> Iterator[bytes]:
        """Content, piece by piece."""
        offset = 0
        while data := self.read(offset, offset + _WINDOW):
            yield data
            offset += len(data)


@contextlib.contextmanager
def _reported(file: File) -> Iterator[None]:
    """Raise SourceError for what damaged archives raise."""
    try:
        yield
    except (*_DAMAGED, KeyError) as error:
        raise SourceError(f"cannot read {file}: {error}") from None


def members(uri: str) -> list[str]:
    """Names of the files in a zip archive, sorted; SourceError if it is none."""
    with _lock:
        return sorted(info.filename for info in _archive(uri).infolist() if not info.is_dir())


def _archive(uri: str) -> zipfile.ZipFile:
    entry = storage.about(uri)
    key = (uri, "" if entry is None else entry.stamp)
    if key not in _archives:
        try:
            _archives[key] = zipfile.ZipFile(_seekable(uri))
        except _DAMAGED as error:
            raise SourceError(f"{uri} is no zip archive: {error}") from None
        while len(_archives) > _KEPT:
            _close(_archives.popitem(last=False)[1])
    _archives.move_to_end(key)
    return _archives[key]


def _seekable(uri: str) -> Any:
    """Open a local file; what lies on S3 is fetched first."""
    if not storage.is_s3(uri):
        return storage.local(uri).open("rb")
    file = tempfile.TemporaryFile()  # noqa: SIM115 - it is kept
    for data in File(uri).windows():
        file.write(data)
    file.seek(0)
    return file


def _unpack(member: File) -> Any:
    entry = storage.about(member.uri)
    key = (member.uri, member.member, "" if entry is None else entry.stamp)
    if key not in _unpacked:
        # unbuffered: a buffered one goes to where it thinks it is when a forked process closes it
        file: Any = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - it is kept
        size = 0
        try:
            with _opened(member) as packed:
                while data := packed.read(_WINDOW):
                    size += len(data)
                    if size > MOST_UNPACKED:
                        raise SourceError(f"{member} has more than {MOST_UNPACKED:,} bytes")
                    _write(file, data)
        except (*_DAMAGED, KeyError) as error:
            file.close()
            raise SourceError(f"cannot read {member}: {error}") from None
        _unpacked[key] = file
        while len(_unpacked) > _KEPT:
            _unpacked.popitem(last=False)[1].close()
    _unpacked.move_to_end(key)
    return _unpacked[key]


def _write(file: Any, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


@contextlib.contextmanager
def _opened(member: File) -> Iterator[Any]:
    if member.member != GZIP:
        with _archive(member.uri).open(member.member) as packed:
            yield packed
        return
    with _seekable(member.uri) as file, gzip.GzipFile(fileobj=file) as packed:
        yield packed
