"""Input limits: over one, that answer or object fails with both numbers; memory stays bounded."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from consolidation import storage
from consolidation.errors import AnswerError, ConsolidationError, ObjectError, OptionError
from consolidation.formats import Place
from consolidation.formats.groundtruth import (
    Annotation,
    AnnotationAnswer,
    load_json,
    mask_labels,
    parse_answer,
    parse_request,
)
from consolidation.limits import Limits
from consolidation.masks import Classes, decode
from consolidation.objects.pipeline import consolidate_object
from consolidation.objects.prepare import LabeledObject
from consolidation.options import Options
from consolidation.storage import StorageError
from consolidation.text import shown
from tests import tiny_png, wire
from tests.wire import GREEN, plain

CLASSES = Classes.of_labels(["cat", "dog"])
DECODING = 8
"""Bytes a pixel that decoding takes beside the result, as stated in docs/security.md."""


def refused(content: Any, limits: Limits | None = None) -> str:
    with pytest.raises(AnswerError) as caught:
        parse_answer(content, limits or Limits())
    reason = str(caught.value)
    assert len(reason) < 400 and reason.isprintable()
    return reason


# -- answers


@pytest.mark.parametrize("form", [json.dumps, lambda one: json.dumps(one).encode(), dict])
def test_an_answer_has_so_many_bytes_whatever_its_form(form: Any) -> None:
    good = wire.content([1, 2])
    picture = len(good["crowd-semantic-segmentation"]["labeledImage"]["pngImageData"])
    size = picture if form is dict else len(form(good))
    parse_answer(form(good), Limits(answer_bytes=size))
    reason = refused(form(good), Limits(answer_bytes=size - 1))
    assert reason == f"the answer has {size:,} bytes, the limit is {size - 1:,}"


def test_the_size_is_looked_at_before_anything_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consolidation.formats.groundtruth.answers._decode_base64", pytest.fail)
    monkeypatch.setattr("consolidation.formats.groundtruth.answers.load_json", pytest.fail)
    assert "the limit is 10" in refused("x" * 11, Limits(answer_bytes=10))
    assert "the limit is 10" in refused(wire.content([1]), Limits(answer_bytes=10))


@pytest.mark.parametrize("depth, read", [(64, True), (65, False), (900, False), (40_000, False)])
def test_json_is_so_deep(depth: int, read: bool) -> None:
    # the field itself is one level
    content = wire.content([1])
    nested = "[" * (depth - 1) + "]" * (depth - 1)
    text = json.dumps(content)[:-1] + f', "comment": {nested}}}'
    if read:
        parse_answer(text)
    else:
        assert "the limit is 64" in refused(text)


def test_depth_is_counted_in_what_is_parsed_already() -> None:
    content = wire.content([1])
    inner: Any = []
    for _ in range(70):
        inner = [inner]
    assert "nested 72 deep, the limit is 64" in refused({**content, "comment": inner})


@pytest.mark.parametrize("text", ["{}", "[" * 10**5, '{"a":' * 10**5, "[" * 10**5 + "]" * 10**5])
def test_whatever_reads_json_stops_at_its_depth(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for fast in (True, False):
        if not fast:
            monkeypatch.setitem(sys.modules, "orjson", None)
        if text == "{}":
            assert load_json(text) == {}
        else:
            with pytest.raises(ValueError, match="the limit is 64"):
                load_json(text)


def test_brackets_within_texts_are_no_depth() -> None:
    assert load_json(json.dumps(["[{" * 1000]))


def test_few_bytes_that_become_many_objects_are_refused() -> None:
    text = json.dumps(wire.content([1]))[:-1] + ', "x": [' + "[]," * 200_000 + "0]}"
    assert "values, the limit is 100,000" in refused(text)


def test_labels_have_a_length_and_a_number() -> None:
    parse_answer(wire.content([1], {"x" * 256: GREEN}))
    assert "257 characters, the limit is 256" in refused(wire.content([1], {"x" * 257: GREEN}))
    many = {f"label {k}": f"#{k:06x}" for k in range(1, 257)}
    reason = refused(wire.picture_content(wire.picture([1], [GREEN]), many))
    assert reason == "the answer has 256 labels, the limit is 255"


def test_labels_of_a_job_have_a_length_too() -> None:
    Classes.of_labels(["x" * 256])
    with pytest.raises(OptionError, match="257 characters, the limit is 256"):
        Classes.of_labels(["x" * 257])


@pytest.mark.parametrize(
    "content",
    [
        {"a" * 10**6: 1},
        {
            "a": {
                "labeledImage": {"pngImageData": ""},
                "labelMappings": {"b": {"color": "c" * 10**6}},
            }
        },
        {"a": {"labeledImage": 1}, "b\x1b[31m" * 10**4: {"labeledImage": 1}},
    ],
)
def test_messages_are_short_whatever_they_are_about(content: Any) -> None:
    refused(content)


def test_one_large_answer_is_left_out_and_said() -> None:
    big = wire.content([2, 2], {"cat": wire.GREEN, "dog": wire.BLUE}, comment="x" * 5000)
    answers = [
        (name, AnnotationAnswer(Annotation(name, content=json.dumps(one))))
        for name, one in (("a", wire.content([0, 1])), ("b", big))
    ]
    options = plain(max_answer_bytes=2000)
    result = consolidate_object(LabeledObject("7", {}, answers), CLASSES, options)
    assert result.consensus.labels.tolist() == [[0, 1]]
    [warning] = result.warnings
    assert warning.worker == "b" and warning.dropped
    assert "bytes, the limit is 2,000" in warning.message


# -- objects


def test_an_object_has_so_many_answers() -> None:
    one = AnnotationAnswer(Annotation("w", content=wire.content([1])))
    obj = LabeledObject("7", {}, [(str(k), one) for k in range(4)])
    consolidate_object(obj, CLASSES, plain(max_answers=4))
    with pytest.raises(ObjectError, match="it has 4 answers, the limit is 3"):
        consolidate_object(obj, CLASSES, plain(max_answers=3))


def test_a_request_has_so_many_objects() -> None:
    entries = json.dumps([wire.entry(str(k), ("w", {})) for k in range(4)])
    assert len(parse_request(entries, "r.json", 4)) == 4
    with pytest.raises(ConsolidationError, match=r"r\.json has more objects than 3, which is the"):
        parse_request(entries, "r.json", 3)


def test_a_uri_has_so_many_characters() -> None:
    entry = wire.entry("0")
    entry["annotations"] = [{"workerId": "w", "annotationData": {"s3Uri": "s3://b/" + "x" * 10**6}}]
    [one] = parse_request(json.dumps([entry]), "r.json")
    error = one.annotations[0].error
    assert error is not None and "1,000,007 characters, the limit is 2,048" in error
    assert len(error) < 400


@pytest.mark.parametrize("name", ["answer_bytes", "answers", "objects", "label_length"])
def test_limits_are_options(name: str) -> None:
    options = Options.read({}, {f"CONSOLIDATION_MAX_{name.upper()}": "7"})
    assert getattr(options.limits, name) == 7
    with pytest.raises(OptionError):
        Options.read({f"max_{name}": 0}, {})


# -- files


def test_what_is_too_large_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "answer.json"
    with file.open("wb") as out:
        out.truncate(1 << 40)  # a terabyte, of which nothing is there
    with pytest.raises(StorageError, match=r"1,099,511,627,776 bytes, the limit is 1,000$"):
        storage.read_bytes(file, 1000)
    file.write_bytes(b"x" * 1000)
    assert len(storage.read_bytes(file, 1000)) == 1000


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no file without an end")
def test_a_file_without_an_end_is_not_read_for_ever() -> None:
    with pytest.raises(StorageError, match="has 1,001 bytes, the limit is 1,000"):
        storage.read_bytes("/dev/zero", 1000)


# -- where answers may lie


@pytest.mark.parametrize(
    "uri",
    ["/etc/passwd", "../secret", "file:///etc/passwd", "a/../../secret", "link", "\0", "x" * 5000],
)
def test_no_answer_is_read_from_outside_of_the_source(tmp_path: Path, uri: str) -> None:
    source = tmp_path / "job"
    source.mkdir()
    (tmp_path / "secret").write_text(json.dumps(wire.content([1])))
    (source / "link").symlink_to(tmp_path / "secret")
    for folder in (str(source), None, "s3://bucket/job"):
        answer = AnnotationAnswer(Annotation("w", uri=uri), folder)
        with pytest.raises(
            ConsolidationError, match=r"does not lie in|is no s3:// URI|cannot read"
        ):
            answer.load(Options())
        if folder == str(source) and len(uri) < 100:
            with pytest.raises(StorageError, match="does not lie in the source's folder"):
                answer.load(Options())


def test_answers_beside_the_request_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "answer.json").write_text(json.dumps(wire.content([1])))
    monkeypatch.chdir("/")  # relative to the source, wherever one is
    answer = AnnotationAnswer(Annotation("w", uri="answer.json"), str(tmp_path / "job"))
    assert answer.load(Options()).size(Options()) == (1, 1)


# -- pictures


def bomb(width: int, height: int, kind: int, extra: bytes = b"") -> bytes:
    """PNG of zeros, a thousand times larger than its file."""
    row = 1 + tiny_png.CHANNELS[kind] * width
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(bytes(row)) for _ in range(height)) + packer.flush()
    palette = tiny_png.chunk(b"PLTE", bytes(3)) if kind == tiny_png.PALETTE else b""
    head = tiny_png.SIGNATURE + tiny_png.header(width, height, 8, kind)
    end = tiny_png.chunk(b"IDAT", data) + tiny_png.chunk(b"IEND", b"")
    return head + extra + palette + end


def test_pixels_beyond_the_declared_size_are_not_unpacked() -> None:
    # 4 x 4 pixels, and a hundred megabytes behind them
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(bytes(1 << 20)) for _ in range(100)) + packer.flush()
    png = tiny_png.SIGNATURE + tiny_png.header(4, 4, 8, tiny_png.GREY)
    png += tiny_png.chunk(b"IDAT", data) + tiny_png.chunk(b"IEND", b"")
    assert decode(png).values.shape == (4, 4)


def test_a_file_of_many_tiny_chunks_is_refused() -> None:
    png = tiny_png.SIGNATURE + tiny_png.header(1, 1, 8, tiny_png.GREY)
    with pytest.raises(AnswerError, match="more than 100,000 chunks"):
        decode(png + tiny_png.chunk(b"tEXt", b"") * 100_001)


_MEASURE = """
import base64, json, resource, sys
from consolidation.formats.groundtruth import parse_answer
from consolidation.masks import Classes, decode
from consolidation.errors import AnswerError

