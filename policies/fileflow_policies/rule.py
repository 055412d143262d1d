"""What a rule is: metadata, the types it concerns, and a pure check that yields findings.

Owns the wording of messages (`RESOURCE: VALUE; RULE; FIX` in one line), the registration of rules, and their
form as policies of the policy SDK. Deliberately not here: configuration (`config`) and the analyser
(`analyzer`).

A check gets the resource (or the stack) and its settings, and yields a `Finding` per violation. It never
raises on what a program may pass: it reads through `Value`, and treats what it can't read as a violation when
the property is guarded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NotRequired, TypedDict, Unpack

from pulumi_policy import EnforcementLevel, PolicyComplianceFramework, Severity

from .neighbours import ecs_view
from .recognition import Recognition, Standing, registered_tasks, standing_of
from .resources import ECS_SERVICE, Resource, Stack

FSBP: Final = "AWS Foundational Security Best Practices"
WELL_ARCHITECTED: Final = "AWS Well-Architected Framework"
FILEFLOW: Final = "FileFlow deployment guide"
CIS: Final = "CIS AWS Foundations Benchmark"


@dataclass(frozen=True, slots=True)
class Finding:
    """One violation: what is wrong with which value, and what to do about it. Both are one line without a
    final stop.
    """

    what: str
    fix: str
    resource: Resource | None = None
    advisory: bool = False
    """Said as advice, whatever the rule's level: only the update will know the value, and judge it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What configuration says to a check: its own thresholds, how schedulers are recognised, and the stack's
    name.
    """

    thresholds: Mapping[str, Any] = field(default_factory=dict)
    recognition: Recognition = field(default_factory=Recognition)
    stack: str = ""

    def integer(self, name: str) -> int:
        return int(self.thresholds[name])

    def texts(self, name: str) -> list[str]:
        return [str(item) for item in self.thresholds[name]]


@dataclass(frozen=True, slots=True)
class Threshold:
    """A setting of a rule: its default, its JSON schema and what it means."""

    default: Any
    schema: Mapping[str, Any]
    description: str


_DEVELOPMENT: Final = ("dev", "local", "test", "qa", "sandbox", "demo")
"""What stacks are called that nobody but a team itself uses; `dev-2` and `qa1` are too, `devices` isn't."""

DEVELOPMENT_STACKS: Final = Threshold(
    default=[pattern for name in _DEVELOPMENT for pattern in (name, f"{name}[0-9-]*")],
    schema={"type": "array", "items": {"type": "string", "minLength": 1}},
    description=(
        "stacks, by name pattern, on which this rule isn't applied; one with prod, production, prd or "
        "live in its name is none of them"
    ),
)
PASSING_STACKS: Final = Threshold(
    default=[*DEVELOPMENT_STACKS.default, "staging", "staging-*"],
    schema=DEVELOPMENT_STACKS.schema,
    description=DEVELOPMENT_STACKS.description,
)
"""As `DEVELOPMENT_STACKS`, with those that are set up and taken down again at will, though people use them.
"""


@dataclass(frozen=True, slots=True)
class Framework:
    """Where a rule comes from: a published control, or the guide that this project deploys by."""

    name: str
    reference: str = ""

    def to_policy(self) -> PolicyComplianceFramework:
        return PolicyComplianceFramework(name=self.name, reference=self.reference or None)


