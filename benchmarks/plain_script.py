"""What one writes in an afternoon to merge the answers of a request: the peer of a whole job."""

from __future__ import annotations

import base64
import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


def plain_script(source: Path, out: Path) -> None:
    """Pillow, a loop over colours, one-hot votes, Pillow."""
    for entry in json.loads(source.read_bytes()):
        votes: Any = 0
        for annotation in entry["annotations"]:
            [answer] = json.loads(annotation["annotationData"]["content"]).values()
            png = base64.b64decode(answer["labeledImage"]["pngImageData"])
            rgba = np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))
            colors = [one["color"] for one in answer["labelMappings"].values()]
            mask = np.zeros(rgba.shape[:2], np.uint8)
            for index, color in enumerate(colors, start=1):
                rgb = [int(color[at : at + 2], 16) for at in (1, 3, 5)]
                mask[(rgba[..., :3] == rgb).all(axis=-1) & (rgba[..., 3] == 255)] = index
            votes = votes + np.eye(len(colors) + 1, dtype=np.uint8)[mask]
        merged = Image.fromarray(votes.argmax(axis=-1).astype(np.uint8)).convert("P")
        palette = "ffffff" + "".join(color[1:] for color in colors)
        merged.putpalette(bytes.fromhex(palette))
        merged.save(out / f"{entry['datasetObjectId']}.png")


if __name__ == "__main__":
    plain_script(Path(sys.argv[1]), Path(sys.argv[2]))
