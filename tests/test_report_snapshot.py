"""The small copies that a report embeds show real pixels, and lose nothing that is thin."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consolidation import consolidate
from consolidation.kernels.reduction import choose_pixels, gather
from consolidation.report import Snapshot, take
from tests import naive


@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 9), st.integers(1, 4))
def test_chosen_pixels(seed: int, height: int, width: int, step: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, (height, width)).astype(np.uint8)
    votes = rng.integers(0, 3, (height, width)).astype(np.uint8)
    rank = rng.permutation(3).astype(np.int64)
    places = np.empty((-(-height // step), -(-width // step)), np.int64)
    choose_pixels(labels, votes, rank, step, places)
    assert places.tolist() == naive.chosen_pixels(labels, votes, rank.tolist(), step)
    values = rng.integers(0, 255, height * width).astype(np.uint8)
    out = np.empty(places.size, np.uint8)
    gather(values, places.reshape(-1), out)
    assert (out == values[places.reshape(-1)]).all()


def crowd(shape: tuple[int, int], seed: int = 0, k: int = 3) -> npt.NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    truth = np.kron(rng.integers(0, k, (4, 4)), np.ones((shape[0] // 4, shape[1] // 4)))
    masks = np.stack([np.roll(truth, by, axis=1) for by in (0, 1, 2)]).astype(np.uint8)
    masks[0, 3] = 2
    return masks


def test_a_small_image_is_copied_as_it_is() -> None:
    masks = crowd((20, 24))
    result = consolidate(masks, workers=["a", "b", "c"], method="auto")
    snapshot = take(result)
    assert (snapshot.step, snapshot.shape, snapshot.workers) == (1, (20, 24), ("a", "b", "c"))
    assert (snapshot.planes[:3] == masks).all()
    assert (snapshot.planes[3] == result.labels).all()
    assert (snapshot.planes[4] == result.confidence_bytes()).all()


def test_every_pixel_of_a_reduced_copy_is_one_real_pixel() -> None:
    masks = crowd((40, 64))
    result = consolidate(masks, method="auto")
    snapshot = take(result, side=22)
    assert (snapshot.step, snapshot.shape) == (3, (14, 22))
    full = np.stack([*masks, result.labels, result.confidence_bytes()])
    for (y, x), story in zip(
        np.ndindex(snapshot.shape), snapshot.planes.reshape(5, -1).T, strict=True
    ):
        block = full[:, 3 * y : 3 * y + 3, 3 * x : 3 * x + 3].reshape(5, -1).T
        assert story.tolist() in block.tolist()


def test_thin_objects_survive() -> None:
    masks = np.ones((3, 90, 90), np.uint8)
    masks[:, 50] = 2
    masks[1, :, 70] = 0
    planes = take(consolidate(masks), side=9).planes
    assert (planes[3][5] == 2).all(), "a line that all painted"
    assert (planes[1][:, 7] == 0).all(), "a line that one painted"


def test_no_label_is_told_from_every_class() -> None:
    masks = np.array([[[0, 1, 9, 9]], [[0, 2, 1, 9]]], np.uint8)
    result = consolidate(masks, n_classes=3, ignore_index=9, ties="undecided", undecided_index=9)
    planes = take(result).planes
    assert planes[:3].tolist() == [[[0, 1, 255, 255]], [[0, 2, 1, 255]], [[0, 255, 1, 255]]]
    wide = consolidate(masks.astype(np.uint16) + 250, n_classes=260, ignore_index=259)
    planes = take(wide).planes
    assert planes.dtype == np.uint16
    assert planes[0].tolist() == [[250, 251, 65535, 65535]]


@pytest.mark.parametrize("shape", [(64, 80), (1, 1), (5, 3)])
def test_bytes_come_back(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    ids = ["ann", "<b>", "\ud800"]
    # noise: every pixel has its own story
    masks = rng.integers(0, 250, (3, *shape)).astype(np.uint8)
    for each in (masks, masks % 2, masks.astype(np.uint16)):
        snapshot = take(consolidate(each, workers=ids))
        data = snapshot.to_bytes()
        again = Snapshot.from_bytes(data)
        assert again.header == snapshot.header
        assert (again.planes == snapshot.planes).all()
        assert again.to_bytes() == data == take(consolidate(each, workers=ids)).to_bytes()


def test_noise_has_no_patterns() -> None:
    masks = np.random.default_rng(0).integers(0, 250, (3, 64, 80)).astype(np.uint8)
    assert take(consolidate(masks)).patterns is None


@pytest.mark.parametrize(
    "data", [b"", b"[]\n", b"{}\n", b'{"workers": [], "rows": 3}\nxx', b"\xff"]
)
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        Snapshot.from_bytes(data)
