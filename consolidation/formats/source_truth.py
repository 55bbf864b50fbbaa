"""A truth that stands in what a tool wrote: gold annotations, or an export by one annotator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from consolidation.errors import SourceError
from consolidation.formats.finished_job import FinishedJob
from consolidation.formats.place import Place
from consolidation.formats.registry import job_classes, open_source, tool_at
from consolidation.formats.source import Source, SourceObject, SourceOptions
from consolidation.masks import Classes
from consolidation.objects import prepare_object
from consolidation.options import Options
from consolidation.text import shown


@dataclass(frozen=True)
class SourceTruth:
    """True masks of a source, read one by one.

    Attributes
    ----------
    uri : str
    items : mapping of str to SourceObject
        By the ids of their images.
    classes : Classes
    options : Options
    """

    uri: str
    items: Mapping[str, SourceObject]
    classes: Classes
    options: Options

    def read(self, image_id: str) -> NDArray[Any]:
        """Mask (H, Wd) of an image: class indices, 255 where nobody knows.

        Raises
        ------
        ObjectError
            If it cannot be read.
        SourceError
            If several annotators are told, none of them as the truth.
        """
        prepared = prepare_object(self.items[image_id].load(), self.classes, self.options)
        if len(prepared.workers) > 1:
            listed = ", ".join(prepared.workers[:5])
            raise SourceError(
                f"{self.uri}, image {shown(image_id)}: {len(prepared.workers)} annotators "
                f"({listed}), none of whose answers is marked as the truth"
            )
        mask: NDArray[Any] = prepared.masks[0]
        return mask


def own_truth(source: Source, uri: str, classes: Classes, options: Options) -> SourceTruth:
    """Truth that a source tells beside its votes; SourceError if it tells none."""
    items = source.truths()
    if not items:
        raise SourceError(
            f"{uri} has no annotation that is marked as the truth: give a folder of true masks"
        )
    return SourceTruth(uri, items, classes, options)


def find_truth(path: str | Path, options: Options | None = None) -> SourceTruth | None:
    """Truth in what a tool wrote; None if no tool's file is at the path.

    Where nothing is marked as the truth, every image must have one annotator.
    """
    # a job of Ground Truth may have a folder of true masks in it
    if tool_at(Place.at(path)) in (None, FinishedJob):
        return None
    options = options or Options()
    source = open_source(path, SourceOptions(max_pixels=options.max_pixels, limits=options.limits))
    items = source.truths() or {item.id: item for item in source.items}
    return SourceTruth(str(path), items, job_classes(source, None), options)
