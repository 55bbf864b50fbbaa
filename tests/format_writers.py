"""Small writers of other tools' codes and files, for round trips."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

Mask = np.ndarray[Any, Any]


def brush(alpha: Mask, sizes: Sequence[int] = (3, 4, 8, 16)) -> list[int]:
    """Brush of Label Studio: R = G = B = A, runs where values repeat, else literals."""
    values = np.repeat(alpha.reshape(-1), 4).tolist()
    return brush_of_values(values, sizes)


def brush_of_values(values: Sequence[int], sizes: Sequence[int] = (3, 4, 8, 16)) -> list[int]:
    bits = f"{len(values):032b}{7:05b}" + "".join(f"{size - 1:04b}" for size in sizes)
    groups = [(value, len(list(same))) for value, same in itertools.groupby(values)]
    while groups:
        value, n = groups.pop(0)
        literal = [value]
        if n < 3:
            literal = [value] * n
            while groups and groups[0][1] < 3:
                value, n = groups.pop(0)
                literal += [value] * n
            n = len(literal)
        k = next((k for k, size in enumerate(sizes) if n <= 1 << size), len(sizes) - 1)
        part = min(n, 1 << sizes[k])
        run = len(literal) == 1 and n >= 3
        bits += f"{int(run)}{k:02b}{part - 1:0{sizes[k]}b}"
        if run:
            bits += f"{value:08b}"
            if n > part:
                groups.insert(0, (value, n - part))
        else:
            bits += "".join(f"{one:08b}" for one in literal[:part])
            groups = [(one, 1) for one in literal[part:]] + groups
    bits += "0" * (-len(bits) % 8)
    return [int(bits[at : at + 8], 2) for at in range(0, len(bits), 8)]


def runs(pixels: Iterable[Any]) -> list[int]:
    """Lengths by turns outside and inside, outside first."""
    counts, expected = [0], False
    for value in pixels:
        if bool(value) != expected:
            counts.append(0)
            expected = not expected
        counts[-1] += 1
    return counts


def coco_counts(counts: Sequence[int]) -> str:
    """COCO's compressed code of lengths."""
    text = ""
    for place, count in enumerate(counts):
        number = count - counts[place - 2] if place > 2 else count
        more = True
        while more:
            digit = number & 31
            number >>= 5
            more = number != (-1 if digit & 16 else 0)
            text += chr(48 + digit + (32 if more else 0))
    return text


def ls_item(region: str, value: Mapping[str, Any], size: tuple[int, int], **more: Any) -> Any:
    """Result item of Label Studio."""
    height, width = size
    return {
        "id": region,
        "type": "brushlabels",
        "from_name": "tag",
        "to_name": "img",
        "image_rotation": 0,
        "original_width": width,
        "original_height": height,
        "value": value,
    } | more


def ls_brush(region: str, label: str | None, mask: Mask) -> Any:
    """Result item of a brush; without a label where that is None."""
    value = {"format": "rle", "rle": brush(mask.astype(np.uint8) * 255)}
    if label is not None:
        value["brushlabels"] = [label]
    return ls_item(region, value, mask.shape)


def ls_task(number: int, annotations: Mapping[Any, Sequence[Any]], **more: Any) -> Any:
    """Task of Label Studio, with one annotation a person."""
    return {
        "id": number,
        "data": {"image": f"/data/upload/1/0a1b2c3d-image-{number}.png"},
        "annotations": [
            {"id": 100 * number + place, "completed_by": person, "result": list(result)}
            for place, (person, result) in enumerate(annotations.items())
        ],
        "drafts": [],
        "predictions": [],
    } | more


def cvat_xml(images: Sequence[tuple[str, int, int, str]], meta: str = "") -> str:
    """XML of CVAT: name, width, height and elements of each image."""
    listed = "".join(
        f'<image id="{place}" name="{name}" width="{width}" height="{height}">{inner}</image>'
        for place, (name, width, height, inner) in enumerate(images)
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<annotations><version>1.1</version>'
        f"<meta>{meta}</meta>{listed}</annotations>"
    )


def cvat_mask(label: str, mask: Mask, left: int = 0, top: int = 0, z: int = 0) -> str:
    """A `<mask>` of a box."""
    rle = ", ".join(map(str, runs(mask.reshape(-1))))
    height, width = mask.shape
    return (
        f'<mask label="{label}" source="manual" occluded="0" rle="{rle}" left="{left}" '
        f'top="{top}" width="{width}" height="{height}" z_order="{z}"></mask>'
    )


def write_json(path: Path, content: Any, **how: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, **how), encoding="utf-8")
    return path
