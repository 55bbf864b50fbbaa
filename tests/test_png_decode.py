"""Our own decoder: kernels against slow twins, whole and broken files against Pillow and zlib."""

from __future__ import annotations

import io
import subprocess
import sys
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from consolidation.errors import AnswerError
from consolidation.kernels.png_unfilter import unfilter
from consolidation.masks import ColorMatcher, MatchCounts, decode, inflate, open_png
from tests import png_filters, tiny_png
from tests.tiny_png import CHANNELS, GREY, PALETTE, RGB, RGBA

Mask = npt.NDArray[np.uint8]
KINDS = [(kind, depth) for kind in (GREY, PALETTE) for depth in (1, 2, 4, 8)] + [
    (RGB, 8),
    (RGBA, 8),
]
PLANES = np.array([[0, 0, 0], [44, 160, 44], [31, 119, 180], [9, 9, 9], [255, 255, 255]], np.uint8)


@st.composite
def samples(draw: st.DrawFn, kind: int, depth: int, highest: int) -> Mask:
    """As masks are: rows that repeat, runs of equal pixels, some noise; up to three registers."""
    height, width = draw(st.integers(1, 7)), draw(st.integers(1, 200))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    colors = rng.integers(0, highest + 1, (4, CHANNELS[kind]), np.uint8)
    ends = np.sort(rng.integers(0, width + 1, draw(st.integers(0, 4))))
    base = np.searchsorted(ends, np.arange(width), "right") % 4
    rows = np.stack([np.roll(base, shift) for shift in rng.integers(0, 3, height)])
    out = colors[rows]
    noisy = rng.random((height, width)) < draw(st.sampled_from([0, 0, 0.02, 1]))
    out[noisy] = rng.integers(0, highest + 1, (int(noisy.sum()), CHANNELS[kind]), np.uint8)
    return out


@st.composite
def files(draw: st.DrawFn) -> tuple[bytes, Mask, int]:
    """A PNG that is whole, its samples, and its kind."""
    kind, depth = draw(st.sampled_from(KINDS))
    n_colors = draw(st.integers(1, 2**depth)) if kind == PALETTE else 2**depth
    image = draw(samples(kind, depth, n_colors - 1))
    palette = trns = None
    if kind == PALETTE:
        rng = np.random.default_rng(draw(st.integers(0, 99)))
        palette = PLANES[rng.integers(0, len(PLANES), n_colors)].tobytes()
        trns = draw(st.none() | st.binary(max_size=min(n_colors, 9)))
    filters = draw(st.lists(st.integers(0, 4), min_size=1, max_size=7))
    png = png_filters.write(image, kind, depth, filters, palette=palette, trns=trns)
    return png, image, kind


@given(st.data(), st.sampled_from([1, 3, 4]))
@settings(max_examples=300, deadline=None)
def test_filters_are_undone_as_the_standard_says(data: st.DataObject, bpp: int) -> None:
    kind = {1: GREY, 3: RGB, 4: RGBA}[bpp]
    image = data.draw(samples(kind, 8, data.draw(st.sampled_from([1, 255]))))
    filters = data.draw(st.lists(st.integers(0, 4), min_size=1, max_size=7))
    lines = tiny_png.scanlines(image, 8)
    line = len(lines) // len(image)
    packed = png_filters.filtered(lines, line, bpp, filters)
    # a margin of junk before the row above, and after the last: neither is touched, nor read
    buffer = np.frombuffer(b"\7" * 9 + bytes(line) + packed + b"\7" * 9, np.uint8).copy()
    assert unfilter(buffer, 9 + line, line, len(image), bpp) == len(image)
    found = buffer[9 + line : -9].reshape(len(image), line)[:, 1:].tobytes()
    assert found == np.frombuffer(lines, np.uint8).reshape(-1, line)[:, 1:].tobytes()
    assert (buffer[:9] == 7).all() and (buffer[-9:] == 7).all()


@given(files())
@settings(max_examples=400, deadline=None)
def test_every_filter_depth_and_width_decodes_as_pillow_decodes_it(case: tuple[Any, ...]) -> None:
    png, image, kind = case
    found = decode(png)
    np.testing.assert_array_equal(found.values.reshape(image.shape), image)
    theirs = np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))
    if found.palette is not None:
        np.testing.assert_array_equal(found.palette[found.values], theirs)
    else:
        np.testing.assert_array_equal(found.values, theirs[..., : CHANNELS[kind]])


