"""Kernels of auto-segmentation against their naive twins, and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from consolidation.kernels.cuts import divide
from consolidation.kernels.histograms import log_ratios, weighted_histograms
from consolidation.kernels.paths import NOWHERE, cheapest_ways
from consolidation.kernels.pictures import area_average, enlarge, fill_outline, lab
from consolidation.kernels.star import closed_outline
from tests import naive_autosegment as naive


def ways(cost, start, target=-1, limit=math.inf):
    """Distances and parents of `cheapest_ways`, and whether the target was reached."""
    distance = np.empty(cost.size, np.float32)
    parent, heap, place = (np.empty(cost.size, np.int32) for _ in range(3))
    reached = cheapest_ways(cost, start, target, limit, distance, parent, heap, place)
    return distance.reshape(cost.shape), parent, reached


@pytest.mark.parametrize("seed", range(5))
def test_distances_are_those_of_relaxing_every_step(seed):
    rng = np.random.default_rng(seed)
    cost = (rng.random((rng.integers(1, 9), rng.integers(1, 9))) * 5 + 0.1).astype(np.float32)
    cost[rng.random(cost.shape) < 0.2] = np.inf
    start = int(rng.integers(cost.size))
    cost.reshape(-1)[start] = 1
    distance, _, reached = ways(cost, start)
    expected = naive.cheapest_ways(cost, start)
    np.testing.assert_allclose(distance, expected, rtol=1e-4)
    assert not reached


def test_parents_lead_back_at_the_distance_they_promise():
    rng = np.random.default_rng(3)
    cost = (rng.random((12, 17)) + 0.1).astype(np.float32)
    distance, parent, reached = ways(cost, 5, target=200)
    assert reached
    node, total = 200, 0.0
    while parent[node] != NOWHERE:
        before = int(parent[node])
        (y, x), (v, u) = divmod(node, 17), divmod(before, 17)
        assert max(abs(y - v), abs(x - u)) == 1
        total += math.hypot(y - v, x - u) * float(cost[y, x] + cost[v, u]) / 2
        node = before
    assert node == 5
    assert total == pytest.approx(float(distance.reshape(-1)[200]), rel=1e-4)


def test_ways_beyond_the_limit_are_not_gone():
    distance, _, _ = ways(np.ones((1, 9), np.float32), 0, limit=3.0)
    assert distance[0].tolist() == [0, 1, 2, 3, *[math.inf] * 5]


@pytest.mark.parametrize("seed", range(8))
def test_star_is_the_best_of_all_closed_outlines(seed):
    rng = np.random.default_rng(seed)
    cost = rng.random((6, 4)).astype(np.float32)
    fixed = np.full(6, -1, np.int32)
    fixed[0], fixed[3] = rng.integers(4), rng.integers(4)
    reach = int(rng.integers(1, 3))
    radii = np.empty(6, np.int32)
    room = np.empty((2, 4)), np.empty((6, 4), np.int32)
    there = closed_outline(cost, fixed, reach, *room, radii)
    expected = naive.closed_outline(cost, fixed, reach)
    assert there == (expected is not None)
    if there:
        assert tuple(radii.tolist()) == expected


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_averages_are_those_of_pixels_by_their_part(seed, kind):
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (13, 17, 3)).astype(kind)
    top, left, step = 2.0, 3.0, float(rng.choice([1.0, 1.24, 2.5]))
    shape = 4, 5
    out = np.empty((*shape, 3), np.float32)
    area_average(image, top, left, step, np.empty(17 * 3, np.float32), out)
    expected = naive.area_average(image, top, left, step, shape)
    np.testing.assert_allclose(out, expected, rtol=1e-5)


def test_average_of_squares_that_leave_the_image_is_of_what_is_there():
    image = np.array([[[10], [20], [60]]], np.uint8)
    out = np.empty((1, 2, 1), np.float32)
    area_average(image, 0.0, 0.0, 2.0, np.empty(3, np.float32), out)
    assert out.reshape(-1).tolist() == [15, 60]


def test_large_masks_are_where_bilinear_values_reach_a_half():
    rng = np.random.default_rng(1)
    values = rng.random((5, 4)).astype(np.float32)
    out = np.empty((21, 19), np.uint8)
    arguments = (0.3, -0.4, 0.23, 0.2)
    enlarge(values, *arguments, out)
    exact = naive.enlarge(values, *arguments, out.shape)
    clear = np.abs(exact - 0.5) > 1e-6
    assert np.array_equal(out[clear], (exact[clear] >= 0.5))


def test_colors_are_those_of_the_formula_and_of_the_tables():
    rng = np.random.default_rng(0)
    rgb = np.vstack((rng.random((50, 3)), [[1, 1, 1], [0, 0, 0], [1, 0, 0]])).astype(np.float32)
    out = np.empty((3, len(rgb)), np.float32)
    lab(rgb, out)
    np.testing.assert_allclose(out.T, [naive.lab(row) for row in rgb.tolist()], atol=2e-3)
    np.testing.assert_allclose(out[:, -3], [100, 0, 0], atol=0.02)
    np.testing.assert_allclose(out[:, -1], [53.24, 80.09, 67.20], atol=0.02)


@pytest.mark.parametrize("seed", range(6))
def test_filled_pixels_are_those_of_the_even_odd_rule_and_the_corners(seed):
    rng = np.random.default_rng(seed)
    rows = (rng.random(7) * 14 - 2).astype(np.float32)
    columns = (rng.random(7) * 16 - 2).astype(np.float32)
    out = np.empty((10, 12), np.uint8)
    fill_outline(rows, columns, out)
    corners = {
        (math.floor(y + 0.5), math.floor(x + 0.5)) for y, x in zip(rows, columns, strict=True)
    }
    for y, x in np.ndindex(out.shape):
        wanted = naive.in_polygon(rows.tolist(), columns.tolist(), y, x) or (y, x) in corners
        assert out[y, x] == wanted, (y, x)


def test_histograms_are_weighted_counts_and_evidence_their_logarithm():
    bins = np.array([0, 2, 2, 1], np.int32)
    inside = np.array([1, 0.5, 0.25, 0], np.float32)
    counts = np.empty((2, 3), np.float32)
    weighted_histograms(bins, inside, 1 - inside, counts)
    assert counts.tolist() == [[1, 0, 0.75], [0, 1, 1.25]]
    out = np.empty(4, np.float32)
    log_ratios(bins, counts, 0.5, 1.0, out)
    expected = [1.0, math.log(1.25 / 1.75), math.log(1.25 / 1.75), -1.0]
    np.testing.assert_allclose(out, expected, rtol=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_division_is_the_best_of_all(seed):
    rng = np.random.default_rng(seed)
    pull = rng.normal(size=(3, 4)).astype(np.float32)
    down, right = (rng.random((3, 4)).astype(np.float32) for _ in range(2))
    down[-1], right[:, -1] = 0, 0
    share = np.full((3, 4), 0.5, np.float32)
    zeros = np.zeros((3, 4), np.float32)
    divide(pull, down, right, 3000, zeros.copy(), zeros.copy(), zeros.copy(), share)
    best, least = naive.division(pull, down, right)
    assert naive.energy(pull, down, right, (share >= 0.5).astype(float)) == pytest.approx(
        least, abs=1e-3
    )
    assert np.array_equal(share >= 0.5, best == 1)
