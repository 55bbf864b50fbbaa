"""A folder of pictures to paint: what lies where, what is done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation import storage
from consolidation.errors import ConsolidationError, ObjectError, OptionError, SourceError
from consolidation.labeling.masks import answer_mask, mask_file, read_mask
from consolidation.labeling.pictures import ENDINGS, size_of
from consolidation.masks import Classes
from consolidation.names import file_names

DEFAULT_WORKER = "me"


@dataclass(frozen=True)
class Picture:
    """A picture to paint on.

    Attributes
    ----------
    id : str
        Its path below the folder, without its ending where no two pictures then share a name.
    path : Path
    name : str
        The id as a file name.
    """

    id: str
    path: Path
    name: str

    def read(self) -> bytes:
        """Bytes of the file."""
        return storage.read_bytes(self.path)


class PaintFolder:
    """Pictures, labels, and the folder for what is painted.

    Written are ``<picture>/worker_<worker>.png`` (class indices), ``.json`` beside it (the answer
    as Ground Truth has it) and ``classes.json``: a folder that ``consolidate run`` reads.

    Parameters
    ----------
    pictures : path
        A picture, or a folder of them.
    labels : sequence of str
    out : path
    worker : str
        Who paints; several people may paint into one folder.
    masks : path, optional
        Masks to begin with: ``<picture>.png`` or ``<picture>/worker_<worker>.png`` in a folder,
        or one file for one picture. What was painted before goes first.

    Raises
    ------
    SourceError
        If there are no pictures.
    OptionError
        If the labels clash, with one another or with those of an earlier time in `out`.
    """

    def __init__(
        self,
        pictures: str | Path,
        labels: Sequence[str],
        out: str | Path,
        worker: str = DEFAULT_WORKER,
        masks: str | Path | None = None,
    ) -> None:
        self.classes = Classes.of_labels(labels)
        self.out = Path(out)
        if not worker or "/" in worker or worker != worker.strip():
            raise OptionError(f"the worker {worker!r} cannot be part of a file's name")
        self.worker = worker
        self.masks = None if masks is None else Path(masks)
        if self.masks is not None and not self.masks.exists():
            raise SourceError(f"{masks}: there are no masks")
        self.pictures = _pictures(Path(pictures))
        self._write_classes()

    def _write_classes(self) -> None:
        colors = self.classes.hex_colors()
        content = {
            "classes": [
                {"index": i, "name": name, "color": colors[i]}
                for i, name in enumerate(self.classes.names)
            ]
        }
        data = json.dumps(content, ensure_ascii=False, indent=1).encode() + b"\n"
        path = self.out / "classes.json"
        if storage.exists(path) and json.loads(storage.read_bytes(path)) != content:
            raise OptionError(f"{path} has other labels: paint into another folder")
        storage.write_bytes(path, data)

    def file(self, picture: Picture, ending: str) -> Path:
        """Where the mask (``png``) or the answer (``json``) of a picture is written."""
        return self.out / picture.name / f"worker_{self.worker}.{ending}"

    def done(self, picture: Picture) -> bool:
        """Whether there is a mask of this worker."""
        return self.file(picture, "png").exists()

    def task(self, picture: Picture) -> str:
        """Name of the task for drafts: another where the picture or the labels are others."""
        stat = picture.path.stat()
        parts = [picture.path.absolute(), stat.st_size, stat.st_mtime_ns]
        parts += [self.out.absolute(), self.worker, *self.classes.names]
        return hashlib.sha256("\0".join(map(str, parts)).encode("utf-8", "replace")).hexdigest()[
            :32
        ]

    def initial(self, picture: Picture) -> NDArray[np.uint8] | None:
        """Mask to begin with; None if there is none.

        Raises
        ------
        ConsolidationError
            If there is one that cannot be read, or of another size than the picture.
        """
        file = self._initial_file(picture)
        if file is None:
            return None
        try:
            mask = read_mask(storage.read_bytes(file), self.classes)
            size = size_of(picture.read())
            if mask.shape != size:
                raise ObjectError(
                    f"{mask.shape[1]} x {mask.shape[0]} pixels, "
                    f"the picture has {size[1]} x {size[0]}"
                )
        except ConsolidationError as error:
            raise ObjectError(f"mask {file}: {error}") from None
        return mask

    def _initial_file(self, picture: Picture) -> Path | None:
        places = [self.file(picture, "png")]
        if self.masks is not None:
            if self.masks.is_file():
                places.append(self.masks)
            else:
                places += [
                    self.masks / f"{picture.name}.png",
                    self.masks / picture.name / f"worker_{self.worker}.png",
                    self.masks / "masks" / f"{picture.name}.png",
                ]
        return next((path for path in places if path.is_file()), None)

    def save(self, picture: Picture, answer: Mapping[str, Any]) -> None:
        """Write answer and mask; AnswerError as `answer_mask`."""
        mask = answer_mask(answer, self.classes, size_of(picture.read()))
        text = json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
        storage.write_bytes(self.file(picture, "json"), text.encode("utf-8", "surrogatepass"))
        # last: a mask is there only if its answer is
        storage.write_bytes(self.file(picture, "png"), mask_file(mask, self.classes))


def _pictures(root: Path) -> list[Picture]:
    if root.is_file():
        paths = {root.name: root}
    elif root.is_dir():
        paths = {
            path.relative_to(root).as_posix(): path
            for path in sorted(root.rglob("*"))
            if path.suffix.lower() in ENDINGS and path.is_file()
        }
    else:
        raise SourceError(f"{root}: there is no such picture or folder")
    if not paths:
        raise SourceError(f"{root}: no pictures in it")
    stems = [name.rpartition(".")[0] or name for name in paths]
    ids = stems if len(set(stems)) == len(stems) else list(paths)
    names = file_names(ids)
    return [
        Picture(picture_id, path, names[picture_id])
        for picture_id, path in zip(ids, paths.values(), strict=True)
    ]
