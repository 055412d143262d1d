"""ECS's clusters: not deleted while anything works in them.

All else of a cluster is ministack's.
Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeleteCluster.html
"""

from __future__ import annotations

from ministack.services import ecs

from local.emulator.completions.ecs_records import Record, ask_ministack, find_cluster, serve_actions
from local.emulator.completions.patching import AwsError, Request


def install() -> None:
    """Completes clusters."""
    serve_actions({"DeleteCluster": _delete_cluster})


def _delete_cluster(request: Request) -> Record:
    arn = find_cluster(request.get("cluster"))["clusterArn"]
    if any(each["status"] == "ACTIVE" for each in ecs._services.values() if each["clusterArn"] == arn):
        raise AwsError(
            "ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active."
        )
    if any(each["lastStatus"] != "STOPPED" for each in ecs._tasks.values() if each["clusterArn"] == arn):
        raise AwsError(
            "ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active."
        )
    return ask_ministack("DeleteCluster", request)
