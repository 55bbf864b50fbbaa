"""The vote: plurality, then weights, then neighbours, then the rules for undecided pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from consolidation.consensus.dawid_skene import Fit, check_size, fit
from consolidation.consensus.foreground import cut
from consolidation.consensus.patterns import VotePatterns, block_scratch
from consolidation.consensus.settings import Settings
from consolidation.consensus.smoothing import TIE_SIGMA, gaussian_window
from consolidation.consensus.stack import Stack
from consolidation.kernels import class_counts, rules, smoothing
from consolidation.kernels import plurality as hard
from consolidation.kernels._lanes import LANES
from consolidation.kernels._thin import reach as thin_reach
from consolidation.kernels._window import GROUP
from consolidation.kernels.weighted import weighted

ALL_LABELS = 1 << 16


PIXELS_PER_OVERRULED = 16
"""Pixels of the image for one of `Overruled` that is kept: a byte a pixel at most."""


class Overruled(NamedTuple):
    """Pixels whose neighbours chose a class with fewer votes than another one."""

    places: NDArray[np.int64]
    """(C,): row * Wd + column."""
    shares: NDArray[np.float32]
    """(C,): that class's share of the votes in the window."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a vote stores of an image, all of shape (H, Wd), and what it counted on the way."""

    stack: Stack
    """The masks; ignoring nothing where no pixel turned out to be ignored."""
    labels: NDArray[Any]
    votes: NDArray[np.uint8]
    tied: NDArray[np.bool_]
    highest: int
    allowed: NDArray[np.bool_]
    """(65536,): classes that could win by smoothing."""
    smoothed: int = 0
    undecided: int = 0
    overruled: Overruled | None = None
    """None where they are too many to be kept."""
    fit: Fit | None = None
    """Dawid-Skene: what was estimated."""


def vote(stack: Stack, settings: Settings, keep_all: bool = False) -> Outcome:
    """Decide every pixel of the stack; keep all overruled pixels, or what takes little memory."""
    labels, votes, tied, highest, stack = plurality(stack)
    by_neighbours = settings.by_neighbours and stack.n_workers > 1
    smoothed = undecided = 0
    overruled: Overruled | None = Overruled(np.empty(0, np.int64), np.empty(0, np.float32))
    fitted = None
    allowed = np.ones(ALL_LABELS, np.bool_)
    close = tied
    if settings.weights is not None:
        if settings.learnt:
            # where heads tie, weights that were learnt keep no thin thing from its neighbours
            close = tied.copy() if settings.smoothing else tied
            # weights that were learnt must not bring in a class that no plain majority saw
            allowed = present(labels, votes, settings.min_votes)
        weigh(stack, settings, allowed, labels, votes, tied)
    if settings.spec.learns_confusion:
        allowed = present(labels, votes, settings.min_votes)
        fitted = estimate(stack, settings, allowed, highest, labels, votes, tied)
    if by_neighbours:
        if not settings.learnt:
            allowed = present(labels, votes, settings.min_votes)
        outcome = Outcome(stack, labels, votes, tied, highest, allowed)
        limit = stack.n_pixels if keep_all else stack.n_pixels // PIXELS_PER_OVERRULED
        smoothed, overruled = neighbours(stack, settings, outcome, close, limit)
    if settings.foreground is not None and stack.n_workers > 1:
        allowed = present(labels, votes, settings.min_votes) if not settings.learnt else allowed
        moved = cut(stack, settings.foreground, settings.min_votes, allowed, labels, votes)
        if overruled is not None:
            stays = ~moved.reshape(-1)[overruled.places]
            overruled = Overruled(overruled.places[stays], overruled.shares[stays])
    ties_stay = settings.ties == "undecided" and not by_neighbours
    unvoted_need_label = stack.ignore not in (-1, settings.undecided)
    if settings.min_votes > 1 or ties_stay or unvoted_need_label:
        undecided = rules.undecide(
            labels.reshape(-1),
            votes.reshape(-1),
            tied.reshape(-1),
            settings.min_votes,
            ties_stay,
            labels.dtype.type(settings.undecided),
        )
    elif stack.ignore >= 0 or settings.ties == "undecided":
        undecided = int(votes.size - np.count_nonzero(votes))
    return Outcome(
        stack=stack,
        labels=labels,
        votes=votes,
        tied=tied,
        highest=highest,
        allowed=allowed,
        smoothed=smoothed,
        undecided=int(undecided),
        overruled=overruled,
        fit=fitted,
    )


def present(labels: NDArray[Any], votes: NDArray[np.uint8], min_votes: int) -> NDArray[np.bool_]:
    """(65536,) bool: classes that some pixel has, with votes enough."""
    flags = np.zeros(ALL_LABELS, np.bool_)
    rules.mark_present(labels.reshape(-1), votes.reshape(-1), min_votes, flags)
    return flags


def plurality(
    stack: Stack,
) -> tuple[NDArray[Any], NDArray[np.uint8], NDArray[np.bool_], int, Stack]:
    """Plain vote: labels, votes and tied of shape (H, Wd), the highest class seen, and the stack.

    Where nothing is ignored after all, as in most images, the stack returned says so: all that
    follows is quicker.
    """
    labels = np.empty(stack.shape, stack.dtype)
    votes = np.empty(stack.shape, np.uint8)
    tied = np.empty(stack.shape, np.bool_)
    out = labels.reshape(-1), votes.reshape(-1), tied.reshape(-1)
    highest = _count(stack, -1, out)
    if stack.ignore >= 0:
        if highest < stack.ignore:
            stack = stack.ignoring_nothing()
        else:
            highest = _count(stack, stack.ignore, out)
    return labels, votes, tied, highest, stack


