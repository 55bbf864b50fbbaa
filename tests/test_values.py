"""Values that are no class indices: understood, or refused with the cause, at every door."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.value_cases import DOORS, Case, cases, outcome
from tests.value_hunt import hunt_source, hunt_truth

CASES = cases()
SEEDS = (*range(30), 33, 42, 48, 97, 132, 176, 201)
"""The last ones find something where a doubt about values, or the look at ramps, is left out."""


def test_cases_have_names_of_their_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 60


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_door_says_the_same(case: Case, door: str, tmp_path: Path) -> None:
    if case.truth == "*" and door in ("evaluate", "calibrate"):
        return
    found = outcome(case, door, tmp_path)
    assert case.agrees(door, found), found


@pytest.mark.parametrize("hunt", [hunt_source, hunt_truth])
def test_nothing_is_wrong_in_silence(hunt: Callable[[int, Path], str], tmp_path: Path) -> None:
    ended = Counter(hunt(seed, tmp_path / f"{seed}") for seed in SEEDS)
    assert ended["wrong in silence"] == 0
    # what is whole and fits its list is understood, not refused
    assert ended["understood"] >= 5
