"""How long a service waits before it starts a task again whose predecessors failed.

ECS starts the next task later and later while tasks go from PENDING to STOPPED, says so by an event, and
forgets it at once with a new task definition; a task that ran isn't among them.
Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-throttle-logic.html

Faked: after ten failures those that ran wait too, without the event. Fargate needs a while to start any task;
here none does, and a container that ends at once would keep the machine busy. The wait ends at a minute, not
at 27 of them.

Deliberately doesn't own what a failure means to a deployment: ministack counts it, at once.
"""

from __future__ import annotations

import time
from typing import Any

from ministack.core.concurrency import spawn_background
from ministack.core.responses import now_iso
from ministack.services import ecs

from local.emulator.completions.ecs_records import seconds_of, service_key, service_of
from local.emulator.completions.ecs_tasks import add_event
from local.emulator.completions.eventbridge import publish
from local.emulator.completions.patching import Request, Response, wrap

FAILURES_WITHOUT_DELAY = 10
LONGEST_DELAY_SECONDS = 60.0


def install() -> None:
    """Delays what a service starts after its failures, and nothing else of it."""
    wrap(ecs, "_record_service_task_failure", _record)
    wrap(ecs, "_run_task", _unless_delayed)


def _unless_delayed(original: Any, request: Request) -> Response:
    if "_deploymentId" in request:
        service = service_of({"clusterArn": request["cluster"], "group": request["group"]})
        if service and service.get("_delayed_definition") == request["taskDefinition"]:
            nothing: Response = ecs.json_response({"tasks": [], "failures": []})
            return nothing
    response: Response = original(request)
    return response


def _record(original: Any, task: dict[str, Any], digest_resolution_failed: bool = False) -> None:
    service = service_of(task)
    if service and not digest_resolution_failed:
        _count(service, task)
    original(task, digest_resolution_failed)


def _count(service: dict[str, Any], task: dict[str, Any]) -> None:
    definition = task["taskDefinitionArn"]
    started = seconds_of(task, "startedAt")
    in_a_row, never_ran = service.get("_failures", {}).get(definition, (0, 0))
    ended = seconds_of(task, "stoppedAt") or time.time()
    if started is not None and ended - started > LONGEST_DELAY_SECONDS:
        in_a_row = 0
    in_a_row, never_ran = in_a_row + 1, never_ran + 1 if started is None else 0
    service["_failures"] = {definition: (in_a_row, never_ran)}
    if never_ran == FAILURES_WITHOUT_DELAY + 1:
        _say_so(service)
    if in_a_row > FAILURES_WITHOUT_DELAY:
        delay_seconds = min(2.0 ** (in_a_row - FAILURES_WITHOUT_DELAY), LONGEST_DELAY_SECONDS)
        service["_delayed_definition"] = definition
        spawn_background(
            _go_on_later, service, delay_seconds, thread_name=f"fileflow-ecs-delayed-{service['serviceName']}"
        )


def _go_on_later(service: dict[str, Any], delay_seconds: float) -> None:
    time.sleep(delay_seconds)
    service.pop("_delayed_definition", None)
    ecs._reconcile_service_tasks(service["clusterArn"].rpartition("/")[2], service_key(service))


def _say_so(service: dict[str, Any]) -> None:
    """Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_events.html."""
    name = service["serviceName"]
    add_event(service, f"(service {name}) is unable to consistently start tasks successfully.")
    publish(
        "ECS Service Action",
        [service["serviceArn"]],
        {
            "eventType": "WARN",
            "eventName": "SERVICE_TASK_START_IMPAIRED",
            "clusterArn": service["clusterArn"],
            "createdAt": now_iso(),
        },
    )
