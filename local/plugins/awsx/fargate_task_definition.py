"""`awsx:ecs:FargateTaskDefinition`: a task definition with its log group and roles.

Containers are arguments of the component; their definitions become one JSON text. CPU and memory that aren't
given are the smallest that Fargate offers for what the containers ask.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from local.plugins.awsx.roles import EXECUTION_POLICY, log_group, short_hash, task_role
from local.plugins.awsx.values import ComponentError, Constructed, aws_arguments

TYPE = "awsx:ecs:FargateTaskDefinition"
_FORMER_TYPE = "awsx:x:ecs:FargateTaskDefinition"
_UNITS = 1024


@dataclass(frozen=True)
class TaskDefinition:
    """The component's outputs for another component."""

    component: pulumi.ComponentResource
    task_definition: aws.ecs.TaskDefinition
    load_balancers: pulumi.Output[list[dict[str, Any]]]
    outputs: Mapping[str, Any]


async def construct(name: str, inputs: Mapping[str, Any], options: pulumi.ResourceOptions) -> Constructed:
    """Register the component and its children; raises ComponentError for arguments that contradict."""
    made = task_definition(name, inputs, options)
    return Constructed(made.component.urn, made.outputs)


def task_definition(name: str, inputs: Mapping[str, Any], options: pulumi.ResourceOptions) -> TaskDefinition:
    """Register the component and its children, of their own or inside another component."""
    former = pulumi.ResourceOptions(aliases=[pulumi.Alias(type_=_FORMER_TYPE)])
    component = pulumi.ComponentResource(TYPE, name, None, pulumi.ResourceOptions.merge(former, options))
    # A target group's ARN isn't known in a preview; the definitions go without it, and so are.
    containers = _containers(inputs, "port")
    log_place, group = log_group(name, inputs.get("logGroup"), component)
    task_role_arn, role = task_role(f"{name}-task", inputs.get("taskRole"), [], component)
    execution_role_arn, execution_role = task_role(
        f"{name}-execution", inputs.get("executionRole"), [EXECUTION_POLICY], component
    )
    known = pulumi.Output.all(containers, log_place)
    definitions = known.apply(lambda both: container_definitions(both[0], both[1]))
    text = definitions.apply(lambda listed: json.dumps(listed, separators=(",", ":"), ensure_ascii=False))
    size = definitions.apply(fargate_size)
    default_family = text.apply(lambda given: f"{name}-{short_hash(pulumi.get_stack() + given)}")
    # A given family waits for the default one too, and so is unknown in a preview.
    family = pulumi.Output.all(inputs.get("family"), default_family).apply(
        lambda both: both[1] if both[0] is None else both[0]
    )
    args = {
        "cpu": size.apply(lambda chosen: chosen[0]),
        "memory": size.apply(lambda chosen: chosen[1]),
        **inputs,
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "taskRoleArn": task_role_arn,
        "executionRoleArn": execution_role_arn,
        "family": family,
        "containerDefinitions": text,
    }
    made = aws.ecs.TaskDefinition(
        name, opts=pulumi.ResourceOptions(parent=component), **aws_arguments(aws.ecs.TaskDefinitionArgs, args)
    )
    balancers = _containers(inputs, "arn", "port").apply(load_balancers)
    component.register_outputs({})
    outputs = {
        "taskDefinition": made,
        "logGroup": group,
        "taskRole": role,
        "executionRole": execution_role,
        "loadBalancers": balancers,
    }
    present = {key: value for key, value in outputs.items() if value is not None}
    return TaskDefinition(component, made, balancers, present)


def _containers(inputs: Mapping[str, Any], *of_target_groups: str) -> pulumi.Output[dict[str, Any]]:
    """Return the containers by name, with these outputs of the target groups that they mention."""
    one, several = inputs.get("container"), inputs.get("containers")
    if (one is None) == (several is None):
        raise ComponentError("give either container or containers")
    if several is not None:
        return pulumi.Output.from_input(_with_target_groups(several, of_target_groups))
    return pulumi.Output.from_input(_with_target_groups(one, of_target_groups)).apply(
        lambda known: {known["name"] if known.get("name") is not None else "container": known}
    )


