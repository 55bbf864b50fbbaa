"""The painting page in headless Chromium: a stroke's cost, opening, encoding, memory.

There is no graphics card here: Chromium draws in software, in another process. What is measured is
the page's own script, uploads of changed pixels included, from Chromium's trace.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.harness import report
from consolidation.labeling.paint_folder import PaintFolder
from consolidation.labeling.painting import Painting
from tests.browser import chromium
from tests.painting_server import serving

SIZES = {"1 MP": (1000, 1000), "12 MP": (3000, 4000), "100 MP": (10_000, 10_000)}
EVENTS = 500
BRUSH = 500
LABELS = ["road", "car", "tree", "sky", "house", "person", "water", "sign"]
CATEGORIES = ["devtools.timeline", "toplevel", "disabled-by-default-devtools.timeline"]
TARGETS: dict[str, float] = {
    "event, 1 MP, median ms": 8,
    "event, 12 MP, median ms": 8,
    "event, 100 MP, median ms": 8,
    "event, 100 MP over 1 MP": 1.5,
    "open 12 MP, s": 1.5,
    "open 100 MP, s": 10,
    "encode 12 MP, s": 1,
    "encode 100 MP, s": 8,
    "longest task while encoding 12 MP, ms": 50,
    "longest task while encoding 100 MP, ms": 50,
    "draft safe after a stroke, 100 MP, s": 1,
    "class map and 200 undo steps at 12 MP, MB": 150,
}


def picture(path: Path, size: tuple[int, int]) -> Path:
    """Write a noisy JPEG of a size."""
    rng = np.random.default_rng(0)
    height, width = size
    block = rng.integers(0, 256, (height // 20 + 1, width // 20 + 1, 3), dtype=np.uint8)
    image = Image.fromarray(block).resize((width, height), Image.Resampling.BICUBIC)
    image.save(path, quality=85)
    return path


@contextmanager
def opened(browser: Any, size: tuple[int, int]) -> Iterator[tuple[Any, Any, tuple[float, float]]]:
    """The page, its frame, and the seconds until painting was possible: by the clock, and CPU."""
    with tempfile.TemporaryDirectory() as place:
        folder = PaintFolder(picture(Path(place) / "a.jpg", size), LABELS, Path(place) / "out")
        with serving(lambda origin: Painting(folder, origin)) as painting:
            context = browser.new_context(viewport={"width": 1280, "height": 800})
            page = context.new_page()
            page.set_default_timeout(120_000)
            before = page_cpu(browser)
            page.goto(painting.address)
            inside = page.frame_locator("#frame")
            inside.locator(".stage").wait_for()
            inside.locator(".curtain").wait_for(state="hidden")
            frame = page.frames[1]
            seconds = frame.evaluate(
                """() => new Promise(resolve => {
                    const { editor } = document.querySelector("crowd-semantic-segmentation");
                    const shown = () => editor.renderer.tiles?.overview;
                    const look = () =>
                        shown() ? resolve(performance.now() / 1000) : setTimeout(look, 5);
                    look();
                })"""
            )
            yield page, frame, (seconds, page_cpu(browser) - before)
            context.close()


def page_cpu(browser: Any) -> float:
    """CPU seconds that all of the browser's page processes have taken."""
    session = browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    return sum(process["cpuTime"] for process in processes if process["type"] == "renderer")


def strokes(page: Any, count: int, length: int) -> None:
    """Paint `count` strokes of `length` moves each."""
    box = page.frame_locator("#frame").locator(".stage").bounding_box()
    rng = np.random.default_rng(1)
    for number in range(count):
        # another label each time: every stroke changes something
        page.keyboard.press(str(1 + number % len(LABELS)))
        x, y = rng.uniform(0.15, 0.85, 2) * (box["width"], box["height"])
        page.mouse.move(box["x"] + x, box["y"] + y)
        page.mouse.down()
        for dx, dy in rng.normal(0, 14, (length, 2)):
            x = float(np.clip(x + dx, 5, box["width"] - 5))
            y = float(np.clip(y + dy, 5, box["height"] - 5))
            page.mouse.move(box["x"] + x, box["y"] + y)
        page.mouse.up()


