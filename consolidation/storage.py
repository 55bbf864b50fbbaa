"""Local paths and ``s3://`` URIs behind one small interface. boto3 is imported where needed."""

from __future__ import annotations

import contextlib
import os
import secrets
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from consolidation.errors import ConsolidationError

S3 = "s3://"


class StorageError(ConsolidationError):
    """Something cannot be read or written; the text names it and says why."""


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
    return str(Path(base, *parts))


def read_bytes(uri: str | Path) -> bytes:
    """Content of a file or S3 object; StorageError if it cannot be read."""
    if is_s3(uri):
        bucket, key = split_s3(str(uri))
        client = _client()
        try:
            body: bytes = client.get_object(Bucket=bucket, Key=key)["Body"].read()
        except _s3_errors() as error:
            raise StorageError(f"cannot read {uri}: {error}") from None
        return body
    try:
        return local(uri).read_bytes()
    except (OSError, ValueError) as error:
        raise StorageError(f"cannot read {uri}: {_reason(error)}") from None


def write_bytes(uri: str | Path, data: bytes) -> None:
    """Write a file or S3 object so that it appears whole or not at all."""
    if is_s3(uri):
        bucket, key = split_s3(str(uri))
        client = _client()
        try:
            client.put_object(Bucket=bucket, Key=key, Body=data)
        except _s3_errors() as error:
            raise StorageError(f"cannot write {uri}: {error}") from None
        return
    try:
        path = local(uri)
        part = path.with_name(f".{secrets.token_hex(8)}.part")
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("xb") as file:
                file.write(data)
            part.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                part.unlink()
            raise
    except (OSError, ValueError) as error:
        raise StorageError(f"cannot write {uri}: {_reason(error)}") from None


def split_s3(uri: str) -> tuple[str, str]:
    """Bucket and key of an ``s3://`` URI.

    Examples
    --------
    >>> split_s3("s3://bucket/a/b.png")
    ('bucket', 'a/b.png')
    """
    bucket, _, key = uri.removeprefix(S3).partition("/")
    if not bucket or not key:
        raise StorageError(f"{uri!r} names no S3 object: s3://bucket/key")
    return bucket, key


def local(uri: str | Path) -> Path:
    """Local path of a path or ``file://`` URI."""
    if isinstance(uri, str) and uri.startswith("file://"):
        return Path(unquote(urlsplit(uri).path))
    return Path(uri)


@cache
def _client() -> Any:
    try:
        import boto3
    except ImportError:
        raise StorageError("s3:// needs boto3: pip install 'consolidation[aws]'") from None
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    wrong_settings: tuple[type[Exception], ...] = (*_s3_errors(), ValueError)
    try:
        return boto3.client("s3", endpoint_url=endpoint)
    except wrong_settings as error:
        raise StorageError(f"cannot use s3://: {error}") from None


def _s3_errors() -> tuple[type[Exception], ...]:
    from botocore.exceptions import BotoCoreError, ClientError

    return BotoCoreError, ClientError


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)
