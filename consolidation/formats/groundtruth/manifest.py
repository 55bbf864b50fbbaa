"""Output manifest lines: a label's URI and its metadata block, written and read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from consolidation.errors import SourceError
from consolidation.formats.json_text import finite_number, load_json
from consolidation.objects.mask_class import MaskClass, MaskLabel
from consolidation.objects.pipeline import ObjectResult
from consolidation.text import shown

MASK_TYPE = "groundtruth/semantic-segmentation"
METADATA_SUFFIX = "-metadata"
_INDEX = re.compile(r"[0-9]{1,3}")
MOST_OF_REASON = 1000
"""Characters of a failure's reason: an attribute has little room."""


def color_map(classes: Sequence[MaskClass], confidence: float) -> dict[str, dict[str, Any]]:
    """Every class with its colour and the image's confidence, by index as text.

    Examples
    --------
    >>> color_map([MaskClass(0, "BACKGROUND", "#ffffff")], 0.0)
    {'0': {'class-name': 'BACKGROUND', 'hex-color': '#ffffff', 'confidence': 0.0}}
    """
    return {
        str(entry.index): {
            "class-name": entry.name,
            "hex-color": entry.color,
            "confidence": confidence,
        }
        for entry in classes
    }


def metadata(
    classes: Sequence[MaskClass],
    confidence: float,
    creation_date: str,
    job_name: str,
    adjusted: bool | None = None,
) -> dict[str, Any]:
    """Return the `-metadata` block beside a label, keys in Ground Truth's order.

    Parameters
    ----------
    confidence : float
        Of the image, in [0, 1]; 0 when there was one worker.
    creation_date : str
        ISO 8601, UTC, no zone.
    job_name : str
        With or without ``labeling-job/``; written in lower case, as Ground Truth does.
    adjusted : bool, optional
        In adjustment jobs, whether any worker changed the mask.
    """
    block: dict[str, Any] = {
        "internal-color-map": color_map(classes, confidence),
        "type": MASK_TYPE,
        "human-annotated": "yes",
        "creation-date": creation_date,
        "job-name": f"labeling-job/{job_name.lower().removeprefix('labeling-job/')}",
    }
    if adjusted is not None:
        block["adjustment-status"] = "adjusted" if adjusted else "unadjusted"
    return block


def result_metadata(result: ObjectResult, creation_date: str, job_name: str) -> dict[str, Any]:
    """Return the `-metadata` block of a consolidated object; see `metadata`."""
    confidence = result.reported_confidence
    return metadata(result.classes, confidence, creation_date, job_name, result.adjusted)


def failure_metadata(reason: str, creation_date: str, job_name: str) -> dict[str, Any]:
    """Return the `-metadata` block of an object that has no label.

    Ground Truth documents none. Whoever reads labels passes over this one, for it has no colour
    map, and a person finds the reason.
    """
    block = metadata((), 0.0, creation_date, job_name)
    del block["internal-color-map"]
    return {"failure-reason": reason[:MOST_OF_REASON], **block}


def manifest_line(
    line: Mapping[str, Any], attribute: str, label: str | None, block: Mapping[str, Any] | None
) -> str:
    """One line of JSON: the keys of `line`, then the label and its metadata.

    An earlier label of the same attribute is replaced. Without a label the line is unlabelled.
    """
    names = (attribute, attribute + METADATA_SUFFIX)
    out = {key: value for key, value in line.items() if key not in names}
    if label is not None:
        out[attribute] = label
        out[attribute + METADATA_SUFFIX] = _whole_numbers(block)
    return compact(out)


def compact(value: Any) -> str:
    """JSON without spaces, in UTF-8."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _whole_numbers(value: Any) -> Any:
    """Write 0.0 as 0, as Ground Truth does in manifests."""
    if isinstance(value, Mapping):
        return {key: _whole_numbers(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_whole_numbers(entry) for entry in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def parse_manifest(data: bytes | str, name: str) -> list[dict[str, Any]]:
    """Lines of a manifest as objects; SourceError names the line that is none."""
    try:
        text = data.decode("utf-8-sig") if isinstance(data, bytes) else data
    except UnicodeDecodeError as error:
        raise SourceError(f"{name} is not UTF-8: {error.reason} at byte {error.start}") from None
    lines = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            content = load_json(line)
        except ValueError as error:
            raise SourceError(f"{name}, line {number} is not JSON: {error}") from None
        if not isinstance(content, dict):
            raise SourceError(f"{name}, line {number} is not a JSON object")
        lines.append(content)
    return lines


def mask_labels(content: Mapping[str, Any]) -> list[MaskLabel]:
    """Return the semantic-segmentation labels of a manifest line, or of a response's content.

    A failed object has metadata without a colour map, or no label: it is left out.
    """
    labels = []
    for key, block in content.items():
        attribute = key.removesuffix(METADATA_SUFFIX)
        uri = content.get(attribute)
        if attribute == key or not isinstance(block, Mapping) or not isinstance(uri, str):
            continue
        listed = block.get("internal-color-map")
        if not isinstance(listed, Mapping):
            continue
        entries = {key: entry for key, entry in listed.items() if isinstance(entry, Mapping)}
        classes = tuple(
            MaskClass(int(index), entry["class-name"], entry["hex-color"])
            for index, entry in entries.items()
            if _INDEX.fullmatch(index)
            and isinstance(entry.get("class-name"), str)
            and isinstance(entry.get("hex-color"), str)
        )
        confidence = next(iter(entries.values()), {}).get("confidence", 0)
        status = block.get("adjustment-status")
        labels.append(
            MaskLabel(
                attribute=attribute,
                mask_uri=uri,
                classes=classes,
                confidence=finite_number(confidence) or 0.0,
                creation_date=str(block.get("creation-date", "")),
                job_name=str(block.get("job-name", "")),
                adjusted=None if status is None else status == "adjusted",
            )
        )
    return labels


def parse_response(data: bytes | str, name: str) -> dict[str, Mapping[str, Any]]:
    """Return the content of a consolidation response by object id."""
    try:
        entries = load_json(data)
        return {
            str(entry["datasetObjectId"]): dict(entry["consolidatedAnnotation"]["content"])
            for entry in entries
        }
    except (ValueError, TypeError, KeyError) as error:
        raise SourceError(f"{name} is not a consolidation response: {shown(error)}") from None
