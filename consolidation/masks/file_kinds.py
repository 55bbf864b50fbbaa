"""What a file is that is no PNG, told by its first bytes, and what would help."""

from __future__ import annotations

PNG = b"\x89PNG\r\n\x1a\n"

_AS_PNG = "save the masks as PNG, pixel = class index"
_LOSSLESS = "its compression changes class indices: export PNG from the tool, do not convert"
_STARTS = (
    (b"\xff\xd8\xff", "a JPEG picture", _LOSSLESS),
    (b"II*\0", "a TIFF picture", _AS_PNG),
    (b"MM\0*", "a TIFF picture", _AS_PNG),
    (b"II+\0", "a TIFF picture", _AS_PNG),
    (b"BM", "a BMP picture", _AS_PNG),
    (b"GIF8", "a GIF picture", _AS_PNG),
    (b"\x93NUMPY", "a NumPy array (.npy)", _AS_PNG),
    (b"\x1f\x8b", "a gzip file, as .nii.gz is", "save each slice as PNG, pixel = class index"),
    (b"\x89HDF", "an HDF5 file", _AS_PNG),
    (b"PK\x03\x04", "a zip archive, as .npz is", "unpack it"),
    (b"%PDF", "a PDF", _AS_PNG),
    (b"version https://git-lfs", "a Git LFS pointer", "fetch the files with git lfs pull"),
    (b"<", "a text of XML or HTML", "fetch the picture itself"),
    (b"{", "a JSON text", "it belongs elsewhere, or another --masks leaves it out"),
    (b"[", "a JSON text", "it belongs elsewhere, or another --masks leaves it out"),
)
_NIFTI = (b"n+1\0", b"ni1\0", b"n+2\0")


def not_a_png(data: bytes, cure: bool = False) -> str:
    """Say what a file is that is no PNG, and what would `cure` it.

    Examples
    --------
    >>> not_a_png(b"GIF89a")
    'not a PNG file but a GIF picture'
    >>> not_a_png(b"BM", cure=True)
    'not a PNG file but a BMP picture: save the masks as PNG, pixel = class index'
    """
    if not data:
        return "the PNG is empty"
    kind, help_ = _kind(data)
    text = f"not a PNG file but {kind}" if kind else "not a PNG file"
    return f"{text}: {help_}" if cure and help_ else text


def _kind(data: bytes) -> tuple[str, str]:
    """What a file is, and what would help; empty where that is not known."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "a WebP picture", _AS_PNG
    if data[344:348] in _NIFTI or data[4:8] in _NIFTI:
        return "a NIfTI volume", "save each slice as PNG, pixel = class index"
    if data[128:132] == b"DICM":
        return "a DICOM file", _AS_PNG
    for start, kind, help_ in _STARTS:
        if data.startswith(start):
            return kind, help_
    return "", ""
