"""ECS's task definitions on the emulated AWS."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local.emulator.aws import refusal
from tests.local.emulator.ecs_world import (
    World,
)


@pytest.mark.parametrize(
    "memory", [{"memory": 1025}, {"memoryReservation": 2048}, {"memory": 256, "memoryReservation": 256}]
)
def test_containers_that_the_tasks_memory_does_not_hold_are_refused(
    world: World, memory: dict[str, int]
) -> None:
    assert refusal(world.register, **memory)[0] == "ClientException"
    world.register(memory=1024)


def refused_definition(world: World, container: dict[str, Any], **options: Any) -> tuple[str, str]:
    request: dict[str, Any] = {
        "family": "x",
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "512",
        "memory": "1024",
        "executionRoleArn": world.role,
        "containerDefinitions": [{"name": "x", "image": "nginx"} | container],
    } | options
    request = {name: value for name, value in request.items() if value is not None}
    return refusal(world.ecs.register_task_definition, **request)


@pytest.mark.parametrize(
    ("container", "options", "said"),
    [
        ({}, {"cpu": "512", "memory": "512"}, "No Fargate configuration exists"),
        ({}, {"networkMode": "bridge"}, "awsvpc"),
        ({"stopTimeout": 121}, {}, "stopTimeout"),
        ({"privileged": True}, {}, "privileged"),
        ({"secrets": [{"name": "a", "valueFrom": "b"}]}, {"executionRoleArn": None}, "execution role"),
        ({"essential": False}, {}, "essential"),
    ],
)
def test_a_task_definition_that_fargate_cannot_run_is_refused(
    world: World, container: dict[str, Any], options: dict[str, Any], said: str
) -> None:
    code, message = refused_definition(world, container, **options)
    assert code == "ClientException"
    assert said in message


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
        "family": "app",
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "256",
        "memory": "512",
        "executionRoleArn": world.role,
        "taskRoleArn": f"arn:aws:iam::{world.account}:role/task",
        "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
        "ephemeralStorage": {"sizeInGiB": 30},
        "volumes": [{"name": "tmp"}],
    }
    world.ecs.register_task_definition(
        **options, containerDefinitions=[container, sidecar], tags=[{"key": "a", "value": "b"}]
    )
    answer = world.ecs.describe_task_definition(taskDefinition="app", include=["TAGS"])
    definition = answer["taskDefinition"]
    assert answer["tags"] == [{"key": "a", "value": "b"}]
    for name, value in options.items():
        assert definition[name] == value, name
    got, got_sidecar = definition["containerDefinitions"]
    assert got["portMappings"] == [
        {"containerPort": 8083, "hostPort": 8083, "protocol": "tcp", "name": "http", "appProtocol": "http"}
    ]
    assert got["healthCheck"] == {
        "command": ["CMD", "true"],
        "startPeriod": 60,
        "interval": 30,
        "timeout": 5,
        "retries": 3,
    }
    for name in set(container) - {"portMappings", "healthCheck"}:
        assert got[name] == container[name], name
    assert got["environment"] == got["volumesFrom"] == got["systemControls"] == []
    assert got_sidecar["firelensConfiguration"] == sidecar["firelensConfiguration"]
    assert "pidMode" not in definition
