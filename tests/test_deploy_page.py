"""What docs/deploy.md tells people to type."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import types
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from consolidation.aws.deadline import Deadline, OutOfTimeError
from consolidation.aws.settings import LambdaOptions, read_options
from consolidation.errors import OptionError
from tests import template, wire
from tests.lambda_job import Context, Job
from tests.runtime_api import Function
from tests.s3_server import Aws

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "deploy.md").read_text()


class Recorder:
    """A client of SageMaker that keeps what it is asked."""

    def create_labeling_job(self, **request: Any) -> None:
        self.request = request


def test_the_request_is_python_and_fits_the_api() -> None:
    session = pytest.importorskip("botocore.session", reason="boto3 is not installed")
    from botocore.validate import ParamValidator

    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    client = Recorder()
    boto3 = types.SimpleNamespace(client=lambda *_, **__: client)
    exec(code.replace("import boto3\n", ""), {"boto3": boto3})
    shape = (
        session.get_session()
        .get_service_model("sagemaker")
        .operation_model("CreateLabelingJob")
        .input_shape
    )
    report = ParamValidator().validate(client.request, shape)
    assert not report.has_errors(), report.generate_report()
    check_patterns(client.request, shape)
    # our functions, the job's files where they may read them, and a label of an image
    task = client.request["HumanTaskConfig"]
    assert ":function:SageMaker-PRE-" in task["PreHumanTaskLambdaArn"]
    acs = task["AnnotationConsolidationConfig"]["AnnotationConsolidationLambdaArn"]
    assert ":function:SageMaker-ACS-" in acs
    output = client.request["OutputConfig"]["S3OutputPath"]
    assert client.request["LabelCategoryConfigS3Uri"].startswith(output)
    assert client.request["LabelAttributeName"].endswith("-ref")
    # the files that it names are those that are uploaded
    upload = re.search(r'for FILE in (.*); do\n  aws s3 cp "\$FILE" (s3://\S+)\n', PAGE)
    assert upload is not None
    assert {upload[2] + name for name in upload[1].split()} == {
        task["UiConfig"]["UiTemplateS3Uri"],
        client.request["LabelCategoryConfigS3Uri"],
        client.request["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"],
    }


def check_patterns(value: Any, shape: Any) -> None:
    """What botocore leaves to the service: patterns, and enumerations."""
    if shape.type_name == "structure":
        for name, one in value.items():
            check_patterns(one, shape.members[name])
    elif shape.type_name == "list":
        for one in value:
            check_patterns(one, shape.member)
    elif isinstance(value, str):
        assert not shape.enum or value in shape.enum
        pattern = shape.metadata.get("pattern", ".*")
        # classes of characters as Java writes them are of free texts
        assert r"\p{" in pattern or re.fullmatch(pattern, value), (value, pattern)


def is_option(variable: str) -> bool:
    try:
        read_options({variable: "x"})
    except OptionError as error:
        return "is no option" not in str(error)
    return True


def test_every_variable_is_listed_with_its_default() -> None:
    listed = dict(re.findall(r"^\| `(CONSOLIDATION_[A-Z_]+)` \|(.*?)\|", PAGE, re.MULTILINE))
    for name, (default, option) in LambdaOptions.table().items():
        variable = f"CONSOLIDATION_{name.upper()}"
        if is_option(variable):
            assert option.check(variable, listed.pop(variable).strip(" `")) == default
    assert not listed


def test_every_parameter_and_output_is_named() -> None:
    pytest.importorskip("cfnlint", reason="cfn-lint is not installed")
    made = template.resources()
    for name in made["Parameters"]:
        assert f"`{name}`" in PAGE
    # a function's name has at most 64 characters
    name = made["Resources"]["AcsFunction"]["Properties"]["FunctionName"]["Fn::Sub"]
    assert f"at most {64 - len(name.removesuffix('${AWS::StackName}'))}." in PAGE
    given = re.search(r"--parameter-overrides (.*)", PAGE)
    assert given is not None
    assert {pair.split("=")[0] for pair in given[1].split()} <= set(made["Parameters"])


def test_the_symptom_of_too_little_time_is_what_is_said() -> None:
    with pytest.raises(OutOfTimeError) as early:
        Deadline(Context(0.5)).check()
    with pytest.raises(OutOfTimeError) as late:
        Deadline(Context(0.5)).wait(Future(), "…")
    assert str(early.value).startswith("too little time: ") and "`too little time: …`" in PAGE
    assert f"`{late.value}`" in PAGE


def test_the_workers_template_is_that_of_the_built_in() -> None:
    [page] = re.findall(r"```html\n(.*?)```", PAGE, re.DOTALL)
    assert "{{ task.input.taskObject | grant_read_access }}" in page
    assert "{{ task.input.labels | to_json | escape }}" in page


def test_the_local_command_makes_the_function_s_masks(aws: Aws, tmp_path: Path) -> None:
    pytest.importorskip("awslambdaric", reason="awslambdaric is not installed")
    [command] = re.findall(r"^consolidate (run (?:.*\\\n)*.*)$", PAGE, re.MULTILINE)
    job = Job.create(aws, "city-streets")
    labels = {"labels": [{"label": "cat"}, {"label": "dog"}]}
    uri = job.put("labels.json", labels)
    rows = {"a": [0, 1, 1, 2], "b": [0, 1, 2, 2], "c": [0, 0, 1, 2]}
    answers = [(worker, wire.content([row] * 5)) for worker, row in rows.items()]
    event = job.event([wire.entry("0", *answers), wire.entry("1", *answers[:2])])
    with Function("lambda_handler.handler", aws.environment(), tmp_path / "log") as function:
        assert function.invoke(event).ok
    masks = job.written("output/")
    prefix = "s3://my-bucket/labeling/city-streets"
    for theirs, ours in (
        ("\\\n", ""),
        (f"{prefix}-input/labels.json", uri),
        (f"{prefix} ", f"s3://{job.bucket}/{job.prefix} "),
        ("--out results", f"--out {tmp_path / 'results'}"),
    ):
        assert theirs in command
        command = command.replace(theirs, ours)
    done = subprocess.run(
        [sys.executable, "-m", "consolidation", *command.split(), "--quiet"],
        env={**os.environ, **aws.environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    local = {path.stem: path.read_bytes() for path in (tmp_path / "results" / "masks").iterdir()}
    assert local == {name.partition("_")[0]: body for name, body in masks.items()}
    [first, _] = wire.json_lines(tmp_path / "results" / "output.manifest")
    assert first["city-streets-ref"] == "s3://my-bucket/labeling/city-streets-masks/masks/0.png"
    block = first["city-streets-ref-metadata"]
    assert block["type"] == "groundtruth/semantic-segmentation"
    assert block["job-name"] == "labeling-job/city-streets"
