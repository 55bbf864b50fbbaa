"""The weighted vote, at the pixels that a plain vote left disputed.

Unanimous pixels keep their class whatever the weights, so only disputed pixels are visited, and
among those only the first of a run of equal votes is computed. Weights are integers (fixed
point): their sums are exact, so the order of the workers cannot change a result, and a tie is a
tie.
"""

from __future__ import annotations

from consolidation.kernels._jit import kernel


@kernel
def weighted(masks, weights, slack, ignore, min_votes, allowed, labels, votes, tied, scores):
    """Replace the plain winners of disputed pixels by the weighted ones.

    Parameters
    ----------
    masks : array (W, N)
        One mask a worker.
    weights : array (W,), int32
        What each worker's vote counts, > 0.
    slack : int
        Scores that differ by no more than this are tied: the rounding of the weights.
    ignore : int
        A label that is no vote; -1 for none.
    min_votes : int
        Votes that a class needs to be chosen, before weights.
    allowed : array (65536,), bool
        Classes that may be chosen; at every disputed pixel one of them must be.
    labels, votes, tied : arrays (N,), in and out
        In: the result of `plurality`. Out: the winner by weight, the workers who voted for it,
        and whether another class had the same score.
    scores : array (65536,), int64, scratch
        Its content does not matter.
    """
    n_workers, n = masks.shape
    for p in range(n):
        if votes[p] == n_workers or votes[p] < min_votes:
            continue
        repeated = p > 0 and votes[p - 1] != n_workers and votes[p - 1] >= min_votes
        w = 0
        while repeated and w < n_workers:
            repeated = masks[w, p] == masks[w, p - 1]
            w += 1
        if repeated:
            labels[p], votes[p], tied[p] = labels[p - 1], votes[p - 1], tied[p - 1]
            continue

        for w in range(n_workers):
            scores[masks[w, p]] = 0
        for w in range(n_workers):
            # the count of votes rides in the low byte, below the weight
            scores[masks[w, p]] += weights[w] * 256 + 1
        best_score, best_votes, best_label, is_tied = -1, 0, 0, False
        for w in range(n_workers):
            label = masks[w, p]
            if label == ignore:
                continue
            if scores[label] & 255 < min_votes or not allowed[label]:
                continue
            best_score = max(best_score, scores[label] >> 8)
        for w in range(n_workers):
            label = masks[w, p]
            if label == ignore:
                continue
            count = scores[label] & 255
            if count < min_votes or not allowed[label] or scores[label] >> 8 < best_score - slack:
                continue
            if best_votes == 0 or label == best_label:
                best_label, best_votes = label, count
            else:
                is_tied = True
                if label < best_label:
                    best_label, best_votes = label, count
        labels[p], votes[p], tied[p] = best_label, best_votes, is_tied


@kernel
def weighted_share(masks, weights, ignore, labels, share):
    """Share of the weight of all who voted that went to the chosen class.

    Parameters
    ----------
    masks, weights, ignore
        As for `weighted`.
    labels : array (N,)
        The chosen classes.
    share : array (N,), float32, out
        In [0, 1]; 0 where nobody voted for the label.
    """
    n_workers, n = masks.shape
    for p in range(n):
        chosen, total = 0, 0
        for w in range(n_workers):
            label = masks[w, p]
            if label != ignore:
                total += weights[w]
                if label == labels[p]:
                    chosen += weights[w]
        share[p] = chosen / total if total > 0 else 0.0
