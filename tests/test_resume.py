"""Runs that are stopped at any instant and go on; what makes them refuse to."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import consolidation
from consolidation import storage
from consolidation.cli import main
from consolidation.commands.run import run_job
from consolidation.errors import RunError
from consolidation.formats import SourceOptions
from consolidation.jobs import Progress, Summary
from consolidation.jobs.folder import request
from consolidation.jobs.folder.layout import RESULTS
from consolidation.jobs.folder.lock import only_run_in
from consolidation.options import Options
from consolidation.storage import StorageError
from tests import wire
from tests.wire import entry, json_lines, plain, undated, write_index_mask, write_json

N = 40
WORKERS = "abcd"
PLAIN = plain(jobs=1)


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A job of more than two chunks, a failure and a warning among them."""
    random_ = np.random.default_rng(7)
    entries = []
    for number in range(N):
        truth = random_.integers(0, 3, (40, 50))
        noise = [random_.random(truth.shape) < 0.1 * rank for rank in range(len(WORKERS))]
        masks = [np.where(one, 0, truth) for one in noise]
        answers = [(w, wire.content(mask)) for w, mask in zip(WORKERS, masks, strict=True)]
        entries.append(entry(str(number), *answers))
    entries[5] = entry("5", ("a", wire.picture_content(b"GIF")))
    entries[6]["annotations"].append(wire.annotation("e", "nothing"))
    return write_json(tmp_path_factory.mktemp("job") / "request.json", entries)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file, the state of the run included, without the time at which it began."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): undated(path.read_bytes()) for path in files}


def written(folder: Path) -> dict[str, tuple[int, int]]:
    """When each mask was written, and as which file."""
    stats = {path.name: path.stat() for path in folder.glob("masks/*")}
    return {name: (one.st_ino, one.st_mtime_ns) for name, one in stats.items()}


