"""What people point the engine at: files of every kind, with and without a class list.

Each case says by hand how its masks are understood, or why they are refused; every door (inspect,
run, evaluate, calibrate) must say the same.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from consolidation.commands.calibrate import calibrate
from consolidation.commands.evaluate import evaluate_folders
from consolidation.commands.inspect import inspect_source
from consolidation.commands.run import run_job
from consolidation.errors import ConsolidationError
from consolidation.formats import SourceOptions
from consolidation.formats.values import ValueReading
from consolidation.masks import decode_indices
from consolidation.options import Options
from tests import tiny_png
from tests.wire import json_lines, plain

Array = npt.NDArray[Any]
Encode = Callable[[Array], bytes]
DOORS = ("inspect", "run", "evaluate", "calibrate")
SIDE = 40


def _disc(radius: float, row: float = 19.5, column: float = 19.5) -> Array:
    rows, columns = np.mgrid[:SIDE, :SIDE]
    return np.hypot(rows - row, columns - column) < radius


TWO = _disc(12).astype(np.uint8)
"""Background and one class."""
THREE = TWO + _disc(5).astype(np.uint8)
"""Background and two classes."""
VOID = np.where(_disc(13) & ~_disc(12), 255, THREE).astype(np.uint8)
"""The same with a border that nobody labelled, as VOC has it."""
MANY = np.add.outer(np.arange(SIDE) // 4 * 37, np.arange(SIDE) // 3 * 11).astype(np.uint8) % 151
"""Some hundred classes in areas, none a neighbour of the next number."""


# -- ways to write a mask


def png(values: Array, **more: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "PNG", **more)
    return buffer.getvalue()


def as_kind(kind: str, **more: Any) -> Encode:
    """White where the mask is not 0, in another format under the same name."""

    def encode(mask: Array) -> bytes:
        buffer = io.BytesIO()
        Image.fromarray(scaled(mask)).save(buffer, kind, **more)
        return buffer.getvalue()

    return encode


def scaled(mask: Array) -> Array:
    return np.where(mask == 0, 0, 255).astype(np.uint8)


def grey(mask: Array) -> bytes:
    return tiny_png.write(mask, tiny_png.GREY)


def deep(mask: Array, scale: int = 1) -> bytes:
    return tiny_png.write(mask.astype(np.uint16) * scale, tiny_png.GREY, 16)


def bits(depth: int) -> Encode:
    return lambda mask: tiny_png.write(mask, tiny_png.GREY, depth)


COLORS = ((0, 0, 0), (255, 0, 0), (0, 0, 255))
OTHERS = ((0, 0, 0), (0, 0, 255), (255, 0, 0))


def palette(colors: tuple[tuple[int, int, int], ...]) -> Encode:
    return lambda mask: tiny_png.write(mask, tiny_png.PALETTE, palette=bytes(sum(colors, ())))


def painted(colors: tuple[tuple[int, int, int], ...]) -> Encode:
    return lambda mask: tiny_png.write(np.array(colors, np.uint8)[mask], tiny_png.RGB)


def with_alpha(mask: Array, opaque: bool = True) -> bytes:
    alpha = np.full_like(mask, 255) if opaque else scaled(mask)
    return tiny_png.write(np.stack([scaled(mask), alpha], -1), tiny_png.GREY_ALPHA)


def repeated(mask: Array) -> bytes:
    return tiny_png.write(np.repeat(mask[..., None], 3, -1), tiny_png.RGB)


def smoothed(mask: Array) -> bytes:
    return png(
        np.asarray(Image.fromarray(scaled(mask)).resize((97, 97), Image.Resampling.BILINEAR))
    )


def few_levels(mask: Array) -> bytes:
    return png(np.asarray(Image.fromarray(scaled(mask)).resize((20, 20), Image.Resampling.BOX)))


def through_jpeg(mask: Array) -> bytes:
    return png(np.asarray(Image.open(io.BytesIO(as_kind("JPEG", quality=95)(mask)))))


def photograph(mask: Array) -> bytes:
    rng = np.random.default_rng(0)
    noise = Image.fromarray(rng.integers(0, 256, (SIDE, SIDE)).astype(np.uint8))
    return png(np.asarray(noise.filter(ImageFilter.GaussianBlur(1))))


def color_photograph(mask: Array) -> bytes:
    return png(np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8))


def palette_photograph(mask: Array) -> bytes:
    values = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE)).astype(np.uint8)
    return tiny_png.write(values, tiny_png.PALETTE, palette=bytes(range(256)) * 3)


def gradient(mask: Array) -> bytes:
    return png(np.add.outer(np.arange(SIDE) * 2, np.arange(SIDE)).astype(np.uint8))


def cut(mask: Array) -> bytes:
    return grey(mask)[:-30]


def numpy_file(mask: Array) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, mask)
    return buffer.getvalue()


# -- class lists


def indexed(*names: str, first: int = 0, colors: Any = ()) -> tuple[str, str]:
    entries: list[dict[str, Any]] = [
        {"index": index, "name": name} for index, name in enumerate(names, first)
    ]
    for entry, color in zip(entries, colors, strict=False):
        entry["color"] = "#{:02x}{:02x}{:02x}".format(*color)
    return "classes.json", json.dumps({"classes": entries})


def plain_list(*names: str) -> tuple[str, str]:
    return "classes.json", json.dumps(names)


LIST_2 = indexed("background", "cell")
LIST_3 = indexed("background", "cell", "core")
COLORED = indexed("background", "cell", "core", colors=COLORS)
LABELMAP = (
    "labelmap.txt",
    "# label:color_rgb:parts:actions\ncell:255,0,0::\nbackground:0,0,0::\ncore:0,0,255::\n",
)


@dataclass(frozen=True)
class Case:
    """An input and what must come of it.

    Attributes
    ----------
    name : str
    encode : callable
        Bytes of a mask's file.
    mask : ndarray
        What the workers mean; also what the consensus must be.
    classes : (str, str) or None
        Class list: name of its file and content.
    options : mapping
    names : tuple of str
        Classes that must come out.
    says : str
        Part of a note.
    refused : str
        Why the source is refused, a part of it.
    fails : str
        Why every object fails, a part of it.
    truth : str or None
        Why it is refused as a truth; None: as a source is; a star: it is not asked.
    """

    name: str
    encode: Encode
    mask: Array = field(default_factory=lambda: TWO)
    classes: tuple[str, str] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    says: str = ""
    refused: str = ""
    fails: str = ""
    truth: str | None = None

    @property
    def listed(self) -> str:
        """The class list, for people."""
        text = "" if self.classes is None else self.classes[1].replace("\n", " ")
        return text if len(text) < 60 else f"{text[:57]}..."

    @property
    def expected(self) -> str:
        """The outcome, for people."""
        if self.refused:
            return f"refused: {self.refused}"
        if self.fails:
            return f"objects fail: {self.fails}"
        return "understood" + (f": {self.says}" if self.says else "")

    def agrees(self, door: str, found: str) -> bool:
        """Whether a door's `outcome` is what must come of it."""
        kind, _, reason = self.expected.partition(": ")
        if door in ("evaluate", "calibrate") and kind != "understood":
            kind, reason = "refused", self.truth or reason
        return found == kind if kind == "understood" else found.startswith(kind) and reason in found


