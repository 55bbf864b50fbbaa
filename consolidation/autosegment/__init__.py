"""Masks of objects from a few clicks: arrays in, arrays out.

>>> import numpy as np
>>> from consolidation.autosegment import segment
>>> image = np.zeros((40, 40, 3), np.uint8)
>>> image[10:30, 12:28] = 200
>>> segment(image, [(20, 10), (27, 20), (20, 29), (12, 20)]).box
(12, 10, 16, 20)
"""

from __future__ import annotations

from consolidation.autosegment.cache import Cache
from consolidation.autosegment.candidates import ALTERNATIVES
from consolidation.autosegment.segment import segment
from consolidation.autosegment.segmentation import Segmentation

__all__ = ["ALTERNATIVES", "Cache", "Segmentation", "segment"]
