"""The painting page in a real browser: opened, driven, and listened to."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation.labeling.paint_folder import PaintFolder
from consolidation.labeling.painting import Painting
from tests.painting_server import scene, serving

ELEMENT = "document.querySelector('crowd-semantic-segmentation')"
QUIET = ("GL Driver Message", "beforeunload", "willReadFrequently")
"""What Chromium says of its software drawing, and of tabs that tests close."""


@contextlib.contextmanager
def module_page(browser: Any) -> Iterator[Any]:
    """A page without anything in it that can import the page's modules."""
    with TemporaryDirectory() as place:
        folder = PaintFolder(scene(Path(place) / "a.png"), ["a"], Path(place) / "out")
        with serving(lambda origin: Painting(folder, origin)) as painting:
            page = browser.new_page()
            page.goto(f"{painting.origin}/web/messages.en.json")
            yield page
            page.close()


@contextlib.contextmanager
def painting_page(
    browser: Any,
    folder: PaintFolder,
    template: str | None = None,
    expected: Sequence[str] = (),
    ready: str | None = None,
    **context: Any,
) -> Iterator[PaintingPage]:
    """The page of a folder; fails its test if the browser complains of what is not `expected`."""
    with serving(lambda origin: Painting(folder, origin, template)) as painting:
        opened = browser.new_context(
            **{"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce", **context}
        )
        page = PaintingPage(opened, painting)
        try:
            page.open(ready)
            yield page
        finally:
            opened.close()
        left = [
            text
            for text in page.complaints
            if not any(known in text for known in (*QUIET, *expected))
        ]
        assert left == []


class PaintingPage:
    """One tab, and the frame with the template in it."""

    def __init__(self, context: Any, painting: Painting) -> None:
        self.context, self.painting = context, painting
        self.complaints: list[str] = []
        self.page: Any = None

    def open(self, ready: str | None = None) -> None:
        """Open a tab, and wait until painting is possible, or until something else is there."""
        self.page = self.context.new_page()
        self.page.set_default_timeout(8000)
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: dialog.accept())
        self.page.goto(self.painting.address)
        if ready:
            self.inside.locator(ready).first.wait_for()
            self.frame = self.page.frames[1]
        else:
            self.wait()

    def wait(self) -> None:
        """Wait for the picture."""
        stage = self.inside.locator(".stage").first
        stage.wait_for()
        self.inside.locator(".curtain").first.wait_for(state="hidden")
        self.frame = self.page.frames[1]
        self.box = stage.bounding_box()

    @property
    def inside(self) -> Any:
        """Locators in the frame."""
        return self.page.frame_locator("#frame")

    def evaluate(self, script: str, argument: Any = None) -> Any:
        """Run a script of ours in the frame; `element` and `editor` are there."""
        known = f"const element = {ELEMENT}; const editor = element?.editor;"
        return self.frame.evaluate(f"argument => {{ {known} return {script}; }}", argument)

    @property
    def map(self) -> NDArray[np.uint8]:
        """The class map (H, Wd)."""
        width, height, text = self.evaluate(
            """(() => { const { width, height, data } = editor.canvas.map; let text = "";
                for (let at = 0; at < data.length; at += 0x6000)
                    text += btoa(String.fromCharCode(...data.subarray(at, at + 0x6000)));
                return [width, height, text]; })()"""
        )
        return np.frombuffer(base64.b64decode(text), np.uint8).reshape(height, width)

    @property
    def tool(self) -> str:
        """Name of the tool in hand."""
        name: str = self.evaluate("editor.tool.name")
        return name

    @property
    def label(self) -> str:
        """Name of the label in hand."""
        name: str = self.evaluate("editor.label.name")
        return name

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where the middle of a pixel of the picture is in the tab."""
        left, top = self.evaluate(
            "editor.view.toScreen(...argument).map(v => v / editor.look.ratio)",
            [x + 0.5, y + 0.5],
        )
        return self.box["x"] + left, self.box["y"] + top

    def move(self, x: float, y: float) -> None:
        self.page.mouse.move(*self.at(x, y))

    def click(self, x: float, y: float, **options: Any) -> None:
        self.page.mouse.click(*self.at(x, y), **options)

    def stroke(self, *places: tuple[float, float]) -> None:
        """Press, go from place to place, let go."""
        self.move(*places[0])
        self.page.mouse.down()
        for place in places[1:]:
            self.move(*place)
        self.page.mouse.up()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def set(self, name: str, value: Any) -> None:
        """Set something of the editor that has a control of its own elsewhere."""
        self.evaluate("editor.set(argument[0], argument[1])", [name, value])

    def saved(self) -> None:
        """Wait until all that was painted is kept."""
        self.inside.get_by_text("Saved on this machine").wait_for()

    def submit(self, number: int = 0) -> dict[str, Any]:
        """Send the answer, and return what the server has written."""
        with self.page.expect_response(lambda response: "/answers/" in response.url) as sent:
            self.press("Control+Enter")
        assert sent.value.ok, sent.value.text()
        file = self.painting.folder.file(self.painting.folder.pictures[number], "json")
        answer: dict[str, Any] = json.loads(file.read_bytes())
        return answer
