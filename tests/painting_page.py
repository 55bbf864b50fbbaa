"""The painting page in a real browser: opened, driven, and listened to."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.painting_server import scene, serving


@contextlib.contextmanager
def module_page(browser: Any) -> Iterator[Any]:
    """A page without anything in it that can import the page's modules."""
    from consolidation.labeling.paint_folder import PaintFolder
    from consolidation.labeling.paint_server import Painting

    with TemporaryDirectory() as place:
        folder = PaintFolder(scene(Path(place) / "a.png"), ["a"], Path(place) / "out")
        with serving(lambda origin: Painting(folder, origin)) as painting:
            page = browser.new_page()
            page.goto(f"{painting.origin}/web/messages.en.json")
            yield page
            page.close()
