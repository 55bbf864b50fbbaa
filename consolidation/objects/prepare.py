"""One object's answers, made ready for the vote: loaded, of one size, decoded into one array."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from consolidation.errors import (
    AnswerError,
    ConsolidationError,
    ForeignAnswerError,
    ForeignValueError,
    ObjectError,
)
from consolidation.masks import UNDECIDED_INDEX, Classes
from consolidation.objects.answers import Answer, LoadedAnswer, VoidAnswer, by
from consolidation.objects.foreign import check_foreign
from consolidation.objects.mask_class import MaskLabel
from consolidation.options import Options
from consolidation.storage import StorageError

PIXELS_WORTH_THREADS = 1 << 17
"""Smaller images are decoded before a second thread has begun."""
MAX_THREADS = 4
DECODING_BYTES = 1 << 31
"""Memory that threads may take while they decode; one may take more."""
BYTES_A_PIXEL = 9
"""What decoding takes, beside the result: that much for colours, three for indices."""


@dataclass(frozen=True)
class LabeledObject:
    """An image and the answers of its workers."""

    id: str
    line: Mapping[str, Any]
    """Its line in the manifest, without this job's label."""
    answers: Sequence[tuple[str, Answer]] = ()
    """Worker id and answer, in the order they were given; the same worker's latest counts."""
    error: str | None = None
    builtin: MaskLabel | None = None
    """The label that Ground Truth's own consolidation gave it, if there is one."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Time each worker spent on it, where the source says."""


class AnswerWarning(NamedTuple):
    """What was dropped or repaired in one worker's answer."""

    worker: str
    message: str
    dropped: bool = False
    """Whether the answer does not count at all."""

    @classmethod
    def of_dropped(cls, worker: str, reason: object) -> AnswerWarning:
        """Warn of an answer that does not count."""
        return cls(worker, f"answer dropped: {reason}", True)


