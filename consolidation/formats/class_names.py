"""What classes are called on both sides of a comparison, and which of them are the same."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from consolidation import storage
from consolidation.errors import SourceError
from consolidation.formats.truths import MaskFolder
from consolidation.masks import UNDECIDED_INDEX

Names = Mapping[int, str]
"""Class index to name."""

# One index, two states, never mixed: in a prediction "the vote did not decide" (wrong wherever it
# stands), in the truth "nobody knows" (not scored). In neither is it a class.
NO_CLASS = UNDECIDED_INDEX


def read_class_names(folder: MaskFolder) -> dict[int, str]:
    """Names of the classes of a folder of masks.

    Parameters
    ----------
    folder : MaskFolder
        A run's tells them in its `provenance.json`, any other one in a `classes.json` in it or in
        the folder above.

    Returns
    -------
    dict of int to str
        Class index to name; empty if there is no such file.

    Raises
    ------
    SourceError
        If the file is not of the form `{"classes": [{"index": 0, "name": "road"}, ...]}`.
    """
    if folder.provenance is not None:
        return dict(enumerate(folder.provenance["classes"]))
    for base in (folder.uri, folder.above):
        path = storage.join(base, "classes.json")
        if storage.exists(path):
            return _parse_class_names(path)
    return {}


def class_table(
    predicted: Names, truth: Names, whose: tuple[str, str] = ("the prediction", "the truth")
) -> npt.NDArray[np.uint8]:
    """Index that each predicted index has in the truth: by name where both sides tell names.

    Background is always index 0, by whatever name. A name such as ``class-3`` of index 3 is none
    (so a class is called that nobody named), unless the other side uses it too.

    Parameters
    ----------
    predicted, truth : mapping of int to str
        Class index to name; empty if the side tells none.
    whose : (str, str), optional
        What to call the sides in messages.

    Returns
    -------
    ndarray of uint8, shape (256,)
        255 for an index that has no name and is another class in the truth.

    Raises
    ------
    SourceError
        If a class is named on one side only.

    Examples
    --------
    >>> class_table({1: "car", 2: "road"}, {1: "road", 2: "car"})[:4]
    array([0, 2, 1, 3], dtype=uint8)
    """
    table = np.arange(256, dtype=np.uint8)
    ours, theirs = _told(predicted, truth), _told(truth, predicted)
    if not ours or not theirs:
        return table
    lacking = [
        f"{_some(names.keys() - other.keys())} only in {side}"
        for names, other, side in ((ours, theirs, whose[0]), (theirs, ours, whose[1]))
        if names.keys() - other.keys()
    ]
    if lacking:
        raise SourceError(f"the classes are not the same: {'; '.join(lacking)}")
    # an index without a name must not pass for the class that has it on the other side
    table[list(theirs.values())] = NO_CLASS
    table[list(ours.values())] = [theirs[name] for name in ours]
    return table


def _told(names: Names, others: Names) -> dict[str, int]:
    """Index by name of the classes that have one."""
    used = set(others.values())
    return {
        name: index
        for index, name in names.items()
        if 0 < index < NO_CLASS and (name != f"class-{index}" or name in used)
    }


def _some(names: Iterable[str]) -> str:
    listed = [repr(name) for name in sorted(names)]
    return ", ".join(listed[:5]) + (f" and {len(listed) - 5} more" if len(listed) > 5 else "")


def _parse_class_names(path: str) -> dict[int, str]:
    names: dict[int, str] = {}
    data = storage.read_bytes(path)
    try:
        content: Any = json.loads(data)
        for entry in content["classes"]:
            index, name = entry["index"], entry["name"]
            taken = index in names or name in names.values()
            if type(index) is not int or not isinstance(name, str) or taken:
                raise ValueError(f"bad entry {json.dumps(entry)}")
            if not 0 <= index <= 255:
                raise ValueError(f"class index {index} is outside 0..255")
            names[index] = name
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise SourceError(
            f'{path} is not {{"classes": [{{"index": 0, "name": "road"}}, ...]}}: {error!r}'
        ) from None
    return names
