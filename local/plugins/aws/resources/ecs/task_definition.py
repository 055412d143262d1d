"""ECS task definitions. A change makes a new revision; deleting one deregisters it.

Doesn't own proxies, nor following a family's latest revision.
Sources of what replaces and of the defaults: `ForceNew` and `Default` in
https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/ecs/task_definition.go
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ....common.values import UNKNOWN
from ... import documents
from ...modelled import Ask, Modelled
from ...resource import Answer, Inputs, Outputs, State, facts, names, pairs

_HEALTH_CHECK_DEFAULTS: Final = {"interval": 30, "timeout": 5, "retries": 3}
_ORDERED_BY_NAME: Final = ("environment", "secrets")


def same_containers(left: Any, right: Any) -> bool:
    """Whether ECS would run the same containers: what it fills in, and the order of names, says nothing."""
    return bool(_reduced_all(left) == _reduced_all(right))


def _reduced_all(text: Any) -> Any:
    try:
        containers = json.loads(text) if isinstance(text, str) else text
    except ValueError:
        return text
    if not isinstance(containers, list):
        return containers
    return sorted((_reduced(c) for c in containers), key=lambda c: str(c.get("name", "")))


def _reduced(container: Mapping[str, Any]) -> dict[str, Any]:
    reduced = {
        key: value for key, value in container.items() if value is not None and value not in ([], {}, "")
    }
    if reduced.get("cpu") == 0:
        del reduced["cpu"]
    reduced.setdefault("essential", True)
    for key in _ORDERED_BY_NAME:
        if key in reduced:
            reduced[key] = sorted(reduced[key], key=lambda member: str(member.get("name", "")))
    if "portMappings" in reduced:
        reduced["portMappings"] = [_reduced_port(port) for port in reduced["portMappings"]]
    if "healthCheck" in reduced:
        reduced["healthCheck"] = {**_HEALTH_CHECK_DEFAULTS, **_without_absent(reduced["healthCheck"])}
    return {key: _without_nothing(value) for key, value in reduced.items()}


def _reduced_port(port: Mapping[str, Any]) -> dict[str, Any]:
    reduced = {key: value for key, value in port.items() if value is not None}
    if reduced.get("protocol") == "tcp":
        del reduced["protocol"]
    if reduced.get("hostPort") in (0, reduced.get("containerPort")):
        # In awsvpc mode the host's port is the container's; 0 and absent ask for any.
        del reduced["hostPort"]
    return reduced


def _without_absent(value: Any) -> Any:
    """A structure without members that are None, at any depth."""
    if isinstance(value, Mapping):
        return {name: _without_absent(member) for name, member in value.items() if member is not None}
    return [_without_absent(member) for member in value] if isinstance(value, list) else value


def _without_nothing(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key: _without_nothing(member) for key, member in value.items() if member not in (None, [], {})
        }
    return [_without_nothing(member) for member in value] if isinstance(value, list) else value


class TaskDefinition(Modelled):
    token = "aws:ecs/taskDefinition:TaskDefinition"
    key = "arn"
    identity = "family"
    made_by = Ask("RegisterTaskDefinition", "taskDefinition")
    read_by = (Ask("DescribeTaskDefinition", "taskDefinition"),)
    deleted_by = Ask("DeregisterTaskDefinition")
    named = pairs("""arn=taskDefinitionArn|taskDefinition volumes.configureAtLaunch=configuredAtLaunch
        volumes.hostPath=host.sourcePath""")
    replacing = names("""containerDefinitions cpu enableFaultInjection ephemeralStorage executionRoleArn
        family ipcMode memory networkMode pidMode placementConstraints proxyConfiguration
        requiresCompatibilities runtimePlatform taskRoleArn volumes""")
    lacking = names("proxyConfiguration trackLatest")
    by_hand = names("arnWithoutRevision")
    defaults = facts(skipDestroy=False, trackLatest=False)
    same = facts(containerDefinitions=same_containers)
    sets = names("requiresCompatibilities volumes placementConstraints")
    kept = names("skipDestroy")
    missing = names("ClientException")

    def check(self, inputs: Inputs) -> Iterable[tuple[str, str]]:
        text = inputs.get("containerDefinitions")
        if text is UNKNOWN:
            return
        try:
            containers = json.loads(str(text))
        except ValueError as error:
            yield "containerDefinitions", f"`containerDefinitions` isn't JSON: {error}"
            return
        if not isinstance(containers, list) or not all(isinstance(c, Mapping) for c in containers):
            yield (
                "containerDefinitions",
                "`containerDefinitions` must be a JSON list of container definitions",
            )

    def plan(self, inputs: Inputs, state: State | None) -> Mapping[str, Any]:
        return {} if state is None else {"arn": state.get("arn"), "revision": state.get("revision")}

    def shaped(self, inputs: Inputs) -> Inputs:
        containers = _without_absent(json.loads(inputs["containerDefinitions"]))
        return {**inputs, "containerDefinitions": containers}

    def told(self, outputs: Outputs, found: Answer, state: State) -> Outputs | None:
        if found["status"] != "ACTIVE":
            return None
        return {
            **outputs,
            "arnWithoutRevision": outputs["arn"].rpartition(":")[0],
            "containerDefinitions": documents.to_text(found["containerDefinitions"]),
        }
