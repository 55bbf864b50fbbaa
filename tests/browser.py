"""A real browser, and a page in it that complains of nothing."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


@contextlib.contextmanager
def chromium() -> Iterator[Any]:
    """Chromium without a window; skips where there is none."""
    if CHROMIUM is None:
        pytest.skip("there is no chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="there is no playwright")
    with playwright.sync_playwright() as running:
        started = running.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


class Page:
    """A page that fails its test if the browser complains."""

    def __init__(self, browser: Any, path: Path, width: int = 1200, scheme: str = "light") -> None:
        size = {"width": width, "height": 900}
        self.context = browser.new_context(
            viewport=size, color_scheme=scheme, reduced_motion="reduce"
        )
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", self._complain)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.set_default_timeout(5000)
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("#multiples canvas")

    def _complain(self, message: Any) -> None:
        # what the browser says to `color` below, which the page itself never does
        if "getImageData" not in message.text:
            self.complaints.append(message.text)

    def __enter__(self) -> Page:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()
        assert self.complaints == []
        assert not [url for url in self.requests if not url.startswith(("file:", "data:"))]

    def text(self, selector: str) -> str:
        return re.sub(r"\s+", " ", self.page.inner_text(selector)).strip()

    def point(self, row: float, column: float, size: tuple[int, int] = (24, 32)) -> str:
        """Move to a pixel; what the page says about it."""
        frame = self.page.locator("#frame")
        frame.scroll_into_view_if_needed()
        box = frame.bounding_box()
        x = box["x"] + box["width"] * (column + 0.5) / size[1]
        self.page.mouse.move(x, box["y"] + box["height"] * (row + 0.5) / size[0])
        return self.text("#readout")

    def open(self, image_id: str) -> None:
        from playwright.sync_api import expect

        # not by a function of ours: the page allows no scripts but its own
        expect(self.page.locator("#image-id")).to_have_text(image_id)

    def color(self, row: int, column: int) -> list[int]:
        """RGBA of a pixel of the mask."""
        script = """([x, y]) => [...document.getElementById("mask").getContext("2d")
            .getImageData(x, y, 1, 1).data]"""
        return list(self.page.evaluate(script, [column, row]))
