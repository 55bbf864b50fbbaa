"""How every kernel is compiled: no Python objects, GIL released, serial, cached where possible."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import numba


def kernel(function: Any) -> Any:
    """Compile `function` on first call, for the types of that call, and cache it on disk.

    numba refuses `cache=True` at import when neither the package's folder nor the user's cache
    folder can be written (a read-only container without `NUMBA_CACHE_DIR`). A missing cache
    costs a second at the first call; it must not cost the import.
    """
    return _compiled(function)


def counting_no_references(function: Any) -> Any:
    """Compile a kernel whose small parts take many arrays.

    numba counts the references to every array at every call and slice, which takes longer than
    such parts. Without counts nothing can be allocated, and no array returned: kernels do neither.
    """
    return _compiled(function, _nrt=False)


def part(function: Any) -> Any:
    """Compile a part of such a kernel into its callers: a call with ten arrays costs 50 ns."""
    return _compiled(function, _nrt=False, forceinline=True)


def _compiled(function: Any, **options: Any) -> Any:
    options |= {"nogil": True, "error_model": "numpy"}
    try:
        compiled: Any = numba.njit(cache=True, **options)(function)
    except RuntimeError:
        return numba.njit(**options)(function)
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
