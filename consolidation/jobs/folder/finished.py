"""A run that is over, read again: its records, masks and classes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation import storage
from consolidation.errors import RunError
from consolidation.formats.groundtruth.manifest import METADATA_SUFFIX
from consolidation.formats.lines import LineFile
from consolidation.formats.place import FOLDER
from consolidation.jobs.folder.layout import PROVENANCE
from consolidation.jobs.folder.records import Record
from consolidation.jobs.folder.run_folder import read_run
from consolidation.masks import Classes, decode_indices


class FinishedRun:
    """What a run left in its folder.

    Parameters
    ----------
    out : path or ``s3://`` URI

    Attributes
    ----------
    content : dict
        What `read_run` returns.
    names : tuple of str
        Of the classes, by index.

    Raises
    ------
    RunError
        If the folder holds no finished run.
    """

    def __init__(self, out: str | Path) -> None:
        self.out = str(out)
        content = read_run(self.out)
        if content is None or "summary" not in content:
            raise RunError(f"{out} holds no finished run")
        self.content: dict[str, Any] = content
        provenance = json.loads(storage.read_bytes(storage.join(self.out, PROVENANCE)))
        self.names: tuple[str, ...] = tuple(provenance["classes"])
        self._lines = LineFile(storage.join(self.out, FOLDER, "records.jsonl"))

    @property
    def options(self) -> dict[str, Any]:
        """Options that changed its results, by name."""
        options: dict[str, Any] = self.content["about"]["options"]
        return options

    @property
    def creation_date(self) -> str:
        """When it began."""
        return str(self.content["creation_date"])

    def records(self) -> Iterator[Record]:
        """Records of all objects, in order."""
        for number in range(len(self._lines)):
            yield Record.from_json(self._lines.read(number))

    def mask(self, record: Record) -> NDArray[np.uint8]:
        """Consensus (H, Wd) of an object that did not fail."""
        return self._indices(record.files[0])

    def confidence(self, record: Record) -> NDArray[np.uint8] | None:
        """Confidence map (H, Wd), 255 times the confidence; None if the run wrote none."""
        return self._indices(record.files[1]) if len(record.files) > 1 else None

    def _indices(self, name: str) -> NDArray[np.uint8]:
        path = storage.join(self.out, *name.split("/"))
        try:
            return decode_indices(storage.read_bytes(path))
        except storage.StorageError as error:
            raise RunError(f"the run's file is gone: {error}") from None

    def hex_colors(self) -> tuple[str, ...]:
        """Colours of the classes by index, as the run's first mask has them."""
        attribute = f"{self.options['label_attribute']}{METADATA_SUFFIX}"
        record = next((one for one in self.records() if not one.failed), None)
        block = {} if record is None else json.loads(record.line)[attribute]["internal-color-map"]
        seen = {int(index): entry["hex-color"] for index, entry in block.items()}
        return Classes(self.names).hex_colors(seen)
