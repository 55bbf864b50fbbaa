"""What fuzzing begins with, and all it ever found, without the fuzzer."""

from __future__ import annotations

import random

import pytest

from tests.fuzz.seeds import FOUND, SEEDS
from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_and_findings_do_no_harm(name: str) -> None:
    for data in (*SEEDS[name], *FOUND[name]):
        TARGETS[name](data)


@pytest.mark.parametrize("name", TARGETS)
def test_damaged_seeds_do_no_harm(name: str) -> None:
    rng = random.Random(0)
    for _ in range(200):
        data = bytearray(rng.choice(SEEDS[name]))
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(data))
            data[at : at + rng.randint(0, 2)] = rng.randbytes(rng.randint(0, 2))
        TARGETS[name](bytes(data))
