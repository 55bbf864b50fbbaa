"""Draw the README's picture: one image of the demonstration, its workers, its consensus.

Run it with ``python docs/picture.py`` from the project's root; it writes ``docs/result.png``.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from consolidation.groundtruth import parse_answer, parse_request
from consolidation.jobs import run_demo
from consolidation.masks import decode

IMAGE = "7"
MARGIN, TITLE = 8, 22


def over(picture: Image.Image, mask: Image.Image) -> Image.Image:
    """Picture with a mask's colours over it, background clear."""
    rgba = np.array(mask.convert("RGBA"))
    clear = (rgba[..., 3] == 0) | (rgba[..., :3] == 255).all(axis=-1)
    rgba[..., 3] = np.where(clear, 0, 190)
    return Image.alpha_composite(picture.convert("RGBA"), Image.fromarray(rgba)).convert("RGB")


def heat(confidence: np.ndarray) -> Image.Image:
    """Confidence from dark red (low) over orange to white (1)."""
    stops = np.array([[90, 0, 20], [200, 50, 30], [250, 160, 60], [255, 255, 255]], float)
    position = (confidence.clip(0.2, 1) - 0.2) / 0.8 * (len(stops) - 1)
    low = np.minimum(position.astype(int), len(stops) - 2)
    part = (position - low)[..., None]
    return Image.fromarray((stops[low] * (1 - part) + stops[low + 1] * part).astype(np.uint8))


def panels(folder: Path) -> list[tuple[str, Image.Image]]:
    """Titles and pictures, from the files of the demonstration."""
    from consolidation import consolidate

    demo = run_demo(folder)
    found = {}
    for path in sorted(demo.job.rglob("consolidation-request/*/*.json")):
        found |= {one.id: one for one in parse_request(path.read_bytes(), path.name)}
    one = found[IMAGE]
    picture = Image.open(demo.job / str(one.source_ref))
    result = Image.open(demo.results / "masks" / f"{IMAGE}.png")
    shown = [("the picture", picture)]
    masks = []
    for annotation in sorted(one.annotations, key=lambda each: each.worker):
        answer = parse_answer(annotation.content or "")
        pixels = decode(answer.png)
        assert pixels.palette is not None
        mask = Image.fromarray(pixels.palette[pixels.values])
        name = annotation.worker.rsplit(".", 1)[1].rstrip("0123456789")
        shown.append((f"worker: {name}", over(picture, mask)))
        names = list(answer.colors.values())
        rgba = pixels.palette[pixels.values].astype(int)
        labels = np.zeros(rgba.shape[:2], np.uint8)
        for index, color in enumerate(names, start=1):
            labels[(rgba[..., :3] == color).all(axis=-1) & (rgba[..., 3] == 255)] = index
        masks.append(labels)
    confidence = consolidate(masks, method="auto").confidence
    truth = Image.open(demo.job / "truth" / f"{IMAGE}.png")
    lines = (demo.results / "output.manifest").read_text().splitlines()
    entry = json.loads(lines[int(IMAGE)])["consolidated-ref-metadata"]
    score = entry["internal-color-map"]["0"]["confidence"]
    shown.append((f"consensus, confidence {score:.2f}", over(picture, result)))
    shown.append(("confidence of each pixel", heat(confidence)))
    shown.append(("the truth", over(picture, truth)))
    del shown[2]  # the second careful worker looks like the first
    return shown


def main() -> None:
    """Lay the panels out in two rows."""
    with tempfile.TemporaryDirectory() as folder:
        shown = panels(Path(folder))
    width, height = shown[0][1].size
    columns = (len(shown) + 1) // 2
    size = columns * (width + MARGIN) + MARGIN, 2 * (height + TITLE + MARGIN) + MARGIN
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(14)
    for place, (title, panel) in enumerate(shown):
        left = MARGIN + place % columns * (width + MARGIN)
        top = MARGIN + place // columns * (height + TITLE + MARGIN)
        draw.text((left, top), title, fill="black", font=font)
        sheet.paste(panel, (left, top + TITLE))
        draw.rectangle(
            (left, top + TITLE, left + width - 1, top + TITLE + height - 1), outline="#999"
        )
    sheet.quantize(128).save("docs/result.png", optimize=True)


if __name__ == "__main__":
    main()
