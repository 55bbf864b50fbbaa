"""Box annotations of other tools: COCO, YOLO, and Ground Truth's bounding-box manifests."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from consolidation import storage
from consolidation.errors import SourceError
from consolidation.formats.groundtruth import parse_manifest
from consolidation.formats.json_text import load_json
from consolidation.text import shown

PICTURES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp")
"""Endings of the pictures beside YOLO's text files, in the order that they are looked for."""
YOLO_CLASSES = ("classes.txt", "obj.names")


@dataclass(frozen=True)
class LabeledBox:
    """A box of an object.

    Attributes
    ----------
    label : str
        Name of its class.
    box : tuple of float
        Left, top, width, height; in pixels, or in parts of the picture's size.
    relative : bool
        Whether in parts of the picture's size.
    """

    label: str
    box: tuple[float, float, float, float]
    relative: bool = False

    def pixels(self, width: int, height: int) -> tuple[float, float, float, float]:
        """The box in pixels of a picture.

        Examples
        --------
        >>> LabeledBox("cat", (0.5, 0.25, 0.5, 0.5), relative=True).pixels(100, 40)
        (50.0, 10.0, 50.0, 20.0)
        """
        if not self.relative:
            return self.box
        x, y, w, h = self.box
        return x * width, y * height, w * width, h * height


@dataclass(frozen=True)
class BoxedPicture:
    """A picture, how its file is named, and the boxes drawn on it."""

    id: str
    uri: str
    boxes: tuple[LabeledBox, ...]


@dataclass(frozen=True)
class BoxFile:
    """Box annotations of many pictures.

    Attributes
    ----------
    kind : str
        ``COCO``, ``YOLO`` or ``Ground Truth``.
    labels : tuple of str
        Every class, in the file's order.
    pictures : tuple of BoxedPicture
        Those without a box among them.
    """

    kind: str
    labels: tuple[str, ...]
    pictures: tuple[BoxedPicture, ...]


def read_boxes(path: str, images: str | None = None) -> BoxFile:
    """Read box annotations; which format they have is seen from their content.

    Parameters
    ----------
    path : str
        COCO's JSON file, a folder of YOLO's text files or one of them, or a manifest of JSON lines.
    images : str, optional
        Folder of the pictures, where the annotations name them relative to it; the annotations'.

    Raises
    ------
    SourceError
        If it is none of them, or a box is no box.
    """
    folder = images if images is not None else path.rpartition("/")[0] or "."
    if not storage.is_s3(path) and storage.local(path).is_dir():
        return _yolo(path, sorted(_text_files(path)), images or path)
    if path.endswith(".txt"):
        above, _, name = path.rpartition("/")
        return _yolo(above or ".", [name], folder)
    data = storage.read_bytes(path)
    try:
        content = load_json(data.decode("utf-8-sig"))
    except ValueError:
        content = None
    if isinstance(content, dict) and "annotations" in content and "images" in content:
        return _coco(content, path, folder)
    return _ground_truth(data, path, folder)


