"""The SAM template's roles, made by CloudFormation: moto's, which knows no SAM."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

from tests.s3_server import Aws

TEMPLATE = Path(__file__).resolve().parents[1] / "deploy" / "template.yaml"
PLAIN = ("AWS::IAM::Role", "AWS::Logs::LogGroup")


def resources() -> dict[str, Any]:
    """The template, short forms written out."""
    from cfnlint.decode import decode

    template, problems = decode(str(TEMPLATE))
    assert not problems
    return dict(template)


def policy(aws: Aws, role: str, stack: str, **parameters: str) -> dict[str, Any]:
    """Policy document of a role ("AcsRole" or "PreRole") in a stack with these parameters."""
    template = resources()
    kept = {k: v for k, v in template["Resources"].items() if v["Type"] in PLAIN}
    parts = {key: template[key] for key in ("Parameters", "Conditions")} | {"Resources": kept}
    given = {"ImageUri": "image", **parameters}
    cloudformation = aws.client("cloudformation")
    cloudformation.create_stack(
        StackName=stack,
        TemplateBody=json.dumps(parts),
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in given.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    found = cloudformation.describe_stack_resource(StackName=stack, LogicalResourceId=role)
    name = found["StackResourceDetail"]["PhysicalResourceId"]
    iam = aws.client("iam")
    [only] = iam.list_role_policies(RoleName=name)["PolicyNames"]
    document = iam.get_role_policy(RoleName=name, PolicyName=only)["PolicyDocument"]
    # moto keeps it as Python prints it
    made = dict(ast.literal_eval(document) if isinstance(document, str) else document)
    # and keeps the places of what a condition left out
    return made | {"Statement": [one for one in made["Statement"] if one]}
