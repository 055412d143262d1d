"""What an ECS task needs before it starts on the emulated AWS: a role's rights, secrets and log groups."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest

from tests.local.emulator.aws import REGION
from tests.local.emulator.ecs_world import (
    LOG_GROUP,
    World,
)
from tests.waiting import eventually


def test_a_secret_that_cannot_be_read_keeps_the_task_from_starting(world: World) -> None:
    secret = f"arn:aws:secretsmanager:{REGION}:{world.account}:secret:fileflow/database-AbCdEf"
    world.create(world.register(secrets=[{"name": "DB_PASSWORD", "valueFrom": secret}]))
    task = eventually(lambda: world.tasks("STOPPED"))[0]
    assert task["stopCode"] == "TaskFailedToStart"
    assert "ResourceInitializationError: unable to pull secrets" in task["stoppedReason"]


TRUST: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "ecs-tasks.amazonaws.com"},
        }
    ],
}


class ExecutionRole:
    """The execution role of the tasks, with exactly the statements given."""

    def __init__(self, world: World, allowed: dict[str, list[str]], trust: dict[str, Any] = TRUST) -> None:
        iam = world.client("iam")
        iam.create_role(RoleName="execution", AssumeRolePolicyDocument=json.dumps(trust))
        statements = [
            {"Effect": "Allow", "Action": action, "Resource": resources}
            for action, resources in allowed.items()
        ]
        if statements:
            document = json.dumps({"Version": "2012-10-17", "Statement": statements})
            iam.put_role_policy(RoleName="execution", PolicyName="execution", PolicyDocument=document)


def log_permissions(world: World) -> dict[str, list[str]]:
    streams = [f"arn:aws:logs:{REGION}:{world.account}:log-group:{LOG_GROUP}:*"]
    return {"logs:CreateLogStream": streams, "logs:PutLogEvents": streams}


def test_an_execution_role_with_exactly_what_is_needed_starts_the_task(world: World) -> None:
    secret = world.client("secretsmanager").create_secret(Name="db", SecretString='{"password": "x"}')["ARN"]
    trust = json.loads(json.dumps(TRUST))
    trust["Statement"][0]["Condition"] = {
        "StringEquals": {"aws:SourceAccount": world.account},
        "ArnLike": {"aws:SourceArn": f"arn:aws:ecs:{REGION}:{world.account}:*"},
    }
    ExecutionRole(world, {"secretsmanager:GetSecretValue": [secret]} | log_permissions(world), trust)
    world.create(world.register(secrets=[{"name": "DB_PASSWORD", "valueFrom": f"{secret}:password::"}]))
    assert world.steady()["runningCount"] == 1


def stopped_reason(world: World, task_definition: str) -> str:
    world.create(task_definition)
    task = eventually(lambda: world.tasks("STOPPED"))[0]
    assert task["stopCode"] == "TaskFailedToStart"
    reason: str = task["stoppedReason"]
    return reason


def test_an_execution_role_that_may_not_read_the_secret_keeps_the_task_from_starting(world: World) -> None:
    secret = world.client("secretsmanager").create_secret(Name="db", SecretString="x")["ARN"]
    ExecutionRole(world, log_permissions(world))
    reason = stopped_reason(world, world.register(secrets=[{"name": "DB_PASSWORD", "valueFrom": secret}]))
    assert reason.startswith("ResourceInitializationError: unable to pull secrets or registry auth")
    assert f"not authorized to perform: secretsmanager:GetSecretValue on resource: {secret}" in reason


def stopped_reasons(world: World, definition: str) -> list[str]:
    """Why the stopped tasks of a task definition stopped."""
    tasks = world.tasks("STOPPED")
    return [str(each["stoppedReason"]) for each in tasks if each["taskDefinitionArn"] == definition]


def test_what_a_task_is_to_read_and_isnt_there_is_told_in_awss_words(world: World) -> None:
    secret = world.client("secretsmanager").create_secret(Name="db", SecretString='{"password": "x"}')["ARN"]
    gone = f"{secret[:-7]}2-abcdef"
    expected = {
        f"{secret}:user::": "retrieved secret from Secrets Manager did not contain json key user",
        gone: f"failed to fetch secret {gone} from secrets manager: ResourceNotFoundException: "
        "Secrets Manager can't find the specified secret.",
        f"arn:aws:ssm:{REGION}:{world.account}:parameter/redis": (
            "unable to retrieve secrets from ssm: service call has been retried 1 time(s): "
            "invalid parameters: /redis"
        ),
    }
    for reference, words in expected.items():
        definition = world.register(secrets=[{"name": "SECRET", "valueFrom": reference}])
        world.run(definition)
        reasons = eventually(partial(stopped_reasons, world, definition))
        assert reasons[0].endswith(words), reasons


@pytest.mark.parametrize(("ending", "starts"), [("", False), ("-??????", True)])
def test_a_secret_named_without_its_last_six_characters_needs_a_permission_for_the_whole_name(
    world: World, ending: str, starts: bool
) -> None:
    secret = world.client("secretsmanager").create_secret(Name="db", SecretString="x")["ARN"]
    partial = secret[:-7]
    ExecutionRole(world, {"secretsmanager:GetSecretValue": [partial + ending]} | log_permissions(world))
    definition = world.register(secrets=[{"name": "DB_PASSWORD", "valueFrom": partial}])
    if starts:
        world.create(definition)
        assert world.steady()["runningCount"] == 1
    else:
        assert f"GetSecretValue on resource: {secret}" in stopped_reason(world, definition)


def test_a_private_registrys_credentials_are_read_by_the_execution_role(world: World) -> None:
    secret = world.client("secretsmanager").create_secret(Name="registry", SecretString="x")["ARN"]
    ExecutionRole(world, log_permissions(world))
    definition = world.register(repositoryCredentials={"credentialsParameter": secret})
    assert f"GetSecretValue on resource: {secret}" in stopped_reason(world, definition)


def test_an_execution_role_that_ecs_may_not_assume_keeps_the_task_from_starting(world: World) -> None:
    trust = json.loads(json.dumps(TRUST))
    trust["Statement"][0]["Principal"]["Service"] = "ec2.amazonaws.com"
    ExecutionRole(world, log_permissions(world), trust)
    assert stopped_reason(world, world.register()).startswith("ECS was unable to assume the role")


def test_an_execution_role_that_may_not_write_the_log_keeps_the_task_from_starting(world: World) -> None:
    permissions = log_permissions(world)
    permissions["logs:PutLogEvents"] = [f"arn:aws:logs:{REGION}:{world.account}:log-group:/other:*"]
    ExecutionRole(world, permissions)
    reason = stopped_reason(world, world.register())
    assert "failed to create Cloudwatch log stream" in reason
    assert "logs:PutLogEvents" in reason


def test_a_missing_log_group_keeps_the_task_from_starting(world: World) -> None:
    world.logs.delete_log_group(logGroupName=LOG_GROUP)
    assert "The specified log group does not exist" in stopped_reason(world, world.register())


def test_an_execution_role_that_may_not_pull_keeps_the_task_from_starting(world: World) -> None:
    ExecutionRole(world, log_permissions(world) | {"ecr:GetAuthorizationToken": ["*"]})
    image = f"{world.account}.dkr.ecr.{REGION}.amazonaws.com/fileflow:1"
    reason = stopped_reason(world, world.register(image=image))
    assert (
        f"ecr:BatchGetImage on resource: arn:aws:ecr:{REGION}:{world.account}:repository/fileflow" in reason
    )
