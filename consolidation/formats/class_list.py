"""The one parser of class lists: what classes are called, in which order or at which index.

A list is about workers' labels (Ground Truth: class 0 is what nobody painted, a label that is
called background stays a class beside it) or about masks whose pixels are indices (there, a list
that begins with background means class 0 by it). The file is the same, so both readings are here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consolidation import storage
from consolidation.errors import OptionError, SourceError
from consolidation.formats.json_text import load_json
from consolidation.masks.classes import UNDECIDED_INDEX, Classes, is_background
from consolidation.masks.colors import hex_color, parse_color
from consolidation.text import shown

RGB = tuple[int, int, int]

FILES = ("classes.json", "labelmap.txt")
"""Class lists beside a folder of masks; the first that is there counts."""
FORM = (
    'expected {"classes": [{"index": 1, "name": "cat", "color": "#2ca02c"}, ...]} (the color is '
    'optional), {"labels": [{"label": "cat"}, ...]} or ["background", "cat", ...]'
)
_VOID = ("void", "ignore", "ignored", "unknown", "unlabeled", "unlabelled", "undefined")


@dataclass(frozen=True)
class ClassEntry:
    """A class of a list."""

    name: Any
    index: int | None = None
    color: RGB | None = None


@dataclass(frozen=True)
class ClassList:
    """A class list as it was written.

    Attributes
    ----------
    file : str
        Where it was read, for messages.
    entries : tuple of ClassEntry
        All of them with an index, or none.
    void : tuple of RGB
        Colours of pixels that are not labelled.
    """

    file: str
    entries: tuple[ClassEntry, ...]
    void: tuple[RGB, ...] = ()

    @property
    def indexed(self) -> bool:
        """Whether indices are written."""
        return any(entry.index is not None for entry in self.entries)

    @property
    def ignored(self) -> set[int]:
        """Indices of pixels that are not labelled, by their names."""
        return {
            entry.index
            for entry in self.entries
            if entry.index
            and (entry.index == UNDECIDED_INDEX or is_ignored(entry.name))
            and is_void(entry.name)
        }

    @property
    def has_colors(self) -> bool:
        """Whether any class has a colour."""
        return any(entry.color is not None for entry in self.entries)

    @property
    def begins_with_background(self) -> bool:
        """Whether it is a plain list whose first name is background."""
        first = self.entries[0].name if self.entries else None
        return not self.indexed and isinstance(first, str) and is_background(first)

    def of_labels(self) -> Classes:
        """Classes of labels that workers paint with; SourceError if names or indices clash."""
        return self._classes(1)

    def of_indices(self, no_background: bool = False) -> Classes:
        """Classes of masks whose pixels are indices; SourceError if names or indices clash.

        Examples
        --------
        >>> parse_class_list('["Background", "cat"]', "classes.json").of_indices().names
        ('BACKGROUND', 'cat')
        >>> parse_class_list('["road", "car"]', "classes.json").of_indices(True).names
        ('road', 'car')
        """
        if no_background:
            return self._classes(0, background=False)
        return self._classes(0 if self.begins_with_background else 1)

    def _classes(self, first: int, background: bool = True) -> Classes:
        names: dict[int, Any] = {}
        colors: dict[int, str] = {}
        for number, entry in enumerate(self.entries, first):
            index = number if entry.index is None else entry.index
            if entry.index in self.ignored:
                continue
            if index == 0 and background:
                self._check_background(entry.name)
            names[index] = entry.name
            if entry.color is not None:
                colors[index] = hex_color(entry.color)
        start = 1 if background else 0
        labels = [
            names.get(index, f"class-{index}") for index in range(start, max(names, default=-1) + 1)
        ]
        try:
            return Classes(Classes.of_labels(labels, background).names, colors)
        except OptionError as error:
            raise SourceError(f"{self.file}: {error}") from None

    def _check_background(self, name: Any) -> None:
        if not is_background(name):
            raise SourceError(
                f"{self.file}: class 0 is called {shown(name)}, and 0 is background here: give it "
                "another index, call it background, or say --no-background where 0 is a class "
                "like the others"
            )


def read_class_list(uri: str) -> ClassList:
    """Read a class list; SourceError if it is not there, or is none."""
    if not storage.exists(uri):
        there = not storage.is_s3(uri) and storage.local(uri).exists()
        raise SourceError(f"{uri} is no regular file" if there else f"{uri} does not exist")
    return parse_class_list(storage.read_bytes(uri), uri)


def parse_class_list(data: bytes | str, file: str, label_map: bool = False) -> ClassList:
    r"""Read a class list; `file` is used in messages.

    Understood are Ground Truth's ``{"labels": [{"label": "cat"}, ...]}``; a plain list of names;
    ``{"classes": [...]}`` of names, or of objects with ``index``, ``name`` and optionally
    ``color``; COCO's ``{"categories": [{"id": 1, "name": "cat"}, ...]}``; ``{"0": "background",
    "1": "cat"}`` (also as ``id2label``) and ``{"cat": 1}`` (also as ``labels``, of nnU-Net); and,
    where the name ends with ``.txt``, VOC's and CVAT's ``labelmap.txt`` of lines
    ``cat:44,160,44::``; where it ends with ``.xml``, a labeling configuration of Label Studio.

    Raises
    ------
    SourceError
        If it is none of these, or its indices clash.

    Examples
    --------
    >>> parse_class_list('{"0": "background", "1": "cat"}', "classes.json").of_indices().names
    ('BACKGROUND', 'cat')
    >>> parse_class_list("background:0,0,0::\ncat:44,160,44::", "labelmap.txt").entries[1]
    ClassEntry(name='cat', index=None, color=(44, 160, 44))
    """
    if label_map or file.lower().endswith(".txt"):
        return _labelmap(data, file)
    if file.lower().endswith(".xml"):
        return _labeling_config(data, file)
    try:
        content = load_json(data)
    except ValueError as error:
        raise SourceError(f"{file} is not JSON: {error}") from None
    try:
        return ClassList(file, tuple(_entries(content)))
    except OptionError as error:
        raise SourceError(f"{file}: {error}") from None


def _entries(content: Any) -> list[ClassEntry]:
    if isinstance(content, list):
        return _listed(content)
    if isinstance(content, Mapping):
        if isinstance(content.get("id2label"), Mapping):
            content = content["id2label"]
        for key in ("classes", "categories"):
            if isinstance(content.get(key), list):
                return _listed(content[key], indexed=True)
        if isinstance(content.get("labels"), list):
            return _listed(content["labels"])
        # of nnU-Net; its regions are lists of labels
        named = content["labels"] if isinstance(content.get("labels"), Mapping) else content
        pairs = [(key, value) for key, value in named.items() if not isinstance(value, list)]
        if pairs and all(key.isdecimal() and isinstance(name, str) for key, name in pairs):
            return _checked([ClassEntry(name, int(key)) for key, name in pairs])
        if pairs and all(type(index) is int for _, index in pairs):
            return _checked([ClassEntry(name, index) for name, index in pairs])
    raise OptionError(f"it is no label-categories file: it has neither labels nor classes; {FORM}")


def _listed(entries: Sequence[Any], indexed: bool = False) -> list[ClassEntry]:
    """Entries of a list, of objects or of names; `indexed`: objects have an index."""
    objects = [entry for entry in entries if isinstance(entry, Mapping)]
    indexed = (indexed and not all(isinstance(entry, str) for entry in entries)) or any(
        "index" in entry for entry in objects
    )
    if not indexed:
        return [
            ClassEntry(entry.get("label", entry.get("name")), color=_color(entry))
            if isinstance(entry, Mapping)
            else ClassEntry(entry)
            for entry in entries
        ]
    classes = []
    for entry in entries:
        index, name = None, None
        if isinstance(entry, Mapping):
            index, name = entry.get("index", entry.get("id")), entry.get("name", entry.get("label"))
        if type(index) is not int or not isinstance(name, str):
            raise OptionError(f"a class has an index and a name, not {shown(entry)}; {FORM}")
        classes.append(ClassEntry(name, index, _color(entry)))
    return _checked(classes)


def _checked(entries: list[ClassEntry]) -> list[ClassEntry]:
    taken = set()
    for entry in entries:
        if entry.index is None or not 0 <= entry.index <= 255 or entry.index in taken:
            raise OptionError(
                f"class {shown(entry.name)} has index {shown(entry.index)}, which is taken or "
                "not 0 to 255"
            )
        taken.add(entry.index)
    return entries


def _color(entry: Mapping[str, Any]) -> RGB | None:
    color = entry.get("color")
    if color is None:
        return None
    rgb = parse_color(color)
    if rgb is None and isinstance(color, list) and len(color) == 3:
        # as COCO's panoptic categories and datumaro have it
        values = [channel for channel in color if type(channel) is int and 0 <= channel <= 255]
        rgb = (values[0], values[1], values[2]) if len(values) == 3 else None
    if rgb is None:
        name = entry.get("name", entry.get("label"))
        raise OptionError(f"class {shown(name)} has no color such as #2ca02c but {shown(color)}")
    return rgb


def _labeling_config(data: bytes | str, file: str) -> ClassList:
    from consolidation.formats.label_studio.config import config_labels

    text = data.encode() if isinstance(data, str) else data
    labels = config_labels(text, file)
    return ClassList(
        file, tuple(ClassEntry(name, color=parse_color(color)) for name, color in labels.items())
    )


def _labelmap(data: bytes | str, file: str) -> ClassList:
    text = data.decode("utf-8-sig", "replace") if isinstance(data, bytes) else data
    entries, void = [], []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, *rest = line.strip().split(":")
        parts = rest[0].split(",") if rest else []
        color = [int(part) for part in parts if part.strip().isdecimal() and int(part) < 256]
        if len(parts) != 3 or len(color) != 3:
            raise SourceError(
                f"{file}, line {number} is no class such as cat:44,160,44:: but {shown(line)}"
            )
        rgb = (color[0], color[1], color[2])
        if is_void(name):
            void.append(rgb)
        else:
            entries.append(ClassEntry(name, color=rgb))
    # colours tell the classes apart, so background is class 0 wherever it is listed
    entries.sort(key=lambda entry: not is_background(entry.name))
    return ClassList(file, tuple(entries), tuple(void))


def is_ignored(name: Any) -> bool:
    """Whether a name says so of any index, as nnU-Net's highest."""
    return isinstance(name, str) and name.strip().casefold() in ("ignore", "ignored")


def is_void(name: Any) -> bool:
    """Whether a name says that a pixel is not labelled."""
    return isinstance(name, str) and name.strip().casefold() in _VOID
