"""Whether ECS tasks are healthy: by their containers' checks and by their load balancers' target groups.

Owns when a task counts as healthy, so that a deployment waits for it, and that a service replaces one that
isn't. With a real engine a target is asked over HTTP, about once a second instead of at the target group's
interval; a simulated container is healthy unless it was told not to be. Deliberately doesn't own the tasks
(`completions.ecs_tasks`).
Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/healthcheck.html,
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
"""

from __future__ import annotations

import http.client
import time
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import ecs

from local.emulator.completions.ecs_containers import find_container, simulated
from local.emulator.completions.ecs_records import (
    address_of,
    containers_of,
    definition_of,
    seconds_of,
    service_key,
    service_of,
)
from local.emulator.completions.ecs_registration import load_balancers_of
from local.emulator.completions.ecs_stopping import begin_stop
from local.emulator.completions.elbv2_records import target_group
from local.emulator.completions.patching import wrap

CHECK_SECONDS = 0.5
PROBE_TIMEOUT_SECONDS = 2.0
_TIMED_OUT, _MISMATCH = "Request timed out", "Health checks failed with these codes"
_CODES = {_TIMED_OUT: "Timeout", _MISMATCH: "ResponseCodeMismatch"}


def install() -> None:
    """Lets ministack's watch over a task look at its health too."""
    wrap(ecs, "_maybe_mark_stopped", _watch_health)
    wrap(ecs, "_record_service_task_healthy", _only_when_ready)


def target_health(task: dict[str, Any], group_arn: str) -> dict[str, str]:
    """The health of a task as a target of a group, as DescribeTargetHealth says it."""
    if task.get("healthStatus") == "UNHEALTHY":
        return _unhealthy("Health checks failed")
    if simulated():
        return {"State": "healthy"}
    probes = task.get("_probes", {}).get(group_arn)
    if probes is None:
        return {
            "State": "initial",
            "Reason": "Elb.InitialHealthChecking",
            "Description": "Initial health checks in progress",
        }
    return {"State": "healthy"} if probes["healthy"] else _unhealthy(probes["reason"])


def _unhealthy(description: str) -> dict[str, str]:
    code = next(
        (code for words, code in _CODES.items() if description.startswith(words)), "FailedHealthChecks"
    )
    return {"State": "unhealthy", "Reason": f"Target.{code}", "Description": description}


def _checked_containers(task: dict[str, Any]) -> set[str]:
    return {
        container["name"]
        for container in definition_of(task).get("containerDefinitions", [])
        if container.get("healthCheck") and container.get("essential", True)
    }


def _target_groups(service: dict[str, Any], task: dict[str, Any]) -> list[tuple[dict[str, Any], int]]:
    """The target groups that a task is registered in, with the container's port."""
    found = []
    for balancer in load_balancers_of(service, task):
        group = target_group(balancer["targetGroupArn"])
        if group is not None:
            found.append((group, balancer["containerPort"]))
    return found


def _only_when_ready(original: Any, service_key: str, task: dict[str, Any]) -> None:
    """A task that is checked isn't healthy by having survived its start alone."""
    service = ecs._services.get(service_key)
    probed = bool(service and not simulated() and _target_groups(service, task))
    if (_checked_containers(task) or probed) and not task.get("_ready"):
        return
    if simulated() and _is_about_to_end(task):
        return
    original(service_key, task)


def _is_about_to_end(task: dict[str, Any]) -> bool:
    """Whether a container was told to end soon: it isn't stable, however late this machine looks."""
    containers = [
        find_container(container_id)
        for container_id, essential in zip(
            task.get("_docker_ids", []), task.get("_container_essentials", []), strict=False
        )
        if essential
    ]
    return any(container is None or container.behaviour.ends_soon for container in containers)


def _watch_health(original: Any, task: dict[str, Any], client: Any = None) -> None:
    original(task, client)
    now = time.monotonic()
    if task.get("lastStatus") != "RUNNING" or now < task.get("_next_check", 0.0):
        return
    task["_next_check"] = now + CHECK_SECONDS
    _check(task)


