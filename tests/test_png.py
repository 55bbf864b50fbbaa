"""PNG in and out: every kind of file against the letter of the standard, and against Pillow."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from typing import Any

import cv2
import imageio.v3 as imageio
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from consolidation.errors import AnswerError
from consolidation.masks import (
    MAX_PIXELS,
    Pixels,
    decode,
    decode_indices,
    encode_grey,
    encode_indexed,
    read_header,
)
from tests import tiny_png
from tests.tiny_png import GREY, GREY_ALPHA, PALETTE, RGB, RGBA

Mask = npt.NDArray[np.uint8]
COLORS = bytes(range(1, 49))


def grey_png(values: npt.NDArray[np.uint8]) -> bytes:
    return encode_grey((values.shape[0], values.shape[1]), values.__getitem__)


GOOD = np.array([[0, 1, 2], [2, 1, 0]], np.uint8)
GOOD_PNG = tiny_png.write(GOOD, PALETTE, palette=COLORS)


@dataclass(frozen=True)
class Case:
    """Everything that `tiny_png` needs, and whether Pillow's expansion can be believed."""

    samples: Mask
    kind: int
    depth: int
    palette: bytes | None
    trns: bytes | None
    interlaced: bool

    def png(self, **keywords: Any) -> bytes:
        return tiny_png.write(
            self.samples,
            self.kind,
            self.depth,
            palette=self.palette,
            trns=self.trns,
            interlaced=self.interlaced,
            **keywords,
        )

    def rgba(self) -> Mask:
        return tiny_png.expected_rgba(
            self.samples, self.kind, self.depth, palette=self.palette, trns=self.trns
        )

    @property
    def pillow_is_right(self) -> bool:
        # Pillow compares the unscaled key with scaled grey levels
        return not (self.kind == GREY and self.trns is not None and self.depth < 8)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    kind = draw(st.sampled_from([GREY, RGB, PALETTE, GREY_ALPHA, RGBA]))
    depth = draw(st.sampled_from([1, 2, 4, 8])) if kind in (GREY, PALETTE) else 8
    n_colors = draw(st.integers(1, 2**depth))
    highest = n_colors - 1 if kind == PALETTE else 2**depth - 1
    shape = (draw(st.integers(1, 20)), draw(st.integers(1, 20)), tiny_png.CHANNELS[kind])
    # few different values, so that transparent keys are met
    values = draw(st.lists(st.integers(0, highest), min_size=1, max_size=6))
    samples = draw(arrays.arrays(np.uint8, shape, elements=st.sampled_from(values)))
    palette = trns = None
    if kind == PALETTE:
        palette = draw(st.binary(min_size=3 * n_colors, max_size=3 * n_colors))
        # absent, empty, short, whole
        trns = draw(st.none() | st.binary(max_size=n_colors))
    elif kind in (GREY, RGB) and draw(st.booleans()):
        pick = samples.reshape(-1, shape[2])[draw(st.integers(0, shape[0] * shape[1] - 1))]
        trns = np.array(pick, ">u2").tobytes()
    return Case(samples, kind, depth, palette, trns, draw(st.booleans()))


def rgba(pixels: Pixels) -> Mask:
    if pixels.palette is not None:
        return pixels.palette[pixels.values]
    if pixels.values.shape[2] == 4:
        return pixels.values
    return np.dstack([pixels.values, np.full(pixels.values.shape[:2], 255, np.uint8)])


@given(cases())
@settings(max_examples=300, deadline=None)  # kernels are compiled at their first call
def test_every_kind_of_png_means_its_rgba_expansion(case: Case) -> None:
    png = case.png()
    found = decode(png)
    np.testing.assert_array_equal(rgba(found), case.rgba())
    if case.pillow_is_right:
        opened = Image.open(io.BytesIO(png)).convert("RGBA")
        np.testing.assert_array_equal(rgba(found), np.asarray(opened))
    header = read_header(png)
    assert (header.height, header.width) == found.values.shape[:2] == case.samples.shape[:2]
    assert (header.depth, header.color_type) == (case.depth, case.kind)


@given(cases())
def test_stored_indices_are_samples_not_colors(case: Case) -> None:
    if case.kind in (GREY, PALETTE):
        np.testing.assert_array_equal(decode_indices(case.png()), case.samples[..., 0])
    else:
        with pytest.raises(AnswerError, match="colour picture"):
            decode_indices(case.png())


