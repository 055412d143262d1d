"""What a container of a task finds around it: the containers that it waits for, and the emulated AWS.

Owns the order in which a task's containers start, what `dependsOn` waits for, and where the emulated AWS
answers inside a container. Doesn't own the containers' own options (`completions.ecs_containers`).

Two things are faked. The credentials of a task's role are keys in its environment, by which everything is
allowed, as everywhere here. And the emulated AWS, which listens on 127.0.0.1 alone, is reached from a
Docker network by a relay on that network's gateway, an address of this machine.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import socketserver
import threading
import time
from typing import Any, NoReturn

from ministack.core.responses import get_account_id
from ministack.services import ecs

from local.emulator.completions.ecs_records import containers_of, definition_of
from local.emulator.completions.patching import wrap

logger = logging.getLogger("fileflow.ecs")

TASK_LABEL = "com.amazonaws.ecs.task-arn"
NAME_LABEL = "com.amazonaws.ecs.container-name"
LONGEST_WAIT_SECONDS = 180.0
"""How long a container waits for another one.

Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html (startTimeout)
"""

_POLL_SECONDS = 0.05
_relays: dict[str, str] = {}
_relays_lock = threading.Lock()


def install() -> None:
    """Lets containers start in the order of what they depend on."""
    wrap(ecs, "_start_task_worker", _in_order)


def _in_order(original: Any, task: dict[str, Any], definition: dict[str, Any], *rest: Any) -> None:
    names = [each["name"] for each in definition.get("containerDefinitions", [])]
    order = sorted(range(len(names)), key=lambda index: (_depth(definition, names[index]), index))
    definition = definition | {
        "containerDefinitions": [definition["containerDefinitions"][index] for index in order]
    }
    for name in ("containers", "_container_essentials"):
        task[name] = [task[name][index] for index in order]
    original(task, definition, *rest)


def _depth(definition: dict[str, Any], name: str, above: tuple[str, ...] = ()) -> int:
    """How many containers have to be there first, one after the other. ECS refuses a circle."""
    for each in definition["containerDefinitions"]:
        if each["name"] == name and name not in above:
            needed = [
                _depth(definition, other["containerName"], (*above, name))
                for other in each.get("dependsOn") or []
            ]
            return 1 + max(needed, default=-1)
    return 0


def refuse_start(task: dict[str, Any], reason: str) -> NoReturn:
    """Has a task end before it has started, for this reason, around which ministack would put words."""
    task["_refused"] = reason
    raise RuntimeError(reason)


def task_of(options: dict[str, Any]) -> dict[str, Any]:
    """The task that a container's options are for."""
    found: dict[str, Any] = ecs._tasks.get(options["labels"][TASK_LABEL]) or {}
    return found


def ends_first(task: dict[str, Any], name: str) -> bool:
    """Whether another container of the task waits for the end of this one."""
    return any(
        needed["containerName"] == name and needed["condition"] in ("SUCCESS", "COMPLETE")
        for each in definition_of(task).get("containerDefinitions", [])
        for needed in each.get("dependsOn") or []
    )


def await_dependencies(client: Any, task: dict[str, Any], definition: dict[str, Any]) -> None:
    """Waits until what a container depends on is as it should be; raises where it never will."""
    started = {shown["name"]: container_id for shown, container_id in containers_of(task)}
    for needed in definition.get("dependsOn") or []:
        name, condition = needed["containerName"], needed["condition"]
        deadline = time.monotonic() + LONGEST_WAIT_SECONDS
        while not _is_met(client, started.get(name), condition, name):
            if time.monotonic() > deadline:
                raise RuntimeError(f"container {name} isn't {condition} after {LONGEST_WAIT_SECONDS:.0f} s")
            time.sleep(_POLL_SECONDS)


def _is_met(client: Any, container_id: str | None, condition: str, name: str) -> bool:
    if container_id is None:
        raise RuntimeError(f"the task has no container {name} to wait for")
    if condition == "START":
        return True
    container = client.containers.get(container_id)
    container.reload()
    ended = container.status == "exited"
    if condition == "HEALTHY":
        if ended:
            raise RuntimeError(f"container {name} has ended before it was healthy")
        health = (container.attrs.get("State") or {}).get("Health") or {}
        return bool(health.get("Status") == "healthy")
    if ended and condition == "SUCCESS" and container.attrs["State"]["ExitCode"] != 0:
        raise RuntimeError(f"container {name} ended with exit code {container.attrs['State']['ExitCode']}")
    return bool(ended)


# Where the emulated AWS is


def show_aws(environment: dict[str, str], client: Any, network: str | None) -> None:
    """Puts into a container's environment where AWS answers, and its role's credentials.

    What the container definition sets itself stays.
    """
    host = _host(client, network)
    if host is None:
        return
    elsewhere = environment.get("AWS_ENDPOINT_URL", "").removeprefix("http://")
    for name, value in environment.items():
        if elsewhere and value.startswith(f"http://{elsewhere}"):
            environment[name] = value.replace(elsewhere, host, 1)
    for name in ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN"):
        environment.pop(name, None)
    # The application may have an endpoint of its own in the former; a lease's guard goes by this one.
    environment.setdefault("AWS_ENDPOINT_URL_DYNAMODB", f"http://{host}")
    # The access key is the account; ministack's own credentials of a task would be another account's.
    environment.setdefault("AWS_ACCESS_KEY_ID", get_account_id())
    environment.setdefault("AWS_SECRET_ACCESS_KEY", "emulated")


def _host(client: Any, network: str | None) -> str | None:
    """Where the emulated AWS answers on a network; None where it can't."""
    port = int(os.environ["GATEWAY_PORT"])
    if network is None:
        return f"127.0.0.1:{port}"
    with _relays_lock:
        if network not in _relays:
            configuration = client.networks.get(network).attrs["IPAM"]["Config"]
            gateway = configuration[0].get("Gateway", "") if configuration else ""
            try:
                relay = _Relay((gateway, 0), _Connection)
            except OSError as error:
                # For example an engine in a virtual machine, whose networks aren't this machine's.
                logger.warning("tasks on %s can't reach the emulated AWS: %s", network, error)
                return None
            relay.target = ("127.0.0.1", port)
            threading.Thread(target=relay.serve_forever, name="fileflow-ecs-relay", daemon=True).start()
            _relays[network] = f"{gateway}:{relay.server_address[1]}"
    return _relays[network]


class _Relay(socketserver.ThreadingTCPServer):
    daemon_threads = True
    target: tuple[str, int]


class _Connection(socketserver.BaseRequestHandler):
    server: _Relay

    def handle(self) -> None:
        with socket.create_connection(self.server.target) as far:
            back = threading.Thread(target=_carry, args=(far, self.request), daemon=True)
            back.start()
            _carry(self.request, far)
            back.join()


def _carry(source: socket.socket, target: socket.socket) -> None:
    """Passes on what comes until there is no more; an end on either side ends both."""
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for each in (source, target):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
