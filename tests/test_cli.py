"""The command line as a person meets it: help, exit codes, one line where something is wrong."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import consolidation
from consolidation.cli import main
from consolidation.consensus.settings import MIN_SIGMA
from consolidation.consensus.smoothing import MAX_SIGMA
from consolidation.errors import OptionError
from consolidation.masks import decode_indices
from consolidation.options import Options
from tests import wire
from tests.wire import entry, write_index_mask, write_json

PLAIN = ["--method", "plurality", "--smoothing", "0"]
COMMANDS = ["demo", "run", "inspect", "simulate", "calibrate", "evaluate"]
GOOD = entry("0", ("a", wire.content([0, 1])), ("b", wire.content([0, 2])))


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder, without settings from outside."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("CONSOLIDATION_"):
            monkeypatch.delenv(name)


def call(*arguments: str) -> int:
    """Exit status, whether it comes as a value or as SystemExit."""
    try:
        return main(arguments)
    except SystemExit as stop:
        assert isinstance(stop.code, int)
        return stop.code


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    """Return what was said on stderr: one line, and nothing on stdout."""
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert said.err.endswith("\n")
    assert said.err.startswith("consolidate")
    assert "Traceback" not in said.err
    return said.err


# -- help


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(command, "--help") == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"usage: consolidate {command}")
    assert said.err == ""


def test_the_program_lists_its_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--help") == 0
    text = capsys.readouterr().out
    for command in COMMANDS:
        assert re.search(rf"^    {command}\s+\w", text, re.MULTILINE), f"{command} is not explained"


def test_every_option_is_in_the_help_with_its_default(capsys: pytest.CaptureFixture[str]) -> None:
    call("run", "--help")
    text = " ".join(capsys.readouterr().out.split())
    for name, (default, option) in Options.table().items():
        flag = ("--no-" if default is True else "--") + name.replace("_", "-")
        assert flag in text
        assert option.help in text
        if default not in ("", False, True):
            assert f"{option.help} ({default})" in text


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--version") == 0
    assert capsys.readouterr().out == f"consolidation {consolidation.__version__}\n"


# -- exit codes


def test_zero_when_all_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    source = write_json(Path("r.json"), [GOOD])
    assert call("run", str(source), "--out", "out", *PLAIN) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out.splitlines()[0] == "1 images consolidated into out"
    rows = dict(re.findall(r"^  (\w[\w ]+?)  +(.+)$", said.out, re.MULTILINE))
    assert rows.pop("images a second")
    assert rows == {
        "workers": "2",
        "classes": "3 with background",
        "disputed pixels": "50.00%",
        "mean confidence": "0.500",
        "warnings": "0",
        "failures": "0",
    }


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    source = write_json(Path("r.json"), [GOOD])
    assert call("run", str(source), "--out", "out", "--quiet") == 0
    assert capsys.readouterr() == ("", "")


def test_one_when_some_failed(capsys: pytest.CaptureFixture[str]) -> None:
    source = write_json(Path("r.json"), [GOOD, entry("1")])
    assert call("run", str(source), "--out", "out", *PLAIN) == 1
    said = capsys.readouterr()
    assert said.err == ""
    assert re.search(r"failures +1  \(see failures\.jsonl\)", said.out)
    assert Path("out/masks/0.png").is_file()


def test_one_when_all_failed(capsys: pytest.CaptureFixture[str]) -> None:
    bad = entry("0", ("a", wire.picture_content(b"GIF")))
    assert call("run", str(write_json(Path("r.json"), [bad])), "--out", "out") == 1
    assert "mean confidence  none" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments, says",
    [
        ([], "COMMAND"),
        (["walk"], "invalid choice: 'walk'"),
        (["run"], "SOURCE"),
        (["run", "r.json"], "--out"),
        (["run", "r.json", "--out", "out", "--speed", "9"], "--speed"),
        (["run", "missing.json", "--out", "out"], "missing.json does not exist"),
        (["run", "x" * 300, "--out", "out"], "too long"),
        (["run", "empty.json", "--out", "out"], "empty.json is empty"),
        (["run", "broken.json", "--out", "out"], "broken.json is not JSON"),
        (["run", "other.json", "--out", "out"], "other.json is not a consolidation request"),
        (["run", "text.txt", "--out", "out"], "text.txt is none of"),
        (["run", "nothing", "--out", "out"], "no masks such as"),
        (["run", "nothing", "--out", "out", "--masks", "x"], "--masks must have"),
        (["run", "r.json", "--out", "text.txt"], "text.txt"),
        (["run", "r.json", "--out", "out", "--labels", "none.json"], "none.json does not exist"),
        (["run", "r.json", "--out", "out", "--labels", "broken.json"], "broken.json is not JSON"),
        (["run", "r.json", "--out", "out", "--labels", "nothing"], "nothing is no regular file"),
        (["run", "r.json", "--out", "out", "--ties", "random"], "--ties must be one of lowest, "),
        (["run", "r.json", "--out", "out", "--method", "magic"], "--method must be one of "),
        (["run", "r.json", "--out", "out", "--smoothing", "-1"], "--smoothing must be 0, or 0.1"),
        (["run", "r.json", "--out", "out", "--smoothing", "nan"], "--smoothing must be 0, or 0.1"),
        (["run", "r.json", "--out", "out", "--smoothing", "0.05"], "0.1 to 8, not 0.05"),
        (["run", "r.json", "--out", "out", "--smoothing", "lots"], "--smoothing must be a number"),
        (["run", "r.json", "--out", "out", "--min-votes", "1.5"], "--min-votes must be a whole"),
        (["run", "r.json", "--out", "out", "--min-votes", "0"], "--min-votes must be 1 to 255"),
        (["run", "r.json", "--out", "out", "--max-pixels", "0"], "--max-pixels must be 1 to inf"),
        (["inspect", "missing.json"], "missing.json does not exist"),
        (["inspect", "broken.json"], "broken.json is not JSON"),
        (["simulate"], "--out"),
        (["simulate", "--out", "job", "--images", "0"], "images must be at least 1"),
        (["simulate", "--out", "job", "--images", "many"], "many"),
        (["simulate", "--out", "job", "--kinds", "lazy"], "lazy"),
        (["simulate", "--out", "job", "--missing", "2"], "missing must be in"),
        (["simulate", "--out", "text.txt", "--images", "1"], "text.txt"),
        (["simulate", "--out", "s3://b/job"], "written to a local folder, not to s3://b/job"),
        (["demo", "--out", "s3://b/d"], "written to a local folder, not to s3://b/d/job"),
        (["calibrate", "r.json", "nothing", "--out", "c", "--calibration", "x"], "--calibration"),
        (["calibrate", "r.json", "nothing", "--out", "c", "--jobs", "2"], "--jobs"),
        (["demo", "--ties", "random"], "--ties must be one of"),
        (["demo", "--out", "text.txt"], "text.txt"),
        (["evaluate", "one"], "TRUTH"),
        (["evaluate", "nowhere", "nothing"], "nowhere is not a folder"),
        (["evaluate", "nothing", "nothing"], "nothing holds no masks"),
    ],
    ids=lambda value: "-" if isinstance(value, str) else None,
)
def test_two_and_one_line_when_the_user_is_mistaken(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_json(Path("r.json"), [GOOD])
    write_json(Path("empty.json"), [])
    write_json(Path("other.json"), {"labels": ["a"]})
    Path("broken.json").write_text("[{")
    Path("text.txt").write_text("hello")
    Path("nothing").mkdir()
    assert call(*arguments) == 2
    assert says in one_line(capsys)
    assert not Path("out").exists()


@pytest.mark.parametrize(
    "name", ["source-ref", "source", "a-metadata", "", "ä", "-a", "a" * 128, "a\n"]
)
def test_the_label_cannot_overwrite_other_keys(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_json(Path("r.json"), [GOOD])
    assert call("run", "r.json", "--out", "out", f"--label-attribute={name}") == 2
    assert "--label-attribute cannot be" in one_line(capsys)


@pytest.mark.parametrize("name", ["a", "source-ref-2", "S10-label3-ref", "metadata", "a--b"])
def test_proper_label_names_are_used(name: str) -> None:
    write_json(Path("r.json"), [GOOD])
    assert call("run", "r.json", "--out", "out", f"--label-attribute={name}", "--quiet") == 0
    assert list(json.loads(Path("out/output.manifest").read_text()))[1] == name


@pytest.mark.parametrize("command", ["run", "inspect", "simulate", "evaluate", "demo"])
def test_130_when_interrupted(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    function, arguments = {
        "run": ("commands.run.run_job", ["x", "--out", "y"]),
        "inspect": ("commands.inspect.inspect_source", ["x"]),
        "demo": ("commands.demo.run_demo", []),
        "simulate": ("simulation.simulate_job", ["--out", "x"]),
        "evaluate": ("commands.evaluate.evaluate_folders", ["x", "y"]),
    }[command]

    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    module, _, name = function.rpartition(".")
    monkeypatch.setattr(importlib.import_module(f"consolidation.{module}"), name, interrupt)
    assert call(command, *arguments) == 130
    more = "; the same command goes on from here" if command == "run" else ""
    assert one_line(capsys) == f"consolidate: interrupted{more}\n"


def test_an_error_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    # a ValueError out of the engine is a bug: its traceback is wanted
    def fail(*_: Any, **__: Any) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr("consolidation.commands.run.run_job", fail)
    with pytest.raises(ValueError, match="a bug"):
        main(["run", "x", "--out", "y"])


# -- options


def test_options_reach_the_vote() -> None:
    write_json(Path("r.json"), [entry("0", ("a", wire.content([1])), ("b", wire.content([2])))])
    for ties, label in (("lowest", 1), ("undecided", 255)):
        assert call("run", "r.json", "--out", ties, "--ties", ties, "--quiet", *PLAIN) == 0
        assert decode_indices(Path(ties, "masks/0.png").read_bytes()).tolist() == [[label]]
    assert call("run", "r.json", "--out", "out", "--min-votes", "2", "--quiet", *PLAIN) == 0
    assert decode_indices(Path("out/masks/0.png").read_bytes()).tolist() == [[255]]


def test_the_environment_gives_options_and_the_command_line_overrules_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_json(Path("r.json"), [entry("0", ("a", wire.content([1])), ("b", wire.content([2])))])
    monkeypatch.setenv("CONSOLIDATION_TIES", "undecided")
    monkeypatch.setenv("CONSOLIDATION_JOB_NAME", "from-outside")
    monkeypatch.setenv("CONSOLIDATION_LABEL_ATTRIBUTE", "mine-ref")
    assert call("run", "r.json", "--out", "out", "--quiet", *PLAIN) == 0
    assert decode_indices(Path("out/masks/0.png").read_bytes()).tolist() == [[255]]
    line = json.loads(Path("out/output.manifest").read_text())
    assert line["mine-ref-metadata"]["job-name"] == "labeling-job/from-outside"
    lowest = ["--ties", "lowest", "--restart"]
    assert call("run", "r.json", "--out", "out", *lowest, "--quiet", *PLAIN) == 0
    assert decode_indices(Path("out/masks/0.png").read_bytes()).tolist() == [[1]]


def test_a_bad_variable_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CONSOLIDATION_MIN_VOTES", "")
    assert call("run", "r.json", "--out", "out") == 2
    assert "CONSOLIDATION_MIN_VOTES must be a whole number, not ''" in one_line(capsys)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("CONSOLIDATION_MINVOTES", ": is CONSOLIDATION_MIN_VOTES meant?"),
        ("CONSOLIDATION_TIE", ": is CONSOLIDATION_TIES meant?"),
        ("CONSOLIDATION_FAILED_OBJECT", ": is CONSOLIDATION_FAILED_OBJECTS meant?"),
        ("CONSOLIDATION_ZZ", ""),
    ],
)
@pytest.mark.parametrize("command", [["run", "r.json", "--out", "out"], ["inspect", "r.json"]])
def test_a_misspelt_variable_is_refused(
    name: str,
    meant: str,
    command: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_json(Path("r.json"), [GOOD])
    monkeypatch.setenv(name, "2")
    assert call(*command) == 2
    assert one_line(capsys) == f"consolidate: {name} is no option of the command line{meant}\n"
    assert not Path("out").exists()


def test_variables_of_the_lambda_and_empty_ones_are_no_slips_of_the_pen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_json(Path("r.json"), [GOOD])
    monkeypatch.setenv("CONSOLIDATION_LABELS", "cat,dog")
    monkeypatch.setenv("CONSOLIDATION_TRUSTED_PREFIXES", "s3://bucket/")
    monkeypatch.setenv("CONSOLIDATION_TEST_DATA", "/data")
    monkeypatch.setenv("CONSOLIDATION_ZZ", "")
    assert call("run", "r.json", "--out", "out", "--quiet", *PLAIN) == 0


def test_smoothing_is_what_the_vote_takes() -> None:
    smoothing = Options.table()["smoothing"][1]
    assert (smoothing.least, smoothing.high) == (MIN_SIGMA, MAX_SIGMA)
    for sigma in ("0", "0.1", "8"):
        assert Options.read({"smoothing": sigma}, {}).smoothing == float(sigma)
    with pytest.raises(OptionError, match=r"CONSOLIDATION_SMOOTHING must be 0, or 0\.1 to 8, not"):
        Options.read({}, {"CONSOLIDATION_SMOOTHING": "0.09"})


def test_options_are_read_in_their_order() -> None:
    environment = {"CONSOLIDATION_MIN_VOTES": "3", "CONSOLIDATION_SMOOTHING": "1.5"}
    options = Options.read({"min_votes": "2", "ties": None, "unknown": 7}, environment)
    assert (options.min_votes, options.smoothing, options.ties) == (2, 1.5, "neighbours")
    assert Options.read({"smoothing": 2, "max_pixels": 10}, {}).max_pixels == 10
    for given, environment in (
        ({"snap_colors": 443}, {}),
        ({}, {"CONSOLIDATION_SNAP_COLORS": "-1"}),
    ):
        with pytest.raises(OptionError, match="must be 0 to 442"):
            Options.read(given, environment)


def test_larger_images_may_be_allowed_for_a_folder_of_masks() -> None:
    write_index_mask(Path("job/a/worker_1.png"), np.ones((3, 3)))
    arguments = ["run", "job", "--out", "out", "--quiet", "--max-pixels"]
    assert call(*arguments, "8") == 2, "no mask can be read, so there is no class"
    assert call(*arguments, "9") == 0


def test_a_folder_of_masks_by_a_pattern_of_ones_own() -> None:
    write_index_mask(Path("job/x-1.png"), [1, 1])
    write_index_mask(Path("job/x-2.png"), [1, 2])
    write_index_mask(Path("job/y-1.png"), [2, 2])
    arguments = ["job", "--masks", "{image}-{worker}.png", "--missing-is-blank"]
    assert call("run", *arguments, "--out", "out", "--ties", "lowest", "--quiet", *PLAIN) == 0
    masks = {path.name: decode_indices(path.read_bytes()) for path in Path("out/masks").iterdir()}
    assert {name: mask.tolist() for name, mask in masks.items()} == {
        "x.png": [[1, 1]],
        "y.png": [[0, 0]],
    }


# -- commands


def test_inspect_prints_what_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    write_json(Path("r.json"), [GOOD, entry("1", ("a", "nothing"))])
    assert call("inspect", "r.json") == 0
    said = capsys.readouterr()
    assert "2 objects, 3 answers" in said.out
    assert "object 1, worker a: the answer is not JSON" in said.out
    assert sorted(path.name for path in Path().iterdir()) == ["r.json"]


def test_simulate_run_evaluate(capsys: pytest.CaptureFixture[str]) -> None:
    small = ["--images", "3", "--workers", "3", "--height", "40", "--width", "60", "--seed", "5"]
    assert call("simulate", "--out", "job", *small, "--kinds", "careful") == 0
    said = capsys.readouterr().out
    # the commands it recommends are the ones that work
    run, evaluate = re.findall(r"consolidate (.+)", said)
    assert call(*run.split()) == 0
    capsys.readouterr()
    assert call(*evaluate.split()) == 0
    assert "3 images scored against the truth" in capsys.readouterr().out
    assert call(*evaluate.split(), "--json") == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["mean_iou"] > 0.7
    assert scores["classes"][1]["name"] == "road"


@pytest.mark.slow
def test_demo_end_to_end(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("demo", "--out", "demo") == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert "simulated job in demo/job" in said.out
    assert "12 images consolidated into demo/results" in said.out
    [iou] = re.findall(r"mean IoU +(\d\.\d+)", said.out)
    assert float(iou) > 0.8
    assert len(list(Path("demo/results/masks").iterdir())) == 12
    first = Path("demo/results/images.csv").read_bytes()
    # again over the same folder: the same result
    assert call("demo", "--out", "demo", "--quiet") == 0
    assert Path("demo/results/images.csv").read_bytes() == first
    assert capsys.readouterr() == ("", "")


# -- as a program


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    root = str(Path(consolidation.__file__).parents[1])
    return subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": root},
    )


@pytest.mark.slow
@pytest.mark.parametrize("module", ["consolidation", "consolidation.cli"])
def test_importing_is_cheap(module: str) -> None:
    heavy = ("numba", "llvmlite", "scipy", "boto3", "botocore", "PIL", "rich", "numpy")
    done = python("-c", f"import sys, {module}; print([m for m in {heavy} if m in sys.modules])")
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


@pytest.mark.slow
def test_python_m_consolidation() -> None:
    done = python("-m", "consolidation", "--version")
    expected = f"consolidation {consolidation.__version__}\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, expected, "")


@pytest.mark.slow
def test_a_mistake_leaves_no_traceback_in_a_real_process() -> None:
    done = python("-m", "consolidation", "run", "missing.json", "--out", "out")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "consolidate: missing.json does not exist\n"
