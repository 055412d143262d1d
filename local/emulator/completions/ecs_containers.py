"""What the containers of ECS tasks run on: a Docker engine, or the simulated one.

Owns the choice, and what ministack doesn't hand on to a Docker engine: entry point, user, limits, volumes,
networks, stop timeouts and the local registry in ECR's place. Deliberately doesn't own the tasks
(`completions.ecs_tasks`).

* `FILEFLOW_CONTAINER_ENGINE`: `auto` (default), `simulated` or `docker`. `auto` takes a Docker engine that
  answers if a local registry is named too, since without one images are only on paper and nothing could be
  pulled.
* `DOCKER_HOST`: the engine.
* `FILEFLOW_REGISTRY`: the registry (HOST:PORT) that holds what is addressed to ECR.
* `FILEFLOW_CONTAINER_NETWORK`: the Docker network of awsvpc tasks, where each has an address of its own;
  `host` for the machine's, where two tasks can't share a port.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any

from ministack.core.concurrency import resource_lock, spawn_background
from ministack.core.responses import get_account_id, get_region
from ministack.services import ecs

from local.emulator.completions.ec2_interfaces import show_address as show_interface_address
from local.emulator.completions.ecr import missing_image, resolve_digest
from local.emulator.completions.ecs_records import containers_of, definition_of
from local.emulator.completions.ecs_surroundings import (
    NAME_LABEL,
    await_dependencies,
    ends_first,
    refuse_start,
    show_aws,
    task_of,
)
from local.emulator.completions.patching import wrap
from local.emulator.simulated_engine import PREFIX, SimulatedEngine
from local.plugins.common.registries import REGISTRY_VARIABLE, registry_address

logger = logging.getLogger("fileflow.ecs")

ENGINE_VARIABLE = "FILEFLOW_CONTAINER_ENGINE"
NETWORK_VARIABLE = "FILEFLOW_CONTAINER_NETWORK"
HOST_NETWORK = "host"
DEFAULT_STOP_TIMEOUT_SECONDS = 30
SIMULATED_STEADY_SECONDS = 0.2
LONGEST_STOP_SECONDS = 45
"""A call that stops a task waits for it; clients give up after a minute."""

ENDS_AT_ONCE = {f"{PREFIX}EXIT": "0", f"{PREFIX}EXIT_AFTER_SECONDS": "0"}
"""What a simulated container does whose end another one waits for, unless it was told otherwise."""

_STOP_TIMEOUT_LABEL = "fileflow.stop-timeout-seconds"
_NANOSECONDS = 1_000_000_000

_engine: Any = None


def install() -> None:
    """Puts the engine and its options into ministack's ECS."""
    wrap(ecs, "_get_docker", _choose_engine)
    wrap(ecs, "_run_docker_container", _run_container)
    wrap(ecs, "_remove_docker_container", _remove_container)
    wrap(ecs, "_cleanup_task_resources", _remove_volumes)
    wrap(ecs, "_reconcile_service_tasks", _reconcile_one_at_a_time)


def simulated() -> bool:
    """Whether containers are simulated."""
    return isinstance(ecs._get_docker(), SimulatedEngine)


def engine_name() -> str:
    """What containers run on: `docker` or `simulated`; `undecided` before the first task."""
    if _engine is None:
        return "undecided"
    return "simulated" if isinstance(_engine, SimulatedEngine) else "docker"


def find_container(container_id: str) -> Any | None:
    """The engine's container, up to date; None when the engine doesn't have it or doesn't answer."""
    try:
        container = ecs._get_docker().containers.get(container_id)
        container.reload()
    except Exception as error:  # noqa: BLE001 - the Docker SDK isn't there on a machine without an engine
        logger.debug("container %s can't be inspected: %s", container_id, error)
        return None
    return container


