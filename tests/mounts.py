"""A folder that nobody can write to, root included, as an image's files are in Lambda."""

from __future__ import annotations

import subprocess
from pathlib import Path


def read_only(folder: Path) -> list[str]:
    """What to put before a command that shall see the folder read-only.

    Raises
    ------
    OSError
        Where that cannot be had.
    """
    mount = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", mount, str(folder)]
    probe = f'! touch "{folder}/probe"'
    done = subprocess.run([*command, "sh", "-c", probe], capture_output=True, check=False)
    if done.returncode:
        raise OSError("no read-only mounts here")
    return command
