"""Which images an export trains with, and which it holds back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from consolidation import storage
from consolidation.errors import OptionError
from consolidation.formats.exporters import SPLITS, TRAIN, VALIDATION
from consolidation.text import shown


@dataclass(frozen=True)
class Split:
    """Split of each object by id; those that are not listed train."""

    by_id: Mapping[str, str] = field(default_factory=dict)

    def of(self, object_id: str) -> str:
        """Name of an object's split."""
        return self.by_id.get(object_id, TRAIN)


def read_split(split: str | float | Path, ids: Sequence[str]) -> Split:
    """Read a share or a file.

    A share is met to the image; which images it is depends on their ids alone.

    Parameters
    ----------
    split : float or path
        Share to train with, in (0, 1); or a JSON file with a list of ids for each split; empty
        for one split.
    ids : sequence of str
        Of all objects.

    Raises
    ------
    OptionError
        If it is neither, or the file does not place every object once.

    Examples
    --------
    >>> split = read_split(0.75, ["a", "b", "c", "d"])
    >>> sorted(split.by_id.values())
    ['train', 'train', 'train', 'val']
    """
    if split == "":
        return Split()
    try:
        share = float(str(split))
    except ValueError:
        return Split(_listed(str(split), ids))
    if not 0 < share < 1:
        raise OptionError(f"--split must be more than 0 and less than 1, or a file, not {split}")
    ordered = sorted(
        ids, key=lambda one: hashlib.sha256(one.encode("utf-8", "surrogatepass")).digest()
    )
    n = round(share * len(ids))
    return Split({one: TRAIN if place < n else VALIDATION for place, one in enumerate(ordered)})


def _listed(path: str, ids: Sequence[str]) -> dict[str, str]:
    try:
        content = json.loads(storage.read_bytes(path))
    except ValueError as error:
        raise OptionError(f"--split {path} is no JSON: {error}") from None
    if not isinstance(content, dict) or not set(content) <= set(SPLITS):
        raise OptionError(f"--split {path} must hold lists of ids by {', '.join(SPLITS)}")
    by_id: dict[str, str] = {}
    for name, listed in content.items():
        if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
            raise OptionError(f"--split {path}: {name} is no list of ids")
        for one in listed:
            if by_id.setdefault(one, name) != name:
                raise OptionError(f"--split {path} has {shown(one)} in {by_id[one]} and {name}")
    for wrong, what in (
        (by_id.keys() - set(ids), "no object of the run"),
        (set(ids) - by_id.keys(), "not in it"),
    ):
        if wrong:
            raise OptionError(
                f"--split {path}: {shown(min(wrong))} is {what} ({len(wrong):,} such)"
            )
    return by_id