def _coco(content: Mapping[str, Any], path: str, folder: str) -> BoxFile:
    try:
        names = {entry["id"]: str(entry["name"]) for entry in content.get("categories", [])}
        boxes: dict[Any, list[LabeledBox]] = {entry["id"]: [] for entry in content["images"]}
        for entry in content["annotations"]:
            if "bbox" in entry:
                label = names.setdefault(entry["category_id"], f"class-{entry['category_id']}")
                where = f"{path}, annotation {shown(entry.get('id'))}"
                boxes[entry["image_id"]].append(LabeledBox(label, _box(entry["bbox"], where)))
        pictures = tuple(
            _picture(str(entry["file_name"]), folder, boxes[entry["id"]])
            for entry in content["images"]
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise SourceError(
            f"{path} is no COCO file of boxes: {type(error).__name__} {shown(str(error))}"
        ) from None
    return BoxFile("COCO", tuple(dict.fromkeys(names.values())), pictures)


def _yolo(folder: str, texts: Iterable[str], images: str) -> BoxFile:
    names: dict[int, str] = {}
    for name in YOLO_CLASSES:
        if not names and storage.exists(storage.join(folder, name)):
            lines = storage.read_bytes(storage.join(folder, name)).decode("utf-8-sig").splitlines()
            names = {k: line.strip() for k, line in enumerate(lines) if line.strip()}
    pictures = []
    for text in texts:
        path = storage.join(folder, text)
        boxes = []
        content = storage.read_bytes(path).decode("utf-8-sig", "replace")
        for number, line in enumerate(content.splitlines(), start=1):
            if not line.strip():
                continue
            where = f"{path}, line {number}"
            fields = line.split()
            if len(fields) not in (5, 6) or not fields[0].isdecimal():
                raise SourceError(f"{where} is no YOLO box: class, centre x, y, width, height")
            x, y, w, h = _box(fields[1:5], where)
            label = names.setdefault(int(fields[0]), f"class-{fields[0]}")
            boxes.append(LabeledBox(label, (x - w / 2, y - h / 2, w, h), relative=True))
        stem = text.removesuffix(".txt")
        candidates = (
            stem + end for end in PICTURES if storage.exists(storage.join(images, stem + end))
        )
        picture = next(candidates, None)
        if picture is None:
            raise SourceError(f"{path}: there is no picture {stem}.jpg or .png in {images}")
        pictures.append(_picture(picture, images, boxes))
    if not pictures:
        raise SourceError(f"{folder} holds no YOLO text files")
    labels = [names[index] for index in sorted(names)]
    return BoxFile("YOLO", tuple(dict.fromkeys(labels)), tuple(pictures))


def _text_files(folder: str) -> list[str]:
    files = storage.local(folder).glob("*.txt")
    return [file.name for file in files if file.name not in YOLO_CLASSES]


def _ground_truth(data: bytes, path: str, folder: str) -> BoxFile:
    names: dict[str, str] = {}
    pictures = []
    for number, line in enumerate(parse_manifest(data, path), start=1):
        uri = line.get("source-ref")
        if not isinstance(uri, str):
            raise SourceError(f"{path}, line {number} has no source-ref")
        boxes = []
        for attribute, label in line.items():
            if not isinstance(label, Mapping) or not isinstance(label.get("annotations"), list):
                continue
            block = line.get(f"{attribute}-metadata", {})
            classes = block.get("class-map", {}) if isinstance(block, Mapping) else {}
            for entry in label["annotations"]:
                where = f"{path}, line {number}, {shown(attribute)}"
                try:
                    index = str(entry["class_id"])
                    corners = [entry[key] for key in ("left", "top", "width", "height")]
                except (KeyError, TypeError):
                    raise SourceError(f"{where} holds no box: {shown(entry)}") from None
                name = names.setdefault(index, str(classes.get(index, f"class-{index}")))
                boxes.append(LabeledBox(name, _box(corners, where)))
        pictures.append(_picture(uri, folder, boxes))
    if not any(picture.boxes for picture in pictures):
        raise SourceError(f"{path} holds no boxes: COCO, YOLO and Ground Truth manifests are read")
    ordered = [names[index] for index in sorted(names, key=lambda index: (len(index), index))]
    return BoxFile("Ground Truth", tuple(dict.fromkeys(ordered)), tuple(pictures))


def _picture(name: str, folder: str, boxes: Iterable[LabeledBox]) -> BoxedPicture:
    uri = name if storage.is_s3(name) else storage.join(folder, name)
    return BoxedPicture(str(PurePosixPath(name).with_suffix("").name), uri, tuple(boxes))


def _box(values: Any, where: str) -> tuple[float, float, float, float]:
    try:
        left, top, width, height = (float(value) for value in values)
    except (TypeError, ValueError):
        raise SourceError(f"{where}: a box is four numbers, not {shown(values)}") from None
    if not all(map(math.isfinite, (left, top, width, height))) or width <= 0 or height <= 0:
        raise SourceError(f"{where}: the box {shown(values)} is empty")
    return left, top, width, height
