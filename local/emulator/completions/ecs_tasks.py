"""ECS tasks: the network interface of each task, its logs and end, on a real or a simulated container engine.

Owns what happens to a task after ministack has registered it. Deliberately doesn't own services
(`completions.ecs_services`), what the containers run on (`completions.ecs_containers`), nor whether they are
healthy (`completions.ecs_health`).
Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html,
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_NetworkInterface.html
"""

from __future__ import annotations

import datetime
import logging
import time
import uuid
from functools import partial
from typing import Any

from ministack.core.concurrency import resource_lock
from ministack.core.responses import get_account_id, get_region, now_iso
from ministack.services import ecs

from local.emulator.completions.ec2_interfaces import attach_interface, detach_interface, private_dns_name
from local.emulator.completions.ecs_containers import explain_exit, show_address, simulated
from local.emulator.completions.ecs_leases import release_lease, take_lease
from local.emulator.completions.ecs_records import (
    answer_of,
    asked,
    definition_of,
    find_cluster,
    seconds_of,
    service_of,
    tags_of,
)
from local.emulator.completions.eventbridge import publish
from local.emulator.completions.patching import Request, Response, json_action, replace, wrap

logger = logging.getLogger("fileflow.ecs")

STOPPED_TASKS_KEPT_SECONDS = 3600.0
"""AWS too shows a stopped task for an hour at least."""

_SCHEDULER_REASONS = (
    "Service scaling down",
    "Task definition updated",
    "Deployment capacity limit",
    "Deployment completed",
    "Service deleted",
)


def install() -> None:
    """Completes the life of tasks."""
    replace(ecs, "_ts_to_epoch", _epoch_seconds)
    wrap(ecs, "_sanitize", _sanitize)
    wrap(ecs, "_run_task", _run_task)
    # What a caller asks for goes the way of what the scheduler asks for.
    ecs._ACTION_MAP["RunTask"] = ecs._run_task
    wrap(ecs, "_start_task_worker", _start)
    wrap(ecs, "_mark_task_stopped", _mark_stopped)


# ECS's times have milliseconds; ministack answers whole seconds, which hide who came first.


def _epoch_seconds(value: Any) -> Any:
    """A time as the API answers it; what isn't one stays as it is."""
    try:
        return datetime.datetime.fromisoformat(value).timestamp()
    except (TypeError, ValueError):
        return value


# The network interface of a task


def _network(service_or_request: Request) -> dict[str, Any]:
    configuration = service_or_request.get("networkConfiguration") or {}
    found: dict[str, Any] = configuration.get("awsvpcConfiguration") or {}
    return found


def _least_used_subnet(subnets: list[str], group: str) -> str:
    used = dict.fromkeys(subnets, 0)
    for task in ecs._tasks.values():
        if task.get("group") == group and task.get("lastStatus") != "STOPPED" and task.get("_subnet") in used:
            used[task["_subnet"]] += 1
    return min(subnets, key=lambda subnet: used[subnet])


def _attach_interface(task: dict[str, Any]) -> None:
    """Gives an awsvpc task its elastic network interface, once."""
    if task.get("_network_mode") != "awsvpc" or task.get("_interface"):
        return
    subnet_id = task.get("_subnet") or ""
    with resource_lock("fileflow-task-interface", task["taskArn"]):
        if task.get("_interface"):
            return
        attachment_id = str(uuid.uuid4())
        description = f"arn:aws:ecs:{get_region()}:{get_account_id()}:attachment/{attachment_id}"
        interface = attach_interface(
            subnet_id,
            description,
            "interface",
            task.get("_security_groups", []),
            public=bool(task.get("_public")),
        )
        interface_id, address = interface["NetworkInterfaceId"], interface["PrivateIpAddress"]
        task["_interface"] = interface_id
        task["availabilityZone"] = interface["AvailabilityZone"]
        task["attachments"] = [
            {
                "id": attachment_id,
                "type": "ElasticNetworkInterface",
                "status": "ATTACHED",
                "details": [
                    {"name": "subnetId", "value": subnet_id},
                    {"name": "networkInterfaceId", "value": interface_id},
                    {"name": "macAddress", "value": interface["MacAddress"]},
                    {"name": "privateDnsName", "value": private_dns_name(address)},
                    {"name": "privateIPv4Address", "value": address},
                ],
            }
        ]
        show_address(task, attachment_id, address)


# The life of a task


def _sanitize(original: Any, record: Any) -> Any:
    """Shows a copy: other threads complete a task, and a record that grows can't be gone through."""
    return original(record.copy() if isinstance(record, dict) else record)


def _run_task(original: Any, request: Request) -> Response:
    return json_action(partial(_run, original))(request)


def _run(original: Any, request: Request) -> dict[str, Any]:
    cluster = find_cluster(request.get("cluster"))["clusterName"]
    _forget_old_tasks()
    internal = "_deploymentId" in request
    if internal:
        request = {**request, "startedBy": request["_deploymentId"] or request.get("startedBy", "")}
    network = _network(request)
    shown = []
    for answered in answer_of(original(request))["tasks"]:
        task = ecs._tasks.get(answered["taskArn"])
        _complete_task(task, request, network)
        _attach_interface(task)
        with resource_lock("ecs-task", task["taskArn"]):
            shown.append(ecs._sanitize(task))
    if internal and shown:
        _report_started(request, cluster, shown)
    return {"tasks": shown, "failures": []}


