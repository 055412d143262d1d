"""What of the pack's configuration is refused, and in which words.

A rule of the first order takes no exception; a scheduler rule can't be disabled; what makes a rule weaker
says why; a pattern that means everything, a day that never comes, unknown rules and unknown keys are refused,
because a misspelled exception would otherwise look as if it held.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase
from typing import Any, Final

from pulumi_policy import EnforcementLevel

from .networks import PRIVATE_RANGES, network_of, within
from .recognition import REASON_AT_LEAST
from .resources import ECS_SERVICE
from .rule import DEVELOPMENT_STACKS, Rule, Threshold

_LEVELS: Final = {level.value: level for level in EnforcementLevel}
_STRENGTH: Final = {
    EnforcementLevel.DISABLED: 0,
    EnforcementLevel.ADVISORY: 1,
    EnforcementLevel.MANDATORY: 2,
    EnforcementLevel.REMEDIATE: 2,
}
_EXEMPTION_KEYS: Final = frozenset({"resource", "reason", "expires"})
_LAST_YEAR: Final = 2099
_PRODUCTION: Final = frozenset({"prod", "production", "prd", "live"})
_STACK_NAMES: Final = ("prod", "dev", "staging", "eu-west-1", "7", "my-team", "qa", "x", "blue", "zulu")
_NAMES: Final = ("web", "q", "7", "shop-db", "Kafka", "logs-eu", "my_bucket", "x1", "report", "vpc-flow")
_TYPES: Final = (
    "m:t:T",
    ECS_SERVICE,
    "aws:cloudwatch/logGroup:LogGroup",
    "aws:ec2/securityGroup:SecurityGroup",
)
_TAGS: Final = ("roleTag", "spotOptInTag", "notASchedulerTag")
_ALLOWING: Final = frozenset({"movableTags", "openPorts", "policyPrefixes", "unboundActions"})
_FORBIDDING: Final = frozenset({"forbiddenPolicies", "ports", "services"})
_MOST_OPEN_PORTS: Final = 20


@dataclass(frozen=True, slots=True)
class Given:
    """One rule's part of the configuration as it came: a level, if any, and everything else."""

    level: EnforcementLevel | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)


def thresholds_of(rule: Rule) -> dict[str, Threshold]:
    """The rule's own settings, with the one that every production rule has."""
    own = dict(rule.thresholds)
    return {"developmentStacks": DEVELOPMENT_STACKS, **own} if rule.production else own


def problems_of(rules: Mapping[str, Rule], given: Mapping[str, Given]) -> Iterable[str]:
    """Everything that is wrong with a configuration, a line each."""
    for name, part in given.items():
        if name == "all":
            continue  # the engine has already spread it over the rules
        rule = rules.get(name)
        if rule is None:
            yield (
                f"{name}: no such rule{_suggestion(name, rules)}; take the key out, or name a rule of "
                "docs/policies.md."
            )
            continue
        yield from _level_problems(rule, name, part.level, part.properties)
        yield from _property_problems(rule, name, part.properties, in_stack=False)


def _level_problems(
    rule: Rule, where: str, level: EnforcementLevel | None, properties: Mapping[str, Any]
) -> Iterable[str]:
    if level is None:
        return
    if rule.locked and level is not EnforcementLevel.MANDATORY:
        yield (
            f"{where}: enforcementLevel is {level.value}; this rule is always mandatory; take the level out, "
            "and correct the resources that break the rule."
        )
    elif level is EnforcementLevel.REMEDIATE:
        yield (
            f"{where}: enforcementLevel is remediate; no rule changes resources; use mandatory, advisory or "
            "disabled."
        )
    elif rule.scheduler and level is EnforcementLevel.DISABLED:
        yield (
            f"{where}: enforcementLevel is disabled; a scheduler rule is advisory at "
            "least; use advisory, with a reason."
        )
    elif _STRENGTH[level] < _STRENGTH[rule.level] and not has_reason(properties):
        yield (
            f"{where}: enforcementLevel is {level.value}, weaker than {rule.level.value}, without a reason; "
            f"add reason, {REASON_AT_LEAST} characters or more."
        )


def has_reason(properties: Mapping[str, Any]) -> bool:
    reason = properties.get("reason")
    return isinstance(reason, str) and len(reason.strip()) >= REASON_AT_LEAST


