"""Models of the user's: told apart by their inputs, fed rightly, their answers checked."""

from __future__ import annotations

import hashlib
import sys

import numpy as np
import pytest

from consolidation.autosegment.onnx_model import OnnxSegmenter
from consolidation.autosegment.onnx_pictures import resized
from consolidation.errors import ConsolidationError, SourceError
from tests import tiny_onnx

IMAGE = np.zeros((60, 100, 3), np.uint8)
POINTS = [(50, 10), (79, 30), (50, 39), (20, 30)]
BOX = np.zeros((60, 100), bool)
BOX[10:40, 20:80] = True


@pytest.fixture
def sam(tmp_path):
    """Encoder and decoder, in the order in which nobody would give them."""
    decoder = tiny_onnx.write(tmp_path, "b.onnx", tiny_onnx.SAM_DECODER)
    return decoder, tiny_onnx.write(tmp_path, "a.onnx", tiny_onnx.SAM_ENCODER)


def inner(mask):
    """Without the pixels that rounding may move."""
    frame = np.zeros_like(BOX)
    frame[9:42, 19:82] = True
    frame[12:38, 22:78] = False
    return mask[~frame]


def test_sam_gets_the_box_and_its_mask_comes_back_upright(sam):
    model = OnnxSegmenter(sam)
    assert model.family == "sam"
    found = model.segment(IMAGE, POINTS)
    assert np.array_equal(inner(found.mask), inner(BOX))
    assert found.alternative == "model"
    tall = model.segment(np.ascontiguousarray(IMAGE.swapaxes(0, 1)), [(y, x) for x, y in POINTS])
    assert np.array_equal(inner(tall.mask.T), inner(BOX))


def test_sam_sees_normalised_colors_in_the_upper_part_of_a_square(sam):
    white = np.full_like(IMAGE, 255)
    score = OnnxSegmenter(sam).segment(white, POINTS).confidence
    mean = np.mean([(1 - 0.485) / 0.229, (1 - 0.456) / 0.224, (1 - 0.406) / 0.225])
    assert score == pytest.approx(0.1 * mean * round(60 * 10.24) / 1024, abs=1e-3)


def test_embeddings_are_kept_for_so_many_images(sam, monkeypatch):
    model = OnnxSegmenter(sam, embeddings=2)
    runs = []
    run = model._encoder.run
    monkeypatch.setattr(model._encoder, "run", lambda feeds: runs.append(1) or run(feeds))
    images = [np.full_like(IMAGE, value) for value in (0, 1, 2)]
    for image in (images[0], images[0].copy(), images[1], images[0]):
        model.segment(image, POINTS)
    assert len(runs) == 2
    for image in (images[2], images[0], images[1]):
        model.segment(image, POINTS)
    assert len(runs) == 4
    assert len(model._embeddings) == 2


def test_sam_2_sees_a_stretched_square_and_gives_small_masks(tmp_path):
    files = [
        tiny_onnx.write(tmp_path, "e.onnx", tiny_onnx.SAM2_ENCODER),
        tiny_onnx.write(tmp_path, "d.onnx", tiny_onnx.SAM2_DECODER),
    ]
    model = OnnxSegmenter(files)
    assert model.family == "sam2"
    found = model.segment(IMAGE, box=(20, 10, 60, 30))
    assert np.array_equal(inner(found.mask), inner(BOX))
    assert found.confidence == pytest.approx(0.75)


def test_efficient_sam_is_one_file(tmp_path):
    model = OnnxSegmenter([tiny_onnx.write(tmp_path, "m.onnx", tiny_onnx.EFFICIENT_SAM)])
    assert model.family == "efficientsam"
    found = model.segment(np.full((60, 100), 51, np.uint8), POINTS, [(5, 5, False)])
    assert np.array_equal(inner(found.mask), inner(BOX))
    assert found.confidence == pytest.approx(0.2, abs=1e-4)


def test_dextr_gets_the_points_as_heat(tmp_path):
    model = OnnxSegmenter([tiny_onnx.write(tmp_path, "m.onnx", tiny_onnx.DEXTR)])
    assert model.family == "dextr"
    found = model.segment(IMAGE, POINTS)
    assert all(found.mask[y, x] for x, y in POINTS)
    assert not found.mask[25, 50]
    assert found.mask.sum() < 200
    with pytest.raises(ValueError, match="takes no clicks"):
        model.segment(IMAGE, POINTS, [(50, 25, True)])


def test_files_and_family_are_recorded(sam):
    record = OnnxSegmenter(sam).provenance
    expected = [
        {"name": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()} for path in sam
    ]
    assert record == {"family": "sam", "files": expected}


def test_a_file_that_does_not_fit_is_told_with_its_inputs(tmp_path):
    encoder = tiny_onnx.write(tmp_path, "encoder.onnx", tiny_onnx.SAM_ENCODER)
    with pytest.raises(SourceError, match=r"encoder\.onnx takes image 1x3x1024x1024") as caught:
        OnnxSegmenter([encoder])
    assert "\n" not in str(caught.value)


def test_what_is_no_model_is_told(tmp_path):
    (tmp_path / "x.onnx").write_text("hello")
    with pytest.raises(SourceError, match=r"x\.onnx is no ONNX model") as caught:
        OnnxSegmenter([tmp_path / "x.onnx"])
    assert "\n" not in str(caught.value)
    with pytest.raises(SourceError, match="No such file"):
        OnnxSegmenter([tmp_path / "y.onnx"])


def test_a_mask_on_its_side_is_refused(tmp_path):
    model = OnnxSegmenter([tiny_onnx.write(tmp_path, "m.onnx", tiny_onnx.TRANSPOSED)])
    with pytest.raises(SourceError, match=r"its masks are 60 x 100, and the image is 100 x 60"):
        model.segment(IMAGE, POINTS)


def test_values_that_are_no_numbers_are_refused(tmp_path):
    text = tiny_onnx.EFFICIENT_SAM.replace("value_float = 5.0", "value_float = 3.0e38").replace(
        "painted = Where (inside, yes, no)",
        "infinite = Mul (yes, yes)\n    painted = Where (inside, infinite, no)",
    )
    model = OnnxSegmenter([tiny_onnx.write(tmp_path, "m.onnx", text)])
    with pytest.raises(SourceError, match="not finite"):
        model.segment(IMAGE, POINTS)


def test_without_the_extra_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ConsolidationError, match=r"consolidation\[segmenter\]"):
        OnnxSegmenter(["m.onnx"])


def test_pictures_are_averaged_where_they_shrink_and_stretched_where_they_grow():
    ramp = np.repeat(np.arange(64, dtype=np.float32)[None, :, None], 32, axis=0)
    small, large = resized(ramp, (8, 16)), resized(ramp, (64, 128))
    np.testing.assert_allclose(small[4, 2:-2, 0], np.arange(16)[2:-2] * 4 + 1.5, atol=0.1)
    np.testing.assert_allclose(large[9, 2:-2, 0], (np.arange(128)[2:-2] + 0.5) / 2 - 0.5, atol=1e-3)
