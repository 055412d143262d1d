"""The two roles of a task, with no more than it needs.

The execution role is ECS's own: it pulls the image, writes the log, and reads the named secrets.
The task role is the application's: nothing unless asked for. Roles have generated names, so that
two stacks never meet.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from components.alarms import cluster_name
from components.aws_environment import AwsEnvironment
from components.imported import KEPT_OF_ROLE
from components.names import digest, session_log_group, shorten
from components.task_options import TaskOptions

LONGEST_ROLE = 56
"""A role's name has 64 characters at most, of which the generated ending takes 8.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""


@dataclass(frozen=True, kw_only=True)
class TaskRoles:
    """The execution role, the task role, and the policies that must be in place before a task starts."""

    execution: aws.iam.Role
    task: aws.iam.Role
    policies: Sequence[pulumi.Resource]

    @classmethod
    def create(
        cls, name: str, options: TaskOptions, environment: AwsEnvironment, parent: pulumi.Resource
    ) -> TaskRoles:
        """Creates both roles as children of `parent`."""
        boundary = options.access.permissions_boundary_arn
        kept = pulumi.ResourceOptions(parent=parent, ignore_changes=KEPT_OF_ROLE)
        trust = trust_policy(environment)
        execution = aws.iam.Role(
            shorten(f"{name}-execution", LONGEST_ROLE),
            description=f"ECS starts tasks of {options.family} with it",
            assume_role_policy=trust,
            permissions_boundary=boundary,
            tags=options.all_tags,
            opts=kept,
        )
        task = aws.iam.Role(
            shorten(f"{name}-role", LONGEST_ROLE),
            description=f"The application in tasks of {options.family}",
            assume_role_policy=trust,
            permissions_boundary=boundary,
            tags=options.all_tags,
            opts=kept,
        )
        policies: list[pulumi.Resource] = [
            aws.iam.RolePolicy(
                f"{name}-execution",
                role=execution.name,
                policy=pulumi.Output.json_dumps(
                    {"Version": "2012-10-17", "Statement": execution_statements(options, environment)}
                ),
                opts=pulumi.ResourceOptions(parent=execution),
            )
        ]
        statements = task_statements(options, environment)
        if statements:
            policies.append(
                aws.iam.RolePolicy(
                    f"{name}-role",
                    role=task.name,
                    policy=pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": statements}),
                    opts=pulumi.ResourceOptions(parent=task),
                )
            )
        if options.lease is not None:
            policies.append(
                aws.iam.RolePolicy(
                    # One for each lease: the running task has the right to its former one until it is gone,
                    # and a revision that ECS puts back has it again, since this is deleted last.
                    f"{name}-lease-{options.lease.digest}",
                    role=task.name,
                    policy=pulumi.Output.json_dumps(
                        {"Version": "2012-10-17", "Statement": [options.lease.statement(environment)]}
                    ),
                    opts=pulumi.ResourceOptions(parent=task),
                )
            )
        policies.extend(
            aws.iam.RolePolicyAttachment(
                # Not by its place: the old place's attachment is deleted last, and would detach the policy.
                f"{name}-role-{digest(policy_arn) if isinstance(policy_arn, str) else index}",
                role=task.name,
                policy_arn=policy_arn,
                opts=pulumi.ResourceOptions(parent=task),
            )
            for index, policy_arn in enumerate(options.access.policy_arns)
        )
        return cls(execution=execution, task=task, policies=policies)


def trust_policy(
    environment: AwsEnvironment,
    service: str = "ecs-tasks.amazonaws.com",
    source_arn: pulumi.Input[str] | None = None,
) -> pulumi.Output[str]:
    """Lets a service of AWS take the role: on behalf of this account alone, and of these resources.

    The conditions keep another account's service from using it (the confused deputy).
    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
    """
    conditions: dict[str, Any] = {"StringEquals": {"aws:SourceAccount": environment.account_id}}
    if source_arn is not None:
        conditions = {"ArnLike": {"aws:SourceArn": source_arn}, **conditions}
    return pulumi.Output.json_dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Action": "sts:AssumeRole",
                    "Condition": conditions,
                    "Effect": "Allow",
                    "Principal": {"Service": service},
                }
            ],
        }
    )


