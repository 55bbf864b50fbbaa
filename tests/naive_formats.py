"""Slow, obvious twins of what decodes other tools' files."""

from __future__ import annotations

import json
from typing import Any

import numpy as np


def polygon(rings, height: int, width: int) -> np.ndarray[Any, Any]:
    """Mask (H, Wd): a pixel is in if a ray from its centre to the left crosses the rings oddly."""
    out = np.zeros((height, width), np.uint8)
    for row in range(height):
        y = row + 0.5
        crossings = []
        for ring in rings:
            for ends in zip(ring, [*ring[1:], ring[0]], strict=True):
                (xa, ya), (xb, yb) = sorted(ends, key=lambda point: point[1])
                if ya <= y < yb:
                    crossings.append(xa + (y - ya) * ((xb - xa) / (yb - ya)))
        for column in range(width):
            out[row, column] = sum(x <= column + 0.5 for x in crossings) % 2
    return out


def ellipse(x, y, radius_x, radius_y, degrees, height: int, width: int) -> np.ndarray[Any, Any]:
    """Mask (H, Wd) of the pixels whose centre is in, by complex numbers."""
    out = np.zeros((height, width), np.uint8)
    turn = np.exp(-1j * np.radians(degrees))
    for row in range(height):
        for column in range(width):
            point = (complex(column + 0.5, row + 0.5) - complex(x, y)) * turn
            inside = (point.real / radius_x) ** 2 + (point.imag / radius_y) ** 2
            out[row, column] = inside <= 1
    return out


def brush(data: bytes) -> list[int]:
    """Values of a brush of Label Studio, by a string of bits."""
    bits = "".join(f"{byte:08b}" for byte in data)
    at = 0

    def take(n: int) -> int:
        nonlocal at
        at += n
        return int(bits[at - n : at], 2)

    count, word = take(32), take(5) + 1
    sizes = [take(4) + 1 for _ in range(4)]
    values: list[int] = []
    while len(values) < count:
        run, size = take(1), sizes[take(2)]
        n = take(size) + 1
        values += [take(word)] * n if run else [take(word) for _ in range(n)]
    return values


def runs(counts, value: int = 1) -> list[int]:
    """Pixels of runs that are by turns outside and inside."""
    out: list[int] = []
    for place, count in enumerate(counts):
        out += [value if place % 2 else 0] * count
    return out


def coco_counts(text: str) -> list[int]:
    """Lengths of COCO's compressed code."""
    counts: list[int] = []
    digits = [ord(char) - 48 for char in text]
    while digits:
        number, shift = 0, 0
        while True:
            digit = digits.pop(0)
            number |= (digit & 31) << shift
            shift += 5
            if not digit & 32:
                break
        if digit & 16:
            number -= 1 << shift
        counts.append(number + counts[-2] if len(counts) > 2 else number)
    return counts


def json_values(data: bytes, depth: int) -> list[Any]:
    """Lists and objects at a depth of 1 or 2, in order."""
    value = json.loads(data)
    inner = list(value.values()) if isinstance(value, dict) else value
    if depth == 1:
        return [one for one in inner if isinstance(one, list | dict)]
    found = []
    for one in inner:
        if isinstance(one, list | dict):
            listed = one.values() if isinstance(one, dict) else one
            found += [each for each in listed if isinstance(each, list | dict)]
    return found
