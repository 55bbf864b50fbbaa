"""Workers' agreement, from unique tuples of votes and how many pixels have each."""

from __future__ import annotations

from consolidation.kernels._jit import kernel


@kernel
def pairwise_confusion(tuples, counts, matrices):
    """Add up the pairs of labels of every two workers.

    Parameters
    ----------
    tuples : array (P, W)
    counts : array (P,), int64
    matrices : array (W, W, K, K), int64, in and out
        [a, b, i, j]: pixels that worker a gave class i and worker b class j, for a <= b. Labels
        from K on (ignored, undecided) are left out.
    """
    n_patterns, n_workers = tuples.shape
    n_classes = matrices.shape[2]
    for p in range(n_patterns):
        for a in range(n_workers):
            i = tuples[p, a]
            if i < n_classes:
                for b in range(a, n_workers):
                    j = tuples[p, b]
                    if j < n_classes:
                        matrices[a, b, i, j] += counts[p]


@kernel
def agreements(tuples, counts, ignore, sums):
    """Add up, for every two workers and class, where they agree and where each gives it.

    Parameters
    ----------
    tuples : array (P, W)
    counts : array (P,), int64
    ignore : int
        A label that is no vote; -1 for none. Pixels that either ignores are left out.
    sums : array (W, W, 3, K), int64, in and out
        [a, b] for a < b: pixels that both gave the class, that a gave it, that b gave it.
    """
    n_patterns, n_workers = tuples.shape
    for p in range(n_patterns):
        for a in range(n_workers):
            i = tuples[p, a]
            if i == ignore:
                continue
            for b in range(a + 1, n_workers):
                j = tuples[p, b]
                if j != ignore:
                    sums[a, b, 1, i] += counts[p]
                    sums[a, b, 2, j] += counts[p]
                    if i == j:
                        sums[a, b, 0, i] += counts[p]


@kernel
def coincidences(tuples, counts, ignore, values, conflicts):
    """Add up what Krippendorff's alpha needs of pixels that two workers or more labelled.

    Parameters
    ----------
    tuples : array (P, W)
    counts : array (P,), int64
    ignore : int
        A label that is no answer; -1 for none. Those from K on are none either.
    values : array (K,), int64, in and out
        Labels given, by class.
    conflicts : array (W + 1,), int64, in and out
        [m]: ordered pairs of different labels, at pixels that m workers labelled.
    """
    n_patterns, n_workers = tuples.shape
    n_classes = values.size
    for p in range(n_patterns):
        answers, different = 0, 0
        for a in range(n_workers):
            i = tuples[p, a]
            if i != ignore and i < n_classes:
                answers += 1
                for b in range(a + 1, n_workers):
                    j = tuples[p, b]
                    different += 2 * (j != ignore and j < n_classes and i != j)
        if answers >= 2:
            conflicts[answers] += counts[p] * different
            for a in range(n_workers):
                i = tuples[p, a]
                if i != ignore and i < n_classes:
                    values[i] += counts[p]
