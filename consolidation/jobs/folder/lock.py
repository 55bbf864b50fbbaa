"""One run at a time in a local folder: a lock that dies with its holder."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from consolidation import storage
from consolidation.errors import RunError


@contextlib.contextmanager
def only_run_in(out: str, lock_file: str) -> Iterator[None]:
    """Hold the folder's lock within the block; RunError if another run has it.

    On S3, and on file systems that know no locks, there is none: two runs of one job write the
    same bytes.
    """
    if storage.is_s3(out):
        yield
        return
    path = Path(lock_file)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise storage.StorageError(f"cannot write {path}: {error.strerror}") from None
    try:
        try:
            _lock(handle)
        except (BlockingIOError, PermissionError):
            raise RunError(f"another run is writing into {out}") from None
        except OSError:
            # a file system without locks, as clusters have: as on S3
            pass
        yield
    finally:
        os.close(handle)


def _lock(handle: int) -> None:
    """Lock the file or raise OSError, without waiting."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
