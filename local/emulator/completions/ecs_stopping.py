"""A task that is told to stop takes its time, and ECS counts it as gone meanwhile.

`maximumPercent` is the limit of RUNNING and PENDING tasks
(https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html), so at 100 % a
successor starts as soon as the old task is told to stop, and both work until that one has ended or its stop
timeout is over (https://github.com/aws/containers-roadmap/issues/959,
https://github.com/aws/amazon-ecs-agent/issues/2486). A task behind a load balancer is deregistered first
(DEACTIVATING), then its containers get SIGTERM (STOPPING):
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html

Owns the time between the two. Deliberately doesn't own why a task stops, nor what follows.
"""

from __future__ import annotations

import logging
import os
import time
from typing import Any

from ministack.core.concurrency import resource_lock, spawn_background
from ministack.core.responses import now_iso
from ministack.services import ecs, ecs_metadata

from local.emulator.completions.ecs_containers import (
    HOST_NETWORK,
    NETWORK_VARIABLE,
    find_container,
    simulated,
    stop_timeout_seconds,
)
from local.emulator.completions.ecs_records import containers_of, find_task, service_of
from local.emulator.completions.ecs_tasks import report_stopped, stop_code_and_reason
from local.emulator.completions.patching import Request, Response, wrap

logger = logging.getLogger("fileflow.ecs")

DRAINING_SECONDS = 1.0
"""What requests under way have to end in: AWS waits for the target group's deregistration delay."""


def install() -> None:
    """Lets a stop take its time."""
    wrap(ecs, "_stop_task", _stop_task)
    ecs._ACTION_MAP["StopTask"] = ecs._stop_task


def _stop_task(original: Any, request: Request) -> Response:
    task = find_task(request)
    if task is None or task["lastStatus"] != "RUNNING" or _shares_ports():
        response: Response = original(request)
        return response
    reason = request.get("reason", "Task stopped by user")
    begin_stop(task, *stop_code_and_reason(task, "UserInitiated", reason))
    with resource_lock("ecs-task", task["taskArn"]):
        answer: Response = ecs.json_response({"task": ecs._sanitize(task)})
    return answer


def _shares_ports() -> bool:
    """On the machine's own network a successor can't listen before the old container has ended."""
    return not simulated() and os.environ.get(NETWORK_VARIABLE) == HOST_NETWORK


def begin_stop(task: dict[str, Any], stop_code: str, reason: str) -> bool:
    """Tells a running task to stop: from now on it doesn't count, and gets no request any more.

    False when it has ended, or was told before.
    """
    arn = task["taskArn"]
    with resource_lock("ecs-task", arn):
        if ecs._tasks.get(arn) is not task or "STOPPED" in (task["lastStatus"], task["desiredStatus"]):
            return False
        task["version"] += 1
        balanced = bool(_balanced_service(task))
        task |= {
            "desiredStatus": "STOPPED",
            "lastStatus": "DEACTIVATING" if balanced else "STOPPING",
            "stoppingAt": now_iso(),
            "stopCode": stop_code,
            "stoppedReason": reason,
        }
    ecs_metadata.set_task_status(arn, desired_status="STOPPED")
    _recount(task)
    spawn_background(_finish, task, balanced, thread_name=f"fileflow-ecs-stop-{arn[-8:]}")
    return True


def _finish(task: dict[str, Any], balanced: bool) -> None:
    """Drains, stops the containers within their stop timeouts, and reports the task as stopped."""
    if balanced:
        if not simulated():
            time.sleep(DRAINING_SECONDS)
        with resource_lock("ecs-task", task["taskArn"]):
            task["lastStatus"] = "STOPPING"
    ended = [(shown, _stopped(container_id)) for shown, container_id in containers_of(task)]
    with resource_lock("ecs-task", task["taskArn"]):
        for shown, exit_code in ended:
            shown["exitCode"] = exit_code
    ecs._cleanup_task_resources(task, ecs._get_docker())
    with resource_lock("ecs-task", task["taskArn"]):
        # DEPROVISIONING and STOPPED count, as in ministack's own sequence.
        task["version"] += 2
        stopped_at = now_iso()
        task |= {"lastStatus": "STOPPED", "executionStoppedAt": stopped_at, "stoppedAt": stopped_at}
        for shown in task.get("containers", []):
            shown["lastStatus"] = "STOPPED"
    ecs_metadata.set_task_status(task["taskArn"], known_status="STOPPED", desired_status="STOPPED")
    ecs_metadata.set_all_container_status(task["taskArn"], "STOPPED")
    report_stopped(task)
    _recount(task)


def _stopped(container_id: str) -> int | None:
    """Stops a container, and returns what it exited with."""
    container = find_container(container_id)
    if container is None:
        return None
    try:
        container.stop(timeout=stop_timeout_seconds(container))
        container.reload()
    except Exception as error:  # noqa: BLE001 - it is removed by force afterwards, whatever the reason
        logger.warning("container %s can't be stopped: %s", container.name, error)
        return None
    code: int | None = (container.attrs.get("State") or {}).get("ExitCode")
    return code


def _balanced_service(task: dict[str, Any]) -> dict[str, Any] | None:
    service = service_of(task)
    return service if service and service.get("loadBalancers") else None


def _recount(task: dict[str, Any]) -> None:
    ecs._refresh_service_state(task["clusterArn"].rpartition("/")[2], task.get("group", ""))
