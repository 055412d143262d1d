"""What a task definition says of its containers.

`containerDefinitions` is one JSON string, so a single unknown value inside hides all of it, and a policy sees
nothing but "unknown". This module owns turning it into `Value`s, with the keys spelled as ECS documents them
(ECS reads them in any case), and saying when it can't be read; what is allowed in it belongs to the rules.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from .json_text import UnreadableTextError, parse, spelled
from .resources import Resource
from .values import State, Value

_KEYS: Final = {
    key.lower(): key
    for key in (
        *("name", "image", "cpu", "memory", "memoryReservation", "links", "portMappings", "essential"),
        *("entryPoint", "command", "environment", "environmentFiles", "mountPoints", "volumesFrom"),
        *("linuxParameters", "secrets", "dependsOn", "startTimeout", "stopTimeout", "hostname", "user"),
        *("workingDirectory", "privileged", "readonlyRootFilesystem", "logConfiguration", "healthCheck"),
        *("firelensConfiguration", "repositoryCredentials", "containerPort", "hostPort", "protocol"),
        *("value", "valueFrom", "logDriver", "options", "secretOptions", "capabilities", "add", "drop"),
        *("initProcessEnabled", "tmpfs", "condition", "containerName", "type", "dockerLabels"),
    )
}


@dataclass(frozen=True, slots=True)
class Containers:
    """The containers of a task definition, or the reason why nothing is known of them."""

    containers: tuple[Value, ...]
    problem: str | None = None
    unknown: bool = False
    """Whether the reason is that only the update will know them."""


def read_containers(task_definition: Resource) -> Containers:
    """Reads `containerDefinitions`, whether given as JSON or, by other providers, as a list of objects."""
    known: Containers | None = task_definition.memo.get("containers")
    if known is None:
        known = _read(task_definition["containerDefinitions"])
        task_definition.memo["containers"] = known
    return known


def _read(value: Value) -> Containers:
    if not value.known:
        return Containers((), f"containerDefinitions is {value.shown()}", value.unknown)
    text, raw = value.text(), value.raw
    if text is not None:
        try:
            raw = parse(text)
        except UnreadableTextError as error:
            return Containers((), f"containerDefinitions is {error}")
    if not isinstance(raw, list | tuple) or not raw:
        return Containers((), "containerDefinitions is not a list of containers")
    found = Value.of(spelled(list(raw), _KEYS), "containerDefinitions", value.secret)
    containers = tuple(found.items())
    for container in containers:
        if not container.is_object:
            problem = f"{container.path} is not a container definition"
            return Containers((), problem, container.unknown)
    return Containers(containers)


def container_of(given: Value) -> Value:
    """An object that describes a container in any spelling: an override, an Express service's container."""
    if not given.is_object:
        return given
    found = spelled(given.raw, _KEYS)
    # The AWS provider's name for it in Express services and pipes.
    found.setdefault("command", found.get("commands"))
    found.setdefault("environment", found.get("environments"))
    return Value(State.KNOWN, found, given.path, given.secret)


def container_name(container: Value) -> str:
    """A name for messages, also when the definition gives none."""
    name = container["name"]
    return name.shown() if name.text() else f"number {_position(container)}"


def _position(container: Value) -> int:
    digits = container.path.rpartition("[")[2].rstrip("]")
    return int(digits) + 1 if digits.isdigit() else 1


def words(container: Value) -> list[str]:
    """The words of the command line: entry point, then command."""
    result: list[str] = []
    for key in ("entryPoint", "command"):
        value = container[key]
        text = value.text()
        if text is not None:
            result.append(text)
        else:
            result.extend(word for item in value.items() if (word := item.text()) is not None)
    return result


def environment(container: Value) -> dict[str, str]:
    """The plain variables whose values are known texts."""
    result: dict[str, str] = {}
    given = container["environment"]
    if given.is_object:  # an Express service's container, or a map
        pairs = [(key, value) for key, value in given.entries()]
    else:
        pairs = [(name, item["value"]) for item in given.items() if (name := item["name"].text())]
    for name, value in pairs:
        text = value.text()
        number = value.integer()
        if text is not None or number is not None:
            result[name] = text if text is not None else str(number)
    return result


def ports(container: Value) -> set[int]:
    """The ports that the container's mappings name."""
    found = (mapping["containerPort"].integer() for mapping in container["portMappings"].items())
    return {port for port in found if port is not None}


_TAGS_VERSION: Final = re.compile(r"(?:^|[-_.])v?[0-9][0-9A-Za-z._-]*$")


