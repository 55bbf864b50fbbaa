"""A class of a mask, and a mask that an object has been given: what every format says of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MaskClass:
    """A class as a mask's list of classes names it.

    Attributes
    ----------
    index : int
        Value of its pixels.
    name : str
    color : str
        ``#rrggbb``.
    """

    index: int
    name: str
    color: str


@dataclass(frozen=True)
class MaskLabel:
    """A mask that some job gave to an object, as a manifest line or a response tells of it."""

    attribute: str
    mask_uri: str
    classes: tuple[MaskClass, ...]
    confidence: float
    creation_date: str
    job_name: str
    adjusted: bool | None
