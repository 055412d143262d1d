"""ECS tasks: the network interface of each task, its logs and end, on a real or a simulated container engine.

Owns what happens to a task after ministack has registered it. Deliberately doesn't own services and their
deployments (`completions.ecs`), nor the simulated engine itself (`local.emulator.simulated_engine`).
"""

from __future__ import annotations

import logging
import os
import time
import uuid
from typing import Any

from ministack.core.concurrency import resource_lock, spawn_background
from ministack.core.responses import get_account_id, get_region
from ministack.services import ec2, ecs

from local.emulator.completions.ec2 import attach_interface
from local.emulator.completions.ecr import missing_image, resolve_digest
from local.emulator.completions.eventbridge import publish
from local.emulator.completions.patching import AwsError, Request, Response, json_action, json_body, wrap
from local.emulator.simulated_engine import SimulatedEngine

logger = logging.getLogger("fileflow.ecs")

ENGINE_VARIABLE = "FILEFLOW_CONTAINER_ENGINE"
"""`auto` (a reachable Docker engine, else simulated; the default), `simulated` or `docker`."""

STOPPED_TASKS_KEPT_SECONDS = 3600.0
"""AWS too shows a stopped task for an hour at least."""

_SCHEDULER_REASONS = (
    "Service scaling down",
    "Task definition updated",
    "Deployment capacity limit",
    "Deployment completed",
    "Service deleted",
)
_FAILURES_WITHOUT_DELAY = 10
_LONGEST_DELAY_SECONDS = 60.0

_engine: Any = None
_failures_in_a_row: dict[tuple[str, str, str], int] = {}


def install() -> None:
    """Completes the life of tasks."""
    wrap(ecs, "_get_docker", _choose_engine)
    wrap(ecs, "_run_task", _run_task)
    wrap(ecs, "_mark_task_pending", _mark_pending)
    wrap(ecs, "_mark_task_running", _mark_running)
    wrap(ecs, "_mark_task_stopped", _mark_stopped)
    wrap(ecs, "_record_task_ip", _record_task_ip)
    wrap(ecs, "_run_docker_container", _run_container)
    wrap(ecs, "_build_run_kwargs", _complete_run_options)
    wrap(ecs, "_record_service_task_failure", _throttle_failing_service)


def engine_name() -> str:
    """What containers run on: `docker`, `simulated`, or `undecided` before the first task."""
    if _engine is None:
        return "undecided"
    return "simulated" if isinstance(_engine, SimulatedEngine) else "docker"


def _choose_engine(original: Any) -> Any:
    def get_engine() -> Any:
        global _engine  # noqa: PLW0603 - one engine per process, chosen at the first use
        if _engine is None:
            wanted = os.environ.get(ENGINE_VARIABLE, "auto")
            real = None if wanted == "simulated" else original()
            if real is None and wanted == "docker":
                raise RuntimeError(f"{ENGINE_VARIABLE} is docker, but no Docker engine answers")
            _engine = real or SimulatedEngine(resolve_digest)
            logger.info("containers run on: %s", engine_name())
        return _engine

    return get_engine


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
        interface = attach_interface(subnet_id, description, "interface", task.get("_security_groups", []))
        interface_id, address = interface["NetworkInterfaceId"], interface["PrivateIpAddress"]
        if task.get("_public"):
            interface["PublicIp"] = ec2._random_ip("52.")
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
                    {
                        "name": "privateDnsName",
                        "value": f"ip-{address.replace('.', '-')}.{get_region()}.compute.internal",
                    },
                    {"name": "privateIPv4Address", "value": address},
                ],
            }
        ]
        _show_address(task, attachment_id, address)


def _show_address(task: dict[str, Any], attachment_id: str, address: str) -> None:
    for container in task.get("containers", []):
        container["networkInterfaces"] = [{"attachmentId": attachment_id, "privateIpv4Address": address}]


def _record_task_ip(original: Any) -> Any:
    """A container with an address of its own is reached there, so that one is the task's."""

    def record(task: dict[str, Any], container: Any, network: Any) -> None:
        address = ecs._container_ip(container, network)
        if not task.get("attachments"):
            original(task, container, network)
            return
        if not address or task.get("_container_ip"):
            return
        with resource_lock("ecs-task", task["taskArn"]):
            task["_container_ip"] = address
            attachment = task["attachments"][0]
            for detail in attachment["details"]:
                if detail["name"] == "privateIPv4Address":
                    detail["value"] = address
            _show_address(task, attachment["id"], address)

    return record


# The life of a task


def _run_task(original: Any) -> Any:
    def run(request: Request) -> Response:
        cluster = ecs._resolve_cluster_name(request.get("cluster", "default"))
        if cluster not in ecs._clusters:
            return json_action(_cluster_not_found)({})
        _forget_old_tasks()
        internal = "_deploymentId" in request
        if internal:
            request = {**request, "startedBy": request["_deploymentId"] or request.get("startedBy", "")}
        response: Response = original(request)
        if response[0] >= 400:
            return response
        network = _network(request)
        shown = []
        for answered in json_body(response)["tasks"]:
            task = ecs._tasks.get(answered["taskArn"])
            _complete_task(task, request, network)
            _attach_interface(task)
            with resource_lock("ecs-task", task["taskArn"]):
                shown.append(ecs._sanitize(task))
        if internal and shown:
            _report_started(request, cluster, shown)
        completed: Response = ecs.json_response({"tasks": shown, "failures": []})
        return completed

    return run


