"""Compile the kernels that a labeling job can need, for one level of processors, into a cache.

`build.py` runs it, with numba's environment set for that level::

    python warm_kernels.py find SIGNATURES      # run the pipeline on samples, write what it used
    python warm_kernels.py find-few SIGNATURES  # the same for what most jobs use
    python warm_kernels.py compile SIGNATURES   # compile what was found, without running it

The last way is for processors better than the one that builds. All print how many functions were
compiled: 0 means that the cache has everything.
"""

from __future__ import annotations

import base64
import contextlib
import importlib
import io
import itertools
import pickle
import pkgutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numba.core import event
from numba.core.dispatcher import Dispatcher
from numpy.typing import NDArray
from PIL import Image

from consolidation import Reliability, kernels
from consolidation.aws.record import Record
from consolidation.consensus import METHODS, Calibration
from consolidation.errors import ObjectError
from consolidation.formats.groundtruth import parse_answer, result_metadata
from consolidation.masks import Classes, class_color, parse_color
from consolidation.objects.answers import PictureAnswer
from consolidation.objects.pipeline import consolidate_object
from consolidation.objects.prepare import LabeledObject, ignore_index, prepare_object
from consolidation.options import Options

MOST_WORKERS = 9
"""Ground Truth asks no more workers for an object."""
SIDE = 72
"""Pixels of a sample's side. No multiple of a register's, so that loops have rests."""
CLASSES = 3, 256
"""With 256, no byte is left for ignored pixels, and masks have two bytes a pixel."""
STRAY = 1, 2, 3, 255
"""A colour of no label: its pixels are ignored."""
CALIBRATION = Calibration(((0.0, 0.0), (1.0, 0.9)))
Signatures = list[tuple[str, str, Any]]
"""Module, name and argument types of kernels."""


@dataclass(frozen=True)
class Sample:
    """A worker's picture."""

    png: bytes
    n_classes: int

    def load(self, options: Options) -> PictureAnswer:
        """Parse what the labeling widget would send."""
        element = {
            "labelMappings": {name: {"color": class_color(k)} for k, name in names(self.n_classes)},
            "labeledImage": {"pngImageData": base64.b64encode(self.png).decode()},
        }
        return PictureAnswer(parse_answer({"crowd-semantic-segmentation": element}))


def names(n_classes: int) -> list[tuple[int, str]]:
    """Index and name of each class but the background."""
    return [(k, f"class {k}") for k in range(1, n_classes)]


def picture(mask: NDArray[Any], n_classes: int, mode: str) -> bytes:
    """PNG of a mask (H, Wd): `n_classes` stands for the stray colour; of mode P, RGB or RGBA."""
    table = [(0, 0, 0, 0), *((*parse_color(class_color(k)), 255) for k, _ in names(n_classes))]
    colors = np.array([*table, STRAY], np.uint8)
    out = io.BytesIO()
    if mode == "P":
        image = Image.frombytes("P", mask.shape[::-1], mask.astype(np.uint8).tobytes())
        image.putpalette(colors[:256, :3].tobytes())
        image.save(out, "PNG", transparency=colors[:256, 3].tobytes())
    else:
        Image.fromarray(colors[mask]).convert(mode).save(out, "PNG")
    return out.getvalue()


