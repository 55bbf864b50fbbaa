"""Where masks lie: patterns such as ``{image}/{worker}.png``, and those of known data sets."""

from __future__ import annotations

import re
from collections.abc import Mapping

from consolidation.errors import OptionError

PLACES = ("image", "worker", "label")
PRESETS: Mapping[str, tuple[str, ...]] = {
    "qubiq": ("{image}_seg{worker}.nii.gz",),
    "msseg": ("{image}/Masks/ManualSegmentation_{worker}.nii.gz",),
    "bids": (
        "**/{image}-rater{worker}.nii.gz",
        "**/{image}_rater{worker}.nii.gz",
        "**/{image}_rater-{worker}.nii.gz",
    ),
    "longciu": ("{image}_{worker}_tgt.nii.gz",),
    "ima": ("{image}_{worker}_*_*_*.png",),
    "voc": ("{worker}/SegmentationClass/{image}.png",),
    "lidc": ("{image}/mask-{worker}.png",),
}
"""Patterns of data sets with several annotators, by the name that ``--preset`` has for them."""
_CONSENSUS = re.compile(r"(?i)(staple|majority|consensus|mv|st|mean|fused|average|groundtruth|gt)")
"""Workers that are none: what somebody made of the others."""
_PICTURE = re.compile(
    r"(?i)(image|img|picture|scan|ct|mr|mri|pet|flair|t1|t1w|t1ce|t2|t2w|pd|dp|gado|brain|"
    r"intensity|truth)"
)
"""Workers that are none: what they looked at."""
_PART = re.compile(r"\{(\w+)\}|(\*\*/)|(\*)")
_EXPRESSIONS = {"image": ".+", "worker": "[^/]+", "label": "[^/]+"}


def compile_pattern(
    text: str, option: str = "--masks", needs_worker: bool = True
) -> re.Pattern[str]:
    """Regular expression of a pattern: ``{image}``, ``{worker}``, ``{label}``; ``*``, ``**/``.

    Raises
    ------
    OptionError
        If ``{image}`` or ``{worker}`` is not in it once, ``{label}`` is twice, or there is another.

    Examples
    --------
    >>> compile_pattern("{image}_{worker}_*.png").fullmatch("a_b_ann_7.png").groupdict()
    {'image': 'a_b', 'worker': 'ann'}
    """
    counts = {name: text.count("{" + name + "}") for name in PLACES}
    others = {match[1] for match in _PART.finditer(text) if match[1]} - set(PLACES)
    workers = (1,) if needs_worker else (0, 1)
    if counts["image"] != 1 or counts["worker"] not in workers or counts["label"] > 1 or others:
        raise OptionError(
            f"{option} must have {{image}} and {{worker}} once each, and {{label}} at most once, "
            f"not {text!r}"
        )
    expression, at = "", 0
    for match in _PART.finditer(text):
        expression += re.escape(text[at : match.start()])
        if match[1]:
            expression += f"(?P<{match[1]}>{_EXPRESSIONS[match[1]]})"
        else:
            expression += "(?:.*/)?" if match[2] else "[^/]*"
        at = match.end()
    return re.compile(expression + re.escape(text[at:]))


def preset(name: str) -> tuple[str, ...]:
    """Patterns of a data set; OptionError if it is not known."""
    if name not in PRESETS:
        raise OptionError(f"--preset must be one of {', '.join(PRESETS)}, not {name!r}")
    return PRESETS[name]


def is_consensus(worker: str) -> bool:
    """Whether a worker's name says that it is no worker, but what was made of their masks.

    Examples
    --------
    >>> is_consensus("STAPLE"), is_consensus("stan")
    (True, False)
    """
    return _CONSENSUS.fullmatch(worker) is not None


def is_picture(worker: str) -> bool:
    """Whether a worker's name says that it is no worker, but the picture.

    Examples
    --------
    >>> is_picture("FLAIR"), is_picture("tim")
    (True, False)
    """
    return _PICTURE.fullmatch(worker) is not None
