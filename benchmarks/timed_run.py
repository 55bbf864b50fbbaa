"""The command line, timed from within; imports nothing that the command line does not.

It is run by ``benchmarks.jobs`` in a process of its own.
"""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path
from typing import Any

from consolidation import cli


def run_here(arguments: list[str]) -> None:
    """Run the command line and print what parts of it took, and its peak memory."""
    from consolidation.formats.requests import RequestedObject
    from consolidation.jobs import runner
    from consolidation.jobs.work import objects as work

    own, image = _Clock(), _Clock()
    # a mask by itself: reading, consolidating, encoding, describing
    work.consolidate_object = image.timed(own.timed(work.consolidate_object))
    work.result_metadata = own.timed(work.result_metadata)
    work.ObjectResult.mask_png.func = own.timed(work.ObjectResult.mask_png.func)
    RequestedObject.load = image.timed(own.timed(RequestedObject.load))
    # all that is told of an image: workers' agreement, confidence of classes, disputed regions
    work._record = image.timed(work._record)
    first = _Clock()
    runner.JobRun._learn = first.timed(runner.JobRun._learn)
    status = cli.main(arguments)
    assert status == 0, status
    [peak] = re.findall(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())
    found = {"own": own.seconds, "image": image.seconds, "first": first.seconds}
    print(json.dumps({**found, "peak": int(peak) * 1024}))


class _Clock:
    """Seconds spent in some functions; a call within another counts once."""

    def __init__(self) -> None:
        self.seconds, self._depth = 0.0, 0

    def timed(self, function: Any) -> Any:
        def call(*arguments: Any, **keywords: Any) -> Any:
            began = time.perf_counter()
            self._depth += 1
            try:
                return function(*arguments, **keywords)
            finally:
                self._depth -= 1
                if not self._depth:
                    self.seconds += time.perf_counter() - began

        return call


if __name__ == "__main__":
    run_here(sys.argv[1:])
