"""How reliable each worker is, learnt from how workers agree over a job; no truth is needed.

For two workers a, b who labelled N common pixels and a class c, let T be the pixels that both
gave c, A and B those that each gave c, and e = A B / N what chance alone would let them share.
Then (T - e) / ((A + B) / 2 - e) is Cohen's kappa (1960) of c against the rest. A worker's
agreement is, averaged over classes, the sum of the numerators over that worker's co-workers b,
each with b's weight, divided by the same sum of the denominators. Two workers who never give a
class have no chance to agree on it (0 / 0) and are no evidence for each other, so blank answers
do not vouch for blank answers.

Agreement k over n images is shrunk to the job's mean as (n k + 2 mean) / (n + 2); the next
round's weights are its fourth power. T, A, B and N add up: over images, batches, processes and
machines.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation.consensus.patterns import VotePatterns
from consolidation.consensus.stack import Stack

PSEUDO_IMAGES = 2.0
"""Images of mean agreement that every worker is credited with."""
POWER = 4
"""Weight = quality to this power. On real crowds 2 to 16 differ by less than their error."""
JUNK = 0.4
"""A worker below this share of the co-workers' quality is junk. Real workers were all above .63,
stable junk (blank, blobs, noise) all below .18; the middle is .4. It takes four images of pure junk
to get there."""
TOLERANCE, MAX_ROUNDS = 1e-6, 50
FORMAT = "consolidation/reliability-1"


@dataclass(frozen=True)
class Estimate:
    """Reliability of workers.

    Attributes
    ----------
    quality : dict of worker to float
        Shrunk agreement with the co-workers, 0 to 1.
    level : dict of worker to float
        Mean quality of those the worker shared images with.
    junk : frozenset of str
        Workers plainly not doing the task; never all of them.
    mean : float
        Quality of a worker nothing is known about.
    rounds : int
    converged : bool
    """

    quality: Mapping[str, float]
    level: Mapping[str, float]
    junk: frozenset[str]
    mean: float
    rounds: int
    converged: bool

    def weights(self, workers: Sequence[str]) -> NDArray[np.float64]:
        """Weights (W,) for these workers: quality to the fourth power, 0 for junk.

        If all of them are junk, they weigh the same.
        """
        quality = np.array([self.quality.get(worker, self.mean) for worker in workers])
        weights = np.maximum(quality, 1e-3) ** POWER
        weights[[worker in self.junk for worker in workers]] = 0.0
        return weights / weights.max() if weights.any() else np.ones(len(workers))


class _Pair:
    """Sums of two workers over the images both did: both, first, second of shape (K,)."""

    def __init__(self, sums: NDArray[np.int64], images: int) -> None:
        self.sums = sums
        self.images = images

    def __add__(self, other: _Pair) -> _Pair:
        k = max(self.sums.shape[1], other.sums.shape[1])
        sums = np.zeros((3, k), np.int64)
        sums[:, : self.sums.shape[1]] += self.sums
        sums[:, : other.sums.shape[1]] += other.sums
        return _Pair(sums, self.images + other.images)


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
    >>> estimate.junk
    frozenset({'cat'})
    >>> reliability.weights(["ann", "cat", "new"]).round(2).tolist()[:2]
    [1.0, 0.0]
    """

    def __init__(self) -> None:
        self._pairs: dict[tuple[str, str], _Pair] = {}
        self._images: dict[str, int] = {}
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
        for a, first in enumerate(ids):
            self._images[first] = self._images.get(first, 0) + 1
            for b in range(a + 1, len(ids)):
                sums = agreements[a, b]
                pair = (first, ids[b])
                if pair[0] > pair[1]:
                    pair, sums = (pair[1], pair[0]), sums[[0, 2, 1]]
                self._add_pair(pair, _Pair(sums.copy(), 1))
        self._estimate = None

    def _add_pair(self, key: tuple[str, str], pair: _Pair) -> None:
        known = self._pairs.get(key)
        self._pairs[key] = pair if known is None else known + pair

    def __iadd__(self, other: Reliability) -> Reliability:
        """Add what another one has counted."""
        if not isinstance(other, Reliability):
            return NotImplemented
        for key, pair in other._pairs.items():
            self._add_pair(key, pair)
        for worker, images in other._images.items():
            self._images[worker] = self._images.get(worker, 0) + images
        self._estimate = None
        return self

    def __add__(self, other: Reliability) -> Reliability:
        """Sum of both."""
        total = Reliability()
        total += self
        total += other
        return total

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reliability) and self.as_dict() == other.as_dict()

    __hash__ = None  # type: ignore[assignment]

    @property
    def images(self) -> dict[str, int]:
        """Images each worker did."""
        return dict(sorted(self._images.items()))

    def without(self, worker: str) -> Reliability:
        """The same, as if this worker had never taken part."""
        rest = Reliability()
        rest._pairs = {key: pair for key, pair in self._pairs.items() if worker not in key}
        rest._images = {key: n for key, n in self._images.items() if key != worker}
        return rest

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

    def estimate(self) -> Estimate:
        """Quality of every worker, by rounds of weighted agreement until weights stand still."""
        if self._estimate is None:
            self._estimate = _estimate(self._images, self._pairs)
        return self._estimate

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "format": FORMAT,
            "images": self.images,
            "pairs": [
                {"workers": list(key), "images": pair.images, "sums": pair.sums.tolist()}
                for key, pair in sorted(self._pairs.items())
            ],
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Reliability:
        """Inverse of `as_dict`; ValueError if it is something else."""
        if content.get("format") != FORMAT:
            raise ValueError(f"format {content.get('format')!r}, not {FORMAT!r}")
        reliability = cls()
        reliability._images = {str(key): int(n) for key, n in content["images"].items()}
        if any(n < 1 for n in reliability._images.values()):
            raise ValueError("a worker did no image")
        for entry in content["pairs"]:
            first, second = entry["workers"]
            sums = np.array(entry["sums"], np.int64).reshape(3, -1)
            known = first in reliability._images and second in reliability._images
            if not known or first >= second or (first, second) in reliability._pairs:
                raise ValueError(f"workers {first!r} and {second!r} are no pair of its workers")
            if (sums < 0).any() or (sums[0] > sums[1:]).any():
                raise ValueError(f"impossible counts for {first!r} and {second!r}")
            reliability._pairs[first, second] = _Pair(sums, int(entry["images"]))
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


