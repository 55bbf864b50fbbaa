"""The same bytes whoever does the work: one process, several, threads, a Dask cluster."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from consolidation.commands.run import run_job
from consolidation.errors import ConsolidationError, OptionError
from consolidation.jobs.work import executors, parallel
from consolidation.jobs.work.parallel import CHUNK, Workers
from consolidation.options import Options
from consolidation.storage import StorageError
from tests import wire
from tests.wire import entry, write_json

N = 3 * CHUNK + 1


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Path:
    random = np.random.default_rng(3)
    entries = []
    for number in range(N):
        truth = random.integers(0, 3, (20, 30))
        masks = [np.where(random.random(truth.shape) < noise, 0, truth) for noise in (0, 0.2, 0.4)]
        answers = [(worker, wire.content(one)) for worker, one in zip("abc", masks, strict=True)]
        entries.append(entry(str(number), *answers))
    entries[20] = entry("20", ("a", wire.picture_content(b"GIF")))
    return write_json(tmp_path_factory.mktemp("job") / "request.json", entries)


@pytest.fixture(autouse=True)
def _not_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing be done in this process while the others start."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1600000000")
    monkeypatch.setattr(Workers, "_before_starting", lambda *_: iter(()))


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def alone(job: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("alone")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", "1600000000")
        run_job(job, out, Options(jobs=1, confidence_maps=True))
    return contents(out)


@pytest.mark.parametrize(
    "options",
    [
        {"jobs": 2},
        {"jobs": 3, "threads": 2},
        {"jobs": 2, "backend": "threads"},
        {"jobs": 3, "backend": "threads"},
    ],
    ids=lambda one: "-".join(map(str, one.values())),
)
def test_the_same_bytes_from_processes_and_threads(
    job: Path, tmp_path: Path, alone: dict[str, bytes], options: dict[str, Any]
) -> None:
    seen = []
    run_job(
        job,
        tmp_path,
        Options(confidence_maps=True, **options),
        on_progress=lambda at: seen.append(at.done),
    )
    assert contents(tmp_path) == alone
    assert seen[-1] == 2 * N
    assert seen == sorted(seen)


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    distributed = pytest.importorskip("distributed", reason="needs dask[distributed]")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=True, dashboard_address=None
    ) as cluster:
        yield cluster.scheduler_address


def test_the_same_bytes_from_a_dask_cluster(
    job: Path, tmp_path: Path, alone: dict[str, bytes], scheduler: str
) -> None:
    options = Options(confidence_maps=True, backend="dask", scheduler=scheduler)
    run_job(job, tmp_path, options)
    assert contents(tmp_path) == alone


def fail(number: int) -> None:
    raise {0: ValueError("a\nb"), 1: StorageError("cannot write x")}[number]


@pytest.mark.parametrize(
    ("number", "says"), [(0, "the Dask cluster failed"), (1, "cannot write x")]
)
def test_what_a_cluster_raises_is_an_error_of_ours(scheduler: str, number: int, says: str) -> None:
    workers = Workers(Options(backend="dask", scheduler=scheduler), 100)
    try:
        with pytest.raises(ConsolidationError, match=says):
            list(workers.map(fail, iter([(number,)]), 1))
    finally:
        workers.close()


def test_a_cluster_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="needs dask[distributed]")
    monkeypatch.setattr(executors, "SECONDS_TO_CONNECT", 0.2)
    for address in ("tcp://127.0.0.1:9", "nonsense://x", "no-such-host.invalid:1"):
        with pytest.raises(OptionError, match="--scheduler") as caught:
            Workers(Options(backend="dask", scheduler=address), 100)
        assert "\n" not in str(caught.value)


def test_a_scheduler_and_dask_go_together() -> None:
    with pytest.raises(OptionError, match="--backend dask needs --scheduler"):
        Workers(Options(backend="dask"), 100)
    with pytest.raises(OptionError, match="--scheduler is for --backend dask"):
        Workers(Options(scheduler="tcp://x:1"), 100)


# -- who does what


def test_a_small_job_is_done_alone() -> None:
    assert Workers(Options(jobs=8), CHUNK).n_jobs == 1
    assert Workers(Options(jobs=8), CHUNK + 1).n_jobs == 2
    assert Workers(Options(jobs=8), 1000).n_jobs == 8
    assert Workers(Options(jobs=1), 1000).threads(Options(jobs=1)) == 1
    assert Workers(Options(jobs=8), 20).threads(Options(jobs=8)) == 4
    assert Workers(Options(jobs=8), 20).threads(Options(jobs=8, threads=2)) == 2


def pid(_: int) -> int:
    return os.getpid()


@pytest.mark.parametrize(("worth", "here"), [(0.0, 1), (1e9, 8)])
def test_processes_are_started_where_they_are_worth_it(
    monkeypatch: pytest.MonkeyPatch, worth: float, here: int
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(parallel, "WORTH_STARTING", dict.fromkeys(("fork", "forkserver"), worth))
    # nothing more is done here while they start: what would be is another test's
    monkeypatch.setattr(parallel, "_shared", partial(_without_here, parallel._shared))
    workers = Workers(Options(jobs=2), 1000)
    try:
        for _ in range(2):  # the second pass finds them started
            pids = list(workers.map(pid, iter([(n,) for n in range(8)]), 8))
            assert len(pids) == 8
            assert pids.count(os.getpid()) == here
            here = 8 if worth else 0
    finally:
        workers.close()


def _without_here(shared: Any, *arguments: Any) -> Any:
    return shared(*arguments[:4])


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_however_processes_are_started_they_work_and_end(
    monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr(executors, "start_method", lambda: method)
    workers = Workers(Options(jobs=2), 1000)
    pids = set(workers.map(pid, iter([(n,) for n in range(40)]), 40))
    assert pids - {os.getpid()}
    workers.close()
    assert not any(child.pid in pids for child in multiprocessing.active_children())


def test_until_the_first_result_comes_back_tasks_are_done_here() -> None:
    pool: list[Future[int]] = []

    def submit(_work: Any, number: int) -> Future[int]:
        future: Future[int] = Future()
        pool.append(future)
        return future

    done_here = []

    def work(number: int) -> int:
        done_here.append(number)
        if number == 5:  # by now the processes have started
            for place, future in enumerate(pool):
                future.set_result(place)
        return number

    tasks = iter([(n,) for n in range(6)])
    assert sorted(parallel._shared(submit, work, tasks, 4, here=True)) == [0, 1, 2, 3, 4, 5]
    assert done_here == [4, 5]


def test_cores_are_those_of_a_container(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executors.os, "sched_getaffinity", lambda _: set(range(16)))
    monkeypatch.setattr(executors.Path, "read_text", lambda _: "250000 100000")
    assert executors.cores() == 3
    monkeypatch.setattr(executors.Path, "read_text", lambda _: "max 100000")
    assert executors.cores() == 16
