"""Turns the names of secrets into ARNs.

Owns the short forms `secretsmanager:NAME` and `ssm:NAME`. Doesn't own what a reference may look like
(`validation`), nor who may read the secret (`roles`). A value is never read, only looked up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pulumi
import pulumi_aws as aws

from components.aws_environment import AwsEnvironment
from components.options import ContainerOptions
from components.task_options import TaskOptions


def with_secret_arns(
    options: TaskOptions, environment: AwsEnvironment, parent: pulumi.Resource
) -> TaskOptions:
    """`options` with every secret of every container named by its ARN."""

    def named(container: ContainerOptions) -> ContainerOptions:
        return replace(container, secrets=_arns(container.secrets, environment, parent))

    return replace(
        options,
        container=named(options.container),
        sidecars=[replace(each, container=named(each.container)) for each in options.sidecars],
    )


def _arns(
    secrets: Mapping[str, pulumi.Input[str]], environment: AwsEnvironment, parent: pulumi.Resource
) -> dict[str, pulumi.Input[str]]:
    return {
        variable: _arn(reference, environment, parent) if isinstance(reference, str) else reference
        for variable, reference in secrets.items()
    }


def _arn(reference: str, environment: AwsEnvironment, parent: pulumi.Resource) -> pulumi.Input[str]:
    service, _, name = reference.partition(":")
    if service == "ssm":
        return environment.arn("ssm", f"parameter/{name.removeprefix('/')}")
    if service != "secretsmanager":
        return reference
    secret, colon, key_stage_and_version = name.partition(":")
    # The ARN ends in six characters that only AWS knows. A secret that is missing ends the preview.
    found = aws.secretsmanager.get_secret_output(
        name=secret, opts=pulumi.InvokeOutputOptions(parent=parent)
    ).arn
    return pulumi.Output.format("{0}{1}{2}", found, colon, key_stage_and_version)
