"""The parser of the command line: which commands there are; each has a file of its own here."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Sequence
from typing import NoReturn

from consolidation._version import __version__
from consolidation.cli.printing import complain

WRONG_USAGE = 2
"""Exit status."""

COMMANDS = {
    "demo": "simulate a small job, consolidate it, show the accuracy",
    "inspect": "say what is in a source; write nothing",
    "run": "consolidate a labeling job",
    "show": "draw one image of a run: picture, masks, consensus, confidence",
    "export": "write a finished run as trainers or painting tools read it",
    "evaluate": "compare masks with the truth",
    "calibrate": "learn from gold images what confidence is worth",
    "paint": "paint masks of pictures in the browser",
    "segment": "masks of objects from four points, or from boxes",
    "simulate": "write a labeling job whose truth is known",
}
"""What each command is for; `consolidation.cli.<name>` has its arguments, and does it."""

_EPILOG = """\
start here:
  consolidate demo                            see it work on a simulated job
  consolidate inspect SOURCE                  what is in there
  consolidate run SOURCE --out results        one mask, one confidence an image
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        complain(f"{self.prog}: {message} (see {self.prog} --help)")
        raise SystemExit(WRONG_USAGE)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse a command line: `name` is the command, `call` does it and returns the exit status.

    Only the file of the command that is asked for is loaded.
    """
    parser = _Parser(
        prog="consolidate",
        description="Merge several workers' segmentation masks into one, with confidence.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"consolidation {__version__}")
    group = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    asked = next((word for word in arguments if word in COMMANDS), None)
    for name, text in COMMANDS.items():
        command = group.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        if name == asked:
            module = importlib.import_module(f"consolidation.cli.{name}")
            module.add_arguments(command)
            command.set_defaults(call=module.call, name=name)
    return parser.parse_args(arguments)
