"""A service whose tasks are registered in a target group that is gone can't deploy.

Elastic Load Balancing lets a target group go that no listener uses, whatever is registered in it, and ECS
then can't deregister the tasks: without an error a deployment neither starts a task nor stops one, until
somebody stops the old ones by hand.
Source: https://github.com/aws/containers-roadmap/issues/2196, https://github.com/aws/containers-roadmap/issues/1884,
https://github.com/hashicorp/terraform-provider-aws/issues/34337

Owns that stall alone. Doesn't own when tasks are registered, which is ministack's own.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from ministack.core.concurrency import spawn_background
from ministack.services import alb, ecs

from local.emulator.completions.patching import wrap

LOOK_AGAIN_SECONDS = 0.5


def install() -> None:
    """Lets no deployment get past tasks that can't be deregistered."""
    wrap(ecs, "_reconcile_service_tasks", _unless_stalled)


def _unless_stalled(original: Any) -> Any:
    def reconcile(cluster_name: str, service_key: str) -> None:
        service = ecs._services.get(service_key)
        if service is None or not any(_undrainable(service)):
            original(cluster_name, service_key)
        elif not service.get("_stalled"):
            service["_stalled"] = True
            spawn_background(
                _go_on_later,
                cluster_name,
                service_key,
                service,
                thread_name=f"fileflow-ecs-stalled-{service['serviceName']}",
            )

    return reconcile


def _go_on_later(cluster_name: str, service_key: str, service: dict[str, Any]) -> None:
    while service["status"] == "ACTIVE" and any(_undrainable(service)):
        time.sleep(LOOK_AGAIN_SECONDS)
    service["_stalled"] = False
    ecs._reconcile_service_tasks(cluster_name, service_key)


def _undrainable(service: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The service's running tasks that are registered in a target group which no longer exists."""
    lost = {
        address
        for group_arn, addresses in service.get("_published_targets", {}).items()
        if group_arn not in alb._tgs
        for address in addresses
    }
    for task in list(ecs._tasks.values()):
        if task.get("lastStatus") == "RUNNING" and ecs._task_ip(task) in lost:
            yield task