def traced(browser: Any, page: Any, act: Any) -> list[dict[str, Any]]:
    """Events of Chromium's trace while `act` runs."""
    browser.start_tracing(page=page, categories=CATEGORIES)
    act()
    events: list[dict[str, Any]] = json.loads(browser.stop_tracing())["traceEvents"]
    return events


def event_costs(
    events: list[dict[str, Any]], kinds: tuple[str, ...] = ("pointermove",)
) -> tuple[list[float], list[float]]:
    """Milliseconds of script of each pointer event and its frame: CPU, and by the clock."""
    script = [
        event
        for event in events
        if event["name"] == "FireAnimationFrame"
        or (event["name"] == "EventDispatch" and event["args"]["data"]["type"] in kinds)
    ]
    threads = {(e["pid"], e["tid"]) for e in script if e["name"] == "EventDispatch"}
    script = sorted((e for e in script if (e["pid"], e["tid"]) in threads), key=lambda e: e["ts"])
    cpu: list[float] = []
    wall: list[float] = []
    waiting: list[dict[str, Any]] = []
    for event in script:
        waiting.append(event)
        if event["name"] == "FireAnimationFrame":
            # all that came since the frame before: an event or, where frames are slow, several
            if len(waiting) > 1:
                cpu.append(sum(e.get("tdur", e["dur"]) for e in waiting) / 1e3)
                wall.append(sum(e["dur"] for e in waiting) / 1e3)
            waiting = []
    return cpu, wall


def longest_task(events: list[dict[str, Any]]) -> tuple[float, float]:
    """Milliseconds of the longest task of the thread that ran the frame's timers: CPU, clock."""
    timers = {(e["pid"], e["tid"]) for e in events if e["name"] == "TimerFire"}
    tasks = [e for e in events if "RunTask" in e["name"] and (e["pid"], e["tid"]) in timers]
    cpu = max(e.get("tdur", 0) for e in tasks)
    return cpu / 1e3, max(e.get("dur", 0) for e in tasks) / 1e3


def draft_time(frame: Any) -> float:
    """Seconds from the end of a stroke until the browser's database has it."""
    seconds: float = frame.evaluate(
        """async () => {
            const { editor, form } = document.querySelector("crowd-semantic-segmentation");
            const start = performance.now();
            const { width } = editor.canvas.map;
            editor.tool.down([width / 4, 300], {});
            editor.tool.move([width / 2, 320], {});
            editor.tool.up();
            while (form.unsaved) await new Promise((resolve) => setTimeout(resolve, 2));
            return (performance.now() - start) / 1000;
        }"""
    )
    return seconds


def shown_right(frame: Any) -> bool:
    """Whether pixels on the screen have the colour of their class in the map."""
    same: bool = frame.evaluate(
        """() => {
            const { editor } = document.querySelector("crowd-semantic-segmentation");
            const { view, canvas: { map }, renderer } = editor;
            editor.setLook({ opacity: 1 });
            let checked = 0;
            for (let i = 0; i < 40; i++) {
                const x = Math.floor(map.width * (0.1 + 0.02 * i));
                const y = Math.floor(map.height * (0.2 + 0.015 * i));
                view.scale = 8; view.centre(x + 0.5, y + 0.5);
                editor.stale = true;
                editor.draw();
                const at = view.toScreen(x + 0.5, y + 0.5).map(Math.floor);
                const pixel = renderer.read(...at);
                const label = editor.labels.of(map.at(x, y));
                if (!label) continue;
                checked++;
                const hex = pixel.slice(0, 3).map(v => v.toString(16).padStart(2, "0"));
                const color = "#" + hex.join("");
                if (color !== label.color) return false;
            }
            return checked > 3;
        }"""
    )
    return same


