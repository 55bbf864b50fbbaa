"""Tasks of Label Studio to what each annotator drew: JSON, JSON-MIN, files of one annotation."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from consolidation.errors import AnswerError, SourceError
from consolidation.formats.drawn import Drawn
from consolidation.formats.files import File
from consolidation.formats.groundtruth.spans import Span
from consolidation.formats.json_stream import LongLists
from consolidation.formats.json_text import finite_number
from consolidation.formats.label_studio.regions import (
    has_shape,
    items_of,
    labels_of,
    regions_of,
    size_of,
)
from consolidation.limits import Limits

TASKS, ANNOTATION, MIN = "tasks", "annotation", "min"
"""Forms of an entry: a task with annotations; an annotation with its task; a line of JSON-MIN."""
_PICTURE_KEYS = ("image", "img", "picture", "photo", "url", "ocr", "page", "pages")
_ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".gif")
_OF_MIN = ("id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "agreement")


class ImageKey(NamedTuple):
    """Which image of its task an item is about."""

    to_name: str
    page: int


@dataclass(frozen=True)
class Task:
    """An entry of an export, in one form."""

    key: str
    """Id of the task."""
    data: Mapping[str, Any]
    annotations: list[Mapping[str, Any]]
    n_left_out: Counter[str]
    project: str = ""

    @classmethod
    def of(cls, entry: Any, form: str, spare_key: str) -> Task:
        """Task of an entry; the key is a spare one where it has no id."""
        left_out: Counter[str] = Counter()
        entry = entry if isinstance(entry, dict) else {}
        if form == MIN:
            return cls(_key(entry.get("id"), spare_key), entry, [_of_min(entry)], left_out)
        if form == ANNOTATION:
            task = entry.get("task")
            task = task if isinstance(task, dict) else {"id": task}
            listed: Any = [entry]
        else:
            task = entry
            listed = task.get("annotations", task.get("completions"))
            for name in ("drafts", "predictions"):
                more = task.get(name)
                left_out[name] = len(more) if isinstance(more, list) else 0
        annotations: list[Mapping[str, Any]] = []
        for annotation in listed if isinstance(listed, list) else ():
            if not isinstance(annotation, dict):
                continue
            if annotation.get("was_cancelled") or annotation.get("skipped"):
                left_out["cancelled annotations"] += 1
            else:
                annotations.append(annotation)
        data = task.get("data")
        return cls(
            _key(task.get("id"), spare_key),
            data if isinstance(data, dict) else {},
            annotations,
            +left_out,
            str(task.get("project") or ""),
        )

    def images(self) -> Sequence[ImageKey | None]:
        """Images that items are about; ``[None]`` for a task of one image."""
        names = {
            image_of(item)
            for annotation in self.annotations
            for item in items_of(annotation.get("result"))
            if has_shape(item)
        }
        return sorted(names) if len(names) > 1 else [None]

    def labels(self) -> Iterator[str]:
        """Labels of all regions."""
        for annotation in self.annotations:
            for item in items_of(annotation.get("result")):
                if has_shape(item):
                    yield from labels_of(item)[:1]

    def kinds(self) -> Counter[str]:
        """Result items by type; those that cover pixels by an empty text."""
        return Counter(
            "" if has_shape(item) else str(item.get("type") or "no type")
            for annotation in self.annotations
            for item in items_of(annotation.get("result"))
        )

    def drawn(self, image: ImageKey | None, lists: LongLists, emails: bool) -> Iterator[Drawn]:
        """What each annotator drew on one of its images."""
        for index, annotation in enumerate(self.annotations):
            items = [
                item
                for item in items_of(annotation.get("result"))
                if image is None or image_of(item) == image
            ]
            worker, known = worker_of(annotation, index, emails)
            notes = [] if known else ["who it is by is not said"]
            if annotation.get("parent_annotation"):
                notes.append("it began as a copy of another annotation: not independent")
            if annotation.get("parent_prediction"):
                notes.append("it began as a copy of a prediction")
            order = annotation.get("updated_at") or annotation.get("created_at")
            drawn = Drawn(
                worker,
                None,
                truth=bool(annotation.get("ground_truth")),
                order=order if isinstance(order, str) else "",
                seconds=finite_number(annotation.get("lead_time")),
            )
            try:
                regions, more = regions_of(items, lists)
                size = size_of(items)
            except AnswerError as error:
                yield drawn._replace(error=str(error))
            else:
                yield drawn._replace(size=size, regions=regions, notes=(*notes, *more))


@dataclass(frozen=True, slots=True)
class TaskPart:
    """Where an entry lies, and which of its images is meant."""

    file: File
    span: Span
    form: str
    image: ImageKey | None = None
    emails: bool = False

    def read(self, limits: Limits) -> Iterable[Drawn]:
        """See `Part`."""
        data = self.file.read(*self.span)
        try:
            lists = LongLists(data)
        except ValueError as error:
            raise SourceError(
                f"{self.file}, byte {self.span.start:,}, is not JSON: {error}"
            ) from None
        return list(Task.of(lists.value, self.form, "").drawn(self.image, lists, self.emails))


def image_of(item: Mapping[str, Any]) -> ImageKey:
    """Which image of its task an item is about."""
    index, name = item.get("item_index"), item.get("to_name")
    return ImageKey(name if isinstance(name, str) else "", index if type(index) is int else 0)


def worker_of(annotation: Mapping[str, Any], index: int, emails: bool) -> tuple[str, bool]:
    """Worker of an annotation, and whether that is known.

    A person's e-mail address is used only if asked for; else the id, or a hash of the address
    where there is nothing else.
    """
    by = annotation.get("completed_by")
    email = by.get("email") if isinstance(by, dict) else by if isinstance(by, str) else None
    number = by.get("id") if isinstance(by, dict) else by
    if emails and isinstance(email, str) and email:
        return email, True
    if isinstance(number, int) and not isinstance(number, bool):
        return str(number), True
    if isinstance(number, str) and number and "@" not in number:
        return number, True
    if isinstance(email, str) and email:
        return f"person-{hashlib.sha256(email.lower().encode()).hexdigest()[:8]}", True
    unique = annotation.get("id") or annotation.get("unique_id")
    return f"annotation-{unique or index + 1}", False


def picture_of(data: Mapping[str, Any], image: ImageKey | None) -> tuple[str, str]:
    """Name of the picture, and its path or URL; empty if the task names none."""
    keys = [key for key in _PICTURE_KEYS if key in data]
    if image is not None and image.to_name in data:
        keys.insert(0, image.to_name)
    keys += [key for key in data if key not in keys]
    for key in keys:
        value = data[key]
        if isinstance(value, list) and value and image is not None and image.page < len(value):
            value = value[image.page]
        elif isinstance(value, list) and len(value) == 1:
            value = value[0]
        if isinstance(value, str) and not value.startswith("data:"):
            name = _picture_name(value)
            if name and (key in _PICTURE_KEYS or name.lower().endswith(_ENDINGS)):
                return name, value
    return "", ""


def identity_of(data: Mapping[str, Any], name: str, picture: str) -> str:
    """Text that is another for another picture; empty if the task has none.

    The query of a URL is no part of it where the path names a file: it is a signature, which each
    export has anew.

    Examples
    --------
    >>> identity_of({}, "a.png", "https://h/1/a.png?X-Signature=5")
    'https://h/1/a.png a.png'
    """
    if picture:
        path = picture.partition("?")[0]
        return f"{path if name.lower().endswith(_ENDINGS) else picture} {name}"
    # a picture within the export itself
    return next(
        (text for text in data.values() if isinstance(text, str) and text.startswith("data:")), ""
    )


def _picture_name(url: str) -> str:
    """Name of a picture in a URL or path: without what Label Studio puts before an upload's name.

    Examples
    --------
    >>> _picture_name("/data/upload/1/0a1b2c3d-cat.jpg"), _picture_name("https://a.b/c%20d.png?x=1")
    ('cat.jpg', 'c d.png')
    >>> _picture_name("/data/local-files/?d=set/cat.jpg")
    'set/cat.jpg'
    """
    path = url
    if "?" in url or "://" in url:
        try:
            parts = urlsplit(url)
        except ValueError:
            return ""
        path = parts.path
        local = parse_qs(parts.query).get("d")
        if local and "local-files" in path:
            return unquote(local[0]).strip("/")
    name = unquote(path.replace("\\", "/")).rstrip("/").rpartition("/")[2]
    head, dash, tail = name.partition("-")
    if dash and tail and len(head) == 8 and "/upload/" in path:
        try:
            int(head, 16)
        except ValueError:
            return name
        return tail
    return name


def _of_min(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """Annotation of a line of JSON-MIN: its values become result items again."""
    items = []
    for name, values in entry.items():
        if name in _OF_MIN or not isinstance(values, list):
            continue
        for value in values:
            if isinstance(value, dict):
                sizes = {key: value.get(f"original_{key}") for key in ("width", "height")}
                items.append(
                    {
                        "value": value,
                        "original_width": sizes["width"],
                        "original_height": sizes["height"],
                        "image_rotation": value.get("image_rotation"),
                    }
                )
    return {
        "id": entry.get("annotation_id"),
        "completed_by": entry.get("annotator"),
        "updated_at": entry.get("updated_at"),
        "created_at": entry.get("created_at"),
        "lead_time": entry.get("lead_time"),
        "result": items,
    }


def _key(value: Any, spare: str) -> str:
    return str(value) if isinstance(value, int | str) and str(value) else spare
