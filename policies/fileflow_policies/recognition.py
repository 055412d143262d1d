"""Which role an ECS service plays: what it declares, and what shows of it.

The role tag decides. Strong evidence (a known clock, an image of the schedulers, the scheduler component)
contradicts a wrong declaration; weak evidence (a word in a name, a port) counts only where nothing is
declared. Owns the evidence, its words in messages, and the verdict; what a scheduler must look like is the
rules' business.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Final

from .clocks import known_clock, named_clock, says_scheduler
from .containers import container_name, container_of, environment, image_of, ports, read_containers, words
from .resources import SCHEDULER_COMPONENT, Resource
from .values import Value

ROLE_TAG: Final = "fileflow:role"
SPOT_OPT_IN_TAG: Final = "fileflow:spot-opt-in"
NOT_A_SCHEDULER_TAG: Final = "fileflow:not-a-scheduler"
SCHEDULER: Final = "scheduler"
WEB_API: Final = "web-api"
WORKER: Final = "worker"

DEFAULT_ROLES: Final = (SCHEDULER, WEB_API, WORKER)
DEFAULT_SCHEDULER_PORTS: Final = (9091, 9092)
# The guide's images: repository fileflow with the tags download-scheduler-… and pipeline-scheduler-…, and
# what Gradle builds, fileflow-scheduler-download.
DEFAULT_SCHEDULER_IMAGES: Final = ("fileflow:*scheduler*", "fileflow-scheduler-*:*")
_GUIDE_REPOSITORY: Final = "fileflow"
_GUIDE_WORDS: Final = ("fileflow", "download", "pipeline", "bootstrap")
_PORT_VARIABLES: Final = ("MANAGEMENT_SERVER_PORT", "SERVER_PORT", "MANAGEMENT_PORT")

REASON_AT_LEAST: Final = 8
"""The fewest characters of a reason: fewer say nothing."""

_FAMILY_OF_ARN = re.compile(r"(?:^|:task-definition/)(?P<family>[A-Za-z0-9_-]+)(?::\d+)?$")


@dataclass(frozen=True)
class Recognition:
    """By what a service's role is recognised. Patterns are shell globs, compared in lower case; those of the
    configuration come on top of the pack's own.
    """

    role_tag: str = ROLE_TAG
    spot_opt_in_tag: str = SPOT_OPT_IN_TAG
    not_a_scheduler_tag: str = NOT_A_SCHEDULER_TAG
    roles: Sequence[str] = DEFAULT_ROLES
    names: Sequence[str] = ()
    more_ports: Sequence[int] = ()
    images: Sequence[str] = ()
    commands: Sequence[str] = ()
    components: Sequence[str] = ()

    @cached_property
    def ports(self) -> frozenset[int]:
        return frozenset({*DEFAULT_SCHEDULER_PORTS, *self.more_ports})

    @cached_property
    def all_components(self) -> tuple[str, ...]:
        return (SCHEDULER_COMPONENT, *self.components)

    @cached_property
    def all_images(self) -> tuple[str, ...]:
        return (*DEFAULT_SCHEDULER_IMAGES, *self.images)

    def names_scheduler(self, name: str) -> bool:
        """Whether a name sounds like a scheduler's."""
        return says_scheduler(name) or _matches(name, self.names)


def _matches(text: str, patterns: Sequence[str]) -> bool:
    lower = text.lower()
    return any(fnmatchcase(lower, pattern.lower()) for pattern in patterns)


def family_of(task_definition: str) -> str:
    """The family in a task definition's ARN, in `family:revision`, or in a bare family."""
    match = _FAMILY_OF_ARN.search(task_definition)
    return match["family"] if match else task_definition


def is_guides_name(name: str) -> bool:
    """Whether a name is like those of the deployment guide's schedulers: fileflow-scheduler-download."""
    folded = "".join(filter(str.isalnum, name.lower()))
    return says_scheduler(name) and any(word in folded for word in _GUIDE_WORDS)


