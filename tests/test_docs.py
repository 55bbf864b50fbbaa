"""What README and docs tell people to type is typed here: every code block, in its order."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from consolidation.cli import main
from consolidation.cli.parser import parse
from consolidation.formats.groundtruth import parse_classes

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```([\w{}-]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
IN_DEPLOY = ["sh"] * 3 + ["html", "json", "json", "sh", "python", "sh"]
PAGES_ELSEWHERE = {
    "export.md": "test_export.py",
    "formats.md": "test_formats_page.py",
    "autosegment.md": "test_segment_command.py",
    "painting.md": "test_painting_docs.py",
}
"""Whose commands another test types."""
ELSEWHERE = {
    # a request whose arguments are checked against the service's model
    ("deploy.md", "python"): "test_deploy_page.py",
    ("deploy.md", "html"): "test_deploy_page.py",
}


def blocks(page: str, kind: str | None = None) -> list[str]:
    [path] = [one for one in PAGES if one.name == page]
    found = BLOCK.findall(path.read_text(encoding="utf-8"))
    return [text for language, text in found if kind in (None, language)]


def test_no_block_is_forgotten() -> None:
    kinds = {
        # what a directive of the documentation site holds, `make docs` runs
        path.name: [kind for kind, _ in BLOCK.findall(path.read_text()) if "{" not in kind]
        for path in PAGES
    }
    for page, test in PAGES_ELSEWHERE.items():
        assert kinds.pop(page)
        assert f'"{page}"' in (ROOT / "tests" / test).read_text()
    assert {name: found for name, found in kinds.items() if found} == {
        "README.md": ["", "", "python"],
        "deploy.md": IN_DEPLOY,
    }, "a new block: let a test below type it, too"
    for (page, kind), test in ELSEWHERE.items():
        assert blocks(page, kind)
        assert f"```{kind}" in (ROOT / "tests" / test).read_text()


def commands(block: str) -> list[str]:
    """Lines of a block without their remarks."""
    return [line.partition("  #")[0].strip() for line in block.splitlines()]


def python(code: str, folder: Path) -> str:
    """Output of code that a new process runs, warnings being errors."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_make_has_the_targets_and_the_demonstration_writes_its_report(tmp_path: Path) -> None:
    typed = commands(blocks("README.md")[0])
    assert typed == ["make demo", "make test"]
    recipe = []
    for line in typed:
        done = subprocess.run(
            [*shlex.split(line), "--dry-run", "--always-make", "--no-print-directory"],
            cwd=ROOT,
            # not as a part of the make that may have started the tests
            env={key: value for key, value in os.environ.items() if "MAKE" not in key},
            capture_output=True,
            text=True,
            check=True,
        )
        recipe.append(done.stdout.splitlines()[-1])
    [demo, tests] = recipe
    assert tests.endswith("python -m pytest")
    _, *arguments = shlex.split(demo)
    assert arguments == ["demo", "--out", "demo"]
    assert main([*arguments[:-1], str(tmp_path / "demo"), "--quiet", "--jobs", "1"]) == 0
    [told] = re.findall(r"Then open `(demo/\S+)`", PAGES[0].read_text())
    assert (tmp_path / told).stat().st_size > 10_000


def test_the_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    small = ["--images", "3", "--height", "48", "--width", "48"]
    assert main(["simulate", "--out", "source", *small]) == 0
    # what is told of it on the page below the commands
    stands_for = {"SOURCE": "source", "TRUTH": "source/truth", "IMAGE_ID": "0"}
    typed = commands(blocks("README.md")[1])
    names = [line.split()[1] for line in typed]
    assert names == ["inspect", "run", "show", "evaluate", "calibrate", "paint", "simulate"]
    for line in typed:
        program, *words = shlex.split(line)
        assert program == "consolidate"
        arguments = [stands_for.get(word, word) for word in words]
        if arguments[0] == "paint":
            # it serves a page until it is stopped: the page on painting does that
            assert parse(arguments).pictures == "PICTURES"
            continue
        if arguments[0] == "simulate":
            arguments += small
        assert main(arguments) == 0, (line, capsys.readouterr().err)
    assert Path("results/report.html").exists()
    assert Path("calibration.json").exists()
    # the remark of the command before the last one
    assert main(["run", "source", "--out", "again", "--calibration", "calibration.json"]) == 0