class MaskBuffer:
    """Memory for the masks of one object after another: new memory costs more than the vote.

    Masks taken from it are overwritten when the next ones are taken; a result must be written
    before.
    """

    def __init__(self) -> None:
        self._bytes = np.empty(0, np.uint8)

    def take(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """Array of this shape, with any content."""
        size = math.prod(shape) * np.dtype(dtype).itemsize
        if self._bytes.size < size:
            self._bytes = np.empty(size, np.uint8)
        return self._bytes[:size].view(dtype).reshape(shape)


@dataclass(frozen=True)
class PreparedObject:
    """The usable answers to one object, decoded.

    Attributes
    ----------
    masks : ndarray of shape (W, H, Wd), uint8, or uint16 where 256 classes leave no index free
    workers : list of W str
    answers : list of W LoadedAnswer
    warnings : list of AnswerWarning
    """

    masks: NDArray[Any]
    workers: list[str]
    answers: list[LoadedAnswer]
    warnings: list[AnswerWarning]

    @property
    def void(self) -> bool:
        """Whether everybody left out on purpose what nobody labelled."""
        return all(isinstance(answer, VoidAnswer) and answer.void for answer in self.answers)

    @property
    def blank(self) -> frozenset[str]:
        """Workers who painted nothing."""
        pairs = zip(self.workers, self.masks, strict=True)
        # most have painted something in the middle
        return frozenset(
            worker for worker, mask in pairs if not mask[len(mask) // 2].any() and not mask.any()
        )


def prepare_object(
    obj: LabeledObject, classes: Classes, options: Options, buffer: MaskBuffer | None = None
) -> PreparedObject:
    """Load and decode the answers to one object, into a buffer if one is given.

    An answer that cannot be used is left out with a warning; the object fails only if none is
    left, if sizes leave no majority, if an answer is there but could not be read now, or if half
    of the answers paint something and nothing that is a class of the job.

    Raises
    ------
    ObjectError
        With the reasons, naming workers.
    """
    if obj.error is not None:
        raise ObjectError(obj.error)
    if len(obj.answers) > options.max_answers:
        raise ObjectError(
            f"it has {len(obj.answers):,} answers, the limit is {options.max_answers:,}"
        )
    warnings: list[AnswerWarning] = []
    answers = _usable(obj, options, warnings)
    answers, size = _same_size(answers, options, warnings)
    n_given = len({worker for worker, _ in obj.answers})
    buffer = buffer or MaskBuffer()
    masks, workers = _read(answers, n_given, size, classes, options, warnings, buffer)
    kept = set(workers)
    loaded = [answer for worker, answer in answers if worker in kept]
    return PreparedObject(masks, workers, loaded, warnings)


def ignore_index(classes: Classes) -> int:
    """Label of ignored and undecided pixels: one that no class has."""
    # with 256 classes no byte is left, and masks are read as uint16
    return UNDECIDED_INDEX if len(classes) <= UNDECIDED_INDEX else 65535


def _usable(
    obj: LabeledObject, options: Options, warnings: list[AnswerWarning]
) -> list[tuple[str, LoadedAnswer]]:
    """Load the answers, the latest of each worker."""
    latest: dict[str, Answer] = {}
    for worker, answer in obj.answers:
        if worker in latest:
            warnings.append(AnswerWarning(worker, "answered more than once, the latest counts"))
            del latest[worker]
        latest[worker] = answer
    usable = []
    any_size = False
    for worker, answer in latest.items():
        try:
            loaded = answer.load(options)
            any_size |= loaded.size(options) is not None
        except StorageError as error:
            if not error.absent:
                # not the answer's fault: without it the consensus would be another
                raise ObjectError(f"worker {worker}: {error}") from None
            warnings.append(AnswerWarning.of_dropped(worker, error))
            continue
        except ConsolidationError as error:
            warnings.append(AnswerWarning.of_dropped(worker, error))
            continue
        usable.append((worker, loaded))
    if not any_size:
        raise _no_answer_left(warnings)
    return usable


def _no_answer_left(warnings: Sequence[AnswerWarning]) -> ObjectError:
    reasons = [
        f"worker {warning.worker}: {warning.message.removeprefix('answer dropped: ')}"
        for warning in warnings
        if warning.dropped
    ]
    return ObjectError("no answer left" + (": " + "; ".join(reasons) if reasons else ""))


def _same_size(
    answers: list[tuple[str, LoadedAnswer]], options: Options, warnings: list[AnswerWarning]
) -> tuple[list[tuple[str, LoadedAnswer]], tuple[int, int]]:
    """Keep the answers of the size that most workers share; answers without a size fit it."""
    read = ((worker, answer.size(options)) for worker, answer in answers)
    sizes = {worker: size for worker, size in read if size is not None}
    (size, most), *others = Counter(sizes.values()).most_common()
    if others and others[0][1] == most:
        listed = ", ".join(f"worker {worker}: {by(shape)}" for worker, shape in sizes.items())
        raise ObjectError(f"its masks have different sizes and none is the most common: {listed}")
    for worker, shape in sizes.items():
        if shape != size:
            reason = f"its mask is {by(shape)} pixels, most are {by(size)}"
            warnings.append(AnswerWarning.of_dropped(worker, reason))
    kept = [(worker, answer) for worker, answer in answers if sizes.get(worker, size) == size]
    return kept, size


def _read(
    answers: list[tuple[str, LoadedAnswer]],
    n_given: int,
    size: tuple[int, int],
    classes: Classes,
    options: Options,
    warnings: list[AnswerWarning],
    buffer: MaskBuffer,
) -> tuple[NDArray[Any], list[str]]:
    """Decode answers into one array (W, H, Wd), leaving out what cannot be decoded.

    ObjectError if half of the answers given are foreign: see `check_foreign`.
    """
    ignore = ignore_index(classes)
    dtype = np.uint8 if ignore == UNDECIDED_INDEX else np.uint16
    masks = buffer.take((len(answers), *size), dtype)

    def decode_one(index: int) -> list[str] | AnswerError:
        try:
            return answers[index][1].read(masks[index], classes, ignore, options)
        except AnswerError as error:
            return error

    places = range(len(answers))
    pixels = size[0] * size[1]
    threads = min(
        options.threads or min(os.cpu_count() or 1, MAX_THREADS),
        len(answers),
        DECODING_BYTES // (BYTES_A_PIXEL * pixels),
    )
    if threads > 1 and pixels >= PIXELS_WORTH_THREADS:
        # Pillow and the kernels let go of the interpreter while they work
        with ThreadPoolExecutor(threads) as pool:
            outcomes = list(pool.map(decode_one, places))
    else:
        outcomes = [decode_one(index) for index in places]
    kept, foreign = [], []
    for index, ((worker, _), outcome) in enumerate(zip(answers, outcomes, strict=True)):
        if isinstance(outcome, ForeignValueError):
            raise ObjectError(f"worker {worker}: {outcome}")
        if isinstance(outcome, AnswerError):
            warnings.append(AnswerWarning.of_dropped(worker, outcome))
            if isinstance(outcome, ForeignAnswerError):
                foreign.append(f"worker {worker}: {outcome}")
        else:
            warnings.extend(AnswerWarning(worker, text) for text in outcome)
            kept.append(index)
    if not kept:
        raise _no_answer_left(warnings)
    check_foreign(foreign, n_given)
    workers = [answers[index][0] for index in kept]
    return masks if len(kept) == len(answers) else masks[kept], workers