@dataclass(frozen=True, slots=True)
class Standing:
    """What an ECS service says that it is, and what shows of it."""

    role: str | None
    """The declared role, when it is known and is one of the roles."""

    strong: tuple[str, ...] = ()
    weak: tuple[str, ...] = ()
    excuse: str | None = None
    """Why it is no scheduler, as its tag says."""

    @property
    def is_scheduler(self) -> bool:
        """Held to all rules about schedulers."""
        return self.role == SCHEDULER

    @property
    def is_suspected(self) -> bool:
        """Nothing is declared and something shows: held to the three rules of the first order."""
        return self.role is None and bool(self.strong or self.weak) and self.excuse is None

    @property
    def is_contradicted(self) -> bool:
        return self.role not in (None, SCHEDULER) and bool(self.strong) and self.excuse is None

    @property
    def runs_scheduler(self) -> bool:
        """Whether it is, or by strong evidence looks like, a scheduler."""
        return self.is_scheduler or (bool(self.strong) and self.excuse is None)

    @property
    def evidence(self) -> str:
        found = (*self.strong, *self.weak)
        return found[0] if found else ""


def registered_tasks(service: Resource) -> list[Resource]:
    """The task definition of this program that a service runs, where its property names it in plain text."""
    text = service["taskDefinition"].text()
    task = service.registered.get(family_of(text)) if text else None
    return [task] if task is not None else []


def standing_of(
    service: Resource, recognition: Recognition, tasks: Sequence[Resource] | None = None
) -> Standing:
    """The standing of an ECS service, by itself and by the task definitions that it runs.

    Without `tasks` it is those that are known when the service is registered.
    """
    used = registered_tasks(service) if tasks is None else list(tasks)
    key = f"standing {sorted(task.urn_text for task in used)}"
    known: Standing | None = service.memo.get(key)
    if known is None:
        known = _standing(service, used, recognition)
        service.memo[key] = known
    return known


def _standing(service: Resource, tasks: Sequence[Resource], recognition: Recognition) -> Standing:
    role = declared_role(service, recognition)
    strong: list[str] = []
    weak: list[str] = []
    for component in recognition.all_components:
        if service.in_component(component):
            if service.tag(recognition.role_tag).missing:
                role = SCHEDULER
            strong.append(f"it is part of a {component}")
    names = [
        ("name", service["name"]),
        ("Pulumi name", Value.of(service.name or service.urn.name, "name")),
    ]
    text = service["taskDefinition"].text()
    if text:
        definition = service["taskDefinition"]
        names.append(("task definition", Value.of(family_of(text), "taskDefinition", definition.secret)))
    serves = not service["loadBalancers"].surely_empty and role not in (None, SCHEDULER, WORKER)
    for task in tasks:
        names.append(("family", task["family"]))
        if (task.tag(recognition.role_tag).text() or "").strip().lower() == SCHEDULER:
            strong.append(f"its task definition's tag {recognition.role_tag} is {SCHEDULER}")
        for container in read_containers(task).containers:
            given = list(_container_evidence(container, names, recognition))
            for is_strong, words_of_it in given:
                # A web service's JAR may be called appointment-scheduler: a name, as good as any.
                surely = is_strong is True or (is_strong is None and not serves)
                (strong if surely else weak).append(words_of_it)
    for what, name in names:
        held = name.text()
        if held and recognition.names_scheduler(held):
            weak.append(f"its {what} is {name.shown()}")
    for attachment in service["loadBalancers"].items():
        if attachment["containerPort"].integer() in recognition.ports:
            weak.append(f"its load balancer asks port {attachment['containerPort'].shown()}, a scheduler's")
    excuse = service.tag(recognition.not_a_scheduler_tag).text()
    return Standing(
        role,
        tuple(dict.fromkeys(strong)),
        tuple(dict.fromkeys(weak)),
        excuse if excuse and len(excuse.strip()) >= REASON_AT_LEAST else None,
    )