def peak():
    with open("/proc/self/status") as lines:
        return next(int(one.split()[1]) * 1024 for one in lines if one.startswith("VmHWM"))

decode(sys.stdin.buffer.read(int(sys.argv[2])))  # what is loaded at the first time
text = sys.stdin.buffer.read()
before = peak()
try:
    decode(parse_answer(text).png)
except AnswerError:
    pass
print(peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peaks are read from /proc")
@pytest.mark.parametrize(
    "name, bytes_a_pixel",
    [("indices", 3), ("grey", 3), ("colors", DECODING + 4), ("texts", 3), ("base64", 0)],
)
def test_memory_stays_below_the_stated_bound(name: str, bytes_a_pixel: int) -> None:
    side = 4000
    packed = zlib.compress(bytes(100_000_000), 9)
    texts = tiny_png.chunk(b"zTXt", b"x\0\0" + packed) * 20
    png = {
        "indices": lambda: bomb(side, side, tiny_png.PALETTE),
        "grey": lambda: bomb(side, side, tiny_png.GREY),
        "colors": lambda: bomb(side, side, tiny_png.RGBA),
        "texts": lambda: bomb(side, side, tiny_png.GREY, texts),
        "base64": lambda: bytes(10_000_000),
    }[name]()
    text = json.dumps(
        {
            "labeledImage": {"pngImageData": base64.b64encode(png).decode()},
            "labelMappings": {"cat": {"color": GREEN}},
        }
    ).encode()
    small = tiny_png.write(np.zeros((2, 2), np.uint8), tiny_png.GREY)
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, name, str(len(small))],
        input=small + text,
        capture_output=True,
        check=True,
    )
    # thrice the answer's text, and what strips and libraries take
    bound = bytes_a_pixel * side * side + 3 * len(text) + 32_000_000
    assert int(done.stdout) < bound


