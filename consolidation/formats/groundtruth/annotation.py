"""An annotation of a request as an object's answer: fetched and parsed when it is needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from consolidation import storage
from consolidation.errors import AnswerError
from consolidation.formats.groundtruth.answers import parse_answer
from consolidation.formats.groundtruth.requests import Annotation
from consolidation.limits import Limits
from consolidation.masks import check_whole
from consolidation.objects import LoadedAnswer, PictureAnswer
from consolidation.options import Options


@dataclass(frozen=True)
class AnnotationAnswer:
    """An annotation of a request, fetched and parsed when it is needed."""

    annotation: Annotation
    folder: str | None = None
    """The source's: an annotation elsewhere than on S3 must lie in it. None: on S3 only."""

    def load(self, options: Options) -> LoadedAnswer:
        """Return the widget's answer in it."""
        answer = parse_answer(self.content(options.limits), options.limits)
        # before its size is believed
        return PictureAnswer(answer, check_whole(answer.png))

    def content(self, limits: Limits) -> str | bytes | Mapping[str, Any]:
        """Return the content, read from where it lies; ConsolidationError if that cannot be."""
        annotation = self.annotation
        if annotation.error is not None:
            raise AnswerError(annotation.error)
        if annotation.content is not None:
            return annotation.content
        assert annotation.uri is not None
        if self.folder is None and not storage.is_s3(annotation.uri):
            raise AnswerError(f"its s3Uri {annotation.uri!r} is no s3:// URI")
        return storage.read_bytes(
            storage.within(self.folder or "", annotation.uri), limits.answer_bytes
        )
