"""One object: workers' answers in; consensus, mask PNG and manifest entry out.

A local run and the Lambda both take this road.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from consolidation.consensus import Consensus, LearntWeights, WorkerConfusion, consolidate
from consolidation.errors import AnswerError, ConsolidationError, ObjectError
from consolidation.groundtruth.answers import WorkerAnswer
from consolidation.groundtruth.manifest import MaskClass, metadata
from consolidation.masks import (
    UNDECIDED,
    UNDECIDED_INDEX,
    Classes,
    ColorMatcher,
    MatchCounts,
    decode,
    encode_grey,
    encode_indexed,
    hex_color,
    palette,
    read_header,
)
from consolidation.options import Options

PIXELS_WORTH_THREADS = 1 << 17
"""Smaller images are decoded before a second thread has begun."""
MAX_THREADS = 4


class Answer(Protocol):
    """One worker's answer to one object, in whatever form it came."""

    def load(self) -> LoadedAnswer:
        """Fetch and parse it; ConsolidationError if it cannot be used."""


class LoadedAnswer(Protocol):
    """An answer that can say its size and write its class indices."""

    @property
    def modified(self) -> bool | None:
        """Adjustment jobs: whether the worker changed the mask."""

    @property
    def colors(self) -> Mapping[str, tuple[int, int, int]]:
        """Colours by class name; empty where pixels are indices."""

    def size(self, options: Options) -> tuple[int, int] | None:
        """Height and width, read without decoding; None for a blank one that fits any size."""

    def read(self, out: NDArray[Any], classes: Classes, ignore: int, options: Options) -> list[str]:
        """Write class indices into `out` (H, Wd); return warnings."""


@dataclass(frozen=True)
class LabeledObject:
    """An image and the answers of its workers."""

    id: str
    line: Mapping[str, Any]
    """Its line in the manifest, without this job's label."""
    answers: Sequence[tuple[str, Answer]] = ()
    """Worker id and answer, in the order they were given; the same worker's latest counts."""
    error: str | None = None


class AnswerWarning(NamedTuple):
    """What was dropped or repaired in one worker's answer."""

    worker: str
    message: str

    @property
    def dropped(self) -> bool:
        """Whether the answer does not count at all."""
        return self.message.startswith(_DROPPED)


_DROPPED = "answer dropped: "


@dataclass
class ObjectResult:
    """The consensus of one object, ready to be written."""

    id: str
    consensus: Consensus
    classes: tuple[MaskClass, ...]
    adjusted: bool | None
    blank: frozenset[str] = frozenset()
    """Workers who painted nothing."""
    warnings: list[AnswerWarning] = field(default_factory=list)
    small: bool = False
    """Whether PNG files shall be small rather than quick."""

    @property
    def n_workers(self) -> int:
        """Workers whose answers counted."""
        return len(self.consensus.workers)

    @property
    def reported_confidence(self) -> float:
        """Confidence for the manifest: as Ground Truth, 0 where a single worker answered."""
        return round(self.consensus.image_confidence, 6) if self.n_workers > 1 else 0.0

    @cached_property
    def mask_png(self) -> bytes:
        """Mask as an 8-bit palette PNG, pixel = class index."""
        colors = {one.index: one.color for one in self.classes}
        undecided = colors.pop(UNDECIDED_INDEX, None) if self.has_undecided else None
        table = palette([colors[index] for index in sorted(colors)], undecided)
        labels = self.consensus.labels
        return encode_indexed(labels.astype(np.uint8, copy=False), table, self.small)

    @property
    def has_undecided(self) -> bool:
        """Whether any pixel is undecided."""
        return any(one.name == UNDECIDED for one in self.classes)

    def confidence_png(self) -> bytes:
        """Confidence as an 8-bit grey PNG, value = round(255 c)."""
        consensus = self.consensus
        height, width = consensus.labels.shape
        return encode_grey((height, width), consensus.confidence_bytes, self.small)

    def metadata(self, creation_date: str, job_name: str) -> dict[str, Any]:
        """Return the manifest's `-metadata` block."""
        confidence = self.reported_confidence
        return metadata(self.classes, confidence, creation_date, job_name, self.adjusted)


