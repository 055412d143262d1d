"""ECS task definitions. A change makes a new revision; deleting one deregisters it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from ....common.values import UNKNOWN
from ... import documents
from ...resource import Call, Inputs, Resource, State, without_none
from ..spelling import without_absent
from . import tags

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
        reduced["healthCheck"] = {**_HEALTH_CHECK_DEFAULTS, **without_absent(reduced["healthCheck"])}
    return {key: _without_nothing(value) for key, value in reduced.items()}


def _reduced_port(port: Mapping[str, Any]) -> dict[str, Any]:
    reduced = {key: value for key, value in port.items() if value is not None}
    if reduced.get("protocol") == "tcp":
        del reduced["protocol"]
    if reduced.get("hostPort") in (0, reduced.get("containerPort")):
        # In awsvpc mode the host's port is the container's; 0 and absent ask for any.
        del reduced["hostPort"]
    return reduced


def _without_nothing(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key: _without_nothing(member) for key, member in value.items() if member not in (None, [], {})
        }
    return [_without_nothing(member) for member in value] if isinstance(value, list) else value


class TaskDefinition(Resource):
    token = "aws:ecs/taskDefinition:TaskDefinition"
    defaults = MappingProxyType({"skipDestroy": False, "trackLatest": False})
    same = MappingProxyType({"containerDefinitions": same_containers})
    sets = frozenset({"requiresCompatibilities", "volumes", "placementConstraints"})
    kept = frozenset({"skipDestroy", "trackLatest"})
    missing = frozenset({"ClientException"})

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

    def create(self, call: Call, inputs: Inputs) -> str:
        answer = call.client("ecs").register_task_definition(
            family=inputs["family"],
            containerDefinitions=without_absent(json.loads(inputs["containerDefinitions"])),
            **without_none(
                cpu=inputs.get("cpu"),
                memory=inputs.get("memory"),
                networkMode=inputs.get("networkMode"),
                pidMode=inputs.get("pidMode"),
                ipcMode=inputs.get("ipcMode"),
                executionRoleArn=inputs.get("executionRoleArn"),
                taskRoleArn=inputs.get("taskRoleArn"),
                requiresCompatibilities=inputs.get("requiresCompatibilities"),
                enableFaultInjection=inputs.get("enableFaultInjection"),
                placementConstraints=without_absent(inputs.get("placementConstraints")),
                runtimePlatform=without_absent(inputs.get("runtimePlatform")),
                ephemeralStorage=_ephemeral_storage(inputs.get("ephemeralStorage")),
                proxyConfiguration=_proxy(inputs.get("proxyConfiguration")),
                volumes=[_volume(volume) for volume in inputs.get("volumes") or []] or None,
                tags=tags.to_ecs(inputs) or None,
            ),
        )
        definition = answer["taskDefinition"]
        return str(definition["taskDefinitionArn"])

    def read(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any] | None:
        wanted = self._tracked(resource_id, state)
        answer = call.client("ecs").describe_task_definition(taskDefinition=wanted, include=["TAGS"])
        definition = answer["taskDefinition"]
        if definition.get("status", "ACTIVE") != "ACTIVE":
            return None
        return {**outputs_of(definition), "tagsAll": tags.from_ecs(answer.get("tags"))}

    def _tracked(self, resource_id: str, state: State) -> str:
        """The revision that the state names, the latest one where asked; on creation and import, the id's."""
        if resource_id.startswith("arn:"):
            return resource_id
        return resource_id if state.get("trackLatest") else str(state.get("arn") or resource_id)

    def update(
        self, call: Call, resource_id: str, old: State, new: Inputs, changed: frozenset[str]
    ) -> str | None:
        tags.change(call.client("ecs"), str(old["arn"]), old, new)
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        if not state.get("skipDestroy"):
            call.client("ecs").deregister_task_definition(taskDefinition=state["arn"])


