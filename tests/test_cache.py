"""Kernels are compiled when used, found in the cache by the next process, and need no cache."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

VOTE = """
import numpy as np, consolidation
masks = np.zeros((3, 40, 40), np.uint8); masks[0] = 1
assert not consolidation.consolidate(masks).labels.any()
from consolidation.kernels import plurality, smoothing
stats = plurality.plurality.stats
print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()),
      len(plurality.plurality.signatures), len(smoothing.smooth.signatures))
"""

NO_CACHE = """
import numba.core.caching as caching
caching._CacheLocator.from_function = classmethod(lambda cls, function, path: None)
for name, value in vars(caching).items():
    if isinstance(value, type) and issubclass(value, caching._CacheLocator):
        value.from_function = classmethod(lambda cls, function, path: None)
"""


def run(code, **environment):
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_second_process_starts_from_the_cache(tmp_path):
    first = run(VOTE, NUMBA_CACHE_DIR=str(tmp_path))
    second = run(VOTE, NUMBA_CACHE_DIR=str(tmp_path))
    # hits, misses, compiled: only the one width that was used, and no smoothing
    assert first == ["0", "1", "1", "0"]
    assert second == ["1", "0", "1", "0"]


def test_works_without_any_place_for_a_cache():
    # the decorator itself falls back; the functions still compile
    assert run(NO_CACHE + VOTE) == ["0", "1", "1", "0"]


@pytest.mark.parametrize("module", ["consolidation", "consolidation.cli"])
def test_import_compiles_and_loads_nothing_heavy(module):
    code = f"""
import sys, {module}
print(sorted({{'numba', 'scipy', 'boto3', 'PIL', 'numpy'}} & set(sys.modules)))
"""
    assert run(code) == ["[]"]


def test_the_library_loads_no_format_job_or_wing():
    code = """
import sys, numpy, consolidation
consolidation.consolidate(numpy.zeros((3, 2, 2), numpy.uint8)).confidence
rooms = "formats jobs aws labeling autosegment web commands cli report evaluation objects masks"
print([room for room in rooms.split() if f"consolidation.{room}" in sys.modules])
"""
    assert run(code) == ["[]"]