def _with_target_groups(value: Any, wanted: Sequence[str]) -> Any:
    """Replace target groups, which are resources, by maps of the outputs wanted."""
    if isinstance(value, aws.lb.TargetGroup):
        return {key: getattr(value, key) for key in wanted}
    if isinstance(value, Mapping):
        return {key: _with_target_groups(entry, wanted) for key, entry in value.items()}
    if isinstance(value, list):
        return [_with_target_groups(entry, wanted) for entry in value]
    if isinstance(value, pulumi.Output):
        return value.apply(lambda known: _with_target_groups(known, wanted))
    return value


def container_definitions(
    containers: Mapping[str, Mapping[str, Any]], log_place: tuple[str, str] | None
) -> list[dict[str, Any]]:
    """Return ECS's container definitions, sorted by name; one without a log configuration has the group's."""
    return [_definition(name, containers[name], log_place) for name in sorted(containers, key=_locale_order)]


def _locale_order(name: str) -> tuple[str, str]:
    # As the real provider's locale has it: underscores first, lower case before upper case.
    return name.casefold().replace("_", "\x01"), name.swapcase()


def _definition(name: str, container: Mapping[str, Any], log_place: tuple[str, str] | None) -> dict[str, Any]:
    definition = _whole_numbers(dict(container))
    if container.get("portMappings") is not None:
        definition["portMappings"] = [_port_mapping(entry) for entry in container["portMappings"]]
    definition["name"] = name
    if definition.get("logConfiguration") is None and log_place is not None:
        options = {
            "awslogs-group": log_place[0],
            "awslogs-region": log_place[1],
            "awslogs-stream-prefix": name,
        }
        definition["logConfiguration"] = {"logDriver": "awslogs", "options": options}
    return dict(sorted(definition.items()))


def _port_mapping(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """Return a port mapping; a port that isn't given is the other one's, or the target group's."""
    target_port = (mapping.get("targetGroup") or {}).get("port")
    container, host = mapping.get("containerPort"), mapping.get("hostPort")
    ports = {
        "containerPort": next((port for port in (container, host, target_port) if port is not None), None),
        "hostPort": next((port for port in (host, target_port, container) if port is not None), None),
    }
    kept = {key: mapping.get(key) for key in ("appProtocol", "containerPortRange", "name", "protocol")}
    found: dict[str, Any] = _whole_numbers(
        {key: value for key, value in {**kept, **ports}.items() if value is not None}
    )
    return found


def _whole_numbers(value: Any) -> Any:
    """Write numbers without a fraction as whole ones: they arrive as floating point."""
    if isinstance(value, Mapping):
        return {key: _whole_numbers(entry) for key, entry in sorted(value.items())}
    if isinstance(value, list):
        return [_whole_numbers(entry) for entry in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def load_balancers(containers: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return a service's load balancers for the target groups of port mappings."""
    return [
        {"containerName": name, "containerPort": group["port"], "targetGroupArn": group["arn"]}
        for name, container in containers.items()
        for mapping in container.get("portMappings") or ()
        if (group := mapping.get("targetGroup")) and None not in (group.get("arn"), group.get("port"))
    ]


def _fargate_sizes() -> Iterator[tuple[float, float]]:
    """Yield each pair of GB and vCPU that Fargate offers."""
    offers: Sequence[tuple[float, Sequence[float]]] = (
        (0.25, (0.5, 1, 2)),
        (0.5, range(1, 5)),
        (1, range(2, 9)),
        (2, range(4, 17)),
        (4, range(8, 31)),
        (8, range(16, 61)),
        (16, range(32, 121)),
        (32, (60, 120, 244)),
    )
    return itertools.chain.from_iterable(((gigabytes, vcpu) for gigabytes in sizes) for vcpu, sizes in offers)


def fargate_size(definitions: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """Return CPU units and MiB for a task's containers: the least memory that does, then the least CPU.

    Raises ComponentError when the containers ask for more than Fargate offers.
    """
    vcpu = sum(entry.get("cpu") or 0 for entry in definitions) / _UNITS
    gigabytes = (
        sum(entry.get("memoryReservation") or entry.get("memory") or 0 for entry in definitions) / _UNITS
    )
    fitting = sorted(size for size in _fargate_sizes() if size[0] >= gigabytes and size[1] >= vcpu)
    if not fitting:
        raise ComponentError(
            f"the containers ask for {vcpu:g} vCPU and {gigabytes:g} GB, but Fargate has no such task; "
            "lower their cpu or memory"
        )
    return f"{fitting[0][1] * _UNITS:g}", f"{fitting[0][0] * _UNITS:g}"
