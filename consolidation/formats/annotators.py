"""Who is who where each annotator has a file: by what files say, else by what they are called."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from consolidation.formats.files import File
from consolidation.formats.place import Place

_PLAIN = ("annotations", "annotation", "instances", "instances_default", "default", "labels")
"""Names of files that say nothing: the folder's counts."""


@dataclass(frozen=True)
class Annotator:
    """Name that a file says, empty if none, and the file."""

    name: str
    file: File


def distinct(
    annotators: Sequence[Annotator], images: Sequence[Collection[str]], place: Place
) -> list[str]:
    """Name of each file's annotator.

    Where two files about the same image say the same name, or none, files are called by their own
    names: two answers of one annotator would be one.

    Parameters
    ----------
    annotators : sequence of Annotator
    images : sequence of collection of str
        What each file is about.
    place : Place
    """
    names = [annotator.name for annotator in annotators]
    seen: dict[str, set[str]] = defaultdict(set)
    clash = False
    for name, drawn in zip(names, images, strict=True):
        clash |= not seen[name].isdisjoint(drawn)
        seen[name].update(drawn)
    if clash or "" in names:
        own = file_names([annotator.file for annotator in annotators], place)
        return own if clash else [name or ours for name, ours in zip(names, own, strict=True)]
    return names


def file_names(files: Sequence[File], place: Place) -> list[str]:
    """What each file is called: its path below the source without what all have in common.

    Examples
    --------
    >>> place = Place("job", ())
    >>> file_names([File("job/ann/annotations.xml"), File("job/bob/annotations.xml")], place)
    ['ann', 'bob']
    >>> file_names([File("job/ann.json"), File("job/bob.json")], place)
    ['ann', 'bob']
    >>> file_names([File("job/all.zip", "ann.xml"), File("job/all.zip", "bob.xml")], place)
    ['ann', 'bob']
    """
    folder = place.folder.replace("\\", "/").rstrip("/") + "/"
    paths = []
    inside = Counter(file.uri for file in files)
    for file in files:
        name = file.uri.replace("\\", "/").removeprefix(folder)
        # an archive is its annotator's, unless it holds the files of several
        path = PurePosixPath(f"{name}/{file.member}" if inside[file.uri] > 1 else name)
        parts = [*path.parts[:-1], path.stem]
        if parts[-1].lower() in _PLAIN:
            parts = parts[:-1] or [PurePosixPath(place.named()).name]
        paths.append(parts)
    while (
        len(paths) > 1
        and all(len(parts) > 1 for parts in paths)
        and len({parts[0] for parts in paths}) == 1
    ):
        paths = [parts[1:] for parts in paths]
    while (
        len(paths) > 1
        and all(len(parts) > 1 for parts in paths)
        and len({parts[-1] for parts in paths}) == 1
    ):
        paths = [parts[:-1] for parts in paths]
    if len(paths) == 1:
        paths = [paths[0][-1:]]
    return ["/".join(parts) for parts in paths]