# -- what other people's manifests hold


@pytest.mark.parametrize(
    "block",
    [
        {"internal-color-map": {"9" * 5000: {"class-name": "a", "hex-color": "b"}}},
        {"internal-color-map": {"1": {"class-name": ["a"], "hex-color": {}}}},
        {"internal-color-map": {"1": {"class-name": "a", "hex-color": "b", "confidence": "high"}}},
        {"internal-color-map": {"1": {"confidence": [1]}}},
        {"internal-color-map": {"1": {"confidence": 10**400}}},
        {"internal-color-map": {"1": {"confidence": float("nan")}}},
        {"internal-color-map": {"\u0663": {"class-name": "a", "hex-color": "b"}}},
    ],
)
def test_metadata_of_any_shape_is_read(block: Any) -> None:
    [label] = mask_labels({"seg-ref": "s3://b/m.png", "seg-ref-metadata": block})
    assert label.confidence == 0.0
    assert hash(label.classes) is not None


def test_what_is_shown_is_short_and_harmless() -> None:
    assert shown("\x1b[31m") == r"'\x1b[31m'"
    assert len(shown({"a" * 10**6: "b" * 10**6})) < 300


@pytest.mark.parametrize("target", ["../secret", "../secret/mask.png"])
def test_no_link_is_followed_out_of_a_source_nor_passed_over(tmp_path: Path, target: str) -> None:
    mask = np.array([[0, 1]], np.uint8)
    wire.write_index_mask(tmp_path / "secret" / "mask.png", mask)
    wire.write_index_mask(tmp_path / "job" / "0" / "worker_a.png", mask)
    (tmp_path / "job" / "0" / "worker_b.png").symlink_to("worker_a.png")
    Place.at(tmp_path / "job")  # a link within is one
    (tmp_path / "job" / "1").symlink_to(target)
    with pytest.raises(StorageError, match=r"job: 1 is a link that leads out of it"):
        Place.at(tmp_path / "job")


