"""What an exporter is: given one image after another, it writes them as something else reads."""

from __future__ import annotations

import contextlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import IO, Any, Self

import numpy as np
from numpy.typing import NDArray

from consolidation import storage
from consolidation.errors import ConsolidationError, OptionError
from consolidation.formats.exporters.json_list import JsonList
from consolidation.masks import BACKGROUND, UNDECIDED_INDEX, parse_color

TRAIN, VALIDATION = "train", "val"
SPLITS = (TRAIN, VALIDATION, "test")
"""Names of the parts that a data set may have."""
PICTURES = ("copy", "link", "leave")
"""What may become of the pictures that were painted over."""
IGNORED = UNDECIDED_INDEX
"""Pixel of a mask that is no class, in a run's masks and in what is handed to an exporter."""


@dataclass(frozen=True)
class ExportClasses:
    """Names and hex colours of the classes by index, as the run has them."""

    names: tuple[str, ...]
    colors: tuple[str, ...]

    @property
    def has_background(self) -> bool:
        """Whether class 0 is background, rather than a class like the others."""
        return self.names[0] == BACKGROUND

    @property
    def painted(self) -> range:
        """Indices of the classes that somebody paints: all but background."""
        return range(int(self.has_background), len(self.names))

    def palette(self, ignored: str) -> NDArray[np.uint8]:
        """Palette (256, 3) of the classes' colours, black beyond, with a colour for `IGNORED`."""
        table = np.zeros((256, 3), np.uint8)
        for index, color in enumerate(
            (*self.colors, *[""] * (IGNORED - len(self.colors)), ignored)
        ):
            table[index] = parse_color(color) or (0, 0, 0)
        return table


@dataclass(frozen=True)
class Picture:
    """The picture that was painted over."""

    told: str
    """Name, path or URI, as the job told it."""
    uri: str = ""
    """Where it is read from; empty where it is left where it is."""

    @property
    def suffix(self) -> str:
        """Ending of its name, with the dot, in lower case."""
        name = self.told.rstrip("/").rpartition("/")[2]
        return f".{name.rpartition('.')[2].lower()}" if "." in name else ""

    @cached_property
    def data(self) -> bytes:
        """Its bytes; StorageError if it cannot be read."""
        return storage.read_bytes(self.uri)


@dataclass(frozen=True)
class Image:
    """One consolidated image, as it is exported.

    Attributes
    ----------
    id : str
    name : str
        File name without ending, different from those of all others.
    split : str
        One of `SPLITS`.
    mask : ndarray of shape (H, Wd), uint8
        Class indices; `IGNORED` where there is none.
    confidence : float
        Of the image, in [0, 1].
    class_confidence : mapping of class index to float
        Mean over the pixels of a class, in [0, 1], before pixels were ignored.
    picture : Picture or None
        None where the job names none.
    """

    id: str
    name: str
    split: str
    mask: NDArray[np.uint8]
    confidence: float
    class_confidence: Mapping[int, float]
    picture: Picture | None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        height, width = self.mask.shape
        return height, width

    @property
    def told(self) -> str:
        """What the job calls the picture; the id where it names none."""
        return self.id if self.picture is None else self.picture.told


@dataclass(frozen=True)
class Export:
    """What is the same for all images of an export."""

    out: str
    """Folder or ``s3://`` prefix."""
    classes: ExportClasses
    pictures: str
    """One of `PICTURES`."""
    model: str
    """What made the masks, as a name with a version."""


class Exporter(ABC):
    """Writes a finished run in one format: `add` for each image, in order, then `finish`.

    A context: its long files are there when it ends well.

    Attributes
    ----------
    name : str
        What ``--to`` calls it.
    kind : str
        What it is, for people.
    pictures : str
        What becomes of pictures unless something else is asked for.
    needs_pictures : bool
        Whether a mask without its picture is of no use in it.
    splits : bool
        Whether its images may be divided into `SPLITS`.
    """

    name: str
    kind: str
    pictures: str = "copy"
    needs_pictures: bool = False
    splits: bool = True

    def __init__(self, export: Export) -> None:
        self.export = export
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        self._open.__exit__(*error)

    @abstractmethod
    def add(self, image: Image) -> None:
        """Write an image."""

    def finish(self) -> list[str]:
        """Write what is about all of them; return sentences about what the format lost."""
        return []

    def write(self, name: str, data: bytes) -> None:
        """Write a file of the export."""
        storage.write_bytes(storage.join(self.export.out, *name.split("/")), data)

    def open(self, name: str) -> IO[bytes]:
        """Open a long file of the export, to be written piece by piece."""
        path = storage.join(self.export.out, *name.split("/"))
        return self._open.enter_context(storage.writer(path))

    def stream(self, name: str, begin: str, close: str) -> JsonList:
        """Open a file of JSON with one long list."""
        return JsonList(self.open(name), begin, close)

    def write_json(self, name: str, content: Any) -> None:
        """Write a file of JSON."""
        text = json.dumps(content, indent=1, ensure_ascii=False)
        self.write(name, f"{text}\n".encode("utf-8", "backslashreplace"))

    def told_or_copied(self, image: Image, folder: str) -> str:
        """Name of an image's picture in a folder of the export, or where it is left."""
        if image.picture is None:
            return image.told
        name = f"{image.name}{image.picture.suffix}"
        return name if self.write_picture(f"{folder}/{name}", image) else image.told

    def write_picture(self, name: str, image: Image) -> bool:
        """Copy or link an image's picture; return False where there is none, or it is left.

        Raises
        ------
        ConsolidationError
            If it cannot be read or linked.
        """
        picture, out = image.picture, self.export.out
        if picture is None or not picture.uri:
            return False
        if self.export.pictures == "copy":
            self.write(name, picture.data)
            return True
        if storage.is_s3(picture.uri) or storage.is_s3(out):
            raise OptionError(f"--pictures link needs local files: {picture.uri} into {out}")
        target, link = storage.local(picture.uri).resolve(), storage.local(out) / name
        if not target.is_file():
            raise ConsolidationError(f"{picture.uri} is no file")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        return True
