"""The command `consolidate simulate`."""

from __future__ import annotations

import argparse

from consolidation.cli.printing import say
from consolidation.errors import OptionError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("--out", required=True, metavar="DIR", help="folder to write")
    for name, value, text in (
        ("images", 12, "number of images"),
        ("workers", 5, "number of workers"),
        ("classes", 4, "number of classes besides background"),
        ("height", 192, "rows of an image"),
        ("width", 256, "columns of an image"),
        ("seed", 0, "another seed, another job"),
    ):
        meaning = f"{text} ({value})"
        parser.add_argument(f"--{name}", type=int, default=value, metavar="N", help=meaning)
    parser.add_argument(
        "--kinds",
        metavar="LIST",
        help="kinds of workers, in turn: careful,sloppy,misses,confuses,blobs,noise,blank",
    )
    parser.add_argument(
        "--missing", type=float, default=0.1, metavar="X", help="share of answers that never came"
    )


def call(arguments: argparse.Namespace) -> int:
    """Do what was asked for; return the exit status."""
    from consolidation.simulation import simulate_job

    try:
        job = simulate_job(
            arguments.out,
            images=arguments.images,
            workers=arguments.workers,
            classes=arguments.classes,
            size=(arguments.height, arguments.width),
            seed=arguments.seed,
            kinds=arguments.kinds.split(",") if arguments.kinds else None,
            missing=arguments.missing,
        )
    except ValueError as error:
        raise OptionError(str(error)) from None
    say(f"wrote {len(job.object_ids)} images by {len(job.worker_ids)} workers to {job.folder}")
    say(f"next: consolidate run {job.folder} --out results")
    say(f"then: consolidate evaluate results {job.truth}")
    return 0
