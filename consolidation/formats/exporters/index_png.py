"""Folders of masks whose pixels are class indices: what most trainers of segmentation read."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from consolidation.formats.exporters.exporter import (
    IGNORED,
    SPLITS,
    TRAIN,
    VALIDATION,
    Export,
    Exporter,
    Image,
)
from consolidation.masks import encode_grey, encode_indexed

VOID_COLOR = "#e0e0c0"
"""Of ignored pixels in the masks of Pascal VOC."""
CITYSCAPES = (
    *("road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign"),
    *("vegetation", "terrain", "sky", "person", "rider", "car", "truck", "bus", "train"),
    *("motorcycle", "bicycle"),
)
"""Classes of Cityscapes by train id."""


class MMSegmentation(Exporter):
    """``img_dir/<split>/`` and ``ann_dir/<split>/`` with files of the same names."""

    name = "mmseg"
    kind = "MMSegmentation"

    def add(self, image: Image) -> None:
        """Write mask and picture."""
        palette = self.export.classes.palette(VOID_COLOR)
        self.write(f"ann_dir/{image.split}/{image.name}.png", encode_indexed(image.mask, palette))
        if image.picture is not None:
            self.write_picture(f"img_dir/{image.split}/{image.name}{image.picture.suffix}", image)

    def finish(self) -> list[str]:
        """Write ``metainfo.json``: what a data set's ``metainfo`` is set to."""
        classes = self.export.classes
        colors = classes.palette(VOID_COLOR)[: len(classes.names)].tolist()
        self.write_json("metainfo.json", {"classes": classes.names, "palette": colors})
        return []


class PascalVoc(Exporter):
    """``JPEGImages/``, ``SegmentationClass/`` and lists of names in ``ImageSets/Segmentation/``."""

    name = "voc"
    kind = "Pascal VOC"

    def __init__(self, export: Export) -> None:
        super().__init__(export)
        self._names: dict[str, list[str]] = defaultdict(list)

    def add(self, image: Image) -> None:
        """Write mask and picture."""
        palette = self.export.classes.palette(VOID_COLOR)
        self.write(f"SegmentationClass/{image.name}.png", encode_indexed(image.mask, palette))
        self._names[image.split].append(image.name)
        if image.picture is not None:
            self.write_picture(f"JPEGImages/{image.name}{image.picture.suffix}", image)

    def finish(self) -> list[str]:
        """Write the lists of names, and ``labelmap.txt``."""
        lists = {split: self._names[split] for split in SPLITS if self._names[split]}
        lists["trainval"] = self._names[TRAIN] + self._names[VALIDATION]
        for split, names in lists.items():
            text = "".join(f"{name}\n" for name in names)
            self.write(f"ImageSets/Segmentation/{split}.txt", text.encode())
        classes = self.export.classes
        colors = classes.palette(VOID_COLOR)[: len(classes.names)].tolist()
        lines = [
            f"{name}:{red},{green},{blue}::\n"
            for name, (red, green, blue) in zip(classes.names, colors, strict=True)
        ]
        text = "".join(["# label:color_rgb:parts:actions\n", *lines])
        self.write("labelmap.txt", text.encode("utf-8", "backslashreplace"))
        return []


class Cityscapes(Exporter):
    """``leftImg8bit/`` and ``gtFine/`` with ``_labelTrainIds`` masks, in one city ``run``."""

    name = "cityscapes"
    kind = "Cityscapes"

    def __init__(self, export: Export) -> None:
        super().__init__(export)
        names = export.classes.names
        painted = [names[index] for index in export.classes.painted]
        self._table = np.arange(256, dtype=np.uint8)
        self._own = bool(set(painted) - set(CITYSCAPES))
        if not self._own:
            ids = [CITYSCAPES.index(name) if name in CITYSCAPES else IGNORED for name in names]
            self._table[: len(ids)] = ids

    def add(self, image: Image) -> None:
        """Write mask and picture."""
        mask, place = image.mask, f"{image.split}/run/{image.name}"
        data = encode_grey(image.size, lambda rows: mask[rows], self._table)
        self.write(f"gtFine/{place}_gtFine_labelTrainIds.png", data)
        if image.picture is not None:
            self.write_picture(f"leftImg8bit/{place}_leftImg8bit{image.picture.suffix}", image)

    def finish(self) -> list[str]:
        """Write ``train_ids.json``; say what train ids mean."""
        names = self.export.classes.names
        ids = {name: int(self._table[index]) for index, name in enumerate(names)}
        self.write_json("train_ids.json", ids)
        if self._own:
            return ["the classes are not those of Cityscapes: train ids are the run's own indices"]
        background = self.export.classes.has_background
        return [f"background is ignored ({IGNORED}), as in Cityscapes"] if background else []
