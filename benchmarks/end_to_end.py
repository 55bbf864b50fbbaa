"""From payload JSON in memory to mask PNG, confidence PNG and manifest entry in memory.

One thread, CPU time. Run it with ``python -m benchmarks.end_to_end [--data DIR]``.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from PIL import Image

from benchmarks.harness import measure, peak_memory, report, verdict
from benchmarks.payloads import labels, payload
from consolidation.consensus import consolidate
from consolidation.formats.groundtruth import (
    AnnotationAnswer,
    compact,
    parse_answer,
    parse_request,
    result_metadata,
)
from consolidation.masks import Classes, ColorMatcher, decode, encode_grey, encode_indexed
from consolidation.objects.pipeline import consolidate_object
from consolidation.objects.prepare import LabeledObject, MaskBuffer
from consolidation.options import Options

PLAIN = Options(method="plurality", smoothing=0.0, ties="lowest", threads=1)
LAMBDA = Options(method="plurality", smoothing=1.0, ties="neighbours", threads=1)
TIME = "2026-01-01T00:00:00.000000"
Output = tuple[bytes, bytes, str]
BUFFER = MaskBuffer()
"""As a run uses it: one object after another."""


def ours(data: bytes, names: list[str], options: Options = PLAIN) -> list[Output]:
    """The engine's own path."""
    classes = Classes.of_labels(names)
    out = []
    for one in parse_request(data, "payload"):
        answers = [(each.worker, AnnotationAnswer(each)) for each in one.annotations]
        obj = LabeledObject(one.id, {"source-ref": one.source_ref}, answers)
        result = consolidate_object(obj, classes, options, buffer=BUFFER)
        entry = compact(result_metadata(result, TIME, "job"))
        out.append((result.mask_png, result.confidence_png(), entry))
    return out


@njit
def _lookup_and_vote(rgba, colors, votes, labels, share):
    """The obvious jitted loop: match each worker's colour, count, take the most."""
    n_workers, n = rgba.shape[0], rgba.shape[1]
    for p in range(n):
        votes[:] = 0
        for w in range(n_workers):
            label = 0
            if rgba[w, p, 3] == 255:
                for k in range(colors.shape[0]):
                    if (
                        rgba[w, p, 0] == colors[k, 0]
                        and rgba[w, p, 1] == colors[k, 1]
                        and rgba[w, p, 2] == colors[k, 2]
                    ):
                        label = k + 1
                        break
            votes[label] += 1
        best = 0
        for k in range(1, votes.size):
            if votes[k] > votes[best]:
                best = k
        labels[p] = best
        share[p] = round(255 * votes[best] / n_workers)


def _answers(one: dict[str, Any]) -> list[tuple[Image.Image, NDArray[np.uint8]]]:
    """Pictures and colours, by the standard library and Pillow."""
    out = []
    for annotation in one["annotations"]:
        content = json.loads(annotation["annotationData"]["content"])
        element = next(iter(content.values()))
        png = base64.b64decode(element["labeledImage"]["pngImageData"])
        colors = [m["color"] for m in element["labelMappings"].values()]
        rgb = [[int(color[i : i + 2], 16) for i in (1, 3, 5)] for color in colors]
        out.append((Image.open(io.BytesIO(png)).convert("RGBA"), np.array(rgb, np.uint8)))
    return out


def _save(labels_: NDArray[np.uint8], share: NDArray[np.uint8], colors: NDArray[Any]) -> Output:
    mask = Image.frombytes("P", labels_.shape[::-1], labels_.tobytes())
    # all 256 entries, as Ground Truth writes them, or Pillow would pack the indices to fewer bits
    palette = [255, 255, 255, *colors.reshape(-1).tolist()]
    mask.putpalette(palette + [255] * (768 - len(palette)))
    files = []
    for image in (mask, Image.fromarray(share)):
        out = io.BytesIO()
        image.save(out, "PNG")
        files.append(out.getvalue())
    return files[0], files[1], json.dumps({"confidence": float(share.mean() / 255)})


