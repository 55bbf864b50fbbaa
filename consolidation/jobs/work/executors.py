"""Who can share the work: processes of this machine, its threads, or a Dask cluster.

Each is an executor as the standard library has them; what differs is how it is started and ended.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from consolidation.errors import OptionError

SECONDS_TO_CONNECT = 10.0


def cores() -> int:
    """Cores this process may use; a container may have less than its machine."""
    if sys.platform == "linux":
        available = len(os.sched_getaffinity(0))
    else:
        available = os.cpu_count() or 1
    with contextlib.suppress(OSError, ValueError):
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        available = min(available, max(1, -(-int(quota) // int(period))))
    return available


def start_method() -> str:
    """How processes are started: forked where that is safe, since nothing is imported again."""
    if sys.platform == "linux" and threading.active_count() == 1:
        return "fork"
    return "spawn" if sys.platform == "win32" else "forkserver"


class Processes:
    """Processes of this machine, which end when this one does, however it ends.

    Parameters
    ----------
    count : int
        Processes at most.
    """

    def __init__(self, count: int) -> None:
        method = start_method()
        context = multiprocessing.get_context(method)
        # nothing is ever sent: its end is the sign
        reader, self._alive = context.Pipe(duplex=False)
        inherited = self._alive if method == "fork" else None
        with _callers_script_hidden():
            self.executor = ProcessPoolExecutor(
                count, context, initializer=_begin, initargs=(reader, inherited)
            )

    def submit(self, *call: Any) -> Any:
        """Hand a call over; see `Executor.submit`."""
        with _callers_script_hidden():
            return self.executor.submit(*call)

    def end(self) -> None:
        """Let the processes end in the middle of what they do."""
        self._alive.close()
        self.executor.shutdown(wait=True, cancel_futures=True)

    def close(self) -> None:
        """Let the processes end when they are done."""
        self.executor.shutdown(wait=True)
        self._alive.close()


def _begin(alive: Connection, inherited: Connection | None) -> None:
    """Make this process ready for work, and end it with the process that started it."""
    if inherited is not None:
        inherited.close()
    # an interrupt from the terminal comes to everybody; the first process ends the others
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        with contextlib.suppress(EOFError, OSError):
            alive.recv_bytes()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextlib.contextmanager
def _callers_script_hidden() -> Iterator[None]:
    """Let new processes not run the script again that started them: they need nothing of it."""
    main = sys.modules["__main__"]
    hidden: dict[str, Any] = {
        name: vars(main).pop(name) for name in ("__file__", "__spec__") if name in vars(main)
    }
    main.__spec__ = None
    try:
        yield
    finally:
        vars(main).update(hidden)


def dask_client(scheduler: str) -> Any:
    """Client of the cluster at an address; OptionError if there is none."""
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


def dask_executor(client: Any) -> tuple[Executor, int]:
    """Executor of a cluster, and how many tasks it does at once."""
    return client.get_executor(pure=False), max(1, sum(client.nthreads().values()))