@given(files(), st.sampled_from([np.uint8, np.uint16]), st.sampled_from([0.0, 60.0]))
@settings(max_examples=400, deadline=None)
def test_one_pass_means_what_two_mean(case: tuple[Any, ...], dtype: Any, snap: float) -> None:
    png = case[0]
    matcher = ColorMatcher({(44, 160, 44): 1, (31, 119, 180): 2, (9, 9, 9): -1}, 255, snap)
    shape = case[1].shape[:2]
    # what lies around the mask is not written to
    around = np.full((shape[0] + 2, shape[1]), 77, dtype)
    expected = np.empty(shape, dtype)
    counts: MatchCounts = matcher.read(open_png(png), around[1:-1])
    assert counts == matcher.match(decode(png), expected)
    np.testing.assert_array_equal(around[1:-1], expected)
    assert (around[[0, -1]] == 77).all()


@pytest.mark.parametrize("n_colors", [1 << 11, 1 << 13])
def test_more_colors_than_the_table_had_room_for(n_colors: int) -> None:
    # background that must be counted, rows that repeat, and blocks of many runs
    rng = np.random.default_rng(1)
    values = rng.integers(0, n_colors, (60, 300))
    values[:, :100] = 0
    values[1::2] = values[::2]
    rgb = np.stack([values >> 8, values & 255, values % 7 * 0], 2).astype(np.uint8)
    png = png_filters.write(rgb, RGB, 8, [0, 2, 4])
    out, expected = np.empty((2, 60, 300), np.uint8)
    matcher = ColorMatcher({(0, 1, 0): 1}, 255)
    assert matcher.read(open_png(png), out) == matcher.match(decode(png), expected)
    np.testing.assert_array_equal(out, expected)


def test_strips_follow_on_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    for kind, depth in KINDS:
        image = rng.integers(0, 2, (50, 90, CHANNELS[kind])).astype(np.uint8)
        palette = bytes(range(6)) if kind == PALETTE else None
        png = png_filters.write(image, kind, depth, [4, 2, 1, 3, 0], palette=palette)
        for strip in (1, 100, 1000):
            monkeypatch.setattr(inflate, "STRIP", strip)
            monkeypatch.setattr(inflate, "PIECE", 7)
            np.testing.assert_array_equal(decode(png).values.reshape(image.shape), image)


# -- damage


def verdict(png: bytes) -> bytes | None:
    """Pixels, or None where they are refused."""
    try:
        return decode(png).values.tobytes()
    except AnswerError as error:
        assert "\n" not in str(error) and len(str(error)) < 200
        return None


def strict(packed: bytes, n_bytes: int) -> bytes | None:
    """Bytes of a stream that zlib accepts as far as these and one more, None where it does not."""
    stream = zlib.decompressobj()
    try:
        found = stream.decompress(packed, n_bytes)
        stream.decompress(stream.unconsumed_tail, 1)
    except zlib.error:
        return None
    return found if len(found) == n_bytes else None


