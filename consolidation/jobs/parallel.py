"""Work on the chunks of a job by one process, several, or a cluster: whatever joblib can run."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from consolidation.errors import OptionError, RunError
from consolidation.options import Options

CHUNK = 16
"""Objects a task: handing over one by one costs more than some of them take."""

Result = TypeVar("Result")


def cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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
    Processes take a second to start. Meanwhile the first chunks are worked on here; what numba
    compiles for them, the others load.
    """

    def __init__(self, options: Options, n_objects: int) -> None:
        chunks = -(-n_objects // CHUNK)
        self.backend = options.backend
        self.n_jobs = max(1, min(options.jobs or cores(), chunks))
        self._client: Any = None
        if options.backend == "dask":
            self._client = _dask_client(options.scheduler)
        elif options.scheduler:
            raise OptionError("--scheduler is for --backend dask")
        self._alone = self.n_jobs == 1 and self._client is None

    def threads(self, options: Options) -> int:
        """Threads that each may decode with, so that all together use the cores."""
        if options.threads or self._client is not None:
            return options.threads or 1
        return max(1, (options.jobs or cores()) // self.n_jobs)

    def map(
        self, work: Callable[..., Result], tasks: Iterable[tuple[Any, ...]]
    ) -> Iterator[Result]:
        """Results of ``work(*task)``, as they come."""
        if self._alone:
            for task in tasks:
                yield work(*task)
            return
        waiting = iter(tasks)
        if self._client is None and self.backend == "processes":
            for task in self._meanwhile(waiting):
                yield work(*task)
        yield from self._shared(work, waiting)

    def _meanwhile(self, tasks: Iterator[Any]) -> Iterator[Any]:
        """Tasks to be done here while the processes start: one at least."""
        starting = threading.Thread(target=self._start, daemon=True)
        for task in tasks:
            yield task
            if starting.ident is None:
                starting.start()
            if not starting.is_alive():
                return
        if starting.ident is not None:
            starting.join()

    def _start(self) -> None:
        # what fails here fails again, and is reported, when there is work
        with contextlib.suppress(Exception):
            for _ in self._shared(_wake, iter([()] * self.n_jobs)):
                pass

    def _shared(
        self, work: Callable[..., Result], tasks: Iterator[tuple[Any, ...]]
    ) -> Iterator[Result]:
        import joblib
        from joblib.externals.loky.process_executor import TerminatedWorkerError

        backend = {"processes": "loky", "threads": "threading", "dask": "dask"}[self.backend]
        n_jobs = -1 if self._client is not None else self.n_jobs
        parallel = joblib.Parallel(
            n_jobs,
            backend=backend,
            return_as="generator_unordered",
            batch_size=1,
            pre_dispatch="2*n_jobs",
            max_nbytes=None,
        )
        try:
            yield from parallel(joblib.delayed(work)(*task) for task in tasks)
        except TerminatedWorkerError:
            raise RunError(
                "a worker process was killed, perhaps for want of memory; the same command goes "
                "on from here, with fewer --jobs if need be"
            ) from None

    def close(self) -> None:
        """Let go of the cluster."""
        if self._client is not None:
            self._client.close()


def _wake() -> None:
    """Import what the work needs."""
    import consolidation.jobs.work  # noqa: F401


def _dask_client(scheduler: str) -> Any:
    if not scheduler:
        raise OptionError("--backend dask needs --scheduler, the address of the cluster")
    try:
        from distributed import Client
    except ImportError:
        raise OptionError(
            "--backend dask needs dask: pip install 'consolidation[distributed]'"
        ) from None
    try:
        return Client(scheduler, timeout=10)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, TimeoutError) as error:
        raise OptionError(f"--scheduler {scheduler}: {error}") from None


def chunks(items: Sequence[Any]) -> list[Sequence[Any]]:
    """Items in runs of `CHUNK`, the same whoever works on them."""
    return [items[start : start + CHUNK] for start in range(0, len(items), CHUNK)]
