"""Volumes on disk, read slice by slice: where each slice lies, and what its numbers are."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation.errors import AnswerError, SourceError
from consolidation.formats.arrays import npy_header
from consolidation.formats.files import File
from consolidation.formats.volumes.opening import SeekableFile, library, quiet
from consolidation.limits import DEFAULT_LIMITS
from consolidation.masks.rasters import decode_raster, is_raster, raster_size
from consolidation.text import shown

MOST_SLICES = 1 << 15
"""NIfTI-1 cannot number more."""
MOST_CHANNELS, SHORT = 4, 4
"""Channels of a picture; how much shorter than others an axis of one-hot classes is."""
_HEADER = 4096
AFFINE_TOLERANCE = 1e-3
"""Millimetres by which the grids of two raters may differ: what writers round."""


@dataclass(frozen=True, eq=False)
class Grid:
    """A volume: slices of rows of columns.

    Attributes
    ----------
    file : File
    shape : (int, int, int)
        Slices, rows, columns.
    kind : str
        ``nifti``, ``npy``, ``tiff``, or ``picture`` (BMP, WebP).
    dtype : numpy dtype
    offset : int
        Place of the first slice.
    scale : (float, float)
        Slope and intercept of the numbers; (1, 0) where they are as stored.
    affine : ndarray of shape (4, 4), or None
        From voxels to millimetres.
    whole : bool
        Whether slices do not lie one behind the other.
    """

    file: File
    shape: tuple[int, int, int]
    kind: str
    dtype: np.dtype[Any]
    offset: int = 0
    scale: tuple[float, float] = (1.0, 0.0)
    affine: NDArray[np.float64] | None = None
    whole: bool = False

    def slice(self, number: int) -> NDArray[Any]:
        """Whole numbers (rows, columns) of a slice; AnswerError if it cannot be read."""
        if self.kind == "tiff":
            return whole_numbers(_tiff_page(self.file, number), str(self.file))
        if self.kind == "picture":
            return decode_raster(self.file.read_all(DEFAULT_LIMITS.answer_bytes))
        _, rows, columns = self.shape
        size = rows * columns * self.dtype.itemsize
        if self.whole:
            n = math.prod(self.shape)
            data = self.file.read(self.offset, self.offset + n * self.dtype.itemsize)
            if len(data) < n * self.dtype.itemsize:
                raise AnswerError(f"{self.file} is cut off")
            values = np.frombuffer(data, self.dtype).reshape(self.shape, order="F")[number]
        else:
            start = self.offset + number * size
            data = self.file.read(start, start + size)
            if len(data) < size:
                raise AnswerError(f"{self.file} is cut off in slice {number}")
            values = np.frombuffer(data, self.dtype).reshape(rows, columns)
        slope, intercept = self.scale
        if (slope, intercept) != (1.0, 0.0):
            values = values * slope + intercept
        return whole_numbers(values, str(self.file))

    def differs(self, other: Grid) -> str:
        """How the grid of another rater differs; empty if it does not."""
        if self.shape != other.shape:
            return f"{_by(self.shape)} against {_by(other.shape)} voxels"
        if self.affine is not None and other.affine is not None:
            distance = float(np.abs(self.affine - other.affine).max())
            if not distance <= AFFINE_TOLERANCE:
                return f"affines that differ by {distance:.3g}"
        return ""


def open_grid(file: File, most: int) -> Grid:
    """Look at a volume; SourceError if it is none, or a slice has more than `most` pixels."""
    start = file.beginning(_HEADER)
    if start[:6] == b"\x93NUMPY":
        grid = _npy(file, start)
    elif start[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        grid = _tiff(file)
    elif is_raster(start):
        grid = _picture(file, most)
    elif int.from_bytes(start[:4], "little") in (348, 540) or int.from_bytes(start[:4], "big") in (
        348,
        540,
    ):
        grid = _nifti(file, start)
    elif start[:4] == b"PK\3\4":
        raise SourceError(
            f"{file} is an archive, as .npz is, of which each array is a worker's mask of one "
            "image: --masks '{image}.npz', or save it as .npy"
        )
    else:
        raise SourceError(
            f"{file} is no NIfTI, TIFF or .npy file: it begins with {shown(start[:8])}"
        )
    if not (0 < grid.shape[0] <= MOST_SLICES and min(grid.shape) > 0):
        raise SourceError(f"{file} has {_by(grid.shape)} voxels: none, or too many")
    slices, rows, columns = grid.shape
    if grid.kind in ("npy", "tiff") and _are_channels(slices, rows, columns):
        raise SourceError(
            f"{file} has shape ({slices}, {rows}, {columns}), which looks like {columns} channels "
            f"of {slices} x {rows} pixels: one class index a pixel is wanted, such as "
            "array.argmax(axis=-1) of one-hot or soft channels; a volume has its slices first: "
            "transpose it"
        )
    if rows * columns > most:
        raise SourceError(f"{file} has slices of {columns} x {rows} pixels, the limit is {most:,}")
    if grid.dtype.kind not in "buif" or grid.dtype.itemsize > 8:
        raise SourceError(f"{file} holds {grid.dtype}, which are no classes")
    return grid


def _are_channels(slices: int, rows: int, columns: int) -> bool:
    """Whether the last axis is so short that it is hardly a side of a picture.

    Examples
    --------
    >>> _are_channels(40, 50, 3), _are_channels(512, 512, 21), _are_channels(3, 40, 50)
    (True, True, False)
    """
    side = min(slices, rows)
    return columns < side and (columns <= MOST_CHANNELS or SHORT * columns <= side)


def whole_numbers(values: NDArray[Any], name: str) -> NDArray[Any]:
    """The same as whole numbers, 0 to 65535; AnswerError if they are others.

    Examples
    --------
    >>> whole_numbers(np.array([0.0, 1.0]), "a.nii")
    array([0, 1], dtype=uint16)
    """
    if values.dtype == np.bool_:
        return values.astype(np.uint16)
    with np.errstate(invalid="ignore"):
        inside = ((values >= 0) & (values <= 65535)).all()
        numbers = values.astype(np.uint16)
    if not inside:
        raise AnswerError(f"{name} holds numbers that are no classes: below 0, or above 65535")
    if values.dtype.kind == "f" and (numbers != values).any():
        raise AnswerError(
            f"{name} holds fractions: probabilities are no vote; threshold them first"
        )
    return numbers


def _nifti(file: File, start: bytes) -> Grid:
    nibabel = library("nibabel", file)
    long = 540 in (int.from_bytes(start[:4], "little"), int.from_bytes(start[:4], "big"))
    kind = nibabel.Nifti2Header if long else nibabel.Nifti1Header
    try:
        # unchecked: the checks repair and log, and what matters is looked at here
        header = kind.from_fileobj(io.BytesIO(start), check=False)
        sides = [int(side) for side in header.get_data_shape()]
        slope, intercept = header.get_slope_inter()
        offset = max(int(header.get_data_offset()), 544 if long else 352)
        dtype = header.get_data_dtype()
        affine = np.asarray(header.get_best_affine(), np.float64)
    except Exception as error:  # whatever the library makes of a stranger's bytes
        raise SourceError(f"{file} is no NIfTI: {error}") from None
    if len(sides) > 3 and any(side != 1 for side in sides[3:]):
        raise SourceError(f"{file} has {len(sides)} dimensions: a volume of classes has 3")
    columns, rows, slices = (*sides[:3], 1, 1, 1)[:3]
    scale = (1.0 if slope is None else float(slope), 0.0 if intercept is None else float(intercept))
    return Grid(file, (slices, rows, columns), "nifti", dtype, offset, scale, affine)


def _npy(file: File, start: bytes) -> Grid:
    try:
        shape, fortran, dtype, offset = npy_header(start, str(file))
    except AnswerError as error:
        raise SourceError(str(error)) from None
    if not 2 <= len(shape) <= 3:
        raise SourceError(f"{file} has {len(shape)} dimensions, not 2 or 3")
    slices, rows, columns = (1, *shape)[-3:]
    return Grid(file, (slices, rows, columns), "npy", dtype, offset, whole=fortran)


def _picture(file: File, most: int) -> Grid:
    try:
        height, width = raster_size(file.read_all(DEFAULT_LIMITS.answer_bytes), most)
    except AnswerError as error:
        raise SourceError(f"{file}: {error}") from None
    return Grid(file, (1, height, width), "picture", np.dtype(np.uint8))


def _tiff(file: File) -> Grid:
    tifffile = library("tifffile", file)
    try:
        with quiet("tifffile"), tifffile.TiffFile(SeekableFile(file)) as tiff:
            n, page = len(tiff.pages), tiff.pages[0]
            shape, dtype = page.shape, np.dtype(page.dtype)
    except Exception as error:  # whatever the library makes of a stranger's bytes
        raise SourceError(f"{file} is no TIFF: {error}") from None
    if len(shape) != 2:
        raise SourceError(f"{file} has pages of shape {shape}: classes are grey")
    return Grid(file, (n, int(shape[0]), int(shape[1])), "tiff", dtype)


def _tiff_page(file: File, number: int) -> NDArray[Any]:
    tifffile = library("tifffile", file)
    try:
        with quiet("tifffile"), tifffile.TiffFile(SeekableFile(file)) as tiff:
            values: NDArray[Any] = tiff.pages[number].asarray()
    except Exception as error:  # whatever the library makes of a stranger's bytes
        raise AnswerError(f"{file}, page {number}: {error}") from None
    return values


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(str(side) for side in reversed(shape))
