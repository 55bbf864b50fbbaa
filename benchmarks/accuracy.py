"""Accuracy on real workers' masks, against plurality and against other people's consensus.

Run it with ``python -m benchmarks.accuracy`` (``--quick`` scores a part of the images; ``--data``
is the folder of multi-annotator masks). A score is the mIoU: the mean over images of the mean IoU
over the classes present in either mask. A difference is paired, and its standard error (s.e.) is
over images. The baseline is plurality, ties to the lowest class, no smoothing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.accuracy_methods import AUTO, PLURALITY, SMOOTHING, methods
from benchmarks.accuracy_scores import Difference, Scores
from benchmarks.accuracy_sets import KINDS, SETS, Job, load
from benchmarks.accuracy_time import dawid_skene_times, job_times, smoothing_times
from benchmarks.accuracy_trials import (
    CAREFUL,
    JUNK,
    Trials,
    against_truth,
    held_out,
    junk_trial,
    simulated_trials,
)
from benchmarks.harness import report, verdict

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
CROWD = "bubil_crowd"
DIGITS = 5
ASKED = {"rts_thaw_slumps": 12}
"""Workers of each image that peers predict; 3 where there are many pixels."""
Rows = list[list[Any]]


class Report:
    """Tables as they grow."""

    def __init__(self) -> None:
        self.targets: Rows = []
        self.tables: dict[str, tuple[list[str], Rows]] = {}

    def add(self, title: str, columns: list[str], rows: Rows) -> None:
        """Add a table, or rows to one; tell that it is there."""
        self.tables.setdefault(title, (columns, []))[1].extend(rows)
        sys.stderr.write(f"{title}: {rows[0][0]}\n" if rows else f"{title}: nothing\n")

    def not_below(self, figure: str, found: Difference, least: float) -> None:
        """Add a target: a difference of at least `least`."""
        text = f"{figure} (s.e. {found.error:.4f})"
        self.targets.append(verdict(text, round(found.mean, DIGITS), round(least, DIGITS), False))


def against(scores: Scores, method: str, base: str) -> tuple[float, float]:
    """Difference and its standard error, rounded for a table."""
    found = scores.difference(method, base)
    # + 0.0: a rounded -0.0 is 0.0
    return round(found.mean, DIGITS) + 0.0, round(found.error, DIGITS)


def method_rows(name: str, scores: Scores) -> Rows:
    """Rows of the engine's methods: mIoU, difference to plurality, s.e., images, pairs."""
    rows: Rows = []
    for method in methods():
        found = scores.difference(method, PLURALITY)
        mean = round(scores.mean(method), DIGITS)
        difference = against(scores, method, PLURALITY)
        rows.append([name, method, mean, *difference, found.images, found.pairs])
    return rows


def peer_rows(name: str, scores: Scores) -> Rows:
    """Rows of peers: mIoU, difference to plurality, auto's lead, all on the pairs they did."""
    rows: Rows = []
    for peer in scores.values:
        if peer in methods():
            continue
        found = scores.difference(AUTO, peer)
        numbers = (*against(scores, peer, PLURALITY), *against(scores, AUTO, peer))
        mean = round(scores.mean(peer), DIGITS)
        rows.append([name, peer, mean, *numbers, found.images, found.pairs])
    return rows


METHOD_COLUMNS = ["job", "method", "mIoU", "minus plurality", "s.e.", "images", "pairs"]
PEER_COLUMNS = [
    *("job", "peer", "mIoU", "minus plurality", "s.e.", "auto minus peer", "its s.e."),
    *("images", "pairs"),
]


def choice_row(name: str, trials: Trials) -> list[Any]:
    """How often `auto` weighed votes, and whom it took for junk."""
    choices = trials.choices
    junk = sorted({worker for choice in choices for worker in choice.estimate.junk})
    asked = sum(choice.images for choice in choices) / len(choices)
    weighted = sum(choice.weighted for choice in choices)
    return [name, len(choices), weighted, round(asked, 1), ", ".join(junk)]


def add_trials(out: Report, name: str, group: str, trials: Trials) -> None:
    """Tables and targets that held-out workers and truth have in common."""
    scores = trials.scores
    out.add(group, METHOD_COLUMNS, method_rows(name, scores))
    out.add(f"{group}: peers, on the pairs they did", PEER_COLUMNS, peer_rows(name, scores))
    out.add(
        "What auto chose",
        ["job", "choices", "with weights", "images asked", "junk"],
        [choice_row(name, trials)],
    )
    found = scores.difference(AUTO, PLURALITY)
    out.not_below(f"auto - plurality, {name}", found, -max(0.001, found.error))
    leads = {p: scores.difference(AUTO, p) for p in scores.values if p not in methods()}
    if leads:
        peer = min(leads, key=lambda one: leads[one].margin)
        out.not_below(f"auto - nearest peer ({peer}), {name}", leads[peer], -leads[peer].error)


def sets(data: Path) -> Iterator[Job]:
    """The real jobs that are there."""
    for name in SETS:
        job = load(data / "masks" / name)
        if job is None:
            sys.stderr.write(f"{name} is not in {data}: left out\n")
        else:
            yield job


