"""Our own encoder: what it writes is read by everybody, and is the same bytes everywhere."""

from __future__ import annotations

import hashlib
import heapq
import io
import zlib
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from consolidation.kernels import deflate, huffman
from consolidation.kernels.png_tokens import LITERALS, MIN_MATCH, N_TOKENS, tokenize
from consolidation.masks import decode_indices, encode_grey, encode_indexed, png_encode
from consolidation.masks.png_encode import SAME
from tests import tiny_png

Mask = npt.NDArray[np.uint8]
RAMP = np.stack([np.arange(256), 255 - np.arange(256), np.arange(256) * 7 % 256], 1).astype(
    np.uint8
)


DIGEST = "315c564cf6913ccdc73479c8025121860ec7c282f7ea0907660aa720a6aa6c18"


@st.composite
def masks(draw: st.DrawFn) -> Mask:
    """Blobs, runs of every length, noise; wide enough for matches of 258 and several registers."""
    height, width = draw(st.integers(1, 6)), draw(st.sampled_from([1, 2, 63, 64, 65, 300, 1200]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n_values = draw(st.sampled_from([1, 2, 9, 256]))
    ends = np.sort(rng.integers(0, width + 1, draw(st.integers(0, 8))))
    colors = rng.integers(0, n_values, 9).astype(np.uint8)
    base = colors[np.searchsorted(ends, np.arange(width), "right")]
    out = np.stack([np.roll(base, shift) for shift in rng.integers(0, 4, height)])
    noisy = rng.random(out.shape) < draw(st.sampled_from([0, 0.01, 1]))
    out[noisy] = rng.integers(0, n_values, int(noisy.sum()))
    return out


def differences(mask: Mask) -> bytes:
    """Rows after filter 2, as the standard says."""
    above = np.vstack([np.zeros_like(mask[:1]), mask[:-1]])
    return np.hstack([np.full((len(mask), 1), 2, np.uint8), mask - above]).tobytes()


@given(masks(), st.sampled_from([1 << 18, 1000, 1]))
@settings(max_examples=300, deadline=None)
def test_any_mask_is_read_back_by_everybody(mask: Mask, strip: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        # several blocks, of bits that do not fill bytes
        patch.setattr(png_encode, "STRIP", strip)
        png = encode_indexed(mask, RAMP)
    content = dict(tiny_png.chunks(png))
    assert zlib.decompress(content[b"IDAT"]) == differences(mask)
    np.testing.assert_array_equal(decode_indices(png), mask)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(png))), mask)
    bgr = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(bgr[..., ::-1], RAMP[mask])