UNLISTED = ("BACKGROUND", "class-1")
CELL = ("BACKGROUND", "cell")
CORE = ("BACKGROUND", "cell", "core")
INSIST = {"values": "index"}
BY_HAND = {"values": "0=background,255=cell"}


def cases() -> list[Case]:
    """All cases; names differ."""
    return [*_two_classes(), *_no_masks(), *_more_classes(), *_colors(), *_lists()]


def _two_classes() -> list[Case]:
    white = lambda mask: grey(scaled(mask))  # noqa: E731
    deep_white = lambda mask: deep(mask, 65535)  # noqa: E731
    alone = "hold 0 and 255 alone"
    return [
        Case("grey 0, 1", grey, names=UNLISTED),
        Case("grey 0, 1, listed", grey, classes=LIST_2, names=CELL),
        Case("grey 0, 255", white, names=UNLISTED, says=alone),
        Case("grey 0, 255, one class", white, classes=LIST_2, names=CELL, says=alone),
        Case(
            "grey 0, 255, two classes", white, classes=LIST_3, refused="--values 0=background,255"
        ),
        Case(
            "grey 0, 255, index insisted",
            white,
            options=INSIST,
            refused="no mask in it has a class",
            truth="*",
        ),
        Case("grey 0, 255, by hand", white, options=BY_HAND, names=CELL),
        Case(
            "grey 0, 255, by hand, two classes", white, classes=LIST_3, options=BY_HAND, names=CORE
        ),
        Case(
            "grey 0, 255, by hand, misspelt",
            white,
            classes=LIST_3,
            options={"values": "0=background,255=cel"},
            refused="'cel', which is no class, the nea",
        ),
        Case(
            "grey 0, 200, by hand, in a range",
            lambda m: grey(m * 200),
            options={"values": "0-99=background,100-255=cell"},
            names=CELL,
        ),
        Case(
            "grey 0, 200, one class",
            lambda m: grey(m * 200),
            classes=LIST_2,
            refused="hold 200 (",
            truth="hold 200 (",
        ),
        Case("1 bit", bits(1), names=UNLISTED),
        Case("4 bits", bits(4), classes=LIST_2, names=CELL),
        Case("16 bits 0, 1", deep, classes=LIST_2, names=CELL),
        Case("16 bits 0, 65535", deep_white, names=UNLISTED, says="0 and 65535 alone"),
        Case("16 bits 0, 1000", lambda m: deep(m, 1000), refused="holds 1000, and at most 25"),
        Case(
            "16 bits 0, 1000, by hand",
            lambda m: deep(m, 1000),
            options={"values": "0=background,1000=cell"},
            names=CELL,
        ),
        Case("palette 0, 1", palette(COLORS[:2]), classes=LIST_2, names=CELL),
        Case(
            "interlaced",
            lambda m: tiny_png.write(m, tiny_png.GREY, interlaced=True),
            names=UNLISTED,
        ),
        Case("grey and alpha 0, 255", with_alpha, classes=LIST_2, names=CELL, says=alone),
        Case(
            "grey and alpha, transparent",
            lambda m: with_alpha(m, False),
            refused="pictures in colour: ",
        ),
        Case("grey as RGB 0, 1", repeated, classes=LIST_2, names=CELL),
        Case("grey as RGB 0, 255", lambda m: repeated(scaled(m)), names=UNLISTED, says=alone),
    ]