def stride(job: Job, quick: bool) -> int:
    """In a quick run a dozen images are scored."""
    return max(1, len(job.images) // 12) if quick else 1


def real_workers(out: Report, data: Path, quick: bool) -> None:
    """Held-out workers of every set; truth and junk where there is truth."""
    for job in sets(data):
        each = 1 if quick else ASKED.get(job.name, 3)
        trials = held_out(job, each, slow=not quick, step=stride(job, quick))
        add_trials(out, f"{job.name}, held out", "Held-out workers", trials)
        if job.name == "bioimage_cfos":
            found = trials.scores.difference(AUTO, PLURALITY)
            out.not_below("auto - plurality, bioimage_cfos", found, 0.010)
        if job.name == CROWD:
            truth(out, job, quick)
            junk(out, job, quick)


def truth(out: Report, job: Job, quick: bool) -> None:
    """Some workers of each image against its truth."""
    for votes in (3, 5, 7):
        seeds = 1 if quick or votes == 7 else 3
        trials = against_truth(job, votes, seeds, not quick, stride(job, quick))
        name = f"{job.name}, truth, W = {votes}"
        add_trials(out, name, "Truth", trials)
        found = trials.scores.difference(SMOOTHING, PLURALITY)
        out.not_below(f"smoothing - plurality, {name}", found, 0.001)


def junk(out: Report, job: Job, quick: bool) -> None:
    """Junk workers among real ones; `auto` against the real ones alone."""
    rows: Rows = []
    named = tried = 0
    for (careful, count), mixtures in JUNK.items():
        lowest = None
        for seed, kinds in enumerate(mixtures[:1] if quick else mixtures):
            trial = junk_trial(job, careful, kinds, seed)
            tried += 1
            named += trial.worst_first and trial.reported
            rows += [
                [
                    f"{careful} + {', '.join(kinds)}",
                    round(trial.scores.mean(CAREFUL), DIGITS),
                    *(against(trial.scores, method, CAREFUL)[0] for method in methods()),
                    against(trial.scores, AUTO, CAREFUL)[1],
                    trial.worst_careful,
                    trial.best_junk,
                    "yes" if trial.worst_first and trial.reported else "**no**",
                ]
            ]
            found = trial.scores.difference(AUTO, CAREFUL)
            lowest = found if lowest is None or found.mean < lowest.mean else lowest
        assert lowest is not None
        figure = f"auto - plurality of the careful, {careful} + {count} junk, worst mixture"
        out.not_below(figure, lowest, 0.0)
    figure = "mixtures where the junk, and nobody else, is reported and least reliable"
    out.targets.append(verdict(figure, named, tried, False))
    columns = ["workers", f"mIoU, {CAREFUL}", *(f"{name}, minus it" for name in methods())]
    columns += ["s.e. of auto", "lowest share, careful", "highest share, junk", "junk named"]
    out.add("Junk workers among those of bubil_crowd, truth", columns, rows)


def simulated_jobs(out: Report, quick: bool) -> None:
    """Jobs of several kinds against truth."""
    rows: Rows = []
    held = 0
    for kind in KINDS:
        trials = simulated_trials(kind, 16 if quick else 32, 1 if quick else 3)
        scores = trials.scores
        found = scores.difference(AUTO, PLURALITY)
        held += found.mean >= -max(0.001, found.error)
        differences = [against(scores, m, PLURALITY)[0] for m in methods() if m != PLURALITY]
        mean = round(scores.mean(PLURALITY), DIGITS)
        weighted = f"{sum(c.weighted for c in trials.choices)} of {len(trials.choices)}"
        rows.append([kind, mean, *differences, round(found.error, DIGITS), weighted])
    names = [f"{name}, minus it" for name in methods() if name != PLURALITY]
    columns = ["team", "mIoU, plurality", *names, "s.e. of auto", "auto with weights"]
    out.add("Simulated jobs, truth", columns, rows)
    figure = "simulated kinds where auto - plurality >= -max(0.001, s.e.)"
    out.targets.append(verdict(figure, held, len(KINDS), False))


def times(out: Report, quick: bool) -> None:
    """CPU time."""
    rows, targets = smoothing_times()
    columns = ["disputes in", "share disputed", "ours", "scipy", "plain vote"]
    columns += ["scipy / ours", "same at disputed"]
    out.add("Smoothing, 1024 x 1024, K = 8, W = 5 (ms of CPU)", columns, rows)
    out.targets += targets
    rows, targets = dawid_skene_times()
    columns = ["K", "peer", "ours, one step", "ours, ten steps", "peer's", "ratio, one step"]
    out.add("dawid-skene, 1024 x 1024, W = 5 (ms of CPU)", columns, rows)
    out.targets += targets
    rows, targets = job_times(200 if quick else 1000, rounds=1 if quick else 3)
    columns = ["method", "images", "images asked", "seconds of CPU", "times plurality"]
    out.add("A job of 128 x 160 images, decoded and written", columns, rows)
    out.targets += targets


def main() -> None:
    """Measure, print, write results/accuracy.md and .json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder that has masks/")
    parser.add_argument("--quick", action="store_true", help="a part of the images, fewer seeds")
    given = parser.parse_args()
    out = Report()
    real_workers(out, given.data, given.quick)
    simulated_jobs(out, given.quick)
    times(out, given.quick)
    part = "a part of the images, one seed (--quick)" if given.quick else "every image"
    out.add("Scored", ["what"], [[part]])
    targets = (["figure", "measured", "target", "reached"], out.targets)
    report("accuracy", {"Targets": targets, **out.tables})


if __name__ == "__main__":
    main()
