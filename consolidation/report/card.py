"""One image on one card: picture, masks, consensus, confidence and legend, as a PNG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from consolidation.consensus import Consensus
from consolidation.masks import BACKGROUND, class_color, parse_color
from consolidation.report.pictures import open_picture
from consolidation.report.sheet import sheet
from consolidation.report.snapshot import reduced, step_for, take
from consolidation.text import common_prefix, percent

PANEL = 256
"""Pixels of a panel's longer side, at most; smaller images are enlarged by whole numbers."""
MOST_WORKERS = 10
OPACITY = 190
UNDECIDED_COLOR, UNLABELLED_COLOR = (255, 0, 255), (128, 128, 128)
DOUBT = np.array(
    [[255, 250, 240], [255, 206, 143], [247, 137, 46], [203, 66, 17], [92, 20, 24]], float
)
"""From all agree to few voted for it, at a confidence of `LEAST` and below."""
LEAST = 0.3


@dataclass(frozen=True)
class Card:
    """A picture of a result; Jupyter shows it by itself."""

    png: bytes

    def _repr_png_(self) -> bytes:
        return self.png

    def save(self, path: str | Path) -> None:
        """Write it as a file."""
        Path(path).write_bytes(self.png)


def show(
    result: Consensus,
    picture: bytes | NDArray[np.uint8] | None = None,
    *,
    names: Sequence[str] | None = None,
    colors: Sequence[str] | None = None,
    title: str = "",
    extra: Mapping[str, NDArray[Any]] | None = None,
) -> Card:
    """Draw a result for a notebook, a chat or a document.

    Parameters
    ----------
    result : Consensus
    picture : bytes, or ndarray of shape (H, Wd) or (H, Wd, 3), uint8, optional
        The picture, as a file's bytes or decoded. One that does not fit is left out.
    names, colors : sequence of K str, optional
        Names and hex colours of the classes by index; else numbers and the widget's colours.
    title : str, optional
    extra : dict of title to ndarray of shape (H, Wd), optional
        Further masks of class indices to show at the end, such as the truth.

    Returns
    -------
    Card
        At most ten workers, by id. The letters are those of Pillow's own font: others than Latin
        ones are boxes.

    Raises
    ------
    ValueError
        If a mask in `extra` has another shape than the result.

    Examples
    --------
    >>> import numpy as np
    >>> from consolidation import consolidate
    >>> masks = np.zeros((3, 8, 8), np.uint8)
    >>> masks[:2, 2:6, 2:6] = 1
    >>> show(consolidate(masks), names=["background", "cell"]).png[1:4]
    b'PNG'
    """
    size = result.labels.shape
    scale = max(1, PANEL // max(size))
    height, width = (side * scale for side in reduced(size, step_for(size, PANEL)))
    behind = _picture(picture, size, (width, height))
    k = result.n_classes
    names = [*(names or (BACKGROUND,))]
    names += [f"class {index}" for index in range(len(names), k)]
    table = _palette([*(colors or ()), *map(class_color, range(len(colors or ()), k))])
    planes = take(result, PANEL).planes
    none = np.iinfo(planes.dtype).max

    def mask(labels: NDArray[Any], lacking: tuple[int, int, int]) -> Image.Image:
        known = np.where(labels < k, labels, 0).astype(np.intp)
        rgba = table[known]
        rgba[(labels == none) | (labels >= k)] = (*lacking, 255)
        rgba[..., 3] = np.minimum(rgba[..., 3], OPACITY if behind else 255)
        over = Image.fromarray(rgba).resize((width, height), Image.Resampling.NEAREST)
        ground = behind or Image.new("RGB", (width, height), "white")
        return Image.alpha_composite(ground.convert("RGBA"), over).convert("RGB")

    panels = [("the picture", behind)] if behind else []
    prefix = common_prefix(result.worker_ids)
    shown = sorted(zip(result.worker_ids, planes, strict=False), key=lambda pair: pair[0])
    for worker, plane in shown[:MOST_WORKERS]:
        panels.append((f"worker {worker.removeprefix(prefix)}", mask(plane, UNLABELLED_COLOR)))
    confidence = f"consensus, confidence {percent(result.image_confidence)}"
    panels.append((confidence, mask(planes[-2], UNDECIDED_COLOR)))
    doubt = Image.fromarray(_doubt(planes[-1] / 255))
    doubt = doubt.resize((width, height), Image.Resampling.NEAREST)
    panels.append(("confidence, darker: fewer votes", doubt))
    for name, labels in (extra or {}).items():
        if labels.shape != size:
            raise ValueError(f"{name!r} has shape {labels.shape}, the result {size}")
        step = step_for(size, PANEL)
        panels.append((name, mask(labels[step // 2 :: step, step // 2 :: step], UNLABELLED_COLOR)))
    used = np.unique(planes[:-1])
    legend = [
        (names[index], table[index, :3].tolist()) for index in used[used < k].tolist() if index
    ]
    if result.n_undecided:
        legend.append(("undecided", [*UNDECIDED_COLOR]))
    if len(shown) > MOST_WORKERS:
        title = f"{title}  {MOST_WORKERS} of {len(shown)} workers".strip()
    return Card(sheet(panels, legend, title))


def _picture(
    picture: bytes | NDArray[np.uint8] | None, size: tuple[int, int], wanted: tuple[int, int]
) -> Image.Image | None:
    if picture is None:
        return None
    if isinstance(picture, bytes):
        image = open_picture(picture, size)
    else:
        array = np.asarray(picture)
        image = Image.fromarray(array).convert("RGB") if array.shape[:2] == size else None
    return image and image.resize(wanted, Image.Resampling.BOX)


def _palette(colors: Sequence[str]) -> NDArray[np.uint8]:
    """RGBA (K, 4) of hex colours, background clear."""
    table = np.zeros((len(colors), 4), np.uint8)
    for index, color in enumerate(colors):
        table[index] = (*(parse_color(color) or UNLABELLED_COLOR), 255)
    table[0, 3] = 0
    return table


def _doubt(confidence: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Colours (h, w, 3) of confidence, as on the page."""
    position = ((1 - confidence) / (1 - LEAST)).clip(0, 1) * (len(DOUBT) - 1)
    low = np.minimum(position.astype(int), len(DOUBT) - 2)
    part = (position - low)[..., None]
    mixed: NDArray[np.float64] = DOUBT[low] * (1 - part) + DOUBT[low + 1] * part
    return np.rint(mixed).astype(np.uint8)
