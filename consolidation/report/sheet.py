"""Panels and a legend on one sheet."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from consolidation.text import visible

MARGIN, TITLE, COLUMNS = 10, 22, 4
INK, QUIET, LINE = "#1b1f27", "#59616e", "#c9c6be"


def sheet(
    panels: Sequence[tuple[str, Image.Image]],
    legend: Sequence[tuple[str, Sequence[int]]],
    title: str,
) -> bytes:
    """Lay panels out in rows, their titles above them and a legend below.

    Parameters
    ----------
    panels : sequence of (str, PIL.Image.Image)
        Titles and images, all of one size.
    legend : sequence of (str, RGB)
    title : str
        Above everything; may be empty.

    Returns
    -------
    bytes
        PNG.
    """
    font, bold = ImageFont.load_default(13), ImageFont.load_default(18)
    width, height = panels[0][1].size
    rows = -(-len(panels) // COLUMNS)
    columns = -(-len(panels) // rows)
    cell = max(width, 120) + MARGIN
    total = columns * cell + MARGIN
    top = MARGIN + (32 if title else 0)
    places, left, line = [], MARGIN, 0
    for name, _ in legend:
        needed = 20 + font.getlength(_cut(name, total - 60, font)) + 18
        if left > MARGIN and left + needed > total:
            left, line = MARGIN, line + 1
        places.append((left, line))
        left += int(needed)
    below = top + rows * (TITLE + height + MARGIN)
    page = Image.new("RGB", (total, below + (24 * (line + 1) if legend else 0)), "white")
    draw = ImageDraw.Draw(page)
    if title:
        draw.text((MARGIN, MARGIN), _cut(title, total - 2 * MARGIN, bold), fill=INK, font=bold)
    for position, (name, panel) in enumerate(panels):
        x = MARGIN + position % columns * cell
        y = top + position // columns * (TITLE + height + MARGIN)
        draw.text((x, y + 2), _cut(name, cell - MARGIN, font), fill=QUIET, font=font)
        page.paste(panel, (x, y + TITLE))
        box = (x, y + TITLE, x + width - 1, y + TITLE + height - 1)
        draw.rectangle(box, outline=LINE)
    for (x, at), (name, color) in zip(places, legend, strict=True):
        y = below + 24 * at
        draw.rectangle((x, y + 2, x + 12, y + 14), fill=tuple(color), outline=LINE)
        draw.text((x + 20, y), _cut(name, total - 60, font), fill=INK, font=font)
    out = io.BytesIO()
    page.save(out, "PNG", optimize=True)
    return out.getvalue()


def _cut(text: str, width: float, font: Any) -> str:
    """Text that fits, with an ellipsis where it was cut."""
    text = visible(text)[:200]
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text + "…"
