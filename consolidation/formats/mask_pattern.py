"""Where masks lie in a folder: the pattern of `--masks`, and which one would fit."""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from consolidation.formats.patterns import compile_pattern
from consolidation.formats.sniff import is_hidden
from consolidation.text import count

PICTURES = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".npy", ".npz")
VOLUMES = (".nii", ".nii.gz", ".nrrd", ".mha", ".dcm")
RESERVED = frozenset(
    (
        "image",
        "picture",
        "truth",
        "gt",
        "groundtruth",
        "reference",
        "consensus",
        "majority",
        "staple",
    )
)
"""Names of what lies beside masks: never workers, where a worker may have any name."""
BY_PATTERN = (".png", ".tif", ".tiff", ".bmp", ".webp", ".npy", ".nii", ".nii.gz")
"""Endings of files that `--masks` reads with a worker in it."""
_UNREAD = {
    ".npz": "of which each is read as one image with a key a worker, by --masks '{image}.npz': "
    "save other arrays as .npy",
    ".jpg": "whose compression changes class indices: export PNG from the tool",
    ".jpeg": "whose compression changes class indices: export PNG from the tool",
}
_WORD = re.compile(r"[^\W_]+")
_LETTERS = re.compile(r"[^\W\d_]+")
_WORKERS = frozenset(
    (
        *("worker", "rater", "annotator", "labeler", "labeller", "reader", "expert", "observer"),
        *("user", "grader", "reviewer", "radiologist", "doctor"),
    )
)
_IMAGES = frozenset(
    (
        *("image", "images", "im", "img", "picture", "pic", "photo", "frame", "scan", "slice"),
        *("case", "patient", "subject", "tile"),
    )
)
_MARKED = re.compile(rf"(?i)[_\-.](?:{'|'.join(sorted(_WORKERS))})[_\-]?(?=[^_\-])")
_MANY = 8
"""Times as many images as workers, from which nothing else is likely."""


@dataclass(frozen=True)
class MaskPattern:
    """A pattern such as ``{image}/worker_{worker}.png``.

    Examples
    --------
    >>> MaskPattern("{image}/worker_{worker}.png").match("a/b/worker_7.png")
    ('a/b', '7')
    >>> MaskPattern("{image}/{worker}.png").is_reserved("truth")
    True
    >>> MaskPattern("{image}/worker_{worker}.png").is_reserved("truth")
    False
    """

    text: str

    def __post_init__(self) -> None:
        # a wrong one is refused before a folder is looked through
        compile_pattern(self.text)

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        return compile_pattern(self.text)

    @cached_property
    def _worker_alone(self) -> bool:
        """Whether nothing written beside `{worker}` says that it is a worker."""
        [part] = [piece for piece in self.text.split("/") if "{worker}" in piece]
        beside = part.replace("{image}", "").replace("{worker}", "").replace("*", "")
        return _WORD.search(beside.partition(".")[0]) is None

    def match(self, name: str) -> tuple[str, str] | None:
        """Image and worker of a file, None if it is no mask."""
        match = self._expression.fullmatch(name)
        return None if match is None or is_hidden(name) else (match["image"], match["worker"])

    def is_reserved(self, worker: str) -> bool:
        """Whether a name is that of a picture or a truth rather than a worker's."""
        return self._worker_alone and _is_reserved(worker)


def what_lies_there(names: Iterable[str]) -> str:
    """Say what a folder holds in which a pattern finds nothing, and which one would.

    Examples
    --------
    >>> what_lies_there(["ann/im1.png", "ann/im2.png", "ann/im3.png", "bob/im1.png", "bob/im3.png"])
    "it holds 5 .png files such as ann/im1.png: --masks '{worker}/{image}.png' finds 3 images by 2 \
workers"
    """
    visible_names = [name for name in names if not is_hidden(name)]
    kinds = Counter(ending for name in visible_names if (ending := _ending(name)))
    if not kinds:
        listed = ", ".join(visible_names[:3]) + (", ..." if len(visible_names) > 3 else "")
        return f"it holds no pictures, only {listed}" if visible_names else "it holds no files"
    # PNG first, for they are what can be read
    ending, number = min(
        kinds.items(),
        key=lambda kind: (kind[0] != ".png", kind[0] not in BY_PATTERN, -kind[1], kind[0]),
    )
    files = sorted(name for name in visible_names if _ending(name) == ending)
    text = f"it holds {number:,} {ending} files such as {files[0]}"
    if ending not in BY_PATTERN:
        return f"{text}, {_UNREAD.get(ending, 'which are not read as masks: save them as PNG')}"
    proposals = propose(files, ending)
    if len(proposals) < 2:
        return ": ".join([text, *map(str, proposals)])
    first, second = proposals
    which = [f"if {first.workers_are} are the workers: {first}"]
    which += [f"if {second.workers_are} are the workers: {second}"]
    return f"{text}; which part is the worker cannot be told: {'; '.join(which)}"