def _check(task: dict[str, Any]) -> None:
    _check_containers(task)
    service = service_of(task)
    if service is None:
        return
    groups = [] if simulated() else _target_groups(service, task)
    if not groups and not _checked_containers(task):
        return
    for group, port in groups:
        _probe(task, group, port)
    problem = _problem(task, service, groups)
    if problem:
        _replace(task, problem)
        return
    healthy = not _checked_containers(task) or task.get("healthStatus") == "HEALTHY"
    reached = all(task["_probes"][group["TargetGroupArn"]]["healthy"] for group, _ in groups)
    if healthy and reached and not task.get("_ready"):
        task["_ready"] = True
        key = service_key(task)
        ecs._schedule_service_deployment_completion(
            key.partition("/")[0], key, get_account_id(), get_region(), healthy_task=task
        )


def _check_containers(task: dict[str, Any]) -> None:
    checked = _checked_containers(task)
    states = []
    for shown, container_id in containers_of(task):
        if shown["name"] not in checked:
            continue
        container = find_container(container_id)
        if container is None:
            continue
        state = (container.attrs.get("State") or {}).get("Health") or {}
        shown["healthStatus"] = {"healthy": "HEALTHY", "unhealthy": "UNHEALTHY"}.get(
            state.get("Status", ""), "UNKNOWN"
        )
        states.append(shown["healthStatus"])
    if states:
        worst = next(state for state in ("UNHEALTHY", "UNKNOWN", "HEALTHY") if state in states)
        task["healthStatus"] = worst


def _probe(task: dict[str, Any], group: dict[str, Any], port: int) -> None:
    address = address_of(task) or ""
    check_port = port if group["HealthCheckPort"] == "traffic-port" else int(group["HealthCheckPort"])
    problem = ask(address, check_port, group["HealthCheckPath"], group["Matcher"].get("HttpCode", "200"))
    probes = task.setdefault("_probes", {}).setdefault(
        group["TargetGroupArn"], {"healthy": False, "failures": 0, "reason": ""}
    )
    probes["failures"] = 0 if problem is None else probes["failures"] + 1
    if problem is None:
        probes["healthy"] = True
    elif probes["failures"] >= group["UnhealthyThresholdCount"] or not probes["healthy"]:
        probes |= {"healthy": False, "reason": problem}


def ask(address: str, port: int, path: str, matcher: str) -> str | None:
    """Makes one health check over HTTP; returns why it failed, or None."""
    connection = http.client.HTTPConnection(address, port, timeout=PROBE_TIMEOUT_SECONDS)
    try:
        connection.request("GET", path, headers={"User-Agent": "ELB-HealthChecker/2.0"})
        status = connection.getresponse().status
    except TimeoutError:
        return _TIMED_OUT
    except (OSError, http.client.HTTPException) as error:
        return f"Connection to target failed: {error}"
    finally:
        connection.close()
    return None if code_matches(status, matcher) else f"{_MISMATCH}: [{status}]"


def code_matches(status: int, matcher: str) -> bool:
    """Whether a status is among codes like `200`, `200,302` or `200-299`."""
    for part in matcher.split(","):
        low, _, high = part.strip().partition("-")
        if int(low) <= status <= int(high or low):
            return True
    return False


def _problem(
    task: dict[str, Any], service: dict[str, Any], groups: list[tuple[dict[str, Any], int]]
) -> str | None:
    """Why the service scheduler gives a task up; failures count after the service's grace period only."""
    age_seconds = time.time() - (seconds_of(task, "startedAt") or time.time())
    grace_seconds = service.get("healthCheckGracePeriodSeconds") or 0
    balanced = bool(service.get("loadBalancers"))
    if balanced and age_seconds < grace_seconds:
        return None
    if task.get("healthStatus") == "UNHEALTHY":
        return "Task failed container health checks"
    for group, _ in groups:
        probes = task["_probes"][group["TargetGroupArn"]]
        # The group's own interval, since it is asked more often here than AWS would ask.
        patience = group["HealthCheckIntervalSeconds"] * group["UnhealthyThresholdCount"]
        if not probes["healthy"] and probes["failures"] * CHECK_SECONDS >= patience:
            return f"Task failed ELB health checks in (target-group {group['TargetGroupArn']})"
    return None


def _replace(task: dict[str, Any], reason: str) -> None:
    if begin_stop(task, "ServiceSchedulerInitiated", reason):
        ecs._record_service_task_failure(task)
