"""How a rule's six cases are written down, and the changes to a recording that they are made of.

Each case starts from the compliant stack, changes it, and names every violation of the whole pack that must
follow.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fileflow_policies.pack import RULES

from tests.policies.harness import Recording, Violation, secret, unknown

Change = Callable[[Recording], None]

SCHEDULER = "scheduler"
SCHEDULER_TASK = "fileflow-scheduler-download-prod-task"
WEB = "web"
WEB_TASK = "fileflow-web-api-prod-task"
WORKER = "worker"
WORKER_TASK = "thumbnails-task"

KINDS = ("compliant", "violating", "omitted", "unknown", "secret", "not_applicable")
_CLEAN = ("compliant", "not_applicable")


@dataclass(frozen=True)
class Case:
    """One change of the compliant stack and what the pack says to it."""

    rule: str
    kind: str
    change: Change
    expected: frozenset[Violation]

    @property
    def id(self) -> str:
        return f"{self.rule}-{self.kind}"


@dataclass
class RuleCases:
    """The six cases of one rule."""

    rule: str
    cases: list[Case] = field(default_factory=list)


def cases(
    rule: str,
    on: str,
    *,
    violating: Change,
    omitted: Change,
    unknown: Change,
    secret: Change,
    not_applicable: Change,
    compliant: Change | None = None,
    clean: Sequence[str] = (),
    advice: Sequence[str] | None = None,
    also: Mapping[str, Sequence[tuple[str, ...]]] | None = None,
) -> list[Case]:
    """The six cases of a rule whose violations are reported on the resource `on`.

    All but the compliant and the not applicable one break the rule, unless their kind is in `clean`. Those in
    `advice` are said as advice: by default what is unknown, but for rules about schedulers. `also` names, by
    kind, the violations of other rules that the same change brings, as (rule, resource) or
    (rule, resource, level).
    """
    if advice is None:
        advice = () if _is_about_schedulers(rule) else ("unknown",)
    changes = {
        "compliant": compliant or nothing,
        "violating": violating,
        "omitted": omitted,
        "unknown": unknown,
        "secret": secret,
        "not_applicable": not_applicable,
    }
    result = []
    for kind in KINDS:
        expected = {Violation(*each) for each in (also or {}).get(kind, ())}
        if kind not in _CLEAN and kind not in clean:
            expected.add(Violation(rule, on, "advisory" if kind in advice else "mandatory"))
        result.append(Case(rule, kind, changes[kind], frozenset(expected)))
    return result


def _is_about_schedulers(rule: str) -> bool:
    return next(each for each in RULES if each.name == rule).scheduler


def nothing(_recording: Recording) -> None:
    """Leaves the compliant stack as it is."""


def put(name: str, path: str, value: Any) -> Change:
    return lambda recording: recording.set(name, path, value)


def drop(name: str, path: str) -> Change:
    return lambda recording: recording.drop(name, path)


def hide(name: str, path: str) -> Change:
    """Makes a property unknown before the update."""
    return put(name, path, unknown())


def conceal(name: str, path: str, value: Any) -> Change:
    """Makes a property a secret with this value."""
    return put(name, path, secret(value))


def both(*changes: Change) -> Change:
    def change(recording: Recording) -> None:
        for each in changes:
            each(recording)

    return change


def add(
    type_: str,
    name: str,
    inputs: Mapping[str, Any],
    depends_on: Mapping[str, Sequence[str]] | None = None,
    parents: str = "",
) -> Change:
    def change(recording: Recording) -> None:
        recording.add(type_, name, inputs, depends_on, parents)

    return change


def remove(name: str) -> Change:
    def change(recording: Recording) -> None:
        recording.resources.remove(recording[name])

    return change


def ignore(name: str, *paths: str) -> Change:
    def change(recording: Recording) -> None:
        recording[name].ignore_changes = list(paths)

    return change


def depend(name: str, prop: str, *others: str) -> Change:
    """Says from which resources a property's value comes."""

    def change(recording: Recording) -> None:
        recording[name].property_dependencies[prop] = [recording[other].urn for other in others]

    return change


def in_container(task: str, **changes: Any) -> Change:
    """Changes the first container of a task definition; None takes the member away."""

    def change(recording: Recording) -> None:
        containers = json.loads(recording[task].inputs["containerDefinitions"])
        for key, value in changes.items():
            if value is None:
                containers[0].pop(key, None)
            else:
                containers[0][key] = value
        recording.set(task, "containerDefinitions", json.dumps(containers))

    return change


def hide_containers(task: str) -> Change:
    return hide(task, "containerDefinitions")


def conceal_containers(task: str, **changes: Any) -> Change:
    """As `in_container`, in a definition that is a secret as a whole."""

    def change(recording: Recording) -> None:
        in_container(task, **changes)(recording)
        recording.set(task, "containerDefinitions", secret(recording[task].inputs["containerDefinitions"]))

    return change


def document(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: Any, resource: Any = "arn:aws:s3:::files/*", **more: Any) -> dict[str, Any]:
    return {"Sid": "Case", "Effect": "Allow", "Action": action, "Resource": resource, **more}
