"""Ids, labels and worker ids of strangers: through a whole run, into files and terminals."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consolidation.cli import main
from consolidation.commands.run import run_job
from consolidation.names import file_name, file_names, object_id
from consolidation.text import printable
from tests import wire
from tests.wire import BLUE, GREEN, json_lines, plain

OPTIONS = plain(jobs=1, threads=1, confidence_maps=True)
HOSTILE = [
    "..",
    "../../../etc/passwd",
    "/etc/passwd",
    "C:\\Windows\\system32",
    "a\0b",
    "a\nb",
    "a\r\nb",
    "\x1b[2J\x1b[31m",
    "con",
    "NUL.png",
    "com1",
    "aux .txt",
    "x" * 10_000,
    "x" * 10_000 + "y",
    "é",
    "e\u0301",
    "cat",
    "c\u0430t",
    "Cat",
    "cat ",
    "cat.",
    "%63at",
    "<script>alert(1)</script>",
    '=HYPERLINK("http://example.com")',
    "+1",
    "-1",
    "@x",
    "\tx",
    "\u202egnp.exe",
    "~",
    "a~0123456789abcdef",
    "\ud800",
    "\U0001f600",
    "-rf",
    ".hidden",
    "a" * 117 + "%",
]


def inside(folder: Path) -> list[str]:
    """Every file below a folder; nothing beside it."""
    return sorted(
        one.relative_to(folder).as_posix() for one in folder.rglob("*") if not one.is_dir()
    )


def test_hostile_ids_labels_and_workers_through_a_whole_run(tmp_path: Path) -> None:
    answers = [
        (worker, wire.content([[0, 1, 2]], {"<script>": GREEN, "=1+1": BLUE}))
        for worker in HOSTILE[:12]
    ]
    request = wire.write_json(
        tmp_path / "in" / "r.json", [wire.entry(one, *answers) for one in HOSTILE]
    )
    summary = run_job(request, tmp_path / "out", OPTIONS)
    assert (summary.images, summary.failures) == (len(HOSTILE), 0)
    assert {one.name for one in tmp_path.iterdir()} == {"in", "out"}
    masks = [one for one in inside(tmp_path / "out") if one.startswith("masks/")]
    assert len(masks) == len({one.casefold() for one in masks}) == len(HOSTILE)
    for name in masks:
        stem = Path(name).name
        assert stem.isascii() and len(stem) < 200 and stem[0] not in ".-" and "\\" not in stem
    lines = json_lines(tmp_path / "out" / "output.manifest")
    assert sorted(line["consolidated-ref"] for line in lines) == masks
    for table in ("images.csv", "workers.csv"):
        with (tmp_path / "out" / table).open(encoding="utf-8", newline="") as file:
            for row in csv.reader(file):
                for cell in row:
                    assert cell[:1] not in ("=", "@", "\t", "\r")
                    assert (
                        cell[:1] not in ("+", "-") or cell.lstrip("+-").replace(".", "").isdigit()
                    )


NAMES = st.lists(st.text(max_size=30) | st.sampled_from(HOSTILE), unique=True, max_size=12)


@given(NAMES)
@settings(max_examples=300, deadline=None)
def test_names_of_any_ids_are_safe_and_differ(ids: list[str]) -> None:
    names = file_names(ids)
    assert len({one.casefold() for one in names.values()}) == len(ids)
    for name in names.values():
        assert not set(name) & set('<>:"/\\|?*') and name.isascii() and name.isprintable()
        assert name not in ("", ".", "..") or name == ""
        assert len(name) <= 140 and name[-1:] not in (" ", ".")
        assert file_name(object_id(name)) in (name, name.rpartition("~")[0]) or len(name) > 60
        assert name.partition(".")[0].strip().upper() not in ("CON", "PRN", "AUX", "NUL", "COM1")


@given(st.text(max_size=200))
@settings(max_examples=300)
def test_a_terminal_obeys_nothing_in_a_text(text: str) -> None:
    for encoding in ("utf-8", "ascii", "cp1252"):
        shown = printable(text, encoding)
        assert all(one in "\n\t" or ord(one) >= 32 for one in shown)
        assert not any("\x7f" <= one <= "\x9f" for one in shown)
        shown.encode(encoding)


def test_the_command_prints_no_commands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    evil = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e"
    entries: list[Any] = [
        wire.entry(evil, (evil, wire.content([1], {evil: GREEN})), ("b", wire.content([2]))),
        wire.entry("1" + evil, (evil, {evil: 1})),
    ]
    wire.write_json(tmp_path / "r.json", entries)
    (tmp_path / f"{evil}.json").write_text(json.dumps({evil: 1}))
    assert main(["inspect", "r.json"]) == 0
    assert main(["run", "r.json", "--out", "out" + evil, "--quiet"]) == 1
    assert main(["run", "r.json", "--out", "out" + evil]) == 1
    assert main(["inspect", f"{evil}.json"]) == 2
    assert main(["run", "no\nwhere" + evil, "--out", "x"]) == 2
    broken = "7\n  problems           0"
    wire.write_json(
        tmp_path / "n.json", [wire.entry(broken, (broken, {}), ("b", wire.content([1])))]
    )
    said = capsys.readouterr()
    assert main(["inspect", "n.json"]) == 0
    assert "\n  problems           0" not in capsys.readouterr().out
    assert "\\x1b]0;owned" in said.out and "\\x1b]0;owned" in said.err
    for text in (said.out, said.err):
        assert not set(text) & set("\x1b\x07\x9b\u202e")
    assert all(line.startswith("consolidate: ") for line in said.err.splitlines())
