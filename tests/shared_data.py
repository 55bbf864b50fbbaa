"""Where the real data lies, and the mark of tests that need it.

``CONSOLIDATION_TEST_DATA`` names the folder; unset it is ``../shared/data`` beside the
project. Tests that need it are left out where it is not there, in one line; where it is, they run.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from consolidation.options import TEST_DATA

VARIABLE = TEST_DATA
SHARED = Path(os.environ.get(VARIABLE) or Path(__file__).resolve().parents[2] / "shared" / "data")
GROUND_TRUTH = SHARED / "ground-truth"
MASKS = SHARED / "masks"
FORMATS = SHARED / "formats"

needs_shared = pytest.mark.real_data
