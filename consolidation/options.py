"""Every option once: its name, default, meaning and check.

The command line (``--min-votes``), the environment (``CONSOLIDATION_MIN_VOTES``) and the
pipeline (``min_votes``) all read this list. The library's own function `consolidate` has the
same names, and defaults of its own: it changes nothing that it was not asked to.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from consolidation.consensus.methods import METHODS, MethodSpec
from consolidation.errors import OptionError
from consolidation.limits import MAX_WORKERS, Limits
from consolidation.masks.chunks import MAX_PIXELS
from consolidation.text import nearest

ENVIRONMENT_PREFIX = "CONSOLIDATION_"
TEST_DATA = "CONSOLIDATION_TEST_DATA"
"""Where tests find real data: a variable of ours that is nobody's option."""
_KINDS: Mapping[Any, str] = {int: "a whole number", float: "a number"}


def variable(name: str) -> str:
    """Environment variable of an option."""
    return ENVIRONMENT_PREFIX + name.upper()


def given_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables that are set and may be options; an empty one counts as not set."""
    return {
        name: value
        for name, value in environment.items()
        if name.startswith(ENVIRONMENT_PREFIX) and name != TEST_DATA and value.strip()
    }


def refuse_unknown(names: Iterable[str], known: Iterable[str], reader: str) -> None:
    """Raise OptionError for a variable that `reader` does not know: it may be a slip of the pen.

    Examples
    --------
    >>> refuse_unknown(["CONSOLIDATION_TIE"], ["CONSOLIDATION_TIES"], "the command line")
    Traceback (most recent call last):
        ...
    consolidation.errors.OptionError: CONSOLIDATION_TIE is no option of the command line: is \
