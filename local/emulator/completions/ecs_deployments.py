"""The deployments of ECS's services: what each was made of, how it ends, and what a rollback brings back.

Owns a deployment's revision, its words and events, and the history that `ListServiceDeployments` shows.
Deliberately leaves to ministack when a deployment starts and stops tasks, and when it fails.
Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html,
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-revision.html
"""

from __future__ import annotations

import copy
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import ecs

from local.emulator.completions.ecs_records import (
    Record,
    find_service,
    primary_deployment,
    serve_actions,
    service_of,
    tasks_of,
)
from local.emulator.completions.ecs_tasks import add_event
from local.emulator.completions.eventbridge import publish
from local.emulator.completions.patching import Request, wrap

FARGATE_PLATFORM_VERSION = "1.4.0"
CONNECT = "serviceConnectConfiguration"
"""What a service shows in its deployments only."""
# What a service revision remembers besides its task definition, and a rollback brings back.
REVISION_FIELDS = (
    "loadBalancers",
    "networkConfiguration",
    "capacityProviderStrategy",
    "launchType",
    "platformVersion",
    f"_{CONNECT}",
)
_BREAKER_REASON = "ECS deployment circuit breaker: tasks failed to start."
_ENDS = ("SUCCESSFUL", "STOPPED", "ROLLBACK_FAILED", "ROLLBACK_SUCCESSFUL")


def install() -> None:
    """Completes deployments."""
    wrap(ecs, "_refresh_service_state", _refresh_service_state)
    wrap(ecs, "_complete_service_deployment", _complete_service_deployment)
    wrap(ecs, "_reconcile_service_tasks", _stop_what_never_ran)
    wrap(ecs, "_reconcile_service_tasks", _reconcile_what_was_put_back)
    serve_actions({"ListServiceDeployments": _list_service_deployments})


def complete_newest_deployment(service: Record) -> None:
    """Shows on the newest deployment what it was made of, and keeps it in the service's history."""
    deployment = service["deployments"][0]
    deployed = service.setdefault("_deployed", [])
    if any(known is deployment for known in deployed):
        return
    fargate = service.get("platformFamily") is not None
    version = service.get("platformVersion")
    if deployment["rolloutState"] == "IN_PROGRESS":
        deployment["rolloutStateReason"] = f"ECS deployment {deployment['id']} in progress."
    deployment |= {
        "launchType": service.get("launchType"),
        "capacityProviderStrategy": service.get("capacityProviderStrategy"),
        "networkConfiguration": service.get("networkConfiguration"),
        "platformVersion": FARGATE_PLATFORM_VERSION if fargate and version == "LATEST" else version,
        "platformFamily": service.get("platformFamily"),
        CONNECT: service.get(f"_{CONNECT}"),
    }
    connect = service.get(f"_{CONNECT}") or {}
    if connect.get("enabled"):
        deployment["serviceConnectResources"] = [
            {
                "discoveryName": item.get("discoveryName") or item["portName"],
                "discoveryArn": f"arn:aws:servicediscovery:{get_region()}:{get_account_id()}:service/"
                f"srv-{deployment['id'].rpartition('/')[2][:16]}",
            }
            for item in connect.get("services") or []
        ]
    deployment["_revision"] = {name: copy.deepcopy(service.get(name)) for name in REVISION_FIELDS}
    deployed.append(deployment)
    _publish(service, deployment, "INFO", "SERVICE_DEPLOYMENT_IN_PROGRESS")


def _publish(service: Record, deployment: Record, event_type: str, name: str) -> None:
    publish(
        "ECS Deployment State Change",
        [service["serviceArn"]],
        {
            "eventType": event_type,
            "eventName": name,
            "deploymentId": deployment["id"],
            "updatedAt": deployment["updatedAt"],
            "reason": deployment["rolloutStateReason"],
        },
    )


def _refresh_service_state(original: Any, cluster_name: str, group: str) -> None:
    original(cluster_name, group)
    service = service_of({"clusterArn": cluster_name, "group": group})
    if service is not None:
        _word_as_aws(service)
        _remember_ends(service)
        _drop_rolled_back(service)


def _complete_service_deployment(
    original: Any, cluster_name: str, service_key: str, expected_deployment_id: str | None = None
) -> None:
    service = ecs._services.get(service_key)
    primary = primary_deployment(service) if service else None
    before = primary.get("rolloutState") if primary else None
    original(cluster_name, service_key, expected_deployment_id)
    if service and primary and before == "IN_PROGRESS" and primary.get("rolloutState") == "COMPLETED":
        name = service["serviceName"]
        primary["rolloutStateReason"] = f"ECS deployment {primary['id']} completed."
        add_event(service, f"(service {name}) (deployment {primary['id']}) deployment completed.")
        add_event(service, f"(service {name}) has reached a steady state.")
        _publish(service, primary, "INFO", "SERVICE_DEPLOYMENT_COMPLETED")
        _remember_ends(service)
        _drop_rolled_back(service)


