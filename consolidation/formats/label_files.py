"""Masks with one file a class, such as ``{image}/{worker}/{label}.png``: not 0 is painted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from consolidation import storage
from consolidation.errors import AnswerError, ConsolidationError, SourceError
from consolidation.formats.coded_shapes import Pixels
from consolidation.formats.drawn import Drawn
from consolidation.formats.drawn_source import Content, DrawnSource
from consolidation.formats.files import File
from consolidation.formats.paint import Region
from consolidation.formats.patterns import compile_pattern, is_consensus
from consolidation.formats.pictures import Bitmap
from consolidation.formats.place import Place
from consolidation.formats.shapes import Shape
from consolidation.formats.sniff import is_hidden
from consolidation.formats.source import SourceOptions
from consolidation.formats.volumes.grids import open_grid
from consolidation.limits import Limits
from consolidation.masks import MAX_PIXELS, read_header

_PNG = b"\x89PNG"


@dataclass(frozen=True, slots=True)
class LabelPart:
    """A worker's files of an image: label and file."""

    worker: str
    files: tuple[tuple[str, str], ...]

    def read(self, limits: Limits) -> Iterable[Drawn]:
        """See `Part`."""
        try:
            layers = [(label, *_layer(uri, limits)) for label, uri in self.files]
        except ConsolidationError as error:
            return [Drawn(self.worker, None, error=str(error))]
        sizes = {size for _, _, size in layers}
        if len(sizes) > 1:
            listed = ", ".join(f"{width} x {height}" for height, width in sorted(sizes))
            return [Drawn(self.worker, None, error=f"its files have several sizes: {listed}")]
        regions = [Region(label, shape, may_be_empty=True) for label, shape, _ in layers]
        return [Drawn(self.worker, sizes.pop(), regions)]


class LabelFiles(DrawnSource):
    """Files by a pattern with ``{label}``."""

    name = "label-files"
    kind = "folder of masks, one file a class"

    @classmethod
    def recognises(cls, place: Place) -> bool:
        """Never: a pattern asks for it."""
        return False

    def _look(self, place: Place, options: SourceOptions) -> Content:
        if "{label}" not in options.masks:
            raise SourceError(f"{place.uri}: --masks must say where the {{label}} stands")
        pattern = compile_pattern(options.masks)
        content = Content()
        files: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for entry in place.entries or ():
            match = None if is_hidden(entry.name) else pattern.fullmatch(entry.name)
            if match is None:
                continue
            if is_consensus(match["worker"]):
                content.left_out["masks that others made, by their names"] += 1
                continue
            self._used.append(entry.name)
            content.add_regions([match["label"]])
            key = match["image"], match["worker"]
            files.setdefault(key, []).append((match["label"], place.below(entry.name)))
        if not files:
            raise SourceError(f"{place.uri}: no masks such as {options.masks} in it")
        for (image_id, worker), listed in sorted(files.items()):
            image = content.image(image_id, image_id)
            image.votes = True
            image.parts.append(LabelPart(worker, tuple(sorted(listed))))
        return content


def _layer(uri: str, limits: Limits) -> tuple[Shape, tuple[int, int]]:
    """Shape and size of a file."""
    if storage.read_range(uri, 0, 4) == _PNG:
        png = storage.read_bytes(uri, limits.answer_bytes)
        header = read_header(png)
        return Bitmap(png, whole=True), (header.height, header.width)
    grid = open_grid(File.unpacked(uri), MAX_PIXELS)
    slices, height, width = grid.shape
    if slices != 1:
        raise AnswerError(f"{uri} has {slices} slices, not 1")
    return Pixels((grid.slice(0) != 0).view("u1")), (height, width)
