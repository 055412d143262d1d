"""Functions about ECS clusters, services and task definitions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import documents
from ..resource import Call, Function, Inputs
from ..resources.ecs import cluster as clusters
from ..resources.ecs import service as services
from ..resources.ecs import tags
from ..resources.ecs import task_definition as definitions


def _get_cluster(call: Call, args: Inputs) -> Mapping[str, Any]:
    cluster = clusters.find(call, args["clusterName"])
    if cluster is None:
        raise LookupError(f"no ECS cluster {args['clusterName']!r} in {call.region}")
    namespace = cluster.get("serviceConnectDefaults")
    return {
        "id": cluster["clusterArn"],
        "arn": cluster["clusterArn"],
        "status": cluster["status"],
        "pendingTasksCount": cluster.get("pendingTasksCount", 0),
        "runningTasksCount": cluster.get("runningTasksCount", 0),
        "registeredContainerInstancesCount": cluster.get("registeredContainerInstancesCount", 0),
        "settings": [{"name": s["name"], "value": s["value"]} for s in cluster.get("settings") or []],
        "serviceConnectDefaults": [namespace] if namespace else [],
        "tags": tags.from_ecs(cluster.get("tags")),
    }


def _get_clusters(call: Call, args: Inputs) -> Mapping[str, Any]:
    del args
    pages = call.client("ecs").get_paginator("list_clusters").paginate()
    return {"clusterArns": [arn for page in pages for arn in page["clusterArns"]]}


def _time(moment: Any) -> str:
    return moment.isoformat() if moment is not None else ""


def _get_service(call: Call, args: Inputs) -> Mapping[str, Any]:
    answer = call.client("ecs").describe_services(
        cluster=args["clusterArn"], services=[args["serviceName"]], include=["TAGS"]
    )
    found = [s for s in answer["services"] if s.get("status") != "INACTIVE"]
    if not found:
        raise LookupError(f"no ECS service {args['serviceName']!r} in cluster {args['clusterArn']!r}")
    service = found[0]
    outputs = services.outputs_of(service)
    deployment = service.get("deploymentConfiguration") or {}
    return {
        **{
            name: outputs[name]
            for name in (
                "id",
                "arn",
                "availabilityZoneRebalancing",
                "capacityProviderStrategies",
                "desiredCount",
                "enableEcsManagedTags",
                "enableExecuteCommand",
                "healthCheckGracePeriodSeconds",
                "iamRole",
                "launchType",
                "loadBalancers",
                "orderedPlacementStrategies",
                "placementConstraints",
                "platformVersion",
                "propagateTags",
                "schedulingStrategy",
                "taskDefinition",
            )
        },
        "clusterArn": service["clusterArn"],
        "createdAt": _time(service.get("createdAt")),
        "createdBy": service.get("createdBy", ""),
        "deploymentConfigurations": [
            {
                "maximumPercent": outputs["deploymentMaximumPercent"],
                "minimumHealthyPercent": outputs["deploymentMinimumHealthyPercent"],
                "strategy": deployment.get("strategy", "ROLLING"),
                "bakeTimeInMinutes": str(deployment.get("bakeTimeInMinutes", 0)),
                "deploymentCircuitBreakers": _listed(outputs["deploymentCircuitBreaker"]),
                "alarms": _listed(outputs["alarms"]),
            }
        ],
        "deploymentControllers": _listed(outputs["deploymentController"]),
        "deployments": [
            {
                **{name: d.get(name) for name in ("id", "status", "taskDefinition")},
                **{name: d.get(name, 0) for name in ("desiredCount", "pendingCount", "runningCount")},
                "createdAt": _time(d.get("createdAt")),
                "updatedAt": _time(d.get("updatedAt")),
            }
            for d in service.get("deployments") or []
        ],
        "events": [
            {"id": e.get("id"), "message": e.get("message"), "createdAt": _time(e.get("createdAt"))}
            for e in service.get("events") or []
        ],
        "networkConfigurations": _listed(outputs["networkConfiguration"]),
        "pendingCount": service.get("pendingCount", 0),
        "platformFamily": service.get("platformFamily", ""),
        "runningCount": service.get("runningCount", 0),
        "serviceRegistries": _listed(outputs["serviceRegistries"]),
        "status": service.get("status", ""),
        "tags": outputs["tagsAll"],
        "taskSets": [],
    }


def _listed(block: Any) -> list[Any]:
    """A block as functions give it: a list of at most one."""
    return [block] if block else []


def _describe(call: Call, name: str) -> Mapping[str, Any]:
    answer: Mapping[str, Any] = call.client("ecs").describe_task_definition(taskDefinition=name)
    definition: Mapping[str, Any] = answer["taskDefinition"]
    return definition


def _get_task_definition(call: Call, args: Inputs) -> Mapping[str, Any]:
    definition = _describe(call, args["taskDefinition"])
    outputs = definitions.outputs_of(definition)
    return {
        **{
            name: outputs[name]
            for name in (
                "arn",
                "arnWithoutRevision",
                "cpu",
                "enableFaultInjection",
                "executionRoleArn",
                "family",
                "ipcMode",
                "memory",
                "networkMode",
                "pidMode",
                "placementConstraints",
                "requiresCompatibilities",
                "revision",
                "taskRoleArn",
            )
        },
        "id": definition["taskDefinitionArn"],
        "status": definition.get("status", "ACTIVE"),
        "containerDefinitions": documents.to_text(definition["containerDefinitions"]),
        "ephemeralStorages": _listed(outputs["ephemeralStorage"]),
        "proxyConfigurations": _listed(outputs["proxyConfiguration"]),
        "runtimePlatforms": _listed(outputs["runtimePlatform"]),
        "volumes": [
            {"name": v["name"], "hostPath": v["hostPath"], "configureAtLaunch": v["configureAtLaunch"]}
            for v in outputs["volumes"]
        ],
    }


def _get_container_definition(call: Call, args: Inputs) -> Mapping[str, Any]:
    definition = _describe(call, args["taskDefinition"])
    name = args["containerName"]
    container = next((c for c in definition["containerDefinitions"] if c.get("name") == name), None)
    if container is None:
        raise LookupError(f"{args['taskDefinition']} has no container {name!r}")
    image = str(container.get("image", ""))
    return {
        "id": f"{args['taskDefinition']}/{name}",
        "image": image,
        "imageDigest": image.partition("@")[2] or image.rpartition(":")[2],
        "cpu": container.get("cpu", 0),
        "memory": container.get("memory", 0),
        "memoryReservation": container.get("memoryReservation", 0),
        "disableNetworking": bool(container.get("disableNetworking", False)),
        "dockerLabels": dict(container.get("dockerLabels") or {}),
        "environment": {e["name"]: e["value"] for e in container.get("environment") or []},
    }


FUNCTIONS = (
    Function("aws:ecs/getCluster:getCluster", _get_cluster, required=("clusterName",)),
    Function("aws:ecs/getClusters:getClusters", _get_clusters),
    Function(
        "aws:ecs/getContainerDefinition:getContainerDefinition",
        _get_container_definition,
        required=("containerName", "taskDefinition"),
    ),
    Function("aws:ecs/getService:getService", _get_service, required=("clusterArn", "serviceName")),
    Function(
        "aws:ecs/getTaskDefinition:getTaskDefinition", _get_task_definition, required=("taskDefinition",)
    ),
)