def _choose_engine(original: Any) -> Any:
    global _engine  # noqa: PLW0603 - one engine per process, chosen at the first use
    if _engine is None:
        wanted = os.environ.get(ENGINE_VARIABLE, "auto")
        useful = wanted == "docker" or (wanted == "auto" and os.environ.get(REGISTRY_VARIABLE))
        real = original() if useful else None
        if real is None and wanted == "docker":
            raise RuntimeError(f"{ENGINE_VARIABLE} is docker, but no Docker engine answers")
        _engine = real or SimulatedEngine(resolve_digest)
        if real is None:
            # What a simulated container will do is known; there is nothing to wait and see.
            ecs._ECS_DEPLOYMENT_STEADY_DELAY = SIMULATED_STEADY_SECONDS
        logger.info("containers run on: %s", engine_name())
    return _engine


# Starting and stopping


def _local_image(image: str) -> str:
    """Where an image really is on this machine."""
    host, slash, rest = image.partition("/")
    return f"{registry_address(host)}{slash}{rest}" if slash else image


def _run_container(
    original: Any, client: Any, definition: dict[str, Any], options: dict[str, Any], **how: Any
) -> Any:
    task = task_of(options)
    await_dependencies(client, task, definition)
    stop_timeout = definition.get("stopTimeout") or DEFAULT_STOP_TIMEOUT_SECONDS
    options["labels"] = {
        **options["labels"],
        **(definition.get("dockerLabels") or {}),
        _STOP_TIMEOUT_LABEL: str(stop_timeout),
    }
    if isinstance(client, SimulatedEngine):
        problem = missing_image(definition["image"])
        if problem:
            refuse_start(task, f"CannotPullContainerError: {problem}")
        return client.containers.run(
            definition["image"],
            name=definition["name"],
            labels=options["labels"],
            environment={
                **(ENDS_AT_ONCE if ends_first(task, definition["name"]) else {}),
                **options["environment"],
            },
        )
    _complete_run_options(options, definition, task)
    local = definition | {"image": _local_image(definition["image"])}
    container = original(client, local, options, **how)
    _show_own_address(task, container)
    return container


def _complete_run_options(options: dict[str, Any], definition: dict[str, Any], task: dict[str, Any]) -> None:
    """Adds what ministack doesn't hand on to a Docker engine."""
    task_definition = definition_of(task)
    options |= run_options(definition, task_definition)
    _share_volumes(options, definition, task_definition, task)
    network = os.environ.get(NETWORK_VARIABLE)
    if task_definition.get("networkMode") == "awsvpc" and network:
        lasting = [
            container_id for shown, container_id in containers_of(task) if not ends_first(task, shown["name"])
        ]
        _join_network(options, network, lasting)
        show_aws(options["environment"], ecs._get_docker(), None if network == HOST_NETWORK else network)


def _join_network(options: dict[str, Any], network: str, earlier_containers: list[str]) -> None:
    """The containers of an awsvpc task share one network interface."""
    for name in ("network", "network_mode", "extra_hosts"):
        options.pop(name, None)
    if network == HOST_NETWORK:
        options["network_mode"] = HOST_NETWORK
    elif earlier_containers:
        options["network_mode"] = f"container:{earlier_containers[0]}"
        options.pop("hostname", None)
    else:
        options["network"] = network


def run_options(definition: dict[str, Any], task_definition: dict[str, Any]) -> dict[str, Any]:
    """The Docker SDK's options for what a container definition says and ministack doesn't pass on."""
    linux = definition.get("linuxParameters") or {}
    limit_mib = definition.get("memory") or task_definition.get("memory")
    tmpfs = {mount["containerPath"]: f"size={mount['size']}m" for mount in linux.get("tmpfs") or []}
    options = {
        "entrypoint": definition.get("entryPoint"),
        "user": definition.get("user"),
        "working_dir": definition.get("workingDirectory"),
        "hostname": definition.get("hostname"),
        "read_only": definition.get("readonlyRootFilesystem"),
        "init": linux.get("initProcessEnabled"),
        "cap_drop": (linux.get("capabilities") or {}).get("drop"),
        "mem_limit": f"{limit_mib}m" if limit_mib else None,
        # Fargate has no swap.
        "memswap_limit": f"{limit_mib}m" if limit_mib else None,
        "tmpfs": tmpfs | _ephemeral_volumes(definition, task_definition),
        "ulimits": [
            {"Name": limit["name"], "Soft": limit["softLimit"], "Hard": limit["hardLimit"]}
            for limit in definition.get("ulimits") or []
        ],
        "healthcheck": _health_check(definition),
    }
    return {name: value for name, value in options.items() if value}