def _complete_task(task: dict[str, Any], request: Request, network: dict[str, Any]) -> None:
    definition = definition_of(task)
    if task.get("launchType") == "FARGATE":
        task["containerInstanceArn"] = None
        task["fargateEphemeralStorage"] = task.get("ephemeralStorage") or {"sizeInGiB": 20}
        task["ephemeralStorage"] = task["fargateEphemeralStorage"]
    architecture = (definition.get("runtimePlatform") or {}).get("cpuArchitecture", "X86_64")
    task["attributes"] = [
        {"name": "ecs.cpu-architecture", "value": "arm64" if architecture == "ARM64" else "x86_64"}
    ]
    subnets = network.get("subnets") or []
    if subnets and not task.get("_interface"):
        task["_subnet"] = None
        task["_subnet"] = _least_used_subnet(subnets, task.get("group", ""))
    task["_security_groups"] = network.get("securityGroups") or []
    task["_public"] = network.get("assignPublicIp") == "ENABLED"
    tags = _tags_of_task(task, request, definition)
    if tags:
        task["tags"] = tags
        asked("TagResource", {"resourceArn": task["taskArn"], "tags": tags})


def _tags_of_task(task: dict[str, Any], request: Request, definition: dict[str, Any]) -> list[dict[str, str]]:
    """The tags given, those propagated from service or task definition, and AWS's own if they are on."""
    service = service_of(task)
    source = service or request
    tags = {tag["key"]: tag for tag in request.get("tags", [])}
    propagate = source.get("propagateTags", "NONE")
    if propagate == "SERVICE" and service:
        inherited = tags_of(service["serviceArn"])
    elif propagate == "TASK_DEFINITION":
        inherited = tags_of(definition["taskDefinitionArn"])
    else:
        inherited = []
    for tag in inherited:
        tags.setdefault(tag["key"], tag)
    if source.get("enableECSManagedTags"):
        managed = {"aws:ecs:clusterName": task["clusterArn"].rpartition("/")[2]}
        if service:
            managed["aws:ecs:serviceName"] = service["serviceName"]
        tags |= {key: {"key": key, "value": value} for key, value in managed.items()}
    return list(tags.values())


def _report_started(request: Request, cluster: str, tasks: list[dict[str, Any]]) -> None:
    name = request["group"].partition(":")[2]
    service = ecs._services.get(f"{cluster}/{name}")
    if service:
        started = " ".join(f"(task {task['taskArn'].rpartition('/')[2]})" for task in tasks)
        add_event(service, f"(service {name}) has started {len(tasks)} tasks: {started}.")


def add_event(service: dict[str, Any], message: str) -> None:
    """Puts a service event first; AWS keeps the last hundred."""
    service["events"].insert(0, {"id": str(uuid.uuid4()), "createdAt": now_iso(), "message": message})
    del service["events"][100:]


def _forget_old_tasks() -> None:
    oldest = time.time() - STOPPED_TASKS_KEPT_SECONDS
    for arn, task in ecs._tasks.items():
        if (seconds_of(task, "stoppedAt") or time.time()) < oldest:
            ecs._tasks.pop(arn, None)
            keys = [tag["key"] for tag in tags_of(arn)]
            asked("UntagResource", {"resourceArn": arn, "tagKeys": keys})


def _start(original: Any, task: dict[str, Any], *rest: Any) -> None:
    """Starts a task that has its interface, and tells of one that runs."""
    # The worker may be faster than the answer to the request that made the task.
    deadline = time.monotonic() + 5
    while task.get("_network_mode") == "awsvpc" and not task.get("_interface"):
        if task.get("lastStatus") == "STOPPED" or time.monotonic() > deadline:
            break
        time.sleep(0.005)
    original(task, *rest)
    if task.get("startedAt"):
        if simulated():
            take_lease(task)
        publish("ECS Task State Change", [task["taskArn"]], ecs._sanitize(task))


def _mark_stopped(
    original: Any,
    task_arn: str,
    task: dict[str, Any],
    reason: str,
    stop_code: str,
    exit_code: int | None = None,
) -> bool:
    stop_code, reason = stop_code_and_reason(task, stop_code, task.get("_refused", reason))
    if stop_code == "EssentialContainerExited":
        reason = "Essential container in task exited"
        explain_exit(task)
    stopped = bool(original(task_arn, task, reason, stop_code, exit_code))
    if stopped:
        report_stopped(task)
    return stopped


def stop_code_and_reason(task: dict[str, Any], stop_code: str, reason: str) -> tuple[str, str]:
    """What AWS says of a task that the service scheduler stops; else what was given."""
    if stop_code == "UserInitiated" and reason in _SCHEDULER_REASONS:
        scaling = f"Scaling activity initiated by (deployment {task.get('_deployment_id')})"
        return "ServiceSchedulerInitiated", scaling
    return stop_code, reason


def report_stopped(task: dict[str, Any]) -> None:
    """Gives a stopped task's network interface back, and tells EventBridge of it."""
    _detach_interface(task)
    if simulated():
        release_lease(task)
    publish("ECS Task State Change", [task["taskArn"]], ecs._sanitize(task))


def _detach_interface(task: dict[str, Any]) -> None:
    detach_interface(task.get("_interface"))
    for attachment in task.get("attachments", []):
        attachment["status"] = "DELETED"