@dataclass(frozen=True)
class Proposal:
    """A pattern that would fit, and what it takes for images and workers."""

    text: str
    images: frozenset[str]
    workers: frozenset[str]

    def __str__(self) -> str:
        n_images, n_workers = count(len(self.images), "image"), count(len(self.workers), "worker")
        return f"--masks '{self.text}' finds {n_images} by {n_workers}"

    @property
    def workers_are(self) -> str:
        """Where the names of the workers stand, and some of them."""
        some = sorted(self.workers)
        listed = ", ".join(some[:3]) + (", ..." if len(some) > 3 else "")
        folder, _, file = self.text.rpartition("/")
        if "{worker}" in folder and "{image}" in file:
            return f"the folders ({listed})"
        return f"the files ({listed})" if "{image}" in folder and "{worker}" in file else listed

    @cached_property
    def clue(self) -> int:
        """By how much words beside the parts and in their names speak for this reading."""
        clue = 0
        for part, names in (("{image}", self.images), ("{worker}", self.workers)):
            [piece] = [piece for piece in self.text.split("/") if part in piece]
            before, _, after = piece.partition(part)
            # a word between two parts is of the second
            after = "" if "{" in after else after.partition(".")[0]
            before = before.rpartition("}")[2]
            beside = {
                *_LETTERS.findall(before.casefold())[-1:],
                *_LETTERS.findall(after.casefold())[:1],
            }
            begins = {(_LETTERS.match(name.casefold()) or [""])[0] for name in names}
            for words, of in ((_WORKERS, "{worker}"), (_IMAGES, "{image}")):
                if beside & words or begins <= words:
                    clue += 1 if part == of else -1
        return clue


def propose(files: Sequence[str], ending: str) -> list[Proposal]:
    """By which pattern most files are masks of several workers an image.

    Two, the likelier first, where either part may be the worker.
    """
    own = [name for name in files if not _is_reserved(name.rpartition("/")[2])]
    ranked: list[tuple[tuple[int, ...], Proposal]] = []
    for text in _candidates(own, ending) if own else ():
        pattern = MaskPattern(text)
        images: dict[str, set[str]] = defaultdict(set)
        for match in filter(None, map(pattern.match, own)):
            images[match[0]].add(match[1])
        several = sum(len(some) for some in images.values() if len(some) > 1)
        # pictures and truths lie beside masks, in the folder of their image
        if not several or (len(own) < len(files) and "{worker}" not in text.rpartition("/")[2]):
            continue
        workers = frozenset(worker for some in images.values() for worker in some)
        proposal = Proposal(text, frozenset(images), workers)
        # there are fewer workers than images
        rank = (sum(map(len, images.values())), proposal.clue, -len(workers), several)
        ranked.append((rank, proposal))
    if not ranked:
        return []
    (n_masks, clue, *_), best = max(ranked, key=lambda pair: pair[0])
    if len(best.images) >= _MANY * len(best.workers):
        return [best]
    return [
        best,
        *(
            other
            for rank, other in ranked
            if rank[:2] == (n_masks, clue)
            and (other.images, other.workers) == (best.workers, best.images)
        ),
    ][:2]


def _candidates(files: Sequence[str], ending: str) -> list[str]:
    """Patterns that files of one ending may have."""
    stems = [name[: -len(ending)].split("/") for name in files]
    depth = Counter(map(len, stems)).most_common(1)[0][0]
    stems = [parts for parts in stems if len(parts) == depth]
    parts = [_framed({stem[at] for stem in stems}) for at in range(depth)]
    varying = [at for at, part in enumerate(parts) if "{}" in part]
    texts = []
    for image in varying:
        for worker in varying:
            if image == worker:
                marks = {match[0] for stem in stems for match in _MARKED.finditer(stem[image])}
                for mark in ("_", "-", "__", ".", *sorted(marks)):
                    both = (f"{{image}}{mark}{{worker}}", f"{{worker}}{mark}{{image}}")
                    texts += [_filled(parts, {image: text}) for text in both]
            else:
                texts.append(_filled(parts, {image: "{image}", worker: "{worker}"}))
    return [f"{text}{ending}" for text in texts if text]


def _filled(parts: Sequence[str], names: dict[int, str]) -> str:
    """Pattern of parts, of which these are named; empty if another varies below the first."""
    others = [at for at, part in enumerate(parts) if "{}" in part and at not in names]
    if others:
        return ""
    return "/".join(part.replace("{}", names.get(at, "")) for at, part in enumerate(parts))


def _framed(texts: set[str]) -> str:
    """What all texts begin and end with, up to a mark, around ``{}`` where they differ."""
    if len(texts) == 1:
        return texts.pop().replace("{}", "")
    shared = common_start(list(texts))
    begin = re.match(r"(?:.*[_\-. ])?", shared)
    rest = [text[len(begin[0]) if begin else 0 :] for text in texts]
    shared = common_start([text[::-1] for text in rest])[::-1]
    end = re.search(r"(?:[_\-. ].*)?$", shared)
    return f"{begin[0] if begin else ''}{{}}{end[0] if end else ''}"


def common_start(texts: Sequence[str]) -> str:
    """What all texts begin with.

    Examples
    --------
    >>> common_start(["gt_1", "gt_2"])
    'gt_'
    """
    pairs = zip(min(texts), max(texts), strict=False)
    return "".join(
        first for first, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)
    )


def _ending(name: str) -> str:
    lower = name.lower()
    return next((ending for ending in (*VOLUMES, *PICTURES) if lower.endswith(ending)), "")


def _is_reserved(name: str) -> bool:
    """Whether a name begins with that of a picture or a truth."""
    words = _WORD.findall(name.casefold())
    first = "".join(words[:2]) if words[:2] == ["ground", "truth"] else "".join(words[:1])
    return first in RESERVED


def skipped(names: Sequence[str], pattern: str) -> str | None:
    """Say which files are no masks because of their reserved names; None without any."""
    if not names:
        return None
    listed = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    return (
        f"{count(len(names), 'file')} left out that {pattern} matches, for no worker is "
        f"called so: {listed}"
    )
