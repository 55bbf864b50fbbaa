"""Faults of S3, networks and disks: nothing lost, nothing half-written, and the same in the end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from consolidation import storage
from consolidation.cli import main
from consolidation.commands.run import run_job
from consolidation.errors import ConsolidationError
from consolidation.storage import s3
from tests import fault_proxy, wire
from tests.fault_proxy import FAULTS, Proxy
from tests.lambda_job import Context, Job, ids
from tests.s3_server import Aws
from tests.wire import plain

OPTIONS = plain(jobs=1, threads=1)


def entries(n: int = 3) -> list[Any]:
    return [
        wire.entry(
            str(k),
            ("a", wire.content([[k % 3, 1, 2]])),
            ("b", wire.content([[1, 1, 2]])),
            ("c", wire.content([[1, 0, 2]])),
        )
        for k in range(n)
    ]


@pytest.fixture(autouse=True)
def same_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")


@pytest.fixture
def proxy(here: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """The same server behind a proxy, for this process's own clients, which wait for nothing."""
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    with fault_proxy.serve(here.url) as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.url)
        s3._default_client.cache_clear()
        yield running
    s3._default_client.cache_clear()


def source(aws: Aws, bucket: str) -> str:
    client = aws.client("s3")
    client.create_bucket(Bucket=bucket)
    for place, entry in enumerate(entries()):
        name = f"job/consolidation-request/iteration-{place}/r.json"
        client.put_object(Bucket=bucket, Key=name, Body=json.dumps([entry]).encode())
    return f"s3://{bucket}/job"


def results(files: dict[str, bytes]) -> dict[str, bytes]:
    """What a person gets: the run's own notes hold times."""
    return {name: data for name, data in files.items() if not name.startswith(".consolidation/")}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_run_outlives_faults_that_pass(here: Aws, proxy: Proxy, fault: str) -> None:
    bucket = f"passing-{fault}"
    uri = source(here, bucket)
    run_job(uri, f"s3://{bucket}/good", OPTIONS)
    proxy.seen.clear()
    proxy.plan = lambda method, path, number: fault if number == 0 else None
    summary = run_job(uri, f"s3://{bucket}/out", OPTIONS)
    proxy.plan = lambda *_: None
    assert (summary.images, summary.failures, summary.warnings) == (3, 0, 0)
    assert proxy.done[fault] > 10
    good = results(here.keys(bucket, "good/"))
    found = results(here.keys(bucket, "out/"))
    assert {k: v.replace(b"/out/", b"/good/") for k, v in found.items()} == good


@pytest.mark.parametrize("fault, after", [("500", 0), ("503", 4), ("reset", 6)])
def test_a_run_that_s3_ends_is_taken_up_again(
    here: Aws, proxy: Proxy, fault: str, after: int
) -> None:
    bucket = f"lasting-{fault}-{after}"
    uri = source(here, bucket)
    run_job(uri, f"s3://{bucket}/good", OPTIONS)
    writes = iter(range(10**6))
    proxy.plan = lambda method, path, number: (
        fault if method == "PUT" and next(writes) >= after else None
    )
    with pytest.raises(ConsolidationError, match=f"cannot write s3://{bucket}/out/") as caught:
        run_job(uri, f"s3://{bucket}/out", OPTIONS)
    assert "\n" not in str(caught.value)
    half = here.keys(bucket, "out/")
    good = results(here.keys(bucket, "good/"))
    assert all(good[name] == data for name, data in half.items() if name.startswith("masks/"))
    proxy.plan = lambda *_: None
    summary = run_job(uri, f"s3://{bucket}/out", OPTIONS)
    assert (summary.images, summary.failures) == (3, 0)
    found = results(here.keys(bucket, "out/"))
    assert {k: v.replace(b"/out/", b"/good/") for k, v in found.items()} == good


@pytest.mark.parametrize("fault", FAULTS)
def test_a_lambda_outlives_faults_that_pass(here: Aws, proxy: Proxy, fault: str) -> None:
    from consolidation.aws.access import _own_client
    from consolidation.aws.invocation import consolidate_event
    from consolidation.aws.settings import LambdaOptions

    _own_client.cache_clear()
    job = Job.create(here, f"passing-lambda-{fault}")
    event = job.event(entries())
    good = consolidate_event(event, Context(), LambdaOptions())
    first = job.written()
    proxy.seen.clear()
    proxy.plan = lambda method, path, number: fault if number == 0 else None
    assert consolidate_event(event, Context(), LambdaOptions()) == good
    assert job.written() == first
    assert proxy.done[fault] > 5
    _own_client.cache_clear()