def _property_problems(
    rule: Rule, where: str, properties: Mapping[str, Any], *, in_stack: bool
) -> Iterable[str]:
    thresholds = thresholds_of(rule)
    tags = [properties.get(key, thresholds[key].default) for key in _TAGS if key in thresholds]
    if len(set(map(str, tags))) < len(tags):
        yield f"{where}: {', '.join(_TAGS)} are {', '.join(map(str, tags))}; give each a key of its own."
    for key, value in properties.items():
        path = f"{where}.{key}"
        if key in thresholds:
            problem = _schema_problem(thresholds[key].schema, value)
            if problem:
                yield (
                    f"{path}: {problem}; {thresholds[key].description}; give "
                    f"{_expected(thresholds[key].schema)}."
                )
            else:
                yield from _weakening_problems(path, key, value, thresholds[key], properties)
        elif rule.locked and key in ("exemptions", "stacks", "reason"):
            yield f"{path}: this rule takes no exceptions; correct the resources instead."
        elif key == "reason":
            if not has_reason(properties):
                yield f"{path}: says too little; give {REASON_AT_LEAST} characters or more."
        elif key == "exemptions":
            yield from _exemption_problems(rule, path, value)
        elif key == "stacks" and not in_stack:
            yield from _stacks_problems(rule, path, value)
        else:
            allowed = [
                *thresholds,
                *([] if rule.locked else ["reason", "exemptions", *([] if in_stack else ["stacks"])]),
            ]
            known = ", ".join(["enforcementLevel", *allowed])
            yield f"{path}: no such key{_suggestion(key, allowed)}; the rule takes {known}."


def _stacks_problems(rule: Rule, where: str, value: Any) -> Iterable[str]:
    if not isinstance(value, Mapping):
        yield f"{where}: not an object; give an object whose keys are patterns for stack names."
        return
    for pattern, override in value.items():
        path = f"{where}.{pattern}"
        if matches_everything(pattern, _STACK_NAMES):
            yield f"{path}: {pattern} matches every stack; give the settings for the rule itself instead."
        if not isinstance(override, Mapping):
            yield f"{path}: not an object; give the settings that differ on those stacks."
            continue
        level = override.get("enforcementLevel")
        if "enforcementLevel" in override and (not isinstance(level, str) or level not in _LEVELS):
            yield f"{path}.enforcementLevel: {level} is no level; use mandatory, advisory or disabled."
        yield from _level_problems(
            rule, path, _LEVELS.get(level) if isinstance(level, str) else None, override
        )
        rest = {key: item for key, item in override.items() if key != "enforcementLevel"}
        yield from _property_problems(rule, path, rest, in_stack=True)


def _exemption_problems(rule: Rule, where: str, value: Any) -> Iterable[str]:
    if not isinstance(value, list | tuple):
        yield f"{where}: not a list; give a list of objects with resource, reason and expires."
        return
    for index, item in enumerate(value):
        path = f"{where}[{index}]"
        if not isinstance(item, Mapping):
            yield f"{path}: not an object; give resource, reason and expires."
            continue
        for key in item:
            if key not in _EXEMPTION_KEYS:
                yield f"{path}.{key}: no such key; an exemption takes resource, reason and expires."
        for key in sorted(_EXEMPTION_KEYS):
            text = item.get(key)
            if not isinstance(text, str) or not text.strip():
                yield (
                    f"{path}.{key}: missing; an exemption needs a resource pattern, a reason and an expiry "
                    "date."
                )
            elif key == "expires" and not _is_date(text):
                yield f"{path}.expires: {text} is no date; give the last day on which it holds as YYYY-MM-DD."
            elif key == "expires" and date.fromisoformat(text).year > _LAST_YEAR:
                yield f"{path}.expires: {text} is for ever; give a day up to {_LAST_YEAR}-12-31."
            elif key == "resource" and (not _names_something(text) or _means_everything(text, rule)):
                yield (
                    f"{path}.resource: {text} exempts everything; name the resource, or set the rule's "
                    "level instead, with a reason."
                )


def _names_something(pattern: str) -> bool:
    """Whether the part of a pattern that stands for a resource's name says more than one letter of it."""
    name = re.sub(r"\[[^\]]*\]", "*", pattern.rsplit("::", 1)[-1])
    return sum(character.isalnum() for character in name) >= (2 if re.search(r"[*?]", name) else 1)