@given(cases())
@settings(max_examples=30)
def test_pixels_may_be_split_over_many_chunks(case: Case) -> None:
    np.testing.assert_array_equal(rgba(decode(case.png(idat_size=3))), case.rgba())


def test_grey_key_below_eight_bits_worked_out_by_hand() -> None:
    # samples 0..3 at two bits are the greys 0, 85, 170, 255; sample 2 is the transparent one
    png = tiny_png.write(np.array([[0, 1, 2, 3]]), GREY, 2, trns=b"\0\2")
    found = rgba(decode(png))[0].tolist()
    assert found == [[0, 0, 0, 255], [85, 85, 85, 255], [170, 170, 170, 0], [255, 255, 255, 255]]


@pytest.mark.parametrize("kind", [GREY, RGB])
def test_only_the_low_bits_of_a_transparent_key_count(kind: int) -> None:
    samples = np.full((1, 1, tiny_png.CHANNELS[kind]), 7, np.uint8)
    key = b"\x09\x07" * tiny_png.CHANNELS[kind]
    assert rgba(decode(tiny_png.write(samples, kind, trns=key)))[0, 0, 3] == 0


@pytest.mark.parametrize("trns", [b"\xff" * 299 + b"\0", b"\7" * 300])
def test_more_transparencies_than_colors_do_no_harm(trns: bytes) -> None:
    found = decode(tiny_png.write(GOOD, PALETTE, palette=COLORS, trns=trns))
    np.testing.assert_array_equal(rgba(found)[..., 3], np.full(GOOD.shape, trns[0]))


def test_colors_after_the_pixels_do_not_count() -> None:
    late = tiny_png.chunk(b"tRNS", b"\0\0\0") + tiny_png.chunk(b"PLTE", bytes(9))
    found = decode(GOOD_PNG[:-12] + late + GOOD_PNG[-12:])
    np.testing.assert_array_equal(rgba(found), rgba(decode(GOOD_PNG)))


@pytest.mark.parametrize("kind", [GREY, RGB, GREY_ALPHA, RGBA])
@pytest.mark.parametrize("interlaced", [False, True])
def test_sixteen_bits_a_channel_are_refused(kind: int, interlaced: bool) -> None:
    samples = np.zeros((2, 2, tiny_png.CHANNELS[kind]), np.uint16)
    png = tiny_png.write(samples, kind, 16, interlaced=interlaced)
    Image.open(io.BytesIO(png)).load()  # it is a proper file
    for read in (read_header, decode, decode_indices):
        with pytest.raises(AnswerError, match="16 bits a channel"):
            read(png)


@pytest.mark.parametrize("kind, depth", [(RGB, 4), (RGBA, 1), (PALETTE, 16), (5, 8), (GREY, 3)])
def test_kinds_that_do_not_exist_are_refused(kind: int, depth: int) -> None:
    png = tiny_png.SIGNATURE + tiny_png.header(3, 2, depth, kind) + GOOD_PNG[33:]
    with pytest.raises(AnswerError, match=f"colour type {kind}, depth {depth}"):
        read_header(png)


@pytest.mark.parametrize(
    "case",
    [
        tiny_png.write(GOOD, PALETTE, palette=COLORS),
        tiny_png.write(GOOD, PALETTE, 2, palette=COLORS[:12], trns=b"\0", interlaced=True),
        tiny_png.write(np.arange(24, dtype=np.uint8).reshape(2, 3, 4), RGBA, idat_size=9),
    ],
    ids=["palette", "interlaced", "rgba in pieces"],
)
def test_every_truncation_is_noticed(case: bytes) -> None:
    decode(case)
    for length in range(len(case)):
        with pytest.raises(AnswerError, match="PNG"):
            decode(case[:length])


