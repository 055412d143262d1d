"""How ECS's completions find a cluster, a service, a task and what belongs to it.

Owns reading references and records, by ECS's own API where it has them, and how an action is put before
ministack's. Deliberately changes no record.
Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-account-settings.html (ARNs),
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskDefinition.html
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import ecs

from local.emulator.completions.patching import AwsError, Request, Response, json_action, json_body

Record = dict[str, Any]

_MINISTACKS = dict(ecs._ACTION_MAP)
"""Its own actions, before anything was put before them."""


def serve_actions(actions: Mapping[str, Callable[[Request], Record]]) -> None:
    """Has these actions answered before ministack is asked."""
    ecs._ACTION_MAP.update({name: json_action(action) for name, action in actions.items()})


def asked(action: str, request: Request) -> Record:
    """ECS's own answer to an action; an error that it answers is raised."""
    return answer_of(ecs._ACTION_MAP[action](request))


def ask_ministack(action: str, request: Request) -> Record:
    """What ministack itself would answer; an error that it answers is raised."""
    return answer_of(_MINISTACKS[action](request))


def answer_of(response: Response) -> Record:
    """What ECS answers; an error is raised."""
    answer = json_body(response)
    if response[0] >= 400:
        raise AwsError(answer["__type"].rpartition("#")[2], answer.get("message", ""), response[0])
    return answer


def seconds_of(task: Record, moment: str) -> float | None:
    """When a task was `startedAt` or `stoppedAt`; None while it wasn't."""
    return datetime.datetime.fromisoformat(task[moment]).timestamp() if task.get(moment) else None


def name_of(reference: str | None) -> str:
    """What an ARN or a name names; nothing for an ARN of another account or region."""
    given = reference or ""
    if given.startswith("arn:") and given.split(":")[3:5] != [get_region(), get_account_id()]:
        return ""
    return given.rpartition("/")[2]


def find_cluster(reference: str | None) -> Record:
    """The cluster that a request names, the default one where it names none."""
    name = name_of(reference or "default")
    found = asked("DescribeClusters", {"clusters": [name]})["clusters"]
    if not found:
        raise AwsError("ClusterNotFoundException", "Cluster not found.")
    cluster: Record = found[0]
    return cluster


def find_service(request: Request) -> Record:
    """The service that a request names."""
    cluster = find_cluster(request.get("cluster"))
    service: Record | None = ecs._services.get(f"{cluster['clusterName']}/{name_of(request.get('service'))}")
    if service is None:
        raise AwsError("ServiceNotFoundException", "Service not found.")
    return service


def find_task(request: Request) -> Record | None:
    """The task that a request names, by its ARN or its id."""
    cluster, task_id = name_of(request.get("cluster") or "default"), name_of(request.get("task"))
    for arn, task in list(ecs._tasks.items()):
        if task["clusterArn"].endswith(f"/{cluster}") and task_id and arn.endswith(f"/{task_id}"):
            found: Record = task
            return found
    return None


def service_key(record: Record) -> str:
    """By what a task's or a service's own service is stored."""
    name = record.get("serviceName") or record.get("group", "").partition("service:")[2]
    return f"{record.get('clusterArn', '').rpartition('/')[2]}/{name}"


def service_of(task: Record) -> Record | None:
    """The service that a task belongs to."""
    if not task.get("group", "").startswith("service:"):
        return None
    service: Record | None = ecs._services.get(service_key(task))
    return service


def tasks_of(service: Record) -> list[Record]:
    """The tasks of a service, those that have stopped too."""
    group = f"service:{service['serviceName']}"
    return [
        task
        for task in list(ecs._tasks.values())
        if task.get("group") == group and task.get("clusterArn") == service["clusterArn"]
    ]


def containers_of(task: Record) -> list[tuple[Record, str]]:
    """The containers of a task that have started, each with the engine's id of it."""
    return list(zip(task.get("containers", []), task.get("_docker_ids") or [], strict=False))


def definition_of(task: Record) -> Record:
    """The task definition of a task or service; empty where it is gone."""
    arn = task.get("taskDefinitionArn") or task["taskDefinition"]
    try:
        found: Record = asked("DescribeTaskDefinition", {"taskDefinition": arn})["taskDefinition"]
    except AwsError:
        return {}
    return found


def primary_deployment(service: Record | None) -> Record | None:
    """The newest deployment of a service, or the one that it rolls back to."""
    deployments = (service or {}).get("deployments", [])
    return next((each for each in deployments if each["status"] == "PRIMARY"), None)


def address_of(task: Record) -> str | None:
    """Where a task is reached."""
    for attachment in task.get("attachments") or []:
        for detail in attachment["details"]:
            if detail["name"] == "privateIPv4Address":
                return str(detail["value"])
    address: str | None = task.get("_container_ip")
    return address


def tags_of(arn: str) -> list[dict[str, str]]:
    """The tags of a cluster, service, task definition or task."""
    tags: list[dict[str, str]] = asked("ListTagsForResource", {"resourceArn": arn})["tags"]
    return tags
