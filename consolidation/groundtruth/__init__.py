"""The wire formats of Ground Truth: requests, answers, label categories, manifests. No policy."""

from consolidation.groundtruth.answers import WorkerAnswer, load_json, parse_answer
from consolidation.groundtruth.categories import parse_classes
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
from consolidation.groundtruth.requests import Annotation, RequestObject, parse_request

__all__ = [
    "Annotation",
    "MaskClass",
    "MaskLabel",
    "RequestObject",
    "WorkerAnswer",
    "compact",
    "load_json",
    "manifest_line",
    "mask_labels",
    "metadata",
    "parse_answer",
    "parse_classes",
    "parse_manifest",
    "parse_request",
    "parse_response",
]
