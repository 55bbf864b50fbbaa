"""More than 32 workers, or noise: votes and agreement counted in blocks, against counting."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consolidation import Reliability, consolidate
from consolidation.consensus.patterns import VotePatterns
from consolidation.kernels import class_counts

Masks = npt.NDArray[Any]


@st.composite
def crowds(draw: st.DrawFn, least: int = 1) -> Masks:
    """Masks (W, N): runs of a few classes, with some or nothing but noise."""
    n_workers = draw(st.sampled_from([one for one in (1, 2, 5, 33, 64, 255) if one >= least]))
    n = draw(st.sampled_from([1, 63, 64, 65, 200, 700]))
    n_classes = draw(st.sampled_from([1, 2, 6, 150, 256]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    base = np.repeat(rng.integers(0, min(n_classes, 5), n // 9 + 1), 9)[:n]
    out = np.repeat(base[None], n_workers, axis=0).astype(
        draw(st.sampled_from([np.uint8, np.uint16]))
    )
    noisy = rng.random(out.shape) < draw(st.sampled_from([0.02, 0.3, 1]))
    out[noisy] = rng.integers(0, n_classes, int(noisy.sum()))
    return out


def counted(masks: Masks, ignore: int | None) -> tuple[Masks, Masks, Masks]:
    """Labels, votes and tied, by counting each class in turn."""
    counts = np.stack([(masks == label).sum(axis=0) for label in range(257)])
    if ignore is not None:
        counts[ignore] = 0
    votes = counts.max(axis=0)
    labels = np.where(votes > 0, counts.argmax(axis=0), ignore or 0)
    return labels, votes, ((counts == votes).sum(axis=0) > 1) & (votes > 0)


@given(crowds(least=33), st.sampled_from([None, 0, 1]))
@settings(max_examples=60, deadline=None)
def test_the_vote_of_many_is_what_counting_gives(masks: Masks, ignore: int | None) -> None:
    result = consolidate(masks[:, None], ignore_index=ignore, undecided_index=ignore)
    labels, votes, tied = counted(masks, ignore)
    np.testing.assert_array_equal(result.labels[0], labels)
    np.testing.assert_array_equal(result.votes[0], votes)
    np.testing.assert_array_equal(result.tied[0], tied)


def test_a_block_of_more_classes_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    masks = rng.integers(0, 60_000, (40, 1, 200)).astype(np.uint16)
    # sure winners here and there, and a block in between that has few classes
    masks[:20, :, ::3] = 7
    masks[:, :, 64:128] %= 3
    result = consolidate(masks)
    for p in range(200):
        values, counts = np.unique(masks[:, 0, p], return_counts=True)
        assert result.votes[0, p] == counts.max()
        assert result.labels[0, p] == values[counts.argmax()]
        assert result.tied[0, p] == ((counts == counts.max()).sum() > 1)
    assert len(np.unique(masks[:, 0, :64])) > class_counts.MOST


def both_ways(masks: Masks) -> tuple[VotePatterns, VotePatterns]:
    """Every pixel a pattern, and unique ones."""
    unique, counts = np.unique(masks.T, axis=0, return_counts=True)
    ones = np.broadcast_to(np.int64(1), masks.shape[1])
    return VotePatterns(masks.T, ones, exact_pixels=True), VotePatterns(unique, counts)


@given(crowds(), st.sampled_from([-1, 0, 1, 255]))
@settings(max_examples=100, deadline=None)
def test_agreement_from_pixels_is_that_from_patterns(masks: Masks, ignore: int) -> None:
    if ignore == 255:
        masks[np.random.default_rng(1).random(masks.shape) < 0.1] = ignore
    pixels, patterns = both_ways(masks)
    k = int(np.where(masks == ignore, 0, masks).max()) + 1
    np.testing.assert_array_equal(pixels.agreements(k, ignore), patterns.agreements(k, ignore))
    for n_classes in (k, max(1, k - 2)):
        for one, other in zip(
            pixels.coincidences(n_classes, ignore),
            patterns.coincidences(n_classes, ignore),
            strict=True,
        ):
            np.testing.assert_array_equal(one, other)


def test_reliability_does_not_depend_on_how_it_was_counted() -> None:
    rng = np.random.default_rng(3)
    masks = np.repeat(rng.integers(0, 3, (1, 40, 1)), 50, axis=2).astype(np.uint8)
    masks = np.repeat(masks, 40, axis=0)
    noisy = rng.random(masks.shape) < 0.2
    masks[noisy] = rng.integers(0, 3, int(noisy.sum()))
    ids = [f"w{n:02}" for n in range(40)]
    whole, parts = Reliability(), Reliability()
    whole.add(masks, ids)
    assert VotePatterns.encode(masks).exact_pixels
    # the same workers two by two: few patterns, the same pairs
    for a in range(40):
        for b in range(a + 1, 40):
            pair = Reliability()
            pair.add(masks[[a, b]], [ids[a], ids[b]])
            parts._pairs |= pair._pairs
    for key, sums in whole._pairs.items():
        np.testing.assert_array_equal(sums.sums, parts._pairs[key].sums)
