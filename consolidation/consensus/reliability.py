"""What a job tells about its workers: agreement that adds up, over images and machines.

How quality, junk and weights follow from it stands in `consolidation.consensus.quality`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation.consensus.agreement import AgreementSums
from consolidation.consensus.estimate import Estimate
from consolidation.consensus.independence import Group, dependent_groups, image_offsets
from consolidation.consensus.overlap import mean_of_present, overlap_iou
from consolidation.consensus.pair_sums import PairSums
from consolidation.consensus.patterns import VotePatterns
from consolidation.consensus.quality import estimate_quality
from consolidation.consensus.stack import Stack
from consolidation.consensus.worker_sums import Spread, WorkerSums, image_sums

FORMAT = "consolidation/reliability-3"


class Reliability:
    """Agreement of workers, added up over images.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> reliability = Reliability()
    >>> for _ in range(5):
    ...     truth = (rng.random((16, 16)) < 0.4).astype(np.uint8)
    ...     junk = (rng.random((16, 16)) < 0.4).astype(np.uint8)
    ...     reliability.add([truth, truth, junk], workers=["ann", "bob", "cat"])
    >>> estimate = reliability.estimate()
    >>> sorted(estimate.junk)
    ['cat']
    >>> reliability.weights(["ann", "cat", "new"]).round(2).tolist()[:2]
    [1.0, 0.0]
    """

    def __init__(self) -> None:
        self._pairs: dict[tuple[str, str], PairSums] = {}
        self._workers: dict[str, WorkerSums] = {}
        self._agreement = AgreementSums()
        self._groups: tuple[Group, ...] | None = None
        self._estimate: Estimate | None = None

    def add(
        self,
        masks: NDArray[Any] | Sequence[NDArray[Any]],
        workers: Sequence[str],
        ignore_index: int | None = None,
    ) -> None:
        """Count one image.

        Parameters
        ----------
        masks : ndarray of shape (W, H, Wd), or sequence of W ndarrays of shape (H, Wd)
            Class indices, uint8 or uint16.
        workers : sequence of W str
            Ids that mean the same person in every image.
        ignore_index : int, optional
            A label that is no vote.
        """
        stack = Stack(masks, ignore_index)
        ids = stack.checked_ids(workers)
        patterns = VotePatterns.encode(stack.array)
        k = stack.highest() + 1
        agreements = patterns.agreements(k, stack.ignore)
        self._agreement += AgreementSums.of(patterns, k, stack.ignore)
        painted = ((patterns.tuples != 0) & (patterns.tuples != stack.ignore)).any(axis=0)
        for worker, own in zip(ids, image_sums(agreements, painted), strict=True):
            self._add_worker(worker, own)
        offsets = image_offsets(stack)
        for a, first in enumerate(ids):
            for b in range(a + 1, len(ids)):
                sums, both = agreements[a, b], np.stack([offsets[a, b], offsets[b, a]])
                pair = (first, ids[b])
                if pair[0] > pair[1]:
                    pair, sums, both = (pair[1], pair[0]), sums[[0, 2, 1]], both[::-1]
                self._add_pair(pair, PairSums(sums.copy(), 1, both, int(both[..., :-1].any())))
        self._changed()

    def _add_pair(self, key: tuple[str, str], pair: PairSums) -> None:
        known = self._pairs.get(key)
        self._pairs[key] = pair if known is None else known + pair

    def _add_worker(self, worker: str, own: WorkerSums) -> None:
        self._workers[worker] = self._workers.get(worker, WorkerSums()).plus(own)

    def _changed(self) -> None:
        self._groups = self._estimate = None

    def __iadd__(self, other: Reliability) -> Reliability:
        """Add what another one has counted."""
        if not isinstance(other, Reliability):
            return NotImplemented
        for key, pair in other._pairs.items():
            self._add_pair(key, pair)
        for worker, own in other._workers.items():
            self._add_worker(worker, own)
        self._agreement += other._agreement
        self._changed()
        return self

    def __add__(self, other: Reliability) -> Reliability:
        """Sum of both."""
        total = Reliability()
        total += self
        total += other
        return total

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reliability) and self.as_dict() == other.as_dict()

    @property
    def images(self) -> dict[str, int]:
        """Images each worker did."""
        return {worker: own.images for worker, own in sorted(self._workers.items())}

    def without(self, *workers: str) -> Reliability:
        """Qualities and weights as if these workers had never taken part.

        Who of the others is independent stays as it is; standard errors and alpha are those of
        the whole, and are left out.
        """
        rest = Reliability()
        rest._pairs = {
            key: pair for key, pair in self._pairs.items() if not set(workers) & set(key)
        }
        rest._workers = {
            key: own._replace(agreement=Spread())
            for key, own in self._workers.items()
            if key not in workers
        }
        rest._groups = tuple(
            group._replace(workers=left)
            for group in self.groups()
            if len(left := tuple(w for w in group.workers if w not in workers)) > 1
        )
        return rest

    def groups(self) -> tuple[Group, ...]:
        """Workers who are not independent; see `independence`."""
        if self._groups is None:
            self._groups = dependent_groups(self._pairs)
        return self._groups

    def weights(self, workers: Sequence[str]) -> NDArray[np.float64]:
        """Weights (W,) of workers; see `Estimate.weights`."""
        return self.estimate().weights(workers)

    def twins(self) -> list[tuple[str, str]]:
        """Pairs with the same answer to the pixel in two images or more, not only blank ones."""
        return sorted(
            key
            for key, pair in self._pairs.items()
            if pair.images >= 2
            and (pair.sums[0] == pair.sums[1]).all()
            and (pair.sums[0] == pair.sums[2]).all()
            and pair.sums[0, 1:].any()
        )

    def krippendorff_alpha(self) -> float:
        """Krippendorff's alpha over all images; NaN where no two classes occur."""
        return self._agreement.krippendorff_alpha()

    def agreement_matrix(self) -> tuple[list[str], NDArray[np.float64]]:
        """Workers, sorted, and (M, M) the mean IoU over classes of every two of them.

        Over the images both did, pixels pooled; NaN where there is none.
        """
        workers = sorted(self._workers)
        index_of = {worker: index for index, worker in enumerate(workers)}
        matrix = np.full((len(workers), len(workers)), np.nan)
        np.fill_diagonal(matrix, 1.0)
        for (first, second), pair in self._pairs.items():
            a, b = index_of[first], index_of[second]
            matrix[a, b] = matrix[b, a] = mean_of_present(overlap_iou(pair.sums))
        return workers, matrix

    def estimate(self) -> Estimate:
        """Quality of every worker, by rounds of weighted agreement until weights stand still."""
        if self._estimate is None:
            self._estimate = estimate_quality(self._workers, self._pairs, self.groups())
        return self._estimate

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "format": FORMAT,
            "workers": {worker: own.as_list() for worker, own in sorted(self._workers.items())},
            "pairs": [
                {"workers": list(key), **pair.as_dict()}
                for key, pair in sorted(self._pairs.items())
            ],
            "agreement": {
                "values": self._agreement.values.tolist(),
                "conflicts": {str(m): n for m, n in sorted(self._agreement.conflicts.items())},
            },
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Reliability:
        """Inverse of `as_dict`; ValueError if it is something else."""
        if content.get("format") != FORMAT:
            raise ValueError(f"format {content.get('format')!r}, not {FORMAT!r}")
        reliability = cls()
        reliability._workers = {
            str(key): WorkerSums.of(numbers) for key, numbers in content["workers"].items()
        }
        for entry in content["pairs"]:
            first, second = entry["workers"]
            pair = PairSums.of(entry)
            known = first in reliability._workers and second in reliability._workers
            if not known or first >= second or (first, second) in reliability._pairs:
                raise ValueError(f"workers {first!r} and {second!r} are no pair of its workers")
            reliability._pairs[first, second] = pair
        sums = content["agreement"]
        reliability._agreement = AgreementSums(
            np.array(sums["values"], np.int64).reshape(-1),
            {int(m): int(n) for m, n in sums["conflicts"].items()},
        )
        conflicts = reliability._agreement.conflicts
        if (reliability._agreement.values < 0).any() or any(
            m < 2 or n < 0 for m, n in conflicts.items()
        ):
            raise ValueError("impossible counts of agreement")
        return reliability

    def save(self, path: str | Path) -> None:
        """Write as JSON; the same counts give the same bytes, in whatever order they were added."""
        Path(path).write_text(self.to_json(), encoding="utf-8")

    def to_json(self) -> str:
        """Text that `save` writes."""
        return json.dumps(self.as_dict(), separators=(",", ":")) + "\n"

    @classmethod
    def load(cls, path: str | Path) -> Reliability:
        """Read what `save` wrote; ValueError if it is something else."""
        return cls.from_json(Path(path).read_bytes(), str(path))

    @classmethod
    def from_json(cls, text: str | bytes, name: str) -> Reliability:
        """Inverse of `to_json`; ValueError, with `name` in it, if it is something else."""
        try:
            return cls.from_dict(json.loads(text))
        except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
            raise ValueError(f"{name} holds no reliability statistics: {error}") from None
