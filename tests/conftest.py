"""What is too dear to be made for every test, and which tests are run where."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import is_hypothesis_test, settings

from tests import s3_server
from tests.browser import chromium
from tests.shared_data import SHARED, VARIABLE

SLOW_FIXTURES = {"aws", "here", "browser", "scheduler"}
"""Who asks for them needs a server, a browser or a cluster."""
SLOW_MODULES = (
    *("cache", "deploy", "fault_injection", "lambda", "parallel", "real_answers", "resume", "s3"),
    *("autosegment_onnx", "calibrat", "docs", "foreign_answers", "formats", "hostile"),
    *("independence", "learning", "limits", "painting", "report", "run_report", "simulate"),
    *("values", "volumes"),
)
"""Beginnings of the names of modules whose tests start processes, or take seconds."""
QUICK_EXAMPLES = 10
"""Most examples of a property in the inner loop; the whole suite has those that the test names."""


def is_quick(config: pytest.Config) -> bool:
    """Whether this is the inner loop."""
    return bool(config.getoption("markexpr") == "not slow")


def is_slow(path: Path) -> bool:
    """Whether all tests of a module are slow."""
    return path.stem.removeprefix("test_").startswith(SLOW_MODULES)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Spare the inner loop the libraries that only slow modules import."""
    return (is_quick(config) and is_slow(collection_path)) or None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what needs a server or a browser, and leave out what needs data that is not there."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if SLOW_FIXTURES & fixtures or is_slow(item.path):
            item.add_marker("slow")
        elif is_quick(config) and is_hypothesis_test(getattr(item, "obj", None)):
            few_examples(item.obj)  # type: ignore[attr-defined]
    needing = [item for item in items if item.get_closest_marker("real_data")]
    if needing and not SHARED.is_dir():
        config.hook.pytest_deselected(items=needing)
        items[:] = [item for item in items if item not in set(needing)]


def few_examples(test: Any) -> None:
    """Lower a property's number of examples; hypothesis has no public way past a test's own."""
    function = getattr(test, "__func__", test)
    own = function._hypothesis_internal_use_settings
    function._hypothesis_internal_use_settings = settings(
        own, max_examples=min(own.max_examples, QUICK_EXAMPLES)
    )


def pytest_report_header() -> str:
    """Say where the real data is, or that it is not there."""
    if SHARED.is_dir():
        return f"real data: {SHARED}"
    return f"real data: {SHARED} is not there ({VARIABLE}); tests that need it are left out"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Let no test on real data be skipped where the data is there."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.skipped and item.get_closest_marker("real_data") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped although {SHARED} is there: {report.longrepr}"


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