def _means_everything(pattern: str, rule: Rule) -> bool:
    """Whether a pattern matches most names, or whatever has a type that the rule judges."""
    types = rule.types or _TYPES
    lists = [[f"urn:pulumi:s::p::{each}::{name}" for name in _NAMES] for each in types]
    return any(matches_everything(pattern, names) for names in (_NAMES, *lists))


def matches_everything(pattern: str, names: Sequence[str]) -> bool:
    """Whether a pattern matches most of a list of names that have nothing in common."""
    return 2 * sum(fnmatchcase(name, pattern) for name in names) > len(names)


def _weakening_problems(
    path: str, key: str, value: Any, threshold: Threshold, properties: Mapping[str, Any]
) -> Iterable[str]:
    """Settings by which a rule would rest where it matters."""
    if key == "developmentStacks":
        for pattern in value:
            if matches_everything(pattern, _STACK_NAMES):
                yield f"{path}: {pattern} matches every stack; name the stacks for development."
            elif _PRODUCTION.intersection(re.split(r"[-_./*?]", pattern.lower())) and not has_reason(
                properties
            ):
                yield f"{path}: {pattern} names production, without a reason; add reason, or take it out."
    if (key in _FORBIDDING or key in _ALLOWING) and not has_reason(properties):
        yield from _unexplained_problems(path, key, value, threshold)
    if key == "privateRanges":
        for text in value:
            network = network_of(text)
            if network is None:
                yield f"{path}: {text} is no address range; give one such as 10.0.0.0/8."
            elif network.prefixlen < (8 if network.version == 4 else 16):
                yield f"{path}: {text} is a large part of the internet; give the VPC's own ranges."
            elif not within(text, PRIVATE_RANGES) and not has_reason(properties):
                yield f"{path}: {text} isn't private, and there is no reason; add reason, or take it out."


def _unexplained_problems(path: str, key: str, value: Any, threshold: Threshold) -> Iterable[str]:
    """Lists that forbid less, or allow nearly everything."""
    if key in _FORBIDDING:
        gone = [str(item) for item in threshold.default if item not in value]
        if gone:
            yield f"{path}: leaves {', '.join(gone)} out, without a reason; add reason, or put them back."
        return
    everything = [item for item in value if isinstance(item, str) and not re.search(r"\w", item)]
    if everything or (key == "openPorts" and len(set(value)) > _MOST_OPEN_PORTS):
        what = everything[0] if everything else f"a list of {len(set(value))} ports"
        yield f"{path}: {what} allows nearly everything, without a reason; add reason, or say less."


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == 10


def _schema_problem(schema: Mapping[str, Any], value: Any) -> str | None:
    kind = schema["type"]
    if kind == "integer":
        return _integer_problem(schema, value)
    if kind == "array":
        return _array_problem(schema, value)
    if not isinstance(value, str) or len(value) < schema.get("minLength", 0):
        return "an empty text" if value == "" else f"{value!r} is no text"
    if "enum" in schema and value not in schema["enum"]:
        return f"{value!r} is none of {', '.join(schema['enum'])}"
    return None


def _integer_problem(schema: Mapping[str, Any], value: Any) -> str | None:
    number = int(value) if isinstance(value, float) and value.is_integer() else value
    if isinstance(number, bool) or not isinstance(number, int):
        return f"{value!r} is no whole number"
    if number < schema.get("minimum", number) or number > schema.get("maximum", number):
        return f"{number} is out of range"
    return None


def _array_problem(schema: Mapping[str, Any], value: Any) -> str | None:
    if not isinstance(value, list | tuple):
        return f"{value!r} is no list"
    if len(value) < schema.get("minItems", 0):
        return "the list is too short"
    return next((problem for item in value if (problem := _schema_problem(schema["items"], item))), None)


def _expected(schema: Mapping[str, Any]) -> str:
    kind = schema["type"]
    if kind == "integer":
        low, high = schema.get("minimum"), schema.get("maximum")
        bounds = " ".join(
            part for part in (f"from {low}" if low is not None else "", f"to {high}" if high else "") if part
        )
        return f"a whole number {bounds}".strip()
    if kind == "array":
        return f"a list of {'whole numbers' if schema['items']['type'] == 'integer' else 'texts'}"
    return f"one of {', '.join(schema['enum'])}" if "enum" in schema else "a text"


def _suggestion(word: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches  # for errors alone; every preview would pay for it

    close = get_close_matches(word, list(known), n=1)
    return f" (did you mean {close[0]}?)" if close else ""
