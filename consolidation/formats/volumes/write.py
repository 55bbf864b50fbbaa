"""A consensus written as what it was made of: a NIfTI volume, a TIFF stack or a NumPy array."""

from __future__ import annotations

import gzip
import io
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation import storage
from consolidation.formats.volumes.grids import Grid
from consolidation.formats.volumes.opening import library
from consolidation.masks import UNDECIDED_INDEX
from consolidation.names import file_name

FOLDER = "volumes"

Mask = Callable[[], NDArray[np.uint8] | None]
"""Reads the consensus of a slice; None if the slice has none."""


def write_volume(out: str, image: str, grid: Grid, masks: Sequence[Mask]) -> str:
    """Write the consensus of an image's slices; return its path or URI.

    Parameters
    ----------
    out : str
        Folder of the run.
    image : str
    grid : Grid
        Of the first rater: its header is taken over.
    masks : sequence of Mask
        Slice by slice. A slice without a consensus is undecided (255) throughout.
    """
    _, rows, columns = grid.shape

    def slices() -> Iterator[NDArray[np.uint8]]:
        for read in masks:
            mask = read()
            yield np.full((rows, columns), UNDECIDED_INDEX, np.uint8) if mask is None else mask

    ending = {"nifti": ".nii.gz", "npy": ".npy", "tiff": ".tif"}[grid.kind]
    path = storage.join(out, FOLDER, f"{file_name(image)}{ending}")
    with storage.writer(path) as file:
        if grid.kind == "nifti":
            # no name and no time in it: the same bytes each time
            with gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
                packed.write(_nifti_header(grid))
                for mask in slices():
                    packed.write(np.ascontiguousarray(mask).tobytes())
        elif grid.kind == "npy":
            head: Any = np.lib.format
            description = {"descr": "|u1", "fortran_order": False, "shape": grid.shape}
            head.write_array_header_1_0(file, description)
            for mask in slices():
                file.write(np.ascontiguousarray(mask).tobytes())
        else:
            tifffile = library("tifffile", grid.file)
            tifffile.imwrite(
                file,
                slices(),
                shape=grid.shape,
                dtype=np.uint8,
                photometric="minisblack",
                compression="zlib",
                metadata=None,
                software="",
            )
    return path


def _nifti_header(grid: Grid) -> bytes:
    """Header and extension flag of the first rater's file, for bytes as they are."""
    nibabel = library("nibabel", grid.file)
    start = grid.file.beginning(4096)
    long = 540 in (int.from_bytes(start[:4], "little"), int.from_bytes(start[:4], "big"))
    kind = nibabel.Nifti2Header if long else nibabel.Nifti1Header
    header = kind.from_fileobj(io.BytesIO(start), check=False)
    header.set_data_dtype(np.uint8)
    header.set_slope_inter(1, 0)
    header["cal_min"], header["cal_max"] = 0, 0
    header["magic"] = b"n+2\0\r\n\x1a\n" if long else b"n+1"
    header.set_data_offset(544 if long else 352)
    return bytes(header.binaryblock + struct.pack("<i", 0))