def _estimate(images: Mapping[str, int], pairs: Mapping[tuple[str, str], _Pair]) -> Estimate:
    workers = sorted(images)
    place = {worker: index for index, worker in enumerate(workers)}
    done = np.array([images[worker] for worker in workers], np.float64)
    a, b, above, room, common = _evidence(place, pairs)

    def others(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum over each worker's co-workers of their weight times the pair's values (P, ...)."""
        total = np.zeros((len(workers), *values.shape[1:]))
        shape = (-1,) + (1,) * (values.ndim - 1)
        np.add.at(total, a, values * weights[b].reshape(shape))
        np.add.at(total, b, values * weights[a].reshape(shape))
        return total

    weights = np.ones(len(workers))
    quality, mean, converged, rounds = weights, 1.0, False, 0
    while rounds < MAX_ROUNDS and not converged:
        rounds += 1
        shared, possible = others(above, weights), others(room, weights)
        known = possible > 1e-9
        n_known = known.sum(axis=1)
        ratio = np.where(known, shared / np.where(known, possible, 1), 0).sum(axis=1)
        agreement = np.maximum(ratio / np.maximum(n_known, 1), 0)
        seen = n_known > 0
        if seen.any():
            mean = float((agreement * done)[seen].sum() / done[seen].sum())
        shrunk = (done * agreement + PSEUDO_IMAGES * mean) / (done + PSEUDO_IMAGES)
        quality = np.where(seen, shrunk, mean)
        top = quality.max(initial=0.0)
        new = (quality / top) ** POWER if top > 0 else np.ones(len(workers))
        converged = bool(np.abs(new - weights).max(initial=0.0) < TOLERANCE)
        weights = new
    pixels = others(common, weights)
    level = np.where(
        pixels > 0, others(common, weights * quality) / np.maximum(pixels, 1e-300), quality
    )
    junk = frozenset(w for w, q, of in zip(workers, quality, level, strict=True) if q < JUNK * of)
    return Estimate(
        quality=dict(zip(workers, quality.tolist(), strict=True)),
        level=dict(zip(workers, level.tolist(), strict=True)),
        junk=junk if len(junk) < len(workers) else frozenset(),
        mean=mean,
        rounds=rounds,
        converged=converged,
    )


def _evidence(
    place: Mapping[str, int], pairs: Mapping[tuple[str, str], _Pair]
) -> tuple[NDArray[Any], ...]:
    """Arrays over pairs: both workers' places, kappa's parts (P, K), common pixels (P,)."""
    # sorted, so that sums are the same to the bit in whatever order images were added
    keys = sorted(pairs)
    k = max((pair.sums.shape[1] for pair in pairs.values()), default=1)
    sums = np.zeros((len(keys), 3, k))
    for index, key in enumerate(keys):
        own = pairs[key].sums
        sums[index, :, : own.shape[1]] = own
    common = sums[:, 1].sum(axis=1)
    chance = sums[:, 1] * sums[:, 2] / np.maximum(common, 1)[:, None]
    above = sums[:, 0] - chance
    room = (sums[:, 1] + sums[:, 2]) / 2 - chance
    a = np.array([place[first] for first, _ in keys], np.int64)
    b = np.array([place[second] for _, second in keys], np.int64)
    return a, b, above, room, common
