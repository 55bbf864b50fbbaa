"""Workers' habits over a job, as Dawid-Skene sees them: expected label counts that add up."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation.consensus.dawid_skene import check_size, expected_counts, probabilities
from consolidation.consensus.patterns import VotePatterns
from consolidation.consensus.stack import Stack

FORMAT = "consolidation/confusion-1"
FIXED_POINT = 1 << 16
"""Expected pixels are kept as multiples of 2^-16, so that sums do not depend on their order."""


class WorkerConfusion:
    """Expected label counts of workers, pooled over a job; they add up in any order.

    Examples
    --------
    >>> import numpy as np
    >>> masks = np.array([[[0, 1, 1]], [[0, 1, 0]], [[1, 1, 1]]], dtype=np.uint8)
    >>> pooled = WorkerConfusion()
    >>> pooled.add(masks, ["a", "b", "c"])
    >>> pooled.workers
    ['a', 'b', 'c']
    """

    def __init__(self) -> None:
        self._expected: dict[str, NDArray[np.int64]] = {}

    @property
    def workers(self) -> list[str]:
        """Workers seen."""
        return sorted(self._expected)

    def add(
        self, masks: NDArray[Any], workers: Sequence[str], ignore_index: int | None = None
    ) -> None:
        """Count one image's disputed pixels, by the majority: masks (W, H, Wd)."""
        stack = Stack(masks, ignore_index)
        ids = stack.checked_ids(workers)
        patterns = VotePatterns.encode(stack.array)
        k = check_size(stack.n_workers, stack.highest() + 1)
        everything = np.ones(1 << 16, np.bool_)
        expected, _, _ = expected_counts(patterns, stack.ignore, 1, everything, k, None)
        fixed = np.rint(expected * FIXED_POINT).astype(np.int64)
        for worker, counts in zip(ids, fixed, strict=True):
            self._add(worker, counts)

    def __iadd__(self, other: WorkerConfusion) -> WorkerConfusion:
        """Add what another one has counted."""
        for worker, counts in other._expected.items():
            self._add(worker, counts)
        return self

    def _add(self, worker: str, counts: NDArray[np.int64]) -> None:
        known = self._expected.get(worker)
        if known is None:
            self._expected[worker] = counts.copy()
            return
        k = max(len(known), len(counts))
        total = np.zeros((k, k), np.int64)
        total[: len(known), : len(known)] += known
        total[: len(counts), : len(counts)] += counts
        self._expected[worker] = total

    def confusion(self, workers: Sequence[str], n_classes: int) -> NDArray[np.float64]:
        """Probabilities (W, K, K) for these workers; who was never seen gets the sum of all."""
        k = max([n_classes, *(len(counts) for counts in self._expected.values())])
        everybody = np.zeros((k, k), np.int64)
        for worker in self.workers:
            counts = self._expected[worker]
            everybody[: len(counts), : len(counts)] += counts
        expected = np.zeros((len(workers), k, k))
        for index, worker in enumerate(workers):
            counts = self._expected.get(worker, everybody)
            expected[index, : len(counts), : len(counts)] = counts / FIXED_POINT
        return probabilities(expected)[:, :n_classes, :n_classes]

    def to_json(self) -> str:
        """Text of the counts; the same counts give the same text."""
        workers = {
            worker: {
                "classes": len(counts),
                "cells": np.column_stack([*np.nonzero(counts), counts[counts != 0]]).tolist(),
            }
            for worker, counts in sorted(self._expected.items())
        }
        content = {"format": FORMAT, "workers": workers}
        return json.dumps(content, separators=(",", ":")) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes, name: str) -> WorkerConfusion:
        """Inverse of `to_json`; ValueError, with `name` in it, if it is something else."""
        pooled = cls()
        try:
            content = json.loads(text)
            if content["format"] != FORMAT:
                raise ValueError(f"format {content['format']!r}, not {FORMAT!r}")
            for worker, entry in content["workers"].items():
                counts = np.zeros((entry["classes"], entry["classes"]), np.int64)
                for voted, label, pixels in entry["cells"]:
                    counts[voted, label] = pixels
                pooled._expected[worker] = counts
        except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
            raise ValueError(f"{name} holds no confusion of workers: {error}") from None
        return pooled
