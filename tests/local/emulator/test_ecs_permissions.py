"""What an ECS task needs before it starts on the emulated AWS: a role's rights, secrets and log groups."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest

from tests.local.emulator.aws import REGION
from tests.local.emulator.ecs_world import LOG_GROUP, LOGS, World

STREAMS = f"arn:aws:logs:{REGION}:ACCOUNT:log-group:{LOG_GROUP}:*"
LOGGING = {"logs:CreateLogStream": STREAMS, "logs:PutLogEvents": STREAMS}
FROM_ECS = {
    "StringEquals": {"aws:SourceAccount": "ACCOUNT"},
    "ArnLike": {"aws:SourceArn": f"arn:aws:ecs:{REGION}:ACCOUNT:*"},
}
NOT_READ = "not authorized to perform: secretsmanager:GetSecretValue on resource: WHOLE"


def reading(reference: str) -> dict[str, Any]:
    return {"secrets": [{"name": "DB_PASSWORD", "valueFrom": reference}]}


class Row(NamedTuple):
    """An execution role and a container, and what the stopped task says; nothing where it starts."""

    container: dict[str, Any]
    allowed: dict[str, str]
    said: str = ""
    trust: dict[str, Any] | None = None


ROWS = {
    "exactly what is needed": Row(
        reading("WHOLE:password::"),
        LOGGING | {"secretsmanager:GetSecretValue": "WHOLE"},
        trust={"Condition": FROM_ECS},
    ),
    "no right to the secret": Row(reading("WHOLE"), LOGGING, NOT_READ),
    # A secret named without its last six characters needs a permission for the whole name.
    "a right to the name's beginning": Row(
        reading("NAME"), LOGGING | {"secretsmanager:GetSecretValue": "NAME"}, NOT_READ
    ),
    "a right to all that begins so": Row(
        reading("NAME"), LOGGING | {"secretsmanager:GetSecretValue": "NAME-??????"}
    ),
    "no right to a private registry's credentials": Row(
        {"repositoryCredentials": {"credentialsParameter": "WHOLE"}}, LOGGING, NOT_READ
    ),
    "for another service": Row(
        {},
        LOGGING,
        "ECS was unable to assume the role",
        {"Principal": {"Service": "ec2.amazonaws.com"}},
    ),
    "a right to another log": Row(
        {},
        LOGGING | {"logs:PutLogEvents": STREAMS.replace(LOG_GROUP, "/other")},
        "is not authorized to perform: logs:PutLogEvents",
    ),
    "no right to pull": Row(
        {"image": f"ACCOUNT.dkr.ecr.{REGION}.amazonaws.com/fileflow:1"},
        LOGGING | {"ecr:GetAuthorizationToken": "*"},
        f"ecr:BatchGetImage on resource: arn:aws:ecr:{REGION}:ACCOUNT:repository/fileflow",
    ),
    "a log group that isn't there": Row(
        {"logConfiguration": {**LOGS, "options": {"awslogs-group": "/gone", "awslogs-region": REGION}}},
        {"logs:*": "*"},
        "failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not",
    ),
}


def execution_role(world: World, name: str, allowed: dict[str, str], trust: dict[str, Any]) -> str:
    """A role with exactly these rights; its ARN."""
    iam = world.client("iam")
    ecs = {"Service": "ecs-tasks.amazonaws.com"}
    trusting = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": ecs} | trust
    rights = [{"Effect": "Allow", "Action": action, "Resource": of} for action, of in allowed.items()]
    trusted, document = (
        json.dumps({"Version": "2012-10-17", "Statement": statements}) for statements in ([trusting], rights)
    )
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusted)["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="execution", PolicyDocument=document)
    return str(made)


def test_a_task_starts_where_its_execution_role_may_do_all_that_it_needs(
    world: World, subtests: pytest.Subtests
) -> None:
    secrets = world.client("secretsmanager")
    secret = secrets.create_secret(Name="db", SecretString='{"password": "x"}')["ARN"]
    values = {"WHOLE": secret, "NAME": secret[:-7], "ACCOUNT": world.account}
    for number, (what, row) in enumerate(ROWS.items()):
        with subtests.test(what):
            text = json.dumps(row)
            for name, value in values.items():
                text = text.replace(name, value)
            container, allowed, said, trust = json.loads(text)
            role = execution_role(world, f"execution-{number}", allowed, trust or {})
            definition = world.define({"name": "app", **container}, executionRoleArn=role)
            task = world.ended(world.run(definition), "RUNNING")
            ended = ("STOPPED", "TaskFailedToStart") if said else ("RUNNING", "")
            assert (task["lastStatus"], task.get("stopCode", "")) == ended
            assert said in task.get("stoppedReason", "")


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
        reason = world.ended(world.run(definition))["stoppedReason"]
        assert reason.startswith("ResourceInitializationError: unable to pull secrets or registry auth")
        assert reason.endswith(words)
