"""Annotations of COCO, of one image: segmentations to regions."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from consolidation.errors import AnswerError, SourceError
from consolidation.formats.coded_shapes import ColumnRuns
from consolidation.formats.drawn import Drawn
from consolidation.formats.files import File
from consolidation.formats.json_stream import parse_json
from consolidation.formats.paint import Region
from consolidation.formats.shapes import Polygon
from consolidation.limits import Limits

ANNOTATOR_FIELDS = (
    *("rater", "annotator", "annotator_id", "annotator_ids", "annotators", "labeler", "labeller"),
    *("worker", "worker_id", "user", "user_id", "created_by", "completed_by", "reviewer_id"),
)
"""Fields by which exports name the annotator of an annotation; the first one that is there."""
ASSIGNED_FIELDS = ("rater_list", "raters", "annotator_list", "annotators", "annotator_ids")
"""Fields by which an image names everybody who was asked."""
_FIELDS = frozenset(ANNOTATOR_FIELDS)
_INNER = ("attributes", "extra", "metadata")
_BARE = " has a segmentation"
_BOXES = (
    f"boxes only, no annotation of it{_BARE}: `consolidate segment --boxes` makes masks of them"
)
_GAP = 1 << 16
"""Bytes between two annotations that are rather read than skipped."""


@dataclass(frozen=True, slots=True, eq=False)
class CocoPart:
    """The annotations of an image in one file.

    Attributes
    ----------
    file : File
    places : array of int
        Where each annotation begins and ends, by turns.
    size : (int, int) or None
        Height and width of the image.
    categories : mapping of int to str
    worker : str
        Whose they are, where no field says so.
    field : str
        Field that names the annotator; empty without one.
    assigned : tuple of str
        Everybody who was asked: without an annotation, they found nothing.
    """

    file: File
    places: array[int]
    size: tuple[int, int] | None
    categories: Mapping[int, str]
    worker: str
    field: str
    assigned: tuple[str, ...]

    def read(self, limits: Limits) -> Iterable[Drawn]:
        """See `Part`."""
        regions: dict[str, list[Region]] = {worker: [] for worker in self.assigned}
        errors: dict[str, str] = {}
        bare: dict[str, int] = {}
        boxed: set[str] = set()
        for annotation in self._annotations():
            for worker in annotators(annotation, self.field) or [self.worker]:
                listed = regions.setdefault(worker, [])
                try:
                    shapes = regions_of(annotation, self.categories)
                except AnswerError as error:
                    errors.setdefault(worker, str(error))
                    continue
                listed += shapes
                if not shapes:
                    bare[worker] = bare.get(worker, 0) + 1
                    if annotation.get("bbox"):
                        boxed.add(worker)
        for worker, listed in regions.items():
            n = bare.get(worker, 0)
            notes = (f"{n} annotations without a segmentation are left out",) if n else ()
            reason = errors.get(worker, "")
            if n and not listed and not reason:
                # something is there: not the same as nothing
                reason = _BOXES if worker in boxed else f"none of its {n} annotations{_BARE}"
            yield Drawn(worker, self.size, listed, notes, reason)

    def _annotations(self) -> Iterator[Mapping[str, Any]]:
        """Read them; those that lie close together at once."""
        places = list(zip(self.places[::2], self.places[1::2], strict=True))
        at = 0
        while at < len(places):
            last = at
            while last + 1 < len(places) and 0 <= places[last + 1][0] - places[last][1] < _GAP:
                last += 1
            start = places[at][0]
            data = self.file.read(start, places[last][1])
            for begin, end in places[at : last + 1]:
                yield parsed(data[begin - start : end - start], self.file, begin)
            at = last + 1


def parsed(data: bytes, file: File, offset: int) -> Mapping[str, Any]:
    """JSON object; an empty one where there is something else; SourceError if it is no JSON."""
    try:
        value = parse_json(data)
    except ValueError as error:
        raise SourceError(f"{file} is not JSON: the entry at byte {offset:,}: {error}") from None
    return value if isinstance(value, dict) else {}


def annotator_fields(annotation: Mapping[str, Any]) -> set[str]:
    """Fields of an annotation that may name its annotator."""
    fields = _FIELDS.intersection(annotation)
    for name in _INNER:
        inner = annotation.get(name)
        if isinstance(inner, dict):
            fields |= _FIELDS.intersection(inner)
    return set(fields)


def annotators(annotation: Mapping[str, Any], field: str) -> list[str]:
    """Who an annotation is by, as a field of it says: one, or a list."""
    if not field:
        return []
    value = field_of(annotation, field)
    if isinstance(value, dict):
        value = value.get("id", value.get("name"))
    values = value if isinstance(value, list) else [value]
    return [
        str(person)
        for person in values
        if isinstance(person, str | int) and not isinstance(person, bool) and str(person)
    ]


def field_of(annotation: Mapping[str, Any], field: str) -> Any:
    """Value of a field, of the annotation itself or of what some tools put custom fields into."""
    if field in annotation:
        return annotation[field]
    for name in _INNER:
        inner = annotation.get(name)
        if isinstance(inner, dict) and field in inner:
            return inner[field]
    return None


def category_of(annotation: Mapping[str, Any]) -> int | None:
    """Number of an annotation's category; None if it has none."""
    category = annotation.get("category_id")
    return category if isinstance(category, int) else None


def label_of(category: int | None, categories: Mapping[int, str]) -> str | None:
    """Name of a category; its number where the file does not list it, which is no class then."""
    return None if category is None else categories.get(category, f"category_id {category}")


def regions_of(annotation: Mapping[str, Any], categories: Mapping[int, str]) -> list[Region]:
    """Regions of an annotation: rings are a union, so each is one; AnswerError if damaged."""
    segmentation = annotation.get("segmentation")
    label = label_of(category_of(annotation), categories)
    if isinstance(segmentation, dict):
        counts, size = segmentation.get("counts"), segmentation.get("size")
        return [Region(label, ColumnRuns(counts, size))]
    if not isinstance(segmentation, list) or not segmentation:
        return []
    # some writers leave out the list around a single ring
    rings = segmentation if isinstance(segmentation[0], list) else [segmentation]
    return [Region(label, Polygon.of([ring])) for ring in rings]
