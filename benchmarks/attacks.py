"""How far `auto` can be fooled: attackers among simulated and among real careful workers.

Run it with ``python -m benchmarks.attacks`` (``--seeds`` 10 by default; ``--data`` is the folder of
multi-annotator masks). Each seed is another choice of people, images and chance. Differences are
in mIoU, means over a seed's images; plurality has no smoothing and gives ties to the lowest class.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy_methods import AUTO, PLURALITY, learn_reliability, methods
from benchmarks.accuracy_sets import SETS, Job, load
from benchmarks.attack_jobs import (
    ATTACKS,
    COPIES,
    JUNK,
    Attacked,
    attacked,
    cropped,
    simulated_jobs,
    two_images_each,
)
from benchmarks.harness import report
from consolidation.evaluation.scores import mean_iou

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
TEAMS = ((3, 2), (5, 2))
"""Careful workers and attackers."""
TWO_IMAGES = "two images a worker, "


class Outcome(NamedTuple):
    """One seed."""

    auto: float
    """`auto` minus plurality of all."""
    careful: float
    """`auto` minus plurality of the careful alone."""
    plurality: float
    named: bool
    """Whether attackers, and nobody else but whom they copy, are named."""
    accused: int
    """Careful workers called junk, or not independent of another careful one."""
    reason: str


def run(job: Attacked) -> Outcome:
    """Learn from one job and decide its images."""
    learnt = learn_reliability(job.mixed)
    k = job.mixed.n_classes
    scores: list[list[float]] = []
    for image, alone, judges in zip(job.mixed.images, job.careful.images, job.judges, strict=True):
        every = [
            methods()[AUTO](image, k, learnt),
            methods()[PLURALITY](image, k, learnt),
            methods()[PLURALITY](alone, k, learnt),
        ]
        scores.append([_score(labels, judges) for labels in every])
    auto, plurality, careful = np.mean(scores, axis=0).tolist()
    estimate = learnt.choice.estimate
    honest = {name for image in job.careful.images for name in image.workers}
    grouped = {name for group in estimate.groups for name in group.workers}
    accused = len(honest & estimate.junk) + sum(
        max(len(honest & set(group.workers)) - 1, 0) for group in estimate.groups
    )
    named = job.attackers <= (grouped | estimate.junk) and not accused
    return Outcome(
        auto - plurality, auto - careful, plurality, named, accused, learnt.choice.reason
    )


def _score(labels: NDArray[Any], judges: tuple[NDArray[Any], ...]) -> float:
    return float(np.mean([mean_iou(labels, judge) for judge in judges]))


def jobs(data: Path, seed: int, names: list[str]) -> Iterator[Job]:
    """Simulated jobs, and the real ones that are there."""
    for job in simulated_jobs(seed):
        if not names or any(name in job.name for name in names):
            yield job
    for name in SETS:
        if names and not any(part in name for part in names):
            continue
        real = load(data / "masks" / name)
        if real is not None:
            yield cropped(real)


def row(name: str, team: str, attack: str, outcomes: list[Outcome]) -> list[Any]:
    """One line of the table: all seeds."""
    auto = np.array([outcome.auto for outcome in outcomes])
    careful = np.array([outcome.careful for outcome in outcomes])
    error = float(auto.std(ddof=1) / math.sqrt(len(auto))) if len(auto) > 1 else math.nan
    mean = float(auto.mean())
    kept = (mean >= -0.002 or mean + 2 * error >= 0) and auto.min() >= -0.01
    if attack in JUNK:
        # junk may help plurality by chance: blank masks, where a crowd draws too large
        kept = careful.mean() >= -0.003
    return [
        name,
        team,
        attack,
        round(float(np.mean([outcome.plurality for outcome in outcomes])), 4),
        round(mean, 4),
        round(error, 4),
        round(float(auto.min()), 4),
        round(float(careful.mean()), 4),
        sum(outcome.named for outcome in outcomes) if attack in COPIES or attack in JUNK else None,
        sum(outcome.accused for outcome in outcomes),
        "yes" if kept else "**no**",
        " ".join(f"{value:+.3f}" for value in auto),
    ]


COLUMNS = [
    *("job", "careful + attackers", "attack", "plurality", "auto minus it", "s.e.", "worst seed"),
    *("auto minus careful alone", "seeds that name them", "careful accused", "kept"),
    "every seed",
]


Found = dict[tuple[str, str, str], list[Outcome]]


def attack_job(job: Job, attacks: list[str], seed: int, found: Found) -> None:
    """Let every attack loose on one job."""
    for careful, attackers in TEAMS:
        if careful + attackers > len(job.workers):
            continue
        team = f"{careful} + {attackers}"
        for attack in attacks:
            case = attacked(job, careful, attackers, attack, seed)
            if len(case.mixed.images) < 8:
                continue
            found.setdefault((job.name, team, attack), []).append(run(case))
            if attack in ("twins", "boxes") and careful == TEAMS[0][0]:
                key = (job.name, team, TWO_IMAGES + attack)
                found.setdefault(key, []).append(run(two_images_each(case)))


def tables(found: Found, seeds: int) -> dict[str, tuple[list[str], list[list[Any]]]]:
    """What was found, for a report."""
    rows = [row(*key, outcomes) for key, outcomes in found.items()]
    kept = sum(cells[-2] == "yes" for cells in rows)
    summary = [
        ["attacks withstood", f"{kept} of {len(rows)}"],
        ["careful workers called junk or copies", sum(cells[-3] for cells in rows)],
        ["seeds", seeds],
    ]
    return {"Summary": (["figure", "measured"], summary), "Attacks": (COLUMNS, rows)}


def main() -> None:
    """Measure, print, write results/attacks.md and .json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder that has masks/")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--jobs", nargs="*", default=[], help="parts of names of jobs; all")
    parser.add_argument("--attacks", nargs="*", default=list(ATTACKS))
    given = parser.parse_args()
    found: Found = {}
    for seed in range(given.seeds):
        for job in jobs(given.data, seed, given.jobs):
            attack_job(job, given.attacks, seed, found)
            sys.stderr.write(f"seed {seed}: {job.name}\n")
    report("attacks", tables(found, given.seeds))


if __name__ == "__main__":
    main()
