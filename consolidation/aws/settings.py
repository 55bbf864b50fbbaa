"""Configuration of the Lambda functions, by ``CONSOLIDATION_`` variables of the environment.

The options of a local run hold, with a few other defaults; those that need a whole job do not, nor
those that name it, for the event tells. ``CONSOLIDATION_CALIBRATION`` must lie on S3. What only a
Lambda has:

==================================  ==========  ==================================================
variable                            default     meaning
==================================  ==========  ==================================================
``CONSOLIDATION_LABELS``                        classes of the job if its events have none: names
                                                with commas between, a JSON list, or the
                                                ``s3://`` URI of a label-categories file
``CONSOLIDATION_JOB_RELIABILITY``   no          add up over the job how reliable its workers are,
                                                and weigh their votes by it (method `weighted`)
``CONSOLIDATION_FAILED_OBJECTS``    omit        what becomes of an object that fails: omitted from
                                                the response, or listed in it with the reason
``CONSOLIDATION_CREDENTIALS``       function    whose rights are used at S3: the function's role,
                                                or the job's (``roleArn``), which is assumed
``CONSOLIDATION_TRUSTED_PREFIXES``              S3 prefixes that may be read and written besides
                                                the job's own, with spaces between; ``s3://`` is
                                                everything
``CONSOLIDATION_LOG_WORKER_IDS``    no          log the ids of workers as they are, not hashed
==================================  ==========  ==================================================

A variable of this prefix that is none of these is refused, so that a slip of the pen does not go
unnoticed. An empty one counts as not set.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace

from consolidation.consensus import METHODS
from consolidation.errors import OptionError
from consolidation.formats.groundtruth import listed_classes, parse_classes
from consolidation.masks import Classes
from consolidation.options import (
    ENVIRONMENT_PREFIX,
    Options,
    given_variables,
    option_field,
    refuse_unknown,
    variable,
    yes_or_no,
)
from consolidation.storage import StorageError, is_s3, split_s3

LABELS = ENVIRONMENT_PREFIX + "LABELS"
CALIBRATION = ENVIRONMENT_PREFIX + "CALIBRATION"
_TOLD_BY_THE_EVENT = {"label_attribute", "mask_uri_prefix", "job_name"}


@dataclass(frozen=True)
class LambdaOptions(Options):
    """How a Lambda consolidates the objects of a job."""

    method: str = option_field(
        "plurality",
        choices=tuple(name for name, spec in METHODS.items() if not spec.chooses),
        help="whose vote counts what: all the same (plurality), by reliability over the job "
        "(weighted, with job_reliability), or by the workers' confusion of classes (dawid-skene)",
    )
    confidence_maps: bool = option_field(
        True, convert=yes_or_no, help="also write each object's confidence, as a grey PNG"
    )
    labels: str = option_field(
        "", help="classes if events have none: a,b or a JSON list or an s3:// URI"
    )
    job_reliability: bool = option_field(
        False, convert=yes_or_no, help="add up over the job how reliable its workers are"
    )
    failed_objects: str = option_field(
        "omit", choices=("omit", "report"), help="leave failed objects out of the response, or not"
    )
    credentials: str = option_field(
        "function", choices=("function", "job"), help="whose rights are used at S3"
    )
    trusted_prefixes: str = option_field(
        "",
        pattern=r"(s3://[^\s,]*(\s+s3://[^\s,]*)*)?",
        help="s3:// prefixes, with spaces between, beyond the job's own",
    )
    log_worker_ids: bool = option_field(
        False, convert=yes_or_no, help="log the ids of workers as they are"
    )

    @property
    def prefixes(self) -> tuple[str, ...]:
        """Trusted prefixes, each with a slash at its end.

        Examples
        --------
        >>> LambdaOptions(trusted_prefixes="s3://bucket/more").prefixes
        ('s3://bucket/more/',)
        """
        return tuple(
            prefix if prefix.endswith("/") else f"{prefix}/"
            for prefix in self.trusted_prefixes.split()
        )

    def listed_classes(self) -> Classes | None:
        """Classes that the environment lists itself; None if it has none, or a URI.

        Examples
        --------
        >>> LambdaOptions(labels="cat, dog").listed_classes().names
        ('BACKGROUND', 'cat', 'dog')
        """
        text = self.labels.strip()
        if not text or is_s3(text):
            return None
        if text[0] in "[{":
            return parse_classes(text, LABELS)
        return listed_classes([name.strip() for name in text.split(",")], LABELS)


def variables() -> list[str]:
    """Names of the variables that the functions read."""
    return [
        variable(name)
        for name, (_, option) in LambdaOptions.table().items()
        if name not in _TOLD_BY_THE_EVENT and not option.whole_job
    ]


def read_options(environment: Mapping[str, str] = os.environ) -> LambdaOptions:
    """Read the configuration.

    Raises
    ------
    OptionError, SourceError
        For a value that cannot be, or a variable that is none, naming it.

    Examples
    --------
    >>> read_options({"CONSOLIDATION_JOB_RELIABILITY": "yes"}).method
    'weighted'
    """
    values = given_variables(environment)
    refuse_unknown(values, variables(), "the Lambda functions")
    method = ENVIRONMENT_PREFIX + "METHOD"
    chosen = METHODS.get(values.get(method, "").strip())
    if chosen is not None and chosen.chooses:
        raise OptionError(
            f"{method} cannot be {chosen.name}: that choice is made on a whole job, and a Lambda "
            f"sees a batch at a time; weighted goes with {ENVIRONMENT_PREFIX}JOB_RELIABILITY=yes"
        )
    options = LambdaOptions.read({}, values)
    if options.job_reliability and method not in values:
        options = replace(options, method="weighted")
    if options.spec.must_weigh and not options.job_reliability:
        raise OptionError(
            f"{method}={options.method} needs {ENVIRONMENT_PREFIX}JOB_RELIABILITY=yes"
        )
    options.listed_classes()
    if is_s3(options.labels.strip()):
        _check_object(LABELS, options.labels.strip())
    if options.calibration:
        _check_object(CALIBRATION, options.calibration)
    return options


def _check_object(variable: str, uri: str) -> None:
    try:
        names_object = is_s3(uri) and split_s3(uri)
    except StorageError:
        names_object = False
    if not names_object:
        raise OptionError(f"{variable} must be s3://bucket/key, not {uri!r}")
