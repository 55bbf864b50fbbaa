"""Label Studio's brush, driven as `benchmarks.painting` drives ours, from its package on npm.

Version 1.0.1 is the last that npm has with the built page in it. Its brush has a size of its own,
which ours is given too.
"""

from __future__ import annotations

import functools
import http.server
import statistics
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import report
from benchmarks.painting import SIZES, event_costs, opened, picture, strokes, traced
from tests.browser import chromium

PACKAGE = "label-studio@1.0.1"
BRUSH = 15
"""Its brush's width in pixels of the screen."""
PEER_SIZES = ("1 MP", "12 MP")
_PAGE = """<!doctype html><link rel="stylesheet" href="package/build/static/css/main.css">
<div id="label-studio"></div><script src="package/build/static/js/main.js"></script><script>
new LabelStudio("label-studio", {
  config: `<View><Image name="img" value="$image" zoom="true"/><BrushLabels name="tag" toName="img">
    <Label value="road"/><Label value="car"/></BrushLabels></View>`,
  interfaces: ["panel", "controls", "side-column"],
  user: { pk: 1 },
  task: { annotations: [], completions: [], predictions: [], id: 1, data: { image: "a.jpg" } },
  onLabelStudioLoad: (LS) => {
    const store = LS.annotationStore || LS.completionStore;
    const made = (store.addAnnotation || store.addCompletion)({ userGenerate: true });
    (store.selectAnnotation || store.selectCompletion)(made.id);
  },
});</script>"""


@contextmanager
def label_studio(size: tuple[int, int]) -> Iterator[str]:
    """Address of its page with a picture of a size."""
    with tempfile.TemporaryDirectory() as place:
        subprocess.run(["npm", "pack", PACKAGE], cwd=place, check=True, capture_output=True)
        archive = next(Path(place).glob("*.tgz"))
        subprocess.run(["tar", "xzf", archive.name], cwd=place, check=True)
        (Path(place) / "index.html").write_text(_PAGE)
        picture(Path(place) / "a.jpg", size)
        handler = functools.partial(_Quiet, directory=place)
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{server.server_address[1]}/index.html"
            server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


def theirs(browser: Any, name: str) -> list[float]:
    """Milliseconds of CPU of each of their pointer events and its frame."""
    with label_studio(SIZES[name]) as address:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(address)
        page.locator("canvas").first.wait_for()
        page.wait_for_timeout(2000)
        page.get_by_text("road").first.click()
        box = page.locator("canvas").first.bounding_box()
        events = traced(browser, page, lambda: _drag(page, box))
        page.close()
    return event_costs(events, ("mousemove", "pointermove"))[0]


def _drag(page: Any, box: dict[str, float]) -> None:
    rng = np.random.default_rng(1)
    for number in range(6):
        x, y = rng.uniform(0.2, 0.8, 2) * (box["width"], min(box["height"], 600))
        page.mouse.move(box["x"] + x, box["y"] + y)
        page.mouse.down()
        for dx, dy in rng.normal(0, 14, (40, 2)):
            x = float(np.clip(x + dx, 5, box["width"] - 5))
            y = float(np.clip(y + dy, 5, min(box["height"], 600) - 5))
            page.mouse.move(box["x"] + x, box["y"] + y)
        page.mouse.up()
        page.keyboard.press(str(1 + number % 2))


def ours(browser: Any, name: str) -> list[float]:
    """The same of ours."""
    with opened(browser, SIZES[name]) as (page, frame, _):
        frame.evaluate(
            """([size]) => {
                const { editor } = document.querySelector("crowd-semantic-segmentation");
                editor.set("size", size / editor.view.scale);
            }""",
            [BRUSH],
        )
        events = traced(browser, page, lambda: strokes(page, 6, 40))
    return event_costs(events)[0]


def main() -> None:
    """Compare at the sizes that theirs opens."""
    rows = []
    with chromium() as browser:
        for name in PEER_SIZES:
            for who, costs in (("ours", ours(browser, name)), (PACKAGE, theirs(browser, name))):
                p95 = float(np.percentile(costs, 95))
                rows.append([name, who, len(costs), statistics.median(costs), p95])
    columns = ["picture", "whose", "frames", "CPU median ms", "CPU p95 ms"]
    title = f"A pointer event with a brush of {BRUSH} px of the screen, to the end of its frame"
    report("painting_peer", {title: (columns, rows)})


if __name__ == "__main__":
    main()
