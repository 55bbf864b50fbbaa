"""A folder of masks, `<image>/worker_<worker>.png`, where the pixel is the class index."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from consolidation import storage
from consolidation.errors import ConsolidationError, OptionError, SourceError
from consolidation.formats.groundtruth import parse_classes
from consolidation.formats.manifest_file import ManifestFile, ManifestLine, lines_of_images
from consolidation.formats.place import Place
from consolidation.formats.source import Source, SourceOptions
from consolidation.masks import MAX_PIXELS, Classes, decode_indices
from consolidation.objects import Answer, BlankMask, LabeledObject, MaskFile

CLASSES_FILE = "classes.json"
_PICTURES = ("image.png", "image.jpg", "image.jpeg")


@dataclass(frozen=True, slots=True)
class MaskedImage:
    """An image's masks, by worker."""

    id: str
    folder: str
    masks: tuple[tuple[str, str], ...]
    """Worker and file below the folder."""
    missing: tuple[str, ...]
    """Workers whose missing file means that they found nothing."""
    picture: str
    line: ManifestLine | None = None

    @property
    def line_number(self) -> int | None:
        """See `SourceObject`."""
        return None if self.line is None else self.line.number

    def load(self) -> LabeledObject:
        """See `SourceObject`."""
        answers: list[tuple[str, Answer]] = [
            (worker, MaskFile(storage.join(self.folder, *name.split("/"))))
            for worker, name in self.masks
        ]
        answers += [(worker, BlankMask()) for worker in self.missing]
        line = {"source-ref": self.picture} if self.line is None else self.line.content()
        return LabeledObject(id=self.id, line=line, answers=answers)


class FolderSource(Source):
    """Masks as files, one an image and worker."""

    name = "masks"
    kind = "folder of masks"
    items: Sequence[MaskedImage]

    @classmethod
    def recognises(cls, place: Place) -> bool:
        """Whether it is a folder."""
        return place.entries is not None

    def __init__(self, place: Place, options: SourceOptions) -> None:
        self._place, self._max_pixels = place, options.max_pixels or MAX_PIXELS
        self.folder = place.folder
        pattern = _pattern(options.masks)
        images: dict[str, dict[str, str]] = defaultdict(dict)
        names = {entry.name for entry in place.entries or ()}
        for name in sorted(names):
            match = pattern.fullmatch(name)
            if match:
                images[match["image"]][match["worker"]] = name
        if not images:
            raise SourceError(f"{place.uri}: no masks such as {options.masks} in it")
        everyone = sorted({worker for masks in images.values() for worker in masks})
        absent = everyone if options.missing_is_blank else []
        lines = self._lines(options, images)
        self.items = [
            MaskedImage(
                id=image,
                folder=place.uri,
                masks=tuple(sorted(masks.items())),
                missing=tuple(one for one in absent if one not in masks),
                picture=self._picture(image, names),
                line=lines.get(image),
            )
            for image, masks in sorted(images.items())
        ]

    def _lines(self, options: SourceOptions, images: Iterable[str]) -> Mapping[str, ManifestLine]:
        """Line of each image: by the picture's name, or by number where no name is an image's."""
        if options.manifest is None:
            return {}
        self.manifest = ManifestFile(options.manifest)
        return lines_of_images(self.manifest, images, self._place.uri)

    def _picture(self, image: str, names: Container[str]) -> str:
        found = [f"{image}/{name}" for name in _PICTURES if f"{image}/{name}" in names]
        uri = storage.join(self._absolute, *(found[0] if found else image).split("/"))
        return uri if storage.is_s3(uri) else Path(uri).as_posix()

    @property
    def _absolute(self) -> str:
        """The folder by a name that means the same wherever the manifest is read."""
        uri = self._place.uri
        return uri if storage.is_s3(uri) else str(Path(uri).absolute())

    def classes(self) -> Classes:
        """Classes of `classes.json`, else numbered up to the highest index in any mask."""
        beside = self._place.beside(CLASSES_FILE)
        if beside is not None:
            return parse_classes(storage.read_bytes(beside), beside)
        highest = 0
        for item in self.items:
            for _, name in item.masks:
                try:
                    data = storage.read_bytes(self._place.below(name))
                    values = decode_indices(data, self._max_pixels)
                except ConsolidationError:
                    # it will be reported when its object is consolidated
                    continue
                # 255 is how masks commonly say "not labelled"
                highest = max(highest, int(values[values < 255].max(initial=0)))
        if highest == 0:
            raise SourceError(f"{self._place.uri}: no mask in it has a class above 0")
        return Classes.of_labels([f"class-{index}" for index in range(1, highest + 1)])

    def stamp(self) -> str:
        """See `Source`."""
        stamp = self._place.stamp(name for item in self.items for _, name in item.masks)
        # without a manifest, lines name the pictures by where they lie
        return stamp if self.manifest is not None else f"{stamp} {self._absolute}"


def _pattern(text: str) -> re.Pattern[str]:
    """Regular expression of a pattern such as ``{image}/worker_{worker}.png``."""
    if text.count("{image}") != 1 or text.count("{worker}") != 1:
        raise OptionError(f"--masks must have {{image}} and {{worker}} once each, not {text!r}")
    expression = re.escape(text)
    expression = expression.replace(re.escape("{image}"), "(?P<image>.+)")
    return re.compile(expression.replace(re.escape("{worker}"), "(?P<worker>[^/]+)"))
