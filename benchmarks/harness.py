"""Time several ways of doing one thing in one run: interleaved, medians of CPU time."""

from __future__ import annotations

import json
import math
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
BUDGET = 1.5
"""Seconds of CPU that one case of one way may take, after its first call."""


SHORTEST = 4.0
"""Milliseconds that one measurement should take."""


def measure(
    ways: Mapping[str, Callable[[], Any]], rounds: int = 15, budget: float = BUDGET
) -> dict[str, float]:
    """Median CPU milliseconds of one call of each way; rounds go through all ways in turn.

    Short ways are called several times a round, until `SHORTEST`, so that each is measured with
    its own data in the caches it fits, not with its predecessor's. Long ones are measured in
    fewer rounds, at least one.
    """
    times: dict[str, list[float]] = {name: [] for name in ways}
    calls = {}
    for name, way in ways.items():
        way()
        calls[name] = max(1, math.ceil(SHORTEST / max(_cpu(way, 1), 1e-3)))
    for _ in range(rounds):
        for name, way in ways.items():
            if sum(times[name]) * calls[name] < budget * 1e3:
                times[name].append(_cpu(way, calls[name]))
    return {name: statistics.median(values) for name, values in times.items()}


def _cpu(way: Callable[[], Any], calls: int) -> float:
    start = time.process_time_ns()
    for _ in range(calls):
        way()
    return (time.process_time_ns() - start) / 1e6 / calls


def peak_memory(code: str) -> int:
    """Peak resident bytes of a fresh process that runs `code`, which prints nothing."""
    # not ru_maxrss, which a process inherits from the one that started it
    tail = """
for line in open("/proc/self/status"):
    if line.startswith("VmHWM"):
        print(int(line.split()[1]) * 1024)
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", code + tail],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    return int(done.stdout)


def machine() -> dict[str, str]:
    """What the numbers were measured on."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = [line for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = lines[0].split(":")[1].strip() if lines else model
    found = {"cpu": f"{model}, {os.cpu_count()} cores", "python": platform.python_version()}
    packages = ("numpy", "numba", "scipy", "pillow", "SimpleITK", "crowd-kit", "torch", "isal")
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "-"
    return found


def table(columns: list[str], rows: list[list[Any]]) -> str:
    """Markdown table; numbers to three digits."""
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(_text(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def _text(cell: Any) -> str:
    if isinstance(cell, float):
        return f"{cell:.3g}" if abs(cell) < 1000 else f"{cell:,.0f}"
    return "" if cell is None else str(cell)


def report(name: str, sections: dict[str, tuple[list[str], list[list[Any]]]]) -> None:
    """Print tables, and write them as Markdown and JSON into `results/`."""
    where = machine()
    text = f"# {name}\n\n" + ", ".join(f"{key} {value}" for key, value in where.items()) + "\n"
    for title, (columns, rows) in sections.items():
        text += f"\n## {title}\n\n{table(columns, rows)}\n"
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text(text)
    content = {
        "machine": where,
        "tables": {
            title: [dict(zip(columns, row, strict=True)) for row in rows]
            for title, (columns, rows) in sections.items()
        },
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n")
    sys.stdout.write(text)


def verdict(figure: str, value: float, target: float, at_most: bool) -> list[Any]:
    """Row of a table of targets."""
    reached = value <= target if at_most else value >= target
    sign = "<=" if at_most else ">="
    return [figure, value, f"{sign} {target:g}", "yes" if reached else "**no**"]