@dataclass(frozen=True)
class PictureAnswer:
    """An answer of the labeling widget: a picture whose colours mean labels."""

    answer: WorkerAnswer

    @property
    def modified(self) -> bool | None:
        """See `LoadedAnswer`."""
        return self.answer.modified

    @property
    def colors(self) -> Mapping[str, tuple[int, int, int]]:
        """See `LoadedAnswer`."""
        return self.answer.colors

    def size(self, options: Options) -> tuple[int, int]:
        """See `LoadedAnswer`."""
        header = read_header(self.answer.png, options.max_pixels)
        return header.height, header.width

    def read(self, out: NDArray[Any], classes: Classes, ignore: int, options: Options) -> list[str]:
        """See `LoadedAnswer`."""
        unknown: list[str] = []
        mapping = {}
        for label, color in self.answer.colors.items():
            index = classes.index(label)
            if index is None:
                unknown.append(label)
                index = -len(unknown)
            mapping[color] = index
        pixels = decode(self.answer.png, options.max_pixels)
        counts = ColorMatcher(mapping, ignore, options.snap_colors).match(pixels, out)
        warnings = _color_warnings(counts, unknown)
        if self.answer.size not in (None, out.shape):
            warnings.append(
                f"its mask is {_by(out.shape)} pixels, the worker saw {_by(self.answer.size)}"
            )
        return warnings


def _color_warnings(counts: MatchCounts, unknown: Sequence[str]) -> list[str]:
    warnings = [
        f"{pixels:,} pixels of label {unknown[order]!r}, which is no class of this job, are ignored"
        for order, pixels in counts.unknown
    ]
    if counts.opaque_background:
        warnings.append(
            f"{counts.opaque_background:,} opaque black or white pixels are taken for background"
        )
    if counts.snapped:
        warnings.append(f"{counts.snapped:,} pixels are taken for the nearest label color")
    if counts.unmatched:
        warnings.append(f"{counts.unmatched:,} pixels of no label's color are ignored")
    return warnings


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
    def blank(self) -> frozenset[str]:
        """Workers who painted nothing."""
        pairs = zip(self.workers, self.masks, strict=True)
        return frozenset(worker for worker, mask in pairs if not mask.any())


def prepare_object(obj: LabeledObject, classes: Classes, options: Options) -> PreparedObject:
    """Load and decode the answers to one object.

    An answer that cannot be used is left out with a warning; the object fails only if none is
    left, or if sizes leave no majority.

    Raises
    ------
    ObjectError
        With the reasons, naming workers.
    """
    if obj.error is not None:
        raise ObjectError(obj.error)
    warnings: list[AnswerWarning] = []
    answers = _usable(obj, options, warnings)
    answers, size = _same_size(answers, options, warnings)
    masks, workers = _read(answers, size, classes, options, warnings)
    kept = set(workers)
    loaded = [answer for worker, answer in answers if worker in kept]
    return PreparedObject(masks, workers, loaded, warnings)


def consolidate_object(
    obj: LabeledObject,
    classes: Classes,
    options: Options,
    reliability: LearntWeights | WorkerConfusion | None = None,
) -> ObjectResult:
    """Consolidate the answers to one object, with weights learnt over the job if there are any.

    Raises
    ------
    ObjectError
        As `prepare_object`, or if undecided pixels find no free index.
    """
    prepared = prepare_object(obj, classes, options)
    ignore = ignore_index(classes)
    try:
        consensus = consolidate(
            prepared.masks,
            n_classes=len(classes),
            method=options.method,
            workers=prepared.workers,
            reliability=reliability,
            smoothing=None if options.method == "dawid-skene" else options.smoothing,
            ties=options.ties,
            min_votes=options.min_votes,
            ignore_index=ignore,
            undecided_index=ignore,
        )
    except ValueError as error:
        raise ObjectError(str(error)) from None
    return ObjectResult(
        id=obj.id,
        consensus=consensus,
        classes=_mask_classes(consensus, classes, prepared.answers),
        adjusted=_adjusted(prepared.answers),
        blank=prepared.blank,
        warnings=prepared.warnings,
        small=options.compression == "small",
    )


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
            loaded = answer.load()
            any_size |= loaded.size(options) is not None
        except ConsolidationError as error:
            warnings.append(AnswerWarning(worker, f"{_DROPPED}{error}"))
            continue
        usable.append((worker, loaded))
    if not any_size:
        raise _no_answer_left(warnings)
    return usable