def _health_check(definition: dict[str, Any]) -> dict[str, Any]:
    """ECS follows the definition's check only, never the image's."""
    check = definition.get("healthCheck")
    if not check:
        return {"test": ["NONE"]}
    return {
        "test": check["command"],
        "interval": check.get("interval", 30) * _NANOSECONDS,
        "timeout": check.get("timeout", 5) * _NANOSECONDS,
        "retries": check.get("retries", 3),
        "start_period": check.get("startPeriod", 0) * _NANOSECONDS,
    }


def _ephemeral_volumes(definition: dict[str, Any], task_definition: dict[str, Any]) -> dict[str, str]:
    """Fargate's bind mounts without a host path live as long as the task: a file system in memory does."""
    own = _without_host(task_definition) - _shared(task_definition)
    return {
        mount["containerPath"]: "ro" if mount.get("readOnly") else "mode=1777"
        for mount in definition.get("mountPoints") or []
        if mount.get("sourceVolume") in own
    }


def _without_host(task_definition: dict[str, Any]) -> set[str]:
    return {
        volume["name"]
        for volume in task_definition.get("volumes") or []
        if not (volume.get("host") or {}).get("sourcePath") and not volume.get("efsVolumeConfiguration")
    }


def _shared(task_definition: dict[str, Any]) -> set[str]:
    """The bind mounts that several containers of a task have."""
    mounts = Counter(
        mount["sourceVolume"]
        for definition in task_definition.get("containerDefinitions") or []
        for mount in definition.get("mountPoints") or []
    )
    return {name for name, number in mounts.items() if number > 1} & _without_host(task_definition)


def _share_volumes(
    options: dict[str, Any],
    definition: dict[str, Any],
    task_definition: dict[str, Any],
    task: dict[str, Any],
) -> None:
    """A volume of the engine for each bind mount that containers share.

    As on Fargate it gets the content and the owner of the folder that the first image declares a volume.
    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/bind-mounts.html
    """
    shared = _shared(task_definition)
    for mount in definition.get("mountPoints") or []:
        if mount["sourceVolume"] not in shared:
            continue
        task_id = task["taskArn"].rpartition("/")[2]
        volume = f"ministack-ecs-{task_id}-{mount['sourceVolume']}"
        if volume not in task.setdefault("_volumes", []):
            ecs._get_docker().volumes.create(volume, labels=options["labels"])
            task["_volumes"].append(volume)
        mode = "ro" if mount.get("readOnly") else "rw"
        options["volumes"] = [*(options.get("volumes") or []), f"{volume}:{mount['containerPath']}:{mode}"]


def _remove_volumes(original: Any, task: dict[str, Any], client: Any, *rest: Any) -> None:
    original(task, client, *rest)
    for volume in task.pop("_volumes", None) or ():
        try:
            client.volumes.get(volume).remove(force=True)
        except Exception as error:  # noqa: BLE001 - the Docker SDK isn't there without an engine
            logger.warning("the volume %s can't be removed: %s", volume, error)