@dataclass(frozen=True, slots=True)
class Image:
    """The parts of an image's name; what it leaves out is empty."""

    registry: str
    repository: str
    tag: str
    digest: str

    @classmethod
    def parse(cls, text: str) -> Image:
        rest, _, digest = text.strip().partition("@")
        head, slash, last = rest.rpartition("/")
        last, _, tag = last.partition(":")
        path = f"{head}{slash}{last}"
        first, _, others = path.partition("/")
        if others and ("." in first or ":" in first or first == "localhost"):
            return cls(first, others, tag, digest)
        return cls("", path, tag, digest)

    def same_as(self, other: Image) -> bool:
        """Whether both name one image in some version: one digest, or tags alike but for their version."""
        if self.repository != other.repository:
            return False
        if self.digest and self.digest == other.digest:
            return True
        return bool(self.tag and other.tag) and self.unversioned == other.unversioned

    @property
    def unversioned(self) -> str:
        """The tag without its version, which tells the programs of one repository apart."""
        return _TAGS_VERSION.sub("", self.tag)


def image_of(container: Value) -> Image | None:
    text = container["image"].text()
    return Image.parse(text) if text else None


# Agents that their vendors document beside an application, by repository. They are built as they are: as
# root, with a writable root file system, by tag.
# https://docs.datadoghq.com/integrations/aws-fargate/, https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_firelens.html
_AGENTS: Final = (
    "*datadog/agent*",
    "*datadog-agent*",
    "*aws-for-fluent-bit*",
    "*fluent-bit*",
    "*fluentd*",
    "*aws-otel-collector*",
    "*opentelemetry-collector*",
    "*xray-daemon*",
    "*cloudwatch-agent*",
    "*newrelic*",
    "*dynatrace*",
    "*aws-appmesh-envoy*",
    "*ecs-service-connect-agent*",
    "*aws-guardduty-agent*",
    "*splunk*",
    "*elastic/apm*",
    "*elastic-agent*",
    "*filebeat*",
    "*grafana/agent*",
    "*grafana/alloy*",
    "*vector*",
    "*sysdig*",
    "*falco*",
    "*amazon-ssm-agent*",
    "*cloud-sql-proxy*",
    "*consul*",
    "*vault*",
)


def is_agent(container: Value) -> bool:
    """Whether the container is a vendor's agent beside the application: its image says so, or ECS routes
    logs through it.
    """
    if not container["firelensConfiguration"].missing:
        return True
    image = image_of(container)
    return image is not None and any(
        fnmatchcase(f"{image.registry}/{image.repository}".lower(), each) for each in _AGENTS
    )


def ends_before_another_starts(container: Value, others: tuple[Value, ...]) -> bool:
    """Whether another container waits for this one's end, as for a migration that runs first.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDependency.html
    """
    name = container["name"].text()
    if not name:
        return False
    for other in others:
        for dependency in other["dependsOn"].items():
            if dependency["containerName"].text() == name and (
                dependency["condition"].text() or ""
            ).upper() in ("SUCCESS", "COMPLETE"):
                return True
    return False


_SPACES = re.compile(r"\s+")


def work_of(container: Value) -> tuple[Any, ...]:
    """What the container works at beyond its image: command line, and the variables that choose the work.

    Two containers of one image with the same work are one scheduler twice.
    """
    command = _SPACES.sub(" ", " ".join(_without_shell(unguarded(words(container))))).strip()
    chosen = tuple(
        sorted(
            (name, value)
            for name, value in environment(container).items()
            if not _WHERE_NOT_WHAT.search(name.upper())
        )
    )
    return command, chosen


def _without_shell(given: list[str]) -> list[str]:
    """The command of `sh -c "command"`, which is the same as the command by itself."""
    shell = given[0].rsplit("/", 1)[-1] if given else ""
    if shell in ("sh", "bash", "ash", "dash") and len(given) == 3 and given[1] in ("-c", "-lc", "-ec"):
        return [given[2].removeprefix("exec ")]
    return given


# Variables that say where, how loudly or how fast a container works, not at what.
_WHERE_NOT_WHAT: Final = re.compile(
    r"(?:^|_)(?:ZONE|AZ|REGION|LOG|LOGGING|LEVEL|OPTS|OPTIONS|TZ|HOSTNAME|INSTANCE|REPLICA|NODE|INDEX|NAME|VERSION"
    r"|OTEL|DD|PORT|HEAP|MEMORY|THREADS|COLOR|COLOUR|PRIMARY|STANDBY|SLOT)(?:$|_)"
)


def unguarded(given: list[str]) -> list[str]:
    """The words behind a guard that holds a lease and then starts the application: `guard … -- command`."""
    if given and "guard" in given[0].rsplit("/", 1)[-1].lower():
        return given[given.index("--") + 1 :] if "--" in given else given[1:]
    return given
