"""The roles and the log group that the ECS components make by default, or take as they are given."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from local.plugins.awsx.values import ComponentError, aws_arguments

EXECUTION_POLICY = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "ecs-tasks.amazonaws.com"},
            "Effect": "Allow",
            "Sid": "",
        }
    ],
}


def short_hash(text: str) -> str:
    """Return the eight digits that end the names of what the components derive from a text."""
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()[:8]


def task_role(
    name: str, choice: Mapping[str, Any] | None, policy_arns: Sequence[str], parent: pulumi.Resource
) -> tuple[Any, aws.iam.Role | None]:
    """Return a role's ARN, and the role itself when it's made here. Skipped, both are None."""
    choice = choice or {}
    if choice.get("roleArn") is not None and choice.get("args") is not None:
        raise ComponentError(f"{name}: give the role's args or its roleArn, not both")
    if choice.get("skip") is True:
        return None, None
    if choice.get("roleArn") is not None:
        return choice["roleArn"], None
    args = {"assumeRolePolicy": _TRUST, "policyArns": policy_arns, **(choice.get("args") or {})}
    if not isinstance(args["assumeRolePolicy"], str | pulumi.Output):
        args["assumeRolePolicy"] = json.dumps(args["assumeRolePolicy"], separators=(",", ":"))
    child = pulumi.ResourceOptions(parent=parent)
    role = aws.iam.Role(name, opts=child, **aws_arguments(aws.iam.RoleArgs, args))
    for policy_arn in args["policyArns"]:
        aws.iam.RolePolicyAttachment(
            f"{name}-{short_hash(policy_arn)}", role=role.name, policy_arn=policy_arn, opts=child
        )
    return role.arn, role


def log_group(
    name: str, choice: Mapping[str, Any] | None, parent: pulumi.Resource
) -> tuple[pulumi.Output[tuple[str, str]] | None, aws.cloudwatch.LogGroup | None]:
    """Return a log group's name and region, and the group when it's made here. Skipped, both are None."""
    choice = choice or {}
    existing = choice.get("existing")
    if choice.get("skip"):
        return None, None
    if existing is not None and choice.get("args") is not None:
        raise ComponentError(f"{name}: give the log group's args or an existing one, not both")
    if existing is not None and existing.get("arn") is not None:
        return pulumi.Output.from_input(existing["arn"]).apply(_of_arn), None
    if existing is not None and existing.get("name") is None:
        raise ComponentError(f"{name}: an existing log group needs its name or its arn")
    group = None
    if existing is None:
        args = aws_arguments(aws.cloudwatch.LogGroupArgs, choice.get("args") or {})
        group = aws.cloudwatch.LogGroup(name, opts=pulumi.ResourceOptions(parent=parent), **args)
    options = pulumi.InvokeOutputOptions(parent=group or parent)
    region: Any = existing.get("region") if existing is not None else None
    if region is None:
        region = aws.get_region_output(opts=options).apply(lambda found: found.region)
    # The real provider asks for the account too, and fails where that is refused.
    caller = aws.get_caller_identity_output(opts=pulumi.InvokeOutputOptions(parent=parent))
    known_name = existing["name"] if existing is not None else group.name if group is not None else None
    return pulumi.Output.all(known_name, region, caller).apply(lambda known: (known[0], known[1])), group


def _of_arn(arn: str) -> tuple[str, str]:
    parts = arn.split(":")
    if len(parts) not in (7, 8) or parts[0] != "arn" or parts[2] != "logs" or parts[5] != "log-group":
        raise ComponentError(
            f'"{arn}" is not the ARN of a log group; write arn:aws:logs:REGION:ACCOUNT:log-group:NAME'
        )
    return parts[6], parts[3]
