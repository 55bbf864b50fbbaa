"""The chunks of a job shared among those who do the work."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from consolidation.errors import ConsolidationError, OptionError, RunError
from consolidation.jobs.work.executors import (
    Processes,
    cores,
    dask_client,
    dask_executor,
    start_method,
)
from consolidation.options import Options

CHUNK = 16
"""Objects a task: handing over one by one costs more than some of them take."""

WORTH_STARTING = {"fork": 0.2, "forkserver": 2.0, "spawn": 2.0}
"""Seconds of work left for which it is worth to start processes, by how they are started."""

Result = TypeVar("Result")


class Workers:
    """Those who do the work, ready for several passes over a job.

    Parameters
    ----------
    options : Options
        `jobs`, `backend` and `scheduler`.
    n_objects : int
        Objects of the job: one chunk needs no second process.

    Notes
    -----
    The first object is done here: kernels are loaded with it (or compiled, for the other processes
    to load), and it tells whether the rest is worth starting processes for. Processes that have to
    import everything take seconds to start; meanwhile more is done here.
    """

    def __init__(self, options: Options, n_objects: int) -> None:
        n_chunks = -(-n_objects // CHUNK)
        self.backend = options.backend
        self._cores = options.jobs or (cores() if n_chunks > 1 else 1)
        self.n_jobs = max(1, min(self._cores, n_chunks))
        self._client: Any = None
        if options.backend == "dask":
            self._client = dask_client(options.scheduler)
        elif options.scheduler:
            raise OptionError("--scheduler is for --backend dask")
        self._alone = self.n_jobs == 1 and self._client is None
        self._processes: Processes | None = None

    def chunks(self, items: Sequence[Any]) -> list[Sequence[Any]]:
        """Items in runs to be handed over at once."""
        if self._alone:
            return chunks(items, 1)
        return [*chunks(items[:1]), *chunks(items[1:])]

    def threads(self, options: Options) -> int:
        """Threads that each may decode with, so that all together use the cores."""
        if options.threads or self._client is not None:
            return options.threads or 1
        if self.n_jobs == 1 and not options.jobs:
            return 0  # by cores, see `prepare_object`
        return max(1, self._cores // self.n_jobs)

    def map(
        self, work: Callable[..., Result], tasks: Iterable[tuple[Any, ...]], n_tasks: int
    ) -> Iterator[Result]:
        """Results of ``work(*task)``, as they come; tasks are taken when they are handed out."""
        waiting = iter(tasks)
        if self._alone:
            yield from itertools.starmap(work, waiting)
        elif self._client is not None:
            yield from self._on_cluster(work, waiting)
        elif self.backend == "threads":
            with ThreadPoolExecutor(self.n_jobs) as pool:
                yield from _shared(pool.submit, work, waiting, 2 * self.n_jobs)
        else:
            for _ in self._before_starting(n_tasks):
                yield work(*next(waiting))
            yield from self._in_processes(work, waiting)

    def _before_starting(self, n_tasks: int) -> Iterator[None]:
        """As often as a task shall be done here before processes are started for the rest."""
        for left in range(n_tasks - 1, -1, -1):
            if self._processes is not None:
                return
            began = time.perf_counter()
            yield
            if (time.perf_counter() - began) * left >= WORTH_STARTING[start_method()]:
                return

    def _in_processes(
        self, work: Callable[..., Result], tasks: Iterator[tuple[Any, ...]]
    ) -> Iterator[Result]:
        first = next(tasks, None)
        if first is None:
            return
        here = self._processes is None
        if self._processes is None:
            self._processes = Processes(self.n_jobs)
        tasks = itertools.chain([first], tasks)
        try:
            yield from _shared(self._processes.submit, work, tasks, 2 * self.n_jobs, here)
        except BrokenProcessPool:
            raise RunError(
                "a worker process was killed, perhaps for want of memory; the same command goes "
                "on from here, with fewer --jobs if need be"
            ) from None
        except BaseException:
            # an interrupt, or a fault that ends the run: nobody shall finish a whole chunk first
            self._processes.end()
            raise

    def _on_cluster(
        self, work: Callable[..., Result], tasks: Iterator[tuple[Any, ...]]
    ) -> Iterator[Result]:
        try:
            executor, at_once = dask_executor(self._client)
            with executor:
                yield from _shared(executor.submit, work, tasks, 2 * at_once)
        except ConsolidationError:
            raise
        except Exception as error:
            # whatever an object does is caught where it is done: it is the cluster
            text = " ".join(f"{type(error).__name__}: {error}".split())
            raise RunError(
                f"the Dask cluster failed ({text}); the same command goes on from here"
            ) from error

    def close(self) -> None:
        """Let go of processes and cluster."""
        if self._processes is not None:
            self._processes.close()
        if self._client is not None:
            self._client.close()


def _shared(
    submit: Callable[..., Future[Result]],
    work: Callable[..., Result],
    tasks: Iterator[tuple[Any, ...]],
    at_once: int,
    here: bool = False,
) -> Iterator[Result]:
    """Results as they come, of tasks of which so many are handed over at once.

    Where more shall be done `here`, it is until the first result comes back.
    """
    pending: set[Future[Result]] = set()
    try:
        while True:
            for task in itertools.islice(tasks, at_once - len(pending)):
                pending.add(submit(work, *task))
            if not pending:
                return
            done, pending = wait(pending, 0 if here else None, FIRST_COMPLETED)
            if here and not done:
                task_here = next(tasks, None)
                here = task_here is not None
                if task_here is not None:
                    yield work(*task_here)
                continue
            here = False
            for future in done:
                yield future.result()
    finally:
        for future in pending:
            future.cancel()


def chunks(items: Sequence[Any], size: int = CHUNK) -> list[Sequence[Any]]:
    """Items in runs of this size."""
    return [items[start : start + size] for start in range(0, len(items), size)]
