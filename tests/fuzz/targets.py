"""What is fuzzed: each takes any bytes, and raises nothing but what it says it raises.

They also check what must hold whatever comes: a picture means what Pillow says it means, a place in
a file leads back to the same object, a line that is written can be read again.
"""

from __future__ import annotations

import contextlib
import io
import json
import struct
import warnings
import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image

from consolidation.errors import AnswerError, ConsolidationError, ObjectError, SourceError
from consolidation.formats.class_list import FILES, parse_class_list
from consolidation.formats.groundtruth import (
    Annotation,
    AnnotationAnswer,
    label_names,
    lines,
    load_json,
    manifest_line,
    mask_labels,
    parse_answer,
    parse_classes,
    parse_manifest,
    parse_object,
    parse_response,
    parse_worker_responses,
    read_request,
)
from consolidation.limits import Limits
from consolidation.masks import Classes, Pixels, decode, decode_indices
from consolidation.masks.sight import look
from consolidation.masks.stored import decode_stored
from consolidation.objects.pipeline import consolidate_object
from consolidation.objects.prepare import LabeledObject
from consolidation.options import Options
from tests import tiny_png
from tests.fuzz.format_targets import FORMAT_TARGETS

MAX_PIXELS = 1 << 14
CLASSES = Classes.of_labels(["cat", "dog"])
OPTIONS = Options(method="plurality", max_pixels=MAX_PIXELS, threads=1)


def payload(data: bytes) -> None:
    """Fuzz a consolidation request, through to the mask."""
    with contextlib.suppress(SourceError):
        found = list(read_request(lambda start, end: data[start:end], "r.json", 50))
        for place, (span, one) in enumerate(found):
            with contextlib.suppress(ValueError):  # one reads NaN, the other does not
                assert parse_object(load_json(data[span.start : span.end]), place) == one
            answers = [(each.worker, AnnotationAnswer(each)) for each in one.annotations]
            answers = [each for each in answers if each[1].annotation.uri is None]
            _consolidate(LabeledObject(one.id, {}, answers, one.error))
    with contextlib.suppress(SourceError):
        for response in parse_worker_responses(data, "w.json"):
            assert response.annotation.worker


def answer(data: bytes) -> None:
    """Fuzz one worker's answer, through to the mask."""
    with contextlib.suppress(AnswerError):
        labels = label_names(data)
        assert len(labels) <= 255 and all(len(one) <= Limits.label_length for one in labels)
    with contextlib.suppress(AnswerError):
        colors = parse_answer(data).colors
        assert len(set(colors.values())) == len(colors)
    _consolidate(LabeledObject("0", {}, [("w", AnnotationAnswer(Annotation("w", content=data)))]))


def png(data: bytes) -> None:
    """Fuzz a picture: the bytes as a file whose sums are right, or as what goes into one."""
    made = _built(data[1:]) if data[:1] < b"\x80" else _with_right_sums(data[1:])
    for one in (data, made):
        try:
            found = decode(one, MAX_PIXELS)
        except AnswerError as error:
            assert str(error).isprintable()
            continue
        assert found.values.size <= 4 * MAX_PIXELS
        # of a transparent grey or RGB, Pillow neither scales the key nor cuts it to its bits
        channels = 3 if one[25] in (tiny_png.GREY, tiny_png.RGB) else 4
        with contextlib.suppress(OSError, SyntaxError, ValueError):  # such as texts too large
            theirs = pillow_rgba(one)
            assert (expand(found)[..., :channels] == theirs[..., :channels]).all()
        with contextlib.suppress(AnswerError):
            decode_indices(one, MAX_PIXELS)
        with contextlib.suppress(AnswerError):
            stored = decode_stored(one, MAX_PIXELS)
            seen = look(stored)
            if stored.indices is not None:
                assert sum(seen.values.values()) == stored.indices.size


def manifest(data: bytes) -> None:
    """Fuzz lines of a manifest, a response and label categories."""
    with contextlib.suppress(SourceError):
        parsed = parse_manifest(data, "m.manifest")
        for content in parsed:
            for label in mask_labels(content):
                assert isinstance(hash(label.classes), int)
            written = manifest_line(content, "seg-ref", "s3://b/m.png", {"type": "x"})
            assert json.loads(written)["seg-ref"] == "s3://b/m.png"
            assert "\n" not in written
    for span in lines(lambda start, end: data[start:end]):
        assert data[span.start : span.end].strip()
    with contextlib.suppress(SourceError):
        for reply in parse_response(data, "r.json").values():
            mask_labels(reply)
    with contextlib.suppress(SourceError):
        assert len(parse_classes(data, "labels.json")) <= 256
    for name in FILES:
        for no_background in (False, True):
            with contextlib.suppress(SourceError):
                assert len(parse_class_list(data, name).of_indices(no_background)) <= 256


TARGETS: dict[str, Callable[[bytes], None]] = {
    "payload": payload,
    "answer": answer,
    "png": png,
    "manifest": manifest,
    **FORMAT_TARGETS,
}


def _consolidate(obj: LabeledObject) -> None:
    try:
        result = consolidate_object(obj, CLASSES, OPTIONS)
    except ObjectError as error:
        assert len(str(error)) < 1000 * (1 + len(obj.answers))
    except ConsolidationError as error:
        raise AssertionError("an object raises ObjectError only") from error
    else:
        np.testing.assert_array_equal(decode(result.mask_png).values, result.consensus.labels)


def expand(found: Pixels) -> tiny_png.Samples:
    """RGBA (H, Wd, 4) of what was decoded."""
    if found.palette is not None:
        return found.palette[found.values]
    if found.values.shape[2] == 4:
        return found.values
    return np.dstack([found.values, np.full(found.values.shape[:2], 255, np.uint8)])


def pillow_rgba(data: bytes) -> tiny_png.Samples:
    """RGBA (H, Wd, 4) by Pillow alone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))


def _with_right_sums(data: bytes) -> bytes:
    """Return the same chunks with right check sums: no mutation hits them by chance."""
    parts = [data[:8]]
    at = 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        content = data[at + 8 : at + 8 + length]
        parts.append(tiny_png.chunk(data[at + 4 : at + 8], content))
        at += 12 + length
    return b"".join(parts)


def _built(data: bytes) -> bytes:
    """PNG of a header, a palette, a transparency and rows, all of them as they come."""
    if len(data) < 8:
        return b""
    width, height, depth, kind, interlaced, n_colors, n_alphas, cut = data[:8]
    rest = data[8:]
    palette, rest = rest[:n_colors], rest[n_colors:]
    alphas, rows = rest[:n_alphas], rest[n_alphas:]
    header = struct.pack(
        ">IIBBBBB", width % 40, height % 40, 1 << depth % 5, kind % 8, 0, 0, interlaced % 3
    )
    packed = zlib.compress(rows)
    at = cut % (len(packed) + 1)
    parts = [tiny_png.SIGNATURE, tiny_png.chunk(b"IHDR", header)]
    parts += [tiny_png.chunk(b"PLTE", palette)] * bool(palette)
    parts += [tiny_png.chunk(b"tRNS", alphas)] * bool(alphas)
    parts += [tiny_png.chunk(b"IDAT", one) for one in (packed[:at], packed[at:])]
    return b"".join([*parts, tiny_png.chunk(b"IEND", b"")])
