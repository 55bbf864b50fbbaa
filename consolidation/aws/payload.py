"""The objects of a payload, and their annotations fetched where they lie beside it on S3."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace

from consolidation import storage
from consolidation.aws.access import Transfers
from consolidation.aws.deadline import Deadline
from consolidation.aws.layout import Prefixes
from consolidation.formats.groundtruth import (
    Annotation,
    AnnotationAnswer,
    RequestObject,
    parse_request,
)
from consolidation.limits import Limits
from consolidation.objects.prepare import LabeledObject
from consolidation.storage import StorageError


def distinct_objects(
    payload: bytes, uri: str, max_objects: int = Limits.objects
) -> list[RequestObject]:
    """Objects of a payload, in its order; of two with the same id the later, as in a local run.

    Raises
    ------
    SourceError
        If it is no consolidation request, or has more objects than it may.

    Examples
    --------
    >>> payload = b'[{"datasetObjectId": "7", "annotations": []}, {"annotations": []}]'
    >>> [one.id for one in distinct_objects(payload, "payload.json")]
    ['7', 'entry-1']
    """
    objects = parse_request(payload, uri, max_objects)
    named = {one.id for one in objects if one.named}
    distinct: dict[str, RequestObject] = {}
    for one in objects:
        name = one.id
        while not one.named and name in named:
            name += "'"  # what is broken must not replace what is not
        distinct.pop(name, None)
        distinct[name] = replace(one, id=name)
    return list(distinct.values())


@dataclass(frozen=True)
class Fetcher:
    """Gets annotations that are not in the payload itself, all of an object at once.

    Attributes
    ----------
    allowed : Prefixes
        Where they may lie; whoever names another place has that answer dropped.
    transfers : Transfers
    deadline : Deadline
    limits : Limits
        Of the answers; what is larger is not fetched.
    """

    allowed: Prefixes
    transfers: Transfers
    deadline: Deadline
    limits: Limits

    def labeled(self, one: RequestObject) -> LabeledObject:
        """Object with its answers at hand.

        Raises
        ------
        StorageError
            If an answer is there but could not be read: the object must not be decided without.
        OutOfTimeError
        """
        # an object with too many answers fails anyway
        wanted = one.annotations if len(one.annotations) <= self.limits.answers else ()
        most = self.limits.answer_bytes
        fetches = {
            each.uri: self.transfers.start(storage.read_bytes, each.uri, most)
            for each in wanted
            if each.uri is not None and each.uri in self.allowed
        }
        at_hand = [self._at_hand(each, fetches) for each in one.annotations]
        return LabeledObject(
            id=one.id,
            line={"source-ref": one.source_ref} if one.source_ref else {},
            answers=[(each.worker, AnnotationAnswer(each)) for each in at_hand],
            error=one.error,
        )

    def _at_hand(self, each: Annotation, fetches: dict[str, Future[bytes]]) -> Annotation:
        if each.uri is None:
            return each
        if each.uri not in fetches:
            outside = f"its s3Uri {each.uri} does not lie within the job's prefix"
            return Annotation(each.worker, error=outside)
        try:
            content = self.deadline.wait(fetches[each.uri], f"reading {each.uri}")
        except StorageError as error:
            if error.absent:
                return Annotation(each.worker, error=str(error))
            raise StorageError(f"worker {each.worker}: {error}") from None
        return Annotation(each.worker, content=content)


def all_workers(objects: Sequence[RequestObject]) -> set[str]:
    """Ids of all workers of a payload."""
    return {each.worker for one in objects for each in one.annotations}
