"""Kernels compiled when the image was built, found again on its read-only file system.

numba looks for cached code only in folders that it can write to, and files it under the name of
the processor it was compiled for. So the image carries code for a few levels of processors, and
the process that starts links the best level its host can run into a folder of its own.

The levels of x86-64 are those of its ABI (System V psABI, "Micro-architecture levels"), which
LLVM knows by the same names. Elsewhere there is one level: NEON is in every arm64 processor.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from collections.abc import Collection
from pathlib import Path

GENERIC = "generic"
"""Code that every processor of the architecture runs."""

_V3 = frozenset(
    {
        *("avx", "avx2", "bmi", "bmi2", "cx16", "f16c", "fma", "lzcnt", "movbe", "popcnt", "sahf"),
        *("sse3", "sse4.1", "sse4.2", "ssse3", "xsave"),
    }
)
_X86_LEVELS = {
    "x86-64-v4": _V3 | {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"},
    "x86-64-v3": _V3,
}

BAKED = Path(__file__).resolve().parents[2] / "kernel_cache"
"""Where the image has it: one folder a level, beside the package."""


def levels(machine: str = platform.machine()) -> tuple[str, ...]:
    """Levels an image for this machine carries code for, the best first.

    Examples
    --------
    >>> levels("x86_64")
    ('x86-64-v4', 'x86-64-v3', 'generic')
    >>> levels("aarch64")
    ('generic',)
    """
    return (*_X86_LEVELS, GENERIC) if machine in ("x86_64", "AMD64") else (GENERIC,)


def runs(level: str, features: Collection[str]) -> bool:
    """Whether a processor with these features, as LLVM names them, runs code of this level.

    Examples
    --------
    >>> runs("x86-64-v3", ["sse3", "avx"]), runs("generic", ["sse3", "avx"])
    (False, True)
    """
    return _X86_LEVELS.get(level, frozenset()) <= set(features)


def environment(level: str, folder: Path) -> dict[str, str]:
    """Variables with which numba compiles for a level and caches in a folder."""
    # the features are those of the name; numba would add the host's, and find nothing
    return {
        "NUMBA_CPU_NAME": level,
        "NUMBA_CPU_FEATURES": "",
        "NUMBA_CACHE_DIR": str(folder),
    }


def use_baked_cache(baked: Path = BAKED) -> str | None:
    """Let numba, which must not be imported yet, find the kernels that the image carries.

    A kernel that the image lacks is compiled, as anywhere else.

    Parameters
    ----------
    baked : path, optional
        The folder with one folder a level.

    Returns
    -------
    str or None
        The level chosen; None where nothing was changed, because there is no such folder or
        numba's cache was already configured.

    Raises
    ------
    RuntimeError
        If numba has been imported and with it the configuration read.
    """
    if not baked.is_dir() or "NUMBA_CACHE_DIR" in os.environ:
        return None
    if "numba" in sys.modules:
        raise RuntimeError("use_baked_cache() must be called before numba is imported")
    features = _host_features()
    level = next(
        level_name
        for level_name in levels()
        if (baked / level_name).is_dir() and runs(level_name, features)
    )
    # not a fixed name: a folder that another process has made may hold anything
    folder = Path(tempfile.mkdtemp(prefix="kernels-"))
    for path in sorted((baked / level).rglob("*.nb[ic]")):
        link = folder / path.relative_to(baked / level)
        link.parent.mkdir(exist_ok=True)
        # links, not copies: of some hundred files a request reads a dozen
        link.symlink_to(path)
    os.environ.update(environment(level, folder))
    return level


def _host_features() -> list[str]:
    from llvmlite import binding

    return [name for name, has in binding.get_host_cpu_features().items() if has]
