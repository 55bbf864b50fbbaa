"""What is fuzzed of other tools' files: each takes any bytes, and raises nothing but what it says.

They also check what must hold whatever comes: nothing larger than the image is made, and what is
read in windows is what is read at once.
"""

from __future__ import annotations

import contextlib
import json
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from consolidation.errors import AnswerError, ConsolidationError, SourceError
from consolidation.formats import coded_shapes, json_stream, rle, shapes
from consolidation.formats.coco import Coco
from consolidation.formats.coco.annotations import CocoPart
from consolidation.formats.cvat.images import ImagePart
from consolidation.formats.cvat.source import _Job
from consolidation.formats.darwin import Darwin
from consolidation.formats.drawn import Drawn, DrawnAnswer, Painting
from consolidation.formats.image_files import FilePart, ImageFiles
from consolidation.formats.json_stream import LongLists, json_values
from consolidation.formats.label_studio.tasks import ANNOTATION, MIN, TASKS, Task, picture_of
from consolidation.formats.labelme import LabelMeJson, LabelMeXml
from consolidation.formats.shapes import Shape
from consolidation.formats.sniff import FileBeginning, json_beginning
from consolidation.formats.supervisely import Supervisely
from consolidation.formats.volumes.grids import open_grid
from consolidation.formats.xml import walk
from consolidation.limits import Limits
from consolidation.masks import Classes
from consolidation.options import Options

MAX_PIXELS = 1 << 12
CLASSES = Classes.of_labels(["cat", "dog"])
OPTIONS = Options(method="plurality", max_pixels=MAX_PIXELS, threads=1)
SIZE = (5, 7)


@dataclass(frozen=True)
class Memory:
    """A file that is nowhere."""

    data: bytes
    uri: str = "memory"
    member: str = ""

    def read(self, start: int, end: int) -> bytes:
        return self.data[start:end]

    def read_all(self, most: int) -> bytes:
        return self.data

    def beginning(self, size: int) -> bytes:
        return self.data[:size]

    def size(self) -> int:
        return len(self.data)

    def windows(self) -> Iterable[bytes]:
        return [self.data[:5], self.data[5:]]


