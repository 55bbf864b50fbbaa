"""Where the classes of a job come from.

From the event, else from the configuration, else from the label-categories file that the job was
made with. Never from the answers: a batch does not show all labels, so the next batch would be
numbered differently.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from consolidation import storage
from consolidation.aws.access import sagemaker_client
from consolidation.aws.settings import LABELS, LambdaOptions
from consolidation.errors import SourceError
from consolidation.formats.groundtruth import listed_classes, parse_classes
from consolidation.formats.groundtruth.events import job_name
from consolidation.masks import Classes
from consolidation.storage import is_s3


def job_classes(
    job_arn: str, options: LambdaOptions, config: Config, listed: Sequence[Any] = ()
) -> Classes:
    """Classes of a job.

    Parameters
    ----------
    job_arn : str
    options : LambdaOptions
    config : botocore Config
        For the call that describes the job.
    listed : sequence
        What the event lists: texts, or objects with a `label`.

    Raises
    ------
    SourceError, StorageError
        If no source has them, or one cannot be read.
    """
    if listed:
        return listed_classes(listed, "the event's labelCategories")
    configured = options.listed_classes()
    if configured is not None:
        return configured
    return _read(job_arn, options.labels.strip() or None, config)


@lru_cache(maxsize=64)
def _read(job_arn: str, uri: str | None, config: Config) -> Classes:
    """Classes of a file, read once a job: its numbering must not change in between."""
    uri = uri or _file_of_job(job_arn, config)
    return parse_classes(storage.read_bytes(uri), uri)


def _file_of_job(job_arn: str, config: Config) -> str:
    otherwise = f"the event has no labelCategories; {LABELS} can give them"
    try:
        job = sagemaker_client(config).describe_labeling_job(LabelingJobName=job_name(job_arn))
    except (BotoCoreError, ClientError) as error:
        raise SourceError(f"no classes: {otherwise}; {error}") from None
    uri = job.get("LabelCategoryConfigS3Uri")
    if not uri or not is_s3(uri):
        raise SourceError(f"no classes: {otherwise}; the job has no label-categories file")
    return str(uri)