def _no_masks() -> list[Case]:
    found = []
    files: dict[str, tuple[Encode, str]] = {
        "JPEG": (as_kind("JPEG"), "a JPEG picture: its compression changes"),
        "TIFF": (as_kind("TIFF"), "a TIFF picture: save the masks as PNG"),
        "BMP": (as_kind("BMP"), "a BMP picture"),
        "GIF": (as_kind("GIF"), "a GIF picture"),
        "WebP": (as_kind("WEBP", lossless=True), "a WebP picture"),
        "npy": (numpy_file, "a NumPy array (.npy)"),
        "nii.gz": (lambda m: gzip.compress(m.tobytes()), "a gzip file, as .nii.gz is"),
        "LFS pointer": (lambda m: b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        "web page": (lambda m: b"<!DOCTYPE html>", "a text of XML or HTML"),
        "nothing": (lambda m: b"", "the PNG is empty"),
        "PNG cut short": (cut, "PNG is damaged: truncated"),
        "16 bits of colour": (
            lambda m: tiny_png.write(np.repeat(m[..., None], 3, -1), tiny_png.RGB, 16),
            "16 bits a channel",
        ),
        "grey photograph": (photograph, "a photograph or a gradient of"),
        "gradient": (gradient, "a photograph or a gradient of"),
        "resized": (smoothed, "smoothed at its borders"),
        "anti-aliased in few levels": (few_levels, "smoothed at its borders"),
        "once a JPEG": (through_jpeg, "as lossy compression leaves them"),
        "photograph with a palette": (palette_photograph, "colours, not a mask"),
        "colour photograph": (color_photograph, "pictures in colour: "),
    }
    for name, (encode, reason) in files.items():
        found.append(Case(f"{name} as .png", encode, refused=reason))
        found.append(Case(f"{name} as .png, listed", encode, classes=LIST_2, refused=reason))
    return found


def _more_classes() -> list[Case]:
    return [
        Case("grey 0 to 2", grey, THREE, names=("BACKGROUND", "class-1", "class-2")),
        Case("grey 0 to 2, listed", grey, THREE, LIST_3, names=CORE),
        Case(
            "grey 0 to 2, one class", grey, THREE, LIST_2, fails="holds 2 (", truth="'core' only in"
        ),
        Case("grey 0 to 2 and 255", grey, VOID, LIST_3, names=CORE, says="255 is ignored"),
        Case(
            "grey 0, 1, 255",
            grey,
            np.where(THREE == 2, 255, THREE).astype(np.uint8),
            LIST_3,
            names=CORE,
            says="255 is ignored",
        ),
        Case("greys 0, 85, 170, 255", lambda m: grey(m * 85), MANY % 4, refused="evenly spaced as"),
        Case(
            "greys 0, 127, 255, listed",
            lambda m: grey(np.array([0, 127, 255], np.uint8)[m]),
            THREE,
            LIST_3,
            refused="--values 0=background,127=NAME,255=NAME",
        ),
        Case(
            "palette whose black is not 0",
            palette(((255, 0, 0), (0, 0, 0))),
            refused="value 0 is #ff0000 in the palette of",
        ),
        Case(
            "many classes",
            grey,
            MANY,
            names=("BACKGROUND", *(f"class-{index}" for index in range(1, int(MANY.max()) + 1))),
        ),
        Case(
            "16 bits 0 to 2 and 65535",
            lambda m: tiny_png.write(
                np.where(m == 255, 65535, m.astype(np.uint16)), tiny_png.GREY, 16
            ),
            VOID,
            LIST_3,
            names=CORE,
            says="65535 is ignored",
        ),
        Case("resized, index insisted", smoothed, options=INSIST, names=("*",), truth="*"),
        Case(
            "resized, cut by hand",
            few_levels,
            options={"values": "0-127=background,128-255=cell"},
            names=("*",),
            truth="*",
        ),
    ]


def _colors() -> list[Case]:
    contradiction = "palette and class list contradict each other: value 1 is #0000ff"
    return [
        Case(
            "colours", painted(COLORS), THREE, refused="has #000000, #ff0000, #0000ff; a class list"
        ),
        Case(
            "colours, listed without", painted(COLORS), THREE, LIST_3, refused="a class list with c"
        ),
        Case(
            "colours, listed", painted(COLORS), THREE, COLORED, names=CORE, says="colours are match"
        ),
        Case("colours, labelmap", painted(COLORS), THREE, LABELMAP, names=CORE),
        Case(
            "other colours, listed",
            painted(((9, 9, 9), (1, 2, 3), (4, 5, 6))),
            THREE,
            COLORED,
            refused="none of the colours in its masks is a class's",
        ),
        Case("palette as the list has it", palette(COLORS), THREE, COLORED, names=CORE),
        Case("palette unlike the list", palette(OTHERS), THREE, COLORED, refused=contradiction),
        Case(
            "palette unlike the list, by index",
            palette(OTHERS),
            THREE,
            COLORED,
            options={"by": "index"},
            names=CORE,
        ),
        Case(
            "palette unlike the list, by colour",
            lambda m: palette(OTHERS)(np.array([0, 2, 1], np.uint8)[m]),
            THREE,
            COLORED,
            options={"by": "color"},
            names=CORE,
        ),
        Case(
            "by colour without colours",
            palette(COLORS),
            THREE,
            LIST_3,
            options={"by": "color"},
            refused="--by color needs colors",
        ),
    ]


def _lists() -> list[Case]:
    both = "lists 2 names without background, and its masks hold 0 to 1"
    return [
        Case(
            "plain list with background",
            grey,
            THREE,
            plain_list("Background", "cell", "core"),
            names=CORE,
            says="begins with 'Background': that is class 0",
        ),
        Case("plain list without background", grey, THREE, plain_list("cell", "core"), names=CORE),
        Case("plain list, first index", grey, TWO, plain_list("road", "car"), refused=both),
        Case(
            "plain list, no background",
            grey,
            TWO,
            plain_list("road", "car"),
            options={"no_background": True},
            names=("road", "car"),
        ),
        Case(
            "class 0 with a name", grey, TWO, indexed("road", "car"), refused="called 'road', and 0"
        ),
        Case(
            "class 0 with a name, no background",
            grey,
            TWO,
            indexed("road", "car"),
            options={"no_background": True},
            names=("road", "car"),
        ),
        Case(
            "background at 1",
            grey,
            THREE,
            indexed("background", "cell", first=1),
            names=("BACKGROUND", "background", "cell"),
        ),
        Case(
            "labels of Ground Truth",
            grey,
            THREE,
            ("classes.json", '{"labels": [{"label": "cell"}, {"label": "core"}]}'),
            names=CORE,
        ),
        Case(
            "id2label",
            grey,
            THREE,
            ("classes.json", '{"0": "background", "1": "cell", "2": "core"}'),
            names=CORE,
        ),
        Case("label2id", grey, THREE, ("classes.json", '{"cell": 1, "core": 2}'), names=CORE),
        Case(
            "the same name twice", grey, THREE, plain_list("cell", "cell"), refused="listed twice"
        ),
        Case(
            "a list of another shape",
            grey,
            THREE,
            ("classes.json", '{"names": ["cell"]}'),
            refused='expected {"classes": [{"index": 1',
        ),
        Case(
            "a list that is no JSON",
            grey,
            THREE,
            ("classes.json", "cell, core"),
            refused="not JSON",
        ),
        Case("an empty list", grey, THREE, plain_list(), refused="there are no labels"),
    ]


# -- the doors


def write_source(case: Case, folder: Path) -> Path:
    """Two images by three workers who agree."""
    for image in "ab":
        for worker in "123":
            path = folder / image / f"worker_{worker}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(case.encode(case.mask))
    _write_list(case, folder)
    return folder


def _write_list(case: Case, folder: Path) -> None:
    if case.classes is not None:
        (folder / case.classes[0]).write_text(case.classes[1])


def write_truth(case: Case, folder: Path) -> Path:
    """The same masks as truths."""
    folder.mkdir(parents=True)
    for image in "ab":
        (folder / f"{image}.png").write_bytes(case.encode(case.mask))
    _write_list(case, folder)
    return folder


def outcome(case: Case, door: str, folder: Path) -> str:
    """What a door makes of a case: understood, or why not; wrong where it is neither."""
    try:
        return globals()[f"_{door}"](case, folder)
    except ConsolidationError as error:
        assert "\n" not in str(error)
        return f"refused: {error}"


def _options(case: Case) -> Options:
    return plain(**case.options)


def _inspect(case: Case, folder: Path) -> str:
    found = inspect_source(write_source(case, folder / "job"), _options(case))
    failing = found.by_kind.get("objects that fail", [])
    if failing:
        return f"objects fail: {failing[0]}" if len(failing) == 2 else "wrong: one object fails"
    if found.problems:
        return f"wrong: {found.problems[0]}"
    return _understood(case, found.classes, found.notes)


def _run(case: Case, folder: Path) -> str:
    out = folder / "out"
    summary = run_job(write_source(case, folder / "job"), out, _options(case))
    failures = json_lines(out / "failures.jsonl")
    if failures:
        return f"objects fail: {failures[0]['reason']}" if summary.failures == 2 else "wrong: one"
    if summary.warnings:
        return f"wrong: {json_lines(out / 'warnings.jsonl')[0]['message']}"
    for image in "ab":
        found = decode_indices((out / "masks" / f"{image}.png").read_bytes())
        if case.names != ("*",) and not np.array_equal(found, case.mask):
            return "wrong: another mask"
    names = tuple(json.loads((out / "provenance.json").read_text())["classes"])
    return _understood(case, names, summary.notes)


def _predicted(case: Case, folder: Path) -> Path:
    """A run's masks that are right."""
    (folder / "masks").mkdir(parents=True)
    for image in "ab":
        (folder / "masks" / f"{image}.png").write_bytes(grey(case.mask))
    content = {"classes": list(case.names or CORE), "options": {}}
    (folder / "provenance.json").write_text(json.dumps(content))
    return folder


def _reading(case: Case) -> ValueReading:
    options = _options(case)
    return ValueReading(options.values, options.by, options.no_background)


def _evaluate(case: Case, folder: Path) -> str:
    truth = write_truth(case, folder / "truth")
    scores = evaluate_folders(_predicted(case, folder / "run"), truth, reading=_reading(case))
    if scores.mean_iou != 1 or scores.pixel_accuracy != 1:
        return f"wrong: mean IoU {scores.mean_iou}"
    return _understood(case, case.names, scores.notes)


def _calibrate(case: Case, folder: Path) -> str:
    job = folder / "good"
    for image in "ab":
        for worker in "123":
            path = job / image / f"worker_{worker}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            # what is said of values holds for both sides
            path.write_bytes((case.encode if case.options else grey)(case.mask))
    names = case.names or CORE
    entries = [{"index": at, "name": name} for at, name in enumerate(names)]
    (job / "classes.json").write_text(json.dumps({"classes": entries}))
    if case.options:
        _write_list(case, job)
    truth = write_truth(case, folder / "truth")
    options = _options(case)
    learnt = calibrate(job, truth, options, source_options=SourceOptions())
    if learnt.calibration.images != 2:
        return "wrong: images are left out"
    return _understood(case, names, learnt.notes)


def _understood(case: Case, names: tuple[str, ...], notes: Any) -> str:
    if case.names not in (names, ("*",)):
        return f"wrong: classes {names}"
    if case.says and not any(case.says in note for note in notes):
        return f"wrong: it is not said: {list(notes)}"
    return "understood"
