"""What the image is made of: the steps of the Dockerfile, which also run without Docker.

::

    python build.py dependencies TARGET    # packages of requirements.lock
    python build.py code TARGET            # the package and the handler, with compiled kernels
    python build.py code TARGET --few      # for a trial: only the kernels that most jobs use

TARGET is the folder from which Lambda imports, at the path that it has in the image: numba files
compiled code under the path of its source.
"""

from __future__ import annotations

import argparse
import compileall
import os
import py_compile
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parent
CODE = "consolidation", "lambda_handler.py"
KERNELS = "kernel_cache"
UNCHECKED = py_compile.PycInvalidationMode.UNCHECKED_HASH
"""Bytecode holds whatever time its source gets in a layer; nobody edits a source in an image."""


def dependencies(target: Path) -> None:
    """Install what requirements.lock lists, and nothing else."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--no-deps"]
    command += ["--require-hashes", "--only-binary=:all:", "--disable-pip-version-check"]
    command += ["--requirement", str(HERE / "requirements.lock"), "--target", str(target)]
    subprocess.run(command, check=True)
    compile_bytecode(target)


def code(target: Path, few: bool = False) -> None:
    """Copy the code, compile it to bytecode and its kernels to machine code."""
    for name in CODE:
        if (SOURCE / name).is_dir():
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(SOURCE / name, target / name, ignore=ignore)
            compile_bytecode(target / name)
        else:
            shutil.copy(SOURCE / name, target / name)
            compileall.compile_file(target / name, quiet=1, invalidation_mode=UNCHECKED)
    compile_kernels(target, few)


def compile_bytecode(folder: Path) -> None:
    """Compile every module below a folder."""
    compileall.compile_dir(folder, quiet=1, workers=0, invalidation_mode=UNCHECKED)


def compile_kernels(target: Path, few: bool) -> None:
    """Fill one cache a level of processors, and fail if a new process would not find all in it."""
    sys.path.insert(0, str(target))
    from consolidation.aws.kernel_cache import GENERIC, environment, levels

    with tempfile.TemporaryDirectory() as scratch:
        signatures = Path(scratch, "signatures")

        def warm(way: str, level: str) -> int:
            command = [sys.executable, str(HERE / "warm_kernels.py"), way, str(signatures)]
            variables = environment(level, target / KERNELS / level)
            done = subprocess.run(
                command,
                env={**os.environ, **variables, "PYTHONPATH": str(target)},
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            return int(done.stdout)

        # every processor runs this level, so it shows which kernels are used
        ways = {GENERIC: "find-few" if few else "find"}
        ways |= {level: "compile" for level in levels() if level != GENERIC and not few}
        for level, way in ways.items():
            print(f"{level}: {warm(way, level)} functions compiled")
            missing = warm("compile", level)
            if missing:
                sys.exit(f"{missing} functions for {level} are not found in the cache again")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("step", choices=("dependencies", "code"))
    parser.add_argument("target", type=Path)
    parser.add_argument("--few", action="store_true")
    given = parser.parse_args()
    folder = given.target.resolve()
    if given.step == "code":
        code(folder, given.few)
    else:
        dependencies(folder)
