"""Masks from points or boxes: the command ``consolidate segment``."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation import storage
from consolidation.autosegment import Cache, Segmentation, segment
from consolidation.autosegment.onnx_model import OnnxSegmenter
from consolidation.errors import ConsolidationError, ObjectError, OptionError
from consolidation.formats.boxes import BoxedPicture, read_boxes
from consolidation.formats.groundtruth.manifest import manifest_line, metadata
from consolidation.masks import Classes, encode_indexed, palette, read_picture
from consolidation.names import file_names
from consolidation.objects.mask_class import MaskClass
from consolidation.text import shown

JOB_NAME = "consolidate-segment"


@dataclass(frozen=True)
class SegmentedBoxes:
    """What became of a file of boxes.

    Attributes
    ----------
    kind : str
        Format of the file.
    pictures, boxes : int
        How many have a mask now.
    failures : tuple of str
        What could not be done, a line each.
    """

    kind: str
    pictures: int
    boxes: int
    failures: tuple[str, ...]


def segment_picture(
    picture: str,
    out: str,
    points: Sequence[str] = (),
    *,
    box: str | None = None,
    plus: Sequence[str] = (),
    minus: Sequence[str] = (),
    alternative: str = "vote",
    segmenter: str | None = None,
) -> Segmentation:
    """Write the mask of an object as a PNG: 1 where it is, else 0.

    Parameters
    ----------
    picture : str
        Path or ``s3://`` URI.
    out : str
        PNG to write.
    points : sequence of str
        The object's four extreme points, each ``x,y``.
    box : str, optional
        ``left,top,width,height``, instead of points.
    plus, minus : sequence of str
        Places, each ``x,y``, that are the object's, or are not.
    alternative : str
        Name of a candidate.
    segmenter : str, optional
        ONNX files, a comma between them.

    Raises
    ------
    ConsolidationError
        If the picture cannot be read, or a place is none.
    """
    image = _read(picture)
    clicks = [(*_numbers(point, 2, "--plus"), True) for point in plus]
    clicks += [(*_numbers(point, 2, "--minus"), False) for point in minus]
    places = [_numbers(point, 2, "--points") for point in points] if points else None
    bounds = _numbers(box, 4, "--box") if box is not None else None
    model = open_segmenter(segmenter)
    try:
        if model is not None:
            segmentation = model.segment(image, places, clicks, box=bounds)
        else:
            segmentation = segment(image, places, clicks, box=bounds, alternative=alternative)
    except ValueError as error:
        raise OptionError(f"{picture}: {error}") from None
    if not segmentation.crop.any():
        raise ObjectError(f"{picture}: nothing is left of the object after the clicks")
    colors = Classes.of_labels(["object"]).hex_colors()
    png = encode_indexed(segmentation.mask.view(np.uint8), palette(colors))
    storage.write_bytes(out, png)
    return segmentation


def segment_boxes(
    boxes: str,
    out: str,
    *,
    images: str | None = None,
    segmenter: str | None = None,
    label_attribute: str = "prelabel-ref",
    creation_date: str | None = None,
) -> SegmentedBoxes:
    """Turn boxes into masks that an adjustment job begins with.

    Writes ``masks/<id>.png`` (class indices) and ``output.manifest``, whose lines name them, into
    a folder, and ``classes.json``. Small objects are looked for first; what they have is no
    other object's. A picture that cannot be read fails alone, and has no line.

    Parameters
    ----------
    boxes : str
        See `consolidation.formats.boxes.read_boxes`.
    out : str
        Folder.
    images : str, optional
        Folder of the pictures.
    segmenter : str, optional
        ONNX files, a comma between them.
    label_attribute : str
        Of the manifest's lines.
    creation_date : str, optional
        ISO 8601, UTC, no zone; now.

    Raises
    ------
    ConsolidationError
        If the annotations cannot be read.
    """
    annotations = read_boxes(boxes, images)
    classes = Classes.of_labels(annotations.labels)
    colors = classes.hex_colors()
    listed = [
        MaskClass(k, name, color)
        for k, (name, color) in enumerate(zip(classes.names, colors, strict=True))
    ]
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None, microsecond=0).isoformat()
    block = metadata(listed, 0.0, creation_date or now, JOB_NAME) | {"human-annotated": "no"}
    model = open_segmenter(segmenter)
    if model is not None:
        block["segmenter"] = model.provenance
    names = file_names(_unlike(annotations.pictures))
    lines, failures, done = [], [], 0
    for identity, picture in zip(names, annotations.pictures, strict=True):
        try:
            labels = _labels(picture, classes, model)
        except ConsolidationError as error:
            failures.append(str(error))
            continue
        name = f"masks/{names[identity]}.png"
        storage.write_bytes(storage.join(out, name), encode_indexed(labels, palette(colors)))
        lines.append(
            manifest_line({"source-ref": _from(out, picture.uri)}, label_attribute, name, block)
        )
        done += len(picture.boxes)
    table = [{"index": c.index, "name": c.name, "color": c.color} for c in listed]
    storage.write_bytes(
        storage.join(out, "classes.json"), json.dumps({"classes": table}, indent=1).encode()
    )
    text = "".join(f"{line}\n" for line in lines)
    storage.write_bytes(storage.join(out, "output.manifest"), text.encode())
    return SegmentedBoxes(annotations.kind, len(lines), done, tuple(failures))


def open_segmenter(files: str | None) -> OnnxSegmenter | None:
    """The model of ``FILE[,FILE]``; None without."""
    return None if files is None else OnnxSegmenter([part for part in files.split(",") if part])


def _labels(
    picture: BoxedPicture, classes: Classes, model: OnnxSegmenter | None
) -> NDArray[np.uint8]:
    """Class indices (H, W) of a picture's boxes."""
    image = _read(picture.uri)
    height, width = image.shape[:2]
    labels = np.zeros((height, width), np.uint8)
    taken = np.zeros((height, width), np.bool_)
    indices = {name: index for index, name in enumerate(classes.names)}
    placed = [(box.pixels(width, height), indices[box.label]) for box in picture.boxes]
    cache = Cache(1)
    for box, index in sorted(placed, key=lambda entry: entry[0][2] * entry[0][3]):
        try:
            if model is not None:
                mask = model.segment(image, box=box).mask & ~taken
            else:
                mask = segment(image, box=box, taken=taken, cache=cache).mask
        except ValueError as error:
            raise ObjectError(f"{picture.uri}: {error}") from None
        labels[mask] = index
        taken |= mask
    return labels


def _from(folder: str, uri: str) -> str:
    """The picture's place, seen from a folder where both are local and it is relative."""
    if storage.is_s3(folder) or storage.is_s3(uri) or Path(uri).is_absolute():
        return uri
    return Path(os.path.relpath(uri, folder)).as_posix()


def _unlike(pictures: Sequence[BoxedPicture]) -> list[str]:
    """Ids of pictures; those of one id in several folders get a number."""
    seen: dict[str, int] = {}
    ids = []
    for picture in pictures:
        seen[picture.id] = seen.get(picture.id, 0) + 1
        number = seen[picture.id]
        ids.append(picture.id if number == 1 else f"{picture.id}#{number}")
    return ids


def _read(uri: str) -> NDArray[Any]:
    return read_picture(storage.read_bytes(uri), uri)


def _numbers(text: str, how_many: int, flag: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != how_many:
        wanted = "x,y" if how_many == 2 else "left,top,width,height"
        raise OptionError(f"{flag} takes {wanted}, not {shown(text)}")
    return numbers
