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
from consolidation.text import shown


def distinct_objects(
    payload: bytes, uri: str, max_objects: int = Limits.objects
) -> list[RequestObject]:
    """Objects of a payload, in its order; entries of one id are one object, as in a local run.

    Their answers join, and the same worker's latest counts. If they are of two pictures, the object
    fails: nobody knows which of them is meant.

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
    named = {request.id for request in objects if request.named}
    distinct: dict[str, RequestObject] = {}
    for request in objects:
        name = request.id
        while not request.named and name in named:
            name += "'"  # what is broken must not replace what is not
        earlier = distinct.pop(name, None)
        called = replace(request, id=name)
        distinct[name] = called if earlier is None else _joined(earlier, called)
    return list(distinct.values())


def _joined(earlier: RequestObject, later: RequestObject) -> RequestObject:
    """Two entries of one id as one object."""
    pictures = {earlier.source_ref, later.source_ref} - {None}
    error = later.error or earlier.error
    if len(pictures) > 1:
        first, second = sorted(map(shown, pictures))
        error = f"its id is that of two pictures, {first} and {second}"
    return replace(
        later,
        source_ref=later.source_ref or earlier.source_ref,
        annotations=(*earlier.annotations, *later.annotations),
        error=error,
    )


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

    def labeled(self, request: RequestObject) -> LabeledObject:
        """Object with its answers at hand.

        Raises
        ------
        StorageError
            If an answer is there but could not be read: the object must not be decided without.
        OutOfTimeError
        """
        # an object with too many answers fails anyway
        wanted = request.annotations if len(request.annotations) <= self.limits.answers else ()
        most = self.limits.answer_bytes
        fetches = {
            annotation.uri: self.transfers.start(storage.read_bytes, annotation.uri, most)
            for annotation in wanted
            if annotation.uri is not None and annotation.uri in self.allowed
        }
        at_hand = [self._at_hand(annotation, fetches) for annotation in request.annotations]
        return LabeledObject(
            id=request.id,
            line={"source-ref": request.source_ref} if request.source_ref else {},
            answers=[(annotation.worker, AnnotationAnswer(annotation)) for annotation in at_hand],
            error=request.error,
        )

    def _at_hand(self, annotation: Annotation, fetches: dict[str, Future[bytes]]) -> Annotation:
        if annotation.uri is None:
            return annotation
        if annotation.uri not in fetches:
            outside = f"its s3Uri {annotation.uri} does not lie within the job's prefix"
            return Annotation(annotation.worker, error=outside)
        try:
            content = self.deadline.wait(fetches[annotation.uri], f"reading {annotation.uri}")
        except StorageError as error:
            if error.absent:
                return Annotation(annotation.worker, error=str(error))
            raise StorageError(f"worker {annotation.worker}: {error}") from None
        return Annotation(annotation.worker, content=content)


def all_workers(objects: Sequence[RequestObject]) -> set[str]:
    """Ids of all workers of a payload."""
    return {annotation.worker for request in objects for annotation in request.annotations}
