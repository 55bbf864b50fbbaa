"""The wire: what is read, what is refused and in which words, what is written."""

from __future__ import annotations

import base64
import io
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from consolidation.errors import AnswerError, OptionError, SourceError
from consolidation.formats.groundtruth import (
    load_json,
    manifest_line,
    mask_labels,
    metadata,
    parse_answer,
    parse_classes,
    parse_manifest,
    parse_request,
    parse_response,
)
from consolidation.masks import (
    Classes,
    class_color,
    decode_indices,
    encode_indexed,
    hex_color,
    palette,
    parse_color,
    read_header,
)
from consolidation.objects import MaskClass
from tests import tiny_png
from tests.shared_data import GROUND_TRUTH, needs_shared

PNG = tiny_png.write(np.array([[0, 1]]), tiny_png.PALETTE, 1, palette=b"\0\0\0,\xa0,", trns=b"\0")
TEXT = base64.b64encode(PNG).decode()
ELEMENT: dict[str, Any] = {
    "inputImageProperties": {"height": 1, "width": 2},
    "labelMappings": {"cat": {"color": "#2ca02c"}, "dog": {"color": "#1F77B4"}},
    "labeledImage": {"pngImageData": TEXT},
}


@pytest.fixture(params=["fast", "plain"])
def _libraries(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run with the optional libraries and without them."""
    if request.param == "fast":
        pytest.importorskip("orjson")
        pytest.importorskip("pybase64")
    else:
        monkeypatch.setitem(sys.modules, "orjson", None)
        monkeypatch.setitem(sys.modules, "pybase64", None)
    yield


pytestmark = pytest.mark.usefixtures("_libraries")


def element(**changes: Any) -> dict[str, Any]:
    """Return the element with changes; None removes a key."""
    return {key: value for key, value in {**ELEMENT, **changes}.items() if value is not None}


# -- answers


@pytest.mark.parametrize(
    "content",
    [
        {"crowd-semantic-segmentation": ELEMENT},
        {"any other name": ELEMENT},
        {"": ELEMENT},
        {
            "quality": {"on": True},
            "seg": ELEMENT,
            "comment": "fine",
            "n": 3,
            "list": [1],
            "x": None,
        },
        ELEMENT,
    ],
    ids=["built-in name", "any name", "empty name", "other inputs beside it", "no name at all"],
)
@pytest.mark.parametrize("form", ["text", "bytes", "object"])
def test_an_answer_is_found_by_its_shape(content: dict[str, Any], form: str) -> None:
    text = json.dumps(content)
    forms: dict[str, Any] = {"text": text, "bytes": text.encode(), "object": content}
    answer = parse_answer(forms[form])
    assert answer.png == PNG
    assert dict(answer.colors) == {"cat": (44, 160, 44), "dog": (31, 119, 180)}
    assert answer.size == (1, 2)
    assert answer.modified is None


def test_a_data_uri_is_an_answer_too() -> None:
    uri = {"pngImageData": "data:image/png;base64," + TEXT}
    assert parse_answer({"seg": element(labeledImage=uri)}).png == PNG


@pytest.mark.parametrize(
    "value, expected", [(True, True), (False, False), ("yes", None), (1, None)]
)
def test_whether_the_worker_changed_the_mask(value: Any, expected: bool | None) -> None:
    assert parse_answer({"seg": element(initialValueModified=value)}).modified is expected


@pytest.mark.parametrize(
    "properties", [None, [], {}, {"height": 2}, {"height": "2", "width": 3}, {"height": 2.5}]
)
def test_the_size_the_worker_saw_may_be_missing(properties: Any) -> None:
    assert parse_answer({"seg": element(inputImageProperties=properties)}).size is None


@pytest.mark.parametrize(
    "content, reason",
    [
        ("", "the answer is not JSON"),
        ("{", "the answer is not JSON"),
        ("[" * 100_000, "the answer is not JSON"),
        (b"\xff\xfe{}", "the answer is not JSON"),
        ("[]", "a JSON list, not an object"),
        ("null", "a JSON NoneType, not an object"),
        ("{}", "no labeledImage, only no fields"),
        ('{"crowd-image-classifier": {"label": "good"}}', "a verdict on a mask"),
        ('{"crowd-image-classifier": {"labels": ["good"]}}', "a verdict on a mask"),
        ('{"verdict": {"label": "good"}, "comment": "x"}', "a verdict on a mask"),
        ('{"label": "good"}', "a verdict on a mask"),
        ('{"comment": "hm", "q": {"x": 1}}', "no labeledImage, only 'comment', 'q'"),
        ({"a": ELEMENT, "b": ELEMENT}, "several labeled images: 'a', 'b'"),
        ({"seg": element(labeledImage="x")}, "labeledImage has no pngImageData"),
        ({"seg": element(labeledImage={})}, "labeledImage has no pngImageData"),
        ({"seg": element(labeledImage={"pngImageData": 5})}, "labeledImage has no pngImageData"),
        ({"seg": element(labeledImage={"pngImageData": "a"})}, "pngImageData is not base64"),
        ({"seg": element(labeledImage={"pngImageData": "äöü="})}, "pngImageData is not base64"),
        ({"seg": element(labeledImage={"pngImageData": "ab*d"})}, "pngImageData is not base64"),
        ({"seg": element(labelMappings=None)}, "no labelMappings"),
        ({"seg": element(labelMappings=["cat"])}, "no labelMappings"),
        ({"seg": element(labelMappings={"cat": "#2ca02c"})}, "label 'cat' has no color"),
        ({"seg": element(labelMappings={"cat": {"color": "reddish"}})}, "label 'cat' .* 'reddish'"),
        ({"seg": element(labelMappings={"cat": {}})}, "label 'cat' .* but None"),
    ],
)
def test_what_is_no_answer_is_refused_and_says_why(content: Any, reason: str) -> None:
    with pytest.raises(AnswerError, match=reason) as caught:
        parse_answer(content)
    assert "\n" not in str(caught.value)


def test_an_empty_picture_is_an_empty_file() -> None:
    # decoding it is where it fails, with "the PNG is empty"
    assert parse_answer({"seg": element(labeledImage={"pngImageData": ""})}).png == b""


@pytest.mark.parametrize(
    "text, rgb",
    [("#2ca02c", (44, 160, 44)), ("#2CA02C", (44, 160, 44)), (" #000001 ", (0, 0, 1))],
)
def test_colors_are_read_in_either_case(text: str, rgb: tuple[int, int, int]) -> None:
    assert parse_color(text) == rgb
    assert hex_color(rgb) == text.strip().lower()


@pytest.mark.parametrize(
    "text, rgb",
    [
        ("#abc", (0xAA, 0xBB, 0xCC)),
        ("#ABCF", (0xAA, 0xBB, 0xCC)),
        ("#2ca02cff", (44, 160, 44)),
        ("rgb(44, 160, 44)", (44, 160, 44)),
        ("RGB(44,160,44)", (44, 160, 44)),
        ("rgba(44, 160, 44, 1)", (44, 160, 44)),
        ("rgba(44, 160, 44, 1.0)", (44, 160, 44)),
        ("rgb(44 160 44)", (44, 160, 44)),
        ("rgb(44 160 44 / 100%)", (44, 160, 44)),
        ("rgb(100%, 50%, 0%)", (255, 128, 0)),
        ("red", (255, 0, 0)),
        (" DarkSlateGray", (47, 79, 79)),
        ("rebeccapurple", (102, 51, 153)),
    ],
)
def test_colors_are_read_as_css_spells_them(text: str, rgb: tuple[int, int, int]) -> None:
    assert parse_color(text) == rgb
    assert parse_color(text) == rgb, "the second time too"


@pytest.mark.parametrize(
    "text",
    [
        *("#abc8", "#2ca02c80", "rgba(44, 160, 44, 0.5)", "rgb(44 160 44 / 50%)", "transparent"),
        *("rgb(256, 0, 0)", "rgb(1, 2)", "rgb(-1, 2, 3)", "rgb(٢, 0, 0)", "rgb(1, 2, 3, 4, 5)"),
        *("rgb(101%, 0%, 0%)", "rgba(1, 2, 3, 255)", "reddish", "#ab", "red" * 100),
    ],
)
def test_half_transparent_and_broken_colors_are_none(text: str) -> None:
    assert parse_color(text) is None


@pytest.mark.parametrize("text", [None, 3, "", "2ca02c", "#2ca02g", "#2ca02c0", "#٢ca02c"])
def test_what_is_no_color_is_none(text: object) -> None:
    assert parse_color(text) is None


# -- requests


def request(*objects: Any) -> str:
    return json.dumps(objects)


def entry(**changes: Any) -> dict[str, Any]:
    one = {
        "datasetObjectId": "7",
        "dataObject": {"s3Uri": "s3://b/7.jpg"},
        "annotations": [{"workerId": "w1", "annotationData": {"content": "{}"}}],
    }
    return {key: value for key, value in {**one, **changes}.items() if value is not None}


def annotation(data: Any, worker: Any = "w1") -> dict[str, Any]:
    return {"workerId": worker, "annotationData": data}


def test_a_request_is_read_in_the_order_of_the_file() -> None:
    other = entry(datasetObjectId="key/with strange:letters", annotations=[])
    first, second = parse_request(request(entry(), other), "request.json")
    assert (first.id, first.source_ref, first.error) == ("7", "s3://b/7.jpg", None)
    assert [(one.worker, one.content) for one in first.annotations] == [("w1", "{}")]
    assert (second.id, second.annotations) == ("key/with strange:letters", ())


@pytest.mark.parametrize(
    "data, content, uri, error",
    [
        ({"content": "{}"}, "{}", None, None),
        ({"content": ""}, "", None, None),
        ({"content": {"seg": 1}}, {"seg": 1}, None, None),
        ({"s3Uri": "s3://b/k"}, None, "s3://b/k", None),
        ({"s3uri": "s3://b/k"}, None, "s3://b/k", None),
        ({"content": None, "s3uri": "s3://b/k"}, None, "s3://b/k", None),
        ({"s3Uri": None, "s3uri": "s3://b/k"}, None, "s3://b/k", None),
        ({"content": "{}", "s3Uri": None}, "{}", None, None),
        ({}, None, None, "neither content nor s3Uri"),
        ({"content": 5}, None, None, "neither content nor s3Uri"),
        ("x", None, None, "no annotationData"),
        (None, None, None, "no annotationData"),
    ],
)
def test_where_an_annotation_has_its_content(
    data: Any, content: Any, uri: str | None, error: str | None
) -> None:
    [one] = parse_request(request(entry(annotations=[annotation(data)])), "request.json")
    [found] = one.annotations
    assert (found.worker, found.content, found.uri) == ("w1", content, uri)
    assert found.error is None if error is None else error in str(found.error)


@pytest.mark.parametrize("worker", [None, "", 5, ["w"]])
def test_an_annotation_without_a_worker_harms_no_other(worker: Any) -> None:
    bad, good = annotation({"content": "{}"}, worker), annotation({"content": "{}"}, "w2")
    [one] = parse_request(request(entry(annotations=[bad, 3, good])), "request.json")
    assert [each.error for each in one.annotations] == [
        "it has no workerId",
        "a number, not an object",
        None,
    ]
    assert len({each.worker for each in one.annotations}) == 3


@pytest.mark.parametrize(
    "bad, reason",
    [
        (5, "entry 1 is a number, not an object"),
        (None, "entry 1 is a null, not an object"),
        (True, "entry 1 is a truth value, not an object"),
        ("x", "entry 1 is a text, not an object"),
        ({"annotations": []}, "entry 1 has no datasetObjectId"),
        (entry(datasetObjectId=""), "entry 1 has no datasetObjectId"),
        (entry(datasetObjectId=True), "entry 1 has no datasetObjectId"),
        ({"datasetObjectId": "8"}, "it has no list of annotations"),
        (entry(annotations={}), "it has no list of annotations"),
    ],
)
def test_a_bad_object_harms_no_other(bad: Any, reason: str) -> None:
    first, second, third = parse_request(request(entry(), bad, entry()), "request.json")
    assert first.error is third.error is None
    assert second.error == reason


def test_an_id_that_is_a_number_is_its_text() -> None:
    [one] = parse_request(request(entry(datasetObjectId=12)), "request.json")
    assert one.id == "12"


@pytest.mark.parametrize("data_object", [None, 5, {}, {"content": "x"}, {"s3Uri": 4}])
def test_an_object_may_come_without_its_uri(data_object: Any) -> None:
    [one] = parse_request(request(entry(dataObject=data_object)), "request.json")
    assert (one.source_ref, one.error) == (None, None)


@pytest.mark.parametrize(
    "data, reason",
    [
        ("", "r.json is not JSON: "),
        ("no", "r.json is not JSON: "),
        (b"\x89PNG\r\n", "r.json is not JSON: "),
        ("[" * 100_000, "r.json is not JSON: "),
        ("{}", "r.json is not a consolidation request: a JSON object, not a list of objects"),
        ("3", "r.json is not a consolidation request: a JSON number, not a list"),
        ('"x"', "r.json is not a consolidation request: a JSON text, not a list"),
        ("null", "r.json is not a consolidation request: a JSON null, not a list"),
        ("[]", "r.json is empty: no objects to consolidate"),
        ("[1, 2]", "r.json is not a consolidation request: none of its 2 entries has annotations"),
        ('[{"a": 1}]', "none of its 1 entries has annotations"),
    ],
)
def test_what_is_no_request_is_refused_and_says_why(data: bytes | str, reason: str) -> None:
    with pytest.raises(SourceError) as caught:
        parse_request(data, "r.json")
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


# -- classes


@pytest.mark.parametrize(
    "content",
    [
        {"document-version": "2018-11-28", "labels": [{"label": "b"}, {"label": "a"}]},
        {"documentVersion": "2020-03-01", "labels": [{"label": "b", "x": 1}, {"label": "a"}]},
        {"labels": ["b", "a"], "instructions": {"shortInstruction": ""}},
        ["b", "a"],
        [{"label": "b"}, {"label": "a"}],
        {"classes": [{"index": 2, "name": "a"}, {"index": 1, "name": "b"}]},
        {"classes": [{"index": k, "name": n} for k, n in enumerate(["Background", "b", "a"])]},
    ],
)
@pytest.mark.parametrize("bom", ["", "\ufeff"], ids=["", "with a byte order mark"])
def test_label_categories_keep_their_order(content: Any, bom: str) -> None:
    data = (bom + json.dumps(content)).encode()
    assert parse_classes(data, "labels.json").names == ("BACKGROUND", "b", "a")


def test_gaps_in_the_indices_get_names_and_colors_stay_with_their_class() -> None:
    entries = [
        {"index": 3, "name": "c", "color": "#ABCDEF"},
        {"index": 1, "name": "a", "color": None},
    ]
    classes = parse_classes(json.dumps({"classes": entries}), "classes.json")
    assert classes.names == ("BACKGROUND", "a", "class-2", "c")
    assert dict(classes.colors) == {3: "#abcdef"}
    assert classes.hex_colors() == ("#ffffff", "#2ca02c", "#1f77b4", "#abcdef")


@pytest.mark.parametrize(
    "content, reason",
    [
        ("{", "labels.json is not JSON: "),
        ("{}", "labels.json: it is no label-categories file: it has neither labels nor classes"),
        ('{"labels": {}}', 'expected {"classes": [{"index": 1, "name": "cat", "color": "#2ca02c"}'),
        ('{"labels": "a"}', "it has neither labels nor classes"),
        ('{"labels": []}', "labels.json: there are no labels"),
        ('{"labels": [{"title": "a"}]}', "a text that is not empty, not None"),
        ('{"labels": [" "]}', "a text that is not empty, not ' '"),
        ('{"labels": [[]]}', "a text that is not empty, not []"),
        ('{"labels": ["a", "b", "a"]}', "labels.json: the label 'a' is listed twice"),
        ('{"labels": ["BACKGROUND"]}', "the label name BACKGROUND is reserved"),
        ('{"labels": ["UNDECIDED"]}', "the label name UNDECIDED is reserved"),
        ('{"classes": [3]}', "a class has an index and a name, not 3"),
        ('{"classes": [{"index": 1}]}', "a class has an index and a name"),
        ('{"classes": [{"index": true, "name": "a"}]}', "a class has an index and a name"),
        ('{"classes": [{"index": 0, "name": "bg"}]}', "there are no labels"),
        ('{"classes": [{"index": 0, "name": "road"}]}', "class 0 is called 'road'"),
        ('{"classes": [{"index": 256, "name": "a"}]}', "class 'a' has index 256"),
        ('{"classes": [{"index": -1, "name": "a"}]}', "class 'a' has index -1"),
        (
            '{"classes": [{"index": 1, "name": "a"}, {"index": 1, "name": "b"}]}',
            "class 'b' has index 1, which is taken",
        ),
        (
            '{"classes": [{"index": 1, "name": "a"}, {"index": 2, "name": "a"}]}',
            "the label 'a' is listed twice",
        ),
        (
            '{"classes": [{"index": 1, "name": "a", "color": "redd"}]}',
            "class 'a' has no color such as #2ca02c but 'redd'",
        ),
    ],
)
def test_what_is_no_label_categories_file_is_refused(content: str, reason: str) -> None:
    with pytest.raises(SourceError, match=re.escape(reason)) as caught:
        parse_classes(content, "labels.json")
    assert str(caught.value).startswith("labels.json")


def test_255_labels_fit_and_256_do_not() -> None:
    labels = [f"label {number}" for number in range(256)]
    assert len(Classes.of_labels(labels[:255])) == 256
    with pytest.raises(OptionError, match="256 labels; at most 255"):
        Classes.of_labels(labels)
    with pytest.raises(SourceError, match="256 labels"):
        parse_classes(json.dumps(labels), "labels.json")


def test_all_colors_differ_whatever_was_wished_for() -> None:
    classes = Classes.of_labels([f"label {number}" for number in range(255)])
    # every class wishes for what another one would get, and some for white
    greedy = {index: class_color(511 - index) for index in range(1, 256)}
    same = dict.fromkeys(range(1, 256), "#2ca02c")
    white = dict.fromkeys(range(1, 256), "#ffffff")
    for wishes in ({}, greedy, same, white):
        colors = classes.hex_colors(wishes)
        assert len(set(colors)) == 256
        assert colors[0] == "#ffffff"
    assert classes.hex_colors(same)[1] == "#2ca02c"
    assert classes.hex_colors({7: "#010203"})[7] == "#010203"


def test_undecided_has_a_color_of_its_own_even_among_254_spiteful_classes() -> None:
    classes = Classes.of_labels([f"label {number}" for number in range(254)])
    taken = []
    for _ in range(254):
        taken.append(classes.undecided_color(taken))
    assert classes.undecided_color(taken) not in taken
    assert classes.undecided_color([]) == "#ff00ff"


# -- manifests


def test_the_metadata_block_is_that_of_ground_truth() -> None:
    listed = [MaskClass(0, "BACKGROUND", "#ffffff"), MaskClass(1, "cat", "#2ca02c")]
    block = metadata(listed, 0.5, "2020-10-20T21:37:29.853446", "My-Job")
    assert json.dumps(block) == json.dumps(
        {
            "internal-color-map": {
                "0": {"class-name": "BACKGROUND", "hex-color": "#ffffff", "confidence": 0.5},
                "1": {"class-name": "cat", "hex-color": "#2ca02c", "confidence": 0.5},
            },
            "type": "groundtruth/semantic-segmentation",
            "human-annotated": "yes",
            "creation-date": "2020-10-20T21:37:29.853446",
            "job-name": "labeling-job/my-job",
        }
    )
    for name in ("labeling-job/my-job", "labeling-job/My-Job"):
        assert metadata(listed, 0.5, "", name)["job-name"] == "labeling-job/my-job"


@pytest.mark.parametrize("adjusted, status", [(True, "adjusted"), (False, "unadjusted")])
def test_adjustment_status_comes_last(adjusted: bool, status: str) -> None:
    block = metadata([], 0.5, "", "job", adjusted)
    assert list(block)[-1] == "adjustment-status"
    assert block["adjustment-status"] == status


def test_a_manifest_line_keeps_what_was_there_and_replaces_an_older_label() -> None:
    line = {"mine-ref": "old", "source-ref": "s3://b/ü.jpg", "x": [1.0], "mine-ref-metadata": {}}
    block = {"a": {"confidence": 0.0}, "b": [1.0, 0.25], "c": True}
    assert manifest_line(line, "mine-ref", "new.png", block) == (
        '{"source-ref":"s3://b/ü.jpg","x":[1.0],"mine-ref":"new.png",'
        '"mine-ref-metadata":{"a":{"confidence":0},"b":[1,0.25],"c":true}}'
    )
    assert manifest_line(line, "mine-ref", None, None) == '{"source-ref":"s3://b/ü.jpg","x":[1.0]}'


def test_a_manifest_is_split_at_line_feeds_only() -> None:
    text = '\ufeff{"a":"x\u2028y"}\r\n\r\n  \n{"b":"\x85"}'
    assert parse_manifest(text.encode(), "m") == [{"a": "x\u2028y"}, {"b": "\x85"}]
    assert parse_manifest(b"", "m") == []


@pytest.mark.parametrize(
    "data, reason",
    [
        (b'{"a": 1}\n{"a"', "m.manifest, line 2 is not JSON"),
        (b'{"a": 1}\n\n[1]', "m.manifest, line 3 is not a JSON object"),
        (b'{"a": 1}\n{"a": "\xff"}', "m.manifest.* is not UTF-8"),
    ],
)
def test_what_is_no_manifest_is_refused_and_says_which_line(data: bytes, reason: str) -> None:
    with pytest.raises(SourceError, match=reason):
        parse_manifest(data, "m.manifest")


COLOR_MAP = {"0": {"class-name": "BACKGROUND", "hex-color": "#ffffff", "confidence": 0.75}}


@pytest.mark.parametrize(
    "line",
    [
        {},
        {"source-ref": "x"},
        {"a-metadata": {"internal-color-map": COLOR_MAP}},  # no label
        {"a": "uri", "a-metadata": {"failure-reason": "ClientError", "retry-count": 1}},
        {"a": "uri", "a-metadata": "text"},
        {"a": 1, "a-metadata": {"internal-color-map": COLOR_MAP}},
        {"a": "uri", "a-metadata": {"internal-color-map": []}},
        {"a": "1", "a-metadata": {"class-name": "good", "type": "groundtruth/label-verification"}},
    ],
)
def test_lines_without_a_mask_label_have_none(line: dict[str, Any]) -> None:
    assert mask_labels(line) == []


def test_labels_of_several_jobs_are_all_found() -> None:
    block = {"internal-color-map": COLOR_MAP, "adjustment-status": "unadjusted"}
    old = {"internal-color-map": {"5": {"class-name": "car"}, "x": 3, "2": None}}
    line = {"a-ref": "1.png", "a-ref-metadata": block, "b": "2.png", "b-metadata": old}
    first, second = mask_labels(line)
    assert (first.attribute, first.mask_uri, first.confidence) == ("a-ref", "1.png", 0.75)
    assert first.classes == (MaskClass(0, "BACKGROUND", "#ffffff"),)
    assert first.adjusted is False
    # before 2019 there were no colours: such a label has no classes that could be used
    assert (second.attribute, second.classes, second.adjusted) == ("b", (), None)


@pytest.mark.parametrize("data", ["", "5", "{}x", '{"a": 1}', "[5]", "[{}]", "[[]]"])
def test_what_is_no_response_is_refused(data: str) -> None:
    with pytest.raises(SourceError, match=r"r\.json is not a consolidation response"):
        parse_response(data, "r.json")


@pytest.mark.parametrize("data", [b"\xef\xbb\xbf[1]", "[1]", b"[1]"])
def test_json_may_have_a_byte_order_mark(data: bytes | str) -> None:
    assert load_json(data) == [1]


# -- real files

REAL = GROUND_TRUTH / "real-job"


def on_disk(uri: str, folder: Path) -> Path:
    """Return a copied mask: colons in keys became underscores."""
    return folder / uri.rsplit("/", 1)[1].replace(":", "_")


def assert_rewritten_alike(png: bytes, listed: tuple[MaskClass, ...]) -> None:
    """Decode a real mask, write it again, and compare everything but the compressed bytes."""
    indices = decode_indices(png)
    ours = encode_indexed(indices, palette([one.color for one in listed]))
    found, theirs = tiny_png.chunks(ours), tiny_png.chunks(png)
    assert [name for name, _ in found] == [name for name, _ in theirs]
    for (name, mine), (_, original) in zip(found, theirs, strict=True):
        if name == b"IDAT":
            assert mine[:2] == original[:2]
        else:
            assert mine == original, name
    for data in (png, ours):
        with Image.open(io.BytesIO(data)) as image:
            np.testing.assert_array_equal(np.asarray(image), indices)
    assert indices.max() < len(listed)


def write_again(label: Any, line: dict[str, Any]) -> dict[str, Any]:
    """Return the manifest line that our writer makes of a label that was read."""
    block = metadata(
        label.classes, label.confidence, label.creation_date, label.job_name, label.adjusted
    )
    return dict(json.loads(manifest_line(line, label.attribute, label.mask_uri, block)))


@needs_shared
def test_a_real_job_is_read_and_written_again() -> None:
    text = (REAL / "output.manifest").read_bytes()
    lines = parse_manifest(text, "output.manifest")
    originals = text.decode().splitlines()
    assert len(lines) == len(originals) == 6
    for line, original in zip(lines, originals, strict=True):
        [label] = mask_labels(line)
        assert [one.name for one in label.classes] == ["BACKGROUND", "cat", "dog"]
        # label categories would have made the same classes with the same colours
        classes = Classes.of_labels(["cat", "dog"])
        assert classes.hex_colors() == tuple(one.color for one in label.classes)
        block = metadata(label.classes, 0.0, label.creation_date, label.job_name, label.adjusted)
        # not only field for field: byte for byte
        assert manifest_line(line, label.attribute, label.mask_uri, block) == original
        png = on_disk(label.mask_uri, REAL).read_bytes()
        assert_rewritten_alike(png, label.classes)
        used = set(np.unique(decode_indices(png)).tolist())
        assert used in ({0, 1}, {0, 2})


@needs_shared
def test_real_responses_agree_with_the_manifest() -> None:
    lines = parse_manifest((REAL / "output.manifest").read_bytes(), "output.manifest")
    seen = {}
    for path in sorted(REAL.glob("2020*.json")):
        data = path.read_bytes()
        contents = parse_response(data, path.name)
        ours = []
        for object_id, content in contents.items():
            [label] = mask_labels(content)
            [other] = mask_labels(lines[int(object_id)])
            assert label == other
            block = metadata(label.classes, 0.0, label.creation_date, label.job_name)
            entry = {label.attribute: label.mask_uri, label.attribute + "-metadata": block}
            ours.append(
                {"datasetObjectId": object_id, "consolidatedAnnotation": {"content": entry}}
            )
            seen[object_id] = label
        # in a response 0.0 stays 0.0
        assert json.dumps(ours, separators=(",", ":")).encode() == data.strip()
    assert sorted(seen) == ["0", "1", "2", "3", "4", "5"]


@needs_shared
def test_the_lookout_line_and_mask_are_read_and_written_again() -> None:
    folder = GROUND_TRUTH / "lookout"
    [line] = parse_manifest((folder / "output.manifest").read_bytes(), "output.manifest")
    [label] = mask_labels(line)
    assert label.attribute == "S10-label3-ref"
    assert [one.name for one in label.classes] == ["BACKGROUND", "IC", "resistor1", "resistor2"]
    assert write_again(label, line) == line
    assert_rewritten_alike((folder / "mask.png").read_bytes(), label.classes)


@needs_shared
def test_the_conversion_kit_mask_has_the_structure_we_write() -> None:
    png = (GROUND_TRUTH / "convkit_img1_annotated.png").read_bytes()
    assert read_header(png).color_type == tiny_png.PALETTE
    table = np.frombuffer(dict(tiny_png.chunks(png))[b"PLTE"], np.uint8).reshape(256, 3)
    assert (table[4:] == 255).all()
    colors = [hex_color(tuple(color)) for color in table[:4].tolist()]
    assert colors == list(Classes.of_labels(["a", "b", "c"]).hex_colors())
    listed = tuple(MaskClass(index, str(index), color) for index, color in enumerate(colors))
    assert_rewritten_alike(png, listed)


@needs_shared
@pytest.mark.parametrize("name, answers", [("femur_ap", 168), ("humerus", 47)])
def test_real_answers_are_read_alike_with_and_without_fast_libraries(
    name: str, answers: int
) -> None:
    objects = parse_request((GROUND_TRUTH / "mturk" / f"{name}.json").read_bytes(), name)
    found = [parse_answer(one.content or "") for each in objects for one in each.annotations]
    assert len(found) == answers
    for answer in found:
        header = read_header(answer.png)
        assert (header.depth, header.color_type) == (1, tiny_png.PALETTE)
        assert answer.size == (header.height, header.width)
        assert set(answer.colors.values()) == {(44, 160, 44)}