def _cluster_not_found(_: Request) -> dict[str, Any]:
    raise AwsError("ClusterNotFoundException", "Cluster not found.")


def _complete_task(task: dict[str, Any], request: Request, network: dict[str, Any]) -> None:
    definition = ecs._task_defs.get(ecs._resolve_td_key(task["taskDefinitionArn"])) or {}
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
        ecs._tags[task["taskArn"]] = tags


def _tags_of_task(task: dict[str, Any], request: Request, definition: dict[str, Any]) -> list[dict[str, str]]:
    """The tags given, those propagated from service or task definition, and AWS's own if they are on."""
    service = _service_of(task)
    source = service or request
    tags = {tag["key"]: tag for tag in request.get("tags", [])}
    propagate = source.get("propagateTags", "NONE")
    if propagate == "SERVICE" and service:
        inherited = ecs._tags.get(service["serviceArn"], [])
    elif propagate == "TASK_DEFINITION":
        inherited = ecs._tags.get(definition.get("taskDefinitionArn", ""), [])
    else:
        inherited = []
    for tag in inherited:
        tags.setdefault(tag["key"], tag)
    if source.get("enableECSManagedTags"):
        managed = {"aws:ecs:clusterName": ecs._cluster_name_from_arn(task["clusterArn"])}
        if service:
            managed["aws:ecs:serviceName"] = service["serviceName"]
        tags |= {key: {"key": key, "value": value} for key, value in managed.items()}
    return list(tags.values())


def _service_of(task: dict[str, Any]) -> dict[str, Any] | None:
    group = task.get("group", "")
    if not group.startswith("service:"):
        return None
    cluster = ecs._cluster_name_from_arn(task.get("clusterArn", ""))
    service: dict[str, Any] | None = ecs._services.get(f"{cluster}/{group.partition(':')[2]}")
    return service


def _report_started(request: Request, cluster: str, tasks: list[dict[str, Any]]) -> None:
    name = request["group"].partition(":")[2]
    service = ecs._services.get(f"{cluster}/{name}")
    if service:
        started = " ".join(f"(task {task['taskArn'].rpartition('/')[2]})" for task in tasks)
        add_event(service, f"(service {name}) has started {len(tasks)} tasks: {started}.")


def add_event(service: dict[str, Any], message: str) -> None:
    """Puts a service event first; AWS keeps the last hundred."""
    service["events"].insert(0, {"id": str(uuid.uuid4()), "createdAt": ecs._iso(), "message": message})
    del service["events"][100:]


def _forget_old_tasks() -> None:
    oldest = time.time() - STOPPED_TASKS_KEPT_SECONDS
    for arn, task in ecs._tasks.items():
        if task.get("lastStatus") == "STOPPED" and task.get("_stopped_seconds", time.time()) < oldest:
            ecs._tasks.pop(arn, None)
            ecs._tags.pop(arn, None)


def _mark_pending(original: Any) -> Any:
    def mark(task_arn: str, task: dict[str, Any]) -> bool:
        # The worker may be faster than the answer to the request that made the task.
        deadline = time.monotonic() + 5
        while task.get("_network_mode") == "awsvpc" and not task.get("_interface"):
            if task.get("lastStatus") == "STOPPED" or time.monotonic() > deadline:
                break
            time.sleep(0.005)
        return bool(original(task_arn, task))

    return mark


def _mark_running(original: Any) -> Any:
    def mark(task_arn: str, task: dict[str, Any]) -> bool:
        definition = ecs._task_defs.get(ecs._resolve_td_key(task["taskDefinitionArn"])) or {}
        task["_started_seconds"] = time.time()
        if isinstance(_engine, SimulatedEngine):
            _simulate_health(task, definition)
        running = bool(original(task_arn, task))
        if running:
            publish("ECS Task State Change", [task_arn], ecs._sanitize(task))
        return running

    return mark


def _simulate_health(task: dict[str, Any], definition: dict[str, Any]) -> None:
    checked = {
        container["name"]
        for container in definition.get("containerDefinitions", [])
        if container.get("healthCheck")
    }
    states = []
    for container, container_id in zip(task["containers"], task.get("_docker_ids", []), strict=False):
        if container["name"] in checked:
            behaviour = _engine.containers.get(container_id).behaviour
            container["healthStatus"] = "UNHEALTHY" if behaviour.unhealthy else "HEALTHY"
            states.append(container["healthStatus"])
    if states:
        task["healthStatus"] = "UNHEALTHY" if "UNHEALTHY" in states else "HEALTHY"


