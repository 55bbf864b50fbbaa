"""Masks from four points: what they hold, what changes them, and what is refused."""

from __future__ import annotations

import itertools
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consolidation.autosegment import ALTERNATIVES, Cache, segment
from consolidation.masks import decode_indices, read_picture
from tests.shared_data import MASKS, needs_shared


def iou(mask, truth):
    return np.count_nonzero(mask & truth) / np.count_nonzero(mask | truth)


def extreme_points(mask):
    """Middle of each side's pixels: topmost, rightmost, lowest, leftmost."""
    ys, xs = np.nonzero(mask)
    points = []
    for key in (ys, -xs, -ys, xs):
        touching = np.flatnonzero(key == key.min())
        k = touching[len(touching) // 2]
        points.append((int(xs[k]), int(ys[k])))
    return points


def box_around(mask):
    ys, xs = np.nonzero(mask)
    return int(xs.min()), int(ys.min()), int(np.ptp(xs)) + 1, int(np.ptp(ys)) + 1


def scene(shape=(150, 200), seed=0):
    """A blob with arms on a textured ground of another colour, and its truth."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[0], : shape[1]]
    angle = np.arctan2(y - 75, x - 95)
    truth = np.hypot(y - 75, x - 95) < 38 + 14 * np.cos(3 * angle + 0.5)
    image = np.where(truth[:, :, None], (170, 90, 60), (70, 110, 120)) + 0.0
    image += 18 * np.sin(x / 3.0 + y / 5.0)[:, :, None] + rng.normal(0, 10, image.shape)
    return image.clip(0, 255).astype(np.uint8), truth


IMAGE, TRUTH = scene()
POINTS = extreme_points(TRUTH)


def test_a_blob_on_texture_is_found_better_than_by_its_shape():
    found = segment(IMAGE, POINTS)
    assert iou(found.mask, TRUTH) > 0.95
    assert iou(found.mask, TRUTH) > iou(found.alternatives["smooth"].mask, TRUTH) + 0.1
    assert 0.8 < found.confidence <= 1


def test_box_and_crop_say_what_the_mask_says():
    found = segment(IMAGE, POINTS)
    left, top, width, height = found.box
    assert found.crop.shape == (height, width)
    assert found.crop.dtype == np.bool_
    assert found.mask.sum() == found.crop.sum()
    assert np.array_equal(found.mask[top : top + height, left : left + width], found.crop)
    assert all(side.any() for side in (found.crop[0], found.crop[-1], *found.crop.T[[0, -1]]))


@pytest.mark.slow
def test_points_in_any_order_give_the_same_mask():
    masks = [segment(IMAGE, order).mask for order in itertools.permutations(POINTS)]
    assert all(np.array_equal(mask, masks[0]) for mask in masks)


def test_alternatives_are_chosen_by_number_or_name():
    found = segment(IMAGE, POINTS)
    assert tuple(found.alternatives) == ALTERNATIVES
    for number, name in enumerate(ALTERNATIVES):
        chosen = segment(IMAGE, POINTS, alternative=number)
        assert chosen.alternative == name
        assert np.array_equal(chosen.mask, found.alternatives[name].mask)
    assert len({found.alternatives[name].crop.sum() for name in ALTERNATIVES}) > 1


def test_points_a_little_off_lose_little():
    rng = np.random.default_rng(4)
    exact = iou(segment(IMAGE, POINTS).mask, TRUTH)
    moved = [np.array(POINTS) + rng.normal(0, 2, (4, 2)) for _ in range(5)]
    assert np.mean([iou(segment(IMAGE, points).mask, TRUTH) for points in moved]) > exact - 0.04


def test_one_point_may_be_two_extremes():
    image = np.zeros((60, 60), np.uint8)
    y, x = np.mgrid[:60, :60]
    truth = (y + x > 30) & (y < 45) & (x < 45)
    image[truth] = 220
    found = segment(image, [(44, 0), (44, 44), (0, 44), (0, 31)])
    assert iou(found.mask, truth) > 0.85


def test_grey_color_and_transparent_pictures_are_one():
    grey = IMAGE[:, :, 1]
    same = [grey, grey[:, :, None], np.repeat(grey[:, :, None], 3, axis=2)]
    same.append(np.dstack((same[2], np.arange(grey.size).reshape(grey.shape) % 256)))
    masks = [segment(image.astype(np.uint8), POINTS).mask for image in same]
    assert all(np.array_equal(mask, masks[0]) for mask in masks)


def test_sixteen_bits_are_stretched():
    grey = IMAGE[:, :, 0].astype(np.uint16)
    dark, light = segment(grey + 100, POINTS), segment(grey * 200, POINTS)
    assert iou(dark.mask, light.mask) > 0.99
    assert iou(dark.mask, TRUTH) > 0.9


def test_an_object_cut_off_by_the_border_goes_to_it():
    cut = slice(70, None), slice(95, None)
    image, truth = np.ascontiguousarray(IMAGE[cut]), TRUTH[cut]
    found = segment(image, extreme_points(truth))
    assert iou(found.mask, truth) > 0.93
    assert found.mask[0, : truth[0].sum() - 3].all()


def test_a_thin_object_is_not_lost():
    image = np.full((120, 300, 3), 90, np.uint8)
    truth = np.zeros((120, 300), bool)
    truth[58:62, 10:290] = True
    image[truth] = (200, 60, 60)
    assert iou(segment(image, extreme_points(truth)).mask, truth) > 0.7


def test_a_mask_is_one_piece_without_holes_until_clicks_make_holes():
    image, truth = IMAGE.copy(), TRUTH.copy()
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    hole = np.hypot(y - 75, x - 95) < 14
    image[hole] = (20, 20, 30)
    truth &= ~hole
    cache = Cache()
    whole = segment(image, POINTS, cache=cache)
    assert whole.mask[75, 95]
    holed = segment(image, POINTS, [(95, 75, False)], cache=cache)
    assert not holed.mask[75, 95]
    assert iou(holed.mask, truth) > iou(whole.mask, truth) + 0.03


def test_clicks_pull_their_place_in_or_out_and_can_be_undone():
    cache = Cache()
    before = segment(IMAGE, POINTS, cache=cache)
    y, x = np.argwhere(before.mask & ~TRUTH)[0] if (before.mask & ~TRUTH).any() else (75, 95)
    clicks = [(x, y, 0), (10, 10, 1), (95, 75, True)]
    after = segment(IMAGE, POINTS, clicks, cache=cache)
    assert not after.mask[y, x]
    assert after.mask[10, 10]
    assert after.mask[75, 95]
    undone = segment(IMAGE, POINTS, clicks[:1], cache=cache)
    assert np.array_equal(undone.mask, segment(IMAGE, POINTS, clicks[:1]).mask)
    assert np.array_equal(segment(IMAGE, POINTS, [], cache=cache).mask, before.mask)


def test_the_order_of_clicks_does_not_matter():
    clicks = [(60, 60, True), (120, 100, False), (95, 40, False), (95, 75, True)]
    cache = Cache()
    orders = itertools.permutations(clicks)
    masks = [segment(IMAGE, POINTS, order, cache=cache).mask for order in orders]
    assert all(np.array_equal(mask, masks[0]) for mask in masks)


def test_a_click_that_is_right_already_changes_nothing():
    before = segment(IMAGE, POINTS)
    after = segment(IMAGE, POINTS, [(95, 75, True), (3, 3, False)])
    assert np.array_equal(before.mask, after.mask)


def test_clicks_correct_a_mask_and_leave_the_rest_as_it_was():
    mask = TRUTH.copy()
    mask[55:80, 100:125] = False
    # single pixels far away, which a small copy of the mask could not hold
    mask[::40, ::40] ^= True
    found = segment(IMAGE, clicks=[(112, 67, True)], mask=mask)
    assert found.alternative == "mask"
    assert np.isnan(found.confidence)
    gap = np.zeros_like(TRUTH)
    gap[55:80, 100:125] = True
    assert found.mask[gap & TRUTH].mean() > 0.8
    far = np.ones_like(TRUTH)
    far[40:95, 85:140] = False
    assert np.array_equal(found.mask[far], mask[far])
    assert np.array_equal(segment(IMAGE, mask=mask).mask, mask)


def test_what_others_have_is_not_this_object_and_helps():
    image = np.full((100, 160, 3), 100, np.uint8)
    left, right = np.zeros((2, 100, 160), bool)
    left[20:80, 20:80] = True
    y, x = np.mgrid[:100, :160]
    right |= (np.hypot(y - 50, x - 95) < 32) & ~left
    image[left | right] = (180, 150, 90)
    rng = np.random.default_rng(0)
    image = (image + rng.normal(0, 6, image.shape)).clip(0, 255).astype(np.uint8)
    points = extreme_points(right)
    alone, beside = segment(image, points), segment(image, points, taken=left)
    assert not (beside.mask & left).any()
    assert iou(beside.mask, right) > iou(alone.mask, right) - 1e-9
    assert iou(beside.mask, right) > 0.9


def test_a_box_is_enough():
    found = segment(IMAGE, box=box_around(TRUTH))
    assert iou(found.mask, TRUTH) > 0.85


def test_an_image_far_larger_than_the_object_gives_the_same_mask():
    large = np.zeros((900, 1100, 3), np.uint8)
    large[300:450, 400:600] = IMAGE
    # the crop must end inside the small picture, or it sees the large one's black
    inner = segment(large, np.array(POINTS) + np.array((400, 300)))
    assert iou(inner.mask[300:450, 400:600], TRUTH) > 0.95


def test_a_cache_is_bounded_and_belongs_to_one_image():
    cache = Cache(objects=2)
    rng = np.random.default_rng(0)
    for _ in range(5):
        segment(IMAGE, np.array(POINTS) + rng.integers(-2, 3, (4, 2)), cache=cache)
    assert len(cache) == 4
    other = IMAGE[::-1].copy()
    found = segment(other, extreme_points(TRUTH[::-1]), cache=cache)
    assert len(cache) == 2
    assert np.array_equal(found.mask, segment(other, extreme_points(TRUTH[::-1])).mask)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"points": [(1, 1), (2, 2), (3, 3)]}, "four extreme points, and 3"),
        ({"points": [(1, 1), (2, 2), (3, np.nan), (4, 4)]}, "not finite"),
        ({"points": [(1, 1), (2, 2), (3, 3), (900, 4)]}, "900, 4 lies outside .* 200 x 150"),
        ({"points": "abcd"}, "rows of 2 numbers"),
        ({"points": POINTS, "clicks": [(1, 2)]}, "rows of 3 numbers"),
        ({"points": POINTS, "clicks": [(1, -99, 1)]}, "click 1, -99 lies outside"),
        ({"points": POINTS, "alternative": 7}, "0 vote, 1 smooth, 2 path, 3 star; 7"),
        ({"points": POINTS, "alternative": "best"}, "'best' is none"),
        ({"points": POINTS, "box": (1, 1, 5, 5)}, "one of points, box and mask: 2"),
        ({}, "one of points, box and mask: 0"),
        ({"box": (5, 5, 0, 9)}, "box is empty"),
        ({"box": (500, 5, 10, 9)}, "outside the image"),
        ({"mask": TRUTH[1:]}, r"bool of the image's shape \(150, 200\)"),
        ({"points": POINTS, "taken": TRUTH.astype(np.uint8)}, "taken is an array of bool"),
    ],
)
def test_bad_arguments_are_told_in_one_line(arguments, message):
    with pytest.raises(ValueError, match=message) as caught:
        segment(IMAGE, **arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "image",
    [
        IMAGE.astype(np.float32),
        IMAGE.tolist(),
        np.zeros((5, 5, 2), np.uint8),
        np.zeros((0, 5), np.uint8),
        np.zeros(5, np.uint8),
    ],
)
def test_what_is_no_image_is_refused(image):
    with pytest.raises(ValueError, match="an image is"):
        segment(image, [(0, 0)] * 4)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_no_input_of_the_right_form_raises(data):
    height, width = data.draw(st.tuples(st.integers(1, 40), st.integers(1, 40)))
    kind = data.draw(st.sampled_from(["flat", "noise", "steps"]))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    image = np.full((height, width, 3), 77, np.uint8)
    if kind == "noise":
        image[:] = rng.integers(0, 256, image.shape, dtype=np.uint8)
    elif kind == "steps":
        image[:, width // 2 :] = 200
    place = st.tuples(st.floats(0, width - 1), st.floats(0, height - 1))
    points = data.draw(st.lists(place, min_size=4, max_size=4))
    clicks = [(*data.draw(place), data.draw(st.booleans())) for _ in range(2)]
    taken = rng.random((height, width)) < data.draw(st.sampled_from([0, 0.5, 1]))
    for name in ALTERNATIVES:
        found = segment(image, points, alternative=name)
        assert found.crop.any()
    found = segment(image, points, clicks, taken=taken)
    assert not (found.mask & taken).any()
    assert 0 <= found.confidence <= 1
    last = {click[:2]: click[2] for click in clicks}
    corrected = segment(image, clicks=clicks, mask=found.mask)
    assert corrected.mask.shape == (height, width)
    assert len(last) == 2 or last
    segment(image, box=(*points[0], 3, 3), clicks=clicks)


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (30, 1), (2, 2)])
def test_the_smallest_pictures_work(shape):
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    bottom, right = shape[0] - 1, shape[1] - 1
    found = segment(image, [(0, 0), (right, 0), (right, bottom), (0, bottom)])
    assert found.crop.any()
    assert found.mask.shape == shape


def test_collinear_points_give_the_line_between_them():
    found = segment(IMAGE, [(20, 30), (40, 30), (60, 30), (80, 30)])
    assert found.box[0] <= 21
    assert found.box[2] >= 58
    assert found.box[3] <= 5


@pytest.mark.slow
@needs_shared
def test_cells_are_found_better_than_by_their_shape_and_clicks_help():
    folders = sorted((MASKS / "bubil_crowd").glob("*/truth.png"))[::6]
    scores = []
    for path in folders:
        truth = decode_indices(path.read_bytes()) > 0
        image = read_picture(path.with_name("image.png").read_bytes(), str(path))
        points, cache = extreme_points(truth), Cache()
        found = segment(image, points, cache=cache)
        wrong = found.mask ^ truth
        y, x = np.argwhere(wrong)[np.count_nonzero(wrong) // 2]
        clicked = segment(image, points, [(x, y, truth[y, x])], cache=cache)
        masks = (found, found.alternatives["smooth"], clicked)
        scores.append([iou(each.mask, truth) for each in masks])
    vote, smooth, clicked = np.mean(scores, axis=0)
    assert vote > smooth
    assert vote > 0.62
    assert clicked > vote


@pytest.mark.slow
def test_importing_the_package_does_not_load_it():
    code = (
        "import sys, consolidation; "
        "sys.exit('consolidation.autosegment' in sys.modules or 'numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.slow
def test_segmenting_loads_no_model_library():
    code = (
        "import sys, consolidation.autosegment; "
        "sys.exit(any(name in sys.modules for name in ('onnxruntime', 'PIL')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
