"""The page's painting against a naive twin: the same actions, the same map, to the pixel."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.painting_page import module_page
from tests.painting_twin import REGIONS, Twin

WIDTH, HEIGHT = 78, 70
"""More than a tile of 64 pixels in both directions."""
DRIVER = Path(__file__).parent / "painting_driver.js"

coordinate = st.integers(-6 * 4, 84 * 4).map(lambda value: value / 4)
place = st.tuples(coordinate, coordinate).map(list)
inside = st.tuples(st.integers(0, WIDTH - 1), st.integers(0, HEIGHT - 1)).map(list)
target = st.integers(1, 4)
size = st.one_of(st.integers(1, 12), st.integers(13, 60))
actions = st.one_of(
    st.fixed_dictionaries(
        {
            "op": st.just("stroke"),
            "points": st.lists(place, min_size=1, max_size=4),
            "size": size,
            "square": st.booleans(),
            "target": st.integers(0, 4),
        }
    ),
    st.fixed_dictionaries(
        {
            "op": st.just("polygon"),
            "points": st.lists(place, min_size=2, max_size=7),
            "target": target,
            "subtract": st.booleans(),
        }
    ),
    st.fixed_dictionaries(
        {"op": st.just("fill"), "place": inside, "gap": st.integers(0, 5), "target": target}
    ),
    st.fixed_dictionaries(
        {
            "op": st.just("region"),
            "place": inside,
            "kind": st.sampled_from(sorted(REGIONS)),
            "everything": st.booleans(),
            "most": st.sampled_from([1, 9, 200]),
            "target": target,
        }
    ),
    st.fixed_dictionaries({"op": st.just("rest"), "target": target}),
    st.fixed_dictionaries({"op": st.just("lock"), "label": st.integers(0, 4)}),
    st.fixed_dictionaries(
        {
            "op": st.just("set_mode"),
            "mode": st.sampled_from(["everything", "unpainted", "picked"]),
        }
    ),
    st.just({"op": "undo"}),
    st.just({"op": "redo"}),
)


@pytest.fixture(scope="module")
def page(browser: Any) -> Iterator[Any]:
    with module_page(browser) as opened:
        opened.evaluate(
            """async text => {
                const blob = new Blob([text], { type: "text/javascript" });
                window.driver = await import(URL.createObjectURL(blob));
            }""",
            DRIVER.read_text("utf-8"),
        )
        yield opened


def painted(page: Any, steps: Sequence[Mapping[str, Any]], budget: int = 0) -> dict[str, Any]:
    script = """([steps, ...more]) =>
        driver.run(`${location.origin}/web`, JSON.parse(steps), ...more)"""
    result: dict[str, Any] = page.evaluate(script, [json.dumps(steps), WIDTH, HEIGHT, budget])
    return result


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(st.lists(actions, min_size=1, max_size=12))
def test_page_and_twin_paint_the_same(page: Any, steps: list[dict[str, Any]]) -> None:
    twin = Twin(WIDTH, HEIGHT)
    result = painted(page, steps)
    for number, (step, got) in enumerate(zip(steps, result["maps"], strict=True)):
        twin.act(step)
        differ = np.argwhere(np.reshape(got, (HEIGHT, WIDTH)) != twin.map)
        assert not len(differ), f"action {number}, {step}: pixels {differ[:5].tolist()}"
    final = twin.map.ravel().tolist()
    assert result["restored"] == result["merged"] == final
    assert result["counts"] == np.bincount(twin.map.ravel(), minlength=256).tolist()
