"""The command line: parses, calls one command, prints. One file a command."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from consolidation.cli.parser import WRONG_USAGE, parse
from consolidation.cli.printing import complain
from consolidation.errors import ConsolidationError

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parsed = parse(sys.argv[1:] if arguments is None else arguments)
    try:
        _check_environment()
        status: int = parsed.call(parsed)
    except (ConsolidationError, OSError) as error:
        complain(f"consolidate: {error}")
        return WRONG_USAGE
    except KeyboardInterrupt:
        more = "; the same command goes on from here" if parsed.name == "run" else ""
        sys.stderr.write(f"consolidate: interrupted{more}\n")
        return INTERRUPTED
    return status


def _check_environment() -> None:
    """Refuse variables that are neither options nor the Lambda's: nobody would notice them."""
    from consolidation.options import Options, given_variables, refuse_unknown, variable

    others = set(given_variables(os.environ)) - set(map(variable, Options.table()))
    if others:
        from consolidation.aws.settings import variables

        # whoever deploys the functions from this machine may have theirs set
        known = {*map(variable, Options.table()), *variables()}
        refuse_unknown(sorted(others), sorted(known), "the command line")


__all__ = ["main"]