def plain(data: bytes) -> list[Output]:
    """Plain Pillow and numba: expand to RGBA, jitted lookup and vote, Pillow's default save."""
    out = []
    for one in json.loads(data):
        answers = _answers(one)
        rgba = np.stack([np.asarray(image) for image, _ in answers])
        height, width = rgba.shape[1:3]
        colors = answers[0][1]
        labels_ = np.empty(height * width, np.uint8)
        share = np.empty(height * width, np.uint8)
        votes = np.zeros(len(colors) + 1, np.int64)
        _lookup_and_vote(rgba.reshape(len(rgba), -1, 4), colors, votes, labels_, share)
        out.append(_save(labels_.reshape(height, width), share.reshape(height, width), colors))
    return out


def naive(data: bytes) -> list[Output]:
    """NumPy and Pillow: a loop over colours, one-hot votes."""
    out = []
    for one in json.loads(data):
        answers = _answers(one)
        colors = answers[0][1]
        counts = np.zeros((len(colors) + 1, *np.asarray(answers[0][0]).shape[:2]), np.int64)
        for image, mapping in answers:
            pixels = np.asarray(image)
            mask = np.zeros(pixels.shape[:2], np.uint8)
            for k, color in enumerate(mapping, start=1):
                mask[(pixels[..., :3] == color).all(axis=-1) & (pixels[..., 3] == 255)] = k
            counts += np.eye(len(colors) + 1, dtype=np.int64)[mask].transpose(2, 0, 1)
        labels_ = counts.argmax(axis=0).astype(np.uint8)
        share = np.rint(255 * counts.max(axis=0) / len(answers)).astype(np.uint8)
        out.append(_save(labels_, share, colors))
    return out


def check(data: bytes, names: list[str]) -> None:
    """All ways give the same mask and confidence."""
    for mine, other in zip(ours(data, names), plain(data), strict=True):
        for one, two in zip(mine[:2], other[:2], strict=True):
            a, b = (np.asarray(Image.open(io.BytesIO(png))) for png in (one, two))
            np.testing.assert_array_equal(a, b)


def stages(data: bytes, names: list[str]) -> dict[str, float]:
    """Milliseconds of each stage, the stages called by themselves."""
    classes = Classes.of_labels(names)
    [one] = parse_request(data, "payload")
    answers = [parse_answer(each.content or "") for each in one.annotations]
    decoded = [decode(answer.png) for answer in answers]
    mapping = {color: classes.index(name) or 0 for name, color in answers[0].colors.items()}
    matcher = ColorMatcher(mapping, 255)
    stack = np.empty((len(answers), *decoded[0].values.shape[:2]), np.uint8)
    for pixels, row in zip(decoded, stack, strict=True):
        matcher.match(pixels, row)
    result = consolidate(stack, n_classes=len(classes), ignore_index=255)
    colors = np.full((256, 3), 255, np.uint8)
    shape = (result.labels.shape[0], result.labels.shape[1])
    ways: dict[str, Callable[[], Any]] = {
        "JSON and base64": lambda: [
            parse_answer(each.content or "")
            for each in parse_request(data, "payload")[0].annotations
        ],
        "decode PNG": lambda: [decode(answer.png) for answer in answers],
        "colours to classes": lambda: [
            matcher.match(pixels, row) for pixels, row in zip(decoded, stack, strict=True)
        ],
        "vote": lambda: consolidate(stack, n_classes=len(classes), ignore_index=255),
        "encode mask": lambda: encode_indexed(result.labels, colors),
        "encode confidence": lambda: encode_grey(shape, result.confidence_bytes),
        "all": lambda: ours(data, names),
    }
    times = measure(ways, rounds=11)
    times["confidence, agreement, rest"] = times["all"] - sum(
        value for name, value in times.items() if name != "all"
    )
    return times