def test_a_lambda_that_cannot_write_one_mask_says_which(here: Aws, proxy: Proxy) -> None:
    from consolidation.aws.access import _own_client
    from consolidation.aws.invocation import consolidate_event
    from consolidation.aws.settings import LambdaOptions

    _own_client.cache_clear()
    job = Job.create(here, "lasting-lambda")
    event = job.event(entries())
    proxy.plan = lambda method, path, number: (
        "500" if method == "PUT" and "/output/2_" in path else None
    )
    assert ids(consolidate_event(event, Context(), LambdaOptions())) == ["0", "1"]
    [failure] = job.written("failures/").values()
    assert json.loads(failure)["object"] == "2"
    proxy.plan = lambda *_: None
    assert ids(consolidate_event(event, Context(), LambdaOptions())) == ["0", "1", "2"]
    _own_client.cache_clear()


# -- disks


def local_source(folder: Path, n: int = 6) -> Path:
    return wire.write_json(folder / "r.json", entries(n))


def tree(folder: Path) -> dict[str, bytes]:
    files = [one for one in folder.rglob("*") if one.is_file()]
    return results({one.relative_to(folder).as_posix(): one.read_bytes() for one in files})


def assert_nothing_is_half_written(half: Path, good: dict[str, bytes]) -> None:
    for name, data in tree(half).items():
        if name.startswith("masks/"):
            assert data == good[name]
    for record in half.glob(".consolidation/records/*.json"):
        json.loads(record.read_bytes())


@pytest.mark.parametrize("after", [0, 2, 7, 14])
@pytest.mark.parametrize("how", ["disk full", "rename fails", "interrupted"])
def test_a_run_on_a_disk_that_fails_is_taken_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str, after: int
) -> None:
    request = local_source(tmp_path)
    run_job(request, tmp_path / "good", OPTIONS)
    good = tree(tmp_path / "good")
    writes = iter(range(10**6))
    replace = Path.replace

    def failing(self: Path, target: Any) -> Path:
        if next(writes) < after:
            return replace(self, target)
        if how == "interrupted":
            raise KeyboardInterrupt
        raise OSError(28 if how == "disk full" else 5, "No space left on device")

    monkeypatch.setattr(Path, "replace", failing)
    kind = KeyboardInterrupt if how == "interrupted" else ConsolidationError
    with pytest.raises(kind) as caught:
        run_job(request, tmp_path / "out", OPTIONS)
    if how != "interrupted":
        assert "No space left on device" in str(caught.value)
    assert_nothing_is_half_written(tmp_path / "out", good)
    monkeypatch.setattr(Path, "replace", replace)
    summary = run_job(request, tmp_path / "out", OPTIONS)
    assert (summary.images, summary.failures) == (6, 0)
    assert tree(tmp_path / "out") == good
    assert not list((tmp_path / "out").rglob("*.part"))


_SMALL_DISK = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
from consolidation.cli import main
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no limits of a file's size")
def test_the_command_says_that_a_file_cannot_grow_and_goes_on_later(tmp_path: Path) -> None:
    request = local_source(tmp_path)
    command = ["run", str(request), "--out", str(tmp_path / "out"), "--quiet", "--jobs", "1"]
    small = [sys.executable, "-c", _SMALL_DISK, "600", *command]
    done = subprocess.run(small, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert line.startswith("consolidate: cannot write ") and line.endswith("File too large")
    assert main(command) == 0
    assert len(list((tmp_path / "out" / "masks").iterdir())) == 6


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes anywhere")
def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    request = local_source(tmp_path)
    (tmp_path / "out").mkdir(mode=0o500)
    with pytest.raises(ConsolidationError, match="Permission denied"):
        run_job(request, tmp_path / "out", OPTIONS)


def test_a_truncated_download_is_asked_for_again(here: Aws, proxy: Proxy) -> None:
    here.client("s3").create_bucket(Bucket="cut")
    here.client("s3").put_object(Bucket="cut", Key="k", Body=bytes(range(256)) * 100)
    proxy.plan = lambda method, path, number: "cut" if number < 2 else None
    assert storage.read_bytes("s3://cut/k") == bytes(range(256)) * 100
    proxy.plan = lambda *_: "cut"
    with pytest.raises(storage.StorageError, match="cannot read s3://cut/k") as caught:
        storage.read_bytes("s3://cut/k")
    assert not caught.value.absent
