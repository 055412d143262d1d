"""ECS's task definitions on the emulated AWS."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local.emulator.aws import assert_contains, refusal
from tests.local.emulator.ecs_world import (
    World,
)

REFUSED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({}, {"cpu": "512", "memory": "512"}, "No Fargate configuration exists"),
    ({}, {"networkMode": "bridge"}, "awsvpc"),
    ({"stopTimeout": 121}, {}, "stopTimeout"),
    ({"privileged": True}, {}, "privileged"),
    ({"secrets": [{"name": "a", "valueFrom": "b"}]}, {"executionRoleArn": None}, "execution role"),
    ({"essential": False}, {}, "essential"),
    ({"memory": 1025}, {}, "more than the task's"),
    ({"memoryReservation": 2048}, {}, "more than the task's"),
    ({"memory": 256, "memoryReservation": 256}, {}, "must be greater"),
]


def test_a_task_definition_that_fargate_cannot_run_is_refused(
    world: World, subtests: pytest.Subtests
) -> None:
    for container, options, said in REFUSED:
        with subtests.test(**container, **options):
            code, message = refusal(world.define, {"name": "x", **container}, **options)
            assert code == "ClientException"
            assert said in message
    world.register(memory=1024)


def test_a_task_definition_comes_back_with_what_aws_adds(world: World) -> None:
    container = {
        "name": "app",
        "image": "nginx",
        "entryPoint": ["java"],
        "command": ["-jar", "app.jar"],
        "portMappings": [{"containerPort": 8083, "name": "http", "appProtocol": "http"}],
        "healthCheck": {"command": ["CMD", "true"], "startPeriod": 60},
        "stopTimeout": 100,
        "readonlyRootFilesystem": True,
        "user": "1000",
        "linuxParameters": {"initProcessEnabled": True, "capabilities": {"drop": ["ALL"]}},
        "mountPoints": [{"sourceVolume": "tmp", "containerPath": "/tmp", "readOnly": False}],
        "secrets": [{"name": "A", "valueFrom": "arn"}],
        "environmentFiles": [{"type": "s3", "value": "arn:aws:s3:::bucket/env"}],
        "ulimits": [{"name": "nofile", "softLimit": 1024, "hardLimit": 2048}],
        "dependsOn": [{"containerName": "log", "condition": "START"}],
        "dockerLabels": {"a": "b"},
        "restartPolicy": {"enabled": True, "restartAttemptPeriod": 60},
    }
    sidecar = {
        "name": "log",
        "image": "fluent-bit",
        "essential": False,
        "firelensConfiguration": {"type": "fluentbit", "options": {"enable-ecs-log-metadata": "true"}},
    }
    options: dict[str, Any] = {
        "cpu": "256",
        "memory": "512",
        "taskRoleArn": f"arn:aws:iam::{world.account}:role/task",
        "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
        "ephemeralStorage": {"sizeInGiB": 30},
        "volumes": [{"name": "tmp"}],
    }
    arn = world.define(container, sidecar, **options, tags=[{"key": "a", "value": "b"}])
    answer = world.ecs.describe_task_definition(taskDefinition=arn, include=["TAGS"])
    definition = answer["taskDefinition"]
    assert answer["tags"] == [{"key": "a", "value": "b"}]
    assert_contains(definition, options | {"containerDefinitions": [container, sidecar]})
    got, _ = definition["containerDefinitions"]
    assert_contains(got["portMappings"], [{"hostPort": 8083, "protocol": "tcp"}])
    assert_contains(got["healthCheck"], {"interval": 30, "timeout": 5, "retries": 3})
    assert got["environment"] == got["volumesFrom"] == got["systemControls"] == []
    assert "pidMode" not in definition