def one_size(browser: Any, name: str, figures: dict[str, float], rows: list[list[Any]]) -> None:
    """Measure one size of picture."""
    with opened(browser, SIZES[name]) as (page, frame, seconds):
        figures[f"open {name}, s"], figures[f"open {name}, CPU s of the page"] = seconds
        frame.evaluate(
            """([size]) => document.querySelector("crowd-semantic-segmentation")
                .editor.set("size", size)""",
            [BRUSH],
        )
        strokes(page, 2, 10)
        events = traced(browser, page, lambda: strokes(page, EVENTS // 50, 50))
        cpu, wall = event_costs(events)
        p95 = float(np.percentile(cpu, 95))
        figures[f"event, {name}, median ms"] = statistics.median(cpu)
        figures[f"event, {name}, p95 ms"] = p95
        sys.stderr.write(f"{name}: {figures}\n")
        rows.append(
            [
                name,
                len(cpu),
                statistics.median(cpu),
                p95,
                statistics.median(wall),
                float(np.percentile(wall, 95)),
            ]
        )
        figures[f"draft safe after a stroke, {name}, s"] = draft_time(frame)
        figures[f"shown as in the map, {name}"] = float(shown_right(frame))
        if name == "1 MP":
            return
        _paint_all_labels(frame)
        seconds_taken: list[float] = []
        script = """async () => {
            const element = document.querySelector("crowd-semantic-segmentation");
            const start = performance.now();
            const answer = await element.collect();
            return [(performance.now() - start) / 1000, answer.labeledImage.pngImageData.length];
        }"""
        frame.evaluate(script)
        events = traced(browser, page, lambda: seconds_taken.extend(frame.evaluate(script)))
        figures[f"encode {name}, s"] = seconds_taken[0]
        cpu_task, clock_task = longest_task(events)
        figures[f"longest task while encoding {name}, ms"] = cpu_task
        figures[f"the same by the clock, {name}, ms"] = clock_task
        if name == "12 MP":
            strokes(page, 200, 3)
            held, steps = frame.evaluate(
                """() => {
                    const { canvas } = document.querySelector("crowd-semantic-segmentation").editor;
                    return [canvas.bytes, canvas.history.done.length];
                }"""
            )
            assert steps >= 200
            figures["class map and 200 undo steps at 12 MP, MB"] = held / 1e6


def _paint_all_labels(frame: Any) -> None:
    """Something of each of the eight labels, all over the map."""
    frame.evaluate(
        """() => {
            const { canvas } = document.querySelector("crowd-semantic-segmentation").editor;
            const { width, height } = canvas.map;
            for (let label = 1; label <= 8; label++) {
                canvas.begin(label);
                for (let i = 0; i < 30; i++) {
                    const place = [(i * 7919 * label) % width, (i * 104729 * label) % height];
                    canvas.stroke(place, [place[0] + 300, place[1] + 80], 60 + 10 * label, false);
                }
                canvas.commit();
            }
        }"""
    )


def main() -> None:
    """Measure all, or the sizes named."""
    parser = argparse.ArgumentParser()
    parser.add_argument("sizes", nargs="*", default=list(SIZES))
    sizes = parser.parse_args().sizes
    figures: dict[str, float] = {}
    rows: list[list[Any]] = []
    with chromium() as browser:
        for name in sizes:
            one_size(browser, name, figures, rows)
    if {"event, 1 MP, median ms", "event, 100 MP, median ms"} <= figures.keys():
        figures["event, 100 MP over 1 MP"] = (
            figures["event, 100 MP, median ms"] / figures["event, 1 MP, median ms"]
        )
    sections = {"Targets": (["figure", "measured", "at most", "reached"], _judged(figures))}
    columns = [
        "picture",
        "frames",
        "CPU median ms",
        "CPU p95 ms",
        "clock median ms",
        "clock p95 ms",
    ]
    sections["A pointer event with a brush of 500 px, to the end of its frame"] = (columns, rows)
    other = [[k, v] for k, v in figures.items() if k not in TARGETS]
    sections["More"] = (["figure", "measured"], other)
    report("painting", sections)


def _judged(figures: Mapping[str, float]) -> list[list[Any]]:
    return [
        [name, figures[name], target, "yes" if figures[name] <= target else "**no**"]
        for name, target in TARGETS.items()
        if name in figures
    ]


if __name__ == "__main__":
    main()
