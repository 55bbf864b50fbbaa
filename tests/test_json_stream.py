"""Large JSON in windows: borders, lists taken out, files cut off."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consolidation.errors import SourceError
from consolidation.formats import json_stream
from consolidation.formats.json_stream import LongLists, json_values
from consolidation.formats.sniff import json_beginning
from tests import naive_formats as naive

TEXTS = st.text(alphabet='ab"\\[]{}:,\u00e9 \n@0', max_size=6)
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-9, 10**6), TEXTS)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(TEXTS, inner, max_size=4),
        st.lists(st.integers(0, 300), min_size=20, max_size=40),
    ),
    max_leaves=20,
)
TOPS = st.one_of(st.lists(VALUES, max_size=5), st.dictionaries(TEXTS, VALUES, max_size=5))
INDENTS = st.sampled_from([None, 1])


def values(data: bytes, depth: int):
    return list(json_values(lambda start, end: data[start:end], "f.json", depth))


@pytest.mark.parametrize("size", [1 << 22, 3])
@pytest.mark.parametrize("depth", [1, 2])
@settings(max_examples=60, deadline=None)
@given(TOPS, INDENTS)
def test_every_value_is_found(size, depth, value, indent):
    data = json.dumps(value, indent=indent, ensure_ascii=False).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_stream, "WINDOW", size)
        found = values(data, depth)
    assert [json.loads(one.data) for one in found] == naive.json_values(data, depth)
    assert all(data[one.span.start : one.span.end] == one.data for one in found)
    if depth == 2 and isinstance(value, dict):
        expected = [
            key
            for key, inner in value.items()
            if isinstance(inner, list | dict)
            for one in (inner if isinstance(inner, list) else inner.values())
            if isinstance(one, list | dict)
        ]
        assert [one.key for one in found] == expected


@settings(max_examples=200, deadline=None)
@given(VALUES, INDENTS)
def test_long_lists_come_back(value, indent):
    data = json.dumps(value, indent=indent).encode()
    lists = LongLists(data)

    def restored(one):
        numbers = lists.numbers(one)
        if isinstance(numbers, memoryview):
            return [int(text) for text in bytes(numbers).split(b",")]
        if isinstance(one, list):
            return [restored(inner) for inner in one]
        if isinstance(one, dict):
            return {key: restored(inner) for key, inner in one.items()}
        return one

    text = json.dumps(value)
    if '"@' not in text:
        assert restored(lists.value) == value


def test_texts_that_look_like_a_place():
    long = "[" + ",".join(["12"] * 40) + "]"
    lists = LongLists(b'{"a": "@0", "b": "@1", "c": "@x", "d": %s}' % long.encode())
    assert bytes(lists.numbers(lists.value["d"])).decode() == long[1:-1]
    # a stranger's text may name the list of its own task, and no other
    assert isinstance(lists.numbers(lists.value["a"]), memoryview)
    assert lists.numbers(lists.value["b"]) == "@1"
    assert lists.numbers(lists.value["c"]) == "@x"


@pytest.mark.parametrize("data", [b"[{}", b'[{"a": "', b'[{"a": [1, 2', b'{"a": {'])
def test_cut_off(data):
    with pytest.raises(SourceError, match=r"f\.json is not JSON: cut off after \d+ bytes"):
        values(data, 1)


def test_more_ends_than_begins():
    with pytest.raises(SourceError, match="more ends than begins"):
        values(b"[{}]]", 1)


def test_values_too_long(monkeypatch):
    monkeypatch.setattr(json_stream, "WINDOW", 8)
    monkeypatch.setattr(json_stream, "MOST_BYTES", 64)
    with pytest.raises(SourceError, match="a value of more than 64 bytes at byte 1"):
        values(b"[[" + b"1," * 100 + b"1]]", 1)


@settings(max_examples=100, deadline=None)
@given(TOPS, st.integers(0, 100))
def test_beginnings_of_any_length(value, cut):
    data = json.dumps(value).encode()
    whole = json_beginning(data)
    assert json_beginning(data[:cut]).paths <= whole.paths