def sample_object(
    n_workers: int, n_classes: int, stray: bool, noise: float = 0.2, mode: str = "RGBA"
) -> LabeledObject:
    """Workers who agree, but for a share `noise` of the pixels, to which each gives any class."""
    rng = np.random.default_rng(n_workers)
    shape = SIDE, SIDE
    truth = np.repeat(rng.integers(0, n_classes, (SIDE, SIDE // 8)), 8, axis=1)
    answers = []
    for worker in range(n_workers):
        wrong = rng.random(shape) < noise
        mask = np.where(wrong, rng.integers(0, n_classes, shape), truth)
        if stray:
            # each elsewhere: what all ignore would be undecided
            mask[worker] = n_classes
        answers.append((f"w{worker}", Sample(picture(mask, n_classes, mode), n_classes)))
    return LabeledObject("0", {}, answers)


def ways_to_vote() -> Iterator[Options]:
    """Options that lead through other kernels."""
    for method, ties, smoothing, min_votes in itertools.product(
        [name for name, spec in METHODS.items() if not spec.chooses],
        ("lowest", "neighbours", "undecided"),
        (0.0, 1.0),
        (1, 2),
    ):
        yield Options(method=method, ties=ties, smoothing=smoothing, min_votes=min_votes)


DEFAULT = Options(method="plurality")


def run_few() -> None:
    """Do what most jobs ask for."""
    for mode in ("P", "RGBA"):
        consolidate(sample_object(3, CLASSES[0], False, mode=mode), CLASSES[0], DEFAULT)


def run_samples() -> None:
    """Do what a job can ask for, with pictures as small as can be."""
    for n_classes, stray in itertools.product(CLASSES, (False, True)):
        for n_workers in range(1, MOST_WORKERS + 1):
            consolidate(sample_object(n_workers, n_classes, stray), n_classes, DEFAULT)
        # few patterns of votes, and more than are worth a table
        for noise in (0.2, 1.0):
            obj = sample_object(MOST_WORKERS, n_classes, stray, noise)
            for options in ways_to_vote():
                consolidate(obj, n_classes, options)
        for mode in ("RGB", "P") if n_classes < 256 or not stray else ("RGB",):
            consolidate(sample_object(2, n_classes, stray, mode=mode), n_classes, DEFAULT)
    consolidate(photograph(), CLASSES[0], DEFAULT)


def photograph() -> LabeledObject:
    """One worker's picture of more colours than their table has room for at first."""
    pixels = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return LabeledObject("0", {}, [("w0", Sample(out.getvalue(), CLASSES[0]))])


def consolidate(obj: LabeledObject, n_classes: int, options: Options) -> None:
    """Consolidate an object and read all that a Lambda writes of it."""
    classes = Classes.of_labels([name for _, name in names(n_classes)])
    reliability = None
    if options.spec.learns_reliability:
        prepared = prepare_object(obj, classes, options)
        reliability = Reliability()
        reliability.add(prepared.masks, prepared.workers, ignore_index(classes))
    for calibration in (None, CALIBRATION):
        # 256 classes leave no index for undecided pixels
        with contextlib.suppress(ObjectError):
            result = consolidate_object(obj, classes, options, reliability, calibration=calibration)
            result_metadata(result, "", "job")
            result.confidence_png()
            assert result.mask_png
            assert Record.of(result, options, "payload", "mask").full


def dispatchers() -> Iterator[tuple[str, str, Dispatcher]]:
    """Every kernel, with its module and name."""
    for found in pkgutil.iter_modules(kernels.__path__, f"{kernels.__name__}."):
        for name, value in vars(importlib.import_module(found.name)).items():
            if isinstance(value, Dispatcher) and value.py_func.__module__ == found.name:
                yield found.name, name, value


def compile_all(signatures: Signatures) -> None:
    """Compile, or find in the cache, kernels for these types."""
    for module, name, types in signatures:
        getattr(importlib.import_module(module), name).compile(types)


def main(way: str, file: Path) -> int:
    """Fill the cache; return how many functions it lacked."""
    with event.install_recorder("numba:compile") as compiled:
        if way != "compile":
            (run_few if way == "find-few" else run_samples)()
            found = [
                (module, name, types)
                for module, name, kernel in dispatchers()
                for types in kernel.signatures
            ]
            file.write_bytes(pickle.dumps(found))
        else:
            compile_all(pickle.loads(file.read_bytes()))
    return sum(one.is_start for _, one in compiled.buffer)


if __name__ == "__main__":
    print(main(sys.argv[1], Path(sys.argv[2])))
