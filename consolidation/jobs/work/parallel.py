"""Work on the chunks of a job by one process, several, or a cluster: whatever joblib can run."""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import Any, TypeVar

from consolidation.errors import ConsolidationError, OptionError, RunError
from consolidation.options import Options

CHUNK = 16
"""Objects a task: handing over one by one costs more than some of them take."""

WORTH_STARTING = 2.0
"""Seconds of work left for which it is worth to start processes."""

SECONDS_TO_CONNECT = 10.0
SECONDS_TO_TIDY = 1.0

Result = TypeVar("Result")


def cores() -> int:
    """Cores this process may use; a container may have less than its machine."""
    import joblib

    return int(joblib.cpu_count())


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
    compiles for them, the others load. Where the rest would be done before, none are started.
    """

    def __init__(self, options: Options, n_objects: int) -> None:
        chunks = -(-n_objects // CHUNK)
        self.backend = options.backend
        self._cores = options.jobs or (cores() if chunks > 1 else 1)
        self.n_jobs = max(1, min(self._cores, chunks))
        self._client: Any = None
        if options.backend == "dask":
            self._client = _dask_client(options.scheduler)
        elif options.scheduler:
            raise OptionError("--scheduler is for --backend dask")
        self._alone = self.n_jobs == 1 and self._client is None
        self._started = False

    def chunks(self, items: Sequence[Any]) -> list[Sequence[Any]]:
        """Items in runs to be handed over at once."""
        if self._alone:
            return chunks(items, 1)
        # one alone first: kernels are loaded with it, and it shows how long the rest may take
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
        if self._alone:
            for task in tasks:
                yield work(*task)
            return
        waiting = iter(tasks)
        if self._client is None and self.backend == "processes" and not self._started:
            for task in self._meanwhile(waiting, n_tasks):
                n_tasks -= 1
                yield work(*task)
        if n_tasks:
            yield from self._shared(work, waiting)

    def _meanwhile(self, tasks: Iterator[Any], n_tasks: int) -> Iterator[Any]:
        """Tasks to be done here while the processes start: one at least."""
        starting = threading.Thread(target=self._start, daemon=True)
        for left in range(n_tasks - 1, -1, -1):
            began = time.perf_counter()
            yield next(tasks)
            if starting.ident is None and (time.perf_counter() - began) * left >= WORTH_STARTING:
                starting.start()
            if starting.ident is not None and not starting.is_alive():
                break
        if starting.ident is not None:
            starting.join()
            self._started = True

    def _start(self) -> None:
        # what fails here fails again, and is reported, when there is work
        with contextlib.suppress(Exception):
            for _ in self._shared(_wake, [()] * self.n_jobs):
                pass

    def _shared(
        self, work: Callable[..., Result], tasks: Iterable[tuple[Any, ...]]
    ) -> Iterator[Result]:
        import joblib
        from joblib.externals.loky.process_executor import TerminatedWorkerError

        backend = {"processes": "loky", "threads": "threading", "dask": "dask"}[self.backend]
        # joblib knows external backends, such as Dask's, by their names only here
        with joblib.parallel_config(backend):
            parallel = joblib.Parallel(
                -1 if self._client is not None else self.n_jobs,
                return_as="generator_unordered",
                batch_size=1,
                pre_dispatch="2*n_jobs",
                max_nbytes=None,
            )
        parent = os.getpid() if self.backend == "processes" else None
        try:
            with _tidied_up():
                yield from parallel(joblib.delayed(_work)(parent, work, *task) for task in tasks)
        except TerminatedWorkerError:
            raise RunError(
                "a worker process was killed, perhaps for want of memory; the same command goes "
                "on from here, with fewer --jobs if need be"
            ) from None
        except Exception as error:
            if self._client is None or isinstance(error, ConsolidationError):
                raise
            # whatever an object does is caught where it is done: it is the cluster
            text = " ".join(f"{type(error).__name__}: {error}".split())
            raise RunError(
                f"the Dask cluster failed ({text}); the same command goes on from here"
            ) from error

    def close(self) -> None:
        """Let go of the cluster."""
        if self._client is not None:
            self._client.close()


@contextlib.contextmanager
def _tidied_up() -> Iterator[None]:
    """If the work breaks off, let joblib's threads tidy up: cut off, they leave warnings."""
    try:
        yield
    except BaseException:
        for thread in threading.enumerate():
            if thread.name == "QueueFeederThread":
                thread.join(SECONDS_TO_TIDY)
        raise


def _work(parent: int | None, work: Callable[..., Result], *task: Any) -> Result:
    """Do a task in another process."""
    if parent is not None:
        _end_with(parent)
    return work(*task)


@cache
def _end_with(parent: int) -> None:
    """End this process when the one that started it does: the next run must be the only one."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.1)
        os._exit(1)

    # an interrupt from the terminal comes to everybody; that process ends this one
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if os.getppid() == parent:
        threading.Thread(target=watch, daemon=True).start()


def _wake() -> None:
    """Import what the work needs."""
    importlib.import_module("consolidation.jobs.work.objects")


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
        return Client(scheduler, timeout=SECONDS_TO_CONNECT)
    except (OSError, ValueError, TimeoutError) as error:
        raise OptionError(f"--scheduler {scheduler}: {error}") from None


def chunks(items: Sequence[Any], size: int = CHUNK) -> list[Sequence[Any]]:
    """Items in runs of this size."""
    return [items[start : start + size] for start in range(0, len(items), size)]
