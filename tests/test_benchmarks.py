"""Benchmarks are run by hand: here, only that what they hold on to is still there."""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from consolidation.simulation import simulate_job

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "benchmarks").glob("*.py"))


def programs(file: Path) -> list[str]:
    """Texts of a benchmark that are programs for another process."""
    texts = [
        node.value
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    found = [text for text in texts if "\nimport " in text or "\nfrom consolidation" in text]
    # some are filled in before they are run
    return [re.sub(r"(?<!{){\w+}(?!})", "__name__", text) for text in found]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_programs_for_other_processes_name_only_what_there_is(file: Path) -> None:
    for text in programs(file):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("consolidation"):
                module = importlib.import_module(node.module or "")
                for alias in node.names:
                    assert hasattr(module, alias.name), f"{file.name}: {node.module}.{alias.name}"
        done = subprocess.run(
            [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F821", "-"],
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{file.name}: {done.stdout}"


def test_some_benchmark_has_such_a_program() -> None:
    assert {file.stem for file in FILES if programs(file)} >= {"lambda_cold_start"}


@pytest.mark.slow
def test_a_timed_run_tells_what_its_parts_took(tmp_path: Path) -> None:
    job = simulate_job(tmp_path / "job", images=2, size=(20, 30))
    out = tmp_path / "out"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks.timed_run", "run", str(job.folder)),
            *("--out", str(out), "--quiet", "--jobs", "1"),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert 0 < told["own"] < told["image"]
    assert told["first"] > 0
