"""Neighbours' votes: the smoothed vote, at disputed pixels only.

The votes of all workers in a window around the pixel are added up, each with the window's value
at that distance (and the worker's weight). Only classes that somebody gave the pixel itself can
win it. The work is proportional to the number of disputed pixels. All sums are integers, so the
result depends neither on the workers' order nor on the machine.
"""

from __future__ import annotations

from consolidation.kernels._jit import kernel


@kernel
def smooth(
    masks,
    weights,
    slack,
    window,
    ignore,
    min_votes,
    ties_only,
    undecided,
    labels,
    votes,
    tied,
    share,
    scores,
):
    """Replace the winners of disputed (or only of tied) pixels by those of the smoothed vote.

    Parameters
    ----------
    masks : array (W, H, Wd)
        One mask a worker.
    weights : array (W,), int64
        What each worker's vote counts, >= 0.
    slack : int
        Weights that differ by no more than this are tied.
    window : array (2 r + 1, 2 r + 1), int64
        What a vote counts by its distance, symmetric.
    ignore : int
        A label that is no vote; -1 for none.
    min_votes : int
        Votes that a class needs at the pixel itself to be chosen.
    ties_only : bool
        Only pixels with `tied` are visited, and only the classes tied there compete.
    undecided : int
        Label for pixels whose neighbours tie again; -1 to give them the lowest class.
    labels, votes : arrays (H, Wd), in and out
        In: the plain or weighted vote. Out: the winner and the workers who voted for it.
    tied : array (H, Wd), bool
    share : array (H, Wd), float32, or (0, 0)
        Out, at visited pixels: the winner's share of the scores of the classes that competed.
    scores : array (65536,), int64, scratch

    Returns
    -------
    int
        Pixels whose class changed.
    """
    n_workers, height, width = masks.shape
    radius = window.shape[0] // 2
    changed = 0
    for i in range(height):
        top, bottom = max(i - radius, 0), min(i + radius + 1, height)
        for j in range(width):
            if votes[i, j] < min_votes:
                continue
            if ties_only:
                if not tied[i, j]:
                    continue
            elif votes[i, j] == n_workers:
                continue
            own = _most(masks, weights, ignore, min_votes, i, j) - slack if ties_only else 0

            # classes nobody gave this pixel gather sums too; they are never read
            for w in range(n_workers):
                scores[masks[w, i, j]] = 0
            left, right = max(j - radius, 0), min(j + radius + 1, width)
            for w in range(n_workers):
                weight = weights[w]
                if weight == 0:
                    continue
                for y in range(top, bottom):
                    for x in range(left, right):
                        scores[masks[w, y, x]] += weight * window[y - i + radius, x - j + radius]

            best_score, best_label, best_votes, total, draw = -1, -1, 0, 0, False
            for w in range(n_workers):
                count, weight = _support(masks, weights, ignore, w, i, j)
                if count < min_votes or weight < own:
                    continue
                label = masks[w, i, j]
                score = scores[label]
                total += score
                draw = (draw and score <= best_score) or score == best_score
                if score > best_score or (score == best_score and label < best_label):
                    best_score, best_label, best_votes = score, label, count
            if share.size > 0:
                share[i, j] = best_score / total if total > 0 else best_votes / n_workers
            if draw and undecided >= 0:
                best_label, best_votes = undecided, 0
            changed += labels[i, j] != best_label
            labels[i, j], votes[i, j] = best_label, best_votes
    return changed


@kernel
def _support(masks, weights, ignore, w, i, j):
    """Votes and weight of worker w's class at a pixel; 0, -1 unless w is the first who gave it."""
    label = masks[w, i, j]
    if label == ignore:
        return 0, -1
    for other in range(w):
        if masks[other, i, j] == label:
            return 0, -1
    count, weight = 0, 0
    for other in range(w, masks.shape[0]):
        if masks[other, i, j] == label:
            count += 1
            weight += weights[other]
    return count, weight


@kernel
def _most(masks, weights, ignore, min_votes, i, j):
    """Highest weight of any class that has votes enough at a pixel."""
    most = 0
    for w in range(masks.shape[0]):
        count, weight = _support(masks, weights, ignore, w, i, j)
        if count >= min_votes:
            most = max(most, weight)
    return most
