"""Run-length codes that are written: against naive twins, the decoders, and by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consolidation.formats import rle, rle_writing
from consolidation.kernels import run_codes
from tests import format_writers as writers
from tests import naive_formats as naive
from tests.test_rle import planes

Mask = np.ndarray[Any, Any]


@settings(max_examples=150, deadline=None)
@given(planes(), st.booleans())
def test_lengths_and_codes_are_those_of_the_naive_twins(mask: Mask, boxed: bool) -> None:
    shape = rle_writing.whole(mask.astype(bool))
    if not mask.any():
        assert shape is None
        return
    assert shape is not None
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    assert shape.box == (rows[0], columns[0], rows[-1] + 1, columns[-1] + 1)
    assert shape.area == mask.sum()
    top, left, bottom, right = shape.box if boxed else (0, 0, *mask.shape)
    part = mask[top:bottom, left:right]
    counts = shape.lengths(top, left, *part.shape)
    assert counts.tolist() == writers.runs(part.reshape(-1))
    text = rle_writing.compressed_text(counts)
    assert text == writers.coco_counts(counts.tolist())
    np.testing.assert_array_equal(rle.compressed_runs(text, part.size), counts)


@settings(max_examples=100, deadline=None)
@given(planes())
def test_brush_comes_back(mask: Mask) -> None:
    shape = rle_writing.whole(mask.astype(bool))
    if shape is None:
        return
    stream = rle_writing.brush_stream(shape.lengths(0, 0, *mask.shape))
    # as the tool reads it, all four channels
    assert naive.brush(stream) == np.repeat(mask.reshape(-1) * 255, 4).tolist()
    decoded, _, _ = rle.decode_brush(rle.brush_bytes(list(stream)), *mask.shape)
    np.testing.assert_array_equal(decoded, mask * 255)


@pytest.mark.parametrize("pixels", [1, 16_383, 16_384, 16_385, 40_000])
def test_brush_of_runs_longer_than_a_block(pixels: int) -> None:
    counts = np.array([3, pixels, 2])
    decoded, _, _ = rle.decode_brush(
        rle.brush_bytes(list(rle_writing.brush_stream(counts))), 1, pixels + 5
    )
    assert (decoded[0] == 255).tolist() == [False] * 3 + [True] * pixels + [False] * 2


@settings(max_examples=100, deadline=None)
@given(planes(max_side=12))
def test_components_are_the_connected_parts(mask: Mask) -> None:
    seen = np.zeros(mask.shape, int)
    firsts = []
    for number, part in enumerate(rle_writing.components(mask.astype(bool)), start=1):
        own = np.zeros(mask.size, bool)
        at = 0
        for place, length in enumerate(part.lengths(0, 0, *mask.shape).tolist()):
            own[at : at + length] = place % 2
            at += length
        assert at == mask.size
        assert own.sum() == part.area
        assert not seen.reshape(-1)[own].any()
        seen.reshape(-1)[own] = number
        firsts.append(int(np.flatnonzero(own)[0]))
    np.testing.assert_array_equal(seen > 0, mask > 0)
    assert firsts == sorted(firsts)
    # neighbours, corners included, are of one part; each part is what floods from its first pixel
    for number, first in enumerate(firsts, start=1):
        assert flood(mask, first) == set(np.flatnonzero(seen == number).tolist())


def flood(mask: Mask, first: int) -> set[int]:
    """Pixels that are reached from one."""
    height, width = mask.shape
    reached, waiting = {first}, [first]
    while waiting:
        y, x = divmod(waiting.pop(), width)
        for other_y in range(max(0, y - 1), min(height, y + 2)):
            for other_x in range(max(0, x - 1), min(width, x + 2)):
                place = other_y * width + other_x
                if mask[other_y, other_x] and place not in reached:
                    reached.add(place)
                    waiting.append(place)
    return reached


def test_by_hand() -> None:
    # 6 rows of 2 columns down the columns: 5 outside, 2 inside, 2 outside, 3 inside
    mask = np.zeros((2, 6), bool)
    mask[0, 5] = mask[1, 0] = mask[1, 3:] = True
    shape = rle_writing.whole(mask)
    assert shape is not None
    assert shape.lengths(0, 0, 2, 6).tolist() == [5, 2, 2, 3]
    # 5, 2, 2 as they are; 3 as what it is more than the 2 two places before
    assert rle_writing.compressed_text(np.array([5, 2, 2, 3])) == "5221"


def test_bits_keep_what_stands_before_them() -> None:
    data = np.zeros(4, np.uint8)
    at = run_codes.write_bits(data, 0, 3, 0b101)
    at = run_codes.write_bits(data, at, 16, 0xBEEF)
    assert at == 19
    assert f"{int.from_bytes(data.tobytes(), 'big'):032b}" == "101" + f"{0xBEEF:016b}" + "0" * 13
