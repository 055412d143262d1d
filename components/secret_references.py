"""Turns the names of secrets into ARNs.

Owns the short forms `secretsmanager:NAME` and `ssm:NAME`. Doesn't own what a reference may look like
(`validation`), nor who may read the secret (`roles`). A value is never read, only looked up.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pulumi
import pulumi_aws as aws

from components.aws_environment import AwsEnvironment
from components.options import ContainerOptions
from components.task_options import TaskOptions


def with_secret_arns(
    options: TaskOptions, environment: AwsEnvironment, parent: pulumi.Resource
) -> TaskOptions:
    """`options` with every secret of every container named by its ARN."""

    @cache
    def secret_arn(name: str) -> pulumi.Output[str]:
        # The ARN ends in six characters that only AWS knows. A secret that is missing ends the preview.
        options = pulumi.InvokeOutputOptions(parent=parent)
        return aws.secretsmanager.get_secret_output(name=name, opts=options).arn

    def arn(reference: pulumi.Input[str]) -> pulumi.Input[str]:
        if not isinstance(reference, str):
            return reference
        service, _, name = reference.partition(":")
        if service == "ssm":
            return environment.arn("ssm", f"parameter/{name.removeprefix('/')}")
        if service != "secretsmanager":
            return reference
        secret, colon, key_stage_and_version = name.partition(":")
        return pulumi.Output.format("{0}{1}{2}", secret_arn(secret), colon, key_stage_and_version)

    def named(container: ContainerOptions) -> ContainerOptions:
        credentials = container.repository_credentials
        return replace(
            container,
            secrets={key: arn(value) for key, value in container.secrets.items()},
            repository_credentials=None if credentials is None else arn(credentials),
        )

    return replace(
        options,
        container=named(options.container),
        sidecars=[replace(each, container=named(each.container)) for each in options.sidecars],
    )
