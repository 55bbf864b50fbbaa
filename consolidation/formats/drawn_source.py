"""A source whose objects were drawn in some tool: ids, workers, classes, and what was left out."""

from __future__ import annotations

import contextlib
import os
import re
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from consolidation import storage
from consolidation.errors import OptionError, SourceError
from consolidation.formats.drawn import DrawnObject, Painting, Part
from consolidation.formats.manifest_file import ManifestFile, lines_of_images
from consolidation.formats.place import Place
from consolidation.formats.source import Source, SourceObject, SourceOptions
from consolidation.masks import UNDECIDED, Classes, is_background
from consolidation.text import shown

_SHOWN = 8
"""Labels whose regions are counted for people."""
_UPLOADED = re.compile(r"[0-9a-f]{8}-(?=.)")
_PICTURE_FOLDERS = ("", "images/", "img/", "data/")
"""Where the pictures of an export may lie, seen from its file."""


@dataclass(slots=True)
class Image:
    """An image while the source is opened.

    Attributes
    ----------
    name : str
        Of its picture, as the format has it; may be empty.
    key : str
        Different from that of all others.
    parts : list of Part
    truth : bool
        Whether any annotation of it is the truth.
    votes : bool
        Whether any annotation of it is a vote.
    picture : str
        Path or URI as the format has it.
    """

    name: str
    key: str
    parts: list[Part] = field(default_factory=list)
    truth: bool = False
    votes: bool = False
    picture: str = ""


@dataclass
class Content:
    """What a format finds when it looks through its files.

    Attributes
    ----------
    images : dict of Image by key
    labels : dict of str to str
        Colour by name, empty if none is said; in the format's own order if `ordered`.
    ordered : bool
    left_out : Counter
        What is no vote, by what it is.
    notes : list of str
    regions : Counter
        Regions by label.
    """

    images: dict[str, Image] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    ordered: bool = False
    left_out: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    regions: Counter[str] = field(default_factory=Counter)

    def image(self, key: str, name: str, picture: str = "") -> Image:
        """Image of this key, new if there is none."""
        if key not in self.images:
            self.images[key] = Image(name, key, picture=picture)
        return self.images[key]

    def add_regions(self, labels: Iterable[str | None]) -> None:
        """Count regions by their labels, which are added to those known."""
        for label in labels:
            self.regions["no label" if label is None else label] += 1
            if label is not None:
                self.labels.setdefault(label, "")


