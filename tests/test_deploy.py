"""The image without Docker: its steps run as the Dockerfile runs them, on what is installed."""

from __future__ import annotations

import ast
import fnmatch
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

from consolidation.aws import kernel_cache
from consolidation.aws.kernel_cache import runs, use_baked_cache
from tests import template, wire
from tests.lambda_job import Job, ids
from tests.mounts import read_only
from tests.runtime_api import Function
from tests.s3_server import Aws

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"
SKYLAKE_SERVER = kernel_cache._X86_LEVELS["x86-64-v4"]


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the script lays out, with few kernels."""
    folder = tmp_path_factory.mktemp("task")
    build = [sys.executable, str(DEPLOY / "build.py"), "code", str(folder), "--few"]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def test_kernels_of_the_image_are_found_where_nothing_can_be_written(
    task: Path, aws: Aws, tmp_path: Path
) -> None:
    pytest.importorskip("awslambdaric", reason="awslambdaric is not installed")
    environment = {
        **aws.environment(),
        "PYTHONPATH": str(task),
        "TMPDIR": str(tmp_path),
        "NUMBA_DEBUG_CACHE": "1",
    }
    log = tmp_path / "log"
    try:
        python = [*read_only(task), sys.executable]
    except OSError as error:
        pytest.skip(str(error))
    job = Job.create(aws, "baked")
    answers = [(worker, wire.content([[0, 1, 2]] * 3)) for worker in "abc"]
    with Function("lambda_handler.handler", environment, log, task, python) as function:
        answer = function.invoke(job.event([wire.entry("1", *answers)]))
    assert answer.ok, answer.body
    assert ids(answer.body) == ["1"]
    text = log.read_text()
    assert text.count("[cache] data loaded") >= 5
    assert "saved" not in text


def test_bytecode_is_there_for_every_module_and_never_checked(task: Path) -> None:
    modules = sorted(task.rglob("*.py"))
    assert {path.name for path in task.iterdir() if path.name != "__pycache__"} == {
        "consolidation",
        "lambda_handler.py",
        "kernel_cache",
    }
    for module in modules:
        compiled = Path(importlib.util.cache_from_source(str(module)))
        # PEP 552: hash-based, not checked against the source
        assert compiled.read_bytes()[4:8] == (1).to_bytes(4, "little"), module


@pytest.fixture
def wheels(tmp_path: Path) -> dict[str, str]:
    """Two packages in a folder that pip finds without a network; the hash of each.

    `one` needs `other`, as packages of the lock need one another.
    """
    hashes = {}
    for name, needs in (("one", "Requires-Dist: other\n"), ("other", "")):
        wheel = tmp_path / "wheels" / f"{name}-1.0-py3-none-any.whl"
        wheel.parent.mkdir(exist_ok=True)
        about = f"{name}-1.0.dist-info"
        with zipfile.ZipFile(wheel, "w") as files:
            files.writestr(f"{name}.py", f"NAME = {name!r}\n")
            files.writestr(
                f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{needs}"
            )
            tag = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            files.writestr(f"{about}/WHEEL", tag)
            files.writestr(f"{about}/RECORD", "")
        hashes[name] = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return hashes


def install(folder: Path, lock: str) -> subprocess.CompletedProcess[str]:
    """Run the step `dependencies` into ``task``, laid out as the Dockerfile copies it."""
    if importlib.util.find_spec("pip") is None:
        pytest.skip("pip is not installed")
    build = folder / "build" / "deploy" / "build.py"
    build.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(DEPLOY / "build.py", build)
    build.with_name("requirements.lock").write_text(lock)
    offline = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PIP_")},
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(folder / "wheels"),
    }
    command = [sys.executable, str(build), "dependencies", str(folder / "task")]
    return subprocess.run(command, env=offline, capture_output=True, text=True, check=False)


def test_dependencies_are_those_of_the_lock_and_compiled(
    wheels: dict[str, str], tmp_path: Path
) -> None:
    done = install(tmp_path, f"one==1.0 \\\n    --hash=sha256:{wheels['one']}\n")
    assert done.returncode == 0, done.stderr
    # what a package asks for is not installed unless the lock has it
    [module] = (tmp_path / "task").glob("*.py")
    assert module.name == "one.py"
    compiled = Path(importlib.util.cache_from_source(str(module)))
    assert compiled.read_bytes()[4:8] == (1).to_bytes(4, "little")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("other==1.0", "hash"),
        ("other==1.0 --hash=sha256:" + "0" * 64, "DO NOT MATCH"),
        ("absent==1.0 --hash=sha256:" + "0" * 64, "No matching distribution"),
    ],
)
@pytest.mark.usefixtures("wheels")
def test_a_dependency_that_is_not_as_locked_ends_the_build(
    line: str, message: str, tmp_path: Path
) -> None:
    done = install(tmp_path, line + "\n")
    assert done.returncode != 0
    assert message in done.stderr
    assert not (tmp_path / "task" / "other.py").exists()


@pytest.fixture
def unconfigured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A process that has not imported numba, and its environment back afterwards."""
    for name in kernel_cache.environment("", Path()):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.delitem(sys.modules, "numba", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def baked(folder: Path, *levels: str) -> Path:
    for level in levels:
        (folder / level / "kernels").mkdir(parents=True)
        (folder / level / "kernels" / "vote.nbi").write_text(level)
    return folder


@pytest.mark.parametrize(
    ("features", "levels", "chosen"),
    [
        (SKYLAKE_SERVER, ("generic", "x86-64-v3", "x86-64-v4"), "x86-64-v4"),
        (SKYLAKE_SERVER - {"avx512bw"}, ("generic", "x86-64-v3", "x86-64-v4"), "x86-64-v3"),
        (SKYLAKE_SERVER - {"avx2"}, ("generic", "x86-64-v3", "x86-64-v4"), "generic"),
        (SKYLAKE_SERVER, ("generic",), "generic"),
        ({"neon", "fp-armv8"}, ("generic",), "generic"),
    ],
)
@pytest.mark.usefixtures("unconfigured")
def test_the_best_level_that_the_processor_runs(
    features: frozenset[str],
    levels: tuple[str, ...],
    chosen: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(kernel_cache, "_host_features", lambda: features)
    monkeypatch.setattr(kernel_cache, "levels", lambda: ("x86-64-v4", "x86-64-v3", "generic"))
    folder = baked(tmp_path / "baked", *levels)
    assert use_baked_cache(folder) == chosen
    assert os.environ["NUMBA_CPU_NAME"] == chosen
    assert os.environ["NUMBA_CPU_FEATURES"] == ""
    [link] = Path(os.environ["NUMBA_CACHE_DIR"]).rglob("*.nbi")
    assert link.read_text() == chosen
    # a kernel compiled later takes the link's place
    link.with_suffix(".new").write_text("later")
    link.with_suffix(".new").replace(link)
    assert (folder / chosen / "kernels" / "vote.nbi").read_text() == chosen


@pytest.mark.usefixtures("unconfigured")
def test_nothing_is_changed_without_a_baked_cache_or_where_one_is_configured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert use_baked_cache(tmp_path / "none") is None
    assert "NUMBA_CPU_NAME" not in os.environ
    monkeypatch.setenv("NUMBA_CACHE_DIR", "mine")
    assert use_baked_cache(baked(tmp_path / "baked", "generic")) is None
    assert os.environ["NUMBA_CACHE_DIR"] == "mine"


def test_too_late_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setitem(sys.modules, "numba", sys)
    with pytest.raises(RuntimeError, match="before numba is imported"):
        use_baked_cache(baked(tmp_path, "generic"))


def test_llvm_knows_the_levels_and_their_features() -> None:
    from llvmlite import binding

    known = set(binding.get_host_cpu_features())
    if "avx2" in known:
        assert known >= SKYLAKE_SERVER
    assert runs("generic", known)


def test_the_dockerfile_calls_the_script_with_what_is_there() -> None:
    lines = [
        line
        for line in (DEPLOY / "Dockerfile").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert lines[0] == "FROM public.ecr.aws/lambda/python:3.13"
    copied = [name for line in lines if line.startswith("COPY") for name in line.split()[1:-1]]
    assert all((ROOT / name).exists() for name in copied)
    assert [line for line in lines if line.startswith("RUN")] == [
        f'RUN python3 /build/deploy/build.py {step} "${{LAMBDA_TASK_ROOT}}"'
        for step in ("dependencies", "code")
    ]


def test_the_lock_is_what_the_package_asks_for_and_names_no_host() -> None:
    lock = (DEPLOY / "requirements.lock").read_text()
    assert "://" not in lock and "index" not in lock
    blocks = re.split(r"\n(?=\w)", lock)[1:]
    assert all("--hash=sha256:" in block for block in blocks)
    wanted = (DEPLOY / "requirements.in").read_text().splitlines()
    wanted = [line for line in wanted if not line.startswith("#")]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    assert set(wanted) <= {*project["dependencies"], *extras["aws"], *extras["fast"]}
    assert {line.split(">")[0] for line in wanted} <= {block.split("==")[0] for block in blocks}


def test_the_template_lints() -> None:
    pytest.importorskip("cfnlint", reason="cfn-lint is not installed")
    from cfnlint.api import lint_file

    assert lint_file(template.TEMPLATE) == []


def test_the_template_s_functions_are_those_of_the_handler() -> None:
    pytest.importorskip("cfnlint", reason="cfn-lint is not installed")
    made = template.resources()
    assert made["Parameters"]["Architecture"]["AllowedValues"] == ["x86_64", "arm64"]
    tree = ast.parse((ROOT / "lambda_handler.py").read_text())
    handlers = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    for kind, handler in (("Pre", "pre_handler"), ("Acs", "handler")):
        function = made["Resources"][f"{kind}Function"]["Properties"]
        assert function["FunctionName"]["Fn::Sub"].startswith(f"SageMaker-{kind.upper()}-")
        assert function["ImageConfig"]["Command"] == [f"lambda_handler.{handler}"]
        assert handler in handlers
        assert function["LoggingConfig"]["LogFormat"] == "JSON"


ACTIONS = {
    "Log": ["logs:CreateLogStream", "logs:PutLogEvents"],
    "FindLabels": "sagemaker:DescribeLabelingJob",
    "Read": "s3:GetObject",
    "Write": "s3:PutObject",
    "ListStatistics": "s3:ListBucket",
    "Encrypt": ["kms:Decrypt", "kms:GenerateDataKey"],
    "Decrypt": "kms:Decrypt",
    "AssumeJobRole": "sts:AssumeRole",
}


@pytest.mark.parametrize("role", ["AcsRole", "PreRole"])
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"KmsKeyArn": "arn:aws:kms:us-east-1:123456789012:key/1"},
        {"JobRoleArn": "arn:aws:iam::123456789012:role/job"},
    ],
)
def test_rights_end_at_the_prefix(role: str, parameters: dict[str, str], aws: Aws) -> None:
    pytest.importorskip("cfnlint", reason="cfn-lint is not installed")
    name = f"{role}-{'-'.join(parameters)}".strip("-")
    document = template.policy(aws, role, name, Bucket="bucket", Prefix="a/b", **parameters)
    allowed: dict[str, Any] = {one["Sid"]: one for one in document["Statement"]}
    for sid, one in allowed.items():
        assert (one["Effect"], one["Action"]) == ("Allow", ACTIONS[sid])
    for sid in allowed.keys() & {"Read", "Write"}:
        resources = allowed[sid]["Resource"]
        resources = [resources] if isinstance(resources, str) else resources
        assert all(one.startswith("arn:aws:s3:::bucket/a/b/") for one in resources)
        # what workers answered, and the payloads, are read only
        assert sid == "Read" or not any("consolidation-request" in one for one in resources)
        assert sid == "Read" or not any(
            one.endswith("consolidated-annotation/*") for one in resources
        )
    if "ListStatistics" in allowed:
        # moto does not weigh conditions of S3
        asked = allowed["ListStatistics"]["Condition"]["StringLike"]["s3:prefix"]
        base = "a/b/Job/annotations/consolidated-annotation"
        assert fnmatch.fnmatchcase(f"{base}/reliability/", asked)
        assert not fnmatch.fnmatchcase(f"{base}/output/", asked)
        assert not fnmatch.fnmatchcase(f"{base}/", asked)
    assert ("AssumeJobRole" in allowed) == ("JobRoleArn" in parameters and role == "AcsRole")
    assert ("Write" in allowed) == ("JobRoleArn" not in parameters and role == "AcsRole")
    encrypting = {"Encrypt", "Decrypt"} & allowed.keys()
    assert bool(encrypting) == ("KmsKeyArn" in parameters)
    assert all(allowed[sid]["Resource"] == parameters["KmsKeyArn"] for sid in encrypting)
