"""What docs/deploy.md tells people to type."""

from __future__ import annotations

import re
import types
from pathlib import Path
from typing import Any

import pytest

from consolidation.aws.settings import LambdaOptions, read_options
from consolidation.errors import OptionError
from tests import template

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
    given = re.search(r"--parameter-overrides (.*)", PAGE)
    assert given is not None
    assert {pair.split("=")[0] for pair in given[1].split()} <= set(made["Parameters"])


def test_the_workers_template_is_that_of_the_built_in() -> None:
    [page] = re.findall(r"```html\n(.*?)```", PAGE, re.DOTALL)
    assert "{{ task.input.taskObject | grant_read_access }}" in page
    assert "{{ task.input.labels | to_json | escape }}" in page
