"""The little of the Docker Engine API that is needed before any package is installed.

Owns requests over a Unix socket or plain TCP with the standard library. Deliberately doesn't own builds,
pushes and containers: the Docker SDK does those.
"""

from __future__ import annotations

import http.client
import json
import socket
import urllib.parse
from typing import Any

_TIMEOUT_SECONDS = 10.0


class EngineApiError(Exception):
    """The engine can't be asked, or refuses with an HTTP status; the text is the reason."""

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.status = status


def ping(host: str) -> str | None:
    """Ask an engine whether it answers; return None if it does, else why not.

    `host` is what DOCKER_HOST would be: a `unix://` socket, or `tcp://` without encryption.
    """
    try:
        text = _request(host, "GET", "/_ping").decode(errors="replace").strip()
    except EngineApiError as error:
        return str(error)
    return None if text == "OK" else f"it answers {text[:100]!r}"


def ensure_bridge_network(host: str, name: str, interface: str) -> str | None:
    """Have a bridge network in the engine; return None if it has one then, else why not.

    `interface` is the name of the bridge on the machine.
    """
    filters = urllib.parse.quote(json.dumps({"name": [name]}))
    wanted = {
        "Name": name,
        "Driver": "bridge",
        "CheckDuplicate": True,
        "Options": {"com.docker.network.bridge.name": interface},
    }
    try:
        found: list[dict[str, Any]] = json.loads(_request(host, "GET", f"/networks?filters={filters}"))
        # The engine's filter also finds names that merely contain it.
        if not any(network["Name"] == name for network in found):
            _request(host, "POST", "/networks/create", json.dumps(wanted))
    except EngineApiError as error:
        return str(error)
    return None


def remove_containers(host: str, label: str) -> int:
    """Remove all containers with a label (`NAME` or `NAME=VALUE`), running or not; return how many.

    Raises EngineApiError when the engine can't be asked.
    """
    filters = urllib.parse.quote(json.dumps({"label": [label]}))
    found: list[dict[str, Any]] = json.loads(
        _request(host, "GET", f"/containers/json?all=true&filters={filters}")
    )
    for container in found:
        try:
            _request(host, "DELETE", f"/containers/{container['Id']}?force=true&v=true")
        except EngineApiError as error:
            # Another command removes it at this moment, or has.
            if error.status not in (404, 409):
                raise
    volumes: dict[str, Any] = json.loads(_request(host, "GET", f"/volumes?filters={filters}"))
    for volume in volumes["Volumes"] or ():
        _request(host, "DELETE", f"/volumes/{volume['Name']}?force=true")
    return len(found)


def _request(host: str, method: str, path: str, body: str | None = None) -> bytes:
    connection = _connection(host)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        response = connection.getresponse()
        answer = response.read()
    except FileNotFoundError:
        raise EngineApiError("there is no such socket") from None
    except PermissionError:
        raise EngineApiError("this user may not use the socket") from None
    except TimeoutError:
        raise EngineApiError(f"no answer within {_TIMEOUT_SECONDS:.0f} s") from None
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise EngineApiError(reason) from None
    finally:
        connection.close()
    if response.status >= 300:
        text = answer[:300].decode(errors="replace").strip()
        raise EngineApiError(f"it answers {response.status}: {text}", response.status)
    return answer


def _connection(host: str) -> http.client.HTTPConnection:
    parsed = urllib.parse.urlsplit(host)
    if parsed.scheme == "unix":
        return _UnixConnection(parsed.path)
    if parsed.scheme in ("tcp", "http") and parsed.hostname:
        return http.client.HTTPConnection(parsed.hostname, parsed.port or 2375, timeout=_TIMEOUT_SECONDS)
    raise EngineApiError(f"{host} is neither a unix:// socket nor a tcp:// address")


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_TIMEOUT_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
