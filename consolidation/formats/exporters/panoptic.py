"""Panoptic COCO: a picture of segment numbers for each image, and what they are in JSON."""

from __future__ import annotations

from typing import Any

import numpy as np

from consolidation.formats.exporters.exporter import Export, Exporter, Image
from consolidation.formats.exporters.json_list import JsonList
from consolidation.formats.rle_writing import whole
from consolidation.masks import encode_rgb

BACKGROUND_NAME = "background"


class Panoptic(Exporter):
    """``annotations/panoptic_<split>.json`` and the pictures in ``annotations/panoptic_<split>/``.

    Every class of an image is one segment of stuff, background too; its number is the category's
    id, class index plus one. Ignored pixels are void, number 0.
    """

    name = "coco-panoptic"
    kind = "panoptic COCO"
    pictures = "leave"

    def __init__(self, export: Export) -> None:
        super().__init__(export)
        self._files: dict[str, JsonList] = {}
        self._images: dict[str, list[dict[str, Any]]] = {}
        self._n_images = 0
        self._table = np.arange(1, 257).astype(np.uint8)

    def add(self, image: Image) -> None:
        """Write an image's segments."""
        folder = f"annotations/panoptic_{image.split}"
        if image.split not in self._files:
            self._files[image.split] = self.stream(f"{folder}.json", '{"annotations":[', "]")
            self._images[image.split] = []
        height, width = image.size
        self._n_images += 1
        self._images[image.split].append(
            {
                "id": self._n_images,
                "file_name": self.told_or_copied(image, "images"),
                "width": width,
                "height": height,
            }
        )
        colors = np.zeros((height, width, 3), np.uint8)
        # 255, ignored, becomes 0
        colors[..., 0] = self._table[image.mask]
        self.write(f"{folder}/{image.name}.png", encode_rgb(colors))
        segments = []
        for index in range(len(self.export.classes.names)):
            shape = whole(image.mask == index)
            if shape is not None:
                top, left, bottom, right = shape.box
                segments.append(
                    {
                        "id": index + 1,
                        "category_id": index + 1,
                        "area": shape.area,
                        "bbox": [left, top, right - left, bottom - top],
                        "iscrowd": 0,
                        "score": round(image.class_confidence.get(index, 0.0), 6),
                    }
                )
        self._files[image.split].add(
            {
                "image_id": self._n_images,
                "file_name": f"{image.name}.png",
                "segments_info": segments,
            }
        )

    def finish(self) -> list[str]:
        """Write images and categories."""
        classes = self.export.classes
        categories = [
            {
                "id": index + 1,
                "name": name if index in classes.painted else BACKGROUND_NAME,
                "supercategory": "",
                "isthing": 0,
                "color": color,
            }
            for index, (name, color) in enumerate(
                zip(classes.names, classes.palette("").tolist(), strict=False)
            )
        ]
        for split, file in self._files.items():
            file.end({"images": self._images[split], "categories": categories})
        return []