def _no_answer_left(warnings: Sequence[AnswerWarning]) -> ObjectError:
    reasons = [
        f"worker {one.worker}: {one.message.removeprefix(_DROPPED)}"
        for one in warnings
        if one.dropped
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
        listed = ", ".join(f"{worker}: {_by(one)}" for worker, one in sizes.items())
        raise ObjectError(f"its masks have different sizes and none is the most common: {listed}")
    for worker, one in sizes.items():
        if one != size:
            text = f"{_DROPPED}its mask is {_by(one)} pixels, most are {_by(size)}"
            warnings.append(AnswerWarning(worker, text))
    kept = [(worker, answer) for worker, answer in answers if sizes.get(worker, size) == size]
    return kept, size


def _read(
    answers: list[tuple[str, LoadedAnswer]],
    size: tuple[int, int],
    classes: Classes,
    options: Options,
    warnings: list[AnswerWarning],
) -> tuple[NDArray[Any], list[str]]:
    """Decode answers into one array (W, H, Wd), leaving out what cannot be decoded."""
    ignore = ignore_index(classes)
    dtype = np.uint8 if ignore == UNDECIDED_INDEX else np.uint16
    masks = np.empty((len(answers), *size), dtype)

    def decode_one(index: int) -> list[str] | AnswerError:
        try:
            return answers[index][1].read(masks[index], classes, ignore, options)
        except AnswerError as error:
            return error

    places = range(len(answers))
    threads = min(options.threads or min(os.cpu_count() or 1, MAX_THREADS), len(answers))
    if threads > 1 and size[0] * size[1] >= PIXELS_WORTH_THREADS:
        # Pillow and the kernels let go of the interpreter while they work
        with ThreadPoolExecutor(threads) as pool:
            outcomes = list(pool.map(decode_one, places))
    else:
        outcomes = [decode_one(index) for index in places]
    kept = []
    for index, ((worker, _), found) in enumerate(zip(answers, outcomes, strict=True)):
        if isinstance(found, AnswerError):
            warnings.append(AnswerWarning(worker, f"{_DROPPED}{found}"))
        else:
            warnings.extend(AnswerWarning(worker, text) for text in found)
            kept.append(index)
    if not kept:
        raise _no_answer_left(warnings)
    workers = [answers[index][0] for index in kept]
    return masks if len(kept) == len(answers) else masks[kept], workers


def _mask_classes(
    consensus: Consensus, classes: Classes, answers: Sequence[LoadedAnswer]
) -> tuple[MaskClass, ...]:
    """Classes with the colours that workers saw, and UNDECIDED where a pixel is."""
    seen: dict[int, Counter[str]] = {}
    for answer in answers:
        for label, color in answer.colors.items():
            index = classes.index(label)
            if index is not None:
                seen.setdefault(index, Counter())[hex_color(color)] += 1
    preferred = {
        index: min(counter, key=lambda color: (-counter[color], color))
        for index, counter in seen.items()
    }
    colors = classes.hex_colors(preferred)
    listed = [
        MaskClass(index, name, color)
        for index, (name, color) in enumerate(zip(classes.names, colors, strict=True))
    ]
    undecided = consensus.provenance["counts"]["undecided"]
    if undecided:
        if len(classes) > UNDECIDED_INDEX:
            raise ObjectError(
                f"{undecided:,} pixels are undecided, and {len(classes) - 1} classes leave no "
                "index for them in an 8-bit mask"
            )
        listed.append(MaskClass(UNDECIDED_INDEX, UNDECIDED, classes.undecided_color(colors)))
    return tuple(listed)


def _adjusted(answers: Sequence[LoadedAnswer]) -> bool | None:
    """Adjustment jobs: adjusted if any worker changed the mask."""
    flags = [answer.modified for answer in answers if answer.modified is not None]
    return any(flags) if flags else None


def _by(size: Sequence[int] | None) -> str:
    return " x ".join(str(side) for side in reversed(size or ()))