def memory() -> float:
    """Peak bytes a pixel above the payload, 9 workers x 12 megapixels, measured by RSS."""
    text = (
        "import resource, sys\n"
        "from benchmarks.end_to_end import ours\n"
        "data = open(sys.argv[1] if len(sys.argv) > 1 else PATH, 'rb').read()\n"
        "names = NAMES\n"
        "ours(SMALL, names)\n"
        "CALL\n"
    )
    path = Path("/tmp") / "consolidation-benchmark-payload.json"
    path.write_bytes(payload(9, 8, 4000, 3000, "palette"))
    small = payload(9, 8, 128, 128, "palette")
    text = text.replace("PATH", repr(str(path))).replace("NAMES", repr(labels(8)))
    text = text.replace("SMALL", repr(small))
    try:
        used = [peak_memory(text.replace("CALL", call)) for call in ("ours(data, names)", "pass")]
    finally:
        path.unlink()
    return (used[0] - used[1]) / 12e6


def main() -> None:
    """Measure, print, write results/end_to_end.md and .json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    data_folder = parser.parse_args().data
    rows, targets = [], []

    def compare(title: str, data: bytes, names: list[str], target: float | None) -> None:
        check(data, names)
        ways: dict[str, Callable[[], Any]] = {
            "ours": lambda: ours(data, names),
            "plain": lambda: plain(data),
            "smoothed": lambda: ours(data, names, LAMBDA),
        }
        times = measure(ways, rounds=9, budget=4)
        ratio = times["plain"] / times["ours"]
        slower = times["smoothed"] / times["ours"]
        rows.append([title, times["ours"], times["plain"], ratio, times["smoothed"], slower])
        if target is not None:
            targets.append(verdict(f"{title}: plain / ours", ratio, target, False))
            smoothed = times["plain"] / times["smoothed"]
            targets.append(verdict(f"{title}: plain / ours with smoothing", smoothed, 10, False))

    main_case = payload(5, 8, 1024, 1024, "palette")
    compare("5 x 1024 x 1024, palette", main_case, labels(8), 18)
    compare("9 x 12 megapixels, palette", payload(9, 8, 4000, 3000, "palette"), labels(8), 30)
    rgb = payload(5, 8, 1024, 1024, "rgb")
    compare("5 x 1024 x 1024, RGB", rgb, labels(8), 9)
    compare("5 x 1024 x 1024, RGBA", payload(5, 8, 1024, 1024, "rgba"), labels(8), 9)
    times = measure({"ours": lambda: ours(rgb, labels(8)), "naive": lambda: naive(rgb)}, rounds=3)
    ratio = times["naive"] / times["ours"]
    targets.append(verdict("5 x 1024 x 1024, RGB: naive NumPy / ours", ratio, 11, False))
    for name, label in (("femur_ap", "Femur"), ("humerus", "Humerus")):
        path = data_folder / "ground-truth" / "mturk" / f"{name}.json"
        if path.exists():
            compare(f"real answers, {name}", path.read_bytes(), [label], 20)

    sizes = []
    for title, mine, other in (
        ("mask", ours(main_case, labels(8))[0][0], plain(main_case)[0][0]),
        ("confidence", ours(main_case, labels(8))[0][1], plain(main_case)[0][1]),
    ):
        sizes.append([title, len(mine), len(other), len(mine) / len(other)])
        targets.append(verdict(f"{title} PNG, bytes / Pillow's", sizes[-1][-1], 1.0, True))
    targets.append(verdict("peak bytes a pixel, 9 x 12 megapixels", memory(), 12.7, True))

    parts = stages(main_case, labels(8))
    whole = parts.pop("all")
    floor = parts["decode PNG"] + parts["encode mask"] + parts["encode confidence"]
    stage_rows = [[name, value, value / whole] for name, value in parts.items()]
    stage_rows += [["all", whole, 1.0], ["floor: decode and encode alone", floor, floor / whole]]
    report(
        "end_to_end",
        {
            "Targets": (["figure", "measured", "target", "reached"], targets),
            "Whole path (ms of CPU)": (
                ["case", "ours", "plain Pillow + numba", "ratio", "with smoothing", "ratio "],
                rows,
            ),
            "Stages, 5 x 1024 x 1024 palette (ms of CPU)": (["stage", "ms", "share"], stage_rows),
            "File sizes": (["file", "ours", "Pillow's default", "ratio"], sizes),
        },
    )


if __name__ == "__main__":
    main()
