"""Find the masks of a folder, whichever of the usual forms it has."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from consolidation import storage
from consolidation.errors import SourceError
from consolidation.formats.sniff import is_hidden
from consolidation.names import file_name, object_id, with_hash


class MaskFile(NamedTuple):
    """A mask: the id of its image, and its file below the folder."""

    id: str
    file: str


Reading = Mapping[str, MaskFile]
"""Masks by the name that a run gives the files of their ids."""


@dataclass(frozen=True)
class MaskFolder:
    """The masks of a folder or prefix.

    Attributes
    ----------
    uri : str
        Folder that the masks lie in.
    above : str
        The folder above it.
    files : mapping of str to str
        Name (path below the folder, without ``.png`` or ``/truth.png``) to file.
    """

    uri: str
    above: str
    files: Mapping[str, str]

    @cached_property
    def provenance(self) -> Mapping[str, Any] | None:
        """What the run that wrote the masks says about itself; None if none did."""
        path = storage.join(self.above, "provenance.json")
        if not (self._is_of_a_run and storage.exists(path)):
            return None
        try:
            content = json.loads(storage.read_bytes(path))
            classes, options = content["classes"], content["options"]
            if not (isinstance(options, dict) and all(isinstance(name, str) for name in classes)):
                raise TypeError("classes or options are of another type")
        except (ValueError, KeyError, TypeError) as error:
            raise SourceError(f"{path} is not what a run writes: {error!r}") from None
        return {"classes": classes, "options": options}

    @property
    def _is_of_a_run(self) -> bool:
        """Whether it is called as a run calls its folder of masks."""
        return self.uri.replace("\\", "/").rstrip("/").rpartition("/")[2] == "masks"

    def readings(self) -> list[Reading]:
        """Return what the names may mean: ids, or ids as a run encodes them; the likelier first."""
        plain = {file_name(name): MaskFile(name, file) for name, file in self.files.items()}
        if any("/" in file for file in self.files.values()):
            return [plain]
        encoded = {
            _without_clash(name): MaskFile(object_id(name), file)
            for name, file in self.files.items()
        }
        return [plain, encoded] if self.provenance is None else [encoded]

    def of(self, image_ids: Iterable[str]) -> dict[str, str]:
        """Path or URI of the mask of each of these images that has one."""
        ids = {file_name(image_id): image_id for image_id in image_ids}
        best = max(self.readings(), key=lambda reading: len(reading.keys() & ids.keys()))
        return {ids[name]: self.path(best[name]) for name in ids if name in best}

    def path(self, mask: MaskFile) -> str:
        """Path or URI of a mask."""
        return storage.join(self.uri, *mask.file.split("/"))

    def confidence(self, mask: MaskFile) -> str | None:
        """Path or URI of the confidence map that a run wrote for a mask, None if it wrote none."""
        path = storage.join(self.above, "confidence", mask.file)
        return path if self._is_of_a_run and storage.exists(path) else None


def find_masks(folder: str | Path) -> MaskFolder:
    """Find the masks of a folder.

    Parameters
    ----------
    folder : path or ``s3://`` URI
        One of: a folder with `masks/` (output of a consolidation run) or `truth/` (a simulated
        job) in it, a folder of `<id>.png`, or a folder of `<id>/truth.png`, in this order. An id
        with slashes in it is a path, or a name as a run encodes it.

    Returns
    -------
    MaskFolder

    Raises
    ------
    SourceError
        If the folder does not exist or has none of the forms.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (Path(folder) / "street" / "7").mkdir(parents=True)
    ...     _ = (Path(folder) / "street" / "7" / "truth.png").write_bytes(b"")
    ...     list(find_masks(folder).files)
    ['street/7']
    """
    uri = str(folder)
    if not storage.is_s3(uri) and not storage.local(uri).is_dir():
        raise SourceError(f"{folder} is not a folder")
    above = _above(uri)
    files = [
        entry.name
        for entry in storage.entries(uri)
        if entry.name.endswith(".png") and not is_hidden(entry.name)
    ]
    for inner in ("masks", "truth"):
        below = [file.removeprefix(f"{inner}/") for file in files if file.startswith(f"{inner}/")]
        # `<id>/truth.png` is also right for an image called "masks" or "truth".
        if below and "truth.png" not in below:
            above, uri, files = uri, storage.join(uri, inner), below
            break
    ending = ".png"
    if all("/" in file for file in files) and any(file.endswith("/truth.png") for file in files):
        ending = "/truth.png"
    names = {file.removesuffix(ending): file for file in files if file.endswith(ending)}
    if not names:
        raise SourceError(f"{uri} holds no masks: expected <id>.png or <id>/truth.png")
    return MaskFolder(uri, above, names)


def match_masks(predicted: MaskFolder, truth: MaskFolder) -> tuple[Reading, Reading]:
    """Read the names of both folders so that most of them are about the same images."""
    return max(
        product(predicted.readings(), truth.readings()),
        key=lambda both: len(both[0].keys() & both[1].keys()),
    )


def _above(uri: str) -> str:
    """Folder above one; of a whole bucket, itself."""
    if storage.is_s3(uri):
        bare = uri.rstrip("/")
        return bare.rpartition("/")[0] if bare.count("/") > 2 else bare
    path = storage.local(uri)
    return str(path.parent if path.name not in ("", "..") else path.resolve().parent)


def _without_clash(name: str) -> str:
    """Name of the id without the hash that it got because of another id of the same run."""
    plain = file_name(object_id(name))
    return plain if with_hash(plain, object_id(name)) == name else name
