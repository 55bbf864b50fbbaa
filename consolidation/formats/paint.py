"""From the objects that one annotator drew to one class mask.

A pixel has one class: the object drawn last is on top, unless a priority of classes says otherwise.
Where an object covers another of a *different* class, that is counted and told: in some label sets
it is meant (`SourceOptions.multilabel` keeps both), in others it is a mistake.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from consolidation.formats.shapes import Shape
from consolidation.kernels.shapes import lay
from consolidation.masks import Classes, is_background
from consolidation.objects import Unknown
from consolidation.text import shown


class Region(NamedTuple):
    """A shape and its label."""

    label: str | None
    """None: it has none."""
    shape: Shape
    may_be_empty: bool = False
    """Whether no pixel of it means that its class is not there, as in a file for each class."""


@dataclass
class Painted:
    """What was seen while a mask was painted, in pixels.

    Attributes
    ----------
    covered : Counter
        By (class on top, class below).
    unknown : Counter
        Of labels that are no class; they are ignored.
    empty : Counter
        Regions without a pixel in the image, by label.
    known : int
        Of labels that are classes.
    """

    covered: Counter[tuple[str, str]] = field(default_factory=Counter)
    unknown: Counter[str | None] = field(default_factory=Counter)
    empty: Counter[str | None] = field(default_factory=Counter)
    known: int = 0

    def foreign(self, classes: Classes) -> list[str]:
        """What is painted that is no class, for people."""
        return [
            Unknown.label(label, classes).of(pixels)
            for label, pixels in sorted(self.unknown.items(), key=lambda pair: str(pair[0]))
        ]

    def warnings(self) -> list[str]:
        """One line each, for people."""
        lines = [
            f"{pixels:,} pixels of {below!r} lie under {above!r}, which counts"
            for (above, below), pixels in sorted(self.covered.items())
        ]
        lines += [
            f"{pixels:,} pixels without a label are ignored"
            if label is None
            else f"{pixels:,} pixels of label {shown(label)}, which is no class of this job, "
            "are ignored"
            for label, pixels in sorted(self.unknown.items(), key=lambda pair: str(pair[0]))
        ]
        lines += [
            f"{n} region{'s' if n > 1 else ''} of {shown(label)} without a pixel"
            for label, n in sorted(self.empty.items(), key=lambda pair: str(pair[0]))
            if n
        ]
        return lines


def paint(
    regions: Sequence[Region],
    classes: Classes,
    out: NDArray[Any],
    ignore: int,
    *,
    unpainted: int = 0,
    priority: Sequence[str] = (),
) -> Painted:
    """Paint regions over one another.

    Parameters
    ----------
    regions : sequence of Region
        From the lowest to the one on top.
    classes : Classes
    out : ndarray of shape (H, Wd), uint8 or uint16, out
    ignore : int
        Value of pixels whose label is no class.
    unpainted : int, optional
        Value of pixels that no region covers: background, or `ignore`.
    priority : sequence of str, optional
        Labels whose regions lie above all others, the first one on top.

    Returns
    -------
    Painted

    Raises
    ------
    AnswerError
        If a shape is damaged.

    Examples
    --------
    >>> from consolidation.formats.shapes import rectangle
    >>> mask = np.zeros((1, 4), np.uint8)
    >>> regions = [Region("cat", rectangle(0, 0, 3, 1)), Region("dog", rectangle(2, 0, 2, 1))]
    >>> paint(regions, Classes.of_labels(["cat", "dog"]), mask, 255).warnings()
    ["1 pixels of 'cat' lie under 'dog', which counts"]
    >>> mask
    array([[1, 1, 2, 2]], dtype=uint8)
    """
    out[...] = unpainted
    height, width = out.shape
    seen = Painted()
    ranks: Mapping[str, int] = {label: -rank for rank, label in enumerate(priority)}
    lowest = -len(priority)
    covered = np.zeros(1 << 16, np.int64)
    for region in sorted(regions, key=lambda item: ranks.get(item.label or "", lowest)):
        plane = region.shape.plane(height, width)
        if plane is None:
            seen.empty[region.label] += not region.may_be_empty
            continue
        index = None if region.label is None else class_index(classes, region.label)
        value = ignore if index is None else index
        pixels = lay(plane.pixels, plane.transposed, value, unpainted, out[plane.window], covered)
        if not pixels and not region.may_be_empty:
            seen.empty[region.label] += 1
        if index is None:
            seen.unknown[region.label] += pixels
        else:
            seen.known += pixels
        if covered.any():
            for below in np.flatnonzero(covered).tolist():
                name = classes.names[below] if below < len(classes) else "what is ignored"
                seen.covered[region.label or "no label", name] += int(covered[below])
            covered[:] = 0
    return seen


def class_index(classes: Classes, label: str) -> int | None:
    """Index of a label, None if it is no class; any spelling of background is background."""
    index = classes.index(label)
    if index is None and is_background(label):
        return 0
    return index
