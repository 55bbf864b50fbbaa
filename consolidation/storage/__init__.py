"""Local folders and ``s3://`` prefixes behind one small interface."""

from consolidation.storage.errors import StorageError
from consolidation.storage.files import (
    read_bytes,
    read_range,
    write_bytes,
    write_first,
    writer,
)
from consolidation.storage.listing import Entry, about, delete, delete_parts, entries, exists
from consolidation.storage.s3 import s3_access
from consolidation.storage.uris import absolute, is_s3, join, local, same, split_s3, within

__all__ = [
    "Entry",
    "StorageError",
    "about",
    "absolute",
    "delete",
    "delete_parts",
    "entries",
    "exists",
    "is_s3",
    "join",
    "local",
    "read_bytes",
    "read_range",
    "s3_access",
    "same",
    "split_s3",
    "within",
    "write_bytes",
    "write_first",
    "writer",
]
