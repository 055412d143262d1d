"""Functions about ECS clusters and services: where they are and what runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..resource import Call, Inputs, function, tag_map


def _active(found: Iterable[Mapping[str, Any]], what: str) -> Mapping[str, Any]:
    active = next((each for each in found if each["status"] != "INACTIVE"), None)
    if active is None:
        raise LookupError(f"no ECS {what}")
    return active


@function("aws:ecs/getCluster:getCluster", required="clusterName")
def _get_cluster(call: Call, args: Inputs) -> Mapping[str, Any]:
    name = args["clusterName"]
    answer = call.client("ecs").describe_clusters(clusters=[name], include=["TAGS", "SETTINGS"])
    cluster = _active(answer["clusters"], f"cluster {name!r} in {call.region}")
    counts = ("pendingTasksCount", "runningTasksCount", "registeredContainerInstancesCount")
    return {
        "id": cluster["clusterArn"],
        "arn": cluster["clusterArn"],
        "status": cluster["status"],
        **{count: cluster.get(count, 0) for count in counts},
        "settings": cluster.get("settings") or [],
        "tags": tag_map(cluster.get("tags"), "key", "value"),
    }


@function("aws:ecs/getService:getService", required="clusterArn serviceName")
def _get_service(call: Call, args: Inputs) -> Mapping[str, Any]:
    cluster, name = args["clusterArn"], args["serviceName"]
    answer = call.client("ecs").describe_services(cluster=cluster, services=[name], include=["TAGS"])
    service = _active(answer["services"], f"service {name!r} in cluster {cluster!r}")
    same = ("desiredCount", "launchType", "pendingCount", "runningCount", "status", "taskDefinition")
    return {
        **{each: service.get(each) for each in same},
        "id": service["serviceArn"],
        "arn": service["serviceArn"],
        "clusterArn": service["clusterArn"],
        "tags": tag_map(service.get("tags"), "key", "value"),
    }