def test_the_library_and_its_picture_for_a_notebook(tmp_path: Path) -> None:
    [code] = blocks("README.md", "python")
    [shown] = re.findall(r"`(consolidation\.report\.show\(.*?\))`", PAGES[0].read_text())
    more = f"\ncard = {shown}\nprint(type(card).__name__, result.labels.shape)"
    assert python(code + more, tmp_path) == "Card (64, 64)\n"
    assert (tmp_path / "reliability.json").exists()


def test_masks_from_four_points(tmp_path: Path) -> None:
    [code] = blocks("autosegment.md", "python")
    python(code, tmp_path)


def test_a_room_is_loaded_when_it_is_named_and_not_before(tmp_path: Path) -> None:
    code = (
        "import sys, consolidation\n"
        "assert 'report' in dir(consolidation)\n"
        "assert not any(name.startswith('consolidation.report') for name in sys.modules)\n"
        "assert 'numpy' not in sys.modules\n"
        "print(consolidation.report.show.__name__)"
    )
    assert python(code, tmp_path) == "show\n"


# -- the way to a running job in AWS

FAKE = """#!/bin/sh
printf '%s\\0' "$(basename "$0") $*" >> "$TYPED"
case "$*" in
  *get-caller-identity*) echo 123456789012 ;;
  *rev-parse*) echo 0123456789ab ;;
esac
"""


def typed(scripts: Sequence[str], folder: Path) -> list[str]:
    """What a shell would call, were it not for programs that only write their arguments down."""
    programs = folder / "bin"
    programs.mkdir()
    for name in ("git", "pip", "python3", "aws", "docker", "consolidate"):
        (programs / name).write_text(FAKE)
        (programs / name).chmod(0o755)
    # what cloning and making an environment would leave
    (folder / "consolidation" / ".venv" / "bin").mkdir(parents=True)
    (folder / "consolidation" / ".venv" / "bin" / "activate").write_text("")
    for name in ("deploy", "docs"):
        (folder / "consolidation" / name).symlink_to(ROOT / name)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(scripts)],
        cwd=folder,
        env={"PATH": f"{programs}:/usr/bin:/bin", "TYPED": str(folder / "typed")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return (folder / "typed").read_text().split("\0")


def test_the_shell_takes_the_way_to_a_running_job(tmp_path: Path) -> None:
    calls = typed(blocks("deploy.md", "sh"), tmp_path)
    repository = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/consolidation"
    image = f"{repository}:0123456789ab-x86_64"
    [build] = [call for call in calls if call.startswith("docker buildx build")]
    assert (
        f"--platform linux/amd64 --provenance=false --file deploy/Dockerfile --tag {image}" in build
    )
    assert (ROOT / "deploy" / "Dockerfile").exists()
    [deploy] = [call for call in calls if call.startswith("aws cloudformation deploy")]
    assert f"ImageUri={image} Architecture=x86_64 Bucket=my-bucket Prefix=labeling" in deploy
    template = re.search(r"--template-file (\S+)", deploy)
    assert template is not None and (ROOT / template[1]).exists()
    copied = [call.split()[3] for call in calls if re.match(r"aws s3 cp \S+ s3:", call)]
    assert copied == ["template.liquid.html", "labels.json", "input.manifest"]
    [cors] = [call for call in calls if call.startswith("aws s3api put-bucket-cors")]
    assert json.loads(cors[cors.index("{") :])["CORSRules"][0]["AllowedMethods"] == ["GET"]
    assert f"docker login --username AWS --password-stdin {repository.partition('/')[0]}" in calls


def test_the_files_of_a_job() -> None:
    labels, line = blocks("deploy.md", "json")
    assert parse_classes(labels, "labels.json").names[1:] == ("street", "car", "person")
    assert json.loads(line)["source-ref"].startswith("s3://")
