"""What Ground Truth gets back for each object, and the limits of it."""

from __future__ import annotations

import json
from typing import Any

from consolidation.errors import ObjectError
from consolidation.formats.groundtruth import compact
from consolidation.formats.groundtruth.manifest import METADATA_SUFFIX, failure_metadata

MOST_BYTES = 6_000_000
"""Lambda's limit is 6 MB, 6 x 2^20 bytes."""
MOST_CHARACTERS = 20_000
"""Of an attribute in a manifest that a job can read."""
MOST_PROVENANCE = 1_000
"""Characters of provenance in the metadata."""
PROVENANCE = "consolidation"


class Response:
    """The list that Ground Truth gets, in the order in which objects are added."""

    def __init__(self, attribute: str, time: str, job_name: str) -> None:
        self._attribute, self._time, self._job_name = attribute, time, job_name
        self.entries: list[dict[str, Any]] = []
        self._bytes = 2

    def add(
        self, object_id: str, mask_uri: str, block: dict[str, Any], provenance: dict[str, Any]
    ) -> None:
        """Add a consolidated object; ObjectError if it cannot be sent, or finds no room."""
        extended = {**block, PROVENANCE: provenance}
        fits = len(compact(provenance)) <= MOST_PROVENANCE
        if fits and len(compact(extended)) <= MOST_CHARACTERS:
            block = extended
        self._append(object_id, {self._attribute: mask_uri}, block)

    def add_failure(self, object_id: str, reason: str) -> None:
        """Add an object without a label; ObjectError as `add`."""
        self._append(object_id, {}, failure_metadata(reason, self._time, self._job_name))

    def _append(self, object_id: str, content: dict[str, Any], block: dict[str, Any]) -> None:
        content = {**content, self._attribute + METADATA_SUFFIX: block}
        entry = {"datasetObjectId": object_id, "consolidatedAnnotation": {"content": content}}
        try:
            json.dumps(entry, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            # the runtime for Python 3.12 and later would end, and the whole batch with it
            raise ObjectError(f"its entry in the response has no form in UTF-8: {error}") from None
        # the runtime writes blanks after commas, and some versions escape what is not ASCII
        size = len(json.dumps(entry)) + 2
        if self._bytes + size > MOST_BYTES:
            raise ObjectError(
                f"the response is full: it has {self._bytes:,} bytes, this object needs {size:,}, "
                f"and {MOST_BYTES:,} are allowed"
            )
        self._bytes += size
        self.entries.append(entry)
