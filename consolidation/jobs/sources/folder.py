"""A folder of masks, `<image>/worker_<worker>.png`, where the pixel is the class index."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation import storage
from consolidation.answers import Answer, LoadedAnswer
from consolidation.errors import ConsolidationError, OptionError, SourceError
from consolidation.groundtruth import parse_classes
from consolidation.jobs.sources.base import Source, SourceOptions
from consolidation.masks import MAX_PIXELS, Classes, check_whole, decode_indices, read_header
from consolidation.options import Options
from consolidation.prepare import LabeledObject

CLASSES_FILE = "classes.json"
_PICTURES = ("image.png", "image.jpg", "image.jpeg")


@dataclass(frozen=True)
class MaskFile:
    """A worker's mask of class indices."""

    path: Path

    def load(self) -> LoadedAnswer:
        """Read the file."""
        png = storage.read_bytes(self.path)
        # before its size is believed
        check_whole(png)
        return IndexMask(png)


@dataclass(frozen=True)
class BlankMask:
    """A worker who found nothing: all background, of whatever size the other masks have."""

    modified: bool | None = None
    colors: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)

    def load(self) -> LoadedAnswer:
        """Return itself: there is no file."""
        return self

    def size(self, options: Options) -> None:
        """No size of its own: it must not outvote the masks that there are."""

    def read(self, out: NDArray[Any], classes: Classes, ignore: int, options: Options) -> list[str]:
        """Write background into `out`."""
        out[...] = 0
        return []


@dataclass(frozen=True)
class IndexMask:
    """PNG bytes whose pixels are class indices."""

    png: bytes
    modified: bool | None = None

    @property
    def colors(self) -> Mapping[str, tuple[int, int, int]]:
        """No colours: pixels are indices."""
        return {}

    def size(self, options: Options) -> tuple[int, int]:
        """Height and width."""
        header = read_header(self.png, options.max_pixels)
        return header.height, header.width

    def read(self, out: NDArray[Any], classes: Classes, ignore: int, options: Options) -> list[str]:
        """Write class indices into `out`; indices that are no class are ignored."""
        out[...] = decode_indices(self.png, options.max_pixels)
        if int(out.max()) < len(classes):
            return []
        beyond = out >= len(classes)
        warnings = []
        for index in np.unique(out[beyond]).tolist():
            pixels = int(np.count_nonzero(out == index))
            warnings.append(
                f"{pixels:,} pixels of index {index}, which is no class of this job, are ignored"
            )
        out[beyond] = ignore
        return warnings


class FolderSource(Source):
    """Masks as files, one an image and worker."""

    kind = "folder of masks"

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Whether it is a folder."""
        return path.is_dir()

    def __init__(self, path: Path, options: SourceOptions) -> None:
        self._path, self._options = path, options
        pattern = _pattern(options.masks)
        images: dict[str, dict[str, Path]] = defaultdict(dict)
        for file in sorted(path.rglob("*")):
            match = pattern.fullmatch(file.relative_to(path).as_posix())
            if match and file.is_file():
                images[match["image"]][match["worker"]] = file
        if not images:
            raise SourceError(f"{path}: no masks such as {options.masks} in it")
        self._images = dict(sorted(images.items()))
        self._workers = sorted({worker for masks in images.values() for worker in masks})

    @property
    def ids(self) -> Sequence[str]:
        """See `Source`."""
        return list(self._images)

    def objects(self) -> Iterator[LabeledObject]:
        """See `Source`."""
        for image, masks in self._images.items():
            answers: list[tuple[str, Answer]] = [
                (worker, MaskFile(file)) for worker, file in sorted(masks.items())
            ]
            if self._options.missing_is_blank:
                answers += [(one, BlankMask()) for one in self._workers if one not in masks]
            line = {"source-ref": self._picture(image)}
            yield LabeledObject(id=image, line=line, answers=answers)

    def _picture(self, image: str) -> str:
        folder = self._path / image
        found = [folder / name for name in _PICTURES if (folder / name).is_file()]
        return (found[0] if found else folder).as_posix()

    def classes(self) -> Classes:
        """Classes of `classes.json`, else numbered up to the highest index in any mask."""
        beside = self._path / CLASSES_FILE
        if beside.is_file():
            return parse_classes(storage.read_bytes(beside), str(beside))
        highest = 0
        for masks in self._images.values():
            for file in masks.values():
                try:
                    data = storage.read_bytes(file)
                    values = decode_indices(data, self._options.max_pixels or MAX_PIXELS)
                except ConsolidationError:
                    # it will be reported when its object is consolidated
                    continue
                # 255 is how masks commonly say "not labelled"
                highest = max(highest, int(values[values < 255].max(initial=0)))
        if highest == 0:
            raise SourceError(f"{self._path}: no mask in it has a class above 0")
        return Classes.of_labels([f"class-{index}" for index in range(1, highest + 1)])


def _pattern(text: str) -> re.Pattern[str]:
    """Regular expression of a pattern such as ``{image}/worker_{worker}.png``."""
    if text.count("{image}") != 1 or text.count("{worker}") != 1:
        raise OptionError(f"--masks must have {{image}} and {{worker}} once each, not {text!r}")
    expression = re.escape(text)
    expression = expression.replace(re.escape("{image}"), "(?P<image>.+)")
    return re.compile(expression.replace(re.escape("{worker}"), "(?P<worker>[^/]+)"))
