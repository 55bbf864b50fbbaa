"""The page's modules that know no page: PNG, attributes, colours, runs, notes of cameras."""

from __future__ import annotations

import base64
import io
import json
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from consolidation.labeling.segments import runs
from tests.painting_page import module_page

QUICK = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def page(browser: Any) -> Iterator[Any]:
    with module_page(browser) as opened:
        opened.evaluate(
            """async () => {
                const load = (name) => import(`${location.origin}/web/painting/${name}`);
                const names = ["png", "png_read", "deflate", "encoder", "attributes",
                    "labels", "exif", "runs"];
                const all = await Promise.all(names.map((name) => load(`${name}.js`)));
                window.m = Object.assign({}, ...all);
                window.bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
                window.text = (bytes) =>
                    btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join(""));
                window.counted = (data) => {
                    const counts = new Float64Array(256);
                    for (const value of data) counts[value]++;
                    return counts;
                };
                window.colors = Array.from({ length: 256 }, (_, i) =>
                    m.parseHex(m.labelColor(Math.max(0, i - 1))));
                window.classes = (list) =>
                    new Map(list.map(([r, g, b], i) => [r << 16 | g << 8 | b, i + 1]));
            }"""
        )
        yield opened


def send(values: Any) -> str:
    data = values.tobytes() if isinstance(values, np.ndarray) else values
    return base64.b64encode(data).decode()


maps = st.tuples(st.integers(1, 40), st.integers(1, 24)).flatmap(
    lambda size: st.sampled_from([1, 2, 3, 4, 15, 16, 17, 255]).flatmap(
        lambda most: arrays(np.uint8, size, elements=st.integers(0, most))
    )
)


@QUICK
@given(maps)
def test_png_written_is_the_map(page: Any, labels: Any) -> None:
    height, width = labels.shape
    script = """async ([values, width, height]) => {
        const data = bytes(values);
        const map = { data, width, height };
        const now = m.encodeNow(map, counted(data), colors);
        const later = bytes(await m.encode(map, counted(data), colors));
        const back = await m.readMask(later, classes(colors.slice(1)));
        return [text(now), text(later), text(back.classes), back.unknown];
    }"""
    now, later, back, unknown = page.evaluate(script, [send(labels), width, height])
    colors = page.evaluate("colors")
    expected = np.array(colors, np.uint8)[labels]
    used = len(np.unique(labels))
    for file in (now, later):
        data = base64.b64decode(file)
        png = Image.open(io.BytesIO(data))
        rgba = np.asarray(png.convert("RGBA"))
        assert np.array_equal(rgba[..., 3] > 0, labels > 0)
        assert np.array_equal(rgba[labels > 0][:, :3], expected[labels > 0])
        depth = next(bits for bits in (1, 2, 4, 8) if used <= 1 << bits)
        assert data[24:26] == bytes([depth, 3])
    assert base64.b64decode(back) == labels.tobytes()
    assert unknown == 0


@QUICK
@given(
    st.one_of(
        st.binary(max_size=3000),
        st.lists(st.tuples(st.integers(0, 255), st.integers(1, 900)), max_size=12).map(
            lambda pairs: b"".join(bytes([v]) * n for v, n in pairs)
        ),
    )
)
def test_deflate_is_zlibs(page: Any, data: bytes) -> None:
    packed = page.evaluate("data => text(m.deflate(bytes(data)))", send(data))
    assert zlib.decompress(base64.b64decode(packed)) == data


