"""What one mask shows at a glance: its values or colours, and whether it is a mask at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation.kernels.colors import histogram
from consolidation.kernels.values import survey
from consolidation.masks.stored import Stored

RGBA = tuple[int, int, int, int]

MANY, VERY_MANY = 32, 64
"""Distinct values from which one picture may be a ramp or a photograph."""
LOOSE = 0.1
"""A painted class lies in areas: of a value of ramps or noise, less than that share of pixels
begins a square of 2 x 2 pixels of the value."""
GRADIENT = 0.6
"""Share of unlike neighbours that differ by two at most, from which it is a gradient: with 150
classes at random, 3 % do."""
GRAIN = (0.15, 0.15)
"""Share of neighbours that are unlike, and of these share that differ by two at most, from which
very many values are a photograph that was enlarged: satellite tiles have 0.23 and 0.19 to 0.38."""
RARE = 0.15
"""Pixels of noise, against those that are white, at most: one in ten is seen."""
NEARLY = 16
"""How far from black and white the noise of a slight compression reaches."""
BETWEEN = (16, 239)
"""Where values of a few levels of smoothing lie, between black and white."""
MOST_COLORS = 1024
"""Colours that are kept of a picture, the most frequent."""


@dataclass(frozen=True)
class Sight:
    """What was seen of a mask.

    Attributes
    ----------
    kind, depth
        See `Stored`.
    values : mapping of int to int
        Pixels by stored value; empty where the picture has colours only.
    colors : mapping of RGBA to int
        Pixels by colour, of pictures in colour.
    n_colors : int
        Distinct colours, of pictures in colour.
    palette : mapping of int to RGBA
        Colours of the values that occur, of palettes.
    flaw : str or None
        Why its values cannot be classes, if they cannot.
    """

    kind: str
    depth: int
    values: Mapping[int, int]
    colors: Mapping[RGBA, int] = field(default_factory=dict)
    n_colors: int = 0
    palette: Mapping[int, RGBA] = field(default_factory=dict)
    flaw: str | None = None


def look(stored: Stored) -> Sight:
    """Look at a mask.

    Examples
    --------
    >>> from consolidation.masks.png_decode import Pixels
    >>> mask = np.array([[0, 0, 7]], np.uint8)
    >>> look(Stored(mask, Pixels(mask, None), "grey")).values
    {0: 2, 7: 1}
    """
    colors: dict[RGBA, int] = {}
    n_colors = 0
    if stored.kind == "color":
        colors, n_colors = _colors(stored.pixels.values)
    if stored.indices is None:
        return Sight(stored.kind, stored.depth, {}, colors, n_colors)
    values = np.ascontiguousarray(stored.indices)
    counts = np.zeros(256 if values.dtype == np.uint8 else 65536, np.int64)
    histogram(values.reshape(-1), counts)
    used = np.flatnonzero(counts)
    palette: dict[int, RGBA] = {}
    if stored.kind == "palette" and stored.pixels.palette is not None:
        table = stored.pixels.palette.tolist()
        palette = {int(value): tuple(table[value]) for value in used}
    return Sight(
        kind=stored.kind,
        depth=stored.depth,
        values=dict(zip(used.tolist(), counts[used].tolist(), strict=True)),
        colors=colors,
        n_colors=n_colors,
        palette=palette,
        flaw=_flaw(values, used, counts[used], stored.kind == "palette"),
    )


def _flaw(
    values: NDArray[Any], used: NDArray[np.int64], counts: NDArray[np.int64], palette: bool
) -> str | None:
    """Why values cannot be classes: they are ramps between others, noise, or a gradient."""
    n = len(used)
    black_to_white = n > 2 and (used[0], used[-1]) == (0, 255)
    if n < MANY and (palette or not black_to_white):
        return None
    size = int(used[-1]) + 1
    seen, solid, between = (np.zeros(size, np.int64) for _ in range(3))
    changes = np.zeros(3, np.int64)
    survey(values, seen, solid, between, changes)
    pairs, unlike, small = changes.tolist()
    loose = solid[used] < LOOSE * counts
    if n >= MANY and palette:
        # the order of a palette's colours says nothing
        return f"a picture of {n} colours, not a mask" if 2 * loose.sum() >= n else None
    if n >= MANY:
        gradient = small >= GRADIENT * unlike
        gradient |= n >= VERY_MANY and unlike >= GRAIN[0] * pairs and small >= GRAIN[1] * unlike
        if gradient or (2 * loose.sum() >= n and 4 * unlike >= pairs):
            return f"a photograph or a gradient of {n} grey values, not a mask"
        if 2 * loose.sum() >= n:
            return _smoothed(used)
    inner = used[1:-1]
    if not black_to_white or not loose[1:-1].all():
        return None
    # where black and white meet, greys lie between them; thin things have one value on both sides
    greys = BETWEEN[0] <= inner[0] and inner[-1] <= BETWEEN[1]
    if greys and 2 * between[inner].sum() >= counts[1:-1].sum():
        return _smoothed(used)
    dark, bright = inner <= NEARLY, inner >= 255 - NEARLY
    # a thin class beside white areas has more pixels than noise has
    rare = counts[1:-1].sum() <= RARE * counts[-1] and not loose[-1]
    if (dark | bright).all() and (rare or (dark.any() and bright.any())):
        return f"black and white but for {n - 2} values near them, as lossy compression leaves them"
    return None


def _smoothed(used: NDArray[np.int64]) -> str:
    return (
        f"smoothed at its borders, {len(used)} values from {used[0]} to {used[-1]}, as resizing "
        "and anti-aliasing give: export it without, or resize by nearest neighbour"
    )


def _colors(values: NDArray[np.uint8]) -> tuple[dict[RGBA, int], int]:
    """Pixels by colour of a picture (H, Wd, 3 or 4), and how many colours there are."""
    flat = values.reshape(-1, values.shape[2])
    packed = np.full(len(flat), 255, np.uint32)
    for channel in range(flat.shape[1]):
        shift = 8 * (3 - channel)
        packed &= np.uint32(0xFFFFFFFF ^ (255 << shift))
        packed |= flat[:, channel].astype(np.uint32) << np.uint32(shift)
    codes, counts = np.unique(packed, return_counts=True)
    order = np.lexsort((codes, -counts))[:MOST_COLORS]
    colors: dict[RGBA, int] = {}
    for code, count in zip(codes[order].tolist(), counts[order].tolist(), strict=True):
        red, green, blue, alpha = code.to_bytes(4, "big")
        colors[red, green, blue, alpha] = count
    return colors, len(codes)