def runs(data: bytes) -> None:
    """Fuzz run lengths and shapes: the first byte says which."""
    rest = data[1:]
    text = rest.decode("latin-1")
    numbers = np.frombuffer(rest[: len(rest) // 2 * 2], "<i2").tolist()
    made: dict[int, Callable[[], Shape]] = {
        0: lambda: coded_shapes.Brush(rle.brush_bytes(list(rest))),
        1: lambda: coded_shapes.Brush(rle.brush_bytes(rest)),
        2: lambda: coded_shapes.Brush(rle.brush_bytes(bytes([0, 0, 0, 4 * 35]) + rest)),
        3: lambda: coded_shapes.Runs(text, -1, 1, *SIZE),
        4: lambda: coded_shapes.Runs(numbers, 0, 0, *SIZE),
        5: lambda: coded_shapes.ColumnRuns(text, list(SIZE)),
        6: lambda: coded_shapes.ColumnRuns(numbers, list(SIZE)),
        7: lambda: coded_shapes.DenseRuns(numbers, 1),
        8: lambda: shapes.Polygon.of([np.frombuffer(rest[: len(rest) // 16 * 16], "<f8")]),
        9: lambda: shapes.Polygon.of([numbers[: len(numbers) // 2 * 2]]),
        10: lambda: shapes.Ellipse(*(numbers + [0] * 5)[:5]),
        11: lambda: shapes.rectangle(*(numbers + [0] * 5)[:5]),
        12: lambda: coded_shapes.Brush(rle.brush_bytes([0, 0, 0, 140, 57, 27, *rest])),
    }
    with contextlib.suppress(AnswerError):
        plane = made[data[0] % len(made) if data else 0]().plane(*SIZE)
        if plane is not None:
            rows, columns = plane.window
            assert 0 <= rows.start < rows.stop <= SIZE[0]
            assert 0 <= columns.start < columns.stop <= SIZE[1]


def stream(data: bytes) -> None:
    """Fuzz JSON that is read in windows."""
    json_beginning(data)
    # many windows, few of them
    size = max(7, len(data) // 4)
    for depth in (1, 2):
        assert _values(data, depth, 1 << 20) == _values(data, depth, size)
    with contextlib.suppress(ValueError):
        assert LongLists(data) is not None
    with contextlib.suppress(ValueError):
        value = json.loads(data)
        lists = LongLists(data)
        if isinstance(value, list) and value and b'"@' not in data:
            assert len(lists.value) == len(value)


def _values(data: bytes, depth: int, size: int) -> Any:
    before, json_stream.WINDOW = json_stream.WINDOW, size
    try:
        return list(json_values(lambda start, end: data[start:end], "f.json", depth))
    except SourceError:
        return None
    finally:
        json_stream.WINDOW = before


def task(data: bytes) -> None:
    """Fuzz an entry of Label Studio, in all forms, through to the mask."""
    try:
        lists = LongLists(data)
    except ValueError:
        return
    for form in (TASKS, ANNOTATION, MIN):
        entry = Task.of(lists.value, form, "spare")
        assert isinstance(entry.key, str)
        list(entry.labels())
        for image in entry.images():
            picture_of(entry.data, image)
            _paint(entry.drawn(image, lists, emails=False))


def coco(data: bytes) -> None:
    """Fuzz annotations of COCO, through to the mask."""
    file: Any = Memory(data)
    with contextlib.suppress(SourceError):
        Coco._read(file, "")
    place = array("Q", [0, len(data)])
    part = CocoPart(file, place, SIZE, {1: "cat", 2: "dog"}, "ann", "rater", ("ann",))
    with contextlib.suppress(SourceError):
        _paint(part.read(Limits()))


def cvat(data: bytes) -> None:
    """Fuzz XML of CVAT, through to the mask."""
    file: Any = Memory(data)
    job = _Job(file)
    try:
        encoding = walk(file.windows(), "f.xml", job.begin, job.end)
    except SourceError:
        return
    job.annotator(emails=False)
    for one in job.images:
        assert one.span is not None
        with contextlib.suppress(SourceError):
            _paint(ImagePart(file, one.span, encoding, "ann").read(Limits()))


def image_file(data: bytes) -> None:
    """Fuzz files of Darwin, Supervisely and LabelMe, through to the mask."""
    kinds: tuple[type[ImageFiles], ...] = (Darwin, Supervisely, LabelMeJson, LabelMeXml)
    kind, file = kinds[data[0] % 4 if data else 0], Memory(data[1:])
    start = FileBeginning(cast(Any, file))
    start.__dict__["data"] = file.data
    kind.is_own(start)
    for worker in ("", "ann"):
        memory: Any = file
        _paint(FilePart(kind, memory, worker, emails=False).read(Limits()))


def volume(data: bytes) -> None:
    """Fuzz headers and slices of NIfTI, TIFF and NumPy files."""
    file: Any = Memory(data)
    with contextlib.suppress(ConsolidationError):
        grid = open_grid(file, MAX_PIXELS)
        assert grid.shape[1] * grid.shape[2] <= MAX_PIXELS
        for number in (0, grid.shape[0] - 1):
            assert grid.slice(number).shape == grid.shape[1:]


def _paint(drawn: Iterable[Drawn]) -> None:
    for one in drawn:
        answer = DrawnAnswer(one, Painting(priority=("dog",)))
        with contextlib.suppress(AnswerError):
            size = answer.load(OPTIONS).size(OPTIONS)
            if size is not None:
                out = np.empty(size, np.uint8)
                warnings = answer.read(out, CLASSES, 255, OPTIONS)
                assert set(np.unique(out).tolist()) <= {0, 1, 2, 255}
                assert all("\n" not in line for line in warnings)


FORMAT_TARGETS: dict[str, Callable[[bytes], None]] = {
    "runs": runs,
    "stream": stream,
    "task": task,
    "coco": coco,
    "cvat": cvat,
    "image-file": image_file,
    "volume": volume,
}
