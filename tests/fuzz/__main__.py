"""Fuzz one target, or all: ``python -m tests.fuzz [TARGET ...] [--seconds N]``.

Each runs in a process of its own, begins with the seeds, and keeps what it learns below --corpus.
"""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from consolidation import kernels


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", help="names of targets.py (all)")
    parser.add_argument("--seconds", type=int, default=60, help="for each target (60)")
    parser.add_argument("--corpus", type=Path, help="folder to keep inputs in (forgotten)")
    parser.add_argument("--summary", type=Path, help="write executions and findings as JSON")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        _fuzz(given.targets[0], given.corpus, given.seconds)
    from tests.fuzz.seeds import SEEDS

    with tempfile.TemporaryDirectory() as folder:
        corpus = given.corpus or Path(folder)
        names = given.targets or list(SEEDS)
        results = {name: _run(name, corpus / name, given.seconds) for name in names}
    if given.summary:
        given.summary.write_text(json.dumps(results, indent=1) + "\n")
    return int(any(one["findings"] for one in results.values()))


def _run(name: str, corpus: Path, seconds: int) -> dict[str, int | str]:
    """Fuzz in another process; how often it ran, and what it found."""
    corpus.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tests.fuzz", name, "--one", "--seconds", str(seconds)]
    command += ["--corpus", str(corpus)]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, errors="replace", check=False)
    runs = re.findall(r"stat::number_of_executed_units: *(\d+)|^#(\d+)", done.stderr, re.MULTILINE)
    executions = max((int(one or other) for one, other in runs), default=0)
    coverage = re.findall(r"cov: (\d+)", done.stderr)
    if done.returncode:
        sys.stderr.write(done.stderr[-5000:])
    sys.stdout.write(f"{name}: {executions:,} executions, exit status {done.returncode}\n")
    return {
        "executions": executions,
        "seconds": seconds,
        "coverage": int(coverage[-1]) if coverage else 0,
        "findings": int(done.returncode != 0),
    }


def _fuzz(name: str, corpus: Path, seconds: int) -> None:
    try:
        import atheris
    except ImportError:
        sys.exit("atheris is not installed: pip install 'consolidation[fuzz]'")
    # before the rest: numba compiles bytecode, and knows nothing of what the fuzzer puts into it
    for module in pkgutil.iter_modules(kernels.__path__, f"{kernels.__name__}."):
        importlib.import_module(module.name)
    with atheris.instrument_imports(include=["consolidation"]):
        from tests.fuzz.targets import TARGETS
    from tests.fuzz.seeds import FOUND, SEEDS

    for number, seed in enumerate([*SEEDS[name], *FOUND[name]]):
        (corpus / f"seed-{number}").write_bytes(seed)
    flags = [f"-max_total_time={seconds}", "-print_final_stats=1", "-timeout=20"]
    flags += ["-rss_limit_mb=3000", "-max_len=4096", f"-artifact_prefix={corpus}/found-"]
    atheris.Setup([sys.argv[0], *flags, str(corpus)], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
