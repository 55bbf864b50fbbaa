"""Dawid-Skene, which for segmentations is STAPLE: workers' habits by expectation-maximisation.

Each worker w has a confusion matrix: the probability that w gives label l where class k is true.
From the probabilities of the classes at every pixel, the matrices are estimated; from these, the
probabilities; and so on (Dawid and Skene 1979; Warfield, Zou and Wells 2004). Four things are
different here, each because it measured better on real annotators or because it must be so:

- only disputed pixels count, so the result does not depend on how much unanimous background
  surrounds an object; and for each worker only those that are disputed among the others, or a
  worker's errors would all be counted and what everybody got right would not;
- the first probabilities are the majority's (shared among tied classes), and few steps are
  taken: iterated to convergence, labels invert and correlated errors are taken for truth. On
  real crowds steps after the first mostly lost accuracy, so one is the default;
- only classes that somebody gave the pixel, and that the plain vote gives to some pixel of the
  image, are weighed;
- over a job, the matrices are pooled (`WorkerConfusion`), and each image keeps its own prior.

Every row of a matrix is credited with `PSEUDO_SHARE` of the disputed pixels, `DIAGONAL` of them on
the right label and the rest by how common each label is. Class priors are at least `MIN_PRIOR` of
an equal share.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consolidation.consensus.patterns import VotePatterns
from consolidation.kernels import em

DEFAULT_STEPS = 1
PSEUDO_SHARE = 0.02
DIAGONAL = 0.7
MIN_PRIOR = 0.1
CONVERGED = 1e-4
MAX_CELLS = 1 << 25
"""Cells of all workers' confusion matrices together: 256 MB."""


@dataclass(frozen=True, eq=False)
class Fit:
    """Outcome of expectation-maximisation on one image.

    Attributes
    ----------
    confusion : ndarray of shape (W, K, K)
        [w, k, l]: probability that worker w gives l where k is true.
    prior : ndarray of shape (K,)
        Probability of each class at disputed pixels.
    chosen : ndarray of shape (P,), int64
        Class of every pattern, -1 where it is not disputed.
    tied : ndarray of shape (P,), bool
        Whether another class is as probable.
    log_likelihood : float
        A disputed pixel; NaN if there is none.
    change : float
        By how much the next step would change a class prior at most: how far from convergence.
    steps : int
    inverted : tuple of int
        Workers for whom some other label is likelier than the right one, of a class that occurs.
    """

    confusion: NDArray[np.float64]
    prior: NDArray[np.float64]
    chosen: NDArray[np.int64]
    tied: NDArray[np.bool_]
    log_likelihood: float
    change: float
    steps: int
    inverted: tuple[int, ...]

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready report."""
        likelihood = None if np.isnan(self.log_likelihood) else round(self.log_likelihood, 6)
        return {
            "steps": self.steps,
            "log_likelihood_a_pixel": likelihood,
            "change_of_priors": round(self.change, 6),
            "converged": self.change < CONVERGED,
            "inverted_workers": list(self.inverted),
        }


def fit(
    patterns: VotePatterns,
    ignore: int,
    min_votes: int,
    allowed: NDArray[np.bool_],
    n_classes: int,
    steps: int,
    pooled: NDArray[np.float64] | None = None,
) -> Fit:
    """Run a few steps on one image, or one step from pooled matrices (W, K, K)."""
    settings_of_step = (patterns, ignore, min_votes, allowed, n_classes)
    expected, counts, (_, pixels) = expected_counts(*settings_of_step, None)
    prior = _bounded(counts)
    confusion = probabilities(expected) if pooled is None else pooled
    steps = steps if pooled is None else 1
    likelihood, change = float("nan"), 0.0
    for step in range(steps):
        if step > 0:
            confusion, prior = probabilities(expected), _bounded(counts)
        expected, counts, (total, _) = expected_counts(*settings_of_step, (confusion, prior))
        change = float(np.abs(_bounded(counts) - prior).max())
        likelihood = total / pixels if pixels else likelihood
    chosen = np.empty(len(patterns.tuples), np.int64)
    tied = np.empty(len(patterns.tuples), np.bool_)
    w = patterns.tuples.shape[1]
    em.decide(
        patterns.tuples,
        ignore,
        min_votes,
        allowed,
        np.log(confusion),
        np.log(prior),
        chosen,
        tied,
        *_scratch(w),
    )
    return Fit(
        confusion=confusion,
        prior=prior,
        chosen=chosen,
        tied=tied,
        log_likelihood=likelihood,
        change=change,
        steps=steps,
        inverted=_inverted(confusion, expected),
    )


def check_size(n_workers: int, n_classes: int) -> int:
    """Return n_classes; ValueError if their confusion matrices would not fit reasonable memory."""
    if n_workers * n_classes**2 > MAX_CELLS:
        raise ValueError(
            f"dawid-skene cannot take {n_workers} workers x {n_classes} classes: "
            f"at most {MAX_CELLS:,} cells of confusion matrices"
        )
    return n_classes


def expected_counts(
    patterns: VotePatterns,
    ignore: int,
    min_votes: int,
    allowed: NDArray[np.bool_],
    k: int,
    model: tuple[NDArray[np.float64], NDArray[np.float64]] | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[float, int]]:
    """Expected counts (W, K, K) and (K,) by a model, or by the majority without one."""
    w = patterns.tuples.shape[1]
    expected, prior = np.zeros((w, k, k)), np.zeros(k)
    confusion, class_prior = model or (np.ones((w, 1, 1)), np.ones(1))
    iterations = em.expect(
        patterns.tuples,
        patterns.counts,
        ignore,
        min_votes,
        allowed,
        model is None,
        np.log(confusion),
        np.log(class_prior),
        expected,
        prior,
        *_scratch(w),
    )
    return expected, prior, iterations


def _scratch(w: int) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    return np.empty((2, w), np.int64), np.empty(w), np.empty(w)


def probabilities(expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows of expected counts (W, K, K), with their pseudo-counts, as probabilities."""
    k = expected.shape[1]
    totals = expected.sum(axis=(1, 2))
    common = expected.sum(axis=(0, 1)) + 1e-9
    spread = (1 - DIAGONAL) * common / common.sum()
    pseudo = spread[None, :] + DIAGONAL * np.eye(k)
    # a worker nothing is known of has pseudo-counts only
    mass = PSEUDO_SHARE * np.maximum(totals, 1.0)
    smooth = expected + mass[:, None, None] * pseudo[None]
    probabilities: NDArray[np.float64] = smooth / smooth.sum(axis=2, keepdims=True)
    return np.maximum(probabilities, 1e-12)


def _bounded(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Class priors that give every class some chance."""
    total = counts.sum()
    shares = counts / total if total > 0 else np.full(len(counts), 1 / len(counts))
    present = max(int(np.count_nonzero(counts)), 1)
    shares = np.maximum(shares, MIN_PRIOR / present)
    bounded: NDArray[np.float64] = shares / shares.sum()
    return bounded


def _inverted(confusion: NDArray[np.float64], expected: NDArray[np.float64]) -> tuple[int, ...]:
    """Workers for whom the likeliest label of a class that occurs is another one."""
    wrong = confusion.argmax(axis=2) != np.arange(confusion.shape[1])[None]
    occurs = expected.sum(axis=2) > 0
    return tuple(int(worker) for worker in np.flatnonzero((wrong & occurs).any(axis=1)))
