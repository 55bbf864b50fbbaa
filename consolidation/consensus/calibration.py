"""Calibration: a map from the confidence that the vote gives to how often it was right.

It is learnt from gold images, whose truth is known. Pixels are counted in `BINS` bins of equal
width, those of confidence 1 in a bin of their own. A bin's gap, by which the share of right pixels
differs from the mean confidence, is believed as far as the images bear it out:

- pixels of one image are right or wrong together, so the error of the gap is that of a mean over
  clusters (images), and only what exceeds Student's 95 % interval counts: the gap is multiplied
  by 1 - (t s / gap)^2, or by 0 (the positive-part shrinkage of James and Stein, 1961);
- it is credited with `PSEUDO_IMAGES` images without a gap beside the n that there are. n is
  Kish's (1965) effective number, (sum of pixels)^2 / (sum of squared pixels): one large image and
  two tiny ones are little more than one.

Bins that are then out of order are pooled (isotonic regression, Barlow et al. 1972), and between
the bins' means the map is linear. Without evidence it is the identity.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FORMAT = "consolidation/calibration-1"
BINS = 32
PSEUDO_IMAGES = 4.0
INTERVAL = 0.95
BLOCK = 1 << 16
"""Values that are mapped at a time: they pass through float64."""


@dataclass(frozen=True)
class Calibration:
    """A monotone map of confidence; 0 stays 0, as it means that there is no class.

    Attributes
    ----------
    knots : tuple of (float, float)
        Confidence before and after, both ascending, from (0, 0) to (1, ...); linear in between.
    images : int
        Gold images it was learnt from.
    foreground : float, optional
        Share of the smoothed vote from which a pixel is foreground, where gold showed that another
        one than the vote's own is better; see `foreground`.

    Examples
    --------
    Six images whose disputed pixels, of confidence 2/3, are right nine times of ten:

    >>> share = np.repeat([2 / 3, 1.0], 100)
    >>> images = [(share, np.arange(200) >= 10 + wobble) for wobble in (-2, -1, 0, 0, 1, 2)]
    >>> calibration = Calibration.fit(images)
    >>> [round(float(value), 2) for value in calibration(np.array([0.0, 2 / 3, 1.0]))]
    [0.0, 0.81, 1.0]
    """

    knots: tuple[tuple[float, float], ...] = ((0.0, 0.0), (1.0, 1.0))
    images: int = 0
    foreground: float | None = None

    def __post_init__(self) -> None:
        if self.foreground is not None and not 0 < self.foreground < 1:
            raise ValueError(f"foreground must be between 0 and 1, not {self.foreground}")
        knots = np.array(self.knots, np.float64)
        if knots.ndim != 2 or knots.shape[1] != 2 or len(knots) < 2:
            raise ValueError("knots must be two pairs of numbers or more")
        steps = np.diff(knots, axis=0)
        in_order = (steps[:, 0] > 0).all() and (steps[:, 1] >= 0).all()
        ends = tuple(knots[0]) == (0, 0) and knots[-1, 0] == 1 and knots[-1, 1] <= 1
        if not (in_order and ends):
            raise ValueError("knots must ascend from (0, 0) to (1, at most 1)")

    def __call__(self, confidence: NDArray[Any]) -> NDArray[np.float32]:
        """Map confidence of any shape, as float32."""
        before, after = np.array(self.knots).T
        flat = confidence.reshape(-1)
        mapped = np.empty(flat.shape, np.float32)
        for start in range(0, flat.size, BLOCK):
            part = slice(start, start + BLOCK)
            mapped[part] = np.interp(flat[part], before, after)
        return mapped.reshape(confidence.shape)

    @classmethod
    def fit(cls, images: Iterable[tuple[NDArray[Any], NDArray[np.bool_]]]) -> Calibration:
        """Learn from gold images.

        Parameters
        ----------
        images : iterable of (ndarray, ndarray)
            Of each image, the confidence of its pixels and whether their class is right; of one
            shape. Pixels without a class, or whose truth is unknown, are left out by the caller.
        """
        return cls.of_bins([count_bins(confidence, right) for confidence, right in images])

    @classmethod
    def of_bins(cls, images: Sequence[NDArray[np.float64]]) -> Calibration:
        """Learn from the counts (3, BINS + 1) of gold images; see `count_bins`."""
        if not images:
            return cls()
        pixels, right, sums = np.array(images).transpose(1, 0, 2)
        total = pixels.sum(axis=0)
        seen = total > 0
        pixels, right, total = pixels[:, seen], right[:, seen], total[seen]
        mean = sums[:, seen].sum(axis=0) / total
        gap = right.sum(axis=0) / total - mean
        after = _isotonic(mean + _believed(gap, mean, pixels, right) * gap, total)
        knots = np.round(np.stack([mean, after], axis=1), 6).clip(0, 1).tolist()
        if not seen[BINS]:
            knots.append((1.0, 1.0))
        return cls(((0.0, 0.0), *((x, y) for x, y in knots)), len(images))

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "format": FORMAT,
            "images": self.images,
            "knots": [list(knot) for knot in self.knots],
            **({} if self.foreground is None else {"foreground": self.foreground}),
        }

    def to_json(self) -> str:
        """Text that `save` writes."""
        return json.dumps(self.as_dict()) + "\n"

    def save(self, path: str | Path) -> None:
        """Write as JSON."""
        Path(path).write_text(self.to_json(), encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> Calibration:
        """Read what `save` wrote; ValueError if it is something else."""
        return cls.from_json(Path(path).read_bytes(), str(path))

    @classmethod
    def from_json(cls, text: str | bytes, name: str) -> Calibration:
        """Inverse of `to_json`; ValueError, with `name` in it, if it is something else."""
        try:
            content = json.loads(text)
            if content.get("format") != FORMAT:
                raise ValueError(f"format {content.get('format')!r}, not {FORMAT!r}")
            knots = tuple((float(x), float(y)) for x, y in content["knots"])
            foreground = content.get("foreground")
            return cls(
                knots, int(content["images"]), None if foreground is None else float(foreground)
            )
        except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
            raise ValueError(f"{name} holds no calibration: {error}") from None


def count_bins(confidence: NDArray[Any], right: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Pixels, right pixels and sum of confidence (3, BINS + 1) of one image."""
    values = confidence.reshape(-1).astype(np.float64)
    places = (values * BINS).astype(np.intp)  # that of exactly 1 is BINS
    weights = (None, right.reshape(-1), values)
    return np.stack([np.bincount(places, weight, BINS + 1) for weight in weights])


def _believed(
    gap: NDArray[np.float64],
    mean: NDArray[np.float64],
    pixels: NDArray[np.float64],
    right: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Share (B,) of each bin's gap that counts: pixels and right are (images, B)."""
    from scipy.special import stdtrit

    total = pixels.sum(axis=0)
    n_images = np.maximum((pixels > 0).sum(axis=0), 2)
    residuals = right - pixels * (mean + gap)
    variance = (residuals**2).sum(axis=0) / total**2 * n_images / (n_images - 1)
    effective = total**2 / (pixels**2).sum(axis=0)
    several = effective > 1 + 1e-9
    t = stdtrit(np.where(several, effective - 1, 1), (1 + INTERVAL) / 2)
    noise = np.where(several, t**2 * variance, np.inf)
    # a gap of 0 / 0 is none
    beyond = np.where(gap != 0, 1 - noise / np.where(gap != 0, gap, 1) ** 2, 0)
    share: NDArray[np.float64] = np.maximum(beyond, 0) * effective / (effective + PSEUDO_IMAGES)
    return share


def _isotonic(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.optimize import isotonic_regression

    fitted: NDArray[np.float64] = isotonic_regression(values, weights=weights).x
    return fitted
