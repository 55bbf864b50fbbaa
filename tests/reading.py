"""What a source gives: masks by object and worker, and what it warns of."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from consolidation.errors import ConsolidationError
from consolidation.formats import SourceOptions, open_source
from consolidation.masks import Classes
from consolidation.objects import ignore_index, prepare_object
from consolidation.options import Options


class Read(NamedTuple):
    """A source, read to the end."""

    masks: dict[str, dict[str, np.ndarray[Any, Any]]]
    warnings: dict[str, list[tuple[str, str]]]
    errors: dict[str, str]
    classes: Classes
    notes: tuple[str, ...]
    name: str

    def pixels(self, object_id: str, worker: str) -> dict[str, int]:
        """Pixels by class, background left out."""
        mask = self.masks[object_id][worker]
        return {
            name: int((mask == index).sum())
            for index, name in enumerate(self.classes.names)
            if index and (mask == index).any()
        }

    def ignored(self, object_id: str, worker: str) -> int:
        """Pixels that say nothing."""
        return int((self.masks[object_id][worker] == ignore_index(self.classes)).sum())


def read(path: Path, classes: Classes | None = None, **how: Any) -> Read:
    """Read all objects of a source."""
    source = open_source(path, SourceOptions(**how))
    classes = classes or source.classes()
    # how many regions there are has a test of its own
    notes = [one for one in source.notes if not one.startswith("regions: ")]
    result = Read({}, {}, {}, classes, tuple(notes), source.name)
    for item in source.items:
        try:
            prepared = prepare_object(item.load(), classes, Options(threads=1))
        except ConsolidationError as error:
            result.errors[item.id] = str(error)
            continue
        result.masks[item.id] = {
            worker: mask.copy()
            for worker, mask in zip(prepared.workers, prepared.masks, strict=True)
        }
        result.warnings[item.id] = [(one.worker, one.message) for one in prepared.warnings]
    return result
