"""ECS's clusters: made with defaults for Service Connect, and not deleted while anything works in them.

Owns their two actions, of which ministack's lose the former and don't mind the latter; all else of a cluster
is ministack's.
Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateCluster.html,
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeleteCluster.html
"""

from __future__ import annotations

from ministack.services import ecs

from local.emulator.completions.ecs_records import Record, ask_ministack, asked, find_cluster, serve_actions
from local.emulator.completions.patching import AwsError, Request


def install() -> None:
    """Completes clusters."""
    serve_actions({"CreateCluster": _create_cluster, "DeleteCluster": _delete_cluster})


def _create_cluster(request: Request) -> Record:
    """Keeps the defaults for Service Connect, as an update does."""
    answer = ask_ministack("CreateCluster", request)
    defaults = request.get("serviceConnectDefaults")
    if not defaults:
        return answer
    return asked("UpdateCluster", {"cluster": request.get("clusterName"), "serviceConnectDefaults": defaults})


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