class DrawnSource(Source):
    """A source of objects that were drawn.

    A format gives `_look`, and says in `recognises` what its files are.
    """

    items: Sequence[DrawnObject]

    def __init__(self, place: Place, options: SourceOptions) -> None:
        self._place, self._options = place, options
        self.folder = place.folder
        self._used: list[str] = []
        content = self._look(place, options)
        self._labels, self._ordered = content.labels, content.ordered
        self._spare = "" if content.regions else _of(content)
        images = [candidate for candidate in content.images.values() if candidate.parts]
        voted = [image for image in images if image.votes]
        if not images:
            raise SourceError(f"{place.uri}: no annotation in this {self.kind}{_of(content)}")
        self.notes = [
            *content.notes,
            *_counted(content.regions),
            *(f"left out, {what}: {n:,}" for what, n in sorted(content.left_out.items())),
        ]
        ids = object_ids(images)
        items = {
            image.key: DrawnObject(
                ids[image.key],
                tuple(image.parts),
                self._picture(image),
                painting=Painting(options.unpainted == "ignore", tuple(options.priority)),
                limits=options.limits,
            )
            for image in images
        }
        self._truths = {
            item.id: replace(item, truth=True)
            for image in images
            if image.truth
            for item in [items[image.key]]
        }
        self.items = [items[image.key] for image in voted]
        if options.manifest is not None:
            self.manifest = ManifestFile(options.manifest)
            lines = lines_of_images(self.manifest, self.ids, place.uri)
            self.items = [replace(item, line=lines.get(item.id)) for item in self.items]
        if options.multilabel:
            self.items = self._one_label_each()

    @abstractmethod
    def _look(self, place: Place, options: SourceOptions) -> Content:
        """Find images and labels; SourceError if the files cannot be read."""

    def truths(self) -> Mapping[str, SourceObject]:
        """Objects whose truth the source tells itself, by id: read, the truth is their answer."""
        return self._truths

    def classes(self) -> Classes:
        """Classes in the format's own order, else by name."""
        labels = {
            label: color
            for label, color in self._labels.items()
            if not is_background(label) and label != UNDECIDED
        }
        names = list(labels) if self._ordered else sorted(labels)
        if not names and self._spare:
            raise SourceError(
                f"{self._place.uri}: nothing in it has an area{self._spare}, so no class is known: "
                "give --labels if its answers are blank"
            )
        if not names:
            raise SourceError(f"{self._place.uri}: no region in it has a label: give --labels")
        try:
            classes = Classes.of_labels(names)
        except OptionError as error:
            raise SourceError(f"{self._place.uri}: {error}") from None
        colors = {at: labels[name] for at, name in enumerate(names, 1) if labels[name]}
        return Classes(classes.names, colors)

    def stamp(self) -> str:
        """See `Source`."""
        return self._place.stamp(None if self._place.entries is None else self._used)

    def _one_label_each(self) -> list[DrawnObject]:
        """Objects, once for each class: ``<id>/<label>``."""
        names = self.classes().names[1:]
        return [
            replace(item, id=f"{item.id}/{name}", painting=replace(item.painting, only=name))
            for item in self.items
            for name in names
        ]

    def _picture(self, image: Image) -> str:
        """Path or URI of the picture where it lies beside the export, else as the format has it."""
        picture = image.picture or image.name
        if not picture or storage.is_s3(picture):
            return picture
        path = (image.name if "://" in picture else picture).replace("\\", "/").lstrip("/")
        alone = path.rpartition("/")[2]
        # tools put a hash before the names of files that are uploaded
        for name in dict.fromkeys((path, alone, _UPLOADED.sub("", alone))):
            for folder in _PICTURE_FOLDERS:
                if f"{folder}{name}" in self._names:
                    return storage.absolute(self._place.below(f"{folder}{name}"))
        return picture

    @cached_property
    def _names(self) -> frozenset[str]:
        """Names of the files that may be pictures, seen from the source's folder."""
        if self._place.entries is not None:
            return frozenset(entry.name for entry in self._place.entries)
        if storage.is_s3(self.folder):
            return frozenset()
        names: set[str] = set()
        for folder in _PICTURE_FOLDERS:
            with contextlib.suppress(OSError), os.scandir(Path(self.folder, folder)) as listing:
                names.update(f"{folder}{entry.name}" for entry in listing)
        return frozenset(names)


def object_ids(images: Sequence[Image]) -> dict[str, str]:
    """Id of each image by its key: its picture's name without ending where that is one image's.

    Examples
    --------
    >>> object_ids([Image("a/1.jpg", "7"), Image("a/2.jpg", "8")])
    {'7': 'a/1', '8': 'a/2'}
    >>> object_ids([Image("1.jpg", "7"), Image("1.png", "8")])
    {'7': '1.jpg', '8': '1.png'}
    >>> object_ids([Image("1.jpg", "7"), Image("1.jpg", "8")])
    {'7': '7', '8': '8'}
    """
    names = [image.name.replace("\\", "/").strip("/") for image in images]
    if "" not in names:
        stems = [_without_ending(name) for name in names]
        for ids in (stems, names):
            if len(set(ids)) == len(images):
                return {image.key: id_ for image, id_ in zip(images, ids, strict=True)}
    return {image.key: image.key for image in images}


def _without_ending(name: str) -> str:
    head, dot, ending = name.rpartition(".")
    return head if dot and head and "/" not in ending and not head.endswith("/") else name


def _counted(regions: Counter[str]) -> list[str]:
    """Say how many regions there are, of the commonest labels."""
    if not regions:
        return []
    listed = [f"{shown(label)} {n:,}" for label, n in regions.most_common(_SHOWN)]
    more = ", ..." if len(regions) > _SHOWN else ""
    return [f"regions: {regions.total():,}: {', '.join(listed)}{more}"]


def _of(content: Content) -> str:
    left = ", ".join(f"{what} {n:,}" for what, n in sorted(content.left_out.items()))
    return f" (left out: {left})" if left else ""
