"""Storage: local folders and S3 behind one interface."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from consolidation import storage
from consolidation.storage import StorageError, s3
from tests.s3_server import Aws

# -- files


def test_files_appear_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "new" / "folder" / "file"
    storage.write_bytes(path, b"one")
    storage.write_bytes(str(path), b"two")
    assert storage.read_bytes(path) == b"two"

    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(StorageError, match=r"cannot write .*file: No space left on device"):
        storage.write_bytes(path, b"three")
    assert storage.read_bytes(path) == b"two"
    assert [one.name for one in path.parent.iterdir()] == ["file"], "no half files stay behind"


@pytest.mark.parametrize("path", ["", "a\0b", "/", "x" * 300])
def test_paths_that_cannot_be_are_storage_errors(path: str) -> None:
    with pytest.raises(StorageError, match="cannot read"):
        storage.read_bytes(path)
    with pytest.raises(StorageError, match="cannot write"):
        storage.write_bytes(path, b"")


def test_what_a_killed_writer_left_is_no_entry_and_can_be_deleted(tmp_path: Path) -> None:
    left = tmp_path / ".0123456789abcdef.part"
    storage.write_bytes(left, b"half")
    for name in ("a.part", ".part", ".0123.part"):
        storage.write_bytes(tmp_path / name, b"somebody's")
    names = [".0123.part", ".part", "a.part"]
    assert [one.name for one in storage.entries(tmp_path)] == names
    storage.delete_parts(tmp_path)
    assert not left.exists()
    assert [one.name for one in storage.entries(tmp_path)] == names
    storage.delete_parts(tmp_path / "nowhere")


def test_entries_change_with_their_content(tmp_path: Path) -> None:
    storage.write_bytes(tmp_path / "b" / "c", b"12")
    storage.write_bytes(tmp_path / "b.txt", b"1")
    before = storage.entries(tmp_path)
    assert [(one.name, one.size) for one in before] == [("b.txt", 1), ("b/c", 2)]
    os.utime(tmp_path / "b.txt", ns=(1, 1))
    assert storage.entries(tmp_path)[0] != before[0]
    assert storage.entries(tmp_path / "nowhere") == []
    with pytest.raises(StorageError, match="cannot list"):
        storage.entries(tmp_path / "b.txt")


def test_links_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    storage.write_bytes(tmp_path / "elsewhere" / "deep" / "mask.png", b"1")
    job = tmp_path / "job"
    (job / "x").mkdir(parents=True)
    (job / "x" / "file").symlink_to(tmp_path / "elsewhere" / "deep" / "mask.png")
    (job / "x" / "folder").symlink_to(tmp_path / "elsewhere")
    (job / "x" / "circle").symlink_to(job / "x")
    (job / "x" / "itself").symlink_to(job / "x" / "itself")
    (job / "x" / "nowhere").symlink_to(tmp_path / "nothing")
    assert [one.name for one in storage.entries(job)] == [
        "x/file",
        "x/folder/deep/mask.png",
        "x/itself",
        "x/nowhere",
    ]
    with pytest.raises(StorageError, match="cannot read"):
        storage.read_bytes(job / "x" / "nowhere")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_cannot_be_read_is_not_taken_for_empty(tmp_path: Path) -> None:
    storage.write_bytes(tmp_path / "closed" / "file", b"")
    (tmp_path / "closed").chmod(0)
    try:
        with pytest.raises(StorageError, match="cannot list"):
            storage.entries(tmp_path)
    finally:
        (tmp_path / "closed").chmod(0o700)


def test_ranges_end_where_the_file_does(tmp_path: Path) -> None:
    storage.write_bytes(tmp_path / "f", b"0123456789")
    ranges = [(0, 4), (8, 20), (10, 20), (5, 5)]
    assert [storage.read_range(tmp_path / "f", *one) for one in ranges] == [
        b"0123",
        b"89",
        b"",
        b"",
    ]


def test_errors_that_stay_are_told_from_those_that_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in ("nothing", ".", "x" * 300, "a\0b", "file/below", "s3://bucket"):
        (tmp_path / "file").touch()
        uri = path if path.startswith("s3") else tmp_path / path
        with pytest.raises(StorageError) as caught:
            storage.read_bytes(uri)
        assert caught.value.absent, path

    def fail(*_: Any) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "open", fail)
    with pytest.raises(StorageError, match="Input/output error") as caught:
        storage.read_bytes(tmp_path / "file")
    assert not caught.value.absent


# -- S3


@pytest.mark.parametrize("uri", ["s3://", "s3://bucket", "s3://bucket/", "s3:///key"])
def test_an_s3_uri_has_a_bucket_and_a_key(uri: str) -> None:
    with pytest.raises(StorageError, match="names no S3 object"):
        storage.read_bytes(uri)


def test_s3_without_boto3_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("boto3", "botocore", "botocore.exceptions"):
        monkeypatch.setitem(sys.modules, name, None)
    s3._default_client.cache_clear()
    for call in (
        lambda: storage.read_bytes("s3://b/k"),
        lambda: storage.write_bytes("s3://b/k", b""),
    ):
        with pytest.raises(StorageError, match=r"needs boto3: pip install 'consolidation\[aws\]'"):
            call()


def test_unusable_s3_settings_are_storage_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("boto3")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "no url at all")
    s3._default_client.cache_clear()
    with pytest.raises(StorageError, match="cannot use s3://"):
        storage.read_bytes("s3://bucket/key")


def test_join_keeps_both_worlds_apart() -> None:
    assert storage.join("s3://b/job/", "masks", "1.png") == "s3://b/job/masks/1.png"
    assert storage.join(Path("job"), "masks", "1.png") == str(Path("job/masks/1.png"))
    assert storage.local("file:///tmp/a%20b") == Path("/tmp/a b")
    assert not storage.is_s3(Path("s3://b/k"))


@pytest.fixture
def bucket(here: Aws, request: pytest.FixtureRequest) -> str:
    """Return a bucket's URI; the default client finds the server."""
    s3._default_client.cache_clear()
    name = f"storage-{abs(hash(request.node.name))}"
    here.client("s3").create_bucket(Bucket=name)
    return f"s3://{name}"