@given(masks(), st.sampled_from([1 << 18, 1000]), st.integers(0, 9))
@settings(max_examples=100, deadline=None)
def test_a_table_is_looked_up_on_the_way(mask: Mask, strip: int, seed: int) -> None:
    # not injective, and 0 is not 0
    table = np.random.default_rng(seed).integers(0, 5, 256).astype(np.uint8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(png_encode, "STRIP", strip)
        png = encode_grey((mask.shape[0], mask.shape[1]), mask.__getitem__, table)
        assert png == encode_grey((mask.shape[0], mask.shape[1]), table[mask].__getitem__)
    np.testing.assert_array_equal(decode_indices(png), table[mask])


@given(masks())
@settings(max_examples=100, deadline=None)
def test_tokens_stand_for_the_differences(mask: Mask) -> None:
    tokens = np.empty(mask.shape[0] * (mask.shape[1] + 1), np.uint16)
    adler, frequencies = np.array([1, 0], np.uint64), np.zeros(N_TOKENS, np.int64)
    n = tokenize(np.zeros(mask.shape[1], np.uint8), mask, SAME, True, tokens, adler, frequencies)
    out = bytearray()
    for token in tokens[:n].tolist():
        out += bytes([token]) if token < LITERALS else out[-1:] * (token - LITERALS + MIN_MATCH)
    expected = differences(mask)
    assert bytes(out) == expected
    assert int(adler[1]) << 16 | int(adler[0]) == zlib.adler32(expected)
    np.testing.assert_array_equal(frequencies, np.bincount(tokens[:n], minlength=N_TOKENS))


def lengths_of(frequencies: npt.NDArray[Any], limit: int) -> Mask:
    n = len(frequencies)
    lengths, symbols = np.empty(n, np.uint8), np.empty(n, np.int64)
    weights, parents = np.empty((2, 2 * n), np.int64)
    huffman.code_lengths(frequencies, limit, lengths, symbols, weights, parents)
    return lengths


def least_bits(frequencies: list[int]) -> int:
    """Bits that the best code without a limit takes, by the usual heap."""
    heap = sorted(frequencies)
    total = 0
    while len(heap) > 1:
        pair = heapq.heappop(heap) + heapq.heappop(heap)
        total += pair
        heapq.heappush(heap, pair)
    return total


@given(
    st.lists(st.integers(0, 10**6), min_size=2, max_size=286).filter(
        lambda f: sum(map(bool, f)) > 1
    )
)
@settings(max_examples=200, deadline=None)
def test_codes_are_as_short_as_can_be(frequencies: list[int]) -> None:
    values = np.array(frequencies, np.int64)
    lengths = lengths_of(values, 32)
    assert ((lengths > 0) == (values > 0)).all()
    assert int((values * lengths).sum()) == least_bits([one for one in frequencies if one])
    assert sum(2.0 ** -int(one) for one in lengths if one) == 1


@pytest.mark.parametrize("limit, n", [(7, 19), (15, 30), (15, 286)])
def test_a_code_is_never_longer_than_its_limit(limit: int, n: int) -> None:
    # Fibonacci's numbers make the longest codes; then many equal ones, as codes need a place
    values = [1, 1]
    while len(values) < min(n, 60):
        values.append(values[-1] + values[-2])
    lengths = lengths_of(np.array(values + [1] * (n - len(values)), np.int64), limit)
    assert limit - 1 <= lengths.max() <= limit
    assert sum(2.0 ** -int(one) for one in lengths) == 1


def test_codes_worked_out_by_hand() -> None:
    # RFC 1951, 3.2.2: lengths 3, 3, 3, 3, 3, 2, 4, 4 are 010 011 100 101 110 00 1110 1111
    lengths = np.array([3, 3, 3, 3, 3, 2, 4, 4], np.uint8)
    codes = np.zeros(8, np.int64)
    huffman.codes(lengths, codes, np.zeros(17, np.int64))
    spelled = [f"{code:0{length}b}"[::-1] for code, length in zip(codes, lengths, strict=True)]
    assert spelled == ["010", "011", "100", "101", "110", "00", "1110", "1111"]


def test_match_lengths_have_the_symbols_of_the_standard() -> None:
    # RFC 1951, 3.2.5: first length and extra bits of symbols 257 to 285
    extras = [0] * 8 + [bits for bits in range(1, 6) for _ in range(4)] + [0]
    first = 3
    for symbol, extra in enumerate(extras, 257):
        for rest in range(1 << extra):
            length = 258 if symbol == 285 else first + rest
            if length == 258 and symbol == 284:
                continue  # it has a symbol of its own
            assert deflate._symbol_of(length) == (symbol, extra, rest)
        first += 1 << extra


def test_bytes_are_the_same_everywhere() -> None:
    """A mask's bytes are a promise: another sum needs another name of the encoder."""
    rows, columns = np.mgrid[:400, :700]
    mask = ((rows // 37 + columns // 53 + (rows * columns) // 4999) % 9).astype(np.uint8)
    png = encode_indexed(mask, RAMP)
    assert png_encode.ENCODER == "up-runs-1"
    assert hashlib.sha256(png).hexdigest() == DIGEST
    assert encode_indexed(np.asfortranarray(mask), RAMP) == png


def test_smaller_than_pillows_default() -> None:
    rows, columns = np.mgrid[:600, :600]
    mask = ((np.hypot(rows - 300, columns - 250) // 70).astype(np.uint8) * 3) % 7
    theirs = io.BytesIO()
    Image.fromarray(mask).save(theirs, "PNG")
    assert len(encode_grey((600, 600), mask.__getitem__)) <= len(theirs.getvalue())
