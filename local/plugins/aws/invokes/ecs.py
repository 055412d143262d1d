"""Functions about ECS clusters and services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..resource import Call, Function, Inputs
from ..resources.ecs import service as services
from ..resources.ecs import tags


def _get_cluster(call: Call, args: Inputs) -> Mapping[str, Any]:
    answer = call.client("ecs").describe_clusters(
        clusters=[args["clusterName"]], include=["TAGS", "SETTINGS"]
    )
    cluster = next((each for each in answer["clusters"] if each["status"] != "INACTIVE"), None)
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


FUNCTIONS = (
    Function("aws:ecs/getCluster:getCluster", _get_cluster, required=("clusterName",)),
    Function("aws:ecs/getService:getService", _get_service, required=("clusterArn", "serviceName")),
)