def _reconcile_what_was_put_back(original: Any, cluster_name: str, service_key: str) -> None:
    """A rollback brings the whole revision back, its network and capacity too, before it starts tasks.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-revision.html
    """
    service = ecs._services.get(service_key)
    deployed = (service or {}).get("_deployed") or []
    primary = primary_deployment(service) if service else None
    if service and primary and any(known is primary for known in deployed[:-1]):
        service.update({name: copy.deepcopy(primary["_revision"][name]) for name in REVISION_FIELDS})
    original(cluster_name, service_key)


def _stop_what_never_ran(original: Any, cluster_name: str, service_key: str) -> None:
    """Older tasks that don't run yet make room for a new deployment's first: no minimum keeps them.

    ministack stops RUNNING ones alone, so that at 0/100 a task that waits to start would keep its successor
    from starting. Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html
    (`minimumHealthyPercent` is of tasks "that must remain in the RUNNING state").
    """
    service = ecs._services.get(service_key)
    primary = primary_deployment(service) if service else None
    if service and primary and primary.get("rolloutState") == "IN_PROGRESS":
        for task in tasks_of(service):
            waits = task.get("lastStatus") in ("PROVISIONING", "PENDING", "ACTIVATING")
            if waits and task.get("_deployment_id") != primary["id"]:
                ecs._stop_task(
                    {"cluster": cluster_name, "task": task["taskArn"], "reason": "Deployment capacity limit"}
                )
    original(cluster_name, service_key)


def _word_as_aws(service: Record) -> None:
    """Words a tripped circuit breaker as AWS does, which is what people search their logs for."""
    name = service["serviceName"]
    for deployment in service["deployments"]:
        reason = deployment.get("rolloutStateReason", "")
        if deployment.get("rolloutState") == "FAILED" and "consecutive task failures" in reason:
            deployment["rolloutStateReason"] = _BREAKER_REASON
            _publish(service, deployment, "ERROR", "SERVICE_DEPLOYMENT_FAILED")
            for event in service["events"]:
                if event["message"].endswith("deployment circuit breaker was triggered."):
                    event["message"] = (
                        f"(service {name}) (deployment {deployment['id']}) deployment failed: "
                        "tasks failed to start."
                    )
                if event["message"].endswith("rolled back to the last completed deployment."):
                    primary = primary_deployment(service) or deployment
                    event["message"] = f"(service {name}) rolling back to deployment {primary['id']}."


def _drop_rolled_back(service: Record) -> None:
    """A failed deployment disappears from a service that has rolled back to a steady state, so that waiters
    end."""
    primary = primary_deployment(service)
    if primary is None or primary.get("rolloutState") != "COMPLETED":
        return
    service["deployments"] = [
        deployment
        for deployment in service["deployments"]
        if deployment is primary or deployment.get("runningCount") or deployment.get("pendingCount")
    ]


def _remember_ends(service: Record) -> None:
    """What has ended has ended: a former deployment stays successful, also when it is rolled back to.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html
    """
    for deployment in service.get("_deployed") or []:
        ended = _deployment_status(service, deployment)
        if ended[0] in _ENDS:
            deployment["_ended"] = ended


def _deployment_status(service: Record, deployment: Record) -> tuple[str, str]:
    """The status of a service deployment, and why."""
    if "_ended" in deployment:
        ended: tuple[str, str] = deployment["_ended"]
        return ended
    state = deployment.get("rolloutState")
    reason = deployment.get("rolloutStateReason", "")
    if "consecutive task failures" in reason:
        # Asked between the failure and the refresh that words it.
        reason = _BREAKER_REASON
    if state == "COMPLETED":
        return "SUCCESSFUL", ""
    primary = primary_deployment(service)
    if state == "FAILED":
        if primary is deployment or primary is None:
            return "STOPPED", reason
        ends = {"COMPLETED": "ROLLBACK_SUCCESSFUL", "FAILED": "ROLLBACK_FAILED"}
        return ends.get(primary["rolloutState"], "ROLLBACK_IN_PROGRESS"), reason
    if service["status"] != "ACTIVE" or deployment is not primary:
        return "STOPPED", "A newer deployment took its place."
    return "IN_PROGRESS", ""


def service_deployment_arn(service: Record, deployment: Record) -> str:
    tail = service["serviceArn"].rpartition(":service/")[2]
    number = deployment["id"].rpartition("/")[2]
    return f"arn:aws:ecs:{get_region()}:{get_account_id()}:service-deployment/{tail}/{number}"


def _list_service_deployments(request: Request) -> Record:
    service = find_service(request)
    listed = []
    for deployment in reversed(service.get("_deployed") or []):
        status, reason = _deployment_status(service, deployment)
        # ministack keeps some as texts, which Go's clients don't read as a time.
        created_at, updated_at = (ecs._ts_to_epoch(deployment[name]) for name in ("createdAt", "updatedAt"))
        arn = service_deployment_arn(service, deployment)
        view = {
            "serviceDeploymentArn": arn,
            "serviceArn": service["serviceArn"],
            "clusterArn": service["clusterArn"],
            "startedAt": created_at,
            "createdAt": created_at,
            "status": status,
            "statusReason": reason,
            "targetServiceRevisionArn": arn.replace(":service-deployment/", ":service-revision/"),
        }
        under_way = status in {"IN_PROGRESS", "ROLLBACK_IN_PROGRESS"}
        listed.append(view if under_way else view | {"finishedAt": updated_at})
    return {"serviceDeployments": listed}