def test_a_lambda_fetches_nothing_that_is_too_large(here: Any) -> None:
    from consolidation.aws.invocation import consolidate_event
    from consolidation.aws.settings import LambdaOptions
    from tests.lambda_job import Context, Job, contents

    job = Job.create(here, "limits-of-a-lambda")
    small, large = wire.content([1, 2]), wire.content([2, 2], comment="x" * 10_000)
    uris = [job.put(f"{name}.json", one) for name, one in (("a", small), ("b", large))]
    entry = wire.entry("0")
    entry["annotations"] = [
        {"workerId": name, "annotationData": {"s3Uri": uri}}
        for name, uri in zip("ab", uris, strict=True)
    ]
    crowd = wire.entry("1", *((f"w{k}", small) for k in range(6)))
    options = LambdaOptions(max_answer_bytes=5000, max_answers=5, failed_objects="report")
    found = contents(consolidate_event(job.event([entry, crowd]), Context(), options))
    assert found["1"]["seg-ref-metadata"]["failure-reason"] == ("it has 6 answers, the limit is 5")
    provenance = next(iter(job.written("provenance/").values()))
    assert b"bytes, the limit is 5,000" in provenance
    with pytest.raises(ConsolidationError, match="has more objects than 1, which is the limit"):
        consolidate_event(job.event([entry, crowd]), Context(), LambdaOptions(max_objects=1))
