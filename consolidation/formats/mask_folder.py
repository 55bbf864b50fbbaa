"""A folder of masks, `<image>/worker_<worker>.png`, where the pixel is the class index."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from consolidation import storage
from consolidation.errors import OptionError, SourceError
from consolidation.formats.class_list import FILES, ClassList, read_class_list
from consolidation.formats.manifest_file import ManifestFile, ManifestLine, lines_of_images
from consolidation.formats.mask_pattern import MaskPattern, skipped, what_lies_there
from consolidation.formats.patterns import is_consensus, preset
from consolidation.formats.place import Place
from consolidation.formats.source import Source, SourceOptions
from consolidation.formats.survey import mask_file
from consolidation.formats.values import decide_values
from consolidation.masks import Classes
from consolidation.objects import Answer, BlankMask, LabeledObject, MaskFile

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
        self._place, self._options = place, options
        self.folder = place.folder
        texts = preset(options.preset) if options.preset else (options.masks,)
        self._patterns = tuple(map(MaskPattern, texts))
        images: dict[str, dict[str, str]] = defaultdict(dict)
        names = {entry.name for entry in place.entries or ()}
        reserved = []
        for name in sorted(names):
            match = self._match(name)
            if match is None:
                continue
            image, worker, is_reserved = match
            if is_reserved:
                reserved.append(name)
            else:
                images[image][worker] = name
        if not images:
            raise SourceError(
                f"{place.uri}: no masks such as {texts[0]} in it; {what_lies_there(names)}"
            )
        if options.missing_is_blank and options.no_background:
            raise OptionError("--missing-is-blank means background, which --no-background denies")
        said = skipped(reserved, texts[0])
        self.notes = [] if said is None else [said]
        everyone = sorted({worker for masks in images.values() for worker in masks})
        absent = everyone if options.missing_is_blank else []
        lines = self._lines(options, images)
        self.items = [
            MaskedImage(
                id=image,
                folder=place.uri,
                masks=tuple(sorted(masks.items())),
                missing=tuple(absentee for absentee in absent if absentee not in masks),
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
        pictures = [f"{image}/{name}" for name in _PICTURES if f"{image}/{name}" in names]
        uri = storage.join(self._absolute, *(pictures[0] if pictures else image).split("/"))
        return uri if storage.is_s3(uri) else Path(uri).as_posix()

    @property
    def _absolute(self) -> str:
        """The folder by a name that means the same wherever the manifest is read."""
        uri = self._place.uri
        return storage.absolute(uri)

    def classes(self) -> Classes:
        """Classes of a list beside the masks, else as the masks tell them by their values."""
        return self._decided(self._class_list())

    def classes_of(self, listed: ClassList) -> Classes:
        """See `Source`: here, pixels are indices."""
        return self._decided(listed)

    def _class_list(self) -> ClassList | None:
        for name in FILES:
            beside = self._place.beside(name)
            if beside is not None:
                return read_class_list(beside)
        maps = [e.name for e in self._place.entries or () if e.name.endswith(f"/{FILES[1]}")]
        lists = [read_class_list(self._place.below(name)) for name in maps]
        if any(listed.entries != lists[0].entries for listed in lists):
            raise SourceError(
                f"{lists[0].file} and others of its name differ: put the one that counts into "
                f"{self._place.uri}"
            )
        return lists[0] if lists else None

    def _decided(self, listed: ClassList | None) -> Classes:
        reading = self._options.value_reading
        most = reading.max_pixels, reading.max_bytes
        masks = [
            mask_file(worker, name, self._place.below(name), *most)
            for item in self.items
            for worker, name in item.masks
        ]
        decision = decide_values(masks, listed, reading, self._place.uri)
        self.notes = [*self.notes, *decision.notes]
        return decision.classes

    def reads(self, name: str) -> bool:
        """See `Source`."""
        match = self._match(name)
        return match is not None and not match[2]

    def _match(self, name: str) -> tuple[str, str, bool] | None:
        """Image and worker of a file, and whether it is no worker's by its name."""
        for pattern in self._patterns:
            match = pattern.match(name)
            if match is not None:
                image, worker = match
                consensus = bool(self._options.preset) and is_consensus(worker)
                return image, worker, consensus or pattern.is_reserved(worker)
        return None

    def stamp(self) -> str:
        """See `Source`."""
        stamp = self._place.stamp(name for item in self.items for _, name in item.masks)
        # without a manifest, lines name the pictures by where they lie
        return stamp if self.manifest is not None else f"{stamp} {self._absolute}"