def declared_role(resource: Resource, recognition: Recognition) -> str | None:
    text = resource.tag(recognition.role_tag).text()
    return text if text is not None and text in recognition.roles else None


def _container_evidence(
    container: Value, names: Sequence[tuple[str, Value]], recognition: Recognition
) -> Iterator[tuple[bool | None, str]]:
    """Evidence with its weight: True for strong, False for weak, None for strong unless it serves traffic."""
    name = container_name(container)
    yield from command_evidence(container, recognition)
    variables = environment(container)
    image = image_of(container)
    found_port = next(
        (port for port in sorted(ports(container)) if port in recognition.ports),
        next(
            (
                int(value)
                for key, value in sorted(variables.items())
                if key.upper() in _PORT_VARIABLES
                and re.fullmatch(r"[0-9]{1,5}", value)
                and int(value) in recognition.ports
            ),
            None,
        ),
    )
    if image is not None:
        shown = container["image"].shown_part(f"{image.repository}{':' if image.tag else ''}{image.tag}")
        if _is_schedulers(image.repository, image.tag, recognition):
            yield True, f"container {name} runs {shown}, a scheduler's image"
        elif image.repository.rsplit("/", 1)[-1] == _GUIDE_REPOSITORY and not image.tag:
            # Named by digest alone, an image of this repository is told by what stands around it.
            labels = [*(value.text() for _, value in names), container["name"].text()]
            guides = next((label for label in labels if label and is_guides_name(label)), None)
            if guides is not None:
                yield True, f"it runs an image of {shown} under the name {container.shown_part(guides)}"
            elif found_port is not None:
                yield True, f"it runs an image of {shown} on port {found_port}"
        elif says_scheduler(image.repository) or _matches(image.repository, recognition.names):
            yield False, f"container {name} runs {shown}"
    text = container["name"].text()
    if text and recognition.names_scheduler(text):
        yield False, f"its container is called {name}"
    if found_port is not None:
        yield False, f"container {name} listens on {found_port}, a scheduler's port"


def command_evidence(container: Value, recognition: Recognition) -> Iterator[tuple[bool | None, str]]:
    """What the command line and the variables of a container, or of an override, show."""
    command = words(container)
    variables = environment(container)
    label = f"container {container_name(container)}: "
    clock = known_clock(command, variables)
    if clock is not None:
        yield True, container.shown_part(label + clock) if container.secret else label + clock
    elif command and _matches(" ".join(command)[:4096], recognition.commands):
        yield True, f"{label}its command is a scheduler's by the configuration"
    else:
        named = named_clock(command, variables)
        if named is not None:
            weight = True if is_guides_name(named) else None
            yield weight, container.shown_part(label + named) if container.secret else label + named


def _is_schedulers(repository: str, tag: str, recognition: Recognition) -> bool:
    last = repository.rsplit("/", 1)[-1]
    return any(
        _matches(f"{name}:{tag}", recognition.all_images) for name in dict.fromkeys((repository, last))
    )


def launched_evidence(task: Resource, recognition: Recognition) -> str | None:
    """Why a task definition that is started at set times runs a scheduler; None where it may be a job.

    A program that is called a scheduler, and one that starts what is due and ends, are jobs as well as any.
    """
    names = [("family", task["family"])]
    for component in recognition.all_components:
        if task.in_component(component):
            return f"it is part of a {component}"
    for container in read_containers(task).containers:
        for weight, found in _container_evidence(container, names, recognition):
            if weight is True and "jobs that are due" not in found:
                return found
    return None


def image_evidence(
    given: Value, names: Sequence[tuple[str, Value]], recognition: Recognition, role: str | None
) -> str | None:
    """Evidence in a container that no task definition holds, as of an Express service: of any weight where
    no role is declared.
    """
    for weight, text in _container_evidence(container_of(given), names, recognition):
        if weight is True or role is None:
            return text
    return None
