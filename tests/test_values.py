"""Values that are no class indices: understood, or refused with the cause, at every door."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.value_cases import DOORS, Case, cases, outcome

CASES = cases()


def test_cases_have_names_of_their_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 60


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_door_says_the_same(case: Case, door: str, tmp_path: Path) -> None:
    found = outcome(case, door, tmp_path)
    kind, _, expected = case.expected.partition(": ")
    if door in ("evaluate", "calibrate"):
        if case.truth == "*":
            return
        expected = case.truth or expected
        kind = kind if kind == "understood" else "refused"
    assert found.startswith(kind), found
    if kind != "understood":
        assert expected in found
