"""Exports "Segmentation mask 1.1" of CVAT: pictures whose colours `labelmap.txt` names.

VOC's layout: `labelmap.txt`, `SegmentationClass/<image>.png`; a folder or a zip an annotator.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from consolidation import storage
from consolidation.formats.annotators import Annotator, distinct
from consolidation.formats.class_list import parse_class_list
from consolidation.formats.drawn import Drawn
from consolidation.formats.drawn_source import Content, DrawnSource
from consolidation.formats.files import File, members
from consolidation.formats.place import Place
from consolidation.formats.sniff import is_hidden, named
from consolidation.formats.source import SourceOptions
from consolidation.limits import Limits
from consolidation.masks import BACKGROUND, check_whole, hex_color, is_background
from consolidation.objects import LoadedAnswer, PictureAnswer, WorkerAnswer
from consolidation.options import Options

LABEL_MAP = "labelmap.txt"
_MASKS = "SegmentationClass/"
_LISTS = "ImageSets/Segmentation/"
_MOST = 1 << 26

Colors = tuple[tuple[str, tuple[int, int, int]], ...]


@dataclass(frozen=True, slots=True)
class ColorMask:
    """A picture whose colours mean labels."""

    file: File
    colors: Colors

    def load(self, options: Options) -> LoadedAnswer:
        """Read it."""
        png = self.file.read_all(options.max_answer_bytes)
        check_whole(png)
        return PictureAnswer(WorkerAnswer(png, dict(self.colors)))


@dataclass(frozen=True, slots=True)
class MaskPart:
    """An annotator's picture of an image."""

    worker: str
    mask: ColorMask | None
    """None: the export lists the image, and no mask of it: nothing was found."""

    def read(self, limits: Limits) -> Iterable[Drawn]:
        """See `Part`."""
        return [Drawn(self.worker, None, answer=self.mask)]


class SegmentationMasks(DrawnSource):
    """Folders or zips with `labelmap.txt` and `SegmentationClass/`."""

    name = "cvat-masks"
    kind = 'export "Segmentation mask 1.1" of CVAT'

    @classmethod
    def recognises(cls, place: Place) -> bool:
        """Whether there is a `labelmap.txt` beside pictures of classes."""
        if place.entries is not None:
            names = [entry.name for entry in place.entries]
            if any(_is_map(name) for name in names) and any(_MASKS in name for name in names):
                return True
        return any(
            any(_is_map(member) for member in members(_uri(place, name)))
            for name in named(place, ".zip")[:4]
            if storage.read_range(_uri(place, name), 0, 4) == b"PK\x03\x04"
        )

    def _look(self, place: Place, options: SourceOptions) -> Content:
        content = Content(ordered=True)
        exports: list[tuple[File, dict[str, File | None]]] = []
        for name in named(place, ".zip"):
            uri = _uri(place, name)
            exports += _exports({member: File(uri, member) for member in members(uri)})
            self._used.append(name)
        if place.entries is not None:
            names = [entry.name for entry in place.entries if not is_hidden(entry.name)]
            folders = _exports({path: File(place.below(path)) for path in names})
            exports += folders
            self._used += [path for path in names if _is_map(path) or _MASKS in path]
        workers = distinct(
            [Annotator("", _folder(label_map)) for label_map, _ in exports],
            [masks.keys() for _, masks in exports],
            place,
        )
        for worker, (label_map, masks) in zip(workers, exports, strict=True):
            colors = read_label_map(label_map)
            for label, color in colors:
                if label != BACKGROUND:
                    content.labels.setdefault(label, hex_color(color))
            for key, file in masks.items():
                image = content.image(key, f"{key}.png")
                image.votes = True
                mask = None if file is None else ColorMask(file, colors)
                image.parts.append(MaskPart(worker, mask))
        return content


def read_label_map(file: File) -> Colors:
    """Labels and colours of a `labelmap.txt`: a line ``name:r,g,b::`` each.

    Raises
    ------
    SourceError
        If a line is something else.
    """
    listed = parse_class_list(file.read_all(_MOST), str(file), label_map=True)
    colors = {}
    for entry in listed.entries:
        if entry.color is not None:
            colors[BACKGROUND if is_background(entry.name) else entry.name] = entry.color
    return tuple(colors.items())


def _exports(files: dict[str, File]) -> list[tuple[File, dict[str, File | None]]]:
    """Label map and masks by image of each export among some files; None: listed without."""
    exports = []
    for name, file in files.items():
        if not _is_map(name):
            continue
        folder = name.removesuffix(LABEL_MAP) + _MASKS
        masks: dict[str, File | None] = {
            path[len(folder) : -4]: mask
            for path, mask in files.items()
            if path.startswith(folder) and path.lower().endswith(".png")
        }
        for listing in files if masks else ():
            if listing.startswith(name.removesuffix(LABEL_MAP) + _LISTS):
                text = files[listing].read_all(_MOST).decode("utf-8-sig", "replace")
                for line in filter(None, map(str.strip, text.splitlines())):
                    masks.setdefault(line, None)
        if masks:
            exports.append((file, masks))
    return exports


def _folder(label_map: File) -> File:
    """File that is called as the export is: the zip, or the folder of its label map."""
    if label_map.member:
        return File(label_map.uri)
    return File(label_map.uri.replace("\\", "/").removesuffix(LABEL_MAP) + "annotations")


def _is_map(name: str) -> bool:
    return name.rpartition("/")[2] == LABEL_MAP and not is_hidden(name)


def _uri(place: Place, name: str) -> str:
    return place.uri if place.entries is None else place.below(name)
