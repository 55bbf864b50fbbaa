"""The hunt for wrong masks: the result is right, or it says what is not."""

from __future__ import annotations

import base64
import io
import json
import struct
import unicodedata
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from consolidation.errors import ObjectError
from consolidation.formats.groundtruth import Annotation, AnnotationAnswer
from consolidation.masks import Classes, decode
from consolidation.objects.pipeline import consolidate_object
from consolidation.objects.prepare import LabeledObject
from tests import tiny_png, wire
from tests.wire import BLUE, GREEN, ORANGE, PLAIN

LABELS = {"cat": GREEN, "dog": BLUE, "café": ORANGE}
CLASSES = Classes.of_labels(list(LABELS))
COLORS = [(0, 0, 0, 0), *((*bytes.fromhex(one[1:]), 255) for one in LABELS.values())]
Mask = tiny_png.Samples
SHAPE = (6, 5)
"""Rows and columns of every image here, as each answer says."""


@dataclass(frozen=True)
class Fault:
    """What was done to one answer, and what it then means: a mask, or None if it must be said."""

    answer: dict[str, Any]
    means: Mask | None


def rgba(mask: Mask) -> Mask:
    return np.array(COLORS, np.uint8)[mask]


def saved(image: Image.Image, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", **options)
    return file.getvalue()


def sent(png: bytes, labels: dict[str, str] | None = None, **extra: Any) -> dict[str, Any]:
    extra.setdefault("inputImageProperties", {"height": SHAPE[0], "width": SHAPE[1]})
    return wire.picture_content(png, LABELS if labels is None else labels, **extra)


def indexed(mask: Mask, order: Sequence[int] = (0, 1, 2, 3), depth: int = 8, **how: Any) -> bytes:
    """Palette PNG whose index k is class order[k]."""
    place = np.argsort(order).astype(np.uint8)
    palette = b"".join(bytes(COLORS[one][:3]) for one in order)
    alphas = bytes(COLORS[one][3] for one in order)
    return tiny_png.write(place[mask], tiny_png.PALETTE, depth, palette=palette, trns=alphas, **how)


def with_chunk(png: bytes, name: bytes, content: bytes, at: int = 33) -> bytes:
    return png[:at] + tiny_png.chunk(name, content) + png[at:]


def animated(png: bytes) -> bytes:
    return with_chunk(png, b"acTL", struct.pack(">II", 0, 0))


def ends_early(mask: Mask, rows: int, **how: Any) -> bytes:
    """PNG whose compressed pixels end properly, some rows early; every sum is right."""
    png = indexed(mask, **how)
    [data] = [content for name, content in tiny_png.chunks(png) if name == b"IDAT"]
    raw = zlib.decompress(data)
    short = zlib.compress(raw[: -rows * (len(raw) // mask.shape[0])])
    return png.replace(tiny_png.chunk(b"IDAT", data), tiny_png.chunk(b"IDAT", short))


def renamed(labels: dict[str, str], old: str, new: str) -> dict[str, str]:
    return {new if name == old else name: color for name, color in labels.items()}


def legal(mask: Mask) -> dict[str, Fault]:
    """Other ways to say the same: colours are data."""
    samples = rgba(mask)
    rgb_key = b"\0\0" * 3
    swapped = {"cat": BLUE, "dog": GREEN, "café": ORANGE}
    turned = np.array([0, 2, 1, 3], np.uint8)[mask]
    image = Image.fromarray(samples, "RGBA") if hasattr(Image, "fromarray") else None
    assert image is not None
    return {
        "as it is": Fault(sent(indexed(mask)), mask),
        "palette in another order": Fault(sent(indexed(mask, (3, 1, 0, 2))), mask),
        "two bits a pixel": Fault(sent(indexed(mask, depth=2)), mask),
        "interlaced": Fault(sent(indexed(mask, interlaced=True)), mask),
        "in many chunks": Fault(sent(indexed(mask, idat_size=3)), mask),
        "RGBA": Fault(sent(tiny_png.write(samples, tiny_png.RGBA)), mask),
        "RGBA by Pillow": Fault(sent(saved(image)), mask),
        "RGB with a transparent color": Fault(
            sent(tiny_png.write(samples[..., :3], tiny_png.RGB, trns=rgb_key)), mask
        ),
        "gamma": Fault(sent(with_chunk(indexed(mask), b"gAMA", struct.pack(">I", 1))), mask),
        "sRGB": Fault(sent(with_chunk(indexed(mask), b"sRGB", b"\1")), mask),
        "profile": Fault(
            sent(with_chunk(indexed(mask), b"iCCP", b"x\0\0" + zlib.compress(b"y"))), mask
        ),
        "an animation of no frames": Fault(sent(animated(indexed(mask))), mask),
        "rotated by EXIF": Fault(
            sent(
                with_chunk(indexed(mask), b"eXIf", b"MM\0*\0\0\0\10\0\1\1\22\0\3\0\0\0\1\0\6\0\0")
            ),
            mask,
        ),
        "labels in another order": Fault(sent(indexed(mask), dict(reversed(LABELS.items()))), mask),
        "colors of two labels swapped": Fault(sent(indexed(mask), swapped), turned),
        "colors in capitals": Fault(
            sent(indexed(mask), {name: color.upper() for name, color in LABELS.items()}), mask
        ),
        "data URI": Fault(_data_uri(indexed(mask)), mask),
    }


def _data_uri(png: bytes) -> dict[str, Any]:
    answer = sent(png)
    image = answer["crowd-semantic-segmentation"]["labeledImage"]
    image["pngImageData"] = "data:image/png;base64," + image["pngImageData"]
    return answer


def illegal(mask: Mask) -> dict[str, Fault]:
    """What must be said: the answer is dropped, or its pixels are ignored, with a warning."""
    good = indexed(mask)
    height, width = mask.shape
    size = {"height": height, "width": width}
    faded = rgba(mask)
    faded[..., 3] //= 2
    shaded = rgba(mask)
    shaded[..., 1] ^= 1
    grey = tiny_png.write(mask, tiny_png.GREY)
    deep = tiny_png.write(rgba(mask).astype(np.uint16), tiny_png.RGBA, 16)
    double = good[:33] + tiny_png.header(height, width, 8, 3) + good[33:]
    plte = next(content for name, content in tiny_png.chunks(good) if name == b"PLTE")
    wide = np.repeat(mask, 2, axis=1)
    found = {
        "turned": sent(indexed(np.rot90(mask))),
        "larger": sent(indexed(wide)),
        "cropped": sent(indexed(mask[1:])),
        "half transparent": sent(tiny_png.write(faded, tiny_png.RGBA)),
        "off by one in green": sent(tiny_png.write(shaded, tiny_png.RGBA)),
        "grey": sent(grey),
        "16 bits": sent(deep),
        "two headers": sent(double),
        "two palettes": sent(with_chunk(good, b"PLTE", plte)),
        "transparency before the palette": sent(with_chunk(good, b"tRNS", b"\0")),
        "an unknown chunk that matters": sent(with_chunk(good, b"CgBI", b"")),
        "rows missing": sent(ends_early(mask, 1)),
        "half of the rows missing": sent(ends_early(mask, mask.shape[0] // 2)),
        "rows missing, two bits": sent(ends_early(mask, 1, depth=2)),
        "cut off": sent(good[:-20]),
        "no base64": {"a": {"labeledImage": {"pngImageData": "!"}, "labelMappings": {}}},
        "a picture of JPEG": sent(_jpeg(mask)),
        "a wrong size": sent(good, inputImageProperties={**size, "width": width + 1}),
        "sides swapped": sent(good, inputImageProperties={"height": width, "width": height}),
        "two labels of one color": sent(good, {**LABELS, "dog": GREEN}),
        "no labels": sent(good, {}),
        "a label less": sent(good, {name: LABELS[name] for name in ("cat", "dog")}),
        "another label": sent(good, renamed(LABELS, "cat", "lion")),
        "another case": sent(good, renamed(LABELS, "cat", "Cat")),
        "a space": sent(good, renamed(LABELS, "cat", "cat ")),
        "a Cyrillic letter": sent(good, renamed(LABELS, "cat", "c\u0430t")),
        "a letter of no width": sent(good, renamed(LABELS, "cat", "cat\u200b")),
        "another Unicode form": sent(
            good, renamed(LABELS, "café", unicodedata.normalize("NFD", "café"))
        ),
        "a color that is none": sent(good, {**LABELS, "cat": "green"}),
    }
    return {name: Fault(answer, None) for name, answer in found.items()}


def _jpeg(mask: Mask) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(rgba(mask)[..., :3])).save(file, "JPEG")
    return file.getvalue()


def vote(masks: Sequence[Mask]) -> Mask:
    """Most votes, lowest class first: by hand."""
    counts = [sum((one == k).astype(int) for one in masks) for k in range(len(CLASSES))]
    return np.argmax(counts, axis=0).astype(np.uint8)


def consolidated(answers: Sequence[dict[str, Any]]) -> Any:
    given = [
        (f"w{place}", AnnotationAnswer(Annotation(f"w{place}", content=json.dumps(one))))
        for place, one in enumerate(answers)
    ]
    return consolidate_object(LabeledObject("7", {}, given), CLASSES, PLAIN)


def masks_of(seed: int, n: int = 3) -> list[Mask]:
    """Masks with every class in the first and the last row."""
    rng = np.random.default_rng(seed)
    masks = rng.integers(0, 4, (n, *SHAPE), np.uint8)
    masks[:, 0, :4] = masks[:, -1, :4] = [0, 1, 2, 3]
    return list(masks)


NAMES = {"legal": list(legal(masks_of(0)[0])), "illegal": list(illegal(masks_of(0)[0]))}


@pytest.mark.parametrize("name", NAMES["legal"])
def test_other_ways_to_say_the_same_mean_the_same(name: str) -> None:
    for seed in range(5):
        first, *others = masks_of(seed)
        fault = legal(first)[name]
        assert fault.means is not None
        result = consolidated([fault.answer, *(sent(indexed(one)) for one in others)])
        np.testing.assert_array_equal(result.consensus.labels, vote([fault.means, *others]))
        np.testing.assert_array_equal(decode(result.mask_png).values, result.consensus.labels)
        assert result.warnings == []


@pytest.mark.parametrize("name", NAMES["illegal"])
@pytest.mark.parametrize("workers", [1, 3])
def test_what_means_nothing_is_said(name: str, workers: int) -> None:
    for seed in range(5):
        first, *others = masks_of(seed, workers)
        answers = [illegal(first)[name].answer, *(sent(indexed(one)) for one in others)]
        try:
            result = consolidated(answers)
        except ObjectError as error:
            assert workers == 1 and "w0" in str(error)
            continue
        about = {one.worker for one in result.warnings}
        assert about == {"w0"}
        if any(one.dropped for one in result.warnings):
            np.testing.assert_array_equal(result.consensus.labels, vote(others))


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_no_row_is_missing_in_silence(seed: int, interlaced: bool) -> None:
    # every row of zeros: what is missing looks like what was there
    [mask] = masks_of(seed, 1)
    mask[3:] = 0
    for rows in range(1, 6):
        answer = sent(ends_early(mask, rows, interlaced=interlaced))
        with pytest.raises(ObjectError, match=r"bytes of pixels, 5 x 6 have|file is truncated"):
            consolidated([answer])


def test_blank_and_full_answers_are_what_they_are() -> None:
    blank, full = np.zeros((6, 5), np.uint8), np.full((6, 5), 2, np.uint8)
    for depth in (1, 8):
        png = tiny_png.write(blank, tiny_png.PALETTE, depth, palette=bytes(3), trns=b"\0")
        result = consolidated([sent(png), sent(indexed(full)), sent(indexed(full))])
        assert (result.consensus.labels == 2).all()
        assert result.warnings == [] and result.blank == {"w0"}


@pytest.mark.slow
@given(st.data())
@settings(max_examples=150, deadline=None)
def test_no_damaged_byte_of_an_answer_is_believed(data: st.DataObject) -> None:
    """Bytes of the picture are changed, added, taken away: dropped, or the mask it was."""
    first, *others = masks_of(data.draw(st.integers(0, 9)))
    fault = legal(first)[data.draw(st.sampled_from(NAMES["legal"]))]
    [element] = fault.answer.values()
    text = element["labeledImage"]["pngImageData"].removeprefix("data:image/png;base64,")
    png = bytearray(base64.b64decode(text))
    at = data.draw(st.integers(0, len(png)))
    how: Callable[[], None] = data.draw(
        st.sampled_from(
            [
                lambda: png.__setitem__(slice(at, at + 1), bytes([(png[at % len(png)] + 1) % 256])),
                lambda: png.__setitem__(slice(at, at + 3), b""),
                lambda: png.__setitem__(slice(at, at), b"\0"),
                lambda: png.__setitem__(slice(at, at + 40), png[at : at + 40][::-1]),
            ]
        )
    )
    how()
    element["labeledImage"]["pngImageData"] = base64.b64encode(bytes(png)).decode()
    result = consolidated([fault.answer, *(sent(indexed(one)) for one in others)])
    if not result.warnings:
        assert fault.means is not None
        others = [fault.means, *others]
    np.testing.assert_array_equal(result.consensus.labels, vote(others))


@pytest.mark.parametrize("turn", [np.fliplr, np.flipud, lambda one: np.rot90(one, 2)])
def test_what_cannot_be_known_is_a_vote_and_shows_in_agreement(turn: Any) -> None:
    """A mirrored mask is a mask: outvoted where others agree, and its worker agrees least."""
    [mask] = masks_of(3, 1)
    answers = [sent(indexed(turn(mask))), *(sent(indexed(mask)) for _ in range(2))]
    result = consolidated(answers)
    np.testing.assert_array_equal(result.consensus.labels, mask)
    least = min(result.consensus.workers, key=lambda one: one.agreement)
    assert least.worker == "w0"


@given(st.permutations(range(4)), st.integers(0, 50))
@settings(max_examples=30, deadline=None)
def test_the_order_of_answers_does_not_matter(order: list[int], seed: int) -> None:
    masks = masks_of(seed, 4)
    result = consolidated([sent(indexed(masks[place])) for place in order])
    np.testing.assert_array_equal(result.consensus.labels, vote(masks))


@given(st.permutations(range(4)), st.permutations(list(LABELS.values())), st.integers(0, 50))
@settings(max_examples=50, deadline=None)
def test_neither_palette_nor_colors_of_labels_matter(
    order: list[int], colors: list[str], seed: int
) -> None:
    first, *others = masks_of(seed)
    labels = dict(zip(LABELS, colors, strict=True))
    wanted = [(0, 0, 0, 0), *((*bytes.fromhex(one[1:]), 255) for one in colors)]
    place = np.argsort(order).astype(np.uint8)
    png = tiny_png.write(
        place[first],
        tiny_png.PALETTE,
        palette=b"".join(bytes(wanted[one][:3]) for one in order),
        trns=bytes(wanted[one][3] for one in order),
    )
    result = consolidated([sent(png, labels), *(sent(indexed(one)) for one in others)])
    np.testing.assert_array_equal(result.consensus.labels, vote([first, *others]))
    assert result.warnings == []