@pytest.mark.parametrize("mode", ["RGBA", "RGB", "P", "L", "LA", "1"])
def test_any_png_is_read(page: Any, mode: str) -> None:
    rng = np.random.default_rng(3)
    blocks = rng.integers(0, 3, (7, 9)).repeat(3, 0).repeat(3, 1).astype(np.uint8)
    tones = {"L": [0, 90, 200], "LA": [0, 90, 200], "1": [0, 255, 255]}.get(mode)
    rgb = [(t, t, t) for t in tones] if tones else [(0, 0, 0), (44, 160, 44), (31, 119, 180)]
    image = Image.fromarray(np.array(rgb, np.uint8)[blocks])
    if mode == "P":
        image = Image.fromarray(blocks)
        image.putpalette([tone for color in rgb for tone in color])
    image = image.convert(mode)
    if mode in ("RGBA", "LA"):
        image.putalpha(Image.fromarray(((blocks > 0) * 255).astype(np.uint8)))
    out = io.BytesIO()
    image.save(out, "PNG")
    got, unknown = page.evaluate(
        """async ([file, rgb]) => {
            const found = await m.readMask(bytes(file), classes(rgb.slice(1)));
            return [text(found.classes), found.unknown];
        }""",
        [send(out.getvalue()), rgb],
    )
    expected = (blocks > 0).astype(np.uint8) * (2 if mode == "1" else blocks)
    assert base64.b64decode(got) == expected.tobytes()
    assert unknown == 0


def test_colours_that_are_no_labels_are_counted(page: Any) -> None:
    pixels = np.array([[[44, 160, 44], [44, 160, 45]], [[255, 255, 255], [0, 0, 0]]], np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    script = """async file => {
        const found = await m.readMask(bytes(file), new Map([[0x2ca02c, 1]]));
        return [[...found.classes], found.unknown];
    }"""
    assert page.evaluate(script, send(out.getvalue())) == [[1, 0, 0, 0], 1]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('["a", "b"]', ["a", "b"]),
        ("['Cat', 'Dog',]", ["Cat", "Dog"]),
        (
            "{labels: ['a'], height: 284, \"x\": -1.5e2,}",
            {"labels": ["a"], "height": 284, "x": -150},
        ),
        ("['it\\'s', \"say \\\"hi\\\"\", '\\u00e9', 'ש']", ["it's", 'say "hi"', "é", "ש"]),
        (" { } ", {}),
        ("[true, false, null]", [True, False, None]),
        ("{'__proto__': 1}", {"__proto__": 1}),
    ],
)
def test_attributes_are_read(page: Any, text: str, value: Any) -> None:
    assert json.loads(page.evaluate("text => JSON.stringify(m.readValue(text))", text)) == value


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("[a]", 'column 2: a value was expected, not "a]"'),
        ("['a' 'b']", 'column 6: "," or "]" was expected, not "\'b\']"'),
        ("", "column 1: a value was expected, not the end"),
        ("['a'", 'column 5: "," or "]" was expected, not the end'),
        ("[1] 2", 'column 5: the end was expected, not "2"'),
        ("['a", "column 4: the closing ' was expected, not the end"),
        ("alert(1)", 'column 1: a value was expected, not "alert(1)"'),
        ("[" * 60, "column 52: less nesting was expected"),
    ],
)
def test_wrong_attributes_say_where(page: Any, text: str, error: str) -> None:
    told = page.evaluate(
        "text => { try { return m.readValue(text); } catch (e) { return e.message; } }", text
    )
    assert told.startswith(error)


def test_255_colours(page: Any) -> None:
    colors = page.evaluate("Array.from({ length: 255 }, (_, i) => m.labelColor(i))")
    assert colors[:5] == ["#2ca02c", "#1f77b4", "#ff7f0e", "#d62728", "#9467bd"]
    assert len(set(colors)) == 255
    assert not {"#000000", "#ffffff"} & set(colors)


@QUICK
@given(arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_runs_come_back(page: Any, mask: Any) -> None:
    height, width = mask.shape
    lengths = runs(mask)
    got, again = page.evaluate(
        """([box, runs]) => {
            const mask = m.unpackRuns(box, runs);
            return [[...mask], m.packRuns(mask)];
        }""",
        [[0, 0, width, height], lengths],
    )
    assert got == mask.ravel().astype(int).tolist()
    assert again == lengths


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_turned_picture_is_turned_back(page: Any, kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 8
    out = io.BytesIO()
    Image.new("RGB", (20, 10)).save(out, kind, exif=exif)
    size = page.evaluate(
        """async file => {
            const { width, height } = await createImageBitmap(new Blob([m.unturn(bytes(file))]));
            return [width, height];
        }""",
        send(out.getvalue()),
    )
    assert size == [20, 10]
