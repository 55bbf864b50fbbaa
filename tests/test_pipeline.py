"""One object: which answers count, what the warnings say, and what comes out of it."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from consolidation.errors import ObjectError
from consolidation.formats.groundtruth import parse_answer, result_metadata
from consolidation.masks import UNDECIDED, Classes, decode_indices, hex_color
from consolidation.objects import MaskClass
from consolidation.objects.answers import Answer, LoadedAnswer, PictureAnswer
from consolidation.objects.pipeline import ObjectResult, consolidate_object
from consolidation.objects.prepare import LabeledObject
from consolidation.options import Options
from consolidation.storage import StorageError
from tests import wire
from tests.wire import BLUE, GREEN, ORANGE, PLAIN, plain

CLASSES = Classes.of_labels(["cat", "dog"])


class Given:
    """An answer at hand."""

    def __init__(self, content: Any) -> None:
        self.content = content

    def load(self, options: Options) -> LoadedAnswer:
        return PictureAnswer(parse_answer(self.content))


class Missing:
    """An answer whose file cannot be read."""

    def load(self, options: Options) -> LoadedAnswer:
        raise StorageError("cannot read s3://bucket/key: Access Denied", absent=True)


def labeled(*answers: tuple[str, Any]) -> LabeledObject:
    made: list[tuple[str, Answer]] = [
        (worker, one if isinstance(one, Missing) else Given(one)) for worker, one in answers
    ]
    return LabeledObject("7", {}, made)


def run(
    *answers: tuple[str, Any], classes: Classes = CLASSES, options: Options = PLAIN
) -> ObjectResult:
    return consolidate_object(labeled(*answers), classes, options)


def said(result: ObjectResult) -> list[str]:
    return [f"{one.worker}: {one.message}" for one in result.warnings]


def blank(height: int, width: int) -> npt.NDArray[np.uint8]:
    return np.zeros((height, width), np.uint8)


# -- sizes


def test_the_size_most_workers_share_counts_and_the_odd_one_is_dropped() -> None:
    small, large = blank(2, 3), blank(4, 5)
    small[:] = 1
    result = run(("a", wire.content(large)), ("b", wire.content(small)), ("c", wire.content(small)))
    assert result.consensus.labels.tolist() == small.tolist()
    assert [one.worker for one in result.consensus.workers] == ["b", "c"]
    # sizes are said as width x height
    assert said(result) == ["a: answer dropped: its mask is 5 x 4 pixels, most are 3 x 2"]


def test_a_transposed_mask_is_another_size() -> None:
    result = run(
        *((name, wire.content(blank(2, 3))) for name in "ab"), ("c", wire.content(blank(3, 2)))
    )
    assert said(result) == ["c: answer dropped: its mask is 2 x 3 pixels, most are 3 x 2"]


@pytest.mark.parametrize("sizes", [[(2, 3), (3, 2)], [(1, 1), (2, 2), (2, 2), (1, 1), (3, 3)]])
def test_without_a_most_common_size_the_object_fails(sizes: list[tuple[int, int]]) -> None:
    answers = [(f"w{place}", wire.content(blank(*size))) for place, size in enumerate(sizes)]
    with pytest.raises(ObjectError, match="different sizes and none is the most common") as caught:
        run(*answers)
    for place, (height, width) in enumerate(sizes):
        assert f"w{place}: {width} x {height}" in str(caught.value)


def test_the_most_common_size_need_not_be_that_of_half_the_workers() -> None:
    sizes = [(1, 1), (2, 2), (2, 2), (3, 3), (4, 4)]
    result = run(*((str(place), wire.content(blank(*s))) for place, s in enumerate(sizes)))
    assert result.consensus.labels.shape == (2, 2)
    assert len(result.warnings) == 3


def test_unusable_answers_have_no_say_in_the_size() -> None:
    truncated = wire.picture_content(wire.picture(blank(2, 2), [GREEN])[:20])
    result = run(("a", truncated), ("b", truncated), ("c", wire.content(blank(1, 3))))
    assert result.consensus.labels.shape == (1, 3)


def test_a_mask_of_another_size_than_the_worker_saw_is_kept_with_a_warning() -> None:
    properties: dict[str, Any] = {"inputImageProperties": {"height": 9, "width": 8}}
    result = run(("a", wire.content([0, 1], **properties)))
    assert said(result) == ["a: its mask is 2 x 1 pixels, the worker saw 8 x 9"]
    assert result.consensus.labels.tolist() == [[0, 1]]


# -- workers


def test_the_same_worker_twice_counts_once_with_the_latest() -> None:
    result = run(
        ("a", wire.content([1, 1])), ("b", wire.content([0, 2])), ("a", wire.content([2, 2]))
    )
    assert result.consensus.labels.tolist() == [[0, 2]]
    assert [one.worker for one in result.consensus.workers] == ["b", "a"]
    assert said(result) == ["a: answered more than once, the latest counts"]


def test_a_single_worker_is_passed_through_with_confidence_zero() -> None:
    rng = np.random.default_rng(0)
    mask = rng.integers(0, 3, (13, 17)).astype(np.uint8)
    # whatever the options are
    options = plain(ties="neighbours", smoothing=2.0)
    result = run(("only", wire.content(mask)), options=options)
    np.testing.assert_array_equal(result.consensus.labels, mask)
    np.testing.assert_array_equal(decode_indices(result.mask_png), mask)
    assert result.reported_confidence == 0.0
    assert result.consensus.image_confidence == 1.0
    entries = result_metadata(result, "now", "job")["internal-color-map"].values()
    assert {entry["confidence"] for entry in entries} == {0.0}


def test_one_worker_left_of_three_is_a_single_worker() -> None:
    result = run(("a", wire.content([1])), ("b", "{}"), ("c", Missing()))
    assert (result.n_workers, result.reported_confidence) == (1, 0.0)


def test_the_reported_confidence_is_that_of_painted_pixels() -> None:
    # pixels: unanimous 1; 2 of 3; unanimous background, which is left out
    result = run(
        *(
            (name, wire.content(row))
            for name, row in zip("abc", [[1, 1, 0], [1, 1, 0], [1, 2, 0]], strict=True)
        )
    )
    assert result.reported_confidence == round((1 + 2 / 3) / 2, 6)
    grey = np.asarray(Image.open(io.BytesIO(result.confidence_png())))
    assert grey.tolist() == [[255, 170, 255]]


def test_workers_who_painted_nothing_are_known() -> None:
    # even where what others painted stays undecided
    result = run(
        ("a", wire.content([1, 0])),
        ("b", wire.content([0, 0])),
        options=plain(ties="undecided"),
    )
    assert result.blank == {"b"}


# -- labels and colours


def test_an_unknown_label_is_ignored_and_warned_about() -> None:
    strange = {"cat": GREEN, "mouse": BLUE, "unpainted": ORANGE}
    result = run(
        ("a", wire.content([2, 2, 1, 0], strange)),
        ("b", wire.content([0, 1, 1, 0])),
        ("c", wire.content([0, 2, 1, 1])),
    )
    # the first pixel is background by both who said anything of the job's classes
    assert result.consensus.labels.tolist() == [[0, 1, 1, 0]]
    assert result.consensus.voters.tolist() == [[2, 2, 3, 3]]
    assert said(result) == [
        "a: 2 pixels of label 'mouse', which is no class of this job, are ignored"
    ]


def test_every_kind_of_repair_is_counted() -> None:
    # opaque black, opaque white, near green, nowhere near anything, green
    colors = ["#000000", "#ffffff", "#2ca02d", "#808080", GREEN]
    png = wire.picture([1, 2, 3, 4, 5], colors)
    answer = wire.picture_content(png, {"cat": GREEN})
    result = run(("a", answer), options=plain(snap_colors=2.0))
    assert said(result) == [
        "a: 2 opaque black or white pixels are taken for background",
        "a: 1 pixels are taken for the nearest label color",
        "a: 1 pixels of no label's color are ignored",
    ]
    assert result.consensus.labels.tolist() == [[0, 0, 1, 255, 1]]


def test_colors_mean_what_each_answer_says() -> None:
    swapped = {"dog": GREEN, "cat": BLUE}
    result = run(("a", wire.content([1, 2])), ("b", wire.content([2, 1], swapped)))
    assert result.consensus.labels.tolist() == [[1, 2]]
    assert result.consensus.disputed.sum() == 0


def test_colors_that_workers_saw_are_preferred() -> None:
    # most workers had purple cats; nobody saw a dog's colour but one, who had it twice as common
    purple, red = {"cat": "#800080", "dog": BLUE}, {"cat": "#FF0000", "dog": BLUE}
    result = run(
        ("a", wire.content([1], purple)),
        ("b", wire.content([1], purple)),
        ("c", wire.content([1], red)),
    )
    assert [one.color for one in result.classes] == ["#ffffff", "#800080", BLUE]


def test_equally_common_colors_do_not_depend_on_the_order_of_answers() -> None:
    one, other = {"cat": "#800080"}, {"cat": "#010101"}
    answers = [("a", wire.content([1], one)), ("b", wire.content([1], other))]
    assert run(*answers).classes == run(*reversed(answers)).classes


def test_a_white_or_doubled_color_is_replaced_in_what_we_write() -> None:
    result = run(
        ("a", wire.content([1], {"cat": "#ffffff", "dog": GREEN})),
        ("b", wire.content([1], {"cat": "#ffffff", "dog": GREEN})),
    )
    colors = [one.color for one in result.classes]
    assert colors[0] == "#ffffff"
    assert len(set(colors)) == 3
    assert result.consensus.labels.tolist() == [[1]]


def assert_palette_agrees(result: ObjectResult) -> None:
    image = Image.open(io.BytesIO(result.mask_png))
    table = np.array(image.getpalette()).reshape(256, 3)
    listed = {one.index: one.color for one in result.classes}
    assert len(listed) == len(result.classes)
    for index in range(256):
        assert hex_color(tuple(table[index].tolist())) == listed.get(index, "#ffffff")
    colors = result_metadata(result, "now", "job")["internal-color-map"]
    assert {key: one["hex-color"] for key, one in colors.items()} == {
        str(index): color for index, color in listed.items()
    }
    indices = np.asarray(image)
    assert set(np.unique(indices).tolist()) <= set(listed)


# -- many classes


def many(n_labels: int) -> tuple[Classes, dict[str, str]]:
    labels = {f"label {k}": f"#{k:02x}{255 - k:02x}33" for k in range(n_labels)}
    return Classes.of_labels(list(labels)), labels


@pytest.mark.parametrize("n_labels", [1, 2, 253, 254, 255])
@pytest.mark.parametrize("workers", [1, 3])
def test_palette_and_color_map_agree_for_every_class(n_labels: int, workers: int) -> None:
    classes, labels = many(n_labels)
    mask = np.arange(n_labels + 1, dtype=np.uint8)
    result = run(*((str(w), wire.content(mask, labels)) for w in range(workers)), classes=classes)
    assert decode_indices(result.mask_png)[0].tolist() == mask.tolist()
    assert len(result.classes) == n_labels + 1
    assert [one.color for one in result.classes[1:]] == list(labels.values())
    assert_palette_agrees(result)
    assert result.warnings == []


def test_index_255_is_a_class_where_there_are_255() -> None:
    classes, labels = many(255)
    # ignored pixels are something else there
    strange = {"label 254": labels["label 254"], "strange": "#123456"}
    answers = [
        ("a", wire.content([255, 255, 1, 3], labels)),
        ("b", wire.content([1, 2, 2, 2], strange)),
        ("c", wire.content([1, 1, 1, 1], {"label 2": labels["label 2"]})),
    ]
    result = run(*answers, classes=classes)
    assert result.consensus.labels.dtype == np.uint16
    assert result.consensus.labels.tolist() == [[255, 3, 1, 3]]
    assert decode_indices(result.mask_png).tolist() == [[255, 3, 1, 3]]
    assert_palette_agrees(result)


def test_255_classes_leave_no_index_for_undecided_pixels() -> None:
    classes, labels = many(255)
    answers = [("a", wire.content([1, 2], labels)), ("b", wire.content([1, 3], labels))]
    with pytest.raises(ObjectError, match="1 pixels are undecided, and 255 classes leave no index"):
        run(*answers, classes=classes, options=plain(ties="undecided"))


def test_254_classes_leave_room_for_undecided_pixels() -> None:
    classes, labels = many(254)
    answers = [("a", wire.content([254, 2], labels)), ("b", wire.content([254, 3], labels))]
    result = run(*answers, classes=classes, options=plain(ties="undecided"))
    assert decode_indices(result.mask_png).tolist() == [[254, 255]]
    assert result.consensus.labels.dtype == np.uint8, "twice the memory is needed for 255 only"
    assert_palette_agrees(result)


# -- undecided


def test_undecided_pixels_are_listed_only_where_there_are_some() -> None:
    answers = [("a", wire.content([1, 0])), ("b", wire.content([2, 0]))]
    result = run(*answers, options=plain(ties="undecided"))
    assert decode_indices(result.mask_png).tolist() == [[255, 0]]
    assert result.classes[-1] == MaskClass(255, UNDECIDED, "#ff00ff")
    assert "255" in result_metadata(result, "now", "job")["internal-color-map"]
    assert_palette_agrees(result)
    without = run(*answers)
    assert [one.name for one in without.classes] == ["BACKGROUND", "cat", "dog"]
    assert_palette_agrees(without)


def test_undecided_has_a_color_that_no_class_has() -> None:
    loud = {"cat": "#ff00ff", "dog": "#fe01fe"}
    result = run(
        ("a", wire.content([1], loud)),
        ("b", wire.content([2], loud)),
        options=plain(ties="undecided"),
    )
    assert len({one.color for one in result.classes}) == 4
    assert_palette_agrees(result)


def test_min_votes_leaves_pixels_undecided() -> None:
    answers = [(name, wire.content([1, k])) for k, name in enumerate("abc")]
    result = run(*answers, options=plain(min_votes=2))
    assert decode_indices(result.mask_png).tolist() == [[1, 255]]


# -- failures


def test_an_object_without_a_usable_answer_fails_with_all_reasons() -> None:
    with pytest.raises(ObjectError) as caught:
        run(
            ("a", "no JSON"),
            ("b", Missing()),
            ("c", wire.picture_content(b"GIF89a")),
            ("d", wire.picture_content(wire.picture([[1]], [GREEN])[:-20])),
        )
    text = str(caught.value)
    assert text.startswith("no answer left: worker a: the answer is not JSON")
    assert "worker b: cannot read s3://bucket/key: Access Denied" in text
    assert "worker c: not a PNG file" in text
    assert "\n" not in text


def test_answers_that_fail_only_when_decoded_fail_the_object_too() -> None:
    damaged = bytearray(wire.picture([[1, 0, 1]], [GREEN]))
    damaged[-20] ^= 255
    answer = wire.picture_content(bytes(damaged))
    with pytest.raises(ObjectError, match=r"no answer left: worker a: PNG is damaged.*; worker b"):
        run(("a", answer), ("b", answer))
    good = run(("a", answer), ("b", wire.content([[1, 0, 1]])), ("c", answer))
    assert good.consensus.labels.tolist() == [[1, 0, 1]]
    assert [one.worker for one in good.warnings] == ["a", "c"]
    assert all(one.message.startswith("answer dropped: PNG is damaged") for one in good.warnings)


def test_no_answers_and_an_object_that_came_broken() -> None:
    with pytest.raises(ObjectError, match=r"^no answer left$"):
        run()
    with pytest.raises(ObjectError, match=r"^entry 3 is a number$"):
        consolidate_object(LabeledObject("3", {}, error="entry 3 is a number"), CLASSES, PLAIN)


def test_too_many_pixels_drop_the_answer() -> None:
    answers = [("a", wire.content(blank(3, 3))), ("b", wire.content(blank(2, 2)))]
    result = run(*answers, options=plain(max_pixels=8))
    assert said(result) == ["a: answer dropped: PNG declares 3 x 3 pixels, the limit is 8"]


def test_more_workers_than_can_be_counted_fail_the_object() -> None:
    with pytest.raises(ObjectError, match="256 answers, the limit is 255"):
        run(*((str(w), wire.content([1])) for w in range(256)))


# -- adjustment jobs


@pytest.mark.parametrize(
    "flags, status",
    [
        ([None, None], None),
        ([False, False], "unadjusted"),
        ([None, False], "unadjusted"),
        ([False, True], "adjusted"),
        ([True, None], "adjusted"),
    ],
)
def test_adjusted_if_any_worker_changed_it(flags: list[bool | None], status: str | None) -> None:
    extra: list[dict[str, Any]] = [
        {} if flag is None else {"initialValueModified": flag} for flag in flags
    ]
    result = run(*((str(w), wire.content([1], **one)) for w, one in enumerate(extra)))
    assert result_metadata(result, "now", "job").get("adjustment-status") == status


@pytest.mark.parametrize("late", [False, True], ids=["when loaded", "when decoded"])
def test_a_dropped_answer_has_no_say_in_adjustment_and_colors(late: bool) -> None:
    damaged = bytearray(wire.picture([[1]], ["#800080"]))
    damaged[-20] ^= 255
    png = bytes(damaged) if late else b"GIF"
    bad = wire.picture_content(png, {"cat": "#800080"}, initialValueModified=True)
    result = run(("a", bad), ("b", wire.content([1], initialValueModified=False)), ("c", bad))
    assert result.adjusted is False
    assert [one.color for one in result.classes] == ["#ffffff", GREEN, BLUE]


def test_the_same_answers_give_the_same_bytes() -> None:
    answers = [("a", wire.content([1, 2, 0])), ("b", wire.content([2, 2, 0]))]
    first, second = run(*answers), run(*answers)
    assert first.mask_png == second.mask_png
    assert first.confidence_png() == second.confidence_png()
    assert json.dumps(result_metadata(first, "now", "job")) == json.dumps(
        result_metadata(second, "now", "job")
    )
