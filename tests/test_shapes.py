"""The one way from shapes to pixels, and from regions to a class mask."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consolidation.errors import AnswerError
from consolidation.formats.coded_shapes import Pixels
from consolidation.formats.paint import Region, paint
from consolidation.formats.shapes import Ellipse, Polygon, rectangle
from consolidation.masks import Classes
from tests import naive_formats as naive

# halves and quarters meet pixel centres exactly
NUMBERS = st.one_of(
    st.integers(-60, 120).map(lambda quarter: quarter / 4), st.floats(-15, 30, width=32)
)
RINGS = st.lists(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=3, max_size=8), max_size=3)


def mask_of(shape, height, width):
    out = np.zeros((height, width), np.uint8)
    plane = shape.plane(height, width)
    if plane is not None:
        out[plane.window] = plane.pixels.T if plane.transposed else plane.pixels
    return out


@settings(max_examples=200, deadline=None)
@given(RINGS, st.integers(1, 20), st.integers(1, 20))
def test_polygon_is_its_twin(rings, height, width):
    expected = naive.polygon(rings, height, width)
    np.testing.assert_array_equal(mask_of(Polygon.of(rings), height, width), expected)


def test_square_by_hand():
    # centres at 0.5, 1.5, 2.5: a side on a centre takes the pixel on its right and below
    shape = Polygon.of([[(0.5, 0.5), (2.5, 0.5), (2.5, 2.5), (0.5, 2.5)]])
    assert mask_of(shape, 4, 4).tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [0] * 4, [0] * 4]


def test_hole_and_what_leaves_the_image():
    ring, hole = [(-9, -9), (9, -9), (9, 9), (-9, 9)], [(1, 1), (2, 1), (2, 2), (1, 2)]
    expected = np.ones((3, 3), np.uint8)
    expected[1, 1] = 0
    np.testing.assert_array_equal(mask_of(Polygon.of([ring, hole]), 3, 3), expected)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=3, max_size=5), NUMBERS)
def test_halves_make_the_whole(points, cut):
    """Two polygons that share a side share no pixel, and leave none out."""
    low, high = -20.0, 40.0
    left = [(low, low), (cut, low), *points, (cut, high), (low, high)]
    right = [(high, low), (cut, low), *points, (cut, high), (high, high)]
    halves = [naive.polygon([one], 9, 9) for one in (left, right)]
    masks = [mask_of(Polygon.of([one]), 9, 9) for one in (left, right)]
    np.testing.assert_array_equal(masks, halves)
    np.testing.assert_array_equal(masks[0] ^ masks[1], np.ones((9, 9)))


@settings(max_examples=100, deadline=None)
@given(
    *[st.floats(-5, 25)] * 2,
    *[st.floats(0.1, 20)] * 2,
    st.sampled_from([0, 90, 30, -45, 361.5]),
)
def test_ellipse_is_its_twin(x, y, radius_x, radius_y, degrees):
    shape = Ellipse(x, y, radius_x, radius_y, degrees)
    difference = mask_of(shape, 18, 14) != naive.ellipse(x, y, radius_x, radius_y, degrees, 18, 14)
    # rounding may tip a centre that lies on the border
    for row, column in np.argwhere(difference):
        turn = np.exp(-1j * np.radians(degrees))
        point = (complex(column + 0.5, row + 0.5) - complex(x, y)) * turn
        inside = (point.real / radius_x) ** 2 + (point.imag / radius_y) ** 2
        assert inside == pytest.approx(1, abs=1e-9)


def test_rectangle_is_turned_clockwise():
    # around its corner by a quarter: what went right goes down
    assert mask_of(rectangle(2, 0, 3, 1, 90), 4, 4).tolist() == [
        [0, 1, 0, 0],
        [0, 1, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 0, 0],
    ]
    around = mask_of(rectangle(0, 1, 3, 1, 90, center=True), 3, 3)
    assert around.tolist() == [[0, 1, 0]] * 3


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_polygons_as_pycocotools():
    coco = pytest.importorskip("pycocotools.mask", reason="pycocotools is not installed")
    rng = np.random.default_rng(7)
    angles = np.sort(rng.random(40)) * 2 * np.pi
    points = 120 + np.stack([np.cos(angles), np.sin(angles)], 1) * rng.uniform(60, 100, (40, 1))
    theirs = coco.decode(coco.frPyObjects([points.reshape(-1).tolist()], 240, 240))[..., 0]
    ours = mask_of(Polygon.of([points]), 240, 240)
    assert np.count_nonzero(ours != theirs) < 0.02 * ours.sum()


@pytest.mark.parametrize(
    "ring", [[(0, 0), (1, float("nan")), (2, 2)], [1, 2, 3], [(1, 2, 3)] * 3, "abc", None]
)
def test_rings_that_are_none(ring):
    with pytest.raises(AnswerError, match="a shape of it is damaged"):
        Polygon.of([ring])


def test_degenerate_shapes_have_no_pixel():
    assert Polygon.of([[(0, 0), (5, 5)]]).plane(9, 9) is None
    assert Polygon.of([]).plane(9, 9) is None
    assert Ellipse(1, 1, 0, 5).plane(9, 9) is None
    assert mask_of(Polygon.of([[(1e300, -1e300), (0, 0), (3, 3)]]), 4, 4).shape == (4, 4)


# -- painting

CLASSES = Classes.of_labels(["cat", "dog", "owl"])


def row(label, start, end):
    return Region(label, rectangle(start, 0, end - start, 1))


def test_last_is_on_top_and_what_is_covered_is_told():
    out = np.zeros((1, 6), np.uint8)
    seen = paint([row("cat", 0, 4), row("dog", 2, 5), row("dog", 3, 6)], CLASSES, out, 255)
    assert out.tolist() == [[1, 1, 2, 2, 2, 2]]
    assert seen.warnings() == ["2 pixels of 'cat' lie under 'dog', which counts"]


@pytest.mark.parametrize(
    ("priority", "expected"),
    [
        ((), [1, 1, 3, 3, 3, 2]),
        (("cat",), [1, 1, 1, 1, 3, 2]),
        (("dog",), [1, 2, 2, 2, 2, 2]),
        (("cat", "dog"), [1, 1, 1, 1, 2, 2]),
        (("dog", "cat"), [1, 2, 2, 2, 2, 2]),
        (("nobody",), [1, 1, 3, 3, 3, 2]),
    ],
)
def test_priority_decides(priority, expected):
    out = np.zeros((1, 6), np.uint8)
    regions = [row("dog", 1, 6), row("cat", 0, 4), row("owl", 2, 5)]
    paint(regions, CLASSES, out, 255, priority=priority)
    assert out.tolist() == [expected]


def test_unknown_labels_and_missing_ones_are_ignored():
    out = np.zeros((1, 6), np.uint8)
    regions = [row("cow", 0, 1), row(None, 1, 3), row("_background_", 3, 4), row("cat", 9, 12)]
    seen = paint(regions, CLASSES, out, 255, unpainted=255)
    assert out.tolist() == [[255, 255, 255, 0, 255, 255]]
    assert seen.warnings() == [
        "2 pixels without a label are ignored",
        "1 pixels of label 'cow', which is no class of this job, are ignored",
        "1 region of 'cat' without a pixel",
    ]


def test_unpainted_says_nothing():
    out = np.zeros((1, 4), np.uint16)
    paint([row("cat", 1, 2)], CLASSES, out, 65535, unpainted=65535)
    assert out.tolist() == [[65535, 1, 65535, 65535]]


def test_pixels_of_another_size_are_refused():
    with pytest.raises(AnswerError, match="has 3 x 2 pixels, the image 2 x 3"):
        Pixels(np.zeros((2, 3), np.uint8)).plane(3, 2)
