"""Masks from a model that the user has: SAM, SAM 2, EfficientSAM or DEXTR-like, as ONNX files.

Which family it is, is read off the names of its inputs. No model comes with this package, and
none is ever downloaded.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from consolidation.autosegment.onnx_family import family_of, renamed
from consolidation.autosegment.onnx_files import Arrays, OnnxFile
from consolidation.autosegment.onnx_pictures import middles, resized, rgb_of, sure_point
from consolidation.autosegment.points import Box, Extremes, box_of, clicks_of
from consolidation.autosegment.segment import image_of
from consolidation.autosegment.segmentation import Segmentation, cut_to_box
from consolidation.errors import SourceError
from consolidation.kernels.pictures import enlarge

SIDE = 1024
"""Of the square that SAM and SAM 2 look at, unless the encoder's input says otherwise."""
MEAN = np.array((0.485, 0.456, 0.406), np.float32)
DEVIATION = np.array((0.229, 0.224, 0.225), np.float32)
"""Of colours in ImageNet, from 0 to 1."""
INSIDE, OUTSIDE, BOX_START, BOX_END = 1, 0, 2, 3
"""SAM's labels of a prompt's points."""
DEXTR_SIDE, DEXTR_BORDER, DEXTR_SIGMA = 512, 50, 10.0