def _mark_stopped(original: Any) -> Any:
    def mark(
        task_arn: str, task: dict[str, Any], reason: str, stop_code: str, exit_code: int | None = None
    ) -> bool:
        if stop_code == "UserInitiated" and reason in _SCHEDULER_REASONS:
            stop_code = "ServiceSchedulerInitiated"
            reason = f"Scaling activity initiated by (deployment {task.get('_deployment_id')})"
        if stop_code == "EssentialContainerExited":
            reason = "Essential container in task exited"
            _explain_exit(task)
        task["_stopped_seconds"] = time.time()
        stopped = bool(original(task_arn, task, reason, stop_code, exit_code))
        if stopped:
            _detach_interface(task)
            publish("ECS Task State Change", [task_arn], ecs._sanitize(task))
        return stopped

    return mark


def _explain_exit(task: dict[str, Any]) -> None:
    """Says on the container that memory ran out, as the ECS agent does."""
    for container, container_id in zip(task["containers"], task.get("_docker_ids", []), strict=False):
        try:
            state = _engine.containers.get(container_id).attrs.get("State") or {}
        except Exception as error:  # noqa: BLE001 - any engine error means that the container is gone
            logger.debug("container %s can't be inspected: %s", container_id, error)
            continue
        if state.get("OOMKilled"):
            container["reason"] = "OutOfMemoryError: Container killed due to memory usage"


def _detach_interface(task: dict[str, Any]) -> None:
    ec2._network_interfaces.pop(task.get("_interface"), None)
    for attachment in task.get("attachments", []):
        attachment["status"] = "DELETED"


def _throttle_failing_service(original: Any) -> Any:
    """Lets a service whose tasks keep failing wait longer and longer, as ECS does, instead of spinning."""

    def record(task: dict[str, Any], digest_resolution_failed: bool = False) -> None:
        key = (get_account_id(), get_region(), f"{task.get('clusterArn')}/{task.get('group')}")
        failures = _failures_in_a_row.get(key, 0) + 1
        started = task.get("_stopped_seconds", 0.0) - task.get("_started_seconds", 0.0)
        _failures_in_a_row[key] = 1 if started > _LONGEST_DELAY_SECONDS else failures
        if failures <= _FAILURES_WITHOUT_DELAY:
            original(task, digest_resolution_failed)
            return
        delay_seconds = min(2.0 ** (failures - _FAILURES_WITHOUT_DELAY), _LONGEST_DELAY_SECONDS)

        def later() -> None:
            time.sleep(delay_seconds)
            original(task, digest_resolution_failed)

        spawn_background(later, thread_name="fileflow-ecs-throttle")

    return record


# Containers


def _run_container(original: Any) -> Any:
    def run(client: Any, definition: dict[str, Any], options: dict[str, Any], **how: Any) -> Any:
        if not isinstance(client, SimulatedEngine):
            return original(client, definition, options, **how)
        problem = missing_image(definition["image"])
        if problem:
            raise ecs._ImagePullError(problem)
        return client.containers.run(
            definition["image"],
            name=definition["name"],
            labels=options["labels"],
            environment=options["environment"],
        )

    return run


def _complete_run_options(original: Any) -> Any:
    """Hands on to a real engine what a container definition says and ministack doesn't pass on."""

    def build(definition: dict[str, Any], task_definition: dict[str, Any], *rest: Any) -> dict[str, Any]:
        options: dict[str, Any] = original(definition, task_definition, *rest)
        direct = {
            "entrypoint": definition.get("entryPoint"),
            "user": definition.get("user"),
            "working_dir": definition.get("workingDirectory"),
            "hostname": definition.get("hostname"),
            "read_only": definition.get("readonlyRootFilesystem"),
        }
        options |= {name: value for name, value in direct.items() if value}
        linux = definition.get("linuxParameters") or {}
        if linux.get("initProcessEnabled"):
            options["init"] = True
        dropped = (linux.get("capabilities") or {}).get("drop")
        if dropped:
            options["cap_drop"] = dropped
        limit_mib = definition.get("memory") or task_definition.get("memory")
        if limit_mib:
            options["mem_limit"] = f"{limit_mib}m"
        tmpfs = {mount["containerPath"]: f"size={mount['size']}m" for mount in linux.get("tmpfs") or []}
        tmpfs |= _ephemeral_volumes(definition, task_definition)
        if tmpfs:
            options["tmpfs"] = tmpfs
        limits = definition.get("ulimits") or []
        if limits:
            options["ulimits"] = [
                {"Name": limit["name"], "Soft": limit["softLimit"], "Hard": limit["hardLimit"]}
                for limit in limits
            ]
        options["labels"] = {**options["labels"], **(definition.get("dockerLabels") or {})}
        return options

    return build


def _ephemeral_volumes(definition: dict[str, Any], task_definition: dict[str, Any]) -> dict[str, str]:
    """Fargate's bind mounts without a host path live as long as the task: a file system in memory does."""
    without_host = {
        volume["name"]
        for volume in task_definition.get("volumes") or []
        if not (volume.get("host") or {}).get("sourcePath") and not volume.get("efsVolumeConfiguration")
    }
    return {
        mount["containerPath"]: "ro" if mount.get("readOnly") else "mode=1777"
        for mount in definition.get("mountPoints") or []
        if mount.get("sourceVolume") in without_host
    }