def execution_statements(options: TaskOptions, environment: AwsEnvironment) -> list[dict[str, Any]]:
    """What ECS does for the task: exactly its log group and exactly the secrets that it names.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html
    """
    statements: list[dict[str, Any]] = [
        {
            # ECR gives its token to accounts, not to repositories: AWS offers no narrower resource.
            "Action": "ecr:GetAuthorizationToken",
            "Effect": "Allow",
            "Resource": "*",
        },
        {
            "Action": ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            "Effect": "Allow",
            "Resource": pulumi.Output.all(environment.partition, *options.images).apply(
                lambda known: repository_arns(known[0], known[1:])
            ),
        },
        {
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Effect": "Allow",
            "Resource": environment.arn("logs", f"log-group:{options.log_group_name}:*"),
        },
    ]
    references = [
        reference for container in options.containers.values() for reference in container.secrets.values()
    ]
    references += [
        container.repository_credentials
        for container in options.containers.values()
        if container.repository_credentials is not None
    ]
    if references:
        statements.append(
            {
                "Action": ["secretsmanager:GetSecretValue", "ssm:GetParameters"],
                "Effect": "Allow",
                # Several keys of one secret are one resource; the order of secrets is no change.
                "Resource": pulumi.Output.all(*references).apply(
                    lambda known: sorted({arn for each in known for arn in secret_resources(each)})
                ),
            }
        )
    if options.access.secrets_kms_key_arns:
        statements.append(
            {
                "Action": "kms:Decrypt",
                "Effect": "Allow",
                "Resource": list(options.access.secrets_kms_key_arns),
            }
        )
    files = [arn for container in options.containers.values() for arn in container.environment_file_arns]
    if files:
        statements.append({"Action": "s3:GetObject", "Effect": "Allow", "Resource": files})
        buckets = sorted({arn.split("/")[0] for arn in files})
        statements.append({"Action": "s3:GetBucketLocation", "Effect": "Allow", "Resource": buckets})
    return statements


def task_statements(options: TaskOptions, environment: AwsEnvironment) -> list[dict[str, Any]]:
    """What the application may do: the caller's statements, and ECS Exec's channel when it is on.

    The task's own role writes the session's log, to the group that `Cluster` makes for it, and decrypts the
    channel where the cluster has a key for it.
    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html
    """
    statements: list[dict[str, Any]] = [dict(statement) for statement in options.access.statements]
    if options.access.execute_command:
        statements.append(
            {
                # The Session Manager's channels have no ARN to name, nor has the list of log groups.
                "Action": [
                    "logs:DescribeLogGroups",
                    "ssmmessages:CreateControlChannel",
                    "ssmmessages:CreateDataChannel",
                    "ssmmessages:OpenControlChannel",
                    "ssmmessages:OpenDataChannel",
                ],
                "Effect": "Allow",
                "Resource": "*",
            }
        )
        statements.append(
            {
                "Action": ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                "Effect": "Allow",
                "Resource": environment.arn(
                    "logs",
                    pulumi.Output.format(
                        "log-group:{0}:*", cluster_name(options.cluster_arn).apply(session_log_group)
                    ),
                ),
            }
        )
    if options.access.session_kms_key_arn is not None:
        statements.append(
            {"Action": "kms:Decrypt", "Effect": "Allow", "Resource": options.access.session_kms_key_arn}
        )
    return statements


def secret_resources(reference: str) -> list[str]:
    """What IAM calls the secret behind a reference, without the JSON key and version that may follow.

    A secret's ARN ends in six characters that AWS adds. ECS finds a secret by an ARN without them, but IAM
    compares the whole one. A name may itself end in a dash and six letters; then both are meant.
    Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html
    """
    parts = reference.split(":")
    if parts[2] != "secretsmanager":
        return [reference]
    arn = ":".join(parts[:7])
    if not re.search(r"-[A-Za-z0-9]{6}$", arn):
        return [f"{arn}-??????"]
    return [arn, f"{arn}-??????"] if re.search(r"-[a-z]{6}$", arn) else [arn]


ECR_IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?/(?P<name>[^:@]+)"
)


def repository_arns(partition: str, images: Sequence[str]) -> list[str]:
    """The ARNs of the ECR repositories that `images` lie in; an image from elsewhere needs no permission.

    With no image from ECR at all the answer names a repository that can't exist, since IAM refuses a
    statement without resources.
    """
    found = [ECR_IMAGE.match(image) for image in images]
    arns = {
        f"arn:{partition}:ecr:{match['region']}:{match['account']}:repository/{match['name']}"
        for match in found
        if match
    }
    return sorted(arns) or [f"arn:{partition}:ecr:::repository/-"]
