"""Clients of AWS that give up in time, and calls to S3 beside the work."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from types import TracebackType
from typing import Any, Self, TypeVar
from weakref import WeakSet

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from consolidation.errors import SourceError

T = TypeVar("T")
MOST_AT_ONCE = 8
"""Calls to S3 at once."""
MANY_ATTEMPTS, FEW_ATTEMPTS, MANY_FROM = 5, 3, 60.0
"""Attempts at a call in an invocation of at least a minute, and in a shorter one."""
SESSION_SECONDS = 3600
_lock = threading.Lock()
_idle: list[ThreadPoolExecutor] = []
"""Threads of earlier invocations, to be used again."""
_assumed: dict[tuple[str, Config], tuple[Any, datetime]] = {}


def call_config(seconds: float) -> Config:
    """Retries and timeouts of one call in an invocation of so many seconds.

    However throttled or silent S3 is, the retries of one call, waits between them included, end
    within half of the time, if that is 20 seconds or more: standard mode waits at most 1, 2, 4
    and 8 seconds. Where there is less time, and with a server that sends a byte now and then, the
    deadline comes first: calls are waited for by `Deadline.wait` only.
    """
    # in steps, or nearly every invocation would have other clients
    step = 60 if seconds >= MANY_FROM else 5
    return _config(int(seconds // step) * step)


@lru_cache(maxsize=8)
def _config(seconds: int) -> Config:
    attempts = MANY_ATTEMPTS if seconds >= MANY_FROM else FEW_ATTEMPTS
    return Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        connect_timeout=min(max(seconds / 60, 1), 5),
        read_timeout=min(max(seconds / 30, 1), 10),
        max_pool_connections=2 * MOST_AT_ONCE,
    )


def s3_client(config: Config, role_arn: str | None = None) -> Any:
    """S3 client with the function's rights, or those of a role, kept for the next invocation.

    Raises
    ------
    SourceError
        If the role cannot be assumed.
    """
    return _own_client("s3", config) if role_arn is None else _role_client(role_arn, config)


def sagemaker_client(config: Config) -> Any:
    """SageMaker client with the function's rights."""
    return _own_client("sagemaker", config)


@lru_cache(maxsize=8)
def _own_client(service: str, config: Config) -> Any:
    return _new_client(service, config)


def _new_client(service: str, config: Config, **credentials: str) -> Any:
    # boto3's default session, with which clients are made, is not safe to share
    with _lock:
        return boto3.client(service, config=config, **credentials)


def _role_client(role_arn: str, config: Config) -> Any:
    client, expires = _assumed.get((role_arn, config), (None, datetime.min.replace(tzinfo=UTC)))
    # no invocation lasts longer than a quarter of an hour
    if expires - datetime.now(UTC) > timedelta(minutes=16):
        return client
    try:
        credentials = _own_client("sts", config).assume_role(
            RoleArn=role_arn, RoleSessionName="consolidation", DurationSeconds=SESSION_SECONDS
        )["Credentials"]
    except (BotoCoreError, ClientError) as error:
        raise SourceError(f"cannot assume the role {role_arn}: {error}") from None
    client = _new_client(
        "s3",
        config,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )
    _assumed[role_arn, config] = client, credentials["Expiration"]
    return client


class Transfers:
    """Calls to AWS in threads, with the S3 access of whoever starts them."""

    def __init__(self) -> None:
        try:
            self._pool = _idle.pop()
        except IndexError:
            self._pool = ThreadPoolExecutor(MOST_AT_ONCE)
        # weakly: what was read need not be kept
        self._futures: WeakSet[Future[Any]] = WeakSet()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if all(future.done() for future in self._futures):
            _idle.append(self._pool)
        else:
            # whoever still waits for S3 is left behind: its result came too late
            self._pool.shutdown(wait=False, cancel_futures=True)

    def start(self, call: Callable[..., T], *arguments: Any) -> Future[T]:
        """Begin a call; its result is waited for by `Deadline.wait`."""
        future = self._pool.submit(copy_context().run, call, *arguments)
        self._futures.add(future)
        return future
