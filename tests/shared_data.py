"""Where the real data lies, and the mark for tests that need it."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
GROUND_TRUTH = SHARED / "ground-truth"
MASKS = SHARED / "masks"

needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason=f"the real data is not there: {SHARED}"
)