ResourceCheck = Callable[[Resource, Settings], Iterable[Finding]]
StackCheck = Callable[[Stack, Settings], Iterable[Finding]]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule with everything that is published about it.

    `description` is one sentence that states the rule, without a final stop. `locked` rules stay mandatory
    whatever the configuration says, and take no exemptions. `scheduler` rules keep schedulers single: they
    can be made advisory, with a reason, but not disabled. `production` rules are relaxed on development
    stacks. A rule may judge single resources, the stack as a whole, or both. `setting` is what says the same
    in a stack's file of this project, for whoever never wrote the resource.
    """

    name: str
    description: str
    severity: Severity
    framework: Framework
    remediation: str
    url: str
    level: EnforcementLevel = EnforcementLevel.MANDATORY
    tags: tuple[str, ...] = ()
    types: frozenset[str] = frozenset()
    thresholds: Mapping[str, Threshold] = field(default_factory=dict)
    locked: bool = False
    scheduler: bool = False
    production: bool = False
    setting: str = ""
    check_resource: ResourceCheck | None = None
    check_stack: StackCheck | None = None

    @property
    def display_name(self) -> str:
        words = self.name.replace("-", " ")
        return words[:1].upper() + words[1:]

    @property
    def sentence(self) -> str:
        """The description as a sentence of its own."""
        return f"{self.description[:1].upper()}{self.description[1:]}."

    def message(self, finding: Finding, resource: Resource | None) -> str:
        """The whole violation in one line: resource, value, rule, fix."""
        about = finding.resource or resource
        where = about.label if about is not None else "stack"
        fix = finding.fix
        if (
            self.setting
            and about is not None
            and any(each.startswith("fileflow:") for each in about.urn.types)
        ):
            fix += f", in the stack's file: fileflow:{self.setting}"
        return f"{where}: {finding.what}; {self.name}: {self.description}; to fix: {fix}."


class Metadata(TypedDict):
    """The published part of a rule, as a module of rules states it beside the check."""

    name: str
    description: str
    severity: Severity
    framework: Framework
    remediation: str
    url: str
    level: NotRequired[EnforcementLevel]
    tags: NotRequired[tuple[str, ...]]
    thresholds: NotRequired[Mapping[str, Threshold]]
    locked: NotRequired[bool]
    scheduler: NotRequired[bool]
    production: NotRequired[bool]
    setting: NotRequired[str]


ServiceCheck = Callable[[Resource, Sequence[Resource], Settings], Iterable[Finding]]


class Catalogue:
    """The rules of a module, in the order of their definition."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []

    def resource(self, *types: str, **metadata: Unpack[Metadata]) -> Callable[[ResourceCheck], ResourceCheck]:
        """Registers a check of single resources of these (canonical) types."""

        def register(check: ResourceCheck) -> ResourceCheck:
            self.rules.append(Rule(types=frozenset(types), check_resource=check, **metadata))
            return check

        return register

    def stack(self, **metadata: Unpack[Metadata]) -> Callable[[StackCheck], StackCheck]:
        """Registers a check of a whole stack, for what no single resource can show."""

        def register(check: StackCheck) -> StackCheck:
            self.rules.append(Rule(check_stack=check, **metadata))
            return check

        return register

    def both(
        self, *types: str, **metadata: Unpack[Metadata]
    ) -> Callable[[tuple[ResourceCheck, StackCheck]], None]:
        """Registers one rule with a check of single resources, for what is known when they are registered,
        and one of the stack, for what only their neighbours show.
        """

        def register(checks: tuple[ResourceCheck, StackCheck]) -> None:
            resource, stack = checks
            self.rules.append(
                Rule(types=frozenset(types), check_resource=resource, check_stack=stack, **metadata)
            )

        return register

    def service(
        self, *more_types: str, **metadata: Unpack[Metadata]
    ) -> Callable[[ServiceCheck], ServiceCheck]:
        """Registers a check of an ECS service (and of components, by type) with the task definitions that it
        runs.

        Where the service names its task definition in plain text (in an update, always) it is judged as it is
        registered, so before it is made. Where the name is unknown it is judged at the end of the preview, by
        what the name depends on.
        """

        def register(check: ServiceCheck) -> ServiceCheck:
            def resource(service: Resource, settings: Settings) -> Iterator[Finding]:
                yield from check(service, registered_tasks(service), settings)

            def stack(whole: Stack, settings: Settings) -> Iterator[Finding]:
                view = ecs_view(whole, settings.recognition)
                for service in view.services:
                    tasks = view.tasks_of(service)
                    if not tasks or registered_tasks(service):
                        continue
                    said = {finding.what for finding in check(service, (), settings)}
                    for finding in check(service, tasks, settings):
                        if finding.what not in said:
                            yield replace(finding, resource=finding.resource or service)

            self.both(ECS_SERVICE, *more_types, **metadata)((resource, stack))
            return check

        return register


def service_check(
    check: Callable[[Resource, Standing, Settings], Iterable[Finding]],
) -> ServiceCheck:
    """A check of services that needs their standing and no task definition itself."""

    def checked(service: Resource, tasks: Sequence[Resource], settings: Settings) -> Iterable[Finding]:
        return check(service, standing_of(service, settings.recognition, tasks), settings)

    return checked
