"""Merge several workers' segmentation masks into one, and say how far to trust it.

>>> import numpy as np
>>> import consolidation
>>> masks = np.array([[[0, 1]], [[0, 1]], [[1, 1]]], dtype=np.uint8)
>>> consolidation.consolidate(masks).labels.tolist()
[[0, 1]]
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from consolidation._version import __version__

if TYPE_CHECKING:
    from consolidation import report
    from consolidation.commands.export import export
    from consolidation.consensus import (
        Calibration,
        Consensus,
        Reliability,
        VotePatterns,
        WorkerAgreement,
        WorkerConfusion,
        consolidate,
    )
    from consolidation.errors import ConsolidationError

__all__ = [
    "Calibration",
    "Consensus",
    "ConsolidationError",
    "Reliability",
    "VotePatterns",
    "WorkerAgreement",
    "WorkerConfusion",
    "__version__",
    "consolidate",
    "export",
    "report",
]

_HOMES = {
    "Calibration": "consensus",
    "Consensus": "consensus",
    "ConsolidationError": "errors",
    "Reliability": "consensus",
    "VotePatterns": "consensus",
    "WorkerAgreement": "consensus",
    "WorkerConfusion": "consensus",
    "consolidate": "consensus",
    "export": "commands.export",
}
_ROOMS = ("report",)


def __getattr__(name: str) -> Any:
    # numba alone takes a quarter of a second to import: only who consolidates pays for it
    if name in _ROOMS:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
