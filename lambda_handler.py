"""The Lambda functions of a labeling job: what AWS calls. All that they do is elsewhere.

`handler` takes the place of ``ACS-SemanticSegmentation``, `pre_handler` that of
``PRE-SemanticSegmentation``. Configuration is read, and everything imported, before the first
event comes: what is wrong shows when the function starts, not in the middle of a job.
"""

from __future__ import annotations

import os
from typing import Any

from consolidation.aws.kernel_cache import use_baked_cache

# before the imports below import numba, which reads its configuration only once
use_baked_cache()

from consolidation.aws.invocation import consolidate_event  # noqa: E402
from consolidation.aws.settings import read_options  # noqa: E402
from consolidation.aws.task import make_task  # noqa: E402

_options = read_options(os.environ)


def handler(event: Any, context: Any) -> list[dict[str, Any]]:
    """Consolidate the annotated objects of a payload (post-annotation)."""
    return consolidate_event(event, context, _options)


def pre_handler(event: Any, context: Any) -> dict[str, Any]:
    """Make an object's task for the workers (pre-annotation)."""
    return make_task(event, context, _options)