class OnnxSegmenter:
    """A model as a stand-in for `segment`.

    Parameters
    ----------
    files : sequence of paths
        An encoder and a decoder in any order, or one file that is both.
    embeddings : int
        How many images' embeddings are kept.

    Raises
    ------
    SourceError
        If a file cannot be read, or the files' inputs are those of no family.
    ConsolidationError
        If onnxruntime is not installed.

    Attributes
    ----------
    family : str
        ``sam``, ``sam2``, ``efficientsam`` or ``dextr``.
    """

    def __init__(self, files: Sequence[str | Path], embeddings: int = 4) -> None:
        opened = [OnnxFile(path) for path in files]
        self.family, self._encoder, self._decoder = family_of(opened)
        self._files = opened
        self._room = embeddings
        self._embeddings: OrderedDict[str, Arrays] = OrderedDict()

    @property
    def provenance(self) -> dict[str, Any]:
        """What a job records: the family, and each file's name and SHA-256."""
        files = [{"name": file.path.name, "sha256": file.sha256} for file in self._files]
        return {"family": self.family, "files": files}

    def segment(
        self,
        image: NDArray[np.generic],
        points: ArrayLike | None = None,
        clicks: Sequence[Any] = (),
        *,
        box: ArrayLike | None = None,
    ) -> Segmentation:
        """As `consolidation.autosegment.segment`, without its other options."""
        pixels = image_of(image)
        shape = pixels.shape[:2]
        extremes = None
        if points is not None and box is None:
            extremes = Extremes.of(points, shape)
            bounds = extremes.box
        elif box is not None and points is None:
            bounds = box_of(box, shape)
        else:
            raise ValueError("give either points or a box")
        marks = clicks_of(clicks, shape)
        rgb = rgb_of(pixels)
        if self.family == "dextr":
            if marks:
                raise ValueError("a DEXTR-like model takes no clicks")
            mask, score = self._dextr(rgb, extremes or middles(bounds), bounds), float("nan")
        else:
            mask, score = self._prompted(rgb, extremes, bounds, marks)
        parts = cut_to_box(mask, 0, 0)
        return Segmentation(*parts, "model", score, (shape[0], shape[1]))

    def _prompted(
        self, rgb: NDArray[np.float32], extremes: Extremes | None, bounds: Box, marks: Any
    ) -> tuple[NDArray[np.bool_], float]:
        shape = rgb.shape[:2]
        places = [(bounds[0], bounds[1]), (bounds[2], bounds[3]), sure_point(extremes, bounds)]
        places += [(mark.x, mark.y) for mark in marks]
        labels = [BOX_START, BOX_END, INSIDE] + [
            INSIDE if mark.inside else OUTSIDE for mark in marks
        ]
        coordinates = (np.array(places, np.float32) + 0.5) * self._scale(shape)
        feeds: Arrays = {
            "point_coords": coordinates[None],
            "point_labels": np.array([labels], np.float32),
            "batched_point_coords": coordinates[None, None],
            "batched_point_labels": np.array([[labels]], np.float32),
            "mask_input": np.zeros((1, 1, *self._low()), np.float32),
            "has_mask_input": np.zeros(1, np.float32),
            "orig_im_size": np.array(shape, np.float32),
            "batched_images": rgb.transpose(2, 0, 1)[None] / 255,
            **self._embedding(rgb),
        }
        outputs = self._decoder.run(feeds)
        logits = self._logits(outputs, shape)
        scores = next(
            (v for name, v in outputs.items() if "iou" in name.lower()), np.zeros(len(logits))
        ).reshape(-1)
        best = int(np.argmax(scores[: len(logits)])) if scores.size >= len(logits) else 0
        score = float(np.clip(scores[best], 0, 1)) if scores.size > best else float("nan")
        return self._full_size(logits[best], shape), score

    def _low(self) -> tuple[int, int]:
        """Size of the logits that a decoder takes back."""
        height, width = self._decoder.inputs.get("mask_input", [1, 1, 256, 256])[-2:]
        # a size may be a name: the model takes any
        return (
            height if isinstance(height, int) else 256,
            width if isinstance(width, int) else 256,
        )

    def _side(self) -> int:
        """Of the square that the encoder looks at."""
        size = next(iter(self._encoder.inputs.values()))[-1] if self._encoder else None
        return size if isinstance(size, int) and size > 4 else SIDE

    def _scale(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Pixels of what the model looks at for a pixel of the image: x, y."""
        if self.family == "sam":
            return np.full(2, self._side() / max(shape), np.float32)
        if self.family == "sam2":
            return np.array([self._side() / shape[1], self._side() / shape[0]], np.float32)
        return np.ones(2, np.float32)

    def _embedding(self, rgb: NDArray[np.float32]) -> Arrays:
        """The encoder's outputs, from the cache or new, under the names the decoder has."""
        if self._encoder is None:
            return {}
        key = hashlib.sha256(rgb.tobytes() + repr(rgb.shape).encode()).hexdigest()
        if key not in self._embeddings:
            (name, shape), *_ = self._encoder.inputs.items()
            outputs = self._encoder.run({name: self._encoder_input(rgb, shape)})
            self._embeddings[key] = renamed(outputs, self._decoder)
        self._embeddings.move_to_end(key)
        while len(self._embeddings) > self._room:
            self._embeddings.popitem(last=False)
        return self._embeddings[key]

    def _encoder_input(self, rgb: NDArray[np.float32], shape: list[Any]) -> NDArray[np.float32]:
        if self.family == "efficientsam":
            planes: NDArray[np.float32] = rgb.transpose(2, 0, 1)[None] / np.float32(255)
            return planes
        side = self._side() if len(shape) == 4 else SIDE
        if self.family == "sam":
            scale = side / max(rgb.shape[:2])
            size = tuple(max(1, round(n * scale)) for n in rgb.shape[:2])
        else:
            size = (side, side)
        small = resized(rgb, size)
        if len(shape) == 3:
            # such encoders normalise and pad by themselves
            return small
        square = np.zeros((side, side, 3), np.float32)
        square[: size[0], : size[1]] = (small / 255 - np.array(MEAN, np.float32)) / np.array(
            DEVIATION, np.float32
        )
        return square.transpose(2, 0, 1)[None]

    def _logits(self, outputs: Arrays, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Masks (N, h, w) of the decoder, checked."""
        name = next((name for name in outputs if "mask" in name.lower() and "low" not in name), "")
        masks = outputs.get(name, next(iter(outputs.values())))
        if masks.ndim < 3:
            raise SourceError(f"{self._decoder.path}: its masks have the shape {masks.shape}")
        masks = masks.reshape(-1, *masks.shape[-2:]).astype(np.float32)
        if self.family != "sam2" and masks.shape[-2:] != shape:
            raise SourceError(
                f"{self._decoder.path}: its masks are {masks.shape[-1]} x {masks.shape[-2]}, "
                f"and the image is {shape[1]} x {shape[0]}"
            )
        return self._finite(masks)

    def _finite(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        if not np.isfinite(values).all():
            raise SourceError(f"{self._decoder.path}: its masks hold values that are not finite")
        return values

    def _full_size(self, logits: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.bool_]:
        out = np.empty(shape, np.uint8)
        h, w = logits.shape
        enlarge(logits + np.float32(0.5), 0.0, 0.0, h / shape[0], w / shape[1], out)
        return out.view(np.bool_)

    def _dextr(
        self, rgb: NDArray[np.float32], extremes: Extremes, bounds: Box
    ) -> NDArray[np.bool_]:
        """Crop with a border and a heat map of the points, as DEXTR was trained on."""
        height, width = rgb.shape[:2]
        top, left = round(bounds[1]) - DEXTR_BORDER, round(bounds[0]) - DEXTR_BORDER
        bottom, right = round(bounds[3]) + 1 + DEXTR_BORDER, round(bounds[2]) + 1 + DEXTR_BORDER
        part = np.zeros((bottom - top, right - left, 3), np.float32)
        rows, columns = (
            slice(max(top, 0), min(bottom, height)),
            slice(max(left, 0), min(right, width)),
        )
        inner = (
            slice(rows.start - top, rows.stop - top),
            slice(columns.start - left, columns.stop - left),
        )
        part[inner] = rgb[rows, columns]
        square = resized(part, (DEXTR_SIDE, DEXTR_SIDE))
        y, x = np.mgrid[:DEXTR_SIDE, :DEXTR_SIDE].astype(np.float32)
        heat = np.zeros((DEXTR_SIDE, DEXTR_SIDE), np.float32)
        for px, py in extremes:
            row = (py + 0.5 - top) / part.shape[0] * DEXTR_SIDE - 0.5
            column = (px + 0.5 - left) / part.shape[1] * DEXTR_SIDE - 0.5
            spread = ((y - row) ** 2 + (x - column) ** 2) / DEXTR_SIGMA**2
            heat = np.maximum(heat, np.exp(-4 * np.log(2) * spread))
        stack = np.concatenate((square, 255 * heat[:, :, None]), axis=2).transpose(2, 0, 1)[None]
        outputs = self._decoder.run({next(iter(self._decoder.inputs)): stack})
        logits = self._finite(next(iter(outputs.values())).astype(np.float32))
        if logits.ndim < 2 or logits.size != logits.shape[-1] * logits.shape[-2]:
            raise SourceError(f"{self._decoder.path}: its mask has the shape {logits.shape}")
        logits = logits.reshape(logits.shape[-2:])
        if logits.min() < 0 or logits.max() > 1:
            logits = (1 / (1 + np.exp(-logits))).astype(np.float32)
        whole = np.zeros((height, width), np.bool_)
        whole[rows, columns] = self._full_size(logits - np.float32(0.5), part.shape[:2])[inner]
        return whole
