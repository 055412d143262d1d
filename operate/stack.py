"""What the state of a stack says: its services, their names, and what was asked for.

Reads `pulumi stack export`, so nothing has to be typed and no second list of names exists. Doesn't
own what runs by now: that is AWS's to say (`operate.observation`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from components.pause import Pause
from operate.errors import OperateError
from operate.pulumi_cli import pulumi

ROLE_TAG = "fileflow:role"
MUTE_TYPE = "aws:cloudwatch/alarmMuteRule:AlarmMuteRule"
ALARM_TYPES = ("aws:cloudwatch/metricAlarm:MetricAlarm", "aws:cloudwatch/compositeAlarm:CompositeAlarm")
PRODUCTION_STACKS = frozenset({"prod", "production"})

Role = Literal["web-api", "scheduler", "worker"]


@dataclass(frozen=True, kw_only=True)
class Service:
    """One ECS service as the state has it."""

    name: str
    role: Role
    arn: str
    cluster_arn: str
    region: str
    task_definition_arn: str
    """The revision that the last update asked for."""
    desired_count: int
    target_group_arns: Sequence[str]
    log_groups: Sequence[str]
    alarm_names: Sequence[str]
    containers: Sequence[Mapping[str, Any]]
    """The container definitions of that revision; the main container comes first."""
    pause: Pause | None = None
    """Why a scheduler has no task for a while, by the last update; None where it has to run."""
    muted_alarm_names: Sequence[str] = ()
    """The alarms that are muted while it is paused."""
    mute_rule_names: Sequence[str] = ()
    """By which rules of CloudWatch they are."""

    @property
    def cluster(self) -> str:
        """The cluster's name."""
        return self.cluster_arn.rpartition("/")[2]

    @property
    def family(self) -> str:
        return self.task_definition_arn.rpartition("/")[2].rpartition(":")[0]

    @property
    def is_scheduler(self) -> bool:
        return self.role == "scheduler"


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A stack, by its state."""

    name: str
    folder: Path
    region: str
    services: Sequence[Service]
    resources: Sequence[Mapping[str, Any]]
    outputs: Mapping[str, Any]

    @property
    def account_id(self) -> str | None:
        """The account that its services are in; None where it has none."""
        # arn:aws:ecs:REGION:ACCOUNT:service/CLUSTER/NAME
        return self.services[0].arn.split(":")[4] if self.services else None

    @property
    def asks_before_changes(self) -> bool:
        """Whether a person is asked before something is changed: on production."""
        return self.name in PRODUCTION_STACKS or self.name.endswith("-prod")

    def service(self, name: str) -> Service:
        """The service of that name, or of a name that ends so: `download` for fileflow-scheduler-download.

        Raises OperateError where none or several fit.
        """
        fitting = [each for each in self.services if each.name == name] or [
            each for each in self.services if each.name.endswith(f"-{name}")
        ]
        if len(fitting) == 1:
            return fitting[0]
        known = ", ".join(each.name for each in self.services)
        problem = f"Several services of stack {self.name} end in {name!r}." if fitting else None
        raise OperateError(
            problem or f"Stack {self.name} has no service {name!r}.", f"Choose one of: {known}."
        )

    def of_type(self, *types: str) -> list[Mapping[str, Any]]:
        """The outputs of all resources of these types."""
        return [each.get("outputs", {}) for each in self.resources if each.get("type") in types]


def read_stack(name: str | None, folder: Path, *, deployed: bool = True) -> Stack:
    """The stack `name`, or the one that is selected in `folder`.

    Raises OperateError where the CLI or the stack is missing, and with `deployed` its services too.
    """
    text = pulumi(["stack", "export", *(["--stack", name] if name else [])], folder)
    resources = json.loads(text).get("deployment", {}).get("resources") or []
    return (
        stack_of(folder, resources, name or "selected") if deployed else _undeployed(name, folder, resources)
    )


def _undeployed(name: str | None, folder: Path, resources: Sequence[Mapping[str, Any]]) -> Stack:
    """A stack whose services don't matter: its name and region are the CLI's to say."""
    name = name or pulumi(["stack", "--show-name"], folder).strip()
    region = pulumi(["config", "get", "aws:region", "--stack", name], folder).strip()
    return Stack(name=name, folder=folder, region=region, services=[], resources=resources, outputs={})


def stack_of(folder: Path, resources: Sequence[Mapping[str, Any]], name: str = "selected") -> Stack:
    """The stack that these resources of a state make up; `name` is how an empty one is called.

    Raises OperateError where none of them is an ECS service.
    """
    # urn:pulumi:STACK::PROJECT::TYPE::NAME
    name = str(resources[0]["urn"]).split("::")[0].rpartition(":")[2] if resources else name
    # A resource that is on its way out is listed beside its successor.
    living = [each for each in resources if not each.get("delete")]
    definitions = {
        each["outputs"]["arn"]: each["outputs"]
        for each in living
        if each.get("type") == "aws:ecs/taskDefinition:TaskDefinition" and "arn" in each.get("outputs", {})
    }
    services = [
        _service(each, definitions, living)
        for each in living
        if each.get("type") == "aws:ecs/service:Service" and each.get("outputs", {}).get("arn")
    ]
    if not services:
        raise OperateError(
            f"Stack {name} has no ECS service: nothing is deployed.",
            "Deploy it first: pulumi up, or for the AWS on this machine: make up",
        )
    outputs: Mapping[str, Any] = next(
        (each.get("outputs", {}) for each in living if each["type"] == "pulumi:pulumi:Stack"), {}
    )
    return Stack(
        name=name,
        folder=folder,
        region=services[0].region,
        services=sorted(services, key=lambda each: (each.role != "web-api", each.name)),
        resources=living,
        outputs=outputs,
    )


def _service(
    resource: Mapping[str, Any],
    definitions: Mapping[str, Mapping[str, Any]],
    living: Sequence[Mapping[str, Any]],
) -> Service:
    outputs = resource["outputs"]
    containers = _containers(definitions.get(outputs["taskDefinition"], {}))
    groups = [
        each["logConfiguration"]["options"]["awslogs-group"]
        for each in containers
        if "awslogs-group" in each.get("logConfiguration", {}).get("options", {})
    ]
    tags = outputs.get("tags") or {}
    alarm_names = _alarm_names(resource, living)
    mutes = _mutes(alarm_names, living)
    arn = str(outputs["arn"])
    return Service(
        name=outputs["name"],
        role=tags.get(ROLE_TAG, "worker"),
        arn=arn,
        cluster_arn=str(outputs["cluster"]),
        region=arn.split(":")[3],
        task_definition_arn=outputs["taskDefinition"],
        desired_count=int(outputs.get("desiredCount") or 0),
        target_group_arns=[each["targetGroupArn"] for each in outputs.get("loadBalancers") or []],
        log_groups=list(dict.fromkeys(groups)),
        alarm_names=alarm_names,
        containers=containers,
        pause=Pause.of_tags(tags),
        muted_alarm_names=[name for muted in mutes.values() for name in muted],
        mute_rule_names=list(mutes),
    )


def _mutes(alarm_names: Sequence[str], living: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """The alarms among these that a rule mutes, by the rule's name."""
    found = {}
    for each in living:
        outputs = each.get("outputs", {})
        targets = (outputs.get("muteTargets") or {}).get("alarmNames") or []
        muted = [name for name in targets if name in alarm_names]
        if each.get("type") == MUTE_TYPE and muted:
            found[str(outputs["name"])] = muted
    return found


def _alarm_names(service: Mapping[str, Any], living: Sequence[Mapping[str, Any]]) -> list[str]:
    """The alarms of the service's own component, and those whose metric names the service."""
    component = service.get("parent", "")
    own = None if "::pulumi:pulumi:Stack::" in component else component
    return [
        each["outputs"]["name"]
        for each in living
        if each.get("type") in ALARM_TYPES
        and each.get("outputs", {}).get("name")
        and (
            (own is not None and each.get("parent") == own)
            or (each["outputs"].get("dimensions") or {}).get("ServiceName") == service["outputs"]["name"]
        )
    ]


def _containers(definition: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The containers of a revision, the main one (which has the port) first."""
    text = definition.get("containerDefinitions")
    # A definition that holds a secret is encrypted in the state; its names are then AWS's to tell.
    found = json.loads(text) if isinstance(text, str) else []
    return sorted(found, key=lambda each: not each.get("portMappings"))