def _remove_container(original: Any, client: Any, container_or_id: Any) -> None:
    """Gives a container its own time to end after SIGTERM."""
    container = container_or_id
    if isinstance(container_or_id, str):
        container = find_container(container_or_id)
    if container is not None and not isinstance(client, SimulatedEngine):
        try:
            container.stop(timeout=min(stop_timeout_seconds(container), LONGEST_STOP_SECONDS))
        except Exception as error:  # noqa: BLE001 - removed by force below, whatever the reason
            logger.warning("container %s can't be stopped: %s", container.name, error)
    original(client, container_or_id)


def stop_timeout_seconds(container: Any) -> int:
    """How long a container has between SIGTERM and SIGKILL."""
    return int((container.labels or {}).get(_STOP_TIMEOUT_LABEL, DEFAULT_STOP_TIMEOUT_SECONDS))


_ServiceKey = tuple[str, str, str]

_reconciling: dict[_ServiceKey, bool] = {}
_reconciling_lock = threading.Lock()
_service_locks: defaultdict[_ServiceKey, threading.RLock] = defaultdict(threading.RLock)


def service_lock(service_key: str) -> threading.RLock:
    """What a thread holds while it changes what a service should be, or brings a simulated one there."""
    return _service_locks[get_account_id(), get_region(), service_key]


def _reconcile_one_at_a_time(original: Any, cluster_name: str, service_key: str) -> None:
    """Two threads that bring one service to its desired state at once would each start the task that is
    missing.

    Simulated containers start at once, so the second one waits. A real container takes its time, which a
    call that changes a service doesn't wait for: one thread per service works, and does another round for
    what came in meanwhile.
    """
    key = (get_account_id(), get_region(), service_key)
    if simulated():
        with service_lock(service_key):
            original(cluster_name, service_key)
        return
    with _reconciling_lock:
        if key in _reconciling:
            _reconciling[key] = True
            return
        _reconciling[key] = False
    reconcile = partial(original, cluster_name, service_key)
    spawn_background(_reconcile_as_asked, key, reconcile, thread_name="fileflow-ecs-reconcile")


def _reconcile_as_asked(key: _ServiceKey, reconcile: Callable[[], None]) -> None:
    while True:
        try:
            reconcile()
        except Exception:
            logger.exception("the service %s can't be brought to its desired state", key[2])
        with _reconciling_lock:
            if not _reconciling[key]:
                del _reconciling[key]
                return
            _reconciling[key] = False


# Addresses and ends


def show_address(task: dict[str, Any], attachment_id: str, address: str) -> None:
    """Shows the task's address on its containers."""
    for container in task.get("containers", []):
        container["networkInterfaces"] = [{"attachmentId": attachment_id, "privateIpv4Address": address}]


def _address_of(container: Any) -> str | None:
    """Where a container is reached itself; None where it shares another one's network."""
    if os.environ.get(NETWORK_VARIABLE) == HOST_NETWORK:
        return "127.0.0.1"
    container.reload()
    joined: dict[str, Any] = next(iter(container.attrs["NetworkSettings"]["Networks"].values()), {})
    address: str | None = joined.get("IPAddress")
    return address


def _show_own_address(task: dict[str, Any], container: Any) -> None:
    """A container is reached at its own address, so that one becomes the task's."""
    if not task.get("attachments") or task.get("_container_ip"):
        return
    address = None if ends_first(task, container.labels[NAME_LABEL]) else _address_of(container)
    if not address:
        return
    with resource_lock("ecs-task", task["taskArn"]):
        task["_container_ip"] = address
        attachment = task["attachments"][0]
        for detail in attachment["details"]:
            if detail["name"] == "privateIPv4Address":
                detail["value"] = address
        show_address(task, attachment["id"], address)
    show_interface_address(task.get("_interface"), address)


def explain_exit(task: dict[str, Any]) -> None:
    """Says on the container that memory ran out, as the ECS agent does."""
    for shown, container_id in containers_of(task):
        container = find_container(container_id)
        if container is not None and (container.attrs.get("State") or {}).get("OOMKilled"):
            shown["reason"] = "OutOfMemoryError: Container killed due to memory usage"
