"""Masks that a release must not change unnoticed.

`golden/worker_<n>.png` are the answers of five simulated workers to one image; `<way>.png` is
what each way to consolidate made of them, `<way>.confidence.png` the confidence. When a result
changes on purpose, ``python -m tests.test_golden`` writes them anew: look at the difference, and
say so in the changelog.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from consolidation import Reliability, consolidate
from consolidation.masks import decode_indices, encode_grey

GOLDEN = Path(__file__).parent / "golden"
WORKERS = ("ann", "bob", "cid", "dan", "eve")
WAYS: dict[str, dict[str, Any]] = {
    "plurality": {},
    "neighbours": {"ties": "neighbours"},
    "undecided": {"ties": "undecided", "min_votes": 2},
    "smoothing": {"smoothing": 1.0},
    "weighted": {"method": "weighted", "weights": [1.0, 0.9, 0.6, 0.3, 0.2]},
    "reliability": {"method": "weighted", "smoothing": 1.0},
    "dawid-skene": {"method": "dawid-skene"},
    "auto": {"method": "auto"},
}


def answers():
    return np.stack([decode_indices((GOLDEN / f"worker_{n}.png").read_bytes()) for n in range(5)])


def decide(way, masks):
    options = dict(WAYS[way])
    if way == "reliability":
        reliability = Reliability()
        reliability.add(masks, WORKERS)
        options |= {"workers": WORKERS, "reliability": reliability}
    return consolidate(masks, **options)


@pytest.mark.parametrize("way", WAYS)
def test_result_is_as_it_was(way):
    result = decide(way, answers())
    expected = decode_indices((GOLDEN / f"{way}.png").read_bytes())
    np.testing.assert_array_equal(result.labels, expected)
    confidence = decode_indices((GOLDEN / f"{way}.confidence.png").read_bytes())
    np.testing.assert_array_equal(result.confidence_bytes(), confidence)


def test_the_ways_differ():
    masks = answers()
    results = {decide(way, masks).labels.tobytes() for way in WAYS}
    assert len(results) == len(WAYS) - 1  # auto of one image is smoothing, ties by neighbours


def _write():
    from consolidation.simulation.scenes import draw_scene
    from consolidation.simulation.worker_kinds import hire_team

    def png(values):
        return encode_grey(values.shape, values.__getitem__)

    scene = draw_scene(np.random.default_rng(5), 4, (64, 80))
    kinds = ("careful", "sloppy", "sloppy", "confuses", "misses")
    team = hire_team(5, kinds, 4, lambda n: np.random.default_rng(100 + n))
    for n, worker in enumerate(team):
        mask = worker.annotate(scene, np.random.default_rng(n))
        (GOLDEN / f"worker_{n}.png").write_bytes(png(mask.astype(np.uint8)))
    for way in WAYS:
        result = decide(way, answers())
        (GOLDEN / f"{way}.png").write_bytes(png(result.labels))
        confidence = png(result.confidence_bytes())
        (GOLDEN / f"{way}.confidence.png").write_bytes(confidence)


if __name__ == "__main__":
    _write()
