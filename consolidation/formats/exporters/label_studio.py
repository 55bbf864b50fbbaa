"""Label Studio: tasks with the consensus as their prediction, to be looked at and corrected."""

from __future__ import annotations

import hashlib
from typing import Any
from xml.sax.saxutils import quoteattr

from consolidation.formats.exporters.exporter import IGNORED, Export, Exporter, Image
from consolidation.formats.rle_writing import brush_stream, whole

TAG, PICTURE = "tag", "image"
"""Names of the elements of the labeling configuration, to which results refer."""


class LabelStudio(Exporter):
    """``tasks.json`` to import, and ``label_config.xml`` for a project that has none.

    A brush for each class that an image has; its score is the class's mean confidence.
    """

    name = "label-studio"
    kind = "Label Studio predictions"
    pictures = "leave"
    splits = False

    def __init__(self, export: Export) -> None:
        super().__init__(export)
        self._tasks = self.stream("tasks.json", "[", "]")
        self._ignored = 0

    def add(self, image: Image) -> None:
        """Write a task."""
        self._ignored += int((image.mask == IGNORED).sum())
        prediction = {
            "model_version": self.export.model,
            "score": round(image.confidence, 6),
            "result": [
                region
                for index in self.export.classes.painted
                if (region := self._region(image, index)) is not None
            ],
        }
        data = {PICTURE: image.told, "consolidation_id": image.id}
        self._tasks.add({"data": data, "predictions": [prediction]})

    def _region(self, image: Image, index: int) -> dict[str, Any] | None:
        shape = whole(image.mask == index)
        if shape is None:
            return None
        height, width = image.size
        stream = brush_stream(shape.lengths(0, 0, height, width))
        region = f"{index} {image.id}".encode("utf-8", "surrogatepass")
        return {
            "id": hashlib.sha256(region).hexdigest()[:10],
            "type": "brushlabels",
            "from_name": TAG,
            "to_name": PICTURE,
            "image_rotation": 0,
            "original_width": width,
            "original_height": height,
            "score": round(image.class_confidence.get(index, 0.0), 6),
            "value": {
                "format": "rle",
                "rle": list(stream),
                "brushlabels": [self.export.classes.names[index]],
            },
        }

    def finish(self) -> list[str]:
        """End the tasks, write the configuration; say what became of ignored pixels."""
        self._tasks.end()
        classes = self.export.classes
        labels = "".join(
            f"    <Label value={quoteattr(classes.names[index])} "
            f"background={quoteattr(classes.colors[index])}/>\n"
            for index in classes.painted
        )
        config = (
            f'<View>\n  <Image name="{PICTURE}" value="${PICTURE}"/>\n'
            f'  <BrushLabels name="{TAG}" toName="{PICTURE}">\n{labels}  </BrushLabels>\n</View>\n'
        )
        self.write("label_config.xml", config.encode("utf-8", "backslashreplace"))
        if not self._ignored:
            return []
        return [f"{self._ignored:,} ignored pixels are unpainted, as background is"]
