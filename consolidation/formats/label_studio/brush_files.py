"""Brushes that Label Studio exported as pictures: one PNG or NPY a region, all in one folder.

`task-<task>-annotation-<annotation>-by-<annotator>-<tag>-<label>-<number>.png`: grey, above 0 where
the brush was. Blank annotations are not in it, nor what the images are called.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from consolidation import storage
from consolidation.errors import AnswerError
from consolidation.formats.arrays import read_array
from consolidation.formats.coded_shapes import Pixels
from consolidation.formats.drawn import Drawn
from consolidation.formats.drawn_source import Content, DrawnSource
from consolidation.formats.paint import Region
from consolidation.formats.pictures import Bitmap
from consolidation.formats.place import Place
from consolidation.formats.shapes import Shape
from consolidation.formats.sniff import named
from consolidation.formats.source import SourceOptions
from consolidation.limits import Limits
from consolidation.masks import read_header

_NAME = re.compile(
    r"(?:.*/)?task-(?P<task>\d+)-annotation-(?P<annotation>\d+)-by-(?P<worker>[\w@.]+)-"
    r"(?P<rest>.+)-(?P<number>\d+)\.(?:png|npy)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class BrushPart:
    """Pictures of one annotation: label and file."""

    worker: str
    files: tuple[tuple[str, str], ...]
    annotation: int

    def read(self, limits: Limits) -> Iterable[Drawn]:
        """See `Part`."""
        regions, sizes = [], set()
        order = f"{self.annotation:020}"
        try:
            for label, uri in self.files:
                shape: Shape
                if uri.lower().endswith(".npy"):
                    array = read_array(storage.read_bytes(uri, limits.answer_bytes), uri)
                    if array.ndim != 2:
                        raise AnswerError(f"{uri} has {array.ndim} dimensions, not 2")
                    shape, size = Pixels((array != 0).view("u1")), array.shape
                else:
                    png = storage.read_bytes(uri, limits.answer_bytes)
                    header = read_header(png)
                    shape, size = Bitmap(png, whole=True), (header.height, header.width)
                regions.append(Region(label, shape))
                sizes.add(size)
            if len(sizes) > 1:
                raise AnswerError(f"its brushes have several sizes: {sorted(sizes)}")
        except AnswerError as error:
            return [Drawn(self.worker, None, error=str(error), order=order)]
        height, width = sizes.pop()
        return [Drawn(self.worker, (height, width), regions, order=order)]


class BrushFiles(DrawnSource):
    """Folder of brushes as PNG or NPY."""

    name = "label-studio-brushes"
    kind = "export of Label Studio as pictures of brushes"

    @classmethod
    def recognises(cls, place: Place) -> bool:
        """Whether files there are called so."""
        names = named(place, ".png", ".npy") if place.entries is not None else []
        return any(_NAME.fullmatch(name) for name in names[:100])

    def _look(self, place: Place, options: SourceOptions) -> Content:
        content = Content()
        matches = [
            (name, match)
            for name in named(place, ".png", ".npy")
            if (match := _NAME.fullmatch(name))
        ]
        prefix = _tag({match["rest"] for _, match in matches})
        files: dict[tuple[str, int, str], list[tuple[str, str]]] = {}
        for name, match in sorted(matches, key=lambda pair: (int(pair[1]["number"]), pair[0])):
            self._used.append(name)
            label = match["rest"][len(prefix) :]
            worker = match["worker"]
            if "@" in worker and not options.emails:
                worker = f"person-{hashlib.sha256(worker.lower().encode()).hexdigest()[:8]}"
            key = (match["task"], int(match["annotation"]), worker)
            files.setdefault(key, []).append((label, place.below(name)))
        for (task, annotation, worker), listed in sorted(files.items()):
            content.add_regions(label for label, _ in listed)
            image = content.image(task, f"task-{task}")
            image.votes = True
            image.parts.append(BrushPart(worker, tuple(listed), annotation))
        content.notes.append(
            "pictures of brushes have no blank annotations and no other shapes: the JSON export has"
        )
        return content


def _tag(texts: Iterable[str]) -> str:
    """Name of the tag that names begin with, and its dash.

    Label and tag may have dashes themselves; tags seldom have.

    Examples
    --------
    >>> _tag(["tag-cat", "tag-cat-like"]), _tag(["brush-a", "tag-b"])
    ('tag-', '')
    """
    heads = {text[: text.find("-") + 1] for text in texts}
    return heads.pop() if len(heads) == 1 else ""
