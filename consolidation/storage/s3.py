"""The connection to S3. boto3 is imported when the first ``s3://`` is met."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from consolidation.storage.errors import StorageError

MOST_CONNECTIONS = 32


@dataclass(frozen=True)
class _Access:
    client: Any
    write_arguments: dict[str, str] = field(default_factory=dict)


_access: ContextVar[_Access | None] = ContextVar("_access", default=None)


@contextlib.contextmanager
def s3_access(client: Any, kms_key_id: str | None = None) -> Iterator[None]:
    """Use this boto3 client within the block, and this KMS key for what is written.

    It holds for the current thread or task only.

    Parameters
    ----------
    client : boto3 S3 client
    kms_key_id : str, optional
        Without it the bucket's own encryption is used.
    """
    arguments = {}
    if kms_key_id:
        arguments = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key_id}
    token = _access.set(_Access(client, arguments))
    try:
        yield
    finally:
        _access.reset(token)


def client() -> Any:
    """Client in use: that of `s3_access`, else one by the environment."""
    access = _access.get()
    return _default_client() if access is None else access.client


def write_arguments() -> dict[str, str]:
    """Arguments of put_object besides bucket, key and body."""
    access = _access.get()
    return {} if access is None else access.write_arguments


def s3_errors() -> tuple[type[Exception], ...]:
    """Exceptions of boto3's calls, a connection lost while a body is read included."""
    from botocore.exceptions import BotoCoreError, ClientError
    from urllib3.exceptions import HTTPError

    return BotoCoreError, ClientError, HTTPError


def wrong_names() -> type[Exception]:
    """Exception of a bucket or key that no request can be made of."""
    from botocore.exceptions import ParamValidationError

    error: type[Exception] = ParamValidationError
    return error


@cache
def _default_client() -> Any:
    try:
        import boto3
        from botocore.config import Config
    except ImportError:
        raise StorageError("s3:// needs boto3: pip install 'consolidation[aws]'") from None
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    retries = {"mode": "standard", "total_max_attempts": 6}
    config = Config(retries=retries, max_pool_connections=MOST_CONNECTIONS)
    wrong_settings: tuple[type[Exception], ...] = (*s3_errors(), ValueError)
    try:
        return boto3.client("s3", endpoint_url=endpoint, config=config)
    except wrong_settings as error:
        raise StorageError(f"cannot use s3://: {error}") from None
