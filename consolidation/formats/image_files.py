"""Tools that write one file an image: who drew it stands in the file, in its folder or its name."""

from __future__ import annotations

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from consolidation.errors import SourceError
from consolidation.formats.annotators import file_names
from consolidation.formats.drawn import Drawn
from consolidation.formats.drawn_source import Content, DrawnSource
from consolidation.formats.files import File
from consolidation.formats.json_stream import parse_json
from consolidation.formats.paint import Region
from consolidation.formats.patterns import compile_pattern
from consolidation.formats.place import Place
from consolidation.formats.sniff import FileBeginning, beginning, files, first_files
from consolidation.formats.source import SourceOptions
from consolidation.limits import Limits

DEFAULT_PATTERN = SourceOptions.masks
PICTURE_ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".gif", ".dcm")


@dataclass
class ImageFile:
    """What one file says of one image.

    Attributes
    ----------
    name : str
        Of the picture, or of the file where none is said.
    size : (int, int) or None
        Height and width.
    regions : list of (str, Region)
        Worker, empty if not said, and region.
    notes : list of str
    error : str
        Why it cannot be read; empty if it can.
    """

    name: str
    size: tuple[int, int] | None
    regions: list[tuple[str, Region]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    error: str = ""

    @property
    def key(self) -> str:
        """Name without the ending of a picture."""
        head, dot, ending = self.name.rpartition(".")
        return head if dot and f".{ending.lower()}" in PICTURE_ENDINGS else self.name

    @property
    def workers(self) -> set[str]:
        """Workers that are said."""
        return {worker for worker, _ in self.regions if worker}


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file, and whose it is where that is not said in it."""

    source: type[ImageFiles]
    file: File
    worker: str
    """Empty: the file says."""
    emails: bool

    def read(self, limits: Limits) -> Iterable[Drawn]:
        """See `Part`."""
        content = self.source.read_file(self.file, limits, self.emails)
        if content.error:
            return [Drawn(self.worker, None, error=content.error)]
        notes = tuple(content.notes)
        if self.worker:
            regions = [region for _, region in content.regions]
            return [Drawn(self.worker, content.size, regions, notes)]
        by_worker: dict[str, list[Region]] = defaultdict(list)
        for worker, region in content.regions:
            by_worker[worker].append(region)
        return [
            Drawn(worker, content.size, regions, notes)
            for worker, regions in sorted(by_worker.items())
            if worker
        ]


class ImageFiles(DrawnSource):
    """A source of one file an image and, mostly, annotator."""

    ending: ClassVar[str]

    @classmethod
    @abstractmethod
    def is_own(cls, start: FileBeginning) -> bool:
        """Whether a file is one of this format's."""

    @staticmethod
    @abstractmethod
    def parse(file: File, limits: Limits, emails: bool) -> ImageFile:
        """Parse a file; SourceError if it cannot be."""

    @classmethod
    def read_file(cls, file: File, limits: Limits, emails: bool) -> ImageFile:
        """Parse a file; one that cannot be parsed is called by its own name, and says why."""
        try:
            return cls.parse(file, limits, emails)
        except SourceError as error:
            return ImageFile(stem(file), None, error=str(error))

    def labels(self, place: Place) -> Mapping[str, str]:
        """Colour by name of the classes that are listed beside the files, if any."""
        return {}

    @classmethod
    def recognises(cls, place: Place) -> bool:
        """Whether any file there is one of this format's."""
        return any(cls.is_own(start) for start in first_files(place, cls.ending))

    def _look(self, place: Place, options: SourceOptions) -> Content:
        content = Content()
        readings: list[tuple[str, File, ImageFile]] = []
        for name, file in files(place, self.ending):
            if self.is_own(beginning(place, file)):
                path = f"{name.removesuffix('.zip')}/{file.member}" if file.member else name
                readings.append((path, file, self.read_file(file, options.limits, options.emails)))
                self._used.append(name)
        if not readings:
            raise SourceError(f"{place.uri}: no file of this {self.kind} in it")
        listed = self.labels(place)
        content.labels |= listed
        content.ordered = bool(listed)
        people = self._people([name for name, _, _ in readings], readings, options, place)
        for (_, file, image_file), (key, worker) in zip(readings, people, strict=True):
            content.add_regions(region.label for _, region in image_file.regions)
            if not worker and image_file.error:
                content.left_out[image_file.error] += 1
                continue
            if not worker and not image_file.workers:
                content.left_out["files without a region, which name nobody"] += 1
                continue
            image = content.image(key, key, image_file.name)
            image.votes = True
            image.parts.append(FilePart(type(self), file, worker, options.emails))
        return content

    def _people(
        self,
        names: list[str],
        readings: list[tuple[str, File, ImageFile]],
        options: SourceOptions,
        place: Place,
    ) -> list[tuple[str, str]]:
        """Image and worker of each file; the worker is empty where the file says."""
        if options.masks != DEFAULT_PATTERN:
            matches = list(map(compile_pattern(options.masks).fullmatch, names))
            missing = [name for name, match in zip(names, matches, strict=True) if match is None]
            if missing:
                raise SourceError(f"{place.uri}: {missing[0]} is not like --masks {options.masks}")
            return [(match["image"], match["worker"]) for match in matches if match]
        keys = [image_file.key for _, _, image_file in readings]
        folders = [file_names([File(file.uri)], place)[0] for _, file, _ in readings]
        parents = [name.rpartition("/")[0] for name in names]
        if len(set(keys)) < len(keys):
            # the same image several times: a folder an annotator
            trimmed = _distinct_parts(parents)
            if len(set(zip(keys, trimmed, strict=True))) == len(keys):
                return list(zip(keys, trimmed, strict=True))
        elif all(image_file.workers or not image_file.regions for _, _, image_file in readings):
            return [(key, "") for key in keys]
        elif len(readings) == 1 or len(set(parents)) == 1:
            if len(readings) > 1:
                raise SourceError(
                    f"{place.uri}: who drew which file is not said in them: give a folder for each "
                    f"annotator, or a pattern such as --masks '{{worker}}_{{image}}{self.ending}'"
                )
            return [(keys[0], folders[0])]
        trimmed = _distinct_parts(parents)
        return list(zip(keys, trimmed, strict=True))


def _distinct_parts(parents: list[str]) -> list[str]:
    """Folders without the parts that all of them have in common, from both ends.

    Examples
    --------
    >>> _distinct_parts(["set/ann/x", "set/bob/x"])
    ['ann', 'bob']
    """
    paths = [parent.split("/") for parent in parents]
    for end in (0, -1):
        while all(len(path) > 1 for path in paths) and len({path[end] for path in paths}) == 1:
            paths = [path[1:] if end == 0 else path[:-1] for path in paths]
    return ["/".join(path) or "annotator" for path in paths]


def mapping(value: Any) -> Mapping[str, Any]:
    """Value if it is a JSON object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def entries(value: Any) -> list[Mapping[str, Any]]:
    """JSON objects of a list."""
    return (
        [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []
    )


def whole(value: Any) -> int:
    """Value if it is a whole number, else 0."""
    return int(value) if isinstance(value, int | float) and abs(value) < 1e9 else 0


def stem(file: File) -> str:
    """Name of a file without folder and ending."""
    return (file.member or file.uri).replace("\\", "/").rpartition("/")[2].rpartition(".")[0]


def read_json(file: File, limits: Limits) -> Any:
    """Content of a file; SourceError if it is no JSON."""
    try:
        return parse_json(file.read_all(limits.answer_bytes))
    except ValueError as error:
        raise SourceError(f"{file} is not JSON: {error}") from None
