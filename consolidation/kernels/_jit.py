"""How every kernel is compiled: no Python objects, GIL released, serial, cached where possible."""

from __future__ import annotations

from typing import Any

import numba


def kernel(function: Any) -> Any:
    """Compile `function` on first call, for the types of that call, and cache it on disk.

    numba refuses `cache=True` at import when neither the package's folder nor the user's cache
    folder can be written (a read-only container without `NUMBA_CACHE_DIR`). A missing cache
    costs a second at the first call; it must not cost the import.
    """
    try:
        return numba.njit(nogil=True, cache=True, error_model="numpy")(function)
    except RuntimeError:
        return numba.njit(nogil=True, error_model="numpy")(function)