@given(st.data())
@settings(max_examples=400, deadline=None)
def test_damage_is_judged_as_zlib_and_the_standard_judge_it(data: st.DataObject) -> None:
    """The chunk's sum is right, the stream is not: as a hostile file may be."""
    image = data.draw(samples(GREY, 8, 255))
    height, width = image.shape[:2]
    raw = bytearray(png_filters.stream(image, GREY, 8, [0, 1, 2, 3, 4]))
    for _ in range(data.draw(st.integers(0, 2))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    raw = raw[: data.draw(st.sampled_from([len(raw)] * 3 + [len(raw) - 1, 0]))]
    extra = data.draw(st.sampled_from([0, 0, 1, 500]))
    raw += bytes(extra)
    packed = bytearray(zlib.compress(bytes(raw), data.draw(st.integers(0, 9))))
    for _ in range(data.draw(st.integers(0, 2))):
        packed[data.draw(st.integers(0, len(packed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    packed = packed[: data.draw(st.integers(len(packed) - 6, len(packed)))]
    png = png_filters.write(image, GREY, 8, [0], packed=bytes(packed))
    found = verdict(png)
    lines = strict(bytes(packed), height * (width + 1))
    if lines is None or max(lines[:: width + 1]) > 4:
        assert found is None
    else:
        assert found is not None
        if not extra:
            # Pillow goes on to the end of what is too much, and may find fault with it
            assert found == np.asarray(Image.open(io.BytesIO(png))).tobytes()


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_the_quick_library_and_zlib_give_the_same_verdict(data: st.DataObject) -> None:
    image = data.draw(samples(PALETTE, 8, 255))
    packed = bytearray(zlib.compress(png_filters.stream(image, PALETTE, 8, [4, 2])))
    for _ in range(data.draw(st.integers(1, 3))):
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    colors = bytes(range(256)) * 3
    png = png_filters.write(image, PALETTE, 8, [0], palette=colors, packed=bytes(packed))
    quick = verdict(png)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inflate, "QUICK", zlib)
        assert verdict(png) == quick


def test_a_bomb_is_unpacked_no_further_than_its_header_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bomb = zlib.compress(bytes(50_000_000))
    asked = []
    more = inflate.PixelStream.more

    def watched(self: Any, most: int) -> bytes:
        unpacked = more(self, most)
        asked.append(len(unpacked))
        return unpacked

    monkeypatch.setattr(inflate.PixelStream, "more", watched)
    image = np.zeros((10, 10, 1), np.uint8)
    assert not decode(png_filters.write(image, GREY, 8, [0], packed=bomb)).values.any()
    assert sum(asked) == 10 * 11 + 1


GUARDED = """
import ctypes, mmap
import numpy as np
from consolidation.kernels.png_colors import MARGIN, N_ABOVE, map_rows
from consolidation.kernels.png_tokens import N_TOKENS, tokenize
from consolidation.kernels.png_unfilter import unfilter
from consolidation.kernels.png_unpack import look_up, unpack

libc = ctypes.CDLL(None, use_errno=True)

def guarded(size, dtype=np.uint8):
    # between two pages that nobody may touch; the array ends where the second begins
    page = mmap.PAGESIZE
    n_bytes = size * np.dtype(dtype).itemsize
    inner = -(-n_bytes // page) * page
    memory = mmap.mmap(-1, inner + 2 * page)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    for place in (start, start + page + inner):
        assert libc.mprotect(ctypes.c_void_p(place), page, 0) == 0
    kept.append(memory)
    whole = np.frombuffer(memory, np.uint8)[page + inner - n_bytes : page + inner]
    return whole.view(dtype)

kept = []
rng = np.random.default_rng(0)
for width in (1, 2, 3, 7, 63, 64, 65, 127, 128, 130, 192, 200):
    for bits in (1, 2, 4, 8, 24, 32):
        line, n_rows = 1 + (width * bits + 7) // 8, 3
        for filter_ in range(5):
            for content in (0, 3):
                buffer = guarded((n_rows + 1) * line)
                buffer[:] = rng.integers(0, content + 1, buffer.size)
                buffer[line::line] = filter_
                assert unfilter(buffer, line, line, n_rows, max(1, bits // 8)) == n_rows
        out = guarded(n_rows * width).reshape(n_rows, width)
        highest, counts = np.zeros(64, np.uint8), np.zeros(256, np.int64)
        if bits <= 8:
            table = np.arange(256, dtype=np.uint8)
            unpack(buffer, line, line, bits, out, highest)
            look_up(buffer, line, line, bits, table, 1 << bits, table[:3], out, highest, counts)
            if bits == 8:
                look_up(buffer, line, line, bits, table, 40, table[:3], out, highest, counts)
        else:
            wide = guarded((n_rows + 1) * line + MARGIN)
            wide[: buffer.size] = buffer
            keys, values = np.full(1 << 14, -1, np.int64), np.zeros(1 << 14, np.uint8)
            above = np.zeros((-(-width // 64), N_ABOVE), np.int64)
            slots = np.zeros(1 << 14, np.int64)
            row = x = 0
            while row < n_rows:
                row, x, slot = map_rows(wide, line, line, bits // 8, n_rows, 0, row, x, keys,
                                        values, slots, above, out)
                if row < n_rows:
                    first = (row + 1) * line + 1 + x * bits // 8
                    color = wide[first : first + bits // 8].tolist() + [255]
                    keys[slot] = int.from_bytes(bytes(color[:4]), "little")
        tokens = guarded(n_rows * (width + 1), np.uint16)
        above_row = guarded(width)
        same, adler = np.arange(256, dtype=np.uint8), np.array([1, 0], np.uint64)
        tokenize(above_row, out, same, False, tokens, adler, np.zeros(N_TOKENS, np.int64))
print("untouched")
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the guard pages are Linux's")
def test_no_kernel_touches_memory_beside_its_arrays() -> None:
    """A read or write next to an array ends this process: the memory there may not be touched."""
    done = subprocess.run(
        [sys.executable, "-c", GUARDED], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.returncode) == ("untouched\n", 0), done.stderr[-2000:]
