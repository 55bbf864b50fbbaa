"""Progress on stderr: a bar for people, lines of JSON for machines, or nothing."""

from __future__ import annotations

import json

import pytest

from consolidation.cli import progress as module
from consolidation.cli.progress import progress
from consolidation.jobs import Progress


def steps(mode: str) -> None:
    with progress(mode) as show:
        for done in range(5):
            show(Progress(done=done, total=4, warnings=1, failures=done // 2, resumed=0))


def test_lines_of_json_once_in_a_while_and_at_the_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    times = iter([0.0, 0.1, 0.2, 1.1, 1.1, 1.1, 1.5, 1.9, 2.0])
    monkeypatch.setattr(module.time, "monotonic", lambda: next(times))
    steps("json")
    said = capsys.readouterr()
    assert said.out == ""
    lines = [json.loads(line) for line in said.err.splitlines()]
    assert [(one["done"], one["total"], one["failures"]) for one in lines] == [(2, 4, 1), (4, 4, 2)]
    assert list(lines[0]) == ["done", "total", "warnings", "failures", "resumed", "seconds"]
    assert [one["seconds"] for one in lines] == [1.1, 2.0]


def test_the_last_line_comes_when_the_run_is_stopped_too(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(KeyboardInterrupt), progress("json") as show:
        show(Progress(done=3, total=9))
        raise KeyboardInterrupt
    assert json.loads(capsys.readouterr().err)["done"] == 3


def test_nothing_is_said_when_nothing_was_done(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("json"):
        pass
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("mode", ["off", "auto"])
def test_nothing_is_said_off_a_terminal(mode: str, capsys: pytest.CaptureFixture[str]) -> None:
    steps(mode)
    assert capsys.readouterr() == ("", "")


def test_the_bar_tells_rate_warnings_and_failures(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "120")
    steps("bar")
    said = capsys.readouterr()
    assert said.out == ""
    assert "4/4" in said.err
    assert "1 warnings, 2 failures" in said.err
    assert "a second" in said.err
