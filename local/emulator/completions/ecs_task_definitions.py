"""ECS's task definitions: refused where Fargate couldn't run them, and shown with what AWS adds.

Owns their registration. Deliberately leaves revisions and deregistration to ministack.
Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html,
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
"""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

from local.emulator.completions.ecs_records import Record, ask_ministack, serve_actions
from local.emulator.completions.patching import AwsError, Request

# CPU units to the memory that Fargate offers with them, in MiB.
FARGATE_MEMORY_MIB: dict[int, tuple[int, ...]] = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4097, 1024)),
    1024: tuple(range(2048, 8193, 1024)),
    2048: tuple(range(4096, 16385, 1024)),
    4096: tuple(range(8192, 30721, 1024)),
    8192: tuple(range(16384, 61441, 4096)),
    16384: tuple(range(32768, 122881, 8192)),
}
LONGEST_FARGATE_STOP_TIMEOUT_SECONDS = 120

refused = partial(AwsError, "ClientException")

_LEFT_EMPTY = (
    *("executionRoleArn", "taskRoleArn", "pidMode", "ipcMode"),
    *("proxyConfiguration", "runtimePlatform", "ephemeralStorage"),
)
"""What ministack shows as empty where it wasn't given."""


def install() -> None:
    """Completes task definitions."""
    serve_actions(
        {
            "RegisterTaskDefinition": _register_task_definition,
            "DescribeTaskDefinition": partial(_shown, "DescribeTaskDefinition"),
            "DeregisterTaskDefinition": partial(_shown, "DeregisterTaskDefinition"),
        }
    )


def _register_task_definition(request: Request) -> Record:
    request = copy.deepcopy(request)
    _check_task_definition(request)
    for container in request.get("containerDefinitions", []):
        _complete_container_definition(container, awsvpc=request.get("networkMode") == "awsvpc")
    return {"tags": []} | _shown("RegisterTaskDefinition", request)


def _shown(action: str, request: Request) -> Record:
    answer = ask_ministack(action, request)
    definition = {
        name: value for name, value in answer["taskDefinition"].items() if value or name not in _LEFT_EMPTY
    }
    return answer | {"taskDefinition": {"enableFaultInjection": False} | definition}


def _check_task_definition(request: Request) -> None:
    if request.get("enableFaultInjection") or request.get("inferenceAccelerators"):
        raise refused("The emulated ECS knows neither fault injection nor inference accelerators.")
    containers = request.get("containerDefinitions") or []
    names = [container.get("name") for container in containers]
    for name in names:
        if names.count(name) > 1:
            raise refused(f"The container name {name!r} is used more than once.")
    if containers and not any(container.get("essential", True) for container in containers):
        raise refused("A task definition must have at least one essential container.")
    if "FARGATE" not in (request.get("requiresCompatibilities") or []):
        return
    if request.get("networkMode") != "awsvpc":
        raise refused("Fargate only supports network mode ‘awsvpc’.")
    _check_fargate_size(request)
    _check_container_memory(request, containers)
    for container in containers:
        _check_fargate_container(container, has_execution_role=bool(request.get("executionRoleArn")))


def _check_fargate_size(request: Request) -> None:
    sizes = {}
    for name in ("cpu", "memory"):
        text = str(request.get(name) or "")
        if not text.isdigit():
            raise refused(
                f"Fargate requires that '{name}' be defined at the task level as a number, not {text!r}."
            )
        sizes[name] = int(text)
    if sizes["memory"] not in FARGATE_MEMORY_MIB.get(sizes["cpu"], ()):
        raise refused(
            f"No Fargate configuration exists for given values: {sizes['cpu']} CPU, {sizes['memory']} "
            "memory. See the Amazon ECS documentation for the valid values."
        )


def _check_container_memory(request: Request, containers: list[dict[str, Any]]) -> None:
    """Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html"""
    task = int(request["memory"])
    for container in containers:
        limit, reserved = container.get("memory"), container.get("memoryReservation")
        if limit is not None and reserved is not None and limit <= reserved:
            raise refused(
                f"Invalid setting for container '{container.get('name')}'. The 'memory' must be greater than "
                "the 'memoryReservation'."
            )
    # Of a container that has both, the reservation is what is taken from the task's memory.
    taken = sum(each.get("memoryReservation") or each.get("memory") or 0 for each in containers)
    if taken > task:
        raise refused(
            f"Invalid setting for containers. Their memory, {taken} MiB, is more than the task's {task} MiB."
        )


def _check_fargate_container(container: dict[str, Any], *, has_execution_role: bool) -> None:
    name = container.get("name")
    timeout = container.get("stopTimeout")
    if timeout is not None and not 0 <= timeout <= LONGEST_FARGATE_STOP_TIMEOUT_SECONDS:
        raise refused(
            f"The stopTimeout of container {name!r} is {timeout}; it must be from 0 to "
            f"{LONGEST_FARGATE_STOP_TIMEOUT_SECONDS} seconds on Fargate."
        )
    if container.get("privileged"):
        raise refused("Fargate doesn't support privileged containers.")
    needs = []
    if (container.get("logConfiguration") or {}).get("logDriver") == "awslogs":
        needs.append("log driver awslogs")
    if ".dkr.ecr." in container.get("image", ""):
        needs.append("ECR images")
    if container.get("secrets"):
        needs.append("secrets")
    if needs and not has_execution_role:
        raise refused(f"Fargate requires task definition to have execution role ARN to support {needs[0]}.")


def _complete_container_definition(container: dict[str, Any], *, awsvpc: bool) -> None:
    """Adds what AWS adds to a container definition when it returns it."""
    container.setdefault("cpu", 0)
    container.setdefault("essential", True)
    for name in ("portMappings", "environment", "mountPoints", "volumesFrom", "systemControls"):
        container.setdefault(name, [])
    for mapping in container["portMappings"]:
        mapping.setdefault("protocol", "tcp")
        if awsvpc and "containerPort" in mapping:
            mapping.setdefault("hostPort", mapping["containerPort"])
        mapping.setdefault("hostPort", 0)
    check = container.get("healthCheck")
    if check:
        for name, default in (("interval", 30), ("timeout", 5), ("retries", 3)):
            check.setdefault(name, default)
