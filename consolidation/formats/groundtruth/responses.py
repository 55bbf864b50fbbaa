"""Worker responses: the answers to one object as Ground Truth keeps them, with times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from consolidation.errors import SourceError
from consolidation.formats.groundtruth.requests import Annotation
from consolidation.formats.json_text import finite_number, load_json

MOST_SECONDS = 1e9
"""Thirty years: more is no time that somebody spent, and would spoil every mean it is in."""


@dataclass(frozen=True)
class WorkerResponse:
    """One submitted answer and the seconds it took; None where the file does not say."""

    annotation: Annotation
    seconds: float | None = None


def parse_worker_responses(data: bytes | str, name: str) -> list[WorkerResponse]:
    """Read the answers in a file below ``annotations/worker-response``.

    Raises
    ------
    SourceError
        If the file is none; `name` is used in the message. What is wrong with one answer stands
        in its `error`.

    Examples
    --------
    >>> [one] = parse_worker_responses('{"answers": [{"workerId": "w", "timeSpentInSeconds": 4.5, \
"answerContent": {"seg": {}}}]}', "0.json")
    >>> one.annotation.worker, one.seconds
    ('w', 4.5)
    """
    try:
        content = load_json(data)
    except ValueError as error:
        raise SourceError(f"{name} is not JSON: {error}") from None
    answers = content.get("answers") if isinstance(content, Mapping) else None
    if not isinstance(answers, list):
        raise SourceError(f"{name} is no worker response: it has no list of answers")
    return [_response(entry, index) for index, entry in enumerate(answers)]


def _response(entry: Any, index: int) -> WorkerResponse:
    entry = entry if isinstance(entry, Mapping) else {}
    worker, content = entry.get("workerId"), entry.get("answerContent")
    if not isinstance(worker, str) or not worker:
        return WorkerResponse(Annotation(f"answer-{index}", error="it has no workerId"))
    if not isinstance(content, Mapping | str):
        return WorkerResponse(Annotation(worker, error="it has no answerContent"))
    seconds = finite_number(entry.get("timeSpentInSeconds"))
    if seconds is not None and not 0 <= seconds <= MOST_SECONDS:
        seconds = None
    return WorkerResponse(Annotation(worker, content=content), seconds)
