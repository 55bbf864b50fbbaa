"""Masks to be compared: read as those of workers are, with a meaning decided once for a folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from consolidation import storage
from consolidation.errors import AnswerError, SourceError
from consolidation.formats.class_list import FILES, ClassEntry, ClassList, read_class_list
from consolidation.formats.survey import mask_file
from consolidation.formats.truths import MaskFolder
from consolidation.formats.values import ValueReading, decide_values
from consolidation.masks import UNDECIDED_INDEX, Classes
from consolidation.masks.meaning import VOID, Meaning
from consolidation.masks.stored import decode_stored, decoder_of
from consolidation.objects.index_mask import read_stored
from consolidation.text import shown

Names = Mapping[int, str]


@dataclass(frozen=True)
class MaskReader:
    """Reads the masks of a folder as class indices.

    Attributes
    ----------
    names : mapping of int to str
        Class index to name; empty if the folder tells none.
    meaning : Meaning or None
        What values mean; None: they are indices, and 255 stays as it is.
    max_pixels : int
    notes : tuple of str
        How values are understood, where they could be understood in another way.
    """

    names: Names
    meaning: Meaning | None = None
    max_pixels: int = ValueReading.max_pixels
    notes: tuple[str, ...] = field(default=(), compare=False)

    def read(self, path: str | Path) -> npt.NDArray[np.uint8]:
        """Class indices (H, Wd) uint8 of a mask; 255 where nobody knows, or nobody decided.

        Raises
        ------
        SourceError
            If it cannot be read, or holds what has no meaning in its folder.
        StorageError
            If the file cannot be read.
        """
        if self.meaning is None:
            return read_mask(path, self.max_pixels)
        data = storage.read_bytes(path)
        try:
            decoder_of(data).check(data)
            stored = decode_stored(data, self.max_pixels)
            out = np.empty(stored.pixels.values.shape[:2], np.uint8)
            read_stored(stored, out, self.meaning, UNDECIDED_INDEX)
        except AnswerError as error:
            raise SourceError(f"{path}: {error}") from None
        return out


def read_mask(path: str | Path, max_pixels: int = ValueReading.max_pixels) -> npt.NDArray[np.uint8]:
    """Read a mask that a run wrote, or a confidence map: stored values, whatever they are.

    Raises
    ------
    SourceError
        If its pixels are colours or more than a byte, or the file is damaged.
    StorageError
        If the file cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "0.png"
    ...     Image.fromarray(np.array([[0, 3]], dtype=np.uint8)).save(path)
    ...     read_mask(path)
    array([[0, 3]], dtype=uint8)
    """
    data = storage.read_bytes(path)
    try:
        decoder_of(data).check(data)
        stored = decode_stored(data, max_pixels)
    except AnswerError as error:
        raise SourceError(f"{path} cannot be read as a mask: {error}") from None
    if stored.indices is None or stored.indices.dtype != np.uint8:
        kind = "colours" if stored.indices is None else f"{stored.depth} bits a pixel"
        raise SourceError(f"{path} is no mask of class indices: it has {kind}")
    return stored.indices


def reader_of(
    folder: MaskFolder,
    paths: Sequence[str],
    reading: ValueReading | None = None,
    others: Names | None = None,
) -> MaskReader:
    """Decide how the masks of a folder are read.

    Parameters
    ----------
    folder : MaskFolder
        A run's masks are indices, as its `provenance.json` names them. Any other folder's may have
        a class list in it or right above, and mean what `decide_values` says.
    paths : sequence of str
        The masks that are to be read.
    reading : ValueReading, optional
    others : mapping of int to str, optional
        Names on the other side of the comparison, which may name the values of this one.

    Raises
    ------
    SourceError
        If the values have no meaning, or more than one.
    """
    reading = replace(reading or ValueReading(), blank_is_fine=True)
    if folder.provenance is not None:
        names = dict(enumerate(folder.provenance["classes"]))
        return MaskReader(names, max_pixels=reading.max_pixels)
    listed = _class_list(folder)
    own = listed is not None
    if listed is None and reading.values and others:
        entries = (ClassEntry(name, index) for index, name in others.items())
        listed = ClassList("the other side", tuple(entries))
    most = reading.max_pixels, reading.max_bytes
    masks = [mask_file("", path, path, *most) for path in paths]
    decision = decide_values(masks, listed, reading, folder.uri)
    meaning = decision.classes.meaning
    assert meaning is not None
    if not own and not reading.values and others and len(others) > 2:
        _refuse_black_and_white(folder.uri, meaning, others)
    named = own or bool(reading.values)
    return MaskReader(
        names=_names(decision.classes, listed) if named else {},
        meaning=meaning,
        max_pixels=reading.max_pixels,
        notes=tuple(f"{folder.uri}: {note}" for note in decision.notes),
    )


def _class_list(folder: MaskFolder) -> ClassList | None:
    for base in (folder.uri, folder.above):
        for name in FILES:
            path = storage.join(base, name)
            if storage.exists(path):
                return read_class_list(path)
    return None


def _names(classes: Classes, listed: ClassList | None) -> dict[int, str]:
    """Names by index; background as the list spells it."""
    names = dict(enumerate(classes.names))
    if listed is not None and classes.has_background:
        names[0] = next((entry.name for entry in listed.entries if entry.index == 0), names[0])
    return names


def _refuse_black_and_white(where: str, meaning: Meaning, others: Names) -> None:
    white = next((value for value in VOID if meaning.values.get(value) == 1), None)
    if white is not None:
        raise SourceError(
            f"{where}: its masks hold 0 and {white} alone, as black and white ones do, and there "
            f"are {len(others)} classes ({', '.join(map(shown, list(others.values())[:5]))}): say "
            f"which is which, such as --values 0=background,{white}={others[max(others)]}"
        )


def binary_truth(predicted: Iterable[int], truth: Iterable[int]) -> str | None:
    """Say that truths know one class and results several, where no names match them; else None.

    Parameters
    ----------
    predicted, truth : iterable of int
        Class indices that occur, on both sides.

    Examples
    --------
    >>> binary_truth([0, 1, 2], [0, 1])[:65]
    'the truths hold 0 and 1 alone, the results have classes 1 and 2: '
    >>> binary_truth([0, 1], [0, 1]), binary_truth([0, 1, 2], [0, 2])
    (None, None)
    """
    known = sorted(set(truth) - {UNDECIDED_INDEX})
    classes = sorted(set(predicted) - {0, UNDECIDED_INDEX})
    if known not in ([0, 1], [1]) or max(classes, default=0) < 2:
        return None
    *most, last = map(str, classes)
    listed = f"{', '.join(most)} and {last}" if most else last
    return (
        f"the truths hold {' and '.join(map(str, known))} alone, the results have "
        f"class{'es' if most else ''} {listed}: if 1 stands for all of them, the scores mean "
        "nothing; a class list with the truths, or --values, says what 1 is"
    )
