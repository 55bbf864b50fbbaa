"""Other tools' files: decoding against the libraries made for it, and opening a large export.

One thread, CPU time. Run it with ``python -m benchmarks.formats``; ``--sdk PYTHON`` names an
interpreter that has label-studio-sdk, which holds NumPy back and so is not installed beside us.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import measure, peak_memory, report, verdict
from consolidation.formats import open_source, rle
from consolidation.formats.coded_shapes import ColumnRuns, Runs
from consolidation.formats.json_stream import LongLists
from consolidation.formats.shapes import Polygon
from consolidation.kernels.shapes import lay

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "formats"
MEGABYTE = 1e6
Rows = list[list[Any]]

SDK = """
import json, sys, time
import numpy as np
from label_studio_sdk.converter.brush import decode_rle
text = sys.stdin.buffer.read()
rle = json.loads(text)["rle"]
start = time.process_time()
image = decode_rle(rle)
seconds = time.process_time() - start
print(json.dumps({"seconds": seconds, "painted": int((image.reshape(-1, 4)[:, 3] > 0).sum())}))
"""


def brushes(data: Path, sdk: str | None) -> tuple[Rows, Rows]:
    """Brushes of Label Studio: the real one, and those of four annotators."""
    rows, targets = [], []
    real = (data / "label-studio" / "brush_no_size.json").read_bytes()
    value = json.loads(real)["annotations"][0]["result"][0]["value"]["rle"]
    text = real[real.index(b'"rle":[') + 7 :]
    text = text[: text.index(b"]")]
    size = (2802, 2242)
    painted = int((rle.decode_brush(rle.brush_bytes(value), *size)[0] > 0).sum())
    ways: dict[str, Callable[[], Any]] = {
        "from the JSON's text": lambda: rle.decode_brush(rle.brush_bytes(text), *size),
        "from a list of numbers": lambda: rle.decode_brush(rle.brush_bytes(value), *size),
        "json.loads alone": lambda: json.loads(b"[" + text + b"]"),
    }
    times = measure(ways)
    rows += [
        _row("real brush, 6.3 megapixels", name, ms, len(text), 1) for name, ms in times.items()
    ]
    if sdk:
        done = subprocess.run(
            [sdk, "-c", SDK],
            input=json.dumps({"rle": value}).encode(),
            capture_output=True,
            check=True,
        )
        theirs = json.loads(done.stdout)
        assert theirs["painted"] == painted
        ms = theirs["seconds"] * 1e3
        rows.append(_row("real brush, 6.3 megapixels", "label-studio-sdk, list", ms, len(text), 1))
        ratio = ms / times["from the JSON's text"]
        targets.append(verdict("brush, label-studio-sdk / ours", ratio, 100, at_most=False))
    tasks = (data / "label-studio" / "derived_four_annotators.json").read_bytes()
    lists = LongLists(tasks)
    streams = [
        (lists.numbers(item["value"]["rle"]), item["original_height"], item["original_width"])
        for task in lists.value
        for annotation in task["annotations"]
        for item in annotation["result"]
    ]

    def all_streams() -> None:
        for stream, height, width in streams:
            rle.decode_brush(rle.brush_bytes(stream), height, width)

    n_bytes = sum(len(stream) for stream, _, _ in streams)
    ms = measure({"ours": all_streams})["ours"]
    rows.append(_row("8 masks of 1344 x 1024", "from the JSON's text", ms, n_bytes, len(streams)))
    return rows, targets


def coco(data: Path) -> tuple[Rows, Rows]:
    """Run lengths and polygons of COCO, against pycocotools."""
    from pycocotools import mask as theirs

    warnings.simplefilter("ignore", DeprecationWarning)
    rows, targets = [], []
    content = json.loads((data / "coco" / "panoptic_coco_detection_format.json").read_text())
    large = json.loads((data / "coco" / "derived_raters.json").read_text())
    for name, listed in (("50 segments", content), ("8 masks of 1344 x 1024", large)):
        codes = [one["segmentation"] for one in listed["annotations"]]
        shapes = [ColumnRuns(one["counts"], one["size"]) for one in codes]
        encoded = [{"size": one["size"], "counts": one["counts"].encode()} for one in codes]
        for shape, code in zip(shapes, encoded, strict=True):
            plane = shape.plane(*shape.size)
            full = np.zeros(shape.size, np.uint8)
            full[plane.window] = plane.pixels.T
            assert (full == theirs.decode(code)).all()
        out = {tuple(shape.size): np.zeros(shape.size, np.uint8) for shape in shapes}
        covered = np.zeros(1 << 16, np.int64)

        def ours_painted(shapes: Any = shapes, out: Any = out, covered: Any = covered) -> None:
            for shape in shapes:
                mask = out[tuple(shape.size)]
                plane = shape.plane(*shape.size)
                lay(plane.pixels, True, 1, 0, mask[plane.window], covered)

        def theirs_painted(encoded: Any = encoded, out: Any = out) -> None:
            for code in encoded:
                mask = out[tuple(code["size"])]
                mask[theirs.decode(code) > 0] = 1

        times = measure(
            {
                "ours": lambda shapes=shapes: [shape.plane(*shape.size) for shape in shapes],
                "pycocotools": lambda encoded=encoded: [theirs.decode(code) for code in encoded],
                "ours, painted": ours_painted,
                "pycocotools, painted by NumPy": theirs_painted,
            }
        )
        n_bytes = sum(len(one["counts"]) for one in codes)
        rows += [_row(name, way, ms, n_bytes, len(codes)) for way, ms in times.items()]
        ratio = times["pycocotools"] / times["ours"]
        targets.append(verdict(f"COCO run lengths, {name}, pycocotools / ours", ratio, 1, False))
        ratio = times["pycocotools, painted by NumPy"] / times["ours, painted"]
        targets.append(verdict("the same, painted, pycocotools / ours", ratio, 1, False))
    rng = np.random.default_rng(1)
    for n in (8, 40, 400):
        angles = np.sort(rng.random(n)) * 2 * np.pi
        circle = np.stack([np.cos(angles), np.sin(angles)], 1)
        points = 512 + circle * rng.uniform(250, 400, (n, 1))
        ring = points.reshape(-1).tolist()
        polygon = Polygon.of([ring])
        ours = polygon.plane(1024, 1024).pixels.sum()
        other = theirs.decode(theirs.frPyObjects([ring], 1024, 1024))[..., 0].sum()
        assert abs(int(ours) - int(other)) < 0.03 * ours
        times = measure(
            {
                "ours": lambda ring=ring: Polygon.of([ring]).plane(1024, 1024),
                "pycocotools": lambda ring=ring: theirs.decode(
                    theirs.frPyObjects([ring], 1024, 1024)
                ),
            }
        )
        name = f"polygon of {n} points, 1024²"
        rows += [_row(name, way, ms, 0, 1) for way, ms in times.items()]
        ratio = times["pycocotools"] / times["ours"]
        targets.append(verdict(f"{name}, pycocotools / ours", ratio, 1, False))
    return rows, targets


def cvat(data: Path) -> tuple[Rows, Rows]:
    """Run lengths of CVAT, against reading them in Python."""
    text = (data / "cvat" / "derived" / "worker_3" / "annotations.xml").read_text()
    codes = [part.partition('"')[0] for part in text.split('rle="')[1:]]
    shapes = [Runs(code, 0, 0, 1024, 1344) for code in codes]

    def by_hand(code: str) -> Any:
        flat, at, inside = np.zeros(1024 * 1344, np.uint8), 0, False
        for count in map(int, code.split(",")):
            if inside:
                flat[at : at + count] = 1
            at, inside = at + count, not inside
        return flat.reshape(1024, 1344)

    for shape, code in zip(shapes, codes, strict=True):
        assert (shape.plane(1024, 1344).pixels == by_hand(code)).all()
    times = measure(
        {
            "ours": lambda: [shape.plane(1024, 1344) for shape in shapes],
            "plain Python": lambda: [by_hand(code) for code in codes],
        }
    )
    n_bytes = sum(map(len, codes))
    name = f"{len(codes)} masks of 1344 x 1024"
    rows = [_row(name, way, ms, n_bytes, len(codes)) for way, ms in times.items()]
    ratio = times["plain Python"] / times["ours"]
    return rows, [verdict("CVAT run lengths, plain Python / ours", ratio, 1, at_most=False)]


def export(data: Path, megabytes: int) -> tuple[Rows, Rows]:
    """A large export, opened and every region counted, against orjson over all of it."""
    import orjson

    rows, targets = [], []
    real = json.loads((data / "label-studio" / "brush_no_size.json").read_text())
    polygons = json.loads((data / "label-studio" / "full_export_2025.json").read_text())
    with tempfile.TemporaryDirectory() as folder:
        # an export of shapes is smaller for as many images
        for name, tasks, part in (("brushes", [real], 1.0), ("shapes", polygons, 0.2)):
            path = Path(folder) / f"{name}.json"
            n = _write_export(path, tasks, part * megabytes * MEGABYTE)
            size = path.stat().st_size

            def parsed(path: Path = path) -> int:
                listed = orjson.loads(path.read_bytes())
                return sum(len(one["result"]) for task in listed for one in task["annotations"])

            def opened(path: Path = path, n: int = n) -> int:
                source = open_source(path)
                assert len(source.items) == n
                return n

            opened()
            times = {}
            for way, call in (("ours", opened), ("orjson, whole", parsed)) * 2:
                start = time.process_time()
                call()
                spent = (time.process_time() - start) * 1e3
                times[way] = min(spent, times.get(way, spent))
            code = f"from consolidation.formats import open_source\nopen_source({str(path)!r})\n"
            memory = {"ours": peak_memory(code)}
            for way, ms in times.items():
                row = _row(f"{name}, {size / MEGABYTE:.0f} MB, {n} tasks", way, ms, size, n)
                rows.append([*row, memory.get(way, 0) / MEGABYTE or None])
            ratio = times["ours"] / times["orjson, whole"]
            targets.append(verdict(f"export of {name}: ours / orjson", ratio, 2, at_most=True))
            peak = memory["ours"] / MEGABYTE
            targets.append(verdict(f"export of {name}: peak MB of the process", peak, 300, True))
    return rows, targets


def _write_export(path: Path, tasks: list[Any], most: float) -> int:
    """Write tasks again and again under other ids; return how many."""
    texts = [json.dumps(task, separators=(",", ":")) for task in tasks]
    n = 0
    with path.open("w") as file:
        file.write("[")
        while file.tell() < most:
            task = texts[n % len(texts)]
            file.write(
                ("," if n else "") + task[:-1] + f',"id":{n},"data":{{"image":"{n}.jpg"}}' + "}"
            )
            n += 1
        file.write("]")
    return n


def _row(what: str, way: str, ms: float, n_bytes: int, n_masks: int) -> list[Any]:
    rate = n_bytes / MEGABYTE / (ms / 1e3) if n_bytes else None
    return [what, way, ms, rate, n_masks / (ms / 1e3)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of sample files")
    parser.add_argument("--sdk", help="interpreter that has label-studio-sdk")
    parser.add_argument("--megabytes", type=int, default=500, help="size of the large exports")
    given = parser.parse_args()
    if not given.data.is_dir():
        sys.exit(f"{given.data} is not there: --data names the sample files")
    columns = ["what", "way", "CPU ms", "MB/s", "masks/s"]
    sections = {}
    targets: Rows = []
    for title, (rows, reached) in (
        ("Brushes of Label Studio", brushes(given.data, given.sdk)),
        ("COCO", coco(given.data)),
        ("CVAT", cvat(given.data)),
    ):
        sections[title] = (columns, rows)
        targets += reached
    rows, reached = export(given.data, given.megabytes)
    columns = ["what", "way", "CPU ms", "MB/s", "tasks/s", "peak MB"]
    sections["Large exports of Label Studio, opened and counted"] = (columns, rows)
    targets += reached
    sections["Targets"] = (["figure", "measured", "wanted", "reached"], targets)
    report("formats", sections)


if __name__ == "__main__":
    main()
