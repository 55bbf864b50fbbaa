"""The wire formats of Ground Truth: requests, answers, label categories, manifests. No policy."""

from consolidation.formats.groundtruth.annotation import AnnotationAnswer
from consolidation.formats.groundtruth.answers import check_bytes, label_names, parse_answer
from consolidation.formats.groundtruth.categories import listed_classes, parse_classes
from consolidation.formats.groundtruth.events import (
    ConsolidationEvent,
    TaskEvent,
    parse_consolidation_event,
    parse_task_event,
)
from consolidation.formats.groundtruth.manifest import (
    compact,
    manifest_line,
    mask_labels,
    metadata,
    parse_manifest,
    parse_response,
    result_metadata,
)
from consolidation.formats.groundtruth.requests import (
    Annotation,
    RequestObject,
    parse_object,
    parse_request,
    read_request,
)
from consolidation.formats.groundtruth.responses import WorkerResponse, parse_worker_responses
from consolidation.formats.groundtruth.spans import Span, lines
from consolidation.formats.json_text import load_json

__all__ = [
    "Annotation",
    "AnnotationAnswer",
    "ConsolidationEvent",
    "RequestObject",
    "Span",
    "TaskEvent",
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
    "result_metadata",
]
