"""What docs/painting.md tells people to type."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import numpy as np
import pytest

from consolidation.cli import main
from consolidation.cli.parser import parse
from consolidation.commands.paint import read_labels
from consolidation.labeling.masks import mask_file
from consolidation.labeling.paint_folder import PaintFolder
from consolidation.labeling.template import KNOWN
from consolidation.masks import Classes
from tests.painting_server import scene

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "painting.md").read_text("utf-8")
COMMANDS = re.findall(r"^consolidate .*$", PAGE, re.MULTILINE)


def test_the_commands_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    scene(tmp_path / "photos" / "a.png")
    first, ann, bob, run = COMMANDS
    serve_once(first.split()[1:])
    for command in (ann, bob):
        given = parse(command.split()[1:])
        PaintFolder(given.pictures, read_labels(given.labels), given.out, given.worker)
    classes = Classes.of_labels(["road", "car", "tree"])
    assert json.loads((tmp_path / "painted" / "classes.json").read_bytes())["classes"][3] == {
        "index": 3,
        "name": "tree",
        "color": "#ff7f0e",
    }
    mask = np.zeros((120, 160), np.uint8)
    mask[20:50, 30:90] = 2
    (tmp_path / "painted" / "a").mkdir()
    for worker in ("ann", "bob"):
        (tmp_path / "painted" / "a" / f"worker_{worker}.png").write_bytes(mask_file(mask, classes))
    assert main([*run.split()[1:], "--quiet"]) == 0
    assert (tmp_path / "consensus" / "masks" / "a.png").is_file()


def serve_once(arguments: list[str]) -> None:
    """Start the command, open the page once, and end it as a person does."""
    command = [sys.executable, "-m", "consolidation", *arguments, "--no-browser", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split()[-1]
        process.stdout.readline()
        with urllib.request.urlopen(address) as answer:
            assert b"<iframe" in answer.read()
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


def test_the_elements_are_those_there_are() -> None:
    listed = PAGE.partition("Of Ground Truth's elements")[2].partition("of Liquid")[0]
    assert set(re.findall(r"`(crowd-[a-z-]+)`", listed)) == KNOWN


def test_options_are_those_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["paint", "--help"])
    described = capsys.readouterr().out
    for option in re.findall(r"`(--[a-z]+)", PAGE):
        assert option in described, option
