"""What `consolidate paint` serves: a folder, its template, the keys of this run."""

from __future__ import annotations

import secrets
import threading
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from consolidation.errors import ObjectError
from consolidation.labeling import segments
from consolidation.labeling.frame import frame_page
from consolidation.labeling.masks import initial_value
from consolidation.labeling.paint_folder import PaintFolder, Picture
from consolidation.labeling.pictures import pixels_of
from consolidation.labeling.template import render

BUILTIN = Path(__file__).parent / "segmentation.liquid.html"
"""Template of tasks that bring none."""


class Painting:
    """What the server knows: the folder, its template, and a secret of this run.

    Parameters
    ----------
    folder : PaintFolder
    origin : str
        Address of the server, such as ``http://127.0.0.1:8377``.
    template : str, optional
        A template of one's own, Liquid as for Ground Truth.
    language : str, optional
        ``en`` or ``de``; the browser's if there is none.
    """

    def __init__(
        self, folder: PaintFolder, origin: str, template: str | None = None, language: str = ""
    ) -> None:
        self.folder, self.origin, self.language = folder, origin, language
        self.template = BUILTIN.read_text("utf-8") if template is None else template
        self.key = secrets.token_urlsafe(24)
        """Whoever opens the page must know it: others on this machine do not."""
        self.read_key = secrets.token_urlsafe(24)
        """Part of the addresses of pictures and masks, which the template's code sees."""
        self._segmenting = threading.Lock()
        self._image = lru_cache(maxsize=1)(self._read)

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"{self.origin}/?key={self.key}"

    def picture(self, number: int) -> Picture:
        """Picture by its position; ObjectError if there is none."""
        if not 0 <= number < len(self.folder.pictures):
            raise ObjectError(f"there is no picture {number}")
        return self.folder.pictures[number]

    def picture_address(self, number: int) -> str:
        """Where the frame reads a picture."""
        name = quote(self.picture(number).path.name)
        return f"{self.origin}/pictures/{self.read_key}/{number}/{name}"

    def frame(self, number: int) -> str:
        """The template of a picture, filled in."""
        picture = self.picture(number)
        uris = {picture.path.as_posix(): self.picture_address(number)}
        task: dict[str, Any] = {
            "taskObject": picture.path.as_posix(),
            "labels": list(self.folder.classes.names[1:]),
            "manifestLine": {"source-ref": picture.path.as_posix()},
        }
        if self.folder.initial(picture) is not None:
            address = f"{self.origin}/masks/{self.read_key}/{number}"
            task["initialValue"] = initial_value(self.folder.classes, address)
        rendered = render(self.template, task, lambda uri: uris.get(uri, ""))
        return frame_page(rendered, f"{self.origin}/web")

    def suggest(self, number: int, request: Any) -> Any:
        """Auto-segmentation of a picture."""
        # one at a time: what is kept of the picture is shared
        with self._segmenting:
            pixels, cache = self._image(number)
            return segments.suggest(pixels, request, cache)

    def _read(self, number: int) -> tuple[NDArray[np.uint8], Any]:
        """Pixels of a picture, and what auto-segmentation keeps of it."""
        return pixels_of(self.picture(number).read()), segments.new_cache()
