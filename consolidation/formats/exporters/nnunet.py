"""A data set of nnU-Net (2D): ``imagesTr/``, ``labelsTr/`` and ``dataset.json``."""

from __future__ import annotations

import numpy as np

from consolidation.errors import AnswerError, ConsolidationError, OptionError
from consolidation.formats.exporters.exporter import IGNORED, Export, Exporter, Image
from consolidation.masks import encode_grey, read_header

ENDING = ".png"
CHANNELS = {0: ("grey",), 2: ("R", "G", "B"), 3: ("R", "G", "B"), 6: ("R", "G", "B", "A")}
"""By the colour type of a PNG; one with a palette is read as RGB."""
MOST = 254
"""Classes, background included, beside the ignored ones in 8 bits."""


class NnUNet(Exporter):
    """Labels are consecutive from background 0 on; the ignored pixels have the highest."""

    name = "nnunet"
    kind = "nnU-Net (2D)"
    splits = False

    def __init__(self, export: Export) -> None:
        super().__init__(export)
        classes = export.classes
        shift = 0 if classes.has_background else 1
        painted = {classes.names[index]: index + shift for index in classes.painted}
        if len(painted) > MOST:
            raise OptionError(f"{len(painted)} classes and ignored pixels do not fit 8 bits")
        for reserved in ("background", "ignore"):
            if reserved in painted:
                raise OptionError(f"nnU-Net keeps the name {reserved!r}, which a class has")
        self._labels = {"background": 0, **painted}
        self._table = np.arange(shift, 256 + shift).astype(np.uint8)
        self._table[IGNORED] = len(self._labels)
        self._n, self._any_ignored = 0, False
        self._channels: dict[tuple[str, ...], str] = {}

    def add(self, image: Image) -> None:
        """Write mask and picture."""
        mask = image.mask
        self._n += 1
        self._any_ignored |= bool((mask == IGNORED).any())
        labels = encode_grey(image.size, lambda rows: mask[rows], self._table)
        self.write(f"labelsTr/{image.name}{ENDING}", labels)
        if image.picture is None or not image.picture.uri:
            return
        self._look_at(image.picture.data, image.id)
        self.write_picture(f"imagesTr/{image.name}_0000{ENDING}", image)

    def _look_at(self, data: bytes, object_id: str) -> None:
        """Remember a picture's channels; refuse what nnU-Net would not read as its others."""
        try:
            header = read_header(data)
        except AnswerError:
            raise ConsolidationError(
                f"{object_id}: nnU-Net reads one file type, here {ENDING}, which its picture is "
                "not: convert the pictures, or --pictures leave"
            ) from None
        channels = CHANNELS.get(header.color_type)
        if channels is None:
            raise ConsolidationError(f"{object_id}: nnU-Net reads no grey pictures with alpha")
        self._channels.setdefault(channels, object_id)
        if len(self._channels) > 1:
            kinds = ", ".join(f"{'/'.join(kind)} ({id_})" for kind, id_ in self._channels.items())
            raise ConsolidationError(
                f"nnU-Net needs pictures of the same channels, here are {kinds}: convert them, or "
                "--pictures leave"
            )

    def finish(self) -> list[str]:
        """Write ``dataset.json``; its channels are the pictures'."""
        channels = next(iter(self._channels), CHANNELS[2])
        ignored = {"ignore": len(self._labels)} if self._any_ignored else {}
        self.write_json(
            "dataset.json",
            {
                "channel_names": {str(place): name for place, name in enumerate(channels)},
                "labels": self._labels | ignored,
                "numTraining": self._n,
                "file_ending": ENDING,
            },
        )
        return [] if self._channels else ["without pictures, R, G and B stand for the channels"]
