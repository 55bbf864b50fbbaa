"""The consolidation request: what Ground Truth hands over to be consolidated, many objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from consolidation.errors import SourceError
from consolidation.formats.groundtruth.spans import Read, Span, list_entries
from consolidation.limits import Limits
from consolidation.text import shown

_WHOLE = range(-(1 << 63), 1 << 64)
"""Whole numbers that are read as such by whatever reads JSON."""
MAX_URI = 2048
"""Characters of a URI: S3 keys have at most 1024 bytes."""


@dataclass(frozen=True)
class Annotation:
    """One submitted answer: its content, or where the content lies, or why there is neither."""

    worker: str
    content: str | bytes | Mapping[str, Any] | None = None
    uri: str | None = None
    error: str | None = None


@dataclass(frozen=True)
class RequestObject:
    """One object (image) of a request.

    Attributes
    ----------
    id : str
        The `datasetObjectId`; opaque, never a path.
    source_ref : str or None
        URI of the image.
    annotations : tuple of Annotation
        In the file's order, the same worker perhaps more than once.
    error : str or None
        Why the object cannot be read, if it cannot.
    named : bool
        Whether `id` is its own; else it is ``entry-<place in the file>``.
    """

    id: str
    source_ref: str | None = None
    annotations: tuple[Annotation, ...] = ()
    error: str | None = None
    named: bool = True


def parse_request(
    data: bytes | str, name: str, max_objects: int = Limits.objects
) -> list[RequestObject]:
    """Objects of a consolidation request; `name` is used in messages.

    Raises
    ------
    SourceError
        If the whole file is not a request, or has too many objects. What is wrong within one
        object or annotation stands in its `error` and does not harm the others.

    Examples
    --------
    >>> [one] = parse_request('[{"datasetObjectId": "7", "dataObject": {"s3Uri": "s3://b/k.png"}, \
"annotations": [{"workerId": "w", "annotationData": {"content": "{}"}}]}]', "request.json")
    >>> one.id, one.source_ref, one.annotations[0].worker
    ('7', 's3://b/k.png', 'w')
    """
    read = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    return [
        request
        for _, request in read_request(lambda start, end: read[start:end], name, max_objects)
    ]


def read_request(
    read: Read, name: str, max_objects: int = Limits.objects
) -> Iterator[tuple[Span, RequestObject]]:
    """As `parse_request`, of a file read piece by piece: each object and where it lies.

    Parameters
    ----------
    read : callable
        Bytes of the file from a place to before another.
    name : str
        The file, for messages.
    max_objects : int, optional

    Raises
    ------
    SourceError
        When the file turns out not to be a request: at its end at the latest. Or to have more
        than `max_objects`.
    """
    n_entries, requested = 0, False
    for span, entry in list_entries(read, name):
        requested |= isinstance(entry, Mapping) and "annotations" in entry
        if n_entries == max_objects:
            raise SourceError(
                f"{name} has more objects than {max_objects:,}, which is the limit: "
                f"the next one begins at byte {span.start:,}"
            )
        yield span, parse_object(entry, n_entries)
        n_entries += 1
    if n_entries == 0:
        raise SourceError(f"{name} is empty: no objects to consolidate")
    if not requested:
        raise SourceError(
            f"{name} is not a consolidation request: none of its {n_entries} entries "
            "has annotations"
        )


def parse_object(entry: Any, index: int) -> RequestObject:
    """One entry of a request; `index` is its place in the file, for messages."""
    if not isinstance(entry, Mapping):
        return _unnamed(index, f"is a {_kind(entry)}, not an object")
    object_id = entry.get("datasetObjectId")
    if isinstance(object_id, int) and not isinstance(object_id, bool) and object_id in _WHOLE:
        object_id = str(object_id)
    if not isinstance(object_id, str) or not object_id:
        return _unnamed(index, "has no datasetObjectId")
    data_object = entry.get("dataObject")
    source_ref = data_object.get("s3Uri") if isinstance(data_object, Mapping) else None
    if not isinstance(source_ref, str):
        source_ref = None
    annotations = entry.get("annotations")
    if not isinstance(annotations, list):
        return RequestObject(object_id, source_ref, error="it has no list of annotations")
    parsed = tuple(_parse_annotation(entry, position) for position, entry in enumerate(annotations))
    return RequestObject(object_id, source_ref, parsed)


def _unnamed(index: int, reason: str) -> RequestObject:
    return RequestObject(f"entry-{index}", error=f"entry {index} {reason}", named=False)


def _parse_annotation(entry: Any, position: int) -> Annotation:
    if not isinstance(entry, Mapping):
        return Annotation(f"annotation-{position}", error=f"a {_kind(entry)}, not an object")
    worker = entry.get("workerId")
    if not isinstance(worker, str) or not worker:
        return Annotation(f"annotation-{position}", error="it has no workerId")
    data = entry.get("annotationData")
    if not isinstance(data, Mapping):
        return Annotation(worker, error="it has no annotationData")
    content = data.get("content")
    if isinstance(content, str | Mapping):
        return Annotation(worker, content=content)
    uri = data.get("s3Uri") or data.get("s3uri")
    if isinstance(uri, str):
        if len(uri) > MAX_URI:
            long = f"its s3Uri {shown(uri)} has {len(uri):,} characters, the limit is {MAX_URI:,}"
            return Annotation(worker, error=long)
        return Annotation(worker, uri=uri)
    return Annotation(worker, error="its annotationData has neither content nor s3Uri")


def _kind(value: Any) -> str:
    names = {dict: "object", list: "list", str: "text", bool: "truth value", type(None): "null"}
    return names.get(type(value), "number")
