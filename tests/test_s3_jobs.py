"""Whole jobs from S3 to S3: the same commands, the same results as in local folders."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from consolidation.cli import main
from consolidation.commands.inspect import inspect_source
from consolidation.commands.run import run_job
from consolidation.formats import SourceOptions
from consolidation.jobs import Progress
from consolidation.jobs.folder.record_store import RecordStore
from consolidation.jobs.folder.run_folder import RunFolder
from consolidation.options import Options
from consolidation.simulation import simulate_job
from consolidation.storage import s3
from tests import finished_job as finished
from tests import wire
from tests.s3_server import Aws
from tests.wire import plain, undated, write_index_mask, write_json

ALONE = plain(jobs=1)
JOB = {
    str(number): ({"a": [1, 1, 0], "b": [1, 2, number % 3], "c": [1, 2, 0]}, [1, 1, 0])
    for number in (0, 1, 3, 4, 5)
}


@pytest.fixture
def cloud(here: Aws, tmp_path: Path) -> Any:
    """Copy a local folder to a bucket; the default client finds the server."""
    s3._default_client.cache_clear()
    client = here.client("s3")
    name = re.sub(r"[^a-z0-9]+", "-", tmp_path.name.lower())[-40:].strip("-")
    client.create_bucket(Bucket=name)

    def upload(folder: Path) -> str:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                key = f"{folder.name}/{path.relative_to(folder).as_posix()}"
                client.put_object(Bucket=name, Key=key, Body=path.read_bytes())
        return f"s3://{name}/{folder.name}"

    upload.bucket = name

    def keys(prefix: str, dates: bool = False) -> dict[str, bytes]:
        found = here.keys(name, prefix)
        return found if dates else {key: undated(data) for key, data in found.items()}

    upload.keys = keys
    return upload


def local_results(out: Path, **replaced: str) -> dict[str, bytes]:
    files = (path for path in sorted(out.rglob("*")) if path.is_file() and path.name != "lock")
    found = {path.relative_to(out).as_posix(): undated(path.read_bytes()) for path in files}
    for old, new in replaced.items():
        found = {key: data.replace(old.encode(), new.encode()) for key, data in found.items()}
    return found


@pytest.mark.parametrize("method", ["plurality", "auto"])
def test_a_finished_job_on_s3_gives_what_its_copy_gives(
    cloud: Any, tmp_path: Path, method: str
) -> None:
    job = finished.write_job(tmp_path / "my-job", JOB)
    out = f"s3://{cloud.bucket}/out/deep"
    prefix = f"{out}/masks/"
    options = Options(method=method, jobs=1, confidence_maps=True)
    # on S3, masks are named by their URIs
    run_job(job, tmp_path / "local", Options(**{**vars(options), "mask_uri_prefix": out}))
    summary = run_job(cloud(job), out, options)
    assert (summary.images, summary.failures, summary.warnings) == (5, 0, 0)
    ours, theirs = cloud.keys("out/deep/"), local_results(tmp_path / "local")
    # what differs: the prefix among the options, and the input's stamps
    for name in ("provenance.json", ".consolidation/run.json"):
        assert ours.pop(name)
        assert theirs.pop(name)
    assert ours == theirs
    assert b"builtin_iou" in ours["images.csv"]
    assert prefix.encode() in ours["output.manifest"]
    again = run_job(f"s3://{cloud.bucket}/my-job/", out, options)
    assert (again.now, again.images) == (0, 5)


def test_stopped_on_s3_it_goes_on(cloud: Any, tmp_path: Path) -> None:
    source = cloud(finished.write_job(tmp_path / "my-job", JOB))
    out, whole = (f"s3://{cloud.bucket}/{name}" for name in ("out", "whole"))

    class StopError(Exception):
        pass

    def stop(at: Progress) -> None:
        if at.done == 2:
            raise StopError

    with pytest.raises(StopError):
        run_job(source, out, ALONE, on_progress=stop)
    assert len(cloud.keys("out/.consolidation/records/")) == 2
    assert run_job(source, out, ALONE).now == 3
    run_job(source, whole, ALONE)
    parts = [cloud.keys(f"{name}/") for name in ("out", "whole")]
    for one in parts:
        one["output.manifest"] = re.sub(
            rb"s3://[^/]+/(out|whole)/masks", b"", one["output.manifest"]
        )
        records = one.pop(".consolidation/records.jsonl")
        assert records.count(b"\n") == 5
    assert parts[0] == parts[1]
    # another object in the source, and it is another job
    finished.write_responses(tmp_path / "my-job", "2", {"a": [1, 1, 1]})
    cloud(tmp_path / "my-job")
    command = ["run", source, "--out", out, "--method", "plurality", "--smoothing", "0"]
    assert main([*command, "--ties", "lowest", "--quiet"]) == 2
    assert main([*command, "--ties", "lowest", "--quiet", "--restart"]) == 0
    assert "masks/2.png" in cloud.keys("out/")


def test_of_two_runs_that_begin_at_once_one_date_counts(
    cloud: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = cloud(finished.write_job(tmp_path / "my-job", JOB))
    out = f"s3://{cloud.bucket}/out"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1600000000")
    run_job(source, out, ALONE)
    before = cloud.keys("out/", dates=True)
    # the second looked before the first had begun, and forgets nothing that the first wrote
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    with monkeypatch.context() as patch:
        looks = iter([False, True])
        go_on = RunFolder._go_on
        patch.setattr(RunFolder, "_go_on", lambda *all_: next(looks) and go_on(*all_))
        patch.setattr(RecordStore, "forget", lambda _: None)
        run_job(source, out, ALONE)
    assert cloud.keys("out/", dates=True) == before


def test_requests_and_masks_on_s3(cloud: Any, tmp_path: Path) -> None:
    requests = tmp_path / "requests"
    answer = write_json(requests / "answers" / "1.txt", wire.content([1, 2]))
    entries = [wire.entry("0", ("a", wire.content([1, 1])), ("b", "{}"))]
    uri = f"s3://{cloud.bucket}/requests/answers/{answer.name}"
    entries[0]["annotations"][1]["annotationData"] = {"s3Uri": uri}
    write_json(requests / "r.json", entries)
    write_json(requests / "label-categories.json", ["dog", "cat"])
    for worker in "ab":
        write_index_mask(tmp_path / "masks" / "im 1" / f"worker_{worker}.png", [0, 2])
    (tmp_path / "masks" / "im 1" / "image.jpg").write_bytes(b"")
    lines = [{"source-ref": name} for name in ("0.jpg", "im 1.png")]
    manifest = finished.write_manifest(tmp_path / "m" / "in.manifest", lines)
    at_s3 = f"{cloud(manifest.parent)}/{manifest.name}"
    for kind in ("requests", "masks"):
        source = cloud(tmp_path / kind)
        assert inspect_source(source).problems == []
        for reading in (SourceOptions(), SourceOptions(manifest=at_s3)):
            out = f"s3://{cloud.bucket}/out-{kind}"
            summary = run_job(source, out, ALONE, source_options=reading, restart=True)
            assert (summary.images, summary.failures, summary.warnings) == (1, 0, 0)
    single = f"s3://{cloud.bucket}/requests/r.json"
    labels = f"s3://{cloud.bucket}/requests/label-categories.json"
    assert inspect_source(single, labels=labels).classes == ("BACKGROUND", "dog", "cat")


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("nothing", "does not exist: no object of that name or below it"),
        ("empty.json", "is empty"),
        ("text.txt", "is none of: finished Ground Truth job, export of Label Studio"),
    ],
)
def test_a_mistake_about_s3_is_one_line(
    cloud: Any, here: Aws, capsys: pytest.CaptureFixture[str], source: str, says: str
) -> None:
    client = here.client("s3")
    client.put_object(Bucket=cloud.bucket, Key="empty.json", Body=b"[]")
    client.put_object(Bucket=cloud.bucket, Key="text.txt", Body=b"hello")
    assert main(["run", f"s3://{cloud.bucket}/{source}", "--out", "out"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert says in said


def test_evaluate_and_calibrate_on_s3(
    cloud: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = simulate_job(tmp_path / "job", images=3, workers=3, classes=3, size=(32, 48)).folder
    # classes are taken from the answers then, in another order than the truth's
    (job / "label-categories.json").unlink()
    truth = tmp_path / "gold"
    truth.mkdir()
    (job / "truth").rename(truth / "truth")
    (job / "classes.json").rename(truth / "classes.json")
    run = tmp_path / "run"
    run_job(job, run, plain(confidence_maps=True, report=True))
    at_s3 = {path: cloud(path) for path in (job, truth, run)}
    said = []
    for place in ({path: str(path) for path in at_s3}, at_s3):
        assert main(["evaluate", place[run], place[truth], "--json"]) == 0
        said.append(capsys.readouterr().out)
        calibration = f"{place[run]}/c.json"
        assert main(["calibrate", place[job], place[truth], "--out", calibration, "--quiet"]) == 0
    assert said[0] == said[1]
    assert '"name": "road"' in said[0]
    for name in ("c.json", "reliability.png", "report.html"):
        assert cloud.keys("run/")[name] == undated((run / name).read_bytes())
    assert main(["evaluate", f"{at_s3[run]}/masks", f"{at_s3[truth]}/truth/"]) == 0
    assert f"diagram in {at_s3[run]}/reliability.png" in capsys.readouterr().out
    assert main(["evaluate", f"{at_s3[run]}/none", at_s3[truth]]) == 2
    assert "run/none holds no masks" in capsys.readouterr().err
