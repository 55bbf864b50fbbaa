"""The page is one file, streamed, and whatever comes from data stays text."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from consolidation import consolidate
from consolidation.objects import MaskClass
from consolidation.report import (
    CalibrationBin,
    ReportImage,
    ReportWorker,
    Snapshot,
    render,
    with_reliability,
)
from consolidation.report.advice import advise
from tests.report_samples import CLASSES, WORKERS, image, images, masks, report

HOSTILE = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(2)>\u2028\u202e]]>--!>"


class Reader(HTMLParser):
    """Elements with their attributes, and the text of scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[str, str]] = []
        self.text = ""
        self._script: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._script = (dict(attrs).get("type") or "") if tag == "script" else None

    def handle_endtag(self, tag: str) -> None:
        self._script = None

    def handle_data(self, data: str) -> None:
        if self._script is not None:
            self.scripts.append((self._script, data))
        else:
            self.text += data


def page(**changes: Any) -> str:
    return b"".join(render(report(**changes))).decode("utf-8")


def hostile_images() -> Iterator[ReportImage]:
    ids = [HOSTILE, HOSTILE + "2", "__proto__"]
    region = {"box": [0, 0, 1, 1], "area": 1, "classes": [HOSTILE], "workers": ids}
    yield image(
        HOSTILE,
        consolidate(masks(), workers=ids, n_classes=3),
        warnings=[HOSTILE],
        regions=[{**region, "reason": HOSTILE}],
    )


def hostile_page() -> str:
    return page(
        title=HOSTILE,
        method=HOSTILE,
        reason=HOSTILE,
        version=HOSTILE,
        created=HOSTILE,
        classes=[CLASSES[0], MaskClass(1, HOSTILE, HOSTILE), MaskClass(2, "\ud800", "red;x:y")],
        images=hostile_images(),
        workers=[
            ReportWorker(one, 3, junk=True, twins=[HOSTILE], class_iou=(1, 1, 1))
            for one in (HOSTILE, "__proto__", HOSTILE + "2")
        ],
    )


def test_the_page_loads_nothing() -> None:
    reader = Reader(page())
    for tag, attributes in reader.elements:
        assert tag not in ("link", "iframe", "object", "embed", "base", "form", "audio", "video")
        for name in ("src", "srcset", "action", "data", "poster"):
            assert name not in attributes
        assert (attributes.get("href") or "#").startswith("#")
    assert not re.search(r"https?:|url\(|@import", page())


def test_only_our_own_script_runs() -> None:
    reader = Reader(hostile_page())
    [policy] = [
        attributes["content"] or ""
        for tag, attributes in reader.elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none'; img-src data:;")
    [script] = [text for kind, text in reader.scripts if kind == ""]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in policy
    assert "innerHTML" not in script and "eval(" not in script


def test_hostile_text_stays_text() -> None:
    text = hostile_page()
    reader = Reader(text)
    tags = {tag for tag, _ in reader.elements}
    assert tags == {tag for tag, _ in Reader(page()).elements} - {"s"}
    for _, attributes in reader.elements:
        assert not any(name.startswith("on") for name in attributes)
        assert "red" not in (attributes.get("style") or "")
    assert not re.search("[\u2028\u202e\ud800]", text)
    assert "<script>alert(1)</script>" in reader.text and "\\u202e" in reader.text
    for kind, content in reader.scripts:
        if kind == "application/json":
            json.loads(content, parse_constant=pytest.fail)


def test_what_is_embedded_can_be_read_back() -> None:
    reader = Reader(page())
    embedded = [json.loads(text) for kind, text in reader.scripts if kind == "application/json"]
    *about_images, about = embedded
    assert [one["id"] for one in about_images] == ["image-0", "image-1", "image-2"]
    assert [one["name"] for one in about["classes"]] == ["BACKGROUND", "road", "tree"]
    data = [text for kind, text in reader.scripts if kind == "text/plain"]
    assert len(data) == 6, "masks and picture of three images"
    header = json.dumps(about_images[0]["snapshot"]).encode()
    snapshot = Snapshot.from_bytes(header + b"\n" + base64.b64decode(data[0]))
    assert (snapshot.planes[:3] == masks(2)).all()


def test_images_are_written_one_at_a_time() -> None:
    read = 0

    def counted() -> Iterator[ReportImage]:
        nonlocal read
        for one in images():
            read += 1
            yield one

    written = b""
    for part in render(report(images=counted())):
        written += part
        # an image is asked for when all before it are in the file
        assert written.count(b'class="masks"') >= read - 1
    assert read == 3


def test_the_same_report_is_the_same_file() -> None:
    assert page() == page()


def test_images_without_pictures_or_masks() -> None:
    bare = [replace(one, picture=None, need=None) for one in images()]
    text = page(images=[replace(bare[0], snapshot=None), *bare[1:]])
    assert text.count('class="masks"') == 2 and 'class="picture"' not in text
    assert "in images.csv" in text


def test_an_empty_report_is_a_page() -> None:
    nan = float("nan")
    text = page(
        images=[],
        n_images=0,
        workers=[],
        disputed=0.0,
        confidence=nan,
        alpha=None,
        pairs=None,
        confusion=None,
        class_confidence=(),
        failures=2,
    )
    assert "2 images could not be consolidated" in Reader(text).text


def test_the_reliability_diagram_has_its_place() -> None:
    bare = page().encode()
    bins = [CalibrationBin(100, 0.66, 0.5), CalibrationBin(1900, 1, 0.99)]
    drawn = with_reliability(bare, bins)
    text = Reader(drawn.decode()).text
    assert "Is the confidence right?" in text
    assert "".join(text.split()).count("66%50%100100%99%1,900") == 1
    assert with_reliability(drawn, bins) == drawn
    assert with_reliability(b"<html></html>", bins) == b"<html></html>"


def test_large_matrices_are_cut() -> None:
    n = 60
    workers = [ReportWorker(f"w{index:02}", 1, 0.5, agreement=0.5) for index in range(n)]
    names = [MaskClass(index, f"c{index:02}", "#123456") for index in range(n)]
    confusion = np.eye(n, dtype=np.int64) * 100
    confusion[58, 59] = 90
    text = Reader(
        page(
            workers=workers,
            classes=names,
            pairs=np.full((n, n), 0.5),
            confusion=confusion,
            class_confidence=[0.5] * n,
        )
    ).text
    assert "the 24 least reliable of 60" in text and "the 24 most confused classes" in text
    assert "Where the consensus is c58, 47 % of the votes say c59" in text


def test_advice() -> None:
    texts = [one.text for one in advise(report(alpha=0.5))]
    assert texts[0].startswith("1 image could not be consolidated")
    assert texts[1] == "cid: plainly not doing the task; these votes were not counted."
    assert texts[2] == "ann and bob gave the same answers to the pixel: find out why."
    assert texts[3].startswith("Workers agree poorly")
    assert texts[4].startswith("Where the consensus is tree, 30 % of the votes say road")
    assert WORKERS == ("ann", "bob", "cid")
