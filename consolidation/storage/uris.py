"""Names of files and S3 objects."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from consolidation.storage.errors import StorageError

S3 = "s3://"


def is_s3(uri: str | Path) -> bool:
    """Whether `uri` names an S3 object or prefix."""
    return isinstance(uri, str) and uri.startswith(S3)


def join(base: str | Path, *parts: str) -> str:
    """Join parts below a local folder or an S3 prefix.

    Examples
    --------
    >>> join("s3://bucket/job/", "masks", "1.png")
    's3://bucket/job/masks/1.png'
    """
    if is_s3(base):
        return "/".join([str(base).rstrip("/"), *parts])
    return str(local(base).joinpath(*parts))


def split_s3(uri: str) -> tuple[str, str]:
    """Bucket and key of an ``s3://`` URI.

    Examples
    --------
    >>> split_s3("s3://bucket/a/b.png")
    ('bucket', 'a/b.png')
    """
    bucket, _, key = uri.removeprefix(S3).partition("/")
    if not bucket or not key:
        raise StorageError(f"{uri!r} names no S3 object: s3://bucket/key", absent=True)
    return bucket, key


def local(uri: str | Path) -> Path:
    """Local path of a path or ``file://`` URI."""
    if isinstance(uri, str) and uri.startswith("file://"):
        return Path(unquote(urlsplit(uri).path))
    return Path(uri)
