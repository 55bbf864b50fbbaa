"""The command line: parses, calls one function, prints."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from consolidation.cli.arguments import WRONG_USAGE, command_parser
from consolidation.cli.commands import COMMANDS
from consolidation.cli.printing import complain
from consolidation.errors import ConsolidationError

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    given = command_parser(COMMANDS).parse_args(arguments)
    try:
        status: int = given.command(given)
    except (ConsolidationError, OSError) as error:
        complain(f"consolidate: {error}")
        return WRONG_USAGE
    except KeyboardInterrupt:
        more = "; the same command goes on from here" if given.name == "run" else ""
        sys.stderr.write(f"consolidate: interrupted{more}\n")
        return INTERRUPTED
    return status


__all__ = ["main"]