@given(st.data())
@settings(max_examples=200)
def test_no_flipped_bit_is_believed(data: st.DataObject) -> None:
    png = bytearray(
        data.draw(
            st.sampled_from(
                [
                    tiny_png.write(GOOD, PALETTE, palette=COLORS, trns=b"\0", idat_size=4),
                    tiny_png.write(np.arange(18, dtype=np.uint8).reshape(2, 3, 3), RGB),
                ]
            )
        )
    )
    at = data.draw(st.integers(0, len(png) - 1))
    png[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(AnswerError, match="PNG"):
        decode(bytes(png))


def test_a_wrong_check_sum_of_pixels_is_noticed() -> None:
    # Pillow skips these sums
    end_of_pixels = GOOD_PNG.index(b"IEND") - 4
    png = GOOD_PNG[: end_of_pixels - 1] + b"\0" + GOOD_PNG[end_of_pixels:]
    Image.open(io.BytesIO(png)).load()
    with pytest.raises(AnswerError, match="checksum"):
        decode(png)


def test_sixty_thousand_squared_is_refused_unseen() -> None:
    png = tiny_png.SIGNATURE + tiny_png.header(60_000, 60_000, 8, PALETTE) + GOOD_PNG[33:]
    for read in (read_header, decode, decode_indices):
        with pytest.raises(AnswerError, match="60000 x 60000 pixels, the limit is 150,000,000"):
            read(png)


def test_the_limit_of_pixels_is_inclusive() -> None:
    decode(GOOD_PNG, max_pixels=6)
    with pytest.raises(AnswerError, match="3 x 2 pixels, the limit is 5"):
        decode(GOOD_PNG, max_pixels=5)
    # Pillow warns above 89 and fails above 179 megapixels; warnings are errors here
    assert MAX_PIXELS > 100_000_000
    assert decode(grey_png(np.zeros((1, 90_000_000), np.uint8))).values.size == 90_000_000


@pytest.mark.parametrize("width, height", [(0, 2), (3, 0), (0, 0)])
def test_zero_size_is_refused(width: int, height: int) -> None:
    png = tiny_png.SIGNATURE + tiny_png.header(width, height, 8, PALETTE) + GOOD_PNG[33:]
    with pytest.raises(AnswerError, match=f"PNG of {width} x {height} pixels"):
        decode(png)


@pytest.mark.parametrize(
    "data, reason",
    [
        (b"", "is empty"),
        (b"GIF89a" + bytes(40), "not a PNG"),
        (b"\xff\xd8\xff\xe0" + bytes(40), "not a PNG"),
        (GOOD_PNG[1:], "not a PNG"),
        (tiny_png.SIGNATURE, "without a header, 8 bytes"),
        (tiny_png.SIGNATURE + GOOD_PNG[33:], "without a header"),
        (tiny_png.write(GOOD, PALETTE), "color 2 of a palette of 0"),
        (tiny_png.write(GOOD, PALETTE, palette=b""), "color 2 of a palette of 0"),
        (tiny_png.write(GOOD, PALETTE, palette=COLORS[:6]), "color 2 of a palette of 2"),
        (tiny_png.write(GOOD, PALETTE, 4, palette=COLORS[:6]), "color 2 of a palette of 2"),
        (tiny_png.write(GOOD, PALETTE, palette=b"abc" * 257), "damaged"),
        (tiny_png.write(GOOD, GREY, trns=b"\0"), "damaged"),
        (GOOD_PNG[:33] + tiny_png.header(2, 2, 8, PALETTE) + GOOD_PNG[33:], "two sizes"),
        (GOOD_PNG[:33] + tiny_png.chunk(b"IEND", b""), "damaged"),
        (GOOD_PNG.replace(b"IDAT", b"IDOT"), "damaged"),
    ],
)
def test_what_is_no_png_is_refused_in_one_line(data: bytes, reason: str) -> None:
    with pytest.raises(AnswerError, match=reason) as caught:
        decode(data)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


@given(st.binary(max_size=60))
def test_any_bytes_after_the_header_give_pixels_or_an_answer_error(junk: bytes) -> None:
    for data in (GOOD_PNG[:33] + junk, GOOD_PNG[:33] + tiny_png.chunk(b"IDAT", junk)):
        with pytest.raises(AnswerError):
            decode(data)


def test_texts_profiles_and_animations_are_never_looked_at() -> None:
    packed = zlib.compress(bytes(20_000_000))
    junk = [
        tiny_png.chunk(b"zTXt", b"x\0\0" + packed),
        tiny_png.chunk(b"iTXt", b"x\0\1\0\0\0" + packed),
        tiny_png.chunk(b"iCCP", b"x\0\0" + packed),
        tiny_png.chunk(b"acTL", bytes(8)),  # an animation of no frames, which Pillow warns about
        tiny_png.chunk(b"gAMA", (1).to_bytes(4, "big")),
        tiny_png.chunk(b"eXIf", b"MM\0*"),
    ]
    found = decode(GOOD_PNG[:33] + b"".join(junk) + GOOD_PNG[33:])
    np.testing.assert_array_equal(rgba(found), rgba(decode(GOOD_PNG)))


# -- writing


def random_mask(shape: tuple[int, int], n_classes: int, seed: int) -> Mask:
    # blocks, as masks are, with noise
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, n_classes, (shape[0] // 8 + 1, shape[1] // 8 + 1), np.uint8)
    mask = np.kron(coarse, np.ones((8, 8), np.uint8))[: shape[0], : shape[1]]
    noisy = rng.random(shape) < 0.05
    mask[noisy] = rng.integers(0, n_classes, noisy.sum())
    return mask


RAMP = np.stack([np.arange(256), 255 - np.arange(256), np.arange(256) * 7 % 256], 1).astype(
    np.uint8
)
MASKS = {
    "one pixel": np.array([[3]], np.uint8),
    "one row": np.arange(256, dtype=np.uint8)[None],
    "one column": np.arange(256, dtype=np.uint8)[:, None],
    "blocks": random_mask((61, 83), 5, 0),
    "noise": random_mask((40, 7), 256, 1),
    "transposed": random_mask((33, 57), 9, 2).T,
}


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS.keys())
def test_masks_decode_alike_everywhere(mask: Mask) -> None:
    png = encode_indexed(mask, RAMP)
    with Image.open(io.BytesIO(png)) as image:
        assert image.mode == "P"
        assert "transparency" not in image.info
        np.testing.assert_array_equal(np.asarray(image), mask)
        np.testing.assert_array_equal(np.asarray(image.convert("RGB")), RAMP[mask])
        alpha = np.asarray(image.convert("RGBA"))[..., 3]
    assert alpha.min() == 255
    bgr = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(bgr[..., ::-1], RAMP[mask])
    unchanged = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    assert unchanged.shape[2] == 3, "an alpha channel where there should be none"
    np.testing.assert_array_equal(imageio.imread(png, extension=".png", mode="RGB"), RAMP[mask])
    np.testing.assert_array_equal(decode_indices(png), mask)
    pixels = decode(png)
    assert pixels.palette is not None
    np.testing.assert_array_equal(pixels.palette[:, :3], RAMP)


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS.keys())
def test_grey_decodes_alike_everywhere(mask: Mask) -> None:
    png = grey_png(mask)
    with Image.open(io.BytesIO(png)) as image:
        assert image.mode == "L"
        np.testing.assert_array_equal(np.asarray(image), mask)
    found = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(found, mask)
    np.testing.assert_array_equal(imageio.imread(png, extension=".png"), mask)
    np.testing.assert_array_equal(decode_indices(png), mask)
    assert [name for name, _ in tiny_png.chunks(png)] == [b"IHDR", b"IDAT", b"IEND"]