CONSOLIDATION_TIES meant?
    """
    # their common beginning would make all of them alike
    options = [name.removeprefix(ENVIRONMENT_PREFIX) for name in known]
    for name in names:
        option = name.removeprefix(ENVIRONMENT_PREFIX)
        if option not in options:
            near = nearest(option, options)
            meant = f": is {ENVIRONMENT_PREFIX}{near} meant?" if near else ""
            raise OptionError(f"{name} is no option of {reader}{meant}")


@dataclass(frozen=True)
class Option:
    """One option: how to read it from text, what it may be, and what it means."""

    help: str
    convert: Callable[[str], Any] = str
    choices: tuple[str, ...] = ()
    low: float = -math.inf
    high: float = math.inf
    least: float = 0.0
    """Lowest value but 0, where 0 is off."""
    pattern: str = ""
    changes_results: bool = True
    """False for what only changes how fast results come, or what is reported of them."""
    whole_job: bool = False
    """Whether it only means something where a whole job is at hand, not in a Lambda."""
    of_source: bool = False
    """Whether it says how a source is read, whatever is then done with it."""

    def check(self, name: str, value: Any) -> Any:
        """Return the value, converted from text if it is text; OptionError names the option."""
        if isinstance(value, str):
            try:
                value = self.convert(value)
            except (ValueError, KeyError):
                kind = _KINDS.get(self.convert, "yes or no")
                raise OptionError(f"{name} must be {kind}, not {value!r}") from None
        if self.choices and value not in self.choices:
            raise OptionError(f"{name} must be one of {', '.join(self.choices)}, not {value!r}")
        if self.pattern and not re.fullmatch(self.pattern, value):
            raise OptionError(f"{name} cannot be {value!r}: {self.help}")
        if isinstance(value, int | float) and (
            not self.low <= value <= self.high or 0 < value < self.least
        ):
            low = f"0, or {self.least:g}" if self.least else f"{self.low:g}"
            raise OptionError(f"{name} must be {low} to {self.high:g}, not {value}")
        return value


def yes_or_no(text: str) -> bool:
    """Read a yes or no; KeyError if it is neither."""
    answers = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
    return answers[text.strip().lower()]


def option_field(default: Any, **keywords: Any) -> Any:
    """Field of a dataclass of options, by its default and the fields of its `Option`."""
    return field(default=default, metadata={"option": Option(**keywords)})


@dataclass(frozen=True)
class Options:
    """How the objects of a job are consolidated and named. Defaults are those of a local run."""

    method: str = option_field(
        "auto",
        choices=tuple(METHODS),
        help="whose vote counts what: all the same (plurality), by reliability over the job "
        "(weighted), whichever predicts held-out workers better (auto), or by the workers' "
        "confusion of classes (dawid-skene, without smoothing)",
    )
    smoothing: float = option_field(
        1.0,
        convert=float,
        low=0,
        high=8,
        least=0.1,
        help="sigma, in pixels, with which neighbours' votes help at disputed pixels; 0 is off, "
        "1 lets auto leave it out where it takes sides",
    )
    ties: str = option_field(
        "neighbours",
        choices=("lowest", "neighbours", "undecided"),
        help="what a tied pixel gets: the lowest class, its neighbours' choice, or none",
    )
    min_votes: int = option_field(
        1, convert=int, low=1, high=255, help="votes a class needs to be chosen at a pixel"
    )
    snap_colors: float = option_field(
        0.0,
        convert=float,
        low=0,
        high=442,
        help="take a colour for the nearest mapped one within this distance in RGB; 0 is off",
    )
    values: str = option_field(
        "",
        help="masks of values: what these mean, such as 0-127=background,128-255=cell (or "
        "7=ignored); or index: class indices, whatever they look like (told from all masks)",
        whole_job=True,
        of_source=True,
    )
    by: str = option_field(
        "auto",
        choices=("auto", "index", "color"),
        help="masks with palettes: whether classes are values or the colors of the class list "
        "(auto: values, if palettes and list agree)",
        whole_job=True,
        of_source=True,
    )
    no_background: bool = option_field(
        False,
        convert=yes_or_no,
        help="masks of values: class 0 is a class like the others",
        whole_job=True,
        of_source=True,
    )
    max_pixels: int = option_field(
        MAX_PIXELS, convert=int, low=1, help="largest image, in pixels; larger answers are refused"
    )
    max_answer_bytes: int = option_field(
        Limits.answer_bytes, convert=int, low=1, help="largest answer, in bytes of its file or JSON"
    )
    max_answers: int = option_field(
        Limits.answers, convert=int, low=1, high=MAX_WORKERS, help="most answers an object may have"
    )
    max_objects: int = option_field(
        Limits.objects, convert=int, low=1, help="most objects a request file may have"
    )
    max_label_length: int = option_field(
        Limits.label_length, convert=int, low=1, help="longest name of a label, in characters"
    )
    max_json_depth: int = option_field(
        Limits.json_depth,
        convert=int,
        low=4,
        high=500,
        help="how deep lists and objects of an answer's JSON may lie within one another",
    )
    threads: int = option_field(
        0,
        convert=int,
        low=0,
        high=64,
        help="threads that decode one image's answers; 0: by cores",
        changes_results=False,
    )
    jobs: int = option_field(
        0,
        convert=int,
        low=0,
        high=4096,
        help="processes that share a job's images; 0: as many as there are cores",
        changes_results=False,
        whole_job=True,
    )
    backend: str = option_field(
        "processes",
        choices=("processes", "threads", "dask"),
        help="what images are shared among: processes of this machine, its threads, or a cluster",
        changes_results=False,
        whole_job=True,
    )
    scheduler: str = option_field(
        "",
        help="address of a Dask cluster's scheduler: tcp://host:8786",
        changes_results=False,
        whole_job=True,
    )
    confidence_maps: bool = option_field(
        False,
        convert=yes_or_no,
        help="also write confidence/<id>.png: 8-bit grey, 255 times the confidence, rounded",
    )
    calibration: str = option_field(
        "", help="what `consolidate calibrate` learnt from gold images: a file or s3:// URI"
    )
    min_region: int = option_field(
        64,
        convert=int,
        low=1,
        help="disputed pixels of the smallest region told, if connected",
        whole_job=True,
    )
    report: bool = option_field(
        True,
        convert=yes_or_no,
        help="no report.html",
        changes_results=False,
        whole_job=True,
    )
    report_images: int = option_field(
        60,
        convert=int,
        low=0,
        high=10_000,
        help="images in the report, those most in need of review",
        changes_results=False,
        whole_job=True,
    )
    review_below: float = option_field(
        0.0,
        convert=float,
        low=0,
        high=1,
        help="write review.manifest, input of an adjustment job, of images with less confidence; "
        "Ground Truth reads masks from S3 only: see --mask-uri-prefix",
        changes_results=False,
        whole_job=True,
    )
    label_attribute: str = option_field(
        "consolidated-ref",
        # other keys of the line must not be overwritten, nor a label taken for metadata
        pattern=r"(?!source(-ref)?$)(?!.*-metadata$)[a-zA-Z0-9](-*[a-zA-Z0-9]){0,126}",
        help="name of the label in the output manifest: letters, digits, dashes",
    )
    mask_uri_prefix: str = option_field(
        "", help="what to put before masks/<id>.png in the manifest; relative without it"
    )
    job_name: str = option_field("consolidation", help="job name for the manifest's metadata")

    @property
    def limits(self) -> Limits:
        """What input may hold at most."""
        return Limits(
            self.max_answer_bytes,
            self.max_answers,
            self.max_objects,
            self.max_label_length,
            self.max_json_depth,
        )

    @property
    def sigma(self) -> float | None:
        """Smoothing as it was asked for; None where the method decides it, or does without.

        `auto` smooths by 1 like the default, or not at all where that takes sides.
        """
        decides = self.spec.chooses and self.smoothing == self.spec.smoothing
        return None if decides or not self.spec.smooths else self.smoothing

    @property
    def spec(self) -> MethodSpec:
        """What the method needs and does."""
        return METHODS[self.method]

    @classmethod
    def table(cls) -> dict[str, tuple[Any, Option]]:
        """Default and `Option` of every option by name."""
        return {entry.name: (entry.default, entry.metadata["option"]) for entry in fields(cls)}

    def results(self) -> dict[str, Any]:
        """Options that results depend on, by name."""
        return {
            name: getattr(self, name)
            for name, (_, option) in self.table().items()
            if option.changes_results
        }

    @classmethod
    def read(
        cls, arguments: Mapping[str, Any], environment: Mapping[str, str] = os.environ
    ) -> Self:
        """Options given (None: not given), else from the environment, else the defaults.

        Raises
        ------
        OptionError
            For a value that cannot be, naming the option or the variable.

        Examples
        --------
        >>> Options.read({"ties": "lowest"}, {"CONSOLIDATION_MIN_VOTES": "2"}).min_votes
        2
        """
        values = {}
        for name, (default, option) in cls.table().items():
            own = variable(name)
            if arguments.get(name) is not None:
                flag = "--" + name.replace("_", "-")
                values[name] = option.check(flag, arguments[name])
            elif own in environment:
                values[name] = option.check(own, environment[own])
            else:
                values[name] = default
        return cls(**values)