@pytest.fixture(scope="module", params=["plurality", "auto"])
def whole(request: Any, job: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a run that is never stopped leaves."""
    out = tmp_path_factory.mktemp("whole")
    run_job(job, out, Options(method=request.param, jobs=1))
    return contents(out) | {"method": request.param.encode()}


class StopError(Exception):
    """Raised in the middle of a run."""


def stop_after(count: int) -> Any:
    def on_progress(at: Progress) -> None:
        if at.done - at.resumed >= count:
            raise StopError

    return on_progress


def stopped(job: Path, out: Path, options: Options = PLAIN, after: int = 20) -> None:
    with pytest.raises(StopError):
        run_job(job, out, options, on_progress=stop_after(after))


# -- killed

PROGRAM = """
import signal, sys, time

# what a shell starts in the background ignores it
signal.signal(signal.SIGINT, signal.default_int_handler)

from consolidation.cli import main
from consolidation.jobs.work import parallel, objects as work
from consolidation.jobs import runner

def slowly(job, tasks, snapshots_from):
    outcomes = []
    for task in tasks:
        time.sleep(0.01)
        outcomes += work.consolidate_chunk(job, [task], snapshots_from)
    return outcomes

runner.consolidate_chunk = slowly
# no task is done here while the processes start: the others shall be in the middle of one
parallel.Workers._before_starting = lambda *_: iter(())
sys.exit(main(sys.argv[1:]))
"""


def start(job: Path, out: Path, *options: str) -> subprocess.Popen[str]:
    root = str(Path(consolidation.__file__).parents[1])
    return subprocess.Popen(
        [
            sys.executable,
            "-W",
            "error",
            "-c",
            PROGRAM,
            "run",
            str(job),
            "--out",
            str(out),
            *options,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": root},
        start_new_session=True,
    )


def records(out: Path) -> set[str]:
    return {path.stem for path in out.glob(".consolidation/records/*.json")}


def wait_for(process: subprocess.Popen[str], out: Path, count: int) -> bool:
    """Wait until so many objects are done; False if the run ended before."""
    while len(records(out)) < count:
        if process.poll() is not None:
            return False
        time.sleep(0.002)
    return True


@pytest.mark.parametrize("jobs", [1, 2])
def test_killed_at_any_instant_it_goes_on_to_the_same_bytes(
    job: Path, tmp_path: Path, whole: dict[str, bytes], jobs: int
) -> None:
    method = whole["method"].decode()
    options = ["--method", method, "--jobs", str(jobs), "--quiet"]
    instant = random.Random(f"{method} {jobs}")
    kept: dict[str, tuple[int, int]] = {}
    # several processes take a second to start
    for low, high in ((1, N // 3), (N // 3, N - 5))[::jobs]:
        process = start(job, tmp_path, *options)
        try:
            wait_for(process, tmp_path, instant.randint(low, high))
            time.sleep(instant.random() * 0.005)
        finally:
            process.kill()
            process.communicate()
        now = written(tmp_path)
        kept |= {f"{name}.png": now[f"{name}.png"] for name in records(tmp_path) - {"5"}}
    assert kept
    before = json.loads((tmp_path / ".consolidation/run.json").read_text())
    summary = run_job(job, tmp_path, Options(method=method, jobs=1))
    assert summary.now < N
    assert contents(tmp_path) == {key: one for key, one in whole.items() if key != "method"}
    assert written(tmp_path).items() >= kept.items(), "what was done was not done again"
    after = json.loads((tmp_path / ".consolidation/run.json").read_text())
    assert after["creation_date"] == before["creation_date"]
    [line, *_] = json_lines(tmp_path / "output.manifest")
    assert line["consolidated-ref-metadata"]["creation-date"] == before["creation_date"]


@pytest.mark.parametrize("who", ["everybody", "a worker"])
def test_two_processes_interrupted_or_killed_end_with_one_line(
    job: Path, tmp_path: Path, who: str
) -> None:
    process = start(job, tmp_path, "--method", "plurality", "--jobs", "2", "--progress", "off")
    assert wait_for(process, tmp_path, 1)
    if who == "everybody":
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    else:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        if not children.exists():
            process.kill()
            pytest.skip("this system does not say whose child a process is")
        # forked by a process of one thread: its children are the workers
        os.kill(next(all_children(process.pid)), signal.SIGKILL)
    out, error = process.communicate(timeout=60)
    status, says = {
        "everybody": (130, "consolidate: interrupted; the same command goes on from here\n"),
        "a worker": (2, "consolidate: a worker process was killed, perhaps for want of memory; "),
    }[who]
    assert (process.returncode, out) == (status, "")
    assert error.startswith(says)
    assert error.count("\n") == 1
    assert run_job(job, tmp_path, Options(method="plurality", jobs=1)).now < N


def all_children(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield int(child)
            yield from all_children(int(child))


# -- stopped


@pytest.mark.parametrize(
    ("whole", "after"),
    [
        *(("plurality", after) for after in (0, 1, 17)),
        *(("auto", after) for after in (0, 1, 17, N + 1, N + 20, 2 * N)),  # it has two passes
    ],
    indirect=["whole"],
)
def test_stopped_anywhere_in_both_passes(
    job: Path, tmp_path: Path, whole: dict[str, bytes], after: int
) -> None:
    options = Options(method=whole["method"].decode(), jobs=1)
    stopped(job, tmp_path, options, after)
    run_job(job, tmp_path, options)
    assert contents(tmp_path) == {key: one for key, one in whole.items() if key != "method"}


def test_progress_and_summary_tell_what_was_done_before(job: Path, tmp_path: Path) -> None:
    stopped(job, tmp_path, after=20)
    seen: list[tuple[int, int, int]] = []
    summary = run_job(
        job,
        tmp_path,
        PLAIN,
        on_progress=lambda at: seen.append((at.done, at.total, at.resumed)),
    )
    assert seen[0] == (21, N, 20)
    assert seen[-1] == (N, N, 20)
    assert (summary.now, summary.images, summary.failures, summary.warnings) == (20, N - 1, 1, 1)


def test_a_finished_run_has_nothing_to_do(job: Path, tmp_path: Path) -> None:
    first = run_job(job, tmp_path, PLAIN)
    before, files = written(tmp_path), contents(tmp_path)
    again = run_job(job, tmp_path, PLAIN)
    assert (again.now, again.images, again.confidence) == (0, first.images, first.confidence)
    assert (written(tmp_path), contents(tmp_path)) == (before, files)


def test_what_was_deleted_is_made_again(job: Path, tmp_path: Path) -> None:
    run_job(job, tmp_path, PLAIN)
    before, files = written(tmp_path), contents(tmp_path)
    (tmp_path / "masks" / "7.png").unlink()
    (tmp_path / "masks" / "8.png").write_bytes(b"")
    assert run_job(job, tmp_path, PLAIN).now == 2
    for name in RESULTS:
        (tmp_path / name).unlink()
        assert run_job(job, tmp_path, PLAIN).now == 0
    assert contents(tmp_path) == files
    after = written(tmp_path)
    assert {name for name in before if before[name] != after[name]} == {"7.png", "8.png"}


def test_a_record_that_is_half_or_nonsense_is_no_record(job: Path, tmp_path: Path) -> None:
    stopped(job, tmp_path, after=10)
    folder = tmp_path / ".consolidation" / "records"
    whole = (folder / "0.json").read_bytes()
    (folder / "1.json").write_bytes(whole[: len(whole) // 2])
    (folder / "2.json").write_bytes(b"")
    (folder / "3.json").write_bytes(b"[]")
    (folder / "4.json").write_bytes(b"\xff")
    (folder / "nobody.json").write_bytes(whole)
    assert run_job(job, tmp_path, PLAIN).now == N - 6
    assert not folder.exists() or not list(folder.iterdir())
    assert len(json_lines(tmp_path / "output.manifest")) == N


def test_what_killed_writers_left_is_deleted_at_the_next_start(job: Path, tmp_path: Path) -> None:
    stopped(job, tmp_path, after=3)
    folders = (".", "masks", ".consolidation", ".consolidation/records")
    left = [tmp_path / folder / ".00112233aabbccdd.part" for folder in folders]
    for path in left:
        path.write_bytes(b"half")
    theirs = tmp_path / "film.part"
    theirs.write_bytes(b"")
    run_job(job, tmp_path, PLAIN)
    assert not any(path.exists() for path in left)
    assert theirs.exists()


def test_a_run_killed_while_it_tidies_up_tidies_up_later(
    job: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "whole"
    run_job(job, out, PLAIN)

    def fail(*_: Any) -> None:
        raise StopError

    with monkeypatch.context() as patch, pytest.raises(StopError):
        patch.setattr("consolidation.jobs.folder.run_folder.RunFolder.tidy", fail)
        run_job(job, tmp_path / "out", PLAIN)
    assert run_job(job, tmp_path / "out", PLAIN).now == 0
    assert contents(tmp_path / "out") == contents(out)


# -- what must be the same


def refuses(says: str, *arguments: Any, **keywords: Any) -> None:
    with pytest.raises(RunError, match=says) as caught:
        run_job(*arguments, **keywords)
    assert "--restart" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_other_options_are_noticed(job: Path, tmp_path: Path) -> None:
    stopped(job, tmp_path)
    refuses(
        r"other options \(ties: lowest, now undecided\)", job, tmp_path, plain(ties="undecided")
    )
    two = plain(min_votes=2, label_attribute="x")
    refuses(r"label_attribute: consolidated-ref, now x; min_votes: 1, now 2", job, tmp_path, two)
    # what changes no result may change
    assert run_job(job, tmp_path, plain(jobs=1, threads=2, backend="threads")).now == 20


def test_other_classes_are_noticed_another_order_included(job: Path, tmp_path: Path) -> None:
    labels = write_json(tmp_path / "labels.json", ["cat", "dog"])
    out = tmp_path / "out"
    run_job(job, out, PLAIN, labels=labels)
    write_json(labels, ["dog", "cat"])
    refuses(r"other classes \(1: cat, now dog; 2: dog, now cat\)", job, out, PLAIN, labels=labels)
    write_json(labels, ["cat", "dog", "ape"])
    refuses(r"other classes \(3: None, now ape\)", job, out, PLAIN, labels=labels)
    write_json(labels, {"labels": [{"label": "cat"}, {"label": "dog"}]})
    assert run_job(job, out, PLAIN, labels=labels).now == 0, "another way to say the same"


def test_other_input_is_noticed(tmp_path: Path) -> None:
    path = write_json(tmp_path / "r.json", [entry("0", ("a", wire.content([1])))])
    manifest = tmp_path / "in.manifest"
    manifest.write_text('{"source-ref": "0.jpg"}\n')
    reading = SourceOptions(manifest=manifest)
    out = tmp_path / "out"
    run_job(path, out, PLAIN, source_options=reading)
    os.utime(manifest, ns=(1, 1))
    refuses("another manifest", path, out, PLAIN, source_options=reading)
    refuses("another manifest", path, out, PLAIN)
    os.utime(path, ns=(1, 1))
    refuses("another input and another manifest", path, out, PLAIN)
    write_json(tmp_path / "r.json", [entry("0", ("a", wire.content([1])), ("b", "{}"))])
    refuses("another input", path, out, PLAIN, source_options=reading)


def test_another_way_to_read_a_folder_is_noticed(tmp_path: Path) -> None:
    write_index_mask(tmp_path / "job" / "x" / "worker_1.png", [0, 1])
    write_index_mask(tmp_path / "job" / "y" / "worker_2.png", [0, 1])
    out = tmp_path / "out"
    run_job(tmp_path / "job", out, PLAIN)
    blank = SourceOptions(missing_is_blank=True)
    refuses("missing_is_blank", tmp_path / "job", out, PLAIN, source_options=blank)
    write_index_mask(tmp_path / "job" / "y" / "worker_3.png", [0, 1])
    refuses("another input", tmp_path / "job", out, PLAIN)
    moved = (tmp_path / "job").rename(tmp_path / "moved")
    (moved / "y" / "worker_3.png").unlink()
    refuses("another input", moved, out, PLAIN)  # lines name the pictures by where they lie


def test_a_run_begun_with_another_encoder_is_refused(
    job: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request, "ENCODER", "of an earlier release")
    stopped(job, tmp_path, after=3)
    monkeypatch.undo()
    refuses("holds a run with another mask encoder", job, tmp_path, PLAIN)
    assert run_job(job, tmp_path, PLAIN, restart=True).now == N


@pytest.mark.parametrize("content", ["", "{", "[]", '"text"', '{"format": 0}', '{"format": 1}'])
def test_a_state_of_another_kind_is_refused_until_restart(
    job: Path, tmp_path: Path, content: str
) -> None:
    stopped(job, tmp_path, after=3)
    (tmp_path / ".consolidation" / "run.json").write_text(content)
    refuses("run.json is not what this version writes", job, tmp_path, PLAIN)
    assert run_job(job, tmp_path, PLAIN, restart=True).now == N


def test_records_of_an_unknown_run_are_not_believed(job: Path, tmp_path: Path) -> None:
    run_job(job, tmp_path, plain(ties="undecided"))
    (tmp_path / ".consolidation" / "run.json").unlink()
    assert run_job(job, tmp_path, PLAIN, force=True).now == N


@pytest.mark.parametrize("finished", [True, False])
def test_restart_deletes_what_the_earlier_run_wrote_and_nothing_else(
    job: Path, tmp_path: Path, finished: bool
) -> None:
    out = tmp_path / "out"
    if finished:
        run_job(job, out, plain(confidence_maps=True))
    else:
        stopped(job, out, plain(confidence_maps=True))
    theirs = [out / "masks" / "theirs.png", out / "notes.txt", out / "deep" / "0.png"]
    for path in theirs:
        storage.write_bytes(path, b"theirs")
    evil: dict[str, Any] = {
        "id": "e",
        "line": "",
        "files": ["../keep.png", "masks/../../keep.png", "notes.txt"],
    }
    evil |= {"image": None, "workers": [], "warnings": [], "reason": "x"}
    write_json(out / ".consolidation" / "records" / "e.json", evil)
    keep = tmp_path / "keep.png"
    keep.write_bytes(b"")
    small = write_json(tmp_path / "r.json", [entry("new", ("a", wire.content([1])))])
    seen = []

    def look(_: Progress) -> None:
        seen.append({path.relative_to(out).as_posix() for path in out.rglob("*.*")})

    summary = run_job(small, out, PLAIN, restart=True, on_progress=look)
    assert summary.images == 1
    assert not seen[0] & set(RESULTS), "no table of the earlier run beside masks of this one"
    assert {path.name for path in (out / "masks").iterdir()} == {"new.png", "theirs.png"}
    assert not list(out.glob("confidence/*"))
    assert keep.exists()
    assert all(path.read_bytes() == b"theirs" for path in theirs)


def test_a_second_run_into_the_folder_is_refused_while_the_first_lives(
    job: Path, tmp_path: Path
) -> None:
    lock = tmp_path / ".consolidation" / "lock"
    with only_run_in(str(tmp_path), str(lock)):
        with pytest.raises(RunError, match=f"another run is writing into {tmp_path}"):
            run_job(job, tmp_path, PLAIN, restart=True)
        assert not list(tmp_path.glob("masks/*"))
    assert lock.exists()
    assert run_job(job, tmp_path, PLAIN, force=True).now == N


# -- failures


@pytest.mark.parametrize("method", ["plurality", "auto"])
def test_failed_objects_are_tried_again_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    away = tmp_path / "answer.json"
    write_json(away, wire.content([1, 2]))
    entries = [
        entry(str(n), ("a", wire.content([1, 1])), ("b", wire.content([1, 2]))) for n in "01"
    ]
    entries[1]["annotations"][0]["annotationData"] = {"s3Uri": str(away)}
    path = write_json(tmp_path / "r.json", entries)
    options = Options(method=method, smoothing=0.0, jobs=1)
    whole = tmp_path / "whole"
    assert run_job(path, whole, options).failures == 0
    read = storage.read_bytes

    def flaky(uri: Any, *most: int) -> bytes:
        if str(uri) == str(away):
            raise StorageError(f"cannot read {uri}: timed out")
        return read(uri, *most)

    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(storage, "read_bytes", flaky)
        # the answer is there: it must not be left out in silence
        assert run_job(path, out, options).failures == 1
    [failure] = json_lines(out / "failures.jsonl")
    assert failure == {"object": "1", "reason": f"worker a: cannot read {away}: timed out"}
    again = run_job(path, out, options)
    assert (again.now, again.failures) == (0, 1)
    retried = run_job(path, out, options, retry_failed=True)
    assert (retried.failures, retried.images) == (0, 2)
    assert contents(out).keys() == contents(whole).keys()
    for name, data in contents(whole).items():
        if name != ".consolidation/run.json":
            assert contents(out)[name] == data, name


def test_objects_are_done_again_when_what_was_learnt_has_changed(job: Path, tmp_path: Path) -> None:
    options = Options(method="auto", jobs=1)
    whole = tmp_path / "whole"
    run_job(job, whole, options)
    out = tmp_path / "out"
    stopped(job, out, options, N + 10)
    path = out / ".consolidation" / "run.json"
    content = json.loads(path.read_text())
    content["learnt"] = "something else"
    path.write_text(json.dumps(content))
    assert run_job(job, out, options).now == N
    assert contents(out) == contents(whole)


def test_a_full_disk_ends_the_run_in_one_line_and_it_goes_on(
    job: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write, count = storage.write_bytes, 0

    def full(uri: Any, data: bytes) -> None:
        nonlocal count
        count += 1
        if count > 30:
            raise StorageError(f"cannot write {uri}: No space left on device")
        write(uri, data)

    command = ["run", str(job), "--out", str(tmp_path), "--method", "plurality", "--quiet"]
    with monkeypatch.context() as patch:
        patch.setattr(storage, "write_bytes", full)
        assert main(command) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("consolidate: cannot write ")
    assert said.err.endswith("No space left on device\n")
    assert said.err.count("\n") == 1
    assert 0 < len(records(tmp_path)) < N
    assert main(command) == 1, "one object fails by itself"
    assert len(json_lines(tmp_path / "output.manifest")) == N


def test_records_that_another_run_took_away_are_missed(
    job: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take(_: Any, __: Any) -> Summary:
        raise AssertionError

    stopped(job, tmp_path, after=N)
    monkeypatch.setattr("consolidation.jobs.folder.run_folder.RunFolder.finish", take)
    monkeypatch.setattr(
        "consolidation.jobs.folder.record_store.RecordStore.read", lambda *_: iter(())
    )
    with pytest.raises(RunError, match=f"the records of {N} objects are gone: another run"):
        run_job(job, tmp_path, PLAIN)
    assert not (tmp_path / "output.manifest").exists()
