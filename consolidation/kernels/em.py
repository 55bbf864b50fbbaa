"""One step of expectation-maximisation over vote patterns.

Only classes that somebody gave a pattern are weighed for it, so the work does not grow with the
number of classes, and nothing is stored a pattern.
"""

from __future__ import annotations

import math

from consolidation.kernels._jit import kernel


@kernel
def candidates(column, ignore, min_votes, allowed, classes, votes):
    """Write the classes of one pattern, ascending, and their votes; their number.

    Parameters
    ----------
    column : array (W,)
        The pattern.
    ignore, min_votes, allowed
        As for the weighted vote.
    classes, votes : arrays (W,), int64, out

    Returns
    -------
    (int, bool)
        Number of classes that may be chosen, and whether workers gave more than one class.
    """
    n, first, disputed = 0, -1, False
    for w in range(column.size):
        label = column[w]
        if label == ignore:
            continue
        disputed |= first >= 0 and label != first
        first = label
        if not allowed[label]:
            continue
        at = 0
        while at < n and classes[at] < label:
            at += 1
        if at < n and classes[at] == label:
            votes[at] += 1
            continue
        for i in range(n, at, -1):
            classes[i], votes[i] = classes[i - 1], votes[i - 1]
        classes[at], votes[at] = label, 1
        n += 1
    kept = 0
    for i in range(n):
        if votes[i] >= min_votes:
            classes[kept], votes[kept] = classes[i], votes[i]
            kept += 1
    return kept, disputed


@kernel
def posterior(column, ignore, classes, n, log_confusion, log_prior, terms, out):
    """Probability of each of a pattern's classes: out (W,) float64; returns the log-likelihood.

    log_confusion is (W, K, K): of worker w's label given the true class. The workers' terms are
    sorted before they are added up, so that the workers' order changes no rounding.
    """
    highest = -math.inf
    for i in range(n):
        k = classes[i]
        m = 0
        for w in range(column.size):
            if column[w] == ignore:
                continue
            term = log_confusion[w, k, column[w]]
            at = m
            while at > 0 and terms[at - 1] > term:
                terms[at] = terms[at - 1]
                at -= 1
            terms[at] = term
            m += 1
        total = log_prior[k]
        for t in range(m):
            total += terms[t]
        out[i] = total
        highest = max(highest, total)
    norm = 0.0
    for i in range(n):
        out[i] = math.exp(out[i] - highest)
        norm += out[i]
    for i in range(n):
        out[i] /= norm
    return highest + math.log(norm)


@kernel
def _others_dispute(column, ignore, w):
    """Whether worker w labelled the pixel and the others, without w, gave different classes."""
    if column[w] == ignore:
        return False
    first = -1
    for other in range(column.size):
        label = column[other]
        if other != w and label != ignore:
            if first >= 0 and label != first:
                return True
            first = label
    return False


@kernel
def expect(
    tuples,
    counts,
    ignore,
    min_votes,
    allowed,
    from_votes,
    log_confusion,
    log_prior,
    expected,
    prior,
    scratch,
    probability,
    terms,
):
    """Expectation over disputed patterns: who gave which label where which class is likely.

    Parameters
    ----------
    tuples, counts : arrays (P, W) and (P,)
    from_votes : bool
        Take the majority's word, shared among tied classes, for probabilities: the first step.
    log_confusion, log_prior : arrays (W, K, K) and (K,), float64
    expected : array (W, K, K), float64, in and out
        [w, k, l]: expected pixels of class k that worker w gave label l, among those that are
        disputed without w too. A pixel that only w disputes would tell of w's errors and never
        of what w got right.
    prior : array (K,), float64, in and out
        Expected pixels of each class.
    scratch : array (2, W), int64; probability, terms : arrays (W,), float64; scratch

    Returns
    -------
    (float, int)
        Log-likelihood of the disputed pixels, and their number.
    """
    likelihood, pixels = 0.0, 0
    classes, votes = scratch[0], scratch[1]
    for p in range(tuples.shape[0]):
        column = tuples[p]
        n, disputed = candidates(column, ignore, min_votes, allowed, classes, votes)
        if n == 0 or not disputed:
            continue
        if from_votes:
            most, winners = 0, 0
            for i in range(n):
                winners = 1 if votes[i] > most else winners + (votes[i] == most)
                most = max(most, votes[i])
            for i in range(n):
                probability[i] = 1.0 / winners if votes[i] == most else 0.0
        else:
            likelihood += counts[p] * posterior(
                column, ignore, classes, n, log_confusion, log_prior, terms, probability
            )
        pixels += counts[p]
        for i in range(n):
            share = counts[p] * probability[i]
            prior[classes[i]] += share
            for w in range(column.size):
                if _others_dispute(column, ignore, w):
                    expected[w, classes[i], column[w]] += share
    return likelihood, pixels


@kernel
def decide(
    tuples,
    ignore,
    min_votes,
    allowed,
    log_confusion,
    log_prior,
    chosen,
    tied,
    scratch,
    probability,
    terms,
):
    """Most probable class of every disputed pattern.

    Probabilities that differ by less than 1e-9 are equal; the lowest class gets it.

    Parameters
    ----------
    chosen : array (P,), int64, out
        -1 where the pattern is not disputed.
    tied : array (P,), bool, out
        Whether another class is as probable.
    """
    classes, votes = scratch[0], scratch[1]
    for p in range(tuples.shape[0]):
        column = tuples[p]
        n, disputed = candidates(column, ignore, min_votes, allowed, classes, votes)
        chosen[p], tied[p] = -1, False
        if n == 0 or not disputed:
            continue
        posterior(column, ignore, classes, n, log_confusion, log_prior, terms, probability)
        best = 0
        for i in range(1, n):
            if probability[i] > probability[best] + 1e-9:
                best = i
        chosen[p] = classes[best]
        for i in range(n):
            tied[p] |= i != best and probability[i] > probability[best] - 1e-9
