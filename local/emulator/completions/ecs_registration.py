"""In which target groups a service's tasks are registered, and what becomes of those whose group is gone.

A task is registered in the groups, and at the port, of the service revision that started it: while a changed
load balancer is rolled out, the old tasks stay where they are.
Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-revision.html

Elastic Load Balancing lets a target group go that no listener uses, whatever is registered in it, and ECS
then can't deregister the tasks: without an error a deployment neither starts a task nor stops one, until
somebody stops the old ones by hand.
Source: https://github.com/aws/containers-roadmap/issues/2196, https://github.com/aws/containers-roadmap/issues/1884,
https://github.com/hashicorp/terraform-provider-aws/issues/34337

Deliberately doesn't own whether a target is healthy (`completions.ecs_health`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from ministack.core.concurrency import resource_lock, spawn_background
from ministack.services import alb, ecs

from local.emulator.completions.ecs_records import address_of, tasks_of
from local.emulator.completions.elbv2_records import target_group
from local.emulator.completions.patching import replace, wrap

LOOK_AGAIN_SECONDS = 0.5


def install() -> None:
    """Registers tasks by their own revision, and lets no deployment get past those whose group is gone."""
    replace(ecs, "_sync_service_targets", _register)
    wrap(ecs, "_reconcile_service_tasks", _unless_stalled)


def load_balancers_of(service: dict[str, Any], task: dict[str, Any]) -> list[dict[str, Any]]:
    """The load balancers of the service revision that started a task."""
    for deployment in service.get("_deployed") or []:
        if deployment["id"] == task.get("_deployment_id"):
            return deployment["_revision"]["loadBalancers"] or []
    return service.get("loadBalancers") or []


def _register(_cluster_name: str, service: dict[str, Any]) -> None:
    """Publishes the running tasks in their target groups, and withdraws those that were published before."""
    published = service.setdefault("_published_targets", {})
    targets: dict[str, list[tuple[str, int]]] = {arn: [] for arn in published}
    for task in tasks_of(service):
        address = address_of(task)
        if address and service["status"] == "ACTIVE" and task.get("lastStatus") == "RUNNING":
            for balancer in load_balancers_of(service, task):
                arn = balancer["targetGroupArn"]
                targets.setdefault(arn, []).append((address, balancer["containerPort"]))
    for arn, group in targets.items():
        with resource_lock("elbv2-targets", arn):
            alb.set_targets_for_group(arn, group, published.get(arn, ()))
            published[arn] = [address for address, _ in group]


def _unless_stalled(original: Any, cluster_name: str, service_key: str) -> None:
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
        if addresses and target_group(group_arn) is None
        for address in addresses
    }
    for task in tasks_of(service):
        if task.get("lastStatus") == "RUNNING" and address_of(task) in lost:
            yield task