def _count(stack: Stack, ignore: int, out: tuple[NDArray[Any], ...]) -> int:
    """Plain vote into flat arrays; the highest class seen."""
    highest = np.zeros(LANES, stack.dtype)
    if stack.n_workers <= hard.MAX_NETWORK_WORKERS:
        label = None if ignore < 0 else stack.dtype.type(ignore)
        hard.plurality(stack.rows, label, *out, highest)
    else:
        scratch = *block_scratch(), np.zeros(ALL_LABELS, np.uint8)
        class_counts.plurality_many(stack.flat, ignore, *out, highest, *scratch)
    return int(highest.max())


def weigh(
    stack: Stack,
    settings: Settings,
    allowed: NDArray[np.bool_],
    labels: NDArray[Any],
    votes: NDArray[np.uint8],
    tied: NDArray[np.bool_],
) -> None:
    """Decide disputed pixels by weight, in place."""
    weighted(
        stack.flat,
        settings.integer_weights(stack.n_workers),
        settings.slack(stack.n_workers),
        stack.ignore,
        settings.min_votes,
        allowed,
        labels.reshape(-1),
        votes.reshape(-1),
        tied.reshape(-1),
        np.empty(ALL_LABELS, np.int64),
    )


def estimate(
    stack: Stack,
    settings: Settings,
    allowed: NDArray[np.bool_],
    highest: int,
    labels: NDArray[Any],
    votes: NDArray[np.uint8],
    tied: NDArray[np.bool_],
) -> Fit:
    """Decide disputed pixels by expectation-maximisation, in place."""
    pooled = settings.pooled
    if pooled is None:
        check_size(stack.n_workers, highest + 1)
    patterns = VotePatterns.encode(stack.array)
    fitted = fit(
        patterns,
        stack.ignore,
        settings.min_votes,
        allowed,
        highest + 1 if pooled is None else pooled.shape[1],
        settings.steps,
        pooled,
    )
    decided = fitted.chosen >= 0
    counts = (patterns.tuples == fitted.chosen[:, None]).sum(axis=1)
    for values, out in ((fitted.chosen, labels), (counts, votes), (fitted.tied, tied)):
        patterns.paint(stack.array, values.astype(out.dtype), decided, out)
    return fitted


def neighbours(
    stack: Stack, settings: Settings, outcome: Outcome, close: NDArray[np.bool_], limit: int
) -> tuple[int, Overruled | None]:
    """Decide disputed pixels (smoothing) or tied ones by their neighbours, in place.

    Thin things keep the vote, but where it was `close` (H, Wd).

    Returns the number of pixels changed, and those overruled unless they are more than `limit`.
    """
    window = gaussian_window(settings.smoothing or TIE_SIGMA)
    side = len(window)
    masks, outside = stack.array, stack.ignore
    height, width = stack.shape
    if outside < 0:
        outside = outcome.highest + 1
        if outside > np.iinfo(masks.dtype).max:
            # all 256 labels are classes: one more is needed for what lies beyond the border
            masks = masks.astype(np.uint16)
    fine = settings.integer_weights(stack.n_workers)
    coarse = settings.integer_weights(stack.n_workers, smoothing.MAX_WEIGHTS).astype(np.int16)
    by_weight = settings.weights is not None and not settings.learnt
    capacity = max(2 * width, height * width // 128)
    places, shares = np.empty(capacity, np.int64), np.empty(capacity, np.float32)
    tile = np.empty((len(masks) * side + 1) * LANES, masks.dtype)
    scratch = np.empty((smoothing.N_SCRATCH, GROUP), np.int32)
    sums = np.empty(side * LANES, np.int16)
    classes = np.empty(len(masks) * GROUP, np.int64)
    n_kept = 2 * thin_reach(side // 2) + 1
    ring = np.empty(n_kept * (width + n_kept - 1 + LANES), outcome.labels.dtype)
    kept = np.full(1, -1)
    rows = np.empty(n_kept, np.uint64)
    changed, row, total = 0, 0, 0
    overruled: list[Overruled] = []
    while row < height:
        row, more, n = smoothing.smooth(
            masks,
            coarse,
            np.ones(len(masks), np.int16),
            fine,
            settings.slack(stack.n_workers),
            by_weight,
            window.astype(np.int32),
            masks.dtype.type(outside),
            stack.ignore >= 0,
            settings.min_votes,
            settings.smoothing == 0,
            settings.undecided if settings.ties == "undecided" else -1,
            outcome.allowed,
            outcome.labels,
            outcome.votes,
            outcome.tied.view(np.uint8),
            close.view(np.uint8),
            row,
            places,
            shares,
            tile,
            scratch,
            sums,
            classes,
            ring,
            kept,
            rows,
        )
        changed += more
        total += n
        if total > limit:
            overruled = []
        else:
            overruled.append(Overruled(places[:n].copy(), shares[:n].copy()))
    if total > limit:
        return changed, None
    return changed, Overruled(*(np.concatenate(part) for part in zip(*overruled, strict=True)))
