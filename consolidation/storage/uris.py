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
    # keys are UTF-8, which half a surrogate pair has no form in
    if not bucket or not key or any("\ud800" <= char <= "\udfff" for char in key):
        raise StorageError(f"{uri!r} names no S3 object: s3://bucket/key", absent=True)
    return bucket, key


def within(folder: str, uri: str) -> str:
    """URI that a file of a source names; StorageError if it is a path that leads out of the folder.

    ``s3://`` URIs are returned as they are. Anything else is a path: relative to the folder,
    links followed, and read only where it stays below a local folder.

    Examples
    --------
    >>> within("job", "s3://bucket/answer.json")
    's3://bucket/answer.json'
    >>> within("job", "/etc/passwd")
    Traceback (most recent call last):
    consolidation.storage.errors.StorageError: '/etc/passwd' does not lie in the source's folder job
    """
    if is_s3(uri):
        return uri
    outside = f"{uri!r} does not lie in the source's folder {folder}"
    if is_s3(folder):
        raise StorageError(outside, absent=True)
    try:
        root = local(folder).resolve()
        path = (root / local(uri)).resolve()
    except (OSError, ValueError, RuntimeError):  # such as a NUL in a name, or a loop of links
        raise StorageError(outside, absent=True) from None
    if not path.is_relative_to(root):
        raise StorageError(outside, absent=True)
    return str(path)


def local(uri: str | Path) -> Path:
    """Local path of a path or ``file://`` URI."""
    if isinstance(uri, str) and uri.startswith("file://"):
        return Path(unquote(urlsplit(uri).path))
    return Path(uri)


def same(first: str | Path, second: str | Path) -> bool:
    """Whether two names are of one file, or of one S3 object.

    Examples
    --------
    >>> same("masks/../a.png", "a.png"), same("s3://bucket/a.png", "a.png")
    (True, False)
    """
    if is_s3(first) or is_s3(second):
        return str(first) == str(second)
    return local(first).resolve() == local(second).resolve()


def absolute(uri: str | Path) -> str:
    """Name that means the same wherever it is read; S3 URIs as they are."""
    return str(uri) if is_s3(uri) else str(local(uri).absolute())
