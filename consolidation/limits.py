"""How much input may hold before it is refused: what strangers send must not eat the machine."""

from __future__ import annotations

from dataclasses import dataclass

MAX_WORKERS = 255
"""Votes of a pixel are counted in a byte."""


@dataclass(frozen=True)
class Limits:
    """Largest input that is read; each is an option of the same name with ``max_`` before it.

    Attributes
    ----------
    answer_bytes : int
        Of one worker's answer: the JSON text with its picture, or a mask's file.
    answers : int
        Of one object.
    objects : int
        Of one request file.
    label_length : int
        Characters of a label's name; Ground Truth allows 256.
    json_depth : int
        Lists and objects within one another; a worker's answer has 4.
    """

    answer_bytes: int = 50_000_000
    answers: int = MAX_WORKERS
    objects: int = 1_000_000
    label_length: int = 256
    json_depth: int = 64


DEFAULT_LIMITS = Limits()
