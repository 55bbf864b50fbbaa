"""JSON and lines read piece by piece, with windows of a few bytes."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consolidation.errors import SourceError
from consolidation.formats.groundtruth import lines, spans

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


class File:
    """Bytes, and how many of them were read."""

    def __init__(self, data: bytes) -> None:
        self.data, self.read = data, 0

    def __call__(self, start: int, end: int) -> bytes:
        found = self.data[start:end]
        self.read += len(found)
        return found


@pytest.fixture(autouse=True, params=[1 << 22, 32], ids=["one window", "many"])
def _windows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spans, "WINDOW", request.param)


def entries(data: bytes) -> list[Any]:
    return [
        (data[span.start : span.end], value) for span, value in spans.list_entries(File(data), "f")
    ]


@given(
    st.lists(VALUES, max_size=5),
    st.booleans(),
    st.sampled_from(["", " ", "\r\n\t" * 20]),
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
)
def test_entries_are_found_with_their_bytes(
    values: list[Any], escaped: bool, space: str, mark: bytes
) -> None:
    between = f"{space},{space}"
    text = between.join(json.dumps(one, ensure_ascii=escaped) for one in values)
    data = mark + f"{space}[{space}{text}{space}]{space}".encode()
    found = entries(data)
    assert [value for _, value in found] == values
    assert [json.loads(part) for part, _ in found] == values


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "Expecting value at byte 0"),
        ("[1, 2", "a comma or the list's end is missing at byte 5"),
        ("[1 2]", "a comma or the list's end is missing at byte 3"),
        ("[1, ]", "Expecting value at byte 4"),
        ('["é", x]', "Expecting value at byte 7"),
        ('[{"a": "é", b}]', "Expecting property name enclosed in double quotes at byte 13"),
        ("[1] 2", "there is more after the list's end at byte 4"),
        ('["' + "a" * 100, "Unterminated string starting at byte 1"),
        ("[" * 100_000, "nested too deeply"),
        ("[" + "1" * 5000 + "]", "at byte 1"),
    ],
)
def test_what_is_not_json_is_named_by_its_byte(text: str, says: str) -> None:
    with pytest.raises(spans.NotJsonError, match=says):
        entries(text.encode())


@pytest.mark.parametrize(
    ("text", "kind"), [("{}", "object"), ('"a"', "text"), ("true", "truth value"), ("-1", "number")]
)
def test_what_is_no_list_is_said_to_be_something_else(text: str, kind: str) -> None:
    with pytest.raises(SourceError, match=f"a JSON {kind}, not a list"):
        entries(text.encode())


@pytest.mark.parametrize("start", ['[{"a": 1,, ', "{"])
def test_a_large_file_is_not_read_to_its_end_to_find_it_broken(start: str) -> None:
    file = File(start.encode() + b'"b": [1, 2, 3], ' * (1 << 20))
    with pytest.raises(SourceError):
        list(spans.list_entries(file, "f"))
    assert file.read <= 2 * spans.WINDOW


def test_memory_is_that_of_a_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spans, "WINDOW", 1 << 16)
    file = File(json.dumps([{"a": "é" * 1000}] * 1000, ensure_ascii=False).encode())
    tracemalloc.start()
    try:
        assert sum(1 for _ in spans.list_entries(file, "f")) == 1000
        assert tracemalloc.get_traced_memory()[1] < 8 * spans.WINDOW < len(file.data) / 3
    finally:
        tracemalloc.stop()


@given(st.lists(st.binary(max_size=50).map(lambda one: one.replace(b"\n", b"")), max_size=6))
def test_lines_are_found_blank_ones_are_not(texts: list[bytes]) -> None:
    wanted = [one for one in texts if one.strip()]
    for data in (b"\n".join(texts), b"\n".join(texts) + b"\n", b"\n\n".join(texts)):
        assert [data[span.start : span.end] for span in lines(File(data))] == wanted