def test_s3_reads_writes_lists_and_deletes_as_a_folder_does(bucket: str, tmp_path: Path) -> None:
    for base in (bucket, f"{bucket}/pre/fix", str(tmp_path / "local")):
        for name in ("a/b.txt", "a.txt", "ü ?#%.txt"):
            storage.write_bytes(storage.join(base, *name.split("/")), b"0123456789")
        with storage.writer(storage.join(base, "written")) as file:
            file.write(b"piece by ")
            file.write(b"piece")
        with pytest.raises(KeyError), storage.writer(storage.join(base, "not")) as file:
            file.write(b"half")
            raise KeyError
        found = [one for one in storage.entries(base) if not one.name.startswith("pre/")]
        names = [("a.txt", 10), ("a/b.txt", 10), ("written", 14), ("ü ?#%.txt", 10)]
        assert [(one.name, one.size) for one in found] == names
        assert storage.read_bytes(storage.join(base, "written")) == b"piece by piece"
        uri = storage.join(base, "ü ?#%.txt")
        ranges = [(0, 4), (8, 20), (10, 20), (5, 5)]
        assert [storage.read_range(uri, *one) for one in ranges] == [b"0123", b"89", b"", b""]
        assert (storage.exists(uri), storage.exists(storage.join(base, "a"))) == (True, False)
        before = storage.about(uri)
        storage.write_bytes(uri, b"9876543210")
        assert before is not None
        assert storage.about(uri) != before
        storage.delete([uri, storage.join(base, "nothing")])
        assert storage.about(uri) is None
        storage.delete_parts(base)


def test_s3_tells_what_is_absent_from_what_fails(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for uri in (f"{bucket}/nothing", "s3://no-such-bucket-here/key", "s3://Not a bucket/key"):
        with pytest.raises(StorageError, match="cannot read") as caught:
            storage.read_bytes(uri)
        assert caught.value.absent
    with pytest.raises(StorageError, match="cannot list"):
        storage.entries("s3://no-such-bucket-here")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    s3._default_client.cache_clear()
    monkeypatch.setattr("time.sleep", lambda _: None)
    with pytest.raises(StorageError, match="cannot read") as caught:
        storage.read_bytes(f"{bucket}/nothing")
    assert not caught.value.absent
    s3._default_client.cache_clear()


def test_s3_deletes_more_than_one_call_takes(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consolidation.storage.listing.MOST_AT_ONCE", 2)
    for number in range(5):
        storage.write_bytes(f"{bucket}/{number}", b"")
    storage.delete(f"{bucket}/{number}" for number in range(4))
    assert [one.name for one in storage.entries(bucket)] == ["4"]
