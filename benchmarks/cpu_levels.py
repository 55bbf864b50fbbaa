"""What kernels cost when they are compiled for less than the processor that runs them.

Run it with ``python -m benchmarks.cpu_levels``; `lambda_cold_start` reports its table.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import measure, table
from benchmarks.payloads import labels, payload
from benchmarks.workloads import masks
from consolidation import VotePatterns, consolidate
from consolidation.aws.kernel_cache import environment, levels
from consolidation.kernels.colors import lookup
from consolidation.kernels.plurality import LANES, plurality

ROUNDS = 3
VOTE = "vote, 5 workers"
NATIVE = "native"


def vote(n_workers: int, dtype: type, ignoring: bool) -> Callable[[], Any]:
    """The voting kernel on a megapixel."""
    stack = masks(n_workers, 8, 1024, 1024).astype(dtype).reshape(n_workers, -1)
    n = stack.shape[1]
    out = np.empty(n, dtype), np.empty(n, np.uint8), np.empty(n, np.bool_)
    highest = np.zeros(LANES, dtype)
    rows, ignore = tuple(stack), dtype(255) if ignoring else None
    return lambda: plurality(rows, ignore, *out, highest)


def ways() -> dict[str, Callable[[], Any]]:
    """Kernels, and the whole path that a Lambda takes with an object in memory."""
    from benchmarks.end_to_end import LAMBDA, ours

    stack = masks(5, 8, 1024, 1024)
    indices = stack[0].reshape(-1)
    meaning, out = np.arange(256, dtype=np.uint8), np.empty(indices.size, np.uint8)
    request = payload(5, 8, 1024, 1024, "palette")
    weights = [1.0, 1.2, 1.3, 1.4, 1.5]
    return {
        VOTE: vote(5, np.uint8, False),
        "vote, 9 workers": vote(9, np.uint8, False),
        "vote, 5 workers, some pixels ignored": vote(5, np.uint8, True),
        "vote, 9 workers, more than 255 classes": vote(9, np.uint16, False),
        "colours by palette index": lambda: lookup(indices, meaning, 8, out),
        "vote and smoothing": lambda: consolidate(stack, smoothing=1.0, ties="neighbours"),
        "vote and weights": lambda: consolidate(stack, method="weighted", weights=weights),
        "vote patterns": lambda: VotePatterns.encode(stack),
        "whole object, Lambda's defaults": lambda: ours(request, labels(8), LAMBDA),
    }


def times(level: str, folder: Path) -> dict[str, float]:
    """Milliseconds in a process whose kernels are compiled for a level."""
    native = {"NUMBA_CACHE_DIR": str(folder)}
    variables = native if level == NATIVE else environment(level, folder)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.cpu_levels", "--times"],
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout))


def compare() -> tuple[list[str], list[list[Any]]]:
    """Columns and rows: milliseconds compiled for this processor, and the others' ratios to it."""
    names = [*levels(), NATIVE]
    with tempfile.TemporaryDirectory() as folder:
        rounds = [{name: times(name, Path(folder)) for name in names} for _ in range(ROUNDS)]
    rows = []
    for way in rounds[0][NATIVE]:
        ratios = [
            statistics.median(one[name][way] / one[NATIVE][way] for one in rounds)
            for name in levels()
        ]
        rows.append([way, statistics.median(one[NATIVE][way] for one in rounds), *ratios])
    return ["what", "native, ms", *levels()], rows


if __name__ == "__main__":
    if "--times" in sys.argv:
        print(json.dumps(measure(ways(), rounds=11)))
    else:
        print(table(*compare()))
