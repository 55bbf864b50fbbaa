"""Run-length codes of other tools: against naive twins, reference libraries, real files."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consolidation.errors import AnswerError
from consolidation.formats import coded_shapes, rle
from tests import format_writers as writers
from tests import naive_formats as naive
from tests.shared_data import FORMATS, needs_shared

# of the SDK's own tests: values of 8 bits
VECTOR = [0, 0, 0, 18, 57, 27, 252, 96, 32, 1, 0, 6, 0, 40, 0, 192, 3, 128, 17, 56, 32]
VALUES = [1, 1, 1, 1, 2, 3, 5, 6, 7, 8, *[4] * 8]

SIZES = st.lists(st.integers(1, 16), min_size=4, max_size=4)


@st.composite
def planes(draw, max_side=20):
    """Masks (H, Wd) of spots on nothing."""
    height, width = draw(st.integers(1, max_side)), draw(st.integers(1, max_side))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    mask = rng.random((height, width)) < draw(st.sampled_from([0.0, 0.02, 0.3, 0.9, 1.0]))
    return mask.astype(np.uint8)


def test_vector_of_the_sdk():
    assert naive.brush(bytes(VECTOR)) == VALUES
    # alpha is every fourth value
    stream = rle.brush_bytes([0, 0, 0, 16, *VECTOR[4:]])
    alpha, top, bottom = rle.decode_brush(stream, 2, 2)
    assert alpha.tolist() == [[1, 6], [4, 4]]
    assert (top, bottom) == (0, 2)


@settings(max_examples=100, deadline=None)
@given(planes(), SIZES, st.integers(1, 255))
def test_brush_comes_back(mask, sizes, alpha):
    data = writers.brush(mask * alpha, sizes)
    decoded, top, bottom = rle.decode_brush(rle.brush_bytes(data), *mask.shape)
    np.testing.assert_array_equal(decoded, mask * alpha)
    rows = np.flatnonzero(mask.any(axis=1))
    assert (top, bottom) == ((rows[0], rows[-1] + 1) if rows.size else (0, 0))
    assert naive.brush(bytes(data)) == np.repeat(mask.reshape(-1) * alpha, 4).tolist()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 255), min_size=4, max_size=64), SIZES)
def test_brush_of_any_values(values, sizes):
    values = values[: len(values) // 4 * 4]
    data = writers.brush_of_values(values, sizes)
    decoded, _, _ = rle.decode_brush(rle.brush_bytes(data), 1, len(values) // 4)
    assert decoded[0].tolist() == values[3::4] == naive.brush(bytes(data))[3::4]


def test_text_and_list_are_the_same_brush():
    text = b" 0,\n0 , 0, 18,57,27,252,96,32,1,0,6,0,40,0,192,3,128,17,56,32 "
    assert rle.brush_bytes(text).tolist() == rle.brush_bytes(VECTOR).tolist()


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (b"1, 256", "'256' is no byte"),
        (b"1,,2", "is no byte"),
        (b"1 2", "is no byte"),
        (b"1,-2", "is no byte"),
        (b"1,2,", "is no byte"),
        ([1, 256], "not a list of numbers 0 to 255"),
        ([1, "2"], "not a list of numbers"),
        ([1, 2.5], "not a list of numbers"),
    ],
)
def test_numbers_that_are_no_bytes(values, says):
    with pytest.raises(AnswerError, match=says):
        rle.brush_bytes(values)


@pytest.mark.parametrize("cut", range(len(VECTOR)))
def test_brush_cut_off_anywhere(cut):
    data = [0, 0, 0, 16, *VECTOR[4:]][:cut]
    if cut > 18:
        pytest.skip("what is left holds all 16 values") if cut > 20 else None
    with pytest.raises(AnswerError, match="cut off after"):
        stream = rle.brush_bytes(data)
        rle.decode_brush(stream, 2, 2)
        raise AnswerError("cut off after all") if cut >= 20 else AssertionError


def test_size_that_lies_allocates_nothing():
    data = [255, 255, 255, 255, *VECTOR[4:]]
    with pytest.raises(AnswerError, match=r"made for 1,073,741,82\d.* the image has 4 x 3"):
        rle.decode_brush(rle.brush_bytes(data), 3, 4)


def test_words_of_other_sizes_are_refused():
    data = [*VECTOR[:4], VECTOR[4] + 8, *VECTOR[5:]]
    data[3] = 16
    with pytest.raises(AnswerError, match="values of 9 bits, not 8"):
        rle.decode_brush(rle.brush_bytes(data), 2, 2)


@needs_shared
def test_real_brush():
    path = FORMATS / "label-studio" / "brush_no_size.json"
    value = json.loads(path.read_text())["annotations"][0]["result"][0]["value"]
    stream = rle.brush_bytes(value["rle"])
    assert rle.brush_values(stream) == 25_128_336
    alpha, top, bottom = rle.decode_brush(stream, 2802, 2242)
    assert [int((alpha >= least).sum()) for least in (1, 128, 255)] == [260_411, 253_348, 244_300]
    assert len(np.unique(alpha)) == 29
    columns = np.flatnonzero(alpha.any(axis=0))
    assert (columns[0], columns[-1], top, bottom - 1) == (47, 2141, 44, 769)


# -- runs


@settings(max_examples=100, deadline=None)
@given(planes())
def test_runs_come_back(mask):
    counts = writers.runs(mask.reshape(-1))
    text = ", ".join(map(str, counts))
    np.testing.assert_array_equal(rle.parse_runs(text, mask.size), counts)
    np.testing.assert_array_equal(rle.listed_runs(counts, mask.size), counts)
    plane = coded_shapes.Runs(text, 0, 0, *mask.shape).plane(*mask.shape)
    np.testing.assert_array_equal(plane.pixels, mask)
    assert naive.runs(counts) == mask.reshape(-1).tolist()


@settings(max_examples=100, deadline=None)
@given(planes())
def test_columns_of_coco_come_back(mask):
    counts = writers.runs(mask.T.reshape(-1))
    text = writers.coco_counts(counts)
    assert naive.coco_counts(text) == counts
    np.testing.assert_array_equal(rle.compressed_runs(text, mask.size), counts)
    for listed in (text, counts, [float(one) for one in counts]):
        plane = coded_shapes.ColumnRuns(listed, list(mask.shape)).plane(*mask.shape)
        out = np.zeros_like(mask)
        if plane is not None:
            out[plane.window] = plane.pixels.T
        np.testing.assert_array_equal(out, mask)


@settings(max_examples=60, deadline=None)
@given(planes(max_side=40))
def test_compressed_as_pycocotools(mask):
    coco = pytest.importorskip("pycocotools.mask", reason="pycocotools is not installed")
    encoded = coco.encode(np.asfortranarray(mask))
    text = encoded["counts"].decode()
    assert text == writers.coco_counts(writers.runs(mask.T.reshape(-1)))
    plane = coded_shapes.ColumnRuns(text, list(mask.shape)).plane(*mask.shape)
    assert (0 if plane is None else int(plane.pixels.sum())) == int(coco.area(encoded))


@settings(max_examples=60, deadline=None)
@given(planes(), st.integers(1, 9))
def test_dense_runs_come_back(mask, value):
    values = mask.reshape(-1) * value
    pairs: list[int] = []
    for one in values.tolist():
        if pairs and pairs[-2] == one:
            pairs[-1] += 1
        else:
            pairs += [one, 1]
    plane = coded_shapes.DenseRuns(pairs, value).plane(*mask.shape)
    out = np.zeros_like(mask)
    if plane is not None:
        out[plane.window] = plane.pixels
    np.testing.assert_array_equal(out, mask)


@pytest.mark.parametrize(
    ("read", "says"),
    [
        (lambda: rle.parse_runs("3, 4", 8), "cover 7 pixels, the image has 8"),
        (lambda: rle.parse_runs("3, 99999999999999999999", 8), "is no length up to 8"),
        (lambda: rle.parse_runs("", 8), "cover 0 pixels"),
        (lambda: rle.parse_runs("a", 8), "'a' is no length"),
        (lambda: rle.listed_runs([3, -1, 6], 8), "not a list of lengths"),
        (lambda: rle.listed_runs([[3], [5]], 8), "not a list of lengths"),
        (lambda: rle.listed_runs([2.5, 5.5], 8), "not a list of lengths"),
        (lambda: rle.listed_runs([float("nan"), 8.0], 8), "not a list of lengths"),
        (lambda: rle.listed_runs([1 << 70], 8), "not a list of lengths"),
        (lambda: rle.listed_runs(None, 8), "not a list of lengths"),
        (lambda: rle.compressed_runs("~", 8), "'~' is no length"),
        (lambda: rle.compressed_runs("oooooooooooooooo", 8), "is no length"),
        (lambda: rle.compressed_runs("o", 8), "is no length"),
        (lambda: rle.compressed_runs("@", 8), "is no length"),
        (lambda: rle.compressed_runs("8o1", 8), "one of 63 pixels, of 8"),
        (lambda: rle.dense_runs([1, 2, 3], 8), "not a list of values and lengths"),
        (lambda: rle.dense_runs([1, 9], 8), "a length that is not 0 to 8"),
        (lambda: rle.dense_runs([1, 7], 8), "cover 7 pixels"),
        (lambda: rle.dense_runs("text", 8), "not a list of values"),
    ],
)
def test_runs_that_lie(read, says):
    with pytest.raises(AnswerError, match=says):
        read()


def test_boxes_of_runs_are_held_against_the_image():
    with pytest.raises(AnswerError, match="box of 1000000 x 1000000 pixels, the image 4 x 4"):
        coded_shapes.Runs("1", 0, 0, 10**6, 10**6).plane(4, 4)
    with pytest.raises(AnswerError, match="box of 0 x 4"):
        coded_shapes.Runs("", 0, 0, 4, 0).plane(4, 4)
    # what sticks out is cut off
    plane = coded_shapes.Runs("0, 4", -1, 3, 2, 2).plane(4, 4)
    assert (plane.top, plane.left, plane.pixels.tolist()) == (0, 3, [[1]])
    assert coded_shapes.Runs("0, 4", 4, 0, 2, 2).plane(4, 4) is None


def test_columns_of_another_size():
    with pytest.raises(AnswerError, match=r"of size \[4, 3\], the image \[3, 4\]"):
        coded_shapes.ColumnRuns("0<", [4, 3]).plane(3, 4)