def outputs_of(definition: Mapping[str, Any]) -> dict[str, Any]:
    """A described revision under Pulumi's names, without its tags."""
    arn = definition["taskDefinitionArn"]
    return {
        "id": definition["family"],
        "arn": arn,
        "arnWithoutRevision": arn.rpartition(":")[0],
        "revision": definition["revision"],
        "family": definition["family"],
        "containerDefinitions": documents.to_text(definition["containerDefinitions"]),
        "cpu": definition.get("cpu", ""),
        "memory": definition.get("memory", ""),
        "networkMode": definition.get("networkMode", ""),
        "pidMode": definition.get("pidMode", ""),
        "ipcMode": definition.get("ipcMode", ""),
        "executionRoleArn": definition.get("executionRoleArn", ""),
        "taskRoleArn": definition.get("taskRoleArn", ""),
        "requiresCompatibilities": list(definition.get("requiresCompatibilities") or []),
        "enableFaultInjection": bool(definition.get("enableFaultInjection", False)),
        "placementConstraints": list(definition.get("placementConstraints") or []),
        "runtimePlatform": definition.get("runtimePlatform") or None,
        "ephemeralStorage": _ephemeral_storage_of(definition.get("ephemeralStorage")),
        "proxyConfiguration": _proxy_of(definition.get("proxyConfiguration")),
        "volumes": [_volume_of(volume) for volume in definition.get("volumes") or []],
    }


def _ephemeral_storage(given: Any) -> Any:
    return {"sizeInGiB": given["sizeInGib"]} if given else None


def _ephemeral_storage_of(found: Any) -> Any:
    return {"sizeInGib": found["sizeInGiB"]} if found else None


def _proxy(given: Any) -> Any:
    if not given:
        return None
    return {
        "containerName": given["containerName"],
        "type": given.get("type") or "APPMESH",
        "properties": [
            {"name": name, "value": value} for name, value in (given.get("properties") or {}).items()
        ],
    }


def _proxy_of(found: Any) -> Any:
    if not found:
        return None
    return {
        "containerName": found["containerName"],
        "type": found.get("type"),
        "properties": {member["name"]: member["value"] for member in found.get("properties") or []},
    }


_SAME_VOLUME_MEMBERS: Final = {
    "dockerVolumeConfiguration": "dockerVolumeConfiguration",
    "fsxWindowsFileServerVolumeConfiguration": "fsxWindowsFileServerVolumeConfiguration",
    "s3filesVolumeConfiguration": "s3filesVolumeConfiguration",
}


def _volume(given: Mapping[str, Any]) -> dict[str, Any]:
    volume: dict[str, Any] = {"name": given["name"]}
    if given.get("hostPath"):
        volume["host"] = {"sourcePath": given["hostPath"]}
    if given.get("configureAtLaunch"):
        volume["configuredAtLaunch"] = True
    for ours, theirs in _SAME_VOLUME_MEMBERS.items():
        if given.get(ours):
            volume[theirs] = without_absent(given[ours])
    if efs := given.get("efsVolumeConfiguration"):
        renamed = {"fileSystemId": "fileSystemId", "rootDirectory": "rootDirectory"}
        renamed |= {
            "transitEncryption": "transitEncryption",
            "transitEncryptionPort": "transitEncryptionPort",
        }
        volume["efsVolumeConfiguration"] = {
            theirs: efs[ours] for ours, theirs in renamed.items() if efs.get(ours)
        }
        if efs.get("authorizationConfig"):
            volume["efsVolumeConfiguration"]["authorizationConfig"] = without_absent(
                efs["authorizationConfig"]
            )
    return volume


def _volume_of(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": found["name"],
        "hostPath": (found.get("host") or {}).get("sourcePath", ""),
        "configureAtLaunch": bool(found.get("configuredAtLaunch", False)),
        "efsVolumeConfiguration": found.get("efsVolumeConfiguration") or None,
        **{ours: found.get(theirs) or None for ours, theirs in _SAME_VOLUME_MEMBERS.items()},
    }
