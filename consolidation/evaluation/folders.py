"""Find and read the masks of a folder, whichever of the usual forms it has."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from consolidation.errors import SourceError
from consolidation.names import object_id

# Where a PNG keeps its bit depth: 8 bytes signature, 8 bytes chunk head, 8 bytes width and height.
_DEPTH_OFFSET = 24

# What Pillow lets through when the bytes of a PNG are damaged.
_DAMAGED = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)


def load_masks(folder: str | Path) -> dict[str, Path]:
    """Find the mask of every image in a folder.

    Parameters
    ----------
    folder : str or Path
        One of: a folder with `masks/` (output of a consolidation run) or `truth/` (a simulated
        job) in it, a folder of `<id>.png`, or a folder of `<id>/truth.png`, in this order.

    Returns
    -------
    dict of str to Path
        Image id (percent-decoded file or folder name) to mask file, sorted by id.

    Raises
    ------
    SourceError
        If the folder does not exist, has none of the forms, or names an image twice.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (Path(folder) / "masks").mkdir()
    ...     _ = (Path(folder) / "masks" / "street%2F7.png").write_bytes(b"")
    ...     list(load_masks(folder))
    ['street/7']
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise SourceError(f"{folder} is not a folder")
    for inner in ("masks", "truth"):
        # `<id>/truth.png` is also right for an image called "masks" or "truth".
        if (folder / inner).is_dir() and not (folder / inner / "truth.png").is_file():
            folder = folder / inner
            break
    found = [(path.stem, path) for path in folder.glob("*.png")]
    if not found:
        found = [(path.parent.name, path) for path in folder.glob("*/truth.png")]
    if not found:
        raise SourceError(f"{folder} holds no masks: expected <id>.png or <id>/truth.png")
    masks: dict[str, Path] = {}
    for name, path in sorted(found):
        image_id = object_id(name)
        if image_id in masks:
            raise SourceError(f"image {image_id!r} has two masks: {masks[image_id]} and {path}")
        masks[image_id] = path
    return dict(sorted(masks.items()))


def load_confidence(mask: Path) -> Path | None:
    """Find the confidence map that a run wrote for a mask: ``confidence/`` beside ``masks/``."""
    path = mask.parent.parent / "confidence" / mask.name
    return path if mask.parent.name == "masks" and path.is_file() else None


def read_mask(path: str | Path) -> npt.NDArray[np.uint8]:
    """Read a mask whose stored pixel value is the class index.

    Parameters
    ----------
    path : str or Path
        PNG with a palette (whose colours do not matter) or 8-bit greyscale.

    Returns
    -------
    ndarray of uint8, shape (H, Wd)

    Raises
    ------
    SourceError
        If the file cannot be read, or its pixels are colours or samples of another depth.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "0.png"
    ...     Image.fromarray(np.array([[0, 3]], dtype=np.uint8)).save(path)
    ...     read_mask(path)
    array([[0, 3]], dtype=uint8)
    """
    try:
        with Path(path).open("rb") as file:
            head = file.read(_DEPTH_OFFSET + 1)
            file.seek(0)
            with Image.open(file, formats=["PNG"]) as image:
                mode, depth = image.mode, head[_DEPTH_OFFSET]
                # Pillow stretches greyscale below 8 bits to 0..255, which would invent classes.
                if mode == "P" or (mode == "L" and depth == 8):
                    return np.array(image, dtype=np.uint8)
    except _DAMAGED as error:
        raise SourceError(f"{path} cannot be read as a PNG mask: {error}") from None
    raise SourceError(
        f"{path} is no mask of class indices: expected an 8-bit PNG with a palette (mode P) "
        f"or in greyscale (mode L), got mode {mode} with {depth} bits"
    )


def read_class_names(folder: str | Path) -> dict[int, str]:
    """Read class names from `classes.json` in the folder or in the one above it.

    Parameters
    ----------
    folder : str or Path
        A folder of masks in any form that `load_masks` takes.

    Returns
    -------
    dict of int to str
        Class index to name; empty if there is no such file.

    Raises
    ------
    SourceError
        If the file is not of the form `{"classes": [{"index": 0, "name": "road"}, ...]}`.
    """
    folder = Path(folder).resolve()
    for path in (folder / "classes.json", folder.parent / "classes.json"):
        if path.is_file():
            return _parse_class_names(path)
    return {}


def merge_class_names(truth: Mapping[int, str], predicted: Mapping[int, str]) -> dict[int, str]:
    """Join two lists of names; `SourceError` if they disagree, as all scores would be wrong."""
    for index in truth.keys() & predicted.keys():
        # Background goes by several names but is always index 0.
        if index and truth[index] != predicted[index]:
            raise SourceError(
                f"class {index} is {predicted[index]!r} in the prediction's classes.json "
                f"and {truth[index]!r} in the truth's"
            )
    return {**predicted, **truth}


def _parse_class_names(path: Path) -> dict[int, str]:
    names: dict[int, str] = {}
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
        for entry in content["classes"]:
            index, name = entry["index"], entry["name"]
            if type(index) is not int or not isinstance(name, str) or index in names:
                raise ValueError(f"bad entry {json.dumps(entry)}")
            if not 0 <= index <= 255:
                raise ValueError(f"class index {index} is outside 0..255")
            names[index] = name
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SourceError(
            f'{path} is not {{"classes": [{{"index": 0, "name": "road"}}, ...]}}: {error!r}'
        ) from None
    return names
