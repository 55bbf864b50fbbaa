"""Pictures for a browser: as they are where it can show them, else converted for showing."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from consolidation.errors import ObjectError
from consolidation.masks import MAX_PIXELS

if TYPE_CHECKING:
    from PIL import Image

SHOWN_AS_IS = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "GIF": "image/gif"}
"""Formats that browsers know, with 8 bits a channel."""
ENDINGS = frozenset(
    (".png", ".jpg", ".jpeg", ".webp", ".gif", ".tif", ".tiff", ".bmp", ".ppm", ".pgm", ".jp2")
)
_WINDOW = (0.1, 99.9)
"""Percentiles of what is shown of more than 8 bits."""
_SAMPLE = 1_000_000
"""Pixels that the window is measured on, at most."""


@dataclass(frozen=True)
class Shown:
    """A picture for the browser.

    Attributes
    ----------
    data : bytes
    media_type : str
    size : (int, int)
        Height and width as stored: a camera's note to turn the picture is not followed.
    window : (float, float) or None
        Values shown as black and as white, where the picture had to be converted.
    """

    data: bytes
    media_type: str
    size: tuple[int, int]
    window: tuple[float, float] | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The window, for the page."""
        if self.window is None:
            return {}
        return {"Consolidation-Window": f"{self.window[0]:g} {self.window[1]:g}"}


def shown(data: bytes, max_pixels: int = MAX_PIXELS) -> Shown:
    """Return a picture as a browser can show it.

    Raises
    ------
    ObjectError
        If it is no picture that can be read, or too large.
    """
    from PIL import Image

    image = _opened(data)
    size = (image.height, image.width)
    if image.height * image.width > max_pixels:
        raise ObjectError(
            f"the picture has {image.width} x {image.height} pixels, the limit is {max_pixels:,}"
        )
    kind = image.format or ""
    if kind in SHOWN_AS_IS and not _deep(image):
        return Shown(data, SHOWN_AS_IS[kind], size)
    try:
        if _deep(image):
            pixels, window = _windowed(np.asarray(image))
            image, bounds = Image.fromarray(pixels), window
        else:
            image.load()
            bounds = None
            image = image.convert("RGBA" if "A" in image.getbands() else "RGB")
    except (OSError, ValueError, SyntaxError, TypeError) as error:
        raise ObjectError(f"the picture cannot be read: {error}") from None
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1)
    return Shown(out.getvalue(), "image/png", size, bounds)


def size_of(data: bytes) -> tuple[int, int]:
    """Height and width as stored; ObjectError if it is no picture."""
    image = _opened(data)
    return image.height, image.width


def pixels_of(data: bytes) -> NDArray[np.uint8]:
    """Pixels (H, Wd, 3) as a person sees them, for auto-segmentation; ObjectError as `shown`."""
    from PIL import Image

    picture = shown(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        image = Image.open(io.BytesIO(picture.data))
        return np.asarray(image.convert("RGB"))


def _opened(data: bytes) -> Image.Image:
    from PIL import Image

    try:
        with warnings.catch_warnings():
            # the limit is ours, and told in words
            warnings.simplefilter("ignore")
            return Image.open(io.BytesIO(data))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        reason = " ".join(str(error).split())
        raise ObjectError(f"the picture cannot be read: {reason}") from None


def _deep(image: Image.Image) -> bool:
    """Whether it has more than 8 bits a channel."""
    if image.mode.startswith(("I", "F")):
        return True
    bits = getattr(image, "tag_v2", {}).get(258) if image.format == "TIFF" else None
    return bits is not None and max(np.atleast_1d(bits)) > 8 and image.mode not in ("1", "L", "P")


def _windowed(values: NDArray[np.generic]) -> tuple[NDArray[np.uint8], tuple[float, float]]:
    """Values in 8 bits, and which of them are black and white."""
    numbers = values.astype(np.float32)
    step = max(1, int(np.sqrt(numbers.size / _SAMPLE)))
    sample = numbers[::step, ::step]
    sample = sample[np.isfinite(sample)]
    low, high = np.percentile(sample, _WINDOW) if sample.size else (0.0, 1.0)
    if high <= low:
        high = low + 1
    scaled = np.nan_to_num((numbers - low) * (255 / (high - low)), nan=0.0)
    return np.clip(scaled + 0.5, 0, 255).astype(np.uint8), (float(low), float(high))
