"""Fetch the Lambda Runtime Interface Emulator, which AWS ships inside the wheel of aws-sam-cli.

`python -m tests.get_rie` puts it beside this interpreter; its test is skipped where it is not.
"""

from __future__ import annotations

import platform
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

RIE = Path(sys.prefix) / "bin" / "aws-lambda-rie"
_MACHINES = {"x86_64": "x86_64", "aarch64": "arm64"}


def main() -> None:
    """Download the wheel, keep one file of it."""
    machine = _MACHINES.get(platform.machine())
    if sys.platform != "linux" or machine is None or RIE.exists():
        return
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        subprocess.run([*pip, "--only-binary=:all:", "-d", folder, "aws-sam-cli"], check=True)
        [wheel] = Path(folder).glob("aws_sam_cli-*.whl")
        with zipfile.ZipFile(wheel) as files:
            RIE.write_bytes(files.read(f"samcli/local/rapid/aws-lambda-rie-{machine}"))
    RIE.chmod(0o755)


if __name__ == "__main__":
    main()
