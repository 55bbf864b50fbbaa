"""Folders with ``metadata.jsonl``, which ``datasets.load_dataset("imagefolder", ...)`` reads."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from consolidation.formats.exporters.exporter import IGNORED, Export, Exporter, Image
from consolidation.formats.groundtruth import compact
from consolidation.masks import encode_grey


class HuggingFace(Exporter):
    """Columns ``image``, ``label`` (class indices, grey), ``id`` and ``confidence``."""

    name = "huggingface"
    kind = "Hugging Face image folder"
    needs_pictures = True

    def __init__(self, export: Export) -> None:
        super().__init__(export)
        self._rows: dict[str, list[dict[str, Any]]] = defaultdict(list)

    def add(self, image: Image) -> None:
        """Write mask and picture."""
        assert image.picture is not None
        mask = image.mask
        row = {
            "file_name": f"images/{image.name}{image.picture.suffix}",
            "label_file_name": f"masks/{image.name}.png",
            "id": image.id,
            "confidence": round(image.confidence, 6),
        }
        data = encode_grey(image.size, lambda rows: mask[rows])
        self.write(f"{image.split}/{row['label_file_name']}", data)
        self.write_picture(f"{image.split}/{row['file_name']}", image)
        self._rows[image.split].append(row)

    def finish(self) -> list[str]:
        """Write ``metadata.jsonl`` of each split, and ``id2label.json``."""
        for split, rows in self._rows.items():
            text = "".join(f"{compact(row)}\n" for row in rows)
            self.write(f"{split}/metadata.jsonl", text.encode("utf-8", "backslashreplace"))
        names = self.export.classes.names
        self.write_json("id2label.json", {str(index): name for index, name in enumerate(names)})
        return [f"label {IGNORED} is ignored: set the loss's ignore_index to it"]
