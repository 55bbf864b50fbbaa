"""Exports "Segmentation mask 1.1" of CVAT: pictures whose colours `labelmap.txt` names.

VOC's layout: `labelmap.txt`, `SegmentationClass/<image>.png`; a folder or a zip an annotator.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from consolidation.errors import SourceError
from consolidation.formats.annotators import Annotator, distinct
from consolidation.formats.drawn import Drawn
from consolidation.formats.drawn_source import Content, DrawnSource
from consolidation.formats.files import File, members
from consolidation.formats.paint import is_background
from consolidation.formats.place import Place
from consolidation.formats.sniff import beginning, is_hidden, named
from consolidation.formats.source import SourceOptions
from consolidation.limits import Limits
from consolidation.masks import BACKGROUND, check_whole, hex_color
from consolidation.objects import LoadedAnswer, PictureAnswer, WorkerAnswer
from consolidation.options import Options
from consolidation.text import shown

LABEL_MAP = "labelmap.txt"
_MASKS = "SegmentationClass/"
_MOST = 1 << 20

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
    mask: ColorMask

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
            names = [one.name for one in place.entries]
            if any(_is_map(name) for name in names) and any(_MASKS in name for name in names):
                return True
        return any(
            any(_is_map(one) for one in members(_uri(place, name)))
            for name in named(place, ".zip")[:4]
            if beginning(place, name).data[:4] == b"PK\x03\x04"
        )

    def _look(self, place: Place, options: SourceOptions) -> Content:
        content = Content(ordered=True)
        exports: list[tuple[File, dict[str, File]]] = []
        for name in named(place, ".zip"):
            uri = _uri(place, name)
            exports += _exports({one: File(uri, one) for one in members(uri)})
            self._used.append(name)
        if place.entries is not None:
            names = [one.name for one in place.entries if not is_hidden(one.name)]
            found = _exports({one: File(place.below(one)) for one in names})
            exports += found
            self._used += [one for one in names if _is_map(one) or _MASKS in one]
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
                image.parts.append(MaskPart(worker, ColorMask(file, colors)))
        return content


def read_label_map(file: File) -> Colors:
    """Labels and colours of a `labelmap.txt`: a line ``name:r,g,b::`` each.

    Raises
    ------
    SourceError
        If a line is something else.
    """
    colors: dict[str, tuple[int, int, int]] = {}
    for line in file.read_all(_MOST).decode("utf-8-sig", "replace").splitlines():
        text = line.partition("#")[0].strip() if line.startswith("#") else line.strip()
        if not text:
            continue
        name, _, rest = text.partition(":")
        parts = rest.partition(":")[0].split(",")
        try:
            red, green, blue = (int(part) for part in parts)
        except ValueError:
            raise SourceError(f"{file}: {shown(line)} is not name:red,green,blue::") from None
        if not all(0 <= one <= 255 for one in (red, green, blue)):
            raise SourceError(f"{file}: {shown(line)} is no color")
        colors[BACKGROUND if is_background(name) else name] = (red, green, blue)
    return tuple(colors.items())


def _exports(files: dict[str, File]) -> list[tuple[File, dict[str, File]]]:
    """Label map and masks by image of each export among some files."""
    found = []
    for name, file in files.items():
        if not _is_map(name):
            continue
        folder = name.removesuffix(LABEL_MAP) + _MASKS
        masks = {
            one[len(folder) : -4]: mask
            for one, mask in files.items()
            if one.startswith(folder) and one.lower().endswith(".png")
        }
        if masks:
            found.append((file, masks))
    return found


def _folder(label_map: File) -> File:
    """File that is called as the export is: the zip, or the folder of its label map."""
    if label_map.member:
        return File(label_map.uri)
    return File(label_map.uri.replace("\\", "/").removesuffix(LABEL_MAP) + "annotations")


def _is_map(name: str) -> bool:
    return name.rpartition("/")[2] == LABEL_MAP and not is_hidden(name)


def _uri(place: Place, name: str) -> str:
    return place.uri if place.entries is None else place.below(name)
