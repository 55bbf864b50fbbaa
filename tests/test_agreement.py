"""Agreement statistics: hand-worked, against their definitions, and with answers missing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consolidation.consensus import (
    Agreement,
    AgreementSums,
    VotePatterns,
    krippendorff_alpha,
)
from tests import naive
from tests.strategies import stacks


def agreement(masks, n_classes=None, ignore=-1):
    masks = np.asarray(masks, np.uint8)
    n_classes = int(masks.max()) + 1 if n_classes is None else n_classes
    return Agreement.of(VotePatterns.encode(masks), n_classes, ignore)


def naive_alpha(columns):
    """Coincidence matrix, one unit at a time; None is a missing answer."""
    labels = sorted({label for column in columns for label in column if label is not None})
    matrix = np.zeros((len(labels), len(labels)))
    for column in columns:
        given_ = [labels.index(label) for label in column if label is not None]
        for i, a in enumerate(given_):
            for j, b in enumerate(given_):
                if i != j:
                    matrix[a, b] += 1 / (len(given_) - 1)
    totals = matrix.sum(axis=1)
    n = totals.sum()
    off_diagonal = n - np.trace(matrix)
    expected = n * n - (totals**2).sum()
    return 1 - (n - 1) * off_diagonal / expected if expected else math.nan


def test_krippendorffs_own_example():
    # four observers, twelve units, values missing: alpha is 0.743 (Krippendorff 2011, section C)
    rows = [
        "1 2 3 3 2 1 4 1 2 . . .",
        "1 2 3 3 2 2 4 1 2 5 . 3",
        ". 3 3 3 2 3 4 2 2 5 1 .",
        "1 2 3 3 2 4 4 1 2 5 1 .",
    ]
    masks = [[[9 if value == "." else int(value) for value in row.split()]] for row in rows]
    assert agreement(masks, 10, ignore=9).krippendorff_alpha() == pytest.approx(0.743, abs=5e-4)


def test_fleiss_own_kind_of_example():
    # four workers, three pixels: 4 : 0, 3 : 1, 0 : 4
    result = agreement([[[0, 0, 1]], [[0, 0, 1]], [[0, 0, 1]], [[0, 1, 1]]])
    # P = (1 + 1/2 + 1) / 3; shares 7/12 and 5/12
    observed, expected = 2.5 / 3, (7 / 12) ** 2 + (5 / 12) ** 2
    assert result.fleiss_kappa() == pytest.approx((observed - expected) / (1 - expected))


@settings(max_examples=60, deadline=None)
@given(stacks(max_workers=5, max_side=10, dtypes=(np.uint8,)))
def test_against_definitions(masks):
    n_classes = int(masks.max()) + 1
    result = agreement(masks)
    flat = masks.reshape(len(masks), -1)
    columns = flat.T.tolist()
    if len(masks) > 1:
        assert result.krippendorff_alpha() == pytest.approx(naive_alpha(columns), nan_ok=True)
    for a in range(len(masks)):
        for k in range(n_classes):
            one, other = flat[a] == k, flat[-1] == k
            either = (one | other).sum()
            iou = (one & other).sum() / either if either else math.nan
            assert result.iou()[a, -1, k] == pytest.approx(iou, nan_ok=True)
            dice = 2 * iou / (1 + iou)
            assert result.dice()[a, -1, k] == pytest.approx(dice, nan_ok=True)


@settings(max_examples=40, deadline=None)
@given(stacks(max_workers=5, max_side=10, dtypes=(np.uint8,)))
def test_ignored_answers_are_missing(masks):
    result = agreement(masks, 5, ignore=1)
    columns = [[None if v == 1 else v for v in c] for c in masks.reshape(len(masks), -1).T.tolist()]
    columns = [column for column in columns if sum(v is not None for v in column) > 1]
    expected = naive_alpha(columns) if columns else math.nan
    assert result.krippendorff_alpha() == pytest.approx(expected, nan_ok=True)


@settings(max_examples=40, deadline=None)
@given(stacks(max_workers=6, max_side=12), st.sampled_from([-1, 0, 2]), st.integers(1, 5))
def test_sums_equal_their_naive_twin_and_add_up(masks, ignore, n_classes):
    sums = AgreementSums.of(VotePatterns.encode(masks), n_classes, ignore)
    values, conflicts = naive.coincidences(masks.reshape(len(masks), -1), n_classes, ignore)
    assert sums.values.tolist() == values
    assert sums.conflicts == conflicts
    top, rest = masks[:, :1], masks[:, 1:]
    parts = [VotePatterns.encode(part) for part in (top, rest) if part.size]
    added = sum((AgreementSums.of(part, n_classes, ignore) for part in parts), AgreementSums())
    assert added.values.tolist() == values
    assert added.conflicts == conflicts


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(stacks(max_workers=6, max_side=12, dtypes=(np.uint8,)))
def test_fleiss_as_statsmodels_has_it(masks):
    inter_rater = pytest.importorskip("statsmodels.stats.inter_rater")
    result = agreement(masks)
    if len(masks) < 2 or masks.min() == masks.max():
        assert math.isnan(result.fleiss_kappa())
        return
    table, _ = inter_rater.aggregate_raters(masks.reshape(len(masks), -1).T)
    assert result.fleiss_kappa() == pytest.approx(inter_rater.fleiss_kappa(table))


@settings(max_examples=20, deadline=None)
@given(stacks(max_workers=4, max_side=12, dtypes=(np.uint8,)), st.permutations(range(5)))
def test_names_of_classes_and_order_of_workers_do_not_matter(masks, names):
    renamed = np.array(names, np.uint8)[masks[::-1]]
    one, other = agreement(masks, 5), agreement(renamed, 5)
    for measure in ("fleiss_kappa", "krippendorff_alpha"):
        values = getattr(one, measure)(), getattr(other, measure)()
        assert values[0] == pytest.approx(values[1], nan_ok=True)


def test_over_images_with_different_workers():
    one, two = agreement([[[0, 1, 1]], [[0, 0, 1]]]), agreement([[[0, 2]], [[0, 2]], [[1, 2]]])
    columns = [[0, 0], [1, 0], [1, 1], [0, 0, 1], [2, 2, 2]]
    assert krippendorff_alpha([one, two]) == pytest.approx(naive_alpha(columns))


def test_nothing_to_agree_on():
    assert math.isnan(agreement([[[0, 0]], [[0, 0]]]).fleiss_kappa())
    assert math.isnan(agreement([[[0, 0]], [[0, 0]]]).krippendorff_alpha())
    assert math.isnan(agreement([[[0, 1]]]).fleiss_kappa())
    assert math.isnan(krippendorff_alpha([]))
