"""How every kernel is compiled: no Python objects, GIL released, serial, cached where possible."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import numba

OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}
"""Without numba's runtime: kernels allocate nothing, and need no count of who refers to an array,
which for each call with arrays takes longer than 64 pixels do."""


def kernel(function: Any) -> Any:
    """Compile `function` on first call, for the types of that call, and cache it on disk.

    numba refuses `cache=True` at import when neither the package's folder nor the user's cache
    folder can be written (a read-only container without `NUMBA_CACHE_DIR`). A missing cache
    costs a second at the first call; it must not cost the import.
    """
    try:
        compiled: Any = numba.njit(cache=True, **OPTIONS)(function)
    except RuntimeError:
        return numba.njit(**OPTIONS)(function)
    # numba stamps a cached kernel with its own file only, and would go on using it after a
    # change in a file that it calls
    file = compiled._cache._cache_file
    file._source_stamp = (file._source_stamp, _all_sources())
    return compiled


@cache
def _all_sources() -> str:
    """Hash of every kernel's source."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
