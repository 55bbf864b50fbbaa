"""What is too dear to be made for every test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests import s3_server
from tests.browser import chromium


@pytest.fixture(scope="session")
def aws() -> Iterator[s3_server.Aws]:
    """S3, IAM and STS over HTTP; tests take buckets of their own."""
    pytest.importorskip("moto", reason="moto is not installed: pip install 'moto[server]'")
    with s3_server.serve() as server:
        yield server


@pytest.fixture
def here(aws: s3_server.Aws, monkeypatch: pytest.MonkeyPatch) -> s3_server.Aws:
    """The same, for this process's own clients."""
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    return aws


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Headless Chromium."""
    with chromium() as started:
        yield started
