"""Scores: small cases worked by hand, properties, slow twins, folders and their errors."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from consolidation.commands.evaluate import evaluate_folders
from consolidation.errors import SourceError
from consolidation.evaluation import (
    boundary_f1,
    class_dice,
    class_iou,
    confusion_matrix,
    evaluate_masks,
    mean_iou,
)
from consolidation.formats.class_names import class_table
from consolidation.formats.truth_reader import read_mask
from consolidation.formats.truths import find_masks
from consolidation.names import file_names
from consolidation.storage import StorageError

Mask = npt.NDArray[np.uint8]
K = 4
PAIRS = st.tuples(st.integers(1, 9), st.integers(1, 9)).flatmap(
    lambda shape: st.tuples(*[hnp.arrays(np.uint8, shape, elements=st.integers(0, K - 1))] * 2)
)


def mask(*rows: list[int]) -> Mask:
    return np.array(rows, dtype=np.uint8)


# --- four pixels, by hand -------------------------------------------------------------------------


def test_four_pixels() -> None:
    confusion = confusion_matrix(mask([0, 1], [1, 2]), mask([0, 0], [1, 1]), 4)
    assert confusion.tolist() == [[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert confusion.dtype == np.int64
    # class 0: 1 of 2; class 1: 1 shared of 3; class 2: predicted only; class 3: nowhere
    np.testing.assert_allclose(class_iou(confusion), [1 / 2, 1 / 3, 0, np.nan])
    np.testing.assert_allclose(class_dice(confusion), [2 / 3, 1 / 2, 0, np.nan])
    assert mean_iou(mask([0, 1], [1, 2]), mask([0, 0], [1, 1])) == pytest.approx(5 / 18)


def test_ignored_pixels_leave_no_trace() -> None:
    truth, predicted = mask([0, 7], [1, 1]), mask([0, 3], [1, 0])
    assert mean_iou(predicted, truth, ignore_index=7) == pytest.approx((1 / 2 + 1 / 2) / 2)
    assert math.isnan(mean_iou(predicted, truth * 0 + 7, ignore_index=7))


def test_undecided_is_wrong_but_no_class() -> None:
    truth = mask([0, 0], [1, 1])
    assert mean_iou(mask([0, 0], [1, 255]), truth, undecided_index=255) == pytest.approx(3 / 4)
    assert mean_iou(mask([0, 0], [1, 255]), truth) == pytest.approx(1 / 2)


def test_counting_in_blocks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    predicted, truth = rng.integers(0, 5, (2, 31, 17)).astype(np.uint16)
    whole, mean = confusion_matrix(predicted, truth, 5), mean_iou(predicted, truth)
    monkeypatch.setattr("consolidation.evaluation.scores._BLOCK", 10)
    np.testing.assert_array_equal(confusion_matrix(predicted, truth, 5), whole)
    assert mean_iou(predicted, truth) == mean
    assert mean_iou(predicted.astype(np.uint64), truth.astype(np.uint64)) == mean


# --- properties -----------------------------------------------------------------------------------


@settings(deadline=None)
@given(PAIRS)
def test_identity_is_perfect(pair: tuple[Mask, Mask]) -> None:
    predicted, _ = pair
    assert mean_iou(predicted, predicted) == 1
    assert set(boundary_f1(predicted, predicted, 0)[np.unique(predicted)]) == {1.0}


@settings(deadline=None)
@given(PAIRS)
def test_scores_are_symmetric_and_in_range(pair: tuple[Mask, Mask]) -> None:
    predicted, truth = pair
    there, back = confusion_matrix(predicted, truth, K), confusion_matrix(truth, predicted, K)
    assert there.sum() == predicted.size
    np.testing.assert_array_equal(there, back.T)
    np.testing.assert_array_equal(class_iou(there), class_iou(back))
    np.testing.assert_allclose(boundary_f1(predicted, truth), boundary_f1(truth, predicted))
    assert mean_iou(predicted, truth) == pytest.approx(np.nanmean(class_iou(there)))
    iou, dice = class_iou(there), class_dice(there)
    np.testing.assert_allclose(dice, 2 * iou / (1 + iou))
    assert np.nanmin(iou) >= 0 and np.nanmax(iou) <= 1


@settings(deadline=None)
@given(PAIRS, st.permutations(range(K)))
def test_renaming_classes_permutes_scores(pair: tuple[Mask, Mask], new_names: list[int]) -> None:
    names = np.array(new_names, dtype=np.uint8)
    before = confusion_matrix(*pair, K)
    after = confusion_matrix(names[pair[0]], names[pair[1]], K)
    np.testing.assert_array_equal(class_iou(after)[names], class_iou(before))
    np.testing.assert_array_equal(
        boundary_f1(names[pair[0]], names[pair[1]], n_classes=K)[names],
        boundary_f1(*pair, n_classes=K),
    )


# --- boundary F1 ----------------------------------------------------------------------------------


def test_border_shifted_by_two() -> None:
    truth, predicted = mask([0] * 4 + [1] * 6), mask([0] * 6 + [1] * 4)
    assert boundary_f1(predicted, truth, 1.9).tolist() == [0, 0]
    assert boundary_f1(predicted, truth, 2).tolist() == [1, 1]


def test_one_stray_pixel_costs_precision() -> None:
    truth = np.zeros((9, 9), dtype=np.uint8)
    truth[:, 6:] = 1
    predicted = truth.copy()
    predicted[4, 1] = 1
    # class 1: 9 of 10 predicted border pixels are right, all 9 true ones are found
    assert boundary_f1(predicted, truth, 1)[1] == pytest.approx(2 * 0.9 / 1.9)


def test_diagonal_distance_is_euclidean() -> None:
    truth, predicted = np.zeros((2, 5, 5), dtype=np.uint8)
    truth[1, 1] = predicted[2, 2] = 1
    assert boundary_f1(predicted, truth, 1.41)[1] == 0
    assert boundary_f1(predicted, truth, 1.42)[1] == 1


@pytest.mark.parametrize(
    ("predicted", "truth", "expected"),
    [
        ([1, 1], [1, 1], [np.nan, 1]),  # fills both: no border to miss
        ([0, 0], [1, 1], [0, 0]),  # each class in one mask only
        ([0, 1], [1, 1], [0, 0]),  # a border where the truth has none
        ([0, 255], [0, 0], [0]),  # outside n_classes: a border, but no class
    ],
)
def test_edge_cases(predicted: list[int], truth: list[int], expected: list[float]) -> None:
    scores = boundary_f1(mask(predicted), mask(truth), n_classes=len(expected))
    np.testing.assert_array_equal(scores, expected)


def naive_boundary_f1(predicted: Mask, truth: Mask, tolerance: float, index: int) -> float:
    def border(labels: Mask) -> list[tuple[int, int]]:
        found = []
        for r, c in zip(*np.nonzero(labels == index), strict=True):
            around = [(r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)]
            inside = [(i, j) for i, j in around if (i, j) in np.ndindex(*labels.shape)]
            if any(labels[i, j] != index for i, j in inside):
                found.append((int(r), int(c)))
        return found

    def share_near(these: list[tuple[int, int]], those: list[tuple[int, int]]) -> float:
        hits = [any(math.dist(p, q) <= tolerance for q in those) for p in these]
        return sum(hits) / len(hits)

    if not (predicted == index).any() and not (truth == index).any():
        return math.nan
    if not (predicted == index).any() or not (truth == index).any():
        return 0.0
    first, second = border(predicted), border(truth)
    if not first and not second:
        return 1.0
    if not first or not second:
        return 0.0
    precision, recall = share_near(first, second), share_near(second, first)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


@settings(max_examples=60, deadline=None)
@given(PAIRS, st.sampled_from([0, 0.5, 1, 1.5, 2, 2.9, 5, 20]))
def test_boundary_f1_matches_its_twin(pair: tuple[Mask, Mask], tolerance: float) -> None:
    expected = [naive_boundary_f1(*pair, tolerance, index) for index in range(K)]
    np.testing.assert_allclose(boundary_f1(*pair, tolerance, n_classes=K), expected)


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize("score", [mean_iou, boundary_f1, lambda p, t: confusion_matrix(p, t, 2)])
def test_refuses_what_is_no_pair_of_masks(score: Any) -> None:
    good = mask([0, 1])
    with pytest.raises(ValueError, match=r"shape \(1, 2\), truth has shape \(2, 1\)"):
        score(good, good.T)
    with pytest.raises(ValueError, match=r"predicted must hold integer class indices, got .*float"):
        score(good.astype(float), good)
    with pytest.raises(ValueError, match="truth holds the negative class index -1"):
        score(good, good.astype(int) - 1)


def test_refuses_bad_arguments() -> None:
    with pytest.raises(ValueError, match="truth holds class 1, n_classes is 1"):
        confusion_matrix(mask([0, 0]), mask([0, 1]), 1)
    with pytest.raises(ValueError, match="n_classes must be at least 1"):
        confusion_matrix(mask([0]), mask([0]), 0)
    with pytest.raises(ValueError, match=r"\(K, K\), got \(2, 3\)"):
        class_iou(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="tolerance"):
        boundary_f1(mask([0]), mask([0]), -1)
    with pytest.raises(ValueError, match=r"\(H, Wd\), got \(2,\)"):
        boundary_f1(mask([0, 1])[0], mask([0, 1])[0])


# --- folders --------------------------------------------------------------------------------------


def save(path: Path, labels: Mask, palette: bool = True) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(labels)
    if palette:
        image.putpalette(bytes(range(256)) * 3)
    image.save(path)
    return path


def test_the_forms_of_a_folder(tmp_path: Path) -> None:
    flat = save(tmp_path / "flat" / "7.png", mask([0, 1]))
    deep = save(tmp_path / "flat" / "a" / "b.png", mask([0, 1]))
    run = save(tmp_path / "run" / "masks" / "7.png", mask([0, 1]))
    nested = save(tmp_path / "nested" / "a" / "café" / "truth.png", mask([0, 1]))
    save(tmp_path / "nested" / "a" / "café" / "worker_1.png", mask([0, 1]))
    ids = ["7", "a/b", "a/café"]
    assert find_masks(tmp_path / "flat").of(ids) == {"7": str(flat), "a/b": str(deep)}
    assert find_masks(tmp_path / "run").of(ids) == {"7": str(run)}
    assert find_masks(str(tmp_path / "nested")).of(ids) == {"a/café": str(nested)}


def test_an_image_may_be_called_masks(tmp_path: Path) -> None:
    path = save(tmp_path / "masks" / "truth.png", mask([0, 1]))
    assert find_masks(tmp_path).of(["masks"]) == {"masks": str(path)}


IDS = ("sub/y 1", "100%25", "100%", "x", "X", "é" * 80)


@pytest.mark.parametrize("form", ["{}/truth.png", "{}.png", "encoded"])
def test_every_valid_id_finds_its_truth(tmp_path: Path, form: str) -> None:
    truth, names = tmp_path / "truth", file_names(IDS)
    for number, image_id in enumerate(IDS):
        save(tmp_path / "run" / "masks" / f"{names[image_id]}.png", mask([number, 7]))
        named = f"{names[image_id]}.png" if form == "encoded" else form.format(image_id)
        save(truth / named, mask([number, 7]))
    write_provenance(tmp_path / "run", [])
    result = evaluate_folders(tmp_path / "run", truth)
    assert (result.mean_iou, result.only_predicted, result.only_truth) == (1, (), ())
    if form != "encoded":
        assert {row.image_id for row in result.images} == set(IDS)
    found = find_masks(truth).of(IDS)
    assert [read_mask(found[image_id])[0, 0] for image_id in IDS] == list(range(len(IDS)))


def test_only_one_of_two_ids_that_differ_in_case_has_a_truth(tmp_path: Path) -> None:
    for number, name in enumerate(file_names(["x", "X"]).values()):
        save(tmp_path / "run" / "masks" / f"{name}.png", mask([number]))
    write_provenance(tmp_path / "run", [])
    save(tmp_path / "truth" / "X.png", mask([1]))
    result = evaluate_folders(tmp_path / "run", tmp_path / "truth")
    assert [row.image_id for row in result.images] == ["X"]
    assert (result.pixel_accuracy, result.only_predicted) == (1, ("x",))


def test_evaluation_of_a_job(tmp_path: Path) -> None:
    truth, predicted = tmp_path / "job" / "truth", tmp_path / "run"
    save(truth / "0.png", mask([0, 0], [1, 1]))
    save(predicted / "masks" / "0.png", mask([0, 1], [1, 1]), palette=False)
    save(truth / "1.png", mask([0, 255, 2, 2]))
    save(predicted / "masks" / "1.png", mask([0, 1, 2, 255]))
    save(truth / "2.png", mask([0]))
    save(predicted / "masks" / "x.png", mask([0]))
    classes = [{"index": i, "name": n} for i, n in enumerate(["BACKGROUND", "road", "tree", "car"])]
    (tmp_path / "job" / "classes.json").write_text(json.dumps({"classes": classes}))

    result = evaluate_folders(predicted, truth)
    assert [row.image_id for row in result.images] == ["0", "1"]
    assert (result.only_predicted, result.only_truth) == (("x",), ("2",))
    # image 0: 1/2 and 2/3; image 1: background 1, tree 1/2 (one undecided), the unknown pixel none
    assert result.images[0].mean_iou == pytest.approx(7 / 12)
    assert result.images[1].mean_iou == pytest.approx(3 / 4)
    assert result.mean_iou == pytest.approx((7 / 12 + 3 / 4) / 2)
    np.testing.assert_allclose(result.class_iou, [2 / 3, 2 / 3, 1 / 2, np.nan])
    assert result.pixel_accuracy == pytest.approx(5 / 7)
    assert result.undecided == pytest.approx(1 / 7)
    assert result.class_names == ("BACKGROUND", "road", "tree", "car")
    assert result.class_boundary_f1.tolist()[:3] == [1, 1, 1]

    stored = json.loads(json.dumps(result.as_dict(), allow_nan=False))
    assert stored["classes"][3] == {"index": 3, "name": "car", "iou": None, "boundary_f1": None}
    assert stored["images_scored"] == len(stored["images"]) == 2
    table = result.table()
    for part in ("2 images scored", "1 image has no truth", "undecided", "tree", "0.583  0"):
        assert part in table


def test_an_image_of_unknown_truth_has_no_score() -> None:
    unknown = ("0", mask([0, 1]), mask([255, 255]))
    result = evaluate_masks([unknown, ("1", mask([0, 1, 1, 1]), mask([0, 1, 1, 0]))])
    assert math.isnan(result.images[0].mean_iou)
    assert result.as_dict()["images"][0]["mean_iou"] is None
    # two pixels of six
    assert result.unknown == result.as_dict()["unknown"] == pytest.approx(1 / 3)
    assert "left out          0.333" in result.table()
    with pytest.raises(SourceError, match=r"nothing is left to compare: all 2 pixels of the truth"):
        evaluate_masks([unknown])


def test_classes_that_never_meet_are_no_score() -> None:
    with pytest.raises(SourceError, match="no class in common: the prediction has 1 cat, the trut"):
        evaluate_masks([("0", mask([0, 1]), mask([0, 2]))], class_names={1: "cat"})
    # one image in which they meet is enough; nothing found at all is a low score
    pairs = [("0", mask([0, 1]), mask([0, 2])), ("1", mask([0, 1]), mask([0, 1]))]
    assert evaluate_masks(pairs).pixel_accuracy == 3 / 4
    blank = evaluate_masks([("0", mask([0, 0, 0, 0]), mask([0, 2, 2, 2]))])
    assert blank.mean_iou == 1 / 8


def test_classes_are_named_by_number_without_a_list(tmp_path: Path) -> None:
    save(tmp_path / "a" / "0.png", mask([0, 2]))
    save(tmp_path / "b" / "0.png", mask([0, 2]))
    assert evaluate_folders(tmp_path / "a", tmp_path / "b").class_names == ("0", "1", "2")


def write_classes(tmp_path: Path, **names: list[str]) -> None:
    for folder, labels in names.items():
        classes = [{"index": index, "name": name} for index, name in enumerate(labels)]
        (tmp_path / folder / "classes.json").write_text(json.dumps({"classes": classes}))


def write_provenance(run: Path, classes: list[str], **options: str) -> None:
    content = {"classes": ["BACKGROUND", *classes], "options": options}
    (run / "provenance.json").write_text(json.dumps(content))


@pytest.mark.parametrize("told_by", ["provenance", "classes"])
def test_classes_are_matched_by_name(tmp_path: Path, told_by: str) -> None:
    save(tmp_path / "run" / "masks" / "0.png", mask([0, 1, 2, 3, 255]))
    save(tmp_path / "b" / "0.png", mask([0, 2, 3, 1, 1]))
    if told_by == "provenance":
        write_provenance(tmp_path / "run", ["car", "road", "tree"])
    else:
        write_classes(tmp_path, run=["background", "car", "road", "tree"])
    # the truth tells no names: by index, as ever
    assert evaluate_folders(tmp_path / "run", tmp_path / "b").pixel_accuracy == 1 / 5
    write_classes(tmp_path, b=["BACKGROUND", "tree", "car", "road"])
    result = evaluate_folders(tmp_path / "run", tmp_path / "b")
    assert (result.pixel_accuracy, result.undecided) == (4 / 5, 1 / 5)
    assert result.class_names == ("BACKGROUND", "tree", "car", "road")
    assert result.class_iou.tolist() == [1, 1 / 2, 1, 1]


def test_classes_named_on_one_side_only(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        save(tmp_path / folder / "0.png", mask([0, 1]))
    write_classes(tmp_path, a=["background", "cat"], b=["BACKGROUND", "dog"])
    with pytest.raises(SourceError, match=r"not the same: 'cat' only in .*a; 'dog' only in .*b$"):
        evaluate_folders(tmp_path / "a", tmp_path / "b")
    (tmp_path / "a" / "classes.json").write_text('{"classes": [{"index": "1"}]}')
    with pytest.raises(SourceError, match=r"classes\.json: a class has an index and a name"):
        evaluate_folders(tmp_path / "a", tmp_path / "b")


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        # a folder of masks without names: so a run calls its classes
        ({1: "class-1", 2: "class-2"}, {1: "cat", 2: "dog", 3: "cow"}, [1, 2]),
        # index 2 is free in a list of names
        ({1: "cat", 2: "class-2", 3: "dog"}, {1: "dog", 3: "cat"}, [3, 2, 1]),
        # so they are called indeed, and were sorted as texts
        (
            {1: "class-1", 2: "class-10", 3: "class-2"},
            {1: "class-1", 2: "class-2", 10: "class-10"},
            [1, 10, 2],
        ),
        ({1: "cat", 255: "unknown"}, {0: "void", 1: "cat"}, [1]),
        # index 2 is no class of ours, but one of theirs
        ({1: "cat"}, {2: "cat"}, [2, 255]),
    ],
)
def test_a_name_that_only_says_the_index_is_none(
    ours: dict[int, str], theirs: dict[int, str], expected: list[int]
) -> None:
    assert class_table(ours, theirs)[1 : len(expected) + 1].tolist() == expected


def test_folders_that_cannot_be_scored(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    with pytest.raises(SourceError, match="a is not a folder"):
        find_masks(first)
    first.mkdir()
    with pytest.raises(SourceError, match="holds no masks"):
        find_masks(first)
    save(first / "p.png", mask([0, 1]))
    save(second / "q.png", mask([0, 1]))
    with pytest.raises(SourceError, match="no image in common: 'p' against 'q'"):
        evaluate_folders(first, second)
    with pytest.raises(SourceError, match="the same masks"):
        evaluate_folders(first, tmp_path / "b" / ".." / "a")
    save(second / "p.png", mask([0], [1]))
    with pytest.raises(SourceError, match=r"image 'p': .* size 1 x 2, the truth has size 2 x 1"):
        evaluate_folders(first, second)
    save(second / "masks" / "p.png", mask([0]))
    (second / "provenance.json").write_text('{"classes": 3, "options": {}}')
    with pytest.raises(SourceError, match=r"provenance\.json is not what a run writes"):
        evaluate_folders(second, first)
    with pytest.raises(SourceError, match="no image to score"):
        evaluate_masks([])


def test_masks_that_are_no_class_indices(tmp_path: Path) -> None:
    path = tmp_path / "0.png"
    Image.new("RGB", (2, 2), "red").save(path)
    with pytest.raises(SourceError, match=r"0\.png is no mask of class indices: it has colours"):
        read_mask(path)
    Image.fromarray(np.zeros((2, 2), dtype=np.uint16)).save(path)
    with pytest.raises(SourceError, match="16 bits"):
        read_mask(path)
    path.write_bytes(save(path, mask([0, 1])).read_bytes()[:60])
    with pytest.raises(SourceError, match=r"0\.png cannot be read"):
        read_mask(path)
    with pytest.raises(StorageError, match=r"cannot read .*none\.png"):
        read_mask(tmp_path / "none.png")


def test_a_small_palette_keeps_its_indices(tmp_path: Path) -> None:
    image = Image.fromarray(mask([0, 3], [2, 1]))
    image.putpalette(bytes(12))
    image.save(tmp_path / "0.png", bits=2)
    assert read_mask(tmp_path / "0.png").tolist() == [[0, 3], [2, 1]]
