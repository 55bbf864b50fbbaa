"""What went wrong with a file or an S3 object, in one line that names it."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from consolidation.storage import s3
from consolidation.storage.errors import StorageError

ABSENT = ("404", "NoSuchKey", "NoSuchBucket", "NotFound")
FORBIDDEN = ("403", "AccessDenied", "InvalidObjectState")
NEVER = (
    *(errno.ENOENT, errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOTDIR),
    *(errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL),
)
"""Local errors that trying again does not help."""


@contextlib.contextmanager
def reported(what: str, uri: str | Path) -> Iterator[None]:
    """Turn what S3's client raises within the block into a StorageError."""
    # outside the block: no client means no S3, which is told apart from an S3 that refuses
    s3.client()
    try:
        yield
    except s3.s3_errors() as error:
        absent = code(error) in (*ABSENT, *FORBIDDEN) or isinstance(error, s3.wrong_names())
        raise StorageError(f"cannot {what} {uri}: {error}", absent) from None


def unread(uri: str | Path, error: Exception) -> StorageError:
    """Why a local file cannot be read."""
    absent = not isinstance(error, OSError) or error.errno in NEVER
    return StorageError(f"cannot read {uri}: {reason(error)}", absent)


def code(error: Exception) -> str:
    """S3's own name of a failure; empty where it has none."""
    # timeouts have one that is None
    response: dict[str, Any] = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def reason(error: Exception) -> str:
    """Reason for a message that names the file already."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)
