"""The reliability diagram: how often confidence was right, drawn with Pillow alone."""

from __future__ import annotations

import io
import math

from PIL import Image, ImageDraw, ImageFont

from consolidation.evaluation.calibration import ConfidenceCounts

SCALE = 2
"""Everything is drawn so much larger, then reduced: Pillow's lines have no smooth edges."""
_SIDE, _LEFT, _TOP, _RIGHT, _BOTTOM = 400, 64, 56, 24, 60
_INK, _FAINT, _DOT, _UNANIMOUS = "#333333", "#d9d9d9", "#1f77b4", "#9aa5ad"


def reliability_diagram(counts: ConfidenceCounts) -> bytes:
    """Draw the share of right pixels over confidence, as PNG.

    A dot's area says how many pixels have about that confidence (the disputed ones against each
    other; all unanimous pixels are one grey dot of a fixed size). On the diagonal confidence means
    what it says; below it, it promises too much.
    """
    width, height = _LEFT + _SIDE + _RIGHT, _TOP + _SIDE + _BOTTOM
    picture = Image.new("RGB", (width * SCALE, height * SCALE), "white")
    draw = ImageDraw.Draw(picture)
    _axes(draw)
    disputed = counts.disputed
    total = disputed.pixels.sum()
    for pixels, confidence, right in disputed.dots():
        _dot(draw, confidence, right, 3 + 14 * math.sqrt(pixels / total), _DOT)
    top = counts.unanimous
    if counts.pixels[top]:
        _dot(draw, top / 255, counts.right[top] / counts.pixels[top], 5, _UNANIMOUS)
    errors = f"disputed {_number(disputed.error)}, all pixels {_number(counts.error)}"
    _text(draw, (_LEFT, _TOP - 40), "Is confidence right as often as it says?", 15, "la")
    _text(draw, (_LEFT, _TOP - 20), f"expected calibration error: {errors}", 12, "la")
    buffer = io.BytesIO()
    picture.resize((width, height), Image.Resampling.LANCZOS).save(buffer, "PNG")
    return buffer.getvalue()


def _place(confidence: float, right: float) -> tuple[float, float]:
    return _LEFT + _SIDE * confidence, _TOP + _SIDE * (1 - right)


def _axes(draw: ImageDraw.ImageDraw) -> None:
    for tick in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        _line(draw, _place(tick, 0), _place(tick, 1), _FAINT, 1)
        _line(draw, _place(0, tick), _place(1, tick), _FAINT, 1)
        x, y = _place(tick, tick)
        _text(draw, (x, _TOP + _SIDE + 8), f"{tick:g}", 12, "ma")
        _text(draw, (_LEFT - 8, y), f"{tick:g}", 12, "rm")
    _line(draw, _place(0, 0), _place(1, 1), _INK, 1)
    _text(draw, (_LEFT + _SIDE / 2, _TOP + _SIDE + 30), "confidence", 13, "ma")
    _text(draw, (8, _TOP + _SIDE / 2 - 14), "share", 13, "lm")
    _text(draw, (8, _TOP + _SIDE / 2 + 2), "right", 13, "lm")


def _dot(
    draw: ImageDraw.ImageDraw, confidence: float, right: float, radius: float, color: str
) -> None:
    x, y = _place(confidence, right)
    _line(draw, (x, y), _place(confidence, confidence), color, 1)
    box = [SCALE * value for value in (x - radius, y - radius, x + radius, y + radius)]
    draw.ellipse(box, fill=color)


def _line(
    draw: ImageDraw.ImageDraw,
    start: tuple[float, float],
    end: tuple[float, float],
    color: str,
    width: int,
) -> None:
    draw.line([SCALE * value for value in (*start, *end)], fill=color, width=SCALE * width)


def _text(
    draw: ImageDraw.ImageDraw, point: tuple[float, float], text: str, size: int, anchor: str
) -> None:
    font = ImageFont.load_default(SCALE * size)
    where = (SCALE * point[0], SCALE * point[1])
    draw.text(where, text, fill=_INK, font=font, anchor=anchor)


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"