def test_file_structure_is_that_of_ground_truth() -> None:
    png = encode_indexed(MASKS["blocks"], RAMP)
    found = tiny_png.chunks(png)
    assert [name for name, _ in found] == [b"IHDR", b"PLTE", b"IDAT", b"IEND"]
    content = dict(found)
    assert content[b"IHDR"] == struct.pack(">IIBBBBB", 83, 61, 8, 3, 0, 0, 0)
    assert content[b"PLTE"] == RAMP.tobytes()
    assert len(content[b"PLTE"]) == 768
    assert content[b"IDAT"][:2] == b"\x78\x9c"
    assert len(zlib.decompress(content[b"IDAT"])) == 61 * (83 + 1)
    assert png == encode_indexed(MASKS["blocks"], RAMP)


@given(arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, max_side=12)))
def test_encoding_and_decoding_is_lossless(mask: Mask) -> None:
    np.testing.assert_array_equal(decode_indices(encode_indexed(mask, RAMP)), mask)


@pytest.mark.parametrize(
    "values",
    [
        np.zeros((2, 2), np.uint16),
        np.zeros((2, 2), np.int64),
        np.zeros((2, 2, 3), np.uint8),
        np.zeros((0, 3), np.uint8),
        np.zeros((3, 0), np.uint8),
    ],
    ids=["uint16", "int64", "three axes", "no rows", "no columns"],
)
def test_what_is_no_mask_is_not_written(values: npt.NDArray[Any]) -> None:
    with pytest.raises(ValueError, match="must be uint8 of shape"):
        encode_indexed(values, RAMP)


@pytest.mark.parametrize("shape", [(255, 3), (256, 4), (768,)])
def test_a_palette_has_256_colors(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="palette must have shape"):
        encode_indexed(GOOD, np.zeros(shape, np.uint8))
