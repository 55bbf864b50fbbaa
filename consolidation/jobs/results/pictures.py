"""The picture that workers painted over, as a manifest line names it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from consolidation import storage


def picture_bytes(line: Mapping[str, Any], folder: str) -> bytes | None:
    """Content of the picture's file; None if the line names none.

    Relative names start from `folder`.

    Raises
    ------
    StorageError
        If it cannot be read.
    """
    uri = line.get("source-ref")
    if not isinstance(uri, str) or not uri:
        return None
    return storage.read_bytes(uri if storage.is_s3(uri) else storage.join(folder, uri))
