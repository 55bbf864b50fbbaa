"""The wire formats of Ground Truth: requests, answers, label categories, manifests. No policy."""

from consolidation.groundtruth.answers import WorkerAnswer, check_bytes, label_names, parse_answer
from consolidation.groundtruth.categories import listed_classes, parse_classes
from consolidation.groundtruth.events import (
    ConsolidationEvent,
    TaskEvent,
    parse_consolidation_event,
    parse_task_event,
)
from consolidation.groundtruth.json_text import load_json
from consolidation.groundtruth.manifest import (
    MaskClass,
    MaskLabel,
    compact,
    manifest_line,
    mask_labels,
    metadata,
    parse_manifest,
    parse_response,
)
from consolidation.groundtruth.requests import (
    Annotation,
    RequestObject,
    parse_object,
    parse_request,
    read_request,
)
from consolidation.groundtruth.responses import WorkerResponse, parse_worker_responses
from consolidation.groundtruth.spans import Span, lines

__all__ = [
    "Annotation",
    "ConsolidationEvent",
    "MaskClass",
    "MaskLabel",
    "RequestObject",
    "Span",
    "TaskEvent",
    "WorkerAnswer",
    "WorkerResponse",
    "check_bytes",
    "compact",
    "label_names",
    "lines",
    "listed_classes",
    "load_json",
    "manifest_line",
    "mask_labels",
    "metadata",
    "parse_answer",
    "parse_classes",
    "parse_consolidation_event",
    "parse_manifest",
    "parse_object",
    "parse_request",
    "parse_response",
    "parse_task_event",
    "parse_worker_responses",
    "read_request",
]
