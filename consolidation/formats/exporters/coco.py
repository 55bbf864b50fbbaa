"""COCO: run-length codes of the connected regions of each class, with a score."""

from __future__ import annotations

from typing import Any

import numpy as np

from consolidation.formats.exporters.exporter import IGNORED, Export, Exporter, Image
from consolidation.formats.exporters.json_list import JsonList
from consolidation.formats.rle_writing import components, compressed_text


class Coco(Exporter):
    """``annotations/instances_<split>.json``, and the pictures in ``images/`` if asked for.

    A category's id is its class index plus one; background is no category. The score of a
    region is the mean confidence of its class in the image.
    """

    name = "coco"
    kind = "COCO"
    pictures = "leave"

    def __init__(self, export: Export) -> None:
        super().__init__(export)
        self._files: dict[str, JsonList] = {}
        self._images: dict[str, list[dict[str, Any]]] = {}
        self._n_images = self._n_annotations = self._ignored = 0

    def add(self, image: Image) -> None:
        """Write an image's annotations."""
        if image.split not in self._files:
            path = f"annotations/instances_{image.split}.json"
            self._files[image.split] = self.stream(path, '{"annotations":[', "]")
            self._images[image.split] = []
        annotations = self._files[image.split]
        height, width = image.size
        self._n_images += 1
        self._ignored += int((image.mask == IGNORED).sum())
        name = self.told_or_copied(image, "images")
        self._images[image.split].append(
            {"id": self._n_images, "file_name": name, "width": width, "height": height}
        )
        # the codes go down the columns
        columns = np.ascontiguousarray(image.mask.T)
        for index in self.export.classes.painted:
            for part in components(columns == index):
                self._n_annotations += 1
                left, top, right, bottom = part.box
                counts = part.lengths(0, 0, width, height)
                annotations.add(
                    {
                        "id": self._n_annotations,
                        "image_id": self._n_images,
                        "category_id": index + 1,
                        "segmentation": {
                            "size": [height, width],
                            "counts": compressed_text(counts),
                        },
                        "area": part.area,
                        "bbox": [left, top, right - left, bottom - top],
                        "iscrowd": 0,
                        "score": round(image.class_confidence.get(index, 0.0), 6),
                    }
                )

    def finish(self) -> list[str]:
        """Write images and categories; say what became of ignored pixels."""
        names = self.export.classes.names
        categories = [
            {"id": index + 1, "name": names[index], "supercategory": ""}
            for index in self.export.classes.painted
        ]
        for split, file in self._files.items():
            file.end({"images": self._images[split], "categories": categories})
        if not self._ignored:
            return []
        return [f"{self._ignored:,} ignored pixels are in no annotation, as background is"]
